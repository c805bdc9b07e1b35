//! Connections that do not come about, hang, or end.

use std::time::Duration;

use usersyncd::directories::ldap::{LdapConfig, LdapDirectory};
use usersyncd::secret::SecretRef;

use super::{
    COMPANY, address, build, check_error, clock, complete, config, directory, page, paged, people,
    read, read_script, signal, usernames,
};
use crate::support::ldap_script::Then;
use crate::support::relay;
use crate::support::slapd::{PASSWORD, READER, Slapd};

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
