//! Time as an argument.
//!
//! Nothing in the crate asks the machine for the time but [`SystemClock`]: whoever needs the time is handed
//! a [`Timestamp`] or a [`Clock`], so that a test can live through a week in a millisecond and a law can
//! plan twice at one moment.
//!
//! Wall time and monotonic time are kept apart. Wall time says when something was seen and may leap either
//! way when an administrator or NTP sets it; monotonic time measures how long something takes and only goes
//! forward. Comparing the two shows a leap.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::text::Span;

/// A moment, in whole seconds since 1970-01-01T00:00:00Z, negative before.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

/// A text that is no moment in the form of RFC 3339.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not a moment: write it like `2026-11-21T22:00:00Z`")]
pub struct BadTimestamp {
    text: String,
    #[source]
    cause: chrono::ParseError,
}

/// Where the time comes from.
pub trait Clock: Send + Sync + 'static {
    /// The wall time. Two calls may go backwards.
    fn now(&self) -> Timestamp;

    /// The time that passed since some fixed moment. It never goes backwards.
    fn monotonic(&self) -> Duration;

    /// Waits until `d` of monotonic time has passed since this call. Dropping the future ends the wait.
    fn sleep(&self, d: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// The clock of the machine. Its monotonic time counts from when it was made.
#[derive(Debug, Clone)]
pub struct SystemClock {
    start: tokio::time::Instant,
}

/// A clock for tests that moves only when it is told to.
#[derive(Debug)]
pub struct ManualClock {
    state: Mutex<ManualState>,
}

#[derive(Debug)]
struct ManualState {
    now: Timestamp,
    monotonic: Duration,
    /// Who waits, by deadline in monotonic time and by a number that tells two of one deadline apart.
    sleepers: BTreeMap<SleeperKey, Waker>,
    next_sleeper: u64,
}

type SleeperKey = (Duration, u64);

/// A wait on a [`ManualClock`].
struct ManualSleep<'a> {
    clock: &'a ManualClock,
    key: SleeperKey,
}

impl Timestamp {
    /// Reads RFC 3339, with any offset; fractions of a second are dropped towards the past.
    ///
    /// # Errors
    /// [`BadTimestamp`] when the text has another form or names a moment that does not exist.
    pub fn parse_rfc3339(text: &str) -> Result<Timestamp, BadTimestamp> {
        match DateTime::parse_from_rfc3339(text) {
            Ok(moment) => Ok(Timestamp(moment.timestamp())),
            Err(cause) => Err(BadTimestamp {
                text: text.to_owned(),
                cause,
            }),
        }
    }

    /// The moment that lies `span` later, at most the last one that fits.
    #[must_use]
    pub const fn plus(self, span: Span) -> Timestamp {
        Timestamp(self.0.saturating_add(span.as_seconds()))
    }

    /// How long `earlier` is ago; no time at all if it lies in the future.
    pub const fn elapsed_since(self, earlier: Timestamp) -> Span {
        Span::seconds(self.0.saturating_sub(earlier.0))
    }

    /// The moment as `chrono` has it; beyond the years that it knows, the nearest moment that it knows.
    pub fn to_chrono(self) -> DateTime<Utc> {
        let nearest = if self.0 < 0 {
            DateTime::<Utc>::MIN_UTC
        } else {
            DateTime::<Utc>::MAX_UTC
        };
        DateTime::from_timestamp(self.0, 0).unwrap_or(nearest)
    }
}

/// RFC 3339 in UTC: `2026-11-21T22:00:00Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.to_chrono().to_rfc3339_opts(SecondsFormat::Secs, true))
    }
}

impl SystemClock {
    /// The clock of the machine.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place where ambient time enters"
    )]
    pub fn new() -> SystemClock {
        SystemClock {
            start: tokio::time::Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> SystemClock {
        SystemClock::new()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place where ambient time enters"
)]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp(DateTime::<Utc>::from(SystemTime::now()).timestamp())
    }

    // Tokio's instant, not the standard library's: it moves together with Tokio's sleep, paused or not.
    fn monotonic(&self) -> Duration {
        tokio::time::Instant::now().duration_since(self.start)
    }

    fn sleep(&self, d: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(tokio::time::sleep(d))
    }
}

impl ManualClock {
    /// A clock that stands at `now`, its monotonic time at zero.
    pub fn new(now: Timestamp) -> ManualClock {
        ManualClock {
            state: Mutex::new(ManualState {
                now,
                monotonic: Duration::ZERO,
                sleepers: BTreeMap::new(),
                next_sleeper: 0,
            }),
        }
    }

    /// Lets time pass: wall and monotonic time go on by `span`, and whoever slept long enough wakes.
    pub fn advance(&self, span: Span) {
        let mut state = self.state();
        state.now = state.now.plus(span);
        state.monotonic += span.as_std();
        let passed = state.monotonic;
        let asleep = state.sleepers.split_off(&(passed, u64::MAX));
        let due = std::mem::replace(&mut state.sleepers, asleep);
        // A waker may run code that asks this very clock for the time.
        drop(state);
        due.into_values().for_each(Waker::wake);
    }

    /// Sets the wall time, forwards or backwards, as an administrator does. No time passes by that: the
    /// monotonic time stays and nobody wakes.
    pub fn set(&self, now: Timestamp) {
        self.state().now = now;
    }

    /// How many sleeps were begun (awaited at least once) and have neither ended nor been dropped.
    pub fn sleepers(&self) -> usize {
        self.state().sleepers.len()
    }

    fn state(&self) -> MutexGuard<'_, ManualState> {
        // No code of others runs under the lock, so a poisoned state is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.state().now
    }

    fn monotonic(&self) -> Duration {
        self.state().monotonic
    }

    fn sleep(&self, d: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let mut state = self.state();
        let key = (state.monotonic.saturating_add(d), state.next_sleeper);
        state.next_sleeper += 1;
        Box::pin(ManualSleep { clock: self, key })
    }
}

impl Future for ManualSleep<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.clock.state();
        let (deadline, _) = self.key;
        if state.monotonic >= deadline {
            return Poll::Ready(());
        }
        state.sleepers.insert(self.key, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for ManualSleep<'_> {
    fn drop(&mut self) {
        self.clock.state().sleepers.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const NOON: Timestamp = Timestamp(1_795_262_400);

    #[test]
    fn a_moment_is_printed_and_read_as_rfc_3339() {
        fn check(text: &str, seconds: i64, printed: &str) {
            let moment = Timestamp::parse_rfc3339(text).unwrap();
            assert_eq!(moment, Timestamp(seconds), "{text}");
            assert_eq!(moment.to_string(), printed, "{text}");
        }
        check("1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z");
        check(
            "2026-11-21T22:00:00Z",
            1_795_298_400,
            "2026-11-21T22:00:00Z",
        );
        check(
            "2026-11-21T23:00:00+01:00",
            1_795_298_400,
            "2026-11-21T22:00:00Z",
        );
        check("1969-12-31T23:59:59.9Z", -1, "1969-12-31T23:59:59Z");
    }

    #[test]
    fn a_text_of_another_form_is_no_moment() {
        for text in [
            "",
            "2026-11-21",
            "2026-11-21T22:00:00",
            "2026-02-30T00:00:00Z",
        ] {
            let fault = Timestamp::parse_rfc3339(text).unwrap_err();
            let hint = "is not a moment: write it like `2026-11-21T22:00:00Z`";
            assert_eq!(fault.to_string(), format!("`{text}` {hint}"));
        }
    }

    #[test]
    fn arithmetic_stops_at_the_ends() {
        assert_eq!(NOON.plus(Span::hours(1)), Timestamp(NOON.0 + 3_600));
        assert_eq!(
            Timestamp(i64::MAX).plus(Span::seconds(1)),
            Timestamp(i64::MAX)
        );
        assert_eq!(NOON.elapsed_since(Timestamp(NOON.0 - 5)), Span::seconds(5));
        assert_eq!(NOON.elapsed_since(Timestamp(NOON.0 + 5)), Span::ZERO);
        assert_eq!(
            Timestamp(i64::MAX).elapsed_since(Timestamp(i64::MIN)),
            Span::seconds(i64::MAX)
        );
        assert_eq!(Timestamp(i64::MAX).to_chrono(), DateTime::<Utc>::MAX_UTC);
        assert_eq!(Timestamp(i64::MIN).to_chrono(), DateTime::<Utc>::MIN_UTC);
    }

    #[test]
    fn a_moment_is_stored_as_its_number() {
        assert_eq!(serde_json::to_string(&Timestamp(7)).unwrap(), "7");
        assert_eq!(
            serde_json::from_str::<Timestamp>("-7").unwrap(),
            Timestamp(-7)
        );
    }

    #[test]
    fn a_manual_clock_stands_still_until_it_is_moved() {
        let clock = ManualClock::new(NOON);
        assert_eq!((clock.now(), clock.monotonic()), (NOON, Duration::ZERO));
        clock.advance(Span::minutes(1));
        assert_eq!(clock.now(), Timestamp(NOON.0 + 60));
        assert_eq!(clock.monotonic(), Duration::from_mins(1));
    }

    #[test]
    fn setting_the_wall_time_lets_no_time_pass() {
        let clock = ManualClock::new(NOON);
        clock.advance(Span::seconds(5));
        for leap in [Timestamp(0), Timestamp(NOON.0 + 9_999)] {
            clock.set(leap);
            assert_eq!(clock.now(), leap);
            assert_eq!(clock.monotonic(), Duration::from_secs(5));
        }
    }

    #[tokio::test]
    async fn a_sleeper_wakes_when_its_time_has_passed_and_not_before() {
        let clock = Arc::new(ManualClock::new(NOON));
        let sleepers: Vec<_> = [2, 1]
            .map(|seconds| {
                let clock = Arc::clone(&clock);
                tokio::spawn(async move { clock.sleep(Duration::from_secs(seconds)).await })
            })
            .into();
        wait_until(|| clock.sleepers() == 2).await;

        clock.set(Timestamp(NOON.0 + 9_999));
        assert_eq!(clock.sleepers(), 2);

        clock.advance(Span::seconds(1));
        assert_eq!(clock.sleepers(), 1);
        wait_until(|| sleepers[1].is_finished()).await;
        assert!(!sleepers[0].is_finished());

        clock.advance(Span::seconds(9));
        assert_eq!(clock.sleepers(), 0);
        for sleeper in sleepers {
            sleeper.await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_sleep_counts_from_its_call() {
        let clock = ManualClock::new(NOON);
        let sleep = clock.sleep(Duration::from_secs(3));
        clock.advance(Span::seconds(3));
        sleep.await;
        clock.sleep(Duration::ZERO).await;
    }

    #[tokio::test]
    async fn a_dropped_sleep_is_no_sleeper() {
        let clock = ManualClock::new(NOON);
        {
            let sleep = clock.sleep(Duration::from_secs(3));
            assert_eq!(clock.sleepers(), 0, "nobody has awaited it");
            tokio::select! {
                biased;
                () = sleep => unreachable!("no time has passed"),
                () = std::future::ready(()) => {}
            }
        }
        assert_eq!(clock.sleepers(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn the_clock_of_the_machine_goes_on() {
        let clock = SystemClock::new();
        assert!(clock.now() > Timestamp(1_700_000_000));
        let before = clock.monotonic();
        clock.sleep(Duration::from_mins(1)).await;
        assert!(clock.monotonic() >= before + Duration::from_mins(1));
    }

    /// Lets the other tasks run until they have brought the condition about.
    async fn wait_until(condition: impl Fn() -> bool) {
        for _ in 0..1_000 {
            if condition() {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("the condition never came about");
    }
}
