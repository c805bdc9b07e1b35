//! What becomes of a request besides its answer.

use std::io;
use std::sync::{Arc, Mutex};

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::{Request, Response};

use super::super::listener::{self, Answer as Answered, Body};
use super::answer::Answer;
use super::asked::Asked;
use super::fault::Fault;
use super::inside::Inside;

type Shared = Arc<Mutex<Inside>>;

/// An error closes the connection without an answer.
pub(super) async fn answer(request: Request<Incoming>, inside: &Shared) -> Answered {
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
    let body = listener::whole(answer.body.clone());
    with_head(answer, body)
}

fn cut(answer: Answer) -> Response<Body> {
    let body = listener::cut(answer.body.slice(..answer.body.len() / 2));
    with_head(answer, body)
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
