//! Whom connections trust: which certificates a server may show.
//!
//! One recipe for LDAP and for HTTP. Verification cannot be switched off. A server whose certificate comes from a private authority is trusted by naming
//! that authority's certificate file, beside the authorities that the system trusts.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, SecondsFormat};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{AlertDescription, CertificateError, ClientConfig, RootCertStore};

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

/// What is wrong with a certificate, and what to do.
pub fn why_distrusted(fault: &CertificateError) -> String {
    match fault {
        CertificateError::UnknownIssuer => {
            "no authority that is trusted here has signed it (UnknownIssuer); name the \
                                            authority's certificate file in `ca`"
                .to_owned()
        }
        CertificateError::NotValidForNameContext {
            expected,
            presented,
        } => name(expected, presented),
        CertificateError::ExpiredContext { time, not_after } => format!(
            "it expired at {}, and this machine's clock says {}; renew it, or set the clock",
            date(*not_after),
            date(*time)
        ),
        CertificateError::NotValidYetContext { time, not_before } => format!(
            "it is valid from {} on, and this machine's clock says {}; set the clock, here or where it was made",
            date(*not_before),
            date(*time)
        ),
        other => format!(
            "{other}; give the server a certificate for its host name, signed by an authority that `ca` names"
        ),
    }
}

/// Whether a server ends TLS so when it demands a certificate of the client.
pub fn demands_certificate(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::CertificateRequired
            | AlertDescription::NoCertificate
            | AlertDescription::HandshakeFailure
    )
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

/// The name in the URL is none of those in the certificate.
fn name(expected: &ServerName<'_>, presented: &[String]) -> String {
    let expected = expected.to_str();
    if presented.is_empty() {
        return format!(
            "it names no host (it has no subject alternative name, like those that Samba makes for itself); give the \
             server one whose subject alternative name is `{expected}`"
        );
    }
    let presented: Vec<&str> = presented.iter().map(|it| bare(it)).collect();
    format!(
        "it is made for `{}`, not for `{expected}`; write one of its names in the URL, or give the server one for \
         `{expected}`",
        presented.join("`, `")
    )
}

/// A name without the word that says of which kind it is: `DnsName("ldap.example.com")`, `IpAddress(127.0.0.1)`.
fn bare(name: &str) -> &str {
    let inner = name.split_once('(').map_or(name, |it| it.1);
    inner.trim_end_matches(')').trim_matches('"')
}

fn date(time: UnixTime) -> String {
    let time = DateTime::from_timestamp(time.as_secs().cast_signed(), 0).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
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
