//! Everything that runs for one configuration: the workers, and what has them work.
//!
//! A reload ends one generation, with the changes in hand finished, and starts the next.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::control::Reply;
use super::jobs::{Jobs, Subject};
use super::pass::{Pass, PassNumbers, Trigger};
use super::report::PassReport;
use super::wait::{self, Woke};
use super::workers::{ApplicationWorker, DirectoryWorker, Named, Surroundings, Workers};
use crate::clock::{Clock, Timestamp};
use crate::events;

/// How many triggers may be on their way. Those who send them wait for room.
const TRIGGERS_MAX: usize = 64;
/// The least time between two pushes that clocks of one application cause. A clock that stays due must not spin.
const DUE_PAUSE_SECONDS: i64 = 60;

/// A trigger that came from inside, with where to say that its reads have ended.
pub(super) struct Triggered {
    trigger: Trigger,
    reads_ended: oneshot::Sender<BoxFuture<'static, ()>>,
}

/// What happened in a generation.
pub(super) enum Event {
    /// A schedule or clock wants a pass.
    Triggered(Triggered),
    /// A pass is over.
    Finished(Box<PassReport>),
    /// Something ended that should not have.
    Died(String),
    /// After the stop: all has ended.
    Over,
}

/// The tasks of one configuration. Dropping it drops all work in hand.
pub(super) struct Generation {
    workers: Arc<Workers>,
    numbers: Arc<PassNumbers>,
    triggers: mpsc::Receiver<Triggered>,
    /// Keeps the channel open where nothing is scheduled.
    _sender: mpsc::Sender<Triggered>,
    /// Whose name comes back early has died.
    tasks: JoinSet<Ended>,
    passes: JoinSet<Result<PassReport, Box<dyn Any + Send>>>,
}

/// The name of a task that has ended.
pub(super) struct Ended(pub(super) String);

/// Starts a task that gives its name when it ends, whether it returns or panics.
pub(super) fn spawn((name, task): Named, tasks: &mut JoinSet<Ended>) {
    tasks.spawn(async move {
        // A panic has been told by the hook; here it counts as any other end.
        let _ = AssertUnwindSafe(task).catch_unwind().await;
        Ended(name)
    });
}

impl Generation {
    /// Starts the workers, the schedules and the clocks. No pass is begun.
    pub(super) fn start(
        surroundings: &Surroundings,
        jobs: Arc<dyn Jobs>,
        numbers: Arc<PassNumbers>,
        stop: &CancellationToken,
    ) -> Generation {
        let workers = Workers::new(surroundings, jobs, stop.child_token());
        let (sender, triggers) = mpsc::channel(TRIGGERS_MAX);
        let mut tasks = JoinSet::new();
        for task in workers.tasks() {
            spawn(task, &mut tasks);
        }
        let now = workers.clock.now();
        for directory in &workers.directories {
            let name = format!("schedule {}", directory.job.name);
            let task = tick(
                Arc::clone(&workers),
                Arc::clone(directory),
                now,
                sender.clone(),
            );
            spawn((name, Box::pin(task)), &mut tasks);
        }
        for application in &workers.applications {
            let name = format!("clock {}", application.job.name);
            let task = fall_due(
                Arc::clone(&workers),
                Arc::clone(application),
                sender.clone(),
            );
            spawn((name, Box::pin(task)), &mut tasks);
        }
        Generation {
            workers,
            numbers,
            triggers,
            _sender: sender,
            tasks,
            passes: JoinSet::new(),
        }
    }

    /// Whether what a trigger is about is there.
    pub(super) fn has(&self, trigger: &Trigger) -> bool {
        let Trigger::Approved(subject) = trigger else {
            return true;
        };
        match subject {
            Subject::Directory(name) => {
                let mut directories = self.workers.directories.iter();
                directories.any(|it| it.job.name == *name)
            }
            Subject::Application(name) => {
                let mut applications = self.workers.applications.iter();
                applications.any(|it| it.job.name == *name)
            }
        }
    }

    /// Begins a pass. Its report goes to `reply`, too.
    pub(super) fn begin(&mut self, trigger: Trigger, reply: Option<oneshot::Sender<Reply>>) {
        let pass = Pass::begin(trigger, &self.numbers, &self.workers);
        self.run(pass, reply);
    }

    /// Begins the pass that a schedule or clock wants.
    pub(super) fn begin_triggered(&mut self, triggered: Triggered) {
        let pass = Pass::begin(triggered.trigger, &self.numbers, &self.workers);
        let _ = triggered.reads_ended.send(pass.reads_ended().boxed());
        self.run(pass, None);
    }

    fn run(&mut self, pass: Pass, reply: Option<oneshot::Sender<Reply>>) {
        let pass = async move {
            let report = pass.run().await;
            if let Some(reply) = reply {
                // A client that went away does not need it.
                let _ = reply.send(Reply::Finished(Box::new(report.clone())));
            }
            report
        };
        self.passes.spawn(AssertUnwindSafe(pass).catch_unwind());
    }

    /// No work is begun from now on.
    pub(super) fn stop(&self) {
        self.workers.stop.cancel();
    }

    /// Waits for what happens next. May be dropped without loss.
    pub(super) async fn next(&mut self) -> Event {
        loop {
            let stopping = self.workers.stop.is_cancelled();
            tokio::select! {
                Some(pass) = self.passes.join_next() => return match pass {
                    Ok(Ok(report)) => Event::Finished(Box::new(report)),
                    _ => Event::Died("pass".to_owned()),
                },
                Some(ended) = self.tasks.join_next() => match ended {
                    Ok(Ended(_)) if stopping => {}
                    Ok(Ended(name)) => return Event::Died(name),
                    Err(_) => return Event::Died("unknown".to_owned()),
                },
                Some(triggered) = self.triggers.recv(), if !stopping => {
                    return Event::Triggered(triggered);
                }
                else => return Event::Over,
            }
        }
    }

    /// The names of all directories and applications, counted.
    pub(super) fn size(&self) -> (u64, u64) {
        (
            self.workers.directories.len() as u64,
            self.workers.applications.len() as u64,
        )
    }

    /// The earliest tick after now.
    pub(super) fn next_tick(&self) -> Option<Timestamp> {
        let now = self.workers.clock.now();
        let directories = self.workers.directories.iter();
        directories
            .filter_map(|it| it.job.schedule.next_after(now))
            .min()
    }
}

/// Has a directory read whenever its schedule says so. Ticks that come while it is read melt into one after it.
async fn tick(
    workers: Arc<Workers>,
    directory: Arc<DirectoryWorker>,
    start: Timestamp,
    triggers: mpsc::Sender<Triggered>,
) {
    let (clock, job) = (workers.clock.as_ref(), &directory.job);
    // Always from the last tick: from the present moment, one that came a little early would be found again.
    let mut last = start;
    loop {
        if wait::was_put_back(last, clock.now()) {
            last = clock.now();
        }
        let Some(next) = job.schedule.next_after(last) else {
            return workers.stop.cancelled().await;
        };
        events::schedule_next(&job.name, &next.to_string());
        let woke = tokio::select! {
            () = workers.stop.cancelled() => return,
            woke = wait::until(clock, next) => woke,
        };
        if woke == Woke::Due {
            last = clock.now();
            tokio::select! {
                () = workers.stop.cancelled() => return,
                () = trigger(&triggers, Trigger::Tick(job.name.clone())) => {}
            }
        }
    }
}

/// Has an application pushed whenever a clock of it falls due.
async fn fall_due(
    workers: Arc<Workers>,
    application: Arc<ApplicationWorker>,
    triggers: mpsc::Sender<Triggered>,
) {
    let clock = workers.clock.as_ref();
    let mut pushed = application.due_at.subscribe();
    let mut not_before = Timestamp::default();
    loop {
        let due_at = *pushed.borrow_and_update();
        let due = tokio::select! {
            () = workers.stop.cancelled() => return,
            _ = pushed.changed() => false,
            due = is_due(clock, due_at.map(|at| at.max(not_before))) => due,
        };
        if due {
            not_before = Timestamp(clock.now().0.saturating_add(DUE_PAUSE_SECONDS));
            let pushed = async {
                trigger(&triggers, Trigger::Due(application.job.name.clone())).await;
                // Only a push can say when the next clock falls due.
                let _ = pushed.changed().await;
            };
            tokio::select! {
                () = workers.stop.cancelled() => return,
                () = pushed => {}
            }
        }
    }
}

/// Waits for the moment, if there is one; false when the clock was put back meanwhile.
async fn is_due(clock: &dyn Clock, at: Option<Timestamp>) -> bool {
    match at {
        Some(at) => wait::until(clock, at).await == Woke::Due,
        None => std::future::pending().await,
    }
}

/// Starts a pass and waits until its reads have ended.
async fn trigger(triggers: &mpsc::Sender<Triggered>, trigger: Trigger) {
    let (reads_ended, reads) = oneshot::channel();
    let triggered = Triggered {
        trigger,
        reads_ended,
    };
    // Without a receiver the stop is on its way.
    if triggers.send(triggered).await.is_ok()
        && let Ok(reads) = reads.await
    {
        reads.await;
    }
}
