//! A pass: what one trigger starts.
//!
//! Every trigger takes the same path and differs only in what it asks for. All directories are read at once; each
//! application is pushed as soon as its own directories have been read, however that ended, for a directory that fails keeps
//! its last records. A pass is started once and finished once, in the log too.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared, join, join_all};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::jobs::{Jobs, PushOutcome, ReadOutcome, Subject};
use super::notify::Notifier;
use super::report::{PassReport, ReportedAge, Tally};
use super::status;
use super::worker::{Answer, Join};
use super::workers::{ApplicationWorker, DirectoryWorker, Surroundings, Workers};
use crate::clock::Clock;
use crate::events;
use crate::progress::Progress;

/// What starts a pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trigger {
    /// The daemon has started: everything.
    Start,
    /// A directory's time has come: it, and the applications that list it.
    Tick(String),
    /// A clock of an application fell due: it alone.
    Due(String),
    /// The operator's signal: everything.
    Signal,
    /// A new configuration is in force: everything.
    Reload,
    /// The control socket: everything.
    Control,
    /// The control socket: an approval of something that an application holds back, or of a directory's suspect read.
    Approved(Subject),
    /// One pass, and the process ends: everything.
    Once,
}

impl Trigger {
    fn reads(&self, directory: &str) -> bool {
        match self {
            Trigger::Tick(ticked) | Trigger::Approved(Subject::Directory(ticked)) => {
                ticked == directory
            }
            Trigger::Due(_) | Trigger::Approved(Subject::Application(_)) => false,
            _ => true,
        }
    }

    fn pushes(&self, application: &ApplicationWorker) -> bool {
        match self {
            Trigger::Tick(ticked) | Trigger::Approved(Subject::Directory(ticked)) => {
                application.job.directories.contains(ticked)
            }
            Trigger::Due(due) | Trigger::Approved(Subject::Application(due)) => {
                *due == application.job.name
            }
            _ => true,
        }
    }

    /// Whether a person asks for it here and now.
    fn is_asked(&self) -> bool {
        matches!(self, Trigger::Signal | Trigger::Control | Trigger::Once)
    }

    /// Whether somebody wants to know the outcome, also where others asked for the same.
    fn join(&self) -> Join {
        match self {
            Trigger::Start
            | Trigger::Reload
            | Trigger::Control
            | Trigger::Approved(_)
            | Trigger::Once => Join::Wait,
            Trigger::Tick(_) | Trigger::Due(_) | Trigger::Signal => Join::Leave,
        }
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trigger::Start => f.write_str("start"),
            Trigger::Tick(directory) => write!(f, "tick {directory}"),
            Trigger::Due(application) => write!(f, "due {application}"),
            Trigger::Signal => f.write_str("signal"),
            Trigger::Reload => f.write_str("reload"),
            Trigger::Control => f.write_str("control"),
            Trigger::Approved(Subject::Directory(name) | Subject::Application(name)) => {
                write!(f, "approval {name}")
            }
            Trigger::Once => f.write_str("once"),
        }
    }
}

/// Numbers the passes, through the lives of all processes on one store.
#[derive(Debug)]
pub(super) struct PassNumbers(AtomicU64);

impl PassNumbers {
    pub(super) fn after(last: u64) -> PassNumbers {
        PassNumbers(AtomicU64::new(last))
    }

    fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }
}

type SharedRead = Shared<BoxFuture<'static, Answer<ReadOutcome>>>;

/// A pass whose reads are asked for.
pub(super) struct Pass {
    number: u64,
    trigger: Trigger,
    /// Monotonic time.
    started: Duration,
    workers: Arc<Workers>,
    /// By name of the directory.
    reads: Vec<(String, SharedRead)>,
    applications: Vec<Arc<ApplicationWorker>>,
}

impl Pass {
    /// Begins a pass: its reads are asked for when this returns.
    pub(super) fn begin(trigger: Trigger, numbers: &PassNumbers, workers: &Arc<Workers>) -> Pass {
        let number = numbers.next();
        let ask = |directory: &Arc<DirectoryWorker>| {
            let read = directory.worker.ask(trigger.join()).boxed().shared();
            (directory.job.name.clone(), read)
        };
        let directories = workers.directories.iter();
        let directories = directories.filter(|it| trigger.reads(&it.job.name));
        let applications = workers.applications.iter();
        let applications: Vec<_> = applications
            .filter(|it| trigger.pushes(it))
            .cloned()
            .collect();
        let reads: Vec<_> = directories.map(ask).collect();
        events::pass_started(
            number,
            &trigger.to_string(),
            reads.len() as u64,
            applications.len() as u64,
        );
        Pass {
            number,
            started: workers.clock.monotonic(),
            workers: Arc::clone(workers),
            reads,
            applications,
            trigger,
        }
    }

    /// Ends when all reads have ended.
    pub(super) fn reads_ended(&self) -> impl Future<Output = ()> + Send + use<> {
        let reads: Vec<_> = self.reads.iter().map(|(_, read)| read.clone()).collect();
        join_all(reads).map(|_| ())
    }

    /// Goes on to the end.
    pub(super) async fn run(self) -> PassReport {
        let trigger = self.trigger.to_string();
        let routine = matches!(self.trigger, Trigger::Tick(_));
        let jobs = &self.workers.jobs;
        jobs.pass_began(self.number, &trigger, routine).await;
        let reads = join_all(self.reads.iter().map(|(_, read)| read.clone()));
        let pushes = join_all(self.applications.iter().map(|it| self.push(it)));
        let (reads, pushes) = join(reads, pushes).await;
        let mut tally = Tally::default();
        for answer in &reads {
            tally.read(answer);
        }
        for answer in &pushes {
            tally.push(answer);
        }
        self.finish(&tally).await
    }

    async fn push(&self, application: &ApplicationWorker) -> Answer<PushOutcome> {
        let listed = |name: &String| application.job.directories.contains(name);
        let own = self.reads.iter().filter(|(name, _)| listed(name));
        let own = join_all(own.map(|(_, read)| read.clone())).await;
        if self.trigger.is_asked() {
            application.asked.store(true, Ordering::Relaxed);
        }
        if !own.is_empty() && own.iter().all(|answer| *answer == Answer::Joined) {
            // Who asked for these reads has the application pushed after them.
            return Answer::Joined;
        }
        application.worker.ask(self.trigger.join()).await
    }

    async fn finish(&self, tally: &Tally) -> PassReport {
        let clock = &self.workers.clock;
        let ages = self.workers.jobs.ages().await;
        let now = clock.now();
        let ages: Vec<_> = ages
            .into_iter()
            .map(|age| ReportedAge::new(age, now))
            .collect();
        ages.iter().for_each(tell_if_stale);
        let stale = ages.iter().filter(|age| age.stale).count();
        let report = PassReport {
            pass: self.number,
            trigger: self.trigger.to_string(),
            outcome: tally.outcome(self.workers.applications.len(), stale > 0),
            duration_ms: events::milliseconds(clock.monotonic().saturating_sub(self.started)),
            counts: tally.counts,
            joined: tally.joined,
            ages,
        };
        self.workers.jobs.pass_ended(&report).await;
        tell_finished(&report);
        report
    }
}

/// Runs one pass over everything and nothing else. After `stop` it begins nothing and finishes the changes in hand.
pub async fn run_once(
    clock: Arc<dyn Clock>,
    progress: Arc<Progress>,
    jobs: Arc<dyn Jobs>,
    stop: &CancellationToken,
) -> PassReport {
    let surroundings = Surroundings { clock, progress };
    let numbers = PassNumbers::after(jobs.passes_before());
    let stop = stop.child_token();
    let workers = Workers::new(&surroundings, jobs, stop.clone());
    let mut tasks = JoinSet::new();
    for (_, task) in workers.tasks() {
        tasks.spawn(task);
    }
    // Nobody asks how one pass is, but the log tells of long jobs.
    let status = status::tell(
        Arc::clone(&surroundings.clock),
        Arc::clone(&surroundings.progress),
        Arc::new(Notifier::silent()),
        watch::Sender::new(String::new()).subscribe(),
    );
    let status = AbortOnDropHandle::new(tokio::spawn(status));
    let report = Pass::begin(Trigger::Once, &numbers, &workers).run().await;
    stop.cancel();
    tasks.join_all().await;
    drop(status);
    report
}

fn tell_if_stale(age: &ReportedAge) {
    match (age.stale, age.directory) {
        (false, _) => {}
        (true, true) => events::directory_stale(&age.name, age.duration()),
        (true, false) => events::application_stale(&age.name, age.duration()),
    }
}

fn tell_finished(report: &PassReport) {
    let PassReport {
        pass,
        trigger,
        outcome,
        duration_ms,
        counts,
        joined,
        ages,
    } = report;
    let told = |directories: bool| {
        let ages = ages.iter().filter(|age| age.directory == directories);
        let told = ages.map(|age| match age.seconds {
            Some(seconds) => format!("{}={seconds}", age.name),
            None => format!("{}=never", age.name),
        });
        told.collect::<Vec<_>>().join(" ")
    };
    events::pass_finished(&events::Finish {
        pass: *pass,
        trigger,
        outcome: outcome.word(),
        duration_ms: *duration_ms,
        counts,
        joined: *joined,
        stale: ages.iter().filter(|age| age.stale).count() as u64,
        read_ages: &told(true),
        push_ages: &told(false),
    });
}
