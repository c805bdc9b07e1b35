//! How fast a server is asked: so many requests a second, so many at once, and none while the server wants to be left alone.
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
    /// How many in each second, in the long run.
    pub per_second: NonZeroU32,
    /// How many at once after a while without any.
    pub burst: NonZeroU32,
}

/// The pace that all callers of one server keep together.
pub struct Pace {
    rate: Option<Rate>,
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
        let places = in_flight.clamp(1, Semaphore::MAX_PERMITS);
        Pace {
            rate,
            places: Arc::new(Semaphore::new(places)),
            turn: tokio::sync::Mutex::new(()),
            state: Mutex::default(),
            clock,
        }
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
        let interval = Duration::from_secs(1) / rate.per_second.get();
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
            places,
            turn: _,
            state: _,
            clock: _,
        } = self;
        f.debug_struct("Pace")
            .field("rate", rate)
            .field("free", &places.available_permits())
            .finish_non_exhaustive()
    }
}
