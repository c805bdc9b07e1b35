//! Calls and their tokens over a plain connection to a server that answers as it is told. No time passes but what is slept.

use std::pin::Pin;
use std::sync::Mutex;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::form_urlencoded;

use super::super::key::tests::{ACCOUNT, claims, key_file};
use super::*;
use crate::clock::{Clock, Timestamp};
use crate::pace::Pace;
use crate::secret::SecretRef;

const SUBJECT: &str = "admin@example.com";
/// A time-out is told from a wait by its length.
const FOR_EVER: Duration = Duration::from_hours(24);
const NOW: i64 = 1_700_000_000;

/// A clock on which a wait takes no time.
#[derive(Default)]
struct Leaping(Mutex<Duration>);

impl Leaping {
    fn advance(&self, seconds: u64) {
        *self.0.lock().unwrap() += Duration::from_secs(seconds);
    }
}

impl Clock for Leaping {
    fn now(&self) -> Timestamp {
        Timestamp(NOW)
    }

    fn monotonic(&self) -> Duration {
        *self.0.lock().unwrap()
    }

    fn sleep(&self, d: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        if d >= FOR_EVER {
            return Box::pin(std::future::pending());
        }
        *self.0.lock().unwrap() += d;
        Box::pin(std::future::ready(()))
    }
}

/// A request as it arrived.
#[derive(Clone, Debug)]
struct Heard {
    /// The first line and the headers.
    head: String,
    body: String,
}

type Answers = dyn Fn(&Heard, usize) -> String + Send + Sync;

/// Google as a test wants it, asked by one directory.
struct Google {
    address: std::net::SocketAddr,
    heard: Arc<Mutex<Vec<Heard>>>,
    clock: Arc<Leaping>,
    folder: tempfile::TempDir,
    api: Api,
}

fn answer(status: &str, content_type: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

fn json(status: &str, body: &str) -> String {
    answer(status, "application/json", body)
}

fn ok(_: &Heard, _: usize) -> String {
    json("200 OK", "{}")
}

/// The token of this number, which lasts so many seconds.
fn token_for(seconds: u64) -> impl Fn(&Heard, usize) -> String + Send + Sync + 'static {
    move |_, number| {
        let body = format!(
            r#"{{"access_token":"ya29.token{number}","expires_in":{seconds},"token_type":"Bearer"}}"#
        );
        json("200 OK", &body)
    }
}

/// An error of the API in the first form of its envelope.
fn refusal(status: &str, reason: &str, message: &str) -> String {
    let body = serde_json::json!({"error": {
        "code": 0, "message": message, "errors": [{"domain": "d", "reason": reason, "message": message}],
    }});
    json(status, &body.to_string())
}

impl Google {
    /// Starts a server that answers to whoever asks for a token, and to whoever asks for anything else. Both are told which
    /// request of its kind it is; the first is 0.
    async fn start(
        tokens: impl Fn(&Heard, usize) -> String + Send + Sync + 'static,
        calls: impl Fn(&Heard, usize) -> String + Send + Sync + 'static,
    ) -> Google {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
        let all = Arc::clone(&heard);
        let answers: Arc<Answers> = Arc::new(move |it: &Heard, number: usize| {
            if it.is_of_token() {
                tokens(it, number)
            } else {
                calls(it, number)
            }
        });
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(client, Arc::clone(&all), Arc::clone(&answers)));
            }
        });
        let clock = Arc::new(Leaping::default());
        let folder = tempfile::tempdir().unwrap();
        let google = Google {
            address,
            heard,
            api: api(address, &folder, Arc::clone(&clock) as Arc<dyn Clock>),
            clock,
            folder,
        };
        google.write_key("1");
        google
    }

    /// A key file, which is another one with another ID.
    fn write_key(&self, id: &str) {
        let mut file = key_file(&format!("http://{}/token", self.address));
        file["private_key_id"] = id.into();
        std::fs::write(self.folder.path().join("key.json"), file.to_string()).unwrap();
    }

    fn calls(&self) -> Calls {
        self.api.calls()
    }

    async fn login(&self) -> Result<(), GoogleFault> {
        self.calls().login().await
    }

    async fn list(&self) -> Result<Vec<u8>, GoogleFault> {
        self.calls().list("list users", &["users"], &[]).await
    }

    async fn one(&self) -> Result<Vec<u8>, GoogleFault> {
        self.calls()
            .one("look up a user", &["users", "7"], &[])
            .await
    }

    fn heard(&self, of_token: bool) -> Vec<Heard> {
        let heard = self.heard.lock().unwrap();
        let chosen = heard.iter().filter(|it| it.is_of_token() == of_token);
        chosen.cloned().collect()
    }

    /// How many tokens were asked for, and how much else.
    fn counts(&self) -> (usize, usize) {
        (self.heard(true).len(), self.heard(false).len())
    }
}

fn api(address: std::net::SocketAddr, folder: &tempfile::TempDir, clock: Arc<dyn Clock>) -> Api {
    let settings = crate::http::Settings {
        ca: None,
        proxy: None,
        timeout: FOR_EVER,
        pace: Arc::new(Pace::new(None, 8, Arc::clone(&clock))),
    };
    let grant = Grant {
        http: Http::new(settings, Arc::clone(&clock)).unwrap(),
        key: SecretRef::file(folder.path().join("key.json")),
        subject: Some(SUBJECT.to_owned()),
        scopes: vec![USERS, GROUPS, ACTIVITY],
        plain_token: true,
        clock,
    };
    Api::new(format!("http://{address}/").parse().unwrap(), grant)
}

impl Heard {
    fn is_of_token(&self) -> bool {
        self.head.starts_with("POST /token ")
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.head.lines().filter_map(|it| it.split_once(": "));
        headers.find_map(|it| it.0.eq_ignore_ascii_case(name).then_some(it.1))
    }

    fn assertion(&self) -> String {
        let mut fields = form_urlencoded::parse(self.body.as_bytes());
        let field = fields.find(|it| it.0 == "assertion");
        field.unwrap().1.into_owned()
    }
}

/// Hears one request and answers it.
async fn serve(
    mut client: TcpStream,
    heard: Arc<Mutex<Vec<Heard>>>,
    answers: Arc<Answers>,
) -> std::io::Result<()> {
    let mut buffer = Vec::new();
    let (head, length) = loop {
        if client.read_buf(&mut buffer).await? == 0 {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&buffer).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let request = Heard {
            head: head.to_owned(),
            body: body.to_owned(),
        };
        let length = request.header("content-length");
        let length = length.map_or(0, |it| it.parse().unwrap());
        if body.len() >= length {
            break (request, length);
        }
    };
    assert_eq!(head.body.len(), length);
    let number = {
        let mut heard = heard.lock().unwrap();
        let kin = heard
            .iter()
            .filter(|it| it.is_of_token() == head.is_of_token());
        let number = kin.count();
        heard.push(head.clone());
        number
    };
    client.write_all(answers(&head, number).as_bytes()).await?;
    client.shutdown().await
}

/// The name of a fault's variant.
fn kind(fault: &GoogleFault) -> String {
    let shown = format!("{fault:?}");
    let end = shown.find(['(', ' ']).unwrap_or(shown.len());
    shown[..end].to_owned()
}

#[tokio::test]
async fn a_token_is_asked_for_once_and_goes_with_every_call() {
    let google = Google::start(token_for(3599), ok).await;
    let calls = google.calls();
    calls.login().await.unwrap();
    let query = [("pageToken", "a+b/c d"), ("fields", "users(id,name)")];
    calls
        .list("list members", &["groups", "a/b c?d%@x", "members"], &query)
        .await
        .unwrap();
    google
        .api
        .clone()
        .calls()
        .one("look up a user", &["users", "7"], &[])
        .await
        .unwrap();
    assert_eq!(google.counts(), (1, 2));
    assert_eq!(calls.requests(), 1);

    let asked = &google.heard(true)[0];
    assert_eq!(
        asked.header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    let grant = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=ey";
    assert!(asked.body.starts_with(grant), "{}", asked.body);
    let expect = serde_json::json!({
        "iss": ACCOUNT,
        "sub": SUBJECT,
        "scope": format!("{USERS} {GROUPS} {ACTIVITY}"),
        "aud": format!("http://{}/token", google.address),
        "iat": NOW,
        "exp": NOW + 3600,
    });
    assert_eq!(claims(&asked.assertion()), expect);

    let call = &google.heard(false)[0];
    let line = call.head.lines().next().unwrap();
    assert_eq!(
        line,
        "GET /groups/a%2Fb%20c%3Fd%25@x/members?pageToken=a%2Bb%2Fc%20d&fields=users%28id%2Cname%29 HTTP/1.1"
    );
    assert_eq!(call.header("authorization"), Some("Bearer ya29.token0"));
    assert_eq!(call.header("accept"), Some("application/json"));
}

#[tokio::test]
async fn an_id_that_can_stand_in_no_address_is_not_asked_for() {
    let google = Google::start(token_for(3599), ok).await;
    for id in ["", ".", ".."] {
        let asked = google
            .calls()
            .one("list members", &["groups", id, "members"], &[])
            .await;
        assert_eq!(kind(&asked.unwrap_err()), "Unreadable");
    }
    assert_eq!(google.counts(), (0, 0));
}

#[tokio::test]
async fn many_at_once_ask_for_one_token() {
    let google = Google::start(token_for(3599), ok).await;
    let logins = join_all((0..8).map(|_| google.login())).await;
    assert!(logins.iter().all(Result::is_ok));
    assert_eq!(google.counts(), (1, 0));
}

#[tokio::test]
async fn a_token_is_used_until_five_minutes_before_its_end_or_for_half_of_a_short_life() {
    async fn check(lasts: u64, used: u64) {
        let google = Google::start(token_for(lasts), ok).await;
        google.login().await.unwrap();
        google.clock.advance(used - 1);
        google.login().await.unwrap();
        assert_eq!(google.counts().0, 1, "{lasts}");
        google.clock.advance(1);
        google.login().await.unwrap();
        assert_eq!(google.counts().0, 2, "{lasts}");
    }
    check(3599, 3299).await;
    check(600, 300).await;
    check(60, 30).await;
}

#[tokio::test]
async fn a_token_without_a_life_lasts_for_an_hour() {
    let bare = |_: &Heard, _| json("200 OK", r#"{"access_token":"t"}"#);
    let google = Google::start(bare, ok).await;
    google.login().await.unwrap();
    google.clock.advance(3299);
    google.login().await.unwrap();
    assert_eq!(google.counts().0, 1);
    google.clock.advance(1);
    google.login().await.unwrap();
    assert_eq!(google.counts().0, 2);
}

#[tokio::test]
async fn a_token_that_is_taken_no_more_is_replaced_once() {
    let unauthorised = || refusal("401 Unauthorized", "authError", "Invalid Credentials");
    let google = Google::start(token_for(3599), move |heard, _| {
        let is_first = heard.header("authorization") == Some("Bearer ya29.token0");
        if is_first {
            unauthorised()
        } else {
            json("200 OK", "{}")
        }
    })
    .await;
    let calls = google.calls();
    calls.list("list users", &["users"], &[]).await.unwrap();
    calls.list("list users", &["users"], &[]).await.unwrap();
    assert_eq!(google.counts(), (2, 3));
    assert_eq!(calls.requests(), 3);
}

#[tokio::test]
async fn a_token_that_is_never_taken_is_a_refusal() {
    for (body, said) in [
        (
            refusal("401 Unauthorized", "authError", "Invalid Credentials"),
            "saying `authError` (Invalid Credentials): ",
        ),
        (refusal("401 Unauthorized", "new", ""), "saying `new`: "),
        (
            answer("401 Unauthorized", "text/html", "<html><title>No</title>"),
            "without a word: ",
        ),
        (answer("401 Unauthorized", "", ""), "without a word: "),
    ] {
        let google = Google::start(token_for(3599), move |_, _| body.clone()).await;
        for fault in [
            google.list().await.unwrap_err(),
            google.one().await.unwrap_err(),
        ] {
            assert_eq!(kind(&fault), "Login");
            let text = fault.to_string();
            assert!(
                text.contains(said) && text.contains("has just given; see that `url`"),
                "{text}"
            );
        }
        // What is not taken is not kept either.
        assert_eq!(google.counts(), (4, 4));
    }
}

#[tokio::test]
async fn a_refusal_is_not_repeated_for_ten_minutes_or_until_the_key_is_another() {
    let google = Google::start(
        |_, _| {
            let description = "Unauthorized client or scope in request.";
            let body = serde_json::json!({
                "error": "unauthorized_client", "error_description": description,
            });
            json("401 Unauthorized", &body.to_string())
        },
        ok,
    )
    .await;
    let first = google.login().await.unwrap_err();
    assert_eq!(kind(&first), "Login");
    let text = first.to_string();
    for piece in [
        "ask for a token: POST http://127.0.0.1:",
        "/token was answered with 401 Unauthorized, saying `unauthorized_client` (Unauthorized client or scope in request.): ",
        "the service account is not authorised in the domain of `subject`; in the Admin console under Security",
        "; the scopes that are asked for are https://www.googleapis.com/auth/admin.directory.user.readonly,https://",
    ] {
        assert!(text.contains(piece), "{text}");
    }
    assert_eq!(google.list().await.unwrap_err(), first);
    google.clock.advance(599);
    assert_eq!(google.login().await.unwrap_err(), first);
    assert_eq!(google.counts(), (1, 0));
    google.clock.advance(1);
    assert_eq!(google.login().await.unwrap_err(), first);
    assert_eq!(google.counts(), (2, 0));
    google.write_key("2");
    assert_eq!(google.login().await.unwrap_err(), first);
    assert_eq!(google.login().await.unwrap_err(), first);
    assert_eq!(google.counts(), (3, 0));
}

#[tokio::test]
async fn what_comes_instead_of_a_token_is_told_whatever_its_status_is() {
    async fn check(said: String, expect: &str, times: usize, piece: &str) {
        let said_again = said.clone();
        let google = Google::start(move |_, _| said_again.clone(), ok).await;
        let fault = google.login().await.unwrap_err();
        assert_eq!(kind(&fault), expect, "{said}");
        let text = fault.to_string();
        assert!(text.contains(piece), "{text}");
        assert_eq!(google.counts().0, times, "{said}");
    }
    let clock = r#"{"error":"invalid_grant","error_description":"must be a short-lived token (60 minutes)"}"#;
    for status in [
        "200 OK",
        "400 Bad Request",
        "401 Unauthorized",
        "403 Forbidden",
    ] {
        check(
            json(status, clock),
            "Login",
            1,
            "the clock of this machine is wrong; set it",
        )
        .await;
    }
    let new = r#"{"error":"new_word","error_description":"of a@b.example"}"#;
    check(
        json("400 Bad Request", new),
        "Login",
        1,
        "saying `new_word` (of ***)",
    )
    .await;
    let html = "<html><title>Gone</title>";
    check(
        answer("404 Not Found", "text/html", html),
        "Setup",
        1,
        "`token_uri`",
    )
    .await;
    check(json("200 OK", "{}"), "Unreadable", 1, "`token_uri`").await;
    check(
        json("200 OK", r#"{"access_token":"a\nb"}"#),
        "Unreadable",
        1,
        "no token",
    )
    .await;
    check(
        "HTTP/1.1 302 Found\r\nLocation: /login\r\n\r\n".to_owned(),
        "Setup",
        1,
        "redirects",
    )
    .await;
    let passing = r#"{"error":"internal_failure"}"#;
    check(json("400 Bad Request", passing), "Busy", 6, "next read").await;
    for status in [
        "408 Late", "429 Much", "500 No", "502 No", "503 No", "504 No",
    ] {
        check(answer(status, "text/html", html), "Busy", 6, "next read").await;
    }
    check(
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{".to_owned(),
        "Cut",
        3,
        "no whole answer",
    )
    .await;
}

#[tokio::test]
async fn a_failure_that_passes_is_not_remembered() {
    let google = Google::start(
        |heard, number| match number {
            0..6 => answer("503 No", "text/html", "<html>"),
            _ => token_for(3599)(heard, number),
        },
        ok,
    )
    .await;
    assert_eq!(kind(&google.login().await.unwrap_err()), "Busy");
    google.login().await.unwrap();
}

#[tokio::test]
async fn a_key_file_that_is_none_is_told_before_anybody_is_asked() {
    let google = Google::start(token_for(3599), ok).await;
    let path = google.folder.path().join("key.json");
    let check = async |piece: &str| {
        let fault = google.login().await.unwrap_err();
        assert_eq!(kind(&fault), "Key");
        let text = fault.to_string();
        let begin = "ask for a token: `key`";
        assert!(text.starts_with(begin) && text.contains(piece), "{text}");
    };
    std::fs::write(&path, "hunter2").unwrap();
    check("it is no JSON").await;
    let mut file = key_file("https://h/");
    file["client_email"] = SUBJECT.into();
    std::fs::write(&path, file.to_string()).unwrap();
    check("`subject` is the service account itself").await;
    std::fs::remove_file(&path).unwrap();
    check("must be readable").await;
    assert_eq!(google.counts(), (0, 0));
    // Mended, it is used at once.
    google.write_key("1");
    google.login().await.unwrap();
}

/// What an answer of the API is for who asks for a list and for who asks for one object, and how often it is asked for.
async fn check_call(said: String, list: &str, one: &str, times: usize) {
    let said_again = said.clone();
    let google = Google::start(token_for(3599), move |_, _| said_again.clone()).await;
    let fault = google.list().await.unwrap_err();
    let begin = format!("list users: GET http://{}/users ", google.address);
    assert!(fault.to_string().starts_with(&begin), "{fault}");
    assert_eq!(kind(&fault), list, "{said}: {fault}");
    assert_eq!(google.counts(), (1, times), "{said}");
    let fault = google.one().await.unwrap_err();
    assert_eq!(kind(&fault), one, "{said}: {fault}");
    assert_eq!(fault.is_of_one_object(), one == "Refused");
}

#[tokio::test]
async fn a_refusal_is_of_everything_or_of_one_object_by_its_reason() {
    async fn check(status: &str, reason: &str, message: &str, list: &str, one: &str) {
        check_call(refusal(status, reason, message), list, one, 1).await;
    }
    let forbidden = "403 Forbidden";
    check(forbidden, "accessNotConfigured", "m", "Setup", "Setup").await;
    check(forbidden, "domainCannotUseApis", "m", "Setup", "Setup").await;
    check(forbidden, "insufficientPermissions", "m", "Login", "Login").await;
    check(forbidden, "dailyLimitExceeded", "m", "Busy", "Busy").await;
    check(forbidden, "forbidden", "Not Authorized", "Login", "Refused").await;
    check(forbidden, "new", "m", "Login", "Refused").await;
    let not_found = "404 Not Found";
    check(not_found, "notFound", "Domain not found.", "Setup", "Setup").await;
    check(
        not_found,
        "notFound",
        "Resource Not Found: userKey",
        "Setup",
        "Refused",
    )
    .await;
    let bad = "400 Bad Request";
    check(
        bad,
        "badRequest",
        "Invalid Input: customer",
        "Setup",
        "Refused",
    )
    .await;
    check(bad, "new", "m", "Setup", "Refused").await;
    check(bad, "invalid", "Invalid Input: pageToken", "Cut", "Cut").await;
    check(bad, "new", "Page token expired", "Cut", "Cut").await;
}

#[tokio::test]
async fn a_refusal_that_is_not_known_says_what_google_said_and_what_to_check() {
    for (status, expect) in [("403 Forbidden", "Login"), ("400 Bad Request", "Setup")] {
        let said = refusal(status, "new", "of a@b.example");
        let google = Google::start(token_for(3599), move |_, _| said.clone()).await;
        let fault = google.list().await.unwrap_err();
        assert_eq!(kind(&fault), expect);
        let text = fault.to_string();
        let end = "saying `new` (of ***); check the role of `subject`, or";
        assert!(text.contains(end), "{text}");
    }
}

#[tokio::test]
async fn patience_is_asked_for_by_status_or_by_reason() {
    async fn check(said: String) {
        check_call(said, "Busy", "Busy", 6).await;
    }
    for reason in [
        "userRateLimitExceeded",
        "quotaExceeded",
        "rateLimitExceeded",
    ] {
        check(refusal("403 Forbidden", reason, "m")).await;
    }
    check(refusal("429 Too Many Requests", "rateLimitExceeded", "m")).await;
    let second = r#"{"error":{"code":403,"status":"RESOURCE_EXHAUSTED","message":"m"}}"#;
    check(json("403 Forbidden", second)).await;
    check(refusal("500 Internal Server Error", "backendError", "m")).await;
    check(refusal("503 Service Unavailable", "backendError", "m")).await;
    let html = "<html><title>Error 502 (Server Error)!!1</title>";
    for status in ["408 Late", "500 No", "502 Bad Gateway", "503 No", "504 No"] {
        check(answer(status, "text/html", html)).await;
    }
}

#[tokio::test]
async fn what_is_none_of_googles_answers_is_told_apart() {
    let html = "<html><title>Proxy</title>";
    for status in [
        "400 No",
        "403 Forbidden",
        "404 Not Found",
        "407 No",
        "410 No",
    ] {
        check_call(answer(status, "text/html", html), "Setup", "Setup", 1).await;
    }
    check_call(answer("200 OK", "text/html", html), "Setup", "Setup", 1).await;
    let found = "HTTP/1.1 302 Found\r\nLocation: /login\r\n\r\n".to_owned();
    check_call(found, "Setup", "Setup", 1).await;
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{".to_owned();
    check_call(cut, "Cut", "Cut", 3).await;
    let long = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{{",
        PAGE_MAX + 1
    );
    check_call(long, "Unreadable", "Unreadable", 1).await;
}

#[tokio::test]
async fn a_throttled_call_goes_on_when_it_may() {
    let google = Google::start(token_for(3599), |heard, number| match number {
        0..5 => refusal("403 Forbidden", "quotaExceeded", "m"),
        _ => ok(heard, number),
    })
    .await;
    let calls = google.calls();
    calls.list("list users", &["users"], &[]).await.unwrap();
    assert_eq!(google.counts(), (1, 6));
    assert_eq!(calls.requests(), 1);
    let waited = google.clock.monotonic();
    assert!(waited >= Duration::from_secs(15), "{waited:?}");
}

#[tokio::test]
async fn an_object_that_is_not_there_is_told_from_one_that_is_not_ours() {
    async fn check(said: String, expect: bool) {
        let google = Google::start(token_for(3599), move |_, _| said.clone()).await;
        let fault = google.one().await.unwrap_err();
        assert_eq!(fault.is_not_there(), expect, "{fault}");
    }
    check(refusal("404 Not Found", "notFound", "m"), true).await;
    let second = r#"{"error":{"code":404,"status":"NOT_FOUND","message":"m"}}"#;
    check(json("404 Not Found", second), true).await;
    check(refusal("403 Forbidden", "forbidden", "m"), false).await;
    check(answer("404 Not Found", "text/html", "<html>"), false).await;
}

#[tokio::test]
async fn nothing_of_an_assertion_or_a_token_is_shown_whoever_repeats_it() {
    let google = Google::start(
        |heard, number| {
            let body = serde_json::json!({"error": "x", "error_description": heard.assertion()});
            match number {
                0 => json("400 Bad Request", &body.to_string()),
                1 => answer(
                    "404 Not Found",
                    "text/html",
                    &format!("<html><title>{}</title>", heard.body),
                ),
                _ => token_for(3599)(heard, number),
            }
        },
        |heard, number| {
            let token = heard.header("authorization").unwrap();
            match number {
                0 => refusal("403 Forbidden", "new", token),
                1 => answer(
                    "404 Not Found",
                    "text/html",
                    &format!("<html><title>{token}</title>"),
                ),
                _ => refusal("401 Unauthorized", "authError", token),
            }
        },
    )
    .await;
    let mut shown = format!("{:?} {:?}", google.api, google.calls());
    for id in ["1", "2"] {
        google.write_key(id);
        shown += &google.login().await.unwrap_err().to_string();
    }
    google.write_key("3");
    for _ in 0..3 {
        shown += &google.list().await.unwrap_err().to_string();
    }
    assert_eq!(google.counts(), (4, 4));
    for hidden in ["eyJ", "ya29", "PRIVATE", ACCOUNT] {
        assert!(!shown.contains(hidden), "{hidden}: {shown}");
    }
}
