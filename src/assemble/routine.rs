//! Passes that the schedule starts. Most find nothing to do, and of these one a minute is noted in the store.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::Timestamp;
use crate::store::{Store, StoreError};

/// How often a pass that found nothing to do is noted, in seconds.
const NOTED_EVERY: i64 = 60;

/// The routine passes that run and that the store does not know yet, by number.
#[derive(Debug)]
pub(super) struct Routine {
    begun: Mutex<BTreeMap<u64, (String, Timestamp)>>,
    /// When an idle one was last noted, in seconds since the epoch.
    noted_at: AtomicI64,
}

impl Default for Routine {
    fn default() -> Self {
        Routine {
            begun: Mutex::default(),
            noted_at: AtomicI64::new(i64::MIN),
        }
    }
}

impl Routine {
    /// One began.
    pub(super) fn began(&self, number: u64, trigger: &str, at: Timestamp) {
        self.begun().insert(number, (trigger.to_owned(), at));
    }

    /// There is something to do: notes the beginning of all that run. Whichever it is for, a process that dies from here on
    /// was in the midst of them.
    pub(super) async fn note(&self, store: &Store) -> Result<(), StoreError> {
        let begun = std::mem::take(&mut *self.begun());
        for (number, (trigger, at)) in begun {
            store.begin_pass(number, &trigger, at).await?;
        }
        Ok(())
    }

    /// Whether a pass that ended is not to be noted at all: it did nothing, and another such one was noted lately.
    pub(super) fn is_forgotten(&self, number: u64, in_sync: bool, now: Timestamp) -> bool {
        let mut begun = self.begun();
        if !in_sync || !begun.contains_key(&number) {
            return false;
        }
        let noted_at = self.noted_at.load(Ordering::Relaxed);
        let lately = noted_at <= now.0 && now.0.saturating_sub(noted_at) < NOTED_EVERY;
        if lately {
            begun.remove(&number);
        } else {
            self.noted_at.store(now.0, Ordering::Relaxed);
        }
        lately
    }

    fn begun(&self) -> MutexGuard<'_, BTreeMap<u64, (String, Timestamp)>> {
        // No code of others runs under the lock, so a poisoned state is still whole.
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_passes_that_did_nothing_one_a_minute_is_noted() {
        let routine = Routine::default();
        let mut number = 0;
        let mut forgotten = |at: i64, in_sync: bool| {
            number += 1;
            routine.began(number, "tick hr", Timestamp(at));
            routine.is_forgotten(number, in_sync, Timestamp(at))
        };
        assert!(!forgotten(100, true), "the first");
        assert!(forgotten(101, true));
        assert!(!forgotten(102, false), "one that did something");
        assert!(forgotten(159, true));
        assert!(!forgotten(160, true), "a minute later");
        assert!(!forgotten(90, true), "after the clock was put back");
        assert!(!routine.is_forgotten(99, true, Timestamp(91)), "no routine");
    }
}
