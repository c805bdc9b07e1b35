//! How many wrong passwords may be tried: some at once, then one in a while.
//!
//! Passwords are guessed against the directory itself, so a guesser would also lock the account there. Here he is stopped
//! after as many wrong ones as people need who mistype, and the directory hears no more than one a minute of him.
//!
//! What is kept of a name is one moment: when all of its wrong passwords will be forgotten. Each one puts it off by a
//! [`Allowance::every`], and it must never lie more than [`Allowance::at_once`] of them ahead. How many names are kept is bounded;
//! those go first that are forgotten soonest. So whoever wants to wash out a name that has no attempt left needs as many wrong
//! passwords for each of thousands of other names as for that one, and must be done in the minutes until it is forgotten anyway.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The passwords of one user. Five suffice to mistype, with another keyboard or the password of last month in mind, and lie below
/// the ten or more after which directories usually lock an account; one a minute is no delay for who looks up what the right one
/// is, and half a million a year for who guesses. Who goes on for minutes still reaches the lock-out of a directory that forgets
/// more slowly, as he does at the directory itself.
pub const OF_A_USER: Allowance = Allowance {
    at_once: 5,
    every: Duration::from_mins(1),
    names: 10_000,
};

/// How many failures a name may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// How many in a row; at least one.
    pub at_once: u32,
    /// After how long one of them is forgotten.
    pub every: Duration,
    /// How many names are kept.
    pub names: usize,
}

/// The failures of the last while. Times are those of a clock that never goes backwards, as [`Clock::monotonic`] gives them.
///
/// [`Clock::monotonic`]: crate::clock::Clock::monotonic
#[derive(Debug)]
pub struct Attempts<K> {
    allowance: Allowance,
    /// When all failures of a name are forgotten.
    clear_at: BTreeMap<K, Duration>,
    /// The same in the order in which they are forgotten.
    soonest: BTreeSet<(Duration, K)>,
}

impl<K: Ord + Clone> Attempts<K> {
    /// Begins with no failures.
    pub fn new(allowance: Allowance) -> Self {
        Attempts {
            allowance,
            clear_at: BTreeMap::new(),
            soonest: BTreeSet::new(),
        }
    }

    /// Whether another attempt may be made now. It counts nothing.
    ///
    /// # Errors
    /// None may be made before this time has passed.
    pub fn may_try(&self, name: &K, now: Duration) -> Result<(), Duration> {
        let Some(clear_at) = self.clear_at.get(name) else {
            return Ok(());
        };
        // With one failure more, they must still all be forgotten in time.
        let latest = now.saturating_add(self.every(self.allowance.at_once.saturating_sub(1)));
        match clear_at.checked_sub(latest) {
            None | Some(Duration::ZERO) => Ok(()),
            Some(wait) => Err(wait),
        }
    }

    /// Counts a failure. Tell it before the answer is known, and take it back if it is none: who goes away before the answer
    /// has tried a password all the same.
    pub fn failed(&mut self, name: &K, now: Duration) {
        let from = self.remove(name).unwrap_or(now).max(now);
        // However many are made at the same moment, the next one may be made in one such time.
        let clear_at = from.saturating_add(self.allowance.every);
        let last = now.saturating_add(self.every(self.allowance.at_once));
        self.make_room(now);
        self.insert(name.clone(), clear_at.min(last));
    }

    /// Forgets the failures of a name: it is known now whose they were.
    pub fn succeeded(&mut self, name: &K) {
        self.remove(name);
    }

    /// Takes one failure back: it was not the password that failed.
    pub fn taken_back(&mut self, name: &K) {
        if let Some(clear_at) = self.remove(name) {
            let clear_at = clear_at.saturating_sub(self.allowance.every);
            self.insert(name.clone(), clear_at);
        }
    }

    fn every(&self, times: u32) -> Duration {
        self.allowance.every.saturating_mul(times)
    }

    /// Forgets what is over and, if that is not enough, whatever will be over soonest.
    fn make_room(&mut self, now: Duration) {
        while let Some((clear_at, name)) = self.soonest.first() {
            if *clear_at > now && self.soonest.len() < self.allowance.names {
                return;
            }
            let name = name.clone();
            self.remove(&name);
        }
    }

    fn insert(&mut self, name: K, clear_at: Duration) {
        self.soonest.insert((clear_at, name.clone()));
        self.clear_at.insert(name, clear_at);
    }

    fn remove(&mut self, name: &K) -> Option<Duration> {
        let clear_at = self.clear_at.remove(name)?;
        self.soonest.remove(&(clear_at, name.clone()));
        Some(clear_at)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn of_a_user() -> Attempts<&'static str> {
        Attempts::new(OF_A_USER)
    }

    /// Tries a wrong password if that is allowed.
    fn try_wrong<K: Ord + Clone>(attempts: &mut Attempts<K>, name: &K, now: Duration) -> bool {
        let may = attempts.may_try(name, now).is_ok();
        if may {
            attempts.failed(name, now);
        }
        may
    }

    #[test]
    fn five_wrong_passwords_may_be_tried_then_one_a_minute() {
        let mut attempts = of_a_user();
        for _ in 0..5 {
            assert!(try_wrong(&mut attempts, &"ada", SECOND));
        }
        assert_eq!(attempts.may_try(&"ada", SECOND), Err(60 * SECOND));
        assert_eq!(attempts.may_try(&"ada", 31 * SECOND), Err(30 * SECOND));
        assert!(try_wrong(&mut attempts, &"ada", 61 * SECOND));
        assert_eq!(attempts.may_try(&"ada", 61 * SECOND), Err(60 * SECOND));
        // Whoever waits has all of them again.
        for _ in 0..5 {
            assert!(try_wrong(&mut attempts, &"ada", 3_600 * SECOND));
        }
        assert!(!try_wrong(&mut attempts, &"ada", 3_600 * SECOND));
        assert_eq!(attempts.may_try(&"ben", 3_600 * SECOND), Ok(()));
    }

    #[test]
    fn a_success_forgets_the_failures() {
        let mut attempts = of_a_user();
        for _ in 0..5 {
            attempts.failed(&"ada", SECOND);
        }
        attempts.succeeded(&"ada");
        for _ in 0..5 {
            assert!(try_wrong(&mut attempts, &"ada", SECOND));
        }
        assert!(!try_wrong(&mut attempts, &"ada", SECOND));
    }

    #[test]
    fn what_is_taken_back_did_not_count() {
        let mut attempts = of_a_user();
        for _ in 0..100 {
            attempts.failed(&"ada", SECOND);
            attempts.taken_back(&"ada");
        }
        for _ in 0..5 {
            assert!(try_wrong(&mut attempts, &"ada", SECOND));
        }
        attempts.taken_back(&"ada");
        assert!(try_wrong(&mut attempts, &"ada", SECOND));
        assert!(!try_wrong(&mut attempts, &"ada", SECOND));
        attempts.taken_back(&"nobody");
        assert!(!attempts.clear_at.contains_key("nobody"));
    }

    #[test]
    fn a_flood_of_names_washes_nobody_out_who_has_no_attempt_left() {
        let mut attempts = Attempts::new(OF_A_USER);
        let victim = "victim".to_owned();
        for _ in 0..5 {
            attempts.failed(&victim, SECOND);
        }
        for number in 0..3 * OF_A_USER.names {
            for _ in 0..4 {
                attempts.failed(&format!("user{number}"), SECOND);
            }
        }
        assert!(attempts.may_try(&victim, SECOND).is_err());
        assert_eq!(attempts.clear_at.len(), OF_A_USER.names);
    }

    #[test]
    fn what_is_over_makes_room_first() {
        let allowance = Allowance {
            names: 2,
            ..OF_A_USER
        };
        let mut attempts = Attempts::new(allowance);
        attempts.failed(&"a", SECOND);
        attempts.failed(&"b", SECOND);
        attempts.failed(&"c", 100 * SECOND);
        let names: Vec<&str> = attempts.clear_at.into_keys().collect();
        assert_eq!(names, ["c"]);
    }

    /// What happens to a name, and how many seconds after what happened before.
    #[derive(Clone, Copy, Debug)]
    enum Event {
        Tried,
        Failed,
        Succeeded,
        TakenBack,
    }

    fn events() -> impl Strategy<Value = Vec<(u8, Event, u32)>> {
        use Event::{Failed, Succeeded, TakenBack, Tried};
        let event = prop::sample::select(vec![Tried, Tried, Tried, Failed, Succeeded, TakenBack]);
        prop::collection::vec((0..12u8, event, 0..90u32), 1..200)
    }

    proptest! {
        #[test]
        fn no_more_are_let_through_than_are_allowed(pauses in prop::collection::vec(0..200u32, 1..200)) {
            let mut attempts = of_a_user();
            let mut now = Duration::ZERO;
            let mut let_through: Vec<Duration> = Vec::new();
            for pause in pauses {
                now += pause * SECOND;
                if try_wrong(&mut attempts, &"ada", now) {
                    let_through.push(now);
                }
            }
            for (at, from) in let_through.iter().enumerate() {
                for (count, to) in (1..).zip(&let_through[at..]) {
                    let minutes = to.saturating_sub(*from).as_secs() / 60;
                    prop_assert!(count <= 5 + minutes, "{count} from {from:?} to {to:?}");
                }
            }
        }

        #[test]
        fn a_wait_is_as_long_as_it_is_said_and_nobody_waits_longer_than_for_one(events in events()) {
            let mut attempts = Attempts::new(Allowance { names: 8, ..OF_A_USER });
            let mut now = Duration::ZERO;
            for (name, event, pause) in events {
                now += pause * SECOND;
                match event {
                    Event::Tried => _ = try_wrong(&mut attempts, &name, now),
                    Event::Failed => attempts.failed(&name, now),
                    Event::Succeeded => attempts.succeeded(&name),
                    Event::TakenBack => attempts.taken_back(&name),
                }
                prop_assert!(attempts.clear_at.len() <= 8);
                let twice: BTreeSet<_> = attempts.clear_at.iter().map(|it| (*it.1, *it.0)).collect();
                prop_assert_eq!(&twice, &attempts.soonest);
                if let Err(wait) = attempts.may_try(&name, now) {
                    prop_assert!(wait <= OF_A_USER.every);
                    prop_assert_eq!(attempts.may_try(&name, now + wait), Ok(()));
                    let sooner = wait.saturating_sub(Duration::from_nanos(1));
                    prop_assert!(attempts.may_try(&name, now + sooner).is_err());
                }
            }
        }

        #[test]
        fn what_others_do_does_not_matter_while_there_is_room(events in events()) {
            let mut all = Attempts::new(Allowance { names: 12, ..OF_A_USER });
            let mut alone = Attempts::new(Allowance { names: 1, ..OF_A_USER });
            let mut now = Duration::ZERO;
            for (name, event, pause) in events {
                now += pause * SECOND;
                for attempts in [Some(&mut all), (name == 0).then_some(&mut alone)].into_iter().flatten() {
                    match event {
                        Event::Tried => _ = try_wrong(attempts, &name, now),
                        Event::Failed => attempts.failed(&name, now),
                        Event::Succeeded => attempts.succeeded(&name),
                        Event::TakenBack => attempts.taken_back(&name),
                    }
                }
                prop_assert_eq!(all.may_try(&0, now), alone.may_try(&0, now));
            }
        }
    }
}
