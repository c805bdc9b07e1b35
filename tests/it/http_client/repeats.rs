//! What is asked again, how often, and after which waits. Nobody sleeps: the clock leaps.

use usersyncd::pace::Rate;

use super::*;
use crate::support::leaping_clock::{FOR_EVER, LeapingClock};

fn leaping() -> (Http, Arc<LeapingClock>) {
    let clock = Arc::new(LeapingClock::new(NOW));
    let settings = Settings {
        timeout: FOR_EVER,
        ..settings()
    };
    (http_at(settings, &clock), clock)
}

fn seconds(sleeps: &[Duration]) -> Vec<u64> {
    sleeps.iter().map(Duration::as_secs).collect()
}

#[tokio::test]
async fn a_read_that_may_succeed_soon_is_repeated_after_growing_waits() {
    for failing in [
        "429 Too Many Requests",
        "502 Bad Gateway",
        "503 Busy",
        "504 Late",
        "cut",
    ] {
        let script = HttpScript::start(move |_, number| match (number, failing) {
            (2, _) => json("200 OK", "{}"),
            (_, "cut") => vec![Act::Close],
            _ => json(failing, "{}"),
        })
        .await;
        let (http, clock) = leaping();
        let answer = http.ask(get(&script.url("/"))).await.unwrap();
        assert_eq!(answer.status, StatusCode::OK, "{failing}");
        assert_eq!(script.heard().len(), 3, "{failing}");
        let sleeps = clock.sleeps();
        let [first, second] = sleeps[..] else {
            panic!("{sleeps:?}");
        };
        let half = Duration::from_millis(500);
        assert!((half..=2 * half).contains(&first), "{sleeps:?}");
        assert!((2 * half..=4 * half).contains(&second), "{sleeps:?}");
    }
}

#[tokio::test]
async fn after_the_third_time_the_end_stays() {
    let script = HttpScript::start(|_, _| json("503 Busy", "{\"a\":1}")).await;
    let (http, clock) = leaping();
    let answer = http.ask(get(&script.url("/"))).await.unwrap();
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.body, b"{\"a\":1}");
    assert_eq!((script.heard().len(), clock.sleeps().len()), (3, 2));

    let script = HttpScript::start(|_, _| vec![Act::Close]).await;
    let (http, clock) = leaping();
    check(http.ask(get(&script.url("/"))).await, "cut");
    assert_eq!((script.heard().len(), clock.sleeps().len()), (3, 2));

    let (http, clock) = leaping();
    check(http.ask(get("http://127.0.0.1:1/")).await, "unreachable");
    assert_eq!(clock.sleeps().len(), 2);
}

#[tokio::test]
async fn a_body_that_is_cut_is_asked_for_again_by_whoever_wants_it_whole() {
    let script = HttpScript::start(|_, number| match number {
        0 => {
            let half = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n{}".to_vec();
            vec![Act::Say(half), Act::Close]
        }
        _ => json("200 OK", "{  }"),
    })
    .await;
    let (http, _) = leaping();
    let answer = http.ask(get(&script.url("/"))).await.unwrap();
    assert_eq!(answer.body, b"{  }");
}

#[tokio::test]
async fn a_stream_is_asked_for_again_until_it_begins() {
    let script = HttpScript::start(|_, number| match number {
        0 => json("503 Busy", ""),
        1 => vec![Act::Close],
        _ => json("200 OK", "{}"),
    })
    .await;
    let (http, _) = leaping();
    let stream = http.open(get(&script.url("/"))).await.unwrap();
    assert_eq!(stream.whole().await.unwrap().body, b"{}");
    assert_eq!(script.heard().len(), 3);
}

#[tokio::test]
async fn what_would_end_the_same_way_is_not_asked_again() {
    for status in [
        "400 Bad",
        "401 Who",
        "403 No",
        "404 None",
        "409 There",
        "500 Oops",
    ] {
        let script = HttpScript::start(move |_, _| json(status, "{}")).await;
        let (http, clock) = leaping();
        http.ask(get(&script.url("/"))).await.unwrap();
        assert_eq!(script.heard().len(), 1, "{status}");
        assert!(clock.sleeps().is_empty());
    }
}

#[tokio::test]
async fn a_server_that_says_how_long_is_left_alone_for_so_long() {
    async fn check(retry_after: &'static str, status: &'static str, expect: &[u64]) {
        let script = HttpScript::start(move |_, number| match number {
            0 => {
                let head = format!(
                    "HTTP/1.1 {status}\r\nRetry-After: {retry_after}\r\nContent-Length: 0\r\n\r\n"
                );
                vec![Act::Say(head.into_bytes())]
            }
            _ => json("200 OK", "{}"),
        })
        .await;
        let (http, clock) = leaping();
        let answer = http.ask(get(&script.url("/"))).await.unwrap();
        assert_eq!(seconds(&clock.sleeps()), expect, "{retry_after}");
        let is_repeated = !expect.is_empty();
        assert_eq!(answer.status.is_success(), is_repeated, "{retry_after}");
    }
    check("7", "429 Too Many Requests", &[7]).await;
    check("60", "503 Busy", &[60]).await;
    check("Sun, 06 Nov 1994 08:50:07 GMT", "503 Busy", &[30]).await;
    // Nobody waits for an hour, and asking sooner is of no use.
    check("3600", "429 Too Many Requests", &[]).await;
}

#[tokio::test]
async fn who_is_told_to_wait_makes_everybody_wait() {
    let script = HttpScript::start(|_, number| match number {
        0 => {
            let head =
                "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 20\r\nContent-Length: 0\r\n\r\n";
            vec![Act::Say(head.as_bytes().to_vec())]
        }
        _ => json("200 OK", "{}"),
    })
    .await;
    let (http, clock) = leaping();
    let other = http.clone();
    // A write is not repeated, and it tells the others nevertheless.
    let answer = http.ask(post(&script.url("/"))).await.unwrap();
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(clock.sleeps().is_empty());
    other.ask(post(&script.url("/"))).await.unwrap();
    assert_eq!(seconds(&clock.sleeps()), [20]);
}

#[tokio::test]
async fn nobody_else_waits_longer_than_a_minute_whatever_the_server_says() {
    let script = HttpScript::start(|_, _| {
        let head = "HTTP/1.1 503 Busy\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n";
        vec![Act::Say(head.as_bytes().to_vec())]
    })
    .await;
    let (http, clock) = leaping();
    for _ in 0..2 {
        http.ask(get(&script.url("/"))).await.unwrap();
    }
    assert_eq!(seconds(&clock.sleeps()), [60]);
}

#[tokio::test]
async fn who_waits_to_ask_again_gives_its_place_to_others() {
    let script = HttpScript::start(|_, number| match number {
        0 => json("503 Busy", ""),
        _ => json("200 OK", "{}"),
    })
    .await;
    let clock = Arc::new(ManualClock::new(NOW));
    let settings = Settings {
        pace: pace(1),
        ..settings()
    };
    let http = http_at(settings, &clock);
    // The second comes when the first has its place already, and goes while the first waits: no time passes.
    let waiting = http.open(get(&script.url("/first")));
    let other = async {
        script.until_heard(1).await;
        http.ask(post(&script.url("/second"))).await.unwrap();
    };
    tokio::select! {
        _ = waiting => unreachable!("no time has passed"),
        () = other => {}
    }
}

#[tokio::test]
async fn every_time_counts_as_a_request_of_the_rate() {
    let script = HttpScript::start(|_, _| json("503 Busy", "")).await;
    let clock = Arc::new(LeapingClock::new(NOW));
    let one = std::num::NonZeroU32::MIN;
    let rate = Rate {
        count: one,
        per: Duration::from_secs(1),
        burst: one,
    };
    let shared = Arc::clone(&clock) as Arc<dyn Clock>;
    let settings = Settings {
        timeout: FOR_EVER,
        pace: Arc::new(Pace::new(Some(rate), 4, Arc::clone(&shared))),
        ..settings()
    };
    let http = Http::new(settings, shared).unwrap();
    for _ in 0..2 {
        http.ask(get(&script.url("/"))).await.unwrap();
    }
    assert_eq!(script.heard().len(), 6);
    assert!(clock.monotonic() >= Duration::from_secs(5));
}

/// The service's own words for patience.
fn says_slowly(answer: &Answer) -> bool {
    answer.status == StatusCode::FORBIDDEN && answer.body == b"slowly"
}

#[tokio::test]
async fn an_answer_may_ask_for_patience_in_words_that_only_the_service_has() {
    async fn check(answers: &'static [(&'static str, &'static str)], expect: (u16, usize)) {
        let script = HttpScript::start(move |_, number| {
            let (status, body) = answers[number.min(answers.len() - 1)];
            json(status, body)
        })
        .await;
        let (http, clock) = leaping();
        let request = Request {
            again: Again::Patiently {
                times: 5,
                is_busy: says_slowly,
            },
            ..post(&script.url("/"))
        };
        let answer = http.ask(request).await.unwrap();
        let found = (answer.status.as_u16(), script.heard().len());
        assert_eq!(found, expect, "{answers:?}");
        assert_eq!(clock.sleeps().len(), expect.1 - 1, "one wait for each time");
    }
    check(&[("403 No", "slowly"), ("200 OK", "")], (200, 2)).await;
    check(&[("403 No", "slowly")], (403, 5)).await;
    check(&[("403 No", "never")], (403, 1)).await;
    check(
        &[("503 Busy", ""), ("403 No", "slowly"), ("200 OK", "")],
        (200, 3),
    )
    .await;
}

#[tokio::test]
async fn a_wait_that_comes_with_such_words_is_kept_and_with_others_is_not() {
    let script = HttpScript::start(|_, number| {
        let begin = "HTTP/1.1 403 No\r\nRetry-After: 7\r\nContent-Length: 6\r\n\r\n";
        let body = if number == 0 { "slowly" } else { "never!" };
        vec![Act::Say(format!("{begin}{body}").into_bytes())]
    })
    .await;
    let (http, clock) = leaping();
    let request = Request {
        again: Again::Patiently {
            times: 5,
            is_busy: says_slowly,
        },
        ..get(&script.url("/"))
    };
    http.ask(request).await.unwrap();
    assert_eq!(seconds(&clock.sleeps()), [7]);
}
