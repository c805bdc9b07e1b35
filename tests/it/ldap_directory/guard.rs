//! Answers that are not sound: each is an error with a name, and the daemon goes on.

use super::{check_error, read_script};
use crate::support::ldap_script::{self, Then};

#[tokio::test]
async fn an_operation_that_does_not_exist_fails_the_read_and_nothing_else() {
    let unknown = |id| ldap_script::message(id, &ldap_script::tlv(0x6b, b""), &[]);
    let failed = read_script(move |_, id| (unknown(id), Then::GoOn)).await;
    check_error(&failed.unwrap_err(), "incomplete", "(tag 0x6b)");
    // An extended response in place of the end of a search.
    let result = [
        ldap_script::tlv(0x0a, &[12]),
        ldap_script::tlv(0x04, b""),
        ldap_script::tlv(0x04, b""),
    ];
    let extended = ldap_script::tlv(0x78, &result.concat());
    let answer = move |_, id| (ldap_script::message(id, &extended, &[]), Then::GoOn);
    check_error(
        &read_script(answer).await.unwrap_err(),
        "configuration",
        "lacks a control",
    );
}

#[tokio::test]
async fn broken_messages_fail_the_read() {
    let check = async |bytes: Vec<u8>, word| {
        let failed = read_script(move |_, _| (bytes.clone(), Then::Close)).await;
        check_error(&failed.unwrap_err(), word, "");
    };
    check(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), "incomplete").await;
    let half = ldap_script::user(2, 0);
    check(half[..half.len() / 2].to_vec(), "unavailable").await;
    // An entry whose attributes are no sequence.
    let parts = [ldap_script::tlv(0x04, b"dc=x"), ldap_script::tlv(0x04, b"")];
    let entry = ldap_script::tlv(0x64, &parts.concat());
    check(ldap_script::message(2, &entry, &[]), "incomplete").await;
}
