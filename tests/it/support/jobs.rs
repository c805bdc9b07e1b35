//! Jobs that do nothing but note that they were done, and that a test can hold up, let panic, and give outcomes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono_tz::Tz;
use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use usersyncd::clock::Timestamp;
use usersyncd::daemon::{
    Age, ApplicationJob, DirectoryJob, Jobs, PassReport, PushEnd, PushOutcome, ReadEnd, ReadOutcome,
};
use usersyncd::events::Counts;
use usersyncd::progress::Work;
use usersyncd::schedule::Schedule;

/// How long a fake directory may take.
pub(crate) const READ_TIMEOUT: Duration = Duration::from_mins(10);

/// How many changes a fake push makes.
pub(crate) const CHANGES: u64 = 3;

#[derive(Default)]
pub(crate) struct FakeJobs {
    directories: Vec<DirectoryJob>,
    applications: Vec<ApplicationJob>,
    state: Mutex<State>,
    /// Names that are held up.
    held: watch::Sender<BTreeSet<String>>,
}

#[derive(Default)]
struct State {
    /// `read corporate`, `push wiki`, `change wiki` when it begins; `… ended` when it ends.
    log: Vec<String>,
    running: BTreeSet<String>,
    panicking: BTreeSet<String>,
    reads: BTreeMap<String, ReadOutcome>,
    pushes: BTreeMap<String, PushOutcome>,
    ages: Vec<Age>,
}

impl FakeJobs {
    /// Directories by name and schedule, applications by name and directories.
    pub(crate) fn new(directories: &[(&str, &str)], applications: &[(&str, &[&str])]) -> Arc<Self> {
        let directories = directories.iter().map(|&(name, schedule)| DirectoryJob {
            name: name.to_owned(),
            schedule: Schedule::parse(schedule, Tz::UTC).unwrap(),
            read_timeout: READ_TIMEOUT,
        });
        let applications = applications.iter().map(|&(name, listed)| ApplicationJob {
            name: name.to_owned(),
            directories: listed.iter().map(|&it| it.to_owned()).collect(),
        });
        Arc::new(Self {
            directories: directories.collect(),
            applications: applications.collect(),
            ..Self::default()
        })
    }

    /// From now on, reads and changes of this name do not end.
    pub(crate) fn hold(&self, name: &str) {
        self.held.send_modify(|held| {
            held.insert(name.to_owned());
        });
    }

    /// They end again.
    pub(crate) fn release(&self, name: &str) {
        self.held.send_modify(|held| {
            held.remove(name);
        });
    }

    /// The next read or push of this name panics.
    pub(crate) fn panic_once(&self, name: &str) {
        self.state().panicking.insert(name.to_owned());
    }

    pub(crate) fn read_gives(&self, name: &str, end: ReadEnd, rejected: u64) {
        let outcome = ReadOutcome {
            end,
            rejected,
            unknown: 0,
        };
        self.state().reads.insert(name.to_owned(), outcome);
    }

    pub(crate) fn push_gives(&self, name: &str, outcome: PushOutcome) {
        self.state().pushes.insert(name.to_owned(), outcome);
    }

    pub(crate) fn ages_are(&self, ages: Vec<Age>) {
        self.state().ages = ages;
    }

    /// What was done so far.
    pub(crate) fn log(&self) -> Vec<String> {
        self.state().log.clone()
    }

    /// How often it was done.
    pub(crate) fn count(&self, what: &str) -> usize {
        self.state().log.iter().filter(|it| *it == what).count()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn note(&self, what: String) {
        self.state().log.push(what);
    }

    /// Begins a job, of which the end is noted even if it is dropped.
    fn begin(&self, what: String, name: &str) -> Running<'_> {
        let panics = {
            let mut state = self.state();
            assert!(state.running.insert(what.clone()), "{what} overlaps itself");
            state.log.push(what.clone());
            state.panicking.remove(name)
        };
        let running = Running { jobs: self, what };
        assert!(!panics, "as the test wants it");
        running
    }

    async fn pass_hold(&self, name: &str) {
        let mut held = self.held.subscribe();
        held.wait_for(|held| !held.contains(name)).await.unwrap();
    }
}

struct Running<'a> {
    jobs: &'a FakeJobs,
    what: String,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let mut state = self.jobs.state();
        state.running.remove(&self.what);
        let ended = format!("{} ended", self.what);
        state.log.push(ended);
    }
}

impl Jobs for FakeJobs {
    fn directories(&self) -> Vec<DirectoryJob> {
        self.directories.clone()
    }

    fn applications(&self) -> Vec<ApplicationJob> {
        self.applications.clone()
    }

    fn read<'a>(&'a self, directory: &'a str, _work: &'a Work) -> BoxFuture<'a, ReadOutcome> {
        Box::pin(async move {
            let _running = self.begin(format!("read {directory}"), directory);
            self.pass_hold(directory).await;
            let unchanged = ReadOutcome {
                end: ReadEnd::Unchanged,
                rejected: 0,
                unknown: 0,
            };
            let state = self.state();
            state.reads.get(directory).copied().unwrap_or(unchanged)
        })
    }

    fn push<'a>(
        &'a self,
        application: &'a str,
        _asked: bool,
        work: &'a Work,
        stop: &'a CancellationToken,
    ) -> BoxFuture<'a, PushOutcome> {
        Box::pin(async move {
            let _running = self.begin(format!("push {application}"), application);
            work.total(CHANGES);
            for _ in 0..CHANGES {
                if stop.is_cancelled() {
                    break;
                }
                self.note(format!("change {application}"));
                self.pass_hold(application).await;
                self.note(format!("change {application} ended"));
                work.advance(1);
            }
            let nothing = pushed(Counts::default());
            let state = self.state();
            state.pushes.get(application).copied().unwrap_or(nothing)
        })
    }

    fn passes_before(&self) -> u64 {
        0
    }

    fn pass_began<'a>(
        &'a self,
        _number: u64,
        _trigger: &'a str,
        _routine: bool,
    ) -> BoxFuture<'a, ()> {
        Box::pin(std::future::ready(()))
    }

    fn pass_ended<'a>(&'a self, _report: &'a PassReport) -> BoxFuture<'a, ()> {
        Box::pin(std::future::ready(()))
    }

    fn ages(&self) -> BoxFuture<'_, Vec<Age>> {
        Box::pin(async {
            let panics = self.state().panicking.remove("ages");
            assert!(!panics, "as the test wants it");
            self.state().ages.clone()
        })
    }
}

/// A push that went through, with these numbers.
pub(crate) fn pushed(counts: Counts) -> PushOutcome {
    PushOutcome {
        end: PushEnd::Pushed,
        counts,
        due_at: None::<Timestamp>,
    }
}
