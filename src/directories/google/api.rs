//! One call after another: what is sent, and which answers are answers. No policy.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use url::Url;

use super::fault::GoogleFault;
use crate::clock::Clock;
use crate::http::Http;
use crate::secret::SecretRef;

/// Reads users.
pub(super) const USERS: &str = "https://www.googleapis.com/auth/admin.directory.user.readonly";
/// Reads groups and who is in them.
pub(super) const GROUPS: &str = "https://www.googleapis.com/auth/admin.directory.group.readonly";
/// Reads who changed what.
pub(super) const ACTIVITY: &str = "https://www.googleapis.com/auth/admin.reports.audit.readonly";

/// What is asked, and as whom.
pub(super) struct Settings {
    /// Everything goes through it, token requests too.
    pub(super) http: Http,
    /// `https://admin.googleapis.com/`.
    pub(super) root: Url,
    /// The key file of the service account; it is read anew for every token.
    pub(super) key: SecretRef,
    /// The person in whose name is asked (domain-wide delegation); without one the service account asks in its own.
    pub(super) subject: Option<String>,
    /// What may be read. One that is not authorised fails all.
    pub(super) scopes: Vec<&'static str>,
    /// Whether a token may be asked for where everybody on the way can read it.
    pub(super) plain_token: bool,
    /// What tells when a token was made and how long it lasts.
    pub(super) clock: Arc<dyn Clock>,
}

/// The API with its token. Clones share both.
#[derive(Clone)]
pub(super) struct Api(Arc<Inner>);

struct Inner {
    settings: Settings,
}

/// The calls of one read.
#[derive(Debug)]
pub(super) struct Calls {
    api: Api,
    requests: AtomicU64,
}

impl Api {
    /// Prepares a client; nobody is asked yet, and no key is read.
    pub(super) fn new(settings: Settings) -> Api {
        Api(Arc::new(Inner { settings }))
    }

    /// What one read asks through.
    pub(super) fn calls(&self) -> Calls {
        Calls {
            api: self.clone(),
            requests: AtomicU64::new(0),
        }
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api")
            .field("root", &self.0.settings.root.as_str())
            .finish_non_exhaustive()
    }
}

impl Calls {
    /// Asks for a token, if there is none that still lasts, and for nothing else.
    ///
    /// # Errors
    /// [`GoogleFault`].
    pub(super) async fn login(&self) -> Result<(), GoogleFault> {
        Err(missing("ask for a token", &[], &[]))
    }

    /// A page of a list, in JSON.
    ///
    /// # Errors
    /// [`GoogleFault`], never [`GoogleFault::Refused`]: who may not read a list may not read the directory.
    pub(super) async fn list(
        &self,
        operation: &str,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Vec<u8>, GoogleFault> {
        Err(missing(operation, path, query))
    }

    /// One object, or a page of what belongs to one object, in JSON.
    ///
    /// # Errors
    /// [`GoogleFault`].
    pub(super) async fn one(
        &self,
        operation: &str,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Vec<u8>, GoogleFault> {
        Err(missing(operation, path, query))
    }

    /// How many calls of the API were made. Tokens do not count.
    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }
}

fn missing(operation: &str, path: &[&str], query: &[(&str, &str)]) -> GoogleFault {
    let (path, query) = (path.len(), query.len());
    GoogleFault::Unreadable(format!(
        "{operation}: nothing is sent yet ({path}, {query})"
    ))
}
