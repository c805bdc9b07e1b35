//! A Google Workspace in memory: the Directory API, the activities of the Reports API and the token endpoint, as sections 1 and 2
//! of the reference tell of them, with a script of faults. It listens on loopback in a thread of its own, so that it goes on
//! while a test waits, with the clock stopped or not.
//!
//! It shares nothing with the product but the clock. What comes in and what goes out is held against Google's own description
//! of the API ([`Discovery`]); whatever breaks it is told when the double goes.

mod answer;
mod asked;
mod changes;
pub(crate) mod discovery;
pub(crate) mod fault;
mod handle;
mod inside;
mod keys;
mod mask;
mod page;
mod render;
mod server;
pub(crate) mod state;
mod token;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use base64::Engine as _;
use serde_json::Value;

pub(crate) use discovery::Discovery;
pub(crate) use fault::Fault;
pub(crate) use state::State;

use super::listener::{Listener, Place};
use inside::Inside;

/// The service account.
pub(crate) const CLIENT_EMAIL: &str = "usersyncd@project.iam.gserviceaccount.com";
/// The number by which an administrator authorises it.
pub(crate) const CLIENT_ID: &str = "117000000000000000042";
/// Who may be impersonated in a new [`State`]; no user there.
pub(crate) const ADMIN: &str = "admin@example.com";

pub(crate) const USER_SCOPE: &str = "https://www.googleapis.com/auth/admin.directory.user.readonly";
pub(crate) const GROUP_SCOPE: &str =
    "https://www.googleapis.com/auth/admin.directory.group.readonly";
pub(crate) const MEMBER_SCOPE: &str =
    "https://www.googleapis.com/auth/admin.directory.group.member.readonly";
pub(crate) const AUDIT_SCOPE: &str = "https://www.googleapis.com/auth/admin.reports.audit.readonly";

/// Everybody of the account, as a member of a group.
pub(crate) const CUSTOMER: &str = "CUSTOMER";

/// A request as it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// `directory.users.list`: the name in the description of the API, or `token`; method and path where there is no such name.
    pub(crate) operation: String,
    /// As it was sent.
    pub(crate) path: String,
    /// As it was sent.
    pub(crate) query: String,
    pub(crate) body: String,
}

impl Seen {
    /// The query, decoded.
    pub(crate) fn parameters(&self) -> BTreeMap<String, String> {
        url::form_urlencoded::parse(self.query.as_bytes())
            .into_owned()
            .collect()
    }

    /// What the assertion of a token request claims.
    pub(crate) fn claims(&self) -> Value {
        let form: BTreeMap<String, String> = url::form_urlencoded::parse(self.body.as_bytes())
            .into_owned()
            .collect();
        let claims = form["assertion"].split('.').nth(1).unwrap();
        serde_json::from_slice(&token::LENIENT.decode(claims).unwrap()).unwrap()
    }
}

/// The double. It is gone when this value is.
pub(crate) struct GoogleDouble {
    address: SocketAddr,
    inside: Arc<Mutex<Inside>>,
    listener: Listener,
}

impl GoogleDouble {
    /// Starts one that holds nobody, and holds all that is said against Google's description of the API.
    pub(crate) fn start() -> GoogleDouble {
        GoogleDouble::start_with(Some(Discovery::installed()))
    }

    /// Starts one that only answers: for figures.
    pub(crate) fn start_without_checks() -> GoogleDouble {
        GoogleDouble::start_with(None)
    }

    fn start_with(checks: Option<&'static Discovery>) -> GoogleDouble {
        let place = Place::new();
        let address = place.address();
        let inside = Arc::new(Mutex::new(Inside::new(token_uri(address), checks)));
        let shared = Arc::clone(&inside);
        let listener = Listener::start(place, move |request| {
            let inside = Arc::clone(&shared);
            async move { server::answer(request, &inside).await }
        });
        GoogleDouble {
            address,
            inside,
            listener,
        }
    }

    /// The root of the API, with a slash at its end.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// The key file of the service account.
    pub(crate) fn key(&self) -> String {
        keys::valid().file(&token_uri(self.address))
    }

    /// A key file that is in order but for its key, which Google does not know (any more).
    pub(crate) fn other_key(&self) -> String {
        keys::revoked().file(&token_uri(self.address))
    }

    /// Looks at what it holds, or changes it.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        self.inside().change(look)
    }

    /// The next request of an operation goes wrong.
    pub(crate) fn fault(&self, operation: &str, fault: Fault) {
        self.fault_times(operation, 1, fault);
    }

    /// The next so many requests of an operation go wrong.
    pub(crate) fn fault_times(&self, operation: &str, times: usize, fault: Fault) {
        self.fault_on(operation, "", times, fault);
    }

    /// The next so many requests of an operation go wrong whose path and query, as sent or decoded, contain a text.
    pub(crate) fn fault_on(&self, operation: &str, text: &str, times: usize, fault: Fault) {
        self.inside().script.add(operation, text, times, fault);
    }

    /// Nothing goes wrong from now on.
    pub(crate) fn mend(&self) {
        self.inside().script.clear();
    }

    /// Changes what it holds right before the nth request of an operation from now on; the first is number 1.
    pub(crate) fn before(
        &self,
        operation: &str,
        nth: usize,
        change: impl FnOnce(&mut State) + Send + 'static,
    ) {
        self.inside()
            .script
            .before(operation, nth, Box::new(change));
    }

    /// The requests so far, in the order in which they came.
    pub(crate) fn requests(&self) -> Vec<Seen> {
        self.inside().seen.clone()
    }

    /// How many requests of an operation there were so far.
    pub(crate) fn count(&self, operation: &str) -> usize {
        let inside = self.inside();
        let of = inside.seen.iter().filter(|it| it.operation == operation);
        of.count()
    }

    /// Counts from nothing again, requests and the most in flight.
    pub(crate) fn forget_requests(&self) {
        let mut inside = self.inside();
        inside.seen.clear();
        inside.in_flight_max = inside.in_flight;
    }

    /// The most requests that were answered at one time.
    pub(crate) fn in_flight_max(&self) -> usize {
        self.inside().in_flight_max
    }

    /// What broke the description of the API so far, which is then forgiven: for tests that break it on purpose.
    pub(crate) fn take_violations(&self) -> Vec<String> {
        std::mem::take(&mut self.inside().violations)
    }

    /// Closes every connection and takes no more, until [`GoogleDouble::restore`].
    pub(crate) fn cut(&self) {
        self.listener.cut();
    }

    /// Takes connections again, at the same address.
    pub(crate) fn restore(&self) {
        self.listener.restore();
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap()
    }
}

impl Drop for GoogleDouble {
    fn drop(&mut self) {
        let ended_well = self.listener.end();
        if std::thread::panicking() {
            return;
        }
        assert!(ended_well, "the double's thread panicked");
        let violations = self.take_violations();
        assert!(
            violations.is_empty(),
            "against the description of the API:\n{}",
            violations.join("\n")
        );
    }
}

fn token_uri(address: SocketAddr) -> String {
    format!("http://{address}/token")
}
