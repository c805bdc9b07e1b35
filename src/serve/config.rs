//! What a user writes under `serve:`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::text::Network;

/// Where the sets of all `crowd_server` applications are served.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServeConfig {
    /// The address to listen on: `127.0.0.1:8095`, `[::]:8095`.
    pub listen: SocketAddr,
    /// The certificate to show. Without it, nothing is encrypted.
    pub tls: Option<TlsConfig>,
    /// Proxies whose `X-Forwarded-For` says who is calling.
    #[serde(default)]
    pub trusted_proxies: Vec<Network>,
    /// Listens without TLS for others than this machine: passwords of applications and of users travel readable for everybody
    /// on the way.
    #[serde(default)]
    pub insecure: bool,
}

/// The certificate to show. Both files are read again when they change.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// A PEM file: the server's certificate, followed by those of the authorities between it and one that clients trust.
    pub certificate: PathBuf,
    /// A PEM file with the certificate's private key.
    pub key: PathBuf,
}

/// Something in the block that is well-formed and cannot work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServeProblem {
    /// The option, as a path below `serve`.
    pub path: &'static str,
    /// What is wrong, and what to write.
    pub text: String,
}

impl ServeConfig {
    /// Everything that cannot work.
    pub fn problems(&self) -> Vec<ServeProblem> {
        if !self.is_exposed() || self.insecure {
            return Vec::new();
        }
        let text = format!(
            "the passwords of applications and users would come to {} readable for everybody on the way: give `tls`, listen on \
             127.0.0.1 behind a proxy that does TLS, or accept that with `insecure: true`",
            self.listen
        );
        vec![ServeProblem {
            path: "listen",
            text,
        }]
    }

    /// What works and is unwise.
    pub fn warnings(&self) -> Vec<ServeProblem> {
        let mut found = Vec::new();
        if self.is_exposed() && self.insecure {
            let text = format!(
                "the passwords of applications and users come to {} readable for everybody on the way",
                self.listen
            );
            found.push(ServeProblem {
                path: "insecure",
                text,
            });
        }
        if self.trusted_proxies.iter().any(Network::is_everything) {
            let text = "everybody may say whose address theirs is, so that `addresses` keep nobody out: name the proxies";
            found.push(ServeProblem {
                path: "trusted_proxies",
                text: text.to_owned(),
            });
        }
        found
    }

    /// The same options with relative paths seen from the folder of the configuration file.
    #[must_use]
    pub fn anchored(mut self, folder: &Path) -> Self {
        self.tls = self.tls.map(|tls| TlsConfig {
            certificate: folder.join(tls.certificate),
            key: folder.join(tls.key),
        });
        self
    }

    fn is_exposed(&self) -> bool {
        self.tls.is_none() && !self.listen.ip().to_canonical().is_loopback()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> ServeConfig {
        serde_yaml::from_str(text).unwrap()
    }

    #[test]
    fn plain_http_stays_on_the_machine_unless_asked_for() {
        fn check(text: &str, problems: usize, warnings: usize) {
            let config = read(text);
            let found = (config.problems().len(), config.warnings().len());
            assert_eq!(found, (problems, warnings), "{text}");
        }
        check("listen: '127.0.0.1:8095'", 0, 0);
        check("{ listen: '[::1]:8095', insecure: true }", 0, 0);
        check("listen: '0.0.0.0:8095'", 1, 0);
        check("listen: '[::]:8095'", 1, 0);
        check("{ listen: '10.0.0.1:8095', insecure: true }", 0, 1);
        check(
            "{ listen: '127.0.0.1:1', trusted_proxies: ['0.0.0.0/0', '10.0.0.1'] }",
            0,
            1,
        );
        let tls = "{ listen: '10.0.0.1:8095', tls: { certificate: a.pem, key: a.key } }";
        check(tls, 0, 0);
    }

    #[test]
    fn files_are_seen_from_the_folder_of_the_configuration() {
        let config = read("{ listen: '[::]:1', tls: { certificate: a.pem, key: /k/a.key } }");
        let tls = config.anchored(Path::new("/etc/x")).tls.unwrap();
        assert_eq!(tls.certificate, Path::new("/etc/x/a.pem"));
        assert_eq!(tls.key, Path::new("/k/a.key"));
    }

    #[test]
    fn what_is_no_option_is_refused() {
        for text in [
            "{}",
            "listen: localhost",
            "{ listen: '127.0.0.1:1', port: 1 }",
        ] {
            assert!(serde_yaml::from_str::<ServeConfig>(text).is_err(), "{text}");
        }
    }
}
