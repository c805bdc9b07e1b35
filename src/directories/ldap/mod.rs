//! LDAP (RFC 4511): users and groups of a server, read completely or not at all.
//!
//! The library underneath, ldap3, panics at messages it does not know and reports a broken connection in ways that look like
//! an end. So it gets only what passed a guard, over a transport of ours; every read is a task of its own, on fresh
//! connections, whose panic is a failed read; every page must end with result code 0; and every wait has a time-out, every
//! amount a limit. References to other servers are counted and never followed: that would show them the bind password.

mod api;
mod authenticate;
mod changes;
mod check;
pub mod config;
mod convert;
mod cursor;
mod fault;
mod limits;
mod ranges;
mod read;
mod root;
mod tls;
mod transport;
mod url;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use ldap3::Scope;
use tokio::task::JoinError;
use tokio_util::task::AbortOnDropHandle;

pub use self::config::{LdapConfig, LdapProblem, Schema};
pub use self::url::{BadUrl, LdapUrl};

use self::api::Query;
use self::authenticate::LdapAuthenticator;
use self::config::Bind;
use self::limits::Limits;
use self::read::{Login, Reader};
use self::tls::Tls;
use crate::clock::Clock;
use crate::directories::{Authenticator, Directory, Read, ReadError, Since};
use crate::model::{Delta, Finding};
use crate::secret::SecretRef;
use crate::trust::{self, TlsFault};
use crate::wire::ldap::filter;
use crate::wire::ldap::mapping::Mapping;

/// How long a whole read may take unless told otherwise.
const READ_TIMEOUT: Duration = Duration::from_mins(10);

/// A directory behind LDAP.
pub struct LdapDirectory {
    name: String,
    reader: Arc<Reader>,
    read_timeout: Duration,
    clock: Arc<dyn Clock>,
}

/// Why a directory cannot be set up from its configuration.
#[derive(Debug, thiserror::Error)]
pub enum LdapSetupError {
    /// An option cannot work.
    #[error("{}: {}", .0.path, .0.text)]
    Option(LdapProblem),
    /// `bind.dn` is configured and no password was given.
    #[error("bind.password: there is none")]
    NoPassword,
    /// The certificates for `ldaps` cannot be had.
    #[error(transparent)]
    Tls(#[from] TlsFault),
}

impl LdapDirectory {
    /// Prepares a directory without asking a server. `password` is `bind.password`, under the folder of its configuration,
    /// which is read at every login; `extra` are the further attributes of users that rules and templates of the
    /// configuration name; `clock` says whether an account has expired.
    ///
    /// # Errors
    /// [`LdapSetupError`]: an option that cannot work (the first of [`LdapConfig::problems`]), no password, a certificate
    /// file that is none.
    pub fn new(
        name: impl Into<String>,
        config: &LdapConfig,
        password: Option<SecretRef>,
        extra: Vec<String>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, LdapSetupError> {
        if let Some(problem) = config.problems().into_iter().next() {
            return Err(LdapSetupError::Option(problem));
        }
        let login = login(config, password)?;
        let secured = config.starttls || config.urls.iter().any(LdapUrl::is_tls);
        let tls = if secured {
            let starttls = config.starttls;
            let config = trust::client_config(config.ca.as_deref())?;
            Some(Tls { config, starttls })
        } else {
            None
        };
        let mapping = config.mapping();
        let (users, groups) = queries(config, &mapping, &extra);
        let reader = Reader {
            urls: config.urls.clone(),
            tls,
            login,
            users,
            groups,
            schema: config.schema,
            incremental: config.incremental,
            mapping,
            extra,
            timeout: config.timeout.as_std(),
            insecure: config.insecure,
            limits: Limits::default(),
        };
        Ok(LdapDirectory {
            name: name.into(),
            reader: Arc::new(reader),
            read_timeout: READ_TIMEOUT,
            clock,
        })
    }

    /// The same directory with another limit on how long a whole read may take; 10 minutes unless told otherwise.
    #[must_use]
    pub fn with_read_timeout(self, read_timeout: Duration) -> Self {
        LdapDirectory {
            read_timeout,
            ..self
        }
    }
}

impl std::fmt::Debug for LdapDirectory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let LdapDirectory {
            name,
            reader,
            read_timeout,
            clock: _,
        } = self;
        f.debug_struct("LdapDirectory")
            .field("name", name)
            .field("reader", reader)
            .field("read_timeout", read_timeout)
            .finish_non_exhaustive()
    }
}

impl Directory for LdapDirectory {
    fn name(&self) -> &str {
        &self.name
    }

    fn check(&self) -> BoxFuture<'_, Vec<Finding>> {
        let reader = Arc::clone(&self.reader);
        let limit = self.read_timeout;
        let now = self.clock.now();
        Box::pin(async move {
            let checked = in_own_task(async move { check::check(&reader, limit, now).await }).await;
            checked.unwrap_or_else(|_| {
                vec![Finding {
                    item: "reach".to_owned(),
                    text: senseless().to_string(),
                    good: false,
                }]
            })
        })
    }

    fn read(&self, since: Since) -> BoxFuture<'_, Result<Read, ReadError>> {
        let reader = Arc::clone(&self.reader);
        let limit = self.read_timeout;
        let now = self.clock.now();
        Box::pin(async move {
            in_own_task(async move { reader.read(since.cursor.as_deref(), limit, now).await })
                .await
                .unwrap_or_else(|_| Err(senseless()))
        })
    }

    fn groups(&self, ids: Vec<String>) -> BoxFuture<'_, Result<Delta, ReadError>> {
        let reader = Arc::clone(&self.reader);
        let (limit, now) = (self.read_timeout, self.clock.now());
        Box::pin(async move {
            in_own_task(async move { reader.groups_by_id(&ids, limit, now).await })
                .await
                .unwrap_or_else(|_| Err(senseless()))
        })
    }

    fn authenticator(&self) -> Option<Arc<dyn Authenticator>> {
        Some(Arc::new(LdapAuthenticator {
            reader: Arc::clone(&self.reader),
            clock: Arc::clone(&self.clock),
        }))
    }
}

/// What is asked for users and for groups, a query for each base.
fn queries(config: &LdapConfig, mapping: &Mapping, extra: &[String]) -> (Vec<Query>, Vec<Query>) {
    let query = |subject, base: &str, filter: String, attributes: &[String]| Query {
        subject,
        base: base.to_owned(),
        scope: Scope::Subtree,
        filter: filter::in_brackets(filter),
        attributes: attributes.to_vec(),
        page_size: config.page_size,
    };
    let asked = mapping.user_attributes();
    let asked = once_each(asked.chain(extra.iter().map(String::as_str)));
    let bases = config.users.base.iter();
    let users = bases.map(|base| query("users", base, config.users_filter(), &asked));
    let asked = once_each(mapping.group_attributes());
    let bases = config.groups.iter().flat_map(|it| it.base.iter());
    let groups = bases.map(|base| query("groups", base, config.groups_filter(), &asked));
    (users.collect(), groups.collect())
}

/// Who asks, if anybody in particular.
fn login(
    config: &LdapConfig,
    password: Option<SecretRef>,
) -> Result<Option<Login>, LdapSetupError> {
    match &config.bind {
        None => Ok(None),
        Some(Bind::External) => Ok(Some(Login::External)),
        Some(Bind::Simple { dn, .. }) => {
            let password = password.ok_or(LdapSetupError::NoPassword)?;
            let dn = dn.clone();
            Ok(Some(Login::Simple { dn, password }))
        }
    }
}

/// Runs to the end, to a panic, or until the caller loses interest.
async fn in_own_task<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, JoinError> {
    AbortOnDropHandle::new(tokio::spawn(work)).await
}

/// What a panic means: the library met an answer that it did not expect. Its own words may hold values.
fn senseless() -> ReadError {
    ReadError::Incomplete(
        "the server's answer made the LDAP library stop: it is not a sound LDAP answer".to_owned(),
    )
}

/// Attribute names know no case, and a server may refuse to be asked twice for one.
fn once_each<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut asked: Vec<String> = names.map(str::to_ascii_lowercase).collect();
    asked.sort();
    asked.dedup();
    asked
}
