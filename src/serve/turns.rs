//! One at a time of each name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OwnedMutexGuard;

/// Who is at work for which name. Holds no more names than callers.
#[derive(Default)]
pub(super) struct Turns {
    lanes: Mutex<BTreeMap<String, Lane>>,
}

struct Lane {
    /// How many are at work or wait for it.
    callers: usize,
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// The right to be at work for a name, until it is dropped.
pub(super) struct Turn {
    _held: OwnedMutexGuard<()>,
    _caller: Caller,
}

/// A caller that is counted until it goes, also where it gives up waiting.
struct Caller {
    turns: Arc<Turns>,
    name: String,
}

impl Turns {
    /// Waits until nobody else is at work for this name; in the order in which they came.
    pub(super) async fn take(self: &Arc<Self>, name: &str) -> Turn {
        let turn = {
            let mut lanes = self.lanes();
            let lane = lanes.entry(name.to_owned()).or_insert_with(|| Lane {
                callers: 0,
                turn: Arc::default(),
            });
            lane.callers += 1;
            lane.turn.clone()
        };
        let caller = Caller {
            turns: self.clone(),
            name: name.to_owned(),
        };
        Turn {
            _held: turn.lock_owned().await,
            _caller: caller,
        }
    }

    fn lanes(&self) -> MutexGuard<'_, BTreeMap<String, Lane>> {
        // Each change is one step, so a poisoned map is whole.
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        let mut lanes = self.turns.lanes();
        if let Some(lane) = lanes.get_mut(&self.name) {
            lane.callers -= 1;
            if lane.callers == 0 {
                lanes.remove(&self.name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_at_a_time_and_no_name_is_kept() {
        let turns = Arc::new(Turns::default());
        let first = turns.take("a").await;
        let _other = turns.take("b").await;
        let mut second = Box::pin(turns.take("a"));
        assert!(futures_util::poll!(&mut second).is_pending());
        let mut given_up = Box::pin(turns.take("a"));
        assert!(futures_util::poll!(&mut given_up).is_pending());
        drop(given_up);
        drop(first);
        let second = second.await;
        assert_eq!(turns.lanes().len(), 2);
        drop(second);
        assert_eq!(turns.lanes().len(), 1);
    }
}
