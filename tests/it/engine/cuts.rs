//! What a broken connection and a stop leave behind, and how the next push settles it.

use tokio_util::sync::CancellationToken;
use usersyncd::model::{Batch, Origin};

use super::world::{BATCHES, World, company, unreachable, well};
use crate::support::company::Company;
use crate::support::fake_application::Fault;
use crate::support::fake_directory::FakeDirectory;
use crate::support::fake_server::Ids;

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_of_many_changes_is_noted_in_several_intents_and_found_again() {
    let names: Vec<String> = (0..1_500).map(|it| format!("user{it:04}")).collect();
    let people: Vec<&str> = names.iter().map(String::as_str).collect();
    let world = World::new(Company::of(&people, &[]), Batch::Many(5_000)).await;
    world.read().await;
    // All are made, but the answer to the last of them is lost.
    world.fail(&[well(names.len()), vec![unreachable(Fault::Lost)]].concat());
    assert!(!world.push().await.reached);
    assert_eq!(world.accounts(), names);
    let intents = world.intents().await;
    let steps: Vec<usize> = intents.iter().map(|it| it.steps.len()).collect();
    assert_eq!(steps, [1_000, 500]);

    assert!(world.push().await.reached);
    assert!(world.intents().await.is_empty());
    let created = names.into_iter().map(|it| (it, Origin::Created));
    assert_eq!(world.links().await, created.collect::<Vec<_>>());
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
    // Whatever the lost push did counts once.
    assert_eq!(world.counted().await, (3, 3, 3), "{case}");
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
            world.fail(&[unreachable(|it| Fault::Cut(parts, it))]);
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
