//! What a person approved: what passes by it, and what does not.

use usersyncd::model::{Batch, HoldReason, Origin};

use usersyncd::text::Span;

use super::reads::{CHANGED, SUSPECT, UNCHANGED, accepted, leave, people};
use super::world::{World, company};
use crate::support::company::Company;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approved_loss_lets_a_later_read_pass_that_loses_no_more() {
    let world = World::new(people(30), Batch::Whole).await;
    world.pass().await;
    world.clock.advance(Span::minutes(1));
    leave(&world, 9);
    let mut nine_left = Company::default();
    world.directory.change(|it| nine_left = it.clone());
    world.directory.change(|it| it.remove("user09"));
    assert_eq!(world.read().await, SUSPECT);
    let ten = world.held_set().await;
    assert_eq!(ten.reason, "suspect_read");
    world.approve(&ten).await;

    world.directory.change(|it| it.remove("user10"));
    assert_eq!(world.read().await, SUSPECT, "one more is lost");
    world.directory.change(|it| *it = nine_left);
    assert_eq!(world.read().await, CHANGED);
    assert_eq!(accepted(&world).await.len(), 21 + 1);
    assert_eq!(world.read().await, UNCHANGED);
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
