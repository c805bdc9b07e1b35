//! What errors say, and what they never say.

use super::*;
use crate::support::http_script::{Heard, answer};

/// Everything that no error may show, in the forms in which a server may send it back.
const SECRETS: [&str; 4] = ["hunter2", "YXBwOmh1bnRlcjI=", "anna", "s3cret"];

#[tokio::test]
async fn a_refusal_names_the_operation_the_request_the_status_and_what_was_said() {
    async fn check(
        status: &'static str,
        content_type: &'static str,
        body: &'static str,
        expect: &str,
    ) {
        let script =
            HttpScript::start(move |_, _| answer(status, content_type, body.as_bytes())).await;
        let url = script.url("/rest/search?restriction=anna");
        let answer = http(settings()).ask(get(&url)).await.unwrap();
        let asked = format!("GET {}", script.url("/rest/search"));
        let refused = answer.refused("search users");
        assert_eq!(
            refused.to_string(),
            format!("search users: {asked} was answered with {expect}")
        );
        assert_eq!(word(&refused), "status");
    }
    check(
        "404 Not Found",
        "application/json",
        "{\"reason\":\r\n\"USER_NOT_FOUND\"}",
        "404 Not Found, saying: {\"reason\": \"USER_NOT_FOUND\"}",
    )
    .await;
    check(
        "403 Forbidden",
        "text/html",
        "<html><title>Forbidden (403)</title>",
        "403 Forbidden, saying: an HTML page, `Forbidden (403)`",
    )
    .await;
    check(
        "500 Oops",
        "",
        "",
        "500 Internal Server Error, without a word",
    )
    .await;
}

/// All that the server heard, as servers show it that were left in a mode for their developers.
fn echo(heard: &Heard) -> Vec<u8> {
    let body = String::from_utf8_lossy(&heard.body);
    format!("<html><title>{} hunter2 {body}</title>", heard.head).into_bytes()
}

#[tokio::test]
async fn no_error_shows_what_was_sent_even_if_the_server_does() {
    let password = SecretString::from("hunter2");
    let mut texts = Vec::new();
    for (status, content_type) in [
        ("500 Oops", "text/html"),
        ("500 Oops", "text/plain"),
        ("200 OK", "text/html"),
    ] {
        let script =
            HttpScript::start(move |heard, _| answer(status, content_type, &echo(heard))).await;
        let request = Request {
            login: Some(Login::Basic("app", &password)),
            body: Some(Body {
                content_type: "application/json",
                bytes: b"{\"value\":\"s3cret\"}".to_vec(),
                is_secret: false,
            }),
            ..post(&script.url("/authentication?username=anna"))
        };
        match http(settings()).ask(request).await {
            Ok(answer) => {
                texts.push(answer.refused("authenticate").to_string());
                texts.push(format!("{answer:?} {}", answer.excerpt()));
            }
            Err(error) => texts.push(format!("{error} {error:?}")),
        }
    }
    assert_eq!(texts.len(), 5);
    for text in &texts {
        for secret in SECRETS {
            assert!(!text.contains(secret), "{text}");
        }
    }
    assert!(texts[4].contains("***"), "{}", texts[4]);
}

#[tokio::test]
async fn no_failure_shows_what_was_sent() {
    let password = SecretString::from("hunter2");
    let hanging = HttpScript::start(|_, number| match number % 3 {
        0 => vec![Act::Close],
        1 => vec![Act::Say(b"no HTTP\r\n\r\n".to_vec()), Act::Close],
        _ => vec![Act::Hang],
    })
    .await;
    let quick = Settings {
        timeout: Duration::from_millis(100),
        ..settings()
    };
    let http = http(quick);
    let query = "/user?username=anna";
    for url in [
        hanging.url(query),
        hanging.url(query),
        hanging.url(query),
        format!("http://127.0.0.1:1{query}"),
        format!("https://{}{query}", hanging.address),
        format!("ftp://127.0.0.1{query}"),
        format!("http://no-such-host.invalid{query}"),
    ] {
        let request = Request {
            login: Some(Login::Basic("app", &password)),
            ..post(&url)
        };
        let error = http.ask(request).await.unwrap_err();
        let shown = format!("{error} {error:?} {http:?}");
        for secret in SECRETS {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert!(shown.starts_with("create a user: POST "), "{shown}");
    }
}
