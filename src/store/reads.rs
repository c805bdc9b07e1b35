//! The transactions that end a read of a directory.
//!
//! A read is accepted whole, kept aside whole, or only noted as tried. Whatever is accepted drops what was kept aside: the
//! guards looked at it and found it within their limits, or a person approved it.

use std::sync::Arc;

use sqlx::Row as _;

use crate::clock::Timestamp;
use crate::failpoint;
use crate::model::{Records, Tally};
use crate::store::dialect::{Connection, count, signed, statement};
use crate::store::directories::{filled, load, number};
use crate::store::error::Stop;
use crate::store::records::{self, Place};
use crate::store::sets::{self, Owner, SUSPECT_READ};
use crate::store::{Changed, Slot, Store, StoreError, StoredRecords, approvals};

/// What is kept of an accepted read beside its records.
#[derive(Clone, Copy, Debug)]
pub struct AcceptedRead<'a> {
    /// When it was made.
    pub at: Timestamp,
    /// Where the next read may go on.
    pub cursor: Option<&'a str>,
    /// Digest of the connector's configuration.
    pub basis: &'a str,
    /// It was no delta.
    pub whole: bool,
    /// Where the window of the guards begins: older states are forgotten.
    pub window_from: Timestamp,
    /// A person approved what it lost: it is the base of the guards from now on, and every older state is forgotten.
    pub approved: bool,
}

/// A complete read that a guard keeps aside.
#[derive(Clone, Copy, Debug)]
pub struct SuspectRead<'a> {
    /// When it was made.
    pub at: Timestamp,
    /// What the directory said.
    pub records: &'a Records,
    /// What would be lost, as the guard wrote it (JSON). It makes the id.
    pub summary: &'a str,
}

/// A suspect read that is kept aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aside {
    /// The id that an approval names.
    pub approve: String,
    /// It says something else than the one that was kept before.
    pub is_new: bool,
}

impl Store {
    /// Accepts a complete read: its records serve from now on, and what was kept aside is dropped. Only rows that differ from
    /// `old` are written, and only then is the revision raised, which is given back. Without `old` all rows are written.
    ///
    /// # Errors
    /// [`StoreError::Overtaken`] when the store no longer holds `old`; else [`StoreError`] when it cannot be written.
    pub async fn accept(
        &self,
        directory: &str,
        old: Option<&StoredRecords>,
        new: &Records,
        read: AcceptedRead<'_>,
    ) -> Result<u64, StoreError> {
        let mut writing = self.write("accepting a read of a directory").await?;
        let work = accept(writing.db(), directory, old, new, read).await;
        writing.end(work).await
    }

    /// Accepts what a delta led to, like [`Store::accept`]: it is known what differs from `old`, so that nothing is compared.
    /// Gives back the records as they are stored now; their revision is raised if anything differed.
    ///
    /// # Errors
    /// [`StoreError::Overtaken`] when the store no longer holds `old`; else [`StoreError`] when it cannot be written.
    pub async fn accept_changed(
        &self,
        directory: &str,
        old: &StoredRecords,
        new: Changed<'_>,
        read: AcceptedRead<'_>,
    ) -> Result<StoredRecords, StoreError> {
        let mut writing = self.write("accepting the changes of a directory").await?;
        let work = accept_changed(writing.db(), directory, old, new, read).await;
        writing.end(work).await
    }

    /// Accepts a read that found the records unchanged, e.g. an empty delta: only its time and cursor are written, and what
    /// was kept aside is dropped.
    ///
    /// # Errors
    /// [`StoreError::Overtaken`] when no read was accepted yet; else [`StoreError`] when the store cannot be written.
    pub async fn touch(&self, directory: &str, read: AcceptedRead<'_>) -> Result<(), StoreError> {
        let mut writing = self.write("noting an unchanged directory").await?;
        let work = touch(writing.db(), directory, read).await;
        writing.end(work).await
    }

    /// Keeps a suspect read aside, in place of the one kept before. The same losses seen again keep id and time.
    ///
    /// `flagged` are the accepted records as they were loaded, and the same with what is used even of a suspect read. They
    /// serve from now on; but no read was accepted, so every time stays, and the next read must be complete.
    ///
    /// # Errors
    /// [`StoreError::Overtaken`] when the store no longer holds what `flagged` was made from; else [`StoreError`] when it
    /// cannot be written.
    pub async fn put_suspect(
        &self,
        directory: &str,
        suspect: SuspectRead<'_>,
        flagged: Option<(&StoredRecords, &Records)>,
    ) -> Result<Aside, StoreError> {
        let mut writing = self.write("keeping a suspect read aside").await?;
        let work = put_suspect(writing.db(), directory, suspect, flagged).await;
        writing.end(work).await
    }

    /// Drops what is kept aside, if anything is.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn drop_suspect(&self, directory: &str, at: Timestamp) -> Result<(), StoreError> {
        let mut writing = self.write("dropping a suspect read").await?;
        let work = async {
            let directory = number(writing.db(), directory).await?;
            drop_suspect(writing.db(), directory, at).await
        };
        let work = work.await;
        writing.end(work).await
    }

    /// Accepts the records that are kept aside and gives the new revision back.
    ///
    /// # Errors
    /// [`StoreError::Overtaken`] when nothing is kept aside; else [`StoreError`] when the store cannot be written.
    pub async fn promote_suspect(
        &self,
        directory: &str,
        read: AcceptedRead<'_>,
    ) -> Result<u64, StoreError> {
        let mut writing = self.write("accepting a suspect read").await?;
        let work = promote(writing.db(), directory, read).await;
        writing.end(work).await
    }

    /// Notes that a read was tried and how it failed: the stable word and the text of its error. What was accepted stays.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn note_attempt(
        &self,
        directory: &str,
        at: Timestamp,
        failure: Option<(&str, &str)>,
    ) -> Result<(), StoreError> {
        let mut writing = self.write("noting a read that was tried").await?;
        let work = async {
            let directory = number(writing.db(), directory).await?;
            let (word, text) = failure.unzip();
            let note = "UPDATE directory SET attempted_at = $2, failure_word = $3, failure_text = $4 WHERE number = $1";
            let note = statement(note).bind(directory).bind(at.0);
            note.bind(word).bind(text).execute(writing.db()).await
        };
        let work = work.await.map(|_| ());
        writing.end(work).await
    }
}

async fn accept(
    db: &mut Connection,
    directory: &str,
    old: Option<&StoredRecords>,
    new: &Records,
    read: AcceptedRead<'_>,
) -> Result<u64, Stop> {
    let directory = number(db, directory).await?;
    let slot = Slot::Accepted.number();
    expect_revision(db, directory, old).await?;
    let changed = records::replace(db, Place { directory, slot }, old, new).await?;
    failpoint::reached("store.in_read");
    drop_suspect(db, directory, read.at).await?;
    // A directory that is empty at its first read changed too: it is known now.
    let changed = changed || old.is_none();
    note_accepted(db, directory, read, &new.tally(), changed).await
}

async fn accept_changed(
    db: &mut Connection,
    directory: &str,
    old: &StoredRecords,
    new: Changed<'_>,
    read: AcceptedRead<'_>,
) -> Result<StoredRecords, Stop> {
    let directory = number(db, directory).await?;
    let slot = Slot::Accepted.number();
    expect_revision(db, directory, Some(old)).await?;
    let (changed, rows) = records::change(db, Place { directory, slot }, old, new).await?;
    failpoint::reached("store.in_read");
    drop_suspect(db, directory, read.at).await?;
    let records = Arc::clone(new.records);
    let revision = note_accepted(db, directory, read, &records.tally(), changed).await?;
    Ok(StoredRecords {
        records,
        revision,
        rows,
    })
}

async fn touch(db: &mut Connection, directory: &str, read: AcceptedRead<'_>) -> Result<(), Stop> {
    let Some(state) = load(db, directory).await? else {
        return Err(Stop::Overtaken);
    };
    if state.read_at.is_none() {
        return Err(Stop::Overtaken);
    }
    let directory = number(db, directory).await?;
    drop_suspect(db, directory, read.at).await?;
    note_accepted(db, directory, read, &state.tally, false).await?;
    Ok(())
}

async fn put_suspect(
    db: &mut Connection,
    directory: &str,
    suspect: SuspectRead<'_>,
    flagged: Option<(&StoredRecords, &Records)>,
) -> Result<Aside, Stop> {
    let SuspectRead {
        at,
        records: new,
        summary,
    } = suspect;
    let (id, directory) = (directory, number(db, directory).await?);
    if let Some((old, flagged)) = flagged {
        flag(db, directory, old, flagged).await?;
    }
    let old = records::stored(db, id, Slot::Suspect).await?;
    let slot = Slot::Suspect.number();
    let is_new = records::replace(db, Place { directory, slot }, old.as_ref(), new).await?;
    let tried = "UPDATE directory SET attempted_at = $2, failure_word = NULL, failure_text = NULL WHERE number = $1";
    let tried = statement(tried).bind(directory).bind(at.0);
    tried.execute(&mut *db).await?;
    let approve = sets::show_suspect(db, id, directory, summary, at).await?;
    Ok(Aside { approve, is_new })
}

/// Changes the accepted records although no read was accepted.
async fn flag(
    db: &mut Connection,
    directory: i64,
    old: &StoredRecords,
    flagged: &Records,
) -> Result<(), Stop> {
    expect_revision(db, directory, Some(old)).await?;
    let slot = Slot::Accepted.number();
    if records::replace(db, Place { directory, slot }, Some(old), flagged).await? {
        let raise = "UPDATE directory SET revision = revision + 1, cursor = NULL WHERE number = $1";
        statement(raise).bind(directory).execute(db).await?;
    }
    Ok(())
}

async fn promote(
    db: &mut Connection,
    directory: &str,
    read: AcceptedRead<'_>,
) -> Result<u64, Stop> {
    if filled(db, directory, Slot::Suspect).await?.is_none() {
        return Err(Stop::Overtaken);
    }
    let directory = number(db, directory).await?;
    let [accepted, suspect] = [Slot::Accepted, Slot::Suspect].map(Slot::number);
    let place = |slot| Place { directory, slot };
    records::clear(db, place(accepted)).await?;
    records::move_to(db, place(suspect), accepted).await?;
    drop_suspect(db, directory, read.at).await?;
    let tally = tally(db, place(accepted)).await?;
    note_accepted(db, directory, read, &tally, true).await
}

/// What was compared must be what is there, or the rows written would not fit those that stay.
async fn expect_revision(
    db: &mut Connection,
    directory: i64,
    old: Option<&StoredRecords>,
) -> Result<(), Stop> {
    let Some(old) = old else {
        return Ok(());
    };
    let revision = "SELECT revision FROM directory WHERE number = $1";
    let revision = statement(revision).bind(directory);
    let revision = revision.fetch_one(db).await?;
    if count(&revision, 0)? == old.revision {
        Ok(())
    } else {
        Err(Stop::Overtaken)
    }
}

async fn drop_suspect(db: &mut Connection, directory: i64, at: Timestamp) -> sqlx::Result<()> {
    let slot = Slot::Suspect.number();
    records::clear(db, Place { directory, slot }).await?;
    let owner = Owner::Directory(directory);
    sets::end_sets(db, owner, SUSPECT_READ, at).await?;
    // What was approved was a loss against the records that served until now.
    approvals::forget(db, owner).await
}

async fn tally(db: &mut Connection, place: Place) -> sqlx::Result<Tally> {
    let counts = "SELECT
        (SELECT COUNT(*) FROM user_record WHERE directory = $1 AND slot = $2),
        (SELECT COUNT(*) FROM group_record WHERE directory = $1 AND slot = $2),
        (SELECT COUNT(*) FROM member WHERE directory = $1 AND slot = $2),
        (SELECT COUNT(*) FROM rejected_record WHERE directory = $1 AND slot = $2),
        (SELECT COUNT(*) FROM reference WHERE directory = $1 AND slot = $2),
        (SELECT COUNT(*) FROM user_record WHERE directory = $1 AND slot = $2 AND unknown = 1)
            + (SELECT COUNT(*) FROM group_record WHERE directory = $1 AND slot = $2 AND unknown = 1)";
    let row = place.bind(statement(counts)).fetch_one(db).await?;
    Ok(Tally {
        users: count(&row, 0)?,
        groups: count(&row, 1)?,
        memberships: count(&row, 2)?,
        rejected: count(&row, 3)?,
        references: count(&row, 4)?,
        unknown: count(&row, 5)?,
    })
}

/// Writes what is kept of an accepted read, and gives the revision back.
async fn note_accepted(
    db: &mut Connection,
    directory: i64,
    read: AcceptedRead<'_>,
    tally: &Tally,
    changed: bool,
) -> Result<u64, Stop> {
    let note = "UPDATE directory SET revision = revision + $2, previous_read_at = read_at, read_at = $3, attempted_at = $3,
        failure_word = NULL, failure_text = NULL, cursor = $4, basis = $5, user_count = $6, group_count = $7,
        membership_count = $8, rejected_count = $9, reference_count = $10, unknown_count = $11,
        complete_at = CASE WHEN $12 = 1 THEN $3 ELSE complete_at END WHERE number = $1 RETURNING revision";
    let row = statement(note)
        .bind(directory)
        .bind(i64::from(changed))
        .bind(read.at.0)
        .bind(read.cursor)
        .bind(read.basis)
        .bind(signed(tally.users))
        .bind(signed(tally.groups))
        .bind(signed(tally.memberships))
        .bind(signed(tally.rejected))
        .bind(signed(tally.references))
        .bind(signed(tally.unknown))
        .bind(i64::from(read.whole))
        .fetch_one(&mut *db)
        .await?;
    mark(db, directory, read, tally).await?;
    Ok(count(&row, 0)?)
}

/// Keeps the high-water marks: a new one only where the counts differ from the last, and none that ended before the window.
async fn mark(
    db: &mut Connection,
    directory: i64,
    read: AcceptedRead<'_>,
    tally: &Tally,
) -> sqlx::Result<()> {
    let (users, memberships) = (signed(tally.users), signed(tally.memberships));
    if read.approved {
        let forget = "DELETE FROM high_water WHERE directory = $1";
        let forget = statement(forget).bind(directory);
        forget.execute(&mut *db).await?;
    }
    let last = "SELECT user_count, membership_count FROM high_water WHERE directory = $1 ORDER BY since DESC LIMIT 1";
    let last = statement(last).bind(directory);
    let last = match last.fetch_optional(&mut *db).await? {
        Some(row) => Some((row.try_get(0)?, row.try_get(1)?)),
        None => None,
    };
    if last != Some((users, memberships)) {
        // Two states within one second are one mark, with the larger counts.
        let new = "INSERT INTO high_water (directory, since, user_count, membership_count) VALUES ($1, $2, $3, $4)
            ON CONFLICT (directory, since) DO UPDATE SET
            user_count = CASE WHEN excluded.user_count > high_water.user_count THEN excluded.user_count
                ELSE high_water.user_count END,
            membership_count = CASE WHEN excluded.membership_count > high_water.membership_count
                THEN excluded.membership_count ELSE high_water.membership_count END";
        let new = statement(new).bind(directory).bind(read.at.0);
        let new = new.bind(users).bind(memberships);
        new.execute(&mut *db).await?;
    }
    // A mark ends where the next one begins, so the last one that began before the window still reaches into it.
    let old = "DELETE FROM high_water WHERE directory = $1 AND since <
        (SELECT MAX(since) FROM high_water WHERE directory = $1 AND since <= $2)";
    let old = statement(old).bind(directory).bind(read.window_from.0);
    old.execute(db).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{at, lines, read, records, rows_written, store};
    use crate::store::{Attempt, DirectoryState, HighWater, Suspect};

    async fn state(store: &Store) -> DirectoryState {
        let mut snapshot = store.snapshot().await.unwrap();
        snapshot.directory("hr").await.unwrap().unwrap()
    }

    async fn stored(store: &Store, slot: Slot) -> Option<StoredRecords> {
        let mut snapshot = store.snapshot().await.unwrap();
        snapshot.records("hr", slot).await.unwrap()
    }

    #[tokio::test]
    async fn an_accepted_read_is_remembered_with_the_one_before_it() {
        let (_folder, store) = store().await;
        let one = records(&["u1", "u2"], &[("staff", &["u1", "gone"])]);
        store.accept("hr", None, &one, read(at(0))).await.unwrap();
        let old = stored(&store, Slot::Accepted).await;
        let later = AcceptedRead {
            cursor: None,
            basis: "other",
            ..read(at(60))
        };
        store.accept("hr", old.as_ref(), &one, later).await.unwrap();
        let expect = DirectoryState {
            revision: 1,
            read_at: Some(at(60)),
            previous_read_at: Some(at(0)),
            complete_at: Some(at(60)),
            cursor: None,
            basis: "other".to_owned(),
            tally: one.tally(),
            high_water: vec![HighWater {
                since: at(0),
                users: 2,
                memberships: 1,
            }],
            attempt: Some(Attempt {
                at: at(60),
                failure: None,
            }),
            suspect: None,
        };
        assert_eq!(state(&store).await, expect);
    }

    #[tokio::test]
    async fn an_unchanged_read_moves_times_and_cursor_only() {
        let (_folder, store) = store().await;
        let touch = store.touch("hr", read(at(0))).await;
        assert!(matches!(touch, Err(StoreError::Overtaken { .. })));
        let one = records(&["u1"], &[]);
        store.accept("hr", None, &one, read(at(0))).await.unwrap();
        let before = state(&store).await;
        let cursor = Some("next");
        let delta = AcceptedRead {
            cursor,
            whole: false,
            ..read(at(60))
        };
        let touch = store.touch("hr", delta);
        touch.await.unwrap();
        let expect = DirectoryState {
            read_at: Some(at(60)),
            previous_read_at: Some(at(0)),
            cursor: Some("next".to_owned()),
            attempt: Some(Attempt {
                at: at(60),
                failure: None,
            }),
            ..before
        };
        assert_eq!(state(&store).await, expect);
    }

    #[tokio::test]
    async fn a_failed_read_leaves_what_was_accepted() {
        let (_folder, store) = store().await;
        let one = records(&["u1"], &[]);
        store.accept("hr", None, &one, read(at(0))).await.unwrap();
        let before = state(&store).await;
        let failure = Some(("unavailable", "no answer"));
        store.note_attempt("hr", at(60), failure).await.unwrap();
        let expect = DirectoryState {
            attempt: Some(Attempt {
                at: at(60),
                failure: Some(("unavailable".to_owned(), "no answer".to_owned())),
            }),
            ..before
        };
        assert_eq!(state(&store).await, expect);
        store.touch("hr", read(at(120))).await.unwrap();
        assert_eq!(state(&store).await.attempt.unwrap().failure, None);
    }

    #[tokio::test]
    async fn a_state_counts_for_the_guards_as_long_as_it_lasted_into_the_window() {
        let (_folder, store) = store().await;
        let hour = 3_600;
        let ids: Vec<String> = (0..9).map(|it| format!("u{it}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        // (hour of the read, users, users of the marks that are left)
        for (when, users, expect) in [
            (0, 5, vec![5]),
            (1, 5, vec![5]),
            (2, 6, vec![5, 6]),
            (20, 4, vec![5, 6, 4]),
            // The window begins at hour 1: five users were accepted then.
            (25, 4, vec![5, 6, 4]),
            // It begins at hour 2, when six came.
            (26, 4, vec![6, 4]),
            // It begins at hour 19: there were still six.
            (43, 7, vec![6, 4, 7]),
            (44, 7, vec![4, 7]),
            (80, 7, vec![7]),
        ] {
            let state_now = records(&ids[..users], &[]);
            let old = stored(&store, Slot::Accepted).await;
            let read = read(at(when * hour));
            store
                .accept("hr", old.as_ref(), &state_now, read)
                .await
                .unwrap();
            let marks: Vec<u64> = state(&store)
                .await
                .high_water
                .iter()
                .map(|it| it.users)
                .collect();
            assert_eq!(marks, expect, "hour {when}");
        }
    }

    async fn suspect(store: &Store, records: &Records, summary: &str, when: i64) -> String {
        let suspect = SuspectRead {
            at: at(when),
            records,
            summary,
        };
        let put = store.put_suspect("hr", suspect, None).await;
        put.unwrap().approve
    }

    #[tokio::test]
    async fn a_suspect_read_is_kept_aside_until_a_good_one_comes() {
        let (_folder, store) = store().await;
        let many = records(&["u1", "u2", "u3"], &[]);
        store.accept("hr", None, &many, read(at(0))).await.unwrap();
        let before = state(&store).await;
        let few = records(&["u1"], &[]);
        let id = suspect(&store, &few, r#"{"lost":2}"#, 60).await;
        assert!(id.starts_with("sr-"), "{id}");
        let kept = |when| DirectoryState {
            attempt: Some(Attempt {
                at: at(when),
                failure: None,
            }),
            suspect: Some(Suspect {
                id: id.clone(),
                seen_at: at(60),
                summary: r#"{"lost":2}"#.to_owned(),
            }),
            ..before.clone()
        };
        assert_eq!(state(&store).await, kept(60));
        let aside = stored(&store, Slot::Suspect).await.unwrap();
        assert_eq!(lines(&aside.records), lines(&few));
        let accepted = stored(&store, Slot::Accepted).await.unwrap();
        assert_eq!(lines(&accepted.records), lines(&many));

        // The same losses again, and another read of them: id and time stay.
        let other = records(&["u2"], &[]);
        assert_eq!(suspect(&store, &other, r#"{"lost":2}"#, 90).await, id);
        assert_eq!(state(&store).await, kept(90));
        let aside = stored(&store, Slot::Suspect).await.unwrap();
        assert_eq!(lines(&aside.records), lines(&other));
        // Other losses are another set.
        assert_ne!(suspect(&store, &few, r#"{"lost":1}"#, 95).await, id);

        let accept = store.accept("hr", Some(&accepted), &many, read(at(120)));
        accept.await.unwrap();
        assert_eq!(state(&store).await.suspect, None);
        assert!(stored(&store, Slot::Suspect).await.is_none());
    }

    #[tokio::test]
    async fn a_suspect_read_that_stays_the_same_is_not_written_again() {
        let (_folder, store) = store().await;
        let ids: Vec<String> = (0..99).map(|it| format!("u{it}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let few = records(&ids, &[("staff", &ids)]);
        suspect(&store, &few, "{}", 0).await;
        let before = rows_written(&store).await;
        suspect(&store, &few, "{}", 60).await;
        assert_eq!(
            rows_written(&store).await - before,
            1,
            "the directory's row"
        );
    }

    #[tokio::test]
    async fn flags_of_a_suspect_read_serve_and_no_time_moves() {
        let (_folder, store) = store().await;
        let many = records(&["u1", "u2", "u3"], &[]);
        for (when, old) in [(0, None), (60, stored(&store, Slot::Accepted).await)] {
            let accept = store.accept("hr", old.as_ref(), &many, read(at(when)));
            accept.await.unwrap();
        }
        let before = state(&store).await;
        let old = stored(&store, Slot::Accepted).await.unwrap();
        let mut flagged = Records::clone(&old.records);
        flagged.users[1].status = crate::model::Status::Inactive;
        let few = records(&["u1"], &[]);
        let aside = SuspectRead {
            at: at(90),
            records: &few,
            summary: "{}",
        };
        let put = store.put_suspect("hr", aside, Some((&old, &flagged)));
        let Aside { approve, is_new } = put.await.unwrap();
        assert!(is_new);
        store.approve(&approve, &[], at(91)).await.unwrap();
        let now = state(&store).await;
        let expect = DirectoryState {
            revision: before.revision + 1,
            cursor: None,
            attempt: now.attempt.clone(),
            suspect: now.suspect.clone(),
            ..before
        };
        assert_eq!(now, expect);
        let serving = stored(&store, Slot::Accepted).await.unwrap();
        assert_eq!(lines(&serving.records), lines(&flagged));

        // Once more with the same flags: nothing moves, and what was approved stays approved.
        let put = store.put_suspect("hr", aside, Some((&serving, &flagged)));
        assert!(!put.await.unwrap().is_new);
        assert_eq!(state(&store).await.revision, now.revision);
        let mut snapshot = store.snapshot().await.unwrap();
        let approved = snapshot.approved_suspect("hr", at(92)).await.unwrap();
        assert_eq!(approved.as_deref(), Some("{}"));
        let put = store.put_suspect("hr", aside, Some((&old, &flagged)));
        assert!(matches!(put.await, Err(StoreError::Overtaken { .. })));
    }

    #[tokio::test]
    async fn a_suspect_read_can_be_dropped() {
        let (_folder, store) = store().await;
        let few = records(&["u1"], &[]);
        suspect(&store, &few, "{}", 0).await;
        store.drop_suspect("hr", at(1)).await.unwrap();
        assert_eq!(state(&store).await.suspect, None);
        assert!(stored(&store, Slot::Suspect).await.is_none());
    }

    #[tokio::test]
    async fn a_suspect_read_can_become_the_accepted_one() {
        let (_folder, store) = store().await;
        let promote = store.promote_suspect("hr", read(at(0))).await;
        assert!(matches!(promote, Err(StoreError::Overtaken { .. })));
        let many = records(&["u1", "u2", "u3"], &[("staff", &["u1", "u2"])]);
        store.accept("hr", None, &many, read(at(0))).await.unwrap();
        let few = records(&["u1"], &[("staff", &["u1", "gone"]), ("new", &["staff"])]);
        suspect(&store, &few, "{}", 60).await;
        let revision = store.promote_suspect("hr", read(at(90))).await.unwrap();
        assert_eq!(revision, 2);
        let now = state(&store).await;
        assert_eq!((now.revision, now.read_at), (2, Some(at(90))));
        assert_eq!((now.tally, now.suspect), (few.tally(), None));
        let accepted = stored(&store, Slot::Accepted).await.unwrap();
        assert_eq!(lines(&accepted.records), lines(&few));
        assert_eq!(accepted.revision, 2);
        assert!(stored(&store, Slot::Suspect).await.is_none());
    }
}
