//! What is read, and which records are rejected.

use usersyncd::directories::ldap::{LdapConfig, LdapDirectory};
use usersyncd::secret::SecretRef;

use super::{
    COMPANY, check_error, clock, complete, config, directory, findings, ids, memberships, page,
    read, read_script, usernames,
};
use crate::support::ldap_script::{self, Then};
use crate::support::slapd::{LIMITED, PASSWORD, READER, SUFFIX, Slapd};

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
