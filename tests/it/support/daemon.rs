//! A daemon over fake jobs, in the test's own thread, with a clock that only the test moves.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::UnixDatagram;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use usersyncd::clock::{ManualClock, Timestamp};
use usersyncd::daemon::{ControlSocket, Daemon, Exit, Jobs, Notifier, Signal};
use usersyncd::progress::Progress;
use usersyncd::text::Span;

use super::jobs::FakeJobs;
use super::log::Log;

/// 2026-11-22T00:00:00Z, a whole quarter of an hour.
pub(crate) const START: Timestamp = Timestamp(1_795_305_600);
/// How often the service manager wants a sign of life.
pub(crate) const WATCHDOG: Duration = Duration::from_mins(5);

/// Far more turns than anything needs that has only tasks of this thread to wait for.
const TURNS: u32 = 20_000;
/// Turns after which nothing moves any more without the clock.
const STILL: u32 = 300;

/// A running daemon and all that a test can do to it.
pub(crate) struct TestDaemon {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) jobs: Arc<FakeJobs>,
    pub(crate) log: Log,
    /// What the next reload gives; the problems of the configuration if there are no jobs.
    pub(crate) reload_gives: Arc<Mutex<Option<Arc<FakeJobs>>>>,
    pub(crate) control: PathBuf,
    signals: mpsc::Sender<Signal>,
    /// What the service manager was told, one assignment each.
    told: Arc<Mutex<Vec<String>>>,
    exit: JoinHandle<Exit>,
    _folder: TempDir,
}

impl TestDaemon {
    /// Starts a daemon and waits until its first pass is over, or nothing moves any more.
    pub(crate) async fn start(jobs: Arc<FakeJobs>) -> Self {
        let log = Log::catch();
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(START));
        let (signals, receiver) = mpsc::channel(8);
        let socket = folder.path().join("notify");
        let notify = UnixDatagram::bind(&socket).unwrap();
        let control = folder.path().join("state.db.sock");
        let reload_gives = Arc::new(Mutex::new(None));
        let next = Arc::clone(&reload_gives);
        let daemon = Daemon {
            clock: clock.clone(),
            progress: Progress::new(),
            jobs: jobs.clone(),
            notifier: Notifier::to(&socket, Some(WATCHDOG)),
            control: Some(ControlSocket::bind(&control).await.unwrap()),
            served: Box::pin(std::future::pending()),
            reload: Box::new(move || {
                let jobs: Option<Arc<FakeJobs>> = next.lock().unwrap().take();
                let result = match jobs {
                    Some(jobs) => Ok(jobs as Arc<dyn Jobs>),
                    None => Err(vec!["config.yaml:1:1: no good".to_owned()]),
                };
                Box::pin(std::future::ready(result))
            }),
        };
        let told = Arc::default();
        tokio::spawn(hear(notify, Arc::clone(&told)));
        let exit = tokio::spawn(daemon.run(receiver));
        let daemon = Self {
            clock,
            jobs,
            log,
            reload_gives,
            control,
            signals,
            told,
            exit,
            _folder: folder,
        };
        settle().await;
        daemon
    }

    pub(crate) async fn signal(&self, signal: Signal) {
        self.signals.send(signal).await.unwrap();
        settle().await;
    }

    /// Lets time pass in steps of a second at most, each until nothing moves any more.
    pub(crate) async fn pass(&self, span: Span) {
        for _ in 0..span.as_seconds() {
            self.clock.advance(Span::seconds(1));
            turn(10).await;
        }
        settle().await;
    }

    /// Lets time pass at once, as if the machine had slept.
    pub(crate) async fn leap(&self, span: Span) {
        self.clock.advance(span);
        settle().await;
    }

    /// The exit code, of a daemon that ends by itself.
    pub(crate) async fn exit(self) -> (Exit, Log) {
        until("the daemon ends", || self.exit.is_finished()).await;
        (self.exit.await.unwrap(), self.log)
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.exit.is_finished()
    }

    /// What the service manager was told since this was last asked, one assignment each.
    pub(crate) fn told(&self) -> Vec<String> {
        std::mem::take(&mut self.told.lock().unwrap())
    }

    /// The triggers of the passes that are over, in that order.
    pub(crate) fn finished(&self) -> Vec<String> {
        triggers(&self.log, "pass.finished")
    }
}

/// Hears all that is told, for ever: a socket that nobody reads takes ten messages and then no more.
async fn hear(socket: UnixDatagram, told: Arc<Mutex<Vec<String>>>) {
    let mut buffer = [0; 4096];
    loop {
        let bytes = socket.recv(&mut buffer).await.unwrap();
        let message = std::str::from_utf8(&buffer[..bytes]).unwrap();
        told.lock()
            .unwrap()
            .extend(message.lines().map(str::to_owned));
    }
}

/// The triggers of all events of one name.
pub(crate) fn triggers(log: &Log, name: &str) -> Vec<String> {
    let events = log.named(name).into_iter();
    events
        .map(|event| event["trigger"].as_str().unwrap().to_owned())
        .collect()
}

/// Lets the other tasks run until the condition holds.
pub(crate) async fn until(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..TURNS {
        if condition() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("waited in vain: {what}");
}

/// Lets the other tasks run until nothing moves any more.
pub(crate) async fn settle() {
    turn(STILL).await;
}

async fn turn(times: u32) {
    for _ in 0..times {
        tokio::task::yield_now().await;
    }
}
