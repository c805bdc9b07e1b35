//! Passes: what one trigger starts. Each that is started is finished, once.

use std::time::Duration;

use super::counts::Counts;
use super::daemon::entries;
use super::{milliseconds, tell};
use crate::text::counted;

/// A level is part of what the compiler knows of a line, so one line of three levels is three lines.
macro_rules! finished {
    ($level:ident, $finish:expr) => {
        tell!(
            $level,
            "pass.finished",
            pass = $finish.pass,
            trigger = $finish.trigger,
            outcome = $finish.outcome,
            duration_ms = $finish.duration_ms,
            directories_changed = $finish.counts.directories_changed,
            directories_unchanged = $finish.counts.directories_unchanged,
            directories_suspect = $finish.counts.directories_suspect,
            directories_failed = $finish.counts.directories_failed,
            records_rejected = $finish.counts.records_rejected,
            records_unknown = $finish.counts.records_unknown,
            applications_pushed = $finish.counts.applications_pushed,
            applications_not_due = $finish.counts.applications_not_due,
            applications_failed = $finish.counts.applications_failed,
            accounts_created = $finish.counts.accounts_created,
            accounts_updated = $finish.counts.accounts_updated,
            accounts_deactivated = $finish.counts.accounts_deactivated,
            accounts_deleted = $finish.counts.accounts_deleted,
            groups_changed = $finish.counts.groups_changed,
            memberships_given = $finish.counts.memberships_given,
            memberships_taken = $finish.counts.memberships_taken,
            changes_refused = $finish.counts.changes_refused,
            changes_failed = $finish.counts.changes_failed,
            changes_held = $finish.counts.changes_held,
            changes_waiting = $finish.counts.changes_waiting,
            accounts_frozen = $finish.counts.accounts_frozen,
            removals_blocked = $finish.counts.removals_blocked,
            joined = $finish.joined,
            stale = $finish.stale,
            read_ages = $finish.read_ages,
            push_ages = $finish.push_ages,
            "Pass {} ({}) is over: {}; {} applied, {} held, {} waiting.",
            $finish.pass,
            $finish.trigger,
            $finish.outcome,
            counted($finish.counts.applied(), "change"),
            $finish.counts.changes_held,
            $finish.counts.changes_waiting
        )
    };
}

/// How a pass ended.
#[derive(Clone, Copy, Debug)]
pub struct Finish<'a> {
    /// The number of the pass.
    pub pass: u64,
    /// What started it.
    pub trigger: &'a str,
    /// What came of it: `in_sync`, `applied`, `partial`, `failed` or `stopped`.
    pub outcome: &'a str,
    /// How long it took.
    pub duration_ms: u64,
    /// The added numbers of its reads and pushes.
    pub counts: &'a Counts,
    /// Reads and pushes that another pass had asked for already and tells of.
    pub joined: u64,
    /// Directories and applications without a success for too long.
    pub stale: u64,
    /// `NAME=SECONDS` for the last complete read of each directory, separated by blanks; `never` for seconds.
    pub read_ages: &'a str,
    /// The same for the last successful push to each application.
    pub push_ages: &'a str,
}

/// A trigger came. `trigger` is `start`, `tick NAME`, `due NAME`, `signal`, `reload`, `control` or `once`.
pub fn pass_started(pass: u64, trigger: &str, directories: u64, applications: u64) {
    let (reads, pushes) = entries(directories, applications);
    tell!(
        INFO,
        "pass.started",
        pass,
        trigger,
        directories,
        applications,
        "Pass {pass} ({trigger}) starts: {reads}, {pushes}."
    );
}

/// What a long job has done. `job` is `read NAME` or `push NAME`; `total` is none as long as nobody knows.
pub fn pass_progress(job: &str, done: u64, total: Option<u64>, duration: Duration) {
    let duration_ms = milliseconds(duration);
    let of = total.map_or_else(String::new, |total| format!(" of {total}"));
    tell!(
        INFO,
        "pass.progress",
        job,
        done,
        total,
        duration_ms,
        "{job}: {done}{of} done."
    );
}

/// The one line that every trigger ends with: INFO, WARN if partial, ERROR if failed.
pub fn pass_finished(finish: &Finish<'_>) {
    match finish.outcome {
        "failed" => finished!(ERROR, finish),
        "partial" => finished!(WARN, finish),
        _ => finished!(INFO, finish),
    }
}
