//! Which application is calling, and whether it is the one it says.
//!
//! Crowd's clients are applications: a name, a password, a list of addresses. Names are not told apart from outside: an unknown
//! name and a wrong password get one answer at one price. Guessing is made slow for whoever guesses wrong, never for whoever
//! is right, so nobody can lock an application out.

mod known;
mod wrong;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use secrecy::SecretString;
use tokio::sync::Semaphore;

use self::known::Known;
use self::wrong::{Count, Wrong};
use super::caller;
use super::keyed::Keyed;
use super::settings::{Client, Settings};
use super::turns::Turns;
use crate::clock::Clock;
use crate::events;
use crate::text::Network;

pub(super) use self::known::BadSecret;

/// How many argon2 checks run at a time: each takes a core for a while, and some megabytes.
const CHECKS_MAX: usize = 2;
/// How long a wrong password is kept waiting once its address has sent too many.
const SLOW: Duration = Duration::from_secs(1);
/// The longest `Authorization` header, in bytes.
const LOGIN_BYTES_MAX: usize = 4 * 1024;

/// What stays when the clients change: the key, the counts, and who is being checked.
pub(super) struct Checks {
    keyed: Keyed,
    wrong: Wrong,
    turns: Arc<Turns>,
    running: Arc<Semaphore>,
    clock: Arc<dyn Clock>,
}

/// All clients of one configuration.
pub(super) struct Clients {
    known: BTreeMap<String, Known>,
    trusted_proxies: Vec<Network>,
    /// What the secrets of unknown names are checked against, where any client's check is dear.
    decoy: Option<Arc<str>>,
}

/// An application that has logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Login {
    /// Its name.
    pub(super) name: String,
    /// Whose set it is shown.
    pub(super) entry: String,
}

/// Why nobody has logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Denied {
    /// The name or the password is wrong, or there is none.
    Wrong,
    /// As before, and too often from this address.
    TooOften,
    /// It may not call from there. The name is told only to whoever knows its password.
    Address {
        /// The application, if it has proved to be one.
        name: Option<String>,
        /// From where it calls, where that is known.
        address: Option<IpAddr>,
    },
}

impl Checks {
    pub(super) fn new(keyed: Keyed, clock: Arc<dyn Clock>) -> Checks {
        Checks {
            keyed,
            wrong: Wrong::default(),
            turns: Arc::default(),
            running: Arc::new(Semaphore::new(CHECKS_MAX)),
            clock,
        }
    }
}

impl Clients {
    /// Reads the secrets of all clients.
    ///
    /// # Errors
    /// The name of a client and what is wrong with its secret.
    pub(super) fn read(
        settings: &Settings,
        checks: &Checks,
    ) -> Result<Clients, (String, BadSecret)> {
        let mut known = BTreeMap::new();
        for client in &settings.clients {
            let Client { name, .. } = client;
            let read = Known::read(client, &checks.keyed).map_err(|it| (name.clone(), it))?;
            known.insert(name.clone(), read);
        }
        Ok(Clients {
            decoy: known.values().find_map(Known::hash),
            known,
            trusted_proxies: settings.trusted_proxies.clone(),
        })
    }

    /// Whether connections from there are a proxy's, so that many clients share them.
    pub(super) fn is_proxy(&self, peer: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|it| it.contains(peer))
    }

    /// Who is calling.
    ///
    /// # Errors
    /// [`Denied`].
    pub(super) async fn login(
        &self,
        peer: IpAddr,
        headers: &HeaderMap,
        checks: &Checks,
    ) -> Result<Login, Denied> {
        let address = caller::address(peer, headers, &self.trusted_proxies);
        // Whoever may be nobody need not be checked: no work for strangers, and no answer that tells names apart.
        let near = address.filter(|&it| self.known.values().any(|known| known.may_call_from(it)));
        let Some(near) = near else {
            refused(checks, address.unwrap_or(peer), "address", None);
            let name = None;
            return Err(Denied::Address { name, address });
        };
        let Some((name, secret)) = basic(headers) else {
            return Err(Denied::Wrong);
        };
        let known = self.known.get(&name);
        if !self.is_right(&name, known, secret, near, checks).await {
            return Err(self
                .wrong(near, known.is_some().then_some(&*name), checks)
                .await);
        }
        match known {
            Some(known) if known.may_call_from(near) => Ok(Login {
                entry: known.entry.clone(),
                name,
            }),
            _ => {
                refused(checks, near, "address", Some(&name));
                Err(Denied::Address {
                    name: Some(name),
                    address,
                })
            }
        }
    }

    async fn is_right(
        &self,
        name: &str,
        known: Option<&Known>,
        secret: SecretString,
        address: IpAddr,
        checks: &Checks,
    ) -> bool {
        let tag = checks.keyed.tag(name, &secret);
        if known.is_some_and(|it| it.is_remembered(&tag, checks.clock.monotonic())) {
            return true;
        }
        // From here on every wrong secret costs the same, of whatever name.
        let Some(decoy) = &self.decoy else {
            return false;
        };
        let _address = checks.turns.take(&format!("address {address}")).await;
        let _name = checks.turns.take(&format!("name {name}")).await;
        if known.is_some_and(|it| it.is_remembered(&tag, checks.clock.monotonic())) {
            return true;
        }
        let hash = known.and_then(Known::hash);
        let is_own = hash.is_some();
        let matches = known::matches(
            hash.unwrap_or_else(|| decoy.clone()),
            secret,
            &checks.running,
        );
        let is_right = matches.await && is_own;
        if let (true, Some(known)) = (is_right, known) {
            known.remember(tag, checks.clock.monotonic());
        }
        is_right
    }

    async fn wrong(&self, address: IpAddr, known: Option<&str>, checks: &Checks) -> Denied {
        let count = checks.wrong.add(address, checks.clock.monotonic());
        refused(checks, address, "password", known);
        match count {
            Count::Few => Denied::Wrong,
            Count::Many => {
                checks.clock.sleep(SLOW).await;
                Denied::TooOften
            }
        }
    }
}

/// Tells of refusals, at most once a minute for each address and reason.
fn refused(checks: &Checks, address: IpAddr, reason: &'static str, client: Option<&str>) {
    if let Some(count) = checks.wrong.tell(address, reason, checks.clock.monotonic()) {
        events::serve_refused(&address.to_string(), reason, client, count);
    }
}

/// Name and password of HTTP Basic (RFC 7617).
fn basic(headers: &HeaderMap) -> Option<(String, SecretString)> {
    let header = headers.get(AUTHORIZATION)?.as_bytes();
    let (scheme, code) = header.split_at_checked("Basic ".len())?;
    if !scheme.eq_ignore_ascii_case(b"Basic ") || code.len() > LOGIN_BYTES_MAX {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(code.trim_ascii()).ok()?).ok()?;
    let login = text
        .split_once(':')
        .map(|(name, secret)| (name.to_owned(), secret.into()));
    drop(SecretString::from(text));
    login
}
