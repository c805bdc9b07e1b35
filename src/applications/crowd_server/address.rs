//! Addresses from where somebody may ask, as people write them.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::de::{Deserialize, Deserializer, Error};

/// Reads a list of addresses and networks.
pub(super) fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let written = Vec::<Written>::deserialize(deserializer)?;
    Ok(written.into_iter().map(|it| it.0).collect())
}

struct Written(IpNet);

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse(&text).map(Written).map_err(D::Error::custom)
    }
}

fn parse(text: &str) -> Result<IpNet, String> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(IpNet::from(address));
    }
    let hint = "write an address (`192.0.2.7`) or a network (`10.0.0.0/8`)";
    let net: IpNet = text
        .parse()
        .map_err(|_| format!("`{text}` is no address: {hint}"))?;
    if net.trunc() == net {
        return Ok(net);
    }
    Err(format!(
        "`{text}` is an address in the network `{}`: write that network, or the address alone",
        net.trunc()
    ))
}
