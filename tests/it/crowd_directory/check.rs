//! What the check finds.

use usersyncd::directories::Directory;

use super::{directory, fill, variants, with_password};
use crate::support::crowd_double::{CrowdDouble, Fault, Rules};

async fn findings(directory: &dyn Directory) -> Vec<(String, bool, String)> {
    let findings = directory.check().await.into_iter();
    findings.map(|it| (it.item, it.good, it.text)).collect()
}

fn has(findings: &[(String, bool, String)], item: &str, good: bool, text: &str) -> bool {
    findings
        .iter()
        .any(|it| it.0 == item && it.1 == good && it.2.contains(text))
}

#[tokio::test]
async fn a_sound_server_is_found_sound() {
    for (which, rules) in variants() {
        let keys = rules.keys;
        let double = CrowdDouble::start(rules);
        fill(&double);
        let found = findings(&directory(&double, "")).await;
        assert!(has(&found, "reach", true, "answers"), "{which}: {found:?}");
        assert!(has(&found, "login", true, ""), "{which}: {found:?}");
        assert!(has(&found, "users", true, "13 users"), "{which}: {found:?}");
        assert!(
            has(&found, "groups", true, "11 groups"),
            "{which}: {found:?}"
        );
        assert!(
            has(&found, "memberships", true, "28 memberships"),
            "{which}: {found:?}"
        );
        assert!(has(&found, "changes", true, ""), "{which}: {found:?}");
        assert!(has(&found, "key", keys, ""), "{which}: {found:?}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_found_by_name() {
    async fn check(change: impl FnOnce(&CrowdDouble), item: &str, expect: &str) {
        let double = CrowdDouble::start(Rules::default());
        fill(&double);
        change(&double);
        let found = findings(&directory(&double, "")).await;
        assert!(has(&found, item, false, expect), "{found:?}");
    }
    check(CrowdDouble::cut, "reach", "config/cookie").await;
    check(
        |it| it.fail_always("*", Fault::login_page()),
        "reach",
        "`Log in`",
    )
    .await;
    check(
        |it| it.set(|it| it.address_allowed = false),
        "login",
        "remote addresses",
    )
    .await;
    check(
        |it| it.fail_always("GET /search", Fault::reason(500, "X")),
        "records",
        "500",
    )
    .await;
    check(|it| it.with(|it| it.users.clear()), "users", "0 users").await;
    let double = CrowdDouble::start(Rules::default());
    let found = findings(&with_password(&double, "", "wrong", &[])).await;
    assert!(
        has(&found, "login", false, "those of a person"),
        "{found:?}"
    );
    let double = CrowdDouble::start(Rules::default());
    let elsewhere = directory(&double, "");
    double.set(|it| it.context = "/elsewhere");
    let found = findings(&elsewhere).await;
    assert!(has(&found, "records", false, "context path"), "{found:?}");
}

#[tokio::test]
async fn a_server_without_the_call_that_is_asked_first_is_sound() {
    let double = CrowdDouble::start(Rules::default());
    fill(&double);
    double.fail_always("GET /config/cookie", Fault::html(404, "Not found"));
    let found = findings(&directory(&double, "")).await;
    assert!(found.iter().all(|it| it.1), "{found:?}");
    assert!(has(&found, "users", true, "13 users"), "{found:?}");
}
