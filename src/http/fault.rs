//! What can go wrong, named by what the caller will do about it.

use std::error::Error;
use std::io;
use std::time::Duration;

use reqwest::StatusCode;

use super::Answer;
use crate::trust::{self, TlsFault};

/// Why there is no answer that can be used. Each text names the operation, what was asked (method, scheme, host and path),
/// the cause, and what to do. None holds a query, a header or a body that was sent, or a password.
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
    /// The proxy is none. Its address is not shown, since it may hold a password.
    #[error("`proxy` is no HTTP proxy: write it like `http://proxy.example.com:3128`")]
    Proxy,
    /// The HTTP library refused its settings.
    #[error("cannot set up HTTP")]
    Library(#[source] reqwest::Error),
}

impl HttpError {
    /// Whether the same request may well succeed in a moment.
    pub(super) fn is_passing(&self) -> bool {
        matches!(self, HttpError::Unreachable(_) | HttpError::Cut(_))
    }
}

/// An answer whose status the caller can do nothing with.
pub(super) fn refused(operation: &str, answer: &Answer) -> HttpError {
    let Answer { status, asked, .. } = answer;
    let excerpt = answer.excerpt();
    let said = if answer.is_secret {
        "in words that are not shown, since they may repeat a password".to_owned()
    } else if excerpt.is_empty() {
        "without a word".to_owned()
    } else {
        format!("saying: {excerpt}")
    };
    HttpError::Status {
        status: *status,
        text: format!("{operation}: {asked} was answered with {status}, {said}"),
    }
}

/// The server said nothing for `span`, after the request or within the answer.
pub(super) fn silent(what: &str, span: Duration) -> HttpError {
    HttpError::Cut(format!(
        "{what} got no whole answer: the server was silent for {} s; if it needs longer, raise `timeout`",
        span.as_secs_f64()
    ))
}

/// What a failure of the library means: nothing was sent, or nobody knows.
pub(super) fn failed(what: &str, error: reqwest::Error) -> HttpError {
    // The library's text would show the query.
    let error = error.without_url();
    if error.is_connect() || error.is_builder() || is_never_sent(&error) {
        HttpError::Unreachable(format!(
            "{what} could not be sent: {}",
            why_unreachable(&error)
        ))
    } else {
        HttpError::Cut(format!("{what} got no whole answer: {}", why_cut(&error)))
    }
}

/// Whether the request was never begun, or was not heard since TLS never came about. With TLS 1.3 a client has sent its
/// request before it is told that it should have shown a certificate.
fn is_never_sent(error: &(dyn Error + 'static)) -> bool {
    let is_demand = |it: &rustls::Error| matches!(it, rustls::Error::AlertReceived(alert) if trust::demands_certificate(*alert));
    find::<hyper::Error>(error).is_some_and(hyper::Error::is_canceled)
        || find::<rustls::Error>(error).is_some_and(is_demand)
}

fn why_unreachable(error: &reqwest::Error) -> String {
    if let Some(fault) = find::<rustls::Error>(error) {
        return why_no_tls(fault);
    }
    let cause = innermost(error);
    let refused = |it: &io::Error| it.kind() == io::ErrorKind::ConnectionRefused;
    let advice = if error.is_timeout() {
        return "no connection came about in time; is there a firewall between, does it need a `proxy`, and does the port speak \
             what the URL says?".to_owned();
    } else if cause.starts_with("tunnel error") {
        "the proxy did not let it through; does `proxy` need a name and a password, and may it connect there?"
    } else if error.is_dns() {
        "is the host name in the URL right, or that of the `proxy`?"
    } else if find::<io::Error>(error).is_some_and(refused) {
        "is it running, and is the port right?"
    } else {
        return cause;
    };
    format!("{cause}; {advice}")
}

fn why_no_tls(fault: &rustls::Error) -> String {
    match fault {
        rustls::Error::InvalidCertificate(fault) => format!(
            "the server's certificate is not trusted: {}",
            trust::why_distrusted(fault)
        ),
        rustls::Error::AlertReceived(alert) if trust::demands_certificate(*alert) => format!(
            "the server ended TLS ({alert:?}), as servers do that demand a certificate of the client, which this one \
             does not have: let it do without"
        ),
        fault => format!("TLS failed ({fault}); does this port speak `https://`?"),
    }
}

fn why_cut(error: &reqwest::Error) -> String {
    let http = find::<hyper::Error>(error);
    if http.is_some_and(hyper::Error::is_parse) {
        let cause = innermost(error);
        return format!(
            "it does not speak HTTP ({cause}); are the port and `http://` or `https://` right?"
        );
    }
    if http.is_some_and(hyper::Error::is_incomplete_message) {
        return "the connection ended before the answer did".to_owned();
    }
    innermost(error)
}

/// What the lowest layer said.
fn innermost(error: &(dyn Error + 'static)) -> String {
    causes(error)
        .last()
        .map(ToString::to_string)
        .unwrap_or_default()
}

fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    causes(error).find_map(|it| it.downcast_ref())
}

/// The error and its causes, outermost first.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |it| cause(*it))
}

/// What an [`io::Error`] carries is missing in its own chain of causes.
fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref().and_then(io::Error::get_ref) {
        Some(carried) => Some(carried),
        None => error.source(),
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::Empty;
    use hyper::body::Bytes;
    use hyper::client::conn::http1::handshake;
    use hyper_util::rt::TokioIo;
    use rustls::AlertDescription;
    use tokio::io::AsyncReadExt as _;

    use super::*;

    /// What a request comes to whose connection ends before it is written, or after.
    async fn ended(is_written: bool) -> hyper::Error {
        let (client, mut server) = tokio::io::duplex(1024);
        let (mut sender, connection) = handshake(TokioIo::new(client)).await.unwrap();
        if is_written {
            tokio::spawn(connection);
        } else {
            drop(connection);
        }
        let hear = async move { server.read(&mut [0; 1024]).await.unwrap() };
        let request = hyper::Request::new(Empty::<Bytes>::new());
        let (end, heard) = tokio::join!(sender.send_request(request), hear);
        assert_eq!(heard > 0, is_written);
        end.unwrap_err()
    }

    #[tokio::test]
    async fn what_was_not_written_is_told_from_what_was() {
        assert!(is_never_sent(&io::Error::other(ended(false).await)));
        assert!(!is_never_sent(&io::Error::other(ended(true).await)));
    }

    #[test]
    fn what_a_server_says_instead_of_tls_was_not_heard() {
        fn check(alert: AlertDescription, expect: bool) {
            let error = io::Error::other(rustls::Error::AlertReceived(alert));
            assert_eq!(is_never_sent(&error), expect, "{alert:?}");
        }
        check(AlertDescription::CertificateRequired, true);
        check(AlertDescription::HandshakeFailure, true);
        check(AlertDescription::InternalError, false);
    }

    #[test]
    fn a_failure_of_tls_says_what_to_do() {
        fn check(fault: &rustls::Error, expect: &str) {
            let text = why_no_tls(fault);
            assert!(text.contains(expect), "{text}");
        }
        let unknown = rustls::CertificateError::UnknownIssuer;
        check(
            &rustls::Error::InvalidCertificate(unknown),
            "name the authority's certificate file in `ca`",
        );
        let demand = rustls::Error::AlertReceived(AlertDescription::CertificateRequired);
        check(&demand, "demand a certificate of the client");
        check(
            &rustls::Error::HandshakeNotComplete,
            "does this port speak `https://`?",
        );
    }
}
