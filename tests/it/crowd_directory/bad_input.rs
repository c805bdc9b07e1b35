//! What bad input gets: a clear error or a rejected record, never fewer users taken for the truth.

use std::fmt::Write as _;

use usersyncd::directories::{Directory, ReadError};

use super::{assert_same, complete, directory, fill, held, read, says, with_password};
use crate::support::crowd_double::fault::Scripted;
use crate::support::crowd_double::rules::Paging;
use crate::support::crowd_double::{CrowdDouble, Fault, Rules};

fn filled(rules: Rules) -> CrowdDouble {
    let double = CrowdDouble::start(rules);
    fill(&double);
    double
}

fn page(status: u16, content_type: &'static str, body: &str) -> Fault {
    Fault::Answer(Scripted {
        status,
        content_type,
        headers: Vec::new(),
        body: body.to_owned(),
    })
}

fn json(body: &str) -> Fault {
    page(200, "application/json", body)
}

/// Every call of a complete read, of which one always goes wrong.
const CALLS: [&str; 3] = ["GET /search", "GET /group/membership", "GET /event"];

async fn fails(double: &CrowdDouble, options: &str) -> ReadError {
    match read(&directory(double, options), None).await {
        Err(error) => error,
        Ok(read) => panic!("it is read all the same: {:?}", read.notes),
    }
}

#[tokio::test]
async fn an_error_says_what_the_administrator_must_do() {
    async fn check(call: &str, fault: Fault, word: &str, expect: &str) {
        let double = filled(Rules::default());
        double.fail_always(call, fault);
        let error = fails(&double, "").await;
        let text = error.to_string();
        assert_eq!(error.word(), word, "{text}");
        assert!(text.contains(expect), "{text}");
        for secret in ["caller", "ada", "username="] {
            assert!(!text.contains(secret), "{text}");
        }
    }
    for call in CALLS {
        check(call, Fault::login_page(), "configuration", "`Log in`").await;
        check(
            call,
            Fault::redirect("https://sso.example.com/login?x=1"),
            "configuration",
            "sso.example.com/login",
        )
        .await;
        check(
            call,
            page(401, "text/plain", "no"),
            "unauthorised",
            "`password`",
        )
        .await;
        check(
            call,
            Fault::html(403, "Forbidden (403)"),
            "unauthorised",
            "remote addresses",
        )
        .await;
    }
    for call in ["GET /search", "GET /group/membership"] {
        check(
            call,
            Fault::reason(500, "OPERATION_FAILED"),
            "unavailable",
            "OPERATION_FAILED",
        )
        .await;
        check(
            call,
            page(
                403,
                "application/json",
                r#"{"reason":"APPLICATION_PERMISSION_DENIED","message":"m"}"#,
            ),
            "unauthorised",
            "403",
        )
        .await;
    }
    check(
        "GET /search",
        Fault::html(404, "Not found"),
        "configuration",
        "context path",
    )
    .await;
    check(
        "GET /search",
        json("{}"),
        "incomplete",
        "lacks a list of users",
    )
    .await;
    check(
        "GET /search",
        json(r#"{"users":[{"name":"#),
        "incomplete",
        "cut",
    )
    .await;
    check("GET /search", json("<users/>"), "incomplete", "no JSON").await;
}

#[tokio::test]
async fn a_wrong_password_and_an_address_that_may_not_ask_are_told_apart() {
    let double = filled(Rules::default());
    let wrong = with_password(&double, "", "wrong", &[]);
    let error = read(&wrong, None).await.err().unwrap();
    assert!(
        matches!(&error, ReadError::Unauthorised(it) if it.contains("those of a person")),
        "{error}"
    );
    double.set(|it| it.address_allowed = false);
    let error = fails(&double, "").await;
    assert!(
        matches!(&error, ReadError::Unauthorised(it) if it.contains("remote addresses")),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let double = filled(Rules::default());
    double.cut();
    let error = fails(&double, "").await;
    assert_eq!(error.word(), "unavailable", "{error}");
    double.restore();
    complete(&directory(&double, "")).await;
}

#[tokio::test]
async fn an_answer_that_is_cut_is_never_a_shorter_one() {
    for call in ["GET /search", "GET /group/membership"] {
        for bytes in [0, 1, 50, 500, 1_000, 2_000] {
            let double = filled(Rules::default());
            double.fail_always(call, Fault::CutBody(bytes));
            let error = fails(&double, "").await;
            assert_eq!(error.word(), "incomplete", "{call} after {bytes}: {error}");
        }
    }
    let double = filled(Rules::default());
    double.fail_always("GET /group/membership", Fault::CutBody(300));
    let error = fails(&double, "").await.to_string();
    assert!(error.contains("time-out"), "{error}");
}

/// A proxy that ends an answer cleanly: only the missing end of the XML tells.
#[tokio::test]
async fn xml_that_ends_too_early_anywhere_is_an_error() {
    let double = filled(Rules::default());
    let (whole, _, _) = complete(&directory(&double, "")).await;
    let names: Vec<String> = (0..60).map(|it| format!("group {it}")).collect();
    let mut document = "<memberships>".to_owned();
    for name in &names {
        let _ = write!(
            document,
            "<membership group=\"{name}\"><users><user name=\"ada\"/></users><groups/></membership>"
        );
    }
    document += "</memberships>";
    double.with(|it| {
        it.groups.clear();
        for name in &names {
            it.add_group(name);
        }
    });
    let asked = directory(&double, "incremental: false");
    for end in (0..document.len())
        .step_by(1_000)
        .chain([document.len() - 1])
    {
        double.mend();
        double.fail_always(
            "GET /group/membership",
            page(200, "application/xml", &document[..end]),
        );
        let error = read(&asked, None).await.err().unwrap();
        let told = error.to_string();
        assert!(matches!(error, ReadError::Incomplete(_)), "{end}: {told}");
        assert!(told.contains("time-out"), "{end}: {told}");
    }
    double.mend();
    double.fail_always(
        "GET /group/membership",
        page(200, "application/xml", &document),
    );
    let (records, _, _) = complete(&asked).await;
    assert_eq!(records.users.len(), whole.users.len());
    assert_eq!(records.members.items(), 60);
}

#[tokio::test]
async fn a_list_that_never_ends_is_an_error() {
    let double = filled(Rules {
        page_cap: 3,
        paging: Paging::Forever,
        ..Rules::default()
    });
    let error = fails(&double, "").await;
    assert!(error.to_string().contains("start-index"), "{error}");
}

#[tokio::test]
async fn whoever_the_paging_skips_is_noticed() {
    let double = filled(Rules {
        page_cap: 4,
        paging: Paging::Skips,
        ..Rules::default()
    });
    let error = fails(&double, "").await;
    assert!(
        matches!(&error, ReadError::Incomplete(it) if it.contains("skipped")),
        "{error}"
    );
}

#[tokio::test]
async fn whoever_is_skipped_is_noticed_also_where_no_group_names_them() {
    let rules = Rules {
        paging: Paging::Skips,
        ..Rules::default()
    };
    let double = CrowdDouble::start(rules);
    double.with(|it| {
        for number in 0..9 {
            it.add_user(&format!("u{number}"));
        }
    });
    for size in [2, 4] {
        for (cap, options) in [
            (usize::MAX, format!("page_size: {size}")),
            (size, String::new()),
        ] {
            double.set(|it| it.page_cap = cap);
            let error = fails(&double, &options).await;
            assert!(
                matches!(&error, ReadError::Incomplete(it) if it.contains("skipped")),
                "{error}"
            );
        }
    }
}

#[tokio::test]
async fn a_skip_that_was_one_moments_is_mended_by_reading_again() {
    let double = filled(Rules {
        page_cap: 4,
        ..Rules::default()
    });
    let expect = held(&double, true);
    // A later page of users lacks whoever it should begin with.
    double.fail("GET /search", 3, json(r#"{"users":[{"name":"carl","key":"32769:00000003-0000-4000-8000-000000000000","active":true}]}"#));
    let (records, _, _) = complete(&directory(&double, "")).await;
    assert_same(&says(&records), &expect, "read again");
}

#[tokio::test]
async fn a_member_who_is_not_there_is_a_reference_to_nobody() {
    let double = filled(Rules::default());
    double.with(|it| it.groups.retain(|name, _| name == "staff"));
    let document = r#"<memberships><membership group="Staff"><users><user name="ada"/><user name="ghost"/></users>
        <groups><group name="gone"/></groups></membership><membership group="gone"><users/></membership></memberships>"#;
    double.fail_always(
        "GET /group/membership",
        page(200, "application/xml", document),
    );
    let (records, _, notes) = complete(&directory(&double, "")).await;
    assert_eq!(records.members.items(), 1);
    let mut loose: Vec<&str> = records
        .references
        .iter()
        .map(|it| records.text(it.handle))
        .collect();
    loose.sort_unstable();
    assert_eq!(loose, ["ghost", "gone"]);
    assert!(
        notes.contains(&"members of groups who are not there: 1".to_owned()),
        "{notes:?}"
    );
    assert!(
        notes.contains(&"groups that are named and not there: 1".to_owned()),
        "{notes:?}"
    );
}

#[tokio::test]
async fn a_group_that_was_in_no_list_and_is_there_is_noticed() {
    let double = filled(Rules::default());
    for document in [
        r#"<memberships><membership group="Staff"><users/><groups><group name="late"/></groups></membership></memberships>"#,
        r#"<memberships><membership group="late"><users/></membership></memberships>"#,
    ] {
        double.mend();
        double.fail_always(
            "GET /group/membership",
            page(200, "application/xml", document),
        );
        double.fail_always("GET /group", json(r#"{"name":"late"}"#));
        let error = fails(&double, "").await;
        assert!(
            matches!(&error, ReadError::Incomplete(it) if it.contains("skipped")),
            "{error}"
        );
    }
}

#[tokio::test]
async fn one_bad_record_is_rejected_and_the_others_are_read() {
    let double = filled(Rules::default());
    let users = held(&double, true)
        .iter()
        .filter(|it| it.starts_with("user"))
        .count();
    double.with(|it| {
        let ben = it.users.get_mut("ben").unwrap();
        ben.foreign
            .insert("email".to_owned(), serde_json::json!(["a"]));
    });
    let (records, _, _) = complete(&directory(&double, "")).await;
    assert_eq!(records.users.len(), users - 1);
    let [ben] = &records.rejected[..] else {
        panic!("{:?}", records.rejected);
    };
    let key = double.with(|it| it.users["ben"].key.clone());
    let told = [ben.id, ben.key, ben.handle, ben.reason].map(|it| records.text(it));
    assert_eq!(told, [key.as_str(), "ben", "ben", "`email` is not a text"]);
}

#[tokio::test]
async fn two_ids_with_one_username_are_both_kept_for_the_judge_and_a_repeat_is_one() {
    let double = CrowdDouble::start(Rules::default());
    let users = r#"{"users":[{"name":"ada","key":"1","active":true},{"name":"Ada","key":"2","active":true},{"name":"ben","key":"3","active":true},{"name":"ben","key":"3","active":true}]}"#;
    double.fail("GET /search", 1, json(users));
    double.fail("GET /search", 2, json(r#"{"users":[]}"#));
    let (records, _, _) = complete(&directory(&double, "")).await;
    let mut keys: Vec<&str> = records
        .users
        .iter()
        .map(|it| records.text(it.key))
        .collect();
    keys.sort_unstable();
    assert_eq!(keys, ["ada", "ada", "ben"]);
}

#[tokio::test]
async fn a_server_that_says_nothing_is_not_waited_for() {
    let double = filled(Rules::default());
    double.fail_always("GET /search", Fault::Hang);
    let directory =
        directory(&double, "timeout: 1s").with_read_timeout(std::time::Duration::from_millis(300));
    let error = read(&directory, None).await.err().unwrap();
    assert_eq!(error.word(), "unavailable", "{error}");
}

#[tokio::test]
async fn a_group_that_the_document_lacks_is_asked_for() {
    for document in [
        "<memberships/>",
        r#"<memberships><membership group="none"><users/></membership></memberships>"#,
    ] {
        let double = filled(Rules::default());
        double.fail_always(
            "GET /group/membership",
            page(200, "application/xml", document),
        );
        let (records, _, notes) = complete(&directory(&double, "")).await;
        assert_same(&says(&records), &held(&double, true), document);
        let told = notes.join(" ");
        assert!(told.contains("document of all memberships lacks"), "{told}");
    }
}

#[tokio::test]
async fn members_under_another_element_are_an_error() {
    for inner in [
        r#"<members><user name="ada"/></members>"#,
        r#"<user name="ada"/>"#,
        r#"<users><principal name="ada"/></users>"#,
    ] {
        let double = filled(Rules::default());
        let document =
            format!(r#"<memberships><membership group="Staff">{inner}</membership></memberships>"#);
        double.fail_always(
            "GET /group/membership",
            page(200, "application/xml", &document),
        );
        let error = fails(&double, "").await;
        assert!(
            matches!(&error, ReadError::Incomplete(it) if it.contains("elements that are not known")),
            "{error}"
        );
        assert!(!error.to_string().contains("time-out"), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_shows_names_alone_is_not_read() {
    let double = filled(Rules {
        expands: false,
        ..Rules::default()
    });
    let error = fails(&double, "").await;
    assert!(
        matches!(&error, ReadError::Incomplete(it) if it.contains("`expand`")),
        "{error}"
    );
    double.set(|it| it.expands = true);
    double.with(|it| {
        let ben = it.users.get_mut("ben").unwrap();
        ben.foreign
            .insert("active".to_owned(), serde_json::Value::Null);
    });
    let asked = directory(&double, "");
    let (_, _, notes) = complete(&asked).await;
    let told = notes.join(" ");
    assert!(told.contains("whether they are active: 1"), "{told}");
    let found = asked.check().await;
    let is_told = |it: &usersyncd::model::Finding| it.item == "active" && !it.good;
    assert!(found.iter().any(is_told), "{found:?}");
}

#[tokio::test]
async fn a_group_that_is_skipped_is_noticed_where_each_is_asked_for() {
    let double = CrowdDouble::start(Rules {
        membership_list: false,
        page_cap: 2,
        paging: Paging::Skips,
        ..Rules::default()
    });
    double.with(|it| {
        it.add_user("a");
        for group in ["g1", "g2", "g3", "g4"] {
            it.add_group(group);
            it.add_member(group, "a");
        }
    });
    let error = fails(&double, "").await;
    assert!(
        matches!(&error, ReadError::Incomplete(it) if it.contains("skipped")),
        "{error}"
    );
}
