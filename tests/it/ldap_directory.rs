//! The LDAP directory against a real slapd and, for what slapd cannot be brought to say, against a scripted server.

mod active_directory;
mod active_directory_changes;
mod bad_input;
mod check;
mod documented;
mod guard;
mod limits;
mod login;
mod meaning;
mod ranges;
mod reading;
mod syncrepl;
mod tls;
mod transport;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;

use usersyncd::clock::{Clock, SystemClock};
use usersyncd::directories::ldap::{LdapConfig, LdapDirectory, LdapSetupError};
use usersyncd::directories::{Directory as _, Read, ReadError, Since, What};
use usersyncd::model::{Delta, Records};
use usersyncd::secret::SecretRef;

use crate::support::ldap_script::{self, Then};
use crate::support::slapd::{PASSWORD, READER, SUFFIX};

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

/// A page of users with its end.
fn page(id: u32, users: std::ops::Range<usize>, code: u8, cookie: Option<&[u8]>) -> Vec<u8> {
    let mut bytes: Vec<u8> = users.flat_map(|it| ldap_script::user(id, it)).collect();
    bytes.extend(ldap_script::done(id, code, cookie));
    bytes
}

/// Reads the users of a scripted server.
async fn read_script(
    answer: impl Fn(usize, u32) -> (Vec<u8>, Then) + Send + Sync + 'static,
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

fn delta(read: &Read) -> &Delta {
    match &read.what {
        What::Delta(delta) => delta,
        What::Complete(_) => panic!("everything was read: {:?}", read.notes),
    }
}

/// That everything was read, and that the operator is told why.
fn check_doubt(read: &Read, why: &str) {
    complete(read);
    let said = read.notes.first().map(String::as_str).unwrap_or_default();
    let said_why = said.strip_prefix("everything was read: ");
    assert!(
        said_why.is_some_and(|it| it.contains(why)),
        "{why}: {:?}",
        read.notes
    );
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
