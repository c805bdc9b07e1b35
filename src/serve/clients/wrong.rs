//! How often wrong passwords came from where, and what of that has been told.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// So many wrong passwords in a [`WINDOW`] are a mistake; more are guesses.
const FEW: u32 = 20;
/// Over how long is counted, and how often refusals of one address are told.
const WINDOW: Duration = Duration::from_mins(1);
/// How many addresses are kept in mind. Beyond that the one whose window began first is forgotten.
const ADDRESSES_MAX: usize = 4_096;

/// Wrong passwords, by address.
#[derive(Default)]
pub(super) struct Wrong {
    passwords: Mutex<Windows<IpAddr>>,
    told: Mutex<Windows<(IpAddr, &'static str)>>,
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
        let mut windows = self
            .passwords
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let window = windows.of(network(address), now);
        window.count += 1;
        if window.count > FEW {
            Count::Many
        } else {
            Count::Few
        }
    }

    /// Counts a refusal. If it is time to tell of those of this address and reason: how many there were since the last time.
    pub(super) fn tell(&self, address: IpAddr, reason: &'static str, now: Duration) -> Option<u64> {
        let mut windows = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let window = windows.of((network(address), reason), now);
        window.count += 1;
        if window.count > 1 {
            return None;
        }
        Some(1 + u64::from(std::mem::take(&mut window.before).saturating_sub(1)))
    }
}

/// Whoever has an IPv6 address has a whole network of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(it) => Ipv6Addr::from_bits(it.to_bits() & !u128::from(u64::MAX)).into(),
        it @ IpAddr::V4(_) => it,
    }
}

/// Counts by key, each over a window of its own.
struct Windows<K>(BTreeMap<K, Window>);

#[derive(Default)]
struct Window {
    begun: Duration,
    count: u32,
    /// The count of the window before.
    before: u32,
}

impl<K> Default for Windows<K> {
    fn default() -> Self {
        Windows(BTreeMap::new())
    }
}

impl<K: Ord + Copy> Windows<K> {
    fn of(&mut self, key: K, now: Duration) -> &mut Window {
        let Windows(windows) = self;
        if windows.len() >= ADDRESSES_MAX && !windows.contains_key(&key) {
            let first = windows.iter().min_by_key(|(_, it)| it.begun);
            if let Some(first) = first.map(|it| *it.0) {
                windows.remove(&first);
            }
        }
        let new = || Window {
            begun: now,
            ..Window::default()
        };
        let window = windows.entry(key).or_insert_with(new);
        if now.saturating_sub(window.begun) >= WINDOW {
            *window = Window {
                before: window.count,
                ..new()
            };
        }
        window
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn memory_is_bounded() {
        let wrong = Wrong::default();
        for host in 0..ADDRESSES_MAX as u32 + 10 {
            wrong.add(IpAddr::V4(host.into()), SECOND * host);
        }
        assert_eq!(wrong.passwords.lock().unwrap().0.len(), ADDRESSES_MAX);
    }
}
