//! Each fault does what it says, as often as it says.

use serde_json::json;

use super::{Caller, caller, company, send};
use crate::support::google_double::{Fault, GoogleDouble, State};
use crate::support::wait;

const USERS: &str = "users?customer=my_customer&maxResults=500";
const LISTS_USERS: &str = "directory.users.list";

fn three_groups(state: &mut State) {
    for name in ["a", "b", "c"] {
        state.add_group(&format!("{name}@example.com"));
    }
}

#[test]
fn what_is_scripted_is_answered_so_often_and_no_longer() {
    let double = GoogleDouble::start();
    let caller = caller(&double);
    let check = |fault: Fault, status: u16, reason: &str| {
        double.fault_times(LISTS_USERS, 2, fault);
        for _ in 0..2 {
            assert_eq!(
                caller.directory(USERS).refusal(),
                (status, reason.to_owned())
            );
        }
        assert_eq!(caller.directory(USERS).status, 200);
    };
    check(Fault::Throttle, 403, "userRateLimitExceeded");
    check(Fault::Quota, 403, "quotaExceeded");
    check(Fault::TooMany(None), 429, "rateLimitExceeded");
    check(Fault::Forbidden, 403, "forbidden");
    check(Fault::NotFound, 404, "notFound");
    double.fault(LISTS_USERS, Fault::TooMany(Some(7)));
    let later = caller.directory(USERS).head.to_ascii_lowercase();
    assert!(later.contains("retry-after: 7"), "{later}");
    double.fault(LISTS_USERS, Fault::Html(502));
    let page = caller.directory(USERS);
    assert_eq!((page.status, page.body.contains("<html")), (502, true));
    double.fault(
        "token",
        Fault::Answer(400, json!({ "error": "disabled_client" })),
    );
    let refused = send(&double, "POST /token HTTP/1.1\r\n", "");
    assert_eq!(refused.json(), json!({ "error": "disabled_client" }));
    double.fault_times(LISTS_USERS, usize::MAX, Fault::Throttle);
    assert_eq!(caller.directory(USERS).status, 403);
    double.mend();
    assert_eq!(caller.directory(USERS).status, 200);
}

#[test]
fn a_fault_may_be_for_one_object() {
    let double = GoogleDouble::start();
    double.with(three_groups);
    let caller = caller(&double);
    double.fault_on("directory.groups.get", "b@example.com", 1, Fault::Forbidden);
    assert_eq!(caller.directory("groups/a%40example.com").status, 200);
    assert_eq!(caller.directory("groups/b%40example.com").status, 403);
    assert_eq!(caller.directory("groups/b%40example.com").status, 200);
    let page = double.requests().pop().unwrap();
    assert_eq!(page.path, "/admin/directory/v1/groups/b%40example.com");
    caller.directory("groups?domain=example.com&maxResults=7");
    let query = double.requests().pop().unwrap().parameters();
    assert_eq!(
        (&query["domain"][..], &query["maxResults"][..]),
        ("example.com", "7")
    );
}

#[test]
fn a_truncated_listing_ends_early_and_says_nothing() {
    fn check(count: usize, expect: &[usize]) {
        let double = GoogleDouble::start();
        double.with(company);
        double.fault(LISTS_USERS, Fault::Truncate(count));
        let pages = caller(&double).pages(USERS, "users", "id");
        let sizes: Vec<usize> = pages.iter().map(Vec::len).collect();
        assert_eq!(sizes, expect, "{count}");
        let again = caller(&double).pages(USERS, "users", "id").len();
        assert_eq!(again, 3);
    }
    check(0, &[0]);
    check(400, &[400]);
    check(500, &[500]);
    check(700, &[500, 200]);
    check(5000, &[500, 500, 3]);
}

#[test]
fn a_page_may_lead_to_itself() {
    let double = GoogleDouble::start();
    double.with(company);
    let caller = caller(&double);
    double.fault_times(LISTS_USERS, 2, Fault::RepeatToken);
    let first = caller.directory(USERS).json();
    let token = first["nextPageToken"].as_str().unwrap();
    let second = caller
        .directory(&format!("{USERS}&pageToken={token}"))
        .json();
    assert_eq!(first, second);
}

#[test]
fn a_collection_may_lack_its_key() {
    let double = GoogleDouble::start();
    double.with(company);
    double.fault(LISTS_USERS, Fault::MissingKey);
    let caller = caller(&double);
    let page = caller.directory(USERS).json();
    assert_eq!(
        (page.get("users"), page["nextPageToken"].is_string()),
        (None, true)
    );
    assert_eq!(caller.pages(USERS, "users", "id").len(), 3);
}

#[test]
fn tokens_may_expire_in_the_middle() {
    let double = GoogleDouble::start();
    double.with(company);
    let old = caller(&double);
    double.fault_on(LISTS_USERS, "pageToken=", 1, Fault::ExpireTokens);
    let first = old.directory(USERS).json();
    let next = format!(
        "{USERS}&pageToken={}",
        first["nextPageToken"].as_str().unwrap()
    );
    assert_eq!(
        old.directory(&next).refusal(),
        (401, "authError".to_owned())
    );
    assert_eq!(old.directory(USERS).status, 401);
    assert_eq!(caller(&double).directory(&next).status, 200);
}

#[test]
fn a_connection_may_end_in_the_body_or_never_answer() {
    let double = GoogleDouble::start();
    double.with(company);
    let caller = caller(&double);
    let whole = caller.directory(USERS).body.len();
    double.fault(LISTS_USERS, Fault::Cut);
    let cut = caller.directory(USERS);
    assert_eq!(cut.status, 200);
    assert!(cut.body.len() < whole, "{}", cut.body.len());
    assert!(serde_json::from_str::<serde_json::Value>(&cut.body).is_err());
    double.fault(LISTS_USERS, Fault::Hang);
    let hung = std::thread::scope(|scope| {
        let asking = scope.spawn(|| caller.directory(USERS));
        wait::until("the request", || {
            (double.count(LISTS_USERS) == 3).then_some(())
        });
        assert_eq!(caller.directory(USERS).status, 200);
        double.cut();
        asking.join().unwrap()
    });
    assert_eq!(hung.status, 0);
    assert_eq!(caller.directory(USERS).status, 0);
    double.restore();
    assert_eq!(caller.directory(USERS).status, 200);
    assert_eq!(double.in_flight_max(), 2);
    double.forget_requests();
    assert_eq!((double.requests().len(), double.in_flight_max()), (0, 0));
}

#[test]
fn something_may_change_right_before_a_request() {
    let double = GoogleDouble::start();
    double.with(three_groups);
    let caller = caller(&double);
    double.before("directory.members.list", 2, |state| {
        state.remove("b@example.com");
    });
    let statuses = ["a", "b", "c"].map(|name| {
        let rest = format!("groups/{name}%40example.com/members");
        caller.directory(&rest).status
    });
    assert_eq!(statuses, [200, 404, 200]);
}

#[test]
fn what_breaks_the_description_is_told() {
    let double = GoogleDouble::start();
    let caller = caller(&double);
    caller.directory("users?customer=my_customer&orderby=email");
    double.fault(LISTS_USERS, Fault::Throttle);
    caller.directory("users?customer=my_customer&maxResults=501");
    assert_eq!(
        double.take_violations(),
        [
            "directory.users.list: orderby is no parameter",
            "directory.users.list: maxResults=501 is above 500"
        ]
    );
    caller.get("/admin/directory/v1/nothing");
    let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(double)));
    let told = told.unwrap_err();
    let told = told.downcast_ref::<String>().unwrap();
    assert!(
        told.contains("there is no GET /admin/directory/v1/nothing"),
        "{told}"
    );
}

#[test]
fn without_checks_anything_goes() {
    let double = GoogleDouble::start_without_checks();
    let caller: Caller<'_> = caller(&double);
    let came = caller.directory("users?customer=my_customer&orderby=email");
    assert_eq!(came.status, 200);
    assert_eq!(caller.get("/admin/directory/v1/nothing").status, 404);
}
