//! The HTTP client against a server that says what no server should: an answer is whole or it is an error, a write is sent
//! once and its end is told truly, and no error shows what it must not. The server is a script over plain sockets.

mod bodies;
mod repeats;
mod routes;
mod texts;
mod writes;

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use usersyncd::clock::{Clock, ManualClock, SystemClock, Timestamp};
use usersyncd::http::{
    Again, Answer, Body, Http, HttpError, Login, Method, Request, Settings, StatusCode,
};
use usersyncd::pace::Pace;
use usersyncd::text::Span;

use crate::support::http_script::{Act, HttpScript, json};

const MIB: u64 = 1024 * 1024;
/// Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110.
const NOW: Timestamp = Timestamp(784_111_777);

/// So many requests at once.
fn pace(in_flight: usize) -> Arc<Pace> {
    Arc::new(Pace::new(None, in_flight, Arc::new(SystemClock::new())))
}

fn settings() -> Settings {
    Settings {
        ca: None,
        proxy: None,
        timeout: Duration::from_secs(30),
        pace: pace(4),
    }
}

fn http(settings: Settings) -> Http {
    Http::new(settings, Arc::new(SystemClock::new())).unwrap()
}

/// At a pace without a rate that keeps this clock's time too.
fn http_at(settings: Settings, clock: &Arc<impl Clock>) -> Http {
    let clock = Arc::clone(clock) as Arc<dyn Clock>;
    let pace = Pace::new(None, settings.pace.in_flight(), Arc::clone(&clock));
    let settings = Settings {
        pace: Arc::new(pace),
        ..settings
    };
    Http::new(settings, clock).unwrap()
}

fn get(url: &str) -> Request<'static> {
    Request {
        operation: "search users",
        method: Method::GET,
        again: Again::Reads,
        url: url.parse().unwrap(),
        login: None,
        accept: "application/json",
        body: None,
        limit: MIB,
    }
}

fn post(url: &str) -> Request<'static> {
    Request {
        operation: "create a user",
        method: Method::POST,
        body: Some(Body {
            content_type: "application/json",
            bytes: b"{\"name\":\"anna\"}".to_vec(),
            is_secret: false,
        }),
        ..get(url)
    }
}

/// The variant of an error.
fn word(error: &HttpError) -> &'static str {
    match error {
        HttpError::Unreachable(_) => "unreachable",
        HttpError::Cut(_) => "cut",
        HttpError::Redirected(_) => "redirected",
        HttpError::Html(_) => "html",
        HttpError::TooLarge(_) => "too large",
        HttpError::Status { .. } => "status",
    }
}

/// The text of an error of this kind; the test fails with any other end.
fn check(end: Result<Answer, HttpError>, expect: &str) -> String {
    let error = end.unwrap_err();
    assert_eq!(word(&error), expect, "{error}");
    error.to_string()
}

#[tokio::test]
async fn an_answer_of_any_status_is_an_answer_and_the_request_is_as_it_was_meant() {
    let script = HttpScript::start(|_, number| match number {
        0 => json("200 OK", "{}"),
        1 => json("201 Created", ""),
        _ => json("404 Not Found", "{\"reason\":\"USER_NOT_FOUND\"}"),
    })
    .await;
    let http = http(settings());
    let password = SecretString::from("pass");
    let request = Request {
        login: Some(Login::Basic("app", &password)),
        ..get(&script.url("/search?restriction=name%3Da%26b"))
    };
    let answer = http.ask(request).await.unwrap();
    assert_eq!(
        (answer.status, &answer.body[..], &answer.content_type[..]),
        (StatusCode::OK, &b"{}"[..], "application/json")
    );
    let answer = http.ask(post(&script.url("/user"))).await.unwrap();
    assert_eq!((answer.status, answer.body.len()), (StatusCode::CREATED, 0));
    let answer = http.ask(get(&script.url("/user"))).await.unwrap();
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(answer.body, b"{\"reason\":\"USER_NOT_FOUND\"}");

    let heard = script.heard();
    let line = heard[0].head.lines().next();
    assert_eq!(line, Some("GET /search?restriction=name%3Da%26b HTTP/1.1"));
    let head = heard[0].head.to_ascii_lowercase();
    for header in [
        "accept: application/json\r\n",
        "authorization: basic yxbwonbhc3m=\r\n",
        concat!("user-agent: usersyncd/", env!("CARGO_PKG_VERSION"), "\r\n"),
        "accept-encoding: gzip\r\n",
    ] {
        assert!(head.contains(header), "{head}");
    }
    assert_eq!(heard[1].body, b"{\"name\":\"anna\"}");
    let head = heard[1].head.to_ascii_lowercase();
    assert!(
        head.contains("content-type: application/json\r\n"),
        "{head}"
    );
    assert!(!head.contains("authorization"), "{head}");
}

#[tokio::test]
async fn reads_use_connections_again() {
    let script = HttpScript::start(|_, _| json("200 OK", "{}")).await;
    let http = http(settings());
    for _ in 0..3 {
        http.ask(get(&script.url("/"))).await.unwrap();
    }
    let connections: Vec<usize> = script.heard().iter().map(|it| it.connection).collect();
    assert_eq!(connections, [0, 0, 0]);
}

#[tokio::test]
async fn no_more_are_under_way_than_may_be() {
    let script = HttpScript::start(|_, _| vec![Act::Hang]).await;
    let clock = Arc::new(ManualClock::new(NOW));
    let http = http_at(
        Settings {
            pace: pace(2),
            ..settings()
        },
        &clock,
    );
    let three = futures_util::future::join_all((0..3).map(|_| http.ask(post(&script.url("/")))));
    let watch = async {
        script.until_heard(2).await;
        // The third waits for a place; only the time-out of the others gives it one.
        assert_eq!((script.heard().len(), clock.sleepers()), (2, 2));
        clock.advance(Span::seconds(60));
        script.until_heard(3).await;
        clock.advance(Span::seconds(60));
    };
    let (ends, ()) = tokio::join!(three, watch);
    for end in ends {
        check(end, "cut");
    }
}
