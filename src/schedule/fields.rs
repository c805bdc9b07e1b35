//! The fields of a crontab line: read, checked, and written down again in the way of the `cron` crate.

use std::collections::BTreeSet;

use thiserror::Error;

use super::ScheduleFault;

/// What is wrong in one field.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FieldFault {
    /// Something is neither a number nor a name.
    #[error("`{item}` is neither a number nor a name that may stand here")]
    Unknown {
        /// The part that cannot be read.
        item: String,
    },
    /// Nothing stands before, between or behind commas.
    #[error("nothing stands beside a comma")]
    Empty,
    /// A number is too small or too large.
    #[error("`{item}` is out of range")]
    OutOfRange {
        /// The number.
        item: String,
    },
    /// A range ends before it begins.
    #[error("the range `{item}` goes backwards; write two ranges with a comma between")]
    Backwards {
        /// The range.
        item: String,
    },
    /// What follows `/` is no number, zero, or more than the field can count.
    #[error("`/{step}` is not a step that this field can take")]
    Step {
        /// What follows `/`.
        step: String,
    },
    /// `L`, `W` or `#`, known from other schedulers.
    #[error("`L`, `W` and `#` are not supported")]
    Extension,
}

/// A schedule field by field.
pub(super) struct Fields {
    second: Values,
    minute: Values,
    hour: Values,
    day_of_month: Values,
    month: Values,
    day_of_week: Values,
    year: Values,
}

/// What a field can hold.
struct Kind {
    name: &'static str,
    first: u32,
    last: u32,
    /// Names of the first values, from `first` on.
    names: &'static [&'static str],
    /// `?` may stand for `*`, as Quartz has it.
    question_mark: bool,
    allowed: &'static str,
}

/// What a field does hold.
struct Values {
    set: BTreeSet<u32>,
    /// It begins with `*` or `?`, which is what crontab(5) calls not restricted.
    star: bool,
    /// It has a `*`, a step or a range, not only single values.
    running: bool,
}

const MONTHS: [&str; 12] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
/// Sunday as crontab has it at the end of a range; it becomes 0.
const SUNDAY_AT_THE_END: u32 = 7;

const SECOND: Kind = Kind::of_numbers("second", 0, 59, "0 to 59");
const MINUTE: Kind = Kind::of_numbers("minute", 0, 59, "0 to 59");
const HOUR: Kind = Kind::of_numbers("hour", 0, 23, "0 to 23");
const DAY_OF_MONTH: Kind = Kind {
    question_mark: true,
    ..Kind::of_numbers("day of month", 1, 31, "1 to 31")
};
const MONTH: Kind = Kind {
    names: &MONTHS,
    ..Kind::of_numbers("month", 1, 12, "1 to 12 or JAN to DEC")
};
const DAY_OF_WEEK: Kind = Kind {
    names: &DAYS,
    question_mark: true,
    ..Kind::of_numbers(
        "day of week",
        0,
        SUNDAY_AT_THE_END,
        "0 to 7 (0 and 7 are Sunday) or SUN to SAT",
    )
};
/// The years that the `cron` crate knows.
const YEAR: Kind = Kind::of_numbers("year", 1970, 2100, "1970 to 2100");

impl Fields {
    pub(super) fn parse(expr: &str) -> Result<Fields, ScheduleFault> {
        let expr = match expr.trim() {
            nickname if nickname.starts_with('@') => spell_out(nickname)?,
            expr => expr,
        };
        let fields: Vec<&str> = expr.split_whitespace().collect();
        let (second, minute, hour, day_of_month, month, day_of_week, year) = match fields[..] {
            [m, h, dom, mon, dow] => ("0", m, h, dom, mon, dow, "*"),
            [s, m, h, dom, mon, dow] => (s, m, h, dom, mon, dow, "*"),
            [s, m, h, dom, mon, dow, y] => (s, m, h, dom, mon, dow, y),
            _ => {
                return Err(ScheduleFault::FieldCount {
                    found: fields.len(),
                });
            }
        };
        Ok(Fields {
            second: SECOND.read(second)?,
            minute: MINUTE.read(minute)?,
            hour: HOUR.read(hour)?,
            day_of_month: DAY_OF_MONTH.read(day_of_month)?,
            month: MONTH.read(month)?,
            day_of_week: DAY_OF_WEEK.read(day_of_week)?.with_one_sunday(),
            year: YEAR.read(year)?,
        })
    }

    /// Whether the hours go on with the clock rather than being fixed times of the day.
    pub(super) fn running_hours(&self) -> bool {
        self.hour.running
    }

    /// The same for the `cron` crate, which takes a day only if both day fields fit: where one of them is
    /// enough there are two schedules, each with one of them.
    pub(super) fn wall_clocks(&self) -> Vec<cron::Schedule> {
        let days = self.day_of_month.numbers();
        let weekdays = self.day_of_week.names(&DAYS);
        if self.day_of_month.star || self.day_of_week.star {
            return vec![self.wall_clock(&days, &weekdays)];
        }
        vec![self.wall_clock(&days, "*"), self.wall_clock("*", &weekdays)]
    }

    fn wall_clock(&self, day_of_month: &str, day_of_week: &str) -> cron::Schedule {
        let text = format!(
            "{} {} {} {day_of_month} {} {day_of_week} {}",
            self.second.numbers(),
            self.minute.numbers(),
            self.hour.numbers(),
            self.month.numbers(),
            self.year.numbers(),
        );
        text.parse()
            .expect("lists of numbers and names within the ranges that the crate documents")
    }
}

impl Kind {
    const fn of_numbers(name: &'static str, first: u32, last: u32, allowed: &'static str) -> Kind {
        Kind {
            name,
            first,
            last,
            names: &[],
            question_mark: false,
            allowed,
        }
    }

    fn read(&self, value: &str) -> Result<Values, ScheduleFault> {
        self.read_list(value).map_err(|fault| ScheduleFault::Field {
            field: self.name,
            value: value.to_owned(),
            fault,
            allowed: self.allowed,
        })
    }

    fn read_list(&self, value: &str) -> Result<Values, FieldFault> {
        let mut set = BTreeSet::new();
        let mut running = false;
        for item in value.split(',') {
            let (from, to, step) = self.read_item(item)?;
            set.extend((from..=to).step_by(step.unwrap_or(1)));
            running |= from != to || step.is_some();
        }
        Ok(Values {
            star: value.starts_with('*') || self.question_mark && value.starts_with('?'),
            running,
            set,
        })
    }

    /// One item of the list as a range: `*`, `a` or `a-b`, with or without `/step`. `a/step` goes on to
    /// the end of the field.
    fn read_item(&self, item: &str) -> Result<(u32, u32, Option<usize>), FieldFault> {
        if item.is_empty() {
            return Err(FieldFault::Empty);
        }
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, Some(self.read_step(step)?)),
            None => (item, None),
        };
        let (from, to) = match range.split_once('-') {
            _ if self.is_star(range) => (self.first, self.last),
            Some((from, to)) => (self.read_value(from)?, self.read_end(to)?),
            None if step.is_some() => (self.read_value(range)?, self.last),
            None => {
                let value = self.read_value(range)?;
                (value, value)
            }
        };
        if from > to {
            return Err(FieldFault::Backwards { item: range.into() });
        }
        Ok((from, to, step))
    }

    fn is_star(&self, item: &str) -> bool {
        item == "*" || item == "?" && self.question_mark
    }

    fn read_step(&self, step: &str) -> Result<usize, FieldFault> {
        match step.parse() {
            Ok(number) if number >= 1 && number <= self.last as usize => Ok(number),
            _ => Err(FieldFault::Step { step: step.into() }),
        }
    }

    /// The end of a range: `SUN` is the last day of the week there, not the first.
    fn read_end(&self, item: &str) -> Result<u32, FieldFault> {
        if self.last == SUNDAY_AT_THE_END && item.eq_ignore_ascii_case("SUN") {
            return Ok(SUNDAY_AT_THE_END);
        }
        self.read_value(item)
    }

    fn read_value(&self, item: &str) -> Result<u32, FieldFault> {
        let mut names = self.names.iter();
        if let Some(index) = names.position(|name| name.eq_ignore_ascii_case(item)) {
            return Ok(self.first + index as u32);
        }
        if is_extension(item) {
            return Err(FieldFault::Extension);
        }
        if item.is_empty() || !item.bytes().all(|b| b.is_ascii_digit()) {
            return Err(FieldFault::Unknown { item: item.into() });
        }
        match item.parse() {
            Ok(number) if self.first <= number && number <= self.last => Ok(number),
            _ => Err(FieldFault::OutOfRange { item: item.into() }),
        }
    }
}

impl Values {
    fn with_one_sunday(mut self) -> Values {
        if self.set.remove(&SUNDAY_AT_THE_END) {
            self.set.insert(0);
        }
        self
    }

    fn numbers(&self) -> String {
        self.list(u32::to_string)
    }

    fn names(&self, names: &[&str]) -> String {
        self.list(|&value| names[value as usize].to_owned())
    }

    fn list(&self, word: impl Fn(&u32) -> String) -> String {
        self.set.iter().map(word).collect::<Vec<_>>().join(",")
    }
}

/// What other schedulers take for the last day, the nearest working day, the n-th day of a week.
fn is_extension(item: &str) -> bool {
    let letters = item.trim_start_matches(|c: char| c.is_ascii_digit());
    matches!(letters, "L" | "W" | "LW") || letters.contains('#')
}

/// The nicknames of crontab(5), but for `@reboot`, which is no time.
fn spell_out(nickname: &str) -> Result<&'static str, ScheduleFault> {
    match nickname {
        "@yearly" | "@annually" => Ok("0 0 1 1 *"),
        "@monthly" => Ok("0 0 1 * *"),
        "@weekly" => Ok("0 0 * * 0"),
        "@daily" | "@midnight" => Ok("0 0 * * *"),
        "@hourly" => Ok("0 * * * *"),
        _ => Err(ScheduleFault::Nickname {
            text: nickname.to_owned(),
        }),
    }
}
