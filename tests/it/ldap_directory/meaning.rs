//! What entries of a real server mean: several bases, statuses, ids.

use std::sync::atomic::{AtomicBool, Ordering};

use usersyncd::clock::{ManualClock, Timestamp};
use usersyncd::directories::ldap::Schema;
use usersyncd::model::Status;
use usersyncd::reconcile::reads::{self, Largest, ReadRules, Verdict};
use usersyncd::text::Percent;

use super::*;
use crate::support::slapd::{LIMITED, Slapd};

const STAFF: &str = "\
dn: ou=partners,dc=load,dc=test
objectClass: organizationalUnit
ou: partners

dn: uid=ada,ou=people,dc=load,dc=test
objectClass: inetOrgPerson
objectClass: shadowAccount
uid: ada
cn: Ada
sn: Lovelace
shadowExpire: 20779

dn: uid=ben,ou=people,dc=load,dc=test
objectClass: inetOrgPerson
objectClass: shadowAccount
uid: ben
cn: Ben
sn: Bell
shadowExpire: 1

dn: uid=cid,ou=partners,dc=load,dc=test
objectClass: inetOrgPerson
uid: cid
cn: Cid
sn: Caesar
employeeType: external

dn: cn=all,ou=groups,dc=load,dc=test
objectClass: groupOfNames
cn: all
member: uid=ada,ou=people,dc=load,dc=test
member: uid=cid,ou=partners,dc=load,dc=test

";

/// 2026-11-21T22:00:00Z; the day 20779 begins two hours later.
const NOW: Timestamp = Timestamp(1_795_298_400);

fn at(config: &LdapConfig, now: Timestamp) -> LdapDirectory {
    let password = Some(SecretRef::literal(PASSWORD));
    let clock = Arc::new(ManualClock::new(now));
    LdapDirectory::new("x", config, password, Vec::new(), clock).unwrap()
}

fn statuses(records: &Records) -> Vec<(&str, Status)> {
    let mut statuses: Vec<_> = records
        .users
        .iter()
        .map(|it| (records.text(it.username), it.status))
        .collect();
    statuses.sort_unstable();
    statuses
}

#[tokio::test]
async fn several_bases_are_one_directory() {
    let slapd = Slapd::start(STAFF);
    let mut config = config(&[&slapd.url()], READER, "");
    config.users.base =
        serde_yaml::from_str(&format!("['ou=people,{SUFFIX}', 'ou=partners,{SUFFIX}']")).unwrap();
    let done = read(&at(&config, NOW)).await.unwrap();
    let records = complete(&done);
    assert_eq!(usernames(records), ["ada", "ben", "cid"]);
    assert_eq!(memberships(records), ["all: ada cid []"]);
    assert!(done.notes.is_empty(), "{:?}", done.notes);
}

#[tokio::test]
async fn members_outside_of_the_bases_are_counted() {
    let slapd = Slapd::start(STAFF);
    let done = read(&directory(&slapd.url(), READER)).await.unwrap();
    assert_eq!(
        done.notes,
        ["members that are outside of the bases, or gone: 1"]
    );
    assert!(!complete(&done).groups[0].unknown);
}

#[tokio::test]
async fn an_expired_account_is_inactive_from_its_day_on() {
    let slapd = Slapd::start(STAFF);
    let config = config(&[&slapd.url()], READER, "");
    let before = read(&at(&config, NOW)).await.unwrap();
    assert_eq!(
        statuses(complete(&before)),
        [("ada", Status::Active), ("ben", Status::Inactive)]
    );
    let after = read(&at(&config, Timestamp(20_779 * 86_400)))
        .await
        .unwrap();
    assert_eq!(
        statuses(complete(&after)),
        [("ada", Status::Inactive), ("ben", Status::Inactive)]
    );
}

#[tokio::test]
async fn the_site_may_say_itself_who_is_active() {
    let slapd = Slapd::start(STAFF);
    let mut config = config(&[&slapd.url()], READER, "");
    config.users.base = SUFFIX.to_owned().into();
    let active = "{ attribute: employeeType, values: [Staff] }";
    config.users.active = Some(serde_yaml::from_str(active).unwrap());
    let done = read(&at(&config, NOW)).await.unwrap();
    assert_eq!(
        statuses(complete(&done)),
        [
            ("ada", Status::Unknown),
            ("ben", Status::Unknown),
            ("cid", Status::Inactive)
        ]
    );
    let said =
        "users who do not show whether they are active, so that it stays as it was last seen: 2";
    assert!(done.notes.iter().any(|it| it == said), "{:?}", done.notes);
}

#[tokio::test]
async fn a_filter_with_an_unknown_attribute_answers_nobody_and_check_says_so() {
    let slapd = Slapd::start(STAFF);
    let mut config = config(&[&slapd.url()], READER, "");
    config.users.filter = Some("(shoeSize=42)".to_owned());
    let directory = at(&config, NOW);
    let done = read(&directory).await.unwrap();
    assert!(complete(&done).users.is_empty());
    let found = findings(&directory).await;
    let said = "BAD users: no entry answers `(shoeSize=42)`: check `filter`";
    assert!(found.iter().any(|it| it.starts_with(said)), "{found:?}");
}

#[tokio::test]
async fn a_preset_of_another_product_is_recognised() {
    let slapd = Slapd::start(STAFF);
    let mut config = config(&[&slapd.url()], READER, "");
    config.schema = Schema::ActiveDirectory;
    let directory = at(&config, NOW);
    let done = read(&directory).await.unwrap();
    assert!(complete(&done).users.is_empty(), "an empty read is suspect");
    let found = findings(&directory).await;
    let said = "BAD server: it is OpenLDAP, and `schema: active-directory` is made for another";
    let found = found.iter().find(|it| it.starts_with(said)).unwrap();
    assert!(found.ends_with("Write `schema: openldap`"), "{found}");
}

/// What the guard on reads makes of a read that follows a good one.
fn judged(before: &Read, after: &Read) -> Verdict {
    let before = complete(before);
    let tally = before.tally();
    let rules = ReadRules {
        shrink_limit: Percent::whole(20),
    };
    let largest = Largest {
        users: tally.users,
        memberships: tally.memberships,
    };
    reads::judge(&rules, largest, Some(before), complete(after), None)
}

#[tokio::test]
async fn a_preset_of_another_product_removes_nobody() {
    let slapd = Slapd::start(STAFF);
    let mut config = config(&[&slapd.url()], READER, "");
    let before = read(&at(&config, NOW)).await.unwrap();
    for schema in [Schema::ActiveDirectory, Schema::Ds389, Schema::FreeIpa] {
        config.schema = schema;
        let after = read(&at(&config, NOW)).await.unwrap();
        assert!(complete(&after).users.is_empty(), "{schema:?}");
        let verdict = judged(&before, &after);
        assert!(matches!(verdict, Verdict::Suspect(_)), "{schema:?}");
    }
}

#[tokio::test]
async fn a_reader_that_lost_its_rights_removes_nobody() {
    let odd = STAFF.replace("ou=people", "ou=odd");
    let slapd = Slapd::start(&odd);
    let read_as = async |dn: &str| {
        let mut config = config(&[&slapd.url()], dn, "page_size: 100");
        config.users.base = format!("ou=odd,{SUFFIX}").into();
        read(&at(&config, NOW)).await.unwrap()
    };
    let before = read_as(READER).await;
    assert_eq!(usernames(complete(&before)), ["ada", "ben"]);
    // May search there, and read nothing.
    let after = read_as(LIMITED).await;
    assert!(complete(&after).users.is_empty());
    assert!(matches!(judged(&before, &after), Verdict::Suspect(_)));
}

#[tokio::test]
async fn check_meets_the_limits_that_a_read_would_meet() {
    let slapd = Slapd::start(&people(1_600));
    let found = findings(&paged(&slapd.url(), LIMITED, 200)).await;
    let said = found
        .iter()
        .find(|it| it.starts_with("BAD users: "))
        .unwrap();
    assert!(said.contains("result code 4"), "{said}");
    assert!(said.contains("size=unlimited"), "{said}");
}

#[tokio::test]
async fn pages_are_not_asked_for_where_they_are_not_offered() {
    /// Reads from a server whose root DSE shows these controls, and tells whether the read asked for pages.
    async fn asked(controls: &'static [&'static [u8]]) -> bool {
        let paged = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&paged);
        let answer = move |question: &ldap_script::Question| {
            let mut bytes = Vec::new();
            if question.base.is_empty() {
                let attributes: [(&str, &[&[u8]]); 1] = [("supportedControl", controls)];
                bytes = ldap_script::entry(question.id, b"", &attributes);
            } else if question.control("1.2.840.113556.1.4.319").is_some() {
                seen.store(true, Ordering::Relaxed);
            }
            bytes.extend(ldap_script::done(question.id, 0, None));
            (bytes, Then::GoOn)
        };
        let address = ldap_script::start_asked(answer).await;
        let done = read(&directory(&format!("ldap://{address}"), READER)).await;
        assert!(complete(&done.unwrap()).users.is_empty());
        paged.load(Ordering::Relaxed)
    }
    assert!(asked(&[b"1.2.840.113556.1.4.319"]).await);
    assert!(!asked(&[b"1.2.3"]).await);
    assert!(asked(&[]).await, "who hides it is asked");
}
