//! What is remembered of an application beside its holding, and the transaction that ends a push.

use std::collections::BTreeMap;

use sqlx::Row as _;

use crate::clock::Timestamp;
use crate::failpoint;
use crate::model::{HistoryEntry, HoldReason, Holding, Withheld};
use crate::store::dialect::{Connection, Row, count, json, of_json, signed, statement, time};
use crate::store::error::Stop;
use crate::store::held::{self, Showing};
use crate::store::journal::{self, Refused};
use crate::store::{Snapshot, Store, StoreError, accounts, approvals, history};

/// What is remembered of an application.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApplicationState {
    /// Counts committed pushes; 0 before the first. The store raises it and refuses a push that was made from an older one.
    pub push: u64,
    /// The revisions of the directories, by the ids of their entries, from which the last push was made.
    pub pinned: BTreeMap<String, u64>,
    /// Digest of the last settled basis; empty before the first.
    pub basis: String,
    /// Digest of the configuration that the last push followed; empty before the first.
    pub configured: String,
    /// When everything that the application holds was last listed.
    pub reread_at: Option<Timestamp>,
    /// When a push last succeeded; one that was found not due counts.
    pub pushed_at: Option<Timestamp>,
    /// When the last plan was made.
    pub planned_at: Option<Timestamp>,
    /// When the first plan had been applied.
    pub first_applied_at: Option<Timestamp>,
    /// How the last push failed; `None` if it did not.
    pub failure: Option<Failure>,
}

/// How a push failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// When.
    pub at: Timestamp,
    /// The stable word of the error.
    pub word: String,
    /// Its text.
    pub text: String,
}

/// Everything that one push leaves behind, kept together or not at all.
pub struct PushCommit<'a> {
    /// When it is kept.
    pub at: Timestamp,
    /// What was loaded before; `None` writes everything anew.
    pub before: Option<&'a Holding>,
    /// What the application holds now and what of it is ours. Its places begin with those of `before`.
    pub after: &'a Holding,
    /// What is remembered beside it. `push` must be the number that was loaded.
    pub state: &'a ApplicationState,
    /// Intents that are settled by now.
    pub close_intents: &'a [i64],
    /// What was done, line by line: of a first plan there are too many to have them all at once.
    pub history: Box<dyn Iterator<Item = HistoryEntry> + Send + 'a>,
    /// Everything that is held now.
    pub held: &'a [Withheld<HoldReason>],
    /// Everything that is waiting now.
    pub waiting: &'a [Withheld<String>],
    /// Every refusal that still counts.
    pub refused: &'a [Refused],
}

impl Snapshot {
    /// What is remembered of an application, by the id of its entry; `None` if it was never tried.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn application(&mut self, id: &str) -> Result<Option<ApplicationState>, StoreError> {
        let answer = load(&mut self.db, id).await;
        self.done("reading the state of an application", answer)
    }
}

impl Store {
    /// Keeps what is remembered of an application beside its holding: after a push that failed, or that was not due.
    ///
    /// # Errors
    /// [`StoreError::Overtaken`] when a push was committed since the state was loaded; else [`StoreError`] when the store
    /// cannot be written.
    pub async fn save_application(
        &self,
        id: &str,
        state: &ApplicationState,
    ) -> Result<(), StoreError> {
        let mut writing = self.write("keeping the state of an application").await?;
        let work = async {
            let number = number(writing.db(), id).await?;
            save(writing.db(), number, state, 0).await
        };
        let work = work.await;
        writing.end(work).await
    }

    /// Commits what an application was found to hold after a push that was cut off, with what that push did, and settles the
    /// intents that told of it. What is held and refused stays. Gives back the number of the push, which `state.push` is from now on.
    ///
    /// # Errors
    /// As [`Store::commit_push`].
    pub async fn recover(
        &self,
        id: &str,
        state: &ApplicationState,
        before: Option<&Holding>,
        found: &Holding,
        close_intents: &[i64],
        history: Vec<HistoryEntry>,
    ) -> Result<u64, StoreError> {
        let mut writing = self
            .write("noting what a push did that was cut off")
            .await?;
        let work = async {
            let application = number(writing.db(), id).await?;
            save(writing.db(), application, state, 1).await?;
            accounts::replace(writing.db(), application, before, found).await?;
            journal::close_intents(writing.db(), application, close_intents).await?;
            history::add(writing.db(), application, history.into_iter()).await?;
            Ok::<_, Stop>(state.push + 1)
        };
        let work = work.await;
        writing.end(work).await
    }

    /// Commits a push: holding, links, clocks, history, what is held, closed intents. Only rows that differ are written. Gives
    /// back the number of the push, which `state.push` is from now on.
    ///
    /// # Errors
    /// [`StoreError::Overtaken`] when another push was committed since `state` was loaded; else [`StoreError`] when the store
    /// cannot be written. In every case nothing of it is kept.
    pub async fn commit_push(&self, id: &str, commit: PushCommit<'_>) -> Result<u64, StoreError> {
        let mut writing = self.write("committing a push").await?;
        let work = push(writing.db(), id, commit).await;
        writing.end(work).await
    }
}

/// The number of an application, given to it now if it has none.
pub(super) async fn number(db: &mut Connection, id: &str) -> sqlx::Result<i64> {
    if let Some(number) = known(db, id).await? {
        return Ok(number);
    }
    let new = "INSERT INTO application (id) VALUES ($1) RETURNING number";
    statement(new).bind(id).fetch_one(db).await?.try_get(0)
}

/// The number of an application, if it was ever tried.
pub(super) async fn known(db: &mut Connection, id: &str) -> sqlx::Result<Option<i64>> {
    let known = "SELECT number FROM application WHERE id = $1";
    let row = statement(known).bind(id).fetch_optional(db).await?;
    row.map(|row| row.try_get(0)).transpose()
}

async fn load(db: &mut Connection, id: &str) -> sqlx::Result<Option<ApplicationState>> {
    let row = "SELECT * FROM application WHERE id = $1";
    let row = statement(row).bind(id).fetch_optional(db).await?;
    row.map(|row| state_of(&row)).transpose()
}

fn state_of(row: &Row) -> sqlx::Result<ApplicationState> {
    let failed_at = time(row, "failed_at")?;
    let word: Option<String> = row.try_get("failure_word")?;
    let text: Option<String> = row.try_get("failure_text")?;
    let failure = failed_at.zip(word.zip(text));
    Ok(ApplicationState {
        push: count(row, "push")?,
        pinned: of_json(row.try_get("pinned")?)?,
        basis: row.try_get("basis")?,
        configured: row.try_get("configured")?,
        reread_at: time(row, "reread_at")?,
        pushed_at: time(row, "pushed_at")?,
        planned_at: time(row, "planned_at")?,
        first_applied_at: time(row, "first_applied_at")?,
        failure: failure.map(|(at, (word, text))| Failure { at, word, text }),
    })
}

/// Writes the state and raises the number of the push by `step`.
async fn save(
    db: &mut Connection,
    number: i64,
    state: &ApplicationState,
    step: i64,
) -> Result<(), Stop> {
    let ApplicationState {
        push,
        pinned,
        basis,
        configured,
        reread_at,
        pushed_at,
        planned_at,
        first_applied_at,
        failure,
    } = state;
    let seconds = |at: &Option<Timestamp>| at.map(|it| it.0);
    let save = "UPDATE application SET push = push + $3, pinned = $4, basis = $5, reread_at = $6, pushed_at = $7,
        planned_at = $8, first_applied_at = $9, failed_at = $10, failure_word = $11, failure_text = $12,
        configured = $13 WHERE number = $1 AND push = $2";
    let saved = statement(save)
        .bind(number)
        .bind(signed(*push))
        .bind(step)
        .bind(json(pinned)?)
        .bind(basis.as_str())
        .bind(seconds(reread_at))
        .bind(seconds(pushed_at))
        .bind(seconds(planned_at))
        .bind(seconds(first_applied_at))
        .bind(failure.as_ref().map(|it| it.at.0))
        .bind(failure.as_ref().map(|it| it.word.as_str()))
        .bind(failure.as_ref().map(|it| it.text.as_str()))
        .bind(configured.as_str())
        .execute(db)
        .await?;
    match saved.rows_affected() {
        0 => Err(Stop::Overtaken),
        _ => Ok(()),
    }
}

async fn push(db: &mut Connection, id: &str, commit: PushCommit<'_>) -> Result<u64, Stop> {
    let application = number(db, id).await?;
    let PushCommit {
        at,
        before,
        after,
        state,
        close_intents,
        history,
        held,
        waiting,
        refused,
    } = commit;
    // First, because it refuses what is out of date.
    save(db, application, state, 1).await?;
    let push = state.push + 1;
    accounts::replace(db, application, before, after).await?;
    failpoint::reached("store.in_push");
    history::add(db, application, history).await?;
    let showing = Showing {
        application,
        id,
        push: signed(push),
        at,
    };
    held::replace(db, showing, held, waiting).await?;
    journal::replace_refused(db, application, refused).await?;
    approvals::prune(db, at).await?;
    // Last, because rows that come after it would be fitted into the gaps that it leaves, which is slower than appending.
    journal::close_intents(db, application, close_intents).await?;
    Ok(push)
}
