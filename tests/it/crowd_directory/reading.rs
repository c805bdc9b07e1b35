//! Complete reads: every variant of a server shows what it holds.

use usersyncd::model::Status;

use super::{assert_same, complete, directory, fill, held, says, variants, with_password};
use crate::support::crowd_double::{CrowdDouble, PASSWORD, Rules};

#[tokio::test]
async fn what_is_read_is_what_the_server_holds() {
    for (which, rules) in variants() {
        let keys = rules.keys;
        let double = CrowdDouble::start(rules);
        fill(&double);
        for options in ["", "page_size: 2", "incremental: false"] {
            let directory = directory(&double, options);
            let (records, _, _) = complete(&directory).await;
            assert!(records.rejected.is_empty() && records.references.is_empty());
            assert_same(&says(&records), &held(&double, keys), which);
        }
    }
}

#[tokio::test]
async fn an_empty_server_is_read_as_empty() {
    let double = CrowdDouble::start(Rules::default());
    let (records, _, _) = complete(&directory(&double, "")).await;
    assert_eq!((records.users.len(), records.groups.len()), (0, 0));
}

#[tokio::test]
async fn a_cursor_is_given_only_where_changes_can_be_told_and_followed() {
    for (which, rules) in variants() {
        let events = rules.events != crate::support::crowd_double::rules::Events::Absent;
        let expect = rules.keys && events && rules.incremental == Some(true);
        let double = CrowdDouble::start(rules);
        fill(&double);
        let (_, cursor, notes) = complete(&directory(&double, "")).await;
        assert_eq!(cursor.is_some(), expect, "{which}");
        let told = notes
            .iter()
            .any(|it| it.contains("the next read must read everything"));
        assert_eq!(told, !expect, "{which}: {notes:?}");
        double.take_requests();
        let (_, cursor, notes) = complete(&directory(&double, "incremental: false")).await;
        assert_eq!(cursor, None, "{which}");
        assert!(!notes.iter().any(|it| it.contains("must read everything")));
        let asked = double.take_operations();
        assert!(
            !asked.iter().any(|it| it.contains("/event")),
            "{which}: {asked:?}"
        );
    }
}

#[tokio::test]
async fn further_attributes_are_asked_for_only_when_they_are_wanted() {
    for (which, rules) in variants() {
        let double = CrowdDouble::start(rules);
        fill(&double);
        let wanting = with_password(&double, "", PASSWORD, &["badge", "nothing"]);
        let (records, _, _) = complete(&wanting).await;
        for (at, user) in (0..).zip(&records.users) {
            let badges: Vec<&str> = records.extra_values(at, "badge").collect();
            assert_eq!(
                badges,
                [format!("b {}", records.text(user.username))],
                "{which}"
            );
            assert_eq!(records.extra_values(at, "nothing").count(), 0);
        }
        let expands = |it: &str| it.contains("entity-type=user") && it.contains("attributes");
        assert!(double.take_requests().iter().any(|it| expands(&it.query)));
        let (records, _, _) = complete(&directory(&double, "")).await;
        assert!(records.extra.is_empty());
        assert!(!double.take_requests().iter().any(|it| expands(&it.query)));
    }
}

#[tokio::test]
async fn a_server_without_keys_is_told_of() {
    let double = CrowdDouble::start(Rules {
        keys: false,
        ..Rules::default()
    });
    fill(&double);
    let (records, _, notes) = complete(&directory(&double, "")).await;
    let ada = records
        .users
        .iter()
        .find(|it| records.text(it.key) == "ada")
        .unwrap();
    assert_eq!(records.text(ada.id), "ada");
    assert!(
        notes.contains(&"users without a key, known by their names: 13".to_owned()),
        "{notes:?}"
    );
}

#[tokio::test]
async fn who_is_inactive_is_read_and_groups_that_are_stay() {
    let double = CrowdDouble::start(Rules::default());
    fill(&double);
    double.with(|it| it.groups.get_mut("none").unwrap().active = false);
    let (records, _, notes) = complete(&directory(&double, "")).await;
    let ben = records
        .users
        .iter()
        .find(|it| records.text(it.key) == "ben")
        .unwrap();
    assert_eq!(ben.status, Status::Inactive);
    assert!(
        notes.contains(&"groups that are not active, taken like the others: 1".to_owned()),
        "{notes:?}"
    );
    assert!(
        records
            .groups
            .iter()
            .any(|it| records.text(it.key) == "none")
    );
}

#[tokio::test]
async fn notes_hold_no_names() {
    let double = CrowdDouble::start(Rules::other());
    fill(&double);
    let (_, _, notes) = complete(&directory(&double, "")).await;
    assert!(!notes.is_empty());
    for name in ["ada", "ben", "Staff", "crew"] {
        assert!(
            !notes
                .iter()
                .any(|it| it.split(' ').any(|word| word == name)),
            "{notes:?}"
        );
    }
}

#[tokio::test]
async fn the_place_where_changes_begin_is_asked_for_before_anything_is_read() {
    let double = CrowdDouble::start(Rules::default());
    fill(&double);
    complete(&directory(&double, "")).await;
    let asked = double.take_operations();
    let expect = [
        "GET /event",
        "GET /search",
        "GET /search",
        "GET /search",
        "GET /search",
        "GET /group/membership",
        "GET /user",
    ];
    assert_eq!(
        asked, expect,
        "each list ends with an empty page, and one user is looked up by key"
    );
}
