//! Whether a user may log in, as the attributes of products say it.
//!
//! Several rules may speak of one entry; it is inactive if any of them says so. What cannot be read is [`Status::Unknown`] and
//! never active: the status that was last seen goes on counting. A lock that opens by itself (`lockoutTime`, the ordinary
//! values of `pwdAccountLockedTime`) is no status: the account is its owner's all the while.

use serde::{Deserialize, Serialize};

use super::gather::Attributes;
use crate::clock::Timestamp;
use crate::model::Status;
use crate::text::fold;

/// The bit ACCOUNTDISABLE of `userAccountControl` (MS-ADTS 2.2.16).
const ACCOUNT_DISABLE: i64 = 0x2;
/// 1601-01-01, from which Windows counts, before 1970-01-01, in seconds.
const FILETIME_EPOCH: i64 = 11_644_473_600;
/// Windows counts in steps of 100 ns.
const FILETIME_STEPS: i64 = 10_000_000;
const DAY: i64 = 86_400;
/// The value by which an administrator locks an account for good (draft-behera-ldap-password-policy, section 5.3.3).
const LOCKED_FOR_GOOD: &str = "000001010000Z";

/// How one attribute says whether a user may log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum StatusRule {
    /// Active Directory: flags, of which 0x2 switches the account off. Every account has them, so an entry without them is one
    /// that may not be read in full.
    UserAccountControl,
    /// Active Directory: the moment from which on the account is expired; 0 and the largest number mean never.
    AccountExpires,
    /// 389 Directory Server and `FreeIPA`: `TRUE` switches the account off.
    NsAccountLock,
    /// `FreeIPA`: the moment from which on the account is expired.
    KrbPrincipalExpiration,
    /// RFC 2307: the day, counted from 1970-01-01, from which on the account is expired; -1 means never.
    ShadowExpire,
    /// `OpenLDAP`'s password policies: only the value that an administrator sets for good counts.
    PwdAccountLockedTime,
}

/// A rule of the site itself: who is active is said by the values of one attribute.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ActiveRule {
    /// The attribute.
    pub attribute: String,
    /// Who has one of these values is active, whoever has others only is not; case does not matter. The empty value stands for
    /// entries without the attribute, which else are unknown.
    pub values: Vec<String>,
}

/// What an entry says of its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the user may log in now.
    pub status: Status,
    /// The moment from which on an active user may not.
    pub expires: Option<Timestamp>,
}

/// What one rule says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Nothing,
    Expires(Timestamp),
    Inactive,
    Unreadable,
}

impl StatusRule {
    /// The attribute that is read, in lower case.
    pub fn attribute(self) -> &'static str {
        match self {
            StatusRule::UserAccountControl => "useraccountcontrol",
            StatusRule::AccountExpires => "accountexpires",
            StatusRule::NsAccountLock => "nsaccountlock",
            StatusRule::KrbPrincipalExpiration => "krbprincipalexpiration",
            StatusRule::ShadowExpire => "shadowexpire",
            StatusRule::PwdAccountLockedTime => "pwdaccountlockedtime",
        }
    }

    /// Whether every user has the attribute, so that one without it is one that may not be read in full.
    pub fn is_always_there(self) -> bool {
        self == StatusRule::UserAccountControl
    }

    fn says(self, value: &str) -> Said {
        match self {
            StatusRule::UserAccountControl => match value.parse::<i64>() {
                Ok(flags) if flags & ACCOUNT_DISABLE != 0 => Said::Inactive,
                Ok(_) => Said::Nothing,
                Err(_) => Said::Unreadable,
            },
            StatusRule::AccountExpires => match value.parse::<i64>() {
                Ok(0 | i64::MAX) => Said::Nothing,
                Ok(steps) if steps > 0 => {
                    Said::Expires(Timestamp(steps / FILETIME_STEPS - FILETIME_EPOCH))
                }
                _ => Said::Unreadable,
            },
            StatusRule::NsAccountLock => {
                if value.eq_ignore_ascii_case("true") {
                    Said::Inactive
                } else if value.eq_ignore_ascii_case("false") {
                    Said::Nothing
                } else {
                    Said::Unreadable
                }
            }
            StatusRule::KrbPrincipalExpiration => {
                generalized_time(value).map_or(Said::Unreadable, Said::Expires)
            }
            StatusRule::ShadowExpire => match value.parse::<i64>() {
                Ok(-1) => Said::Nothing,
                Ok(days) if days >= 0 => Said::Expires(Timestamp(days.saturating_mul(DAY))),
                _ => Said::Unreadable,
            },
            StatusRule::PwdAccountLockedTime if value == LOCKED_FOR_GOOD => Said::Inactive,
            StatusRule::PwdAccountLockedTime => Said::Nothing,
        }
    }
}

impl ActiveRule {
    /// What the entry says by this rule.
    pub fn status(&self, entry: &impl Attributes) -> Status {
        let name = self.attribute.to_ascii_lowercase();
        let listed = |value: &str| self.values.iter().any(|it| fold(it.trim()) == fold(value));
        let mut unreadable = false;
        let mut any = false;
        for value in entry.values(&name) {
            let Ok(value) = std::str::from_utf8(value) else {
                unreadable = true;
                continue;
            };
            let value = value.trim();
            if value.is_empty() {
                continue;
            }
            if listed(value) {
                return Status::Active;
            }
            any = true;
        }
        match (unreadable, any) {
            (false, true) => Status::Inactive,
            (false, false) if listed("") => Status::Active,
            _ => Status::Unknown,
        }
    }
}

/// What the rules say of an entry at a moment.
pub fn verdict(rules: &[StatusRule], entry: &impl Attributes, now: Timestamp) -> Verdict {
    let mut verdict = Verdict {
        status: Status::Active,
        expires: None,
    };
    for &rule in rules {
        match said(rule, entry) {
            Said::Inactive => verdict.status = Status::Inactive,
            Said::Expires(moment) if moment <= now => verdict.status = Status::Inactive,
            Said::Expires(moment) => {
                let sooner = verdict.expires.map_or(moment, |it| it.min(moment));
                verdict.expires = Some(sooner);
            }
            Said::Unreadable if verdict.status == Status::Active => {
                verdict.status = Status::Unknown;
            }
            Said::Nothing | Said::Unreadable => {}
        }
    }
    verdict
}

/// What one rule says of all values; each of these attributes has one at most, so several are read one by one and the strictest
/// counts.
fn said(rule: StatusRule, entry: &impl Attributes) -> Said {
    let mut strictest = None;
    for value in entry.values(rule.attribute()) {
        let value = std::str::from_utf8(value).map(str::trim);
        let said = match value {
            Ok("") if rule != StatusRule::UserAccountControl => continue,
            Ok(value) => rule.says(value),
            Err(_) => Said::Unreadable,
        };
        strictest = Some(match (strictest, said) {
            (Some(Said::Inactive), _) | (_, Said::Inactive) => Said::Inactive,
            (Some(Said::Unreadable), _) | (_, Said::Unreadable) => Said::Unreadable,
            (Some(Said::Expires(one)), Said::Expires(other)) => Said::Expires(one.min(other)),
            (Some(Said::Expires(one)), _) => Said::Expires(one),
            (_, said) => said,
        });
    }
    match strictest {
        None if rule.is_always_there() => Said::Unreadable,
        None => Said::Nothing,
        Some(said) => said,
    }
}

/// Reads a moment in the form of RFC 4517, section 3.3.13: `YYYYMMDDHH[MM[SS]][.fraction](Z|±HH[MM])`. Fractions are dropped.
fn generalized_time(text: &str) -> Option<Timestamp> {
    let (date_time, zone) = match text.find(['Z', '+', '-']) {
        Some(at) => text.split_at(at),
        None => return None,
    };
    let digits = date_time.split(['.', ',']).next()?;
    let number = |from: usize, to: usize| -> Option<u32> {
        let part = digits.get(from..to)?;
        let sound = part.bytes().all(|byte| byte.is_ascii_digit());
        sound.then(|| part.parse().ok())?
    };
    let optional = |from: usize| match digits.len() {
        len if len <= from => Some(0),
        _ => number(from, from + 2),
    };
    if !matches!(digits.len(), 10 | 12 | 14) {
        return None;
    }
    let year = i32::try_from(number(0, 4)?).ok()?;
    let day = chrono::NaiveDate::from_ymd_opt(year, number(4, 6)?, number(6, 8)?)?;
    // A leap second is the one before it, for what is asked here.
    let time = day.and_hms_opt(number(8, 10)?, optional(10)?, optional(12)?.min(59))?;
    Some(Timestamp(time.and_utc().timestamp() - offset(zone)?))
}

/// The seconds by which a zone is ahead of UTC.
fn offset(zone: &str) -> Option<i64> {
    let sign = match zone.as_bytes().first()? {
        b'Z' => return (zone.len() == 1).then_some(0),
        b'+' => 1,
        _ => -1,
    };
    let digits = &zone[1..];
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let hours: i64 = digits[..2].parse().ok()?;
    let minutes: i64 = match &digits[2..] {
        "" => 0,
        minutes => minutes.parse().ok()?,
    };
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::StatusRule::{
        AccountExpires, KrbPrincipalExpiration, NsAccountLock, PwdAccountLockedTime, ShadowExpire,
        UserAccountControl,
    };
    use super::*;

    /// 2026-11-21T22:00:00Z.
    const NOW: Timestamp = Timestamp(1_795_298_400);

    struct Fake<'a>(&'a [(&'a str, &'a str)]);

    impl Attributes for Fake<'_> {
        fn dn(&self) -> &[u8] {
            b"cn=a"
        }

        fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
            let named = self.0.iter().filter(move |it| it.0 == name);
            named.map(|it| it.1.as_bytes())
        }
    }

    #[track_caller]
    fn check(rule: StatusRule, value: &str, status: Status, expires: Option<i64>) {
        let entry = [(rule.attribute(), value)];
        let told = verdict(&[rule], &Fake(&entry), NOW);
        let expect = Verdict {
            status,
            expires: expires.map(Timestamp),
        };
        assert_eq!(told, expect, "{rule:?} {value}");
    }

    #[test]
    fn each_rule_reads_its_attribute() {
        use Status::{Active, Inactive, Unknown};
        check(UserAccountControl, "512", Active, None);
        check(UserAccountControl, "514", Inactive, None);
        check(UserAccountControl, "66050", Inactive, None);
        // A lockout is no status.
        check(UserAccountControl, "528", Active, None);
        check(UserAccountControl, "-2147483646", Inactive, None);
        check(UserAccountControl, "", Unknown, None);
        check(UserAccountControl, "0x202", Unknown, None);
        check(AccountExpires, "0", Active, None);
        check(AccountExpires, "9223372036854775807", Active, None);
        let at = |seconds: i64| ((seconds + FILETIME_EPOCH) * FILETIME_STEPS).to_string();
        check(AccountExpires, &at(NOW.0), Inactive, None);
        check(AccountExpires, &at(NOW.0 + 1), Active, Some(NOW.0 + 1));
        check(AccountExpires, "-1", Unknown, None);
        check(AccountExpires, "never", Unknown, None);
        check(NsAccountLock, "true", Inactive, None);
        check(NsAccountLock, "TRUE", Inactive, None);
        check(NsAccountLock, "False", Active, None);
        check(NsAccountLock, "1", Unknown, None);
        check(KrbPrincipalExpiration, "20261121220000Z", Inactive, None);
        check(
            KrbPrincipalExpiration,
            "20261121220001Z",
            Active,
            Some(NOW.0 + 1),
        );
        check(KrbPrincipalExpiration, "soon", Unknown, None);
        check(ShadowExpire, "-1", Active, None);
        check(ShadowExpire, "", Active, None);
        check(ShadowExpire, "0", Inactive, None);
        check(ShadowExpire, "20778", Inactive, None);
        check(ShadowExpire, "20779", Active, Some(20_779 * DAY));
        check(ShadowExpire, "99999999999999999", Active, Some(i64::MAX));
        check(ShadowExpire, "-7", Unknown, None);
        check(ShadowExpire, "x", Unknown, None);
        check(PwdAccountLockedTime, "000001010000Z", Inactive, None);
        check(PwdAccountLockedTime, "20261121210000Z", Active, None);
    }

    #[test]
    fn what_is_not_there_says_nothing_unless_it_always_is() {
        for rule in [
            AccountExpires,
            NsAccountLock,
            KrbPrincipalExpiration,
            ShadowExpire,
            PwdAccountLockedTime,
        ] {
            let told = verdict(&[rule], &Fake(&[]), NOW);
            assert_eq!(told.status, Status::Active, "{rule:?}");
        }
        let told = verdict(&[UserAccountControl], &Fake(&[]), NOW);
        assert_eq!(told.status, Status::Unknown);
    }

    #[test]
    fn one_rule_that_says_inactive_is_enough() {
        let rules = [UserAccountControl, AccountExpires, NsAccountLock];
        let check = |entry: &[(&str, &str)], expect| {
            let told = verdict(&rules, &Fake(entry), NOW);
            assert_eq!(told.status, expect, "{entry:?}");
        };
        let (on, off) = (("useraccountcontrol", "512"), ("useraccountcontrol", "514"));
        check(&[on], Status::Active);
        check(&[on, ("accountexpires", "1")], Status::Inactive);
        check(&[off, ("accountexpires", "x")], Status::Inactive);
        check(&[("accountexpires", "x"), off], Status::Inactive);
        check(&[("nsaccountlock", "TRUE")], Status::Inactive);
        check(&[on, ("nsaccountlock", "?")], Status::Unknown);
        check(&[on, off], Status::Inactive);
        check(&[off, on], Status::Inactive);
        // Not asked for, hence not read.
        check(&[on, ("lockouttime", "133")], Status::Active);
    }

    #[test]
    fn the_sites_own_rule_knows_active_values() {
        let rule = |values: &[&str]| ActiveRule {
            attribute: "employeeStatus".to_owned(),
            values: values.iter().map(|it| (*it).to_owned()).collect(),
        };
        let check = |values: &[&str], entry: &[&str], expect| {
            let entry: Vec<_> = entry.iter().map(|it| ("employeestatus", *it)).collect();
            let told = rule(values).status(&Fake(&entry));
            assert_eq!(told, expect, "{values:?} {entry:?}");
        };
        check(&["A", "B"], &["a"], Status::Active);
        check(&["A", "B"], &["x", "b"], Status::Active);
        check(&["A"], &["x"], Status::Inactive);
        check(&["A"], &[], Status::Unknown);
        check(&["A"], &[" "], Status::Unknown);
        check(&["A", ""], &[], Status::Active);
        check(&["A", ""], &["x"], Status::Inactive);
    }

    #[test]
    fn a_moment_of_ldap_is_read() {
        for (text, expect) in [
            ("20261121220000Z", Some(NOW.0)),
            ("202611212200Z", Some(NOW.0)),
            ("2026112122Z", Some(NOW.0)),
            ("20261121220000.5Z", Some(NOW.0)),
            ("20261121220000,5Z", Some(NOW.0)),
            ("20261121230000+0100", Some(NOW.0)),
            ("20261121173000-0430", Some(NOW.0)),
            ("20261121230000+01", Some(NOW.0)),
            ("19700101000000Z", Some(0)),
            ("20161231235960Z", Some(1_483_228_799)),
            ("20261121220000", None),
            ("20261321220000Z", None),
            ("20261121250000Z", None),
            ("20261121220000Zx", None),
            ("20261121220000+1", None),
            ("20261121220000+2500", None),
            ("2026112122000Z", None),
            ("2026112é220000Z", None),
            ("Z", None),
            ("", None),
        ] {
            assert_eq!(generalized_time(text).map(|it| it.0), expect, "{text}");
        }
    }
}
