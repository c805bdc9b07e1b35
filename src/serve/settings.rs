//! What a server runs with, made of the configuration by whoever starts it.

use std::net::SocketAddr;

use super::config::TlsConfig;
use crate::secret::SecretRef;
use crate::text::Network;

/// Everything that a server is told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The certificate to show; without it, plain HTTP.
    pub tls: Option<TlsConfig>,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// Who may ask for which set. Names are unique.
    pub clients: Vec<Client>,
}

/// An application that may ask: what Crowd calls an application.
#[derive(Clone, Debug)]
pub struct Client {
    /// The name it logs in with.
    pub name: String,
    /// Its password: plain, or an argon2 PHC string (`$argon2id$…`).
    pub secret: SecretRef,
    /// From where it may call. Nobody calls from an empty list.
    pub addresses: Vec<Network>,
    /// The id of the entry whose set it is shown.
    pub entry: String,
}
