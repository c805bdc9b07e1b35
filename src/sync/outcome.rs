//! How the jobs end, as those who start them see it.

use crate::clock::Timestamp;
use crate::events::Counts;

/// How a read ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// Accepted, and the records are others than before.
    Changed {
        /// How many records are rejected now.
        rejected: u64,
        /// Of how many records the present state could not be read.
        unknown: u64,
    },
    /// Accepted, and nothing is new.
    Unchanged {
        /// How many records are rejected still.
        rejected: u64,
        /// Of how many records the present state could not be read when they were last read.
        unknown: u64,
    },
    /// Kept aside until a person has looked or a later read is whole again.
    Suspect {
        /// How many of its own records are rejected.
        rejected: u64,
    },
    /// Not complete: the last accepted records go on serving.
    Failed,
}

/// How a push ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pushed {
    /// A plan was made; else nothing was due.
    pub due: bool,
    /// The application could be processed.
    pub reached: bool,
    /// It was found not to hold what it was last seen to hold; the next push lists it anew.
    pub stale: bool,
    /// What was done and what stands open.
    pub counts: Counts,
    /// When the first clock falls due.
    pub due_at: Option<Timestamp>,
}
