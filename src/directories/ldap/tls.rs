//! How connections to LDAP servers are secured.

use std::sync::Arc;

use rustls::ClientConfig;

/// How connections are secured.
#[derive(Clone, Debug)]
pub(super) struct Tls {
    /// Which certificates are trusted.
    pub config: Arc<ClientConfig>,
    /// Whether `ldap://` connections begin TLS before anything else is said.
    pub starttls: bool,
}
