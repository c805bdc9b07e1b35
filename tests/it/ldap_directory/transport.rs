//! Connections that do not come about, hang, or end.

use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use usersyncd::directories::ldap::{LdapConfig, LdapDirectory};
use usersyncd::directories::{Read, ReadError};
use usersyncd::secret::SecretRef;

use super::{
    COMPANY, address, build, check_error, clock, complete, config, directory, page, paged, people,
    read, read_script, signal, usernames,
};
use crate::support::ldap_script::{self, Then};
use crate::support::slapd::{PASSWORD, READER, Slapd};
use crate::support::{raw, relay};

#[tokio::test]
async fn the_next_server_is_read_when_one_cannot_be_reached() {
    let slapd = Slapd::start(COMPANY);
    let urls = ["ldap://127.0.0.1:1", &slapd.url()];
    let done = read(&build(&urls, READER, "", PASSWORD).unwrap()).await;
    assert_eq!(usernames(complete(&done.unwrap())), ["ada", "björn"]);

    let urls = ["ldap://127.0.0.1:1", "ldap://127.0.0.1:2"];
    let failed = read(&build(&urls, READER, "", PASSWORD).unwrap())
        .await
        .unwrap_err();
    check_error(&failed, "unavailable", "127.0.0.1:1: ");
    check_error(&failed, "unavailable", "127.0.0.1:2: ");
}

#[tokio::test]
async fn a_server_that_is_killed_in_the_middle_is_unavailable() {
    let slapd = Slapd::start(&people(3_000));
    let server = address(&slapd.url());
    let pid = slapd.pid();
    let relay = relay::start(server, 200_000, move || signal(pid, "KILL")).await;
    let failed = read(&paged(&format!("ldap://{relay}"), READER, 100)).await;
    check_error(&failed.unwrap_err(), "unavailable", "connection ended");
}

#[tokio::test]
async fn a_server_that_hangs_in_the_middle_is_unavailable_after_the_time_out() {
    let slapd = Slapd::start(&people(3_000));
    let server = address(&slapd.url());
    let pid = slapd.pid();
    let relay = relay::start(server, 200_000, move || signal(pid, "STOP")).await;
    let config = LdapConfig {
        page_size: 100,
        ..config(&[&format!("ldap://{relay}")], READER, "timeout: 1s")
    };
    let directory = LdapDirectory::new(
        "x",
        &config,
        Some(SecretRef::literal(PASSWORD)),
        Vec::new(),
        clock(),
    );
    let failed = read(&directory.unwrap()).await.unwrap_err();
    check_error(&failed, "unavailable", "no answer within 1 s");
}

#[tokio::test]
async fn a_read_that_takes_too_long_as_a_whole_is_unavailable() {
    let slapd = Slapd::start("");
    signal(slapd.pid(), "STOP");
    let directory = directory(&slapd.url(), READER).with_read_timeout(Duration::from_millis(300));
    let failed = read(&directory).await.unwrap_err();
    check_error(&failed, "unavailable", "`read_timeout`");
}

#[tokio::test]
async fn a_connection_that_ends_between_two_pages_is_unavailable() {
    let answer = |search, id| match search {
        0 => (page(id, 0..5, 0, Some(b"more")), Then::GoOn),
        _ => (Vec::new(), Then::Close),
    };
    let failed = read_script(answer).await.unwrap_err();
    check_error(&failed, "unavailable", "connection ended");
}

#[tokio::test]
async fn a_read_may_be_dropped_at_any_time() {
    let slapd = Slapd::start(&people(3_000));
    let directory = paged(&slapd.url(), READER, 50);
    for millis in [0, 1, 3, 10, 30] {
        let dropped = tokio::time::timeout(Duration::from_millis(millis), read(&directory)).await;
        drop(dropped);
    }
    assert_eq!(
        complete(&read(&directory).await.unwrap()).users.len(),
        3_000
    );
}

/// What is read over an address, with two seconds for everything.
async fn read_over(urls: &[&str]) -> Result<Read, ReadError> {
    read(&build(urls, READER, "timeout: 2s", PASSWORD).unwrap()).await
}

#[tokio::test]
async fn however_a_connection_ends_between_two_pages_it_is_said() {
    let ended = async |resets: bool, last: Vec<u8>| {
        let address = raw::start(move |mut client| {
            let last = last.clone();
            async move {
                for id in 1..=3 {
                    raw::hear(&mut client).await;
                    let answer = match id {
                        1 => ldap_script::result(1, 0x61, 0, "", &[]),
                        2 => ldap_script::done(2, 0, None),
                        _ => page(3, 0..5, 0, Some(b"more")),
                    };
                    let _ = client.write_all(&answer).await;
                }
                raw::hear(&mut client).await;
                let _ = client.write_all(&last).await;
                if resets {
                    client.set_zero_linger().unwrap();
                }
            }
        })
        .await;
        let url = format!("ldap://{address}");
        let config = LdapConfig {
            groups: None,
            ..config(&[&url], READER, "timeout: 5s")
        };
        let password = Some(SecretRef::literal(PASSWORD));
        let made = LdapDirectory::new("x", &config, password, Vec::new(), clock());
        read(&made.unwrap()).await.unwrap_err()
    };
    let fin = ended(false, Vec::new()).await;
    check_error(&fin, "unavailable", "ended before the answer was complete");
    assert!(!fin.to_string().contains("reset"), "{fin}");
    let reset = ended(true, Vec::new()).await;
    check_error(&reset, "unavailable", "reset by peer");
    let notice = ended(false, ldap_script::notice(52, "shutting down")).await;
    let text = "with result code 52 and said `shutting down`";
    check_error(&notice, "unavailable", text);
    let notice = ended(false, ldap_script::notice(8, "")).await;
    check_error(&notice, "configuration", "demands encryption");
}

#[tokio::test]
async fn a_host_that_swallows_what_it_is_sent_is_unavailable_after_the_time_out() {
    let swallowing = raw::Swallowing::start().await;
    let url = format!("ldap://{}", swallowing.address());
    let failed = read(&build(&[&url], READER, "timeout: 1s", PASSWORD).unwrap()).await;
    let failed = failed.unwrap_err();
    assert_eq!(failed.word(), "unavailable");
    let text = failed.to_string();
    assert!(
        text.contains("no answer within 1 s") || text.contains("timed out"),
        "{text}"
    );
}

#[tokio::test]
async fn a_frozen_server_is_unavailable_whatever_was_awaited() {
    let slapd = Slapd::start("");
    signal(slapd.pid(), "STOP");
    let ca = format!("ca: {}\ntimeout: 1s", slapd.ca_path().display());
    let check = async |url: String, more: &str, text: &str| {
        let more = format!("{ca}\n{more}");
        let directory = build(&[&url], READER, &more, PASSWORD).unwrap();
        let failed = read(&directory).await.unwrap_err();
        check_error(&failed, "unavailable", text);
        check_error(&failed, "unavailable", "no answer within 1 s");
    };
    let (plain, tls, socket) = (slapd.url(), slapd.ldaps_url(), slapd.ldapi_url());
    check(plain.clone(), "", "binding as ").await;
    check(tls, "", "waiting for the TLS handshake").await;
    check(
        plain,
        "starttls: true",
        "waiting for the answer to StartTLS",
    )
    .await;
    check(socket, "", "binding as ").await;
}

#[tokio::test]
async fn the_next_server_is_read_whatever_is_wrong_with_one() {
    let slapd = Slapd::start(COMPANY);
    let other = Slapd::start("");
    let says = async |answer: Vec<u8>| {
        let address = raw::start(move |mut client| {
            let answer = answer.clone();
            async move {
                raw::hear(&mut client).await;
                let _ = client.write_all(&answer).await;
            }
        });
        format!("ldap://{}", address.await)
    };
    let swallowing = raw::Swallowing::start().await;
    let broken = [
        "ldap://127.0.0.1:1".to_owned(),
        "ldap://no-such-host.invalid".to_owned(),
        "ldapi://%2Fno%2Fsuch%2Fsocket".to_owned(),
        format!("ldap://{}", swallowing.address()),
        // A certificate that is not trusted, and a port without TLS.
        other.ldaps_url(),
        other.url().replace("ldap:", "ldaps:"),
        other.ldaps_url().replace("ldaps:", "ldap:"),
        says(Vec::new()).await,
        says(b"HTTP/1.1 400 Bad Request\r\n".to_vec()).await,
        says((0..10_000).fold(Vec::new(), |inner, _| ldap_script::tlv(0x30, &inner))).await,
        says(ldap_script::notice(52, "")).await,
        says(ldap_script::result(1, 0x61, 51, "busy", &[])).await,
        says(ldap_script::result(1, 0x61, 8, "", &[])).await,
    ];
    for broken in &broken {
        let done = read_over(&[broken, &slapd.url()]).await;
        let done = done.unwrap_or_else(|failed| panic!("{broken}: {failed}"));
        assert_eq!(usernames(complete(&done)), ["ada", "björn"], "{broken}");
    }
    // All of them together: each is named.
    let all: Vec<&str> = broken.iter().map(String::as_str).collect();
    let failed = read_over(&all).await.unwrap_err();
    for url in all {
        check_error(&failed, "unavailable", url);
    }
}

#[tokio::test]
async fn a_socket_of_this_machine_is_read() {
    let slapd = Slapd::start(COMPANY);
    let done = read_over(&[&slapd.ldapi_url()]).await.unwrap();
    assert_eq!(usernames(complete(&done)), ["ada", "björn"]);
}

#[tokio::test]
async fn a_read_that_is_dropped_closes_its_connections() {
    let (told, mut closed) = tokio::sync::mpsc::unbounded_channel();
    let address = raw::start(move |mut client| {
        let told = told.clone();
        async move {
            // The bind, which is never answered, and then the end.
            raw::hear(&mut client).await;
            told.send(raw::hear(&mut client).await.len()).unwrap();
        }
    })
    .await;
    let url = format!("ldap://{address}");
    let dropped = tokio::time::timeout(Duration::from_millis(200), read_over(&[&url])).await;
    assert!(dropped.is_err());
    assert_eq!(closed.recv().await, Some(0));
}
