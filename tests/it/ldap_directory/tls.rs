//! Who the server is.

use std::path::Path;

use super::{COMPANY, build, check_error, complete, directory, read, usernames};
use crate::support::slapd::{PASSWORD, READER, Slapd};

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
