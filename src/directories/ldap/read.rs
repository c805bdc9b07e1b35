//! One read: from the first reachable server, users and groups over a connection each, at the same time.
//!
//! Two connections, because a paging cookie belongs to its connection and servers keep only one. Both go to one server,
//! since replicas differ for moments.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::ClientConfig;
use secrecy::ExposeSecret as _;
use tokio::time::timeout;

use super::api::{Answered, Query, Session};
use super::convert::Entry;
use super::limits::Limits;
use super::url::LdapUrl;
use crate::directories::{Read, ReadError, What};
use crate::secret::SecretRef;
use crate::wire::ldap::gather::{Attributes as _, Gatherer};
use crate::wire::ldap::mapping::{Mapping, Names};

/// Everything that reading needs to know; it does not change while the directory lives.
#[derive(Debug)]
pub(super) struct Reader {
    pub urls: Vec<LdapUrl>,
    pub tls: Option<Arc<ClientConfig>>,
    pub login: Option<Login>,
    pub users: Query,
    pub groups: Option<Query>,
    pub mapping: Mapping,
    /// Further attributes of users that the configuration names.
    pub extra: Vec<String>,
    /// How long the server may be silent.
    pub timeout: Duration,
    pub limits: Limits,
}

/// Who asks. The password is read at every login: questions that ask no server need none, and one that was changed is used
/// from then on.
#[derive(Debug)]
pub(super) struct Login {
    pub dn: String,
    pub password: SecretRef,
}

impl Reader {
    /// Reads everything once, in the time that the whole of it may take.
    ///
    /// # Errors
    /// Whatever makes the answer less than complete.
    pub(super) async fn read(&self, limit: Duration) -> Result<Read, ReadError> {
        match timeout(limit, self.read_all()).await {
            Ok(read) => read,
            Err(_) => Err(ReadError::Unavailable(format!(
                "reading from {}: not complete after {} s; raise `read_timeout`, or ask for less",
                self.servers(),
                limit.as_secs()
            ))),
        }
    }

    async fn read_all(&self) -> Result<Read, ReadError> {
        let (session, url) = self.connect().await?;
        let gatherer = Gatherer::new(&self.mapping, &self.extra).requiring_ids();
        let gatherer = Mutex::new(gatherer);
        let take_user = |entry: &Entry<'_>| {
            let label = label(entry, &self.mapping.users.id);
            with(&gatherer, |it| it.user(entry, &label));
        };
        let take_group = |entry: &Entry<'_>| {
            let label = label(entry, &self.mapping.groups.id);
            with(&gatherer, |it| it.group(entry, &label));
        };
        let (users, groups) = tokio::try_join!(
            self.search(session, &self.users, take_user),
            self.search_groups(url, take_group)
        )?;
        let gatherer = gatherer
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let notes = notes(
            users.referrals + groups.referrals,
            gatherer.unread_members(),
        );
        Ok(Read {
            what: What::Complete(gatherer.finish()),
            cursor: None,
            notes,
        })
    }

    /// A session on the first server that can be reached. A refusal ends it: asking the next server with the same password
    /// would only lock the account sooner.
    ///
    /// # Errors
    /// The refusal, or what is wrong with each server.
    pub(super) async fn connect(&self) -> Result<(Session, &LdapUrl), ReadError> {
        let mut failures = Vec::new();
        for url in &self.urls {
            let mut session = match Session::open(url, self.tls.as_ref(), self.timeout).await {
                Ok(session) => session,
                Err(failure) => {
                    failures.push(failure);
                    continue;
                }
            };
            match self.log_in(&mut session).await {
                Ok(()) => return Ok((session, url)),
                Err(failure @ ReadError::Unavailable(_)) => failures.push(failure),
                Err(refusal) => return Err(refusal),
            }
        }
        Err(all_of(&failures))
    }

    /// Logs in, if a login is configured.
    ///
    /// # Errors
    /// As [`Session::bind`], and [`ReadError::Unauthorised`] without a password. An empty one would be taken for an anonymous
    /// login, and that for a success (RFC 4513, section 5.1.2); a secret is never empty.
    pub(super) async fn log_in(&self, session: &mut Session) -> Result<(), ReadError> {
        let Some(Login { dn, password }) = &self.login else {
            return Ok(());
        };
        let password = password.read().map_err(|fault| {
            let cause = std::error::Error::source(&fault).map(|it| format!(" ({it})"));
            let cause = cause.unwrap_or_default();
            ReadError::Unauthorised(format!("bind.password: {fault}{cause}"))
        })?;
        session.bind(dn, password.expose_secret()).await
    }

    async fn search(
        &self,
        mut session: Session,
        query: &Query,
        each: impl FnMut(&Entry<'_>) + Send,
    ) -> Result<Answered, ReadError> {
        let answered = session.search(query, &self.limits, each).await?;
        session.close().await;
        Ok(answered)
    }

    async fn search_groups(
        &self,
        url: &LdapUrl,
        each: impl FnMut(&Entry<'_>) + Send,
    ) -> Result<Answered, ReadError> {
        let Some(query) = &self.groups else {
            return Ok(Answered::default());
        };
        let mut session = Session::open(url, self.tls.as_ref(), self.timeout).await?;
        self.log_in(&mut session).await?;
        self.search(session, query, each).await
    }

    fn servers(&self) -> String {
        let urls: Vec<String> = self.urls.iter().map(ToString::to_string).collect();
        urls.join(", ")
    }
}

/// How an administrator finds the entry: by its id, since its DN holds names, or by its DN where it shows no id.
fn label<'a>(entry: &'a Entry<'_>, ids: &'a Names) -> Cow<'a, str> {
    let id = ids.iter().find_map(|it| entry.values(it).next());
    String::from_utf8_lossy(id.filter(|it| !it.is_empty()).unwrap_or(entry.dn()))
}

/// Nobody waits for the lock: both searches run in one task, and no entry is taken across an await.
fn with<'a>(gatherer: &Mutex<Gatherer<'a>>, take: impl FnOnce(&mut Gatherer<'a>)) {
    take(&mut gatherer.lock().unwrap_or_else(PoisonError::into_inner));
}

/// One error of several servers' failures: transient if one of them is.
fn all_of(failures: &[ReadError]) -> ReadError {
    let texts: Vec<String> = failures.iter().map(ToString::to_string).collect();
    let text = texts.join("; ");
    let transient = |it: &ReadError| matches!(it, ReadError::Unavailable(_));
    if failures.iter().any(transient) {
        ReadError::Unavailable(text)
    } else {
        ReadError::Configuration(text)
    }
}

fn notes(referrals: u64, unread_members: u64) -> Vec<String> {
    let mut notes = Vec::new();
    if referrals > 0 {
        notes.push(format!(
            "references to other servers, not followed: {referrals}"
        ));
    }
    if unread_members > 0 {
        notes.push(format!(
            "members that could not be read, so that their groups take no membership away: {unread_members}"
        ));
    }
    notes
}
