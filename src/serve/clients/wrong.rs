//! How often wrong passwords came from where, and what of that has been told.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use crate::serve::windows::Windows;

/// So many wrong passwords in a minute are a mistake; more are guesses.
const FEW: u32 = 20;

/// Wrong passwords, by address.
#[derive(Default)]
pub(super) struct Wrong {
    passwords: Windows<IpAddr>,
    told: Windows<(IpAddr, &'static str)>,
}

/// Whether an address has sent more wrong passwords than people mistype.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    Few,
    Many,
}

impl Wrong {
    /// Counts one more.
    pub(super) fn add(&self, address: IpAddr, now: Duration) -> Count {
        if self.passwords.count(network(address), now) > FEW {
            Count::Many
        } else {
            Count::Few
        }
    }

    /// Counts a refusal. If it is time to tell of those of this address and reason: how many there were since the last time.
    pub(super) fn tell(&self, address: IpAddr, reason: &'static str, now: Duration) -> Option<u64> {
        self.told.tell((network(address), reason), now)
    }
}

/// Whoever has an IPv6 address has a whole network of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(it) => Ipv6Addr::from_bits(it.to_bits() & !u128::from(u64::MAX)).into(),
        it @ IpAddr::V4(_) => it,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::windows::WINDOW;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn guesses_are_many_and_mistakes_are_few() {
        let wrong = Wrong::default();
        let (here, there) = ("192.0.2.7".parse().unwrap(), "192.0.2.8".parse().unwrap());
        for _ in 0..FEW {
            assert_eq!(wrong.add(here, SECOND), Count::Few);
        }
        assert_eq!(wrong.add(here, SECOND), Count::Many);
        assert_eq!(wrong.add(there, SECOND), Count::Few);
        assert_eq!(wrong.add(here, SECOND + WINDOW), Count::Few);
    }

    #[test]
    fn the_addresses_of_one_network_are_one() {
        let wrong = Wrong::default();
        for host in 0..FEW {
            let address = format!("2001:db8::{host:x}").parse().unwrap();
            assert_eq!(wrong.add(address, SECOND), Count::Few);
        }
        let other = wrong.add("2001:db8:0:1::1".parse().unwrap(), SECOND);
        assert_eq!(other, Count::Few);
        let same = wrong.add("2001:db8::ffff".parse().unwrap(), SECOND);
        assert_eq!(same, Count::Many);
    }

    #[test]
    fn refusals_are_told_once_a_minute_with_their_number() {
        let wrong = Wrong::default();
        let here = "192.0.2.7".parse().unwrap();
        assert_eq!(wrong.tell(here, "password", SECOND), Some(1));
        assert_eq!(wrong.tell(here, "password", SECOND), None);
        assert_eq!(wrong.tell(here, "password", SECOND), None);
        assert_eq!(wrong.tell(here, "address", SECOND), Some(1));
        assert_eq!(wrong.tell(here, "password", SECOND + WINDOW), Some(3));
        assert_eq!(wrong.tell(here, "password", SECOND + WINDOW), None);
    }
}
