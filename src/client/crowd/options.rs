//! What is written of a server in the configuration, whether it is polled or filled.
//!
//! Each connector has these options in a block of its own, since places in the file get lost where blocks are put together. What
//! may be written is judged here, once.

use url::Url;

use crate::http::{HttpSetupError, HttpUrl};
use crate::text::Span;

/// The largest page that may be asked for.
const PAGE_SIZE_MAX: u32 = 10_000;

/// The options that both blocks have.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// The server.
    pub url: &'a HttpUrl,
    /// The name of the application that the server knows us as.
    pub application: &'a str,
    /// Sends the password over `http://`.
    pub insecure: bool,
    /// How long the server may be silent.
    pub timeout: Span,
    /// How many users or groups a page may hold.
    pub page_size: u32,
}

/// Something in a block that is well-formed and cannot work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrowdProblem {
    /// The option, as a path below `crowd`.
    pub path: &'static str,
    /// What is wrong, and what to write.
    pub text: String,
}

/// Why a connector cannot be set up from its configuration.
#[derive(Debug, thiserror::Error)]
pub enum CrowdSetupError {
    /// An option cannot work.
    #[error("{}: {}", .0.path, .0.text)]
    Option(CrowdProblem),
    /// The certificates or the proxy cannot be used.
    #[error(transparent)]
    Http(#[from] HttpSetupError),
}

impl Options<'_> {
    /// Everything that cannot work, without asking a server.
    pub fn problems(self) -> Vec<CrowdProblem> {
        let mut found = Vec::new();
        let mut add = |path, text: String| found.push(CrowdProblem { path, text });
        if self.url.has_login() {
            let text =
                "leave name and password out of the address: they are `application` and `password`";
            add("url", text.to_owned());
        }
        if self.url.is_plain() && !self.insecure {
            let text = format!(
                "the password would go to {} readable for everybody on the way: use `https://`, or accept that with \
                 `insecure: true`",
                self.url
            );
            add("url", text);
        }
        if self.application.is_empty() || self.application.contains(':') {
            let text = "write the name of the application as the server knows it; HTTP allows no colon in it";
            add("application", text.to_owned());
        }
        if self.timeout.is_zero() {
            let text = "no server answers in no time: write `60s`";
            add("timeout", text.to_owned());
        }
        if !(1..=PAGE_SIZE_MAX).contains(&self.page_size) {
            let text = format!("write a number from 1 to {PAGE_SIZE_MAX}; 1000 suits every server");
            add("page_size", text);
        }
        found
    }

    /// What works and is unwise.
    pub fn warnings(self) -> Vec<CrowdProblem> {
        let mut found = Vec::new();
        if self.url.is_plain() && self.insecure {
            found.push(CrowdProblem {
                path: "insecure",
                text: format!(
                    "the password goes to {} readable for everybody on the way",
                    self.url
                ),
            });
        }
        found
    }

    /// The set that is read or filled, in one spelling for all ways of writing it: which directories a server shows and writes
    /// is a matter of the application.
    pub fn target(self) -> String {
        format!("{} application {}", base(self.url), self.application)
    }
}

/// The `timeout` that is not written.
pub fn timeout_default() -> Span {
    Span::seconds(60)
}

/// The `page_size` that is not written.
pub fn page_size_default() -> u32 {
    1_000
}

/// The address below which the calls of Crowd's API lie: `/rest/usermanagement/1` is added, unless it was written.
pub(super) fn base(address: &HttpUrl) -> Url {
    let mut url = address.clone().into_url();
    let path = url.path().trim_end_matches('/').to_owned();
    let context = ["1", "latest", ""].iter().find_map(|it| {
        let end = format!("/rest/usermanagement/{it}");
        path.strip_suffix(end.trim_end_matches('/'))
    });
    let context = context.unwrap_or(&path);
    url.set_path(&format!("{context}/rest/usermanagement/1"));
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_the_api_is_added_unless_it_was_written() {
        fn check(url: &str, expect: &str) {
            let url: HttpUrl = url.parse().unwrap();
            assert_eq!(base(&url).as_str(), expect);
        }
        let plain = "https://j.example.com/rest/usermanagement/1";
        check("https://J.example.com", plain);
        check("https://j.example.com/", plain);
        check("https://j.example.com/rest/usermanagement/1/", plain);
        check("https://j.example.com/rest/usermanagement/latest", plain);
        check("https://j.example.com/rest/usermanagement", plain);
        check(
            "http://h:8095/crowd/",
            "http://h:8095/crowd/rest/usermanagement/1",
        );
    }
}
