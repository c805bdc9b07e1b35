//! What is asked again, and when.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

use chrono::DateTime;
use reqwest::{Method, StatusCode};

use super::fault::HttpError;
use crate::clock::Timestamp;

/// How often something is asked at most.
const TIMES_MAX: u32 = 3;
/// How long is waited before the second time; before each further one twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest wait that a server can ask for and get.
pub(super) const ASKED_WAIT_MAX: Duration = Duration::from_mins(1);

/// Whether a request that was sent `times` times with this end is sent again. Reads only: a write whose end is unknown is the
/// caller's to clear up, and one that was refused is refused.
pub(super) fn is_due<T>(
    method: &Method,
    times: u32,
    status: impl Fn(&T) -> StatusCode,
    end: &Result<T, HttpError>,
) -> bool {
    let passing = match end {
        Ok(answer) => is_passing(status(answer)),
        Err(error) => matches!(error, HttpError::Unreachable(_) | HttpError::Cut(_)),
    };
    passing && times < TIMES_MAX && *method == Method::GET
}

/// Whether a status says that the same question may be answered soon.
fn is_passing(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}

/// How long is waited after the request was sent `times` times, at least once: growing, and never the same for two, so that
/// many that failed together do not come back together.
pub(super) fn back_off(times: u32) -> Duration {
    let whole = FIRST_WAIT * 2_u32.saturating_pow(times.saturating_sub(1));
    let half = whole / 2;
    // The standard library's hasher is keyed by chance.
    let chance = RandomState::new().build_hasher().finish() as u32;
    half + half.mul_f64(f64::from(chance) / f64::from(u32::MAX))
}

/// What `Retry-After` asks for (RFC 9110, section 10.2.3): seconds, or a date, of which one that has passed asks for nothing.
pub(super) fn asked_wait(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|it| it.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = DateTime::parse_from_rfc2822(value).ok()?;
    let wait = date.timestamp().saturating_sub(now.0);
    Some(Duration::from_secs(u64::try_from(wait).unwrap_or(0)))
}
