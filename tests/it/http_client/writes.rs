//! A write is sent once, and what is said of it is true: not done, or nobody knows.

use super::*;
use crate::support::raw::{self, Swallowing};

#[tokio::test]
async fn a_write_is_sent_once_whatever_becomes_of_it() {
    for failing in ["429 Busy", "502 Bad", "503 Busy", "504 Late", "cut"] {
        let script = HttpScript::start(move |_, _| match failing {
            "cut" => vec![Act::Close],
            status => json(status, "{}"),
        })
        .await;
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
            let before = script.heard().len();
            let request = Request {
                method: method.clone(),
                ..post(&script.url("/"))
            };
            let end = http(settings()).ask(request).await;
            assert_eq!(end.is_ok(), failing != "cut", "{method} {failing}");
            assert_eq!(script.heard().len(), before + 1, "{method} {failing}");
        }
    }
}

#[tokio::test]
async fn a_write_that_was_heard_and_not_answered_is_cut() {
    let script = HttpScript::start(|_, _| vec![Act::Close]).await;
    let text = check(
        http(settings()).ask(post(&script.url("/user"))).await,
        "cut",
    );
    let expect = format!(
        "create a user: POST {} got no whole answer: the connection ended before the answer did",
        script.url("/user")
    );
    assert_eq!(text, expect);
}

#[tokio::test]
async fn a_write_without_a_connection_was_not_done() {
    let refused = post("http://127.0.0.1:1/user?username=anna");
    let text = check(http(settings()).ask(refused).await, "unreachable");
    assert!(
        text.contains("is it running, and is the port right?"),
        "{text}"
    );

    let nowhere = post("http://no-such-host.invalid/");
    let text = check(http(settings()).ask(nowhere).await, "unreachable");
    assert!(text.contains("is the host name in the URL right"), "{text}");

    let swallowing = Swallowing::start().await;
    let quick = Settings {
        timeout: Duration::from_millis(200),
        ..settings()
    };
    let url = format!("http://{}/", swallowing.address());
    let text = check(http(quick).ask(post(&url)).await, "unreachable");
    assert!(text.contains("no connection came about in time"), "{text}");
}

#[tokio::test]
async fn a_write_to_a_server_that_hangs_up_at_once_is_sent_once_at_most() {
    let address = raw::start(|client| async { drop(client) }).await;
    let error = http(settings())
        .ask(post(&format!("http://{address}/")))
        .await
        .unwrap_err();
    // Which of the two came first, its hanging up or our request, is chance; either is told truly.
    assert!(matches!(word(&error), "unreachable" | "cut"), "{error}");
}

#[tokio::test]
async fn writes_use_connections_again_and_none_that_a_read_left() {
    let script = HttpScript::start(|_, _| json("200 OK", "{}")).await;
    let http = http(settings());
    http.ask(get(&script.url("/"))).await.unwrap();
    for _ in 0..3 {
        http.ask(post(&script.url("/"))).await.unwrap();
    }
    let connections: Vec<usize> = script.heard().iter().map(|it| it.connection).collect();
    assert_eq!(connections, [0, 1, 1, 1]);
}

#[tokio::test]
async fn a_write_that_meets_a_connection_as_the_server_closes_it_is_sent_once() {
    // After each answer the connection could be used again, and is closed without a word.
    let script = HttpScript::start(|_, _| {
        let mut acts = json("200 OK", "{}");
        acts.push(Act::Close);
        acts
    })
    .await;
    let http = http(settings());
    let mut done = 0;
    for _ in 0..50 {
        match http.ask(post(&script.url("/"))).await {
            Ok(_) => done += 1,
            // It was sent into the closing: nobody knows, and it is not sent again.
            Err(error) => assert_eq!(word(&error), "cut", "{error}"),
        }
    }
    assert!(done >= 25, "most find a connection: {done}");
    assert_eq!(script.heard().len(), done, "each was sent once");
}

#[tokio::test]
async fn who_drops_a_request_or_an_answer_frees_its_place() {
    let script = HttpScript::start(|_, number| match number {
        0 => vec![Act::Hang],
        1 => {
            let head = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
            vec![Act::Say(head), Act::SayOn(b"and so on ".repeat(1_000))]
        }
        _ => json("200 OK", "{}"),
    })
    .await;
    let http = http(Settings {
        pace: pace(1),
        ..settings()
    });
    tokio::select! {
        _ = http.ask(post(&script.url("/"))) => unreachable!("nobody answers"),
        () = script.until_heard(1) => {}
    }
    let mut endless = http.open(get(&script.url("/"))).await.unwrap();
    endless.chunk().await.unwrap();
    drop(endless);
    http.ask(post(&script.url("/"))).await.unwrap();
}
