//! A TCP server that talks as a test tells it to, without any protocol.

use std::net::SocketAddr;

use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// Starts a server that gives every connection to `talk`; it ends with the runtime of the test.
pub(crate) async fn start<F>(talk: impl Fn(TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(talk(client));
        }
    });
    address
}

/// Reads whatever the client says until it has said something.
pub(crate) async fn hear(client: &mut TcpStream) -> Vec<u8> {
    let mut heard = Vec::with_capacity(64 * 1024);
    let _ = client.read_buf(&mut heard).await;
    heard
}

/// A port whose system swallows what it is sent, for as long as this lives: its queue is full.
pub(crate) struct Swallowing {
    address: SocketAddr,
    _kept: (tokio::net::TcpListener, Vec<TcpStream>),
}

impl Swallowing {
    pub(crate) async fn start() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let mut queue = Vec::new();
        // One more than the queue is to hold; a connection beyond it is never made.
        while let Ok(Ok(client)) = tokio::time::timeout(
            std::time::Duration::from_millis(200),
            TcpStream::connect(address),
        )
        .await
        {
            queue.push(client);
        }
        Swallowing {
            address,
            _kept: (listener, queue),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}
