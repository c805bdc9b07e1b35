//! What `docs/ldap-openldap.md` tells an administrator to write into `cn=config`, as written, on a real slapd.

use super::*;
use crate::support::configured_slapd::ConfiguredSlapd;
use crate::support::ldap_tools;

const PAGE: &str = include_str!("../../../docs/ldap-openldap.md");
const READER: &str = "cn=reader,dc=example,dc=com";

/// More users than the server hands out without the limits of the page.
const USERS: usize = 600;

/// A tree that the page speaks of.
fn company() -> String {
    let mut ldif = format!(
        "dn: dc=example,dc=com\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: Example\n\n\
         dn: {READER}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\nuserPassword: {PASSWORD}\n\n"
    );
    for unit in ["people", "groups"] {
        let _ = write!(
            ldif,
            "dn: ou={unit},dc=example,dc=com\nobjectClass: organizationalUnit\nou: {unit}\n\n"
        );
    }
    for number in 0..USERS {
        let _ = write!(
            ldif,
            "dn: uid=u{number},ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: u{number}\ncn: U\nsn: U\n\n"
        );
    }
    ldif + "dn: cn=staff,ou=groups,dc=example,dc=com\nobjectClass: groupOfNames\ncn: staff\n\
            member: uid=u1,ou=people,dc=example,dc=com\n\n"
}

#[tokio::test]
async fn what_the_page_says_is_enough_as_written() {
    let slapd = ConfiguredSlapd::start("dc=example,dc=com", &company());
    for block in PAGE.split("```ldif\n").skip(1) {
        slapd.configure(block.split("```").next().unwrap());
    }
    let config = format!(
        "urls: ['{}']\nschema: openldap\ninsecure: true\nbind: {{ dn: '{READER}', password: {{ env: UNUSED }} }}\n\
         users: {{ base: 'ou=people,dc=example,dc=com' }}\ngroups: {{ base: 'ou=groups,dc=example,dc=com' }}\n",
        slapd.url()
    );
    let config = serde_yaml::from_str(&config).unwrap();
    let password = Some(SecretRef::literal(PASSWORD));
    let directory = LdapDirectory::new("corporate", &config, password, Vec::new(), clock());
    let directory = directory.unwrap();
    let found = findings(&directory).await;
    let bad: Vec<&String> = found.iter().filter(|it| it.starts_with("BAD")).collect();
    assert!(bad.is_empty(), "{bad:?}");
    let first = read(&directory).await.unwrap();
    assert_eq!(usernames(complete(&first)).len(), USERS);
    let (url, admin) = (slapd.url(), "cn=admin,dc=example,dc=com");
    ldap_tools::modify(
        &url,
        admin,
        PASSWORD,
        "dn: uid=u1,ou=people,dc=example,dc=com\nchangetype: modify\nreplace: mail\nmail: u1@example.com\n\n\
         dn: uid=u2,ou=people,dc=example,dc=com\nchangetype: delete\n\n\
         dn: cn=staff,ou=groups,dc=example,dc=com\nchangetype: modify\nadd: member\n\
         member: uid=u3,ou=people,dc=example,dc=com\n",
    );
    let cursor = first.cursor.clone();
    assert!(cursor.is_some(), "{:?}", first.notes);
    let Read { what, notes, .. } = directory
        .read(Since {
            cursor,
            ..Since::default()
        })
        .await
        .unwrap();
    let What::Delta(delta) = what else {
        panic!("everything was read: {notes:?}");
    };
    assert_eq!(usernames(&delta.upsert), ["u1"]);
    assert_eq!(delta.upsert.groups.len(), 1);
    let merged = complete(&first).merged(&delta).unwrap();
    assert_eq!(merged.users.len(), USERS - 1);
    assert_eq!(merged.tally().memberships, 2);
}
