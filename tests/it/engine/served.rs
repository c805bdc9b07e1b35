//! A set that is kept here and served: what others may see of it, and when.

use std::sync::Arc;

use usersyncd::applications::crowd_server::{CrowdServerApplication, CrowdServerConfig};
use usersyncd::model::{Batch, Holding, Membership};
use usersyncd::sync::served;
use usersyncd::text::Span;

use super::world::{World, company, second_source};
use crate::support::company::Company;
use crate::support::fake_directory::FakeDirectory;

/// A world whose application is served from here.
async fn world() -> World {
    let mut world = World::new(company(), Batch::Whole).await;
    let config = CrowdServerConfig {
        clients: Vec::new(),
    };
    world.target.application = Arc::new(CrowdServerApplication::new("wiki", &config));
    world
}

async fn approved(world: &World) {
    world.pass().await;
    world.approve(&world.held_set().await).await;
    world.push().await;
}

/// What others may see: accounts with their ids, those that are off in brackets, and groups with their members.
async fn seen(world: &World) -> Option<Vec<String>> {
    let holding = served::committed(&world.target, &world.store)
        .await
        .unwrap()?;
    let mut lines: Vec<String> = Vec::new();
    for account in holding.accounts.iter().filter(|it| it.exists) {
        let (id, name) = (
            holding.text(account.seen.remote_id),
            holding.text(account.seen.name),
        );
        lines.push(if account.seen.active {
            format!("{name} is {id}")
        } else {
            format!("({name}) is {id}")
        });
    }
    for group in holding.groups.iter().filter(|it| it.exists) {
        let members = names(&holding, &group.members);
        lines.push(format!("{}: {members}", holding.text(group.seen.name)));
    }
    lines.sort();
    Some(lines)
}

fn names(holding: &Holding, members: &[Membership]) -> String {
    let mut names: Vec<&str> = members
        .iter()
        .map(|it| holding.account_name(it.place()))
        .collect();
    names.sort_unstable();
    names.join(" ")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_seen_until_the_first_plan_was_approved_as_a_whole() {
    let world = world().await;
    assert_eq!(seen(&world).await, None);
    world.pass().await;
    let first = world.held_set().await;
    assert_eq!(first.reason, "first_plan");
    assert_eq!(seen(&world).await, None);
    let now = usersyncd::clock::Clock::now(&world.clock);
    let ada = ["ada".to_owned()];
    world.store.approve(&first.id, &ada, now).await.unwrap();
    world.push().await;
    assert_eq!(seen(&world).await, None, "a part of it is still held");

    world.approve(&world.held_set().await).await;
    world.push().await;
    let expect = [
        "ada is people:p1",
        "ben is people:p2",
        "carl is people:p3",
        "staff: ada ben carl",
    ];
    assert_eq!(seen(&world).await.unwrap(), expect);
    world.pass().await;
    assert_eq!(seen(&world).await.unwrap(), expect);
    assert!(world.held().await.held.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_came_between_the_showing_and_the_approval_is_shown_first() {
    let world = world().await;
    world.pass().await;
    let first = world.held_set().await;
    world.approve(&first).await;
    world.directory.change(|it| it.add("dora"));
    world.pass().await;
    assert_eq!(
        seen(&world).await,
        None,
        "a set without her would be a part of the set"
    );
    world.approve(&world.held_set().await).await;
    world.push().await;
    assert_eq!(seen(&world).await.unwrap().len(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_seen_until_every_listed_directory_was_read() {
    let mut world = world().await;
    let other = FakeDirectory::new(Company::of(&["zoe"], &[]));
    let other = Arc::new(second_source(Arc::new(other)));
    world.target.directories.push(Arc::clone(&other));
    world.pass().await;
    world.approve(&world.held_set().await).await;
    world.push().await;
    assert_eq!(seen(&world).await, None);
    assert_eq!(world.state().await.first_applied_at, None);

    world.read_from(&other).await;
    world.push().await;
    assert_eq!(seen(&world).await, None, "zoe was not shown yet");
    world.approve(&world.held_set().await).await;
    world.push().await;
    assert_eq!(seen(&world).await.unwrap().len(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_stays_when_its_account_is_renamed_and_who_leaves_is_switched_off() {
    let world = world().await;
    approved(&world).await;
    world.directory.change(|it| it.rename("ada", "countess"));
    world.directory.change(|it| it.remove("ben"));
    for _ in 0..3 {
        world.clock.advance(Span::hours(13));
        world.pass().await;
    }
    let expect = [
        "(ben) is people:p2",
        "carl is people:p3",
        "countess is people:p1",
        "staff: ben carl countess",
    ];
    assert_eq!(seen(&world).await.unwrap(), expect);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_loss_beyond_the_limit_is_held_before_anybody_sees_it() {
    let names: Vec<String> = (10..40).map(|it| format!("user{it}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut world = World::new(Company::of(&names, &[]), Batch::Whole).await;
    let config = CrowdServerConfig {
        clients: Vec::new(),
    };
    world.target.application = Arc::new(CrowdServerApplication::new("wiki", &config));
    approved(&world).await;
    let before = seen(&world).await.unwrap();
    assert_eq!(before.len(), 30);
    for name in &names[..6] {
        world.directory.change(|it| it.remove(name));
    }
    for _ in 0..3 {
        world.clock.advance(Span::hours(13));
        world.pass().await;
    }
    assert_eq!(seen(&world).await.unwrap(), before);
    assert_eq!(world.held_set().await.reason, "removals_limit");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_gets_another_name_only_by_approval() {
    let world = world().await;
    approved(&world).await;
    world
        .directory
        .change(|it| it.rename_team("staff", "everybody"));
    world.directory.change(|it| it.add("dora"));
    world.pass().await;
    let set = world.held_set().await;
    assert_eq!(set.reason, "group_rename");
    let groups = |seen: Vec<String>| {
        seen.into_iter()
            .filter(|it| it.contains(": "))
            .collect::<Vec<_>>()
    };
    assert_eq!(groups(seen(&world).await.unwrap()), ["staff: ada ben carl"]);

    world.approve(&set).await;
    world.push().await;
    assert_eq!(
        groups(seen(&world).await.unwrap()),
        ["everybody: ada ben carl"]
    );
    world.pass().await;
    assert_eq!(
        groups(seen(&world).await.unwrap()),
        ["everybody: ada ben carl"]
    );
    assert!(world.held().await.held.is_empty());
}
