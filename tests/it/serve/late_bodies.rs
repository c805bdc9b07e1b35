//! Clients send the head of a request, and its body a little later: an answer that needs no body must reach them all the same.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use usersyncd::clock::SystemClock;

use crate::support::serving::{Ask, CLIENT, Serving, hear, settings, start, start_empty, talk};

/// Sends the head, and once the server has had time to answer, the body. The connection must be good for another request.
async fn check(serving: &Serving, ask: &Ask, status: u16) {
    let mut stream = TcpStream::connect(serving.address).await.unwrap();
    let bytes = ask.bytes();
    let head = bytes.windows(4).position(|it| it == b"\r\n\r\n").unwrap() + 4;
    stream.write_all(&bytes[..head]).await.unwrap();
    let _ = tokio::time::timeout(Duration::from_millis(200), std::future::pending::<()>()).await;
    stream.write_all(&bytes[head..]).await.unwrap();
    let got = hear(&mut stream).await.expect("an answer");
    assert_eq!(got.status, status, "{ask:?}");
    let cookie = talk(&mut stream, &Ask::get("/config/cookie")).await;
    assert_eq!(cookie.status, 200, "{ask:?}");
}

#[tokio::test]
async fn a_refusal_reaches_a_client_that_still_sends() {
    let serving = start().await;
    let body = br#"{"name":"new"}"#;
    let json = |ask: Ask| ask.send("application/json", body.as_slice());
    check(&serving, &json(Ask::new("POST", "/user")), 403).await;
    check(&serving, &json(Ask::new("PUT", "/user?username=ada")), 403).await;
    check(&serving, &json(Ask::new("POST", "/nothing")), 404).await;
    let stranger = Ask::new("POST", "/authentication?username=ada").login(CLIENT, "wrong");
    check(&serving, &json(stranger), 401).await;
    let form = Ask::new("POST", "/authentication?username=ada");
    let form = form.send("application/x-www-form-urlencoded", body.as_slice());
    check(&serving, &form, 415).await;
}

#[tokio::test]
async fn a_server_without_a_set_says_so_to_whoever_logs_in() {
    let serving = start_empty(settings(), Arc::new(SystemClock::new())).await;
    let login = Ask::new("POST", "/authentication?username=ada");
    let login = login.send("application/json", br#"{"value":"right"}"#.as_slice());
    check(&serving, &login, 503).await;
}
