//! What came of a pass, as one value: for the log, for the answer to `--sync-now`, and for the exit code.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::exit::Exit;
use super::jobs::{Age, PushEnd, PushOutcome, ReadEnd, ReadOutcome, Subject};
use super::worker::Answer;
use crate::clock::Timestamp;
use crate::events::Counts;

/// What came of a pass as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PassOutcome {
    /// Nothing was to be done.
    InSync,
    /// All that was to be done was done.
    Applied,
    /// All that the pass would have done was asked for by another one, which tells of it.
    Joined,
    /// Something is held, suspect, frozen, blocked, rejected, unknown, refused, stale, or could not be reached; the rest was done.
    Partial,
    /// No application could be processed, or the store failed.
    Failed,
    /// The process was stopped before all was done.
    Stopped,
}

impl PassOutcome {
    /// The stable word for it.
    pub fn word(self) -> &'static str {
        match self {
            PassOutcome::InSync => "in_sync",
            PassOutcome::Applied => "applied",
            PassOutcome::Joined => "joined",
            PassOutcome::Partial => "partial",
            PassOutcome::Failed => "failed",
            PassOutcome::Stopped => "stopped",
        }
    }

    /// How `--sync-now` ends with it.
    pub fn exit(self) -> Exit {
        match self {
            PassOutcome::InSync | PassOutcome::Applied | PassOutcome::Joined => Exit::Ok,
            PassOutcome::Partial | PassOutcome::Stopped => Exit::Partial,
            PassOutcome::Failed => Exit::Failed,
        }
    }
}

/// What came of a pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassReport {
    /// Its number.
    pub pass: u64,
    /// What started it.
    pub trigger: String,
    /// What came of it.
    pub outcome: PassOutcome,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The numbers of its reads and pushes.
    pub counts: Counts,
    /// Reads and pushes that another pass had asked for and tells of.
    pub joined: u64,
    /// How long ago each directory and each application last went well, whether or not it was part of the pass.
    pub ages: Vec<ReportedAge>,
}

/// How long ago something last went well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedAge {
    /// Whether it is a directory's last complete read, rather than an application's last successful push.
    pub directory: bool,
    /// The name of the directory or application.
    pub name: String,
    /// In seconds; never, if none.
    pub seconds: Option<u64>,
    /// Whether that is longer than `stale_after` allows.
    pub stale: bool,
}

impl ReportedAge {
    pub(super) fn new(age: Age, now: Timestamp) -> ReportedAge {
        let Age {
            subject,
            last,
            stale,
        } = age;
        let (directory, name) = match subject {
            Subject::Directory(name) => (true, name),
            Subject::Application(name) => (false, name),
        };
        let seconds = last.map(|last| now.elapsed_since(last).as_std().as_secs());
        ReportedAge {
            directory,
            name,
            seconds,
            stale,
        }
    }

    /// The age as the standard library has it.
    pub fn duration(&self) -> Option<Duration> {
        self.seconds.map(Duration::from_secs)
    }
}

/// The answers that a pass got, added up.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) counts: Counts,
    pub(super) joined: u64,
    stopped: bool,
    store_failed: bool,
    pushes: u64,
}

impl Tally {
    pub(super) fn read(&mut self, answer: &Answer<ReadOutcome>) {
        let Some(&ReadOutcome {
            end,
            rejected,
            unknown,
        }) = self.done(answer)
        else {
            return;
        };
        let counts = &mut self.counts;
        counts.records_rejected += rejected;
        counts.records_unknown += unknown;
        match end {
            ReadEnd::Changed => counts.directories_changed += 1,
            ReadEnd::Unchanged => counts.directories_unchanged += 1,
            ReadEnd::Suspect => counts.directories_suspect += 1,
            ReadEnd::Failed => counts.directories_failed += 1,
            ReadEnd::StoreFailed => {
                counts.directories_failed += 1;
                self.store_failed = true;
            }
        }
    }

    pub(super) fn push(&mut self, answer: &Answer<PushOutcome>) {
        let Some(outcome) = self.done(answer) else {
            return;
        };
        self.pushes += 1;
        self.counts += outcome.counts;
        match outcome.end {
            PushEnd::Pushed => self.counts.applications_pushed += 1,
            PushEnd::NotDue => self.counts.applications_not_due += 1,
            PushEnd::Failed => self.counts.applications_failed += 1,
            PushEnd::StoreFailed => {
                self.counts.applications_failed += 1;
                self.store_failed = true;
            }
        }
    }

    fn done<'a, O>(&mut self, answer: &'a Answer<O>) -> Option<&'a O> {
        match answer {
            Answer::Done(outcome) => return Some(outcome),
            Answer::Joined => self.joined += 1,
            Answer::Stopped => self.stopped = true,
        }
        None
    }

    /// What all of it comes to, with `applications` in the configuration and `stale` things stale.
    pub(super) fn outcome(&self, applications: usize, stale: bool) -> PassOutcome {
        let counts = &self.counts;
        let none_processed = counts.applications_failed > 0
            && counts.applications_failed == u64::try_from(applications).unwrap_or(u64::MAX);
        if self.stopped {
            PassOutcome::Stopped
        } else if self.store_failed || none_processed {
            PassOutcome::Failed
        } else if stale || is_partial(counts) {
            PassOutcome::Partial
        } else if counts.applied() > 0 {
            PassOutcome::Applied
        } else if self.joined > 0 && self.pushes == 0 {
            PassOutcome::Joined
        } else {
            PassOutcome::InSync
        }
    }
}

fn is_partial(counts: &Counts) -> bool {
    let Counts {
        directories_changed: _,
        directories_unchanged: _,
        directories_suspect,
        directories_failed,
        records_rejected,
        records_unknown,
        applications_pushed: _,
        applications_not_due: _,
        applications_failed,
        accounts_created: _,
        accounts_updated: _,
        accounts_deactivated: _,
        accounts_deleted: _,
        groups_changed: _,
        memberships_given: _,
        memberships_taken: _,
        changes_refused,
        changes_failed,
        changes_held,
        changes_waiting: _,
        accounts_frozen,
        removals_blocked,
    } = *counts;
    let short = [
        directories_suspect,
        directories_failed,
        records_rejected,
        records_unknown,
        applications_failed,
        changes_refused,
        changes_failed,
        changes_held,
        accounts_frozen,
        removals_blocked,
    ];
    short.iter().any(|&count| count > 0)
}
