//! Asking a running daemon.

use std::io::{self, ErrorKind};
use std::path::Path;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;

use super::address::{Address, NAME_BYTES_MAX};
use super::{ControlFault, LINE_BYTES_MAX, Reply, Request};

/// Asks, and waits for the answer as long as the daemon lives. Dropping the future does not take the request back.
///
/// # Errors
/// [`ControlFault::Silent`] if no daemon listens at `path`; the others if one does and no answer is to be had.
pub async fn ask(path: &Path, request: &Request) -> Result<Reply, ControlFault> {
    let stream = connect(path).await?;
    let line = exchange(stream, request).await;
    let line = line.map_err(|cause| ControlFault::Cut {
        path: path.to_owned(),
        cause,
    })?;
    serde_json::from_str(&line).map_err(|cause| ControlFault::Foreign {
        path: path.to_owned(),
        cause,
    })
}

pub(super) async fn connect(path: &Path) -> Result<UnixStream, ControlFault> {
    let silent = |cause| ControlFault::Silent {
        path: path.to_owned(),
        cause,
    };
    let Some(address) = Address::of(path).map_err(silent)? else {
        return Err(ControlFault::TooLong {
            path: path.to_owned(),
            name_bytes_max: NAME_BYTES_MAX,
        });
    };
    UnixStream::connect(address.path()).await.map_err(silent)
}

async fn exchange(mut stream: UnixStream, request: &Request) -> io::Result<String> {
    let mut line = serde_json::to_string(request)?;
    line.push('\n');
    stream.write_all(line.as_bytes()).await?;
    let mut reply = String::new();
    let mut reader = BufReader::new(stream.take(LINE_BYTES_MAX));
    reader.read_line(&mut reply).await?;
    if reply.ends_with('\n') {
        Ok(reply)
    } else {
        Err(ErrorKind::UnexpectedEof.into())
    }
}
