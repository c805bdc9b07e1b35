//! Groups whose members come in parts, as Active Directory gives them.

use std::ops::Range;

use super::*;
use crate::support::ldap_script::Question;

const TEAM: &str = "cn=big,ou=groups,dc=load,dc=test";

/// What a server of 3,700 members says when it is asked for the members from `first` on.
fn part(question: &Question, name: &str, members: Range<usize>) -> Vec<u8> {
    let members: Vec<String> = members
        .map(|it| format!("uid=user{it},ou=people,dc=load,dc=test"))
        .collect();
    let members: Vec<&[u8]> = members.iter().map(String::as_bytes).collect();
    let attributes: [(&str, &[&[u8]]); 4] = [
        ("cn", &[b"big"]),
        ("entryUUID", &[b"g1"]),
        ("member", &[]),
        (name, &members),
    ];
    ldap_script::entry(question.id, TEAM.as_bytes(), &attributes)
}

fn end(question: &Question) -> Vec<u8> {
    ldap_script::done(question.id, 0, Some(b""))
}

/// Reads from a server that gives the members 1,500 at a time, where `rest` answers the questions for more.
async fn read_parts(
    rest: impl Fn(&Question) -> Option<Vec<u8>> + Send + Sync + 'static,
) -> Result<Read, ReadError> {
    let answer = move |question: &Question| {
        let bytes = if question.base == TEAM {
            assert_eq!(question.scope, 0);
            rest(question).unwrap_or_else(|| end(question))
        } else if question.base.starts_with("ou=groups") {
            let first = part(question, "member;range=0-1499", 0..1_500);
            [first, end(question)].concat()
        } else if question.base.starts_with("ou=people") {
            let users: Vec<u8> = (0..3_700)
                .flat_map(|it| ldap_script::user(question.id, it))
                .collect();
            [users, end(question)].concat()
        } else {
            end(question)
        };
        (bytes, Then::GoOn)
    };
    let address = ldap_script::start_asked(answer).await;
    read(&directory(&format!("ldap://{address}"), READER)).await
}

#[tokio::test]
async fn a_group_that_comes_in_parts_is_read_to_its_end() {
    let done = read_parts(|question| {
        let part = match question.attributes.as_slice() {
            [it] if it == "member;range=1500-*" => {
                part(question, "member;range=1500-2999", 1_500..3_000)
            }
            [it] if it == "member;range=3000-*" => {
                part(question, "member;range=3000-*", 3_000..3_700)
            }
            other => panic!("asked for {other:?}"),
        };
        Some([part, end(question)].concat())
    })
    .await
    .unwrap();
    let records = complete(&done);
    assert!(!records.groups[0].unknown);
    assert_eq!(records.members.row(0).len(), 3_700);
    assert!(done.notes.is_empty(), "{:?}", done.notes);
}

#[tokio::test]
async fn a_group_whose_rest_does_not_come_is_unknown_and_the_read_goes_on() {
    /// Makes the answer to a question for more.
    type Rest = fn(&Question) -> Vec<u8>;
    let check = async |what: &str, rest: Rest| {
        let done = read_parts(move |question| Some(rest(question))).await;
        let done = done.unwrap();
        let records = complete(&done);
        assert!(records.groups[0].unknown, "{what}");
        assert!(records.members.row(0).len() >= 1_500, "{what}");
        let said =
            "members that could not be read, so that their groups take no membership away: 1";
        assert!(
            done.notes.iter().any(|it| it == said),
            "{what}: {:?}",
            done.notes
        );
    };
    check("the group is gone", |question| {
        ldap_script::done(question.id, 32, None)
    })
    .await;
    check("it is hidden", end).await;
    check("it may not be read", |question| {
        ldap_script::done(question.id, 50, None)
    })
    .await;
    check("another part came", |question| {
        let part = part(question, "member;range=1400-*", 1_400..1_500);
        [part, end(question)].concat()
    })
    .await;
    check("fewer came than it says", |question| {
        let part = part(question, "member;range=1500-2999", 1_500..2_000);
        [part, end(question)].concat()
    })
    .await;
    check("an empty part that more follow", |question| {
        let part = part(question, "member;range=1500-1500", 0..0);
        [part, end(question)].concat()
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_ends_between_two_parts_fails_the_read() {
    let answer = |question: &Question| {
        if question.base == TEAM {
            return (Vec::new(), Then::Close);
        }
        let mut bytes = Vec::new();
        if question.base.starts_with("ou=groups") {
            bytes = part(question, "member;range=0-1499", 0..1_500);
        }
        ([bytes, end(question)].concat(), Then::GoOn)
    };
    let address = ldap_script::start_asked(answer).await;
    let failed = read(&directory(&format!("ldap://{address}"), READER)).await;
    check_error(&failed.unwrap_err(), "unavailable", "connection ended");
}
