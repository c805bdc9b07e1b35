//! What Google answers is everything, or it is an error, or what is missing in it stays.

use std::time::Duration;

use super::*;
use crate::support::google_double::{CUSTOMER, Fault};

const USERS: &str = "directory.users.list";
const GROUPS: &str = "directory.groups.list";
const MEMBERS: &str = "directory.members.list";

/// A hundred users and twenty groups; each user is in two groups, and `g0` is in `g1`.
fn hundred() -> GoogleDouble {
    let double = GoogleDouble::start();
    double.with(|state| {
        for user in 0..100 {
            state.add_user(&format!("u{user}@example.com"));
        }
        for group in 0..20 {
            state.add_group(&format!("g{group}@example.com"));
        }
        for user in 0..100 {
            for group in [user % 20, (user + 7) % 20] {
                state.add_member(
                    &format!("g{group}@example.com"),
                    &format!("u{user}@example.com"),
                );
            }
        }
        state.add_member("g1@example.com", "g0@example.com");
    });
    double
}

fn line(poll: &Poll, begin: &str) -> String {
    let lines = poll.lines();
    let found = lines.iter().find(|it| it.starts_with(begin));
    found
        .unwrap_or_else(|| panic!("{begin} in {lines:?}"))
        .clone()
}

#[tokio::test]
async fn a_list_that_lacks_somebody_who_is_there_is_taken_for_nothing() {
    for (operation, left) in [(USERS, 60), (USERS, 99), (GROUPS, 12)] {
        let double = hundred();
        let directory = directory(&double, "");
        let before = Poll::first(&directory).await;
        double.fault(operation, Fault::Truncate(left));
        let error = before.next(&directory).await.err().unwrap();
        assert_eq!(error.word(), "incomplete", "{operation} {left}: {error}");
        assert!(error.to_string().contains("a part of the list"), "{error}");
        let after = before.next(&directory).await.unwrap();
        assert_eq!(after.lines(), before.lines());
    }
}

#[tokio::test]
async fn a_list_that_lacks_members_who_are_there_is_the_matter_of_its_group() {
    for left in [3, 0] {
        let double = hundred();
        let directory = directory(&double, "");
        let before = Poll::first(&directory).await;
        let g1 = double.with(|state| {
            state.suspend("u50@example.com");
            state.group("g1@example.com").id.clone()
        });
        double.fault_on(MEMBERS, &g1, 1, Fault::Truncate(left));
        let after = before.next(&directory).await.unwrap();
        let kept = line(&before, "g1:").replace("g1:", "g1 unknown:");
        assert_eq!(line(&after, "g1 "), kept, "{left}");
        assert_eq!(line(&after, "u50 "), "u50 inactive");
        let later = after.next(&directory).await.unwrap();
        assert_eq!(line(&later, "g1:"), line(&before, "g1:"));
    }
}

#[tokio::test]
async fn everybody_is_asked_for_as_one() {
    let double = hundred();
    double.with(|state| {
        state.group("g5@example.com").members.clear();
        state.add_member("g5@example.com", CUSTOMER);
    });
    let directory = directory(&double, "");
    let before = Poll::first(&directory).await;
    let g5 = double.with(|state| state.group("g5@example.com").id.clone());
    double.fault_on(MEMBERS, &g5, 1, Fault::MissingKey);
    double.forget_requests();
    let after = before.next(&directory).await.unwrap();
    assert_eq!(
        line(&after, "g5 "),
        line(&before, "g5:").replace("g5:", "g5 unknown:")
    );
    assert_eq!(double.count("directory.members.get"), 1);
    let later = after.next(&directory).await.unwrap();
    assert_eq!(later.lines(), before.lines());
    double.with(|state| {
        state.remove_member("g5@example.com", CUSTOMER);
        state.add_member("g5@example.com", "u3@example.com");
    });
    let gone = later.next(&directory).await.unwrap();
    assert_eq!(line(&gone, "g5:"), "g5: u3");
}

#[tokio::test]
async fn whoever_had_the_id_is_not_whoever_has_the_address_now() {
    let double = hundred();
    let directory = directory(&double, "");
    let before = Poll::first(&directory).await;
    double.with(|state| {
        let old = state.user("u7@example.com").id.clone();
        state.remove("u7@example.com");
        state.add_user("u7@example.com");
        state.add_member("g0@example.com", "u7@example.com");
        state.member("g0@example.com", "u7@example.com").id = old;
    });
    let after = before.next(&directory).await.unwrap();
    let g0 = line(&after, "g0:");
    assert!(
        g0.contains('?') && !g0.split(' ').any(|it| it == "u7"),
        "{g0}"
    );
}

#[tokio::test]
async fn an_odd_group_is_one_rejected_record() {
    let double = hundred();
    let directory = directory(&double, "groups: ['g1?@example.com']");
    for odd in ["", ".", ".."] {
        double.with(|state| {
            let raw = &mut state.group("g12@example.com").raw;
            raw.insert("id".to_owned(), odd.into());
        });
        let poll = Poll::first(&directory).await;
        assert_eq!(poll.records.groups.len(), 9, "{odd}");
        assert_eq!(
            line(&poll, "rejected"),
            "rejected without an id: it has no stable id"
        );
    }
}

#[tokio::test]
async fn who_is_gone_is_asked_for_once_and_gone() {
    let double = hundred();
    let directory = directory(&double, "");
    let before = Poll::first(&directory).await;
    double.with(|state| {
        state.remove("u5@example.com");
        state.remove("g3@example.com");
        state.remove_member("g6@example.com", "u6@example.com");
        state.remove_member("g1@example.com", "g0@example.com");
    });
    double.forget_requests();
    let after = before.next(&directory).await.unwrap();
    assert_eq!(
        (after.records.users.len(), after.records.groups.len()),
        (99, 19)
    );
    assert!(!line(&after, "g6:").contains("u6 "), "{:?}", after.lines());
    assert!(!line(&after, "g1:").contains('+'), "{:?}", after.lines());
    let gets = [
        "directory.users.get",
        "directory.groups.get",
        "directory.members.get",
    ];
    // The count of the group says that u6 is the only one who left; groups in groups are not counted.
    assert_eq!(gets.map(|it| double.count(it)), [1, 1, 1]);
    assert_eq!(after.notes, Vec::<String>::new());
    double.forget_requests();
    after.next(&directory).await.unwrap();
    assert_eq!(gets.map(|it| double.count(it)), [0, 0, 0]);
}

#[tokio::test]
async fn whoever_is_missing_beyond_what_can_be_asked_for_is_unknown_and_asked_for_later() {
    let double = GoogleDouble::start();
    double.with(|state| {
        state.add_group("all@example.com");
        for user in 0..700 {
            state.add_user(&format!("u{user}@example.com"));
            state.add_member("all@example.com", &format!("u{user}@example.com"));
        }
    });
    let directory = directory(&double, "");
    let before = Poll::first(&directory).await;
    double.with(|state| {
        for user in 100..700 {
            state.remove(&format!("u{user}@example.com"));
        }
    });
    let after = before.next(&directory).await.unwrap();
    let unknown = after.records.users.iter().filter(|it| it.unknown).count();
    assert_eq!((after.records.users.len(), unknown), (200, 100));
    assert!(
        after.notes[0].ends_with("stay as they were: 100"),
        "{:?}",
        after.notes
    );
    let later = after.next(&directory).await.unwrap();
    assert_eq!(later.records.users.len(), 100);
    assert!(later.records.users.iter().all(|it| !it.unknown));
}

#[tokio::test]
async fn memberships_beyond_what_can_be_asked_for_stay_in_a_group_that_is_unknown() {
    let double = GoogleDouble::start();
    double.with(|state| {
        state.add_group("all@example.com");
        state
            .group("all@example.com")
            .omit
            .insert("directMembersCount".to_owned());
        for user in 0..700 {
            state.add_user(&format!("u{user}@example.com"));
            state.add_member("all@example.com", &format!("u{user}@example.com"));
        }
    });
    let directory = directory(&double, "");
    let before = Poll::first(&directory).await;
    double.with(|state| state.group("all@example.com").members.truncate(100));
    let after = before.next(&directory).await.unwrap();
    let group = &after.records.groups[0];
    assert_eq!(
        (after.records.members.row(0).len(), group.unknown),
        (200, true)
    );
    let later = after.next(&directory).await.unwrap();
    assert_eq!(
        (
            later.records.members.row(0).len(),
            later.records.groups[0].unknown
        ),
        (100, false)
    );
}

#[tokio::test]
async fn an_object_that_google_does_not_speak_of_stays_as_it_was() {
    let double = hundred();
    let directory = directory(&double, "");
    let before = Poll::first(&directory).await;
    double.with(|state| {
        state.remove("u5@example.com");
        state.remove("g3@example.com");
    });
    double.fault("directory.users.get", Fault::Forbidden);
    double.fault("directory.groups.get", Fault::Forbidden);
    let after = before.next(&directory).await.unwrap();
    assert_eq!(line(&after, "u5 "), "u5 unknown");
    assert!(line(&after, "g3 unknown:").len() > "g3 unknown: u1".len());
    let later = after.next(&directory).await.unwrap();
    assert_eq!(
        (later.records.users.len(), later.records.groups.len()),
        (99, 19)
    );
}

#[tokio::test]
async fn a_group_that_cannot_be_read_keeps_its_members_and_stops_nobody() {
    for fault in [Fault::Forbidden, Fault::NotFound] {
        let double = hundred();
        let directory = directory(&double, "");
        let before = Poll::first(&directory).await;
        let g3 = double.with(|state| {
            state.remove_member("g4@example.com", "u4@example.com");
            state.remove_member("g3@example.com", "u3@example.com");
            state.group("g3@example.com").id.clone()
        });
        double.fault_on(MEMBERS, &g3, 9, fault);
        let after = before.next(&directory).await.unwrap();
        let kept = line(&before, "g3:").replace("g3:", "g3 unknown:");
        assert_eq!(line(&after, "g3"), kept);
        assert!(!line(&after, "g4:").contains("u4 "));
        assert!(
            after.notes[0].contains("keep their last ones: 1 (the first: list members: "),
            "{:?}",
            after.notes
        );
        // One that was never read has none to keep.
        let first = Poll::first(&directory).await;
        assert_eq!(line(&first, "g3"), "g3 unknown: ");
    }
}

#[tokio::test]
async fn the_groups_in_a_group_that_cannot_be_read_are_read() {
    let double = hundred();
    let directory = directory(&double, "groups: [g1@example.com]");
    let before = Poll::first(&directory).await;
    assert_eq!(before.records.groups.len(), 2);
    let g1 = double.with(|state| state.group("g1@example.com").id.clone());
    double.fault_on(MEMBERS, &g1, 1, Fault::Forbidden);
    let after = before.next(&directory).await.unwrap();
    assert_eq!(line(&after, "g0:"), line(&before, "g0:"));
    assert_eq!(
        line(&after, "g1"),
        line(&before, "g1").replace("g1:", "g1 unknown:")
    );
}

#[tokio::test]
async fn where_every_group_is_refused_that_is_no_matter_of_one_group() {
    let double = hundred();
    let directory = directory(&double, "");
    let before = Poll::first(&directory).await;
    double.fault_times(MEMBERS, 100, Fault::Forbidden);
    let error = before.next(&directory).await.err().unwrap();
    assert_eq!(error.word(), "unauthorised", "{error}");
    assert!(
        error.to_string().contains("each of the 20 groups"),
        "{error}"
    );
}

#[tokio::test]
async fn a_group_that_goes_while_it_is_read_is_frozen_and_then_gone() {
    let double = hundred();
    let directory = directory(&double, "");
    let before = Poll::first(&directory).await;
    double.before(MEMBERS, 1, |state| state.remove("g3@example.com"));
    let after = before.next(&directory).await.unwrap();
    let g3 = line(&after, "g3");
    assert!(g3.starts_with("g3 unknown: u"), "{g3}");
    let later = after.next(&directory).await.unwrap();
    assert_eq!(later.records.groups.len(), 19);
}

/// Lists of two pages, and a group whose members take two.
fn large() -> GoogleDouble {
    let double = GoogleDouble::start();
    double.with(|state| {
        for user in 0..501 {
            state.add_user(&format!("u{user}@example.com"));
        }
        for group in 0..201 {
            state.add_group(&format!("g{group}@example.com"));
        }
        for user in 0..201 {
            state.add_member("g3@example.com", &format!("u{user}@example.com"));
        }
    });
    double
}

#[tokio::test]
async fn what_fails_on_any_page_fails_the_read() {
    let strange = serde_json::json!({"users": {}});
    for (operation, fault, times, expect) in [
        (USERS, Fault::MissingKey, 9, "without a single user"),
        (USERS, Fault::Answer(200, strange), 1, "no list"),
        (USERS, Fault::Forbidden, 1, "administrator"),
        (GROUPS, Fault::Forbidden, 1, "administrator"),
        (USERS, Fault::Cut, 3, "list users: GET"),
        (GROUPS, Fault::Cut, 3, "list groups: GET"),
        (MEMBERS, Fault::Cut, 3, "list members: GET"),
        (USERS, Fault::Html(502), 9, "502"),
        (MEMBERS, Fault::Html(502), 9, "502"),
        (MEMBERS, Fault::Throttle, 9, "quota"),
    ] {
        for page in ["", "pageToken"] {
            if page == "pageToken" && fault == Fault::MissingKey {
                continue;
            }
            let double = large();
            let clock = Arc::new(LeapingClock::new(SystemClock::new().now()));
            let directory = at(&double, PATIENT, &[], clock).with_read_timeout(FOR_EVER);
            let shown = format!("{operation} {page} {fault:?}");
            let g3 = double.with(|state| state.group("g3@example.com").id.clone());
            let on = if operation == MEMBERS && page.is_empty() {
                &g3
            } else {
                page
            };
            double.fault_on(operation, on, times, fault.clone());
            let error = poll(&directory, None).await.err();
            let text = error.unwrap_or_else(|| panic!("{shown}")).to_string();
            assert!(text.contains(expect), "{shown}: {text}");
        }
    }
}

#[tokio::test]
async fn a_group_whose_second_page_is_refused_is_frozen() {
    let double = large();
    let directory = directory(&double, "");
    let before = Poll::first(&directory).await;
    double.fault_on(MEMBERS, "pageToken", 1, Fault::NotFound);
    let after = before.next(&directory).await.unwrap();
    let kept = line(&before, "g3:").replace("g3:", "g3 unknown:");
    assert_eq!(line(&after, "g3 "), kept);
}

#[tokio::test]
async fn whoever_was_rejected_is_somebody_still() {
    let double = hundred();
    let directory = directory(&double, "");
    double.with(|state| {
        state
            .user("u99@example.com")
            .omit
            .insert("primaryEmail".to_owned());
        state
            .group("g19@example.com")
            .omit
            .insert("email".to_owned());
    });
    let before = Poll::first(&directory).await;
    let rejected = |poll: &Poll| {
        poll.lines()
            .iter()
            .filter(|it| it.starts_with("rejected"))
            .count()
    };
    assert_eq!(rejected(&before), 2);
    for (operation, left) in [(USERS, 99), (GROUPS, 19)] {
        double.fault(operation, Fault::Truncate(left));
        let error = before.next(&directory).await.err().unwrap();
        assert_eq!(error.word(), "incomplete", "{error}");
    }
    double.with(|state| {
        state.remove("u99@example.com");
        state.remove("g19@example.com");
    });
    double.fault("directory.users.get", Fault::Forbidden);
    double.fault("directory.groups.get", Fault::Forbidden);
    let unsure = before.next(&directory).await.unwrap();
    assert_eq!(rejected(&unsure), 2);
    let gone = unsure.next(&directory).await.unwrap();
    assert_eq!(rejected(&gone), 0);
}

#[tokio::test]
async fn while_a_pattern_fits_nothing_no_group_is_out_of_scope() {
    let double = hundred();
    let options = "groups: ['g1@example.com', 'g1?@example.com']";
    let directory = directory(&double, options);
    let before = Poll::first(&directory).await;
    assert_eq!(before.records.groups.len(), 12, "g0 is in g1");
    double.with(|state| {
        for group in 10..20 {
            state.rename(
                &format!("g{group}@example.com"),
                &format!("x{group}@example.com"),
            );
            state
                .group(&format!("x{group}@example.com"))
                .aliases
                .clear();
        }
        state.remove_member("g1@example.com", "g0@example.com");
    });
    let after = before.next(&directory).await.unwrap();
    let unknown = after.records.groups.iter().filter(|it| it.unknown).count();
    assert_eq!((after.records.groups.len(), unknown), (12, 11));
    assert_eq!(
        line(&after, "x11"),
        line(&before, "g11").replace("g11:", "x11 unknown:")
    );
    assert!(line(&after, "rejected").contains("`groups`: g1?@example.com"));
    // A group that fits again brings order.
    double.with(|state| state.rename("x12@example.com", "g12@example.com"));
    let later = after.next(&directory).await.unwrap();
    assert_eq!(later.records.groups.len(), 2);
}

#[tokio::test]
async fn what_passes_is_waited_for() {
    for (operation, fault) in [
        (USERS, Fault::Throttle),
        (GROUPS, Fault::Quota),
        (MEMBERS, Fault::TooMany(Some(3))),
        (MEMBERS, Fault::TooMany(None)),
        (USERS, Fault::Html(502)),
        (USERS, Fault::Html(503)),
        (MEMBERS, Fault::Html(500)),
        (MEMBERS, Fault::Throttle),
        (USERS, Fault::Cut),
        (MEMBERS, Fault::ExpireTokens),
        (USERS, Fault::ExpireTokens),
    ] {
        let double = hundred();
        let clock = Arc::new(LeapingClock::new(SystemClock::new().now()));
        let directory = at(&double, PATIENT, &[], clock).with_read_timeout(FOR_EVER);
        let sound = Poll::first(&directory).await;
        // A token that expires twice at once is none.
        let times = if fault == Fault::ExpireTokens { 1 } else { 2 };
        double.fault_times(operation, times, fault.clone());
        let poll = poll(&directory, None).await;
        let poll = poll.unwrap_or_else(|error| panic!("{operation} {fault:?}: {error}"));
        assert_eq!(poll.lines(), sound.lines(), "{operation} {fault:?}");
    }
}

#[tokio::test]
async fn pages_that_lead_in_a_ring_fail_the_read() {
    let double = GoogleDouble::start();
    double.with(|state| {
        for user in 0..1_001 {
            state.add_user(&format!("u{user}@example.com"));
        }
    });
    double.fault_times(USERS, 2, Fault::RepeatToken);
    let error = poll(&directory(&double, ""), None).await.err().unwrap();
    assert_eq!(error.word(), "incomplete");
    assert!(error.to_string().contains("leads back"), "{error}");
}

#[tokio::test]
async fn a_read_has_a_deadline() {
    let double = hundred();
    double.fault(GROUPS, Fault::Hang);
    let directory = directory(&double, "").with_read_timeout(Duration::from_millis(300));
    let error = poll(&directory, None).await.err().unwrap();
    assert_eq!(error.word(), "unavailable");
    assert!(error.to_string().contains("queries_per_minute"), "{error}");
}

#[tokio::test]
async fn a_missing_flag_says_nothing() {
    let double = hundred();
    double.with(|state| {
        state.user("u1@example.com").suspended = None;
        state.user("u2@example.com").archived = None;
        state.suspend("u2@example.com");
    });
    let poll = Poll::first(&directory(&double, "")).await;
    assert_eq!(line(&poll, "u1 "), "u1 status?");
    assert_eq!(line(&poll, "u2 "), "u2 inactive");
    assert!(
        poll.notes[0].ends_with("stay as they were: 1"),
        "{:?}",
        poll.notes
    );
}
