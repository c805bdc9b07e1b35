//! One worker for each directory and each application of one configuration.
//!
//! Each run is a task of its own, so that one which hangs or panics harms no other. A read is dropped at its time limit and
//! at a stop, for nothing is lost by that; a push is told of the stop and awaited.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::jobs::{ApplicationJob, DirectoryJob, Jobs, PushEnd, PushOutcome, ReadEnd, ReadOutcome};
use super::worker::Worker;
use crate::clock::{Clock, Timestamp};
use crate::events::{self, Counts, Failure};
use crate::progress::{Job, Progress};

/// What the daemon runs on.
#[derive(Clone)]
pub(super) struct Surroundings {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) progress: Arc<Progress>,
}

/// The workers of one configuration.
pub(super) struct Workers {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) progress: Arc<Progress>,
    pub(super) jobs: Arc<dyn Jobs>,
    /// No work is begun after it.
    pub(super) stop: CancellationToken,
    pub(super) directories: Vec<Arc<DirectoryWorker>>,
    pub(super) applications: Vec<Arc<ApplicationWorker>>,
}

pub(super) struct DirectoryWorker {
    pub(super) job: DirectoryJob,
    pub(super) worker: Worker<ReadOutcome>,
}

pub(super) struct ApplicationWorker {
    pub(super) job: ApplicationJob,
    pub(super) worker: Worker<PushOutcome>,
    /// A person asked for the next push.
    pub(super) asked: AtomicBool,
    /// When its first clock falls due, as the last push said. Marked as changed after every push.
    pub(super) due_at: watch::Sender<Option<Timestamp>>,
}

/// A task and its name.
pub(super) type Named = (String, BoxFuture<'static, ()>);

impl Workers {
    pub(super) fn new(
        surroundings: &Surroundings,
        jobs: Arc<dyn Jobs>,
        stop: CancellationToken,
    ) -> Arc<Workers> {
        let directories = jobs.directories().into_iter().map(|job| {
            let worker = Worker::new();
            Arc::new(DirectoryWorker { job, worker })
        });
        let applications = jobs.applications().into_iter().map(|job| {
            Arc::new(ApplicationWorker {
                job,
                worker: Worker::new(),
                asked: AtomicBool::new(false),
                due_at: watch::Sender::new(None),
            })
        });
        Arc::new(Workers {
            directories: directories.collect(),
            applications: applications.collect(),
            clock: Arc::clone(&surroundings.clock),
            progress: Arc::clone(&surroundings.progress),
            jobs,
            stop,
        })
    }

    /// The tasks that do the work. Each ends after the stop.
    pub(super) fn tasks(self: &Arc<Self>) -> Vec<Named> {
        let reading = self.directories.iter().map(|directory| -> Named {
            let task = Arc::clone(self).read_when_asked(Arc::clone(directory));
            (format!("read {}", directory.job.name), Box::pin(task))
        });
        let pushing = self.applications.iter().map(|application| -> Named {
            let task = Arc::clone(self).push_when_asked(Arc::clone(application));
            (format!("push {}", application.job.name), Box::pin(task))
        });
        reading.chain(pushing).collect()
    }

    async fn read_when_asked(self: Arc<Self>, directory: Arc<DirectoryWorker>) {
        // A read that was dropped at its time limit may still be inside of code that does not give way.
        let mut dropped = None;
        while let Some(askers) = directory.worker.next(&self.stop).await {
            tokio::select! {
                () = self.stop.cancelled() => continue,
                () = gone(dropped.take()) => {}
            }
            let mut read = self.spawn_read(&directory.job);
            let timeout = directory.job.read_timeout;
            tokio::select! {
                () = self.stop.cancelled() => {}
                ended = &mut read => {
                    let name = &directory.job.name;
                    askers.answer(&ended.unwrap_or_else(|error| read_died(name, &error)));
                }
                () = self.clock.sleep(timeout) => {
                    read.abort();
                    askers.answer(&read_timed_out(&directory.job.name, timeout));
                    dropped = Some(read);
                }
            }
        }
    }

    fn spawn_read(&self, job: &DirectoryJob) -> AbortOnDropHandle<ReadOutcome> {
        let (jobs, name) = (Arc::clone(&self.jobs), job.name.clone());
        let job = Job::Read(name.clone());
        let work = self.progress.begin(job, self.clock.monotonic());
        let read = async move { jobs.read(&name, &work).await };
        AbortOnDropHandle::new(tokio::spawn(read))
    }

    async fn push_when_asked(self: Arc<Self>, application: Arc<ApplicationWorker>) {
        while let Some(askers) = application.worker.next(&self.stop).await {
            let name = &application.job.name;
            let asked = application.asked.swap(false, Ordering::Relaxed);
            let ended = self.spawn_push(&application.job, asked).await;
            let outcome = ended.unwrap_or_else(|error| push_died(name, &error));
            application.due_at.send_replace(outcome.due_at);
            askers.answer(&outcome);
        }
    }

    fn spawn_push(&self, job: &ApplicationJob, asked: bool) -> AbortOnDropHandle<PushOutcome> {
        let (jobs, name) = (Arc::clone(&self.jobs), job.name.clone());
        let (job, stop) = (Job::Push(name.clone()), self.stop.clone());
        let work = self.progress.begin(job, self.clock.monotonic());
        let push = async move { jobs.push(&name, asked, &work, &stop).await };
        AbortOnDropHandle::new(tokio::spawn(push))
    }
}

async fn gone(read: Option<AbortOnDropHandle<ReadOutcome>>) {
    if let Some(read) = read {
        // What came of it was told when its time was over.
        let _ = read.await;
    }
}

fn read_timed_out(directory: &str, timeout: Duration) -> ReadOutcome {
    let error = format!(
        "it took longer than {} seconds; see why the directory answers slowly, raise `read_timeout`, or for Google \
         `queries_per_minute`",
        timeout.as_secs()
    );
    events::directory_failed(directory, Failure::TimedOut, &error);
    ReadOutcome {
        end: ReadEnd::Failed,
        rejected: 0,
        unknown: 0,
    }
}

/// What a panic says is not told: it may hold what the directory answered. The place is in `daemon.panicked`.
fn read_died(directory: &str, error: &JoinError) -> ReadOutcome {
    debug_assert!(error.is_panic(), "nobody else aborts it");
    let error = "the read met a defect of usersyncd, see daemon.panicked; it is tried again at the next tick";
    events::directory_failed(directory, Failure::Panicked, error);
    ReadOutcome {
        end: ReadEnd::Failed,
        rejected: 0,
        unknown: 0,
    }
}

fn push_died(application: &str, error: &JoinError) -> PushOutcome {
    debug_assert!(error.is_panic(), "nobody else aborts it");
    let error = "the push met a defect of usersyncd, see daemon.panicked; what it did is found out at the next push";
    events::application_failed(application, Failure::Panicked, error);
    PushOutcome {
        end: PushEnd::Failed,
        counts: Counts::default(),
        due_at: None,
    }
}
