//! A single address or a network of addresses, as lists of who may call are written.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use serde::de::{Deserialize, Deserializer, Error as _};
use thiserror::Error;

/// `192.0.2.7`, `10.0.0.0/8`, `2001:db8::/32`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network(IpNet);

/// A text that is neither an address nor a network.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "`{text}` is neither an address nor a network: write `192.0.2.7`, `10.0.0.0/8` or `2001:db8::/32`"
)]
pub struct BadNetwork {
    text: String,
}

impl Network {
    /// Whether the address is in it. An IPv4 address that came as an IPv6 one (`::ffff:192.0.2.7`) is taken for what it is.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }

    /// Whether it holds every address of its family.
    pub fn is_everything(&self) -> bool {
        self.0.prefix_len() == 0
    }
}

impl FromStr for Network {
    type Err = BadNetwork;

    fn from_str(text: &str) -> Result<Network, BadNetwork> {
        let address = || {
            text.parse::<IpAddr>()
                .map(|it| IpNet::from(it.to_canonical()))
        };
        let network = text.parse::<IpNet>().or_else(|_| address());
        let bad = |_| BadNetwork {
            text: text.to_owned(),
        };
        network.map(|it| Network(it.trunc())).map_err(bad)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.prefix_len() == self.0.max_prefix_len() {
            return self.0.addr().fmt(f);
        }
        self.0.fmt(f)
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Network({self})")
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Network, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_its_addresses() {
        fn check(network: &str, address: &str, expect: bool) {
            let network: Network = network.parse().unwrap();
            let found = network.contains(address.parse().unwrap());
            assert_eq!(found, expect, "{network} {address}");
        }
        check("192.0.2.7", "192.0.2.7", true);
        check("192.0.2.7", "192.0.2.8", false);
        check("192.0.2.7", "::ffff:192.0.2.7", true);
        check("::ffff:192.0.2.7", "192.0.2.7", true);
        check("10.1.2.3/8", "10.200.0.1", true);
        check("10.0.0.0/8", "11.0.0.1", false);
        check("2001:db8::/32", "2001:db8:1::1", true);
        check("2001:db8::/32", "2001:db9::1", false);
        check("::1", "127.0.0.1", false);
        check("0.0.0.0/0", "::1", false);
    }

    #[test]
    fn a_network_is_shown_as_it_is_written() {
        for text in ["192.0.2.7", "10.0.0.0/8", "2001:db8::/32", "::1"] {
            assert_eq!(text.parse::<Network>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "localhost",
            "10.0.0.0/33",
            "10.0.0",
            "10.0.*",
            "1.2.3.4:80",
        ] {
            let fault = text.parse::<Network>().unwrap_err().to_string();
            assert!(fault.contains("write `192.0.2.7`"), "{fault}");
        }
    }
}
