//! The LDAP directory against a real slapd and, for what slapd cannot be brought to say, against a scripted server.

mod active_directory;
mod bad_input;
mod ranges;
mod reading;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use usersyncd::clock::{Clock, SystemClock};
use usersyncd::directories::ldap::{LdapConfig, LdapDirectory, LdapSetupError};
use usersyncd::directories::{Directory as _, Read, ReadError, Since, What};
use usersyncd::model::Records;
use usersyncd::secret::SecretRef;

use crate::support::ldap_script::{self, Then};
use crate::support::relay;
use crate::support::slapd::{LIMITED, NOPAGE, PASSWORD, READER, SUFFIX, Slapd};

const COMPANY: &str = "\
dn: uid=ada,ou=people,dc=load,dc=test
objectClass: inetOrgPerson
uid: ada
cn: Ada
displayName: Ada Lovelace
givenName: Ada
sn: Lovelace
mail: ada@example.com
employeeNumber: 17

dn: uid=björn,ou=people,dc=load,dc=test
objectClass: inetOrgPerson
uid: björn
cn: Björn
sn: Borg

dn: cn=nobody,ou=people,dc=load,dc=test
objectClass: inetOrgPerson
cn: nobody
sn: Body

dn: uid=two,ou=people,dc=load,dc=test
objectClass: inetOrgPerson
uid: two
uid: deux
cn: Two
sn: Names

dn: cn=all,ou=groups,dc=load,dc=test
objectClass: groupOfNames
cn: all
description: Everybody
member: cn=engineers,ou=groups,dc=load,dc=test
member: UID=Bj\\C3\\B6rn, OU=People, DC=load, DC=test
member: uid=gone,ou=elsewhere,dc=load,dc=test

dn: cn=engineers,ou=groups,dc=load,dc=test
objectClass: groupOfUniqueNames
cn: engineers
uniqueMember: uid=ada,ou=people,dc=load,dc=test
uniqueMember: cn=all,ou=groups,dc=load,dc=test

dn: cn=unix,ou=groups,dc=load,dc=test
objectClass: posixGroup
cn: unix
gidNumber: 1000
memberUid: ADA
memberUid: stranger

";

#[tokio::test]
async fn users_groups_and_nested_members_are_read() {
    let slapd = Slapd::start(COMPANY);
    let read = read(&directory(&slapd.url(), READER)).await.unwrap();
    let records = complete(&read);
    assert_eq!(usernames(records), ["ada", "björn"]);
    let ada = records
        .users
        .iter()
        .find(|it| records.text(it.username) == "ada");
    let ada = ada.unwrap();
    let fields = [ada.display_name, ada.given_name, ada.family_name, ada.email];
    assert_eq!(
        fields.map(|it| records.text(it)),
        ["Ada Lovelace", "Ada", "Lovelace", "ada@example.com"]
    );
    assert_eq!(records.text(ada.id).len(), 36, "an entryUUID");
    let place = records.users.iter().position(|it| it == ada).unwrap() as u32;
    let numbers: Vec<&str> = records.extra_values(place, "employeeNumber").collect();
    assert_eq!(numbers, ["17"]);
    assert_eq!(
        memberships(records),
        [
            "all: björn [engineers] + uid=gone,ou=elsewhere,dc=load,dc=test",
            "engineers: ada [all]",
            "unix: ada [] + stranger",
        ]
    );
}

#[tokio::test]
async fn users_without_one_username_are_rejected_under_every_name() {
    let slapd = Slapd::start(COMPANY);
    let read = read(&directory(&slapd.url(), READER)).await.unwrap();
    let records = complete(&read);
    let mut rejected: Vec<String> = records
        .rejected
        .iter()
        .map(|it| format!("{} {}", records.text(it.handle), records.text(it.key)))
        .collect();
    rejected.sort();
    assert_eq!(
        rejected,
        [
            "cn=nobody,ou=people,dc=load,dc=test ",
            "uid=two,ou=people,dc=load,dc=test deux",
            "uid=two,ou=people,dc=load,dc=test two",
        ]
    );
    // It is told by its id, and once.
    assert!(
        records
            .rejected
            .iter()
            .all(|it| records.text(it.label) == records.text(it.id))
    );
    assert_eq!(records.rejected_once().count(), 2);
    assert_eq!(records.tally().rejected, 2);
    assert!(
        records
            .rejected
            .iter()
            .all(|it| !records.text(it.id).is_empty() && !records.text(it.reason).is_empty())
    );
}

#[tokio::test]
async fn a_rename_keeps_the_id() {
    let slapd = Slapd::start(COMPANY);
    let directory = directory(&slapd.url(), READER);
    let before = read(&directory).await.unwrap();
    let before = ids(complete(&before));
    slapd.modify(
        "dn: uid=ada,ou=people,dc=load,dc=test\nchangetype: modrdn\nnewrdn: uid=countess\ndeleteoldrdn: 1\n",
    );
    let after = read(&directory).await.unwrap();
    let after = ids(complete(&after));
    assert_eq!(before["ada"], after["countess"]);
    assert!(!after.contains_key("ada"));
}

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

#[tokio::test]
async fn a_password_is_read_at_every_login_and_one_that_is_gone_is_said() {
    let slapd = Slapd::start(COMPANY);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, "wrong").unwrap();
    let config = config(&[&slapd.url()], READER, "");
    let password = Some(SecretRef::file(&file));
    let directory = LdapDirectory::new("x", &config, password, Vec::new(), clock()).unwrap();
    let failed = read(&directory).await.unwrap_err();
    check_error(&failed, "unauthorised", "result code 49");
    std::fs::write(&file, PASSWORD).unwrap();
    let users = read(&directory).await.unwrap();
    assert_eq!(usernames(complete(&users)), ["ada", "björn"]);
    std::fs::remove_file(&file).unwrap();
    let failed = read(&directory).await.unwrap_err();
    check_error(
        &failed,
        "unauthorised",
        "must be readable for the daemon's user",
    );
    let findings = findings(&directory).await;
    assert!(
        findings[1].starts_with("BAD bind: bind.password: "),
        "{findings:?}"
    );
}

#[tokio::test]
async fn a_wrong_password_is_unauthorised_and_no_other_server_is_asked() {
    let slapd = Slapd::start("");
    let nowhere = "ldap://127.0.0.1:1";
    let urls = [slapd.url(), nowhere.to_owned()];
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let failed = read(&build(&urls, READER, "", "wrong").unwrap())
        .await
        .unwrap_err();
    check_error(&failed, "unauthorised", "result code 49");
    assert!(!failed.to_string().contains(":1 "), "{failed}");
}

#[test]
fn a_password_in_plain_text_is_refused() {
    let config = config(&["ldap://localhost"], READER, "");
    let config = LdapConfig {
        insecure: false,
        ..config
    };
    let fault = LdapDirectory::new(
        "x",
        &config,
        Some(SecretRef::literal(PASSWORD)),
        Vec::new(),
        clock(),
    );
    let text = fault.unwrap_err().to_string();
    assert!(text.contains("`insecure: true`"), "{text}");
}

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
async fn a_limited_read_is_incomplete_however_far_it_came() {
    let slapd = Slapd::start(&people(1_600));
    let done = read(&paged(&slapd.url(), READER, 200)).await.unwrap();
    assert_eq!(complete(&done).users.len(), 1_600);
    let failed = read(&paged(&slapd.url(), LIMITED, 200)).await.unwrap_err();
    check_error(&failed, "incomplete", "result code 4");
    let failed = read(&paged(&slapd.url(), NOPAGE, 200)).await.unwrap_err();
    check_error(&failed, "incomplete", "result code 11");
    check_error(&failed, "incomplete", "pages");
}

#[tokio::test]
async fn a_missing_base_is_a_matter_of_configuration() {
    let slapd = Slapd::start("");
    let config = LdapConfig {
        groups: None,
        ..config(&[&slapd.url()], READER, "")
    };
    let mut config = config;
    config.users.base = format!("ou=nowhere,{SUFFIX}").into();
    let directory = LdapDirectory::new(
        "x",
        &config,
        Some(SecretRef::literal(PASSWORD)),
        Vec::new(),
        clock(),
    );
    let directory = directory.unwrap();
    let failed = read(&directory).await.unwrap_err();
    check_error(&failed, "configuration", "`ou=nowhere,dc=load,dc=test`");
    check_error(&failed, "configuration", "check `base`");
    let found = findings(&directory).await;
    let said = found.iter().find(|it| it.starts_with("BAD users base: "));
    let said = said.unwrap();
    assert!(
        said.ends_with("; the server holds `dc=load,dc=test`"),
        "{said}"
    );
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
async fn what_a_login_may_not_see_is_an_empty_answer() {
    let odd = format!(
        "dn: uid=odd,ou=odd,{SUFFIX}\nobjectClass: inetOrgPerson\nuid: odd\ncn: odd\nsn: odd\n"
    );
    let slapd = Slapd::start(&odd);
    let mut config = config(&[&slapd.url()], LIMITED, "page_size: 100");
    config.users.base = format!("ou=odd,{SUFFIX}").into();
    let directory = LdapDirectory::new(
        "x",
        &config,
        Some(SecretRef::literal(PASSWORD)),
        Vec::new(),
        clock(),
    )
    .unwrap();
    let done = read(&directory).await.unwrap();
    assert!(complete(&done).users.is_empty());
    let findings = findings(&directory).await;
    let said = findings
        .iter()
        .find(|it| it.starts_with("BAD users base:"))
        .unwrap();
    assert!(said.contains("give it the right to read"), "{said}");
}

#[tokio::test]
async fn check_says_what_is_there_and_what_is_wrong() {
    let slapd = Slapd::start(COMPANY);
    let found = findings(&directory(&slapd.url(), READER)).await;
    let url = slapd.url();
    assert_eq!(
        found,
        [
            format!("reach: {url} answers"),
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
    let wrong = build(&[&url], READER, "", "wrong").unwrap();
    let found = findings(&wrong).await;
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[1].starts_with("BAD bind: "), "{found:?}");
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
async fn a_limit_on_any_page_makes_the_read_incomplete() {
    let failed = read_script(|_, id| (page(id, 0..120, 4, None), Then::GoOn)).await;
    check_error(&failed.unwrap_err(), "incomplete", "result code 4");
    // A page that was cut may offer to go on all the same.
    let answer = |search, id| match search {
        0 => (page(id, 0..5, 3, Some(b"more")), Then::GoOn),
        _ => (page(id, 5..9, 0, Some(b"")), Then::GoOn),
    };
    check_error(
        &read_script(answer).await.unwrap_err(),
        "incomplete",
        "result code 3",
    );
}

#[tokio::test]
async fn pages_without_end_are_incomplete() {
    let failed = read_script(|_, id| (page(id, 0..0, 0, Some(b"again")), Then::GoOn)).await;
    check_error(&failed.unwrap_err(), "incomplete", "pages without end");
}

#[tokio::test]
async fn paging_that_is_dropped_half_way_is_incomplete() {
    let answer = |search, id| match search {
        0 => (page(id, 0..5, 0, Some(b"more")), Then::GoOn),
        _ => (page(id, 5..9, 0, None), Then::GoOn),
    };
    check_error(
        &read_script(answer).await.unwrap_err(),
        "incomplete",
        "not a sound LDAP answer",
    );
}

#[tokio::test]
async fn a_server_that_does_not_page_is_read_in_one() {
    let done = read_script(|_, id| (page(id, 0..5, 0, None), Then::GoOn))
        .await
        .unwrap();
    assert_eq!(complete(&done).users.len(), 5);
}

#[tokio::test]
async fn names_and_values_that_are_no_text_reject_their_record_alone() {
    let answer = |_, id| {
        let uuid: &[&[u8]] = &[b"00000000-0000-4000-8000-999999999999"];
        let attributes: [(&str, &[&[u8]]); 2] = [("uid", &[b"jose"]), ("entryUUID", uuid)];
        let latin = ldap_script::entry(id, b"uid=jos\xe9,dc=load,dc=test", &attributes);
        let attributes: [(&str, &[&[u8]]); 2] = [("uid", &[b"jos\xe9"]), ("entryUUID", uuid)];
        let value = ldap_script::entry(id, b"uid=x,dc=load,dc=test", &attributes);
        let sound = page(id, 0..2, 0, Some(b""));
        ([latin, value, sound].concat(), Then::GoOn)
    };
    let done = read_script(answer).await.unwrap();
    let records = complete(&done);
    assert_eq!(usernames(records), ["user0", "user1"]);
    let rejected: Vec<[&str; 2]> = records
        .rejected
        .iter()
        .map(|it| [records.text(it.key), records.text(it.reason)])
        .collect();
    assert_eq!(
        rejected,
        [
            ["jose", "the `dn` is not valid UTF-8"],
            ["", "`uid` is not valid UTF-8"]
        ]
    );
    assert!(
        records
            .rejected
            .iter()
            .all(|it| !records.text(it.id).is_empty())
    );
}

#[tokio::test]
async fn a_user_without_an_id_is_rejected_rather_than_known_by_its_name() {
    let answer = |_, id| {
        let attributes: [(&str, &[&[u8]]); 1] = [("uid", &[b"ada"])];
        let entry = ldap_script::entry(id, b"uid=ada,dc=load,dc=test", &attributes);
        ([entry, page(id, 0..1, 0, Some(b""))].concat(), Then::GoOn)
    };
    let done = read_script(answer).await.unwrap();
    let records = complete(&done);
    assert_eq!(usernames(records), ["user0"]);
    assert_eq!(records.text(records.rejected[0].key), "ada");
    assert_eq!(records.text(records.rejected[0].id), "");
}

#[tokio::test]
async fn an_operation_that_does_not_exist_fails_the_read_and_nothing_else() {
    let unknown = |id| ldap_script::message(id, &ldap_script::tlv(0x6b, b""), &[]);
    let failed = read_script(move |_, id| (unknown(id), Then::GoOn)).await;
    check_error(
        &failed.unwrap_err(),
        "incomplete",
        "not a sound LDAP answer",
    );
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
        "incomplete",
        "not a sound LDAP answer",
    );
}

#[tokio::test]
async fn broken_messages_fail_the_read() {
    let check = async |bytes: Vec<u8>, word| {
        let failed = read_script(move |_, _| (bytes.clone(), Then::Close)).await;
        check_error(&failed.unwrap_err(), word, "");
    };
    check(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), "unavailable").await;
    let half = ldap_script::user(3, 0);
    check(half[..half.len() / 2].to_vec(), "unavailable").await;
    // An entry whose attributes are no sequence.
    let parts = [ldap_script::tlv(0x04, b"dc=x"), ldap_script::tlv(0x04, b"")];
    let entry = ldap_script::tlv(0x64, &parts.concat());
    check(ldap_script::message(3, &entry, &[]), "incomplete").await;
}

#[tokio::test]
async fn references_to_other_servers_are_counted_and_not_followed() {
    let answer = |_, id| {
        let url = ldap_script::tlv(0x04, b"ldap://127.0.0.1:1/dc=other");
        let reference = ldap_script::message(id, &ldap_script::tlv(0x73, &url), &[]);
        (
            [reference, page(id, 0..1, 0, Some(b""))].concat(),
            Then::GoOn,
        )
    };
    let done = read_script(answer).await.unwrap();
    assert_eq!(done.notes, ["references to other servers, not followed: 1"]);
    assert_eq!(usernames(complete(&done)), ["user0"]);
}

#[tokio::test]
async fn a_group_of_which_a_part_came_is_unknown() {
    let answer = |_, id| {
        let attributes: [(&str, &[&[u8]]); 3] = [
            ("cn", &[b"big"]),
            ("entryUUID", &[b"g1"]),
            (
                "member;range=0-0",
                &[b"uid=user0,ou=people,dc=load,dc=test"],
            ),
        ];
        let group = ldap_script::entry(id, b"cn=big,dc=load,dc=test", &attributes);
        let end = ldap_script::done(id, 0, Some(b""));
        ([group, end].concat(), Then::GoOn)
    };
    let address = ldap_script::start(answer).await;
    let config = config(&[&format!("ldap://{address}")], READER, "");
    let directory = LdapDirectory::new(
        "x",
        &config,
        Some(SecretRef::literal(PASSWORD)),
        Vec::new(),
        clock(),
    )
    .unwrap();
    let done = read(&directory).await.unwrap();
    assert!(complete(&done).groups[0].unknown);
    let said = "members that could not be read, so that their groups take no membership away: 1";
    assert!(done.notes.iter().any(|it| it == said), "{:?}", done.notes);
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

/// A page of users with its end.
fn page(id: u8, users: std::ops::Range<usize>, code: u8, cookie: Option<&[u8]>) -> Vec<u8> {
    let mut bytes: Vec<u8> = users.flat_map(|it| ldap_script::user(id, it)).collect();
    bytes.extend(ldap_script::done(id, code, cookie));
    bytes
}

/// Reads the users of a scripted server.
async fn read_script(
    answer: impl Fn(usize, u8) -> (Vec<u8>, Then) + Send + Sync + 'static,
) -> Result<Read, ReadError> {
    let address = ldap_script::start(answer).await;
    let config = LdapConfig {
        groups: None,
        ..config(&[&format!("ldap://{address}")], READER, "timeout: 5s")
    };
    let directory = LdapDirectory::new(
        "x",
        &config,
        Some(SecretRef::literal(PASSWORD)),
        Vec::new(),
        clock(),
    )
    .unwrap();
    read(&directory).await
}

fn config(urls: &[&str], dn: &str, more: &str) -> LdapConfig {
    let urls: Vec<String> = urls.iter().map(|url| format!("{url:?}")).collect();
    let yaml = format!(
        "urls: [{}]\nschema: openldap\ninsecure: true\nbind: {{ dn: \"{dn}\", password: {{ env: UNUSED }} }}\n\
         users: {{ base: \"ou=people,{SUFFIX}\" }}\ngroups: {{ base: \"ou=groups,{SUFFIX}\" }}\n{more}\n",
        urls.join(", ")
    );
    serde_yaml::from_str(&yaml).unwrap()
}

fn build(
    urls: &[&str],
    dn: &str,
    more: &str,
    password: &str,
) -> Result<LdapDirectory, LdapSetupError> {
    let config = config(urls, dn, more);
    let extra = vec!["employeeNumber".to_owned()];
    LdapDirectory::new(
        "corporate",
        &config,
        Some(SecretRef::literal(password)),
        extra,
        clock(),
    )
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock::new())
}

fn directory(url: &str, dn: &str) -> LdapDirectory {
    build(&[url], dn, "", PASSWORD).unwrap()
}

fn paged(url: &str, dn: &str, page_size: u32) -> LdapDirectory {
    build(&[url], dn, &format!("page_size: {page_size}"), PASSWORD).unwrap()
}

async fn read(directory: &LdapDirectory) -> Result<Read, ReadError> {
    directory.read(Since::default()).await
}

async fn findings(directory: &LdapDirectory) -> Vec<String> {
    let findings = directory.check().await.into_iter();
    findings
        .map(|it| {
            format!(
                "{}{}: {}",
                if it.good { "" } else { "BAD " },
                it.item,
                it.text
            )
        })
        .collect()
}

fn complete(read: &Read) -> &Records {
    match &read.what {
        What::Complete(records) => records,
        What::Delta(_) => panic!("a delta"),
    }
}

fn check_error(error: &ReadError, word: &str, text: &str) {
    assert_eq!(error.word(), word, "{error}");
    assert!(error.to_string().contains(text), "{error}");
}

fn usernames(records: &Records) -> Vec<&str> {
    let mut names: Vec<&str> = records
        .users
        .iter()
        .map(|it| records.text(it.username))
        .collect();
    names.sort_unstable();
    names
}

fn ids(records: &Records) -> BTreeMap<&str, &str> {
    let pairs = records
        .users
        .iter()
        .map(|it| (records.text(it.username), records.text(it.id)));
    pairs.collect()
}

/// `group: users [groups] + references`, one line a group, sorted.
fn memberships(records: &Records) -> Vec<String> {
    let mut lines = Vec::new();
    for (place, group) in records.groups.iter().enumerate() {
        let users = records.members.row(place).iter();
        let users: Vec<&str> = users
            .map(|&it| records.text(records.users[it as usize].username))
            .collect();
        let groups = records.children.row(place).iter();
        let groups: Vec<&str> = groups
            .map(|&it| records.text(records.groups[it as usize].name))
            .collect();
        let mut line = format!(
            "{}: {} [{}]",
            records.text(group.name),
            users.join(" "),
            groups.join(" ")
        );
        for reference in records
            .references
            .iter()
            .filter(|it| it.group as usize == place)
        {
            let _ = write!(line, " + {}", records.text(reference.handle));
        }
        lines.push(line);
    }
    lines.sort();
    lines
}

fn people(count: usize) -> String {
    let mut ldif = String::new();
    for number in 0..count {
        let _ = write!(
            ldif,
            "dn: uid=user{number},ou=people,{SUFFIX}\nobjectClass: inetOrgPerson\nuid: user{number}\n\
             cn: User {number}\nsn: User\nmail: user{number}@example.com\n\n"
        );
    }
    ldif
}

fn address(url: &str) -> SocketAddr {
    url.trim_start_matches("ldap://").parse().unwrap()
}

fn signal(pid: u32, name: &str) {
    let status = Command::new("kill")
        .args([&format!("-{name}"), &pid.to_string()])
        .status();
    assert!(status.unwrap().success());
}
