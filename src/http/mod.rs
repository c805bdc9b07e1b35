//! The one HTTP client: everything that is the same whichever service is asked.
//!
//! A connector says what to ask and what the answer means; here is decided how long that may take, how much may come back,
//! what is asked again, and what a failure means for whoever has to go on. Three promises hold for all of them:
//!
//! * An answer is whole or it is an error. A body that was cut, that does not end, or that is longer than the caller can
//!   bear never looks like a shorter one.
//! * A write is sent once, and afterwards it is known whether it may have been done: [`HttpError::Unreachable`] says that it
//!   was not, [`HttpError::Cut`] that nobody knows. Only what does no more when it is done twice is repeated. A write
//!   travels on no connection that was idle for long: a server that closes it in that very moment leaves open what became
//!   of it.
//! * Nobody else is asked than the server of the configuration: redirects are errors, and proxies of the environment are
//!   nothing to us.
//!
//! There is no way to follow redirects, to keep cookies, or to do without verifying certificates.

mod address;
mod client;
mod excerpt;
mod fault;
mod hidden;
mod repeat;
mod stream;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use reqwest::{Method, StatusCode};
use secrecy::SecretString;
use url::Url;

pub use self::address::{BadHttpUrl, HttpUrl};
pub use self::client::Http;
pub use self::fault::{HttpError, HttpSetupError};
pub use self::stream::Stream;

use crate::pace::Pace;

/// How a server is reached.
#[derive(Clone)]
pub struct Settings {
    /// A PEM file with the certificate of a private authority, trusted beside those that the system trusts.
    pub ca: Option<PathBuf>,
    /// The HTTP proxy to go through, `http://[USER:PASSWORD@]HOST:PORT`. Without one the server is asked directly, whatever
    /// the environment says.
    pub proxy: Option<Url>,
    /// How long a connection may take, and how long the server may be silent: after the request (for the connection and the
    /// silence together: twice as long), and between two pieces of its answer.
    pub timeout: Duration,
    /// How fast the server is asked, by everybody who shares this pace.
    pub pace: Arc<Pace>,
}

/// A question, or a thing to do.
#[derive(Clone)]
pub struct Request<'a> {
    /// What errors call it, as a verb and its object: `search users`.
    pub operation: &'a str,
    /// What is done with what lies there.
    pub method: Method,
    /// Whether it is sent again if need be.
    pub again: Again,
    /// Its query is never shown, since it holds names. It must hold no password.
    pub url: Url,
    /// Who asks.
    pub login: Option<Login<'a>>,
    /// The media types that are understood.
    pub accept: &'static str,
    /// What is sent with it.
    pub body: Option<Body>,
    /// The longest body of an answer that is taken, in bytes after decompression.
    pub limit: u64,
}

/// Who asks.
#[derive(Clone, Copy)]
pub enum Login<'a> {
    /// A name and its password (HTTP Basic, RFC 7617).
    Basic(&'a str, &'a SecretString),
    /// Whoever holds the token (RFC 6750).
    Bearer(&'a SecretString),
}

/// Whether a request is sent again that had no answer, or one that asks for patience.
#[derive(Clone, Copy)]
pub enum Again {
    /// A read (GET) is, three times in all; anything else is sent once.
    Reads,
    /// It is, since sending it twice does no more than sending it once: three times in all without an answer, and this often
    /// where the answer asks for patience, in HTTP's words or in the service's own.
    Patiently {
        /// How often in all.
        times: u32,
        /// Whether an answer asks for patience in the service's own words.
        is_busy: fn(&Answer) -> bool,
    },
}

/// What is sent with a request.
#[derive(Clone)]
pub struct Body {
    /// Its media type.
    pub content_type: &'static str,
    /// It itself. It is never shown.
    pub bytes: Vec<u8>,
    /// It holds a password of a person. A server may repeat that in any spelling, so nothing of its answer is shown either.
    pub is_secret: bool,
}

/// A whole answer, of any status but a redirect. An answer that reports success is no HTML page.
#[derive(Clone)]
pub struct Answer {
    /// What became of the request.
    pub status: StatusCode,
    /// The media type as the server wrote it; empty if it wrote none.
    pub content_type: String,
    /// The whole body, decompressed. Of an answer that does not report success it is the beginning, 64 KiB at most, and
    /// what was sent and must not be shown is masked.
    pub body: Vec<u8>,
    /// What was asked, for errors: method, scheme, host and path.
    pub asked: String,
    /// What was sent is a secret, and the answer may repeat it.
    pub is_secret: bool,
}

impl Answer {
    /// Whether it is an HTML page, as its media type or its beginning says.
    pub fn is_html(&self) -> bool {
        excerpt::is_html(&self.content_type, &self.body)
    }

    /// The beginning of the body for an error's text: one line; of an HTML page the title. Nothing where it may repeat a
    /// secret.
    pub fn excerpt(&self) -> String {
        if self.is_secret {
            return String::new();
        }
        excerpt::of(&self.content_type, &self.body)
    }

    /// This answer as the error that it is to whoever asked for `operation`.
    pub fn refused(&self, operation: &str) -> HttpError {
        fault::refused(operation, self)
    }
}

/// The proxy's password is left out.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings {
            ca,
            proxy,
            timeout,
            pace,
        } = self;
        f.debug_struct("Settings")
            .field("ca", ca)
            .field("proxy", &proxy.as_ref().map(place))
            .field("timeout", timeout)
            .field("pace", pace)
            .finish()
    }
}

/// The query is left out, and what is sent.
impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("operation", &self.operation)
            .field("method", &self.method)
            .field("url", &place(&self.url))
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

/// The content is left out.
impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body")
            .field("content_type", &self.content_type)
            .finish_non_exhaustive()
    }
}

/// The content is left out: it holds people.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("asked", &self.asked)
            .field("status", &self.status)
            .field("content_type", &self.content_type)
            .field("length", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// `https://crowd.example.com/rest/search`: neither the query, which holds names, nor a password.
fn place(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|it| format!(":{it}")).unwrap_or_default();
    format!("{}://{host}{port}{}", url.scheme(), url.path())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    #[test]
    fn a_place_holds_no_names_and_no_password() {
        fn check(url: &str, expect: &str) {
            assert_eq!(place(&url.parse().unwrap()), expect);
        }
        check(
            "https://u:pw@x.example/a%20b?name=anna#c",
            "https://x.example/a%20b",
        );
        check("http://[::1]:8095/", "http://[::1]:8095/");
        check("https://x.example:443", "https://x.example/");
    }

    #[test]
    fn nothing_that_is_shown_holds_a_secret() {
        let password = SecretString::from("hunter2");
        let request = Request {
            operation: "search users",
            method: Method::POST,
            again: Again::Reads,
            url: "http://x/user?username=anna".parse().unwrap(),
            login: Some(Login::Basic("app", &password)),
            accept: "application/json",
            body: Some(Body {
                content_type: "application/json",
                bytes: b"hunter3".to_vec(),
                is_secret: false,
            }),
            limit: 1,
        };
        let settings = Settings {
            ca: None,
            proxy: Some("http://app:hunter4@proxy:3128".parse().unwrap()),
            timeout: Duration::from_secs(1),
            pace: Arc::new(Pace::new(None, 1, Arc::new(SystemClock::new()))),
        };
        let answer = Answer {
            status: StatusCode::OK,
            content_type: String::new(),
            body: b"hunter5".to_vec(),
            asked: String::new(),
            is_secret: false,
        };
        let body = request.body.clone();
        let shown = format!("{request:?} {settings:?} {answer:?} {body:?}");
        for hidden in ["hunter", "anna", "104, 117"] {
            assert!(!shown.contains(hidden), "{shown}");
        }
        assert!(shown.contains("http://proxy:3128/"), "{shown}");
    }
}
