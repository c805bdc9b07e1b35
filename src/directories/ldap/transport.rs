//! The transport: a connection to a server, of which the LDAP library gets one end of a socket pair.
//!
//! The library dials, speaks TLS and parses whatever comes. Here all of that is done by ourselves: each address of a host is
//! tried, TLS names are checked also for IP addresses, StartTLS takes no byte that came before the handshake, and what the
//! server says passes the [guard](crate::wire::ldap::guard) before the library sees it. What ends the connection is known
//! by name, which the library cannot tell.

mod dial;
mod pump;
mod starttls;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_util::task::AbortOnDropHandle;

use super::tls::Tls;
use super::url::{LdapUrl, Place};
use crate::wire::ldap::guard::{Answer, Guard, GuardFault, GuardLimits};

pub(super) use self::pump::Ending;
use self::pump::Shared;

/// A connection that is open. Dropping it closes the connection at once.
#[derive(Debug)]
pub(super) struct Transport {
    shared: Arc<Shared>,
    task: AbortOnDropHandle<()>,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectFault {
    /// The host has no address.
    #[error("the name of the host is not known")]
    Resolve(#[source] io::Error),
    /// No address of it takes connections.
    #[error("no address of the host answers")]
    Dial(Vec<(SocketAddr, io::Error)>),
    /// The socket does not take connections.
    #[error("the socket does not answer")]
    Socket(#[source] io::Error),
    /// The host is written in a way in which no certificate can name it.
    #[error("the host `{0}` is no name that a certificate can bear")]
    Name(String),
    /// No TLS came about.
    #[error("TLS failed")]
    Tls(#[source] io::Error),
    /// The server does not begin TLS.
    #[error("StartTLS was refused with result code {}", .0.code)]
    StartTls(Answer),
    /// The connection ended before TLS had begun.
    #[error("the connection failed in StartTLS")]
    Lost(#[source] io::Error),
    /// Something came between the answer to StartTLS and the handshake, where anybody on the way can put it.
    #[error("something came between the answer to StartTLS and TLS")]
    Smuggled,
    /// What came is not sound.
    #[error(transparent)]
    Guard(#[from] GuardFault),
    /// It took too long.
    #[error("{0} took too long")]
    TimedOut(Stage),
    /// This system gives no socket pair.
    #[error("no socket pair can be made")]
    Pair(#[source] io::Error),
}

/// What is being done to connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Stage {
    /// Until the server's system takes the connection.
    Dial,
    /// Until the server says that it begins TLS.
    StartTls,
    /// Until it is known who the server is.
    Tls,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stage::Dial => "connecting",
            Stage::StartTls => "the answer to StartTLS",
            Stage::Tls => "the TLS handshake",
        })
    }
}

/// Anything that bytes go through.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Transport {
    /// Connects, TLS included, within a time limit. Returns the connection and the end of it that speaks plain LDAP.
    ///
    /// # Errors
    /// [`ConnectFault`]: nothing was said to the server but what TLS needs.
    pub(super) async fn connect(
        url: &LdapUrl,
        tls: Option<&Tls>,
        limit: Duration,
    ) -> Result<(Self, StdUnixStream), ConnectFault> {
        let stage = AtomicU8::new(Stage::Dial as u8);
        let server = match timeout(limit, establish(url, tls, limit, &stage)).await {
            Ok(established) => established?,
            Err(_) => return Err(ConnectFault::TimedOut(reached(&stage))),
        };
        let guard = Guard::new(GuardLimits::default());
        let (shared, task, near) = pump::start(server, guard).map_err(ConnectFault::Pair)?;
        Ok((Transport { shared, task }, near))
    }

    /// Counts an answer to a search as taken, whatever it was. Answers that nobody takes stop the connection: the library
    /// would keep any number of them in memory.
    pub(super) fn took(&self) {
        self.shared.took();
    }

    /// How the connection ended, if it did.
    pub(super) fn ending(&self) -> Option<&Ending> {
        self.shared.ending()
    }

    /// Waits until what was said last is said and the connection is closed. The library's end must be closed before.
    pub(super) async fn closed(self) {
        // Whatever goes wrong with a goodbye is of no interest.
        let _ = self.task.await;
    }
}

async fn establish(
    url: &LdapUrl,
    tls: Option<&Tls>,
    limit: Duration,
    stage: &AtomicU8,
) -> Result<Box<dyn Stream>, ConnectFault> {
    let (host, port) = match url.place() {
        Place::Socket(path) => return Ok(Box::new(dial::socket(path).await?)),
        Place::Port { host, port, .. } => (host.as_str(), *port),
    };
    let mut stream = dial::port(host, port, limit).await?;
    let secured = tls.filter(|it| url.is_tls() || it.starttls);
    let Some(Tls { config, .. }) = secured else {
        return Ok(Box::new(stream));
    };
    let name = ServerName::try_from(host.to_owned());
    let name = name.map_err(|_| ConnectFault::Name(host.to_owned()))?;
    if url.is_plain() {
        stage.store(Stage::StartTls as u8, Ordering::Relaxed);
        starttls::start(&mut stream).await?;
    }
    stage.store(Stage::Tls as u8, Ordering::Relaxed);
    let connector = TlsConnector::from(Arc::clone(config));
    let stream = connector.connect::<TcpStream>(name, stream).await;
    Ok(Box::new(stream.map_err(ConnectFault::Tls)?))
}

fn reached(stage: &AtomicU8) -> Stage {
    let stages = [Stage::Dial, Stage::StartTls, Stage::Tls];
    stages[usize::from(stage.load(Ordering::Relaxed)) % stages.len()]
}
