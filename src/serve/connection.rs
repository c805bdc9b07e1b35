//! One connection, from the first byte to the last, with a limit on everything it may keep waiting.
//!
//! The protocol library reads and writes; how long that may take is watched from outside by [`Pulse`], on the injected clock:
//! a client that drips its request, reads no answer, or says nothing at all is cut off.

mod pulse;

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use super::body::Body;
use crate::clock::Clock;

use self::pulse::Watched;
pub(super) use self::pulse::{Busy, Pulse};

/// The largest head of a request, in bytes: a line and headers. The longest line is a search's.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// The most header fields of a request.
const HEADERS_MAX: usize = 100;
/// How often a connection's pulse is felt.
const PULSE_EVERY: Duration = Duration::from_secs(1);
/// How long the requests in hand may take once the server stops.
const STOP_WITHIN: Duration = Duration::from_secs(5);

/// Answers the requests of one client until it goes, is too slow, or is no longer wanted (`close`).
pub(super) async fn serve<S, F>(
    stream: S,
    pulse: Arc<Pulse>,
    clock: Arc<dyn Clock>,
    close: CancellationToken,
    answer: impl Fn(Request<Incoming>) -> F,
) where
    S: AsyncRead + AsyncWrite + Unpin,
    F: Future<Output = Response<Body>>,
{
    let service = service_fn(|request| {
        let (pulse, answered) = (pulse.clone(), answer(request));
        async move {
            let busy = pulse.busy();
            let answer = answered.await.map(|body| body.while_sent(busy));
            Ok::<_, Infallible>(answer)
        }
    });
    let stream = TokioIo::new(Watched::new(stream, pulse.clone()));
    let mut http = http1::Builder::new();
    http.max_headers(HEADERS_MAX).max_buf_size(HEAD_BYTES_MAX);
    let mut connection = pin!(http.serve_connection(stream, service));
    tokio::select! {
        // A client that goes in the middle of something is nothing to speak of.
        _ = &mut connection => return,
        () = overdue(&pulse, &*clock) => return,
        () = close.cancelled() => {}
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        _ = connection => {}
        () = clock.sleep(STOP_WITHIN) => {}
    }
}

async fn overdue(pulse: &Pulse, clock: &dyn Clock) {
    while !pulse.is_overdue() {
        clock.sleep(PULSE_EVERY).await;
    }
}
