//! What an administrator writes about a Crowd that is filled, and what is wrong with it.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::client::crowd::options::{self, CrowdProblem, Options};
use crate::http::HttpUrl;
use crate::secret::SecretRef;
use crate::text::Span;

/// The most requests that may be under way at once.
const IN_FLIGHT_MAX: u32 = 64;

/// The options of a Crowd that is filled.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrowdConfig {
    /// The server, with its context path if it has one: `https://crowd.example.com/crowd`.
    pub url: HttpUrl,
    /// The name of the application that the server knows us as. Accounts are made in the first directory of that application
    /// that it may write.
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
    /// How many requests may be under way at once.
    #[serde(default = "in_flight_default")]
    pub in_flight: u32,
    /// How many requests the server gets in a second; as many as there are, unless told otherwise.
    pub requests_per_second: Option<NonZeroU32>,
}

impl CrowdConfig {
    /// Everything that cannot work, without asking a server.
    pub fn problems(&self) -> Vec<CrowdProblem> {
        let mut found = self.options().problems();
        if !(1..=IN_FLIGHT_MAX).contains(&self.in_flight) {
            found.push(CrowdProblem {
                path: "in_flight",
                text: format!("write a number from 1 to {IN_FLIGHT_MAX}"),
            });
        }
        found
    }

    /// What works and is unwise.
    pub fn warnings(&self) -> Vec<CrowdProblem> {
        self.options().warnings()
    }

    /// The set that is filled, see [`Options::target`].
    pub fn target(&self) -> String {
        self.options().target()
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

fn in_flight_default() -> u32 {
    8
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALLEST: &str =
        "url: https://crowd.example.com/crowd\napplication: usersyncd\npassword: { env: X }\n";

    fn read(text: &str) -> Result<CrowdConfig, String> {
        serde_yaml::from_str(text).map_err(|it| it.to_string())
    }

    #[test]
    fn what_is_left_out_has_a_default() {
        let config = read(SMALLEST).unwrap();
        assert_eq!(
            (config.timeout, config.page_size, config.in_flight),
            (Span::seconds(60), 1000, 8)
        );
        assert!(config.problems().is_empty());
        assert!(config.warnings().is_empty());
        assert_eq!(
            config.target(),
            "https://crowd.example.com/crowd/rest/usermanagement/1 application usersyncd"
        );
    }

    #[test]
    fn what_cannot_work_is_named() {
        fn check(line: &str, expect: &[&str]) {
            let key = line.split(':').next().unwrap();
            let kept = SMALLEST.lines().filter(|it| !it.starts_with(key));
            let text: Vec<&str> = kept.chain([line]).collect();
            let problems = read(&text.join("\n")).unwrap().problems();
            let found: Vec<&str> = problems.iter().map(|it| it.path).collect();
            assert_eq!(found, expect, "{line}");
        }
        check("url: http://crowd.example.com", &["url"]);
        check("url: 'https://me:pw@crowd.example.com'", &["url"]);
        check("application: ''", &["application"]);
        check("application: 'a:b'", &["application"]);
        check("timeout: 0s", &["timeout"]);
        check("page_size: 0", &["page_size"]);
        check("page_size: 10001", &["page_size"]);
        check("in_flight: 65", &["in_flight"]);
        check("in_flight: 64", &[]);
    }

    #[test]
    fn a_password_in_plain_text_is_accepted_by_hand_and_warned_about() {
        let text = SMALLEST.replace("https", "http") + "insecure: true\n";
        let config = read(&text).unwrap();
        assert!(config.problems().is_empty());
        assert_eq!(config.warnings()[0].path, "insecure");
    }

    #[test]
    fn what_is_unknown_is_refused() {
        assert!(read(&format!("{SMALLEST}pages: 3\n")).is_err());
        assert!(read(&SMALLEST.replace("https", "ftp")).is_err());
        assert!(read(&format!("{SMALLEST}requests_per_second: 0\n")).is_err());
    }
}
