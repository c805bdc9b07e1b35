//! A served set of a small company, the directory that knows its passwords, and a client that says exactly what it is told to.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use usersyncd::clock::{Clock, SystemClock};
use usersyncd::model::{
    Account, AppGroup, GroupLink, Holding, Link, Membership, ObservedAccount, ObservedGroup,
    Origin, StrId, Verdict,
};
use usersyncd::secret::SecretRef;
use usersyncd::serve::config::TlsConfig;
use usersyncd::serve::{Client, Handle, Image, Passwords, Server, Sets, Settings};

/// The entry that is served.
pub(crate) const ENTRY: &str = "crowd";
/// The application that asks for it.
pub(crate) const CLIENT: &str = "jira";
/// Its password.
pub(crate) const SECRET: &str = "s3cret: with a colon";
/// The directory that everybody comes from.
pub(crate) const DIRECTORY: &str = "corporate";

/// A set in the making.
#[derive(Clone, Default)]
pub(crate) struct Town {
    users: Vec<Citizen>,
    groups: Vec<(String, String, Vec<String>, Vec<String>)>,
}

/// A user in the making.
#[derive(Clone)]
pub(crate) struct Citizen {
    pub(crate) name: String,
    pub(crate) key: String,
    pub(crate) given_name: String,
    pub(crate) family_name: String,
    pub(crate) email: String,
    pub(crate) active: bool,
    pub(crate) linked: bool,
    /// The directory it comes from.
    pub(crate) directory: &'static str,
}

impl Citizen {
    pub(crate) fn new(name: &str, key: &str) -> Self {
        Citizen {
            name: name.to_owned(),
            key: key.to_owned(),
            given_name: String::new(),
            family_name: String::new(),
            email: format!("{name}@example.com"),
            active: true,
            linked: true,
            directory: DIRECTORY,
        }
    }

    pub(crate) fn called(mut self, given_name: &str, family_name: &str) -> Self {
        given_name.clone_into(&mut self.given_name);
        family_name.clone_into(&mut self.family_name);
        self
    }

    pub(crate) fn inactive(mut self) -> Self {
        self.active = false;
        self
    }

    pub(crate) fn unlinked(mut self) -> Self {
        self.linked = false;
        self
    }
}

impl Town {
    pub(crate) fn user(mut self, user: Citizen) -> Self {
        self.users.push(user);
        self
    }

    /// Without the user of that name.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.users.retain(|it| it.name != name);
        self
    }

    /// With the user of that name changed.
    pub(crate) fn changed(mut self, name: &str, change: impl Fn(&mut Citizen)) -> Self {
        self.users
            .iter_mut()
            .filter(|it| it.name == name)
            .for_each(change);
        self
    }

    /// Adds a group, or replaces the one of that name. Members that are not there are left out.
    pub(crate) fn group(mut self, name: &str, members: &[&str], children: &[&str]) -> Self {
        let owned = |names: &[&str]| names.iter().map(|&it| it.to_owned()).collect();
        self.groups.retain(|it| it.0 != name);
        let description = format!("All of {name}");
        self.groups.push((
            name.to_owned(),
            description,
            owned(members),
            owned(children),
        ));
        self
    }

    pub(crate) fn without_group(mut self, name: &str) -> Self {
        self.groups.retain(|it| it.0 != name);
        self
    }

    /// The rows of the set.
    pub(crate) fn holding(&self) -> Holding {
        let mut holding = Holding::default();
        let pool = &mut holding.pool;
        let directory = pool.add(DIRECTORY);
        for it in &self.users {
            let full = format!("{} {}", it.given_name, it.family_name);
            let of_user = pool.add(it.directory);
            let user_id = pool.add(&format!("id of {}", it.key));
            let seen = ObservedAccount {
                remote_id: pool.add(&it.key),
                name: pool.add(&it.name),
                display_name: pool.add(full.trim()),
                given_name: pool.add(&it.given_name),
                family_name: pool.add(&it.family_name),
                email: pool.add(&it.email),
                active: it.active,
                ..ObservedAccount::default()
            };
            holding.accounts.push(Account {
                seen,
                link: it.linked.then(|| link(of_user, user_id)),
                exists: true,
            });
        }
        let place_of = |places: &[String], name: &String| {
            places
                .iter()
                .position(|it| it == name)
                .map(|at| Membership::new(at as u32, true))
        };
        let users: Vec<String> = self.users.iter().map(|it| it.name.clone()).collect();
        let groups: Vec<String> = self.groups.iter().map(|it| it.0.clone()).collect();
        for (name, description, members, children) in &self.groups {
            let sorted = |names: &[String], places: &[String]| {
                let mut found: Vec<_> =
                    names.iter().filter_map(|it| place_of(places, it)).collect();
                found.sort();
                found
            };
            holding.groups.push(AppGroup {
                seen: ObservedGroup {
                    remote_id: holding.pool.add(name),
                    name: holding.pool.add(name),
                    description: holding.pool.add(description),
                },
                link: Some(GroupLink {
                    directory,
                    group_id: StrId::EMPTY,
                    origin: Origin::Created,
                    absent_since: None,
                    absent_for: 0,
                    left_at: None,
                }),
                exists: true,
                members: sorted(members, &users),
                children: sorted(children, &groups),
            });
        }
        holding
    }

    pub(crate) fn image(&self) -> Image {
        Image::of(&self.holding())
    }
}

fn link(directory: StrId, user_id: StrId) -> Link {
    Link {
        directory,
        user_id,
        origin: Origin::Created,
        off_by_us: false,
        mail: StrId::EMPTY,
        person: StrId::EMPTY,
        tied: false,
        unlisted: false,
        absent_since: None,
        absent_for: 0,
        left_at: None,
    }
}

/// Six people, one of them inactive, and groups in groups.
pub(crate) fn company() -> Town {
    Town::default()
        .user(Citizen::new("ada", "1:a").called("Ada", "Lovelace"))
        .user(Citizen::new("Ben", "1:b").called("Ben", "O'Neil & <Sons>"))
        .user(Citizen::new("carl", "1:c").inactive())
        .user(Citizen::new("d+e&f/g%h\"i'j", "1:d"))
        .user(Citizen::new("jürgen", "1:j").called("Jürgen", "Größe"))
        .user(Citizen::new("zoe", "1:z"))
        .group("all", &["zoe"], &["staff", "café & bar"])
        .group("staff", &["ada", "Ben"], &["leads"])
        .group("leads", &["ada", "carl"], &["all"])
        .group("café & bar", &["jürgen", "d+e&f/g%h\"i'j"], &[])
        .group("empty", &[], &[])
}

/// The directory: it knows passwords, and notes who was asked about.
#[derive(Default)]
pub(crate) struct Vault {
    /// What it says of a user's stable id, whatever the password; those without an entry have the password `right`.
    pub(crate) says: Mutex<BTreeMap<String, Verdict>>,
    /// A directory that never answers.
    pub(crate) silent: Mutex<Option<String>>,
    /// Every question: directory and stable id.
    pub(crate) asked: Mutex<Vec<(String, String)>>,
}

impl Passwords for Vault {
    fn verify<'a>(
        &'a self,
        directory: &'a str,
        user_id: &'a str,
        password: &'a SecretString,
        _limit: Duration,
    ) -> BoxFuture<'a, Verdict> {
        let asked = (directory.to_owned(), user_id.to_owned());
        self.asked.lock().unwrap().push(asked);
        let silent = self.silent.lock().unwrap().as_deref() == Some(directory);
        let said = self.says.lock().unwrap().get(user_id).cloned();
        let verdict = said.unwrap_or_else(|| match password.expose_secret() {
            "right" => Verdict::Accepted,
            _ => Verdict::Wrong,
        });
        Box::pin(async move {
            if silent {
                std::future::pending::<()>().await;
            }
            // Long enough for others to come in between.
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            verdict
        })
    }
}

/// A server that runs until this goes.
pub(crate) struct Serving {
    pub(crate) address: SocketAddr,
    pub(crate) sets: Arc<Sets>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) handle: Handle,
    pub(crate) stop: CancellationToken,
    pub(crate) running: tokio::task::JoinHandle<()>,
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.running.abort();
    }
}

/// Settings with the one client, on a free port.
pub(crate) fn settings() -> Settings {
    Settings {
        listen: "127.0.0.1:0".parse().unwrap(),
        tls: None,
        trusted_proxies: Vec::new(),
        clients: vec![client(CLIENT, SECRET, &["127.0.0.1"])],
    }
}

pub(crate) fn client(name: &str, secret: &str, addresses: &[&str]) -> Client {
    Client {
        name: name.to_owned(),
        secret: SecretRef::literal(secret.to_owned()),
        addresses: addresses.iter().map(|it| it.parse().unwrap()).collect(),
        entry: ENTRY.to_owned(),
    }
}

/// Settings that show the certificate of a folder that [`super::certificates::write`] has filled.
pub(crate) fn secured(folder: &std::path::Path) -> Settings {
    Settings {
        tls: Some(TlsConfig {
            certificate: folder.join(super::certificates::SERVER),
            key: folder.join(super::certificates::KEY),
        }),
        ..settings()
    }
}

/// Starts a server of the company.
pub(crate) async fn start() -> Serving {
    let serving = start_empty(settings(), Arc::new(SystemClock::new())).await;
    serving.sets.publish(ENTRY, company().image());
    serving
}

/// Starts a server that has no set yet.
pub(crate) async fn start_empty(settings: Settings, clock: Arc<dyn Clock>) -> Serving {
    let sets = Arc::new(Sets::default());
    let vault = Arc::new(Vault::default());
    let server = Server::bind(settings, sets.clone(), vault.clone(), clock);
    let server = server.await.unwrap();
    let (address, handle) = (server.address().unwrap(), server.handle());
    let stop = CancellationToken::new();
    let running = tokio::spawn(server.run(stop.clone()));
    Serving {
        address,
        sets,
        vault,
        handle,
        stop,
        running,
    }
}

/// A request, line by line.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// Where the API is.
pub(crate) const API: &str = "/rest/usermanagement/1";

impl Ask {
    /// A request of the client below the API.
    pub(crate) fn new(method: &str, path: &str) -> Self {
        Ask::outside(method, &format!("{API}{path}")).login(CLIENT, SECRET)
    }

    pub(crate) fn get(path: &str) -> Self {
        Ask::new("GET", path)
    }

    /// A request of nobody, anywhere.
    pub(crate) fn outside(method: &str, path: &str) -> Self {
        Ask {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub(crate) fn json(self) -> Self {
        self.header("Accept", "application/json")
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|it| it.0 != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn login(self, name: &str, secret: &str) -> Self {
        use base64::Engine as _;
        let code = base64::engine::general_purpose::STANDARD.encode(format!("{name}:{secret}"));
        self.header("Authorization", &format!("Basic {code}"))
    }

    pub(crate) fn send(mut self, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("Content-Type", media_type)
    }

    /// The bytes of the request, head and body.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut text = format!(
            "{} {} HTTP/1.1\r\nHost: crowd.test:8095\r\n",
            self.method, self.path
        );
        for (name, value) in &self.headers {
            text.extend([name, ": ", value, "\r\n"]);
        }
        if !self.body.is_empty() {
            text.extend(["Content-Length: ", &self.body.len().to_string(), "\r\n"]);
        }
        let mut bytes = (text + "\r\n").into_bytes();
        bytes.extend(&self.body);
        bytes
    }
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Got {
    pub(crate) status: u16,
    /// Lower-case names.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Got {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        assert_eq!(self.headers["content-type"], "application/json");
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The status and the reason of an error.
    pub(crate) fn reason(&self) -> (u16, String) {
        let error = usersyncd::wire::crowd::ErrorBody::read(&self.body);
        (self.status, error.map_or_else(String::new, |it| it.reason))
    }
}

impl Serving {
    /// Asks over a connection of its own.
    pub(crate) async fn ask(&self, ask: Ask) -> Got {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        talk(&mut stream, &ask.header("Connection", "close")).await
    }

    pub(crate) async fn get(&self, path: &str) -> Got {
        self.ask(Ask::get(path)).await
    }

    pub(crate) async fn json(&self, path: &str) -> Got {
        self.ask(Ask::get(path).json()).await
    }
}

/// Asks over a connection that is there.
pub(crate) async fn talk(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), ask: &Ask) -> Got {
    stream.write_all(&ask.bytes()).await.unwrap();
    hear(stream).await.expect("an answer")
}

/// Reads one answer; `None` if the server closed the connection without one.
pub(crate) async fn hear(stream: &mut (impl AsyncRead + Unpin)) -> Option<Got> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|it| it == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut rest = bytes.split_off(end + 4);
    let mut lines = head.lines();
    let status = lines
        .next()
        .unwrap()
        .split(' ')
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    let header = |line: &str| {
        let (name, value) = line.split_once(": ").unwrap();
        (name.to_lowercase(), value.to_owned())
    };
    let headers: BTreeMap<String, String> = lines.map(header).collect();
    let body = if headers.contains_key("transfer-encoding") {
        chunks(stream, rest).await
    } else {
        let length: usize = headers["content-length"].parse().unwrap();
        while rest.len() < length {
            assert_ne!(stream.read_buf(&mut rest).await.unwrap(), 0, "cut");
        }
        rest
    };
    Some(Got {
        status,
        headers,
        body,
    })
}

async fn chunks(stream: &mut (impl AsyncRead + Unpin), mut bytes: Vec<u8>) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let line = loop {
            if let Some(at) = bytes.windows(2).position(|it| it == b"\r\n") {
                break at;
            }
            assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0, "cut");
        };
        let length = std::str::from_utf8(&bytes[..line]).unwrap();
        let length = usize::from_str_radix(length, 16).unwrap();
        let end = line + 2 + length + 2;
        while bytes.len() < end {
            assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0, "cut");
        }
        body.extend(&bytes[line + 2..line + 2 + length]);
        bytes.drain(..end);
        if length == 0 {
            return body;
        }
    }
}
