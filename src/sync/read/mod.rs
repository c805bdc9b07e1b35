//! The read job: fetch what a directory answers, judge it, and commit what was accepted.
//!
//! Fetching and judging write nothing; a dry run ends there. A read runs in a task of its own, so that a connector that
//! panics is a failed read. A read that goes on from a cursor and finds nothing new loads no records and, most of the time,
//! writes nothing: polling every second is cheap.

mod commit;
mod fetch;
mod kept;

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::events::Failure;
use crate::model::{Lineage, Records};
use crate::reconcile::reads::Loss;
use crate::store::{DirectoryState, StoredRecords};

pub use commit::commit;
pub use fetch::fetch;
pub use kept::Kept;

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
    /// What the connector, and whoever merged its answer, has to say: counts and oddities, never values.
    pub notes: Vec<String>,
    /// How many requests it took, of a directory that counts them.
    pub requests: Option<u64>,
    old: Option<Arc<StoredRecords>>,
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
        /// How they came out of the last ones, where that is known.
        lineage: Option<Box<Lineage>>,
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
    /// The records that serve once this read is committed. `None` when the directory was never read completely, and when the
    /// read found nothing new: then those that the store holds go on serving.
    pub fn serving(&self) -> Option<Arc<Records>> {
        match &self.answer {
            Answer::Accepted { records, .. }
            | Answer::Suspect {
                flagged: Some(records),
                ..
            } => Some(Arc::clone(records)),
            _ => self.old.as_ref().map(|it| Arc::clone(&it.records)),
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
