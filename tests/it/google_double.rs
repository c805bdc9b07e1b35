//! The Google Workspace in memory is what other tests take for the truth, so it is held to its own rules here: by Google's own
//! client, which knows nothing of ours, and by requests written by hand.

mod discovery;
mod faults;
mod listings;
mod objects;
mod tokens;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use usersyncd::clock::{Clock as _, SystemClock};

use crate::support::google_double::{
    ADMIN, CUSTOMER, GROUP_SCOPE, GoogleDouble, State, USER_SCOPE,
};

/// What came back. Status 0: nothing did.
#[derive(Debug)]
struct Came {
    status: u16,
    head: String,
    body: String,
}

impl Came {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// Status and reason of a refusal by one of the APIs.
    fn refusal(&self) -> (u16, String) {
        let error = &self.json()["error"];
        assert_eq!(error["code"], self.status);
        let reason = error["errors"][0]["reason"].as_str().unwrap();
        (self.status, reason.to_owned())
    }
}

/// Somebody who asks, with an access token or without.
struct Caller<'a> {
    double: &'a GoogleDouble,
    token: Option<String>,
}

impl Caller<'_> {
    /// Asks for what stands behind the host.
    fn get(&self, target: &str) -> Came {
        let mut head = format!("GET {target} HTTP/1.1\r\n");
        if let Some(token) = &self.token {
            let _ = write!(head, "Authorization: Bearer {token}\r\n");
        }
        send(self.double, &head, "")
    }

    /// Asks for what stands behind `/admin/directory/v1/`.
    fn directory(&self, rest: &str) -> Came {
        self.get(&format!("/admin/directory/v1/{rest}"))
    }

    /// What a listing shows, page by page, by one field of each object.
    fn pages(&self, rest: &str, key: &str, field: &str) -> Vec<Vec<String>> {
        let mut pages = Vec::new();
        let mut token = String::new();
        loop {
            let page = self.directory(&format!("{rest}&pageToken={token}")).json();
            pages.push(texts(&page[key], field));
            match page["nextPageToken"].as_str() {
                None => return pages,
                Some(next) => next.clone_into(&mut token),
            }
        }
    }
}

/// One field of each object of a list, which may be missing.
fn texts(list: &Value, field: &str) -> Vec<String> {
    let list = list.as_array().into_iter().flatten();
    list.map(|it| it[field].as_str().unwrap().to_owned())
        .collect()
}

fn send(double: &GoogleDouble, head: &str, body: &str) -> Came {
    let url = url::Url::parse(&double.url()).unwrap();
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", url.port().unwrap())) else {
        return Came {
            status: 0,
            head: String::new(),
            body: String::new(),
        };
    };
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    write!(
        stream,
        "{head}Host: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    let status = answer.split(' ').nth(1).and_then(|it| it.parse().ok());
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    Came {
        status: status.unwrap_or(0),
        head: head.to_owned(),
        body: body.to_owned(),
    }
}

/// The claims that an assertion needs, by the machine's clock.
fn claims(double: &GoogleDouble) -> Value {
    let now = SystemClock::new().now().0;
    json!({
        "iss": "usersyncd@project.iam.gserviceaccount.com",
        "scope": format!("{USER_SCOPE} {GROUP_SCOPE}"),
        "aud": format!("{}token", double.url()),
        "sub": ADMIN,
        "iat": now,
        "exp": now + 3600,
    })
}

/// An assertion, signed by the key of a file.
fn signed(file: &str, claims: &Value) -> String {
    let file: Value = serde_json::from_str(file).unwrap();
    let key = EncodingKey::from_rsa_pem(file["private_key"].as_str().unwrap().as_bytes()).unwrap();
    jsonwebtoken::encode(&Header::new(Algorithm::RS256), claims, &key).unwrap()
}

/// Asks for an access token.
fn ask_token(double: &GoogleDouble, assertion: &str) -> Came {
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
        .append_pair("assertion", assertion)
        .finish();
    let head = "POST /token HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    send(double, head, &form)
}

/// The administrator, with the scopes that are asked for.
fn caller_for<'a>(double: &'a GoogleDouble, scopes: &str) -> Caller<'a> {
    let mut claims = claims(double);
    claims["scope"] = scopes.into();
    let came = ask_token(double, &signed(&double.key(), &claims)).json();
    let token = came["access_token"].as_str().unwrap().to_owned();
    Caller {
        double,
        token: Some(token),
    }
}

/// The administrator, who may read users and groups.
fn caller(double: &GoogleDouble) -> Caller<'_> {
    caller_for(double, &format!("{USER_SCOPE} {GROUP_SCOPE}"))
}

/// More of everything than one page shows: 1,003 users, 205 groups, 401 members of one of them.
fn company(state: &mut State) {
    for number in 0..1000 {
        state.add_user(&format!("{number}@example.com"));
    }
    state.add_alias("0@example.com", "zero@example.com");
    state.suspend("1@example.com");
    state.archive("2@example.com");
    for number in 0..3 {
        state.add_user(&format!("{number}@second.example"));
    }
    for number in 0..205 {
        state.add_group(&format!("group{number}@example.com"));
    }
    for number in 0..397 {
        state.add_member("group0@example.com", &format!("{number}@example.com"));
    }
    state.add_foreign_user("guest@elsewhere.example");
    for member in [
        CUSTOMER,
        "group1@example.com",
        "guest@elsewhere.example",
        "1@second.example",
    ] {
        state.add_member("group0@example.com", member);
    }
    state.add_member("group1@example.com", "zero@example.com");
}

/// What Google's client makes of the double.
fn read_by_python(double: &GoogleDouble) -> BTreeMap<String, Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let clients = root.join("target/clients");
    let there = clients.join("stamp").exists();
    assert!(
        there,
        "the clients are not installed: run tests/run --prepare"
    );
    // One that waits for ever is ended.
    let mut child = Command::new("timeout")
        .arg("100")
        .arg(clients.join("python/bin/python"))
        .arg(root.join("tests/it/clients/google_directory.py"))
        .args([&double.url(), ADMIN])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let key = child
        .stdin
        .take()
        .unwrap()
        .write_all(double.key().as_bytes());
    key.unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn googles_own_client_lists_what_is_there() {
    let double = GoogleDouble::start();
    double.with(company);
    let read = read_by_python(&double);
    double.with(|state| {
        let users: Vec<Value> = state
            .users
            .values()
            .map(|it| {
                let mut user = json!({
                    "id": it.id,
                    "primaryEmail": it.primary_email,
                    "name": { "fullName": format!("{} By Hand", it.given_name) },
                    "suspended": it.suspended,
                    "archived": it.archived,
                });
                if !it.aliases.is_empty() {
                    user["aliases"] = it.aliases.clone().into();
                }
                user
            })
            .collect();
        assert_eq!(read["users"], Value::from(users));
        let groups: Vec<(&str, String)> = state
            .groups
            .values()
            .map(|it| {
                let users = it.members.iter().filter(|it| it.kind == "USER");
                (it.email.as_str(), users.count().to_string())
            })
            .collect();
        let counts = texts(&read["groups"], "directMembersCount");
        let emails = texts(&read["groups"], "email");
        let listed: Vec<(&str, String)> = emails.iter().map(String::as_str).zip(counts).collect();
        assert_eq!(listed, groups);
        for group in state.groups.values() {
            let members = group.members.iter().map(|it| {
                (
                    it.id.clone(),
                    it.email.clone(),
                    it.kind.clone(),
                    it.status.clone(),
                )
            });
            let shown = read["members"][&group.email]
                .as_array()
                .into_iter()
                .flatten();
            let text = |it: &Value, key: &str| it[key].as_str().map(str::to_owned);
            let shown = shown.map(|it| {
                let id = text(it, "id").unwrap();
                (
                    id,
                    text(it, "email"),
                    text(it, "type").unwrap(),
                    text(it, "status"),
                )
            });
            assert!(shown.eq(members), "{}", group.email);
        }
    });
    let domain = texts(&read["domain"], "primaryEmail");
    let expect = ["0@second.example", "1@second.example", "2@second.example"];
    assert_eq!(domain, expect);
    let pages = json!({
        "users": 3, "domain": 1, "groups": 2, "group0@example.com": 3, "group1@example.com": 1,
    });
    assert_eq!(read["pages"], pages);
    check_refusals(&read);
}

/// Google's client understands how the double refuses.
fn check_refusals(read: &BTreeMap<String, Value>) {
    assert_eq!(read["same user"], json!([true, true, true]));
    let refusal = |call: &str| {
        let (status, details) = (&read[call]["status"], &read[call]["details"][0]);
        (
            status.as_u64().unwrap(),
            details["reason"].as_str().unwrap(),
            details["message"].as_str().unwrap(),
        )
    };
    let gone = (404, "notFound", "Resource Not Found: userKey");
    assert_eq!(refusal("missing user"), gone);
    let group = (400, "badRequest", "Type not supported: userKey");
    assert_eq!(refusal("group for a user"), group);
    assert_eq!(refusal("no selector"), (400, "badRequest", "Bad Request"));
    let text = "Not Authorized to access this resource/api";
    assert_eq!(refusal("no administrator"), (403, "forbidden", text));
    let nobody =
        json!({ "error": "invalid_grant", "error_description": "Invalid email or User ID" });
    assert_eq!(read["nobody"]["token"][1], nobody);
}
