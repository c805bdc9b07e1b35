//! A TLS server whose certificate is whatever a test wants it to be, in front of the scripted LDAP server.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::ldap_script::{self, Then};

/// How long the question for StartTLS is.
const START_TLS: usize = 31;

/// How a connection begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begins {
    /// With TLS.
    Secured,
    /// With StartTLS.
    Plain,
}

/// What makes TLS: an authority, and what a server shows.
pub(crate) struct Identity {
    authority: CertifiedIssuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    /// An identity of these names, changed by `change` before it is signed.
    pub(crate) fn new(names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let own = KeyPair::generate().unwrap();
        let authority = CertifiedIssuer::self_signed(authority, own).unwrap();
        let key = KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(|&it| it.to_owned()).collect();
        let mut server = CertificateParams::new(names).unwrap();
        change(&mut server);
        let certificate = server.signed_by(&key, &authority).unwrap();
        Identity {
            authority,
            certificate: certificate.der().clone(),
            key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        }
    }

    /// Writes the authority's certificate.
    pub(crate) fn write_authority(&self, path: &Path) {
        std::fs::write(path, self.authority.pem()).unwrap();
    }

    /// Settings that show this identity.
    pub(crate) fn config(&self) -> ServerConfig {
        let (certificate, key) = (self.certificate.clone(), self.key.clone_key());
        let builder = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = builder.with_no_client_auth();
        builder.with_single_cert(vec![certificate], key).unwrap()
    }

    /// Settings that show this identity and demand one of the client.
    pub(crate) fn config_demanding(&self) -> ServerConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.der().clone()).unwrap();
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider()).build();
        let (certificate, key) = (self.certificate.clone(), self.key.clone_key());
        let builder = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = builder.with_client_cert_verifier(verifier.unwrap());
        builder.with_single_cert(vec![certificate], key).unwrap()
    }
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// Starts a server on a free port of `host` that knows one user; it ends with the runtime of the test.
pub(crate) async fn start(host: &str, config: ServerConfig, begins: Begins) -> SocketAddr {
    let listener = TcpListener::bind((host, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                if begins == Begins::Plain {
                    let mut question = [0; START_TLS];
                    client.read_exact(&mut question).await?;
                    let answer = ldap_script::result(1, 0x78, 0, "", &[]);
                    client.write_all(&answer).await?;
                }
                let client = acceptor.accept(client).await?;
                ldap_script::serve(client, &|question| {
                    let (id, root) = (question.id, question.is_root());
                    let user = ldap_script::user(id, 0);
                    let found = if root { Vec::new() } else { user };
                    let end = ldap_script::done(id, 0, None);
                    ([found, end].concat(), Then::GoOn)
                })
                .await;
                std::io::Result::Ok(())
            });
        }
    });
    address
}
