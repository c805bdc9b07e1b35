//! Who may ask a directory now: so many at a time, each directory for itself. One that does not answer keeps those waiting who
//! ask it, and nobody else.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::serve::turns::Turn;

/// How many passwords a directory is asked about at a time; each takes connections to it.
const AT_A_TIME: usize = 64;

/// The directories that were ever asked; not more than were ever configured.
#[derive(Default)]
pub(super) struct Lines {
    directories: Mutex<BTreeMap<String, Arc<Semaphore>>>,
}

/// The right to ask a directory about a user, until it is dropped.
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
    _turn: Turn,
}

impl Lines {
    /// Waits until the directory may be asked; for ever, if it answers nobody. Nobody closes a line, so there is a place.
    pub(super) async fn stand(&self, directory: &str, turn: Turn) -> Option<Place> {
        let line = {
            // Each change is one step, so a poisoned map is whole.
            let directories = self.directories.lock();
            let mut directories = directories.unwrap_or_else(PoisonError::into_inner);
            let line = directories.entry(directory.to_owned());
            let line = line.or_insert_with(|| Arc::new(Semaphore::new(AT_A_TIME)));
            line.clone()
        };
        let permit = line.acquire_owned().await.ok()?;
        Some(Place {
            _permit: permit,
            _turn: turn,
        })
    }
}
