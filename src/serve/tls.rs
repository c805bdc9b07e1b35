//! The certificate that is shown, read again when its files change.
//!
//! Whoever renews a certificate replaces two files, one after the other: a pair that does not fit is looked at again before
//! anything is said of it, and meanwhile, as with any file that cannot be used, the last good one is shown.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use secrecy::zeroize::Zeroizing;
use thiserror::Error;
use tokio_rustls::TlsAcceptor;

use super::config::TlsConfig;
use crate::clock::Clock;
use crate::events;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Why a certificate cannot be shown.
#[derive(Debug, Error)]
pub enum TlsFault {
    /// A file cannot be read.
    #[error("cannot read `{}`: make it readable for the daemon", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The certificate's file is not what it should be.
    #[error("`{}` holds no certificate: it must be a PEM file with the server's certificate first", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// The key's file is not what it should be.
    #[error("`{}` holds no private key: it must be a PEM file with one that needs no passphrase", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// They do not fit, or the TLS library cannot use them.
    #[error("the certificate `{}` and the key `{}` cannot be used together", certificate.display(), key.display())]
    Unusable {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why not.
        #[source]
        cause: rustls::Error,
    },
}

/// What is shown now.
pub(super) struct Shown {
    files: TlsConfig,
    acceptor: RwLock<TlsAcceptor>,
}

/// What was in the two files.
#[derive(PartialEq, Eq)]
struct Content {
    certificate: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
}

impl Shown {
    /// Reads both files.
    ///
    /// # Errors
    /// [`TlsFault`].
    pub(super) fn read(files: &TlsConfig) -> Result<Shown, TlsFault> {
        let acceptor = Content::read(files)?.acceptor(files)?;
        Ok(Shown {
            files: files.clone(),
            acceptor: RwLock::new(acceptor),
        })
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let acceptor = self.acceptor.read();
        acceptor.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks at the files for ever, and shows what is new in them.
    pub(super) async fn follow(&self, clock: &dyn Clock) {
        let mut used = Content::read(&self.files).ok();
        let mut doubted = None;
        let mut told = None;
        loop {
            clock.sleep(LOOK_EVERY).await;
            let content = Content::read(&self.files);
            if content.as_ref().ok() == used.as_ref() {
                (doubted, told) = (None, None);
                continue;
            }
            let acceptor = content.and_then(|it| Ok((it.acceptor(&self.files)?, it)));
            match acceptor {
                Ok((acceptor, content)) => {
                    let mut shown = self
                        .acceptor
                        .write()
                        .unwrap_or_else(PoisonError::into_inner);
                    *shown = acceptor;
                    drop(shown);
                    (used, doubted, told) = (Some(content), None, None);
                    events::serve_certificate_reloaded(
                        &self.files.certificate.display().to_string(),
                    );
                }
                Err(fault) => {
                    let said = fault.to_string();
                    if doubted.as_ref() == Some(&said) && told.as_ref() != Some(&said) {
                        events::serve_certificate_failed(&fault);
                        told = Some(said.clone());
                    }
                    doubted = Some(said);
                }
            }
        }
    }
}

impl Content {
    fn read(files: &TlsConfig) -> Result<Content, TlsFault> {
        Ok(Content {
            certificate: read(&files.certificate)?,
            key: read(&files.key)?.into(),
        })
    }

    fn acceptor(&self, files: &TlsConfig) -> Result<TlsAcceptor, TlsFault> {
        let TlsConfig { certificate, key } = files;
        let chain = CertificateDer::pem_slice_iter(&self.certificate)
            .collect::<Result<Vec<_>, pem::Error>>()
            .unwrap_or_default();
        if chain.is_empty() {
            let path = certificate.clone();
            return Err(TlsFault::NoCertificate { path });
        }
        let private = PrivateKeyDer::from_pem_slice(&self.key);
        let private = private.map_err(|_| TlsFault::NoKey { path: key.clone() })?;
        let unusable = |cause| TlsFault::Unusable {
            certificate: certificate.clone(),
            key: key.clone(),
            cause,
        };
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(provider);
        let builder = builder
            .with_safe_default_protocol_versions()
            .map_err(unusable)?;
        let config = builder
            .with_no_client_auth()
            .with_single_cert(chain, private);
        let mut config = config.map_err(unusable)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsFault> {
    std::fs::read(path).map_err(|cause| TlsFault::Read {
        path: path.to_owned(),
        cause,
    })
}
