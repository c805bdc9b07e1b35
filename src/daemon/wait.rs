//! Waiting for a wall-clock time.
//!
//! A timer measures the time that passes, while a schedule follows what the clock shows, which an administrator, NTP or a
//! suspended machine may change meanwhile. So one long wait is many short ones, with a look at the clock in between.

use std::time::Duration;

use crate::clock::{Clock, Timestamp};

/// The longest wait without a look at the clock.
const SLICE_MAX: Duration = Duration::from_secs(30);
/// How far the clock may go back before what was computed from it is computed anew. Small corrections stay below, for
/// else a tick would come twice.
const BACK_MAX_SECONDS: i64 = 60;

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Woke {
    /// The time has come.
    Due,
    /// The clock was put back, so the time may be another.
    PutBack,
}

/// Waits until the clock shows `at`, or is put back.
pub(super) async fn until(clock: &dyn Clock, at: Timestamp) -> Woke {
    let mut seen = clock.now();
    loop {
        let now = clock.now();
        if now >= at {
            return Woke::Due;
        }
        if was_put_back(seen, now) {
            return Woke::PutBack;
        }
        seen = now;
        clock
            .sleep(at.elapsed_since(now).as_std().min(SLICE_MAX))
            .await;
    }
}

/// Whether a clock that showed `before` and shows `now` was put back.
pub(super) fn was_put_back(before: Timestamp, now: Timestamp) -> bool {
    now.0.saturating_add(BACK_MAX_SECONDS) < before.0
}
