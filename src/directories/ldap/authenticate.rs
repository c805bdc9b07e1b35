//! Whether a password is a user's: the server is asked, by logging in as that user.
//!
//! The entry is looked up by its stable id at this moment, since it may have been renamed or moved after the last read, over a
//! connection that logs in as reading does. Then a second connection, on which nobody ever reads, logs in as the entry.
//!
//! The servers are tried in order, as for reading, until the password would be sent. It is sent once, to one server: a wrong
//! one counts against the account wherever it is tried. What nobody could tell is never a wrong password.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use ldap3::LdapResult;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::timeout;

use super::api::{Query, Session};
use super::changes::narrowed;
use super::convert::Entry;
use super::fault;
use super::limits::Limits;
use super::read::{Reader, all_of};
use super::url::LdapUrl;
use super::{in_own_task, once_each, senseless};
use crate::clock::{Clock, Timestamp};
use crate::directories::{Authenticator, ReadError};
use crate::model::{RecordKind, Status, Verdict};
use crate::secret;
use crate::wire::ldap::ber::NotBer;
use crate::wire::ldap::gather::{self, Attributes as _};
use crate::wire::ldap::policy::{self, Objection, PASSWORD_POLICY};
use crate::wire::ldap::{dn, ids};

/// How many entries may answer the question for one id. Two are one too many, and are told as such.
const ANSWERS_MAX: u64 = 10;
/// The result codes beside which a password policy says why: success, constraint violation, invalid credentials, insufficient
/// rights, unwilling.
const POLICY_CODES: [u32; 5] = [0, 19, 49, 50, 53];

/// Asks an LDAP directory for passwords.
pub(super) struct LdapAuthenticator {
    pub reader: Arc<Reader>,
    pub clock: Arc<dyn Clock>,
}

/// How far one server brought it.
enum Reached {
    /// A connection on which nobody is logged in yet, and the name of the entry to log in as.
    Entry(Session, String),
    /// There is nothing to log in as, and no other server would say otherwise.
    Told(Verdict),
}

/// An entry that bears the id.
struct Found {
    /// Its name as the server writes it.
    dn: String,
    /// Its name in one spelling.
    handle: String,
    status: Status,
}

impl fmt::Debug for LdapAuthenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LdapAuthenticator { reader, clock: _ } = self;
        f.debug_struct("LdapAuthenticator")
            .field("reader", reader)
            .finish_non_exhaustive()
    }
}

impl Authenticator for LdapAuthenticator {
    fn verify<'a>(
        &'a self,
        id: &'a str,
        password: &'a SecretString,
        limit: Duration,
    ) -> BoxFuture<'a, Verdict> {
        let sendable = secret::may_be_tried(password);
        let (reader, now) = (Arc::clone(&self.reader), self.clock.now());
        let (id, password) = (id.to_owned(), password.clone());
        Box::pin(async move {
            if !sendable {
                return Verdict::Wrong;
            }
            let work = async move {
                let verdict = timeout(limit, reader.verify(&id, &password, limit, now)).await;
                verdict.unwrap_or_else(|_| Verdict::Unavailable(late(&reader.servers(), limit)))
            };
            let verdict = in_own_task(work).await;
            verdict.unwrap_or_else(|_| Verdict::Unavailable(senseless().to_string()))
        })
    }
}

impl Reader {
    /// Asks the servers in order until one knows the entry, and that one whether the password opens it.
    async fn verify(
        &self,
        id: &str,
        password: &SecretString,
        limit: Duration,
        now: Timestamp,
    ) -> Verdict {
        // A server that hangs takes no more than its part, so that the next one is still asked.
        let servers = u32::try_from(self.urls.len()).unwrap_or(u32::MAX);
        let part = limit / servers.max(1);
        let mut failures = Vec::new();
        for url in &self.urls {
            let reached = timeout(part, self.reach(url, id, now)).await;
            let reached = reached
                .unwrap_or_else(|_| Err(ReadError::Unavailable(late(&url.to_string(), part))));
            match reached {
                Ok(Reached::Told(verdict)) => return verdict,
                Ok(Reached::Entry(session, dn)) => return log_in(session, &dn, password).await,
                // Asking the next server with the same login would only lock the reader's account sooner.
                Err(refusal @ ReadError::Unauthorised(_)) => {
                    return Verdict::Unavailable(refusal.to_string());
                }
                Err(failure) => failures.push(failure),
            }
        }
        Verdict::Unavailable(all_of(&failures).to_string())
    }

    /// Looks the entry up and opens the connection on which its password may be tried.
    ///
    /// # Errors
    /// The server cannot be reached, or does not let the reader in: the next one may be asked.
    async fn reach(&self, url: &LdapUrl, id: &str, now: Timestamp) -> Result<Reached, ReadError> {
        self.check_secrecy(url)?;
        let mut session = Session::open(url, self.tls.as_ref(), self.timeout).await?;
        self.log_in(&mut session).await?;
        let found = match self.look_up(&mut session, id, now).await {
            Ok(found) => found,
            Err(lost @ ReadError::Unavailable(_)) => return Err(lost),
            Err(other) => return Ok(Reached::Told(Verdict::Unavailable(other.to_string()))),
        };
        let Some(found) = found else {
            return Ok(Reached::Told(Verdict::Unknown));
        };
        if found.status == Status::Inactive {
            return Ok(Reached::Told(Verdict::Inactive));
        }
        let second = Session::open(url, self.tls.as_ref(), self.timeout);
        let (second, ()) = tokio::join!(second, session.close());
        Ok(Reached::Entry(second?, found.dn))
    }

    /// Makes sure that nobody on the way can read a password, unless the configuration takes that upon itself. A reader that
    /// logs in with none may read over plain text, so this is not known before.
    fn check_secrecy(&self, url: &LdapUrl) -> Result<(), ReadError> {
        let begins_tls = self.tls.as_ref().is_some_and(|it| it.starttls);
        if !url.is_plain() || begins_tls || self.insecure {
            return Ok(());
        }
        Err(ReadError::Configuration(format!(
            "the passwords of users would go to {url} readable for everybody on the way: use `ldaps://` or `starttls: true`, \
             or accept that with `insecure: true`"
        )))
    }

    /// The entry that bears the id, below the bases of users and among the entries that are users; `None` if there is none.
    ///
    /// # Errors
    /// The answer is not whole, or leaves open who is meant.
    async fn look_up(
        &self,
        session: &mut Session,
        id: &str,
        now: Timestamp,
    ) -> Result<Option<Found>, ReadError> {
        let names = self.ids(RecordKind::User);
        let asked = names.iter().filter_map(|name| {
            let value = ids::assertion(name, id)?;
            Some(format!("({name}={value})"))
        });
        let asked: String = asked.collect();
        if asked.is_empty() || id.is_empty() {
            return Ok(None);
        }
        let attributes = once_each(names.iter().chain(self.mapping.status_attributes()));
        let limits = Limits {
            entries: ANSWERS_MAX,
            ..self.limits
        };
        let mut found = Vec::new();
        for query in &self.users {
            let query = narrowed(query, &format!("(|{asked})"), &attributes);
            let mut doubt = None;
            let take = |entry: &Entry<'_>| match self.judge(entry, id, now) {
                Ok(judged) => found.extend(judged),
                Err(why) => doubt = Some(why),
            };
            session.search_unpaged(&query, &limits, take).await?;
            if let Some(why) = doubt {
                return Err(unsure(session, &query, why));
            }
        }
        // Who comes twice under one name is one, as in reading.
        found.sort_by(|left, right| left.handle.cmp(&right.handle));
        found.dedup_by(|left, right| left.handle == right.handle);
        match (found.pop(), found.is_empty(), self.users.first()) {
            (found, true, _) => Ok(found),
            (_, false, Some(query)) => Err(unsure(session, query, "several entries bear the id")),
            (_, false, None) => Ok(None),
        }
    }

    /// What an entry is that a server gave for an id; `None` where it is another one's, since servers compare ids in their own way,
    /// or what is left of a deleted one.
    fn judge(
        &self,
        entry: &Entry<'_>,
        id: &str,
        now: Timestamp,
    ) -> Result<Option<Found>, &'static str> {
        if gather::is_tombstone(entry) {
            return Ok(None);
        }
        let shown = gather::id(entry, self.ids(RecordKind::User));
        let shown = shown.ok_or("an entry does not show its id: may it be read?")?;
        if shown != id {
            return Ok(None);
        }
        let name =
            std::str::from_utf8(entry.dn()).map_err(|_| "the name of an entry is no text")?;
        let handle = dn::normalise(name).map_err(|_| "the name of an entry is no DN")?;
        if handle.is_empty() {
            return Err("an entry has no name: logging in as nobody would be a success");
        }
        Ok(Some(Found {
            dn: name.to_owned(),
            handle,
            status: self.mapping.verdict(entry, now).status,
        }))
    }
}

/// Logs in as the entry. The connection is closed behind it, whatever the answer is.
async fn log_in(mut session: Session, dn: &str, password: &SecretString) -> Verdict {
    match session.bind_as_user(dn, password.expose_secret()).await {
        Ok(answer) => verdict(&session.checking(), &answer),
        Err(failure) => Verdict::Unavailable(failure.to_string()),
    }
}

/// What the answer to a login means. `what` says what was done, where. The server's own words are never repeated: nobody knows
/// what it puts into its answer to a password.
fn verdict(what: &str, answer: &LdapResult) -> Verdict {
    let mut controls = answer.ctrls.iter().map(|it| &it.1);
    let policy = controls.find(|it| it.ctype == PASSWORD_POLICY);
    let value = policy.and_then(|it| it.val.as_deref());
    let objection = match value.map(policy::objection).transpose() {
        Ok(objection) => objection.flatten(),
        Err(NotBer) => return Verdict::Unavailable(fault::senseless(what).to_string()),
    };
    if let Some(objection) = objection.filter(|_| POLICY_CODES.contains(&answer.rc)) {
        return match objection {
            Objection::Locked => Verdict::Inactive,
            Objection::Expired | Objection::MustChange => Verdict::Expired,
        };
    }
    match answer.rc {
        0 => Verdict::Accepted,
        // 389 Directory Server and its relatives, after too many wrong passwords.
        19 => Verdict::Inactive,
        // 389 Directory Server, of an entry without any password.
        48 => Verdict::Wrong,
        49 => refused(what, &answer.text),
        code => Verdict::Unavailable(format!(
            "{what}: the server answered with result code {code}; {}",
            remedy(code)
        )),
    }
}

/// What "invalid credentials" means: a wrong password, unless Active Directory says something else with it.
fn refused(what: &str, said: &str) -> Verdict {
    match fault::data(said).as_deref() {
        Some("525") => Verdict::Unknown,
        // Not at this hour, not from this machine; switched off; locked.
        Some("530" | "531" | "533" | "775") => Verdict::Inactive,
        // The password; the account; it must be changed first.
        Some("532" | "701" | "773") => Verdict::Expired,
        Some("568") => Verdict::Unavailable(format!(
            "{what}: the user is in too many groups to log in; take some of them away"
        )),
        _ => Verdict::Wrong,
    }
}

fn remedy(code: u32) -> &'static str {
    match code {
        8 | 13 => "it demands encryption: use `ldaps://` or `starttls: true`",
        7 | 14 => "it does not take simple binds of users",
        10 => "the entry is held by another server: name that one in `urls`",
        51 | 52 | 80 => "it cannot answer at present",
        _ => "its log says why",
    }
}

fn unsure(session: &Session, query: &Query, why: &str) -> ReadError {
    ReadError::Incomplete(format!("{}: {why}", session.reading(query)))
}

fn late(servers: &str, limit: Duration) -> String {
    format!(
        "checking a password at {servers}: no answer within {limit:?}; the server is overloaded or hangs, or something \
         between drops the connection"
    )
}

#[cfg(test)]
mod tests {
    use ldap3::controls::{Control, RawControl};

    use super::*;

    const SAID: &str =
        "80090308: LdapErr: DSID-0C09042F, comment: AcceptSecurityContext error, data ";

    fn answer(rc: u32, text: &str, policy: Option<&[u8]>) -> LdapResult {
        let policy = policy.map(|value| {
            let ctype = PASSWORD_POLICY.to_owned();
            let val = Some(value.to_vec());
            Control(
                None,
                RawControl {
                    ctype,
                    crit: false,
                    val,
                },
            )
        });
        LdapResult {
            rc,
            matched: String::new(),
            text: text.to_owned(),
            refs: Vec::new(),
            ctrls: policy.into_iter().collect(),
        }
    }

    fn word(verdict: &Verdict) -> &'static str {
        match verdict {
            Verdict::Accepted => "accepted",
            Verdict::Wrong => "wrong",
            Verdict::Inactive => "inactive",
            Verdict::Expired => "expired",
            Verdict::Unknown => "unknown",
            Verdict::Unavailable(_) => "unavailable",
        }
    }

    #[test]
    fn every_result_code_has_its_meaning_and_only_nought_is_a_success() {
        for rc in (0..=130).chain([4096, u32::MAX]) {
            let expect = match rc {
                0 => "accepted",
                48 | 49 => "wrong",
                19 => "inactive",
                _ => "unavailable",
            };
            assert_eq!(word(&verdict("", &answer(rc, "", None))), expect, "{rc}");
        }
    }

    #[test]
    fn active_directory_says_why_it_refuses() {
        for (data, expect) in [
            ("525", "unknown"),
            ("52e", "wrong"),
            ("52E", "wrong"),
            ("530", "inactive"),
            ("531", "inactive"),
            ("532", "expired"),
            ("533", "inactive"),
            ("568", "unavailable"),
            ("701", "expired"),
            ("773", "expired"),
            ("775", "inactive"),
            ("0", "wrong"),
        ] {
            let said = format!("{SAID}{data}, v4563\0");
            assert_eq!(
                word(&verdict("", &answer(49, &said, None))),
                expect,
                "{data}"
            );
            // Elsewhere the words mean nothing.
            assert_eq!(word(&verdict("", &answer(0, &said, None))), "accepted");
            assert_eq!(word(&verdict("", &answer(53, &said, None))), "unavailable");
        }
    }

    #[test]
    fn a_password_policy_goes_before_the_result_code() {
        for rc in [0, 19, 49, 50, 53] {
            for (error, expect) in [(0, "expired"), (1, "inactive"), (2, "expired")] {
                let value = [0x30, 3, 0x81, 1, error];
                let told = verdict("", &answer(rc, "", Some(&value)));
                assert_eq!(word(&told), expect, "{rc} {error}");
                assert_eq!(
                    word(&verdict("", &answer(52, "", Some(&value)))),
                    "unavailable"
                );
            }
        }
        // It will expire; it is too short to be changed to.
        for value in [
            &b"\x30\x05\xa0\x03\x80\x01\x05"[..],
            b"\x30\x03\x81\x01\x06",
            b"\x30\x00",
        ] {
            assert_eq!(word(&verdict("", &answer(0, "", Some(value)))), "accepted");
            assert_eq!(word(&verdict("", &answer(49, "", Some(value)))), "wrong");
        }
        let broken = answer(0, "", Some(b"\x30\x05\x81\x01"));
        assert_eq!(word(&verdict("", &broken)), "unavailable");
    }

    #[test]
    fn the_servers_words_are_not_repeated() {
        let told = verdict("checking", &answer(53, "hunter2 is no password", None));
        let expect = "checking: the server answered with result code 53; its log says why";
        assert_eq!(told, Verdict::Unavailable(expect.to_owned()));
    }
}
