//! Jira's user server and Crowd, polled over Crowd's REST API: users and groups by search, memberships by one streamed
//! document, and what has changed by event tokens.
//!
//! Lists are paged over a living set, the document of memberships is cut by proxies, and events are told differently by every
//! server. So a read counts only when its parts agree: whoever is a member and was in no list is asked for, and of events
//! nothing is taken but whom they concern; everybody concerned is asked for anew. Where anything is in doubt everything is
//! read, and the notes say why.
//!
//! Users are known by their `key`, groups by their name. A server whose users show no key cannot tell renames: its users are
//! known by their names, and every read is a complete one.

mod api;
mod authenticate;
mod changes;
mod check;
pub mod config;
mod convert;
mod cursor;
mod read;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

pub use self::config::CrowdConfig;
pub use crate::client::crowd::options::{CrowdProblem, CrowdSetupError};

use self::authenticate::CrowdAuthenticator;
use self::read::Reader;
use crate::client::crowd::{Crowd, Settings};
use crate::clock::Clock;
use crate::directories::{Authenticator, Directory, Read, ReadError, Since};
use crate::model::Finding;
use crate::secret::SecretRef;

/// How long a whole read may take unless told otherwise.
const READ_TIMEOUT: Duration = Duration::from_mins(10);

/// How many requests are under way at once: a read asks one question after the other, beside it passwords are tried.
const IN_FLIGHT: u32 = 16;

/// A directory behind Crowd's REST API.
pub struct CrowdDirectory {
    name: String,
    reader: Reader,
    read_timeout: Duration,
    clock: Arc<dyn Clock>,
}

impl CrowdDirectory {
    /// Prepares a directory without asking a server. `password` is the application's, under the folder of its configuration;
    /// it is read for every read. `extra` are the further attributes of users that rules and templates of the configuration
    /// name.
    ///
    /// # Errors
    /// [`CrowdSetupError`]: an option that cannot work (the first of [`CrowdConfig::problems`]), a certificate file that is
    /// none.
    pub fn new(
        name: impl Into<String>,
        config: &CrowdConfig,
        password: SecretRef,
        extra: Vec<String>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, CrowdSetupError> {
        if let Some(problem) = config.problems().into_iter().next() {
            return Err(CrowdSetupError::Option(problem));
        }
        let settings = Settings {
            url: config.url.clone(),
            application: config.application.clone(),
            password,
            ca: config.ca.clone(),
            proxy: config.proxy.clone(),
            timeout: config.timeout.as_std(),
            page_size: config.page_size,
            in_flight: IN_FLIGHT,
            rate: None,
        };
        let reader = Reader {
            crowd: Crowd::new(settings, Arc::clone(&clock))?,
            target: config.target(),
            incremental: config.incremental,
            extra,
        };
        Ok(CrowdDirectory {
            name: name.into(),
            reader,
            read_timeout: READ_TIMEOUT,
            clock,
        })
    }

    /// The same directory with another limit on how long a whole read may take; 10 minutes unless told otherwise.
    #[must_use]
    pub fn with_read_timeout(self, read_timeout: Duration) -> Self {
        CrowdDirectory {
            read_timeout,
            ..self
        }
    }

    /// What a read is that was not complete in time.
    fn late(&self) -> ReadError {
        ReadError::Unavailable(format!(
            "not complete after {} s; raise `read_timeout`",
            self.read_timeout.as_secs()
        ))
    }
}

impl fmt::Debug for CrowdDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CrowdDirectory {
            name,
            reader,
            read_timeout,
            clock: _,
        } = self;
        f.debug_struct("CrowdDirectory")
            .field("name", name)
            .field("reader", reader)
            .field("read_timeout", read_timeout)
            .finish_non_exhaustive()
    }
}

impl Directory for CrowdDirectory {
    fn name(&self) -> &str {
        &self.name
    }

    fn check(&self) -> BoxFuture<'_, Vec<Finding>> {
        Box::pin(async move {
            tokio::select! {
                biased;
                findings = check::check(&self.reader) => findings,
                () = self.clock.sleep(self.read_timeout) => vec![Finding {
                    item: "read".to_owned(),
                    text: self.late().to_string(),
                    good: false,
                }],
            }
        })
    }

    fn read(&self, since: Since) -> BoxFuture<'_, Result<Read, ReadError>> {
        Box::pin(async move {
            tokio::select! {
                biased;
                read = self.reader.read(since.cursor.as_deref()) => read,
                () = self.clock.sleep(self.read_timeout) => Err(self.late()),
            }
        })
    }

    fn authenticator(&self) -> Option<Arc<dyn Authenticator>> {
        Some(Arc::new(CrowdAuthenticator {
            crowd: self.reader.crowd.clone(),
            clock: Arc::clone(&self.clock),
        }))
    }
}
