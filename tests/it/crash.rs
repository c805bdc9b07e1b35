//! Death at every step of the journal: the real program is stopped dead at a place, once and then again, and run until it
//! is settled. What it then holds and remembers is what a pass that nobody disturbed leads to.
//!
//! The places exist only with the feature `failpoints`; `tests/run` builds it for this.
#![cfg(feature = "failpoints")]

use std::collections::BTreeSet;
use std::fs;

use crate::support::site::{self, AT_ONCE, Person, Site, crowd, person, yaml};

/// Every place at which the program can be stopped, in the order in which a pass comes by.
const PLACES: [&str; 15] = [
    "read.before_accept",
    "store.in_read",
    "read.after_accept",
    "read.before_suspect",
    "read.after_suspect",
    "push.before_recovery",
    "push.after_recovery",
    "push.before_intent",
    "push.after_intent",
    "push.after_apply",
    "push.after_intent:2",
    "push.after_apply:2",
    "push.before_commit",
    "store.in_push",
    "push.after_commit",
];

/// The first of the places of a push.
const RECOVERY: usize = 5;

/// Deletes at once whoever left.
const DELETED: &str = "delete_after: 0s\ndelete_groups: true";

/// Tables as the program makes them, with people who were there before it; one name is taken by nobody's leave.
const BEFORE: &str = "CREATE TABLE users (username TEXT NOT NULL PRIMARY KEY, display_name TEXT NOT NULL DEFAULT '',
        given_name TEXT NOT NULL DEFAULT '', family_name TEXT NOT NULL DEFAULT '', email TEXT NOT NULL DEFAULT '',
        active INTEGER NOT NULL DEFAULT 1, directory TEXT NOT NULL DEFAULT '', external_id TEXT NOT NULL DEFAULT '',
        CHECK (username <> 'forbidden'));
    CREATE TABLE groups (name TEXT NOT NULL PRIMARY KEY, description TEXT NOT NULL DEFAULT '');
    CREATE TABLE memberships (group_name TEXT NOT NULL, username TEXT NOT NULL, PRIMARY KEY (group_name, username));
    INSERT INTO users (username, email) VALUES ('p01', ''), ('p02', 'old@example.com'), ('former', 'p03@example.com'),
        ('stranger', '');
    INSERT INTO groups (name) VALUES ('staff'), ('by-hand');
    INSERT INTO memberships VALUES ('staff', 'p01'), ('staff', 'stranger'), ('by-hand', 'p02');";

/// The people of most sites: `boss` stays to the end.
fn people() -> Vec<Person> {
    let mut people = crowd(6, "staff");
    people[0].groups.push("board".to_owned());
    people.push(person("boss").within(&["staff"]));
    people
}

/// A site with these people that is in sync.
fn settled(people: &[Person], options: &str) -> Site {
    let site = Site::new(people, options);
    settle(&site);
    site
}

#[test]
fn the_first_sync() {
    let mut people = people();
    people[5].active = false;
    // The accounts of a first plan that was cut off are no reason to ask about the rest.
    let options = AT_ONCE.replace("first_pass: apply", "first_pass: approve");
    check(&Site::new(&people, &options), &options);
}

#[test]
fn renames() {
    let mut people = people();
    let site = settled(&people, AT_ONCE);
    site.execute(
        "wiki.db",
        "INSERT INTO groups (name) VALUES ('by-hand'); INSERT INTO memberships VALUES ('by-hand', 'p01')",
    );
    people[0].name = "zara".to_owned();
    people[1].name = "p07".to_owned();
    people[2].name = "p02".to_owned();
    people[3].mail = "new@example.com".to_owned();
    people[4].groups = vec!["fresh".to_owned()];
    site.people(&people);
    check(&site, AT_ONCE);
}

#[test]
fn people_who_leave_return_or_are_switched_off() {
    let mut people = people();
    let options = format!("{AT_ONCE}\non_leave: strip");
    let site = settled(&people, &options);
    let back = people.remove(1);
    site.people(&people);
    settle(&site);
    people.remove(1);
    people.push(back);
    people[1].active = false;
    people[2].groups.clear();
    site.people(&people);
    check(&site, &options);
}

#[test]
fn deletions() {
    let people = people();
    let site = settled(&people, AT_ONCE);
    site.people(&people[1..]);
    settle(&site);
    let options = format!("{AT_ONCE}\n{DELETED}");
    site.configure(&options);
    check(&site, &options);
}

#[test]
fn accounts_that_are_adopted() {
    let mut people = people();
    people[0].active = false;
    let options = format!("{AT_ONCE}\nadopt: [username, mail]");
    let site = Site::new(&people, &options);
    site.execute("wiki.db", BEFORE);
    check(&site, &options);
}

#[test]
fn a_change_that_is_refused() {
    let mut people = people();
    people.push(person("forbidden").within(&["staff"]));
    let site = Site::new(&people, AT_ONCE);
    site.execute("wiki.db", BEFORE);
    check(&site, AT_ONCE);
}

#[test]
fn a_read_that_is_kept_aside() {
    let mut people = people();
    people.extend((10..30).map(|it| person(&format!("q{it}"))));
    let site = settled(&people, AT_ONCE);
    // What is used even of such a read: that somebody known is inactive.
    people[2].active = false;
    site.people(&people[..5]);
    check(&site, AT_ONCE);
}

/// Disturbs the pass that is due in a site, everywhere, once and twice.
#[track_caller]
fn check(site: &Site, options: &str) {
    let undisturbed = copy(site);
    settle(&undisturbed);
    let expect = picture(&undisturbed);
    let farewell = farewell(&undisturbed, options);
    let mut reached = BTreeSet::new();
    for (at, first) in PLACES.into_iter().enumerate() {
        let once = copy(site);
        if !dies(&once, first) {
            continue;
        }
        reached.insert(first);
        // Once the push has begun, what was read is known, and the next read finds nothing new.
        let from = if at < RECOVERY { 0 } else { RECOVERY };
        for second in &PLACES[from..] {
            let twice = copy(&once);
            if dies(&twice, second) {
                reached.insert(second);
                settle(&twice);
                assert_eq!(picture(&twice), expect, "died at {first}, then at {second}");
            }
        }
        settle(&once);
        assert_eq!(picture(&once), expect, "died at {first}");
        let gone = self::farewell(&once, options);
        assert_eq!(gone, farewell, "died at {first}, and all left afterwards");
    }
    for place in &PLACES[RECOVERY..] {
        let needed = !place.ends_with(":2");
        assert!(!needed || reached.contains(place), "{place}: {reached:?}");
    }
}

/// Runs a pass that ends at a place; whether it came there.
#[track_caller]
fn dies(site: &Site, place: &str) -> bool {
    let mut command = site.command(&["--sync-now"]);
    command.env("USERSYNCD_FAILPOINT", place);
    let run = site.start(command).end();
    let died = run.code.is_none();
    assert!(
        died || matches!(run.code, Some(0 | 3)),
        "{place}: {}",
        run.err
    );
    died
}

/// Runs passes until nothing is left to do, and sees that nothing is left open then.
#[track_caller]
fn settle(site: &Site) {
    let mut still = 0;
    for _ in 0..12 {
        let run = site.sync();
        assert!(matches!(run.code, Some(0 | 3)), "{}", run.err);
        let applied = !run.out.contains(": 0 changes applied");
        let waits = !run.out.contains(", 0 waiting");
        still = if applied || waits { 0 } else { still + 1 };
        if waits {
            site::next_second();
        }
        if still == 2 {
            assert_eq!(site.open_intents(), 0);
            return;
        }
    }
    panic!("not settled after twelve passes");
}

/// Everybody but one leaves, and is deleted if the account was made here: what is left then.
#[track_caller]
fn farewell(site: &Site, options: &str) -> Vec<String> {
    if !options.contains(DELETED) {
        site.configure_with("shrink_limit: 100%", &format!("{options}\n{DELETED}"));
    }
    site.write("office.yaml", &yaml(&[person("boss").within(&["staff"])]));
    settle(site);
    picture(site)
}

/// What the application holds, and what is remembered of it: whose accounts and groups they are, and which memberships.
fn picture(site: &Site) -> Vec<String> {
    let wiki = [
        "SELECT 'user', * FROM users ORDER BY 2",
        "SELECT 'group', * FROM groups ORDER BY 2",
        "SELECT 'member', * FROM memberships ORDER BY 2, 3",
    ];
    let state = [
        "SELECT 'account', name, remote_id, active, directory, user_id, origin, off_by_us, mail, person, tied,
            absent_since IS NULL, left_at IS NULL FROM account WHERE present AND origin NOT NULL ORDER BY name",
        "SELECT 'app_group', name, directory, group_id, origin, absent_since IS NULL, left_at IS NULL
            FROM app_group WHERE present AND origin NOT NULL ORDER BY name",
        "SELECT 'app_member', app_group.name, account.name FROM app_member
            JOIN app_group ON app_group.serial = app_member.grp AND app_group.application = app_member.application
            JOIN account ON account.serial = app_member.target AND account.application = app_member.application
            WHERE kind = 0 AND ours ORDER BY 2, 3",
        "SELECT 'directory', user_count, membership_count FROM directory",
        // What the limits count: each account once, and the members that each group was given and lost.
        "SELECT DISTINCT 'counted', class, key FROM change WHERE class NOT NULL ORDER BY 2, 3",
        "SELECT 'active', SUM(active_delta) FROM change",
        "SELECT 'moved', key, SUM(json_array_length(given)), SUM(json_array_length(taken)) FROM change
            WHERE subject = 'group' GROUP BY key ORDER BY key",
    ];
    let wiki = wiki.iter().flat_map(|it| site.rows("wiki.db", it));
    wiki.chain(state.iter().flat_map(|it| site.rows("state.db", it)))
        .collect()
}

/// The same site in another folder.
fn copy(site: &Site) -> Site {
    let copy = Site::empty();
    for entry in fs::read_dir(site.path(".")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(
            entry.path(),
            copy.path(&entry.file_name().to_string_lossy()),
        )
        .unwrap();
    }
    copy
}
