//! Waiting for a condition rather than for an event: what has happened before the question counts too.

use std::time::Duration;

/// How long a condition may take. Far more than any needs, so that a loaded machine does not fail a test.
const TRIES: u32 = 3000;
const PAUSE: Duration = Duration::from_millis(10);

/// Asks until `condition` has an answer, for 30 seconds at most.
///
/// # Panics
///
/// When the time is over; `what` then says what was waited for.
pub(crate) fn until<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    for _ in 0..TRIES {
        if let Some(answer) = condition() {
            return answer;
        }
        pause();
    }
    panic!("waited {:?} in vain: {what}", PAUSE * TRIES);
}

#[expect(
    clippy::disallowed_methods,
    reason = "another process is waited for, which no clock of ours moves"
)]
fn pause() {
    std::thread::sleep(PAUSE);
}
