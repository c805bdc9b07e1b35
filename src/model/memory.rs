//! What is remembered of one application between two plans: clocks, windows, approvals, intents, history.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::model::{HoldKey, Step, Subject, What};

/// What a plan needs to know besides records and holding.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// When the first plan had been applied; `None` while it has not. Limits count from here at the earliest.
    pub first_applied_at: Option<Timestamp>,
    /// When the last plan was made.
    pub planned_at: Option<Timestamp>,
    /// The configuration changed what the roster means, and no push was made from complete reads since.
    pub basis_changed: bool,
    /// What was done within the window of the limits.
    pub window: Window,
    /// What a person approved and what has not expired.
    pub approved: BTreeSet<HoldKey>,
    /// What was held at the last push, and since when.
    pub held: BTreeMap<HoldKey, Timestamp>,
}

/// What was done to an application since the window of its limits opened. Accounts and groups are places in the holding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// Accounts deactivated, stripped or deleted by absence, or that lost a membership.
    pub removed: BTreeSet<u32>,
    /// Accounts whose user is present and inactive, switched off.
    pub deactivated: BTreeSet<u32>,
    /// Accounts created or switched on.
    pub added: BTreeSet<u32>,
    /// Active linked accounts that came (positive) or went (negative) since the window opened.
    pub active_delta: i64,
    /// For each group, members of ours given and taken.
    pub groups: BTreeMap<u32, (u32, u32)>,
}

impl Window {
    /// Counts a line of the history that lies within the window.
    pub fn count(&mut self, entry: &HistoryEntry) {
        self.active_delta += i64::from(entry.active_delta);
        match entry.subject {
            Subject::Account(place) => {
                let counted = match entry.class {
                    None => return,
                    Some(Class::Addition) => &mut self.added,
                    Some(Class::Removal) => &mut self.removed,
                    Some(Class::Deactivation) => &mut self.deactivated,
                };
                counted.insert(place);
            }
            Subject::Group(place) => {
                let sums = self.groups.entry(place).or_default();
                sums.0 += entry.given.len() as u32;
                sums.1 += entry.taken.len() as u32;
                // Who loses a membership counts against the removals.
                self.removed.extend(&entry.taken);
            }
        }
    }
}

/// The class under which a change counts against a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Counts against `additions`.
    Addition,
    /// Counts against `removals`.
    Removal,
    /// Counts against `deactivations`.
    Deactivation,
}

/// One line of the history: what was done to one account or one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryEntry {
    /// When.
    pub at: Timestamp,
    /// What it was about.
    pub subject: Subject,
    /// The name of the account or group as pushed.
    pub name: String,
    /// What was done, as the plan prints it, with before and after.
    pub text: String,
    /// The stable word of the reason.
    pub reason: String,
    /// The limit it counts against.
    pub class: Option<Class>,
    /// By how much the number of active linked accounts changed.
    pub active_delta: i8,
    /// For a group, the accounts that were given.
    pub given: Vec<u32>,
    /// For a group, the accounts that were taken.
    pub taken: Vec<u32>,
}

/// What is about to be sent, or a part of it, made durable first. After a crash it tells what is ours of what is found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The steps that were about to be in flight together.
    pub steps: Vec<IntentStep>,
}

/// One step of an intent, complete enough to be recognised without the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntentStep {
    /// The account or group, by place.
    pub subject: Subject,
    /// What was to be done.
    pub step: Step,
    /// The parts of an update.
    pub what: What,
    /// The application's own id of the account or group before the step; empty for one that is to be made. Places that were
    /// first seen in the listing of the same push may be others after a crash, the id is not.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remote_id: String,
    /// The name that the account or group has afterwards.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The directory entry's id for the link; empty where none is wanted.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub directory: String,
    /// The record's stable id for the link.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub record: String,
    /// The folded mail for the link.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub mail: String,
    /// The `person_key` value for the link.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub person: String,
    /// Whether the user's username is one of several tied ones, for the link.
    pub tied: bool,
    /// Whether a created account is active.
    pub active: bool,
    /// Whether the product may give a created account groups by itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gives_groups: bool,
    /// Places given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub give: Vec<u32>,
    /// Places whose memberships become ours.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub own: Vec<u32>,
    /// Places taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub take: Vec<u32>,
}
