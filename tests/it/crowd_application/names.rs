//! Whom a change is about when names move: in the plan itself, from plan to plan, and beside us.

use usersyncd::applications::Application as _;
use usersyncd::model::{Holding, What};

use super::ends;
use super::world::{application as application_of, both, company};
use crate::support::crowd_double::{CrowdDouble, Fault, Rules};
use crate::support::push::{Push, directory};

/// The members of a group, by name in lower case.
fn members(double: &CrowdDouble, group: &str) -> Vec<String> {
    double.with(|state| state.groups[group].members.iter().cloned().collect())
}

#[tokio::test]
async fn what_one_plan_renamed_is_nothing_to_the_next() {
    for rules in both() {
        let (double, application) = company(rules).await;
        let records = directory(&[("Annabel", "", ""), ("Anna", "", "")], &[]);
        let push = Push::now(&application, &records).await;
        push.update("Anna", "Annabel", What::RENAME)
            .update("ben", "Anna", What::RENAME)
            .succeed(&application)
            .await;
        // Seen past the one that renamed, as what is remembered from push to push: the first place is another account's.
        let other = application_of(&double, "");
        let memory = other.accounts(&Holding::default()).await.unwrap();
        Push::against(memory, &records)
            .members("sales", &["Anna"], &[], &[])
            .delete("Anna")
            .succeed(&application)
            .await;
        let left = double.with(|state| state.users.keys().cloned().collect::<Vec<_>>());
        assert_eq!(left, ["annabel", "carl"]);
    }
}

#[tokio::test]
async fn whoever_gets_the_name_of_a_member_gets_no_membership() {
    for rules in both() {
        let (double, application) = company(rules).await;
        let records = directory(&[("Annabel", "", "no mail"), ("Anna", "", "")], &[]);
        let push = Push::now(&application, &records).await;
        let push = push
            .update("Anna", "Annabel", What::RENAME.with(What::EMAIL))
            .update("ben", "Anna", What::RENAME)
            .members("sales", &["Anna"], &[], &[]);
        double.fail("PUT /user", 1, Fault::reason(400, "INVALID_EMAIL"));
        let outcomes = push.send(&application).await;
        assert_eq!(ends(&outcomes), ["stale", "done", "done"]);
        assert_eq!(members(&double, "sales"), ["annabel"]);
    }
}

#[tokio::test]
async fn nobody_becomes_a_member_in_place_of_one_whose_renaming_was_lost() {
    for rules in both() {
        let keys = rules.keys;
        let (double, application) = company(rules).await;
        let records = directory(&[("Annabel", "", ""), ("Anna", "", "")], &[]);
        let push = Push::now(&application, &records).await;
        let push = push
            .update("Anna", "Annabel", What::RENAME)
            .update("ben", "Anna", What::RENAME)
            .members("sales", &["Anna"], &[], &[]);
        double.fail("POST /user/rename", 1, Fault::Lost);
        let outcomes = push.send(&application).await;
        // Without a key there is no telling who is who before the next listing.
        let expect = if keys { "done" } else { "transient" };
        assert_eq!(ends(&outcomes), ["transient", "done", expect]);
        let expect: &[&str] = if keys { &["annabel"] } else { &[] };
        assert_eq!(members(&double, "sales"), expect);
    }
}

#[tokio::test]
async fn a_member_that_was_renamed_beside_us_is_found_by_its_key() {
    let (double, application) = company(Rules::default()).await;
    let records = directory(&[], &[]);
    let push = Push::now(&application, &records).await;
    let push =
        push.members("sales", &["ben"], &[], &[])
            .members("staff", &[], &[], &["ben", "carl"]);
    double.with(|state| {
        let rules = Rules::default();
        state.rename_user("ben", "bernd", &rules).unwrap();
        state.delete_user("carl").unwrap();
        for name in ["ben", "carl"] {
            state.add_user(name);
            state.add_member("staff", name);
        }
    });
    push.succeed(&application).await;
    assert_eq!(members(&double, "sales"), ["bernd"]);
    assert_eq!(members(&double, "staff"), ["anna", "ben", "carl"]);
}

#[tokio::test]
async fn a_member_is_looked_up_once() {
    let (double, _) = company(Rules::default()).await;
    let application = application_of(&double, "in_flight: 1");
    let records = directory(&[("dora", "Dora", "")], &["makers"]);
    let push = Push::now(&application, &records).await;
    let push = push
        .create("dora")
        .create_group("makers")
        .members("sales", &["dora", "ben"], &[], &[])
        .members("makers", &["dora", "ben"], &[], &[]);
    double.take_requests();
    push.succeed(&application).await;
    let asked = double.take_operations();
    // Who was made is known.
    assert_eq!(asked.iter().filter(|it| *it == "GET /user").count(), 1);
}
