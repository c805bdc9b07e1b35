//! Reading: what is accepted, what is kept aside, and what a failure leaves in use.

use tokio::sync::Mutex;
use usersyncd::clock::{Clock as _, Timestamp};
use usersyncd::model::Batch;
use usersyncd::store::Slot;
use usersyncd::sync::Read;
use usersyncd::sync::read::Kept;
use usersyncd::text::Span;

use super::world::{DIRECTORY, World};
use crate::support::company::{Company, told};
use crate::support::fake_directory::{FakeDirectory, Fault};
use crate::support::fake_server::Ids;
use crate::support::log::Log;

pub(super) const CHANGED: Read = Read::Changed {
    rejected: 0,
    unknown: 0,
};
pub(super) const UNCHANGED: Read = Read::Unchanged {
    rejected: 0,
    unknown: 0,
};
pub(super) const SUSPECT: Read = Read::Suspect { rejected: 0 };

/// So many people of numbered names.
pub(super) fn people(count: usize) -> Company {
    let names: Vec<String> = (0..count).map(|it| format!("user{it:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Company::of(&names, &[("all", &names)])
}

/// The first so many of them leave.
pub(super) fn leave(world: &World, count: usize) {
    for number in 0..count {
        let username = format!("user{number:02}");
        world.directory.change(|it| it.remove(&username));
    }
}

/// What serves, in words.
pub(super) async fn accepted(world: &World) -> Vec<String> {
    let mut snapshot = world.store.snapshot().await.unwrap();
    let stored = snapshot.records(DIRECTORY, Slot::Accepted).await.unwrap();
    told(&stored.unwrap().records)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suspect_read_keeps_the_old_records() {
    let world = World::new(people(30), Batch::Whole).await;
    world.pass().await;
    let before = accepted(&world).await;
    leave(&world, 10);
    assert_eq!(world.read().await, SUSPECT);
    assert_eq!(accepted(&world).await, before);
    let sent = world.application.calls();
    world.push().await;
    world.clock.advance(Span::hours(30));
    assert_eq!(world.read().await, SUSPECT);
    world.push().await;
    assert_eq!(world.application.calls(), sent);
    assert_eq!(world.accounts().len(), 30);
    assert_eq!(world.members("all").len(), 30);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suspect_read_that_is_whole_again_is_accepted_without_a_word() {
    let world = World::new(people(30), Batch::Whole).await;
    world.pass().await;
    let mut before = Company::default();
    world.directory.change(|it| before = it.clone());
    leave(&world, 10);
    assert_eq!(world.read().await, SUSPECT);
    world.directory.change(|it| *it = before);
    assert_eq!(world.read().await, UNCHANGED);
    let mut snapshot = world.store.snapshot().await.unwrap();
    assert!(snapshot.held_sets().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_that_panics_or_fails_is_a_failed_read() {
    let world = World::new(people(3), Batch::Whole).await;
    world.pass().await;
    let before = accepted(&world).await;
    let faults = [
        Fault::Panic,
        Fault::Unavailable,
        Fault::Incomplete,
        Fault::Configuration,
    ];
    world.directory.fail(faults);
    leave(&world, 1);
    let log = Log::catch();
    // An error is what needs a person; the others may pass.
    for (kind, level) in [
        ("panicked", "ERROR"),
        ("unavailable", "WARN"),
        ("incomplete", "WARN"),
        ("configuration", "ERROR"),
    ] {
        assert_eq!(world.read().await, Read::Failed);
        let failed = log.named("directory.failed");
        let failed = failed.last().unwrap();
        assert_eq!(
            (&failed["kind"], &failed["level"]),
            (&kind.into(), &level.into())
        );
        assert_eq!(accepted(&world).await, before);
    }
    world.push().await;
    assert_eq!(world.accounts().len(), 3);
    assert_eq!(world.read().await, CHANGED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delta_is_taken_and_a_complete_read_asked_for_now_and_then() {
    let directory = FakeDirectory::new(people(10)).with_deltas();
    let world = World::over(directory, Batch::One, Ids::Numbers).await;
    let log = Log::catch();
    world.pass().await;
    world.directory.change(|it| it.rename("user00", "anna"));
    world.directory.change(|it| it.remove("user01"));
    assert_eq!(world.read().await, CHANGED);
    assert_eq!(world.read().await, UNCHANGED, "an empty delta");
    assert!(accepted(&world).await[0].contains("anna"));
    world.clock.advance(Span::hours(24));
    world.directory.change(|it| it.add("ben"));
    assert_eq!(world.read().await, CHANGED);
    let whole: Vec<_> = log.named("directory.read");
    let whole: Vec<bool> = whole.iter().map(|it| it["whole"] == true).collect();
    assert_eq!(whole, [true, false, true]);
}

/// When the store was last told of a read.
async fn told_at(world: &World) -> Option<Timestamp> {
    let mut snapshot = world.store.snapshot().await.unwrap();
    let state = snapshot.directory(DIRECTORY).await.unwrap();
    state.unwrap().read_at
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_daemon_tells_the_store_once_a_minute_that_nothing_is_new() {
    let directory = FakeDirectory::new(people(3)).with_deltas();
    let mut world = World::over(directory, Batch::One, Ids::Numbers).await;
    world.kept = Mutex::new(Kept::for_many_passes());
    assert_eq!(world.read().await, CHANGED);
    let first = told_at(&world).await;
    for _ in 0..3 {
        world.clock.advance(Span::seconds(19));
        assert_eq!(world.read().await, UNCHANGED);
        assert_eq!(told_at(&world).await, first);
    }
    world.clock.advance(Span::seconds(3));
    assert_eq!(world.read().await, UNCHANGED);
    assert_eq!(told_at(&world).await, Some(world.clock.now()));
    world.directory.change(|it| it.add("ben"));
    world.clock.advance(Span::seconds(1));
    assert_eq!(world.read().await, CHANGED);
    assert_eq!(told_at(&world).await, Some(world.clock.now()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_pass_and_the_first_good_read_after_a_failure_are_told_at_once() {
    let directory = FakeDirectory::new(people(3)).with_deltas();
    let mut world = World::over(directory, Batch::One, Ids::Numbers).await;
    world.read().await;
    world.clock.advance(Span::seconds(1));
    assert_eq!(world.read().await, UNCHANGED);
    assert_eq!(told_at(&world).await, Some(world.clock.now()));
    world.kept = Mutex::new(Kept::for_many_passes());
    world.clock.advance(Span::seconds(1));
    world.directory.fail([Fault::Unavailable]);
    assert_eq!(world.read().await, Read::Failed);
    assert_eq!(world.read().await, UNCHANGED);
    assert_eq!(told_at(&world).await, Some(world.clock.now()));
}
