//! The life of the daemon.
//!
//! A stop has two stages. The first SIGTERM or SIGINT stops softly: no work is begun, reads are dropped, each push finishes
//! the change in hand. A second one, or a minute, stops hard: the process ends as if it were killed, which the next start
//! makes good like any other death. A task that ends unasked stops the daemon softly, too, and makes it fail, so that its
//! service manager starts it again: half a daemon would be worse than none.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::control::{self, Asked, ControlSocket, Reply};
use super::exit::Exit;
use super::generation::{Ended, Event, Generation, spawn};
use super::jobs::Jobs;
use super::notify::Notifier;
use super::pass::{PassNumbers, Trigger};
use super::report::PassReport;
use super::signals::Signal;
use super::status;
use super::watchdog::Watchdog;
use super::workers::Surroundings;
use crate::clock::Clock;
use crate::events;
use crate::progress::Progress;

/// How long a soft stop may take.
const SOFT_STOP_MAX: Duration = Duration::from_mins(1);
/// How many requests wait while a configuration gives way to the next.
const REQUESTS_MAX: usize = 16;

/// Reads and checks the configuration anew and makes what it says; the problems, one text each, if it is no good.
pub type Reload = Box<dyn FnMut() -> BoxFuture<'static, Result<Arc<dyn Jobs>, Vec<String>>> + Send>;

/// A daemon that has not begun.
pub struct Daemon {
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// How far the jobs are.
    pub progress: Arc<Progress>,
    /// The work.
    pub jobs: Arc<dyn Jobs>,
    /// The way to the service manager.
    pub notifier: Notifier,
    /// Where passes can be asked for.
    pub control: Option<ControlSocket>,
    /// Ends when that half of the daemon dies which serves others; a daemon that serves nobody waits for ever.
    pub served: BoxFuture<'static, ()>,
    /// What SIGHUP does.
    pub reload: Reload,
}

struct Life {
    surroundings: Surroundings,
    notifier: Arc<Notifier>,
    reload: Reload,
    phase: Phase,
    generation: Generation,
    /// All work of the generation has ended.
    over: bool,
    numbers: Arc<PassNumbers>,
    /// The soft stop. Everything hangs on it.
    stop: CancellationToken,
    signals: mpsc::Receiver<Signal>,
    requests: mpsc::Receiver<Asked>,
    /// The task of the control socket, awaited at a stop for the replies that it owes.
    control: JoinSet<Ended>,
    /// Tasks that are dropped at the end.
    aides: JoinSet<Ended>,
    /// The status line while nothing runs.
    idle: watch::Sender<String>,
    watchdog: Option<Watchdog>,
    /// Monotonic time of the next look.
    next_look: Duration,
    reloading: Option<BoxFuture<'static, Reloaded>>,
    /// SIGHUP came while the configuration was being read.
    reload_again: bool,
}

type Reloaded = Result<Arc<dyn Jobs>, Vec<String>>;

/// What the daemon is about.
enum Phase {
    Running,
    /// The work in hand is finished, then the new work begins.
    Changing(Arc<dyn Jobs>),
    /// The work in hand is finished, by this monotonic time at the latest.
    Stopping {
        until: Duration,
        exit: Exit,
    },
}

enum Happening {
    Signal(Signal),
    Request(Asked),
    Work(Event),
    Reloaded(Reloaded),
    /// A task of the house ended.
    Ended(String),
    Look,
    TimeUp,
}

impl Daemon {
    /// Lives until a signal or a defect ends it. Returns early from a hard stop, with tasks still being dropped; the caller
    /// ends the process without waiting for them.
    pub async fn run(self, signals: mpsc::Receiver<Signal>) -> Exit {
        let mut life = Life::begin(self, signals);
        let (exit, clean) = loop {
            let happening = life.next().await;
            if let Some(end) = life.take(happening) {
                break end;
            }
        };
        events::daemon_stopped(clean, exit.code());
        exit
    }
}

impl Life {
    fn begin(daemon: Daemon, signals: mpsc::Receiver<Signal>) -> Life {
        let Daemon {
            clock,
            progress,
            jobs,
            notifier,
            control,
            served,
            reload,
        } = daemon;
        let (stop, notifier) = (CancellationToken::new(), Arc::new(notifier));
        let (request_sender, requests) = mpsc::channel(REQUESTS_MAX);
        let (mut control_task, aides) = (JoinSet::new(), JoinSet::new());
        if let Some(socket) = control {
            let serve = control::serve(socket, Arc::clone(&clock), request_sender, stop.clone());
            spawn(("control".to_owned(), Box::pin(serve)), &mut control_task);
        }
        let surroundings = Surroundings { clock, progress };
        let numbers = Arc::new(PassNumbers::after(jobs.passes_before()));
        let generation = Generation::start(&surroundings, jobs, Arc::clone(&numbers), &stop);
        let idle = watch::Sender::new(describe_wait(&generation));
        let status = status::tell(
            Arc::clone(&surroundings.clock),
            Arc::clone(&surroundings.progress),
            Arc::clone(&notifier),
            idle.subscribe(),
        );
        let mut life = Life {
            phase: Phase::Running,
            watchdog: notifier.watchdog().map(Watchdog::new),
            next_look: surroundings.clock.monotonic(),
            surroundings,
            notifier,
            reload,
            generation,
            over: false,
            numbers,
            stop,
            signals,
            requests,
            control: control_task,
            aides,
            idle,
            reloading: None,
            reload_again: false,
        };
        life.tell_ready();
        spawn(("serve".to_owned(), served), &mut life.aides);
        // Only now, so that the service manager hears of the start before it hears of anything else.
        spawn(("status".to_owned(), Box::pin(status)), &mut life.aides);
        life.generation.begin(Trigger::Start, None);
        life
    }

    async fn next(&mut self) -> Happening {
        let clock = &self.surroundings.clock;
        let now = clock.monotonic();
        let look = self.next_look.saturating_sub(now);
        let left = match &self.phase {
            Phase::Stopping { until, .. } => Some(until.saturating_sub(now)),
            Phase::Running | Phase::Changing(_) => None,
        };
        tokio::select! {
            Some(signal) = self.signals.recv() => Happening::Signal(signal),
            event = self.generation.next(), if !self.over => Happening::Work(event),
            Some(request) = self.requests.recv(), if matches!(self.phase, Phase::Running) => {
                Happening::Request(request)
            }
            reloaded = poll(&mut self.reloading) => Happening::Reloaded(reloaded),
            Some(ended) = self.control.join_next() => Happening::Ended(name(ended)),
            Some(ended) = self.aides.join_next() => Happening::Ended(name(ended)),
            () = clock.sleep(look), if self.watchdog.is_some() => Happening::Look,
            () = clock.sleep(left.unwrap_or_default()), if left.is_some() => Happening::TimeUp,
        }
    }

    /// Does what follows. Gives how the daemon ends and whether nothing was cut off, once it does.
    fn take(&mut self, happening: Happening) -> Option<(Exit, bool)> {
        match happening {
            Happening::Signal(Signal::Stop) => match self.phase {
                Phase::Stopping { exit, .. } => return Some((exit, false)),
                Phase::Running | Phase::Changing(_) => self.begin_stop("signal", Exit::Ok),
            },
            Happening::TimeUp => return Some((Exit::Failed, false)),
            Happening::Signal(Signal::SyncNow) => self.begin_pass(Trigger::Signal),
            Happening::Signal(Signal::Reload) => self.begin_reload(),
            Happening::Request(asked) => self.take_request(asked),
            Happening::Reloaded(reloaded) => self.take_reloaded(reloaded),
            Happening::Work(Event::Triggered(triggered)) => {
                self.generation.begin_triggered(triggered);
            }
            Happening::Work(Event::Finished(report)) => {
                self.idle.send_replace(describe_end(&report));
            }
            Happening::Work(Event::Over) => self.take_over(),
            Happening::Work(Event::Died(task)) => self.die(&task),
            Happening::Ended(task) => {
                if !self.stop.is_cancelled() {
                    self.die(&task);
                }
            }
            Happening::Look => self.look(),
        }
        match self.phase {
            Phase::Stopping { exit, .. } if self.over && self.control.is_empty() => {
                Some((exit, true))
            }
            _ => None,
        }
    }

    fn begin_pass(&mut self, trigger: Trigger) {
        // Otherwise a pass over everything follows anyhow, or none at all.
        if matches!(self.phase, Phase::Running) {
            self.generation.begin(trigger, None);
        }
    }

    fn take_request(&mut self, asked: Asked) {
        let Asked { trigger, reply } = asked;
        if self.generation.has(&trigger) {
            return self.generation.begin(trigger, Some(reply));
        }
        let reason = format!(
            "its configuration names nothing for `{trigger}`; was it changed without `systemctl reload usersyncd`?"
        );
        // Whoever went away does not need it.
        let _ = reply.send(Reply::Refused { reason });
    }

    fn begin_stop(&mut self, cause: &str, exit: Exit) {
        self.notifier.stopping();
        events::daemon_stopping(cause);
        self.stop.cancel();
        self.reloading = None;
        // Who has asked and was not heard yet learns that it is too late.
        self.requests.close();
        while self.requests.try_recv().is_ok() {}
        let until = self.surroundings.clock.monotonic() + SOFT_STOP_MAX;
        self.phase = Phase::Stopping { until, exit };
    }

    fn die(&mut self, task: &str) {
        events::daemon_died(task);
        match &mut self.phase {
            Phase::Stopping { exit, .. } => *exit = Exit::Failed,
            Phase::Running | Phase::Changing(_) => self.begin_stop("defect", Exit::Failed),
        }
    }

    fn begin_reload(&mut self) {
        match (&self.phase, &self.reloading) {
            (Phase::Stopping { .. }, _) => {}
            (Phase::Running, None) => {
                self.notifier.reloading();
                self.reloading = Some((self.reload)());
            }
            (Phase::Changing(_), _) | (Phase::Running, Some(_)) => self.reload_again = true,
        }
    }

    fn take_reloaded(&mut self, reloaded: Reloaded) {
        self.reloading = None;
        match reloaded {
            Ok(jobs) => {
                self.generation.stop();
                self.phase = Phase::Changing(jobs);
            }
            Err(problems) => {
                for problem in &problems {
                    events::config_rejected(problem);
                }
                self.notifier.ready(&self.idle.borrow());
                self.reload_if_wanted();
            }
        }
    }

    /// The work in hand has ended.
    fn take_over(&mut self) {
        match std::mem::replace(&mut self.phase, Phase::Running) {
            Phase::Changing(jobs) => {
                let numbers = Arc::clone(&self.numbers);
                self.generation = Generation::start(&self.surroundings, jobs, numbers, &self.stop);
                let (directories, applications) = self.generation.size();
                events::config_reloaded(directories, applications);
                self.tell_ready();
                self.generation.begin(Trigger::Reload, None);
                self.reload_if_wanted();
            }
            phase => {
                self.phase = phase;
                self.over = true;
            }
        }
    }

    fn reload_if_wanted(&mut self) {
        if std::mem::take(&mut self.reload_again) {
            self.begin_reload();
        }
    }

    fn tell_ready(&self) {
        let status = describe_wait(&self.generation);
        self.notifier.ready(&status);
        self.idle.send_replace(status);
        let (directories, applications) = self.generation.size();
        let next = self.generation.next_tick().map(|next| next.to_string());
        events::daemon_ready(directories, applications, next.as_deref());
    }

    fn look(&mut self) {
        if let Some(watchdog) = &mut self.watchdog {
            self.next_look = self.surroundings.clock.monotonic() + watchdog.pause();
            if watchdog.look(&self.surroundings.progress.standings()) {
                self.notifier.alive();
            }
        }
    }
}

async fn poll(reloading: &mut Option<BoxFuture<'static, Reloaded>>) -> Reloaded {
    match reloading {
        Some(reloading) => reloading.await,
        None => std::future::pending().await,
    }
}

fn name(ended: Result<Ended, JoinError>) -> String {
    // The task itself catches panics, and nobody aborts it.
    ended.map_or_else(|_| "unknown".to_owned(), |Ended(name)| name)
}

fn describe_wait(generation: &Generation) -> String {
    match generation.next_tick() {
        Some(next) => format!("Waiting; the next read is at {next}"),
        None => "Waiting; no directory is read by schedule".to_owned(),
    }
}

fn describe_end(report: &PassReport) -> String {
    let PassReport {
        pass,
        trigger,
        outcome,
        ..
    } = report;
    format!("Waiting; pass {pass} ({trigger}) ended {}", outcome.word())
}
