//! People who leave, return, are renamed and switched off, and the limits on that: each seen in the application's tables.

use crate::support::site::{self, AT_ONCE, Person, Site, crowd, person};

/// With nobody asked about removals but by the limits.
const LIMITED: &str = "first_pass: apply\ngrace: 0s";

fn names(people: &[Person]) -> Vec<String> {
    people.iter().map(|it| format!("{}|1", it.name)).collect()
}

#[test]
fn who_leaves_is_switched_off_keeps_the_groups_and_comes_back_whole() {
    let people = crowd(10, "staff");
    let site = Site::new(&people, LIMITED);
    site.sync().ended(0);
    assert_eq!(site.accounts(), names(&people));
    site.people(&people[..9]);
    let run = site.sync().ended(0);
    assert_eq!(run.one("pass.finished")["accounts_deactivated"], 1);
    assert_eq!(site.accounts()[9], "p10|0");
    assert_eq!(site.members().len(), 10, "coming back is whole");
    for _ in 0..2 {
        let run = site.sync().ended(0);
        assert_eq!(run.one("pass.finished")["outcome"], "in_sync");
    }
    site.people(&people);
    site.sync().ended(0);
    assert_eq!(site.accounts(), names(&people));
    assert_eq!(site.members().len(), 10);
    site.sync().ended(0);
}

#[test]
fn within_its_grace_an_absence_only_waits() {
    let people = crowd(10, "staff");
    let site = Site::new(&people, "first_pass: apply");
    site.sync().ended(0);
    site.people(&people[..9]);
    for _ in 0..4 {
        let run = site.sync().ended(0);
        assert_eq!(run.one("pass.finished")["changes_waiting"], 1);
        assert_eq!(site.accounts(), names(&people));
    }
    let status = site.status();
    assert_eq!(
        status["applications"][0]["waiting"][0]["subject"],
        "user p10"
    );
}

#[test]
fn who_left_is_deleted_after_a_while_if_the_account_was_made_here() {
    let people = crowd(10, "staff");
    let site = Site::new(&people, &format!("{AT_ONCE}\ndelete_after: 0s"));
    let adopted = "CREATE TABLE users (username TEXT NOT NULL PRIMARY KEY, display_name TEXT NOT NULL DEFAULT '',
        given_name TEXT NOT NULL DEFAULT '', family_name TEXT NOT NULL DEFAULT '', email TEXT NOT NULL DEFAULT '',
        active INTEGER NOT NULL DEFAULT 1, directory TEXT NOT NULL DEFAULT '', external_id TEXT NOT NULL DEFAULT '');
        INSERT INTO users (username) VALUES ('p10');";
    site.execute("wiki.db", adopted);
    site.sync().ended(0);
    site.people(&people[..8]);
    site.sync().ended(0);
    assert_eq!(site.accounts()[8..], ["p09|0", "p10|0"]);
    // Only a read in a later second proves that they are still gone.
    let deleted = (0..100).find(|_| {
        let run = site.sync().ended(0);
        run.one("pass.finished")["accounts_deleted"] == 1
    });
    assert!(deleted.is_some());
    assert_eq!(site.accounts()[8..], ["p10|0"], "it was there before");
    assert!(!site.members().contains(&"staff|p09".to_owned()));
    let run = site.sync().ended(0);
    assert_eq!(run.one("pass.finished")["outcome"], "in_sync");
}

#[test]
fn who_is_stripped_on_leaving_loses_what_was_given_here_and_nothing_else() {
    let people = crowd(10, "staff");
    let site = Site::new(&people, &format!("{AT_ONCE}\non_leave: strip"));
    site.sync().ended(0);
    site.execute(
        "wiki.db",
        "INSERT INTO groups (name) VALUES ('by-hand'); INSERT INTO memberships VALUES ('by-hand', 'p10')",
    );
    site.people(&people[..9]);
    site.sync().ended(0);
    assert_eq!(site.accounts()[9], "p10|0");
    let members = site.members();
    assert!(members.contains(&"by-hand|p10".to_owned()), "{members:?}");
    assert!(!members.contains(&"staff|p10".to_owned()), "{members:?}");
    site.people(&people);
    site.sync().ended(0);
    assert!(site.members().contains(&"staff|p10".to_owned()));
}

#[test]
fn a_rename_follows_the_id_and_takes_the_memberships_along() {
    let mut people = crowd(10, "staff");
    people[0].groups.push("board".to_owned());
    let site = Site::new(&people, LIMITED);
    site.sync().ended(0);
    site.execute(
        "wiki.db",
        "INSERT INTO groups (name) VALUES ('by-hand'); INSERT INTO memberships VALUES ('by-hand', 'p01')",
    );
    people[0].name = "zara".to_owned();
    // And two who swap would be a ring, so one only follows the other.
    people[1].name = "p11".to_owned();
    people[2].name = "p02".to_owned();
    site.people(&people);
    let run = site.sync().ended(0);
    assert_eq!(run.one("pass.finished")["accounts_created"], 0);
    assert_eq!(run.one("pass.finished")["accounts_deactivated"], 0);
    let ids = "SELECT username, external_id FROM users WHERE username IN ('zara', 'p01', 'p02', 'p03', 'p11') ORDER BY 1";
    assert_eq!(
        site.rows("wiki.db", ids),
        ["p02|id-p03", "p11|id-p02", "zara|id-p01"]
    );
    let of = "SELECT group_name FROM memberships WHERE username = 'zara' ORDER BY 1";
    assert_eq!(site.rows("wiki.db", of), ["board", "by-hand", "staff"]);
    assert_eq!(site.accounts().len(), 10);
    let run = site.sync().ended(0);
    assert_eq!(run.one("pass.finished")["outcome"], "in_sync");
}

#[test]
fn a_ring_of_renames_is_held_and_both_accounts_are_frozen() {
    let mut people = crowd(10, "staff");
    let site = Site::new(&people, LIMITED);
    site.sync().ended(0);
    people[0].name = "p02".to_owned();
    people[1].name = "p01".to_owned();
    site.people(&people);
    let run = site.sync().ended(3);
    assert_eq!(run.one("change.held")["reason"], "rename_ring");
    let ids = "SELECT username, external_id FROM users WHERE username IN ('p01', 'p02') ORDER BY 1";
    assert_eq!(site.rows("wiki.db", ids), ["p01|id-p01", "p02|id-p02"]);
    site.sync().ended(3);
}

#[test]
fn a_username_with_another_id_is_another_person() {
    let mut people = crowd(10, "staff");
    let site = Site::new(&people, LIMITED);
    site.sync().ended(0);
    people[0].id = "somebody-else".to_owned();
    people[0].mail = "else@example.com".to_owned();
    site.people(&people);
    let run = site.sync().ended(3);
    assert_eq!(run.one("account.conflict")["account"], "user p01");
    let id = "SELECT external_id FROM users WHERE username = 'p01'";
    assert_eq!(site.rows("wiki.db", id), ["id-p01"]);
    let held = site.held();
    assert_eq!(held[0].0, "identity_conflict");
    site.run(&["approve", &held[0].1]).ended(0);
    site.sync();
    assert_eq!(site.rows("wiki.db", id), ["somebody-else"]);
}

#[test]
fn the_inactive_are_switched_off_at_once_and_only_what_was_switched_off_here_is_switched_on() {
    let mut people = crowd(10, "staff");
    let site = Site::new(&people, "first_pass: apply");
    site.sync().ended(0);
    people[4].active = false;
    site.people(&people);
    site.sync().ended(0);
    assert_eq!(site.accounts()[4], "p05|0");
    assert_eq!(site.members().len(), 10);
    people[4].active = true;
    site.people(&people);
    site.sync().ended(0);
    assert_eq!(site.accounts()[4], "p05|1");
    // Somebody else switches one off: that stays.
    site.execute(
        "wiki.db",
        "UPDATE users SET active = 0 WHERE username = 'p06'",
    );
    site.execute("state.db", "UPDATE application SET reread_at = 0");
    let run = site.sync().ended(3);
    assert_eq!(run.one("change.held")["reason"], "off_in_application");
    assert_eq!(site.accounts()[5], "p06|0");
    site.approve();
    site.sync().ended(0);
    assert_eq!(site.accounts()[5], "p06|1");
    site.sync().ended(0);
}

#[test]
fn more_removals_than_the_limit_are_held_until_approved() {
    let people = crowd(60, "staff");
    let site = Site::new(&people, LIMITED);
    site.sync().ended(0);
    // 6 may; 12 are within the limit of the read.
    site.people(&people[..48]);
    let run = site.sync().ended(3);
    let exceeded = run.one("change.held");
    assert_eq!(exceeded["reason"], "removals_limit");
    assert_eq!(exceeded["count"], 12);
    assert_eq!(exceeded["level"], "ERROR");
    assert_eq!(run.one("pass.finished")["changes_held"], 12);
    assert_eq!(site.accounts(), names(&people));
    // The rest goes on.
    let more = [&people[..48], &[person("zoe")]].concat();
    site.people(&more);
    site.sync().ended(3);
    assert_eq!(site.accounts().len(), 61);
    let held = site.held();
    assert_eq!(held[0].0, "removals_limit");
    site.run(&["approve", &held[0].1, "--only", "p49", "p50"])
        .ended(0);
    site.sync().ended(3);
    let off = "SELECT username FROM users WHERE active = 0";
    assert_eq!(site.rows("wiki.db", off), ["p49", "p50"]);
    site.approve();
    site.sync().ended(0);
    assert_eq!(site.rows("wiki.db", off).len(), 12);
    let run = site.sync().ended(0);
    assert_eq!(run.one("pass.finished")["outcome"], "in_sync");
}

#[test]
fn slow_losses_are_counted_together() {
    let people = crowd(60, "staff");
    let site = Site::new(&people, LIMITED);
    site.sync().ended(0);
    // What is done in the second of the first plan is taken for a part of it.
    site::next_second();
    for left in 1..=6 {
        site.people(&people[..60 - left]);
        site.sync().ended(0);
    }
    site.people(&people[..53]);
    site.sync().ended(3);
    let off = "SELECT username FROM users WHERE active = 0";
    assert_eq!(site.rows("wiki.db", off).len(), 6);
}

#[test]
fn too_many_deactivations_are_held() {
    let mut people = crowd(40, "staff");
    let site = Site::new(&people, LIMITED);
    site.sync().ended(0);
    for it in &mut people[..9] {
        it.active = false;
    }
    site.people(&people);
    let run = site.sync().ended(3);
    assert_eq!(run.one("change.held")["reason"], "deactivations_limit");
    assert_eq!(site.accounts(), names(&crowd(40, "staff")));
    site.approve();
    site.sync().ended(0);
    assert_eq!(site.accounts()[8], "p09|0");
}

#[test]
fn a_group_that_would_lose_most_of_its_members_is_held_by_itself() {
    let mut people = crowd(200, "all");
    for it in &mut people[..24] {
        it.groups.push("board".to_owned());
    }
    let options = format!("{LIMITED}\nlimits: {{ removals: 100% }}");
    let site = Site::new(&people, &options);
    site.configure_with("shrink_limit: 100%", &options);
    site.sync().ended(0);
    for it in &mut people[..21] {
        it.groups.pop();
    }
    people.push(person("zoe").within(&["all"]));
    site.people(&people);
    let run = site.sync().ended(3);
    let exceeded = run.one("change.held");
    assert_eq!(exceeded["reason"], "group_limit", "{exceeded}");
    let board = "SELECT username FROM memberships WHERE group_name = 'board'";
    assert_eq!(site.rows("wiki.db", board).len(), 24);
    let zoe = "SELECT group_name FROM memberships WHERE username = 'zoe'";
    assert_eq!(site.rows("wiki.db", zoe), ["all"]);
    site.approve();
    site.sync().ended(0);
    assert_eq!(site.rows("wiki.db", board).len(), 3);
    site.sync().ended(0);
}

#[test]
fn a_protected_account_whose_user_left_is_told_at_every_pass() {
    let people = crowd(10, "staff");
    let site = Site::new(&people, LIMITED);
    site.sync().ended(0);
    site.configure(&format!("{LIMITED}\nprotect: {{ users: [p10] }}"));
    site.people(&people[..9]);
    for _ in 0..3 {
        let run = site.sync();
        assert_eq!(run.one("protected.left")["account"], "user p10");
    }
    assert_eq!(site.accounts()[9], "p10|1");
}

#[test]
fn a_configuration_that_lists_fewer_directories_removes_nobody_unasked() {
    let people = crowd(10, "staff");
    let site = Site::new(&people, AT_ONCE);
    site.sync().ended(0);
    site.configure(&format!("{AT_ONCE}\nusers: {{ exclude: [p10] }}"));
    for _ in 0..3 {
        let run = site.sync().ended(3);
        assert_eq!(run.one("change.held")["reason"], "configuration_changed");
    }
    assert_eq!(site.accounts()[9], "p10|1");
    site.approve();
    site.sync().ended(0);
    assert_eq!(site.accounts()[9], "p10|0");
    site.sync().ended(0);
}

#[test]
fn an_entry_that_got_another_name_is_told_of_and_taken_over_when_asked() {
    let people = crowd(10, "staff");
    let site = Site::new(&people, AT_ONCE);
    site.sync().ended(0);
    let config = std::fs::read_to_string(site.path("config.yaml")).unwrap();
    let renamed = config
        .replace("name: office", "name: staff")
        .replace("[office]", "[staff]");
    let taken_over = renamed.replace("name: staff", "name: staff\n    renamed_from: office");
    site.write("config.yaml", &taken_over);
    let run = site.sync().ended(0);
    assert!(run.named("config.warning").is_empty(), "{}", run.err);
    assert_eq!(site.accounts(), names(&people));
    let name = "SELECT DISTINCT directory FROM users";
    assert_eq!(site.rows("wiki.db", name), ["staff"]);
    site.sync().ended(0);
}
