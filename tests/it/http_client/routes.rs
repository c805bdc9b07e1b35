//! The way to the server: certificates, proxies, and no way round.

use std::path::Path;

use tokio::io::AsyncWriteExt as _;

use super::*;
use crate::support::http_script::Heard;
use crate::support::raw;
use crate::support::tls_script::Identity;

fn trusting(identity: &Identity, folder: &Path) -> Settings {
    let ca = folder.join("ca.pem");
    identity.write_authority(&ca);
    Settings {
        ca: Some(ca),
        ..settings()
    }
}

fn fine(_: &Heard, _: usize) -> Vec<Act> {
    json("200 OK", "{}")
}

#[tokio::test]
async fn a_private_authority_is_trusted_when_it_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let identity = Identity::new(&["127.0.0.1"], |_| ());
    let script = HttpScript::start_tls(identity.config(), fine).await;
    let trusting = http(trusting(&identity, folder.path()));
    for request in [get(&script.url("/")), post(&script.url("/"))] {
        trusting.ask(request).await.unwrap();
    }
    let text = check(
        http(settings()).ask(post(&script.url("/"))).await,
        "unreachable",
    );
    assert!(text.contains("is not trusted: no authority"), "{text}");
    assert_eq!(script.heard().len(), 2);
}

#[tokio::test]
async fn a_certificate_for_another_name_is_told_with_the_name() {
    let folder = tempfile::tempdir().unwrap();
    let identity = Identity::new(&["crowd.example.com"], |_| ());
    let script = HttpScript::start_tls(identity.config(), fine).await;
    let http = http(trusting(&identity, folder.path()));
    let text = check(http.ask(post(&script.url("/"))).await, "unreachable");
    assert!(
        text.contains("made for `crowd.example.com`, not for `127.0.0.1`"),
        "{text}"
    );
}

#[tokio::test]
async fn a_server_that_demands_a_certificate_has_heard_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let identity = Identity::new(&["127.0.0.1"], |_| ());
    let script = HttpScript::start_tls(identity.config_demanding(), fine).await;
    let http = http(trusting(&identity, folder.path()));
    let error = http.ask(post(&script.url("/"))).await.unwrap_err();
    // The alert can be lost when the connection ends under it.
    if word(&error) == "unreachable" {
        assert!(
            error.to_string().contains("demand a certificate"),
            "{error}"
        );
    }
    assert_eq!(script.heard().len(), 0);
}

#[tokio::test]
async fn the_wrong_one_of_http_and_https_is_recognised() {
    let folder = tempfile::tempdir().unwrap();
    let identity = Identity::new(&["127.0.0.1"], |_| ());
    let plain = raw::start(|mut client| async move {
        raw::hear(&mut client).await;
        let bad = client.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        bad.unwrap();
    })
    .await;
    let wrong = format!("https://{plain}/");
    let text = check(http(settings()).ask(post(&wrong)).await, "unreachable");
    assert!(text.contains("does this port speak `https://`?"), "{text}");

    let secured = HttpScript::start_tls(identity.config(), fine).await;
    let wrong = format!("http://{}/", secured.address);
    let http = http(trusting(&identity, folder.path()));
    let text = check(http.ask(post(&wrong)).await, "cut");
    assert!(
        text.contains("are the port and `http://` or `https://` right?"),
        "{text}"
    );
}

#[tokio::test]
async fn a_file_that_holds_no_certificate_is_refused_before_anybody_is_asked() {
    let settings = Settings {
        ca: Some("/nowhere/ca.pem".into()),
        ..settings()
    };
    let fault = Http::new(settings, Arc::new(SystemClock::new())).unwrap_err();
    assert!(fault.to_string().contains("/nowhere/ca.pem"), "{fault}");
}

#[tokio::test]
async fn a_redirect_is_refused_and_named_without_its_query() {
    let elsewhere = HttpScript::start(fine).await;
    let to = elsewhere.url("/login?os_destination=anna");
    for status in [
        "301 Moved",
        "302 Found",
        "303 Other",
        "307 There",
        "308 There",
    ] {
        let to = to.clone();
        let script = HttpScript::start(move |_, _| {
            let head = format!("HTTP/1.1 {status}\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n");
            vec![Act::Say(head.into_bytes())]
        })
        .await;
        for request in [get(&script.url("/rest")), post(&script.url("/rest"))] {
            let text = check(http(settings()).ask(request).await, "redirected");
            let named = format!("leads to {};", elsewhere.url("/login"));
            assert!(text.contains(&named), "{text}");
            assert!(!text.contains("anna"), "{text}");
        }
        assert_eq!(script.heard().len(), 2);
    }
    assert_eq!(elsewhere.heard().len(), 0);
}

#[tokio::test]
async fn a_redirect_to_another_path_or_nowhere_is_told_too() {
    let script = HttpScript::start(|_, number| {
        let to = if number == 0 {
            "Location: /login\r\n"
        } else {
            ""
        };
        let head = format!("HTTP/1.1 302 Found\r\n{to}Content-Length: 0\r\n\r\n");
        vec![Act::Say(head.into_bytes())]
    })
    .await;
    let http = http(settings());
    let text = check(http.ask(get(&script.url("/rest"))).await, "redirected");
    assert!(
        text.contains(&format!("leads to {};", script.url("/login"))),
        "{text}"
    );
    let text = check(http.ask(get(&script.url("/rest"))).await, "redirected");
    assert!(text.contains("leads to nowhere;"), "{text}");
}

#[tokio::test]
async fn a_proxy_is_used_for_plain_requests_and_as_a_tunnel() {
    let folder = tempfile::tempdir().unwrap();
    let identity = Identity::new(&["crowd.example.com"], |_| ());
    let server = HttpScript::start_tls(identity.config(), fine).await;
    let to = server.address;
    let proxy = HttpScript::start(move |heard, _| {
        if heard.head.starts_with("CONNECT ") {
            vec![Act::Tunnel(to)]
        } else {
            json("200 OK", "{\"by\":\"proxy\"}")
        }
    })
    .await;
    let settings = Settings {
        proxy: Some(
            format!("http://app:pass@{}", proxy.address)
                .parse()
                .unwrap(),
        ),
        ..trusting(&identity, folder.path())
    };
    let http = http(settings);
    let answer = http
        .ask(get("http://crowd.example.com/rest"))
        .await
        .unwrap();
    assert_eq!(answer.body, b"{\"by\":\"proxy\"}");
    // The proxy looks the name up, not we.
    let answer = http
        .ask(post("https://crowd.example.com:8443/rest"))
        .await
        .unwrap();
    assert_eq!(answer.body, b"{}");

    let heard = proxy.heard();
    let lines: Vec<_> = heard
        .iter()
        .filter_map(|it| it.head.lines().next())
        .collect();
    let expect = [
        "GET http://crowd.example.com/rest HTTP/1.1",
        "CONNECT crowd.example.com:8443 HTTP/1.1",
    ];
    assert_eq!(lines, expect);
    for heard in &heard {
        let head = heard.head.to_ascii_lowercase();
        assert!(
            head.contains("proxy-authorization: basic yxbwonbhc3m=\r\n"),
            "{head}"
        );
    }
    let heard = server.heard();
    assert_eq!(heard.len(), 1);
    assert!(!heard[0].head.to_ascii_lowercase().contains("proxy-auth"));
}

/// A process has one environment, so that this one runs another test in a process of its own.
#[test]
fn proxies_of_the_environment_are_nothing_to_us() {
    let mut run = std::process::Command::new(std::env::current_exe().unwrap());
    run.args(["--exact", "http_client::reads_use_connections_again"]);
    for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        run.env(name, "http://127.0.0.1:1");
    }
    let run = run.env_remove("no_proxy").env_remove("NO_PROXY");
    let done = run.output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test]
async fn what_a_proxy_does_not_let_through_was_not_done() {
    for status in [
        "403 Forbidden",
        "407 Proxy Authentication Required",
        "502 Bad",
    ] {
        let proxy = HttpScript::start(move |_, _| json(status, "{}")).await;
        let settings = Settings {
            proxy: Some(
                format!("http://app:hunter2@{}", proxy.address)
                    .parse()
                    .unwrap(),
            ),
            ..settings()
        };
        let end = http(settings).ask(post("https://crowd.example.com/")).await;
        let text = check(end, "unreachable");
        assert!(text.contains("the proxy did not let it through"), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[tokio::test]
async fn a_proxy_that_is_no_http_proxy_is_refused_without_its_password() {
    for proxy in [
        "socks5://app:hunter2@127.0.0.1:1",
        "ftp://x",
        "mailto:hunter2",
    ] {
        let settings = Settings {
            proxy: Some(proxy.parse().unwrap()),
            ..settings()
        };
        let fault = Http::new(settings, Arc::new(SystemClock::new())).unwrap_err();
        let shown = format!("{fault} {fault:?}");
        assert!(shown.contains("`proxy` is no HTTP proxy"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
