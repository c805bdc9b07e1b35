//! Servers whose events do not tell all: a Jira that merges its directories, and one that does not find users by key.

use usersyncd::directories::{Directory, What};
use usersyncd::model::Gap;

use super::{assert_same, changes, complete, directory, fill, held, read, says};
use crate::support::crowd_double::{CrowdDouble, Fault, Rules, State};

fn filled(rules: Rules) -> CrowdDouble {
    let double = CrowdDouble::start(rules);
    fill(&double);
    double
}

/// Something happens to a directory of which nothing is told.
fn untold(state: &mut State, change: impl FnOnce(&mut State)) {
    let count = state.events.len();
    change(state);
    state.events.truncate(count);
}

#[tokio::test]
async fn whoever_comes_to_light_when_another_goes_is_read() {
    let double = filled(Rules::default());
    let directory = directory(&double, "");
    let (old, cursor, _) = complete(&directory).await;
    double.with(|it| {
        it.delete_user("ada").unwrap();
        untold(it, |it| {
            it.add_user("Ada");
            it.add_member("none", "ada");
        });
    });
    let (delta, _) = changes(&directory, cursor).await;
    let merged = old.merged(&delta).unwrap();
    assert_same(&says(&merged), &held(&double, true), "merged");
}

#[tokio::test]
async fn whoever_hides_another_is_a_gap() {
    let double = filled(Rules::default());
    let directory = directory(&double, "");
    let (old, cursor, _) = complete(&directory).await;
    double.with(|it| {
        untold(it, |it| it.delete_user("dora").unwrap());
        it.add_user("dora");
    });
    let (delta, _) = changes(&directory, cursor).await;
    assert_eq!(old.merged(&delta).err(), Some(Gap::TwoBearers));
    assert_eq!(old.merge(&delta).err(), Some(Gap::TwoBearers));
}

#[tokio::test]
async fn a_server_that_does_not_find_users_by_key_is_read_whole() {
    for status in [404, 400] {
        let double = filled(Rules::default());
        let directory = directory(&double, "");
        let (_, cursor, _) = complete(&directory).await;
        // It may come to that between two reads.
        double.set(|it| it.no_key_lookup = Some(status));
        double.with(|it| it.touched_user("ada"));
        let read = read(&directory, cursor).await.unwrap();
        let What::Complete(records) = read.what else {
            panic!("{status}: changes");
        };
        assert_same(&says(&records), &held(&double, true), "whole");
        assert_eq!(read.cursor, None, "{status}");
        let told = read.notes.join(" ");
        assert!(told.contains("by the keys that it shows"), "{told}");
        let found = directory.check().await;
        let is_told = |it: &usersyncd::model::Finding| it.item == "key" && !it.good;
        assert!(found.iter().any(is_told), "{found:?}");
    }
}

#[tokio::test]
async fn only_a_user_who_is_said_not_to_be_found_is_gone() {
    for fault in [
        Fault::reason(404, "APPLICATION_NOT_FOUND"),
        Fault::reason(404, "GROUP_NOT_FOUND"),
        Fault::html(404, "Not found"),
    ] {
        let double = filled(Rules::default());
        let directory = directory(&double, "");
        let (_, cursor, _) = complete(&directory).await;
        double.with(|it| it.touched_user("ada"));
        double.fail_always("GET /user", fault);
        let read = read(&directory, cursor).await.unwrap();
        let What::Complete(records) = read.what else {
            panic!("changes");
        };
        assert_same(&says(&records), &held(&double, true), "whole");
    }
}
