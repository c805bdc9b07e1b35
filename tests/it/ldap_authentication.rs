//! Passwords of users, as LDAP servers judge them: a real slapd, a real domain controller, and a scripted server for what
//! neither can be brought to say.

mod active_directory;
mod policy;
mod scripted;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use secrecy::SecretString;
use usersyncd::clock::SystemClock;
use usersyncd::directories::ldap::{LdapConfig, LdapDirectory};
use usersyncd::directories::{Directory as _, Since, What};
use usersyncd::model::Verdict;
use usersyncd::secret::SecretRef;

use crate::support::raw;
use crate::support::slapd::{PASSWORD, READER, SUFFIX, Slapd};

/// Longer than any answer takes, so that a loaded machine does not fail a test.
const LONG: Duration = Duration::from_secs(30);

const PEOPLE: &str = "\
dn: uid=ada,ou=people,dc=load,dc=test
objectClass: inetOrgPerson
uid: ada
cn: Ada
sn: Lovelace
userPassword: correct horse

dn: uid=björn,ou=people,dc=load,dc=test
objectClass: inetOrgPerson
uid: björn
cn: Björn
sn: Borg

dn: uid=gone,ou=people,dc=load,dc=test
objectClass: inetOrgPerson
objectClass: shadowAccount
uid: gone
cn: Gone
sn: Gone
shadowExpire: 1
userPassword: correct horse

";

#[tokio::test]
async fn a_password_is_right_or_wrong() {
    let slapd = Slapd::start(PEOPLE);
    let directory = directory(&[&slapd.url()], "");
    let ids = ids(&directory).await;
    let (ada, björn) = (ids["ada"].as_str(), ids["björn"].as_str());
    for (id, password, expect) in [
        (ada, "correct horse", Verdict::Accepted),
        (ada, "Correct horse", Verdict::Wrong),
        (ada, "correct horse ", Verdict::Wrong),
        (ada, "", Verdict::Wrong),
        (ada, "correct horse\0", Verdict::Wrong),
        (ada, "\0", Verdict::Wrong),
        // Who has no password comes in with none.
        (björn, "correct horse", Verdict::Wrong),
        (björn, "", Verdict::Wrong),
        (
            "00000000-0000-4000-8000-000000000000",
            "correct horse",
            Verdict::Unknown,
        ),
        ("*", "correct horse", Verdict::Unknown),
        ("", "correct horse", Verdict::Unknown),
    ] {
        assert_eq!(
            verify(&directory, id, password).await,
            expect,
            "{id} {password}"
        );
    }
}

#[tokio::test]
async fn whoever_bears_the_id_now_is_meant() {
    let slapd = Slapd::start(PEOPLE);
    let directory = directory(&[&slapd.url()], "");
    let ids = ids(&directory).await;
    let ada = &ids["ada"];
    slapd.modify(&format!(
        "dn: uid=ada,ou=people,{SUFFIX}\nchangetype: modrdn\nnewrdn: uid=a\\, \\22king\\22 \\2b Byron\ndeleteoldrdn: 1\n"
    ));
    assert_eq!(
        verify(&directory, ada, "correct horse").await,
        Verdict::Accepted
    );
    // Another one under the old name is another one.
    slapd.modify(&format!(
        "dn: uid=ada,ou=people,{SUFFIX}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: ada\ncn: Ada\nsn: Other\n\
         userPassword: another horse\n"
    ));
    assert_eq!(
        verify(&directory, ada, "another horse").await,
        Verdict::Wrong
    );
    // Outside of the base nobody is a user.
    slapd.modify(&format!(
        "dn: uid=a\\, \\22king\\22 \\2b Byron,ou=people,{SUFFIX}\nchangetype: modrdn\nnewrdn: uid=ada\n\
         deleteoldrdn: 1\nnewsuperior: ou=groups,{SUFFIX}\n"
    ));
    assert_eq!(
        verify(&directory, ada, "correct horse").await,
        Verdict::Unknown
    );
    slapd.modify(&format!(
        "dn: uid=ada,ou=groups,{SUFFIX}\nchangetype: delete\n"
    ));
    assert_eq!(
        verify(&directory, ada, "correct horse").await,
        Verdict::Unknown
    );
}

#[tokio::test]
async fn who_is_switched_off_in_the_directory_is_not_let_in_by_the_right_password() {
    let slapd = Slapd::start(PEOPLE);
    let url = slapd.url();
    let expired = directory(&[&url], "");
    let gone = &ids(&expired).await["gone"];
    assert_eq!(
        verify(&expired, gone, "correct horse").await,
        Verdict::Inactive
    );
    assert_eq!(verify(&expired, gone, "wrong").await, Verdict::Inactive);
    // The site's own rule goes before that of the product, and what it leaves open is the server's to say.
    let rule = |values: &str| {
        format!(
            "users: {{ base: 'ou=people,{SUFFIX}', active: {{ attribute: sn, values: [{values}] }} }}"
        )
    };
    let active = build(&[&url], &rule("Gone"), Some(PASSWORD));
    assert_eq!(
        verify(&active, gone, "correct horse").await,
        Verdict::Accepted
    );
    let inactive = build(&[&url], &rule("Lovelace"), Some(PASSWORD));
    assert_eq!(
        verify(&inactive, gone, "correct horse").await,
        Verdict::Inactive
    );
    let rule = rule("x").replace("attribute: sn", "attribute: employeeType");
    let unknown = build(&[&url], &rule, Some(PASSWORD));
    assert_eq!(
        verify(&unknown, gone, "correct horse").await,
        Verdict::Accepted
    );
}

#[tokio::test]
async fn every_way_to_the_server_is_one_for_passwords() {
    let slapd = Slapd::start(PEOPLE);
    let ca = format!("ca: {}", slapd.ca_path().display());
    let secured = directory(&[&slapd.ldaps_url()], &ca);
    let ada = &ids(&secured).await["ada"];
    let starttls = directory(&[&slapd.url()], &format!("starttls: true\n{ca}"));
    let socket = directory(&[&slapd.ldapi_url()], "");
    for directory in [&secured, &starttls, &socket] {
        assert_eq!(
            verify(directory, ada, "correct horse").await,
            Verdict::Accepted
        );
        assert_eq!(verify(directory, ada, "wrong").await, Verdict::Wrong);
    }
    let distrusting = directory(&[&slapd.ldaps_url()], "");
    check_unavailable(verify(&distrusting, ada, "correct horse").await, "`ca`");
}

#[tokio::test]
async fn the_next_server_is_asked_where_one_does_not_answer() {
    let slapd = Slapd::start(PEOPLE);
    let nowhere = "ldap://127.0.0.1:1";
    let silent = format!("ldap://{}", raw::start(hold).await);
    let ada = &ids(&directory(&[&slapd.url()], "")).await["ada"];
    for urls in [[nowhere, &slapd.url()], [&silent, &slapd.url()]] {
        let directory = directory(&urls, "timeout: 2s");
        assert_eq!(
            verify(&directory, ada, "correct horse").await,
            Verdict::Accepted
        );
        assert_eq!(verify(&directory, ada, "wrong").await, Verdict::Wrong);
    }
    let none = directory(&[nowhere, nowhere], "");
    check_unavailable(
        verify(&none, ada, "wrong").await,
        "connecting to ldap://127.0.0.1:1",
    );
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up_in_time_and_the_next_one_has_its_part() {
    let slapd = Slapd::start(PEOPLE);
    let ada = &ids(&directory(&[&slapd.url()], "")).await["ada"];
    let silent = format!("ldap://{}", raw::start(hold).await);
    // Its own time-out of a minute would be too long for both.
    let both = directory(&[&silent, &slapd.url()], "");
    let limit = Duration::from_secs(6);
    let verdict = ask(&both, ada, "correct horse", limit).await;
    assert_eq!(verdict, Verdict::Accepted);
    let limit = Duration::from_millis(300);
    let alone = directory(&[&silent], "");
    let verdict = tokio::time::timeout(LONG, ask(&alone, ada, "x", limit)).await;
    check_unavailable(verdict.unwrap(), "300ms");
}

#[tokio::test]
async fn a_reader_who_is_not_let_in_tells_nothing_of_the_users_password() {
    let slapd = Slapd::start(PEOPLE);
    let ada = &ids(&directory(&[&slapd.url()], "")).await["ada"];
    let wrong = build(&[&slapd.url()], "", Some("wrong"));
    check_unavailable(verify(&wrong, ada, "correct horse").await, "check `bind`");
    let base = format!("users: {{ base: 'ou=nowhere,{SUFFIX}' }}");
    let elsewhere = build(&[&slapd.url()], &base, Some(PASSWORD));
    check_unavailable(
        verify(&elsewhere, ada, "correct horse").await,
        "check `base`",
    );
}

#[tokio::test]
async fn no_password_goes_over_plain_text_unless_that_is_accepted() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let address = raw::start(move |client| {
        counter.fetch_add(1, Ordering::SeqCst);
        hold(client)
    });
    let url = format!("ldap://{}", address.await);
    let yaml = format!("urls: ['{url}']\nschema: openldap\nusers: {{ base: '{SUFFIX}' }}");
    let config: LdapConfig = serde_yaml::from_str(&yaml).unwrap();
    let clock = Arc::new(SystemClock::new());
    let anonymous = LdapDirectory::new("x", &config, None, Vec::new(), clock).unwrap();
    check_unavailable(verify(&anonymous, "1", "secret").await, "`insecure: true`");
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn the_authenticator_prints_no_password() {
    let directory = build(&["ldap://127.0.0.1:1"], "", Some("hunter2"));
    let shown = format!("{:?}", directory.authenticator().unwrap());
    assert!(shown.starts_with("LdapAuthenticator"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
}

/// Keeps a connection open and says nothing.
async fn hold(client: tokio::net::TcpStream) {
    let _client = client;
    std::future::pending::<()>().await;
}

fn directory(urls: &[&str], more: &str) -> LdapDirectory {
    build(urls, more, Some(PASSWORD))
}

/// A directory of the people, unless `more` says where the users are.
fn build(urls: &[&str], more: &str, password: Option<&str>) -> LdapDirectory {
    let users = if more.contains("users:") {
        String::new()
    } else {
        format!("users: {{ base: 'ou=people,{SUFFIX}' }}\n")
    };
    let yaml = format!(
        "urls: {urls:?}\nschema: openldap\ninsecure: true\nbind: {{ dn: '{READER}', password: {{ env: UNUSED }} }}\n\
         {users}{more}\n"
    );
    let config: LdapConfig = serde_yaml::from_str(&yaml).unwrap();
    let password = password.map(SecretRef::literal);
    let clock = Arc::new(SystemClock::new());
    LdapDirectory::new("x", &config, password, Vec::new(), clock).unwrap()
}

async fn verify(directory: &LdapDirectory, id: &str, password: &str) -> Verdict {
    ask(directory, id, password, LONG).await
}

async fn ask(directory: &LdapDirectory, id: &str, password: &str, limit: Duration) -> Verdict {
    let authenticator = directory.authenticator().unwrap();
    let password = SecretString::from(password);
    authenticator.verify(id, &password, limit).await
}

/// The stable ids by username.
async fn ids(directory: &LdapDirectory) -> BTreeMap<String, String> {
    let read = directory.read(Since::default()).await.unwrap();
    let What::Complete(records) = read.what else {
        panic!("a delta");
    };
    let text = |it| records.text(it).to_owned();
    let users = records.users.iter();
    users.map(|it| (text(it.username), text(it.id))).collect()
}

#[track_caller]
fn check_unavailable(verdict: Verdict, text: &str) {
    match verdict {
        Verdict::Unavailable(said) => assert!(said.contains(text), "{text}: {said}"),
        other => panic!("{text}: {other:?}"),
    }
}
