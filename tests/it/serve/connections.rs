//! Clients that keep a server waiting, and more of them than it can have; and how it stops.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use usersyncd::clock::{ManualClock, Timestamp};
use usersyncd::serve::Settings;
use usersyncd::text::Span;

use crate::support::certificates;
use crate::support::serving::{self, Ask, Citizen, ENTRY, Serving, Town, company, settings};

struct Slow {
    clock: Arc<ManualClock>,
    serving: Serving,
}

async fn slow(settings: Settings) -> Slow {
    let clock = Arc::new(ManualClock::new(Timestamp(0)));
    let serving = serving::start_empty(settings, clock.clone()).await;
    serving.sets.publish(ENTRY, company().image());
    Slow { clock, serving }
}

impl Slow {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.serving.address).await.unwrap()
    }

    /// Lets time pass second by second, so that whoever looks at the clock does so each second.
    async fn pass(&self, seconds: u32) {
        for _ in 0..seconds {
            settle().await;
            self.clock.advance(Span::seconds(1));
        }
        settle().await;
    }

    /// Waits until so many sleep on the clock: then the server has got as far as it can.
    async fn until_watched(&self, sleepers: usize) {
        for _ in 0..1_000 {
            if self.clock.sleepers() >= sleepers {
                return;
            }
            settle().await;
        }
        panic!("{} sleep, not {sleepers}", self.clock.sleepers());
    }
}

/// Gives the server's tasks, and the system's sockets, a moment.
async fn settle() {
    let _ = tokio::time::timeout(Duration::from_millis(5), std::future::pending::<()>()).await;
}

/// Whether the server has closed the connection.
async fn is_closed(stream: &mut TcpStream) -> bool {
    let mut rest = [0; 1024];
    let read = tokio::time::timeout(Duration::from_millis(300), stream.read(&mut rest));
    matches!(read.await, Ok(Ok(0) | Err(_)))
}

#[tokio::test]
async fn a_head_that_drips_is_cut_off_in_ten_seconds() {
    let slow = slow(settings()).await;
    let mut stream = slow.connect().await;
    stream
        .write_all(b"GET /rest/usermanagement/1/event HTTP/1.1\r\n")
        .await
        .unwrap();
    slow.until_watched(1).await;
    slow.pass(9).await;
    stream.write_all(b"X: y\r\n").await.unwrap();
    assert!(!is_closed(&mut stream).await);
    slow.pass(2).await;
    assert!(is_closed(&mut stream).await);
}

#[tokio::test]
async fn a_silent_connection_is_closed_in_a_minute_and_a_used_one_a_minute_after() {
    let slow = slow(settings()).await;
    let mut silent = slow.connect().await;
    let mut used = slow.connect().await;
    slow.until_watched(2).await;
    slow.pass(50).await;
    assert_eq!(
        serving::talk(&mut used, &Ask::get("/event")).await.status,
        200
    );
    slow.pass(11).await;
    assert!(is_closed(&mut silent).await);
    assert_eq!(
        serving::talk(&mut used, &Ask::get("/event")).await.status,
        200
    );
    slow.pass(61).await;
    assert!(is_closed(&mut used).await);
}

#[tokio::test]
async fn a_body_that_drips_is_cut_off_in_ten_seconds() {
    let slow = slow(settings()).await;
    let mut stream = slow.connect().await;
    let ask = Ask::new("POST", "/authentication?username=ada");
    let ask = ask
        .header("Content-Type", "application/json")
        .header("Content-Length", "20");
    stream.write_all(&ask.bytes()).await.unwrap();
    stream.write_all(b"{\"value\"").await.unwrap();
    slow.until_watched(2).await;
    slow.pass(9).await;
    stream.write_all(b":").await.unwrap();
    slow.pass(2).await;
    let got = serving::hear(&mut stream).await.unwrap();
    assert_eq!(got.status, 408);
    assert!(slow.serving.vault.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_answer_that_is_not_taken_is_cut_off() {
    let slow = slow(settings()).await;
    let many = (0..60_000).fold(Town::default(), |town, at| {
        town.user(Citizen::new(&format!("user{at:05}"), &format!("1:{at}")))
    });
    slow.serving.sets.publish(ENTRY, many.image());
    let mut stream = slow.connect().await;
    let ask = Ask::get("/search?entity-type=user&expand=user&max-results=-1");
    stream.write_all(&ask.bytes()).await.unwrap();
    slow.until_watched(1).await;
    slow.pass(20).await;
    // It takes a little in between.
    let mut some = vec![0; 4 * 1024 * 1024];
    stream.read_exact(&mut some).await.unwrap();
    slow.pass(20).await;
    stream.read_exact(&mut some).await.unwrap();
    // As long as it takes to make what the system has room for again.
    let _ = tokio::time::timeout(Duration::from_secs(2), std::future::pending::<()>()).await;
    for _ in 0..300 {
        if slow.clock.sleepers() > 0 {
            slow.pass(1).await;
        }
    }
    assert_eq!(slow.clock.sleepers(), 0, "the connection is still there");
    // What the system had taken is there still; then the end, before the document's.
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert!(!rest.ends_with(b"0\r\n\r\n"));
}

#[tokio::test]
async fn a_handshake_that_does_not_come_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    certificates::write(folder.path(), &["localhost"]);
    let slow = slow(serving::secured(folder.path())).await;
    let mut stream = slow.connect().await;
    stream.write_all(b"\x16\x03\x01").await.unwrap();
    // One of them looks at the certificate.
    slow.until_watched(2).await;
    slow.pass(9).await;
    assert!(!is_closed(&mut stream).await);
    slow.pass(1).await;
    assert!(is_closed(&mut stream).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifteen_hundred_silent_connections_keep_nobody_out() {
    let serving = serving::start().await;
    let mut client = TcpStream::connect(serving.address).await.unwrap();
    assert_eq!(
        serving::talk(&mut client, &Ask::get("/event")).await.status,
        200
    );
    let mut silent = Vec::new();
    for at in 0..1_500 {
        let mut stream = TcpStream::connect(serving.address).await.unwrap();
        if at % 2 == 0 {
            stream.write_all(b"GET /rest/").await.unwrap();
        }
        silent.push(stream);
    }
    // One that is there already goes on, and others come in.
    assert_eq!(
        serving::talk(&mut client, &Ask::get("/event")).await.status,
        200
    );
    for _ in 0..20 {
        assert_eq!(serving.get("/user?username=ada").await.status, 200);
    }
    // The share of one address is what is left open.
    let mut open = 0;
    for stream in &mut silent {
        let mut byte = [0];
        let read = tokio::time::timeout(Duration::from_millis(1), stream.read(&mut byte));
        open += usize::from(read.await.is_err());
    }
    assert!((200..=256).contains(&open), "{open}");
}

#[tokio::test]
async fn strangers_whose_bodies_do_not_come_keep_nobody_out() {
    let slow = slow(settings()).await;
    let mut held = Vec::new();
    for _ in 0..300 {
        let mut stream = slow.connect().await;
        let ask = Ask::outside("POST", &format!("{}/user", serving::API));
        let ask = ask.header("Content-Length", "20");
        stream.write_all(&ask.bytes()).await.unwrap();
        held.push(stream);
    }
    // No time passes, so every one of them is still waited for.
    assert_eq!(slow.serving.get("/user?username=ada").await.status, 200);
}

#[tokio::test]
async fn requests_in_hand_are_finished_before_it_stops() {
    let clock = Arc::new(usersyncd::clock::SystemClock::new());
    let mut serving = serving::start_empty(settings(), clock).await;
    let many = (0..30_000).fold(Town::default(), |town, at| {
        town.user(Citizen::new(&format!("user{at:05}"), &format!("1:{at}")))
    });
    serving.sets.publish(ENTRY, many.image());
    let mut idle = TcpStream::connect(serving.address).await.unwrap();
    assert_eq!(
        serving::talk(&mut idle, &Ask::get("/event")).await.status,
        200
    );
    let mut busy = TcpStream::connect(serving.address).await.unwrap();
    let ask = Ask::get("/search?entity-type=user&expand=user&max-results=-1").json();
    busy.write_all(&ask.bytes()).await.unwrap();
    let mut first = [0; 1];
    busy.peek(&mut first).await.unwrap();
    serving.stop.cancel();
    let got = serving::hear(&mut busy).await.unwrap();
    assert_eq!(got.json()["users"].as_array().unwrap().len(), 30_000);
    (&mut serving.running).await.unwrap();
    assert!(is_closed(&mut idle).await);
    assert!(TcpStream::connect(serving.address).await.is_err());
}

#[tokio::test]
async fn whoever_does_not_finish_is_not_waited_for() {
    let slow = slow(settings()).await;
    let mut stream = slow.connect().await;
    let ask = Ask::new("POST", "/authentication?username=ada");
    let ask = ask
        .header("Content-Type", "application/json")
        .header("Content-Length", "20");
    stream.write_all(&ask.bytes()).await.unwrap();
    slow.until_watched(2).await;
    slow.serving.stop.cancel();
    slow.pass(4).await;
    assert!(!slow.serving.running.is_finished());
    slow.pass(2).await;
    assert!(slow.serving.running.is_finished());
}

#[tokio::test]
async fn a_connection_serves_one_request_after_another() {
    let serving = serving::start().await;
    let mut stream = TcpStream::connect(serving.address).await.unwrap();
    for path in [
        "/user?username=ada",
        "/group/membership",
        "/user?username=nobody",
        "/event",
    ] {
        let got = serving::talk(&mut stream, &Ask::get(path)).await;
        assert_eq!(got.text(), serving.get(path).await.text(), "{path}");
    }
    // Two at once come back in their order.
    let both = [
        Ask::get("/user?username=ada").bytes(),
        Ask::get("/user?username=nobody").bytes(),
    ];
    stream.write_all(&both.concat()).await.unwrap();
    let mut answers = String::new();
    while answers.matches("HTTP/1.1 ").count() < 2 {
        let mut some = [0; 4096];
        let read = stream.read(&mut some).await.unwrap();
        answers += std::str::from_utf8(&some[..read]).unwrap();
    }
    let (first, second) = (answers.find("HTTP/1.1 200"), answers.find("HTTP/1.1 404"));
    assert!(first < second && first.is_some(), "{answers}");
}
