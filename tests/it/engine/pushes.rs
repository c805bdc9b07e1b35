//! Pushing: what one refusal, one broken connection, one stop leave for the next push, and what is never sent.

use tokio_util::sync::CancellationToken;
use usersyncd::model::{Batch, HoldReason, Origin, Refusal};
use usersyncd::text::Span;

use super::world::World;
use crate::support::company::Company;
use crate::support::fake_application::Fault;
use crate::support::fake_directory::FakeDirectory;
use crate::support::fake_server::Ids;
use crate::support::log::Log;

const BATCHES: [Batch; 3] = [Batch::One, Batch::Many(2), Batch::Whole];

/// Three people of one team. Their first plan makes the team, the three, and the memberships, in that order.
fn company() -> Company {
    Company::of(
        &["ada", "ben", "carl"],
        &[("staff", &["ada", "ben", "carl"])],
    )
}

/// So many calls that go well.
fn well(calls: usize) -> Vec<Fault> {
    vec![Fault::None; calls]
}

fn refuse() -> Fault {
    Fault::Answer(Refusal::Refused("not this one".to_owned()))
}

fn unreachable(make: fn(Refusal) -> Fault) -> Fault {
    make(Refusal::Unavailable("the connection broke".to_owned()))
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
        world.push().await;
        assert_eq!(world.members("staff"), ["ada", "ben", "carl"], "{batch:?}");
        assert!(world.refused().await.is_empty());
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
async fn every_call_has_an_intent_of_its_own() {
    // Nobody can be reached any more while Ben is made: the team, Ada and Ben are in doubt.
    for (batch, expect) in [
        (Batch::One, vec![1, 1, 1]),
        (Batch::Many(2), vec![2, 2]),
        (Batch::Whole, vec![5]),
    ] {
        let world = World::new(company(), batch).await;
        world.read().await;
        world.fail(&[well(3), vec![unreachable(Fault::Answer)]].concat());
        world.push().await;
        let intents = world.intents().await;
        let steps: Vec<usize> = intents.iter().map(|it| it.steps.len()).collect();
        assert_eq!(steps, expect, "{batch:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_push_that_lost_its_connection_is_settled_by_the_next() {
    for make in [Fault::Answer, Fault::Lost] {
        for ids in [Ids::Numbers, Ids::Names] {
            for batch in BATCHES {
                // Wherever it breaks.
                for before in 1..6 {
                    let case = format!("{batch:?} {ids:?} {before}");
                    let directory = FakeDirectory::new(company());
                    let world = World::over(directory, batch, ids).await;
                    world.read().await;
                    world.fail(&[well(before), vec![unreachable(make)]].concat());
                    let pushed = world.push().await;
                    assert!(!pushed.reached, "{case}");
                    assert_eq!(world.application.listings(), 1, "{case}");
                    assert!(!world.intents().await.is_empty(), "{case}");

                    settles(&world, &case).await;
                }
            }
        }
    }
}

/// Sees to it that the next push lists anew and leaves the company as it should be, and that nothing is left to do.
async fn settles(world: &World, case: &str) {
    let pushed = world.push().await;
    assert!(pushed.reached, "{case}");
    assert_eq!(world.application.listings(), 2, "{case}");
    assert_eq!(world.accounts(), ["ada", "ben", "carl"], "{case}");
    assert_eq!(world.members("staff"), ["ada", "ben", "carl"], "{case}");
    assert!(world.intents().await.is_empty(), "{case}");
    let created = ["ada", "ben", "carl"].map(|it| (it.to_owned(), Origin::Created));
    assert_eq!(world.links().await, created, "{case}");
    let sent = world.application.calls();
    world.push().await;
    assert_eq!(world.application.calls(), sent, "{case}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_update_that_was_cut_in_the_middle_is_finished_by_the_next() {
    for ids in [Ids::Numbers, Ids::Names] {
        // None, one, two or all of the name, the mail and the switch.
        for parts in 0..=3 {
            let directory = FakeDirectory::new(company());
            let world = World::over(directory, Batch::One, ids).await;
            world.pass().await;
            world.directory.change(|it| {
                it.rename("ada", "countess");
                it.person("countess").email = "countess@example.com".to_owned();
                it.person("countess").active = false;
            });
            world.read().await;
            let broken = Refusal::Unavailable("the connection broke".to_owned());
            world.fail(&[Fault::Cut(parts, broken)]);
            assert!(!world.push().await.reached, "{ids:?} {parts}");
            assert!(world.push().await.reached, "{ids:?} {parts}");
            assert_eq!(world.accounts(), ["(countess)", "ben", "carl"]);
            assert_eq!(world.members("staff"), ["ben", "carl", "countess"]);

            // That it was switched off here is not forgotten.
            world
                .directory
                .change(|it| it.person("countess").active = true);
            world.pass().await;
            assert_eq!(world.accounts(), ["ben", "carl", "countess"]);
        }
    }
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
async fn a_stop_finishes_the_change_in_hand_and_no_other() {
    let world = World::new(company(), Batch::One).await;
    world.read().await;
    let stop = CancellationToken::new();
    let token = stop.clone();
    world.application.at_call(1, move || token.cancel());
    let pushed = world.push_until(&stop).await;
    assert_eq!(world.application.calls(), [1, 1]);
    assert_eq!(world.accounts(), ["ada"]);
    assert_eq!(pushed.counts.accounts_created, 1);
    assert!(world.intents().await.is_empty());

    world.push().await;
    assert_eq!(world.application.listings(), 1, "nothing is in doubt");
    assert_eq!(world.members("staff"), ["ada", "ben", "carl"]);
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_plan_waits_for_a_person_and_later_ones_do_not() {
    let world = World::new(company(), Batch::One).await;
    for name in ["ada", "zoe"] {
        world.application.application.server().add_account(name);
    }
    world.pass().await;
    assert_eq!(world.application.calls(), [0; 0]);
    let set = world.held_set().await;
    assert_eq!(set.reason, "first_plan");
    world.approve(&set).await;
    // Who comes after the approval was not part of what was shown.
    world.directory.change(|it| it.add("dora"));
    world.pass().await;
    assert_eq!(world.accounts(), ["ada", "ben", "carl", "zoe"]);
    let held = world.held().await.held;
    assert_eq!(held.len(), 1);
    assert_eq!(held[0].what.subject, "user dora");
    assert_eq!(held[0].what.reason, HoldReason::FirstPlan);

    world.push().await;
    assert_eq!(world.accounts(), ["ada", "ben", "carl", "dora", "zoe"]);
    world.directory.change(|it| it.add("emil"));
    world.pass().await;
    let expect = ["ada", "ben", "carl", "dora", "emil", "zoe"];
    assert_eq!(world.accounts(), expect);
    assert!(world.held().await.held.is_empty());
    let links = world.links().await;
    assert_eq!(links[0], ("ada".to_owned(), Origin::Adopted));
    assert_eq!(links[1], ("ben".to_owned(), Origin::Created));
    assert!(!links.iter().any(|it| it.0 == "zoe"));
}
