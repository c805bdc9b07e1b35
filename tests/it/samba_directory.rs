//! The LDAP directory against a real domain controller, in units of a domain that other tests use too. A username stands once
//! in a whole domain, so each test has its own.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use usersyncd::clock::{ManualClock, Timestamp};
use usersyncd::directories::ldap::{LdapConfig, LdapDirectory};
use usersyncd::directories::{Directory as _, Read, ReadError, Since, What};
use usersyncd::model::{Records, Status};
use usersyncd::secret::SecretRef;

use crate::support::ldap_tools;
use crate::support::samba::{ADMIN, BASE, PASSWORD, READER, Samba};
use crate::support::slapd::Slapd;

/// In November 2023.
const NOW: Timestamp = Timestamp(1_700_000_000);

/// In January 2001, as Active Directory counts.
const LONG_AGO: &str = "126227808000000000";
/// In January 2100.
const FAR_AHEAD: &str = "157469184000000000";
const NEVER: &str = "9223372036854775807";

#[tokio::test]
async fn users_are_read_with_their_fields_and_status() {
    let samba = Samba::shared();
    let unit = samba.unit("users");
    let mut changes = user(&unit, "u-ada", 512, "");
    let more = "displayName: Ada Lovelace\ngivenName: Ada\nsn: Lovelace\nmail: ada@example.com\nemployeeNumber: 17\n";
    changes += &user(&unit, "u-fields", 512, more);
    changes += &user(&unit, "u-disabled", 514, "");
    changes += &user(
        &unit,
        "u-expired",
        512,
        &format!("accountExpires: {LONG_AGO}\n"),
    );
    changes += &user(
        &unit,
        "u-expires",
        512,
        &format!("accountExpires: {FAR_AHEAD}\n"),
    );
    changes += &user(&unit, "u-never", 512, &format!("accountExpires: {NEVER}\n"));
    // Neither of these is a person who could log in.
    let _ = write!(
        changes,
        "dn: CN=printer,OU=people,{unit}\nchangetype: add\nobjectClass: computer\nsAMAccountName: u-printer$\n\
         userAccountControl: 4096\n\n\
         dn: CN=customer,OU=people,{unit}\nchangetype: add\nobjectClass: contact\n\n"
    );
    samba.modify(&changes);
    let read = read(&directory(samba, &unit)).await.unwrap();
    let records = complete(&read);
    let statuses: BTreeMap<&str, Status> = records
        .users
        .iter()
        .map(|it| (records.text(it.username), it.status))
        .collect();
    let expect = [
        ("u-ada", Status::Active),
        ("u-disabled", Status::Inactive),
        ("u-expired", Status::Inactive),
        ("u-expires", Status::Active),
        ("u-fields", Status::Active),
        ("u-never", Status::Active),
    ];
    assert_eq!(statuses, BTreeMap::from(expect));
    assert!(records.rejected.is_empty(), "{:?}", records.rejected);
    let mut users = (0u32..).zip(&records.users);
    let (place, it) = users
        .find(|it| records.text(it.1.username) == "u-fields")
        .unwrap();
    let fields = [it.display_name, it.given_name, it.family_name, it.email];
    assert_eq!(
        fields.map(|it| records.text(it)),
        ["Ada Lovelace", "Ada", "Lovelace", "ada@example.com"]
    );
    let numbers: Vec<&str> = records.extra_values(place, "employeeNumber").collect();
    assert_eq!(numbers, ["17"]);
}

#[tokio::test]
async fn groups_are_read_with_nested_and_primary_members() {
    let samba = Samba::shared();
    let unit = samba.unit("groups");
    let mut changes = String::new();
    for name in ["g-ada", "g-ben", "g-carl"] {
        changes += &user(&unit, name, 512, "");
    }
    let ada = dn(&unit, "people", "g-ada");
    let ben = dn(&unit, "people", "g-ben");
    let carl = dn(&unit, "people", "g-carl");
    let (all, inner) = (dn(&unit, "groups", "g-all"), dn(&unit, "groups", "g-inner"));
    changes += &group(&unit, "g-inner", &[&ada]);
    changes += &group(&unit, "g-all", &[&inner, &ben, READER]);
    // A ring.
    let _ = write!(
        changes,
        "dn: {inner}\nchangetype: modify\nadd: member\nmember: {all}\n-\n\n"
    );
    changes += &group(&unit, "g-primary", &[&carl, &ada]);
    samba.modify(&changes);
    let primary = dn(&unit, "groups", "g-primary");
    let token = ldap_tools::values(
        &samba.url(),
        (ADMIN, PASSWORD),
        &primary,
        "primaryGroupToken",
    );
    samba.modify(&format!(
        "dn: {carl}\nchangetype: modify\nreplace: primaryGroupID\nprimaryGroupID: {}\n-\n",
        token[0]
    ));
    let read = read(&directory(samba, &unit)).await.unwrap();
    assert_eq!(
        memberships(complete(&read)),
        [
            "g-all: g-ben [g-inner] + cn=reader,cn=users,dc=ad,dc=load,dc=test",
            "g-inner: g-ada [g-all]",
            "g-primary: g-ada g-carl []",
        ]
    );
}

#[tokio::test]
async fn ids_follow_whoever_is_renamed_or_moved_and_nobody_else() {
    let samba = Samba::shared();
    let unit = samba.unit("ids");
    let names = ["i-renamed", "i-moved", "i-anew"];
    let changes: Vec<String> = names.iter().map(|it| user(&unit, it, 512, "")).collect();
    samba.modify(&(changes.concat() + &group(&unit, "i-group", &[])));
    let directory = directory(samba, &unit);
    let before = read(&directory).await.unwrap();
    let before = ids(complete(&before));
    let uuid = |it: &&str| it.len() == 36 && it.split('-').count() == 5;
    assert!(before.values().all(uuid), "{before:?}");
    let place = format!("OU=inner,OU=people,{unit}");
    let mut changes = format!("dn: {place}\nchangetype: add\nobjectClass: organizationalUnit\n\n");
    let _ = write!(
        changes,
        "dn: {}\nchangetype: modrdn\nnewrdn: CN=Other\ndeleteoldrdn: 1\n\n\
         dn: CN=Other,OU=people,{unit}\nchangetype: modify\nreplace: sAMAccountName\nsAMAccountName: i-other\n-\n\n\
         dn: {}\nchangetype: modrdn\nnewrdn: CN=i-moved\ndeleteoldrdn: 1\nnewsuperior: {place}\n\n\
         dn: {}\nchangetype: delete\n\n\
         dn: {}\nchangetype: modrdn\nnewrdn: CN=i-crew\ndeleteoldrdn: 1\n\n",
        dn(&unit, "people", "i-renamed"),
        dn(&unit, "people", "i-moved"),
        dn(&unit, "people", "i-anew"),
        dn(&unit, "groups", "i-group"),
    );
    samba.modify(&(changes + &user(&unit, "i-anew", 512, "")));
    let after = read(&directory).await.unwrap();
    let after = ids(complete(&after));
    assert_eq!(after.len(), 4, "{after:?}");
    assert_eq!(before["i-renamed"], after["i-other"]);
    assert_eq!(before["i-moved"], after["i-moved"]);
    assert_eq!(before["i-group"], after["i-group"]);
    let reused = before.values().any(|it| *it == after["i-anew"]);
    assert!(!reused, "another person has the id of somebody who left");
}

#[tokio::test]
async fn a_whole_domain_is_read_without_its_tombstones_and_its_other_parts_are_counted() {
    let samba = Samba::shared();
    let unit = samba.unit("domain");
    let gone = dn(&unit, "people", "d-gone");
    let changes = user(&unit, "d-there", 512, "") + &user(&unit, "d-gone", 512, "");
    samba.modify(&(changes + &format!("dn: {gone}\nchangetype: delete\n")));
    let config = config(&samba.url(), READER, BASE, BASE, "");
    let read = read(&build(&config, PASSWORD)).await.unwrap();
    let records = complete(&read);
    let names = ids(records);
    assert!(names.contains_key("d-there") && !names.contains_key("d-gone"));
    assert!(names.contains_key("Administrator") && names.contains_key("Domain Users"));
    assert!(
        records
            .users
            .iter()
            .all(|it| !records.text(it.handle).contains("deleted objects"))
    );
    let notes = read.notes.join("\n");
    assert!(
        notes.contains("references to other servers, not followed: "),
        "{notes}"
    );
}

#[tokio::test]
async fn ldaps_is_trusted_by_the_private_authority_and_by_no_other() {
    let samba = Samba::shared();
    let unit = samba.unit("ldaps");
    samba.modify(&user(&unit, "l-ada", 512, ""));
    let other = Slapd::start("");
    let with_ca = |ca: &Path| {
        let more = format!("ca: {}", ca.display());
        let (people, groups) = (format!("OU=people,{unit}"), format!("OU=groups,{unit}"));
        build(
            &config(&samba.ldaps_url(), READER, &people, &groups, &more),
            PASSWORD,
        )
    };
    let users = read(&with_ca(&samba.ca_path())).await.unwrap();
    assert!(ids(complete(&users)).contains_key("l-ada"));
    let refused = read(&with_ca(&other.ca_path())).await.unwrap_err();
    assert_eq!(refused.word(), "configuration", "{refused}");
}

#[tokio::test]
async fn the_reader_logs_in_by_any_of_its_names() {
    let samba = Samba::shared();
    let unit = samba.unit("logins");
    samba.modify(&user(&unit, "n-ada", 512, ""));
    for name in [READER, "reader@ad.load.test", r"ADLOAD\reader"] {
        let (people, groups) = (format!("OU=people,{unit}"), format!("OU=groups,{unit}"));
        let config = config(&samba.url(), name, &people, &groups, "");
        assert_eq!(config.problems(), []);
        let users = read(&build(&config, PASSWORD)).await.unwrap();
        assert!(ids(complete(&users)).contains_key("n-ada"), "{name}");
        let wrong = read(&build(&config, "wrong")).await.unwrap_err();
        assert_eq!(wrong.word(), "unauthorised", "{name}: {wrong}");
    }
}

#[tokio::test]
async fn a_wrong_password_and_no_login_at_all_are_told_apart() {
    let samba = Samba::shared();
    let config = config(&samba.url(), READER, BASE, BASE, "");
    let wrong = read(&build(&config, "wrong")).await.unwrap_err();
    assert_eq!(wrong.word(), "unauthorised", "{wrong}");
    assert!(wrong.to_string().contains("result code 49"), "{wrong}");
    let nobody = LdapConfig {
        bind: None,
        ..config
    };
    let nobody = read(&build(&nobody, PASSWORD)).await.unwrap_err();
    assert_ne!(nobody.word(), "unavailable", "{nobody}");
    assert!(nobody.to_string().contains("result code 1 "), "{nobody}");
}

/// The change that adds a user.
fn user(unit: &str, name: &str, control: u32, more: &str) -> String {
    let dn = dn(unit, "people", name);
    format!(
        "dn: {dn}\nchangetype: add\nobjectClass: user\nsAMAccountName: {name}\nuserAccountControl: {control}\n{more}\n"
    )
}

/// The change that adds a group.
fn group(unit: &str, name: &str, members: &[&str]) -> String {
    let dn = dn(unit, "groups", name);
    let mut change =
        format!("dn: {dn}\nchangetype: add\nobjectClass: group\nsAMAccountName: {name}\n");
    for member in members {
        let _ = writeln!(change, "member: {member}");
    }
    change + "\n"
}

fn dn(unit: &str, place: &str, name: &str) -> String {
    format!("CN={name},OU={place},{unit}")
}

fn directory(samba: &Samba, unit: &str) -> LdapDirectory {
    let (people, groups) = (format!("OU=people,{unit}"), format!("OU=groups,{unit}"));
    build(
        &config(&samba.url(), READER, &people, &groups, ""),
        PASSWORD,
    )
}

fn config(url: &str, dn: &str, users: &str, groups: &str, more: &str) -> LdapConfig {
    let yaml = format!(
        "urls: ['{url}']\nschema: active-directory\ninsecure: true\nbind: {{ dn: '{dn}', password: {{ env: UNUSED }} }}\n\
         users: {{ base: '{users}' }}\ngroups: {{ base: '{groups}' }}\n{more}\n"
    );
    serde_yaml::from_str(&yaml).unwrap()
}

fn build(config: &LdapConfig, password: &str) -> LdapDirectory {
    let further = vec!["employeeNumber".to_owned()];
    let password = config.bind.as_ref().map(|_| SecretRef::literal(password));
    let clock = Arc::new(ManualClock::new(NOW));
    LdapDirectory::new("domain", config, password, further, clock).unwrap()
}

async fn read(directory: &LdapDirectory) -> Result<Read, ReadError> {
    directory.read(Since::default()).await
}

fn complete(read: &Read) -> &Records {
    match &read.what {
        What::Complete(records) => records,
        What::Delta(_) => panic!("a delta"),
    }
}

/// The ids of all users and groups by name.
fn ids(records: &Records) -> BTreeMap<&str, &str> {
    let users = records.users.iter().map(|it| (it.username, it.id));
    let groups = records.groups.iter().map(|it| (it.name, it.id));
    let pairs = users.chain(groups);
    pairs
        .map(|it| (records.text(it.0), records.text(it.1)))
        .collect()
}

/// `group: users [groups] + references`, one line a group, sorted.
fn memberships(records: &Records) -> Vec<String> {
    let text = |id| records.text(id);
    let mut lines = Vec::new();
    for (place, group) in records.groups.iter().enumerate() {
        let users = records.members.row(place).iter();
        let mut users: Vec<&str> = users
            .map(|&it| text(records.users[it as usize].username))
            .collect();
        users.sort_unstable();
        let groups = records.children.row(place).iter();
        let groups: Vec<&str> = groups
            .map(|&it| text(records.groups[it as usize].name))
            .collect();
        let mut line = format!(
            "{}: {} [{}]",
            text(group.name),
            users.join(" "),
            groups.join(" ")
        );
        let references = records.references.iter();
        for it in references.filter(|it| it.group as usize == place) {
            let _ = write!(line, " + {}", text(it.handle));
        }
        lines.push(line);
    }
    lines.sort();
    lines
}
