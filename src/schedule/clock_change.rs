//! Schedules and the nights when clocks change.

use chrono::{Days, NaiveDate, NaiveDateTime, Offset as _, TimeDelta, TimeZone as _};
use chrono_tz::Tz;

use super::Schedule;

/// Over these years the rules of a zone are tried out. (Rules change by decree, so one year alone could mislead.)
const FIRST_YEAR: i32 = 2026;
const YEARS: u64 = 10;
const MINUTES_A_DAY: i64 = 24 * 60;

impl Schedule {
    /// The same fields in another time zone.
    #[must_use]
    pub fn in_zone(&self, zone: Tz) -> Schedule {
        Schedule {
            zone,
            ..self.clone()
        }
    }

    /// Whether a fixed time of the day falls where clocks are put forward or back, so that it runs at another time than it
    /// says, or could be taken for running twice. Steps and ranges of hours simply go on and do not count.
    pub fn meets_clock_change(&self) -> bool {
        if self.running_hours {
            return false;
        }
        let first = NaiveDate::from_ymd_opt(FIRST_YEAR, 1, 1).unwrap_or_default();
        let days = (0..YEARS * 366).filter_map(|days| first.checked_add_days(Days::new(days)));
        let mut midnights = days.map(|day| day.and_time(chrono::NaiveTime::MIN));
        midnights.any(|midnight| self.runs_in_change_of(midnight))
    }

    /// Whether clocks change in the 24 hours from a moment of UTC on, and a wall-clock time lies in what they skip or repeat.
    fn runs_in_change_of(&self, from: NaiveDateTime) -> bool {
        let offset = |utc: NaiveDateTime| {
            let offset = self.zone.offset_from_utc_datetime(&utc).fix();
            TimeDelta::seconds(i64::from(offset.local_minus_utc()))
        };
        let before = offset(from);
        let after = offset(from + TimeDelta::days(1));
        if before == after {
            return false;
        }
        // Changes fall on whole minutes.
        let minute = |minute: &i64| from + TimeDelta::minutes(*minute);
        let change = (1..=MINUTES_A_DAY).find(|it| offset(minute(it)) != before);
        let moment = minute(&change.unwrap_or(MINUTES_A_DAY));
        let (start, end) = (moment + before.min(after), moment + before.max(after));
        let next = self.next_wall_clock(start - TimeDelta::seconds(1));
        next.is_some_and(|next| next < end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_fixed_times_in_the_hours_of_the_change_meet_it() {
        fn check(line: &str, zone: Tz, expect: bool) {
            let schedule = Schedule::parse(line, Tz::UTC).unwrap().in_zone(zone);
            assert_eq!(schedule.meets_clock_change(), expect, "{line} in {zone}");
        }
        let berlin = Tz::Europe__Berlin;
        check("30 2 * * *", berlin, true);
        check("30 2 * * 0", berlin, true);
        check("30 2 * * 1", berlin, false);
        check("0 0 * * *", berlin, false);
        check("0 2 * * *", berlin, true);
        check("59 1 * * *", berlin, false);
        check("0 3 * * *", berlin, false);
        check("*/15 * * * *", berlin, false);
        check("30 2 * * *", Tz::UTC, false);
        check("30 2 * * *", Tz::Asia__Tokyo, false);
        check("30 1 * * *", Tz::Europe__London, true);
        check("30 2 * * *", Tz::Europe__London, false);
        check("15 2 * * *", Tz::Australia__Lord_Howe, true);
    }
}
