//! Wrong passwords of users, and which directories could not be asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::model::Verdict;
use crate::serve::attempts::{Attempts, OF_A_USER};
use crate::serve::turns::{Turn, Turns};

/// How often it is told that a directory cannot be asked.
const TELL_EVERY: Duration = Duration::from_mins(1);

/// What is known of failures.
pub(super) struct Guesses {
    attempts: Mutex<Attempts<String>>,
    turns: Arc<Turns>,
    /// When a directory was last told of, and how many could not log in since. As many as there are directories.
    told: Mutex<BTreeMap<String, (Duration, u64)>>,
}

impl Default for Guesses {
    fn default() -> Self {
        Guesses {
            attempts: Mutex::new(Attempts::new(OF_A_USER)),
            turns: Arc::default(),
            told: Mutex::default(),
        }
    }
}

impl Guesses {
    /// One password of a user at a time: so nobody gets more tries by making them at once, and nobody whose password is right
    /// is turned away for being asked about several times at once.
    pub(super) async fn turn(&self, name: &str) -> Turn {
        self.turns.take(name).await
    }

    /// Whether an attempt may begin now; if not, how long it is too early.
    pub(super) fn may_try(&self, name: &String, now: Duration) -> Result<(), Duration> {
        lock(&self.attempts).may_try(name, now)
    }

    /// Begins an attempt; it counts as failed until it has ended.
    pub(super) fn begin(&self, name: &String, now: Duration) -> Result<(), Duration> {
        let mut attempts = lock(&self.attempts);
        attempts.may_try(name, now)?;
        attempts.failed(name, now);
        Ok(())
    }

    /// Ends an attempt. Only wrong passwords count.
    pub(super) fn end(&self, name: &String, verdict: &Verdict) {
        let mut attempts = lock(&self.attempts);
        match verdict {
            Verdict::Wrong => {}
            Verdict::Accepted | Verdict::Expired => attempts.succeeded(name),
            Verdict::Inactive | Verdict::Unknown | Verdict::Unavailable(_) => {
                attempts.taken_back(name);
            }
        }
    }

    /// Notes that a directory could not be asked. If it is time to tell of it: how many logins that concerned.
    pub(super) fn tell(&self, directory: &str, now: Duration) -> Option<u64> {
        let mut told = lock(&self.told);
        match told.get_mut(directory) {
            Some((since, count)) if now.saturating_sub(*since) < TELL_EVERY => {
                *count += 1;
                None
            }
            last => {
                let count = last.map_or(0, |it| it.1);
                told.insert(directory.to_owned(), (now, 0));
                Some(count + 1)
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
