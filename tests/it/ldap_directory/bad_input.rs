//! Entries that no server should hold: each is rejected by itself, and everything else is read.

use super::*;
use crate::support::ldap_script::Question;
use crate::support::slapd::Slapd;

/// Reads what a server answers to the question for users.
async fn read_users(
    users: impl Fn(&Question) -> Vec<u8> + Send + Sync + 'static,
) -> Result<Read, ReadError> {
    let answer = move |question: &Question| {
        let entries = if question.base.starts_with("ou=people") {
            users(question)
        } else {
            Vec::new()
        };
        let end = ldap_script::done(question.id, 0, Some(b""));
        ([entries, end].concat(), Then::GoOn)
    };
    let address = ldap_script::start_asked(answer).await;
    read(&directory(&format!("ldap://{address}"), READER)).await
}

/// An entry with an id.
fn entry(question: &Question, dn: &[u8], attributes: &[(&str, &[&[u8]])]) -> Vec<u8> {
    let id: &[&[u8]] = &[b"00000000-0000-4000-8000-00000000abcd"];
    let all = [attributes, &[("entryUUID", id)]].concat();
    ldap_script::entry(question.id, dn, &all)
}

#[tokio::test]
async fn a_value_of_ten_megabytes_rejects_its_record_alone() {
    let done = read_users(|question| {
        let long = vec![b'x'; 10_000_000];
        let fat = entry(
            question,
            b"uid=fat,dc=x",
            &[("uid", &[b"fat"]), ("displayName", &[&long])],
        );
        [fat, ldap_script::user(question.id, 1)].concat()
    })
    .await
    .unwrap();
    let records = complete(&done);
    assert_eq!(usernames(records), ["user1"]);
    assert_eq!(records.text(records.rejected[0].key), "fat");
    let reason = records.text(records.rejected[0].reason);
    assert!(
        reason.contains("10000000 bytes, more than 65536"),
        "{reason}"
    );
}

#[tokio::test]
async fn ids_that_look_like_text_and_values_that_are_none_are_told_apart_by_name() {
    let done = read_users(|question| {
        [
            entry(
                question,
                b"uid=a,dc=x",
                &[("uid", &[b"a"]), ("mail", &[b"\xff\xfe"])],
            ),
            entry(question, b"uid=\xe9,dc=x", &[("uid", &[b"b"])]),
            ldap_script::user(question.id, 1),
        ]
        .concat()
    })
    .await
    .unwrap();
    let records = complete(&done);
    assert_eq!(usernames(records), ["user1"]);
    let reasons: Vec<&str> = records
        .rejected
        .iter()
        .map(|it| records.text(it.reason))
        .collect();
    assert_eq!(
        reasons,
        ["`mail` is not valid UTF-8", "the `dn` is not valid UTF-8"]
    );
}

#[tokio::test]
async fn a_ring_of_two_thousand_groups_and_a_group_of_a_hundred_thousand_are_read() {
    let mut ldif = String::new();
    for at in 0..2_000 {
        let next = (at + 1) % 2_000;
        let _ = write!(
            ldif,
            "dn: cn=g{at},ou=groups,{SUFFIX}\nobjectClass: groupOfNames\ncn: g{at}\n\
             member: cn=g{next},ou=groups,{SUFFIX}\n\n"
        );
    }
    let _ = write!(
        ldif,
        "dn: cn=all,ou=groups,{SUFFIX}\nobjectClass: groupOfNames\ncn: all\n"
    );
    for at in 0..100_000 {
        let _ = writeln!(ldif, "member: uid=user{at},ou=people,{SUFFIX}");
    }
    ldif.push('\n');
    ldif.push_str(&people(10));
    let slapd = Slapd::start(&ldif);
    let done = read(&directory(&slapd.url(), READER)).await.unwrap();
    let records = complete(&done);
    assert_eq!(records.groups.len(), 2_001);
    assert_eq!(records.children.items(), 2_000);
    assert_eq!(records.members.items(), 10);
    assert_eq!(
        done.notes,
        ["members that are outside of the bases, or gone: 99990"]
    );
}

#[tokio::test]
async fn usernames_that_differ_in_case_alone_are_both_kept_for_the_engine_to_refuse() {
    let ldif = format!(
        "dn: uid=two,ou=people,{SUFFIX}\nobjectClass: inetOrgPerson\nuid: two\ncn: a\nsn: a\n\n\
         dn: cn=other,ou=people,{SUFFIX}\nobjectClass: inetOrgPerson\nuid: Two\ncn: other\nsn: b\n\n"
    );
    let slapd = Slapd::start(&ldif);
    let directory = directory(&slapd.url(), READER);
    let done = read(&directory).await.unwrap();
    assert_eq!(usernames(complete(&done)), ["Two", "two"]);
    let found = findings(&directory).await;
    let said = "BAD users: 2 records bear the name `two`";
    assert!(found.iter().any(|it| it.starts_with(said)), "{found:?}");
}
