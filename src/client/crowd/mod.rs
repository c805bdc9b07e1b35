//! The client of Crowd's REST API, `/rest/usermanagement/1`, as Crowd and Jira's user server have it.
//!
//! The application behind a [`Session`] logs in with its own name and password at every request (HTTP Basic). Names travel in
//! the query, percent-encoded. Lists have neither a count nor a link to their next page, and a server may show shorter pages
//! than it was asked for, so a list ends at an empty page and nowhere else.

mod events;
mod fault;
mod lists;
mod login;
mod memberships;
pub mod options;
mod session;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use url::Url;

pub use self::fault::CrowdFault;
pub use self::lists::Listed;
pub use self::memberships::Way;
pub use self::session::{Session, Who};

use crate::clock::Clock;
use crate::http::{Http, HttpSetupError, HttpUrl};
use crate::pace::{Pace, Rate};
use crate::secret::SecretRef;

/// How a server is reached, and as whom.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The server, with or without a context path.
    pub url: HttpUrl,
    /// The name of the application, which is no person's.
    pub application: String,
    /// Its password, which is read anew for every [`Session`].
    pub password: SecretRef,
    /// The certificate of a private authority.
    pub ca: Option<PathBuf>,
    /// The proxy to go through.
    pub proxy: Option<HttpUrl>,
    /// How long the server may be silent.
    pub timeout: Duration,
    /// How many entities a page may hold.
    pub page_size: u32,
    /// How many requests may be under way at once.
    pub in_flight: u32,
    /// How many requests the server gets in a second.
    pub rate: Option<Rate>,
}

/// A server of the API. Clones share connections and pace.
#[derive(Clone)]
pub struct Crowd(Arc<Inner>);

struct Inner {
    http: Http,
    /// `https://crowd.example.com/crowd/rest/usermanagement/1`.
    base: Url,
    application: String,
    password: SecretRef,
    page_size: u32,
}

impl Crowd {
    /// Prepares a client; nobody is asked yet.
    ///
    /// # Errors
    /// [`HttpSetupError`]: the file of certificates is missing or is none.
    pub fn new(settings: Settings, clock: Arc<dyn Clock>) -> Result<Crowd, HttpSetupError> {
        let pace = Pace::new(
            settings.rate,
            settings.in_flight as usize,
            Arc::clone(&clock),
        );
        let http = Http::new(
            crate::http::Settings {
                ca: settings.ca,
                proxy: settings.proxy.map(HttpUrl::into_url),
                timeout: settings.timeout,
                pace: Arc::new(pace),
            },
            clock,
        )?;
        Ok(Crowd(Arc::new(Inner {
            http,
            base: options::base(&settings.url),
            application: settings.application,
            password: settings.password,
            page_size: settings.page_size,
        })))
    }

    /// Reads the application's password and is ready to ask.
    ///
    /// # Errors
    /// [`CrowdFault::Password`] when there is none to be had.
    pub fn session(&self) -> Result<Session, CrowdFault> {
        let password = self.0.password.resolve(Path::new(""));
        let password = password.map_err(|it| CrowdFault::Password(format!("`password`: {it}")))?;
        Ok(Session {
            crowd: self.clone(),
            password,
        })
    }
}

impl fmt::Debug for Crowd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crowd")
            .field("base", &self.0.base.as_str())
            .field("application", &self.0.application)
            .finish_non_exhaustive()
    }
}
