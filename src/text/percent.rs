//! Percentages as limits: `20%`, `2.5%`, `100%`.
//!
//! Kept as whole hundredths of a percent, because a limit must come out the same on every machine and on
//! every side of a comparison.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};
use thiserror::Error;

/// Hundredths of a percent in one whole.
const WHOLE: u32 = 10_000;

/// A share of so few things is not worth a guard's alarm, as long as less than half is concerned.
const SHARE_LEAST: u64 = 5;

/// A percentage from 0 % to 100 %, exact to a hundredth of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Percent {
    hundredths: u32,
}

/// Why a text is no percentage.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadPercent {
    /// A number stands without the sign.
    #[error("`{text}` has no percent sign: write `{text}%`")]
    NoSign {
        /// What was written.
        text: String,
    },
    /// The number is negative or above a hundred.
    #[error("`{text}` is not between `0%` and `100%`")]
    OutOfRange {
        /// What was written.
        text: String,
    },
    /// Anything else, more than two digits behind the point included.
    #[error(
        "`{text}` is not a percentage: write it like `20%` or `2.5%`, with at most two decimals"
    )]
    Malformed {
        /// What was written.
        text: String,
    },
}

impl Percent {
    /// The whole. As a limit it means that there is none.
    pub const HUNDRED: Percent = Percent::whole(100);

    /// A whole number of percent; above 100 gives 100 %.
    pub const fn whole(percent: u32) -> Percent {
        Percent {
            hundredths: if percent > 100 { WHOLE } else { percent * 100 },
        }
    }

    /// `⌊p·n⌋`.
    pub const fn floor_of(self, n: u64) -> u64 {
        let product = self.hundredths as u128 * n as u128;
        // The quotient is at most `n`, so it fits.
        (product / WHOLE as u128) as u64
    }

    /// The share that a guard allows out of `n` things: `min(max(⌊p·n⌋, 5), ⌈n/2⌉ − 1)`, never below zero
    /// (design, section 4.2). `None` at 100 %: the guard is off.
    pub fn share(self, n: u64) -> Option<u64> {
        if self == Percent::HUNDRED {
            return None;
        }
        let below_half = n.div_ceil(2).saturating_sub(1);
        Some(self.floor_of(n).max(SHARE_LEAST).min(below_half))
    }
}

impl FromStr for Percent {
    type Err = BadPercent;

    fn from_str(text: &str) -> Result<Percent, BadPercent> {
        let malformed = || BadPercent::Malformed { text: text.into() };
        let (number, signed) = match text.strip_suffix('%') {
            Some(number) => (number, true),
            None => (text, false),
        };
        let (positive, negative) = match number.strip_prefix('-') {
            Some(number) => (number, true),
            None => (number, false),
        };
        let (units, decimals) = match positive.split_once('.') {
            Some((units, decimals)) if !decimals.is_empty() => (units, decimals),
            Some(_) => return Err(malformed()),
            None => (positive, ""),
        };
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if units.is_empty() || decimals.len() > 2 || !digits(units) || !digits(decimals) {
            return Err(malformed());
        }
        if !signed {
            return Err(BadPercent::NoSign { text: text.into() });
        }
        // More digits than a number can hold are out of range as well.
        let hundredths = format!("{units}{decimals:0<2}").parse().ok();
        match hundredths.filter(|&it| it <= WHOLE && !negative) {
            Some(hundredths) => Ok(Percent { hundredths }),
            None => Err(BadPercent::OutOfRange { text: text.into() }),
        }
    }
}

/// The exact percentage without needless noughts: `20%`, `2.5%`, `0.05%`.
impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (units, decimals) = (self.hundredths / 100, self.hundredths % 100);
        let text = match decimals {
            0 => format!("{units}%"),
            tenths if tenths % 10 == 0 => format!("{units}.{}%", tenths / 10),
            _ => format!("{units}.{decimals:02}%"),
        };
        f.pad(&text)
    }
}

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Percent, D::Error> {
        deserializer.deserialize_any(PercentVisitor)
    }
}

/// Takes a text and answers a bare number with the hint that [`FromStr`] gives for it.
struct PercentVisitor;

impl Visitor<'_> for PercentVisitor {
    type Value = Percent;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a percentage like `20%`")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Percent, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Percent, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Percent, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Percent, E> {
        self.visit_str(&number.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_at_least_five_and_always_less_than_half() {
        fn check(percent: &str, expect: [(u64, u64); 11]) {
            let percent: Percent = percent.parse().unwrap();
            for (n, share) in expect {
                assert_eq!(percent.share(n), Some(share), "{percent} of {n}");
            }
        }
        check(
            "20%",
            [
                (0, 0),
                (1, 0),
                (2, 0),
                (3, 1),
                (9, 4),
                (10, 4),
                (11, 5),
                (25, 5),
                (26, 5),
                (50, 10),
                (100, 20),
            ],
        );
        check(
            "0%",
            [
                (0, 0),
                (1, 0),
                (2, 0),
                (3, 1),
                (9, 4),
                (10, 4),
                (11, 5),
                (25, 5),
                (26, 5),
                (50, 5),
                (100, 5),
            ],
        );
        check(
            "99.99%",
            [
                (0, 0),
                (1, 0),
                (2, 0),
                (3, 1),
                (9, 4),
                (10, 4),
                (11, 5),
                (25, 12),
                (26, 12),
                (50, 24),
                (100, 49),
            ],
        );
        let ten = Percent::whole(10);
        assert_eq!(ten.share(59), Some(5));
        assert_eq!(ten.share(60), Some(6));
        assert_eq!(ten.share(u64::MAX), Some(u64::MAX / 10));
    }

    #[test]
    fn a_hundred_percent_switches_the_guard_off() {
        assert_eq!(Percent::HUNDRED.share(0), None);
        assert_eq!(Percent::HUNDRED.share(100), None);
        assert_eq!(Percent::HUNDRED.floor_of(u64::MAX), u64::MAX);
    }

    #[test]
    fn a_part_is_rounded_down() {
        fn check(percent: &str, n: u64, expect: u64) {
            let percent: Percent = percent.parse().unwrap();
            assert_eq!(percent.floor_of(n), expect, "{percent} of {n}");
        }
        check("20%", 0, 0);
        check("20%", 4, 0);
        check("20%", 5, 1);
        check("2.5%", 39, 0);
        check("2.5%", 40, 1);
        check("0.01%", 9_999, 0);
        check("0.01%", 10_000, 1);
    }

    #[test]
    fn percentages_are_read_and_printed_without_loss() {
        fn check(text: &str, printed: &str) {
            let percent: Percent = text.parse().unwrap();
            assert_eq!(percent.to_string(), printed);
            assert_eq!(printed.parse(), Ok(percent));
        }
        check("0%", "0%");
        check("20%", "20%");
        check("2.5%", "2.5%");
        check("2.50%", "2.5%");
        check("0.05%", "0.05%");
        check("12.34%", "12.34%");
        check("100.00%", "100%");
        assert_eq!(Percent::whole(20), "20%".parse().unwrap());
        assert_eq!(Percent::whole(200), Percent::HUNDRED);
    }

    #[test]
    fn what_is_no_percentage_is_refused_with_a_hint() {
        fn check(text: &str, expect: &str) {
            let fault = text.parse::<Percent>().unwrap_err();
            assert_eq!(fault.to_string(), expect, "{text:?}");
        }
        check("20", "`20` has no percent sign: write `20%`");
        check("0.2", "`0.2` has no percent sign: write `0.2%`");
        for text in ["101%", "100.01%", "-1%", "99999999999999999999%"] {
            check(text, &format!("`{text}` is not between `0%` and `100%`"));
        }
        for text in ["", "%", "a%", "1.%", ".5%", "1.234%", "20 %", "+5%", "1,5%"] {
            let hint = "write it like `20%` or `2.5%`, with at most two decimals";
            check(text, &format!("`{text}` is not a percentage: {hint}"));
        }
    }

    #[test]
    fn a_percentage_survives_the_configuration_and_a_bare_number_does_not() {
        let percent: Percent = serde_yaml::from_str("2.5%").unwrap();
        assert_eq!(serde_json::to_string(&percent).unwrap(), "\"2.5%\"");
        for yaml in ["20", "\"20\""] {
            let fault = serde_yaml::from_str::<Percent>(yaml).unwrap_err();
            assert!(fault.to_string().contains("write `20%`"), "{yaml}: {fault}");
        }
        let fault = serde_json::from_str::<Percent>("0.2").unwrap_err();
        assert!(fault.to_string().contains("write `0.2%`"), "{fault}");
    }
}
