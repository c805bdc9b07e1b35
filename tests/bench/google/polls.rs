//! Polls of a Workspace in which nothing has changed, between two times at which the members of all groups are read.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use usersyncd::directories::{Directory as _, Since};

use super::reads;
use super::tenant::Requests;
use crate::load::Load;
use crate::measure;

/// The name by which this program polls, and does nothing else.
pub(super) const POLLS: &str = "google-polls";
/// How often, without and with the audit log.
pub(super) const POLLS_EACH: u32 = 5;
/// Each poll that asks the audit log asks two parts of it.
pub(super) const REPORTS: u64 = 2;

/// Polls and prints, as numbers: milliseconds of one poll, those of its CPU time, the same two with the audit log, and the peak
/// in megabytes.
pub(super) fn poll_all(folder: &Path, load: &Load) {
    let lists = Requests::of(load).lists();
    let (plain, plain_cpu) = polls(folder, "members_every: 1h\n", lists, load);
    let further = "members_every: 1h\nactivity: true\n";
    let (activity, activity_cpu) = polls(folder, further, lists + REPORTS, load);
    let peak = crate::report::megabytes(measure::own_peak());
    println!("{plain} {plain_cpu} {activity} {activity_cpu} {peak}");
}

/// The median of several polls after a complete read, and the CPU time of one, in milliseconds.
fn polls(folder: &Path, further: &str, requests: u64, load: &Load) -> (f64, f64) {
    let (runtime, directory) = (reads::runtime(), reads::directory(folder, further));
    let read = |since| {
        runtime
            .block_on(directory.read(since))
            .expect("the Workspace answers")
    };
    let mut last = read(Since::default());
    let mut spent = Duration::ZERO;
    let mut times = Vec::new();
    for _ in 0..POLLS_EACH {
        let cursor = last.cursor.take();
        let records = Arc::new(reads::records(last));
        reads::assert_whole(&records, load);
        let since = Since {
            cursor,
            last: Some(records),
        };
        let (begun, cpu) = (measure::now(), measure::own_cpu());
        last = read(since);
        times.push(begun.elapsed());
        spent += measure::own_cpu().saturating_sub(cpu);
        assert_eq!(last.requests, Some(requests));
    }
    times.sort();
    let milliseconds = |it: Duration| it.as_secs_f64() * 1e3;
    (
        milliseconds(times[times.len() / 2]),
        milliseconds(spent) / f64::from(POLLS_EACH),
    )
}
