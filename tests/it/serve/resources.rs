//! Every resource in both formats.

use crate::support::serving::{self, Ask, Citizen, ENTRY, Got, Serving, Town};

/// What a path answers in JSON and in XML, one below the other.
async fn both(serving: &Serving, path: &str) -> String {
    let json = serving.json(path).await;
    let xml = serving.get(path).await;
    assert_eq!(xml.headers["content-type"], "application/xml", "{path}");
    assert_eq!(xml.headers["cache-control"], "no-store", "{path}");
    let pretty = serde_json::to_string_pretty(&json.json()).unwrap();
    format!("{}\n{pretty}\n{}\n{}", json.status, xml.status, xml.text())
}

/// The names in a list, and whether both formats agree on them.
async fn names(serving: &Serving, path: &str) -> Vec<String> {
    let json = serving.json(path).await;
    assert_eq!(json.status, 200, "{path}: {}", json.text());
    let names = names_in(&json);
    let xml = serving.get(path).await;
    let opened = |it: &&str| it.starts_with("user name=") || it.starts_with("group name=");
    let in_xml = xml.text().split('<').filter(opened).count();
    assert_eq!(in_xml, names.len(), "{path}");
    names
}

fn names_in(list: &Got) -> Vec<String> {
    let json = list.json();
    let list = json.get("users").or_else(|| json.get("groups")).unwrap();
    let list = list.as_array().unwrap().iter();
    list.map(|it| it["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn every_resource_is_shown_in_both_formats() {
    let serving = serving::start().await;
    for (name, path) in [
        ("user", "/user?username=BEN"),
        ("user_attribute", "/user/attribute?username=J%C3%BCrgen"),
        (
            "group",
            "/group?groupname=CAF%C3%89+%26%20bar&expand=attributes",
        ),
        ("group_attribute", "/group/attribute?groupname=staff"),
        ("group_users", "/group/user/direct?groupname=staff"),
        (
            "group_users_expanded",
            "/group/user/nested?groupname=leads&expand=user&max-results=1",
        ),
        ("user_groups", "/user/group/direct?username=ada"),
        (
            "user_groups_expanded",
            "/user/group/nested?username=Ben&expand=group",
        ),
        (
            "membership_test",
            "/group/user/direct?groupname=staff&username=ADA",
        ),
        ("child_groups", "/group/child-group/direct?groupname=all"),
        (
            "search",
            "/search?entity-type=user&expand=user&start-index=3&max-results=1",
        ),
        ("empty", "/group/user/direct?groupname=empty"),
        ("cookie", "/config/cookie"),
    ] {
        insta::assert_snapshot!(name, both(&serving, path).await);
    }
}

#[tokio::test]
async fn users_and_groups_are_found_in_any_spelling_and_by_key() {
    let serving = serving::start().await;
    let user = serving.json("/user?username=BEN").await;
    assert_eq!(serving.json("/user?key=1:b").await, user);
    assert_eq!(serving.json("/user?key=1:b&username=ben").await, user);
    for name in ["j%C3%BCrgen", "JU%CC%88RGEN"] {
        let found = serving.json(&format!("/user?username={name}")).await;
        assert_eq!(found.json()["key"], "1:j", "{name}");
    }
    let odd = serving
        .json("/user?username=D%2Be%26f%2Fg%25h%22i%27j")
        .await;
    assert_eq!(odd.json()["name"], "d+e&f/g%h\"i'j");
    let link = odd.json()["link"]["href"].as_str().unwrap().to_owned();
    let path = link
        .strip_prefix("http://crowd.test:8095/rest/usermanagement/1")
        .unwrap();
    assert_eq!(serving.json(path).await, odd, "{link}");
}

#[tokio::test]
async fn what_is_not_there_is_said_in_crowds_words() {
    let serving = serving::start().await;
    for (path, status, reason) in [
        ("/user?username=nobody", 404, "USER_NOT_FOUND"),
        ("/user?key=1:nobody", 404, "USER_NOT_FOUND"),
        ("/user", 400, "ILLEGAL_ARGUMENT"),
        ("/user?username=", 400, "ILLEGAL_ARGUMENT"),
        ("/user/attribute?username=nobody", 404, "USER_NOT_FOUND"),
        ("/user/group/direct?username=nobody", 404, "USER_NOT_FOUND"),
        (
            "/user/group/nested?username=ada&groupname=empty",
            404,
            "MEMBERSHIP_NOT_FOUND",
        ),
        (
            "/user/group/direct?username=ada&groupname=none",
            404,
            "MEMBERSHIP_NOT_FOUND",
        ),
        ("/group?groupname=none", 404, "GROUP_NOT_FOUND"),
        ("/group", 400, "ILLEGAL_ARGUMENT"),
        ("/group/attribute?groupname=none", 404, "GROUP_NOT_FOUND"),
        ("/group/user/direct?groupname=none", 404, "GROUP_NOT_FOUND"),
        (
            "/group/user/direct?groupname=staff&username=carl",
            404,
            "MEMBERSHIP_NOT_FOUND",
        ),
        (
            "/group/user/direct?groupname=staff&username=nobody",
            404,
            "MEMBERSHIP_NOT_FOUND",
        ),
        (
            "/group/user/direct?groupname=staff&max-results=x",
            400,
            "ILLEGAL_ARGUMENT",
        ),
        (
            "/group/user/direct?groupname=staff&start-index=-1",
            400,
            "ILLEGAL_ARGUMENT",
        ),
        (
            "/group/child-group/direct?groupname=all&child-groupname=leads",
            404,
            "MEMBERSHIP_NOT_FOUND",
        ),
        (
            "/group/parent-group/direct?groupname=none",
            404,
            "GROUP_NOT_FOUND",
        ),
        (
            "/group/parent-group/nested?groupname=empty&parent-groupname=all",
            404,
            "MEMBERSHIP_NOT_FOUND",
        ),
        ("/search", 400, "ILLEGAL_ARGUMENT"),
        ("/search?entity-type=person", 400, "ILLEGAL_ARGUMENT"),
        (
            "/search?entity-type=user&restriction=name+%3D",
            400,
            "ILLEGAL_ARGUMENT",
        ),
        (
            "/search?entity-type=user&restriction=((((",
            400,
            "ILLEGAL_ARGUMENT",
        ),
        (
            "/event/0123456789abcdef0123456789abcdef",
            410,
            "EVENT_TOKEN_EXPIRED",
        ),
    ] {
        for ask in [Ask::get(path), Ask::get(path).json()] {
            let got = serving.ask(ask).await;
            assert_eq!(
                got.reason(),
                (status, reason.to_owned()),
                "{path}: {}",
                got.text()
            );
        }
    }
    let got = serving.json("/user?username=nobody").await;
    insta::assert_snapshot!(got.text(), @r#"{"message":"User <nobody> does not exist","reason":"USER_NOT_FOUND"}"#);
}

#[tokio::test]
async fn memberships_are_told_both_ways_and_at_any_depth() {
    let serving = serving::start().await;
    let odd = "d+e&f/g%h\"i'j";
    for (path, expect) in [
        ("/group/user/direct?groupname=Staff", &["ada", "Ben"][..]),
        (
            "/group/user/nested?groupname=staff",
            &["ada", "Ben", "carl", odd, "jürgen", "zoe"],
        ),
        (
            "/group/user/nested?groupname=caf%C3%A9+%26+bar",
            &[odd, "jürgen"],
        ),
        ("/user/group/direct?username=ada", &["leads", "staff"]),
        (
            "/user/group/nested?username=ada",
            &["all", "leads", "staff"],
        ),
        (
            "/user/group/nested?username=j%C3%BCrgen",
            &["all", "café & bar", "leads", "staff"],
        ),
        (
            "/group/child-group/direct?groupname=all",
            &["café & bar", "staff"],
        ),
        (
            "/group/child-group/nested?groupname=all",
            &["all", "café & bar", "leads", "staff"],
        ),
        ("/group/parent-group/direct?groupname=leads", &["staff"]),
        (
            "/group/parent-group/nested?groupname=caf%C3%A9+%26+bar",
            &["all", "leads", "staff"],
        ),
        ("/group/user/nested?groupname=empty", &[]),
    ] {
        assert_eq!(names(&serving, path).await, expect, "{path}");
    }
    for path in [
        "/group/user/direct?groupname=staff&username=BEN",
        "/group/user/nested?groupname=all&username=carl",
        "/user/group/direct?username=ada&groupname=LEADS",
        "/user/group/nested?username=ada&groupname=all",
        "/group/child-group/direct?groupname=all&child-groupname=staff",
        "/group/child-group/nested?groupname=all&child-groupname=leads",
        "/group/parent-group/direct?groupname=leads&parent-groupname=staff",
        "/group/parent-group/nested?groupname=leads&parent-groupname=all",
    ] {
        assert_eq!(serving.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn lists_come_in_pages() {
    let serving = serving::start().await;
    let all = ["ada", "Ben", "carl", "d+e&f/g%h\"i'j", "jürgen", "zoe"];
    for (page, expect) in [
        ("", &all[..]),
        ("&max-results=-1", &all),
        ("&max-results=4", &all[..4]),
        ("&start-index=4&max-results=4", &all[4..]),
        ("&start-index=6", &[]),
        ("&start-index=99&max-results=-1", &[]),
        ("&max-results=0", &[]),
        ("&start-index=1&max-results=99999", &all[1..]),
    ] {
        let search = format!("/search?entity-type=USER&restriction={page}");
        assert_eq!(names(&serving, &search).await, expect, "{search}");
    }
    let members = "/group/user/nested?groupname=all&start-index=1&max-results=2";
    assert_eq!(names(&serving, members).await, ["Ben", "carl"]);
    let groups = "/search?entity-type=Group&start-index=3";
    assert_eq!(names(&serving, groups).await, ["leads", "staff"]);
}

#[tokio::test]
async fn a_list_ends_at_a_thousand_unless_more_is_asked_for() {
    let serving = serving::start().await;
    let many = (0..1_500).fold(Town::default(), |town, at| {
        town.user(Citizen::new(&format!("user{at:04}"), &format!("1:{at}")))
    });
    serving.sets.publish(ENTRY, many.image());
    assert_eq!(
        names(&serving, "/search?entity-type=user").await.len(),
        1_000
    );
    let all = "/search?entity-type=user&max-results=-1&expand=user";
    assert_eq!(names(&serving, all).await.len(), 1_500);
    let streamed = serving.json(all).await;
    assert_eq!(streamed.headers["transfer-encoding"], "chunked");
    let found = "/search?entity-type=user&restriction=name+%3D+%22user1*%22&max-results=-1";
    assert_eq!(names(&serving, found).await.len(), 500);
    let page = "/search?entity-type=user&restriction=name+%3D+%22user1*%22&start-index=490";
    let rest = names(&serving, page).await;
    assert_eq!((rest.len(), rest[0].as_str()), (10, "user1490"));
}

#[tokio::test]
async fn searches_are_understood_in_three_ways() {
    let serving = serving::start().await;
    for (query, expect) in [
        ("name = ben", &["Ben"][..]),
        ("name = nobody", &[]),
        (
            "lastName = \"Love*\" or firstName = JÜRGEN",
            &["ada", "jürgen"],
        ),
        ("active = false", &["carl"]),
        ("displayName = \"Ada Lovelace\"", &["ada"]),
        ("name = \"d+e&f/g%h\\\"i'j\"", &["d+e&f/g%h\"i'j"]),
    ] {
        let encoded: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let path = format!("/search?entity-type=user&restriction={encoded}");
        assert_eq!(names(&serving, &path).await, expect, "{query}");
    }
    let json = r#"{"restriction-type":"property-search-restriction",
        "property":{"name":"name","type":"STRING"},"match-mode":"CONTAINS","value":"E"}"#;
    let xml = "<property-search-restriction><property><name>name</name><type>STRING</type></property>\
        <match-mode>CONTAINS</match-mode><value>e</value></property-search-restriction>";
    for (media_type, body) in [
        ("application/json", json),
        ("application/xml; charset=utf-8", xml),
    ] {
        let ask = Ask::new("POST", "/search?entity-type=group").json();
        let got = serving.ask(ask.send(media_type, body)).await;
        assert_eq!(got.status, 200, "{}", got.text());
        assert_eq!(names_in(&got), ["empty", "leads"], "{media_type}");
    }
}

#[tokio::test]
async fn all_memberships_are_one_document_of_xml() {
    let serving = serving::start().await;
    let got = serving.get("/group/membership").await;
    assert_eq!(got.headers["content-type"], "application/xml");
    insta::assert_snapshot!(got.text());
    let any = Ask::get("/group/membership").header("Accept", "application/json, */*;q=0.1");
    assert_eq!(serving.ask(any).await, got);
    assert_eq!(serving.json("/group/membership").await.status, 406);
}

#[tokio::test]
async fn the_api_answers_under_every_name_that_it_has() {
    let serving = serving::start().await;
    for root in [
        "/rest/usermanagement/1",
        "/rest/usermanagement/latest",
        "/crowd/rest/usermanagement/1",
        "/crowd/rest/usermanagement/latest",
    ] {
        let ask = Ask::outside("GET", &format!("{root}/user?username=ada")).json();
        let got = serving
            .ask(ask.login(serving::CLIENT, serving::SECRET))
            .await;
        let link = format!("http://crowd.test:8095{root}/user?username=ada");
        assert_eq!(got.json()["link"]["href"], link, "{root}");
    }
}
