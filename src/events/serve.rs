//! The sets that are served over HTTP, and who may not have them.

use std::error::Error;

use super::failure::chain;
use super::tell;

/// Requests are answered. `tls` is false where nothing is encrypted.
pub fn serve_started(address: &str, tls: bool) {
    let kind = if tls { "HTTPS" } else { "HTTP" };
    tell!(
        INFO,
        "serve.started",
        address,
        tls,
        "Serving over {kind} at {address}."
    );
}

/// A client was turned away: by its `password`, or its `address`. `client` is told where such a client is configured; `count` is
/// how many were turned away there for that reason since it was told last.
pub fn serve_refused(address: &str, reason: &str, client: Option<&str>, count: u64) {
    let who = client.map_or_else(String::new, |client| format!(" as {client}"));
    let remedy = match reason {
        "password" => "Its application name or password is wrong",
        _ => "Its address is not among those that the client may call from",
    };
    tell!(
        WARN,
        "serve.refused",
        address,
        reason,
        client,
        count,
        "Somebody at {address} was turned away{who}. {remedy}; see `clients` of the crowd_server."
    );
}

/// The certificate's files changed, and the new certificate is shown from now on.
pub fn serve_certificate_reloaded(certificate: &str) {
    tell!(
        INFO,
        "serve.certificate_reloaded",
        certificate,
        "The new certificate in {certificate} is shown."
    );
}

/// The certificate's files changed, and what is in them cannot be used.
pub fn serve_certificate_failed(error: &dyn Error) {
    let error = chain(error);
    tell!(
        ERROR,
        "serve.certificate_failed",
        error,
        "The last certificate goes on being shown, since the new one cannot be used: {error}"
    );
}

/// Nobody could tell whether a user's password is right, so the user cannot log in. `directory` is an entry's id.
pub fn serve_unverified(directory: &str, error: &str, count: u64) {
    tell!(
        WARN,
        "serve.unverified",
        directory,
        error,
        count,
        "Users of {directory} cannot log in, since nobody can check their passwords: {error}"
    );
}
