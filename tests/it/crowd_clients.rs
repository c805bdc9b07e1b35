//! The served set, and the Crowd in memory that other tests read from, as programs of other people see them: the packages
//! `Crowd` for Python and `atlassian-crowd-client` for Node. Each walks every call that it has, but for single sign-on.
//!
//! What they gave stands in a snapshot, line by line, and the Crowd in memory must give them the same.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use usersyncd::clock::SystemClock;
use usersyncd::model::Verdict;
use usersyncd::serve::{Passwords, Server, Sets, Settings};

use crate::support::certificates;
use crate::support::crowd_double::{APPLICATION, CrowdDouble, PASSWORD, Rules};
use crate::support::serving::{CLIENT, Citizen, ENTRY, SECRET, Town, secured, settings};

/// Username, first name, last name, whether the user is active.
const USERS: [(&str, &str, &str, bool); 5] = [
    ("ada", "Ada", "Lovelace", true),
    ("Ben", "Ben", "O'Neil & <Sons>", true),
    ("carl", "", "", false),
    ("d+e&f/g%h\"i'j", "", "", true),
    ("jürgen", "Jürgen", "Größe", true),
];

/// Group, users in it, groups in it.
const GROUPS: [(&str, &[&str], &[&str]); 5] = [
    ("all", &["jürgen"], &["staff"]),
    ("staff", &["ada", "Ben"], &["leads"]),
    ("leads", &["ada", "carl"], &[]),
    ("café & bar", &["jürgen", "d+e&f/g%h\"i'j"], &[]),
    ("empty", &[], &[]),
];

/// The password of a user.
fn password_of(user: &str) -> &'static str {
    if user == "jürgen" {
        "päss \"word\"\\ €"
    } else {
        "right"
    }
}

/// What each call of a client gave, by the name of the call.
type Results = BTreeMap<String, Value>;

/// A client's program.
#[derive(Clone, Copy, Debug)]
enum Client {
    Python,
    Node,
}

impl Client {
    /// Walks all calls. The certificate of `https` is signed by the authority in the file.
    fn walk(self, url: &str, login: (&str, &str), authority: &Path) -> Results {
        let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/clients");
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/clients");
        // One that waits for ever is ended.
        let mut command = Command::new("timeout");
        command.arg("100");
        match self {
            Client::Python => command
                .arg(clients.join("python/bin/python"))
                .arg(scripts.join("walk.py"))
                .env("REQUESTS_CA_BUNDLE", authority),
            Client::Node => command
                .arg("node")
                .arg(scripts.join("walk.mjs"))
                .arg(&clients)
                .env("NODE_EXTRA_CA_CERTS", authority),
        };
        let there = clients.join("stamp").exists();
        assert!(
            there,
            "the clients are not installed: run tests/run --prepare"
        );
        let output = command.args([url, login.0, login.1]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{self:?}: {said}");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// The directory that knows the passwords; the ids of its users are those that a [`Town`] gives them.
struct Directory;

impl Passwords for Directory {
    fn verify<'a>(
        &'a self,
        _directory: &'a str,
        user_id: &'a str,
        password: &'a SecretString,
        _limit: Duration,
    ) -> BoxFuture<'a, Verdict> {
        let right = user_id.rsplit(' ').next().map(password_of);
        let verdict = if right == Some(password.expose_secret()) {
            Verdict::Accepted
        } else {
            Verdict::Wrong
        };
        Box::pin(async move { verdict })
    }
}

/// The people and groups as they are served.
fn town() -> Town {
    let mut town = Town::default();
    for (name, first, last, active) in USERS {
        let user = Citizen::new(name, name).called(first, last);
        town = town.user(if active { user } else { user.inactive() });
    }
    for (name, users, groups) in GROUPS {
        town = town.group(name, users, groups);
    }
    town
}

/// The same people and groups in memory; nobody may write.
fn double() -> CrowdDouble {
    let double = CrowdDouble::start(Rules {
        writable: false,
        ..Rules::default()
    });
    double.with(|state| {
        for (name, first, last, active) in USERS {
            let user = state.add_user(name);
            first.clone_into(&mut user.first_name);
            last.clone_into(&mut user.last_name);
            let whole = [first, last].join(" ");
            whole.trim().clone_into(&mut user.display_name);
            user.email = format!("{name}@example.com");
            user.active = active;
            user.password = Some(password_of(name).to_owned());
        }
        for (name, _, _) in GROUPS {
            state.add_group(name).description = format!("All of {name}");
        }
        for (name, users, groups) in GROUPS {
            users.iter().for_each(|user| state.add_member(name, user));
            groups.iter().for_each(|group| state.add_child(name, group));
        }
    });
    double
}

/// What a client sees of the served set.
async fn served(client: Client, settings: Settings, url: &str, authority: &Path) -> Results {
    let sets = Arc::new(Sets::default());
    sets.publish(ENTRY, town().image());
    let clock = Arc::new(SystemClock::new());
    let server = Server::bind(settings, sets, Arc::new(Directory), clock);
    let server = server.await.unwrap();
    let url = url.replace("PORT", &server.address().unwrap().port().to_string());
    let stop = CancellationToken::new();
    let running = tokio::spawn(server.run(stop.clone()));
    let authority = authority.to_owned();
    let walk = move || client.walk(&url, (CLIENT, SECRET), &authority);
    let results = tokio::task::spawn_blocking(walk).await.unwrap();
    stop.cancel();
    running.await.unwrap();
    results
}

/// The results, a call a line.
fn lines(results: &Results) -> String {
    let mut text = String::new();
    for (call, gave) in results {
        let _ = writeln!(text, "{call}: {gave}");
    }
    text
}

/// Holds a client to its snapshot, over plain text and over TLS, and the Crowd in memory to the same.
async fn check(client: Client) {
    let folder = tempfile::tempdir().unwrap();
    certificates::write(folder.path(), &["localhost"]);
    let authority = folder.path().join(certificates::AUTHORITY);
    let plain = served(client, settings(), "http://127.0.0.1:PORT", &authority).await;
    insta::assert_snapshot!(format!("{client:?}"), lines(&plain));
    let secured = secured(folder.path());
    let url = "https://localhost:PORT/crowd/";
    let secured = served(client, secured, url, &authority).await;
    let double = client.walk(&double().url(), (APPLICATION, PASSWORD), &authority);
    for (call, gave) in &plain {
        assert_eq!(secured.get(call), Some(gave), "{client:?} {call} over TLS");
        if !differs(call) {
            assert_eq!(double.get(call), Some(gave), "{client:?} {call} in memory");
        }
    }
}

/// Whether the Crowd in memory answers a call in another way: it understands the simplest restrictions alone, says in other
/// words that nothing may be written, and takes an empty name for one that nobody has.
fn differs(call: &str) -> bool {
    let search = call.starts_with("search") && !call.ends_with(" in pages");
    let words = call.ends_with(" raising") || GROUP_WRITES.contains(&call);
    search || words || call == "user.get "
}

/// What the package for Python gives the server's own words for.
const GROUP_WRITES: [&str; 5] = [
    "create_group",
    "remove_group",
    "update_group",
    "add_child_group",
    "remove_child_group",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn for_python() {
    check(Client::Python).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn for_node() {
    check(Client::Node).await;
}
