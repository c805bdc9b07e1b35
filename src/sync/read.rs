//! The read job: fetch what a directory answers, judge it, and commit what was accepted.
//!
//! Fetching and judging write nothing; a dry run ends there. A read runs in a task of its own, so that a connector that
//! panics is a failed read. The accepted records are loaded while the directory answers, to be compared with the new ones.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::task::AbortOnDropHandle;

use crate::clock::{Clock, Timestamp};
use crate::directories::{self, Directory, ReadError, Since, What};
use crate::events::{self, Failure};
use crate::failpoint;
use crate::model::Records;
use crate::progress::Work;
use crate::reconcile::reads::{self, Largest, Loss, ReadRules, Verdict};
use crate::store::{
    AcceptedRead, DirectoryState, Reader, Slot, Snapshot, Store, StoreError, StoredRecords,
    SuspectRead,
};
use crate::sync::parts::{ApplicationPart, DirectoryPart};
use crate::sync::{loops, outcome};

/// A read that was fetched and judged; nothing is written yet.
#[derive(Debug)]
pub struct Fetched {
    /// What was remembered before.
    pub state: DirectoryState,
    /// When the read ended.
    pub at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// What came of it.
    pub answer: Answer,
    old: Option<StoredRecords>,
}

/// What came of a read.
#[derive(Debug)]
pub enum Answer {
    /// Accepted, and nothing is new.
    Unchanged {
        /// Where the next read may go on.
        cursor: Option<String>,
    },
    /// Accepted.
    Accepted {
        /// What serves from now on.
        records: Arc<Records>,
        /// Where the next read may go on.
        cursor: Option<String>,
        /// It was a complete read, not a delta.
        whole: bool,
        /// A person approved its losses: what was before is no measure any more.
        approved: bool,
    },
    /// Kept aside.
    Suspect {
        /// What was read.
        records: Arc<Records>,
        /// What would be lost.
        loss: Box<Loss>,
        /// The accepted records with the inactive flags of the suspect ones, if that changes them.
        flagged: Option<Arc<Records>>,
    },
    /// Not complete.
    Failed {
        /// The stable word.
        failure: Failure,
        /// What was tried, what came of it, what to do.
        text: String,
    },
}

impl Fetched {
    /// The records that serve once this read is committed; `None` when the directory was never read completely.
    pub fn serving(&self) -> Option<Arc<Records>> {
        match &self.answer {
            Answer::Accepted { records, .. }
            | Answer::Suspect {
                flagged: Some(records),
                ..
            } => Some(Arc::clone(records)),
            _ => self.old.as_ref().map(|it| Arc::new(it.records.clone())),
        }
    }

    /// Whether the records are the present ones.
    pub fn is_accepted(&self) -> bool {
        matches!(
            self.answer,
            Answer::Accepted { .. } | Answer::Unchanged { .. }
        )
    }
}

/// Reads a directory and judges what it answered.
///
/// # Errors
/// [`StoreError`] when the last records cannot be loaded. A directory that fails is an [`Answer`].
pub async fn fetch(
    part: &DirectoryPart,
    directory: &Arc<dyn Directory>,
    store: Option<&Reader>,
    clock: &dyn Clock,
    work: &Work,
) -> Result<Fetched, StoreError> {
    let begun = clock.monotonic();
    let mut snapshot = match store {
        Some(store) => Some(store.snapshot().await?),
        None => None,
    };
    let state = match &mut snapshot {
        Some(snapshot) => snapshot.directory(&part.id).await?.unwrap_or_default(),
        None => DirectoryState::default(),
    };
    let cursor = cursor(part, &state, clock.now());
    let (read, old) = tokio::join!(
        ask(directory, cursor),
        last_records(snapshot.as_mut(), part)
    );
    let (mut read, old) = (read, old?);
    work.alive();
    if let Ok(directories::Read {
        what: What::Delta(delta),
        ..
    }) = &read
        && !delta.is_empty()
        && old
            .as_ref()
            .is_none_or(|it| it.records.merged(delta).is_err())
    {
        read = ask(directory, None).await;
    }
    let approved = match &mut snapshot {
        Some(snapshot) => snapshot.approved_suspect(&part.id, clock.now()).await?,
        None => None,
    };
    let approved: Option<Loss> = approved.and_then(|it| serde_json::from_str(&it).ok());
    let judged = || judge(part, &state, old.as_ref(), approved.as_ref(), read);
    let answer = tokio::task::block_in_place(judged);
    Ok(Fetched {
        state,
        at: clock.now(),
        took: clock.monotonic().saturating_sub(begun),
        answer,
        old,
    })
}

/// Commits what was fetched and tells how it ended. What appeared is compared with what was made in `applications`.
///
/// # Errors
/// [`StoreError`] when nothing of it could be kept, or when the store failed right afterwards.
pub async fn commit(
    part: &DirectoryPart,
    applications: &[Arc<ApplicationPart>],
    store: &Store,
    fetched: Fetched,
) -> Result<outcome::Read, StoreError> {
    let Fetched {
        state,
        at,
        took,
        answer,
        old,
    } = fetched;
    let window_from = Timestamp(at.0 - part.window.as_seconds());
    let accepted = |cursor, whole| AcceptedRead {
        whole,
        approved: false,
        at,
        cursor,
        basis: &part.basis,
        window_from,
    };
    match answer {
        Answer::Unchanged { cursor } => {
            store
                .touch(&part.id, accepted(cursor.as_deref(), false))
                .await?;
            events::directory_unchanged(&part.name, took);
            Ok(outcome::Read::Unchanged {
                rejected: state.tally.rejected,
            })
        }
        Answer::Accepted {
            records,
            cursor,
            whole,
            approved,
        } => {
            failpoint::reached("read.before_accept");
            let mut read = accepted(cursor.as_deref(), whole);
            read.approved = approved;
            let revision = store.accept(&part.id, old.as_ref(), &records, read).await?;
            failpoint::reached("read.after_accept");
            let rejected = records.tally().rejected;
            if revision == state.revision {
                events::directory_unchanged(&part.name, took);
                return Ok(outcome::Read::Unchanged { rejected });
            }
            tell_read(part, &records, whole, took);
            // At the first read nothing appears: everything was there before it was looked at.
            if let Some(old) = &old {
                loops::tell(part, applications, store, &old.records, &records).await?;
            }
            Ok(outcome::Read::Changed { rejected })
        }
        Answer::Suspect {
            records,
            loss,
            flagged,
        } => {
            let summary = serde_json::to_string(&*loss).unwrap_or_default();
            let suspect = SuspectRead {
                at,
                records: &records,
                summary: &summary,
            };
            let flagged = old.as_ref().zip(flagged.as_deref());
            failpoint::reached("read.before_suspect");
            let aside = store.put_suspect(&part.id, suspect, flagged).await?;
            failpoint::reached("read.after_suspect");
            let (loss, approve) = (loss.to_string(), &aside.approve);
            events::directory_suspect(&part.name, "shrink_limit", &loss, approve);
            if aside.is_new {
                tell_rejected(part, &records);
            }
            Ok(outcome::Read::Suspect {
                rejected: records.tally().rejected,
            })
        }
        Answer::Failed { failure, text } => {
            store
                .note_attempt(&part.id, at, Some((failure.word(), &text)))
                .await?;
            events::directory_failed(&part.name, failure, &text);
            Ok(outcome::Read::Failed)
        }
    }
}

/// Where the read may go on: nowhere when a complete one is due, or a suspect one is kept aside.
fn cursor(part: &DirectoryPart, state: &DirectoryState, now: Timestamp) -> Option<String> {
    let due = state.suspect.is_some()
        || state.basis != part.basis
        || state
            .complete_at
            .is_none_or(|it| now.0 - it.0 >= part.reread.as_seconds() || it > now);
    if due { None } else { state.cursor.clone() }
}

async fn ask(
    directory: &Arc<dyn Directory>,
    cursor: Option<String>,
) -> Result<directories::Read, (Failure, String)> {
    let directory = Arc::clone(directory);
    let task = tokio::spawn(async move { directory.read(Since { cursor }).await });
    match AbortOnDropHandle::new(task).await {
        Ok(Ok(read)) => Ok(read),
        Ok(Err(error)) => Err((failure_of(&error), events::chain(&error))),
        Err(panic) => Err((Failure::Panicked, panic.to_string())),
    }
}

fn failure_of(error: &ReadError) -> Failure {
    match error {
        ReadError::Unavailable(_) => Failure::Unavailable,
        ReadError::Incomplete(_) => Failure::Incomplete,
        ReadError::Unauthorised(_) => Failure::Unauthorised,
        ReadError::Configuration(_) => Failure::Refused,
    }
}

async fn last_records(
    snapshot: Option<&mut Snapshot>,
    part: &DirectoryPart,
) -> Result<Option<StoredRecords>, StoreError> {
    match snapshot {
        Some(snapshot) => snapshot.records(&part.id, Slot::Accepted).await,
        None => Ok(None),
    }
}

fn judge(
    part: &DirectoryPart,
    state: &DirectoryState,
    old: Option<&StoredRecords>,
    approved: Option<&Loss>,
    read: Result<directories::Read, (Failure, String)>,
) -> Answer {
    let read = match read {
        Ok(read) => read,
        Err((failure, text)) => return Answer::Failed { failure, text },
    };
    let last = old.map(|it| &it.records);
    let (records, whole) = match (read.what, last) {
        (What::Complete(mut records), last) => {
            // A status that the answer does not show is what it was last seen to be.
            if let Some(last) = last {
                reads::remember_statuses(last, &mut records);
            }
            (records, true)
        }
        (What::Delta(delta), Some(_)) if delta.is_empty() => {
            return Answer::Unchanged {
                cursor: read.cursor,
            };
        }
        (What::Delta(delta), Some(last)) => match last.merged(&delta) {
            Ok(records) => (records, false),
            Err(gap) => {
                return Answer::Failed {
                    failure: Failure::Incomplete,
                    text: gap.to_string(),
                };
            }
        },
        (What::Delta(_), None) => {
            let text = "the directory answered with changes only, though nothing was read before"
                .to_owned();
            return Answer::Failed {
                failure: Failure::Incomplete,
                text,
            };
        }
    };
    let largest = state
        .high_water
        .iter()
        .fold(Largest::default(), |most, it| Largest {
            users: most.users.max(it.users),
            memberships: most.memberships.max(it.memberships),
        });
    let rules = ReadRules {
        shrink_limit: part.shrink_limit,
    };
    let judge = |approved| reads::judge(&rules, largest, last, &records, approved);
    match judge(approved) {
        Verdict::Accept => Answer::Accepted {
            approved: approved.is_some() && judge(None) != Verdict::Accept,
            records: Arc::new(records),
            cursor: read.cursor,
            whole,
        },
        Verdict::Suspect(loss) => {
            let flagged = last.and_then(|last| reads::with_inactive_flags(last, &records));
            Answer::Suspect {
                records: Arc::new(records),
                loss: Box::new(loss),
                flagged: flagged.map(Arc::new),
            }
        }
    }
}

fn tell_read(part: &DirectoryPart, records: &Records, whole: bool, took: Duration) {
    let tally = records.tally();
    let read = events::Read {
        whole,
        users: tally.users,
        groups: tally.groups,
        memberships: tally.memberships,
        rejected: tally.rejected,
        duration: took,
    };
    events::directory_read(&part.name, &read);
    tell_rejected(part, records);
}

/// Each record that cannot be used. It is not told again before the directory says something new.
fn tell_rejected(part: &DirectoryPart, records: &Records) {
    for it in records.rejected_once() {
        events::record_rejected(&part.name, records.text(it.label), records.text(it.reason));
    }
}
