//! Pushing: what one refusal leaves for the next push, and what is never sent.

use usersyncd::model::{Batch, Refusal};
use usersyncd::text::{Percent, Span};

use super::world::{BATCHES, World, company, unreachable, well};
use crate::contract::everything;
use crate::support::company::Company;
use crate::support::fake_application::Fault;
use crate::support::fake_directory::FakeDirectory;
use crate::support::fake_server::{FakeServer, Ids};
use crate::support::log::Log;

fn refuse() -> Fault {
    Fault::Answer(Refusal::Refused("not this one".to_owned()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_change_stops_no_other() {
    for batch in BATCHES {
        let world = World::new(company(), batch).await;
        world.read().await;
        // The listing, the team, Ada; Ben is refused.
        world.fail(&[well(3), vec![refuse()]].concat());
        let pushed = world.push().await;
        assert_eq!(world.accounts(), ["ada", "carl"], "{batch:?}");
        assert_eq!(world.members("staff"), ["ada", "carl"], "{batch:?}");
        assert!(pushed.reached);
        assert_eq!(pushed.counts.changes_refused, 1);
        assert_eq!(pushed.counts.accounts_created, 2);
        assert_eq!(pushed.counts.memberships_given, 2, "{batch:?}");
        assert!(world.intents().await.is_empty());
        assert_eq!(world.history("ben").await, [""; 0], "{batch:?}");
        world.push().await;
        assert_eq!(world.members("staff"), ["ada", "ben", "carl"], "{batch:?}");
        assert!(world.refused().await.is_empty());
        assert_eq!(world.history("ben").await.len(), 2, "{batch:?}");
        assert!(!world.push().await.due);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_three_times_is_told_once_and_rests() {
    for batch in BATCHES {
        let world = World::new(company(), batch).await;
        let log = Log::catch();
        world.read().await;
        world.fail(&[well(3), vec![refuse()]].concat());
        world.push().await;
        for tries in 2..=3 {
            assert_eq!(log.named("change.unaccepted").len(), 0);
            world.fail(&[refuse()]);
            world.push().await;
            assert_eq!(world.refused().await[0].count, tries);
        }
        assert_eq!(log.named("change.refused").len(), 2);
        assert_eq!(log.named("change.unaccepted").len(), 1);

        let sent = world.application.calls();
        world.clock.advance(Span::minutes(59));
        world.push().await;
        assert_eq!(world.application.calls(), sent, "it rests");
        assert_eq!(world.refused().await[0].count, 3);
        world.clock.advance(Span::minutes(1));
        world.fail(&[refuse()]);
        world.push().await;
        world.clock.advance(Span::minutes(119));
        world.push().await;
        assert_eq!(world.refused().await[0].count, 4, "it rests twice as long");
        assert_eq!(log.named("change.unaccepted").len(), 1);

        world.clock.advance(Span::minutes(1));
        world.push().await;
        assert_eq!(world.members("staff"), ["ada", "ben", "carl"]);
        assert!(world.refused().await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_rests_keeps_nothing_else_open() {
    let mut world = World::new(company(), Batch::One).await;
    world.read().await;
    world.fail(&[well(3), vec![refuse()]].concat());
    world.push().await;
    for _ in 0..2 {
        world.fail(&[refuse()]);
        world.push().await;
    }
    assert!(world.state().await.first_applied_at.is_some());
    "another".clone_into(&mut world.target.basis);
    world.directory.change(|it| it.rename("ada", "countess"));
    world.pass().await;
    let state = world.state().await;
    assert_eq!(state.basis, "another");
    assert_eq!(state.pinned.values().copied().collect::<Vec<_>>(), [2]);
    assert_eq!(world.accounts(), ["carl", "countess"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_that_cannot_be_listed_is_left_alone() {
    let world = World::new(company(), Batch::One).await;
    world.read().await;
    world.application.cut(true);
    let log = Log::catch();
    let pushed = world.push().await;
    assert!(pushed.due && !pushed.reached);
    assert_eq!(log.named("application.failed").len(), 1);
    world.application.cut(false);
    assert!(world.push().await.reached);
    assert_eq!(world.accounts(), ["ada", "ben", "carl"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_push_without_changes_sends_nothing_and_asks_nothing() {
    let world = World::new(company(), Batch::One).await;
    world.pass().await;
    let (sent, listed) = (world.application.calls(), world.application.listings());
    world.clock.advance(Span::hours(1));
    let pushed = world.pass().await;
    assert!(!pushed.due);
    assert_eq!(world.application.calls(), sent);
    assert_eq!(world.application.listings(), listed);
    let state = world.state().await;
    assert_eq!(state.pushed_at.unwrap().0, 1_000_000 + 3_600);

    // A change of one directory alone makes a push due, and still nothing is listed.
    world.directory.change(|it| it.add("dora"));
    assert!(world.pass().await.due);
    assert_eq!(world.application.listings(), listed);
    assert_eq!(world.accounts(), ["ada", "ben", "carl", "dora"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_is_listed_again_after_a_while() {
    let world = World::new(company(), Batch::One).await;
    world.pass().await;
    {
        let mut server = world.application.application.server();
        let ada = server.account_named("ada").unwrap();
        let ada = server.accounts.get_mut(&ada).unwrap();
        "by hand".clone_into(&mut ada.email);
    }
    let email = || {
        let server = world.application.application.server();
        let ada = server.account_named("ada").unwrap();
        server.accounts[&ada].email.clone()
    };
    world.clock.advance(Span::hours(23));
    world.pass().await;
    assert_eq!(
        (world.application.listings(), email()),
        (1, "by hand".to_owned())
    );
    world.clock.advance(Span::hours(1));
    world.pass().await;
    let mended = "ada@example.com".to_owned();
    assert_eq!((world.application.listings(), email()), (2, mended));
}

/// A product that makes every new account a visitor, which the directory wants nobody to be.
async fn with_visitors(batch: Batch) -> World {
    let people = ["ada", "ben", "carl"];
    let company = Company::of(&people, &[("staff", &people), ("visitors", &[])]);
    let mut abilities = everything(batch);
    abilities.gives_groups = true;
    let mut server = FakeServer::new(abilities, Ids::Numbers);
    server.default_group = Some("visitors".to_owned());
    let mut world = World::with(FakeDirectory::new(company), server).await;
    world.target.rules.limits.removals = Percent::HUNDRED;
    world
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_product_gives_a_new_account_by_itself_is_seen_and_taken_by_the_next_push() {
    for batch in BATCHES {
        let world = with_visitors(batch).await;
        world.pass().await;
        assert_eq!(world.members("visitors"), ["ada", "ben", "carl"]);
        let listings = world.application.listings();
        let pushed = world.pass().await;
        assert_eq!(pushed.counts.memberships_taken, 3, "{batch:?}");
        assert_eq!(world.members("visitors"), [""; 0], "{batch:?}");
        assert_eq!(world.members("staff"), ["ada", "ben", "carl"]);
        assert_eq!(world.application.listings(), listings + 1);
        assert!(!world.pass().await.due, "{batch:?}");
        assert_eq!(world.application.listings(), listings + 1, "{batch:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_product_gives_is_taken_also_where_a_push_was_cut_off() {
    for batch in BATCHES {
        for before in 1..7 {
            let world = with_visitors(batch).await;
            world.read().await;
            world.fail(&[well(before), vec![unreachable(Fault::Lost)]].concat());
            for _ in 0..3 {
                world.push().await;
            }
            let case = format!("{batch:?} {before}");
            assert_eq!(world.members("visitors"), [""; 0], "{case}");
            assert_eq!(world.members("staff"), ["ada", "ben", "carl"], "{case}");
            assert!(!world.push().await.due, "{case}");
        }
    }
}

/// Has one more change refused until it rests.
async fn refuse_until_it_rests(world: &World, before: usize) {
    world.fail(&[well(before), vec![refuse()]].concat());
    world.push().await;
    for _ in 0..2 {
        world.fail(&[refuse()]);
        world.push().await;
    }
    assert_eq!(world.refused().await[0].count, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_another_value_what_rests_is_tried_at_once() {
    for batch in BATCHES {
        let world = World::new(company(), batch).await;
        world.read().await;
        refuse_until_it_rests(&world, 3).await;
        world.push().await;
        assert_eq!(world.accounts(), ["ada", "carl"], "it rests");
        world
            .directory
            .change(|it| "b@example.com".clone_into(&mut it.person("ben").email));
        world.pass().await;
        assert_eq!(world.accounts(), ["ada", "ben", "carl"], "{batch:?}");
        assert!(world.refused().await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_asks_for_a_push_has_tried_what_rests() {
    for batch in BATCHES {
        let world = World::new(company(), batch).await;
        world.read().await;
        refuse_until_it_rests(&world, 3).await;
        world.push().await;
        assert_eq!(world.accounts(), ["ada", "carl"], "it rests");
        world.push_asked().await;
        assert_eq!(world.accounts(), ["ada", "ben", "carl"], "{batch:?}");
        assert!(world.refused().await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_switched_off_is_so_although_another_part_is_refused() {
    for batch in BATCHES {
        let world = World::new(company(), batch).await;
        world.pass().await;
        world.directory.change(|it| {
            let ben = it.person("ben");
            "b@bad".clone_into(&mut ben.email);
            ben.active = false;
        });
        world.read().await;
        world.fail(&[refuse()]);
        let pushed = world.push().await;
        assert_eq!(world.accounts(), ["(ben)", "ada", "carl"], "{batch:?}");
        assert_eq!(pushed.counts.accounts_deactivated, 1);
        assert_eq!(pushed.counts.changes_refused, 1);
        let refused = world.refused().await;
        assert_eq!(refused.len(), 1, "{refused:?}");
        assert_eq!(refused[0].change, "relink+email+deactivate");
        assert!(world.intents().await.is_empty());
        // The rest is a change of its own from now on.
        world.fail(&[refuse()]);
        world.push().await;
        assert_eq!(world.refused().await[0].change, "email");
        world.push().await;
        assert!(world.refused().await.is_empty());
        assert_eq!(world.accounts(), ["(ben)", "ada", "carl"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_cannot_be_switched_off_rests_with_all_of_it() {
    let world = World::new(company(), Batch::One).await;
    world.pass().await;
    world.directory.change(|it| {
        let ben = it.person("ben");
        "b@bad".clone_into(&mut ben.email);
        ben.active = false;
    });
    world.read().await;
    for _ in 0..3 {
        world.fail(&[refuse(), refuse()]);
        world.push().await;
    }
    let refused = world.refused().await;
    let counts: Vec<_> = refused
        .iter()
        .map(|it| (it.change.as_str(), it.count))
        .collect();
    assert_eq!(
        counts,
        [("relink+deactivate", 3), ("relink+email+deactivate", 3)]
    );
    let sent = world.application.calls();
    world.push().await;
    assert_eq!(world.application.calls(), sent, "both rest");
    assert_eq!(world.refused().await, refused);
}
