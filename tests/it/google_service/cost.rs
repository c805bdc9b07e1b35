//! What a poll costs: requests, the budget that directories of one customer share, and what is written.

use super::*;
use crate::support::google_double::Fault;

/// Google is asked by all directories of one customer together, as by one.
#[test]
fn directories_of_one_customer_keep_one_budget() {
    let town = Town::empty();
    town.double.with(|it| {
        it.add_user("anna@example.com");
        for group in 0..40 {
            it.add_group(&format!("g{group}@example.com"));
        }
    });
    let directory = |name: &str, domain: &str| town.entry(name, "read_timeout: 3s", domain);
    let both =
        directory("one", "") + &directory("two", "username: '{address}'\ngroup_name: '{address}'");
    town.site
        .write("config.yaml", &configuration(&both, "one, two"));
    town.double.fault_times(MEMBERS, 99, Fault::Hang);
    let run = town.site.sync();
    let failed = run.named("directory.failed");
    assert_eq!(failed.len(), 2, "{}", run.err);
    assert_eq!(town.double.in_flight_max(), 8);
}

#[test]
fn members_are_asked_for_when_they_are_due_also_by_another_process() {
    let town = Town::new();
    town.configure("", "members_every: 1h");
    town.passes("applied");
    assert_eq!(town.double.count(MEMBERS), 3);
    town.double.forget_requests();
    let unchanged = town.passes("in_sync").one("directory.unchanged");
    assert_eq!(unchanged["requests"], 2, "{unchanged}");
    assert_eq!(town.double.count(MEMBERS), 0);
    // Somebody more is seen by the number of members.
    town.double
        .with(|it| it.add_member("support@example.com", "anna@example.com"));
    let read = town.passes("applied").one("directory.read");
    assert_eq!(read["requests"], 3, "{read}");
    assert!(town.members().contains(&"support|anna".to_owned()));
    assert_eq!(town.members().len(), MEMBERSHIPS.len() + 1);
    // Other options mean that they are read.
    town.double.forget_requests();
    town.configure("", "members_every: 30m\ngroups: ['*@example.com']");
    town.site.sync();
    assert_eq!(town.double.count(MEMBERS), 3);
}

/// Pages of a database, which are what is written of it.
fn pages(file: &[u8]) -> Vec<&[u8]> {
    file.chunks(4096).collect()
}

#[test]
fn a_poll_that_finds_nothing_new_writes_next_to_nothing() {
    let town = Town::empty();
    town.double.with(|it| {
        for user in 0..600 {
            it.add_user(&format!("u{user}@example.com"));
        }
        for group in 0..60 {
            it.add_group(&format!("g{group}@example.com"));
            for user in 0..30 {
                it.add_member(
                    &format!("g{group}@example.com"),
                    &format!("u{}@example.com", (group * 7 + user) % 600),
                );
            }
        }
    });
    let every_second = "schedule: '* * * * * *'";
    town.configure(every_second, "members_every: 1h\nqueries_per_minute: 10000");
    let daemon = || {
        let daemon = town.site.command(&["--log-level", "debug"]);
        town.site.start(daemon)
    };
    let first = daemon();
    first.wait_for_nth("directory.unchanged", 1);
    first.stop().ended(0);
    let state = || town.site.files()["state.db"].clone();
    let before = state();
    let records = town.site.rows("state.db", "SELECT id FROM user_record");
    assert_eq!(records.len(), 600);
    town.double.forget_requests();
    let second = daemon();
    // Two pages of users and one of groups.
    let unchanged = second.wait_for_nth("directory.unchanged", 3);
    assert_eq!(unchanged["requests"], 3, "{unchanged}");
    second.stop().ended(0);
    assert_eq!(town.double.count(MEMBERS), 0);
    let after = state();
    let (before, after) = (pages(&before), pages(&after));
    let written = after.iter().zip(&before).filter(|it| it.0 != it.1).count();
    assert!(after.len() > 200, "{} pages", after.len());
    let more = after.len() - before.len();
    assert!(
        written + more <= 8,
        "{written} of {} pages, {more} more",
        after.len()
    );
}
