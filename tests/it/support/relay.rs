//! A relay between a client and a server that does something once the server has said so much: the way to strike in the
//! middle of an answer without guessing at times.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

type Strike = Box<dyn FnOnce() + Send>;

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
            tokio::spawn(relay(client, server, move |passed| {
                let mut state = state.lock().unwrap();
                state.0 += passed;
                if state.0 > bytes
                    && let Some(strike) = state.1.take()
                {
                    strike();
                }
            }));
        }
    });
    address
}

async fn relay(client: TcpStream, server: SocketAddr, mut count: impl FnMut(usize)) {
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
        count(read);
        if read == 0 || to_client.write_all(&buffer[..read]).await.is_err() {
            break;
        }
    }
    questions.abort();
}
