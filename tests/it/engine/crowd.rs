//! The engine over a Crowd in memory: what was lost on the way is found again, and nobody gets a second account.

use std::sync::Arc;

use usersyncd::model::{Batch, Origin};

use super::world::{World, company};
use crate::crowd_application::world::{application, both, users};
use crate::support::crowd_double::{CrowdDouble, Fault, Rules};
use crate::support::line::Line;

async fn world(double: &CrowdDouble) -> World {
    let mut world = World::new(company(), Batch::One).await;
    world.target.application = Arc::new(application(double, "in_flight: 2"));
    world
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_lost_is_found_and_is_ours() {
    for rules in both() {
        for operation in ["POST /user", "POST /group", "POST /group/user/direct"] {
            let double = CrowdDouble::start(rules.clone());
            let world = world(&double).await;
            world.read().await;
            double.fail(operation, 1, Fault::Lost);
            world.push().await;
            world.push().await;
            assert_eq!(users(&double), ["ada", "ben", "carl"], "{operation}");
            let members = double.with(|state| state.groups["staff"].members.len());
            assert_eq!(members, 3, "{operation}");
            let ours = ["ada", "ben", "carl"].map(|it| (it.to_owned(), Origin::Created));
            assert_eq!(world.links().await, ours, "{operation}");
            assert!(world.intents().await.is_empty());
            double.take_requests();
            world.push().await;
            let writes = double.take_operations();
            assert!(writes.iter().all(|it| it.starts_with("GET")), "{writes:?}");
            assert!(!world.push().await.due, "{operation}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_who_came_between_listing_and_creation_is_taken_over_by_the_rules() {
    for rules in both() {
        let double = Arc::new(CrowdDouble::start(rules));
        let mut world = world(&double).await;
        let line = Arc::new(Line::to(application(&double, "in_flight: 2")));
        world.target.application = line.clone();
        world.read().await;
        let beside = Arc::clone(&double);
        line.at_call(0, move || {
            beside.with(|state| {
                state.add_user("Ben");
            });
        });
        world.push().await;
        // Somebody else's account is there, so that what is left of the first plan is held.
        let ours = ["ada", "carl"].map(|it| (it.to_owned(), Origin::Created));
        assert_eq!(world.links().await, ours);
        let set = world.held_set().await;
        world.approve(&set).await;
        world.push().await;
        let key = double.with(|state| state.users["ben"].key.clone());
        assert!(
            key.ends_with("00000001-0000-4000-8000-000000000000"),
            "{key}"
        );
        let links = world.links().await;
        let expect = [
            ("ada", Origin::Created),
            ("ben", Origin::Adopted),
            ("carl", Origin::Created),
        ];
        let expect = expect.map(|it| (it.0.to_owned(), it.1));
        assert_eq!(links, expect);
        assert!(double.with(|state| state.groups["staff"].members.contains("ben")));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_never_sent_is_not_taken_for_ours() {
    for fault in [
        Fault::html(403, "Forbidden"),
        Fault::html(503, "Maintenance"),
    ] {
        let double = CrowdDouble::start(Rules::default());
        let mut world = World::new(company(), Batch::One).await;
        world.target.application = Arc::new(application(&double, "in_flight: 1"));
        world.read().await;
        double.fail_always("POST /user", fault.clone());
        double.fail_always("GET /config/cookie", fault);
        world.push().await;
        double.mend();
        // Meanwhile somebody made them by hand.
        double.with(|state| {
            for name in ["ben", "carl"] {
                state.add_user(name);
            }
        });
        world.push().await;
        let created = [
            ("ben".to_owned(), Origin::Created),
            ("carl".to_owned(), Origin::Created),
        ];
        let links = world.links().await;
        assert!(created.iter().all(|it| !links.contains(it)), "{links:?}");
        assert_eq!(world.held_set().await.reason, "first_plan");
    }
}
