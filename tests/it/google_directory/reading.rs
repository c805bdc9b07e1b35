//! What a complete read brings.

use super::*;
use crate::support::google_double::CUSTOMER;

/// A handful of people in groups in groups.
fn small() -> GoogleDouble {
    let double = GoogleDouble::start();
    double.with(|state| {
        for user in ["anna", "ben", "carl", "dora"] {
            state.add_user(&format!("{user}@example.com"));
        }
        state.suspend("carl@example.com");
        state.archive("dora@example.com");
        for group in ["eng", "backend", "other"] {
            state.add_group(&format!("{group}@example.com"));
        }
        state.add_member("eng@example.com", "anna@example.com");
        state.add_member("eng@example.com", "backend@example.com");
        state.add_member("backend@example.com", "ben@example.com");
        state.add_member("other@example.com", "carl@example.com");
    });
    double
}

#[tokio::test]
async fn users_groups_and_the_groups_in_them_are_read() {
    let double = small();
    let all = Poll::first(&directory(&double, "")).await;
    let everything = [
        "anna",
        "backend: ben",
        "ben",
        "carl inactive",
        "dora inactive",
        "eng: +backend anna",
        "other: carl",
    ];
    assert_eq!(all.lines(), everything);
    assert_eq!(all.requests, 1 + 1 + 3);
    let some = Poll::first(&directory(&double, "groups: [ENG@example.com]")).await;
    assert_eq!(some.lines(), everything[..6]);
    assert_eq!(some.notes, Vec::<String>::new());
    let claims: Vec<_> = double
        .requests()
        .iter()
        .filter(|it| it.operation == "token")
        .map(crate::support::google_double::Seen::claims)
        .collect();
    assert_eq!(
        claims.len(),
        2,
        "each directory has a token of its own, and one is enough"
    );
    assert_eq!(claims[0]["sub"], ADMIN);
    assert!(
        !claims[0]["scope"].to_string().contains("reports"),
        "what is not needed is not asked for"
    );
}

#[tokio::test]
async fn who_is_in_a_group_is_found_by_id_alias_and_address_and_everybody_is_everybody() {
    let double = small();
    double.with(|state| {
        state.add_alias("anna@example.com", "a@example.com");
        state.add_foreign_user("guest@elsewhere.example");
        state.add_foreign_group("team@elsewhere.example");
        state.add_group("mixed@example.com");
        for member in [
            "a@example.com",
            "ben@example.com",
            "guest@elsewhere.example",
            "team@elsewhere.example",
        ] {
            state.add_member("mixed@example.com", member);
        }
        state.member("mixed@example.com", "a@example.com").id = "not-the-id-of-anna".to_owned();
        let ben = state.member("mixed@example.com", "ben@example.com");
        (ben.status, ben.kind) = (None, "EXTERNAL".to_owned());
        state.add_group("everybody@example.com");
        state.add_member("everybody@example.com", CUSTOMER);
    });
    let all = Poll::first(&directory(&double, "groups: [mixed@*, everybody@*]")).await;
    let lines = all.lines();
    assert!(
        lines.contains(&"everybody: anna ben carl dora".to_owned()),
        "{lines:?}"
    );
    let mixed = lines.iter().find(|it| it.starts_with("mixed: ")).unwrap();
    assert!(
        mixed.ends_with(" anna ben") && mixed.matches('?').count() == 2,
        "{mixed}"
    );
    assert_eq!(
        all.notes,
        [
            "memberships of users who are in no list, of other organisations mostly: 1",
            "groups in groups that are in no list, taken for empty ones: 1"
        ]
    );
}

#[tokio::test]
async fn a_ring_of_groups_ends() {
    let double = small();
    double.with(|state| {
        state.add_member("backend@example.com", "eng@example.com");
        state.add_member("backend@example.com", "other@example.com");
        state.add_member("other@example.com", "other@example.com");
    });
    let all = Poll::first(&directory(&double, "groups: [backend@example.com]")).await;
    let lines = all.lines();
    for line in [
        "backend: +eng +other ben",
        "eng: +backend anna",
        "other: +other carl",
    ] {
        assert!(lines.contains(&line.to_owned()), "{lines:?}");
    }
    assert_eq!(double.count("directory.members.list"), 3);
}

#[tokio::test]
async fn a_page_is_as_long_as_google_gives_it_and_no_request_is_made_twice() {
    let double = GoogleDouble::start();
    double.with(|state| {
        for user in 0..1_001 {
            state.add_user(&format!("u{user}@example.com"));
        }
        for group in 0..401 {
            state.add_group(&format!("g{group}@example.com"));
        }
        for user in 0..401 {
            state.add_member("g7@example.com", &format!("u{user}@example.com"));
        }
    });
    let all = Poll::first(&directory(&double, "")).await;
    let tally = all.records.tally();
    assert_eq!(
        (tally.users, tally.groups, tally.memberships),
        (1_001, 401, 401)
    );
    assert_eq!(all.requests, 3 + 3 + 400 + 3);
    let counts = [
        "directory.users.list",
        "directory.groups.list",
        "directory.members.list",
    ];
    assert_eq!(counts.map(|it| double.count(it)), [3, 3, 403]);
    let most = double.in_flight_max();
    assert!((2..=8).contains(&most), "{most} were under way at once");
}

#[tokio::test]
async fn domains_are_asked_for_one_by_one() {
    let double = GoogleDouble::start();
    double.with(|state| {
        for address in ["anna@example.com", "anna@example.org", "ben@example.net"] {
            state.add_user(address);
        }
        state.add_group("eng@example.org");
        state.add_group("eng@example.net");
        state.add_member("eng@example.org", "anna@example.org");
        state.add_member("eng@example.org", "ben@example.net");
    });
    let some = directory(
        &double,
        "domains: [example.com, Example.ORG]\nusername: '{address}'",
    );
    let poll = Poll::first(&some).await;
    let lines = poll.lines();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(
        lines[2].starts_with("eng: ?") && lines[2].ends_with("anna@example.org"),
        "{lines:?}"
    );
    assert_eq!(poll.requests, 2 + 2 + 1);
    // Who moves into another domain was seen to do so, and is gone.
    double.with(|state| state.rename("anna@example.com", "anna@example.net"));
    let next = poll.next(&some).await.unwrap();
    assert_eq!(next.records.users.len(), 1);
    // One of two users of one username is not more than the other.
    let one_name = Poll::first(&directory(&double, "")).await;
    assert_eq!(
        one_name.lines().iter().filter(|it| *it == "anna").count(),
        2
    );
}

#[tokio::test]
async fn usernames_come_from_where_the_template_says() {
    let double = small();
    double.with(|state| {
        state
            .user("anna@example.com")
            .custom_schemas
            .insert("Employee".to_owned(), serde_json::json!({"login": "aa11"}));
        state.user("ben@example.com").org_unit_path = "/Robots".to_owned();
    });
    let template = "username: '{customSchemas.Employee.login}'";
    let by_schema = Poll::first(&directory(&double, template)).await;
    let lines = by_schema.lines();
    assert!(lines.contains(&"aa11".to_owned()), "{lines:?}");
    let rejected = lines
        .iter()
        .filter(|it| it.starts_with("rejected "))
        .count();
    assert_eq!(rejected, 3, "{lines:?}");
    let clock = Arc::new(SystemClock::new());
    let robots = Poll::first(&at(&double, "", &["orgUnitPath"], clock)).await;
    let paths = |name: &str| {
        let records = &robots.records;
        let mut users = (0..).zip(&records.users);
        let (at, _) = users
            .find(|it| records.text(it.1.username) == name)
            .unwrap();
        records
            .extra_values(at, "orgUnitPath")
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (paths("ben"), paths("anna")),
        (vec!["/Robots".to_owned()], vec!["/".to_owned()])
    );
}

#[tokio::test]
async fn a_new_address_is_a_new_name_and_an_old_one_may_be_somebody_else() {
    let double = small();
    let directory = directory(&double, "");
    let before = Poll::first(&directory).await;
    double.with(|state| {
        state.rename("anna@example.com", "annabel@example.com");
        state.rename("eng@example.com", "engineering@example.com");
        state.remove("ben@example.com");
        state.add_user("ben@example.com");
        let aliases = &mut state.user("annabel@example.com").aliases;
        aliases.clear();
        state.add_user("anna@example.com");
    });
    let after = before.next(&directory).await.unwrap();
    let id = |poll: &Poll, name: &str| {
        let records = &poll.records;
        let users = records.users.iter().map(|it| (it.username, it.id));
        let mut all = users.chain(records.groups.iter().map(|it| (it.name, it.id)));
        let found = all.find(|it| records.text(it.0) == name).unwrap();
        records.text(found.1).to_owned()
    };
    assert_eq!(id(&before, "anna"), id(&after, "annabel"));
    assert_ne!(id(&before, "anna"), id(&after, "anna"));
    assert_ne!(id(&before, "ben"), id(&after, "ben"));
    assert_eq!(id(&before, "eng"), id(&after, "engineering"));
    assert_eq!(
        double.count("directory.users.get"),
        1,
        "the former ben was asked for"
    );
}
