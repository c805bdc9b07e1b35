//! Who the server is.

use std::path::Path;

use rcgen::{CertificateParams, date_time_ymd};
use tokio::io::AsyncWriteExt as _;
use usersyncd::directories::{Read, ReadError};

use super::{COMPANY, build, check_error, complete, directory, read, usernames};
use crate::support::slapd::{PASSWORD, READER, Slapd};
use crate::support::tls_script::{self, Begins, Identity};
use crate::support::{ldap_script, raw};

#[tokio::test]
async fn ldaps_is_trusted_by_the_private_authority_and_by_no_other() {
    let slapd = Slapd::start(COMPANY);
    let other = Slapd::start("");
    let with_ca = |ca: &Path| {
        let more = format!("ca: {}", ca.display());
        build(&[&slapd.ldaps_url()], READER, &more, PASSWORD).unwrap()
    };
    let users = read(&with_ca(&slapd.ca_path())).await.unwrap();
    assert_eq!(usernames(complete(&users)), ["ada", "björn"]);
    let refused = read(&with_ca(&other.ca_path())).await.unwrap_err();
    check_error(&refused, "configuration", "certificate is not trusted");
    check_error(&refused, "configuration", "`ca`");
}

#[tokio::test]
async fn a_tls_port_and_a_plain_port_are_not_taken_for_each_other() {
    let slapd = Slapd::start("");
    let more = format!("ca: {}", slapd.ca_path().display());
    let crossed = slapd.url().replace("ldap:", "ldaps:");
    let failed = read(&build(&[&crossed], READER, &more, PASSWORD).unwrap()).await;
    check_error(
        &failed.unwrap_err(),
        "unavailable",
        "does this port speak `ldaps://`?",
    );
    let crossed = slapd.ldaps_url().replace("ldaps:", "ldap:");
    let failed = read(&directory(&crossed, READER)).await.unwrap_err();
    check_error(&failed, "unavailable", "is this a port for `ldaps://`?");
}

/// How a read over TLS ends whose server shows this identity and is called `host`.
async fn shown(
    host: &str,
    names: &[&str],
    change: impl FnOnce(&mut CertificateParams),
    begins: Begins,
) -> Result<Read, ReadError> {
    let identity = Identity::new(names, change);
    let served = if host.contains(':') {
        "::1"
    } else {
        "127.0.0.1"
    };
    let address = tls_script::start(served, identity.config(), begins).await;
    read_from(host, address.port(), &identity, begins).await
}

async fn read_from(
    host: &str,
    port: u16,
    identity: &Identity,
    begins: Begins,
) -> Result<Read, ReadError> {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    identity.write_authority(&ca);
    let (scheme, more) = match begins {
        Begins::Secured => ("ldaps", ""),
        Begins::Plain => ("ldap", "starttls: true"),
    };
    let url = format!("{scheme}://{host}:{port}");
    let more = format!("ca: {}\ntimeout: 5s\n{more}", ca.display());
    read(&build(&[&url], READER, &more, PASSWORD).unwrap()).await
}

#[tokio::test]
async fn names_and_addresses_in_the_certificate_are_those_that_count() {
    for begins in [Begins::Secured, Begins::Plain] {
        for (host, name) in [
            ("localhost", "localhost"),
            ("127.0.0.1", "127.0.0.1"),
            ("[::1]", "::1"),
        ] {
            let done = shown(host, &[name], |_| {}, begins).await.unwrap();
            assert_eq!(complete(&done).users.len(), 1, "{host} {begins:?}");
        }
        let failed = shown(
            "127.0.0.1",
            &["ldap.example.com", "10.0.0.1"],
            |_| {},
            begins,
        )
        .await;
        let text = "made for `ldap.example.com`, `10.0.0.1`, not for `127.0.0.1`";
        check_error(&failed.unwrap_err(), "configuration", text);
        let failed = shown("localhost", &[], |_| {}, begins).await.unwrap_err();
        check_error(&failed, "configuration", "no subject alternative name");
    }
}

#[tokio::test]
async fn a_certificate_out_of_its_time_is_told_with_the_clock() {
    let past = |it: &mut CertificateParams| {
        it.not_before = date_time_ymd(2001, 1, 1);
        it.not_after = date_time_ymd(2002, 1, 1);
    };
    let failed = shown("localhost", &["localhost"], past, Begins::Secured).await;
    let text = "it expired at 2002-01-01T00:00:00Z, and this machine's clock says 20";
    check_error(&failed.unwrap_err(), "configuration", text);
    let future = |it: &mut CertificateParams| {
        it.not_before = date_time_ymd(2201, 1, 1);
        it.not_after = date_time_ymd(2202, 1, 1);
    };
    let failed = shown("localhost", &["localhost"], future, Begins::Plain).await;
    let text = "it is valid from 2201-01-01T00:00:00Z on, and this machine's clock says 20";
    check_error(&failed.unwrap_err(), "configuration", text);
}

#[tokio::test]
async fn a_server_that_demands_a_certificate_says_so() {
    let identity = Identity::new(&["localhost"], |_| {});
    let config = identity.config_demanding();
    let address = tls_script::start("127.0.0.1", config, Begins::Secured).await;
    let failed = read_from("localhost", address.port(), &identity, Begins::Secured).await;
    check_error(
        &failed.unwrap_err(),
        "configuration",
        "demand a certificate of the client",
    );
}

#[tokio::test]
async fn starttls_is_trusted_by_the_private_authority_and_by_no_other() {
    let slapd = Slapd::start(COMPANY);
    let other = Slapd::start("");
    let with_ca = |ca: &Path| {
        let more = format!("starttls: true\nca: {}", ca.display());
        build(&[&slapd.url()], READER, &more, PASSWORD).unwrap()
    };
    let users = read(&with_ca(&slapd.ca_path())).await.unwrap();
    assert_eq!(usernames(complete(&users)), ["ada", "björn"]);
    let refused = read(&with_ca(&other.ca_path())).await.unwrap_err();
    check_error(&refused, "configuration", "certificate is not trusted");
    check_error(&refused, "configuration", "`ca`");
}

#[tokio::test]
async fn starttls_needs_an_answer_and_nothing_behind_it() {
    let slapd = Slapd::start("");
    let answered = async |answer: Vec<u8>| {
        let address = raw::start(move |mut client| {
            let answer = answer.clone();
            async move {
                raw::hear(&mut client).await;
                let _ = client.write_all(&answer).await;
            }
        })
        .await;
        let more = format!("starttls: true\nca: {}", slapd.ca_path().display());
        let url = format!("ldap://{address}");
        let failed = read(&build(&[&url], READER, &more, PASSWORD).unwrap()).await;
        failed.unwrap_err()
    };
    let accepted = || ldap_script::result(1, 0x78, 0, "", &[]);
    // Plain text that somebody on the way put behind the answer.
    let failed = answered([accepted().as_slice(), &[0x30, 0x0c]].concat()).await;
    check_error(
        &failed,
        "unavailable",
        "between the answer to StartTLS and TLS",
    );
    let bound = ldap_script::result(1, 0x61, 0, "", &[]);
    let failed = answered([accepted(), bound].concat()).await;
    check_error(&failed, "incomplete", "a question that was not asked");
    let refused = ldap_script::result(1, 0x78, 2, "unsupported extended operation", &[]);
    let failed = answered(refused).await;
    check_error(
        &failed,
        "configuration",
        "said `unsupported extended operation`; give it a certificate",
    );
    let failed = answered(ldap_script::result(1, 0x78, 52, "", &[])).await;
    check_error(&failed, "unavailable", "does not begin TLS");
    let failed = answered(ldap_script::notice(52, "")).await;
    check_error(
        &failed,
        "unavailable",
        "announced that it ends the connection",
    );
    let failed = answered(Vec::new()).await;
    check_error(
        &failed,
        "unavailable",
        "before the server had answered to StartTLS",
    );
    let failed = answered(accepted()).await;
    check_error(&failed, "unavailable", "in the TLS handshake");
}
