//! From which address a request comes: the peer's, or what a proxy that we trust says.

use std::net::IpAddr;

use hyper::HeaderMap;

use crate::text::Network;

/// Where proxies note whom they ask for.
const FORWARDED: &str = "x-forwarded-for";

/// The caller's address; `None` if a trusted proxy names nobody in particular.
///
/// Each proxy appends the address it was called from, so only what trusted ones have appended is true: the list is read from
/// its end, and the first address that is no trusted proxy's is the caller's. What stands before it may be made up.
pub(super) fn address(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> Option<IpAddr> {
    let is_trusted = |address: IpAddr| trusted.iter().any(|it| it.contains(address));
    let mut address = peer.to_canonical();
    if !is_trusted(address) {
        return Some(address);
    }
    for line in headers.get_all(FORWARDED).iter().rev() {
        for hop in line.to_str().ok()?.rsplit(',') {
            address = hop.trim().parse::<IpAddr>().ok()?.to_canonical();
            if !is_trusted(address) {
                return Some(address);
            }
        }
    }
    Some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_trusted_proxies_say_counts() {
        fn check(peer: &str, lines: &[&str], expect: Option<&str>) {
            let trusted = ["10.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()];
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(FORWARDED, line.parse().unwrap());
            }
            let found = address(peer.parse().unwrap(), &headers, &trusted);
            let expect = expect.map(|it| it.parse().unwrap());
            assert_eq!(found, expect, "{peer} {lines:?}");
        }
        check("192.0.2.7", &[], Some("192.0.2.7"));
        check("::ffff:192.0.2.7", &[], Some("192.0.2.7"));
        check("192.0.2.7", &["203.0.113.1"], Some("192.0.2.7"));
        check("10.0.0.1", &["203.0.113.1"], Some("203.0.113.1"));
        check("10.0.0.1", &["1.1.1.1, 203.0.113.1"], Some("203.0.113.1"));
        check(
            "10.0.0.1",
            &["1.1.1.1, 203.0.113.1,10.0.0.2"],
            Some("203.0.113.1"),
        );
        check(
            "10.0.0.1",
            &["1.1.1.1", "203.0.113.1", "::1"],
            Some("203.0.113.1"),
        );
        check("10.0.0.1", &[], Some("10.0.0.1"));
        check("10.0.0.1", &["10.0.0.3, 10.0.0.2"], Some("10.0.0.3"));
        check("10.0.0.1", &["203.0.113.1, unknown"], None);
        check("10.0.0.1", &["203.0.113.1:80"], None);
        check("10.0.0.1", &[""], None);
    }
}
