//! Our own client, and one complete read by it.

use std::path::Path;
use std::sync::Arc;

use usersyncd::clock::{Clock, SystemClock};
use usersyncd::directories::google::{GoogleConfig, GoogleDirectory};
use usersyncd::directories::{Directory as _, Read, Since, What};
use usersyncd::model::Records;
use usersyncd::pace::Pace;

use super::tenant::{self, Requests};
use super::{groups, memberships};
use crate::load::Load;

/// The name by which this program reads everything once, and does nothing else.
pub(super) const READ: &str = "google-read";

const IN_FLIGHT: usize = 8;

/// Reads everything. It must be everything, or there is no figure.
pub(super) fn read_all(folder: &Path, load: &Load) {
    let directory = directory(folder, "");
    let read = runtime().block_on(directory.read(Since::default()));
    let read = read.expect("the Workspace answers");
    assert_eq!(read.requests, Some(Requests::of(load).all()));
    assert_eq!(read.notes, Vec::<String>::new());
    assert_whole(&records(read), load);
}

/// The records hold the whole load.
pub(super) fn assert_whole(records: &Records, load: &Load) {
    let tally = records.tally();
    assert_eq!(tally.users, u64::from(load.users));
    assert_eq!(tally.groups, u64::from(groups(load.users)));
    assert_eq!(tally.memberships, u64::from(memberships(load.users)));
    assert_eq!((tally.rejected, tally.references), (0, 0));
}

/// What was read; Google tells no changes.
pub(super) fn records(read: Read) -> Records {
    match read.what {
        What::Complete(records) => records,
        What::Delta(_) => panic!("everything is read"),
    }
}

/// The directory of the options in a folder, and further ones. It is as fast as the Workspace.
pub(super) fn directory(folder: &Path, further: &str) -> GoogleDirectory {
    let options = tenant::options(folder) + further;
    let config: GoogleConfig = serde_yaml::from_str(&options).expect("options");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let pace = Arc::new(Pace::new(None, IN_FLIGHT, Arc::clone(&clock)));
    GoogleDirectory::new("google", &config, Vec::new(), pace, clock).expect("a directory")
}

pub(super) fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.enable_all().build().expect("a runtime")
}
