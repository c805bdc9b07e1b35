//! Lengths of time that cannot be meant, and schedules in the night when clocks change.

use super::super::spot::{Report, Spot};
use super::super::values::CronLine;
use super::Draft;
use crate::text::Span;

pub(super) fn check(draft: &Draft<'_, '_>, report: &mut Report) {
    let written = draft.written;
    check_schedule(
        &written.schedule,
        &draft.root.key("schedule"),
        draft,
        report,
    );
    for (directory, spot) in &draft.directories {
        if let Some(line) = &directory.schedule {
            check_schedule(line, &spot.key("schedule"), draft, report);
        }
        positive(directory.window, &spot.key("window"), report);
        positive(directory.stale_after, &spot.key("stale_after"), report);
        positive(directory.read_timeout, &spot.key("read_timeout"), report);
    }
    for (application, spot) in &draft.applications {
        positive(
            application.limits.window,
            &spot.key("limits").key("window"),
            report,
        );
        positive(application.stale_after, &spot.key("stale_after"), report);
    }
    let windows = draft.applications.iter().map(|(it, _)| it.limits.window);
    let longest = windows.max().unwrap_or_default();
    if written.history_keep < longest {
        let what = format!(
            "it is shorter than {longest}, the window of an application's `limits`, which count the history"
        );
        let hint = format!("write `history_keep: {longest}` or more");
        report.error(&draft.root.key("history_keep"), what, Some(&hint));
    }
}

fn positive(span: Span, spot: &Spot<'_>, report: &mut Report) {
    if span.is_zero() {
        let hint = "write a length of time like `24h`, or leave it out";
        report.error(spot, "it must not be nought", Some(hint));
    }
}

fn check_schedule(line: &CronLine, spot: &Spot<'_>, draft: &Draft<'_, '_>, report: &mut Report) {
    let zone = draft.written.timezone;
    let CronLine(schedule) = line;
    if schedule.in_zone(zone).meets_clock_change() {
        let what = format!("in {zone} clocks are changed at that time of the day");
        let hint = "it runs once in those nights too, but not at the time it says; another hour, or `timezone: UTC`, is free \
                    of that";
        report.warning(spot, what, Some(hint));
    }
}
