//! Asking a directory, and judging what it answers. Nothing is written here.

use std::sync::Arc;

use tokio_util::task::AbortOnDropHandle;

use crate::clock::{Clock, Timestamp};
use crate::directories::{Directory, Read, ReadError, Since, What};
use crate::events::{self, Failure};
use crate::model::{Delta, Gap, Lineage, Records};
use crate::progress::Work;
use crate::reconcile::reads::{self, Largest, Loss, ReadRules, Verdict};
use crate::store::{DirectoryState, Reader, Slot, Snapshot, StoreError, StoredRecords};
use crate::sync::parts::DirectoryPart;
use crate::sync::read::{Answer, Fetched, Kept};

/// What the operator is told when changes could not be merged. The gap itself would name an id.
const READ_ANEW: &str = "the changes did not fit the last records, so everything was read";

/// What a directory answered, brought together with its last records.
enum Came {
    /// Nothing new.
    Nothing,
    Records {
        records: Box<Records>,
        /// It was no delta.
        whole: bool,
        lineage: Option<Lineage>,
    },
    Failed {
        failure: Failure,
        text: String,
    },
}

/// An answer with what else came with it.
struct Answered {
    came: Came,
    cursor: Option<String>,
    notes: Vec<String>,
    requests: Option<u64>,
    /// Groups of which changes left open whom they name, by id.
    in_doubt: Vec<String>,
}

type Asked = Result<Read, (Failure, String)>;

/// Reads a directory and judges what it answered. `kept` is what the last read of this process left, or nothing.
///
/// Without a cursor, or after changes, the accepted records are needed; without a cursor they are loaded while the directory
/// answers, or before, where it needs them itself.
///
/// # Errors
/// [`StoreError`] when the last records cannot be loaded. A directory that fails is an [`Answer`].
pub async fn fetch(
    part: &DirectoryPart,
    directory: &Arc<dyn Directory>,
    store: Option<&Reader>,
    clock: &dyn Clock,
    work: &Work,
    kept: &Kept,
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
    let cursor = cursor(part, &state, kept, clock.now());
    let mut last = Last {
        part,
        state: &state,
        kept,
        snapshot,
    };
    let (asked, old) = ask_and_load(directory, cursor, &mut last).await?;
    work.alive();
    let answered = merge_or_ask_again(directory, &state, old.as_deref(), asked).await;
    let Answered {
        came,
        cursor,
        notes,
        requests,
        in_doubt: _,
    } = answered;
    let approved = match came {
        Came::Records { .. } => last.approved(clock.now()).await?,
        Came::Nothing | Came::Failed { .. } => None,
    };
    let is_quick = !matches!(came, Came::Records { .. });
    let judge = || {
        let (old, approved) = (old.as_deref(), approved.as_ref());
        judge(part, &state, old, approved, came, cursor)
    };
    // Making room for others costs more than finding that there is nothing to judge.
    let answer = if is_quick {
        judge()
    } else {
        tokio::task::block_in_place(judge)
    };
    Ok(Fetched {
        at: clock.now(),
        took: clock.monotonic().saturating_sub(begun),
        answer,
        notes,
        requests,
        old,
        state,
    })
}

/// Asks a directory, and loads the last records where they are needed: before, where it is asked against them; meanwhile, where
/// everything is asked for; afterwards, where changes came.
async fn ask_and_load(
    directory: &Arc<dyn Directory>,
    cursor: Option<String>,
    last: &mut Last<'_>,
) -> Result<(Asked, Option<Arc<StoredRecords>>), StoreError> {
    if directory.needs_last() {
        let old = last.records().await?;
        let under_this = old.as_ref().filter(|_| last.state.basis == last.part.basis);
        let since = Since {
            cursor,
            last: under_this.map(|it| Arc::clone(&it.records)),
        };
        return Ok((ask(directory, since).await, old));
    }
    if cursor.is_none() {
        let (asked, old) = tokio::join!(ask(directory, Since::default()), last.records());
        return Ok((asked, old?));
    }
    let asked = ask(directory, Since { cursor, last: None }).await;
    let old = if brings_nothing(&asked) {
        None
    } else {
        last.records().await?
    };
    Ok((asked, old))
}

/// Where the last records are.
struct Last<'a> {
    part: &'a DirectoryPart,
    state: &'a DirectoryState,
    kept: &'a Kept,
    snapshot: Option<Snapshot>,
}

impl Last<'_> {
    async fn records(&mut self) -> Result<Option<Arc<StoredRecords>>, StoreError> {
        if let Some(records) = self.kept.records(self.state) {
            return Ok(Some(records));
        }
        let Some(snapshot) = &mut self.snapshot else {
            return Ok(None);
        };
        let records = snapshot.records(&self.part.id, Slot::Accepted).await?;
        Ok(records.map(Arc::new))
    }

    /// The loss that a person approved, if anything is kept aside.
    async fn approved(&mut self, now: Timestamp) -> Result<Option<Loss>, StoreError> {
        let Some(snapshot) = &mut self.snapshot else {
            return Ok(None);
        };
        let approved = snapshot.approved_suspect(&self.part.id, now).await?;
        Ok(approved.and_then(|it| serde_json::from_str(&it).ok()))
    }
}

/// Where the read may go on: nowhere when a complete one is due, or a suspect one is kept aside.
fn cursor(
    part: &DirectoryPart,
    state: &DirectoryState,
    kept: &Kept,
    now: Timestamp,
) -> Option<String> {
    let due = state.suspect.is_some()
        || state.basis != part.basis
        || state
            .complete_at
            .is_none_or(|it| now.0 - it.0 >= part.reread.as_seconds() || it > now);
    if due { None } else { kept.cursor(state) }
}

async fn ask(directory: &Arc<dyn Directory>, since: Since) -> Asked {
    let directory = Arc::clone(directory);
    in_own_task(async move { directory.read(since).await }).await
}

/// A connector that panics is a failed read.
async fn in_own_task<T: Send + 'static>(
    work: impl Future<Output = Result<T, ReadError>> + Send + 'static,
) -> Result<T, (Failure, String)> {
    match AbortOnDropHandle::new(tokio::spawn(work)).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err((failure_of(&error), events::chain(&error))),
        Err(panic) => Err((Failure::Panicked, panic.to_string())),
    }
}

fn failure_of(error: &ReadError) -> Failure {
    match error {
        ReadError::Unavailable(_) => Failure::Unavailable,
        ReadError::Incomplete(_) => Failure::Incomplete,
        ReadError::Unauthorised(_) => Failure::Unauthorised,
        ReadError::Configuration(_) => Failure::Configuration,
    }
}

/// Whether the last records are not needed to make sense of an answer.
fn brings_nothing(asked: &Asked) -> bool {
    match asked {
        Ok(Read {
            what: What::Delta(delta),
            ..
        }) => delta.is_empty(),
        Ok(_) => false,
        Err(_) => true,
    }
}

/// Brings an answer together with the last records. Changes that do not fit them are answered by a complete read.
async fn merge_or_ask_again(
    directory: &Arc<dyn Directory>,
    state: &DirectoryState,
    old: Option<&StoredRecords>,
    asked: Asked,
) -> Answered {
    let last = old.map(|it| &*it.records);
    let merged = |asked| tokio::task::block_in_place(|| merge(state, last, asked));
    let fits_not = match merged(asked) {
        Ok(answered) if answered.in_doubt.is_empty() => return answered,
        Ok(mut answered) => match settle(directory, &mut answered).await {
            Ok(()) => return answered,
            Err(notes) => notes,
        },
        Err(notes) => notes,
    };
    let again = ask(directory, Since::default()).await;
    let mut answered = merged(again).unwrap_or_else(|notes| Answered {
        came: Came::Failed {
            failure: Failure::Incomplete,
            text: "the directory answered with changes that do not fit, though everything was asked for".to_owned(),
        },
        cursor: None,
        notes,
        requests: None,
        in_doubt: Vec::new(),
    });
    answered.notes.insert(0, READ_ANEW.to_owned());
    answered.notes.splice(0..0, fits_not);
    answered
}

/// Asks for the groups that changes left in doubt, and puts what they are now in place. Gives the notes alone when that does not
/// fit either.
async fn settle(
    directory: &Arc<dyn Directory>,
    answered: &mut Answered,
) -> Result<(), Vec<String>> {
    let Came::Records { records, .. } = &answered.came else {
        return Ok(());
    };
    let ids = std::mem::take(&mut answered.in_doubt);
    let directory = Arc::clone(directory);
    let asked = in_own_task(async move { directory.groups(ids).await }).await;
    answered.came = match asked {
        Ok(delta) => match tokio::task::block_in_place(|| records.merge(&delta)) {
            Ok((records, _)) => Came::Records {
                records: Box::new(records),
                whole: false,
                lineage: None,
            },
            Err(_) => return Err(std::mem::take(&mut answered.notes)),
        },
        Err((failure @ (Failure::Unavailable | Failure::Unauthorised), text)) => {
            Came::Failed { failure, text }
        }
        Err(_) => return Err(std::mem::take(&mut answered.notes)),
    };
    Ok(())
}

/// The records that an answer leads to; its notes alone when its changes do not fit the last ones.
fn merge(
    state: &DirectoryState,
    last: Option<&Records>,
    asked: Asked,
) -> Result<Answered, Vec<String>> {
    let read = match asked {
        Ok(read) => read,
        Err((failure, text)) => {
            return Ok(Answered {
                came: Came::Failed { failure, text },
                cursor: None,
                notes: Vec::new(),
                requests: None,
                in_doubt: Vec::new(),
            });
        }
    };
    let Read {
        what,
        cursor,
        notes,
        requests,
    } = read;
    let mut in_doubt = Vec::new();
    let came = match what {
        What::Complete(mut records) => {
            // A status that the answer does not show is what it was last seen to be.
            if let Some(last) = last {
                reads::remember_statuses(last, &mut records);
            }
            Came::Records {
                records: Box::new(records),
                whole: true,
                lineage: None,
            }
        }
        What::Delta(delta) if delta.is_empty() && state.read_at.is_some() => Came::Nothing,
        What::Delta(delta) => match last.map(|last| changed(last, delta)) {
            Some(Ok((came, doubt))) => {
                in_doubt = doubt;
                came
            }
            Some(Err(_)) | None => return Err(notes),
        },
    };
    Ok(Answered {
        came,
        cursor,
        notes,
        requests,
        in_doubt,
    })
}

/// The records after changes, and the groups that these left in doubt.
fn changed(last: &Records, mut delta: Delta) -> Result<(Came, Vec<String>), Gap> {
    reads::remember_statuses(last, &mut delta.upsert);
    let (records, lineage) = last.merge(&delta)?;
    let in_doubt = last.left_in_doubt(&delta, &records, lineage.as_ref());
    let came = Came::Records {
        records: Box::new(records),
        whole: false,
        lineage,
    };
    Ok((came, in_doubt))
}

fn judge(
    part: &DirectoryPart,
    state: &DirectoryState,
    old: Option<&StoredRecords>,
    approved: Option<&Loss>,
    came: Came,
    cursor: Option<String>,
) -> Answer {
    let (records, whole, lineage) = match came {
        Came::Nothing => return Answer::Unchanged { cursor },
        Came::Failed { failure, text } => return Answer::Failed { failure, text },
        Came::Records {
            records,
            whole,
            lineage,
        } => (records, whole, lineage),
    };
    let last = old.map(|it| &*it.records);
    let rules = ReadRules {
        shrink_limit: part.shrink_limit,
    };
    let largest = largest(state);
    let judge = |approved| reads::judge(&rules, largest, last, &records, approved);
    let little = last.zip(lineage.as_ref()).is_some_and(|(last, lineage)| {
        reads::loses_little(&rules, largest, last, &records, lineage)
    });
    let verdict = if little {
        Verdict::Accept
    } else {
        judge(approved)
    };
    match verdict {
        Verdict::Accept => Answer::Accepted {
            approved: !little && approved.is_some() && judge(None) != Verdict::Accept,
            records: Arc::from(records),
            cursor,
            whole,
            lineage: lineage.map(Box::new),
        },
        Verdict::Suspect(loss) => {
            let flagged = last.and_then(|last| reads::with_inactive_flags(last, &records));
            Answer::Suspect {
                records: Arc::from(records),
                loss: Box::new(loss),
                flagged: flagged.map(Arc::new),
            }
        }
    }
}

/// The most that the directory held within the window of the guards.
fn largest(state: &DirectoryState) -> Largest {
    let marks = state.high_water.iter();
    marks.fold(Largest::default(), |most, it| Largest {
        users: most.users.max(it.users),
        memberships: most.memberships.max(it.memberships),
    })
}
