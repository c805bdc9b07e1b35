//! When the service manager is told that the daemon lives.
//!
//! A read ends by its time limit and needs no watching. A push has none, for there is no telling how long an honest one
//! takes; instead it is trusted as long as its counter moves. So the daemon is alive while it waits and while each running
//! push has moved since the last look.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::progress::{Job, Standing};

/// How many looks there are in the time that the service manager allows: a pause of half that time is never punished.
const LOOKS: u32 = 4;

/// The looks at the running pushes.
#[derive(Debug)]
pub(super) struct Watchdog {
    pause: Duration,
    /// The counters at the last look, by the number of the run.
    seen: BTreeMap<u64, u64>,
}

impl Watchdog {
    pub(super) fn new(allowed: Duration) -> Watchdog {
        Watchdog {
            pause: allowed / LOOKS,
            seen: BTreeMap::new(),
        }
    }

    /// The time between two looks.
    pub(super) fn pause(&self) -> Duration {
        self.pause
    }

    /// Looks at what runs. False if something that should move does not.
    pub(super) fn look(&mut self, standings: &[Standing]) -> bool {
        let pushes = standings.iter().filter(|it| matches!(it.job, Job::Push(_)));
        let now: BTreeMap<u64, u64> = pushes.map(|it| (it.number, it.moves)).collect();
        let moving = now
            .iter()
            .all(|(number, moves)| self.seen.get(number) != Some(moves));
        self.seen = now;
        moving
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Progress;

    #[test]
    fn a_push_is_trusted_while_its_counter_moves() {
        let progress = Progress::new();
        let mut watchdog = Watchdog::new(Duration::from_mins(5));
        assert!(watchdog.look(&progress.standings()), "nothing runs");
        let push = progress.begin(Job::Push("wiki".into()), Duration::ZERO);
        assert!(watchdog.look(&progress.standings()), "it has just begun");
        assert!(!watchdog.look(&progress.standings()), "it stands still");
        push.alive();
        assert!(watchdog.look(&progress.standings()), "it moves again");
        drop(push);
        let _next = progress.begin(Job::Push("wiki".into()), Duration::ZERO);
        assert!(
            watchdog.look(&progress.standings()),
            "another one has begun"
        );
    }

    #[test]
    fn a_read_that_stands_still_ends_by_its_time_limit() {
        let progress = Progress::new();
        let mut watchdog = Watchdog::new(Duration::from_mins(5));
        let _read = progress.begin(Job::Read("corporate".into()), Duration::ZERO);
        assert!(watchdog.look(&progress.standings()));
        assert!(watchdog.look(&progress.standings()));
    }
}
