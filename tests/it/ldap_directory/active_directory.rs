//! What a real Active Directory does and Samba does not, by the scripted server.

use usersyncd::model::Status;

use super::*;
use crate::support::ldap_script::Question;

/// The security identifier of an account of one domain.
pub(super) fn sid(number: u32) -> Vec<u8> {
    let mut bytes = vec![1, 3, 0, 0, 0, 0, 0, 5];
    for part in [21, 7, number] {
        bytes.extend(part.to_le_bytes());
    }
    bytes
}

/// An account whose id is sixteen bytes that happen to be text.
pub(super) fn account(
    question: &Question,
    name: &str,
    number: u32,
    more: &[(&str, &str)],
) -> Vec<u8> {
    let dn = format!("CN={name},CN=Users,DC=ad,DC=test");
    let guid = format!("{name:_<16}");
    let sid = sid(number);
    let mut values: Vec<(&str, [&[u8]; 1])> = vec![
        ("sAMAccountName", [name.as_bytes()]),
        ("objectGUID", [guid.as_bytes()]),
        ("objectSid", [&sid]),
    ];
    values.extend(more.iter().map(|it| (it.0, [it.1.as_bytes()])));
    let attributes: Vec<(&str, &[&[u8]])> = values.iter().map(|it| (it.0, &it.1[..])).collect();
    ldap_script::entry(question.id, dn.as_bytes(), &attributes)
}

fn active_directory(url: &str) -> LdapDirectory {
    let yaml = format!(
        "urls: ['{url}']\nschema: active-directory\ninsecure: true\n\
         bind: {{ dn: 'cn=reader', password: {{ env: UNUSED }} }}\n\
         users: {{ base: 'CN=Users,DC=ad,DC=test' }}\ngroups: {{ base: 'OU=Groups,DC=ad,DC=test' }}\n"
    );
    let config: LdapConfig = serde_yaml::from_str(&yaml).unwrap();
    let password = Some(SecretRef::literal(PASSWORD));
    LdapDirectory::new("x", &config, password, Vec::new(), clock()).unwrap()
}

/// Reads from a server that answers questions for users and for groups with these entries.
async fn read_domain(
    users: impl Fn(&Question) -> Vec<u8> + Send + Sync + 'static,
    groups: impl Fn(&Question) -> Vec<u8> + Send + Sync + 'static,
) -> Result<Read, ReadError> {
    let answer = move |question: &Question| {
        let entries = if question.base.starts_with("CN=Users") {
            users(question)
        } else if question.base.starts_with("OU=Groups") {
            groups(question)
        } else {
            Vec::new()
        };
        let end = ldap_script::done(question.id, 0, Some(b""));
        ([entries, end].concat(), Then::GoOn)
    };
    let address = ldap_script::start_asked(answer).await;
    read(&active_directory(&format!("ldap://{address}"))).await
}

#[tokio::test]
async fn a_domain_is_read_with_ids_statuses_and_primary_groups() {
    let users = |it: &Question| {
        let on = ("userAccountControl", "512");
        [
            account(it, "ann", 1_104, &[on, ("primaryGroupID", "513")]),
            account(
                it,
                "ben",
                1_105,
                &[("userAccountControl", "514"), ("primaryGroupID", "513")],
            ),
            // Locked after wrong passwords: that is no status.
            account(
                it,
                "cid",
                1_106,
                &[
                    on,
                    ("lockoutTime", "133000000000000000"),
                    ("primaryGroupID", "999"),
                ],
            ),
            account(it, "dan", 1_107, &[("primaryGroupID", "513")]),
        ]
        .concat()
    };
    let done = read_domain(users, |it| account(it, "Domain Users", 513, &[])).await;
    let done = done.unwrap();
    let records = complete(&done);
    let mut told: Vec<(&str, &str, Status)> = records
        .users
        .iter()
        .map(|it| (records.text(it.username), records.text(it.id), it.status))
        .collect();
    told.sort_unstable();
    // `ann_____________`, the first three fields turned round.
    assert_eq!(told[0].1, "5f6e6e61-5f5f-5f5f-5f5f-5f5f5f5f5f5f");
    let statuses: Vec<Status> = told.iter().map(|it| it.2).collect();
    let expect = [
        Status::Active,
        Status::Inactive,
        Status::Active,
        Status::Unknown,
    ];
    assert_eq!(statuses, expect);
    assert_eq!(memberships(records), ["Domain Users: ann ben dan []"]);
}

#[tokio::test]
async fn a_domain_controller_that_stops_at_a_thousand_entries_is_incomplete() {
    let answer = |question: &Question| {
        let entries: Vec<u8> = (0..1_000)
            .flat_map(|it| account(question, &format!("user{it}"), it, &[]))
            .collect();
        let end = ldap_script::done(question.id, 4, None);
        ([entries, end].concat(), Then::GoOn)
    };
    let address = ldap_script::start_asked(answer).await;
    let failed = read(&active_directory(&format!("ldap://{address}"))).await;
    check_error(&failed.unwrap_err(), "incomplete", "result code 4");
}

#[tokio::test]
async fn what_is_left_of_a_deleted_account_is_no_record() {
    let users = |it: &Question| {
        [
            account(it, "ann", 1_104, &[("userAccountControl", "512")]),
            account(it, "ben\\0ADEL:77", 1_105, &[("userAccountControl", "512")]),
            account(it, "cid", 1_106, &[("isDeleted", "TRUE")]),
        ]
        .concat()
    };
    let done = read_domain(users, |_| Vec::new()).await.unwrap();
    let records = complete(&done);
    assert_eq!(usernames(records), ["ann"]);
    assert!(records.rejected.is_empty());
}
