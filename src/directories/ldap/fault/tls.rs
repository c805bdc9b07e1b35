//! What a failure of TLS means: which certificate was shown, and what to do about it.

use std::io;

use rustls::Error;

use crate::directories::ReadError;
use crate::trust;

/// Whether TLS said that, not the socket below it.
pub(super) fn is_of(error: &io::Error) -> bool {
    cause(error).is_some()
}

/// Makes an error of a failure of TLS, or of the socket while TLS began.
pub(super) fn failed(what: &str, error: &io::Error) -> ReadError {
    match cause(error) {
        Some(Error::InvalidCertificate(fault)) => ReadError::Configuration(format!(
            "{what}: the server's certificate is not trusted: {}",
            trust::why_distrusted(fault)
        )),
        Some(Error::AlertReceived(alert)) if trust::demands_certificate(*alert) => {
            ReadError::Configuration(format!(
                "{what}: the server ended TLS ({alert:?}), as servers do that demand a certificate of the client, which \
                 this one does not have: let it do without (OpenLDAP: `TLSVerifyClient try` or `never`)"
            ))
        }
        Some(fault) => ReadError::Unavailable(format!(
            "{what}: TLS failed ({fault}); does this port speak `ldaps://`?"
        )),
        None if error.kind() == io::ErrorKind::UnexpectedEof => ReadError::Unavailable(format!(
            "{what}: the connection ended in the TLS handshake; does this port speak `ldaps://`?"
        )),
        None => ReadError::Unavailable(format!("{what}: {error}")),
    }
}

fn cause(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustls::pki_types::{ServerName, UnixTime};
    use rustls::{AlertDescription, CertificateError};

    use super::*;

    fn check(fault: Error, word: &str, expect: &[&str]) {
        let error = failed("connecting", &io::Error::other(fault));
        let text = error.to_string();
        assert_eq!(error.word(), word, "{text}");
        for part in expect {
            assert!(text.contains(part), "{text}");
        }
    }

    fn at(seconds: u64) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(seconds))
    }

    #[test]
    fn a_certificate_that_is_not_trusted_says_what_to_do() {
        let check = |fault, expect: &[&str]| {
            check(Error::InvalidCertificate(fault), "configuration", expect);
        };
        check(CertificateError::UnknownIssuer, &["`ca`"]);
        let expired = CertificateError::ExpiredContext {
            time: at(86_400),
            not_after: at(0),
        };
        check(
            expired,
            &[
                "expired at 1970-01-01T00:00:00Z",
                "clock says 1970-01-02T00:00:00Z",
            ],
        );
        let early = CertificateError::NotValidYetContext {
            time: at(0),
            not_before: at(86_400),
        };
        check(early, &["from 1970-01-02T00:00:00Z on", "set the clock"]);
        check(CertificateError::BadSignature, &["`ca`"]);
    }

    #[test]
    fn a_name_that_does_not_fit_is_told_with_those_that_do() {
        let named = |presented: &[&str]| {
            let expected = ServerName::try_from("ldap.example.com").unwrap();
            let presented = presented.iter().map(|&it| it.to_owned()).collect();
            Error::InvalidCertificate(CertificateError::NotValidForNameContext {
                expected,
                presented,
            })
        };
        let two = named(&["DnsName(\"localhost\")", "IpAddress(127.0.0.1)"]);
        let expect = ["made for `localhost`, `127.0.0.1`, not for `ldap.example.com`"];
        check(two, "configuration", &expect);
        check(
            named(&[]),
            "configuration",
            &["no subject alternative name", "Samba", "`ldap.example.com`"],
        );
    }

    #[test]
    fn a_demand_for_a_certificate_is_told_from_a_wrong_port() {
        for alert in [
            AlertDescription::CertificateRequired,
            AlertDescription::HandshakeFailure,
        ] {
            let expect = ["demand a certificate of the client", "`TLSVerifyClient"];
            check(Error::AlertReceived(alert), "configuration", &expect);
        }
        let wrong = Error::AlertReceived(AlertDescription::InternalError);
        check(wrong, "unavailable", &["does this port speak"]);
    }
}
