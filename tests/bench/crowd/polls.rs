//! The served set polled by our own client: completely, several times at once, and for changes where there are none.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::thread::ScopedJoinHandle;
use std::time::Duration;

use usersyncd::clock::SystemClock;
use usersyncd::directories::crowd::{CrowdConfig, CrowdDirectory};
use usersyncd::directories::{Directory as _, Read, Since, What};

use super::site::{CLIENT, SECRET};
use crate::daemon::Daemon;
use crate::measure::{self, Cost};
use crate::report::{self, Report, megabytes};

/// The name by which this program reads a served set, and does nothing else.
pub(super) const READ: &str = "crowd-read";

const ROUNDS: usize = 5;
const AT_ONCE: usize = 4;
const EVENT_POLLS: usize = 200;

/// From the start of the reading process to its end, in seconds.
const READ_LIMIT: f64 = 3.0;
/// Of either side, in megabytes.
const PEAK_LIMIT: f64 = 300.0;
/// What several complete polls at once may add to the server's memory, in megabytes: less than the memberships of one are long.
const GROWTH_LIMIT: f64 = 10.0;
/// One poll for changes, in milliseconds.
const EVENTS_LIMIT: f64 = 5.0;

/// Starts the daemon and polls it.
pub(super) fn run(folder: &Path, users: u32, report: &mut Report) {
    let daemon = Daemon::start(folder);
    let url = daemon.url();
    daemon.wait_for_passes(1);
    println!("  peak of the start {:.1} MB", megabytes(daemon.peak()));
    complete(&daemon, &url, users, report);
    events(&daemon, &url, report);
}

fn complete(daemon: &Daemon, url: &str, users: u32, report: &mut Report) {
    daemon.forget_peak();
    let resident = daemon.peak();
    let cpu = daemon.cpu();
    let reads: Vec<Cost> = (0..ROUNDS).map(|_| read(url, users)).collect();
    let cpu = daemon.cpu().saturating_sub(cpu);
    let alone = daemon.peak();
    let together: Vec<Cost> = std::thread::scope(|scope| {
        let start = |_| scope.spawn(|| read(url, users));
        let readers: Vec<_> = (0..AT_ONCE).map(start).collect();
        let ended = readers.into_iter().map(ScopedJoinHandle::join);
        ended.map(|it| it.expect("a read succeeds")).collect()
    });
    let server = daemon.peak();

    let median = report::runs("complete poll", &reads);
    report::runs(&format!("complete poll, {AT_ONCE} at once"), &together);
    println!(
        "  server: {:.1} MB resident before, peak {:.1} MB of one poll, {:.1} MB of {AT_ONCE} at once; CPU {:.2} s a poll",
        megabytes(resident),
        megabytes(alone),
        megabytes(server),
        cpu.as_secs_f64() / f64::from(u32::try_from(ROUNDS).expect("few")),
    );
    report.limit("complete poll, s", median.wall.as_secs_f64(), READ_LIMIT);
    report.limit("client's peak, MB", megabytes(median.peak), PEAK_LIMIT);
    report.limit("server's peak, MB", megabytes(server), PEAK_LIMIT);
    let grown = megabytes(server.saturating_sub(resident));
    report.limit(
        &format!("server's growth by {AT_ONCE} polls, MB"),
        grown,
        GROWTH_LIMIT,
    );
}

fn read(url: &str, users: u32) -> Cost {
    let own = std::env::current_exe().expect("our own program");
    measure::run(Command::new(own).args([READ, url, &users.to_string()]))
}

/// Reads the whole set. It must be whole, or there is no figure.
pub(super) fn read_all(url: &str, users: u32) {
    let read = runtime().block_on(poll(&directory(url), None));
    let What::Complete(records) = read.what else {
        panic!("without a cursor everything is read");
    };
    let tally = records.tally();
    // The person of the small file is nobody's member.
    assert_eq!(tally.users, u64::from(users) + 1);
    assert_eq!(tally.groups, u64::from(users / 20));
    assert_eq!(tally.memberships, u64::from(users * 5));
}

fn events(daemon: &Daemon, url: &str, report: &mut Report) {
    let (runtime, directory) = (runtime(), directory(url));
    let mut cursor = runtime.block_on(poll(&directory, None)).cursor;
    let cpu = daemon.cpu();
    let mut times = Vec::new();
    for _ in 0..EVENT_POLLS {
        assert!(cursor.is_some(), "the server tells changes");
        let begun = measure::now();
        let read = runtime.block_on(poll(&directory, cursor));
        times.push(begun.elapsed());
        assert!(matches!(read.what, What::Delta(_)), "{:?}", read.notes);
        cursor = read.cursor;
    }
    let cpu = daemon.cpu().saturating_sub(cpu);
    times.sort();
    let milliseconds = |it: Duration| it.as_secs_f64() * 1e3;
    println!(
        "  {EVENT_POLLS} polls for changes: {:.2} to {:.2} ms, CPU of the daemon {:.2} ms each",
        milliseconds(times[0]),
        milliseconds(times[EVENT_POLLS - 1]),
        milliseconds(cpu) / f64::from(u32::try_from(EVENT_POLLS).expect("few")),
    );
    let median = milliseconds(times[EVENT_POLLS / 2]);
    report.limit("poll without a change, ms", median, EVENTS_LIMIT);
}

async fn poll(directory: &CrowdDirectory, cursor: Option<String>) -> Read {
    let read = directory
        .read(Since {
            cursor,
            ..Since::default()
        })
        .await;
    read.expect("the server answers")
}

fn directory(url: &str) -> CrowdDirectory {
    let options =
        format!("url: {url}\napplication: {CLIENT}\npassword: \"{SECRET}\"\ninsecure: true\n");
    let config: CrowdConfig = serde_yaml::from_str(&options).expect("options");
    let (password, clock) = (config.password().clone(), Arc::new(SystemClock::new()));
    CrowdDirectory::new("served", &config, password, Vec::new(), clock).expect("a directory")
}

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.enable_all().build().expect("a runtime")
}
