//! The names that accounts have by now, as far as a plan found them out.
//!
//! A plan goes on telling the names from before it, and a call does not show the changes of the call before. A name may also
//! have gone to somebody else since the listing. So memberships, which the server takes by name, go by what is noted here:
//! by what a look-up showed, what was made, and what was renamed.
//!
//! Places mean something within one plan only. Every renaming changes what the next plan starts from, so that a plan is told
//! from another one by the ids and names that it starts from.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::model::Holding;

/// What is known of the name of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Name {
    /// It has this name.
    Is(String),
    /// It may have been renamed, or not: the answer was lost.
    Unsure,
}

/// The names that a plan found out.
#[derive(Debug, Default)]
pub(super) struct Names(Mutex<Noted>);

#[derive(Debug, Default)]
struct Noted {
    /// What the plan starts from.
    start: u64,
    by_place: BTreeMap<u32, Name>,
}

impl Names {
    /// Begins a call of the plan that starts from `holding`, and forgets the names of another plan.
    pub(super) fn begin(&self, holding: &Holding) {
        let start = start_of(holding);
        let mut noted = self.noted();
        if noted.start != start {
            noted.start = start;
            noted.by_place.clear();
        }
    }

    pub(super) fn forget(&self) {
        self.noted().by_place.clear();
    }

    pub(super) fn get(&self, place: u32) -> Option<Name> {
        self.noted().by_place.get(&place).cloned()
    }

    pub(super) fn note(&self, place: u32, name: Name) {
        self.noted().by_place.insert(place, name);
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn start_of(holding: &Holding) -> u64 {
    let mut hasher = DefaultHasher::new();
    for account in &holding.accounts {
        let seen = &account.seen;
        (holding.text(seen.remote_id), holding.text(seen.name)).hash(&mut hasher);
    }
    hasher.finish()
}
