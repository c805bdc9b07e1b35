//! What is asked again, and when.
//!
//! Only what does no more when it is done twice: a write whose end is unknown is the caller's to clear up, and one that was
//! refused is refused.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

use chrono::DateTime;
use reqwest::{Method, StatusCode};

use super::fault::HttpError;
use super::{Again, Request};
use crate::clock::Timestamp;

/// How often something is asked at most.
const TIMES_MAX: u32 = 3;
/// How long is waited before the second time, at most; before each further one twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest wait that a server can ask for and get.
pub(super) const ASKED_WAIT_MAX: Duration = Duration::from_mins(1);

/// What a beginning of an answer says about asking again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Said {
    /// Whether the same question may be answered soon.
    pub(super) passing: bool,
    /// How long the server wants to be left alone, if it is one that may be asked again.
    wait: Option<Duration>,
}

impl Said {
    /// What a status and a `Retry-After` say (RFC 6585, section 4; RFC 9110, sections 10.2.3 and 15.6).
    pub(super) fn by(status: StatusCode, retry_after: Option<&str>, now: Timestamp) -> Said {
        let passing = matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS
                | StatusCode::BAD_GATEWAY
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::GATEWAY_TIMEOUT
        );
        let wait = retry_after.and_then(|it| asked_wait(it, now));
        Said { passing, wait }
    }

    /// How long the server wants to be left alone.
    pub(super) fn asked(self) -> Option<Duration> {
        self.wait.filter(|_| self.passing)
    }
}

/// How long is waited before a request is sent again that was sent `times` times, the last time with this end: what the
/// answer said, if one began, and what failed, if something did. `None`: it is not sent again. That is so too where the
/// server wants to be left alone for longer than a minute, since asking sooner would be of no use.
pub(super) fn wait(
    request: &Request<'_>,
    times: u32,
    said: Option<Said>,
    failed: Option<&HttpError>,
) -> Option<Duration> {
    let patient_max = match request.again {
        Again::Reads if request.method != Method::GET => return None,
        Again::Reads => TIMES_MAX,
        Again::Patiently { times, .. } => times,
    };
    let failed = failed.is_some_and(HttpError::is_passing) && times < TIMES_MAX;
    let passing = said.is_some_and(|it| it.passing) && times < patient_max;
    if !failed && !passing {
        return None;
    }
    let asked = said.and_then(Said::asked);
    Some(asked.unwrap_or_else(|| back_off(times))).filter(|it| *it <= ASKED_WAIT_MAX)
}

/// Growing, and never the same for two: many that failed together are not to come back together.
fn back_off(times: u32) -> Duration {
    let half = FIRST_WAIT * 2_u32.saturating_pow(times.saturating_sub(1)) / 2;
    // The standard library's hasher is keyed by chance.
    let chance = RandomState::new().build_hasher().finish() as u32;
    half + half.mul_f64(f64::from(chance) / f64::from(u32::MAX))
}

/// What `Retry-After` asks for: seconds, or a date, of which one that has passed asks for no time at all. Of the three forms
/// of a date only the one that servers may still write is understood.
fn asked_wait(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|it| it.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = DateTime::parse_from_rfc2822(value).ok()?;
    let wait = date.timestamp().saturating_sub(now.0);
    Some(Duration::from_secs(u64::try_from(wait).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(784_111_777);

    #[test]
    fn a_wait_is_asked_for_in_seconds_or_by_a_date() {
        fn check(value: &str, expect: Option<u64>) {
            let wait = asked_wait(value, NOW);
            assert_eq!(wait, expect.map(Duration::from_secs), "{value}");
        }
        check("0", Some(0));
        check(" 120 ", Some(120));
        check("99999999999999999999999", Some(u64::MAX));
        check("Sun, 06 Nov 1994 08:49:47 GMT", Some(10));
        check("Sun, 06 Nov 1994 08:49:27 GMT", Some(0));
        for value in ["", "-1", "1.5", "soon", "+5", "Sun, 06 Nov"] {
            check(value, None);
        }
    }

    fn request(method: &Method, again: Again) -> Request<'static> {
        Request {
            operation: "search users",
            method: method.clone(),
            again,
            url: "http://x/".parse().unwrap(),
            login: None,
            accept: "",
            body: None,
            limit: 1,
        }
    }

    #[test]
    fn what_passes_is_asked_again_three_times_in_all_and_only_if_it_reads() {
        fn check(method: &Method, times: u32, status: u16, expect: bool) {
            let status = StatusCode::from_u16(status).unwrap();
            let said = Said::by(status, None, NOW);
            let found = wait(&request(method, Again::Reads), times, Some(said), None).is_some();
            assert_eq!(found, expect, "{method} {times} {status}");
        }
        for status in [429, 502, 503, 504] {
            check(&Method::GET, 1, status, true);
            check(&Method::GET, 2, status, true);
            check(&Method::GET, 3, status, false);
            for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
                check(&method, 1, status, false);
            }
        }
        for status in [200, 301, 400, 401, 403, 404, 408, 500, 501] {
            check(&Method::GET, 1, status, false);
        }
    }

    #[test]
    fn a_request_that_can_wait_is_asked_again_whatever_it_is_and_as_often_as_it_says() {
        let patient = Again::Patiently {
            times: 5,
            is_busy: |_| true,
        };
        let check = |times, said: Option<Said>, failed: Option<&HttpError>, expect| {
            let found = wait(&request(&Method::POST, patient), times, said, failed).is_some();
            assert_eq!(found, expect, "{times} {said:?} {failed:?}");
        };
        let busy = Some(Said::by(StatusCode::TOO_MANY_REQUESTS, None, NOW));
        check(4, busy, None, true);
        check(5, busy, None, false);
        let failed = HttpError::Cut(String::new());
        check(2, None, Some(&failed), true);
        check(3, None, Some(&failed), false);
    }

    #[test]
    fn a_failure_of_the_line_is_asked_again_and_no_other() {
        fn check(error: &HttpError, expect: bool) {
            let found = wait(&request(&Method::GET, Again::Reads), 1, None, Some(error)).is_some();
            assert_eq!(found, expect, "{error:?}");
            assert_eq!(
                wait(&request(&Method::POST, Again::Reads), 1, None, Some(error)),
                None
            );
        }
        check(&HttpError::Unreachable(String::new()), true);
        check(&HttpError::Cut(String::new()), true);
        check(&HttpError::Redirected(String::new()), false);
        check(&HttpError::Html(String::new()), false);
        check(&HttpError::TooLarge(String::new()), false);
    }

    #[test]
    fn the_server_says_how_long_and_nobody_waits_longer_than_a_minute() {
        fn check(status: u16, retry_after: &str, expect: Option<u64>) {
            let status = StatusCode::from_u16(status).unwrap();
            let said = Said::by(status, Some(retry_after), NOW);
            let found = wait(&request(&Method::GET, Again::Reads), 1, Some(said), None);
            assert_eq!(
                found,
                expect.map(Duration::from_secs),
                "{status} {retry_after}"
            );
        }
        check(429, "7", Some(7));
        check(503, "60", Some(60));
        check(503, "61", None);
        check(404, "7", None);
        let unused = Said::by(StatusCode::CREATED, Some("7"), NOW);
        assert_eq!(unused.asked(), None);
    }

    #[test]
    fn waits_grow_and_differ() {
        for (times, least) in [(1, 500), (2, 1_000), (3, 2_000)] {
            let waits: Vec<Duration> = (0..50).map(|_| back_off(times)).collect();
            let least = Duration::from_millis(least);
            assert!(
                waits.iter().all(|it| (least..=least * 2).contains(it)),
                "{waits:?}"
            );
            assert!(waits.iter().any(|it| *it != waits[0]), "{waits:?}");
        }
    }
}
