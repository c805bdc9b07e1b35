//! How fast a server is asked: so many requests in a span of time, so many at once, and none while the server wants to be left alone.
//!
//! Every server has its own numbers, and several callers share them, so they all go through one [`Pace`]. It is a token
//! bucket on the injected [`Clock`], in whose monotonic time a leap of the wall clock is nothing. A token is taken in the
//! moment in which the caller goes on and not before, so that a caller that is dropped while it waits leaves nothing
//! behind: no token is lost, no place stays taken.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::clock::Clock;

/// How many requests a server gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many in each such span, in the long run.
    pub count: NonZeroU32,
    /// The span.
    pub per: Duration,
    /// How many at once after a while without any.
    pub burst: NonZeroU32,
}

/// The pace that all callers of one server keep together.
pub struct Pace {
    rate: Option<Rate>,
    in_flight: usize,
    places: Arc<Semaphore>,
    /// Callers wait for tokens one after another, in the order in which they came.
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
    clock: Arc<dyn Clock>,
}

/// In monotonic time.
#[derive(Debug, Clone, Copy, Default)]
struct State {
    /// When the bucket is full again.
    full: Duration,
    /// Until when nobody goes on, because the server asked for that.
    held: Duration,
}

/// Leave to send one request. The place is free for others again when this is dropped.
#[derive(Debug)]
pub struct Leave {
    _place: OwnedSemaphorePermit,
}

impl Pace {
    /// A pace of at most `rate`, if there is one, and `in_flight` requests at once, at least one.
    pub fn new(rate: Option<Rate>, in_flight: usize, clock: Arc<dyn Clock>) -> Pace {
        let in_flight = in_flight.clamp(1, Semaphore::MAX_PERMITS);
        Pace {
            rate,
            in_flight,
            places: Arc::new(Semaphore::new(in_flight)),
            turn: tokio::sync::Mutex::new(()),
            state: Mutex::default(),
            clock,
        }
    }

    /// How many requests may be under way at once.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Waits for a place and then for a token. Dropping the future takes neither.
    pub async fn leave(&self) -> Leave {
        let places = Arc::clone(&self.places);
        let place = places.acquire_owned().await.expect("nobody closes it");
        let _turn = self.turn.lock().await;
        // Whoever has waited looks again: meanwhile the server may have asked for more patience.
        while let Err(wait) = self.take(self.clock.monotonic()) {
            self.clock.sleep(wait).await;
        }
        Leave { _place: place }
    }

    /// Sends nobody on for `span`, counted from now. A longer wait that was asked for before stays.
    pub fn hold(&self, span: Duration) {
        let until = self.clock.monotonic().saturating_add(span);
        let mut state = self.state();
        state.held = state.held.max(until);
    }

    /// Takes a token, or says how long there will be none.
    fn take(&self, now: Duration) -> Result<(), Duration> {
        let mut state = self.state();
        let held = state.held.saturating_sub(now);
        if !held.is_zero() {
            return Err(held);
        }
        let Some(rate) = self.rate else {
            return Ok(());
        };
        let interval = rate.per / rate.count.get();
        let full = state.full.max(now) + interval;
        // An empty bucket is full again after as many intervals as it holds tokens.
        let most = now + interval * rate.burst.get();
        let missing = full.saturating_sub(most);
        if !missing.is_zero() {
            return Err(missing);
        }
        state.full = full;
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code of others runs under the lock, so a poisoned state is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Pace {
            rate,
            in_flight,
            places,
            turn: _,
            state: _,
            clock: _,
        } = self;
        f.debug_struct("Pace")
            .field("rate", rate)
            .field("in_flight", in_flight)
            .field("free", &places.available_permits())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use proptest::prelude::*;
    use tokio::task::JoinHandle;

    use super::*;
    use crate::clock::{ManualClock, Timestamp};
    use crate::text::Span;

    fn pace(per_second: u32, burst: u32, in_flight: usize) -> (Arc<Pace>, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::new(Timestamp(0)));
        let rate = NonZeroU32::new(per_second).map(|count| Rate {
            count,
            per: Duration::from_secs(1),
            burst: NonZeroU32::new(burst).unwrap(),
        });
        let pace = Pace::new(rate, in_flight, Arc::clone(&clock) as Arc<dyn Clock>);
        (Arc::new(pace), clock)
    }

    /// Several callers, in the order in which they come.
    fn callers(pace: &Arc<Pace>, count: usize) -> Vec<JoinHandle<Leave>> {
        let caller = |_| {
            let pace = Arc::clone(pace);
            tokio::spawn(async move { pace.leave().await })
        };
        (0..count).map(caller).collect()
    }

    /// Who has leave, once nobody goes on by himself any more.
    async fn gone(callers: &[JoinHandle<Leave>]) -> Vec<bool> {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        callers.iter().map(JoinHandle::is_finished).collect()
    }

    #[tokio::test]
    async fn a_burst_goes_at_once_and_the_rest_in_its_turn() {
        let (pace, clock) = pace(1, 2, 100);
        let callers = callers(&pace, 4);
        assert_eq!(gone(&callers).await, [true, true, false, false]);
        clock.advance(Span::seconds(1));
        assert_eq!(gone(&callers).await, [true, true, true, false]);
        clock.set(Timestamp(9_999));
        assert_eq!(gone(&callers).await, [true, true, true, false]);
        clock.advance(Span::seconds(1));
        assert_eq!(gone(&callers).await, [true; 4]);
    }

    #[tokio::test]
    async fn who_comes_later_does_not_go_first() {
        let (pace, clock) = pace(1, 1, 100);
        let callers = callers(&pace, 2);
        assert_eq!(gone(&callers).await, [true, false]);
        // There is a token now, and the one that waits for it has not noticed yet.
        clock.advance(Span::seconds(1));
        assert!(pace.leave().now_or_never().is_none());
        assert_eq!(gone(&callers).await, [true, true]);
    }

    #[tokio::test]
    async fn a_long_silence_saves_up_one_burst_and_no_more() {
        let (pace, clock) = pace(1, 2, 100);
        clock.advance(Span::hours(1));
        assert_eq!(gone(&callers(&pace, 3)).await, [true, true, false]);
    }

    #[tokio::test]
    async fn without_a_rate_only_places_count_and_a_place_is_free_once_its_leave_is_dropped() {
        let (pace, _) = pace(0, 1, 2);
        let mut callers = callers(&pace, 4);
        assert_eq!(gone(&callers).await, [true, true, false, false]);
        drop(callers.remove(0).await.unwrap());
        assert_eq!(gone(&callers).await, [true, true, false]);
    }

    #[tokio::test]
    async fn there_is_at_least_one_place() {
        let (pace, _) = pace(0, 1, 0);
        assert_eq!(gone(&callers(&pace, 2)).await, [true, false]);
    }

    #[tokio::test]
    async fn who_is_dropped_while_it_waits_leaves_nothing_behind() {
        let (pace, clock) = pace(1, 1, 2);
        let callers = callers(&pace, 4);
        // The second waits for a token, the others for a place.
        assert_eq!(gone(&callers).await, [true, false, false, false]);
        for dropped in &callers[1..3] {
            dropped.abort();
        }
        gone(&callers).await;
        clock.advance(Span::seconds(1));
        assert_eq!(gone(&callers).await, [true; 4]);
        let results = futures_util::future::join_all(callers).await;
        assert!(results[1].is_err() && results[2].is_err());
        // The place of each that was dropped is free again, and of the tokens two are spent.
        drop(results);
        assert_eq!(pace.places.available_permits(), 2);
        assert_eq!(pace.state().full, Duration::from_secs(2));
    }

    #[tokio::test]
    async fn nobody_goes_on_while_the_server_wants_to_be_left_alone() {
        let (pace, clock) = pace(0, 1, 100);
        pace.hold(Duration::from_secs(5));
        let callers = callers(&pace, 2);
        assert_eq!(gone(&callers).await, [false, false]);
        clock.advance(Span::seconds(4));
        // A longer wait counts for those too who wait already; a shorter one takes nothing away.
        pace.hold(Duration::from_secs(3));
        pace.hold(Duration::from_secs(1));
        clock.advance(Span::seconds(2));
        assert_eq!(gone(&callers).await, [false, false]);
        clock.advance(Span::seconds(1));
        assert_eq!(gone(&callers).await, [true, true]);
    }

    proptest! {
        /// The defining law of a token bucket, for callers that come whenever they like.
        #[test]
        fn no_span_of_time_sees_more_than_a_burst_and_the_rate(
            per_second in 1_u32..50,
            burst in 1_u32..10,
            gaps in prop::collection::vec(0_u64..200, 1..200),
        ) {
            let (pace, _) = pace(per_second, burst, 1);
            let mut now = Duration::ZERO;
            let mut sent = Vec::new();
            for gap in gaps {
                now += Duration::from_millis(gap);
                if let Err(wait) = pace.take(now) {
                    // Whoever waits as long as it was told goes on then, and not before.
                    let early = wait.saturating_sub(Duration::from_nanos(1));
                    prop_assert!(pace.take(now + early).is_err());
                    now += wait;
                    prop_assert!(pace.take(now).is_ok());
                }
                sent.push(now);
            }
            let interval = Duration::from_secs(1) / per_second;
            for (begin, first) in sent.iter().enumerate() {
                for (count, last) in (1_u32..).zip(&sent[begin..]) {
                    let beyond = interval * count.saturating_sub(burst);
                    prop_assert!(last.saturating_sub(*first) >= beyond);
                }
            }
        }
    }
}
