//! What a poll asks for between two times at which the members of all groups are read.

use usersyncd::clock::ManualClock;
use usersyncd::text::Span;

use super::*;
use crate::support::google_double::{CUSTOMER, Fault};

const MEMBERS: &str = "directory.members.list";
const REPORTS: &str = "reports.activities.list";

/// Four groups of users, one of them with a guest, and a group in a group.
fn groups() -> GoogleDouble {
    let double = GoogleDouble::start();
    double.with(|state| {
        for user in ["anna", "ben", "carl", "dora"] {
            state.add_user(&format!("{user}@example.com"));
        }
        state.add_foreign_user("guest@elsewhere.example");
        for group in ["eng", "backend", "other", "empty"] {
            state.add_group(&format!("{group}@example.com"));
        }
        for (group, member) in [
            ("eng", "anna@example.com"),
            ("eng", "backend@example.com"),
            ("backend", "ben@example.com"),
            ("other", "carl@example.com"),
            ("other", "guest@elsewhere.example"),
        ] {
            state.add_member(&format!("{group}@example.com"), member);
        }
    });
    double
}

struct World {
    double: GoogleDouble,
    clock: Arc<ManualClock>,
    directory: GoogleDirectory,
}

impl World {
    fn new(options: &str) -> World {
        let double = groups();
        let clock = Arc::new(ManualClock::new(SystemClock::new().now()));
        double.with(|state| state.clock = Arc::clone(&clock) as Arc<dyn Clock>);
        let directory = at(&double, options, &[], Arc::clone(&clock) as Arc<dyn Clock>);
        World {
            double,
            clock,
            directory,
        }
    }

    /// The next poll, and how many lists of members it asked for.
    async fn next(&self, last: &Poll) -> (Poll, usize) {
        let before = self.double.count(MEMBERS);
        let poll = last.next(&self.directory).await.unwrap();
        (poll, self.double.count(MEMBERS) - before)
    }
}

#[tokio::test]
async fn each_poll_reads_all_members_unless_told_otherwise() {
    let world = World::new("");
    let first = Poll::first(&world.directory).await;
    assert_eq!(world.next(&first).await.1, 4);
}

#[tokio::test]
async fn in_between_only_what_has_moved_is_asked_for() {
    let world = World::new("members_every: 1h");
    let first = Poll::first(&world.directory).await;
    world.clock.advance(Span::minutes(15));
    let (second, asked) = world.next(&first).await;
    assert_eq!((asked, second.requests), (0, 2));
    assert_eq!(second.lines(), first.lines());
    // One more: the count moves. One for another: it does not.
    world.double.with(|state| {
        state.add_member("other@example.com", "dora@example.com");
        state.remove_member("eng@example.com", "anna@example.com");
        state.add_member("eng@example.com", "dora@example.com");
        state.add_group("new@example.com");
    });
    let (third, asked) = world.next(&second).await;
    assert_eq!(asked, 2);
    let lines = third.lines();
    assert!(
        lines.contains(&"eng: +backend anna".to_owned()),
        "{lines:?}"
    );
    assert!(
        lines
            .iter()
            .any(|it| it.starts_with("other: ?") && it.ends_with("carl dora")),
        "{lines:?}"
    );
    world.clock.advance(Span::minutes(45));
    let (fourth, asked) = world.next(&third).await;
    assert_eq!(asked, 5);
    assert!(
        fourth.lines().contains(&"eng: +backend dora".to_owned()),
        "{:?}",
        fourth.lines()
    );
    // The hour counts from then on.
    world.clock.advance(Span::minutes(45));
    assert_eq!(world.next(&fourth).await.1, 0);
}

#[tokio::test]
async fn without_the_last_records_or_under_other_options_all_members_are_read() {
    let world = World::new("members_every: 1h");
    let first = Poll::first(&world.directory).await;
    let read = world
        .directory
        .read(Since {
            cursor: first.cursor.clone(),
            last: None,
        })
        .await;
    assert_eq!(read.unwrap().requests, Some(2 + 4));
    let clock = Arc::clone(&world.clock) as Arc<dyn Clock>;
    let other = at(
        &world.double,
        "members_every: 1h\ngroup_name: '{address}'",
        &[],
        clock,
    );
    let poll = first.next(&other).await.unwrap();
    assert_eq!(poll.requests, 2 + 4);
}

#[tokio::test]
async fn a_group_that_could_not_be_read_is_asked_for_at_the_next_poll() {
    let world = World::new("members_every: 1h");
    let first = Poll::first(&world.directory).await;
    world
        .double
        .with(|state| state.add_member("other@example.com", "dora@example.com"));
    world.double.fault(MEMBERS, Fault::Forbidden);
    let (second, asked) = world.next(&first).await;
    assert_eq!(asked, 1);
    assert!(
        second
            .lines()
            .iter()
            .any(|it| it.starts_with("other unknown: "))
    );
    world
        .double
        .with(|state| state.remove_member("other@example.com", "dora@example.com"));
    let (third, asked) = world.next(&second).await;
    assert_eq!((asked, third.lines()), (1, first.lines()));
}

#[tokio::test]
async fn everybody_is_everybody_at_each_poll() {
    let world = World::new("members_every: 1h");
    world
        .double
        .with(|state| state.add_member("empty@example.com", CUSTOMER));
    let first = Poll::first(&world.directory).await;
    world
        .double
        .with(|state| state.add_user("emil@example.com"));
    let (second, _) = world.next(&first).await;
    assert!(
        second
            .lines()
            .contains(&"empty: anna ben carl dora emil".to_owned()),
        "{:?}",
        second.lines()
    );
}

#[tokio::test]
async fn the_audit_log_says_what_to_ask_for_and_nothing_else() {
    let world = World::new("members_every: 1h\nactivity: true");
    let first = Poll::first(&world.directory).await;
    assert_eq!(
        world.double.count(REPORTS),
        0,
        "everything is read: nobody need say what"
    );
    let at = world.clock.now().0;
    world.double.with(|state| {
        state.remove_member("eng@example.com", "anna@example.com");
        state.add_member("eng@example.com", "dora@example.com");
        state.add_activity(
            "groups_enterprise",
            at + 60,
            "add_member",
            &[("group_id", "ENG@example.com")],
        );
        // What an event says is not believed.
        state.add_activity(
            "admin",
            at + 61,
            "DELETE_GROUP",
            &[("GROUP_EMAIL", "other@example.com")],
        );
    });
    world.clock.advance(Span::minutes(5));
    let (second, asked) = world.next(&first).await;
    assert_eq!((asked, second.requests), (2, 2 + 2 + 2));
    let lines = second.lines();
    assert!(
        lines.contains(&"eng: +backend dora".to_owned()),
        "{lines:?}"
    );
    assert_eq!(second.records.groups.len(), 4);
    // Half an hour later the same events are not told any more.
    world.clock.advance(Span::minutes(30));
    let (third, _) = world.next(&second).await;
    world.clock.advance(Span::minutes(15));
    let (_, asked) = world.next(&third).await;
    assert_eq!(asked, 0);
}

#[tokio::test]
async fn without_the_audit_log_all_members_are_read() {
    let world = World::new("members_every: 1h\nactivity: true");
    let first = Poll::first(&world.directory).await;
    world.double.fault(REPORTS, Fault::Forbidden);
    let (second, asked) = world.next(&first).await;
    assert_eq!(asked, 4);
    assert!(second.notes[0].contains("audit log"), "{:?}", second.notes);
    assert_eq!(second.lines(), first.lines());
}

#[tokio::test]
async fn groups_that_are_refused_for_good_fail_no_poll_in_between() {
    let world = World::new("members_every: 1h");
    let refused = world.double.with(|state| {
        ["eng", "other"].map(|it| state.group(&format!("{it}@example.com")).id.clone())
    });
    for id in &refused {
        world.double.fault_on(MEMBERS, id, 100, Fault::Forbidden);
    }
    let first = Poll::first(&world.directory).await;
    let (second, asked) = world.next(&first).await;
    assert_eq!((asked, second.lines()), (2, first.lines()));
}
