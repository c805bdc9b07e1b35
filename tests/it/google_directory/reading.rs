//! What a complete read brings.

use super::*;

#[tokio::test]
async fn users_groups_and_nested_members_are_read() {
    let double = GoogleDouble::start();
    double.with(|state| {
        for user in [
            "anna@example.com",
            "ben@example.com",
            "carl@example.com",
            "dora@example.com",
        ] {
            state.add_user(user);
        }
        state.suspend("carl@example.com");
        state.archive("dora@example.com");
        for group in [
            "eng@example.com",
            "backend@example.com",
            "other@example.com",
        ] {
            state.add_group(group);
        }
        state.add_member("eng@example.com", "anna@example.com");
        state.add_member("eng@example.com", "backend@example.com");
        state.add_member("backend@example.com", "ben@example.com");
        state.add_member("other@example.com", "carl@example.com");
    });
    let all = Poll::first(&directory(&double, "")).await;
    let expect = [
        "anna",
        "backend: ben",
        "ben",
        "carl inactive",
        "dora inactive",
        "eng: +backend anna",
        "other: carl",
    ];
    assert_eq!(all.lines(), expect);
    assert_eq!(all.requests, 1 + 1 + 3);
    let some = Poll::first(&directory(&double, "groups: [eng@example.com]")).await;
    let expect = [
        "anna",
        "backend: ben",
        "ben",
        "carl inactive",
        "dora inactive",
        "eng: +backend anna",
    ];
    assert_eq!(some.lines(), expect);
    assert_eq!(some.notes, Vec::<String>::new());
}
