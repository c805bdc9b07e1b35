//! What `check --connect` says.

use super::{COMPANY, build, directory, findings};
use crate::support::slapd::{PASSWORD, READER, Slapd};

#[tokio::test]
async fn check_says_what_is_there_and_what_is_wrong() {
    let slapd = Slapd::start(COMPANY);
    let found = findings(&directory(&slapd.url(), READER)).await;
    let url = slapd.url();
    assert_eq!(
        found,
        [
            format!("reach: {url} answers in plain text"),
            format!("bind: logged in as `{READER}`, known there as `dn:{READER}`"),
            "server: OpenLDAP, as `schema: openldap` expects".to_owned(),
            "pages: answers come in pages".to_owned(),
            "changes: polls read only what has changed (syncrepl, RFC 4533)".to_owned(),
            "users base: `ou=people,dc=load,dc=test` can be read".to_owned(),
            "users: 4 entries for `(objectClass=inetOrgPerson)`".to_owned(),
            "groups base: `ou=groups,dc=load,dc=test` can be read".to_owned(),
            "groups: 3 entries for `(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=posixGroup))`".to_owned(),
            "users ids: each carries `entryuuid`".to_owned(),
            "users status: nobody shows `shadowexpire`, `pwdaccountlockedtime`, so all are active: either nobody is switched off, \
             or this login may not read it; switch a user off and look again".to_owned(),
            "read: 2 users, 0 of them inactive; for example `ada`, `björn`".to_owned(),
            "groups ids: each carries `entryuuid`".to_owned(),
            "read: 3 groups, 5 memberships; 2 members outside of the bases, or gone".to_owned(),
            "BAD users: `cn=nobody,ou=people,dc=load,dc=test` would be rejected: `uid` is missing".to_owned(),
            "BAD users: `uid=two,ou=people,dc=load,dc=test` would be rejected: `uid` has 2 values; one is needed".to_owned(),
        ]
    );
    let reach = format!("ca: {}\nstarttls: true\n", slapd.ca_path().display());
    let found = findings(&build(&[&url], READER, &reach, PASSWORD).unwrap()).await;
    let trusted = "began TLS (StartTLS), and its certificate is trusted";
    assert_eq!(found[0], format!("reach: {url} answers and {trusted}"));
    let socket = slapd.ldapi_url();
    let found = findings(&directory(&socket, READER)).await;
    let expect = format!("reach: {socket} answers on a socket of this machine");
    assert_eq!(found[0], expect);
    let wrong = build(&[&url], READER, "", "wrong").unwrap();
    let found = findings(&wrong).await;
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[1].starts_with("BAD bind: "), "{found:?}");
}
