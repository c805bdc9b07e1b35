//! How many connections are open, and which goes when there are too many.
//!
//! Whoever waits outside cannot tell a full server from a dead one, so a new connection is always let in: in place of the one
//! that has kept us waiting longest, strangers before those who have logged in, whose requests in hand are never cut off for it.
//! So thousands of silent connections cost a client of ours nothing but a new connection, and the daemon no more than a limit.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use super::connection::Pulse;

/// The most connections that are open at a time, each with up to some tens of kilobytes.
pub(super) const CONNECTIONS_MAX: usize = 1_024;
/// The most of them from one address.
pub(super) const SHARE_MAX: usize = 256;

/// The connections that are open.
#[derive(Default)]
pub(super) struct Doors {
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    next: u64,
    connections: BTreeMap<u64, Connection>,
}

struct Connection {
    address: IpAddr,
    pulse: Arc<Pulse>,
    cut: CancellationToken,
}

/// One connection's place; it is free again when this is dropped.
pub(super) struct Place {
    doors: Arc<Doors>,
    number: u64,
    /// Cancelled when another connection has taken the place.
    pub(super) cut: CancellationToken,
}

impl Doors {
    /// A place for a connection from this address; `None` if every place is taken by requests in hand. An address with a share
    /// of its own must give up one of its connections when it has too many; `shared` ones (proxies) need not.
    pub(super) fn enter(
        self: &Arc<Self>,
        address: IpAddr,
        shared: bool,
        pulse: &Arc<Pulse>,
    ) -> Option<Place> {
        let mut open = self.open();
        let own = |it: &Connection| it.address == address;
        if !shared && open.connections.values().filter(|it| own(it)).count() >= SHARE_MAX {
            open.make_room(own)?;
        }
        if open.connections.len() >= CONNECTIONS_MAX {
            open.make_room(|_| true)?;
        }
        let number = open.next;
        open.next += 1;
        let cut = CancellationToken::new();
        let connection = Connection {
            address,
            pulse: pulse.clone(),
            cut: cut.clone(),
        };
        open.connections.insert(number, connection);
        Some(Place {
            doors: self.clone(),
            number,
            cut,
        })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        // Each change is one call, so a poisoned map is whole.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    /// Cuts off the connection of least worth among `these`.
    fn make_room(&mut self, these: impl Fn(&Connection) -> bool) -> Option<()> {
        let candidates = self.connections.iter().filter(|(_, it)| these(it));
        let worth = candidates.filter_map(|(&number, it)| Some((it.pulse.worth()?, number)));
        let (_, number) = worth.min()?;
        self.connections.remove(&number)?.cut.cancel();
        Some(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.doors.open().connections.remove(&self.number);
    }
}
