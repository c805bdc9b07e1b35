//! Reading directories.

use std::time::Duration;

use super::failure::Failure;
use super::{milliseconds, tell, tell_if_to_act};
use crate::text::counted;

/// What a complete read brought.
#[derive(Clone, Copy, Debug)]
pub struct Read {
    /// Whether everything was read, rather than what had changed.
    pub whole: bool,
    /// Users now known.
    pub users: u64,
    /// Groups now known.
    pub groups: u64,
    /// Memberships now known.
    pub memberships: u64,
    /// Records that were rejected.
    pub rejected: u64,
    /// How many requests it took, where they are counted.
    pub requests: Option<u64>,
    /// How long it took.
    pub duration: Duration,
}

/// A directory was read and its records are others than before. `notes` is what the connector has to say, empty if nothing.
pub fn directory_read(directory: &str, read: &Read, notes: &str) {
    let Read {
        whole,
        users,
        groups,
        memberships,
        rejected,
        requests,
        duration,
    } = *read;
    let duration_ms = milliseconds(duration);
    let notes = if_any(notes);
    let holds = [
        counted(users, "user"),
        counted(groups, "group"),
        counted(memberships, "membership"),
        counted(rejected, "record"),
    ]
    .join(", ");
    tell!(
        INFO,
        "directory.read",
        directory,
        whole,
        users,
        groups,
        memberships,
        rejected,
        requests,
        duration_ms,
        notes,
        "The directory {directory} was read: {holds} rejected."
    );
}

/// A directory was read and says what it said before. `requests` is how many it took, where they are counted; `notes` is what
/// the connector has to say, empty if nothing.
pub fn directory_unchanged(
    directory: &str,
    requests: Option<u64>,
    duration: Duration,
    notes: &str,
) {
    let duration_ms = milliseconds(duration);
    let notes = if_any(notes);
    tell!(
        DEBUG,
        "directory.unchanged",
        directory,
        requests,
        duration_ms,
        notes,
        "The directory {directory} was read and has not changed."
    );
}

/// A directory could not be read completely. Its last accepted records, if there are any, go on being used. `error` says what was tried,
/// what came of it and what to do.
pub fn directory_failed(directory: &str, failure: Failure, error: &str) {
    let kind = failure.word();
    tell_if_to_act!(
        failure.must_act(),
        "directory.failed",
        directory,
        kind,
        error,
        "The directory {directory} could not be read, so its last complete read, if there was one, goes on being \
         used and nobody is removed for it: {error}"
    );
}

/// A read is kept aside, because it lost more than a guard allows.
pub fn directory_suspect(directory: &str, guard: &str, detail: &str, approve: &str) {
    tell!(
        ERROR,
        "directory.suspect",
        directory,
        guard,
        detail,
        approve,
        "What the directory {directory} answers is kept aside ({detail}) and its last records go on being used. If it is \
         true, run `usersyncd approve {approve}`; if not, mend the directory."
    );
}

/// A directory has not been read completely for longer than its `stale_after`. No age: it never was.
pub fn directory_stale(directory: &str, age: Option<Duration>) {
    let age_seconds = age.map(|age| age.as_secs());
    let last = last(age_seconds, "read completely");
    tell!(
        ERROR,
        "directory.stale",
        directory,
        age_seconds,
        "The directory {directory} {last}; see its directory.failed and directory.suspect events."
    );
}

/// The present state of some records of a directory could not be read, though everything else could: nothing is taken from whom
/// they concern.
pub fn records_unknown(directory: &str, users: u64, groups: u64) {
    let records = [counted(users, "user"), counted(groups, "group")].join(" and ");
    tell!(
        WARN,
        "records.unknown",
        directory,
        users,
        groups,
        "Of {records} of the directory {directory} the present state could not be read: they stay as they were last seen, and \
         nothing is taken from anybody for it. If that lasts, see the notes of its directory.read event."
    );
}

/// One record of a directory cannot be used; nothing changes for whom it concerns. `record` is its id there.
pub fn record_rejected(directory: &str, record: &str, reason: &str) {
    tell!(
        WARN,
        "record.rejected",
        directory,
        record,
        reason,
        "The record {record} of the directory {directory} is rejected: {reason}. Mend it there."
    );
}

/// Records that appeared in a directory look like accounts that were made here in an application. `users` are some of their
/// usernames, separated by commas.
pub fn loop_suspected(directory: &str, application: &str, count: u64, users: &str) {
    let records = counted(count, "record");
    tell!(
        WARN,
        "loop.suspected",
        directory,
        application,
        count,
        users,
        "{records} appeared in the directory {directory} with the name or the id of an account that was made from here in \
         {application} for another directory: {users}. Either the directory reads what usersyncd itself writes: leave such \
         records out with `users.skip`, or read another base. Or people were entered in a second directory on purpose: \
         nothing need be done."
    );
}

/// A text, if there is one.
fn if_any(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// When it was last done, if ever.
pub(super) fn last(age_seconds: Option<u64>, done: &str) -> String {
    match age_seconds {
        None => format!("was never {done}"),
        Some(seconds) => format!("was last {done} {} ago", counted(seconds, "second")),
    }
}
