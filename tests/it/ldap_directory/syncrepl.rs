//! Content synchronisation (RFC 4533, `refreshOnly`) in every shape that servers give it, by the scripted server; against a real
//! slapd where one can be brought to it.
//!
//! The server holds two users and a group that they are in. It is read completely, and then asked for what has changed; a
//! test says what it answers to that. Where a test says nothing, nothing has changed.

mod bases;
mod cursors;
mod database;
mod doubts;
mod ds389;
mod failures;
mod phases;
mod places;
mod rights;

use std::sync::Mutex;

use usersyncd::clock::{ManualClock, Timestamp};
use usersyncd::model::RecordKind;
use usersyncd::wire::ldap::{ber, sync};

use super::*;
use crate::support::ldap_script::{AskedControl, Question};

/// 2026-11-22, 00:00.
const NOW: Timestamp = Timestamp(1_795_305_600);

/// The cookie that the server gives to who has none.
const FIRST: &[u8] = b"c0";

const OPENLDAP: &[(&str, &[&[u8]])] = &[
    ("objectClass", &[b"top", b"OpenLDAProotDSE"]),
    (
        "supportedControl",
        &[b"1.2.840.113556.1.4.319", b"1.3.6.1.4.1.4203.1.9.1.1"],
    ),
];

/// By which OpenLDAP finds what has changed.
const STAMP: (&str, &[&[u8]]) = ("entryCSN", &[b"20261122000000.000000Z#000000#000#000000"]);

/// What a question with a cookie is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    Users,
    Groups,
    /// What stands between the bases and the records.
    Places,
}

/// The scripted server and what it was asked.
struct Server {
    url: String,
    asked: Arc<Mutex<Vec<Question>>>,
}

impl Server {
    /// An OpenLDAP server that answers questions for changes like this.
    async fn start(
        answer: impl Fn(&Question, About) -> Option<Vec<u8>> + Send + Sync + 'static,
    ) -> Server {
        Server::start_asked(move |question| {
            let about = about(question)?;
            Some((answer(question, about)?, Then::GoOn))
        })
        .await
    }

    /// The same of which any question may be answered otherwise.
    async fn start_asked(
        answer: impl Fn(&Question) -> Option<(Vec<u8>, Then)> + Send + Sync + 'static,
    ) -> Server {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        let address = ldap_script::start_asked(move |question| {
            seen.lock().unwrap().push(question.clone());
            answer(question).unwrap_or_else(|| (ordinary(question), Then::GoOn))
        })
        .await;
        let url = format!("ldap://{address}");
        Server { url, asked }
    }

    fn directory(&self) -> LdapDirectory {
        configured(&options(&self.url))
    }

    /// What it was asked since somebody last took it, but for what it is.
    fn asked(&self) -> Vec<Question> {
        let mut asked = std::mem::take(&mut *self.asked.lock().unwrap());
        asked.retain(|it| !it.is_root());
        asked
    }

    /// Reads everything, and then what has changed.
    async fn read_twice(&self) -> (Read, Result<Read, ReadError>) {
        let directory = self.directory();
        let first = read(&directory).await.unwrap();
        complete(&first);
        self.asked();
        let second = since(&directory, &first).await;
        (first, second)
    }

    /// Reads everything, and then what has changed, which works.
    async fn told(&self) -> (Read, Read) {
        let (first, second) = self.read_twice().await;
        (first, second.unwrap())
    }
}

/// What a server that has changed in nothing says.
fn ordinary(question: &Question) -> Vec<u8> {
    if question.is_root() {
        let entry = ldap_script::entry(question.id, b"", OPENLDAP);
        return [entry, ldap_script::done(question.id, 0, None)].concat();
    }
    match cookie(question) {
        Some(it) if it.is_empty() => end(question, Some(FIRST), true),
        Some(_) => ldap_script::done(question.id, 0, None),
        None => {
            // Whoever asks for no attribute asks whether there is an entry that shows when it changed.
            let records = if question.attributes == ["1.1"] {
                user(question, 1, &[], &[])
            } else if question.base.starts_with("ou=people") {
                [user(question, 1, &[], &[]), user(question, 2, &[], &[])].concat()
            } else if question.base.starts_with("ou=groups") {
                team(question, &[])
            } else {
                Vec::new()
            };
            [records, ldap_script::done(question.id, 0, Some(b""))].concat()
        }
    }
}

fn options(url: &str) -> String {
    format!(
        "urls: ['{url}']\nschema: openldap\ninsecure: true\ntimeout: 5s\n\
         bind: {{ dn: 'cn=reader', password: {{ env: UNUSED }} }}\n\
         users: {{ base: 'ou=people,{SUFFIX}' }}\ngroups: {{ base: 'ou=groups,{SUFFIX}' }}\n"
    )
}

fn configured(options: &str) -> LdapDirectory {
    timed(options, Arc::new(ManualClock::new(NOW)))
}

fn timed(options: &str, clock: Arc<ManualClock>) -> LdapDirectory {
    let config: LdapConfig = serde_yaml::from_str(options).unwrap();
    let password = Some(SecretRef::literal(PASSWORD));
    LdapDirectory::new("x", &config, password, Vec::new(), clock).unwrap()
}

async fn since(directory: &LdapDirectory, last: &Read) -> Result<Read, ReadError> {
    let cursor = last.cursor.clone();
    assert!(cursor.is_some(), "{:?}", last.notes);
    directory
        .read(Since {
            cursor,
            ..Since::default()
        })
        .await
}

/// That everything was read, that the operator is told why, and that the next read can go on from there.
fn check_doubt(read: &Read, why: &str) {
    super::check_doubt(read, why);
    assert!(read.cursor.is_some(), "{why}");
}

/// The usernames after the changes.
fn merged(first: &Read, second: &Read) -> Vec<String> {
    let records = complete(first).merged(delta(second)).unwrap();
    usernames(&records).into_iter().map(str::to_owned).collect()
}

fn about(question: &Question) -> Option<About> {
    cookie(question).filter(|it| !it.is_empty())?;
    Some(if question.attributes == ["1.1"] {
        About::Places
    } else if question.base.starts_with("ou=groups") {
        About::Groups
    } else {
        About::Users
    })
}

/// Whether it is asked for changes, and since when; empty where everything is a change.
fn cookie(question: &Question) -> Option<Vec<u8>> {
    let is = |it: &&AskedControl| it.oid == sync::SYNC_REQUEST;
    let control = question.controls.iter().find(is)?;
    assert!(control.critical);
    let mut parts = ber::Reader::new(control.value.as_ref().unwrap());
    let mut parts = ber::Reader::new(parts.expect(ber::SEQUENCE).unwrap());
    assert_eq!(parts.expect(ber::ENUMERATED), Ok(&[1][..]));
    let cookie = parts.optional(ber::OCTETS).unwrap();
    Some(cookie.unwrap_or_default().to_vec())
}

/// Whether it is asked where changes begin.
fn begins(question: &Question) -> bool {
    cookie(question).is_some_and(|it| it.is_empty())
}

/// An id, of which [`text_of`] is the text.
fn uuid(number: u8) -> [u8; 16] {
    let mut uuid = [0; 16];
    (uuid[6], uuid[8], uuid[15]) = (0x40, 0x80, number);
    uuid
}

fn text_of(number: u8) -> String {
    sync::entry_uuid(&uuid(number))
}

fn user(question: &Question, number: u8, more: &[(&str, &[&[u8]])], controls: &[u8]) -> Vec<u8> {
    named(question, number, &format!("user{number}"), more, controls)
}

/// A user of another name.
fn named(
    question: &Question,
    number: u8,
    name: &str,
    more: &[(&str, &[&[u8]])],
    controls: &[u8],
) -> Vec<u8> {
    let (dn, id) = (format!("uid={name},ou=people,{SUFFIX}"), text_of(number));
    let (name, id) = ([name.as_bytes()], [id.as_bytes()]);
    let known = [("uid", &name[..]), ("entryUUID", &id), STAMP];
    let attributes = [&known, more].concat();
    ldap_script::entry_with(question.id, dn.as_bytes(), &attributes, controls)
}

/// The group, whose id is number 9.
fn team(question: &Question, controls: &[u8]) -> Vec<u8> {
    let (dn, id) = (format!("cn=team,ou=groups,{SUFFIX}"), text_of(9));
    let members = [1, 2].map(|it| format!("uid=user{it},ou=people,{SUFFIX}"));
    let members: Vec<&[u8]> = members.iter().map(String::as_bytes).collect();
    let attributes: [(&str, &[&[u8]]); 4] = [
        STAMP,
        ("cn", &[b"team"]),
        ("entryUUID", &[id.as_bytes()]),
        ("member", &members),
    ];
    ldap_script::entry_with(question.id, dn.as_bytes(), &attributes, controls)
}

/// An entry without attributes.
fn bare(question: &Question, controls: &[u8]) -> Vec<u8> {
    let dn = format!("uid=somebody,ou=people,{SUFFIX}");
    ldap_script::entry_with(question.id, dn.as_bytes(), &[], controls)
}

const PRESENT: i64 = 0;
const ADD: i64 = 1;
const MODIFY: i64 = 2;
const DELETE: i64 = 3;

/// The control on an entry.
fn state(state: i64, number: u8) -> Vec<u8> {
    let parts = [
        ber::write_integer(ber::ENUMERATED, state),
        ber::write(ber::OCTETS, &uuid(number)),
    ];
    let value = ber::write(ber::SEQUENCE, &parts.concat());
    ldap_script::control(sync::SYNC_STATE, Some(&value))
}

/// The message that names ids of what is gone, or of what is left.
fn id_set(question: &Question, gone: bool, numbers: &[u8], cookie: Option<&[u8]>) -> Vec<u8> {
    let ids: Vec<u8> = numbers
        .iter()
        .flat_map(|&it| ber::write(ber::OCTETS, &uuid(it)))
        .collect();
    let parts = [octets(cookie), truth(gone), ber::write(ber::SET, &ids)];
    info(question, 0xa3, &parts.concat())
}

/// The message that says that all that is left was named.
fn refresh_present(question: &Question, cookie: Option<&[u8]>) -> Vec<u8> {
    info(question, 0xa2, &octets(cookie))
}

fn info(question: &Question, tag: u8, content: &[u8]) -> Vec<u8> {
    ldap_script::intermediate(question.id, sync::SYNC_INFO, &ber::write(tag, content))
}

/// The end with its control.
fn end(question: &Question, cookie: Option<&[u8]>, refresh_deletes: bool) -> Vec<u8> {
    let parts = [octets(cookie), truth(refresh_deletes)];
    let value = ber::write(ber::SEQUENCE, &parts.concat());
    let control = ldap_script::control(sync::SYNC_DONE, Some(&value));
    ldap_script::done_with(question.id, 0, "", &control)
}

fn octets(content: Option<&[u8]>) -> Vec<u8> {
    content
        .map(|it| ber::write(ber::OCTETS, it))
        .unwrap_or_default()
}

/// A BOOLEAN, left away where it is what goes without saying.
fn truth(is: bool) -> Vec<u8> {
    if is {
        ber::write(ber::BOOLEAN, &[0xff])
    } else {
        Vec::new()
    }
}
