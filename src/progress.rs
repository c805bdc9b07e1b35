//! How far the running jobs are.
//!
//! Whoever does a job raises its counter; who wants to know reads it: the bar on a terminal, the `pass.progress` event,
//! the status line of the service manager, and the watchdog, which trusts a job only as long as its counter moves. None of
//! the readers is known to the job.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

/// A total that nobody knows yet.
const UNKNOWN: u64 = u64::MAX;

/// A kind of job, with the directory or application that it is about. Printed as `read corporate`, `push confluence`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Job {
    /// Reading a directory.
    Read(String),
    /// Pushing an application.
    Push(String),
}

/// The running jobs.
#[derive(Debug, Default)]
pub struct Progress {
    running: Mutex<Running>,
    begun: Notify,
}

#[derive(Debug, Default)]
struct Running {
    /// By a number that rises, hence in the order in which they began.
    works: BTreeMap<u64, Arc<Counters>>,
    next: u64,
}

#[derive(Debug)]
struct Counters {
    job: Job,
    /// Monotonic time.
    since: Duration,
    done: AtomicU64,
    total: AtomicU64,
    moves: AtomicU64,
}

/// One running job. Dropping it ends the job.
#[derive(Debug)]
pub struct Work {
    number: u64,
    counters: Arc<Counters>,
    progress: Arc<Progress>,
}

/// One running job as it stood at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Tells two runs of one job apart.
    pub number: u64,
    /// What is done.
    pub job: Job,
    /// Monotonic time at its begin.
    pub since: Duration,
    /// How many records or changes are done.
    pub done: u64,
    /// Of how many, if that is known.
    pub total: Option<u64>,
    /// Rises with every sign of life.
    pub moves: u64,
}

impl Progress {
    /// Nothing runs.
    pub fn new() -> Arc<Progress> {
        Arc::new(Progress::default())
    }

    /// Begins a job at the monotonic time `now`.
    pub fn begin(self: &Arc<Self>, job: Job, now: Duration) -> Work {
        let counters = Arc::new(Counters {
            job,
            since: now,
            done: AtomicU64::new(0),
            total: AtomicU64::new(UNKNOWN),
            moves: AtomicU64::new(0),
        });
        let mut running = self.running();
        let number = running.next;
        running.next += 1;
        running.works.insert(number, Arc::clone(&counters));
        drop(running);
        self.begun.notify_one();
        Work {
            number,
            counters,
            progress: Arc::clone(self),
        }
    }

    /// The running jobs, the oldest first.
    pub fn standings(&self) -> Vec<Standing> {
        let running = self.running();
        let works = running.works.iter();
        works.map(|(&number, it)| it.standing(number)).collect()
    }

    /// Waits until a job has begun since this was last awaited. For one reader.
    pub async fn begun(&self) {
        self.begun.notified().await;
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        // No code of others runs under the lock, so a poisoned state is still whole.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Work {
    /// So many records or changes there are in all.
    pub fn total(&self, total: u64) {
        self.counters.total.store(total, Ordering::Relaxed);
        self.alive();
    }

    /// So many more are done.
    pub fn advance(&self, done: u64) {
        self.counters.done.fetch_add(done, Ordering::Relaxed);
        self.alive();
    }

    /// A sign of life where nothing is counted.
    pub fn alive(&self) {
        self.counters.moves.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.progress.running().works.remove(&self.number);
    }
}

impl Counters {
    fn standing(&self, number: u64) -> Standing {
        let total = self.total.load(Ordering::Relaxed);
        Standing {
            number,
            job: self.job.clone(),
            since: self.since,
            done: self.done.load(Ordering::Relaxed),
            total: (total != UNKNOWN).then_some(total),
            moves: self.moves.load(Ordering::Relaxed),
        }
    }
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Job::Read(directory) => write!(f, "read {directory}"),
            Job::Push(application) => write!(f, "push {application}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(7);

    #[test]
    fn a_job_runs_until_it_is_dropped() {
        let progress = Progress::new();
        let read = progress.begin(Job::Read("corporate".into()), NOW);
        let push = progress.begin(Job::Push("wiki".into()), NOW);
        let jobs = || {
            let standings = progress.standings();
            let jobs = standings.iter().map(|it| it.job.to_string());
            jobs.collect::<Vec<_>>()
        };
        assert_eq!(jobs(), ["read corporate", "push wiki"]);
        drop(read);
        assert_eq!(jobs(), ["push wiki"]);
        drop(push);
        assert!(jobs().is_empty());
    }

    #[test]
    fn every_sign_of_life_moves_the_counter() {
        let progress = Progress::new();
        let work = progress.begin(Job::Read("corporate".into()), NOW);
        work.alive();
        let expect = Standing {
            number: 0,
            job: Job::Read("corporate".into()),
            since: NOW,
            done: 0,
            total: None,
            moves: 1,
        };
        assert_eq!(progress.standings(), std::slice::from_ref(&expect));
        work.total(5);
        work.advance(2);
        work.advance(1);
        let expect = Standing {
            done: 3,
            total: Some(5),
            moves: 4,
            ..expect
        };
        assert_eq!(progress.standings(), [expect]);
    }
}
