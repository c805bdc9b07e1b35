//! The address of a service, as an administrator writes it.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use thiserror::Error;
use url::Url;

/// An address of HTTP. Name and password in it are shown to nobody.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct HttpUrl(Url);

/// A text that is no such address. The text itself is in no error, since it may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadHttpUrl {
    /// It is no URL, or one of another protocol.
    #[error("this is no address of HTTP: write it like `https://host.example.com`")]
    NotHttp,
    /// There is something behind the path.
    #[error("leave out what begins with `?` or `#`: an address ends with its path")]
    Query,
}

impl HttpUrl {
    /// Whether what is sent there can be read by everybody on the way.
    pub fn is_plain(&self) -> bool {
        self.0.scheme() == "http"
    }

    /// Whether a name or a password stands in it.
    pub fn has_login(&self) -> bool {
        !self.0.username().is_empty() || self.0.password().is_some()
    }

    /// The port, also where it is the usual one.
    pub fn port(&self) -> Option<u16> {
        self.0.port_or_known_default()
    }

    /// The address with all that is in it.
    pub fn into_url(self) -> Url {
        self.0
    }
}

impl FromStr for HttpUrl {
    type Err = BadHttpUrl;

    fn from_str(text: &str) -> Result<HttpUrl, BadHttpUrl> {
        let url = Url::parse(text.trim()).map_err(|_| BadHttpUrl::NotHttp)?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(BadHttpUrl::NotHttp);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(BadHttpUrl::Query);
        }
        Ok(HttpUrl(url))
    }
}

impl TryFrom<String> for HttpUrl {
    type Error = BadHttpUrl;

    fn try_from(text: String) -> Result<HttpUrl, BadHttpUrl> {
        text.parse()
    }
}

/// Without name and password, and without a slash at the end.
impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.0.host_str().unwrap_or_default();
        write!(f, "{}://{host}", self.0.scheme())?;
        if let Some(port) = self.0.port() {
            write!(f, ":{port}")?;
        }
        f.write_str(self.0.path().trim_end_matches('/'))
    }
}

impl fmt::Debug for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_in_the_address_is_seen_and_not_shown() {
        let url: HttpUrl = "http://name:secret@proxy:3128/".parse().unwrap();
        assert!(url.has_login());
        assert_eq!(url.to_string(), "http://proxy:3128");
        assert!(!format!("{url:?}").contains("secret"));
    }

    #[test]
    fn what_is_no_address_of_http_is_rejected_without_quoting_it() {
        fn check(text: &str, expect: BadHttpUrl) {
            assert_eq!(text.parse::<HttpUrl>(), Err(expect), "{text}");
        }
        check("crowd.example.com", BadHttpUrl::NotHttp);
        check("ftp://crowd.example.com", BadHttpUrl::NotHttp);
        check("https://", BadHttpUrl::NotHttp);
        check("https://h/crowd?x=1", BadHttpUrl::Query);
        check("https://h/#x", BadHttpUrl::Query);
    }
}
