//! What shall change in one application: a complete value with nothing left to decide, and what is withheld and why.
//!
//! A change is small (its names and values stand in the roster and the holding that the plan was made from) and there is at
//! most one for each account, one for the fields of each group and one for the members of each group (two where seats are
//! counted: what is taken comes first, so that its seats are free for others).

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::model::held::{HoldReason, Withheld};

/// The account or group that a change is about, by place in the holding; places beyond its end are new.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Subject {
    /// An account.
    Account(u32),
    /// A group.
    Group(u32),
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Step {
    /// Make the account or group. A new account is active as the roster says.
    Create,
    /// Change what [`Change::what`] names.
    Update,
    /// Give and take members of a group: [`Change::members`] into [`Plan::members`].
    Members,
    /// Give and take groups that are members of a group.
    Children,
    /// Delete the account or group.
    Delete,
}

/// The parts of an update, as a set of bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct What(pub u16);

impl What {
    /// An unlinked account or group becomes ours. Sends nothing by itself.
    pub const ADOPT: What = What(1);
    /// The link moves to another record of the same person. Sends nothing by itself.
    pub const RELINK: What = What(1 << 1);
    /// Another key: everything the account owns follows.
    pub const RENAME: What = What(1 << 2);
    /// The same key in another spelling.
    pub const SPELLING: What = What(1 << 3);
    /// Display name.
    pub const DISPLAY_NAME: What = What(1 << 4);
    /// Given name.
    pub const GIVEN_NAME: What = What(1 << 5);
    /// Family name.
    pub const FAMILY_NAME: What = What(1 << 6);
    /// Mail address.
    pub const EMAIL: What = What(1 << 7);
    /// Name of the winning directory.
    pub const DIRECTORY: What = What(1 << 8);
    /// Stable id of the user.
    pub const EXTERNAL_ID: What = What(1 << 9);
    /// Description of a group.
    pub const DESCRIPTION: What = What(1 << 10);
    /// Switch on.
    pub const ACTIVATE: What = What(1 << 11);
    /// Switch off.
    pub const DEACTIVATE: What = What(1 << 12);
    /// Its user left: note that it was handled so. Sends nothing by itself.
    pub const LEAVE: What = What(1 << 13);
    /// Its user came back. Sends nothing by itself.
    pub const RETURN: What = What(1 << 14);

    /// Parts that are only remembered, never sent.
    pub const REMEMBERED: What =
        What(Self::ADOPT.0 | Self::RELINK.0 | Self::LEAVE.0 | Self::RETURN.0);

    /// Whether every bit of `other` is in here.
    pub fn has(self, other: What) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether nothing is in here.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Both sets together.
    #[must_use]
    pub fn with(self, other: What) -> What {
        What(self.0 | other.0)
    }

    /// This set without the other.
    #[must_use]
    pub fn without(self, other: What) -> What {
        What(self.0 & !other.0)
    }

    /// The words for the parts in here, in a fixed order.
    pub fn words(self) -> Vec<&'static str> {
        const WORDS: [&str; 15] = [
            "adopt",
            "relink",
            "rename",
            "spelling",
            "display_name",
            "given_name",
            "family_name",
            "email",
            "directory",
            "external_id",
            "description",
            "activate",
            "deactivate",
            "leave",
            "return",
        ];
        let has = |bit: &usize| self.0 & 1 << bit != 0;
        (0..WORDS.len()).filter(has).map(|bit| WORDS[bit]).collect()
    }
}

impl fmt::Debug for What {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.words().join("+"))
    }
}

/// Why a change is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The roster has it and the application has not.
    New,
    /// The application has one of the same name, which becomes ours.
    SameName,
    /// The application has one of the same mail, which becomes ours.
    SameMail,
    /// The application has one that carries the record's id.
    SameId,
    /// The same person, now shown by another record.
    SamePerson,
    /// Nothing proves it to be the same person, and somebody approved it.
    Approved,
    /// Its fields differ from the winner's.
    Differs,
    /// The same id has a new name.
    Renamed,
    /// The winner is inactive.
    Inactive,
    /// The winner is active again, or its user came back.
    Active,
    /// No listed directory has it any more.
    Absent,
    /// The scope no longer chooses it.
    OutOfScope,
    /// It is no longer of a kind that the application takes.
    Kind,
    /// `delete_after` has passed since it left.
    DeleteAfter,
    /// Memberships as the roster says.
    Memberships,
}

impl Reason {
    /// The stable word for it, as in the history and in `--format json`.
    pub fn word(self) -> &'static str {
        match self {
            Reason::New => "new",
            Reason::SameName => "same_name",
            Reason::SameMail => "same_mail",
            Reason::SameId => "same_id",
            Reason::SamePerson => "same_person",
            Reason::Approved => "approved",
            Reason::Differs => "differs",
            Reason::Renamed => "renamed",
            Reason::Inactive => "inactive",
            Reason::Active => "active",
            Reason::Absent => "absent",
            Reason::OutOfScope => "out_of_scope",
            Reason::Kind => "kind",
            Reason::DeleteAfter => "delete_after",
            Reason::Memberships => "memberships",
        }
    }
}

/// One step on one account, on one group's fields, or on one group's members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What it is about.
    pub subject: Subject,
    /// The roster's user (for an account) or group (for a group) that is wanted there; [`NONE`](crate::model::NONE) if none.
    pub wanted: u32,
    /// What is done.
    pub step: Step,
    /// Why.
    pub reason: Reason,
    /// The parts of an update.
    pub what: What,
    /// Where its places start in [`Plan::members`]: first those to give, then those to own, then those to take.
    pub start: u32,
    /// How many members are given.
    pub give: u32,
    /// How many memberships are already there and become ours. Sends nothing.
    pub own: u32,
    /// How many members are taken.
    pub take: u32,
}

impl Change {
    /// Whether it has any effect outside: others are only remembered.
    pub fn is_sent(&self) -> bool {
        match self.step {
            Step::Create | Step::Delete => true,
            Step::Members | Step::Children => self.give + self.take > 0,
            Step::Update => !self.what.without(What::REMEMBERED).is_empty(),
        }
    }

    /// Whether it gives or takes members, rather than being about the account or group itself.
    pub fn moves_members(&self) -> bool {
        matches!(self.step, Step::Members | Step::Children)
    }
}

/// All steps for one application, in the order in which they are made.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The steps.
    pub changes: Vec<Change>,
    /// Places of accounts (or of groups, for children) that membership steps give, own and take.
    pub members: Vec<u32>,
    /// The roster users of the account places that the plan appends to the holding, in the order of their places.
    pub new_accounts: Vec<u32>,
    /// The roster groups of the group places that the plan appends to the holding, in the order of their places.
    pub new_groups: Vec<u32>,
    /// Known changes that need a person, sorted.
    pub held: Vec<Withheld<HoldReason>>,
    /// Known changes that need no person: a clock still runs, or something must be read first; sorted.
    pub waiting: Vec<Withheld<String>>,
    /// The earliest moment at which a clock falls due, if one runs.
    pub due_at: Option<Timestamp>,
    /// Clocks of absences that started, went on or were stopped; remembered even where nothing else happens.
    pub clocks: Vec<AbsenceClock>,
    /// What the operator should know besides.
    pub notices: Vec<Notice>,
    /// Removals by absence are blocked: something must be read or mended first. The notices say what.
    pub blocked: bool,
    /// How many accounts are frozen, by reason.
    pub frozen: BTreeMap<FreezeReason, u32>,
    /// Records of one directory that have one name, so that none of them can be taken.
    pub doubled: Vec<Doubled>,
}

/// Why nothing changes on an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FreezeReason {
    /// The record of its user is unknown.
    Unknown,
    /// Its own rename is held.
    RenameHeld,
    /// A rename of another account onto its name is held.
    NameWanted,
    /// Two users would be pushed under one name, and it is the account of one of them.
    Ambiguous,
}

impl FreezeReason {
    /// The stable word for it, as in the log.
    pub fn word(self) -> &'static str {
        match self {
            FreezeReason::Unknown => "unknown",
            FreezeReason::RenameHeld => "rename_held",
            FreezeReason::NameWanted => "name_wanted",
            FreezeReason::Ambiguous => "ambiguous",
        }
    }
}

/// A record that is rejected because another one of its directory has the same name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Doubled {
    /// Name of the directory.
    pub directory: String,
    /// The record's stable id.
    pub record: String,
    /// `user anna` or `group staff`, by folded name.
    pub subject: String,
}

/// The state of an absence clock after a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AbsenceClock {
    /// The account or group.
    pub subject: Subject,
    /// When it was first found missing; `None` when it came back before the clock ran out.
    pub since: Option<Timestamp>,
    /// How long the clock has run, in seconds.
    pub ran: i64,
}

/// Something that the operator should know and that is not a change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Notice {
    /// What it is.
    pub kind: NoticeKind,
    /// The usernames, groups or directories that it is about.
    pub subject: String,
    /// What was found.
    pub detail: String,
}

/// The kinds of notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoticeKind {
    /// The user of a protected account left.
    ProtectedLeft,
    /// An account whose user left or is inactive cannot be switched off, and access remains.
    AccessRemains,
    /// Users of different usernames have one mail.
    DuplicateMail,
    /// A group that the configuration names is in no listed directory: removals are blocked.
    NamedGroupMissing,
    /// A directory was never read completely, or is stale: removals are blocked.
    RemovalsBlocked,
}

impl NoticeKind {
    /// The stable word for it.
    pub fn word(self) -> &'static str {
        match self {
            NoticeKind::ProtectedLeft => "protected_left",
            NoticeKind::AccessRemains => "access_remains",
            NoticeKind::DuplicateMail => "duplicate_mail",
            NoticeKind::NamedGroupMissing => "named_group_missing",
            NoticeKind::RemovalsBlocked => "removals_blocked",
        }
    }
}

impl Plan {
    /// How many accounts are frozen, for whatever reason.
    pub fn frozen_accounts(&self) -> u32 {
        self.frozen.values().sum()
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// For every step on the members of a group, the places of all accounts that it concerns.
    pub fn member_places(&self) -> impl Iterator<Item = &[u32]> {
        let steps = self.changes.iter().filter(|it| it.step == Step::Members);
        steps.map(|it| {
            let start = it.start as usize;
            &self.members[start..start + (it.give + it.own + it.take) as usize]
        })
    }

    /// The places that a membership step gives.
    pub fn given(&self, change: &Change) -> &[u32] {
        let start = change.start as usize;
        &self.members[start..start + change.give as usize]
    }

    /// The places whose memberships become ours.
    pub fn owned(&self, change: &Change) -> &[u32] {
        let start = (change.start + change.give) as usize;
        &self.members[start..start + change.own as usize]
    }

    /// The places that a membership step takes.
    pub fn taken(&self, change: &Change) -> &[u32] {
        let start = (change.start + change.give + change.own) as usize;
        &self.members[start..start + change.take as usize]
    }
}

/// What became of one change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done. Where the application gave an id to what was created, here it is.
    Done {
        /// The application's own id of what was created, or the new one where a rename changed it.
        remote_id: Option<String>,
    },
    /// Not done.
    Failed(Refusal),
    /// Not tried, because an earlier change of the same batch failed or the stop signal came.
    Skipped,
}

/// Why a change was not done, named by what the caller will do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Try again at the next push.
    #[error("{0}")]
    Transient(String),
    /// The application will not take this change; tell the administrator.
    #[error("{0}")]
    Refused(String),
    /// The application is not what it was last seen to be: read it again in full, then plan again.
    #[error("{0}")]
    Stale(String),
    /// The daemon's own login is refused: nothing further is tried.
    #[error("{0}")]
    Unauthorised(String),
    /// The application cannot be reached: nothing further is tried.
    #[error("{0}")]
    Unavailable(String),
}

impl Refusal {
    /// Whether nothing further can be done either: nobody answers, or nobody lets us in.
    pub fn is_down(&self) -> bool {
        matches!(self, Refusal::Unauthorised(_) | Refusal::Unavailable(_))
    }
}
