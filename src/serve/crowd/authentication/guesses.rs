//! Wrong passwords of users, and which directories could not be asked.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::model::Verdict;
use crate::serve::attempts::{Attempts, OF_A_USER};
use crate::serve::turns::{Turn, Turns};
use crate::serve::windows::Windows;

/// What is known of failures.
pub(super) struct Guesses {
    attempts: Mutex<Attempts<String>>,
    turns: Arc<Turns>,
    /// Directories that could not be asked.
    told: Windows<String>,
}

impl Default for Guesses {
    fn default() -> Self {
        Guesses {
            attempts: Mutex::new(Attempts::new(OF_A_USER)),
            turns: Arc::default(),
            told: Windows::default(),
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
        self.attempts().may_try(name, now)
    }

    /// Begins an attempt; it counts as failed until it has ended.
    pub(super) fn begin(&self, name: &String, now: Duration) -> Result<(), Duration> {
        let mut attempts = self.attempts();
        attempts.may_try(name, now)?;
        attempts.failed(name, now);
        Ok(())
    }

    /// Ends an attempt. Only wrong passwords count.
    pub(super) fn end(&self, name: &String, verdict: &Verdict) {
        let mut attempts = self.attempts();
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
        self.told.tell(directory.to_owned(), now)
    }

    fn attempts(&self) -> MutexGuard<'_, Attempts<String>> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
