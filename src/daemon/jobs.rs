//! What the daemon asks of those who do the work.
//!
//! There are two kinds of job, and neither carries any input: reading one directory, and pushing one application. Which are
//! done when, together with what and for how long is the daemon's part; everything else lies behind [`Jobs`].

use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::report::PassReport;
use crate::clock::Timestamp;
use crate::events::Counts;
use crate::progress::Work;
use crate::schedule::Schedule;

/// A directory that is read.
#[derive(Clone, Debug)]
pub struct DirectoryJob {
    /// Its name in the configuration.
    pub name: String,
    /// When it is read.
    pub schedule: Schedule,
    /// A read that has not ended after this is dropped.
    pub read_timeout: Duration,
}

/// An application that is pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationJob {
    /// Its name in the configuration.
    pub name: String,
    /// The names of the directories it lists. A read of any of these, once ended, has it pushed.
    pub directories: Vec<String>,
}

/// The work. Every outcome has been told in the log by whoever returns it, except time-outs and panics, of which only the
/// caller knows.
pub trait Jobs: Send + Sync + 'static {
    /// The enabled directories, in the order of the configuration.
    fn directories(&self) -> Vec<DirectoryJob>;

    /// The enabled applications, in the order of the configuration.
    fn applications(&self) -> Vec<ApplicationJob>;

    /// Reads one directory and commits what it answered. May be dropped at any await: at its time limit, and when the
    /// daemon stops. Two calls for one directory never overlap.
    fn read<'a>(&'a self, directory: &'a str, work: &'a Work) -> BoxFuture<'a, ReadOutcome>;

    /// Pushes one application; returns quickly when nothing is due. It raises `work` with every change and every page, for
    /// a push that shows no sign of life for half the watchdog's time costs the daemon its life. Once `stop` is cancelled
    /// it begins no change and ends with the one in hand. Where a person `asked` for it, what the application refused is tried
    /// again before its time. Two calls for one application never overlap.
    fn push<'a>(
        &'a self,
        application: &'a str,
        asked: bool,
        work: &'a Work,
        stop: &'a CancellationToken,
    ) -> BoxFuture<'a, PushOutcome>;

    /// The number of the last pass that another process ran; 0 if there was none.
    fn passes_before(&self) -> u64;

    /// Notes that a pass began, before it pushes anything. Of a `routine` one, which nobody asked for, it is enough to note it
    /// once it finds something to do: a poll every second would otherwise write every second.
    fn pass_began<'a>(&'a self, number: u64, trigger: &'a str, routine: bool) -> BoxFuture<'a, ()>;

    /// Notes what came of a pass.
    fn pass_ended<'a>(&'a self, report: &'a PassReport) -> BoxFuture<'a, ()>;

    /// When each directory was last read completely and each application last pushed with success. Disabled ones are left
    /// out.
    fn ages(&self) -> BoxFuture<'_, Vec<Age>>;
}

/// How a read ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadEnd {
    /// Complete and accepted; the directory's records are others than before.
    Changed,
    /// Complete and accepted; nothing is new.
    Unchanged,
    /// Complete and kept aside.
    Suspect,
    /// Not complete.
    Failed,
    /// The store did not take it.
    StoreFailed,
}

/// What came of one read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadOutcome {
    /// How it ended.
    pub end: ReadEnd,
    /// How many of the directory's records are rejected now, those that were so before included.
    pub rejected: u64,
    /// Of how many the present state could not be read.
    pub unknown: u64,
}

/// How a push ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushEnd {
    /// A plan was made and walked, to the end or as far as it went.
    Pushed,
    /// Nothing was due.
    NotDue,
    /// The application could not be processed at all.
    Failed,
    /// The store could not be read or written.
    StoreFailed,
}

/// What came of one push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PushOutcome {
    /// How it ended.
    pub end: PushEnd,
    /// The numbers of accounts, groups, memberships and changes; those of directories and applications stay zero. What is
    /// held, waiting, frozen or blocked is counted as it stands afterwards, also where nothing was due.
    pub counts: Counts,
    /// When the first clock falls due.
    pub due_at: Option<Timestamp>,
}

/// A directory or an application, by its name in the configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A directory.
    Directory(String),
    /// An application.
    Application(String),
}

/// When something last went well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Age {
    /// Whose last complete read or last successful push it was.
    pub subject: Subject,
    /// When; never, if none.
    pub last: Option<Timestamp>,
    /// Whether that is longer ago than its `stale_after` allows.
    pub stale: bool,
}
