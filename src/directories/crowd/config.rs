//! What a user writes under `crowd:` of a directory.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::client::crowd::options::{self, CrowdProblem, Options};
use crate::http::HttpUrl;
use crate::secret::SecretRef;
use crate::text::Span;

/// A Jira user server or a Crowd that is polled.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrowdConfig {
    /// The server, with its context path if it has one: `https://jira.example.com`, `https://crowd.example.com/crowd`.
    pub url: HttpUrl,
    /// The name of the application that the server knows us as; no person's.
    pub application: String,
    /// The application's password.
    pub password: SecretRef,
    /// A PEM file with the certificate of the authority that signed the server's certificate, trusted beside those of the
    /// system. A relative path is seen from the folder of the configuration file, see [`CrowdConfig::anchored`].
    pub ca: Option<PathBuf>,
    /// The HTTP proxy to go through: `http://proxy.example.com:3128`.
    pub proxy: Option<HttpUrl>,
    /// Sends the password over `http://`, where everybody on the way can read it.
    #[serde(default)]
    pub insecure: bool,
    /// How long the server may be silent.
    #[serde(default = "options::timeout_default")]
    pub timeout: Span,
    /// How many users or groups a page may hold.
    #[serde(default = "options::page_size_default")]
    pub page_size: u32,
    /// Asks for what has changed where the server tells it. Without it every read is a complete one.
    #[serde(default = "incremental_default")]
    pub incremental: bool,
}

impl CrowdConfig {
    /// Everything that cannot work, without asking a server.
    pub fn problems(&self) -> Vec<CrowdProblem> {
        self.options().problems()
    }

    /// What works and is unwise.
    pub fn warnings(&self) -> Vec<CrowdProblem> {
        self.options().warnings()
    }

    /// The set that is read, see [`Options::target`].
    pub fn target(&self) -> String {
        self.options().target()
    }

    /// Everything that decides which records are read and what stands in them.
    pub fn basis(&self) -> String {
        format!("crowd {}", self.target())
    }

    /// The application's password.
    pub fn password(&self) -> &SecretRef {
        &self.password
    }

    /// The same options with relative paths seen from the folder of the configuration file.
    #[must_use]
    pub fn anchored(mut self, folder: &Path) -> Self {
        self.ca = self.ca.map(|ca| folder.join(ca));
        self.password = self.password.under(folder);
        self
    }

    fn options(&self) -> Options<'_> {
        Options {
            url: &self.url,
            application: &self.application,
            insecure: self.insecure,
            timeout: self.timeout,
            page_size: self.page_size,
        }
    }
}

fn incremental_default() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALLEST: &str =
        "url: https://Jira.example.com/\napplication: usersyncd\npassword: { env: X }\n";

    fn read(text: &str) -> Result<CrowdConfig, String> {
        serde_yaml::from_str(text).map_err(|it| it.to_string())
    }

    #[test]
    fn three_options_are_enough() {
        let config = read(SMALLEST).unwrap();
        assert_eq!((config.problems(), config.warnings()), (vec![], vec![]));
        assert_eq!((config.page_size, config.timeout.as_seconds()), (1_000, 60));
        assert!(config.incremental && !config.insecure);
        let same = read(&SMALLEST.replace(".com/", ".com/rest/usermanagement/latest")).unwrap();
        assert_eq!(config.target(), same.target());
        assert_eq!(config.basis(), same.basis());
        let other = read(&SMALLEST.replace("usersyncd", "other")).unwrap();
        assert_ne!(config.basis(), other.basis());
    }

    #[test]
    fn what_cannot_work_is_said_at_once() {
        let text = "url: http://a:b@h/crowd\napplication: 'a:b'\npassword: { env: X }\ntimeout: 0s\npage_size: 0\n";
        let problems = read(text).unwrap().problems();
        let paths: Vec<&str> = problems.iter().map(|it| it.path).collect();
        assert_eq!(paths, ["url", "url", "application", "timeout", "page_size"]);
        let large = read(&(SMALLEST.to_owned() + "page_size: 10001\n")).unwrap();
        assert_eq!(large.problems().len(), 1);
        assert!(!format!("{problems:?}").contains("a:b@"));
    }

    #[test]
    fn a_password_in_plain_text_must_be_asked_for() {
        let plain = SMALLEST.replace("https", "http");
        assert_eq!(read(&plain).unwrap().problems().len(), 1);
        let asked = read(&(plain + "insecure: true\n")).unwrap();
        assert_eq!((asked.problems().len(), asked.warnings().len()), (0, 1));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        fn check(from: &str, to: &str, expect: &str) {
            let fault = read(&SMALLEST.replace(from, to)).unwrap_err();
            assert!(fault.contains(expect), "{to}: {fault}");
        }
        check(
            "application: usersyncd\n",
            "",
            "missing field `application`",
        );
        check("https://", "ldap://", "no address of HTTP");
        check("application:", "app:", "unknown field `app`");
    }

    #[test]
    fn paths_are_seen_from_the_folder_of_the_configuration() {
        let config = read(&(SMALLEST.to_owned() + "ca: ca.pem\n")).unwrap();
        let anchored = config.anchored(Path::new("/etc/usersyncd"));
        assert_eq!(
            anchored.ca.as_deref(),
            Some(Path::new("/etc/usersyncd/ca.pem"))
        );
    }
}
