//! How often something happened within a minute, and what of that is told: the first at once, the others with the next minute's
//! first, as a number. So whoever makes it happen fills no log.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Over how long is counted.
pub(super) const WINDOW: Duration = Duration::from_mins(1);
/// How many keys are kept in mind. Beyond that the one whose window began first is forgotten.
const KEYS_MAX: usize = 4_096;

/// Counts by key, each over a window of its own.
pub(super) struct Windows<K>(Mutex<BTreeMap<K, Window>>);

#[derive(Default)]
struct Window {
    begun: Duration,
    count: u32,
    /// The count of the window before.
    before: u32,
}

impl<K> Default for Windows<K> {
    fn default() -> Self {
        Windows(Mutex::default())
    }
}

impl<K: Ord + Clone> Windows<K> {
    /// Counts one more, and says how many there were in this window.
    pub(super) fn count(&self, key: K, now: Duration) -> u32 {
        add(&mut self.lock(), key, now).count
    }

    /// Counts one more. If it is time to tell of it: how many there were since that was last told.
    pub(super) fn tell(&self, key: K, now: Duration) -> Option<u64> {
        let mut windows = self.lock();
        let window = add(&mut windows, key, now);
        // The first of the window before was told.
        let untold = window.before.saturating_sub(1);
        (window.count == 1).then(|| 1 + u64::from(untold))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<K, Window>> {
        // Nothing that is done under the lock can panic half way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn add<K: Ord + Clone>(windows: &mut BTreeMap<K, Window>, key: K, now: Duration) -> &Window {
    if windows.len() >= KEYS_MAX && !windows.contains_key(&key) {
        let first = windows.iter().min_by_key(|(_, it)| it.begun);
        if let Some(first) = first.map(|it| it.0.clone()) {
            windows.remove(&first);
        }
    }
    let new = || Window {
        begun: now,
        ..Window::default()
    };
    let window = windows.entry(key).or_insert_with(new);
    if now.saturating_sub(window.begun) >= WINDOW {
        *window = Window {
            before: window.count,
            ..new()
        };
    }
    window.count += 1;
    window
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded() {
        let windows = Windows::default();
        for key in 0..KEYS_MAX as u32 + 10 {
            windows.count(key, Duration::from_secs(1) * key);
        }
        assert_eq!(windows.lock().len(), KEYS_MAX);
    }
}
