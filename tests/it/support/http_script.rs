//! An HTTP server that says, byte for byte, what a test has it say: also what no server should.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    /// Which connection it came by; the first is 0.
    pub(crate) connection: usize,
    /// The first line and the headers.
    pub(crate) head: String,
    /// As long as `Content-Length` says.
    pub(crate) body: Vec<u8>,
}

/// What the server does about a request, one after another. After the last it hears the next request.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Says this.
    Say(Vec<u8>),
    /// Says this again and again, until nobody listens.
    SayOn(Vec<u8>),
    /// Says nothing more, and does not end the connection.
    Hang,
    /// Ends the connection, without a word about it.
    Close,
    /// Says that the way is free, and passes on what both sides say.
    Tunnel(SocketAddr),
}

type Answers = dyn Fn(&Heard, usize) -> Vec<Act> + Send + Sync;

/// A server; it ends with the runtime of the test.
#[derive(Clone)]
pub(crate) struct HttpScript {
    pub(crate) address: SocketAddr,
    scheme: &'static str,
    answers: Arc<Answers>,
    heard: Arc<Mutex<Vec<Heard>>>,
    count: watch::Sender<usize>,
    said: Arc<AtomicUsize>,
}

/// An answer with everything that belongs to it.
pub(crate) fn answer(status: &str, content_type: &str, body: &[u8]) -> Vec<Act> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n"
    );
    vec![Act::Say([head.as_bytes(), body].concat())]
}

/// An answer in JSON.
pub(crate) fn json(status: &str, body: &str) -> Vec<Act> {
    answer(status, "application/json", body.as_bytes())
}

impl HttpScript {
    /// Starts a server on a free port. `answers` is told which request it is, the first being 0.
    pub(crate) async fn start(
        answers: impl Fn(&Heard, usize) -> Vec<Act> + Send + Sync + 'static,
    ) -> Self {
        Self::start_with(None, answers).await
    }

    /// As [`HttpScript::start`], with TLS.
    pub(crate) async fn start_tls(
        config: ServerConfig,
        answers: impl Fn(&Heard, usize) -> Vec<Act> + Send + Sync + 'static,
    ) -> Self {
        Self::start_with(Some(TlsAcceptor::from(Arc::new(config))), answers).await
    }

    async fn start_with(
        tls: Option<TlsAcceptor>,
        answers: impl Fn(&Heard, usize) -> Vec<Act> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let script = HttpScript {
            address: listener.local_addr().unwrap(),
            scheme: if tls.is_some() { "https" } else { "http" },
            answers: Arc::new(answers),
            heard: Arc::default(),
            count: watch::Sender::new(0),
            said: Arc::default(),
        };
        let serving = script.clone();
        tokio::spawn(async move {
            for connection in 0.. {
                let (client, _) = listener.accept().await.unwrap();
                let (serving, tls) = (serving.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serving.serve(client, connection).await,
                        Some(tls) => {
                            let client = tls.accept(client).await?;
                            serving.serve(client, connection).await
                        }
                    }
                });
            }
        });
        script
    }

    /// The URL of a path with its query.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    /// What was heard so far.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    /// Waits until so many requests were heard.
    pub(crate) async fn until_heard(&self, count: usize) {
        let mut counts = self.count.subscribe();
        counts.wait_for(|it| *it >= count).await.unwrap();
    }

    /// How many bytes were said with [`Act::SayOn`].
    pub(crate) fn said(&self) -> usize {
        self.said.load(Ordering::SeqCst)
    }

    async fn serve<S>(&self, mut client: S, connection: usize) -> std::io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut buffer = Vec::new();
        while let Some(heard) = hear(&mut client, &mut buffer, connection).await? {
            let number = {
                let mut all = self.heard.lock().unwrap();
                all.push(heard.clone());
                all.len() - 1
            };
            self.count.send_replace(number + 1);
            for act in (self.answers)(&heard, number) {
                self.act(&mut client, act).await?;
            }
        }
        Ok(())
    }

    /// Does one thing; an error ends the connection.
    async fn act<S>(&self, client: &mut S, act: Act) -> std::io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        match act {
            Act::Say(bytes) => client.write_all(&bytes).await?,
            Act::SayOn(bytes) => loop {
                client.write_all(&bytes).await?;
                self.said.fetch_add(bytes.len(), Ordering::SeqCst);
            },
            Act::Hang => std::future::pending().await,
            Act::Close => {
                client.shutdown().await?;
                return Err(std::io::ErrorKind::ConnectionAborted.into());
            }
            Act::Tunnel(to) => {
                client.write_all(b"HTTP/1.1 200 Go on\r\n\r\n").await?;
                let mut server = TcpStream::connect(to).await?;
                tokio::io::copy_bidirectional(client, &mut server).await?;
            }
        }
        client.flush().await
    }
}

/// Hears one request, or that there will be none.
async fn hear(
    client: &mut (impl AsyncRead + Unpin),
    buffer: &mut Vec<u8>,
    connection: usize,
) -> std::io::Result<Option<Heard>> {
    let head = loop {
        if let Some(end) = buffer.windows(4).position(|it| it == b"\r\n\r\n") {
            let rest = buffer.split_off(end + 4);
            break std::mem::replace(buffer, rest);
        }
        if client.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8(head).unwrap();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let named = name.eq_ignore_ascii_case("content-length");
        named.then(|| value.trim().parse::<usize>().unwrap())
    });
    let length = length.unwrap_or(0);
    while buffer.len() < length {
        if client.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
    let rest = buffer.split_off(length);
    Ok(Some(Heard {
        connection,
        head,
        body: std::mem::replace(buffer, rest),
    }))
}
