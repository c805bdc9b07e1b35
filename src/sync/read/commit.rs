//! Committing what was fetched, and telling how it ended.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::events;
use crate::failpoint;
use crate::model::{Lineage, Records, Tally};
use crate::reconcile::reads::Loss;
use crate::store::{
    AcceptedRead, Changed, DirectoryState, Store, StoreError, StoredRecords, SuspectRead,
};
use crate::sync::parts::{ApplicationPart, DirectoryPart};
use crate::sync::read::{Answer, Fetched, Kept};
use crate::sync::{loops, outcome};

/// Commits what was fetched and tells how it ended. What appeared is compared with what was made in `applications`. `kept`
/// is what the next read of this process will be given.
///
/// # Errors
/// [`StoreError`] when nothing of it could be kept, or when the store failed right afterwards.
pub async fn commit(
    part: &DirectoryPart,
    applications: &[Arc<ApplicationPart>],
    store: &Store,
    fetched: Fetched,
    kept: &mut Kept,
) -> Result<outcome::Read, StoreError> {
    let Fetched {
        state,
        at,
        took,
        answer,
        notes,
        requests,
        old,
    } = fetched;
    let committing = Committing {
        part,
        applications,
        store,
        state,
        at,
        took,
        notes: notes.join("; "),
        requests,
        old,
    };
    match answer {
        Answer::Unchanged { cursor } => committing.unchanged(cursor, kept).await,
        Answer::Accepted {
            records,
            cursor,
            whole,
            lineage,
            approved,
        } => {
            let read = AcceptedRead {
                approved,
                ..committing.accepted(cursor.as_deref(), whole)
            };
            let lineage = lineage.as_deref();
            committing.accept(&records, lineage, read, kept).await
        }
        Answer::Suspect {
            records,
            loss,
            flagged,
        } => {
            committing
                .put_aside(&records, &loss, flagged.as_deref())
                .await
        }
        Answer::Failed { failure, text } => {
            let tried = Some((failure.word(), text.as_str()));
            store.note_attempt(&part.id, at, tried).await?;
            events::directory_failed(&part.name, failure, &text);
            Ok(outcome::Read::Failed)
        }
    }
}

/// A read that ends.
struct Committing<'a> {
    part: &'a DirectoryPart,
    applications: &'a [Arc<ApplicationPart>],
    store: &'a Store,
    state: DirectoryState,
    at: Timestamp,
    took: Duration,
    notes: String,
    requests: Option<u64>,
    old: Option<Arc<StoredRecords>>,
}

impl Committing<'_> {
    fn accepted<'b>(&'b self, cursor: Option<&'b str>, whole: bool) -> AcceptedRead<'b> {
        AcceptedRead {
            whole,
            approved: false,
            at: self.at,
            cursor,
            basis: &self.part.basis,
            window_from: Timestamp(self.at.0 - self.part.window.as_seconds()),
        }
    }

    async fn unchanged(
        self,
        cursor: Option<String>,
        kept: &mut Kept,
    ) -> Result<outcome::Read, StoreError> {
        if kept.is_to_be_told(self.part, &self.state, self.at) {
            let read = self.accepted(cursor.as_deref(), false);
            self.store.touch(&self.part.id, read).await?;
            kept.told();
        } else {
            kept.unchanged(&self.state, cursor, self.at);
        }
        events::directory_unchanged(&self.part.name, self.requests, self.took, &self.notes);
        Ok(outcome::Read::Unchanged {
            rejected: self.state.tally.rejected,
            unknown: self.state.tally.unknown,
        })
    }

    async fn accept(
        &self,
        records: &Arc<Records>,
        lineage: Option<&Lineage>,
        read: AcceptedRead<'_>,
        kept: &mut Kept,
    ) -> Result<outcome::Read, StoreError> {
        failpoint::reached("read.before_accept");
        let whole = read.whole;
        // Where the commit fails it is not known what the store holds.
        kept.forget();
        let revision = self.write(records, lineage, read, kept).await?;
        failpoint::reached("read.after_accept");
        kept.told();
        let Tally {
            rejected, unknown, ..
        } = records.tally();
        if revision == self.state.revision {
            events::directory_unchanged(&self.part.name, self.requests, self.took, &self.notes);
            return Ok(outcome::Read::Unchanged { rejected, unknown });
        }
        self.tell_read(records, whole);
        // At the first read nothing appears: everything was there before it was looked at.
        if let Some(old) = &self.old {
            let new = (&**records, lineage);
            loops::tell(self.part, self.applications, self.store, &old.records, new).await?;
        }
        Ok(outcome::Read::Changed { rejected, unknown })
    }

    /// Writes what differs, and gives the revision back.
    async fn write(
        &self,
        records: &Arc<Records>,
        lineage: Option<&Lineage>,
        read: AcceptedRead<'_>,
        kept: &mut Kept,
    ) -> Result<u64, StoreError> {
        let (id, old) = (&self.part.id, self.old.as_deref());
        let (Some(old), Some(lineage)) = (old, lineage) else {
            return self.store.accept(id, old, records, read).await;
        };
        let changed = Changed { records, lineage };
        let stored = self.store.accept_changed(id, old, changed, read).await?;
        let revision = stored.revision;
        kept.keep(stored);
        Ok(revision)
    }

    async fn put_aside(
        &self,
        records: &Records,
        loss: &Loss,
        flagged: Option<&Records>,
    ) -> Result<outcome::Read, StoreError> {
        let summary = serde_json::to_string(loss).unwrap_or_default();
        let suspect = SuspectRead {
            at: self.at,
            records,
            summary: &summary,
        };
        let flagged = self.old.as_deref().zip(flagged);
        failpoint::reached("read.before_suspect");
        let put = self.store.put_suspect(&self.part.id, suspect, flagged);
        let aside = put.await?;
        failpoint::reached("read.after_suspect");
        let (loss, approve) = (loss.to_string(), &aside.approve);
        events::directory_suspect(&self.part.name, "shrink_limit", &loss, approve);
        if aside.is_new {
            tell_rejected(self.part, records);
        }
        Ok(outcome::Read::Suspect {
            rejected: records.tally().rejected,
        })
    }

    fn tell_read(&self, records: &Records, whole: bool) {
        let tally = records.tally();
        let read = events::Read {
            whole,
            users: tally.users,
            groups: tally.groups,
            memberships: tally.memberships,
            rejected: tally.rejected,
            requests: self.requests,
            duration: self.took,
        };
        events::directory_read(&self.part.name, &read, &self.notes);
        let (users, groups) = records.unknown();
        if users + groups > 0 {
            events::records_unknown(&self.part.name, users, groups);
        }
        tell_rejected(self.part, records);
    }
}

/// Each record that cannot be used. It is not told again before the directory says something new.
fn tell_rejected(part: &DirectoryPart, records: &Records) {
    for it in records.rejected_once() {
        events::record_rejected(&part.name, records.text(it.label), records.text(it.reason));
    }
}
