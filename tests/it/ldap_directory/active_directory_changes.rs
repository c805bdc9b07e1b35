//! What has changed in an Active Directory, by the scripted server: in `DirSync`'s answers and by change numbers, where Samba
//! differs or cannot be brought to it.
//!
//! The server holds a domain that a test changes between two reads. `DirSync` and change numbers tell which objects have
//! changed; everything else is what the objects are when they are asked for.

mod counting;
mod limits;
mod objects;
mod rounds;

use std::sync::{Mutex, MutexGuard};

use usersyncd::model::{Edge, RecordKind};
use usersyncd::wire::ldap::{ber, ids, sync};

use super::active_directory::{account, sid};
use super::*;
use crate::support::ldap_script::Question;

const DOMAIN: &str = "DC=ad,DC=test";
const SERVICE: &str = "CN=NTDS Settings,CN=DC1,CN=Configuration,DC=ad,DC=test";
const SHOW_DELETED: &str = "1.2.840.113556.1.4.417";
const PAGED_RESULTS: &str = "1.2.840.113556.1.4.319";

/// What the server says now.
struct Domain {
    users: Vec<Object>,
    groups: Vec<Object>,
    /// Names of organizational units.
    places: Vec<&'static str>,
    /// Names of objects that are told to have changed, and whether they were deleted.
    changed: Vec<(&'static str, bool)>,
    /// Whether the reader may ask for changes by `DirSync`.
    grants_dir_sync: bool,
    shows_deleted: bool,
    is_samba: bool,
    service: &'static str,
    invocation: &'static [u8],
    /// The number of the last change.
    highest: Option<u64>,
}

/// A user or a group: its name, the number in its security identifier, and what else it holds.
#[derive(Clone)]
struct Object(&'static str, u32, Vec<(&'static str, &'static str)>);

/// The scripted server and what it was asked.
struct Server {
    url: String,
    domain: Arc<Mutex<Domain>>,
    asked: Arc<Mutex<Vec<Question>>>,
}

impl Server {
    /// A server of the domain.
    async fn start() -> Server {
        Server::start_asked(|_| None).await
    }

    /// The same of which any question may be answered otherwise.
    async fn start_asked(
        answer: impl Fn(&Question) -> Option<(Vec<u8>, Then)> + Send + Sync + 'static,
    ) -> Server {
        let domain = Arc::new(Mutex::new(Domain::new()));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (held, seen) = (Arc::clone(&domain), Arc::clone(&asked));
        let address = ldap_script::start_asked(move |question| {
            seen.lock().unwrap().push(question.clone());
            let domain = || (held.lock().unwrap().answer(question), Then::GoOn);
            answer(question).unwrap_or_else(domain)
        })
        .await;
        let url = format!("ldap://{address}");
        Server { url, domain, asked }
    }

    fn domain(&self) -> MutexGuard<'_, Domain> {
        self.domain.lock().unwrap()
    }

    /// What it was asked since somebody last took it, but for what it is.
    fn asked(&self) -> Vec<Question> {
        let mut asked = std::mem::take(&mut *self.asked.lock().unwrap());
        asked.retain(|it| !it.is_root());
        asked
    }

    fn directory(&self) -> LdapDirectory {
        configured(&options(&self.url))
    }

    /// Reads everything.
    async fn read(&self) -> Read {
        let first = read(&self.directory()).await.unwrap();
        complete(&first);
        self.asked();
        first
    }

    /// Reads what has changed since.
    async fn since(&self, last: &Read) -> Result<Read, ReadError> {
        let cursor = last.cursor.clone();
        assert!(cursor.is_some(), "{:?}", last.notes);
        self.directory()
            .read(Since {
                cursor,
                ..Since::default()
            })
            .await
    }

    /// Reads everything, lets something happen, and reads what has changed.
    async fn told(&self, change: impl FnOnce(&mut Domain)) -> (Read, Read) {
        let first = self.read().await;
        change(&mut self.domain());
        let second = self.since(&first).await.unwrap();
        (first, second)
    }
}

impl Domain {
    fn new() -> Domain {
        let user = |name, number, more: &[_]| {
            let usual = [("userAccountControl", "512"), ("primaryGroupID", "513")];
            Object(name, number, [&usual, more].concat())
        };
        let team = ("memberOf", "CN=team,CN=Users,DC=ad,DC=test");
        Domain {
            users: vec![user("ann", 1_104, &[team]), user("ben", 1_105, &[])],
            groups: vec![
                Object("everybody", 513, Vec::new()),
                Object(
                    "team",
                    1_200,
                    vec![("member", "CN=ann,CN=Users,DC=ad,DC=test")],
                ),
            ],
            places: Vec::new(),
            changed: Vec::new(),
            grants_dir_sync: true,
            shows_deleted: true,
            is_samba: false,
            service: SERVICE,
            invocation: b"0123456789abcdef",
            highest: Some(100),
        }
    }

    fn answer(&self, question: &Question) -> Vec<u8> {
        let entries = if question.is_root() {
            self.root(question)
        } else if question.control(sync::DIR_SYNC).is_some() {
            return self.dir_sync(question);
        } else if question.base.starts_with("CN=Deleted Objects") {
            let shown = self.shows_deleted.then(|| told(question, "gone", true));
            shown.unwrap_or_default()
        } else if question.base == self.service {
            let id: [(&str, &[&[u8]]); 1] = [("invocationId", &[self.invocation])];
            ldap_script::entry(question.id, question.base.as_bytes(), &id)
        } else if question.base == DOMAIN && shows_deleted(question) {
            self.changes(question)
        } else if question.base == DOMAIN {
            let places = self.places.iter().filter(|it| question.names(&guid(it)));
            places.flat_map(|it| told(question, it, false)).collect()
        } else if question.base.starts_with("CN=Users") {
            entries(question, &self.users)
        } else {
            entries(question, &self.groups)
        };
        [entries, ldap_script::done(question.id, 0, Some(b""))].concat()
    }

    fn root(&self, question: &Question) -> Vec<u8> {
        let highest = self.highest.map(|it| it.to_string());
        let highest: Vec<&[u8]> = highest.iter().map(String::as_bytes).collect();
        let vendor: &[&[u8]] = if self.is_samba {
            &[b"Samba Team (https://www.samba.org)"]
        } else {
            &[]
        };
        let controls = [PAGED_RESULTS, sync::DIR_SYNC, SHOW_DELETED].map(str::as_bytes);
        let attributes: [(&str, &[&[u8]]); 6] = [
            ("supportedCapabilities", &[b"1.2.840.113556.1.4.800"]),
            ("supportedControl", &controls),
            (
                "namingContexts",
                &[DOMAIN.as_bytes(), b"CN=Configuration,DC=ad,DC=test"],
            ),
            ("dsServiceName", &[self.service.as_bytes()]),
            ("highestCommittedUSN", &highest),
            ("vendorName", vendor),
        ];
        ldap_script::entry(question.id, b"", &attributes)
    }

    fn dir_sync(&self, question: &Question) -> Vec<u8> {
        if !self.grants_dir_sync {
            return ldap_script::done(question.id, 50, None);
        }
        if cookie(question).is_empty() {
            return end(question, false, b"d0");
        }
        [self.changes(question), end(question, false, b"d1")].concat()
    }

    fn changes(&self, question: &Question) -> Vec<u8> {
        let changed = self.changed.iter();
        changed.flat_map(|it| told(question, it.0, it.1)).collect()
    }
}

impl Object {
    fn holds(&self, question: &Question) -> bool {
        let dn = format!("CN={},CN=Users,DC=ad,DC=test", self.0);
        let primary = self.2.iter().filter(|it| it.0 == "primaryGroupID");
        let mut primary = primary.map(|it| it.1.as_bytes());
        if question.names(b"objectGUID") {
            question.names(&guid(self.0))
        } else if question.names(b"primaryGroupID") {
            primary.any(|it| question.names(it))
        } else if question.names(b"distinguishedName") || question.names(b"objectSid") {
            question.names(dn.as_bytes())
                || question.names(ids::sid(&sid(self.1)).unwrap().as_bytes())
        } else {
            true
        }
    }
}

/// The objects that answer the filter.
fn entries(question: &Question, objects: &[Object]) -> Vec<u8> {
    let found = objects.iter().filter(|it| it.holds(question));
    found
        .flat_map(|it| account(question, it.0, it.1, &it.2))
        .collect()
}

/// The entry of which one learns which object it is, and whether it was deleted.
fn told(question: &Question, name: &str, deleted: bool) -> Vec<u8> {
    let dn = if deleted {
        format!("CN={name}\\0ADEL:77,CN=Deleted Objects,{DOMAIN}")
    } else {
        format!("CN={name},CN=Users,{DOMAIN}")
    };
    let guid = [&guid(name)[..]];
    let mut attributes: Vec<(&str, &[&[u8]])> = vec![("objectGUID", &guid)];
    if deleted {
        attributes.push(("isDeleted", &[b"TRUE"]));
    }
    ldap_script::entry(question.id, dn.as_bytes(), &attributes)
}

/// The end of an answer to `DirSync`.
fn end(question: &Question, more: bool, cookie: &[u8]) -> Vec<u8> {
    let parts = [
        ber::write_integer(ber::INTEGER, i64::from(more)),
        ber::write_integer(ber::INTEGER, 0),
        ber::write(ber::OCTETS, cookie),
    ];
    let value = ber::write(ber::SEQUENCE, &parts.concat());
    let control = ldap_script::control(sync::DIR_SYNC, Some(&value));
    ldap_script::done_with(question.id, 0, "", &control)
}

/// Since when `DirSync` is asked for changes; empty where everything is a change.
fn cookie(question: &Question) -> Vec<u8> {
    let mut parts = ber::Reader::new(question.control(sync::DIR_SYNC).unwrap());
    let mut parts = ber::Reader::new(parts.expect(ber::SEQUENCE).unwrap());
    // Members one by one; without the flag for readers who lack the right, who are not shown what was deleted.
    let flags = ber::integer(parts.expect(ber::INTEGER).unwrap());
    assert_eq!(flags, Ok(-0x8000_0000));
    parts.expect(ber::INTEGER).unwrap();
    parts.expect(ber::OCTETS).unwrap().to_vec()
}

/// Whether it asks for changes by `DirSync`, and not only where they begin.
fn asks_for_changes(question: &Question) -> bool {
    question.control(sync::DIR_SYNC).is_some() && !cookie(question).is_empty()
}

fn shows_deleted(question: &Question) -> bool {
    question.controls.iter().any(|it| it.oid == SHOW_DELETED)
}

fn guid(name: &str) -> Vec<u8> {
    format!("{name:_<16}").into_bytes()
}

fn id(name: &str) -> String {
    ids::text("objectguid", &guid(name)).unwrap().into_owned()
}

fn options(url: &str) -> String {
    format!(
        "urls: ['{url}']\nschema: active-directory\ninsecure: true\ntimeout: 5s\n\
         bind: {{ dn: 'cn=reader', password: {{ env: UNUSED }} }}\n\
         users: {{ base: 'CN=Users,{DOMAIN}' }}\ngroups: {{ base: 'OU=Groups,{DOMAIN}' }}\n"
    )
}

fn configured(options: &str) -> LdapDirectory {
    let config: LdapConfig = serde_yaml::from_str(options).unwrap();
    let password = Some(SecretRef::literal(PASSWORD));
    LdapDirectory::new("x", &config, password, Vec::new(), clock()).unwrap()
}

/// What is there after the changes.
fn merged(first: &Read, second: &Read) -> Records {
    complete(first).merged(delta(second)).unwrap()
}

/// The same by change numbers and by `DirSync`: what is done with an object does not depend on how it was told.
async fn both_ways(check: impl AsyncFn(Server)) {
    for grants_dir_sync in [true, false] {
        let server = Server::start().await;
        server.domain().grants_dir_sync = grants_dir_sync;
        check(server).await;
    }
}

/// One more change than before.
fn count(domain: &mut Domain) {
    domain.highest = domain.highest.map(|it| it + 1);
}
