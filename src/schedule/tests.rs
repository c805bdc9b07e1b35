//! The literal days that schedulers get wrong, and `croner` as the oracle over random schedules, zones and
//! moments around the days when clocks change.

use chrono::{DateTime, Datelike, Days, NaiveDate};
use croner::Cron;
use croner::parser::CronParser;
use proptest::prelude::*;

use super::*;

const BERLIN: Tz = Tz::Europe__Berlin;

/// Checks the ticks that follow `start`, each computed from the one before.
fn check(expr: &str, zone: Tz, start: &str, expect: &[&str]) {
    let schedule = Schedule::parse(expr, zone).unwrap();
    let mut last = Timestamp::parse_rfc3339(start).unwrap();
    for expect in expect {
        let next = schedule.next_after(last).unwrap();
        let local = next.to_chrono().with_timezone(&zone).to_rfc3339();
        assert_eq!(&local, expect, "`{expr}` in {zone} after {last}");
        last = next;
    }
}

fn fault(expr: &str) -> String {
    Schedule::parse(expr, Tz::UTC).unwrap_err().to_string()
}

#[test]
fn a_fixed_time_that_the_clock_skips_runs_at_the_first_instant_after_the_gap() {
    check(
        "30 2 * * *",
        BERLIN,
        "2026-03-28T12:00:00+01:00",
        &["2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"],
    );
    // Several skipped times are one tick, and the tick at the end of the gap is the same one.
    check(
        "0,30 2,3 * * *",
        BERLIN,
        "2026-03-28T12:00:00+01:00",
        &["2026-03-29T03:00:00+02:00", "2026-03-29T03:30:00+02:00"],
    );
    check(
        "15 2 * * *",
        Tz::Australia__Lord_Howe,
        "2026-10-03T12:00:00+10:30",
        &["2026-10-04T02:30:00+11:00", "2026-10-05T02:15:00+11:00"],
    );
}

#[test]
fn a_fixed_time_that_the_clock_shows_twice_runs_once() {
    check(
        "30 2 * * *",
        BERLIN,
        "2026-10-24T12:00:00+02:00",
        &["2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"],
    );
    // Started between the two, it has had its run.
    check(
        "30 2 * * *",
        BERLIN,
        "2026-10-25T02:15:00+01:00",
        &["2026-10-26T02:30:00+01:00"],
    );
}

#[test]
fn a_running_schedule_has_no_hole_when_the_clock_is_put_back() {
    check(
        "*/30 * * * *",
        BERLIN,
        "2026-10-25T01:45:00+02:00",
        &[
            "2026-10-25T02:00:00+02:00",
            "2026-10-25T02:30:00+02:00",
            "2026-10-25T02:00:00+01:00",
            "2026-10-25T02:30:00+01:00",
            "2026-10-25T03:00:00+01:00",
        ],
    );
    check(
        "15 1-3 * * *",
        BERLIN,
        "2026-10-25T01:00:00+02:00",
        &[
            "2026-10-25T01:15:00+02:00",
            "2026-10-25T02:15:00+02:00",
            "2026-10-25T02:15:00+01:00",
            "2026-10-25T03:15:00+01:00",
        ],
    );
    check(
        "*/20 * * * *",
        Tz::Australia__Lord_Howe,
        "2026-04-05T01:20:00+11:00",
        &[
            "2026-04-05T01:40:00+11:00",
            "2026-04-05T01:40:00+10:30",
            "2026-04-05T02:00:00+10:30",
        ],
    );
}

#[test]
fn a_running_schedule_goes_on_as_ever_when_the_clock_is_put_forward() {
    check(
        "15 * * * *",
        BERLIN,
        "2026-03-29T01:00:00+01:00",
        &[
            "2026-03-29T01:15:00+01:00",
            "2026-03-29T03:15:00+02:00",
            "2026-03-29T04:15:00+02:00",
        ],
    );
}

#[test]
fn an_early_wake_does_not_find_the_same_tick_again() {
    check(
        "*/15 * * * *",
        Tz::UTC,
        "2026-11-21T22:00:00Z",
        &["2026-11-21T22:15:00+00:00", "2026-11-21T22:30:00+00:00"],
    );
}

#[test]
fn sunday_is_both_0_and_7() {
    let sunday = "2026-11-22T00:00:00+00:00";
    for days in ["0", "7", "SUN", "sun"] {
        let expr = format!("0 0 * * {days}");
        check(&expr, Tz::UTC, "2026-11-21T00:00:00Z", &[sunday]);
    }
    for days in ["6-7", "SAT-SUN", "0,6", "6,7", "5-7/2,6"] {
        let expr = format!("0 0 * * {days}");
        check(&expr, Tz::UTC, "2026-11-21T00:00:00Z", &[sunday]);
    }
    check(
        "0 0 * * 1",
        Tz::UTC,
        "2026-11-21T00:00:00Z",
        &["2026-11-23T00:00:00+00:00"],
    );
}

#[test]
fn of_two_restricted_day_fields_one_is_enough() {
    check(
        "0 0 13 * FRI",
        Tz::UTC,
        "2026-11-08T00:00:00Z",
        &[
            "2026-11-13T00:00:00+00:00",
            "2026-11-20T00:00:00+00:00",
            "2026-11-27T00:00:00+00:00",
            "2026-12-04T00:00:00+00:00",
            "2026-12-11T00:00:00+00:00",
            "2026-12-13T00:00:00+00:00",
        ],
    );
}

#[test]
fn a_day_field_that_begins_with_a_star_restricts_further() {
    // crontab(5): Mondays of odd date, not Mondays and odd dates.
    check(
        "0 0 */2 * MON",
        Tz::UTC,
        "2026-11-01T00:00:00Z",
        &["2026-11-09T00:00:00+00:00", "2026-11-23T00:00:00+00:00"],
    );
    check(
        "0 0 ? * MON",
        Tz::UTC,
        "2026-11-01T00:00:00Z",
        &["2026-11-02T00:00:00+00:00", "2026-11-09T00:00:00+00:00"],
    );
}

#[test]
fn five_six_and_seven_fields_and_nicknames_are_read() {
    fn first(expr: &str, expect: &str) {
        check(expr, Tz::UTC, "2026-11-21T22:10:30Z", &[expect]);
    }
    first("* * * * *", "2026-11-21T22:11:00+00:00");
    first("  * *\t* *  * ", "2026-11-21T22:11:00+00:00");
    first("40 * * * * *", "2026-11-21T22:10:40+00:00");
    first("0 0 0 1 JAN ? 2030", "2030-01-01T00:00:00+00:00");
    first("0 0/15 * * * ?", "2026-11-21T22:15:00+00:00");
    first("0 0 29 feb *", "2028-02-29T00:00:00+00:00");
    first("@yearly", "2027-01-01T00:00:00+00:00");
    first("@annually", "2027-01-01T00:00:00+00:00");
    first("@monthly", "2026-12-01T00:00:00+00:00");
    first("@weekly", "2026-11-22T00:00:00+00:00");
    first("@daily", "2026-11-22T00:00:00+00:00");
    first("@midnight", "2026-11-22T00:00:00+00:00");
    first("@hourly", "2026-11-21T23:00:00+00:00");
}

#[test]
fn a_schedule_that_is_over_has_no_next_tick() {
    let schedule = Schedule::parse("0 0 0 1 1 * 2020", BERLIN).unwrap();
    let end = Timestamp::parse_rfc3339("2020-01-01T00:00:00+01:00").unwrap();
    assert_eq!(schedule.next_after(Timestamp(end.0 - 1)), Some(end));
    assert_eq!(schedule.next_after(end), None);
}

#[test]
fn the_ends_of_time_are_moments_like_others() {
    for zone in [Tz::Pacific__Kiritimati, Tz::Pacific__Pago_Pago] {
        let schedule = Schedule::parse("* * * * * *", zone).unwrap();
        let first = schedule.next_after(Timestamp(i64::MIN)).unwrap();
        let first = first.to_chrono().with_timezone(&zone).naive_local();
        assert_eq!(first, DateTime::UNIX_EPOCH.naive_utc());
        assert_eq!(schedule.next_after(Timestamp(i64::MAX)), None);
        let last = zone.with_ymd_and_hms(2100, 12, 31, 23, 59, 59).unwrap();
        let last = Timestamp(last.timestamp());
        assert_eq!(schedule.next_after(Timestamp(last.0 - 1)), Some(last));
        assert_eq!(schedule.next_after(last), None);
    }
}

#[test]
fn a_schedule_is_printed_as_it_was_written() {
    for expr in ["*/15 * * * *", "@daily", "0 0 13 * FRI"] {
        assert_eq!(Schedule::parse(expr, BERLIN).unwrap().to_string(), expr);
    }
}

#[test]
fn a_bad_schedule_is_refused_with_field_value_and_range() {
    fn check(expr: &str, expect: &str) {
        assert_eq!(fault(expr), expect);
    }
    let count = "instead of 5 (minute, hour, day of month, month, day of week), 6 (second before \
                 them) or 7 (year behind them)";
    check("", &format!("0 field(s) {count}"));
    check("* * * *", &format!("4 field(s) {count}"));
    check("* * * * * * * *", &format!("8 field(s) {count}"));
    let nicknames = "is no nickname: write @yearly, @annually, @monthly, @weekly, @daily, @midnight or \
                     @hourly";
    check("@reboot", &format!("`@reboot` {nicknames}"));
    check("@Daily", &format!("`@Daily` {nicknames}"));
    check(
        "60 * * * *",
        "minute `60`: `60` is out of range; allowed: 0 to 59",
    );
    check(
        "* 1,24 * * *",
        "hour `1,24`: `24` is out of range; allowed: 0 to 23",
    );
    check(
        "* * 0 * *",
        "day of month `0`: `0` is out of range; allowed: 1 to 31",
    );
    check(
        "* * * 13 *",
        "month `13`: `13` is out of range; allowed: 1 to 12 or JAN to DEC",
    );
    check(
        "* * * * 8",
        "day of week `8`: `8` is out of range; allowed: 0 to 7 (0 and 7 are Sunday) or SUN to SAT",
    );
    check(
        "99999999999 * * * * *",
        "second `99999999999`: `99999999999` is out of range; allowed: 0 to 59",
    );
    check(
        "* * * * * * 2101",
        "year `2101`: `2101` is out of range; allowed: 1970 to 2100",
    );
    check(
        "x * * * *",
        "minute `x`: `x` is neither a number nor a name that may stand here; allowed: 0 to 59",
    );
    check(
        "* * * JANUARY *",
        "month `JANUARY`: `JANUARY` is neither a number nor a name that may stand here; allowed: 1 to \
         12 or JAN to DEC",
    );
    check(
        "? * * * *",
        "minute `?`: `?` is neither a number nor a name that may stand here; allowed: 0 to 59",
    );
    check(
        "ü * * * *",
        "minute `ü`: `ü` is neither a number nor a name that may stand here; allowed: 0 to 59",
    );
    check(
        "* 22-2 * * *",
        "hour `22-2`: the range `22-2` goes backwards; write two ranges with a comma between; allowed: \
         0 to 23",
    );
    check(
        "1,,2 * * * *",
        "minute `1,,2`: nothing stands beside a comma; allowed: 0 to 59",
    );
    for step in ["0", "60", "x", "", "-1"] {
        check(
            &format!("*/{step} * * * *"),
            &format!(
                "minute `*/{step}`: `/{step}` is not a step that this field can take; allowed: 0 to 59"
            ),
        );
    }
    for value in ["L", "LW", "15W", "L-3", "5#2"] {
        check(
            &format!("* * {value} * *"),
            &format!(
                "day of month `{value}`: `L`, `W` and `#` are not supported; allowed: 1 to 31"
            ),
        );
    }
    check(
        "* * 30,31 2 *",
        "`* * 30,31 2 *` never comes: no day fits all its fields",
    );
}

/// Where croner means something else, the question is put so that it means the same:
///
/// * Croner calls a schedule fixed only if second, minute and hour are single values, so that `0,30 2 * *
///   *` would be lost in a gap and run twice in an overlap. A schedule of fixed hours is the union of its
///   single times, each of which is fixed for croner too: the earliest answer of all is the right one.
/// * Croner takes a day field for restricted unless it is a lone `*`; crontab(5) looks at how the field
///   begins. Croner's `+` before the day of the week asks for both fields, which is what crontab does
///   then.
struct Oracle {
    alternatives: Vec<Cron>,
}

impl Oracle {
    fn new(expr: &Expression) -> Oracle {
        let parser = CronParser::builder().sloppy_ranges(true).build();
        let croner = |second: &str, minute: &str, hour: &str| {
            let [day, month, weekday] = &expr.days;
            let starred = |field: &str| field.starts_with('*');
            let both = (starred(day) || starred(weekday)) && weekday != "*";
            let plus = if both { "+" } else { "" };
            let text = format!("{second} {minute} {hour} {day} {month} {plus}{weekday}");
            parser.parse(&text).unwrap()
        };
        let [second, minute, hour] = &expr.times;
        let all = croner(second, minute, hour);
        if hour.contains(['*', '/', '-']) {
            return Oracle {
                alternatives: vec![all],
            };
        }
        let mut alternatives = Vec::new();
        for hour in all.pattern.hours.values() {
            for minute in all.pattern.minutes.values() {
                for second in all.pattern.seconds.values() {
                    let single = [second, minute, hour].map(|it| it.to_string());
                    alternatives.push(croner(&single[0], &single[1], &single[2]));
                }
            }
        }
        Oracle { alternatives }
    }

    fn next_after(&self, last: DateTime<Tz>) -> Option<DateTime<Tz>> {
        let next = |cron: &Cron| cron.find_next_occurrence(&last, false).ok();
        self.alternatives.iter().filter_map(next).min()
    }
}

/// A schedule of six fields.
#[derive(Debug, Clone)]
struct Expression {
    times: [String; 3],
    days: [String; 3],
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.times.join(" "), self.days.join(" "))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn croner_agrees(expr in any_expression(), zone in any_zone(), start in any_start()) {
        let text = expr.to_string();
        let schedule = Schedule::parse(&text, zone);
        // 31 April and the like: refused here, searched for a long time there.
        prop_assume!(!matches!(schedule, Err(ScheduleFault::NeverComes { .. })));
        let schedule = schedule.unwrap();
        let oracle = Oracle::new(&expr);
        let mut last = near_transition(zone, start);
        for _ in 0..8 {
            let next = schedule.next_after(Timestamp(last.timestamp()));
            let expect = oracle.next_after(last);
            prop_assert_eq!(
                next.map(|it| it.to_chrono().with_timezone(&zone)),
                expect,
                "`{}` in {} after {}", text, zone, last
            );
            let Some(expect) = expect else { break };
            last = expect;
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[-*/?,@0-9A-Z ]{0,20}") {
        let _ = Schedule::parse(&text, BERLIN);
    }
}

fn any_zone() -> impl Strategy<Value = Tz> {
    proptest::sample::select(vec![
        Tz::UTC,
        Tz::Europe__Berlin,
        Tz::America__New_York,
        Tz::Australia__Lord_Howe,
        Tz::Asia__Kathmandu,
    ])
}

/// Which transition from 2020 on, and how many seconds from it.
fn any_start() -> impl Strategy<Value = (usize, i64)> {
    (
        0_usize..16,
        prop_oneof![-7_200_i64..7_200, -100_000_i64..100_000],
    )
}

/// The given moment beside the given change of clocks; in a zone that has none, beside a midnight.
fn near_transition(zone: Tz, (index, seconds): (usize, i64)) -> DateTime<Tz> {
    let midnight = |day: NaiveDate| zone.from_utc_datetime(&day.and_hms_opt(0, 0, 0).unwrap());
    let first = NaiveDate::from_ymd_opt(2020, 1, 1).unwrap();
    let days = first.iter_days().take_while(|day| day.year() < 2030);
    let changes = days.filter(|&day| {
        let tomorrow = day.checked_add_days(Days::new(1)).unwrap();
        midnight(day).naive_local().time() != midnight(tomorrow).naive_local().time()
    });
    let day = midnight(changes.take(16).nth(index).unwrap_or(first));
    let change = (0..86_400 / 900)
        .map(|quarter| day + chrono::TimeDelta::seconds(quarter * 900))
        .find(|it| {
            let before = *it - chrono::TimeDelta::seconds(1);
            it.naive_local() - before.naive_local() != chrono::TimeDelta::seconds(1)
        });
    change.unwrap_or(day) + chrono::TimeDelta::seconds(seconds)
}

fn any_expression() -> impl Strategy<Value = Expression> {
    let times = [
        prop_oneof![3 => Just("0".to_owned()), 1 => any_field(0, 59, 59)].boxed(),
        any_field(0, 59, 59).boxed(),
        // Mostly the hours in which clocks change.
        prop_oneof![any_field(0, 23, 23), any_field(0, 4, 23)].boxed(),
    ];
    let days = [
        prop_oneof![2 => Just("*".to_owned()), 1 => any_field(1, 31, 31)].boxed(),
        prop_oneof![3 => Just("*".to_owned()), 1 => any_field(1, 12, 12)].boxed(),
        prop_oneof![2 => Just("*".to_owned()), 1 => any_field(0, 7, 7)].boxed(),
    ];
    (times, days).prop_map(|(times, days)| Expression { times, days })
}

/// `*`, or up to three items with values from `first` to `last`; a step reaches to `end`.
fn any_field(first: u32, last: u32, end: u32) -> impl Strategy<Value = String> {
    let range = (first..=last, first..=last).prop_map(|(a, b)| (a.min(b), a.max(b)));
    let item = prop_oneof![
        6 => (first..=last).prop_map(|value| value.to_string()),
        1 => range.clone().prop_filter("equal ends are a value", |(from, to)| from != to).prop_map(|(from, to)| format!("{from}-{to}")),
        1 => (range, 1..=end).prop_map(|((from, to), step)| format!("{from}-{to}/{step}")),
        1 => (first..=last, 1..=end).prop_map(|(from, step)| format!("{from}/{step}")),
        1 => (1..=end).prop_map(|step| format!("*/{step}")),
    ];
    prop_oneof![
        1 => Just("*".to_owned()),
        3 => proptest::collection::vec(item, 1..4).prop_map(|items| items.join(",")),
    ]
}
