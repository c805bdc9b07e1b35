//! Lengths of time as an administrator writes them: `90d`, `24h`, `15m`, `0s`, `1h30m`.
//!
//! A bare number is refused: half of the readers take it for minutes, and a grace of 24 seconds where 24
//! hours were meant removes people.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};
use thiserror::Error;

/// The units, the longest first, with their length in seconds.
const UNITS: [(char, i64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// A length of time in whole seconds, never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    seconds: i64,
}

/// Why a text is no length of time.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadSpan {
    /// A number stands without a unit.
    #[error("`{text}` has no unit: write `{number}s`, `{number}m`, `{number}h` or `{number}d`")]
    NoUnit {
        /// What was written.
        text: String,
        /// The number that lacks its unit.
        number: String,
    },
    /// Anything else that is not a row of numbers with units.
    #[error("`{text}` is not a length of time: write it like `90d`, `24h`, `1h30m` or `0s`")]
    Malformed {
        /// What was written.
        text: String,
    },
    /// The units do not go from long to short, or one stands twice.
    #[error("`{text}` must name each unit once, the longest first, like `1d12h` or `1h30m`")]
    Order {
        /// What was written.
        text: String,
    },
    /// The length does not fit.
    #[error("`{text}` is too long")]
    TooLong {
        /// What was written.
        text: String,
    },
}

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span::seconds(0);

    /// A length in seconds; a negative number gives [`Span::ZERO`].
    pub const fn seconds(seconds: i64) -> Span {
        Span {
            seconds: if seconds < 0 { 0 } else { seconds },
        }
    }

    /// A length in minutes; see [`Span::seconds`].
    pub const fn minutes(minutes: i64) -> Span {
        Span::seconds(minutes.saturating_mul(60))
    }

    /// A length in hours; see [`Span::seconds`].
    pub const fn hours(hours: i64) -> Span {
        Span::seconds(hours.saturating_mul(3_600))
    }

    /// The length in seconds, never negative.
    pub const fn as_seconds(self) -> i64 {
        self.seconds
    }

    /// The length as the standard library has it.
    pub const fn as_std(self) -> Duration {
        Duration::from_secs(self.seconds.unsigned_abs())
    }

    /// Whether there is no time in it.
    pub const fn is_zero(self) -> bool {
        self.seconds == 0
    }
}

impl FromStr for Span {
    type Err = BadSpan;

    fn from_str(text: &str) -> Result<Span, BadSpan> {
        let malformed = || BadSpan::Malformed { text: text.into() };
        let mut rest = text;
        let mut units = UNITS.iter();
        let mut seconds = 0_i64;
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            if digits == 0 {
                return Err(malformed());
            }
            let (number, after) = rest.split_at(digits);
            let Some(letter) = after.chars().next() else {
                return Err(BadSpan::NoUnit {
                    text: text.into(),
                    number: number.into(),
                });
            };
            if !UNITS.iter().any(|&(unit, _)| unit == letter) {
                return Err(malformed());
            }
            let Some(&(_, length)) = units.find(|&&(unit, _)| unit == letter) else {
                return Err(BadSpan::Order { text: text.into() });
            };
            seconds = number
                .parse::<i64>()
                .ok()
                .and_then(|number| number.checked_mul(length))
                .and_then(|part| part.checked_add(seconds))
                .ok_or_else(|| BadSpan::TooLong { text: text.into() })?;
            rest = &after[letter.len_utf8()..];
        }
        if text.is_empty() {
            return Err(malformed());
        }
        Ok(Span { seconds })
    }
}

/// The exact length with no part that is nought: `1d`, `1h30m`, `0s`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_zero() {
            return f.pad("0s");
        }
        let mut text = String::new();
        let mut rest = self.seconds;
        for (unit, length) in UNITS {
            if rest >= length {
                text.push_str(&(rest / length).to_string());
                text.push(unit);
                rest %= length;
            }
        }
        f.pad(&text)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
        deserializer.deserialize_any(SpanVisitor)
    }
}

/// Takes a text and answers a bare number with the hint that [`FromStr`] gives for it.
struct SpanVisitor;

impl Visitor<'_> for SpanVisitor {
    type Value = Span;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a length of time like `24h` or `15m`")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Span, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Span, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Span, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Span, E> {
        self.visit_str(&number.to_string())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lengths_are_read_and_printed_in_their_shortest_exact_form() {
        fn check(text: &str, seconds: i64, printed: &str) {
            let span: Span = text.parse().unwrap();
            assert_eq!(span.as_seconds(), seconds, "{text}");
            assert_eq!(span.to_string(), printed, "{text}");
        }
        check("0s", 0, "0s");
        check("0d", 0, "0s");
        check("15m", 900, "15m");
        check("90m", 5_400, "1h30m");
        check("1h30m", 5_400, "1h30m");
        check("24h", 86_400, "1d");
        check("90d", 7_776_000, "90d");
        check("1d1s", 86_401, "1d1s");
        check("007s", 7, "7s");
        check("9223372036854775807s", i64::MAX, "106751991167300d15h30m7s");
    }

    #[test]
    fn what_is_no_length_of_time_is_refused_with_a_hint() {
        fn check(text: &str, expect: &str) {
            let fault = text.parse::<Span>().unwrap_err();
            assert_eq!(fault.to_string(), expect, "{text:?}");
        }
        check("30", "`30` has no unit: write `30s`, `30m`, `30h` or `30d`");
        check(
            "1h30",
            "`1h30` has no unit: write `30s`, `30m`, `30h` or `30d`",
        );
        for text in ["", "h", "-5m", "5 m", "1.5h", "24H", "2w", "5m ", "ü", "5ü"] {
            let hint = "write it like `90d`, `24h`, `1h30m` or `0s`";
            check(text, &format!("`{text}` is not a length of time: {hint}"));
        }
        for text in ["30m1h", "1h1h", "1h2m3h"] {
            let hint = "must name each unit once, the longest first, like `1d12h` or `1h30m`";
            check(text, &format!("`{text}` {hint}"));
        }
        check("9223372036854775808s", "`9223372036854775808s` is too long");
        check("106751991167301d", "`106751991167301d` is too long");
    }

    #[test]
    fn a_bare_number_in_the_configuration_is_refused_with_a_hint() {
        fn check(yaml: &str) {
            let fault = serde_yaml::from_str::<Span>(yaml).unwrap_err().to_string();
            assert!(fault.contains("write `30s`"), "{yaml}: {fault}");
        }
        check("30");
        check("\"30\"");
        let fault = serde_json::from_str::<Span>("30").unwrap_err().to_string();
        assert!(fault.contains("write `30s`"), "{fault}");
    }

    #[test]
    fn a_length_survives_the_configuration() {
        let span: Span = serde_yaml::from_str("1h30m").unwrap();
        assert_eq!(span, Span::minutes(90));
        assert_eq!(serde_json::to_string(&span).unwrap(), "\"1h30m\"");
        assert_eq!(serde_json::from_str::<Span>("\"1h30m\"").unwrap(), span);
    }

    #[test]
    fn a_length_is_never_negative() {
        assert_eq!(Span::seconds(-1), Span::ZERO);
        assert_eq!(Span::hours(i64::MIN), Span::ZERO);
        assert_eq!(Span::hours(i64::MAX).as_seconds(), i64::MAX);
        assert_eq!(Span::hours(24).as_std(), Duration::from_hours(24));
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(seconds in 0..=i64::MAX) {
            let span = Span::seconds(seconds);
            prop_assert_eq!(span.to_string().parse(), Ok(span));
        }
    }
}
