//! Applications that are down: the others go on, and the next push goes on from where they are.

use std::fs;

use crate::support::site::{self, AT_ONCE, Site, crowd, person, yaml};

/// Two applications, `wiki` in `wiki.db` and `chat` in `chat/chat.db`, filled from one file.
fn two() -> Site {
    let site = Site::empty();
    let options = AT_ONCE.replace('\n', "\n    ");
    let text = format!(
        "state: sqlite:state.db
directories:
  - name: office
    file: {{ path: office.yaml }}
applications:
  - name: wiki
    directories: [office]
    {options}
    sql: {{ url: \"sqlite:wiki.db\", create_tables: true }}
  - name: chat
    directories: [office]
    {options}
    sql: {{ url: \"sqlite:chat/chat.db\", create_tables: true }}
"
    );
    site.write("config.yaml", &text);
    fs::create_dir(site.path("chat")).unwrap();
    site
}

fn names(site: &Site, database: &str) -> Vec<String> {
    site.rows(database, "SELECT username FROM users ORDER BY username")
}

/// With `chat` down by what `harm` does until `mend`, a change reaches `wiki` at once and `chat` afterwards.
#[track_caller]
fn check(harm: impl Fn(&Site), mend: impl Fn(&Site)) {
    let site = two();
    let mut people = crowd(5, "staff");
    site.people(&people);
    site.sync().ended(0);
    people.push(person("zoe").within(&["staff"]));
    people.remove(0);
    site.people(&people);
    harm(&site);
    for pass in 0..2 {
        let run = site.sync().ended(3);
        let failed = run.one("application.failed");
        assert_eq!(failed["application"], "chat");
        let finished = run.one("pass.finished");
        assert_eq!(finished["applications_failed"], 1, "{finished}");
        assert_eq!(finished["accounts_created"], u64::from(pass == 0));
        assert!(names(&site, "wiki.db").contains(&"zoe".to_owned()));
    }
    mend(&site);
    let run = site.sync().ended(0);
    assert_eq!(run.one("pass.finished")["accounts_created"], 1);
    assert_eq!(run.one("pass.finished")["accounts_deactivated"], 1);
    assert_eq!(names(&site, "chat/chat.db"), names(&site, "wiki.db"));
    let run = site.sync().ended(0);
    assert_eq!(run.one("pass.finished")["outcome"], "in_sync");
    assert_eq!(site.open_intents(), 0);
}

#[test]
fn an_application_from_an_old_backup_is_healed_by_the_pass_that_finds_it() {
    let site = Site::new(&crowd(5, "staff"), AT_ONCE);
    site.sync().ended(0);
    let backup = fs::read(site.path("wiki.db")).unwrap();
    let mut people = crowd(12, "staff");
    site.people(&people);
    site.sync().ended(0);
    // Somebody whose account is gone changes, so that the application is looked at.
    fs::write(site.path("wiki.db"), backup).unwrap();
    people[7].mail = "new@example.com".to_owned();
    site.people(&people);
    let run = site.sync().ended(0);
    let gone = run.one("account.gone");
    assert_eq!((&gone["count"], &gone["of"]), (&7.into(), &12.into()));
    assert_eq!(gone["level"], "WARN");
    assert_eq!(run.one("change.failed")["kind"], "stale");
    let finished = run.one("pass.finished");
    assert_eq!(finished["outcome"], "applied", "{finished}");
    assert_eq!(finished["accounts_created"], 7);
    assert_eq!(finished["memberships_given"], 7);
    assert_eq!(site.accounts().len(), 12);
    assert_eq!(site.members().len(), 12);
    assert_eq!(site.open_intents(), 0);
    let run = site.sync().ended(0);
    assert_eq!(run.one("pass.finished")["outcome"], "in_sync");
}

#[test]
fn an_application_that_was_emptied_is_filled_again_and_said_to_be() {
    let many = 70;
    // Fifty accounts may be made in a day; at more a person looks first.
    let site = Site::new(&crowd(many, "staff"), "first_pass: apply\ngrace: 0s");
    site.sync().ended(0);
    site::next_second();
    let look = "UPDATE application SET reread_at = 0";
    for (left, code) in [(many - 10, 0), (0, 3)] {
        let gone = format!("DELETE FROM users WHERE username > 'p{left:02}'");
        site.execute("wiki.db", &gone);
        site.execute("state.db", look);
        let run = site.sync().ended(code);
        assert_eq!(run.one("account.gone")["count"], many - left);
        assert_eq!(run.one("account.gone")["of"], many);
        assert!(run.named("change.failed").is_empty(), "{}", run.err);
    }
    assert!(
        site.accounts().is_empty(),
        "a class beyond its limit waits whole"
    );
    let held = site.held();
    assert_eq!(held[0].0, "additions_limit", "{held:?}");
    site.approve();
    site.sync().ended(0);
    assert_eq!(site.accounts().len(), many);
}

#[test]
fn an_application_whose_folder_is_gone_holds_up_nobody() {
    check(
        |site| fs::rename(site.path("chat"), site.path("elsewhere")).unwrap(),
        |site| fs::rename(site.path("elsewhere"), site.path("chat")).unwrap(),
    );
}

#[test]
fn an_application_whose_file_is_no_database_holds_up_nobody() {
    let (db, kept) = ("chat/chat.db", "chat/kept.db");
    check(
        |site| {
            fs::rename(site.path(db), site.path(kept)).unwrap();
            fs::write(site.path(db), "no database at all\n".repeat(300)).unwrap();
        },
        |site| fs::rename(site.path(kept), site.path(db)).unwrap(),
    );
}

#[test]
fn an_application_whose_database_is_locked_is_pushed_when_it_is_free_again() {
    let site = two();
    site.people(&crowd(5, "staff"));
    site.sync().ended(0);
    site.people(&crowd(6, "staff"));
    let lock = site.lock("chat/chat.db");
    let run = site.sync().ended(3);
    assert_eq!(run.one("application.failed")["kind"], "unavailable");
    assert_eq!(names(&site, "wiki.db").len(), 6);
    drop(lock);
    site.sync().ended(0);
    assert_eq!(names(&site, "chat/chat.db").len(), 6);
    let run = site.sync().ended(0);
    assert_eq!(run.one("pass.finished")["outcome"], "in_sync");
}

#[test]
fn when_no_application_can_be_processed_the_pass_has_failed() {
    let site = Site::new(&crowd(3, "staff"), AT_ONCE);
    fs::write(site.path("wiki.db"), "no database at all\n".repeat(300)).unwrap();
    let run = site.sync().ended(1);
    assert_eq!(run.one("pass.finished")["outcome"], "failed");
    site.run(&["--sync-now", "--dry-run"]).ended(1);
    fs::remove_file(site.path("wiki.db")).unwrap();
    site.sync().ended(0);
    assert_eq!(site.accounts().len(), 3);
}

#[test]
fn a_database_that_was_put_back_from_an_older_copy_is_mended() {
    let site = Site::new(&crowd(5, "staff"), AT_ONCE);
    site.sync().ended(0);
    let old = fs::read(site.path("wiki.db")).unwrap();
    site.write("office.yaml", &yaml(&crowd(7, "staff")));
    site.sync().ended(0);
    fs::write(site.path("wiki.db"), old).unwrap();
    // What is remembered of the application is wrong now; the push finds out by what it is answered.
    let mut people = crowd(7, "staff");
    people[6].mail = "new@example.com".to_owned();
    site.people(&people);
    site.sync();
    site.sync().ended(0);
    assert_eq!(site.accounts().len(), 7);
    assert_eq!(site.members().len(), 7);
    let mail = "SELECT email FROM users WHERE username = 'p07'";
    assert_eq!(site.rows("wiki.db", mail), ["new@example.com"]);
}

#[test]
fn what_the_application_refuses_keeps_every_pass_partial_and_nothing_else_back() {
    let mut people = crowd(3, "staff");
    people.push(person("forbidden").within(&["staff", "board"]));
    let site = Site::new(&people, AT_ONCE);
    site.execute(
        "wiki.db",
        "CREATE TABLE users (username TEXT NOT NULL PRIMARY KEY CHECK (username <> 'forbidden'),
         display_name TEXT NOT NULL DEFAULT '', given_name TEXT NOT NULL DEFAULT '', family_name TEXT NOT NULL DEFAULT '',
         email TEXT NOT NULL DEFAULT '', active INTEGER NOT NULL DEFAULT 1, directory TEXT NOT NULL DEFAULT '',
         external_id TEXT NOT NULL DEFAULT '')",
    );
    for pass in 1..=5 {
        let run = site.sync().ended(3);
        let finished = run.one("pass.finished");
        assert_eq!(finished["changes_refused"], 1, "{finished}");
        // A person who asks for a pass has it tried each time.
        assert_eq!(run.named("change.refused").len(), usize::from(pass != 3));
        assert_eq!(run.named("change.unaccepted").len(), usize::from(pass == 3));
        let given = if pass == 1 { 3 } else { 0 };
        assert_eq!(finished["memberships_given"], given, "{finished}");
    }
    let status = site.run(&["status"]).ended(0).out;
    let refused = "  refused by the application: 1 change\n";
    assert!(status.contains(refused), "{status}");
    assert_eq!(site.accounts(), ["p01|1", "p02|1", "p03|1"]);
    assert_eq!(site.members(), ["staff|p01", "staff|p02", "staff|p03"]);
    // The rest goes on.
    people.push(person("zoe"));
    site.people(&people);
    site.sync().ended(3);
    assert_eq!(site.accounts().len(), 4);
}

/// People with a table that takes no mail address of `bad`.
fn picky(people: &[site::Person]) -> Site {
    let site = Site::new(people, AT_ONCE);
    site.execute(
        "wiki.db",
        "CREATE TABLE users (username TEXT NOT NULL PRIMARY KEY, display_name TEXT NOT NULL DEFAULT '',
         given_name TEXT NOT NULL DEFAULT '', family_name TEXT NOT NULL DEFAULT '',
         email TEXT NOT NULL DEFAULT '' CHECK (email NOT LIKE '%@bad'), active INTEGER NOT NULL DEFAULT 1,
         directory TEXT NOT NULL DEFAULT '', external_id TEXT NOT NULL DEFAULT '')",
    );
    site
}

#[test]
fn what_is_refused_is_named_until_it_is_mended() {
    let ben = |mail: &str| person("ben").within(&["staff"]).with_mail(mail);
    let mut people = crowd(3, "staff");
    people.push(ben("ben@bad"));
    let site = picky(&people);
    for _ in 0..3 {
        site.sync().ended(3);
    }
    let refused = &site.status()["applications"][0]["refused"][0];
    assert_eq!(refused["subject"], "user ben", "{refused}");
    assert_eq!(refused["change"], "create");
    assert_eq!(refused["times"], 3);
    assert!(refused["error"].as_str().unwrap().contains("CHECK"));
    for args in [&["status"][..], &["explain", "BEN"]] {
        let text = site.run(args).ended(0).out;
        let told = text.contains("user ben: create (")
            && text.contains("; refused 3 times, tried again at ");
        assert!(told, "{text}");
    }
    let explained = site.run(&["explain", "p01"]).ended(0).out;
    assert!(!explained.contains("refused"), "{explained}");
    let json = site
        .run(&["explain", "ben", "--format", "json"])
        .ended(0)
        .out;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["wiki"]["refused"][0]["times"], 3, "{json}");
    // The daemon's first pass is asked for by nobody.
    people[3] = ben("ben@example.com");
    site.people(&people);
    let daemon = site.daemon();
    assert_eq!(site.accounts().len(), 4);
    daemon.stop().ended(0);
    assert_eq!(
        site.status()["applications"][0]["refused"],
        serde_json::json!([])
    );
}

#[test]
fn whoever_asks_for_a_pass_has_tried_what_rests() {
    let mut people = crowd(3, "staff");
    people.push(person("ben").with_mail("ben@bad"));
    let mend = |site: &Site| {
        let sql = "PRAGMA writable_schema = ON;
            UPDATE sqlite_schema SET sql = replace(sql, '%@bad', '%@worse') WHERE name = 'users'";
        site.execute("wiki.db", sql);
    };
    let site = picky(&people);
    for _ in 0..3 {
        site.sync().ended(3);
    }
    mend(&site);
    site.sync().ended(0);
    assert_eq!(site.accounts().len(), 4);

    let site = picky(&people);
    for _ in 0..3 {
        site.sync().ended(3);
    }
    mend(&site);
    // The daemon's first pass lets it rest.
    let daemon = site.daemon();
    assert_eq!(site.accounts().len(), 3);
    site.sync().ended(0);
    assert_eq!(site.accounts().len(), 4);
    daemon.stop().ended(0);
}

#[test]
fn who_is_inactive_is_switched_off_although_the_mail_is_refused() {
    let mut people = crowd(3, "staff");
    let site = picky(&people);
    site.sync().ended(0);
    people[1] = person("p02")
        .within(&["staff"])
        .with_mail("p02@bad")
        .inactive();
    site.people(&people);
    let run = site.sync().ended(3);
    assert_eq!(run.one("pass.finished")["accounts_deactivated"], 1);
    assert_eq!(site.accounts(), ["p01|1", "p02|0", "p03|1"]);
    let refused = &site.status()["applications"][0]["refused"];
    assert_eq!(refused.as_array().unwrap().len(), 1, "{refused}");
}
