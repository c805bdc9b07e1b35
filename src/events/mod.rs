//! What the log says: one function an event.
//!
//! The log is the interface by which the daemon is watched, so its words are promised: each line carries a stable `event`
//! name and the fields of `docs/events.md`, which a test compares with this folder. Message, level and fields are decided
//! here and nowhere else; callers hand over plain values. A level says who has to do something:
//!
//! * ERROR: an operator must act, or something stays wrong.
//! * WARN: less than was asked for is being done, and it goes on.
//! * INFO: what a pass did, and every change that was made.
//! * DEBUG: what is so most of the time.
//!
//! No function takes a mail address, a person's name or a secret. A username is told only where the event is about that
//! account.

mod application;
mod change;
mod counts;
mod daemon;
mod directory;
mod failure;
mod pass;
mod serve;

pub use self::application::{
    access_remains, account_conflict, account_frozen, account_gone, application_failed,
    application_stale, mail_duplicate, plan_made, protected_left, removals_blocked,
};
pub use self::change::{
    change_applied, change_failed, change_held, change_refused, change_unaccepted, change_waiting,
};
pub use self::counts::Counts;
pub use self::daemon::{
    config_rejected, config_reloaded, config_warning, control_request, daemon_died,
    daemon_panicked, daemon_ready, daemon_started, daemon_stopped, daemon_stopping, notify_failed,
    schedule_next, store_failed,
};
pub use self::directory::{
    Read, directory_failed, directory_read, directory_stale, directory_suspect,
    directory_unchanged, loop_suspected, record_rejected, records_unknown,
};
pub use self::failure::{Failure, chain};
pub use self::pass::{Finish, pass_finished, pass_progress, pass_started};
pub use self::serve::{
    serve_certificate_failed, serve_certificate_reloaded, serve_refused, serve_started,
    serve_unverified,
};

/// One line of the log. The target is the program, so that the folders of the source are no part of what is promised.
macro_rules! tell {
    ($level:ident, $event:literal, $($rest:tt)+) => {
        tracing::event!(target: "usersyncd", tracing::Level::$level, event = $event, $($rest)+)
    };
}

/// One line whose level depends on whether an operator must act: ERROR if so, else WARN.
macro_rules! tell_if_to_act {
    ($must_act:expr, $event:literal, $($rest:tt)+) => {
        if $must_act {
            $crate::events::tell!(ERROR, $event, $($rest)+)
        } else {
            $crate::events::tell!(WARN, $event, $($rest)+)
        }
    };
}

use {tell, tell_if_to_act};

/// Whole milliseconds, as durations are told everywhere.
pub fn milliseconds(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
