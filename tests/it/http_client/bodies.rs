//! Whole, or an error: bodies that are cut, too long, packed, of the wrong kind, or that do not come.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;
use crate::support::http_script::answer;

/// What the server of one test says after a head without an end of its own.
fn head(headers: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{headers}\r\n\r\n").into_bytes()
}

fn packed(text: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(text).unwrap();
    packer.finish().unwrap()
}

/// What becomes of a write (which is not repeated) to which the server says this and ends the connection.
async fn end_of(said: &[&[u8]]) -> Result<Answer, HttpError> {
    let said = said.concat();
    let script = HttpScript::start(move |_, _| vec![Act::Say(said.clone()), Act::Close]).await;
    http(settings()).ask(post(&script.url("/"))).await
}

#[tokio::test]
async fn a_body_that_ends_before_its_end_is_cut() {
    for said in [
        &[&head("Content-Length: 10")[..], b"{}"][..],
        &[&head("Transfer-Encoding: chunked"), b"2\r\n{}\r\n"],
        &[&head("Transfer-Encoding: chunked"), b"a\r\n{}"],
        &[&head("Transfer-Encoding: chunked"), b"2\r\n{}\r\n0\r\n"],
        &[&head("Content-Length: 2")[..50]],
        &[b"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\n{}"],
        &[b""],
    ] {
        let text = check(end_of(said).await, "cut");
        let expect = "got no whole answer: ";
        assert!(text.contains(expect), "{text}");
    }
}

#[tokio::test]
async fn broken_framing_is_an_error_and_never_a_shorter_answer() {
    for said in [
        &[b"220 mail.example.com ESMTP\r\n".as_slice()][..],
        &[b"\x15\x03\x03\x00\x02\x02\x46"],
        &[b"HTTP/1.1 abc OK\r\n\r\n"],
        &[
            &head("Transfer-Encoding: chunked"),
            b"zz\r\n{}\r\n0\r\n\r\n",
        ],
        &[&head("Transfer-Encoding: chunked"), b"2\r\n{}xx0\r\n\r\n"],
        &[&head("Content-Length: -1"), b"{}"],
        &[&head("Content-Length: 2\r\nContent-Length: 3"), b"{}"],
    ] {
        check(end_of(said).await, "cut");
    }
}

#[tokio::test]
async fn a_body_of_two_chunks_is_one_answer() {
    let said = [
        &head("Transfer-Encoding: chunked")[..],
        b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
    ];
    assert_eq!(end_of(&said).await.unwrap().body, b"{}");
}

#[tokio::test]
async fn a_packed_body_is_unpacked_and_a_packed_body_that_is_cut_is_cut() {
    let text = b"{\"users\":[]}".repeat(1_000);
    let packed = packed(&text);
    let all = head(&format!(
        "Content-Encoding: gzip\r\nContent-Length: {}",
        packed.len()
    ));
    assert_eq!(end_of(&[&all, &packed]).await.unwrap().body, text);

    let half = &packed[..packed.len() / 2];
    // Its framing says that it is whole, only the packing tells.
    let whole = head(&format!(
        "Content-Encoding: gzip\r\nContent-Length: {}",
        half.len()
    ));
    check(end_of(&[&whole, half]).await, "cut");
    let open = head("Content-Encoding: gzip\r\nConnection: close");
    check(end_of(&[&open, half]).await, "cut");
    check(end_of(&[&all, b"no gzip at all"]).await, "cut");
}

#[tokio::test]
async fn what_is_longer_than_the_limit_is_not_taken() {
    // Two gigabytes, as the server says beforehand, or as it turns out.
    for framing in ["Content-Length: 2147483648", "Connection: close"] {
        let said = head(framing);
        let script = HttpScript::start(move |_, _| {
            vec![Act::Say(said.clone()), Act::SayOn(vec![b' '; 64 * 1024])]
        })
        .await;
        let end = http(settings()).ask(get(&script.url("/"))).await;
        let text = check(end, "too large");
        assert!(text.contains("more than 1048576 bytes"), "{text}");
        // What the system holds for a connection in both directions is all that there was.
        assert!(script.said() < 32 * 1024 * 1024, "{}", script.said());
        assert_eq!(script.heard().len(), 1);
    }
}

#[tokio::test]
async fn the_limit_counts_what_is_unpacked_and_allows_what_it_says() {
    let bomb = packed(&vec![b' '; 64 * MIB as usize]);
    assert!(bomb.len() < 100_000);
    let said = head(&format!(
        "Content-Encoding: gzip\r\nContent-Length: {}",
        bomb.len()
    ));
    check(end_of(&[&said, &bomb]).await, "too large");

    for (length, is_taken) in [(MIB, true), (MIB + 1, false)] {
        let body = vec![b' '; length as usize];
        let said = head(&format!("Content-Length: {length}"));
        let end = end_of(&[&said, &body]).await;
        assert_eq!(end.is_ok(), is_taken, "{length}");
        let said = head("Connection: close");
        let end = end_of(&[&said, &body]).await;
        assert_eq!(end.is_ok(), is_taken, "{length}");
    }
}

#[tokio::test]
async fn of_a_refusal_the_beginning_is_enough() {
    let script = HttpScript::start(|_, _| {
        let head = b"HTTP/1.1 500 Internal Server Error\r\n\r\n".to_vec();
        vec![Act::Say(head), Act::SayOn(b"sorry ".repeat(1_000))]
    })
    .await;
    let request = Request {
        limit: 10,
        ..get(&script.url("/"))
    };
    let answer = http(settings()).ask(request).await.unwrap();
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.body.len(), 64 * 1024);
}

#[tokio::test]
async fn a_success_that_is_a_page_is_an_error_with_its_title_and_a_refusal_is_an_answer() {
    let page = b"<!DOCTYPE html><title>Log in - Crowd</title>";
    for (content_type, expect) in [
        ("text/html;charset=UTF-8", "html"),
        ("application/json", "html"),
    ] {
        let script = HttpScript::start(move |_, _| answer("200 OK", content_type, page)).await;
        let http = http(settings());
        let text = check(http.ask(get(&script.url("/"))).await, expect);
        assert!(text.contains("an HTML page, `Log in - Crowd`"), "{text}");
        let mut stream = http.open(get(&script.url("/"))).await.unwrap();
        assert_eq!(word(&stream.chunk().await.unwrap_err()), expect);
        assert_eq!(script.heard().len(), 2, "it is not asked again");
    }
    let script = HttpScript::start(move |_, _| answer("403 Forbidden", "text/html", page)).await;
    let refused = http(settings()).ask(get(&script.url("/"))).await.unwrap();
    assert!(refused.is_html());
    assert_eq!(refused.excerpt(), "an HTML page, `Log in - Crowd`");
    // Servers name a media type for nothing, too.
    let script = HttpScript::start(|_, _| answer("201 Created", "text/html", b"")).await;
    http(settings()).ask(post(&script.url("/"))).await.unwrap();
}

#[tokio::test]
async fn a_stream_gives_what_has_come_and_then_its_end_or_its_error() {
    let said = [head("Transfer-Encoding: chunked"), b"2\r\n{}\r\n".to_vec()].concat();
    let script = HttpScript::start(move |_, number| {
        let rest: &[u8] = if number == 0 { b"0\r\n\r\n" } else { b"zz" };
        vec![Act::Say(said.clone()), Act::Say(rest.to_vec()), Act::Close]
    })
    .await;
    let http = http(settings());
    let mut stream = http.open(get(&script.url("/"))).await.unwrap();
    assert_eq!(stream.chunk().await.unwrap().unwrap(), b"{}".as_slice());
    assert_eq!(stream.chunk().await.unwrap(), None);
    let mut stream = http.open(get(&script.url("/"))).await.unwrap();
    assert_eq!(stream.chunk().await.unwrap().unwrap(), b"{}".as_slice());
    assert_eq!(word(&stream.chunk().await.unwrap_err()), "cut");
}

#[tokio::test]
async fn a_silent_server_is_not_waited_for() {
    let clock = Arc::new(ManualClock::new(NOW));
    let begun = [head("Content-Length: 10"), b"{".to_vec()].concat();
    let script = HttpScript::start(move |_, number| match number {
        0 => vec![Act::Hang],
        _ => vec![Act::Say(begun.clone()), Act::Hang],
    })
    .await;
    let http = http_at(settings(), &clock);
    let silence = async {
        script.until_heard(1).await;
        clock.advance(Span::seconds(59));
        tokio::task::yield_now().await;
        assert_eq!(clock.sleepers(), 1);
        clock.advance(Span::seconds(1));
    };
    let (end, ()) = tokio::join!(http.ask(post(&script.url("/"))), silence);
    let text = check(end, "cut");
    assert!(text.contains("silent for 60 s"), "{text}");

    let mut stream = http.open(post(&script.url("/"))).await.unwrap();
    assert_eq!(stream.chunk().await.unwrap().unwrap(), b"{".as_slice());
    let silence = async { clock.advance(Span::seconds(30)) };
    let (end, ()) = tokio::join!(stream.chunk(), silence);
    let error = end.unwrap_err();
    assert_eq!(word(&error), "cut");
    assert!(error.to_string().contains("silent for 30 s"), "{error}");
}
