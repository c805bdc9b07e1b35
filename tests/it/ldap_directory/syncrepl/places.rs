//! What the records stand below, moved about on a real slapd: what stands below it moves along, and nobody says so.

use super::*;
use crate::support::slapd::Slapd;

/// A unit and an entry of a class that usually has nothing below it, with a user each.
const TREE: &str = "\
dn: ou=berlin,ou=people,dc=load,dc=test
objectClass: organizationalUnit
ou: berlin

dn: cn=team,ou=people,dc=load,dc=test
objectClass: organizationalRole
cn: team

dn: uid=ben,ou=berlin,ou=people,dc=load,dc=test
objectClass: inetOrgPerson
uid: ben
cn: Ben
sn: B

dn: uid=tom,cn=team,ou=people,dc=load,dc=test
objectClass: inetOrgPerson
uid: tom
cn: Tom
sn: T

dn: uid=ada,ou=people,dc=load,dc=test
objectClass: inetOrgPerson
uid: ada
cn: Ada
sn: A
";

async fn check(change: &str, expect: &[&str]) {
    let slapd = Slapd::start(TREE);
    let directory = directory(&slapd.url(), READER);
    let first = read(&directory).await.unwrap();
    assert_eq!(usernames(complete(&first)), ["ada", "ben", "tom"]);
    slapd.modify(&format!("dn: {change}\n"));
    let second = since(&directory, &first).await.unwrap();
    check_doubt(&second, "a part of the tree was added, renamed or moved");
    assert_eq!(usernames(complete(&second)), expect, "{change}");
    // It is a doubt once.
    let third = since(&directory, &second).await.unwrap();
    assert!(delta(&third).is_empty(), "{change}");
}

fn moved(place: &str, rdn: &str, below: &str) -> String {
    format!(
        "{place},ou=people,{SUFFIX}\nchangetype: modrdn\nnewrdn: {rdn}\ndeleteoldrdn: 1\nnewsuperior: {below}{SUFFIX}"
    )
}

#[tokio::test]
async fn a_unit_that_leaves_the_base_takes_its_users_along() {
    check(&moved("ou=berlin", "ou=berlin", "ou=odd,"), &["ada", "tom"]).await;
}

#[tokio::test]
async fn a_place_of_any_class_that_is_renamed_or_moved_within_the_base_is_a_doubt() {
    let all = ["ada", "ben", "tom"];
    check(&moved("cn=team", "cn=squad", "ou=people,"), &all).await;
    check(&moved("cn=team", "cn=team", "ou=berlin,ou=people,"), &all).await;
    check(&moved("ou=berlin", "ou=munich", "ou=people,"), &all).await;
}

#[tokio::test]
async fn whoever_leaves_the_base_alone_is_no_doubt() {
    let slapd = Slapd::start(TREE);
    let directory = directory(&slapd.url(), READER);
    let first = read(&directory).await.unwrap();
    let gone = moved("uid=ada", "uid=ada", "ou=odd,");
    slapd.modify(&format!("dn: {gone}\n"));
    let second = since(&directory, &first).await.unwrap();
    assert_eq!(merged(&first, &second), ["ben", "tom"]);
}
