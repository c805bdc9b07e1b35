//! Entries that got another name, and when it was said what they were called before.

use crate::support::site::{AT_ONCE, Run, Site, crowd};

/// Changes the configuration of a site.
fn edit(site: &Site, edits: &[(&str, &str)]) {
    let mut config = std::fs::read_to_string(site.path("config.yaml")).unwrap();
    for (from, to) in edits {
        assert!(config.contains(from), "{from}: {config}");
        config = config.replace(from, to);
    }
    site.write("config.yaml", &config);
}

#[track_caller]
fn warned(run: &Run, expect: &[&str]) {
    let warnings = run.named("config.warning");
    let problems: Vec<_> = warnings
        .iter()
        .map(|it| it["problem"].as_str().unwrap())
        .collect();
    assert_eq!(problems.len(), expect.len(), "{problems:?}");
    for (problem, part) in problems.iter().zip(expect) {
        assert!(problem.contains(part), "{problem}");
    }
}

const DIRECTORY: [(&str, &str); 2] = [("name: office", "name: staff"), ("[office]", "[staff]")];

#[test]
fn a_directory_that_says_later_what_it_was_called_is_taken_over_all_the_same() {
    let mut people = crowd(10, "staff");
    // Nothing but the link proves who this is.
    people[0].mail.clear();
    let site = Site::new(&people, AT_ONCE);
    site.sync().ended(0);
    edit(&site, &DIRECTORY);
    let run = site.sync().ended(3);
    warned(&run, &["`renamed_from: office`"]);
    assert_eq!(run.one("account.conflict")["account"], "user p01");
    edit(
        &site,
        &[("name: staff", "name: staff\n    renamed_from: office")],
    );
    for _ in 0..2 {
        warned(&site.sync().ended(0), &[]);
    }
    let links = "SELECT DISTINCT directory FROM account";
    assert_eq!(site.rows("state.db", links), ["staff"]);
    // What it held under its old name still guards its reads.
    site.people(&people[..4]);
    let run = site.sync().ended(3);
    assert_eq!(run.one("directory.suspect")["directory"], "staff");
}

/// What is foretold of an entry that was renamed is what comes.
fn check_foretold(edits: &[(&str, &str)]) {
    let mut people = crowd(10, "staff");
    people[0].mail.clear();
    let site = Site::new(&people, AT_ONCE);
    site.sync().ended(0);
    edit(&site, edits);
    let explain = || site.run(&["explain", "p01"]).ended(0).out;
    let status = || {
        let mut status = site.status();
        status["passes"].take();
        status
    };
    let files = site.files();
    let (explained, stands) = (explain(), status());
    assert!(explained.contains("linked to id id-p01"), "{explained}");
    assert_eq!(stands["directories"][0]["users"], 10);
    assert!(stands["applications"][0]["pushed_at"].is_string());
    let dry = site.run(&["--sync-now", "--dry-run"]).ended(0).out;
    let planned = dry.lines().next().unwrap().split(": ").nth(1).unwrap();
    assert!(!dry.contains("held "), "{dry}");
    assert!(files == site.files(), "something was written");
    let run = site.sync().ended(0);
    let applied = format!(": {planned} applied, 0 held");
    assert!(run.out.contains(&applied), "{} {dry}", run.out);
    let lines = |text: &str| text.lines().filter(|it| !it.contains("update")).count();
    assert_eq!(lines(&explain()), lines(&explained), "{explained}");
}

#[test]
fn who_asks_before_the_pass_is_told_of_a_renamed_entry_what_the_pass_does() {
    check_foretold(&[
        ("name: office", "name: staff\n    renamed_from: office"),
        ("[office]", "[staff]"),
    ]);
    check_foretold(&[("name: wiki", "name: docs\n    renamed_from: wiki")]);
}

#[test]
fn an_application_that_has_done_nothing_under_its_new_name_is_taken_over() {
    let site = Site::new(&crowd(10, "staff"), "grace: 0s");
    site.sync().ended(0);
    edit(&site, &[("name: wiki", "name: docs")]);
    let run = site.sync().ended(3);
    warned(&run, &["`renamed_from: wiki`"]);
    assert_eq!(run.one("change.held")["reason"], "first_plan");
    edit(
        &site,
        &[("name: docs", "name: docs\n    renamed_from: wiki")],
    );
    for _ in 0..2 {
        warned(&site.sync().ended(0), &[]);
    }
    let made = "SELECT DISTINCT origin FROM account";
    assert_eq!(site.rows("state.db", made), ["created"]);
}

#[test]
fn where_both_names_have_links_one_warning_says_what_can_be_done() {
    let site = Site::new(&crowd(10, "staff"), AT_ONCE);
    site.sync().ended(0);
    edit(&site, &[("name: wiki", "name: docs")]);
    warned(&site.sync().ended(0), &["`renamed_from: wiki`"]);
    edit(
        &site,
        &[("name: docs", "name: docs\n    renamed_from: wiki")],
    );
    for _ in 0..2 {
        warned(&site.sync().ended(0), &["write `id: wiki` in its place"]);
    }
    edit(&site, &[("renamed_from: wiki", "id: wiki")]);
    warned(&site.sync().ended(0), &["the application docs"]);
}

#[test]
fn a_running_daemon_that_is_told_too_late_asks_to_be_restarted() {
    let site = Site::new(&crowd(10, "staff"), AT_ONCE);
    site.sync().ended(0);
    edit(&site, &DIRECTORY);
    let daemon = site.daemon();
    edit(
        &site,
        &[("name: staff", "name: staff\n    renamed_from: office")],
    );
    daemon.signal("HUP");
    daemon.wait_for("config.reloaded");
    warned(
        &daemon.stop(),
        &["`renamed_from: office`", "restart the daemon"],
    );
    warned(&site.sync().ended(0), &[]);
}
