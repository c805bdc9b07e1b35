//! The work that the daemon asks for, done with the store and the connected parts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use futures_util::future::BoxFuture;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::assemble::Parts;
use crate::assemble::routine::Routine;
use crate::assemble::serving::Publisher;
use crate::clock::{Clock, Timestamp};
use crate::config::Config;
use crate::daemon::{
    Age, ApplicationJob, DirectoryJob, Jobs, PassOutcome, PassReport, PushEnd, PushOutcome,
    ReadEnd, ReadOutcome, Subject,
};
use crate::events::{self, Counts};
use crate::progress::Work;
use crate::store::{Role, Store, StoreError};
use crate::sync::read::{self, Kept};
use crate::sync::{self, ApplicationPart, DirectoryPart};
use crate::text::Span;

/// Reads and pushes over one store.
pub struct StoreJobs {
    parts: Parts,
    schedules: Vec<DirectoryJob>,
    store: Store,
    clock: Arc<dyn Clock>,
    passes_before: u64,
    history_keep: Span,
    /// What is kept of each directory between reads, by name.
    kept: BTreeMap<String, Mutex<Kept>>,
    /// Other passes follow in this process.
    lasting: bool,
    /// When old history was last forgotten, in seconds since the epoch.
    pruned_at: AtomicI64,
    routine: Routine,
    /// Where committed sets are shown, if this process serves any.
    publisher: Option<Arc<Publisher>>,
}

/// How often old history is forgotten. It is looked through for that.
const PRUNED_EVERY: Span = Span::hours(24);

impl StoreJobs {
    /// The jobs of a configuration, after so many passes. As a daemon's they keep what makes the next read cheap.
    pub fn new(
        config: &Config,
        parts: Parts,
        store: Store,
        clock: Arc<dyn Clock>,
        passes_before: u64,
        role: Role,
    ) -> Self {
        let kept = parts.directories.iter().map(|it| {
            let kept = match role {
                Role::Daemon => Kept::for_many_passes(),
                Role::Once => Kept::for_one_pass(),
            };
            (it.name.clone(), Mutex::new(kept))
        });
        let kept = kept.collect();
        let enabled = config.directories.iter().filter(|it| it.enabled);
        let schedules = enabled.map(|entry| DirectoryJob {
            name: entry.name.as_str().to_owned(),
            schedule: config.schedule_of(entry),
            read_timeout: entry.read_timeout.as_std(),
        });
        StoreJobs {
            schedules: schedules.collect(),
            kept,
            lasting: role == Role::Daemon,
            parts,
            store,
            clock,
            passes_before,
            history_keep: config.history_keep,
            pruned_at: AtomicI64::new(0),
            routine: Routine::default(),
            publisher: None,
        }
    }

    /// The same, with every set that is committed shown here from then on.
    #[must_use]
    pub fn showing(self, publisher: Arc<Publisher>) -> Self {
        let publisher = Some(publisher);
        StoreJobs { publisher, ..self }
    }

    /// Shows the committed set of an application, where something was committed or the last try to show it failed.
    async fn show(&self, part: &ApplicationPart, committed: bool) -> Result<(), StoreError> {
        match &self.publisher {
            Some(publisher) if committed || publisher.is_behind(part).await => {
                publisher.publish(part, &self.store).await
            }
            _ => Ok(()),
        }
    }

    fn directory(&self, name: &str) -> Option<&Arc<DirectoryPart>> {
        self.parts.directories.iter().find(|it| it.name == name)
    }

    async fn read_one(&self, name: &str, work: &Work) -> Result<ReadOutcome, StoreError> {
        let failed = ReadOutcome {
            end: ReadEnd::Failed,
            rejected: 0,
            unknown: 0,
        };
        let Some(part) = self.directory(name) else {
            return Ok(failed);
        };
        let (Some(directory), Some(kept)) = (&part.directory, self.kept.get(name)) else {
            return Ok(failed);
        };
        // Two reads of one directory never overlap, so nobody waits here.
        let mut kept = kept.lock().await;
        let applications = &self.parts.applications;
        let (reader, clock) = (Some(self.store.reader()), self.clock.as_ref());
        let fetched = read::fetch(part, directory, reader, clock, work, &kept).await?;
        let read = read::commit(part, applications, &self.store, fetched, &mut kept).await?;
        let (end, rejected, unknown) = match read {
            sync::Read::Changed { rejected, unknown } => (ReadEnd::Changed, rejected, unknown),
            sync::Read::Unchanged { rejected, unknown } => (ReadEnd::Unchanged, rejected, unknown),
            sync::Read::Suspect { rejected } => (ReadEnd::Suspect, rejected, 0),
            sync::Read::Failed => (ReadEnd::Failed, 0, 0),
        };
        if end != ReadEnd::Unchanged {
            self.routine.note(&self.store).await?;
        }
        Ok(ReadOutcome {
            end,
            rejected,
            unknown,
        })
    }

    async fn push_one(
        &self,
        name: &str,
        asked: bool,
        work: &Work,
        stop: &CancellationToken,
    ) -> Result<PushOutcome, StoreError> {
        let failed = PushOutcome {
            end: PushEnd::Failed,
            counts: Counts::default(),
            due_at: None,
        };
        let Some(part) = self.parts.applications.iter().find(|it| it.name == name) else {
            return Ok(failed);
        };
        let clock = self.clock.as_ref();
        let due = if self.lasting && !asked {
            sync::push::is_due(part, &self.store, clock.now()).await?
        } else {
            Some(true)
        };
        match due {
            // Nothing to do, and nothing to tell.
            None => {
                self.show(part, false).await?;
                return Ok(PushOutcome {
                    end: PushEnd::NotDue,
                    ..failed
                });
            }
            Some(true) => self.routine.note(&self.store).await?,
            Some(false) => {}
        }
        let pushed = sync::push::push(part, &self.store, clock, asked, work, stop).await?;
        self.show(part, pushed.due).await?;
        let end = match (pushed.due, pushed.reached) {
            (false, _) => PushEnd::NotDue,
            (true, true) => PushEnd::Pushed,
            (true, false) => PushEnd::Failed,
        };
        Ok(PushOutcome {
            end,
            counts: pushed.counts,
            due_at: pushed.due_at,
        })
    }

    async fn keep_pass(&self, report: &PassReport) -> Result<(), StoreError> {
        let now = self.clock.now();
        let in_sync = report.outcome == PassOutcome::InSync;
        if self.routine.is_forgotten(report.pass, in_sync, now) {
            return Ok(());
        }
        self.routine.note(&self.store).await?;
        let counts = present(&report.counts);
        let outcome = report.outcome.word();
        let kept = self.store.finish_pass(report.pass, now, outcome, &counts);
        kept.await?;
        let pruned_at = self.pruned_at.load(Ordering::Relaxed);
        if now.0 - pruned_at < PRUNED_EVERY.as_seconds() {
            return Ok(());
        }
        self.pruned_at.store(now.0, Ordering::Relaxed);
        let before = Timestamp(now.0 - self.history_keep.as_seconds());
        self.store.prune_history(before).await
    }

    async fn last_times(&self) -> Result<Vec<Age>, StoreError> {
        let now = self.clock.now();
        let mut snapshot = self.store.snapshot().await?;
        let mut ages = Vec::new();
        let age = |subject, last: Option<Timestamp>, after: Span| {
            let stale = last.is_none_or(|it| now.0 - it.0 > after.as_seconds());
            Age {
                subject,
                last,
                stale,
            }
        };
        for part in self
            .parts
            .directories
            .iter()
            .filter(|it| it.directory.is_some())
        {
            let told = snapshot
                .directory(&part.id)
                .await?
                .and_then(|it| it.read_at);
            let kept = self.kept.get(&part.name);
            let kept = kept.and_then(|it| it.try_lock().ok()?.read_at());
            let last = told.max(kept);
            ages.push(age(
                Subject::Directory(part.name.clone()),
                last,
                part.stale_after,
            ));
        }
        for part in &self.parts.applications {
            let last = snapshot
                .application(&part.id)
                .await?
                .and_then(|it| it.pushed_at);
            ages.push(age(
                Subject::Application(part.name.clone()),
                last,
                part.stale_after,
            ));
        }
        Ok(ages)
    }
}

/// Numbers as JSON, without those that are nought: most passes find nothing to do.
fn present(counts: &Counts) -> String {
    let Ok(serde_json::Value::Object(mut numbers)) = serde_json::to_value(counts) else {
        return "{}".to_owned();
    };
    numbers.retain(|_, it| *it != 0);
    serde_json::Value::Object(numbers).to_string()
}

impl Jobs for StoreJobs {
    fn directories(&self) -> Vec<DirectoryJob> {
        self.schedules.clone()
    }

    fn applications(&self) -> Vec<ApplicationJob> {
        let job = |part: &Arc<sync::ApplicationPart>| ApplicationJob {
            name: part.name.clone(),
            directories: part.directories.iter().map(|it| it.name.clone()).collect(),
        };
        self.parts.applications.iter().map(job).collect()
    }

    fn read<'a>(&'a self, directory: &'a str, work: &'a Work) -> BoxFuture<'a, ReadOutcome> {
        Box::pin(async move {
            self.read_one(directory, work)
                .await
                .unwrap_or_else(|error| {
                    events::store_failed("read", &error);
                    ReadOutcome {
                        end: ReadEnd::StoreFailed,
                        rejected: 0,
                        unknown: 0,
                    }
                })
        })
    }

    fn push<'a>(
        &'a self,
        application: &'a str,
        asked: bool,
        work: &'a Work,
        stop: &'a CancellationToken,
    ) -> BoxFuture<'a, PushOutcome> {
        Box::pin(async move {
            self.push_one(application, asked, work, stop)
                .await
                .unwrap_or_else(|error| {
                    events::store_failed("push", &error);
                    PushOutcome {
                        end: PushEnd::StoreFailed,
                        counts: Counts::default(),
                        due_at: None,
                    }
                })
        })
    }

    fn passes_before(&self) -> u64 {
        self.passes_before
    }

    fn pass_began<'a>(&'a self, number: u64, trigger: &'a str, routine: bool) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if routine {
                self.routine.began(number, trigger, self.clock.now());
                return;
            }
            let begun = self.store.begin_pass(number, trigger, self.clock.now());
            if let Err(error) = begun.await {
                events::store_failed("pass", &error);
            }
        })
    }

    fn pass_ended<'a>(&'a self, report: &'a PassReport) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if let Err(error) = self.keep_pass(report).await {
                events::store_failed("pass", &error);
            }
        })
    }

    fn ages(&self) -> BoxFuture<'_, Vec<Age>> {
        Box::pin(async move {
            self.last_times().await.unwrap_or_else(|error| {
                events::store_failed("status", &error);
                Vec::new()
            })
        })
    }
}
