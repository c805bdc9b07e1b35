//! What was done, one row for each account or group, and what the limits count from it.

use std::collections::BTreeSet;

use futures_util::TryStreamExt as _;
use sqlx::Row as _;

use crate::clock::Timestamp;
use crate::model::{Class, HistoryEntry, Subject, Window};
use crate::store::dialect::{
    Connection, Insert, Row, Statement, count, garbled, of_json, statement,
};
use crate::store::{Snapshot, Store, StoreError, applications, words};
use crate::text::fold;

/// What of the history is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct HistoryFilter<'a> {
    /// Only this application, by the id of its entry.
    pub application: Option<&'a str>,
    /// Only what concerns the account or group of this name: done to it, or given to it or taken from it by a group.
    pub name: Option<&'a str>,
    /// At most so many lines, the newest.
    pub limit: u32,
}

/// One line of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRow {
    /// The application, by the id of its entry.
    pub application: String,
    /// What was done.
    pub entry: HistoryEntry,
    /// What part the name that was asked for has in it.
    pub part: Part,
}

/// The part of a name in a line of the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The line is about it, or nothing particular was asked for.
    Subject,
    /// The group of the line was given to it.
    Given,
    /// The group of the line was taken from it.
    Taken,
}

const ADD: Insert = Insert {
    into: "INSERT INTO change (application, at, subject, place, key, name, text, reason, class, active_delta, given, taken)
        VALUES",
    width: 12,
    conflict: "",
};

/// Numbers rise with time, so no sorting is needed to begin with the newest.
const NEWEST: &str = "SELECT change.*, application.id AS application_id
    FROM change JOIN application ON application.number = change.application
    WHERE (CAST($1 AS TEXT) IS NULL OR application.id = $1)
    AND (CAST($2 AS TEXT) IS NULL OR change.key = $2 OR change.given IS NOT NULL OR change.taken IS NOT NULL)
    ORDER BY change.number DESC";

/// In which applications a name is an account, and at which place.
const PLACES: &str = "SELECT application, serial FROM account WHERE key = $1";

const WINDOW: &str = "SELECT subject, place, class, active_delta, given, taken FROM change
    WHERE application = $1 AND at >= $2";

impl Snapshot {
    /// Lines of the history, the newest first.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn history(
        &mut self,
        filter: HistoryFilter<'_>,
    ) -> Result<Vec<HistoryRow>, StoreError> {
        let answer = newest(&mut self.db, filter).await;
        self.done("reading the history", answer)
    }

    /// What was done to an application, by the id of its entry, from `since` on, as its limits count it.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn window(
        &mut self,
        application: &str,
        since: Timestamp,
    ) -> Result<Window, StoreError> {
        let answer = window(&mut self.db, application, since).await;
        self.done("reading what the limits count", answer)
    }
}

impl Store {
    /// Forgets lines of the history, and passes, that are older than `before`.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn prune_history(&self, before: Timestamp) -> Result<(), StoreError> {
        let mut writing = self.write("forgetting old history").await?;
        let work = async {
            for text in [
                "DELETE FROM change WHERE at < $1",
                "DELETE FROM pass WHERE started_at < $1",
            ] {
                let old = statement(text).bind(before.0);
                old.execute(writing.db()).await?;
            }
            Ok::<_, sqlx::Error>(())
        };
        let work = work.await;
        writing.end(work).await
    }
}

/// Adds what a push did.
pub(super) async fn add(
    db: &mut Connection,
    application: i64,
    entries: impl Iterator<Item = HistoryEntry> + Send,
) -> sqlx::Result<()> {
    let bind = |statement: Statement, entry: HistoryEntry| {
        let (subject, place) = match entry.subject {
            Subject::Account(place) => ("account", place),
            Subject::Group(place) => ("group", place),
        };
        statement
            .bind(application)
            .bind(entry.at.0)
            .bind(subject)
            .bind(i64::from(place))
            .bind(fold(&entry.name))
            .bind(entry.name)
            .bind(entry.text)
            .bind(entry.reason)
            .bind(entry.class.map(words::of_class))
            .bind(i64::from(entry.active_delta))
            .bind(list(&entry.given))
            .bind(list(&entry.taken))
    };
    ADD.rows(db, entries, bind).await
}

/// Places as a JSON array, which is how a list of numbers prints; nothing for none.
fn list(places: &[u32]) -> Option<String> {
    (!places.is_empty()).then(|| format!("{places:?}"))
}

async fn newest(db: &mut Connection, filter: HistoryFilter<'_>) -> sqlx::Result<Vec<HistoryRow>> {
    let key = filter.name.map(fold);
    let places = match &key {
        Some(key) => places_named(db, key).await?,
        None => BTreeSet::new(),
    };
    let mut found = Vec::new();
    let rows = statement(NEWEST).bind(filter.application);
    let mut rows = rows.bind(key.as_deref()).fetch(db);
    while found.len() < filter.limit as usize
        && let Some(row) = rows.try_next().await?
    {
        let application: i64 = row.try_get("application")?;
        let line = row_of(&row)?;
        let has = |list: &[u32]| list.iter().any(|it| places.contains(&(application, *it)));
        let part = if key.is_none() || key.as_deref() == row.try_get("key")? {
            Part::Subject
        } else if has(&line.entry.given) {
            Part::Given
        } else if has(&line.entry.taken) {
            Part::Taken
        } else {
            continue;
        };
        found.push(HistoryRow { part, ..line });
    }
    Ok(found)
}

/// The accounts of a name, as `(application, place)`.
async fn places_named(db: &mut Connection, key: &str) -> sqlx::Result<BTreeSet<(i64, u32)>> {
    let rows = statement(PLACES).bind(key).fetch_all(db).await?;
    let place = |row: &Row| {
        let place = u32::try_from(count(row, 1)?).map_err(garbled)?;
        Ok((row.try_get(0)?, place))
    };
    rows.iter().map(place).collect()
}

fn row_of(row: &Row) -> sqlx::Result<HistoryRow> {
    let class: Option<String> = row.try_get("class")?;
    let delta: i64 = row.try_get("active_delta")?;
    Ok(HistoryRow {
        application: row.try_get("application_id")?,
        entry: HistoryEntry {
            at: Timestamp(row.try_get("at")?),
            subject: subject_of(row)?,
            name: row.try_get("name")?,
            text: row.try_get("text")?,
            reason: row.try_get("reason")?,
            class: class.as_deref().map(words::class).transpose()?,
            active_delta: i8::try_from(delta).map_err(garbled)?,
            given: places_of(row, "given")?,
            taken: places_of(row, "taken")?,
        },
        part: Part::Subject,
    })
}

fn subject_of(row: &Row) -> sqlx::Result<Subject> {
    let place: i64 = row.try_get("place")?;
    let place = u32::try_from(place).map_err(garbled)?;
    match row.try_get("subject")? {
        "account" => Ok(Subject::Account(place)),
        "group" => Ok(Subject::Group(place)),
        other => Err(garbled(format!("`{other}` is no subject of a change"))),
    }
}

fn places_of(row: &Row, column: &str) -> sqlx::Result<Vec<u32>> {
    let list: Option<&str> = row.try_get(column)?;
    list.map_or(Ok(Vec::new()), of_json)
}

async fn window(db: &mut Connection, application: &str, since: Timestamp) -> sqlx::Result<Window> {
    let mut window = Window::default();
    let Some(number) = applications::known(db, application).await? else {
        return Ok(window);
    };
    let rows = statement(WINDOW).bind(number).bind(since.0);
    for row in rows.fetch_all(db).await? {
        add_up(&mut window, &row)?;
    }
    Ok(window)
}

fn add_up(window: &mut Window, row: &Row) -> sqlx::Result<()> {
    let class: Option<&str> = row.try_get("class")?;
    window.active_delta += row.try_get::<i64, _>("active_delta")?;
    match subject_of(row)? {
        Subject::Account(place) => {
            let counted = match class.map(words::class).transpose()? {
                None => return Ok(()),
                Some(Class::Addition) => &mut window.added,
                Some(Class::Removal) => &mut window.removed,
                Some(Class::Deactivation) => &mut window.deactivated,
            };
            counted.insert(place);
        }
        Subject::Group(place) => {
            let (given, taken) = (places_of(row, "given")?, places_of(row, "taken")?);
            let sums = window.groups.entry(place).or_default();
            sums.0 += given.len() as u32;
            sums.1 += taken.len() as u32;
            // Who loses a membership counts against the removals.
            window.removed.extend(taken);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::Holding;
    use crate::store::testing::{at, commit, holding, store};
    use crate::store::{ApplicationState, PushCommit};

    fn entry(when: i64, subject: Subject, name: &str, class: Option<Class>) -> HistoryEntry {
        HistoryEntry {
            at: at(when),
            subject,
            name: name.to_owned(),
            text: format!("did something to {name}"),
            reason: "differs".to_owned(),
            class,
            active_delta: match class {
                None => 0,
                Some(Class::Addition) => 1,
                Some(Class::Removal | Class::Deactivation) => -1,
            },
            given: Vec::new(),
            taken: Vec::new(),
        }
    }

    async fn push(store: &Store, application: &str, after: &Holding, history: &[HistoryEntry]) {
        let state = ApplicationState::default();
        let push = PushCommit {
            history: Box::new(history.iter().cloned()),
            ..commit(None, after, &state)
        };
        store.commit_push(application, push).await.unwrap();
    }

    async fn texts(store: &Store, filter: HistoryFilter<'_>) -> Vec<(String, Part)> {
        let mut snapshot = store.snapshot().await.unwrap();
        let rows = snapshot.history(filter).await.unwrap();
        let text = |it: HistoryRow| (it.entry.name, it.part);
        rows.into_iter().map(text).collect()
    }

    #[tokio::test]
    async fn what_was_done_comes_back_newest_first() {
        let (_folder, store) = store().await;
        let mut group = entry(1, Subject::Group(0), "staff", None);
        (group.given, group.taken) = (vec![0, 1], vec![2]);
        let account = entry(0, Subject::Account(3), "Anna", Some(Class::Deactivation));
        let done = [account.clone(), group.clone()];
        push(&store, "wiki", &Holding::default(), &done).await;
        let mut snapshot = store.snapshot().await.unwrap();
        let filter = HistoryFilter {
            limit: 9,
            ..HistoryFilter::default()
        };
        let rows = snapshot.history(filter).await.unwrap();
        let row = |entry| HistoryRow {
            application: "wiki".to_owned(),
            entry,
            part: Part::Subject,
        };
        assert_eq!(rows, [row(group), row(account)]);
        let filter = HistoryFilter { limit: 1, ..filter };
        assert_eq!(snapshot.history(filter).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn the_history_of_a_name_tells_of_its_groups_too() {
        let (_folder, store) = store().await;
        let anna = entry(0, Subject::Account(0), "Anna", Some(Class::Addition));
        let ben = entry(1, Subject::Account(1), "ben", Some(Class::Addition));
        let mut staff = entry(2, Subject::Group(0), "staff", None);
        (staff.given, staff.taken) = (vec![1], vec![0]);
        let done = [anna, ben, staff];
        push(&store, "wiki", &holding(&["Anna", "ben"]), &done).await;
        // The places of another application are other accounts.
        let mut other = entry(3, Subject::Group(0), "admins", None);
        other.given = vec![0];
        push(&store, "chat", &holding(&["carl"]), &[other]).await;

        let of = |name| HistoryFilter {
            name: Some(name),
            limit: 9,
            ..HistoryFilter::default()
        };
        let expect = |lines: &[(&str, Part)]| {
            let line = |it: &(&str, Part)| (it.0.to_owned(), it.1);
            lines.iter().map(line).collect::<Vec<_>>()
        };
        let anna = expect(&[("staff", Part::Taken), ("Anna", Part::Subject)]);
        assert_eq!(texts(&store, of("ANNA")).await, anna);
        let ben = expect(&[("staff", Part::Given), ("ben", Part::Subject)]);
        assert_eq!(texts(&store, of("ben")).await, ben);
        assert_eq!(
            texts(&store, of("carl")).await,
            expect(&[("admins", Part::Given)])
        );
        assert_eq!(
            texts(&store, of("staff")).await,
            expect(&[("staff", Part::Subject)])
        );
        let elsewhere = HistoryFilter {
            application: Some("chat"),
            ..of("ben")
        };
        assert!(texts(&store, elsewhere).await.is_empty());
    }

    #[tokio::test]
    async fn the_window_counts_accounts_once_and_memberships_by_group() {
        let (_folder, store) = store().await;
        let account = |when, place, class| entry(when, Subject::Account(place), "x", class);
        let group = |when, place, given: &[u32], taken: &[u32]| HistoryEntry {
            given: given.to_vec(),
            taken: taken.to_vec(),
            ..entry(when, Subject::Group(place), "g", None)
        };
        let history = [
            account(9, 1, Some(Class::Removal)),
            account(10, 2, Some(Class::Removal)),
            account(11, 2, Some(Class::Removal)),
            account(11, 3, Some(Class::Deactivation)),
            account(12, 4, Some(Class::Addition)),
            account(12, 5, None),
            group(13, 0, &[4, 5], &[6]),
            group(14, 0, &[7], &[6, 2]),
            group(14, 1, &[7], &[]),
        ];
        push(&store, "wiki", &Holding::default(), &history).await;
        push(&store, "chat", &Holding::default(), &history[..2]).await;
        let mut snapshot = store.snapshot().await.unwrap();
        let window = snapshot.window("wiki", at(10)).await.unwrap();
        let expect = Window {
            removed: BTreeSet::from([2, 6]),
            deactivated: BTreeSet::from([3]),
            added: BTreeSet::from([4]),
            active_delta: -2,
            groups: BTreeMap::from([(0, (3, 3)), (1, (1, 0))]),
        };
        assert_eq!(window, expect);
        let empty = snapshot.window("wiki", at(15)).await.unwrap();
        assert_eq!(empty, Window::default());
        let none = snapshot.window("jira", at(0)).await.unwrap();
        assert_eq!(none, Window::default());
    }

    #[tokio::test]
    async fn old_history_is_forgotten() {
        let (_folder, store) = store().await;
        let history = [0, 11].map(|when| entry(when, Subject::Account(0), &when.to_string(), None));
        push(&store, "wiki", &Holding::default(), &history).await;
        for number in 1..=3 {
            let begun = at(i64::try_from(number).unwrap() * 5);
            store.begin_pass(number, "signal", begun).await.unwrap();
        }
        store.finish_pass(1, at(6), "ok", "{}").await.unwrap();
        store.prune_history(at(11)).await.unwrap();
        let all = HistoryFilter {
            limit: 9,
            ..HistoryFilter::default()
        };
        assert_eq!(texts(&store, all).await, [("11".to_owned(), Part::Subject)]);
        let passes = store.snapshot().await.unwrap().passes(9).await.unwrap();
        assert_eq!(passes.len(), 1);
        assert_eq!(passes[0].number, 3);
    }
}
