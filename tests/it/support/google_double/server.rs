//! The listener, and what becomes of a request besides its answer.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};

use futures_util::stream;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;

use super::Command;
use super::answer::Answer;
use super::asked::Asked;
use super::fault::Fault;
use super::inside::Inside;

type Body = BoxBody<Bytes, io::Error>;
type Shared = Arc<Mutex<Inside>>;

/// A port that stays ours while nobody listens there, so that no other test's server gets it.
#[derive(Debug)]
pub(super) struct Place(TcpSocket);

impl Place {
    pub(super) fn new() -> Place {
        Place(bound("127.0.0.1:0".parse().unwrap()))
    }

    pub(super) fn address(&self) -> SocketAddr {
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

/// Serves until nobody is left who could command it.
pub(super) fn run(
    place: &Place,
    inside: &Shared,
    commands: UnboundedReceiver<Command>,
    ready: &Sender<()>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let listener = place.listen();
        ready.send(()).unwrap();
        serve(place, listener, inside, commands).await;
    });
}

async fn serve(
    place: &Place,
    listener: TcpListener,
    inside: &Shared,
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
                connections.spawn(connection(accepted, Arc::clone(inside)));
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

async fn connection(stream: TcpStream, inside: Shared) {
    let service = service_fn(|request| answer(request, &inside));
    let connection =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // A client that goes away, or an answer that is withheld on purpose.
    let _ = connection.await;
}

/// An error closes the connection without an answer.
async fn answer(request: Request<Incoming>, inside: &Shared) -> Result<Response<Body>, io::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let asked = Asked::new(&head, &body);
    let fault = inside.lock().unwrap().arrive(&asked);
    let _guard = InFlight(inside);
    // Whoever else has asked is counted before the first one is answered.
    tokio::task::yield_now().await;
    let scripted = fault.as_ref().and_then(Fault::answer);
    if let Some(scripted) = scripted {
        return Ok(whole(scripted));
    }
    if fault == Some(Fault::Hang) {
        std::future::pending::<()>().await;
    }
    // Only what makes a listing another one is of interest there, and what may not be kept.
    let done = inside.lock().unwrap().answer(&asked, fault.as_ref());
    match fault {
        Some(Fault::Cut) => Ok(cut(done)),
        _ => Ok(whole(done)),
    }
}

struct InFlight<'a>(&'a Shared);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.lock().unwrap().in_flight -= 1;
    }
}

fn whole(answer: Answer) -> Response<Body> {
    let never = |it: Infallible| match it {};
    let body = Full::new(answer.body.clone()).map_err(never).boxed();
    with_head(answer, body)
}

/// The body is sent in chunks, as a server does that streams it, and the last chunk never comes.
fn cut(answer: Answer) -> Response<Body> {
    let half = answer.body.slice(..answer.body.len() / 2);
    let frames = stream::unfold(Some(half), |left| async move {
        if let Some(half) = left {
            return Some((Ok(Frame::data(half)), None));
        }
        // What was sent so far goes out first.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        Some((Err(io::Error::other("cut on purpose")), None))
    });
    with_head(answer, StreamBody::new(frames).boxed())
}

fn with_head(answer: Answer, body: Body) -> Response<Body> {
    let mut response = Response::builder()
        .status(answer.status)
        .header("Content-Type", answer.content_type);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(body).unwrap()
}
