//! Pages, masks and selectors.

use serde_json::{Value, json};

use super::{caller, caller_for, texts};
use crate::support::google_double::{AUDIT_SCOPE, GoogleDouble, MEMBER_SCOPE, State};

const USERS: &str = "users?customer=my_customer";

fn five_users(state: &mut State) {
    for name in ["a", "b", "c", "d", "e"] {
        state.add_user(&format!("{name}@example.com"));
    }
}

#[test]
fn a_listing_is_shown_by_pages_of_the_size_that_is_asked_for() {
    let double = GoogleDouble::start();
    double.with(five_users);
    let caller = caller(&double);
    let pages = |size: usize| {
        let rest = format!("{USERS}&maxResults={size}");
        let pages = caller.pages(&rest, "users", "primaryEmail");
        pages.iter().map(Vec::len).collect::<Vec<_>>()
    };
    assert_eq!(pages(2), [2, 2, 1]);
    assert_eq!(pages(5), [5]);
    assert_eq!(pages(500), [5]);
    let first = caller.directory(&format!("{USERS}&maxResults=2")).json();
    let token = first["nextPageToken"].as_str().unwrap();
    // A token is for one listing.
    let other = caller.directory(&format!("groups?customer=my_customer&pageToken={token}"));
    assert_eq!(other.refusal(), (400, "invalid".to_owned()));
    let made_up = caller.directory(&format!("{USERS}&pageToken=made-up"));
    assert_eq!(made_up.refusal(), (400, "invalid".to_owned()));
    assert_eq!(double.take_violations(), [""; 0]);
}

#[test]
fn pages_have_their_default_sizes_and_limits() {
    let double = GoogleDouble::start();
    double.with(super::company);
    let caller = caller(&double);
    let shown =
        |rest: &str, key: &str| caller.directory(rest).json()[key].as_array().unwrap().len();
    assert_eq!(shown(USERS, "users"), 100);
    assert_eq!(shown("groups?domain=example.com", "groups"), 200);
    let members = "groups/group0@example.com/members";
    assert_eq!(shown(members, "members"), 200);
    for (rest, limit) in [
        (format!("{USERS}&"), 500),
        ("groups?customer=my_customer&".to_owned(), 200),
        (format!("{members}?"), 200),
    ] {
        let most = caller.directory(&format!("{rest}maxResults={limit}"));
        assert_eq!(most.status, 200);
        let more = caller.directory(&format!("{rest}maxResults={}", limit + 1));
        assert_eq!(more.refusal(), (400, "invalid".to_owned()));
    }
    assert_eq!(double.take_violations().len(), 3);
}

#[test]
fn a_change_shows_in_the_next_answer_to_the_same_request() {
    let double = GoogleDouble::start();
    double.with(five_users);
    let caller = caller(&double);
    let count = || caller.pages(USERS, "users", "id")[0].len();
    assert_eq!((count(), count()), (5, 5));
    double.with(|state| state.add_user("f@example.com"));
    assert_eq!(count(), 6);
    double.before("directory.users.list", 1, |state| {
        state.remove("f@example.com");
    });
    assert_eq!(count(), 5);
}

#[test]
fn what_changes_between_two_pages_neither_repeats_nor_skips_anybody_else() {
    let double = GoogleDouble::start();
    double.with(|state| {
        five_users(state);
        state.add_group("g@example.com");
        for name in ["a", "b", "c", "d", "e"] {
            state.add_member("g@example.com", &format!("{name}@example.com"));
        }
    });
    let caller = caller(&double);
    double.before("directory.users.list", 2, |state| {
        state.remove("b@example.com");
    });
    let pages = caller.pages(&format!("{USERS}&maxResults=2"), "users", "primaryEmail");
    let letters = |pages: Vec<Vec<String>>| {
        let pages = pages
            .iter()
            .map(|it| it.iter().map(|it| &it[..1]).collect());
        pages.collect::<Vec<String>>()
    };
    assert_eq!(letters(pages), ["ab", "cd", "e"]);
    double.before("directory.members.list", 2, |state| {
        state.remove("a@example.com");
    });
    double.before("directory.members.list", 3, |state| {
        state.remove("e@example.com");
    });
    let pages = caller.pages(
        "groups/g@example.com/members?maxResults=2",
        "members",
        "email",
    );
    // Whoever goes with the last page leaves an empty one.
    assert_eq!(letters(pages), ["ac", "de"]);
}

#[test]
fn a_mask_shows_what_it_names_and_nothing_else() {
    let double = GoogleDouble::start();
    double.with(five_users);
    let caller = caller(&double);
    let ask = |mask: &str| {
        caller
            .directory(&format!("{USERS}&maxResults=1&fields={mask}"))
            .json()
    };
    let names = |it: &Value| it.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let shown = ask("users(id,name/givenName,emails(address))");
    // Without its name the token is not there, as if this were the last page.
    assert_eq!(names(&shown), ["users"]);
    let user = &shown["users"][0];
    assert_eq!(names(user), ["emails", "id", "name"]);
    assert_eq!(user["name"], json!({ "givenName": "a" }));
    assert_eq!(user["emails"], json!([{ "address": "a@example.com" }]));
    assert_eq!(names(&ask("nextPageToken")), ["nextPageToken"]);
    assert_eq!(names(&ask("kind,etag")), ["etag", "kind"]);
    assert_eq!(names(&ask("*")), ["etag", "kind", "nextPageToken", "users"]);
    let whole = ask("");
    assert_eq!(whole["kind"], "admin#directory#users");
    assert_eq!(whole["users"][0]["kind"], "admin#directory#user");
    let wrong = caller.directory(&format!("{USERS}&fields=users("));
    assert_eq!(wrong.refusal(), (400, "invalidParameter".to_owned()));
    assert_eq!(double.take_violations().len(), 1);
}

#[test]
fn an_empty_collection_has_no_key() {
    let double = GoogleDouble::start();
    double.with(|state| state.add_group("g@example.com"));
    let caller = caller(&double);
    for (rest, key) in [
        (USERS, "users"),
        ("groups/g@example.com/members", "members"),
    ] {
        let came = caller.directory(rest);
        assert_eq!((came.status, came.json().get(key)), (200, None), "{rest}");
    }
}

#[test]
fn one_selector_is_needed_and_is_what_it_says() {
    let double = GoogleDouble::start();
    let customer = double.with(|state| {
        state.add_user("a@example.com");
        state.add_user("b@second.example");
        state.customer.clone()
    });
    let caller = caller(&double);
    let listed = |query: &str| {
        let shown = caller.directory(&format!("users?{query}")).json();
        texts(&shown["users"], "primaryEmail")
    };
    let both = ["a@example.com", "b@second.example"];
    assert_eq!(listed("customer=my_customer"), both);
    assert_eq!(listed(&format!("customer={customer}")), both);
    assert_eq!(listed("domain=second.example"), ["b@second.example"]);
    let refused = |query: &str| caller.directory(&format!("users?{query}")).refusal().0;
    assert_eq!(refused(""), 400);
    assert_eq!(refused("customer=example.com"), 400);
    assert_eq!(refused(&format!("domain={customer}")), 400);
    assert_eq!(refused("domain=elsewhere.example"), 404);
    assert_eq!(
        refused("customer=my_customer&query=isSuspended%3Dfalse"),
        501
    );
}

#[test]
fn activities_are_told_from_the_latest_on() {
    let double = GoogleDouble::start();
    double.with(|state| {
        for (number, event) in ["add_member", "remove_member", "add_member"]
            .iter()
            .enumerate()
        {
            let time = 1_795_298_400 + number as i64;
            state.add_activity(
                "groups_enterprise",
                time,
                event,
                &[("group_id", "g@example.com")],
            );
        }
        state.add_activity("admin", 1_795_298_400, "CREATE_GROUP", &[]);
    });
    let caller = caller_for(&double, AUDIT_SCOPE);
    let ask = |application: &str, query: &str| {
        let path = format!("/admin/reports/v1/activity/users/all/applications/{application}");
        caller.get(&format!("{path}?{query}"))
    };
    let times = |query: &str| {
        let shown = ask("groups_enterprise", query).json();
        let items = shown["items"].as_array().into_iter().flatten();
        items
            .map(|it| it["id"]["time"].as_str().unwrap()[17..].to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(times(""), ["02.000Z", "01.000Z", "00.000Z"]);
    assert_eq!(
        times("startTime=2026-11-21T22:00:01.000Z"),
        ["02.000Z", "01.000Z"]
    );
    assert_eq!(times("endTime=2026-11-21T22:00:00Z"), ["00.000Z"]);
    assert_eq!(times("eventName=remove_member"), ["01.000Z"]);
    let first = ask("groups_enterprise", "maxResults=2").json();
    let token = first["nextPageToken"].as_str().unwrap();
    assert_eq!(times(&format!("pageToken={token}")), ["00.000Z"]);
    let parameter = &first["items"][0]["events"][0]["parameters"][0];
    assert_eq!(
        *parameter,
        json!({ "name": "group_id", "value": "g@example.com" })
    );
    assert_eq!(
        ask("admin", "").json()["items"].as_array().unwrap().len(),
        1
    );
    assert_eq!(ask("login", "").json().get("items"), None);
    let future = ask("admin", "startTime=2226-11-21T22:00:00Z");
    assert_eq!(future.refusal(), (400, "invalid".to_owned()));
    assert_eq!(double.take_violations(), [""; 0]);
}

#[test]
fn a_call_needs_one_of_its_scopes() {
    let double = GoogleDouble::start();
    double.with(|state| {
        state.add_group("g@example.com");
        state.scopes.insert(MEMBER_SCOPE.to_owned());
    });
    let caller = caller_for(&double, MEMBER_SCOPE);
    let members = caller.directory("groups/g@example.com/members");
    assert_eq!(members.status, 200);
    let group = caller.directory("groups/g@example.com");
    assert_eq!(group.refusal(), (403, "insufficientPermissions".to_owned()));
}
