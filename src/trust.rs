//! Whom connections trust: which certificates a server may show.
//!
//! One recipe for LDAP and for HTTP. Verification cannot be switched off. A server whose certificate comes from a private authority is trusted by naming
//! that authority's certificate file, beside the authorities that the system trusts.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::{ClientConfig, RootCertStore};

/// Why no TLS could be prepared.
#[derive(Debug, thiserror::Error)]
pub enum TlsFault {
    /// The file cannot be read.
    #[error("cannot read the certificate file `{}` (`ca`): make it readable for the daemon", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file is not what it should be.
    #[error("`{}` (`ca`) holds no usable certificate: it must be a PEM file with the certificate of the authority", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// There is nobody to trust.
    #[error(
        "the system trusts no certificate authority, and `ca` names none: install ca-certificates or set `ca`"
    )]
    NoRoots,
    /// The TLS library refused its settings.
    #[error("cannot set up TLS")]
    Library(#[from] rustls::Error),
}

/// The settings for connections that trust the system's authorities and those in the file `ca` (PEM, one or more).
///
/// # Errors
/// [`TlsFault`]: the file is missing or no certificate file, or nobody is trusted at all.
pub fn client_config(ca: Option<&Path>) -> Result<Arc<ClientConfig>, TlsFault> {
    let mut roots = RootCertStore::empty();
    // Certificates of the system that cannot be read are of no use here; having none at all is an error below.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = ca {
        add_file(&mut roots, path)?;
    }
    if roots.is_empty() {
        return Err(TlsFault::NoRoots);
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn add_file(roots: &mut RootCertStore, path: &Path) -> Result<(), TlsFault> {
    let text = std::fs::read(path).map_err(|source| TlsFault::Read {
        path: path.to_owned(),
        source,
    })?;
    let none = || TlsFault::NoCertificate {
        path: path.to_owned(),
    };
    let certificates = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<Vec<_>, pem::Error>>()
        .map_err(|_| none())?;
    if certificates.is_empty() {
        return Err(none());
    }
    for certificate in certificates {
        roots.add(certificate).map_err(|_| none())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};

    use super::*;

    fn authority() -> String {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().pem()
    }

    fn add(text: &str) -> Result<usize, TlsFault> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        std::fs::write(&path, text).unwrap();
        let mut roots = RootCertStore::empty();
        add_file(&mut roots, &path).map(|()| roots.len())
    }

    #[test]
    fn every_certificate_of_the_file_is_trusted() {
        assert_eq!(add(&authority()).unwrap(), 1);
        assert_eq!(add(&(authority() + &authority())).unwrap(), 2);
    }

    #[test]
    fn a_file_without_certificates_is_refused() {
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for text in ["", "no certificate", broken] {
            assert!(
                matches!(add(text), Err(TlsFault::NoCertificate { .. })),
                "{text}"
            );
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        let fault = client_config(Some(Path::new("/nowhere/ca.pem"))).unwrap_err();
        assert!(fault.to_string().contains("/nowhere/ca.pem"), "{fault}");
    }
}
