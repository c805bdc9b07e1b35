//! The words of the log are promised: each event function is called once, and what it writes is compared with the table
//! of `docs/events.md` and with a snapshot. The sources are asked for the list of functions, so that none is forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use usersyncd::events::{self, Counts, Failure, Finish, Read};

use crate::support::log::Log;

/// One row of the table.
struct Row {
    levels: BTreeSet<String>,
    fields: BTreeSet<String>,
    optional: BTreeSet<String>,
}

#[test]
fn each_event_has_the_fields_and_the_levels_of_its_row() {
    let table = table();
    let mut levels: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in samples() {
        let name = word(&line["event"]);
        let row = table
            .get(&name)
            .unwrap_or_else(|| panic!("{name} has no row"));
        let all = ["event", "level", "message", "target"].map(str::to_owned);
        let fields: BTreeSet<_> = line.as_object().unwrap().keys().cloned().collect();
        let own: BTreeSet<_> = fields.difference(&all.into()).cloned().collect();
        let missing: Vec<_> = row.fields.difference(&own).collect();
        assert!(missing.is_empty(), "{name} lacks {missing:?}");
        let known: BTreeSet<_> = row.fields.union(&row.optional).cloned().collect();
        let unknown: Vec<_> = own.difference(&known).collect();
        assert!(unknown.is_empty(), "the row of {name} lacks {unknown:?}");
        levels.entry(name).or_default().insert(word(&line["level"]));
    }
    let promised: BTreeMap<_, _> = table
        .into_iter()
        .map(|(name, row)| (name, row.levels))
        .collect();
    assert_eq!(levels, promised);
}

#[test]
fn each_function_is_an_event_of_its_name_and_the_other_way_round() {
    let rows: BTreeSet<String> = table().into_keys().map(|it| it.replace('.', "_")).collect();
    assert_eq!(functions(), rows);
}

#[test]
fn the_lines_stay_as_they_are() {
    let lines: Vec<_> = samples().iter().map(Value::to_string).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

/// Each event, with every level and all fields that it can have.
fn samples() -> Vec<Value> {
    let log = Log::catch();
    tell_of_the_daemon();
    tell_of_serving();
    tell_of_passes();
    tell_of_directories();
    tell_of_applications();
    tell_of_changes();
    let mut lines = log.events();
    for line in &mut lines {
        // The one value that is different each time.
        if let Some(pid) = line.get_mut("pid") {
            *pid = 1.into();
        }
    }
    lines
}

fn tell_of_the_daemon() {
    let full = std::io::Error::other("disk full");
    events::daemon_started("0.1.0", "/etc/usersyncd/config.yaml");
    events::daemon_ready(2, 1, Some("2026-11-22T00:15:00Z"));
    events::daemon_ready(0, 0, None);
    events::daemon_stopping("signal");
    events::daemon_stopped(true, 0);
    events::daemon_stopped(false, 1);
    events::daemon_died("push wiki");
    events::daemon_panicked("src/somewhere.rs:1:2");
    events::config_rejected("config.yaml:14:7: directories.corporate.ldap.urls: empty");
    events::config_warning("config.yaml:3:5: directories.corporate: a password in the file");
    events::config_reloaded(2, 1);
    events::schedule_next("corporate", "2026-11-22T00:15:00Z");
    events::control_request("sync_now");
    events::notify_failed(&full);
    events::store_failed("committing the records of corporate", &full);
}

fn tell_of_serving() {
    let full = std::io::Error::other("disk full");
    events::serve_started("127.0.0.1:8095", false);
    events::serve_started("[::]:8095", true);
    events::serve_refused("192.0.2.7", "password", None, 1);
    events::serve_refused("192.0.2.7", "address", Some("jira"), 20);
    events::serve_certificate_reloaded("/etc/usersyncd/server.pem");
    events::serve_certificate_failed(&full);
    events::serve_unverified("corporate", "no server answers", 3);
}

fn tell_of_passes() {
    events::pass_started(7, "tick corporate", 1, 2);
    events::pass_progress("push wiki", 20, Some(300), Duration::from_secs(10));
    events::pass_progress("read corporate", 20, None, Duration::from_secs(10));
    let counts = Counts {
        directories_changed: 1,
        accounts_created: 2,
        memberships_given: 3,
        changes_held: 4,
        changes_waiting: 5,
        ..Counts::default()
    };
    for outcome in ["applied", "partial", "failed"] {
        events::pass_finished(&Finish {
            pass: 7,
            trigger: "tick corporate",
            outcome,
            duration_ms: 1_234,
            counts: &counts,
            joined: 0,
            stale: 1,
            read_ages: "corporate=0 google=never",
            push_ages: "wiki=0",
        });
    }
}

fn tell_of_directories() {
    let read = Read {
        whole: true,
        users: 120,
        groups: 7,
        memberships: 340,
        rejected: 1,
        requests: Some(7),
        duration: Duration::from_millis(456),
    };
    events::directory_read("corporate", &read, "");
    events::directory_read(
        "corporate",
        &read,
        "2 referrals not followed; read completely",
    );
    events::directory_unchanged("corporate", None, Duration::from_millis(40), "");
    events::directory_unchanged(
        "corporate",
        None,
        Duration::from_millis(40),
        "one base is empty",
    );
    events::directory_failed("corporate", Failure::Unavailable, "connecting: refused");
    events::directory_failed(
        "corporate",
        Failure::Unauthorised,
        "bind: invalid credentials",
    );
    events::directory_failed(
        "corporate",
        Failure::Configuration,
        "reading: there is no such base",
    );
    events::directory_suspect(
        "corporate",
        "shrink_limit",
        "60 of 120 users are gone",
        "4f2a",
    );
    events::directory_stale("corporate", Some(Duration::from_hours(25)));
    events::directory_stale("google", None);
    events::record_rejected("corporate", "9c1d", "its username is empty");
    events::records_unknown("corporate", 0, 2);
    events::loop_suspected("jira", "wiki", 2, "anna, ben");
}

fn tell_of_applications() {
    events::plan_made("wiki", "apply", 5, 1, 2);
    events::application_failed("wiki", Failure::Unavailable, "connecting: refused");
    events::application_failed("wiki", Failure::Unauthorised, "login: 401");
    events::application_stale("wiki", Some(Duration::from_hours(25)));
    events::removals_blocked("wiki", "the group wiki-users is in no listed directory");
    events::account_frozen("wiki", "unknown", 3);
    events::account_gone("wiki", 40, 50);
    events::account_conflict("wiki", "anna", "two accounts match the user");
    events::mail_duplicate("wiki", "anna@corporate, a.smith@jira");
    events::protected_left("wiki", "admin");
    events::access_remains(
        "wiki",
        "anna",
        "the membership of wiki-administrators is protected",
    );
}

fn tell_of_changes() {
    events::change_applied("wiki", "user anna", "create", "new");
    events::change_refused("wiki", "user anna", "create", "the name is reserved");
    events::change_unaccepted(
        "wiki",
        "user anna",
        "create",
        "the name is reserved",
        3,
        "2026-11-22T01:00:00Z",
    );
    events::change_failed("wiki", "user anna", "create", Failure::Transient, "503");
    events::change_failed("wiki", "user anna", "create", Failure::Unauthorised, "401");
    events::change_held("wiki", "first_plan", 120, Some("4f2a"), None);
    events::change_held("wiki", "removals_limit", 40, Some("4f2a"), None);
    let instead = "resolve what keeps the name taken; this follows";
    events::change_held("wiki", "name_taken", 2, Some("4f2a"), Some(instead));
    events::change_held("wiki", "name_taken", 1, None, Some(instead));
    events::change_waiting("wiki", 2, Some("2026-11-23T00:00:00Z"));
    events::change_waiting("wiki", 2, None);
}

/// The rows of all tables of the page that begin with an event.
fn table() -> BTreeMap<String, Row> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/events.md");
    let page = std::fs::read_to_string(page).unwrap();
    page.lines().filter_map(row).collect()
}

fn row(line: &str) -> Option<(String, Row)> {
    let cells: Vec<_> = line.strip_prefix("| `")?.split(" | ").collect();
    let [event, levels, fields, _] = cells[..] else {
        panic!("not four cells: {line}");
    };
    let fields = fields.split(", ").map(|it| it.trim_matches('`').to_owned());
    let (optional, fields): (BTreeSet<_>, _) = fields.partition(|it| it.starts_with('['));
    let bare = |it: String| it.trim_matches(['[', ']']).to_owned();
    let row = Row {
        levels: levels.split(", ").map(str::to_owned).collect(),
        fields,
        optional: optional.into_iter().map(bare).collect(),
    };
    Some((event.trim_end_matches('`').to_owned(), row))
}

/// The functions that write a line, by the sources.
fn functions() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/events");
    let mut names = BTreeSet::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let source = std::fs::read_to_string(file.unwrap().path()).unwrap();
        for item in syn::parse_file(&source).unwrap().items {
            let syn::Item::Fn(function) = item else {
                continue;
            };
            let public = matches!(function.vis, syn::Visibility::Public(_));
            let returns = matches!(function.sig.output, syn::ReturnType::Type(..));
            if public && !returns {
                names.insert(function.sig.ident.to_string());
            }
        }
    }
    names
}

fn word(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
