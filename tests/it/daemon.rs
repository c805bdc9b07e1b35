//! When the daemon reads and pushes, how it stops, and what it says about it: proved over jobs that do nothing, with a
//! clock that only the test moves and signals that come through a channel.

use std::sync::Arc;

use usersyncd::clock::Timestamp;
use usersyncd::daemon::{Exit, PushOutcome, Signal};
use usersyncd::events::Counts;
use usersyncd::text::Span;

use crate::support::daemon::{START, TestDaemon, settle, triggers, until};
use crate::support::jobs::{CHANGES, FakeJobs, READ_TIMEOUT, pushed};

mod life;
mod passes;
mod time;

/// Two directories, every quarter of an hour and every minute, and an application over each.
fn two() -> Arc<FakeJobs> {
    FakeJobs::new(
        &[("quarter", "*/15 * * * *"), ("minute", "* * * * *")],
        &[("wiki", &["quarter"]), ("chat", &["minute"])],
    )
}

/// One directory every minute and one application over it.
fn one() -> Arc<FakeJobs> {
    FakeJobs::new(&[("people", "* * * * *")], &[("wiki", &["people"])])
}

fn read_timeout() -> Span {
    Span::seconds(i64::try_from(READ_TIMEOUT.as_secs()).unwrap())
}
