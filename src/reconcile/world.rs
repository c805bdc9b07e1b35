//! What a plan is made from.

use crate::clock::Timestamp;
use crate::model::{Abilities, Holding, Memory, Records};
use crate::reconcile::rules::{ApplicationRules, DirectoryRules};

/// Whether a directory's records are the present ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// The last read was complete and accepted, under the present configuration.
    #[default]
    Fresh,
    /// The last read failed, is too old or suspect: its records keep, but prove no absence.
    Stale,
    /// It is not read at all, which somebody wants: the same, until somebody wants otherwise.
    Disabled,
}

/// One listed directory, as the store has it.
#[derive(Clone, Copy, Debug)]
pub struct DirectoryInput<'a> {
    /// The entry's id, by which links name it.
    pub id: &'a str,
    /// The entry's name.
    pub name: &'a str,
    /// Its rules.
    pub rules: &'a DirectoryRules,
    /// The accepted records; `None` when it was never read completely.
    pub records: Option<&'a Records>,
    /// Whether the records are the present ones.
    pub standing: Standing,
    /// When the last complete read was accepted.
    pub read_at: Timestamp,
    /// When the one before it was.
    pub previous_read_at: Timestamp,
}

/// Everything that one plan for one application is made from. Nothing else may influence it.
#[derive(Clone, Debug)]
pub struct World<'a> {
    /// The application's rules.
    pub rules: &'a ApplicationRules,
    /// What the application is able to do.
    pub abilities: &'a Abilities,
    /// The listed directories, highest first.
    pub directories: Vec<DirectoryInput<'a>>,
    /// What the application holds.
    pub holding: &'a Holding,
    /// What is remembered.
    pub memory: &'a Memory,
    /// The time of the plan.
    pub now: Timestamp,
}

impl World<'_> {
    /// Places of directories that were never read completely, lowest number (highest priority) first.
    pub(crate) fn unread(&self) -> impl Iterator<Item = usize> + '_ {
        let unread = |it: &(usize, &DirectoryInput<'_>)| it.1.records.is_none();
        self.directories
            .iter()
            .enumerate()
            .filter(unread)
            .map(|it| it.0)
    }

    /// Whether every listed directory's records are the present ones, so that an absence is one.
    pub(crate) fn all_fresh(&self) -> bool {
        self.directories
            .iter()
            .all(|it| it.records.is_some() && it.standing == Standing::Fresh)
    }

    /// Whether every listed directory was read completely twice since a moment. A read of that very moment is the one that was
    /// looked at then.
    pub(crate) fn read_twice_since(&self, since: Timestamp) -> bool {
        self.directories
            .iter()
            .all(|it| it.previous_read_at > since && it.read_at > it.previous_read_at)
    }
}
