//! The whole job of reading: asked, judged, and committed to a store.

use std::path::Path;
use std::sync::Arc;

use usersyncd::clock::{Clock as _, SystemClock};
use usersyncd::directories::Directory;
use usersyncd::progress::{Job, Progress};
use usersyncd::store::Store;
use usersyncd::sync::read::{self, Kept};

use super::reads;
use super::tenant::Requests;
use crate::delta;
use crate::load::Load;
use crate::measure;

/// The name by which this program reads into a store, and does nothing else.
pub(super) const JOB: &str = "google-job";

/// Reads into a new store and prints, as numbers: the seconds of the first read, of another with nothing changed, of a third
/// that leaves the members out, and the peak in megabytes.
pub(super) fn read_and_commit(folder: &Path, load: &Load) {
    let requests = Requests::of(load);
    let each: Arc<dyn Directory> = Arc::new(reads::directory(folder, ""));
    let seldom: Arc<dyn Directory> = Arc::new(reads::directory(folder, "members_every: 1h\n"));
    let times = reads::runtime().block_on(async {
        let store = folder.join("state.db");
        let store = Store::open(&format!("sqlite://{}", store.display())).await;
        let store = store.expect("a store");
        let mut kept = Kept::for_many_passes();
        let mut times = Vec::new();
        for (directory, requests) in [
            (&each, requests.all()),
            (&each, requests.all()),
            (&seldom, requests.lists()),
        ] {
            let begun = measure::now();
            let fetched = job(directory, &store, &mut kept).await;
            times.push(begun.elapsed().as_secs_f64());
            assert_eq!(fetched, Some(requests));
        }
        times
    });
    let [first, again, between] = times[..] else {
        panic!("three reads");
    };
    let peak = crate::report::megabytes(measure::own_peak());
    println!("{first} {again} {between} {peak}");
}

/// One job; how many requests it took.
async fn job(directory: &Arc<dyn Directory>, store: &Store, kept: &mut Kept) -> Option<u64> {
    let (part, clock) = (delta::part(directory), SystemClock::new());
    let work = Progress::new().begin(Job::Read("people".to_owned()), clock.monotonic());
    let reader = Some(store.reader());
    let fetched = read::fetch(&part, directory, reader, &clock, &work, kept).await;
    let fetched = fetched.expect("the store answers");
    assert!(fetched.is_accepted(), "{:?}", fetched.notes);
    let requests = fetched.requests;
    let ended = read::commit(&part, &[], store, fetched, kept).await;
    ended.expect("the store is written");
    requests
}
