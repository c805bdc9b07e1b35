//! The address of an LDAP server as a user writes it: `ldap://host`, `ldaps://host:1636`, `ldapi://%2Frun%2Fslapd%2Fldapi`.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use serde::Deserialize;

/// How a socket is written, for messages.
const SOCKET: &str = "`ldapi://%2Frun%2Fslapd%2Fldapi`";
/// The longest path of a socket (unix(7): 108 bytes with the one that ends it).
const SOCKET_PATH_MAX: usize = 107;

/// One LDAP server. It prints in one spelling: scheme and host in lower case, the port always there.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct LdapUrl(Place);

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A TCP port.
    Port {
        /// TLS from the first byte (`ldaps`).
        tls: bool,
        /// A host name, an IPv4 address, or an IPv6 address without brackets.
        host: String,
        /// From 1 on.
        port: u16,
    },
    /// A socket of this machine, by its absolute path.
    Socket(String),
}

/// Why a text is no address of an LDAP server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadUrl {
    /// The scheme is missing or another one.
    #[error("`{0}` must begin with `ldaps://`, `ldap://` or `ldapi://`")]
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
    /// The path of a socket is missing, relative, too long, or not written as in URLs.
    #[error(
        "`{0}` names no socket: write its absolute path of at most {SOCKET_PATH_MAX} bytes with `%2F` for each slash, \
         like {SOCKET}"
    )]
    Socket(String),
}

impl LdapUrl {
    /// Where the server listens.
    pub(super) fn place(&self) -> &Place {
        &self.0
    }

    /// Whether the connection speaks TLS from the first byte.
    pub fn is_tls(&self) -> bool {
        matches!(self.0, Place::Port { tls: true, .. })
    }

    /// Whether it is a socket of this machine.
    pub fn is_socket(&self) -> bool {
        matches!(self.0, Place::Socket(_))
    }

    /// Whether the connection goes over the network and does not begin with TLS.
    pub fn is_plain(&self) -> bool {
        matches!(self.0, Place::Port { tls: false, .. })
    }
}

impl FromStr for LdapUrl {
    type Err = BadUrl;

    fn from_str(text: &str) -> Result<Self, BadUrl> {
        let (scheme, authority) = text.split_once("://").unwrap_or_default();
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        let place = match scheme.to_ascii_lowercase().as_str() {
            "ldaps" => port(true, authority, text),
            "ldap" => port(false, authority, text),
            "ldapi" => match socket(authority) {
                Some(path) => Ok(Place::Socket(path)),
                None => Err(BadUrl::Socket(text.to_owned())),
            },
            _ => Err(BadUrl::Scheme(text.to_owned())),
        };
        Ok(LdapUrl(place?))
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
        match &self.0 {
            Place::Port { tls, host, port } => {
                let scheme = if *tls { "ldaps" } else { "ldap" };
                if host.contains(':') {
                    write!(f, "{scheme}://[{host}]:{port}")
                } else {
                    write!(f, "{scheme}://{host}:{port}")
                }
            }
            Place::Socket(path) => {
                f.write_str("ldapi://")?;
                path.bytes().try_for_each(|byte| match byte {
                    b'-' | b'.' | b'_' | b'~' => write!(f, "{}", char::from(byte)),
                    _ if byte.is_ascii_alphanumeric() => write!(f, "{}", char::from(byte)),
                    _ => write!(f, "%{byte:02X}"),
                })
            }
        }
    }
}

/// Reads host and port of the address that is written `text` as a whole.
fn port(tls: bool, authority: &str, text: &str) -> Result<Place, BadUrl> {
    let authority = authority.to_ascii_lowercase();
    if authority.contains(['/', '?', '#']) {
        return Err(BadUrl::Rest(text.to_owned()));
    }
    let (host, port) = split_port(&authority);
    let port = match port {
        None => default_port(tls),
        Some(port) => read_port(port).ok_or_else(|| BadUrl::Port(text.to_owned()))?,
    };
    let host = match host.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
        Some(address) if is_ipv6(address) => address,
        None if is_host(host) => host,
        _ => return Err(BadUrl::Host(text.to_owned())),
    };
    Ok(Place::Port {
        tls,
        host: host.to_owned(),
        port,
    })
}

/// The path of a socket from how it is written in a URL (RFC 3986, section 2.1).
fn socket(authority: &str) -> Option<String> {
    if authority.contains(['/', '?', '#']) {
        return None;
    }
    let mut path = Vec::with_capacity(authority.len());
    let mut rest = authority.bytes();
    while let Some(byte) = rest.next() {
        let byte = match byte {
            b'%' => hexadecimal(rest.next()?)? << 4 | hexadecimal(rest.next()?)?,
            _ => byte,
        };
        path.push(byte);
    }
    let path = String::from_utf8(path).ok()?;
    let sound = path.len() <= SOCKET_PATH_MAX && Path::new(&path).is_absolute();
    (sound && path.len() > 1 && !path.contains('\0')).then_some(path)
}

fn hexadecimal(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|it| it as u8)
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
        check("ldaps://[2001:DB8::1]", "ldaps://[2001:db8::1]:636");
        let socket = "ldapi://%2Frun%2FSlapd%2Fldapi";
        check(socket, socket);
        check("LDAPI://%2frun%2FSlapd%2Fldap%69/", socket);
        check("ldapi://%2Ftmp%2Fa b", "ldapi://%2Ftmp%2Fa%20b");
    }

    #[test]
    fn what_is_no_address_says_why() {
        fn check(text: &str, expect: fn(String) -> BadUrl) {
            assert_eq!(text.parse::<LdapUrl>(), Err(expect(text.to_owned())));
        }
        check("", BadUrl::Scheme);
        check("ldap.example.com", BadUrl::Scheme);
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
        check("ldapi://", BadUrl::Socket);
        check("ldapi:///", BadUrl::Socket);
        check("ldapi:///run/slapd/ldapi", BadUrl::Socket);
        check("ldapi://run%2Fldapi", BadUrl::Socket);
        check("ldapi://%2F", BadUrl::Socket);
        check("ldapi://%2Frun%2", BadUrl::Socket);
        check("ldapi://%2Frun%00", BadUrl::Socket);
        check("ldapi://%2Frun%FF", BadUrl::Socket);
        check(&format!("ldapi://%2F{}", "x".repeat(107)), BadUrl::Socket);
    }
}
