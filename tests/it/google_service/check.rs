//! `check --connect` goes the way of a read and names the step that fails.

use super::*;
use crate::support::google_double::{AUDIT_SCOPE, Fault};

const ACTIVITIES: &str = "reports.activities.list";

/// What the check finds of the directory: each item, whether it is good, and its text.
fn findings(town: &Town, code: i32) -> Vec<(String, bool, String)> {
    let run = town.site.run(&["check", "--connect", "--format", "json"]);
    let answer: Value = serde_json::from_str(&run.ended(code).out).unwrap();
    let all = answer["findings"].as_array().unwrap().iter();
    let mut own = all.filter(|it| it["of"] == "directories.workspace");
    let found = own.next().unwrap()["findings"].as_array().unwrap().iter();
    let text = |it: &Value| it.as_str().unwrap().to_owned();
    found
        .map(|it| {
            (
                text(&it["item"]),
                it["good"].as_bool().unwrap(),
                text(&it["text"]),
            )
        })
        .collect()
}

/// Exactly these items are bad, the first of them with these words.
#[track_caller]
fn check(change: impl FnOnce(&Town), bad: &[&str], words: &str) {
    let town = Town::new();
    town.configure("", "activity: true\nmembers_every: 1h");
    change(&town);
    let found = findings(&town, 3);
    let failing: Vec<&str> = found
        .iter()
        .filter(|it| !it.1)
        .map(|it| it.0.as_str())
        .collect();
    assert_eq!(failing, bad, "{found:?}");
    let text = &found.iter().find(|it| !it.1).unwrap().2;
    assert!(text.contains(words), "no `{words}`: {text}");
}

fn fault(operation: &'static str, fault: Fault) -> impl FnOnce(&Town) {
    move |town| town.double.fault_times(operation, 99, fault)
}

#[test]
fn the_step_that_fails_is_named() {
    let key = |content: &'static str| move |it: &Town| it.site.write("key.json", content);
    check(key("{}"), &["key"], "`type` is missing");
    check(key("[]"), &["key"], "");
    check(
        |it| it.site.write("key.json", &it.double.other_key()),
        &["token"],
        "make a new key",
    );
    check(
        |it| it.double.with(|it| it.scopes.clear()),
        &["token"],
        "client_id",
    );
    let audit = |it: &Town| it.double.with(|it| assert!(it.scopes.remove(AUDIT_SCOPE)));
    check(audit, &["token"], AUDIT_SCOPE);
    let subject =
        |it: &'static str| move |town: &Town| town.configure("", &format!("subject: {it}"));
    check(
        subject("nobody@example.com"),
        &["token"],
        "active administrator",
    );
    check(
        subject("anna@example.com"),
        &["users", "groups"],
        "no administrator",
    );
    check(fault(USERS, Fault::Forbidden), &["users"], "administrator");
    check(
        fault(USERS, Fault::MissingKey),
        &["users"],
        "without a single user",
    );
    check(
        fault(GROUPS, Fault::Forbidden),
        &["groups"],
        "administrator",
    );
    check(fault(MEMBERS, Fault::Forbidden), &["members"], "403");
    check(fault(MEMBERS, Fault::NotFound), &["members"], "404");
    check(fault(ACTIVITIES, Fault::Forbidden), &["activity"], "");
    check(
        fault(USERS, not_enabled()),
        &["users"],
        "APIs & Services > Library",
    );
}

#[test]
fn what_would_be_rejected_is_named() {
    let twin = |it: &Town| {
        it.double.with(|it| it.add_user("anna@example.org"));
    };
    check(twin, &["users"], "anna");
    let nameless = |it: &Town| {
        it.double.with(|it| {
            let anna = it.user("anna@example.com");
            anna.omit.insert("primaryEmail".to_owned())
        });
    };
    check(nameless, &["users"], "primary address");
    let groups = |it: &'static str| move |town: &Town| town.configure("", it);
    check(
        groups("groups: [eng@example.com, nobody@example.com]"),
        &["groups"],
        "nobody@example.com",
    );
    check(
        groups("groups: [nobody@example.com]"),
        &["groups", "members"],
        "nobody@example.com",
    );
}

#[test]
fn a_sound_check_says_what_it_has_found_and_keeps_nothing() {
    let town = Town::new();
    town.configure(
        "",
        "activity: true\nmembers_every: 1h\ngroups: ['*@example.com']",
    );
    let files: Vec<String> = town.site.files().into_keys().collect();
    let run = town.site.run(&["check", "--connect"]).ended(0);
    insta::with_settings!({
        filters => vec![
            (r"127\.0\.0\.1:\d+", "[address]"),
            (r"/\S*/(config\.yaml|wiki\.db)", "[folder]/$1"),
        ],
        omit_expression => true,
    }, {
        insta::assert_snapshot!("sound_check", run.out);
    });
    let now: Vec<String> = town.site.files().into_keys().collect();
    assert_eq!(now, files);
}
