//! One directory, one application, and the jobs between them.

use std::sync::Arc;

use tempfile::TempDir;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use usersyncd::applications::Application;
use usersyncd::clock::{Clock as _, ManualClock, Timestamp};
use usersyncd::directories::Directory;
use usersyncd::model::{Batch, Holding, Intent, Origin, Refusal};
use usersyncd::progress::{Job, Progress};
use usersyncd::reconcile::rules::{ApplicationRules, DirectoryRules};
use usersyncd::store::{ApplicationState, Held, HeldSet, HistoryFilter, Refused, Snapshot, Store};
use usersyncd::sync::read::{self, Kept};
use usersyncd::sync::{self, ApplicationPart, DirectoryPart, Pushed, push};
use usersyncd::text::{Percent, Span};

use crate::contract::everything;
use crate::support::company::Company;
use crate::support::fake_application::{FakeApplication, Fault};
use crate::support::fake_directory::FakeDirectory;
use crate::support::fake_server::{FakeServer, Ids};
use crate::support::line::Line;

const DAY: Span = Span::hours(24);

/// The id of the directory's entry, and of the application's.
pub(super) const DIRECTORY: &str = "people";
pub(super) const APPLICATION: &str = "wiki";

/// Applications that take changes in all the ways there are.
pub(super) const BATCHES: [Batch; 3] = [Batch::One, Batch::Many(2), Batch::Whole];

/// Three people of one team. Their first plan makes the team, the three, and the memberships, in that order.
pub(super) fn company() -> Company {
    Company::of(
        &["ada", "ben", "carl"],
        &[("staff", &["ada", "ben", "carl"])],
    )
}

/// So many calls that go well.
pub(super) fn well(calls: usize) -> Vec<Fault> {
    vec![Fault::None; calls]
}

/// A call that the connection does not outlive.
pub(super) fn unreachable(make: impl Fn(Refusal) -> Fault) -> Fault {
    make(Refusal::Unavailable("the connection broke".to_owned()))
}

/// One directory, one application, and the jobs between them. A new one has read and pushed nothing.
pub(super) struct World {
    pub(super) directory: FakeDirectory,
    pub(super) application: Line<FakeApplication>,
    pub(super) clock: ManualClock,
    pub(super) store: Store,
    pub(super) source: Arc<DirectoryPart>,
    pub(super) target: ApplicationPart,
    /// What is kept between reads; of a single pass by default.
    pub(super) kept: Mutex<Kept>,
    _folder: TempDir,
}

impl World {
    /// Over a directory that holds a company, and an empty application that takes so many changes at once.
    pub(super) async fn new(company: Company, batch: Batch) -> World {
        World::over(FakeDirectory::new(company), batch, Ids::Numbers).await
    }

    pub(super) async fn over(directory: FakeDirectory, batch: Batch, ids: Ids) -> World {
        World::with(directory, FakeServer::new(everything(batch), ids)).await
    }

    /// Over a directory and a product.
    pub(super) async fn with(directory: FakeDirectory, server: FakeServer) -> World {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("state.db").display());
        let application = Line::to(FakeApplication::new(APPLICATION, server));
        let source = Arc::new(source(Arc::new(directory.clone())));
        World {
            clock: ManualClock::new(Timestamp(1_000_000)),
            store: Store::open(&url).await.unwrap(),
            target: target(Arc::new(application.clone()), &source),
            kept: Mutex::new(Kept::for_one_pass()),
            _folder: folder,
            directory,
            application,
            source,
        }
    }

    /// Reads the directory.
    pub(super) async fn read(&self) -> sync::Read {
        let mut kept = self.kept.lock().await;
        self.read_into(&self.source, &mut kept).await
    }

    /// Reads another directory.
    pub(super) async fn read_from(&self, source: &DirectoryPart) -> sync::Read {
        self.read_into(source, &mut Kept::for_one_pass()).await
    }

    async fn read_into(&self, source: &DirectoryPart, kept: &mut Kept) -> sync::Read {
        let work = Progress::new().begin(Job::Read("read".to_owned()), self.clock.monotonic());
        let directory = source.directory.as_ref().unwrap();
        let reader = Some(self.store.reader());
        let fetched = read::fetch(source, directory, reader, &self.clock, &work, kept);
        let fetched = fetched.await.unwrap();
        let committed = read::commit(source, &[], &self.store, fetched, kept);
        committed.await.unwrap()
    }

    /// Pushes the application.
    pub(super) async fn push(&self) -> Pushed {
        self.push_as(false, &CancellationToken::new()).await
    }

    /// Pushes the application because a person asks for it.
    pub(super) async fn push_asked(&self) -> Pushed {
        self.push_as(true, &CancellationToken::new()).await
    }

    /// Pushes the application until it is told to stop.
    pub(super) async fn push_until(&self, stop: &CancellationToken) -> Pushed {
        self.push_as(false, stop).await
    }

    async fn push_as(&self, asked: bool, stop: &CancellationToken) -> Pushed {
        let work = Progress::new().begin(Job::Push("push".to_owned()), self.clock.monotonic());
        let pushed = push::push(&self.target, &self.store, &self.clock, asked, &work, stop);
        pushed.await.unwrap()
    }

    /// One after the other, as in a pass.
    pub(super) async fn pass(&self) -> Pushed {
        self.read().await;
        self.push().await
    }

    /// What happens at the next listings and sent changes, one by one.
    pub(super) fn fail(&self, faults: &[Fault]) {
        self.application.application.fail(faults.iter().cloned());
    }

    /// The accounts that are there, by name; those that are off in brackets.
    pub(super) fn accounts(&self) -> Vec<String> {
        let server = self.application.application.server();
        let accounts = server.accounts.values();
        let mut names: Vec<String> = accounts
            .map(|it| {
                if it.active {
                    it.name.clone()
                } else {
                    format!("({})", it.name)
                }
            })
            .collect();
        names.sort();
        names
    }

    /// The members of a group, by name.
    pub(super) fn members(&self, group: &str) -> Vec<String> {
        let server = self.application.application.server();
        let Some(number) = server.group_named(group) else {
            return Vec::new();
        };
        let members = server.groups[&number].members.iter();
        let mut names: Vec<String> = members.map(|it| server.accounts[it].name.clone()).collect();
        names.sort();
        names
    }

    async fn snapshot(&self) -> Snapshot {
        self.store.snapshot().await.unwrap()
    }

    pub(super) async fn state(&self) -> ApplicationState {
        let state = self.snapshot().await.application(APPLICATION).await;
        state.unwrap().unwrap_or_default()
    }

    pub(super) async fn held(&self) -> Held {
        self.snapshot().await.held(APPLICATION).await.unwrap()
    }

    pub(super) async fn refused(&self) -> Vec<Refused> {
        self.snapshot().await.refused(APPLICATION).await.unwrap()
    }

    /// What the history says about a name, the newest first.
    pub(super) async fn history(&self, name: &str) -> Vec<String> {
        let filter = HistoryFilter {
            application: Some(APPLICATION),
            name: Some(name),
            limit: 100,
        };
        let rows = self.snapshot().await.history(filter).await.unwrap();
        rows.into_iter().map(|it| it.entry.text).collect()
    }

    /// What the limits would count: accounts made, and members given to groups, each as often as the history says.
    pub(super) async fn counted(&self) -> (usize, i64, u32) {
        let mut snapshot = self.snapshot().await;
        let window = snapshot.window(APPLICATION, Timestamp(0)).await.unwrap();
        let given = window.groups.values().map(|it| it.0).sum();
        (window.added.len(), window.active_delta, given)
    }

    pub(super) async fn intents(&self) -> Vec<Intent> {
        let open = self.snapshot().await.open_intents(APPLICATION).await;
        open.unwrap().into_iter().map(|it| it.1).collect()
    }

    /// The one set that is held.
    pub(super) async fn held_set(&self) -> HeldSet {
        let sets = self.snapshot().await.held_sets().await.unwrap();
        assert_eq!(sets.len(), 1, "{sets:?}");
        sets.into_iter().next().unwrap()
    }

    pub(super) async fn approve(&self, set: &HeldSet) {
        let now = self.clock.now();
        self.store.approve(&set.id, &[], now).await.unwrap();
    }

    /// The accounts that are ours and how they came to be so, by name.
    pub(super) async fn links(&self) -> Vec<(String, Origin)> {
        let holding = self.snapshot().await.holding(APPLICATION).await.unwrap();
        links(&holding.unwrap())
    }
}

fn links(holding: &Holding) -> Vec<(String, Origin)> {
    let accounts = holding.accounts.iter().filter(|it| it.exists);
    let mut links: Vec<_> = accounts
        .filter_map(|it| {
            let name = holding.text(it.seen.name).to_owned();
            Some((name, it.link.as_ref()?.origin))
        })
        .collect();
    links.sort();
    links
}

fn source(directory: Arc<dyn Directory>) -> DirectoryPart {
    DirectoryPart {
        id: DIRECTORY.to_owned(),
        name: DIRECTORY.to_owned(),
        directory: Some(directory),
        basis: "basis".to_owned(),
        rules: DirectoryRules::default(),
        shrink_limit: Percent::whole(20),
        window: DAY,
        reread: DAY,
        stale_after: DAY,
    }
}

/// A further directory of the application.
pub(super) fn second_source(directory: Arc<dyn Directory>) -> DirectoryPart {
    DirectoryPart {
        id: "others".to_owned(),
        name: "others".to_owned(),
        ..source(directory)
    }
}

fn target(application: Arc<dyn Application>, source: &Arc<DirectoryPart>) -> ApplicationPart {
    ApplicationPart {
        id: APPLICATION.to_owned(),
        name: APPLICATION.to_owned(),
        application,
        rules: ApplicationRules::default(),
        directories: vec![Arc::clone(source)],
        basis: "basis".to_owned(),
        configured: "configured".to_owned(),
        plan_only: false,
        reread: DAY,
        stale_after: DAY,
        window: DAY,
    }
}
