//! A listing is whole or it is an error, whatever the server does while it is read.

use usersyncd::applications::Application as _;
use usersyncd::model::Holding;

use super::world::{application, both, company, listed};
use crate::support::crowd_double::rules::Paging;
use crate::support::crowd_double::{CrowdDouble, Fault, Rules};
use crate::support::push::kind;

/// A double with so many users, all in one group, and small pages.
fn many(users: usize, rules: Rules) -> CrowdDouble {
    let double = CrowdDouble::start(rules);
    double.with(|state| {
        state.add_group("all");
        for number in 0..users {
            let name = format!("user{number:03}");
            state.add_user(&name);
            state.add_member("all", &name);
        }
    });
    double
}

#[tokio::test]
async fn pages_may_repeat_and_be_shorter_than_asked_for() {
    for rules in both() {
        for (paging, page_cap) in [
            (Paging::Sound, 7),
            (Paging::Repeats, 7),
            (Paging::Sound, 1000),
        ] {
            let rules = Rules {
                page_cap,
                paging,
                ..rules.clone()
            };
            let double = many(40, rules);
            let application = application(&double, "page_size: 10");
            let observed = application.accounts(&Holding::default()).await.unwrap();
            let counts = (observed.accounts.len(), observed.members.len());
            assert_eq!(counts, (40, 40), "{paging:?} {page_cap}");
        }
    }
}

#[tokio::test]
async fn whoever_is_skipped_makes_the_listing_an_error() {
    let double = many(
        40,
        Rules {
            paging: Paging::Skips,
            ..Rules::default()
        },
    );
    let application = application(&double, "page_size: 10");
    let refusal = application.accounts(&Holding::default()).await.unwrap_err();
    assert_eq!(kind(&refusal), "transient");
    assert!(refusal.to_string().contains("may be missing"), "{refusal}");
}

#[tokio::test]
async fn a_list_without_an_end_is_an_error() {
    let double = many(
        40,
        Rules {
            paging: Paging::Forever,
            ..Rules::default()
        },
    );
    let application = application(&double, "page_size: 10");
    let refusal = application.accounts(&Holding::default()).await.unwrap_err();
    assert!(refusal.to_string().contains("start-index"), "{refusal}");
}

#[tokio::test]
async fn a_listing_that_is_cut_is_an_error_and_never_a_shorter_one() {
    let double = many(40, Rules::default());
    let application = application(&double, "");
    double.take_requests();
    let whole = listed(&application).await;
    let operations = double.take_operations();
    for operation in ["GET /search", "GET /group/membership"] {
        for bytes in [0, 10, 500, 1000] {
            double.fail_always(operation, Fault::CutBody(bytes));
            let refusal = application.accounts(&Holding::default()).await.unwrap_err();
            assert_eq!(
                kind(&refusal),
                "transient",
                "{operation} {bytes}: {refusal}"
            );
            double.mend();
        }
    }
    double.take_requests();
    assert_eq!(listed(&application).await, whole);
    assert_eq!(double.take_operations(), operations);
    // A document that ends early and politely.
    let xml = "<?xml version=\"1.0\"?><memberships><membership group=\"all\"><users></users></membership>";
    let scripted = crate::support::crowd_double::fault::Scripted {
        status: 200,
        content_type: "application/xml",
        headers: Vec::new(),
        body: xml.to_owned(),
    };
    double.fail("GET /group/membership", 1, Fault::Answer(scripted));
    let refusal = application.accounts(&Holding::default()).await.unwrap_err();
    assert_eq!(kind(&refusal), "transient");
    assert!(refusal.to_string().contains("proxy"), "{refusal}");
}

#[tokio::test]
async fn a_listing_that_finds_something_else_than_a_crowd_says_so() {
    let (double, application) = company(Rules::default()).await;
    for (fault, expect, text) in [
        (Fault::login_page(), "unavailable", "`Log in`"),
        (
            Fault::redirect("/login"),
            "unavailable",
            "redirects are not followed",
        ),
        (Fault::html(404, "Not found"), "unavailable", "context path"),
        (Fault::later(503, 0), "unavailable", "503"),
    ] {
        double.fail_always("GET /search", fault);
        let refusal = application.accounts(&Holding::default()).await.unwrap_err();
        assert_eq!(kind(&refusal), expect, "{refusal}");
        assert!(refusal.to_string().contains(text), "{refusal}");
        double.mend();
    }
}

#[tokio::test]
async fn a_member_that_nobody_knows_is_left_out() {
    let (double, application) = company(Rules::default()).await;
    let before = listed(&application).await;
    let xml = concat!(
        "<memberships><membership group=\"staff\"><users><user name=\"Anna\"/><user name=\"ben\"/>",
        "<user name=\"carl\"/><user name=\"ghost\"/></users><groups><group name=\"sales\"/>",
        "<group name=\"nowhere\"/></groups></membership></memberships>"
    );
    let scripted = crate::support::crowd_double::fault::Scripted {
        status: 200,
        content_type: "application/xml",
        headers: Vec::new(),
        body: xml.to_owned(),
    };
    double.fail("GET /group/membership", 1, Fault::Answer(scripted));
    assert_eq!(listed(&application).await, before);
}

#[tokio::test]
async fn the_check_tells_what_is_there() {
    for rules in both() {
        let keys = rules.keys;
        let (_double, application) = company(rules).await;
        let findings = application.check().await;
        assert!(findings.iter().all(|it| it.good), "{findings:?}");
        let text = |item: &str| {
            let found = findings.iter().find(|it| it.item == item);
            found.unwrap().text.clone()
        };
        assert!(text("users").starts_with("3 users"));
        assert_eq!(text("users").contains("without a key"), !keys);
        assert!(text("memberships").starts_with("4 memberships"));
        assert_eq!(text("memberships").contains("group by group"), !keys);
    }
}
