//! Pushing applications: the plan as a whole, and what about it needs a person.

use std::time::Duration;

use super::directory::last;
use super::failure::Failure;
use super::{tell, tell_if_to_act};
use crate::text::counted;

/// A plan stands. `mode` is `apply` or `plan`.
pub fn plan_made(application: &str, mode: &str, changes: u64, held: u64, waiting: u64) {
    let steps = counted(changes, "change");
    tell!(
        INFO,
        "plan.made",
        application,
        mode,
        changes,
        held,
        waiting,
        "The plan for {application} ({mode}): {steps}, {held} held, {waiting} waiting."
    );
}

/// An application could not be processed. The others go on; the next push continues.
pub fn application_failed(application: &str, failure: Failure, error: &str) {
    let kind = failure.word();
    tell_if_to_act!(
        failure.must_act(),
        "application.failed",
        application,
        kind,
        error,
        "The application {application} could not be pushed; the next push continues: {error}"
    );
}

/// An application has not been pushed with success for longer than its `stale_after`. No age: it never was.
pub fn application_stale(application: &str, age: Option<Duration>) {
    let age_seconds = age.map(|age| age.as_secs());
    let last = last(age_seconds, "pushed with success");
    tell!(
        ERROR,
        "application.stale",
        application,
        age_seconds,
        "The application {application} {last}; see its application.failed events."
    );
}

/// Accounts on which nothing may change: one event a reason.
pub fn account_frozen(application: &str, reason: &str, count: u64) {
    let accounts = counted(count, "account");
    tell!(
        WARN,
        "account.frozen",
        application,
        reason,
        count,
        "{application}: nothing changes on {accounts} ({reason}); `usersyncd explain USERNAME` says of each why."
    );
}

/// Accounts that were linked are gone: `count` of `of`. Nothing is taken from anybody by making them again.
pub fn account_gone(application: &str, count: u64, of: u64) {
    tell!(
        WARN,
        "account.gone",
        application,
        count,
        of,
        "{application}: of {of} accounts that are ours, {count} are no longer there; those that are wanted are made again. Was \
         a backup put back, or were they deleted by hand?"
    );
}

/// A user and an account that do not go together without a person's word.
pub fn account_conflict(application: &str, account: &str, detail: &str) {
    tell!(
        WARN,
        "account.conflict",
        application,
        account,
        detail,
        "{application}: {account} is left alone: {detail}"
    );
}

/// Users of different usernames have one mail. `records` are `NAME@DIRECTORY`, separated by commas.
pub fn mail_duplicate(application: &str, records: &str) {
    tell!(
        WARN,
        "mail.duplicate",
        application,
        records,
        "{application}: {records} have one mail. If they are one person, say so under `people`."
    );
}

/// No removal is made in an application, because something that its configuration names is not there.
pub fn removals_blocked(application: &str, detail: &str) {
    tell!(
        ERROR,
        "removals.blocked",
        application,
        detail,
        "{application}: nobody is removed: {detail}"
    );
}

/// A protected account stays although its user left.
pub fn protected_left(application: &str, account: &str) {
    tell!(
        ERROR,
        "protected.left",
        application,
        account,
        "{application}: {account} is protected and its user has left. Remove it by hand, or leave it out of `protect`."
    );
}

/// Somebody left and keeps access that cannot be taken here.
pub fn access_remains(application: &str, account: &str, detail: &str) {
    tell!(
        ERROR,
        "access.remains",
        application,
        account,
        detail,
        "{application}: {account} has left and keeps access: {detail}. Take it by hand."
    );
}
