//! The address of an LDAP server as a user writes it: `ldap://host`, `ldaps://host:1636`.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

/// One LDAP server. It prints in one spelling: scheme and host in lower case, the port always there.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct LdapUrl {
    /// TLS from the first byte (`ldaps`).
    tls: bool,
    /// A host name, an IPv4 address, or an IPv6 address without brackets.
    host: String,
    port: u16,
}

/// Why a text is no address of an LDAP server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadUrl {
    /// The scheme is missing or another one.
    #[error("`{0}` must begin with `ldaps://` or `ldap://`")]
    Scheme(String),
    /// Something follows the host and port.
    #[error("`{0}` must end after host and port: the base is given by `users: {{ base: … }}`")]
    Rest(String),
    /// The host is missing or none.
    #[error("`{0}` names no host; a host outside of ASCII is written in its `xn--` form")]
    Host(String),
    /// The port is not a number from 1 to 65535.
    #[error("`{0}` has a port that is not a number from 1 to 65535")]
    Port(String),
    /// Certificates are checked against a name, and the LDAP library cannot check them against an IPv6 address.
    #[error("`{0}`: ldaps to an IPv6 address is not supported, write the server's host name")]
    TlsToIpv6(String),
}

impl LdapUrl {
    /// Whether the connection speaks TLS from the first byte.
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// The host to dial, an IPv6 address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port to dial: 389 or 636 unless given.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl FromStr for LdapUrl {
    type Err = BadUrl;

    fn from_str(text: &str) -> Result<Self, BadUrl> {
        let lower = text.to_ascii_lowercase();
        let (tls, authority) = if let Some(rest) = lower.strip_prefix("ldaps://") {
            (true, rest)
        } else if let Some(rest) = lower.strip_prefix("ldap://") {
            (false, rest)
        } else {
            return Err(BadUrl::Scheme(text.to_owned()));
        };
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        if authority.contains(['/', '?', '#']) {
            return Err(BadUrl::Rest(text.to_owned()));
        }
        let (host, port) = split_port(authority);
        let port = match port {
            None => default_port(tls),
            Some(port) => read_port(port).ok_or_else(|| BadUrl::Port(text.to_owned()))?,
        };
        let host = match host.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
            Some(address) if is_ipv6(address) && tls => {
                return Err(BadUrl::TlsToIpv6(text.to_owned()));
            }
            Some(address) if is_ipv6(address) => address,
            None if is_host(host) => host,
            _ => return Err(BadUrl::Host(text.to_owned())),
        };
        Ok(LdapUrl {
            tls,
            host: host.to_owned(),
            port,
        })
    }
}

impl TryFrom<String> for LdapUrl {
    type Error = BadUrl;

    fn try_from(text: String) -> Result<Self, BadUrl> {
        text.parse()
    }
}

impl fmt::Display for LdapUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "ldaps" } else { "ldap" };
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{scheme}://{}:{}", self.host, self.port)
        }
    }
}

/// Parts host and port at the last colon, unless that colon belongs to an IPv6 address.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

fn read_port(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|&port| digits && port != 0)
}

fn default_port(tls: bool) -> u16 {
    if tls { 636 } else { 389 }
}

fn is_ipv6(text: &str) -> bool {
    text.parse::<std::net::Ipv6Addr>().is_ok()
}

fn is_host(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_spelling() {
        fn check(text: &str, expect: &str) {
            let url: LdapUrl = text.parse().unwrap();
            assert_eq!(url.to_string(), expect, "{text}");
            assert_eq!(expect.parse(), Ok(url), "{text}");
        }
        check("ldap://ldap.example.com", "ldap://ldap.example.com:389");
        check("LDAPS://LDAP.example.com/", "ldaps://ldap.example.com:636");
        check("ldaps://10.0.0.1:1636", "ldaps://10.0.0.1:1636");
        check("ldap://[::1]", "ldap://[::1]:389");
        check("ldap://[::1]:3389/", "ldap://[::1]:3389");
    }

    #[test]
    fn what_is_no_address_says_why() {
        fn check(text: &str, expect: fn(String) -> BadUrl) {
            assert_eq!(text.parse::<LdapUrl>(), Err(expect(text.to_owned())));
        }
        check("", BadUrl::Scheme);
        check("ldap.example.com", BadUrl::Scheme);
        check("ldapi://%2Frun%2Fldapi", BadUrl::Scheme);
        check("https://ldap.example.com", BadUrl::Scheme);
        check("ldap://", BadUrl::Host);
        check("ldap:///dc=example,dc=com", BadUrl::Rest);
        check("ldap://host/dc=example", BadUrl::Rest);
        check("ldap://host?uid", BadUrl::Rest);
        check("ldap://user@host", BadUrl::Host);
        check("ldap://ldäp.example.com", BadUrl::Host);
        check("ldap://::1", BadUrl::Host);
        check("ldap://[host]", BadUrl::Host);
        check("ldap://host:", BadUrl::Port);
        check("ldap://host:0", BadUrl::Port);
        check("ldap://host:+389", BadUrl::Port);
        check("ldap://host:65536", BadUrl::Port);
        check("ldaps://[::1]:636", BadUrl::TlsToIpv6);
    }
}
