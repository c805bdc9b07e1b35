//! What can go wrong, named by what the caller will do about it.

use std::error::Error;
use std::io;
use std::time::Duration;

use reqwest::StatusCode;

use super::Answer;
use crate::trust::TlsFault;

/// Why there is no answer that can be used. Each text names the operation, what was asked (method, scheme, host and path),
/// the cause, and what to do. None holds a query, a header, a body that was sent, or a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// Nothing was sent: no such host, no connection, no TLS. What was to be done was not done.
    #[error("{0}")]
    Unreachable(String),
    /// It was sent, and no whole answer came. Nobody knows whether it was done.
    #[error("{0}")]
    Cut(String),
    /// The server sends us elsewhere, where we do not go.
    #[error("{0}")]
    Redirected(String),
    /// A success that is an HTML page: that of a login, or of something that is not the service at all.
    #[error("{0}")]
    Html(String),
    /// The answer is longer than the caller can bear.
    #[error("{0}")]
    TooLarge(String),
    /// The server answered with a status that the caller can do nothing with.
    #[error("{text}")]
    Status {
        /// The status.
        status: StatusCode,
        /// Operation, request, status and the beginning of the answer.
        text: String,
    },
}

/// Why there can be no client.
#[derive(Debug, thiserror::Error)]
pub enum HttpSetupError {
    /// The certificates of the authorities cannot be had.
    #[error(transparent)]
    Tls(#[from] TlsFault),
    /// The proxy's address cannot be used.
    #[error("`proxy` cannot be used: write it like `http://proxy.example.com:3128`")]
    Proxy(#[source] reqwest::Error),
    /// The HTTP library refused its settings.
    #[error("cannot set up HTTP")]
    Library(#[source] reqwest::Error),
}

impl HttpError {
    /// An answer whose status the caller can do nothing with.
    pub(super) fn refused(operation: &str, answer: &Answer) -> HttpError {
        let Answer { status, asked, .. } = answer;
        let excerpt = answer.excerpt();
        let said = if excerpt.is_empty() {
            "without a word".to_owned()
        } else {
            format!("saying: {excerpt}")
        };
        HttpError::Status {
            status: *status,
            text: format!("{operation}: {asked} was answered with {status}, {said}"),
        }
    }
}

/// What a failure of the library means: nothing was sent, or nobody knows.
pub(super) fn failed(what: &str, error: &reqwest::Error) -> HttpError {
    let cause = innermost(error);
    if error.is_connect() || error.is_builder() || never_sent(error) {
        HttpError::Unreachable(format!("{what} could not be asked: {cause}"))
    } else {
        HttpError::Cut(format!("{what} got no whole answer: {cause}"))
    }
}

/// Whether the connection ended before a byte of the request was written.
fn never_sent(error: &reqwest::Error) -> bool {
    causes(error).any(|it| {
        it.downcast_ref::<hyper::Error>()
            .is_some_and(hyper::Error::is_canceled)
    })
}

/// What the lowest layer said, which is what an administrator can do something about.
fn innermost(error: &reqwest::Error) -> String {
    causes(error)
        .last()
        .map(ToString::to_string)
        .unwrap_or_default()
}

/// The error and its causes, outermost first. An [`io::Error`] that carries another error skips it in its own chain.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    std::iter::from_fn(move || {
        let current = next?;
        let carried = current
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        next = match carried {
            Some(carried) => Some(carried),
            None => current.source(),
        };
        Some(current)
    })
}

/// The server said nothing for `span`.
pub(super) fn silent(what: &str, span: Duration) -> HttpError {
    HttpError::Cut(format!(
        "{what} got no whole answer: the server was silent for {} s; is it overloaded? If it just needs longer, raise \
         `timeout`",
        span.as_secs_f64()
    ))
}
