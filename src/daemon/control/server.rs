//! Answering on the control socket.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::address::{Address, NAME_BYTES_MAX};
use super::client::connect;
use super::{ControlFault, LINE_BYTES_MAX, Reply, Request};
use crate::clock::Clock;
use crate::daemon::pass::Trigger;
use crate::events;

/// How many may ask at a time; further ones wait until they are let in.
const CONNECTIONS_MAX: usize = 16;
/// How long one who has connected may think about the request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// A pause after the system refused a connection, which it does when it has no files left.
const REFUSED_PAUSE: Duration = Duration::from_secs(1);

/// The socket, taken and open. Dropping it removes it.
#[derive(Debug)]
pub struct ControlSocket {
    listener: UnixListener,
    path: PathBuf,
}

/// A pass is asked for; its report goes back, or why there is none.
pub(in crate::daemon) struct Asked {
    pub(in crate::daemon) trigger: Trigger,
    pub(in crate::daemon) reply: oneshot::Sender<Reply>,
}

impl ControlSocket {
    /// Takes the socket at `path`, with a leftover of a process that died removed. The caller holds the store's lock, so
    /// nobody else does the same now.
    ///
    /// # Errors
    /// [`ControlFault::TooLong`], [`ControlFault::InUse`] and [`ControlFault::Bind`].
    pub async fn bind(path: &Path) -> Result<ControlSocket, ControlFault> {
        match connect(path).await {
            Ok(_) => {
                return Err(ControlFault::InUse {
                    path: path.to_owned(),
                });
            }
            Err(ControlFault::Silent { .. }) => {}
            Err(fault) => return Err(fault),
        }
        let bind = |cause| ControlFault::Bind {
            path: path.to_owned(),
            cause,
        };
        match fs::remove_file(path) {
            Err(cause) if cause.kind() != ErrorKind::NotFound => return Err(bind(cause)),
            _ => {}
        }
        let Some(address) = Address::of(path).map_err(bind)? else {
            return Err(ControlFault::TooLong {
                path: path.to_owned(),
                name_bytes_max: NAME_BYTES_MAX,
            });
        };
        let listener = UnixListener::bind(address.path()).map_err(bind)?;
        let path = path.to_owned();
        let socket = ControlSocket { listener, path };
        // Until here the umask rules, which lets nobody but the owner write unless it was emptied on purpose.
        match fs::set_permissions(&socket.path, Permissions::from_mode(0o600)) {
            Ok(()) => Ok(socket),
            Err(cause) => Err(bind(cause)),
        }
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        // One that stays behind is removed by the next process.
        let _ = fs::remove_file(&self.path);
    }
}

/// Lets in who connects, until the stop; those who wait for an answer then still get it.
pub(in crate::daemon) async fn serve(
    socket: ControlSocket,
    clock: Arc<dyn Clock>,
    requests: mpsc::Sender<Asked>,
    stop: CancellationToken,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = connections.join_next() => {}
            accepted = socket.listener.accept(), if connections.len() < CONNECTIONS_MAX => {
                match accepted {
                    Ok((stream, _)) => {
                        let (clock, requests) = (Arc::clone(&clock), requests.clone());
                        let stop = stop.clone();
                        connections.spawn(async move { converse(stream, &*clock, &requests, &stop).await });
                    }
                    Err(_) => clock.sleep(REFUSED_PAUSE).await,
                }
            }
        }
    }
    drop((socket, requests));
    while connections.join_next().await.is_some() {}
}

/// One request and its reply. Whoever breaks the connection has made the reply useless, not the request.
async fn converse(
    stream: UnixStream,
    clock: &dyn Clock,
    requests: &mpsc::Sender<Asked>,
    stop: &CancellationToken,
) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut line = String::new();
    let mut reader = BufReader::new(reader.take(LINE_BYTES_MAX));
    tokio::select! {
        read = reader.read_line(&mut line) => read.map(drop)?,
        () = clock.sleep(REQUEST_TIMEOUT) => return Ok(()),
        () = stop.cancelled() => return Ok(()),
    }
    if line.is_empty() {
        return Ok(());
    }
    let reply = match serde_json::from_str(&line) {
        Ok(Request::SyncNow {}) => run("sync_now", Trigger::Control, requests).await,
        Ok(Request::Approved { of }) => run("approved", Trigger::Approved(of), requests).await,
        Err(error) => refused(&format!("the request is not understood: {error}")),
    };
    let mut line = serde_json::to_string(&reply)?;
    line.push('\n');
    writer.write_all(line.as_bytes()).await
}

async fn run(request: &str, trigger: Trigger, requests: &mpsc::Sender<Asked>) -> Reply {
    events::control_request(request);
    let (reply, answer) = oneshot::channel();
    if requests.send(Asked { trigger, reply }).await.is_ok()
        && let Ok(answer) = answer.await
    {
        return answer;
    }
    refused("the daemon is stopping")
}

fn refused(reason: &str) -> Reply {
    Reply::Refused {
        reason: reason.to_owned(),
    }
}
