//! The Crowd in memory is what other tests take for the truth, so it is held to its own rules here, by a client that knows
//! nothing of ours: requests written by hand.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::crowd_double::rules::{Again, Events};
use crate::support::crowd_double::{APPLICATION, CrowdDouble, Fault, PASSWORD, Rules, State};

/// What came back: the status and the body. Status 0: nothing did.
fn ask(double: &CrowdDouble, method: &str, path: &str, body: &str) -> (u16, String) {
    ask_for(double, method, path, body, "application/json")
}

fn ask_for(
    double: &CrowdDouble,
    method: &str,
    path: &str,
    body: &str,
    accept: &str,
) -> (u16, String) {
    let url = url::Url::parse(&double.url()).unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", url.port().unwrap())).unwrap();
    let login = STANDARD.encode(format!("{APPLICATION}:{PASSWORD}"));
    let context = url.path().trim_end_matches('/');
    write!(
        stream,
        "{method} {context}/rest/usermanagement/1{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Accept: {accept}\r\nContent-Type: application/json\r\nAuthorization: Basic {login}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len(),
    )
    .unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    let status = answer.split(' ').nth(1).and_then(|it| it.parse().ok());
    let body = answer.split_once("\r\n\r\n").map_or("", |it| it.1);
    (status.unwrap_or(0), body.to_owned())
}

fn json(answer: &(u16, String)) -> Value {
    serde_json::from_str(&answer.1).unwrap()
}

fn anna() -> String {
    json!({
        "name": "Anna", "password": { "value": "x" }, "display-name": "Anna A", "email": "a@example.com",
        "active": true,
    })
    .to_string()
}

#[test]
fn a_user_is_made_renamed_replaced_and_deleted() {
    let double = CrowdDouble::start(Rules::default());
    assert_eq!(ask(&double, "POST", "/user", &anna()).0, 201);
    assert_eq!(ask(&double, "POST", "/user", &anna()).0, 400);
    let shown = json(&ask(&double, "GET", "/user?username=anna", ""));
    assert_eq!(shown["display-name"], "Anna A");
    let key = shown["key"].as_str().unwrap().to_owned();

    let renamed = ask(
        &double,
        "POST",
        "/user/rename?username=anna",
        r#"{"new-name":"a+b & c"}"#,
    );
    assert_eq!(renamed.0, 200);
    let by_key = json(&ask(&double, "GET", &format!("/user?key={key}"), ""));
    assert_eq!(by_key["name"], "a+b & c");
    // A bare plus is a space, as in every query.
    assert_eq!(ask(&double, "GET", "/user?username=a+b+%26+c", "").0, 404);
    assert_eq!(ask(&double, "GET", "/user?username=a%2Bb+%26+c", "").0, 200);

    let path = "/user?username=a%2Bb%20%26%20c";
    assert_eq!(
        ask(&double, "PUT", path, r#"{"name":"a+b & c","active":false}"#).0,
        204
    );
    let emptied = json(&ask(&double, "GET", path, ""));
    assert_eq!(
        (&emptied["email"], &emptied["active"]),
        (&json!(""), &json!(false))
    );
    assert_eq!(ask(&double, "DELETE", path, "").0, 204);
    assert_eq!(ask(&double, "DELETE", path, "").0, 404);
}

#[test]
fn memberships_are_direct_nested_and_listed() {
    for again in [Again::Conflict, Again::Silent] {
        let double = CrowdDouble::start(Rules {
            membership_again: again,
            ..Rules::default()
        });
        double.with(|state| {
            state.add_user("u<1>");
            state.add_group("p");
            state.add_group("c");
        });
        let give = |path: &str, name: &str| {
            let body = json!({ "name": name }).to_string();
            ask(&double, "POST", path, &body).0
        };
        assert_eq!(give("/group/user/direct?groupname=c", "u<1>"), 201);
        let twice = give("/group/user/direct?groupname=c", "u<1>");
        assert_eq!(twice, if again == Again::Silent { 201 } else { 409 });
        assert_eq!(give("/group/child-group/direct?groupname=p", "c"), 201);
        let test = |path: &str| ask(&double, "GET", path, "").0;
        assert_eq!(
            test("/group/user/direct?groupname=p&username=u%3C1%3E"),
            404
        );
        assert_eq!(
            test("/group/user/nested?groupname=p&username=u%3C1%3E"),
            200
        );
        let xml = ask_for(&double, "GET", "/group/membership", "", "application/xml").1;
        let expect = concat!(
            r#"<membership group="c"><users><user name="u&lt;1&gt;"/></users><groups></groups></membership>"#,
            r#"<membership group="p"><users></users><groups><group name="c"/></groups></membership></memberships>"#
        );
        assert!(xml.ends_with(expect), "{xml}");
        assert_eq!(test("/group/membership"), 406);
        let path = "/group/user/direct?groupname=c&username=u%3C1%3E";
        assert_eq!(ask(&double, "DELETE", path, "").0, 204);
        assert_eq!(ask(&double, "DELETE", path, "").0, 404);
    }
}

#[test]
fn a_list_is_shown_by_pages() {
    let double = CrowdDouble::start(Rules {
        page_cap: 2,
        ..Rules::default()
    });
    double.with(|state| {
        for name in ["a", "b", "c"] {
            state.add_user(name);
        }
    });
    let page = |start: usize| {
        let path =
            format!("/search?entity-type=USER&restriction=&start-index={start}&max-results=9");
        let users = json(&ask(&double, "GET", &path, ""))["users"].clone();
        let users = users.as_array().unwrap().iter();
        users
            .map(|it| it["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(page(0), ["a", "b"]);
    assert_eq!(page(2), ["c"]);
    assert_eq!(page(3), [""; 0]);
}

#[test]
fn events_are_told_from_a_token_on_until_it_is_forgotten() {
    let double = CrowdDouble::start(Rules {
        events: Events::Served { expired: 410 },
        ..Rules::default()
    });
    let token = json(&ask(&double, "GET", "/event", ""))["newEventToken"].clone();
    let path = format!("/event/{}", token.as_str().unwrap());
    double.with(|state| {
        state.add_user("u");
    });
    let events = json(&ask(&double, "GET", &path, ""));
    assert_eq!(events["events"][0]["userEvent"]["operation"], "CREATED");
    double.with(State::expire_tokens);
    assert_eq!(ask(&double, "GET", &path, "").0, 410);
}

#[test]
fn faults_come_as_the_script_says() {
    let double = CrowdDouble::start(Rules::default());
    double.fail("POST /user", 2, Fault::Lost);
    assert_eq!(ask(&double, "POST", "/user", &anna()).0, 201);
    double.with(|state| state.delete_user("anna").unwrap());
    assert_eq!(ask(&double, "POST", "/user", &anna()).0, 0);
    assert!(double.with(|state| state.user("anna").is_ok()));
    double.fail("GET /user", 1, Fault::CutBody(5));
    let cut = ask(&double, "GET", "/user?username=anna", "");
    assert_eq!((cut.0, cut.1.contains("Anna A")), (200, false));
    double.fail("*", 1, Fault::Closed);
    assert_eq!(ask(&double, "DELETE", "/user?username=anna", "").0, 0);
    assert!(double.with(|state| state.user("anna").is_ok()));
    double.set(|rules| rules.address_allowed = false);
    assert_eq!(ask(&double, "GET", "/config/cookie", "").0, 403);
    assert_eq!(double.take_operations().len(), 5);
}
