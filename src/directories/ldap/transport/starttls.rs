//! StartTLS (RFC 4511, section 4.14): the question in plain text, its answer, and not a byte more.

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::ConnectFault;
use crate::wire::ldap::guard::{Guard, GuardLimits};

/// Message 1, an extended request of the name 1.3.6.1.4.1.1466.20037.
const QUESTION: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";
/// Everything that may come before TLS.
const LIMITS: GuardLimits = GuardLimits {
    message: 64 * 1024,
    total: 64 * 1024,
    elements: 1_000,
};

/// Asks the server to begin TLS. When that succeeds, the next byte is TLS on both sides.
pub(super) async fn start(stream: &mut TcpStream) -> Result<(), ConnectFault> {
    let mut guard = Guard::new(LIMITS);
    guard.asked(QUESTION);
    let lost = ConnectFault::Lost;
    stream.write_all(QUESTION).await.map_err(lost)?;
    let mut buffer = [0; 1024];
    while !guard.is_answered() {
        let read = stream.read(&mut buffer).await.map_err(lost)?;
        if read == 0 {
            return Err(lost(io::ErrorKind::UnexpectedEof.into()));
        }
        guard.check(&buffer[..read])?;
    }
    if guard.answer().code != 0 {
        return Err(ConnectFault::StartTls(guard.answer().clone()));
    }
    if !guard.is_between_messages() {
        return Err(ConnectFault::Smuggled);
    }
    Ok(())
}
