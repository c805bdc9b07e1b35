//! A relay between a client and a server that does something once the server has said so much: the way to strike in the
//! middle of an answer without guessing at times.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

type Strike = Box<dyn FnOnce() + Send>;

/// A relay that counts the connections and the bytes of answers, and that a test can have break connections off, or do
/// something to the server, in the middle of an answer.
#[derive(Clone)]
pub(crate) struct Tap {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    /// How many bytes of answers are still passed on.
    left: Arc<AtomicUsize>,
    /// How many bytes were answered.
    answered: Arc<AtomicUsize>,
    /// What happens once so many are.
    strike: Arc<Mutex<Option<(usize, Strike)>>>,
}

impl Tap {
    /// Begins to relay connections to `server`.
    pub(crate) async fn start(server: SocketAddr) -> Tap {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let tap = Tap {
            address: listener.local_addr().unwrap(),
            connections: Arc::default(),
            left: Arc::new(AtomicUsize::new(usize::MAX)),
            answered: Arc::default(),
            strike: Arc::default(),
        };
        let accepting = tap.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                accepting.connections.fetch_add(1, Ordering::SeqCst);
                let passing = accepting.clone();
                tokio::spawn(relay(client, server, move |said| passing.passed(said)));
            }
        });
        tap
    }

    fn passed(&self, said: usize) -> usize {
        let answered = self.answered.fetch_add(said, Ordering::SeqCst) + said;
        let due = self.strike.lock().unwrap().take_if(|it| answered > it.0);
        if let Some((_, strike)) = due {
            strike();
        }
        let passed = said.min(self.left.load(Ordering::SeqCst));
        self.left.fetch_sub(passed, Ordering::SeqCst);
        passed
    }

    /// How many bytes were answered so far, over all connections.
    pub(crate) fn answered(&self) -> usize {
        self.answered.load(Ordering::SeqCst)
    }

    /// Once more than so many further bytes were answered, `strike` is called, before anything more is passed on.
    pub(crate) fn strike_after(&self, bytes: usize, strike: impl FnOnce() + Send + 'static) {
        *self.strike.lock().unwrap() = Some((self.answered() + bytes, Box::new(strike)));
    }

    /// Whether what was to happen has not happened yet.
    pub(crate) fn is_armed(&self) -> bool {
        self.strike.lock().unwrap().is_some()
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
