//! The daemon, and one pass by itself.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::assemble::{self, Serving, StoreJobs};
use crate::cli::args::Args;
use crate::cli::entries::{self, When};
use crate::cli::setup::Setup;
use crate::cli::{Fault, out};
use crate::clock::{Clock, Timestamp};
use crate::config::Config;
use crate::daemon::{
    self, ControlFault, ControlSocket, Daemon, Exit, Jobs, Notifier, PassReport, Reload, Reply,
    Request, Signal,
};
use crate::events::{self, Counts};
use crate::progress::Progress;
use crate::store::{self, Claim, ClaimFault, Role, Store};
use crate::text::counted;

/// How long a daemon that has the store may take until it listens on its socket.
const LISTENS_WITHIN: Duration = Duration::from_secs(10);
/// Between two looks for it.
const LISTENS_PAUSE: Duration = Duration::from_millis(50);
/// How long the daemon waits at its end for requests in hand and for what still uses the store.
const CLOSED_WITHIN: Duration = Duration::from_secs(6);

/// One pass over everything. Beside a running daemon the daemon runs it and this tells the outcome.
pub(crate) async fn sync_now(args: &Args) -> Result<Exit, Fault> {
    let setup = Setup::load_to_ask(args)?;
    let path = store_path(&setup.config)?;
    if let Err(fault) = setup.want_secrets() {
        // The daemon has them: it is the only one who can run the pass.
        return match daemon::ask(&socket_path(&path), &Request::SyncNow {}).await {
            Ok(reply) => told(reply),
            Err(_) => Err(fault),
        };
    }
    let claim = match claim(&path, setup.clock.as_ref()).await? {
        Claimed::Here(claim) => claim,
        Claimed::ByDaemon(reply) => return told(reply),
    };
    let store = open(&setup.config).await?;
    let clock = Arc::clone(&setup.clock);
    let last_pass = store.cut_off_passes().await?;
    let jobs = Arc::new(StoreJobs::new(
        &setup.config,
        setup.parts,
        store.clone(),
        Arc::clone(&clock),
        last_pass,
        Role::Once,
    ));
    let stop = CancellationToken::new();
    let stopper = stop.clone();
    let mut signals = daemon::signals().map_err(|it| Fault::new(Exit::Failed, it.to_string()))?;
    let listen = tokio::spawn(async move {
        // The first signal finishes the change in hand; the second ends the process where it stands.
        let mut stops = 0;
        while let Some(signal) = signals.recv().await {
            if signal == Signal::Stop {
                stops += 1;
                stopper.cancel();
            }
            if stops == 2 {
                std::process::exit(i32::from(Exit::Partial.code()));
            }
        }
    });
    let report = daemon::run_once(Arc::clone(&clock), Progress::new(), jobs, &stop).await;
    listen.abort();
    store.close().await;
    drop(claim);
    tell(&report)?;
    Ok(report.outcome.exit())
}

/// The daemon.
pub(crate) async fn daemon(args: &Args) -> Result<Exit, Fault> {
    let setup = Setup::load(args)?;
    let path = store_path(&setup.config)?;
    let claim =
        Claim::take(&path, Role::Daemon, &holder("daemon", setup.clock.now())).map_err(busy)?;
    let store = open(&setup.config).await?;
    let clock = Arc::clone(&setup.clock);
    let serving = Serving::new(Arc::clone(&clock));
    serving
        .follow(&setup.parts, &store)
        .await
        .map_err(|it| Fault::new(Exit::Failed, events::chain(&it)))?;
    let signals = daemon::signals().map_err(|it| Fault::new(Exit::Failed, it.to_string()))?;
    let control = ControlSocket::bind(&socket_path(&path))
        .await
        .map_err(|it| Fault::new(Exit::Failed, events::chain(&it)))?;
    let last_pass = store.cut_off_passes().await?;
    events::daemon_started(
        env!("CARGO_PKG_VERSION"),
        &args.config.display().to_string(),
    );
    let jobs = StoreJobs::new(
        &setup.config,
        setup.parts,
        store.clone(),
        Arc::clone(&clock),
        last_pass,
        Role::Daemon,
    );
    let jobs = Arc::new(jobs.showing(serving.publisher()));
    let daemon = Daemon {
        clock: Arc::clone(&clock),
        progress: Progress::new(),
        jobs,
        notifier: Notifier::from_environment(),
        control: Some(control),
        served: Box::pin(Arc::clone(&serving).died()),
        reload: reload(
            args.config.clone(),
            setup.config,
            store.clone(),
            Arc::clone(&clock),
            Arc::clone(&serving),
        ),
    };
    let exit = daemon.run(signals).await;
    // After a hard stop something may still use it, which is as good as being killed.
    let closed = async {
        serving.end().await;
        store.close().await;
    };
    tokio::select! {
        () = closed => {}
        () = clock.sleep(CLOSED_WITHIN) => {}
    }
    drop(claim);
    Ok(exit)
}

/// Reads the configuration anew. Another store needs another start.
fn reload(
    path: PathBuf,
    running: Config,
    store: Store,
    clock: Arc<dyn Clock>,
    serving: Arc<Serving>,
) -> Reload {
    Box::new(move || {
        let (path, state) = (path.clone(), running.state.clone());
        let (store, clock) = (store.clone(), Arc::clone(&clock));
        let serving = Arc::clone(&serving);
        Box::pin(async move {
            let text = |it: &dyn std::fmt::Display| it.to_string();
            let loaded = crate::config::load(&path)
                .map_err(|problems| problems.iter().map(|it| text(it)).collect::<Vec<_>>())?;
            if loaded.config.state != state {
                return Err(vec![
                    "`state` was changed: restart the daemon to use another store".to_owned(),
                ]);
            }
            let parts = assemble::assemble(&loaded.config, &clock)
                .map_err(|faults| faults.iter().map(|it| text(it)).collect::<Vec<_>>())?;
            entries::take_over(&loaded.config, &store, When::Reload)
                .await
                .map_err(|it| vec![events::chain(&it)])?;
            serving
                .follow(&parts, &store)
                .await
                .map_err(|it| vec![events::chain(&it)])?;
            // The passes go on being counted by who counts them already.
            let jobs = StoreJobs::new(&loaded.config, parts, store, clock, 0, Role::Daemon);
            let jobs: Arc<dyn Jobs> = Arc::new(jobs.showing(serving.publisher()));
            Ok(jobs)
        })
    })
}

/// Who runs the pass.
enum Claimed {
    /// This process.
    Here(Claim),
    /// The daemon did.
    ByDaemon(Reply),
}

/// Claims the store, or has the daemon run the pass that has it. One that only begins, or is about to end, does not listen
/// on its socket; it is asked again until it does or is gone.
async fn claim(path: &Path, clock: &dyn Clock) -> Result<Claimed, Fault> {
    let until = clock.monotonic() + LISTENS_WITHIN;
    loop {
        let me = holder("--sync-now", clock.now());
        let fault = match Claim::take(path, Role::Once, &me) {
            Ok(claim) => return Ok(Claimed::Here(claim)),
            Err(fault) => fault,
        };
        let ClaimFault::Held { role, .. } = &fault else {
            return Err(busy(fault));
        };
        if *role == Some(Role::Once) || clock.monotonic() >= until {
            return Err(busy(fault));
        }
        if *role == Some(Role::Daemon) {
            match daemon::ask(&socket_path(path), &Request::SyncNow {}).await {
                Ok(reply) => return Ok(Claimed::ByDaemon(reply)),
                Err(ControlFault::Silent { .. }) => {}
                Err(fault) => return Err(Fault::new(Exit::Failed, events::chain(&fault))),
            }
        }
        clock.sleep(LISTENS_PAUSE).await;
    }
}

fn told(reply: Reply) -> Result<Exit, Fault> {
    match reply {
        Reply::Finished(report) => {
            tell(&report)?;
            Ok(report.outcome.exit())
        }
        Reply::Refused { reason } => Err(Fault::new(
            Exit::Failed,
            format!("the daemon did not run the pass: {reason}"),
        )),
    }
}

fn tell(report: &PassReport) -> Result<(), Fault> {
    out::answer(&report_line(report))
}

/// What came of a pass that was waited for, in a line.
pub(super) fn report_line(report: &PassReport) -> String {
    let stale = report.ages.iter().filter(|it| it.stale).count();
    summary(report.outcome.word(), &report.counts, stale as u64)
}

/// What came of a pass, in a line. What seldom happens is named only where it did. `stale` directories and applications had no
/// success for too long.
pub(super) fn summary(outcome: &str, counts: &Counts, stale: u64) -> String {
    let mut line = format!(
        "{}: {} applied, {} held, {} waiting, {} refused or failed, {} frozen, {} rejected",
        outcome,
        counted(counts.applied(), "change"),
        counts.changes_held,
        counts.changes_waiting,
        counts.changes_refused + counts.changes_failed,
        counted(counts.accounts_frozen, "account"),
        counted(counts.records_rejected, "record"),
    );
    for (count, noun, what) in [
        (counts.records_unknown, "record", "unknown"),
        (counts.directories_failed, "directory", "failed"),
        (counts.directories_suspect, "directory", "suspect"),
        (counts.applications_failed, "application", "failed"),
        (
            counts.removals_blocked,
            "application",
            "with blocked removals",
        ),
        (stale, "entry", "stale"),
    ] {
        if count > 0 {
            let _ = write!(line, ", {} {what}", counted(count, noun));
        }
    }
    line
}

/// Opens the store, takes over renamed entries, and says which entries the configuration no longer names.
async fn open(config: &Config) -> Result<Store, Fault> {
    let store = Store::open(&assemble::store_url(config)).await?;
    entries::take_over(config, &store, When::Start).await?;
    Ok(store)
}

pub(super) fn store_path(config: &Config) -> Result<PathBuf, Fault> {
    Ok(store::location(&assemble::store_url(config))?)
}

/// The control socket lies beside the store.
pub(super) fn socket_path(store: &Path) -> PathBuf {
    let mut path = store.as_os_str().to_owned();
    path.push(".sock");
    PathBuf::from(path)
}

fn holder(what: &str, now: Timestamp) -> String {
    format!(
        "usersyncd {what}, process {}, since {now}",
        std::process::id()
    )
}

fn busy(fault: ClaimFault) -> Fault {
    match fault {
        ClaimFault::Held { .. } => Fault::new(Exit::Busy, fault.to_string()),
        ClaimFault::Store(error) => error.into(),
    }
}
