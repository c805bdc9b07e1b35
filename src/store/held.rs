//! What a push knows and does not make: held for a person, or waiting for a clock or for certainty.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use sqlx::Row as _;

use crate::clock::Timestamp;
use crate::model::{HoldKey, HoldReason, Withheld};
use crate::store::dialect::{
    self, Connection, Insert, Pages, Statement, for_listed, gather, of_json, statement,
};
use crate::store::sets::{self, Owner};
use crate::store::{Snapshot, StoreError, applications};

/// What the last push of an application knew and did not make.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// What needs a person, sorted.
    pub held: Vec<HeldItem<HoldReason>>,
    /// What needs no person, sorted.
    pub waiting: Vec<HeldItem<String>>,
}

/// A change that is known and not made, and since when.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HeldItem<R> {
    /// The change.
    pub what: Withheld<R>,
    /// When it was first seen. It stays while subject, change and reason stay.
    pub first_seen_at: Timestamp,
}

/// One push that shows what it holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Showing<'a> {
    /// The application's number.
    pub(super) application: i64,
    /// The id of its entry.
    pub(super) id: &'a str,
    /// The number of the push.
    pub(super) push: i64,
    pub(super) at: Timestamp,
}

#[derive(Deserialize)]
struct HeldRow {
    serial: i64,
    waiting: i64,
    subject: String,
    change: String,
    reason: String,
    detail: String,
    first_seen_at: i64,
}

const ROWS: Pages = Pages {
    next: "SELECT MIN(serial) FROM held WHERE application = $1 AND gone_push IS NULL AND serial > $2",
    page:
        "SELECT CAST(GATHER(TUPLE(serial, waiting, subject, change, reason, detail, first_seen_at))
        AS TEXT)
        FROM held WHERE application = $1 AND gone_push IS NULL AND serial >= $2 AND serial < $3",
};

const PUT: Insert = Insert {
    into: "INSERT INTO held (application, serial, waiting, subject, change, reason, detail, first_seen_at, from_push) VALUES",
    width: 9,
    conflict: "ON CONFLICT (application, serial) DO UPDATE SET detail = excluded.detail",
};

const END_HELD: &str = "UPDATE held SET gone_push = $2, gone_at = $3
    WHERE application = $1 AND serial IN (SELECT CAST(value AS BIGINT) FROM EACH($4))";

const END_WAITING: &str = "DELETE FROM held
    WHERE application = $1 AND serial IN (SELECT CAST(value AS BIGINT) FROM EACH($2))";

/// What names a row, as it will be shown: `(waiting, subject, change, reason)`.
type Key<'a> = (bool, &'a str, &'a str, &'a str);

impl Held {
    /// Since when each held change is held.
    pub fn since(&self) -> BTreeMap<HoldKey, Timestamp> {
        let items = self.held.iter();
        items.map(|it| (it.what.key(), it.first_seen_at)).collect()
    }
}

impl Snapshot {
    /// What the last push of an application, by the id of its entry, knew and did not make.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn held(&mut self, application: &str) -> Result<Held, StoreError> {
        let answer = load(&mut self.db, application).await;
        self.done("reading what is held", answer)
    }
}

/// How many changes an application holds now for a reason.
pub(super) async fn count(db: &mut Connection, number: i64, reason: &str) -> sqlx::Result<u64> {
    let count = "SELECT COUNT(*) FROM held
        WHERE application = $1 AND waiting = 0 AND reason = $2 AND gone_push IS NULL";
    let count = statement(count).bind(number).bind(reason.to_owned());
    dialect::count(&count.fetch_one(db).await?, 0)
}

/// Makes the rows of an application those of a push: what stays keeps its time, and sets that changed are shown anew.
pub(super) async fn replace(
    db: &mut Connection,
    showing: Showing<'_>,
    held: &[Withheld<HoldReason>],
    waiting: &[Withheld<String>],
) -> sqlx::Result<()> {
    let old = rows(db, showing.application).await?;
    let mut gone: BTreeMap<Key<'_>, &HeldRow> = old.iter().map(|it| (it.key(), it)).collect();
    let mut free = free_serial(db, showing.application).await?;
    let mut seen: BTreeMap<Key<'_>, &str> = BTreeMap::new();
    for it in held {
        let key = (
            false,
            it.subject.as_str(),
            it.change.as_str(),
            it.reason.word(),
        );
        seen.entry(key).or_insert(&it.detail);
    }
    for it in waiting {
        let key = (
            true,
            it.subject.as_str(),
            it.change.as_str(),
            it.reason.as_str(),
        );
        seen.entry(key).or_insert(&it.detail);
    }
    let mut put = Vec::new();
    let mut changed = BTreeSet::new();
    for (&key, &detail) in &seen {
        match gone.remove(&key) {
            Some(row) if row.detail == detail => {}
            Some(row) => put.push((row.serial, key, detail)),
            None => {
                put.push((free, key, detail));
                free += 1;
                changed.extend((!key.0).then_some(key.3));
            }
        }
    }
    changed.extend(gone.keys().filter(|key| !key.0).map(|key| key.3));
    end(db, showing, gone.values().copied()).await?;
    write(db, showing, &put).await?;
    for reason in changed {
        show(db, showing, reason, seen.keys().copied()).await?;
    }
    Ok(())
}

impl HeldRow {
    fn key(&self) -> Key<'_> {
        (self.waiting != 0, &self.subject, &self.change, &self.reason)
    }

    fn item<R>(self, reason: R) -> HeldItem<R> {
        HeldItem {
            what: Withheld {
                subject: self.subject,
                change: self.change,
                reason,
                detail: self.detail,
            },
            first_seen_at: Timestamp(self.first_seen_at),
        }
    }
}

async fn load(db: &mut Connection, application: &str) -> sqlx::Result<Held> {
    let mut all = Held::default();
    let Some(number) = applications::known(db, application).await? else {
        return Ok(all);
    };
    for mut row in rows(db, number).await? {
        let word = std::mem::take(&mut row.reason);
        match HoldReason::of_word(&word) {
            _ if row.waiting != 0 => all.waiting.push(row.item(word)),
            Some(reason) => all.held.push(row.item(reason)),
            // Another program's reason: the next push shows what it holds by its own.
            None => {}
        }
    }
    all.held.sort();
    all.waiting.sort();
    Ok(all)
}

async fn rows(db: &mut Connection, application: i64) -> sqlx::Result<Vec<HeldRow>> {
    let mut rows = Vec::new();
    gather(
        db,
        &ROWS,
        |it| it.bind(application),
        |page| {
            let page: Vec<HeldRow> = of_json(page)?;
            rows.extend(page);
            Ok(())
        },
    )
    .await?;
    Ok(rows)
}

async fn free_serial(db: &mut Connection, application: i64) -> sqlx::Result<i64> {
    let free = "SELECT COALESCE(MAX(serial), -1) + 1 FROM held WHERE application = $1";
    statement(free)
        .bind(application)
        .fetch_one(db)
        .await?
        .try_get(0)
}

async fn end<'a>(
    db: &mut Connection,
    showing: Showing<'_>,
    gone: impl Iterator<Item = &'a HeldRow>,
) -> sqlx::Result<()> {
    let (waiting, held): (Vec<_>, Vec<_>) = gone.partition(|it| it.waiting != 0);
    let serials = |rows: Vec<&HeldRow>| rows.iter().map(|it| it.serial).collect::<Vec<_>>();
    let owner = [showing.application, showing.push, showing.at.0];
    for_listed(db, END_HELD, &owner, &serials(held)).await?;
    for_listed(db, END_WAITING, &owner[..1], &serials(waiting)).await
}

async fn write(
    db: &mut Connection,
    showing: Showing<'_>,
    put: &[(i64, Key<'_>, &str)],
) -> sqlx::Result<()> {
    let bind = |statement: Statement, (serial, key, detail): &(i64, Key<'_>, &str)| {
        let (waiting, subject, change, reason) = *key;
        statement
            .bind(showing.application)
            .bind(*serial)
            .bind(i64::from(waiting))
            .bind(subject.to_owned())
            .bind(change.to_owned())
            .bind(reason.to_owned())
            .bind((*detail).to_owned())
            .bind(showing.at.0)
            .bind(showing.push)
    };
    PUT.rows(db, put, bind).await
}

/// Shows what is held for a reason as a new set, or no set if nothing is.
async fn show<'a>(
    db: &mut Connection,
    showing: Showing<'_>,
    reason: &str,
    keys: impl Iterator<Item = Key<'a>>,
) -> sqlx::Result<()> {
    let owner = Owner::Application(showing.application);
    let of_reason = keys.filter(|key| !key.0 && key.3 == reason);
    let content: Vec<&str> = of_reason.flat_map(|key| [key.1, key.2]).collect();
    if content.is_empty() {
        return sets::end_sets(db, owner, reason, showing.at).await;
    }
    let id = sets::id_of(reason, [showing.id].into_iter().chain(content));
    let Showing { push, at, .. } = showing;
    sets::show_set(db, owner, reason, &id, push, None, at).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Holding;
    use crate::store::testing::{at, commit, held, rows_written, store};
    use crate::store::{ApplicationState, PushCommit, Store};

    async fn push(
        store: &Store,
        now: Timestamp,
        held: &[Withheld<HoldReason>],
        waiting: &[Withheld<String>],
    ) -> Held {
        let mut snapshot = store.snapshot().await.unwrap();
        let state: Option<ApplicationState> = snapshot.application("wiki").await.unwrap();
        let before = snapshot.holding("wiki").await.unwrap();
        drop(snapshot);
        let (nothing, state) = (Holding::default(), state.unwrap_or_default());
        let push = PushCommit {
            at: now,
            held,
            waiting,
            ..commit(before.as_ref(), &nothing, &state)
        };
        store.commit_push("wiki", push).await.unwrap();
        store.snapshot().await.unwrap().held("wiki").await.unwrap()
    }

    fn waiting(subject: &str, reason: &str) -> Withheld<String> {
        let held = held(subject, "deactivate", HoldReason::Seats);
        Withheld {
            subject: held.subject,
            change: held.change,
            reason: reason.to_owned(),
            detail: held.detail,
        }
    }

    #[tokio::test]
    async fn what_stays_held_keeps_the_time_when_it_was_first_seen() {
        let (_folder, store) = store().await;
        let [anna, ben] = ["user anna", "user ben"].map(|it| held(it, "create", HoldReason::Seats));
        let grace = waiting("user carl", "grace");
        let both = [anna.clone(), ben.clone()];
        push(&store, at(0), &both, std::slice::from_ref(&grace)).await;
        let mut anna_now = anna.clone();
        anna_now.detail = "otherwise".to_owned();
        let now = [anna_now.clone()];
        let shown = push(&store, at(60), &now, std::slice::from_ref(&grace)).await;
        let expect = Held {
            held: vec![HeldItem {
                what: anna_now,
                first_seen_at: at(0),
            }],
            waiting: vec![HeldItem {
                what: grace,
                first_seen_at: at(0),
            }],
        };
        assert_eq!(shown, expect);
        assert_eq!(shown.since(), BTreeMap::from([(anna.key(), at(0))]));
        // What went and came back is new.
        let shown = push(&store, at(120), &both, &[]).await;
        let since: Vec<_> = shown.held.iter().map(|it| it.first_seen_at).collect();
        assert_eq!(since, [at(0), at(120)]);
        assert!(shown.waiting.is_empty());
    }

    #[tokio::test]
    async fn what_is_held_twice_under_one_key_is_held_once() {
        let (_folder, store) = store().await;
        let anna = held("user anna", "create", HoldReason::Ambiguous);
        let mut other = anna.clone();
        other.detail = "the other one".to_owned();
        let shown = push(&store, at(0), &[anna.clone(), other], &[]).await;
        assert_eq!(shown.held.len(), 1);
        assert_eq!(shown.held[0].what, anna);
    }

    #[tokio::test]
    async fn what_stays_as_it_is_is_not_written() {
        let (_folder, store) = store().await;
        let names: Vec<String> = (0..100).map(|it| format!("user {it}")).collect();
        let all = names
            .iter()
            .map(|it| held(it, "create", HoldReason::FirstPlan));
        let all: Vec<_> = all.collect();
        push(&store, at(0), &all, &[]).await;
        let before = rows_written(&store).await;
        push(&store, at(60), &all, &[]).await;
        assert_eq!(
            rows_written(&store).await - before,
            1,
            "the application's row"
        );
    }
}
