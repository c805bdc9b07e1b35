//! When a directory is read: crontab lines, as wall clocks show the time.
//!
//! The `cron` crate is not crontab: it wants seconds, counts the days of the week from Sunday as 1, takes
//! both day fields at once, and errs on the days when clocks change (its issue 150). So it is asked one
//! thing only, which wall-clock time comes next, and never sees a time zone. What an administrator writes
//! is read in `fields`, and what a wall-clock time means as an instant is decided here:
//!
//! * **The clock is put forward.** Fixed hours that are left out run at the first instant after the gap,
//!   so that a nightly run is never lost. Running hours (`*`, steps, ranges) go on with what the clock
//!   shows, as the time that passes between two runs is the same as on any day.
//! * **The clock is put back.** Fixed hours run once, the first time. Running hours run in both, so that
//!   there is no hole.
//!
//! Always compute from the last tick, not from now: a timer that wakes a little early would otherwise find
//! the same tick again.

mod clock_change;
mod fields;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::RangeInclusive;

use chrono::offset::MappedLocalTime;
use chrono::{DateTime, NaiveDateTime, TimeZone};
use chrono_tz::{GapInfo, Tz};
use thiserror::Error;

use self::fields::Fields;
use crate::clock::Timestamp;

pub use self::fields::FieldFault;

/// A schedule in one time zone. Printed as it was written.
#[derive(Debug, Clone)]
pub struct Schedule {
    text: String,
    zone: Tz,
    /// The next wall-clock time is the nearest of these.
    wall_clocks: Vec<cron::Schedule>,
    /// The hour field has a `*`, a step or a range.
    running_hours: bool,
}

/// Why a text is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ScheduleFault {
    /// Not as many fields as there should be.
    #[error(
        "{found} field(s) instead of 5 (minute, hour, day of month, month, day of week), 6 (second \
         before them) or 7 (year behind them)"
    )]
    FieldCount {
        /// How many there are.
        found: usize,
    },
    /// A word that begins with `@` and is no nickname.
    #[error(
        "`{text}` is no nickname: write @yearly, @annually, @monthly, @weekly, @daily, @midnight or \
         @hourly"
    )]
    Nickname {
        /// The word.
        text: String,
    },
    /// One field cannot be read.
    #[error("{field} `{value}`: {fault}; allowed: {allowed}")]
    Field {
        /// The name of the field.
        field: &'static str,
        /// The whole field as it was written.
        value: String,
        /// What is wrong in it.
        fault: FieldFault,
        /// The values that the field takes.
        allowed: &'static str,
    },
    /// The fields are good one by one, but no day fits all of them, such as 30 February.
    #[error("`{text}` never comes: no day fits all its fields")]
    NeverComes {
        /// The whole schedule.
        text: String,
    },
}

/// Moments outside of which no zone shows one of the years 1970 to 2100, which are all that the `cron`
/// crate knows: a day before and behind them.
const YEARS: RangeInclusive<Timestamp> = Timestamp(-86_400)..=Timestamp(4_133_980_800 + 86_400);

impl Schedule {
    /// Reads 5 fields as in crontab(5), 6 with the second before them, 7 with the year behind them, or a
    /// nickname. `0` and `7` are Sunday. When both day fields are restricted (do not begin with `*`), one
    /// of them has to fit; else both.
    ///
    /// # Errors
    /// A [`ScheduleFault`] that names the field, its value and what is allowed.
    pub fn parse(expr: &str, zone: Tz) -> Result<Schedule, ScheduleFault> {
        let fields = Fields::parse(expr)?;
        let schedule = Schedule {
            text: expr.trim().to_owned(),
            zone,
            running_hours: fields.running_hours(),
            wall_clocks: fields.wall_clocks(),
        };
        if schedule.next_after(*YEARS.start()).is_none() {
            return Err(ScheduleFault::NeverComes {
                text: schedule.text,
            });
        }
        Ok(schedule)
    }

    /// The first tick later than `last`. `None` when no year is left; the last one is 2100.
    pub fn next_after(&self, last: Timestamp) -> Option<Timestamp> {
        let last = last.clamp(*YEARS.start(), *YEARS.end());
        let last = last.to_chrono().with_timezone(&self.zone);
        let next = if self.running_hours {
            self.next_of_running_hours(last)
        } else {
            self.search(last.naive_local(), last, |wall| self.at_or_after_gap(wall))
        };
        next.map(|next| Timestamp(next.timestamp()))
    }

    /// A wall-clock time that the clock shows twice is two ticks. In such an hour the search runs twice,
    /// once over the first instants and once over the second ones, each of which is in order.
    fn next_of_running_hours(&self, last: DateTime<Tz>) -> Option<DateTime<Tz>> {
        let wall = last.naive_local();
        let first = self.search(wall, last, |wall| {
            self.zone.from_local_datetime(&wall).earliest()
        });
        let MappedLocalTime::Ambiguous(_, repeated) = self.zone.from_local_datetime(&wall) else {
            return first;
        };
        // Seen from the first half, all that the clock shows again from the moment it is put back on.
        let put_back = wall - repeated.signed_duration_since(last);
        let second = self.search(put_back, last, |wall| {
            self.zone.from_local_datetime(&wall).latest()
        });
        first.into_iter().chain(second).min()
    }

    /// Walks over the wall-clock times after `from` to the first one whose instant is later than `last`.
    /// Only times that the clock skips or repeats are passed over, a few hours' worth at most.
    fn search(
        &self,
        from: NaiveDateTime,
        last: DateTime<Tz>,
        instant: impl Fn(NaiveDateTime) -> Option<DateTime<Tz>>,
    ) -> Option<DateTime<Tz>> {
        let mut wall = from;
        loop {
            wall = self.next_wall_clock(wall)?;
            match instant(wall) {
                Some(instant) if instant > last => return Some(instant),
                _ => {}
            }
        }
    }

    fn next_wall_clock(&self, after: NaiveDateTime) -> Option<NaiveDateTime> {
        // UTC stands for the wall clock here: it neither skips nor repeats anything.
        let after = after.and_utc();
        let next = self
            .wall_clocks
            .iter()
            .filter_map(|it| it.after(&after).next());
        next.min().map(|next| next.naive_utc())
    }

    fn at_or_after_gap(&self, wall: NaiveDateTime) -> Option<DateTime<Tz>> {
        match self.zone.from_local_datetime(&wall) {
            MappedLocalTime::Single(instant) | MappedLocalTime::Ambiguous(instant, _) => {
                Some(instant)
            }
            MappedLocalTime::None => GapInfo::new(&wall, &self.zone)?.end,
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}
