//! What an option is that is not written. docs/options.md and config.example.yaml say the same.

use chrono_tz::Tz;

use super::application::AdoptBy;
use super::directory::Kind;
use super::values::CronLine;
use crate::schedule::Schedule;
use crate::text::{Percent, Span};

pub(super) fn schedule() -> CronLine {
    let schedule = Schedule::parse("*/15 * * * *", Tz::UTC);
    CronLine(schedule.expect("a line that the tests read as well"))
}

pub(super) fn timezone() -> Tz {
    Tz::UTC
}

pub(super) fn history_keep() -> Span {
    Span::hours(180 * 24)
}

pub(super) fn enabled() -> bool {
    true
}

pub(super) fn shrink_limit() -> Percent {
    Percent::whole(20)
}

pub(super) fn window() -> Span {
    Span::hours(24)
}

pub(super) fn reread() -> Span {
    Span::hours(24)
}

pub(super) fn stale_after() -> Span {
    Span::hours(24)
}

pub(super) fn read_timeout() -> Span {
    Span::minutes(10)
}

pub(super) fn kinds() -> Vec<Kind> {
    vec![Kind::Person]
}

pub(super) fn adopt() -> Vec<AdoptBy> {
    vec![AdoptBy::Username]
}

pub(super) fn grace() -> Span {
    Span::hours(24)
}

pub(super) fn removals() -> Percent {
    Percent::whole(10)
}

pub(super) fn deactivations() -> Percent {
    Percent::whole(20)
}

pub(super) fn additions() -> Percent {
    Percent::whole(10)
}

pub(super) fn protect_defaults() -> bool {
    true
}
