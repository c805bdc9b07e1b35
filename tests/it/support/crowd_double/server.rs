//! What becomes of a request besides its answer.

use std::io;
use std::sync::{Arc, Mutex};

use http_body_util::BodyExt as _;
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};

use super::super::listener::{self, Answer as Answered, Body};
use super::fault::{Fault, Scripted};
use super::handle::{Asked, handle};
use super::{Inside, Seen};

type Shared = Arc<Mutex<Inside>>;

/// An error closes the connection without an answer.
pub(super) async fn answer(request: Request<Incoming>, inside: &Shared) -> Answered {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let asked = Asked::new(&head, &body);
    let fault = {
        let mut inside = inside.lock().unwrap();
        let operation = asked.operation(&inside.rules);
        let seen = Seen {
            operation: operation.clone(),
            query: head.uri.query().unwrap_or_default().to_owned(),
            body: String::from_utf8_lossy(&body).into_owned(),
        };
        inside.seen.push(seen);
        inside.in_flight += 1;
        inside.in_flight_max = inside.in_flight_max.max(inside.in_flight);
        inside.script.next(&operation)
    };
    let _guard = InFlight(inside);
    // Whoever else has asked is counted before the first one is answered.
    tokio::task::yield_now().await;
    let done = || handle(&asked, &mut inside.lock().unwrap());
    match fault {
        None => Ok(whole(&done())),
        Some(Fault::Answer(scripted)) => Ok(whole(&scripted)),
        Some(Fault::Instead(scripted)) => {
            done();
            Ok(whole(&scripted))
        }
        Some(Fault::CutBody(bytes)) => Ok(cut(&done(), bytes)),
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::Lost) => {
            done();
            Err(io::Error::other("lost on purpose"))
        }
        Some(Fault::Closed) => Err(io::Error::other("closed on purpose")),
    }
}

struct InFlight<'a>(&'a Shared);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.lock().unwrap().in_flight -= 1;
    }
}

fn whole(it: &Scripted) -> Response<Body> {
    with_head(it, listener::whole(Bytes::from(it.body.clone())))
}

fn cut(it: &Scripted, bytes: usize) -> Response<Body> {
    let begin = it.body.as_bytes()[..bytes.min(it.body.len())].to_vec();
    with_head(it, listener::cut(Bytes::from(begin)))
}

fn with_head(it: &Scripted, body: Body) -> Response<Body> {
    let mut response = Response::builder().status(it.status);
    if !it.content_type.is_empty() {
        response = response.header("Content-Type", it.content_type);
    }
    for (name, value) in &it.headers {
        response = response.header(*name, value);
    }
    response.body(body).unwrap()
}
