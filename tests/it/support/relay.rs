//! A relay between a client and a server that does something once the server has said so much: the way to strike in the
//! middle of an answer without guessing at times.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

type Strike = Box<dyn FnOnce() + Send>;

/// A relay that counts the connections, and that a test can have break them off in the middle of an answer.
#[derive(Clone)]
pub(crate) struct Tap {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    /// How many bytes of answers are still passed on.
    left: Arc<AtomicUsize>,
}

impl Tap {
    /// Begins to relay connections to `server`.
    pub(crate) async fn start(server: SocketAddr) -> Tap {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let tap = Tap {
            address: listener.local_addr().unwrap(),
            connections: Arc::default(),
            left: Arc::new(AtomicUsize::new(usize::MAX)),
        };
        let (connections, left) = (Arc::clone(&tap.connections), Arc::clone(&tap.left));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                let left = Arc::clone(&left);
                tokio::spawn(relay(client, server, move |said| {
                    let passed = said.min(left.load(Ordering::SeqCst));
                    left.fetch_sub(passed, Ordering::SeqCst);
                    passed
                }));
            }
        });
        tap
    }

    /// Where to connect.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections were made.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Once so many more bytes were answered, nothing more is passed on.
    pub(crate) fn break_after(&self, bytes: usize) {
        self.left.store(bytes, Ordering::SeqCst);
    }
}

/// Begins to relay connections to `server`. When its answers, over all connections, exceed `bytes`, `strike` is called once,
/// before anything more is passed on. Returns where to connect.
pub(crate) async fn start(
    server: SocketAddr,
    bytes: usize,
    strike: impl FnOnce() + Send + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let state: Arc<Mutex<(usize, Option<Strike>)>> =
        Arc::new(Mutex::new((0, Some(Box::new(strike)))));
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let state = Arc::clone(&state);
            tokio::spawn(relay(client, server, move |said| {
                let mut state = state.lock().unwrap();
                state.0 += said;
                if state.0 > bytes
                    && let Some(strike) = state.1.take()
                {
                    strike();
                }
                said
            }));
        }
    });
    address
}

/// Passes on what both sides say. `passed` is told how many bytes the server has just said and tells how many of them are
/// passed on; with fewer the connection ends.
async fn relay(client: TcpStream, server: SocketAddr, mut passed: impl FnMut(usize) -> usize) {
    let Ok(server) = TcpStream::connect(server).await else {
        return;
    };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let questions = tokio::spawn(async move {
        let _ = tokio::io::copy(&mut from_client, &mut to_server).await;
    });
    let mut buffer = vec![0; 4096];
    while let Ok(read) = from_server.read(&mut buffer).await {
        let passed = passed(read);
        if read == 0 || to_client.write_all(&buffer[..passed]).await.is_err() || passed < read {
            break;
        }
    }
    questions.abort();
}
