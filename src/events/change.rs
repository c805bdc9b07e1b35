//! What became of changes.
//!
//! `subject` is `user NAME` or `group NAME`, `change` says what was to be done, both as `usersyncd history` shows them.

use super::failure::Failure;
use super::{tell, tell_if_to_act};
use crate::text::counted;

/// A change was made.
pub fn change_applied(application: &str, subject: &str, change: &str, reason: &str) {
    tell!(
        INFO,
        "change.applied",
        application,
        subject,
        change,
        reason,
        "{application}: {subject}: {change} ({reason})."
    );
}

/// The application does not take a change. It is tried again at the next push.
pub fn change_refused(application: &str, subject: &str, change: &str, error: &str) {
    tell!(
        WARN,
        "change.refused",
        application,
        subject,
        change,
        error,
        "{application} refused `{change}` for {subject}: {error}"
    );
}

/// The application has refused a change so often that it is tried only now and then. Told once.
pub fn change_unaccepted(
    application: &str,
    subject: &str,
    change: &str,
    error: &str,
    times: u64,
    retry_at: &str,
) {
    tell!(
        ERROR,
        "change.unaccepted",
        application,
        subject,
        change,
        error,
        times,
        retry_at,
        "{application} has refused `{change}` for {subject} {times} times running and is asked again at {retry_at}: \
         {error}"
    );
}

/// A change was not made, for a reason that lies not in the change.
pub fn change_failed(
    application: &str,
    subject: &str,
    change: &str,
    failure: Failure,
    error: &str,
) {
    let kind = failure.word();
    tell_if_to_act!(
        failure.must_act(),
        "change.failed",
        application,
        subject,
        change,
        kind,
        error,
        "{application} did not do `{change}` for {subject}, which is tried again: {error}"
    );
}

/// Changes need a person: one event a reason, with how many they are, what approves them if an approval releases any, and what
/// must be done instead about those that no approval releases.
pub fn change_held(
    application: &str,
    reason: &str,
    count: u64,
    approve: Option<&str>,
    instead: Option<&str>,
) {
    // A limit that was met is a reason to look at once; the rest can wait for the next look.
    let must_act = reason.ends_with("_limit");
    let changes = counted(count, "change");
    let remedy = match (approve, instead) {
        (Some(id), None) => format!("`usersyncd approve {id}` releases it."),
        (Some(id), Some(instead)) => {
            format!("`usersyncd approve {id}` releases a part of it; for the rest: {instead}.")
        }
        (None, instead) => format!(
            "and no approval releases it: {}.",
            instead.unwrap_or_default()
        ),
    };
    tell_if_to_act!(
        must_act,
        "change.held",
        application,
        reason,
        count,
        approve,
        instead,
        "{application}: {changes} held ({reason}). `usersyncd status` shows what, {remedy}"
    );
}

/// Changes wait for a clock. `next_at` is when the first one falls due.
pub fn change_waiting(application: &str, count: u64, next_at: Option<&str>) {
    let when = next_at.map_or_else(String::new, |next| {
        format!("; the first falls due at {next}")
    });
    let changes = counted(count, "change");
    tell!(
        INFO,
        "change.waiting",
        application,
        count,
        next_at,
        "{application}: {changes} waiting{when}."
    );
}
