//! The nouns that every other part speaks: what a directory answered, what an application holds, and what shall change.
//!
//! Values only. Nothing here reads, writes, waits or decides; what one part passes to another is one of these values, so it
//! can be printed, compared and kept. Large sets are plain arrays that name each other by index, and their strings live
//! once in a [`Pool`]: a million users with five million memberships fit into a small part of a server's memory.

mod abilities;
mod again;
mod builder;
mod change;
mod csr;
mod delta;
mod finding;
mod held;
mod holding;
mod made;
mod memory;
mod pool;
mod records;
mod roster;
mod verdict;

pub use abilities::{Abilities, Batch, Fields, NameRules};
pub use builder::{NewGroup, NewUser, RecordsBuilder};
pub use change::{
    AbsenceClock, Change, Doubled, FreezeReason, Notice, NoticeKind, Outcome, Plan, Reason,
    Refusal, Step, Subject, What,
};
pub use csr::Csr;
pub use delta::{Delta, Edge, Gap, Lineage};
pub use finding::Finding;
pub use held::{HoldKey, HoldReason, Withheld};
pub use holding::{
    Account, AppGroup, GroupLink, Holding, Link, Membership, Observed, ObservedAccount,
    ObservedGroup, Origin,
};
pub use made::{Appeared, MadeAccount};
pub use memory::{Class, HistoryEntry, Intent, IntentStep, Memory, Window};
pub use pool::{Interner, Pool, StrId};
pub use records::{
    GroupRecord, Kind, RecordKind, Records, Reference, Rejected, Status, Tally, UserRecord,
};
pub use roster::{
    RecordRef, Roster, RosterGroup, RosterUser, Source, View, WantedAccount, WantedGroup,
};
pub use verdict::Verdict;

/// "No such index" in arrays of indices: a sentinel keeps them four bytes wide.
pub const NONE: u32 = u32::MAX;
