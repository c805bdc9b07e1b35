//! What is about to be sent, what is refused again and again, and the passes.

use std::collections::BTreeMap;

use sqlx::Row as _;

use crate::clock::Timestamp;
use crate::model::Intent;
use crate::store::dialect::{
    Connection, Insert, Row, Statement, count, for_listed, garbled, json, of_json, signed,
    statement, time,
};
use crate::store::{Snapshot, Store, StoreError, applications};

/// A change that an application refused at its last tries.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refused {
    /// `user anna` or `group staff`, by folded pushed name.
    pub subject: String,
    /// What would be done.
    pub change: String,
    /// A digest of what would be written: with another value it is another change, which is tried at once.
    pub wanted: String,
    /// Tries in a row that were refused.
    pub count: u32,
    /// The last answer.
    pub text: String,
    /// When it is tried again.
    pub next_at: Timestamp,
}

/// One pass: what one trigger started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassRow {
    /// Its number, as in the log.
    pub number: u64,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; `None` while it runs, or when its process died.
    pub finished_at: Option<Timestamp>,
    /// What started it.
    pub trigger: String,
    /// The stable word of its outcome, or `cut_off`; `None` while it runs, or when no process came after the one that died.
    pub outcome: Option<String>,
    /// Its counts (JSON).
    pub counts: Option<String>,
}

impl PassRow {
    /// Whether its process died before it was over, and another one has seen that.
    pub fn is_cut_off(&self) -> bool {
        self.outcome.as_deref() == Some(CUT_OFF)
    }
}

const PUT_REFUSED: Insert = Insert {
    into: "INSERT INTO refusal (application, subject, change, wanted, count, text, next_at) VALUES",
    width: 7,
    conflict:
        "ON CONFLICT (application, subject, change, wanted) DO UPDATE SET count = excluded.count,
        text = excluded.text, next_at = excluded.next_at",
};

impl Snapshot {
    /// The intents of an application, by the id of its entry, that no push has settled, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn open_intents(
        &mut self,
        application: &str,
    ) -> Result<Vec<(i64, Intent)>, StoreError> {
        let answer = open_intents(&mut self.db, application).await;
        self.done("reading open intents", answer)
    }

    /// What an application, by the id of its entry, refused at the last tries, by subject and change.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn refused(&mut self, application: &str) -> Result<Vec<Refused>, StoreError> {
        let work = async {
            match applications::known(&mut self.db, application).await? {
                Some(number) => refused(&mut self.db, number).await,
                None => Ok(Vec::new()),
            }
        };
        let answer = work.await;
        self.done("reading what is refused", answer)
    }

    /// The last passes, the newest first: those that are over, and those that run or were cut off.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn passes(&mut self, limit: u32) -> Result<Vec<PassRow>, StoreError> {
        let rows = "SELECT * FROM pass ORDER BY number DESC LIMIT $1";
        let rows = statement(rows).bind(i64::from(limit));
        let rows = rows.fetch_all(&mut *self.db).await;
        let answer = rows.and_then(|rows| rows.iter().map(pass_of).collect());
        self.done("reading passes", answer)
    }
}

impl Store {
    /// Makes durable what is about to be sent to an application, by the id of its entry, all of it or nothing, and gives back
    /// the numbers under which [`PushCommit::close_intents`](crate::store::PushCommit::close_intents) settles it. It is on the
    /// disk when this returns.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written: then nothing may be sent.
    pub async fn save_intents(
        &self,
        application: &str,
        intents: impl Iterator<Item = Intent> + Send,
    ) -> Result<Vec<i64>, StoreError> {
        let mut writing = self.write("noting what is about to be sent").await?;
        let work = save_intents(writing.db(), application, intents).await;
        writing.end(work).await
    }

    /// Settles intents outside of a push, when nothing of them came about or all of it is seen already.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn close_intents(
        &self,
        application: &str,
        numbers: &[i64],
    ) -> Result<(), StoreError> {
        let mut writing = self.write("settling intents").await?;
        let work = async {
            let application = applications::number(writing.db(), application).await?;
            close_intents(writing.db(), application, numbers).await
        };
        let work = work.await;
        writing.end(work).await
    }

    /// Replaces an open intent by what of it may have come about.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn amend_intent(&self, number: i64, intent: &Intent) -> Result<(), StoreError> {
        let mut writing = self
            .write("striking what was not made from an intent")
            .await?;
        let work = async {
            let amend = "UPDATE intent SET body = $2 WHERE number = $1";
            let amend = statement(amend).bind(number).bind(json(intent)?);
            amend.execute(writing.db()).await.map(|_| ())
        };
        let work = work.await;
        writing.end(work).await
    }

    /// Notes that a pass began. Its number follows those that are there: only the process that has claimed the store counts.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn begin_pass(
        &self,
        number: u64,
        trigger: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut writing = self.write("noting the beginning of a pass").await?;
        let new = "INSERT INTO pass (number, started_at, started_by) VALUES ($1, $2, $3)";
        let new = statement(new).bind(signed(number)).bind(at.0);
        let work = new.bind(trigger).execute(writing.db()).await;
        writing.end(work.map(|_| ())).await
    }

    /// Notes that a pass ended, with the stable word of its outcome and its counts (JSON).
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn finish_pass(
        &self,
        number: u64,
        at: Timestamp,
        outcome: &str,
        counts: &str,
    ) -> Result<(), StoreError> {
        let mut writing = self.write("noting the end of a pass").await?;
        let work = async {
            let end =
                "UPDATE pass SET finished_at = $2, outcome = $3, counts = $4 WHERE number = $1";
            let end = statement(end).bind(signed(number)).bind(at.0);
            let end = end.bind(outcome).bind(counts);
            end.execute(writing.db()).await
        };
        let work = work.await.map(|_| ());
        writing.end(work).await
    }

    /// Notes of every pass that is not over that its process died. Whoever has claimed the store calls it before its own
    /// first pass. Gives back the number of the last pass; 0 before the first.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn cut_off_passes(&self) -> Result<u64, StoreError> {
        let mut writing = self.write("noting which passes were cut off").await?;
        let work = async {
            let cut = "UPDATE pass SET outcome = $1 WHERE outcome IS NULL";
            let cut = statement(cut).bind(CUT_OFF);
            cut.execute(writing.db()).await?;
            let last = "SELECT COALESCE(MAX(number), 0) FROM pass";
            count(&statement(last).fetch_one(writing.db()).await?, 0)
        };
        let work = work.await;
        writing.end(work).await
    }
}

/// The outcome of a pass whose process died.
const CUT_OFF: &str = "cut_off";

/// Drops intents that are settled.
pub(super) async fn close_intents(
    db: &mut Connection,
    application: i64,
    numbers: &[i64],
) -> sqlx::Result<()> {
    let close = "DELETE FROM intent
        WHERE application = $1 AND number IN (SELECT CAST(value AS BIGINT) FROM EACH($2))";
    for_listed(db, close, &[application], numbers).await
}

/// Makes the refusals of an application these. They are few.
pub(super) async fn replace_refused(
    db: &mut Connection,
    application: i64,
    new: &[Refused],
) -> sqlx::Result<()> {
    let old = refused(db, application).await?;
    let key = |it: &Refused| (it.subject.clone(), it.change.clone(), it.wanted.clone());
    let mut gone: BTreeMap<_, _> = old.iter().map(|it| (key(it), it)).collect();
    let new: BTreeMap<_, _> = new.iter().map(|it| (key(it), it)).collect();
    let mut put = Vec::new();
    for (key, it) in &new {
        if gone.remove(key) != Some(*it) {
            put.push(*it);
        }
    }
    for (subject, change, wanted) in gone.into_keys() {
        let drop = "DELETE FROM refusal WHERE application = $1 AND subject = $2 AND change = $3 AND wanted = $4";
        let drop = statement(drop).bind(application).bind(subject);
        drop.bind(change).bind(wanted).execute(&mut *db).await?;
    }
    let bind = |statement: Statement, it: &&Refused| {
        let statement = statement.bind(application).bind(it.subject.as_str());
        let statement = statement.bind(it.change.as_str()).bind(it.wanted.as_str());
        let statement = statement.bind(i64::from(it.count));
        statement.bind(it.text.as_str()).bind(it.next_at.0)
    };
    PUT_REFUSED.rows(db, &put, bind).await
}

async fn open_intents(db: &mut Connection, application: &str) -> sqlx::Result<Vec<(i64, Intent)>> {
    let open = "SELECT intent.number, intent.body FROM intent
        JOIN application ON application.number = intent.application WHERE application.id = $1 ORDER BY intent.number";
    let open = statement(open).bind(application).fetch_all(db).await?;
    let intent = |row: &Row| Ok((row.try_get(0)?, of_json(row.try_get(1)?)?));
    open.iter().map(intent).collect()
}

async fn save_intents(
    db: &mut Connection,
    application: &str,
    intents: impl Iterator<Item = Intent> + Send,
) -> sqlx::Result<Vec<i64>> {
    let application = applications::number(db, application).await?;
    let mut numbers = Vec::new();
    for intent in intents {
        let new = "INSERT INTO intent (application, body) VALUES ($1, $2) RETURNING number";
        let new = statement(new).bind(application).bind(json(&intent)?);
        numbers.push(new.fetch_one(&mut *db).await?.try_get(0)?);
    }
    Ok(numbers)
}

async fn refused(db: &mut Connection, application: i64) -> sqlx::Result<Vec<Refused>> {
    let rows =
        "SELECT subject, change, wanted, count, text, next_at FROM refusal WHERE application = $1
        ORDER BY subject, change, wanted";
    let rows = statement(rows).bind(application).fetch_all(db).await?;
    let refused = |row: &Row| {
        Ok(Refused {
            subject: row.try_get(0)?,
            change: row.try_get(1)?,
            wanted: row.try_get(2)?,
            count: u32::try_from(count(row, 3)?).map_err(garbled)?,
            text: row.try_get(4)?,
            next_at: Timestamp(row.try_get(5)?),
        })
    };
    rows.iter().map(refused).collect()
}

fn pass_of(row: &Row) -> sqlx::Result<PassRow> {
    Ok(PassRow {
        number: count(row, "number")?,
        started_at: Timestamp(row.try_get("started_at")?),
        finished_at: time(row, "finished_at")?,
        trigger: row.try_get("started_by")?,
        outcome: row.try_get("outcome")?,
        counts: row.try_get("counts")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Holding, IntentStep, Step, Subject, What};
    use crate::store::testing::{at, commit, rows_written, store};
    use crate::store::{ApplicationState, PushCommit};

    fn intent(name: &str) -> Intent {
        let step = IntentStep {
            subject: Subject::Account(3),
            step: Step::Update,
            what: What::RENAME.with(What::ACTIVATE),
            remote_id: "17".to_owned(),
            name: name.to_owned(),
            directory: "hr".to_owned(),
            record: "u\"1".to_owned(),
            mail: String::new(),
            person: "7".to_owned(),
            tied: true,
            active: true,
            gives_groups: true,
            give: vec![1],
            own: vec![2, 3],
            take: Vec::new(),
        };
        Intent { steps: vec![step] }
    }

    #[tokio::test]
    async fn an_intent_stays_open_until_its_push_is_committed() {
        let (_folder, store) = store().await;
        let two = ["anna", "ben"].map(intent).into_iter();
        let [first, second] = store.save_intents("wiki", two).await.unwrap()[..] else {
            panic!("a number for each")
        };
        let one = [intent("carl")].into_iter();
        let other = store.save_intents("chat", one).await.unwrap()[0];
        let open = async |application| {
            let mut snapshot = store.snapshot().await.unwrap();
            snapshot.open_intents(application).await.unwrap()
        };
        assert_eq!(
            open("wiki").await,
            [(first, intent("anna")), (second, intent("ben"))]
        );
        let (nothing, state) = (Holding::default(), ApplicationState::default());
        let push = PushCommit {
            // Another application's intent is not this push's to close.
            close_intents: &[first, other],
            ..commit(None, &nothing, &state)
        };
        store.commit_push("wiki", push).await.unwrap();
        assert_eq!(open("wiki").await, [(second, intent("ben"))]);
        assert_eq!(open("chat").await, [(other, intent("carl"))]);
        assert!(open("jira").await.is_empty());
    }

    #[tokio::test]
    async fn refusals_are_those_of_the_last_push() {
        let (_folder, store) = store().await;
        let refused = |subject: &str, count| Refused {
            subject: subject.to_owned(),
            change: "create".to_owned(),
            wanted: "00".to_owned(),
            count,
            text: "the name is too long".to_owned(),
            next_at: at(count.into()),
        };
        let push = async |all: &[Refused]| {
            let mut snapshot = store.snapshot().await.unwrap();
            let state = snapshot
                .application("wiki")
                .await
                .unwrap()
                .unwrap_or_default();
            drop(snapshot);
            let nothing = Holding::default();
            let push = PushCommit {
                refused: all,
                ..commit(None, &nothing, &state)
            };
            let before = rows_written(&store).await;
            store.commit_push("wiki", push).await.unwrap();
            let mut snapshot = store.snapshot().await.unwrap();
            let kept = snapshot.refused("wiki").await.unwrap();
            (kept, rows_written(&store).await - before)
        };
        let first = [refused("user anna", 1), refused("user ben", 1)];
        push(&first).await;
        let second = [refused("user anna", 1), refused("user carl", 4)];
        // One gone, one new, one as it was, and the application's row.
        assert_eq!(push(&second).await, (second.to_vec(), 3));
        let third = [refused("user anna", 2)];
        assert_eq!(push(&third).await, (third.to_vec(), 3));
    }

    #[tokio::test]
    async fn a_pass_is_noted_when_it_begins_and_when_it_ends() {
        let (_folder, store) = store().await;
        assert_eq!(store.cut_off_passes().await.unwrap(), 0);
        store.begin_pass(1, "schedule", at(0)).await.unwrap();
        store.begin_pass(2, "signal", at(5)).await.unwrap();
        store
            .finish_pass(1, at(9), "partial", r#"{"held":1}"#)
            .await
            .unwrap();
        let row = |number, seconds, trigger: &str| PassRow {
            number,
            started_at: at(seconds),
            finished_at: None,
            trigger: trigger.to_owned(),
            outcome: None,
            counts: None,
        };
        let ended = PassRow {
            finished_at: Some(at(9)),
            outcome: Some("partial".to_owned()),
            counts: Some(r#"{"held":1}"#.to_owned()),
            ..row(1, 0, "schedule")
        };
        let mut snapshot = store.snapshot().await.unwrap();
        let all = snapshot.passes(9).await.unwrap();
        assert_eq!(all, [row(2, 5, "signal"), ended.clone()]);
        assert_eq!(snapshot.passes(1).await.unwrap().len(), 1);
        drop(snapshot);
        // The next process finds the second one without an end.
        assert_eq!(store.cut_off_passes().await.unwrap(), 2);
        let cut = PassRow {
            outcome: Some(CUT_OFF.to_owned()),
            ..row(2, 5, "signal")
        };
        let mut snapshot = store.snapshot().await.unwrap();
        assert_eq!(snapshot.passes(9).await.unwrap(), [cut, ended]);
    }
}
