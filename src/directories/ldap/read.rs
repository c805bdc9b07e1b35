//! One read: from the first reachable server, users and groups over a connection each, at the same time.
//!
//! Two connections, because a paging cookie belongs to its connection and servers keep only one. Both go to one server,
//! since replicas differ for moments.

use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use secrecy::ExposeSecret as _;
use tokio::time::timeout;

use super::api::{Query, Session};
use super::changes::stamps::Stamps;
use super::changes::{Changes, Stop};
use super::config::Schema;
use super::convert::Entry;
use super::limits::Limits;
use super::ranges;
use super::tls::Tls;
use super::url::LdapUrl;
use crate::clock::Timestamp;
use crate::directories::{Read, ReadError, What};
use crate::model::RecordKind;
use crate::secret::SecretRef;
use crate::wire::ldap::gather::{Attributes as _, Gatherer, Oddities};
use crate::wire::ldap::ids;
use crate::wire::ldap::mapping::{Mapping, Names};

/// Everything that reading needs to know; it does not change while the directory lives.
#[derive(Debug)]
pub(super) struct Reader {
    pub urls: Vec<LdapUrl>,
    pub tls: Option<Tls>,
    pub login: Option<Login>,
    /// One for each base.
    pub users: Vec<Query>,
    /// One for each base; none where no groups are read.
    pub groups: Vec<Query>,
    /// Which product is expected.
    pub schema: Schema,
    /// Whether changes are asked for at all.
    pub incremental: bool,
    pub mapping: Mapping,
    /// Further attributes of users that the configuration names.
    pub extra: Vec<String>,
    /// How long the server may be silent.
    pub timeout: Duration,
    /// Whether a password may go where everybody on the way can read it.
    pub insecure: bool,
    pub limits: Limits,
}

/// Who asks. The password is read at every login: questions that ask no server need none, and one that was changed is used
/// from then on.
#[derive(Debug)]
pub(super) enum Login {
    /// A name and a password.
    Simple { dn: String, password: SecretRef },
    /// Whoever the server's system says that this process is.
    External,
}

impl Login {
    /// As whom it logs in, where that is known beforehand.
    pub(super) fn name(&self) -> &str {
        match self {
            Login::Simple { dn, .. } => dn,
            Login::External => "SASL EXTERNAL",
        }
    }
}

impl Reader {
    /// Reads what has changed since the cursor was given, or everything, in the time that the whole of it may take. `now` is
    /// the moment at which accounts are expired or not.
    ///
    /// # Errors
    /// Whatever makes the answer less than complete.
    pub(super) async fn read(
        &self,
        cursor: Option<&str>,
        limit: Duration,
        now: Timestamp,
    ) -> Result<Read, ReadError> {
        let work = Box::pin(self.read_since(cursor, now));
        self.within(limit, work).await
    }

    /// Gives up work that takes longer than the whole of it may take.
    pub(super) async fn within<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = Result<T, ReadError>>,
    ) -> Result<T, ReadError> {
        timeout(limit, work).await.unwrap_or_else(|_| {
            Err(ReadError::Unavailable(format!(
                "reading from {}: not complete after {} s; raise `read_timeout`, or ask for less",
                self.servers(),
                limit.as_secs()
            )))
        })
    }

    async fn read_since(&self, cursor: Option<&str>, now: Timestamp) -> Result<Read, ReadError> {
        // A cursor from before `incremental: false` was written is of no use any more.
        let Some(cursor) = cursor.filter(|_| self.incremental) else {
            return self.read_all(now).await;
        };
        match self.changes(cursor, now).await? {
            Changes::Read(read) => Ok(*read),
            Changes::Doubt(why) => {
                let mut read = self.read_all(now).await?;
                read.notes.insert(0, format!("everything was read: {why}"));
                Ok(read)
            }
        }
    }

    async fn read_all(&self, now: Timestamp) -> Result<Read, ReadError> {
        let (mut session, url) = self.connect().await?;
        let root = session.root().await?;
        let (place, no_place) = match self.begin(&mut session, &root).await {
            Ok(place) => (place, None),
            Err(Stop::Doubt(why)) => (None, Some(why)),
            Err(Stop::Failed(error)) => return Err(error),
        };
        let stamps = Stamps::needed_by(place.as_ref(), root.vendor);
        let paged = root.takes_pages();
        session.set_paged(paged);
        let gatherer = Mutex::new(self.gatherer(now));
        let (users, groups) = tokio::try_join!(
            self.read_users(session, &gatherer, &stamps),
            self.read_groups(url, paged, &gatherer, &stamps)
        )?;
        let gatherer = gatherer
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let no_place = no_place.or(stamps.result().err());
        let place = place.filter(|_| no_place.is_none());
        let cursor = place.and_then(|it| self.cursor(url, it, &gatherer));
        let oddities = gatherer.oddities();
        let records = gatherer.finish();
        let no_place = no_place.map(|why| format!("the next read must read everything: {why}"));
        let counts = notes(users + groups, &oddities, records.references.len());
        let notes = no_place.into_iter().chain(counts).collect();
        Ok(Read {
            what: What::Complete(records),
            cursor,
            notes,
            requests: None,
        })
    }

    /// A session on the first server that works. A login that is refused ends it: asking the next server with the same
    /// password would only lock the account sooner.
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
                Err(refusal @ ReadError::Unauthorised(_)) => return Err(refusal),
                Err(failure) => failures.push(failure),
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
        let (dn, password) = match &self.login {
            None => return Ok(()),
            Some(Login::External) => return session.bind_external().await,
            Some(Login::Simple { dn, password }) => (dn, password),
        };
        let password = password.read().map_err(|fault| {
            let cause = std::error::Error::source(&fault).map(|it| format!(" ({it})"));
            let cause = cause.unwrap_or_default();
            ReadError::Unauthorised(format!("bind.password: {fault}{cause}"))
        })?;
        session.bind(dn, password.expose_secret()).await
    }

    /// Reads the users of every base and tells how many references to other servers came.
    async fn read_users(
        &self,
        mut session: Session,
        gatherer: &Mutex<Gatherer<'_>>,
        stamps: &Stamps,
    ) -> Result<u64, ReadError> {
        let take = |entry: &Entry<'_>| {
            stamps.take(entry);
            with(gatherer, |it| self.gather(RecordKind::User, entry, it));
        };
        let referrals = self.search(&mut session, &self.users, stamps, take).await?;
        session.close().await;
        Ok(referrals)
    }

    /// Reads the groups of every base, over a connection of its own, and tells how many references to other servers came.
    async fn read_groups(
        &self,
        url: &LdapUrl,
        paged: bool,
        gatherer: &Mutex<Gatherer<'_>>,
        stamps: &Stamps,
    ) -> Result<u64, ReadError> {
        if self.groups.is_empty() {
            return Ok(0);
        }
        let mut session = Session::open(url, self.tls.as_ref(), self.timeout).await?;
        self.log_in(&mut session).await?;
        session.set_paged(paged);
        let take = |entry: &Entry<'_>| {
            stamps.take(entry);
            with(gatherer, |it| self.gather(RecordKind::Group, entry, it));
        };
        let referrals = self
            .search(&mut session, &self.groups, stamps, take)
            .await?;
        ranges::complete(&mut session, &self.limits, gatherer).await?;
        session.close().await;
        Ok(referrals)
    }

    async fn search(
        &self,
        session: &mut Session,
        queries: &[Query],
        stamps: &Stamps,
        each: impl Fn(&Entry<'_>) + Send + Sync,
    ) -> Result<u64, ReadError> {
        let mut referrals = 0;
        for query in queries {
            let query = stamps.asked(query);
            referrals += session.search(&query, &self.limits, &each).await?.referrals;
        }
        Ok(referrals)
    }

    /// What makes records of entries, at the moment `now`.
    pub(super) fn gatherer(&self, now: Timestamp) -> Gatherer<'_> {
        Gatherer::new(&self.mapping, &self.extra, now).requiring_ids()
    }

    /// Makes a record of an entry, or notes why it is none.
    pub(super) fn gather(&self, kind: RecordKind, entry: &Entry<'_>, gatherer: &mut Gatherer<'_>) {
        let label = label(entry, self.ids(kind));
        match kind {
            RecordKind::User => gatherer.user(entry, &label),
            RecordKind::Group => gatherer.group(entry, &label),
        }
    }

    pub(super) fn servers(&self) -> String {
        let urls: Vec<String> = self.urls.iter().map(ToString::to_string).collect();
        urls.join(", ")
    }
}

/// How an administrator finds the entry: by its id, since its DN holds names, or by its DN where it shows no id.
fn label<'a>(entry: &'a Entry<'_>, of: &Names) -> Cow<'a, str> {
    let id = of.iter().find_map(|name| {
        let value = entry.attribute(name)?;
        ids::text(name, value).ok()
    });
    id.filter(|it| !it.is_empty())
        .unwrap_or_else(|| String::from_utf8_lossy(entry.dn()))
}

/// Nobody waits for the lock: both searches run in one task, and no entry is taken across an await.
pub(super) fn with<'a, T>(
    gatherer: &Mutex<Gatherer<'a>>,
    take: impl FnOnce(&mut Gatherer<'a>) -> T,
) -> T {
    take(&mut gatherer.lock().unwrap_or_else(PoisonError::into_inner))
}

/// One error of several servers' failures: transient if one of them is.
pub(super) fn all_of(failures: &[ReadError]) -> ReadError {
    let texts: Vec<String> = failures.iter().map(ToString::to_string).collect();
    let text = texts.join("; ");
    let any = |kind: fn(&ReadError) -> bool| failures.iter().any(kind);
    if any(|it| matches!(it, ReadError::Unavailable(_))) {
        ReadError::Unavailable(text)
    } else if any(|it| matches!(it, ReadError::Incomplete(_))) {
        ReadError::Incomplete(text)
    } else {
        ReadError::Configuration(text)
    }
}

/// What an operator is told of a read: counts, never values.
pub(super) fn notes(referrals: u64, oddities: &Oddities, outside: usize) -> Vec<String> {
    let mut notes = Vec::new();
    if referrals > 0 {
        notes.push(format!(
            "references to other servers, not followed: {referrals}"
        ));
    }
    if outside > 0 {
        notes.push(format!(
            "members that are outside of the bases, or gone: {outside}"
        ));
    }
    notes.extend(oddities.notes());
    notes
}
