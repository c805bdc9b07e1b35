//! What a person approved.
//!
//! An approval is one row that names a [set](super::sets) as it was shown, or a part of it by names. What the set holds stands
//! in the rows of [`held`](super::held), so nothing is copied; an approval says nothing about what is still wanted.

use std::collections::BTreeSet;

use sqlx::Row as _;
use thiserror::Error;

use crate::clock::Timestamp;
use crate::model::{HoldKey, HoldReason};
use crate::store::dialect::{Connection, json, of_json, statement, time};
use crate::store::sets::{self, APPROVABLE_FOR, HeldSet, Owner};
use crate::store::{Snapshot, Store, StoreError, Writing, applications, directories};
use crate::text::Span;

/// How long an approval holds.
pub const APPROVED_FOR: Span = Span::hours(24);

/// What an approval covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovedSet {
    /// The set that was named.
    pub set: HeldSet,
    /// The subject and the change of everything that is released; empty for a directory.
    pub changes: Vec<(String, String)>,
    /// Subject and change of what was named and no approval releases, with what must be done instead.
    pub beyond: Vec<(String, String, &'static str)>,
    /// When the approval ends.
    pub expires_at: Timestamp,
}

/// Why nothing was approved.
#[derive(Debug, Error)]
pub enum ApprovalFault {
    /// No set of this id is held now or was within the last day.
    #[error("nothing is held under `{id}`; `usersyncd status` lists what is held now")]
    NoSuchSet {
        /// What was named.
        id: String,
    },
    /// The set holds nothing of this name.
    #[error("the set `{id}` holds nothing of `{name}`; nothing was approved")]
    NoSuchName {
        /// The set.
        id: String,
        /// The name.
        name: String,
    },
    /// What is named can be released by nobody's approval.
    #[error(
        "nothing was approved, since no approval releases what the set `{id}` holds there ({reason}): {instead}"
    )]
    NothingToRelease {
        /// The set.
        id: String,
        /// The stable word of its reason.
        reason: String,
        /// What must be done instead.
        instead: String,
    },
    /// A suspect read is approved as a whole.
    #[error(
        "the set `{id}` is a suspect read of a directory, which is approved as a whole: leave `--only` out"
    )]
    WholeOnly {
        /// The set.
        id: String,
    },
    /// The store could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is approved for an application and has not expired.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Approved {
    /// The changes.
    pub keys: BTreeSet<HoldKey>,
    /// The first plan was approved as a whole, not only parts of it.
    pub first_plan: bool,
    /// When the last of these approvals was given.
    pub last_at: Option<Timestamp>,
}

const APPROVALS: &str = "SELECT held_set.reason, held_set.push, held_set.summary, approval.only_names,
    approval.approved_at
    FROM approval JOIN held_set ON held_set.number = approval.held_set
    WHERE held_set.application IS NOT DISTINCT FROM $1 AND held_set.directory IS NOT DISTINCT FROM $2
    AND approval.expires_at > $3 ORDER BY approval.number";

impl Snapshot {
    /// What is approved for an application, by the id of its entry, and has not expired.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn approved(
        &mut self,
        application: &str,
        now: Timestamp,
    ) -> Result<Approved, StoreError> {
        let answer = approved(&mut self.db, application, now).await;
        self.done("reading approvals", answer)
    }

    /// What losses of a directory's suspect read are approved, as its guard wrote them (JSON): the last approval counts.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn approved_suspect(
        &mut self,
        directory: &str,
        now: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        let answer = approved_suspect(&mut self.db, directory, now).await;
        self.done("reading approvals", answer)
    }
}

impl Store {
    /// Approves a set by its id, or with `only` (folded names of users or groups) a part of it. One row is written.
    ///
    /// # Errors
    /// [`ApprovalFault`] when there is no such set or name, or when the store cannot be written. Then nothing is approved.
    pub async fn approve(
        &self,
        id: &str,
        only: &[String],
        now: Timestamp,
    ) -> Result<ApprovedSet, ApprovalFault> {
        let id = id.trim().to_ascii_lowercase();
        let mut writing = self.write("approving a set").await?;
        match choose(&mut writing, &id, only, now).await {
            Err(ApprovalFault::Store(fault)) => Err(fault.into()),
            Err(fault) => {
                writing.end(Ok::<_, sqlx::Error>(())).await?;
                Err(fault)
            }
            Ok((number, approved)) => {
                let work = approve(writing.db(), number, only, now).await;
                writing.end(work).await?;
                Ok(approved)
            }
        }
    }
}

/// Forgets what was approved for an owner.
pub(super) async fn forget(db: &mut Connection, owner: Owner) -> sqlx::Result<()> {
    let (application, directory) = owner.columns();
    let forget = "DELETE FROM approval WHERE held_set IN (SELECT number FROM held_set
        WHERE application IS NOT DISTINCT FROM $1 AND directory IS NOT DISTINCT FROM $2)";
    let forget = statement(forget).bind(application).bind(directory);
    forget.execute(db).await?;
    Ok(())
}

/// Forgets what has expired.
pub(super) async fn prune(db: &mut Connection, now: Timestamp) -> sqlx::Result<()> {
    let expired = "DELETE FROM approval WHERE expires_at <= $1";
    statement(expired).bind(now.0).execute(&mut *db).await?;
    let sets = "DELETE FROM held_set WHERE replaced_at <= $1 AND number NOT IN (SELECT held_set FROM approval)";
    let before = now.0.saturating_sub(APPROVABLE_FOR.as_seconds());
    statement(sets).bind(before).execute(&mut *db).await?;
    // An approval on the last moment of a set still needs its rows.
    let rows = "DELETE FROM held WHERE gone_at <= $1";
    let before = before.saturating_sub(APPROVED_FOR.as_seconds());
    statement(rows).bind(before).execute(db).await?;
    Ok(())
}

/// Finds the set and the part of it that is meant.
async fn choose(
    writing: &mut Writing,
    id: &str,
    only: &[String],
    now: Timestamp,
) -> Result<(i64, ApprovedSet), ApprovalFault> {
    let answer = sets::find(writing.db(), id, now).await;
    let fault = |cause| StoreError::of(&writing.path, writing.doing, cause);
    let Some((row, changes)) = answer.map_err(fault)? else {
        return Err(ApprovalFault::NoSuchSet { id: id.to_owned() });
    };
    if row.application.is_none() && !only.is_empty() {
        return Err(ApprovalFault::WholeOnly { id: id.to_owned() });
    }
    if let Some(name) = only
        .iter()
        .find(|name| !changes.iter().any(|it| is_of(&it.0, name)))
    {
        return Err(ApprovalFault::NoSuchName {
            id: id.to_owned(),
            name: name.clone(),
        });
    }
    let chosen =
        |it: &(String, String)| only.is_empty() || only.iter().any(|name| is_of(&it.0, name));
    let mut approved = ApprovedSet {
        set: row.set,
        changes: Vec::new(),
        beyond: Vec::new(),
        expires_at: now.plus(APPROVED_FOR),
    };
    let reason = HoldReason::of_word(&approved.set.reason);
    for (subject, change) in changes.into_iter().filter(chosen) {
        match reason.and_then(|it| it.instead(&change)) {
            None => approved.changes.push((subject, change)),
            Some(instead) => approved.beyond.push((subject, change, instead)),
        }
    }
    if approved.changes.is_empty() && !approved.beyond.is_empty() {
        let instead: BTreeSet<&str> = approved.beyond.iter().map(|it| it.2).collect();
        return Err(ApprovalFault::NothingToRelease {
            id: id.to_owned(),
            reason: approved.set.reason,
            instead: instead.into_iter().collect::<Vec<_>>().join("; or "),
        });
    }
    Ok((row.number, approved))
}

/// Whether a subject (`user anna`, `group staff`) bears a name.
fn is_of(subject: &str, name: &str) -> bool {
    subject.split_once(' ').is_some_and(|(_, it)| it == name)
}

async fn approve(
    db: &mut Connection,
    set: i64,
    only: &[String],
    now: Timestamp,
) -> sqlx::Result<()> {
    let only = (!only.is_empty()).then(|| json(only)).transpose()?;
    let new = "INSERT INTO approval (held_set, only_names, approved_at, expires_at) VALUES ($1, $2, $3, $4)";
    let new = statement(new).bind(set).bind(only).bind(now.0);
    new.bind(now.plus(APPROVED_FOR).0).execute(db).await?;
    Ok(())
}

async fn approved(
    db: &mut Connection,
    application: &str,
    now: Timestamp,
) -> sqlx::Result<Approved> {
    let mut all = Approved::default();
    let Some(number) = applications::known(db, application).await? else {
        return Ok(all);
    };
    let rows = statement(APPROVALS).bind(number).bind(None::<i64>);
    for row in rows.bind(now.0).fetch_all(&mut *db).await? {
        let word: String = row.try_get(0)?;
        // A reason that this program does not know holds nothing that it could release.
        let Some(reason) = HoldReason::of_word(&word) else {
            continue;
        };
        let only: Option<String> = row.try_get(3)?;
        let only: Option<Vec<String>> = only.as_deref().map(of_json).transpose()?;
        all.last_at = all.last_at.max(time(&row, "approved_at")?);
        all.first_plan |= reason == HoldReason::FirstPlan && only.is_none();
        for (subject, change) in sets::changes_of(db, number, &word, row.try_get(1)?).await? {
            let chosen = |names: &Vec<String>| names.iter().any(|name| is_of(&subject, name));
            if only.as_ref().is_none_or(chosen) {
                all.keys.insert(HoldKey {
                    subject,
                    change,
                    reason,
                });
            }
        }
    }
    Ok(all)
}

async fn approved_suspect(
    db: &mut Connection,
    directory: &str,
    now: Timestamp,
) -> sqlx::Result<Option<String>> {
    let Some(number) = directories::known(db, directory).await? else {
        return Ok(None);
    };
    let rows = statement(APPROVALS).bind(None::<i64>).bind(number);
    let rows = rows.bind(now.0).fetch_all(db).await?;
    rows.last().map_or(Ok(None), |row| row.try_get(2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Holding, Records, Withheld};
    use crate::store::testing::{at, commit, held, read, records, store};
    use crate::store::{ApplicationState, PushCommit};
    use crate::store::{SetOf, SuspectRead};

    const DAY: i64 = 86_400;
    const HOUR: i64 = 3_600;

    /// A push that holds these and does nothing.
    async fn push(store: &Store, now: Timestamp, held: &[Withheld<HoldReason>]) {
        let mut snapshot = store.snapshot().await.unwrap();
        let state = snapshot.application("wiki").await.unwrap();
        let before = snapshot.holding("wiki").await.unwrap();
        drop(snapshot);
        let state: ApplicationState = state.unwrap_or_default();
        let nothing = Holding::default();
        let push = PushCommit {
            at: now,
            held,
            ..commit(before.as_ref(), &nothing, &state)
        };
        store.commit_push("wiki", push).await.unwrap();
    }

    fn removals(names: &[&str]) -> Vec<Withheld<HoldReason>> {
        let one = |name: &&str| {
            held(
                &format!("user {name}"),
                "deactivate",
                HoldReason::RemovalsLimit,
            )
        };
        names.iter().map(one).collect()
    }

    async fn suspect(store: &Store, few: &Records, summary: &str, now: Timestamp) -> String {
        let suspect = SuspectRead {
            at: now,
            records: few,
            summary,
        };
        let put = store.put_suspect("hr", suspect, None).await;
        put.unwrap().approve
    }

    async fn sets_now(store: &Store) -> Vec<HeldSet> {
        store.snapshot().await.unwrap().held_sets().await.unwrap()
    }

    async fn approved_names(store: &Store, now: Timestamp) -> Vec<String> {
        let mut snapshot = store.snapshot().await.unwrap();
        let approved = snapshot.approved("wiki", now).await.unwrap();
        approved.keys.into_iter().map(|it| it.subject).collect()
    }

    #[tokio::test]
    async fn what_is_held_is_shown_in_sets_by_application_and_reason() {
        let (_folder, store) = store().await;
        let mut all = removals(&["anna", "ben"]);
        all.push(held("user carl", "create", HoldReason::Seats));
        push(&store, at(0), &all).await;
        let few = records(&["u1"], &[]);
        suspect(&store, &few, "{}", at(5)).await;
        let sets = sets_now(&store).await;
        let what: Vec<_> = sets
            .iter()
            .map(|it| (&it.of, it.reason.as_str(), it.changes))
            .collect();
        let (hr, wiki) = (
            SetOf::Directory("hr".into()),
            SetOf::Application("wiki".into()),
        );
        let expect = [
            (&hr, "suspect_read", 0),
            (&wiki, "removals_limit", 2),
            (&wiki, "seats", 1),
        ];
        assert_eq!(what, expect);
        assert_eq!(sets[0].summary.as_deref(), Some("{}"));
        assert_eq!((sets[0].seen_at, sets[1].seen_at), (at(5), at(0)));
    }

    #[tokio::test]
    async fn a_set_keeps_its_id_while_its_content_stays() {
        let (_folder, store) = store().await;
        push(&store, at(0), &removals(&["anna", "ben"])).await;
        let first = sets_now(&store).await;
        let mut again = removals(&["ben", "anna"]);
        again[0].detail = "now inactive".to_owned();
        push(&store, at(60), &again).await;
        assert_eq!(sets_now(&store).await, first);
        push(&store, at(120), &removals(&["anna"])).await;
        let second = sets_now(&store).await;
        assert_ne!(second[0].id, first[0].id);
        assert_eq!(second[0].seen_at, at(120));
        push(&store, at(180), &[]).await;
        assert!(sets_now(&store).await.is_empty());
    }

    #[tokio::test]
    async fn an_approval_covers_what_was_shown_and_nothing_new() {
        let (_folder, store) = store().await;
        push(&store, at(0), &removals(&["anna", "ben"])).await;
        let id = sets_now(&store).await[0].id.clone();
        assert!(approved_names(&store, at(1)).await.is_empty());
        let approved = store.approve(&id.to_uppercase(), &[], at(1)).await.unwrap();
        assert_eq!(approved.set.changes, 2);
        assert_eq!(approved.changes[0].0, "user anna");
        assert_eq!(approved.expires_at, at(1 + DAY));
        assert_eq!(
            approved_names(&store, at(2)).await,
            ["user anna", "user ben"]
        );
        push(&store, at(60), &removals(&["ben", "carl"])).await;
        assert_eq!(
            approved_names(&store, at(61)).await,
            ["user anna", "user ben"]
        );
        assert_eq!(approved_names(&store, at(1 + DAY)).await, [""; 0]);
    }

    #[tokio::test]
    async fn a_part_of_a_set_can_be_approved_by_name() {
        let (_folder, store) = store().await;
        let mut all = removals(&["anna", "ben"]);
        all.push(held("group ben", "delete", HoldReason::RemovalsLimit));
        push(&store, at(0), &all).await;
        let id = &sets_now(&store).await[0].id;
        let only = |names: &[&str]| names.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        let fault = store
            .approve(id, &only(&["ben", "carl"]), at(1))
            .await
            .unwrap_err();
        assert!(matches!(fault, ApprovalFault::NoSuchName { ref name, .. } if name == "carl"));
        assert!(approved_names(&store, at(2)).await.is_empty());
        let approved = store.approve(id, &only(&["ben"]), at(3)).await.unwrap();
        assert_eq!(approved.changes.len(), 2);
        assert_eq!(
            approved_names(&store, at(4)).await,
            ["group ben", "user ben"]
        );
    }

    #[tokio::test]
    async fn a_set_that_changed_can_be_approved_for_a_day() {
        let (_folder, store) = store().await;
        push(&store, at(0), &removals(&["anna", "ben"])).await;
        let id = sets_now(&store).await[0].id.clone();
        push(&store, at(HOUR), &removals(&["ben", "carl"])).await;
        let approved = store.approve(&id, &[], at(DAY)).await.unwrap();
        assert_eq!(approved.changes.len(), 2);
        assert_eq!(
            approved_names(&store, at(DAY + 1)).await,
            ["user anna", "user ben"]
        );
        // The rows of an approved set are kept until the approval ends.
        push(&store, at(2 * DAY - 1), &[]).await;
        assert_eq!(
            approved_names(&store, at(2 * DAY - 1)).await,
            ["user anna", "user ben"]
        );
        let fault = store.approve(&id, &[], at(HOUR + DAY)).await.unwrap_err();
        assert!(matches!(fault, ApprovalFault::NoSuchSet { .. }));
        push(&store, at(9 * DAY), &[]).await;
        let count = "SELECT (SELECT COUNT(*) FROM held) + (SELECT COUNT(*) FROM held_set) + (SELECT COUNT(*) FROM approval)";
        let left: i64 = sqlx::query_scalar(count)
            .fetch_one(&store.writer)
            .await
            .unwrap();
        assert_eq!(left, 0);
    }

    #[tokio::test]
    async fn a_first_plan_is_approved_only_as_a_whole() {
        let (_folder, store) = store().await;
        let one = |name: &str| held(&format!("user {name}"), "create", HoldReason::FirstPlan);
        push(&store, at(0), &[one("anna"), one("ben")]).await;
        let id = &sets_now(&store).await[0].id;
        let first_plan = async || {
            let mut snapshot = store.snapshot().await.unwrap();
            let approved = snapshot.approved("wiki", at(2)).await.unwrap();
            (approved.first_plan, approved.last_at)
        };
        store
            .approve(id, &["anna".to_owned()], at(0))
            .await
            .unwrap();
        assert_eq!(first_plan().await, (false, Some(at(0))));
        store.approve(id, &[], at(1)).await.unwrap();
        assert_eq!(first_plan().await, (true, Some(at(1))));
    }

    #[tokio::test]
    async fn a_suspect_read_is_approved_as_a_whole_and_until_a_read_is_accepted() {
        let (_folder, store) = store().await;
        let few = records(&["u1"], &[]);
        let id = suspect(&store, &few, "{1}", at(0)).await;
        let approved = async |now| {
            let mut snapshot = store.snapshot().await.unwrap();
            snapshot.approved_suspect("hr", now).await.unwrap()
        };
        let fault = store
            .approve(&id, &["u1".to_owned()], at(1))
            .await
            .unwrap_err();
        assert!(matches!(fault, ApprovalFault::WholeOnly { .. }));
        assert_eq!(approved(at(2)).await, None);
        store.approve(&id, &[], at(2)).await.unwrap();
        assert_eq!(approved(at(3)).await.as_deref(), Some("{1}"));
        // Other losses are another set, and what was approved stays approved.
        suspect(&store, &few, "{2}", at(4)).await;
        assert_eq!(approved(at(5)).await.as_deref(), Some("{1}"));
        assert_eq!(approved(at(2 + DAY)).await, None);
        store.accept("hr", None, &few, read(at(6))).await.unwrap();
        assert_eq!(approved(at(7)).await, None);
    }

    #[tokio::test]
    async fn what_is_not_held_cannot_be_approved() {
        let (_folder, store) = store().await;
        let fault = store.approve("rl-00000000", &[], at(0)).await.unwrap_err();
        assert!(fault.to_string().contains("usersyncd status"), "{fault}");
    }
}
