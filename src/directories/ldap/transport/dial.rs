//! Dialling: a port of a host, whatever addresses it has, or a socket of this machine.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream, UnixStream, lookup_host};
use tokio::time::timeout;

use super::ConnectFault;

/// Tries each address of the host in turn. Each has the same share of the time, so that one that swallows what it is sent
/// leaves some to the others.
pub(super) async fn port(
    host: &str,
    port: u16,
    limit: Duration,
) -> Result<TcpStream, ConnectFault> {
    let addresses = lookup_host((host, port)).await;
    let addresses: Vec<SocketAddr> = addresses.map_err(ConnectFault::Resolve)?.collect();
    let share = limit / addresses.len().max(1) as u32;
    let mut faults = Vec::new();
    for address in addresses {
        let fault = match timeout(share, connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(fault)) => fault,
            Err(_) => io::Error::from(io::ErrorKind::TimedOut),
        };
        faults.push((address, fault));
    }
    Err(ConnectFault::Dial(faults))
}

/// Connects to a socket of this machine.
pub(super) async fn socket(path: &str) -> Result<UnixStream, ConnectFault> {
    UnixStream::connect(path)
        .await
        .map_err(ConnectFault::Socket)
}

/// Without the delay of small packets, which costs 40 ms a handshake; with a sign of life on connections that are silent,
/// so that firewalls do not forget them while the server thinks.
async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    socket.set_nodelay(true)?;
    socket.set_keepalive(true)?;
    socket.connect(address).await
}
