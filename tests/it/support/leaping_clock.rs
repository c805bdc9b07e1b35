//! A clock on which nobody waits: a sleep takes no time, and all that is seen of it is that time has passed.

use std::future::{pending, ready};
use std::pin::Pin;
use std::sync::Mutex;
use std::time::Duration;

use usersyncd::clock::{Clock, Timestamp};

/// Sleeps as long as this never end, so that a time-out can be told from a wait by its length.
pub(crate) const FOR_EVER: Duration = Duration::from_hours(24);

/// A clock that leaps over every sleep and writes down how long it was to be.
#[derive(Debug)]
pub(crate) struct LeapingClock {
    start: Timestamp,
    sleeps: Mutex<Vec<Duration>>,
}

impl LeapingClock {
    /// A clock that stands at `start`.
    pub(crate) fn new(start: Timestamp) -> Self {
        LeapingClock {
            start,
            sleeps: Mutex::default(),
        }
    }

    /// How long the sleeps were that were leaped over, in their order.
    pub(crate) fn sleeps(&self) -> Vec<Duration> {
        self.sleeps.lock().unwrap().clone()
    }
}

impl Clock for LeapingClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.start.0 + self.monotonic().as_secs().cast_signed())
    }

    fn monotonic(&self) -> Duration {
        self.sleeps.lock().unwrap().iter().sum()
    }

    fn sleep(&self, d: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        if d >= FOR_EVER {
            return Box::pin(pending());
        }
        self.sleeps.lock().unwrap().push(d);
        Box::pin(ready(()))
    }
}
