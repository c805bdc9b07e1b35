//! A server on loopback that goes on while a test waits, with the clock stopped or not: it runs in a thread of its own, and can be
//! cut off and come back at its address. What it answers is up to whoever starts it.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::mpsc;

use futures_util::stream;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

pub(crate) type Body = BoxBody<Bytes, io::Error>;
/// An error closes the connection without an answer.
pub(crate) type Answer = Result<Response<Body>, io::Error>;

/// A port that stays ours while nobody listens there, so that no other test's server gets it.
#[derive(Debug)]
pub(crate) struct Place(TcpSocket);

/// The server. It is gone when this value is.
#[derive(Debug)]
pub(crate) struct Listener {
    commands: Option<UnboundedSender<Command>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

#[derive(Debug)]
enum Command {
    /// Close every connection and take no more.
    Cut(mpsc::Sender<()>),
    /// Take connections again.
    Restore(mpsc::Sender<()>),
}

impl Place {
    pub(crate) fn new() -> Place {
        Place(bound("127.0.0.1:0".parse().unwrap()))
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }

    fn listen(&self) -> TcpListener {
        bound(self.address()).listen(1024).unwrap()
    }
}

/// A socket that shares its port with others of ours; whoever connects is refused while none of them listens.
fn bound(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseport(true).unwrap();
    socket.bind(address).unwrap();
    socket
}

impl Listener {
    /// Listens, and answers so.
    pub(crate) fn start<F: Future<Output = Answer> + Send + 'static>(
        place: Place,
        answer: impl Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    ) -> Listener {
        let (commands, received) = unbounded_channel();
        let (ready, wait) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = place.listen();
                ready.send(()).unwrap();
                serve(&place, listener, answer, received).await;
            });
        });
        wait.recv().unwrap();
        Listener {
            commands: Some(commands),
            thread: Some(thread),
        }
    }

    /// Closes every connection and takes no more, until [`Listener::restore`].
    pub(crate) fn cut(&self) {
        self.command(Command::Cut);
    }

    /// Takes connections again, at the same address.
    pub(crate) fn restore(&self) {
        self.command(Command::Restore);
    }

    /// Ends it, and says whether its thread ended well.
    pub(crate) fn end(&mut self) -> bool {
        // The thread ends when nobody can command it any more.
        self.commands = None;
        let thread = self.thread.take();
        thread.is_none_or(|it| it.join().is_ok())
    }

    fn command(&self, command: impl FnOnce(mpsc::Sender<()>) -> Command) {
        let (done, wait) = mpsc::channel();
        let commands = self.commands.as_ref().unwrap();
        commands.send(command(done)).unwrap();
        wait.recv().unwrap();
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.end();
    }
}

/// The whole of a body.
pub(crate) fn whole(body: Bytes) -> Body {
    let never = |it: Infallible| match it {};
    Full::new(body).map_err(never).boxed()
}

/// The beginning of a body. It is sent in chunks, as a server does that streams it, and the last chunk never comes.
pub(crate) fn cut(begin: Bytes) -> Body {
    let frames = stream::unfold(Some(begin), |left| async move {
        if let Some(begin) = left {
            return Some((Ok(Frame::data(begin)), None));
        }
        // What was sent so far goes out first.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        Some((Err(io::Error::other("cut on purpose")), None))
    });
    StreamBody::new(frames).boxed()
}

/// Serves until nobody is left who could command it.
async fn serve<F: Future<Output = Answer> + Send + 'static>(
    place: &Place,
    listener: TcpListener,
    answer: impl Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    mut commands: UnboundedReceiver<Command>,
) {
    let mut listener = Some(listener);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            command = commands.recv() => match command {
                None => return,
                Some(Command::Cut(done)) => {
                    listener = None;
                    connections.shutdown().await;
                    let _ = done.send(());
                }
                Some(Command::Restore(done)) => {
                    listener = Some(place.listen());
                    let _ = done.send(());
                }
            },
            accepted = accept(listener.as_ref()) => {
                connections.spawn(connection(accepted, answer.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn accept(listener: Option<&TcpListener>) -> TcpStream {
    match listener {
        None => std::future::pending().await,
        Some(listener) => {
            let stream = listener.accept().await.unwrap().0;
            let _ = stream.set_nodelay(true);
            stream
        }
    }
}

async fn connection<F: Future<Output = Answer> + Send + 'static>(
    stream: TcpStream,
    answer: impl Fn(Request<Incoming>) -> F + Send + 'static,
) {
    let connection = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service_fn(answer));
    // A client that goes away, or an answer that is withheld on purpose.
    let _ = connection.await;
}
