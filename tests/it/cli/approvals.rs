//! What is held until a person says so, and dry runs.

use std::fs;

use crate::support::site::{AT_ONCE, Site, crowd, person};

/// An application that holds accounts already: two that will be adopted, and a stranger.
fn filled(options: &str) -> Site {
    let people = [
        person("anna").within(&["staff"]),
        person("ben").within(&["staff"]),
        person("carl").within(&["staff"]),
    ];
    let site = Site::new(&people, options);
    site.execute("wiki.db", TABLES);
    site
}

const TABLES: &str = "CREATE TABLE users (username TEXT NOT NULL PRIMARY KEY, display_name TEXT NOT NULL DEFAULT '',
        given_name TEXT NOT NULL DEFAULT '', family_name TEXT NOT NULL DEFAULT '', email TEXT NOT NULL DEFAULT '',
        active INTEGER NOT NULL DEFAULT 1, directory TEXT NOT NULL DEFAULT '', external_id TEXT NOT NULL DEFAULT '');
    CREATE TABLE groups (name TEXT NOT NULL PRIMARY KEY, description TEXT NOT NULL DEFAULT '');
    CREATE TABLE memberships (group_name TEXT NOT NULL, username TEXT NOT NULL, PRIMARY KEY (group_name, username));
    INSERT INTO users (username) VALUES ('anna'), ('ben'), ('stranger');";

#[test]
fn the_first_plan_on_accounts_is_held_shown_approved_and_applied() {
    let site = filled("grace: 0s");
    let run = site.sync().ended(3);
    assert_eq!(run.one("pass.finished")["changes_held"], 5, "{}", run.err);
    assert_eq!(run.one("pass.finished")["accounts_created"], 0);
    assert_eq!(site.accounts(), ["anna|1", "ben|1", "stranger|1"]);
    let held = run.one("change.held");
    let id = held["approve"].as_str().unwrap().to_owned();
    assert_eq!(site.held(), [("first_plan".to_owned(), id.clone())]);
    let text = site.run(&["status"]).ended(0).out;
    assert!(text.contains(&format!("usersyncd approve {id}")), "{text}");
    assert!(text.contains("user carl: create"), "{text}");
    let approved = site.run(&["approve", &id]).ended(0).out;
    assert!(approved.contains("user anna: adopt"), "{approved}");
    // Without a daemon, approving does nothing by itself.
    let later = "The next pass does what is still wanted of it; `usersyncd --sync-now` runs one.";
    assert!(approved.contains(later), "{approved}");
    assert_eq!(site.accounts().len(), 3);
    site.sync().ended(0);
    assert_eq!(site.accounts(), ["anna|1", "ben|1", "carl|1", "stranger|1"]);
    assert_eq!(site.members().len(), 3);
    let run = site.sync().ended(0);
    assert_eq!(run.one("pass.finished")["outcome"], "in_sync");
    let unlinked = site.run(&["status", "--unlinked"]).ended(0).out;
    assert!(unlinked.contains("stranger"), "{unlinked}");
}

#[test]
fn a_daemon_goes_at_once_to_what_was_approved() {
    let site = filled("grace: 0s");
    let daemon = site.daemon();
    let id = &site.held()[0].1;
    let approved = site.run(&["approve", id]).ended(0).out;
    let said = "The daemon went to it: applied: 7 changes applied, 0 held";
    assert!(approved.contains(said), "{approved}");
    assert_eq!(site.accounts(), ["anna|1", "ben|1", "carl|1", "stranger|1"]);
    daemon.wait_for_value("pass.finished", "trigger", "approval wiki");
    // A suspect read is read again.
    site.people(&[person("anna").within(&["staff"])]);
    site.sync().ended(3);
    let status = site.status();
    let id = status["directories"][0]["suspect"]["approve"].as_str();
    let approved = site.run(&["approve", id.unwrap()]).ended(0).out;
    assert!(approved.contains("The daemon went to it: "), "{approved}");
    let pass = daemon.wait_for_value("pass.finished", "trigger", "approval office");
    assert_eq!(pass["directories_changed"], 1, "{pass}");
    assert_eq!(pass["applications_pushed"], 1, "{pass}");
    assert!(site.status()["directories"][0]["suspect"].is_null());
    daemon.stop().ended(0);
}

#[test]
fn a_part_of_the_first_plan_is_approved_by_name() {
    let site = filled("grace: 0s");
    site.sync().ended(3);
    let id = &site.held()[0].1;
    site.run(&["approve", id, "--only", "nobody"]).ended(2);
    let approved = site.run(&["approve", id, "--only", "Carl"]).ended(0).out;
    assert!(approved.contains("user carl: create"), "{approved}");
    assert!(!approved.contains("anna"), "{approved}");
    site.sync().ended(3);
    assert_eq!(site.accounts(), ["anna|1", "ben|1", "carl|1", "stranger|1"]);
    let fields = "SELECT email FROM users WHERE username = 'anna'";
    assert_eq!(site.rows("wiki.db", fields), [""], "not adopted yet");
    // The rest is still held, and whole when it is approved.
    site.approve();
    site.sync().ended(0);
    assert_eq!(site.rows("wiki.db", fields), ["anna@example.com"]);
    assert_eq!(site.members().len(), 3);
}

#[test]
fn a_disposable_application_is_not_asked_about() {
    let site = filled("first_pass: apply");
    site.sync().ended(0);
    assert_eq!(site.accounts().len(), 4);
}

#[test]
fn nothing_is_approved_twice_or_under_a_wrong_name() {
    let site = filled("grace: 0s");
    let run = site.run(&["approve", "0000"]).ended(2);
    assert!(run.complaints().contains("nothing is held"), "{}", run.err);
    assert!(!site.path("state.db").exists(), "asking makes no store");
    site.sync().ended(3);
    site.run(&["approve", "0000"]).ended(2);
    site.approve();
    site.sync().ended(0);
}

#[test]
fn a_plan_is_shown_and_never_applied_in_the_mode_that_says_so() {
    let site = Site::new(&crowd(3, "staff"), "mode: plan");
    for _ in 0..2 {
        let run = site.sync();
        assert_eq!(run.one("plan.made")["mode"], "plan");
        assert_eq!(run.one("plan.made")["changes"], 5);
        assert!(!site.path("wiki.db").exists());
    }
    site.configure("");
    site.sync().ended(0);
    assert_eq!(site.accounts().len(), 3);
}

/// A pass that holds a ring of renames, a rename onto the name of somebody who left, and an adoption.
fn tangled() -> Site {
    let site = Site::new(&[], "first_pass: apply\nadopt: []\ngrace: 0s");
    site.execute("wiki.db", &TABLES.replace("('anna'), ('ben'), ", ""));
    let of_name = |id: &str, name: &str| person(name).with_id(id);
    let mut people = crowd(12, "staff");
    people.extend(["anna", "ben", "carl", "dora"].map(person));
    site.people(&people);
    site.sync().ended(0);
    people.truncate(12);
    people.push(of_name("id-anna", "ben"));
    people.push(of_name("id-ben", "anna"));
    people.push(of_name("id-carl", "dora"));
    people.push(person("stranger"));
    site.people(&people);
    site
}

#[test]
fn what_no_approval_releases_is_never_offered_and_says_what_to_do() {
    let site = tangled();
    let run = site.sync().ended(3);
    let held = run.named("change.held");
    let of_reason = |reason: &str| held.iter().find(|it| it["reason"] == reason).unwrap();
    let ring = of_reason("rename_ring");
    assert!(ring.get("approve").is_none(), "{ring}");
    let third =
        "in the directory, give one of them a third name, run a pass, then give the final name";
    assert_eq!(ring["instead"], third);
    let taken = of_reason("name_taken");
    assert_eq!(taken["count"], 3, "{}", run.err);
    let id = taken["approve"].as_str().unwrap();
    let frozen = run.named("account.frozen");
    let frozen = frozen.iter().map(|it| (&it["reason"], &it["count"]));
    let words: Vec<String> = frozen.map(|it| format!("{} {}", it.0, it.1)).collect();
    assert_eq!(words, ["\"rename_held\" 3", "\"name_wanted\" 1"]);
    let text = site.run(&["status"]).ended(0).out;
    let lines = [
        "  held for rename_ring: 2 changes; no approval releases this\n".to_owned(),
        format!("  held for name_taken: 3 changes; release 1 of them with `usersyncd approve {id}`\n"),
        "    user dora: leave (its user left (absent), and the account stays as it is while the rename of user carl onto \
         its name is held); instead: resolve the rename onto its name"
            .to_owned(),
    ];
    for line in lines {
        assert!(text.contains(&line), "{line}\n{text}");
    }
    let frozen = "    carl: rename_held (nothing changes while its rename is held)\n    dora: name_wanted (its user left (absent); ";
    assert!(text.contains(frozen), "{text}");
    let sets = &site.status()["applications"][0]["held"];
    let sets = sets.as_array().unwrap();
    let ring = sets
        .iter()
        .find(|it| it["reason"] == "rename_ring")
        .unwrap();
    assert!(ring["approve"].is_null(), "{ring}");
    assert_eq!(ring["items"][0]["instead"], third);
    let run = site.run(&["approve", id, "--only", "carl"]).ended(2);
    assert!(
        run.complaints().contains("free the new name"),
        "{}",
        run.err
    );
    let approved = site.run(&["approve", id]).ended(0).out;
    assert!(approved.contains("user stranger: adopt\n"), "{approved}");
    assert!(
        approved.contains("user carl: rename to dora stays held"),
        "{approved}"
    );
    assert!(approved.contains(": 1 change.\n"), "{approved}");
    let run = site.sync().ended(3);
    assert_eq!(run.one("pass.finished")["changes_held"], 4, "{}", run.err);
}

#[test]
fn what_is_held_for_two_reasons_says_so_and_needs_both_approvals() {
    let site = filled("grace: 0s");
    site.execute(
        "wiki.db",
        "UPDATE users SET active = 0 WHERE username = 'ben'",
    );
    site.sync().ended(3);
    let text = site.run(&["status"]).ended(0).out;
    assert!(
        text.contains("also held for off_in_application\n"),
        "{text}"
    );
    let held = site.held();
    let id = |reason: &str| &held.iter().find(|it| it.0 == reason).unwrap().1;
    let (first, off) = (id("first_plan"), id("off_in_application"));
    let approved = site.run(&["approve", first]).ended(0).out;
    assert!(
        approved.contains("user ben: adopt (also held for off_in_application)\n"),
        "{approved}"
    );
    let both = format!("approve that, too, with `usersyncd approve {off}`");
    assert!(approved.contains(&both), "{approved}");
    site.run(&["approve", off]).ended(0);
    site.sync().ended(0);
    assert_eq!(site.accounts(), ["anna|1", "ben|1", "carl|1", "stranger|1"]);
}

#[test]
fn a_dry_run_prints_the_plan_and_writes_nowhere() {
    let site = Site::new(&crowd(3, "staff"), AT_ONCE);
    let dry = |code: i32, changes: bool| {
        let before = site.files();
        let mut args = vec!["--sync-now", "--dry-run"];
        if changes {
            args.push("--exit-changes");
        }
        let run = site.run(&args).ended(code);
        let after = site.files();
        assert!(before == after, "{:?} {:?}", before.keys(), after.keys());
        run.out
    };
    // Before there is a store, or anything at all.
    let out = dry(0, false);
    assert!(out.contains("application wiki: 5 changes\n"), "{out}");
    assert!(out.contains("create   user p01"), "{out}");
    dry(4, true);
    site.sync().ended(0);
    assert_eq!(dry(0, true), "application wiki: 0 changes\n");
    // What a pass would do is what the dry run said.
    site.people(&crowd(4, "staff")[1..]);
    let out = dry(4, true);
    assert!(out.contains("create   user p04"), "{out}");
    assert!(out.contains("user p01: deactivate, leave"), "{out}");
    let pass = site.sync().ended(0);
    let applied = pass.named("change.applied").len();
    assert!(
        out.contains(&format!("application wiki: {applied} changes")),
        "{out}"
    );
    // A read that fails or is suspect makes it partial.
    site.people(&crowd(1, "staff"));
    let out = dry(3, true);
    assert!(out.contains("suspect"), "{out}");
    fs::remove_file(site.path("office.yaml")).unwrap();
    dry(3, false);
    // Beside a daemon it is the same.
    site.people(&crowd(4, "staff")[1..]);
    let daemon = site.daemon();
    site.people(&crowd(5, "staff")[1..]);
    let out = site
        .run(&["--sync-now", "--dry-run", "--exit-changes"])
        .ended(4)
        .out;
    assert!(out.contains("create   user p05"), "{out}");
    assert_eq!(site.accounts().len(), 4);
    daemon.stop().ended(0);
}

#[test]
fn a_dry_run_of_a_first_plan_tells_that_it_will_be_held() {
    let site = filled("grace: 0s");
    let out = site.run(&["--sync-now", "--dry-run"]).ended(3).out;
    assert!(
        out.contains("held     user carl: create (first_plan"),
        "{out}"
    );
    assert!(!site.path("state.db").exists());
}
