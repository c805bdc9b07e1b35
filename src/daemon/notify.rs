//! What the service manager is told: `sd_notify(3)`, over the socket that it names in the environment.
//!
//! The `sd-notify` crate spells the messages and reads the environment. The sending is done here, for the crate knows
//! neither a socket that is handed to it nor one of the abstract kind.

use std::fmt::Write as _;
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sd_notify::NotifyState;

use crate::events;

/// A service manager takes its messages at once; one that does not must not keep the daemon waiting.
const SEND_TIMEOUT: Duration = Duration::from_secs(1);

/// The way to the service manager, if there is one.
#[derive(Debug)]
pub struct Notifier {
    socket: Option<PathBuf>,
    watchdog: Option<Duration>,
}

impl Notifier {
    /// As `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` say.
    pub fn from_environment() -> Notifier {
        Notifier {
            socket: std::env::var_os("NOTIFY_SOCKET").map(PathBuf::from),
            watchdog: sd_notify::watchdog_enabled().filter(|it| !it.is_zero()),
        }
    }

    /// To nobody.
    pub fn silent() -> Notifier {
        Notifier {
            socket: None,
            watchdog: None,
        }
    }

    /// To a socket, which wants a sign of life at least as often as `watchdog` says.
    pub fn to(socket: &Path, watchdog: Option<Duration>) -> Notifier {
        Notifier {
            socket: Some(socket.to_owned()),
            watchdog,
        }
    }

    /// How often a sign of life is wanted.
    pub fn watchdog(&self) -> Option<Duration> {
        self.watchdog
    }

    pub(super) fn ready(&self, status: &str) {
        self.send(&[NotifyState::Ready, NotifyState::Status(status)]);
    }

    pub(super) fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => self.send(&[NotifyState::Reloading, now]),
            Err(_) => self.send(&[NotifyState::Reloading]),
        }
    }

    pub(super) fn status(&self, status: &str) {
        self.send(&[NotifyState::Status(status)]);
    }

    pub(super) fn alive(&self) {
        self.send(&[NotifyState::Watchdog]);
    }

    pub(super) fn stopping(&self) {
        self.send(&[NotifyState::Stopping]);
    }

    fn send(&self, states: &[NotifyState<'_>]) {
        if let Some(socket) = &self.socket
            && let Err(error) = send(socket, states)
        {
            events::notify_failed(&error);
        }
    }
}

fn send(socket: &Path, states: &[NotifyState<'_>]) -> io::Result<()> {
    let mut message = String::new();
    for state in states {
        // Writing to a string does not fail.
        let _ = writeln!(message, "{state}");
    }
    let datagram = UnixDatagram::unbound()?;
    datagram.set_write_timeout(Some(SEND_TIMEOUT))?;
    datagram.connect_addr(&address(socket)?)?;
    datagram.send(message.as_bytes()).map(drop)
}

/// A leading `@` stands for the abstract namespace.
fn address(socket: &Path) -> io::Result<SocketAddr> {
    match socket.as_os_str().as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name),
        _ => SocketAddr::from_pathname(socket),
    }
}
