//! What a connection is doing, and since when.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::clock::Clock;

/// How long a client may keep a connection without asking for anything. Products keep theirs open between polls of a page.
const IDLE_MAX: Duration = Duration::from_mins(1);
/// How long the head of a request may take from its first byte on.
const HEAD_MAX: Duration = Duration::from_secs(10);
/// How long a client may take nothing of its answer.
const STALL_MAX: Duration = Duration::from_secs(30);
/// How long one request may take in all, with its body and its answer.
const REQUEST_MAX: Duration = Duration::from_mins(15);

/// What a connection is doing, and since when.
pub(in crate::serve) struct Pulse {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

struct State {
    doing: Doing,
    since: Duration,
    /// Since when the client takes nothing of what it is sent.
    stalled: Option<Duration>,
    /// Whether an application has logged in over this connection.
    known: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Doing {
    /// Nothing was heard since the beginning, or since the last answer.
    Waiting,
    /// A request has begun to come in.
    Head,
    /// A request is being answered.
    Answering,
}

/// A request in hand; the connection waits for the next one when this is dropped.
pub(in crate::serve) struct Busy(Arc<Pulse>);

impl Pulse {
    /// Of a connection that has just been made.
    pub(in crate::serve) fn new(clock: Arc<dyn Clock>) -> Arc<Pulse> {
        let since = clock.monotonic();
        let state = State {
            doing: Doing::Waiting,
            since,
            stalled: None,
            known: false,
        };
        Arc::new(Pulse {
            clock,
            state: Mutex::new(state),
        })
    }

    /// A request has come in whole, but for its body.
    pub(super) fn busy(self: &Arc<Self>) -> Busy {
        self.now_doing(Doing::Answering);
        Busy(self.clone())
    }

    /// Whether the client has taken longer over something than it may.
    pub(super) fn is_overdue(&self) -> bool {
        let now = self.clock.monotonic();
        let state = self.state();
        let over = |since: Duration, max: Duration| now.saturating_sub(since) >= max;
        match state.doing {
            Doing::Waiting => over(state.since, IDLE_MAX),
            Doing::Head => over(state.since, HEAD_MAX),
            Doing::Answering => {
                state.stalled.is_some_and(|it| over(it, STALL_MAX))
                    || over(state.since, REQUEST_MAX)
            }
        }
    }

    /// An application has logged in.
    pub(in crate::serve) fn is_known(&self) {
        self.state().known = true;
    }

    /// How dear the connection is, the least first: strangers before those who logged in, and the one that keeps us waiting
    /// longest before the others. `None` while a request is answered of somebody who has logged in.
    pub(in crate::serve) fn worth(&self) -> Option<(bool, Duration)> {
        let state = self.state();
        let in_hand = state.known && state.doing == Doing::Answering;
        (!in_hand).then_some((state.known, state.since))
    }

    fn heard(&self) {
        if self.state().doing == Doing::Waiting {
            self.now_doing(Doing::Head);
        }
    }

    fn wrote(&self, pending: bool) {
        let now = self.clock.monotonic();
        let mut state = self.state();
        state.stalled = pending.then(|| state.stalled.unwrap_or(now));
    }

    fn now_doing(&self, doing: Doing) {
        let now = self.clock.monotonic();
        let mut state = self.state();
        state.doing = doing;
        state.since = now;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing can go wrong under the lock, so a poisoned state is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.now_doing(Doing::Waiting);
    }
}

/// A stream that tells a pulse of what goes through it.
pub(super) struct Watched<S> {
    stream: S,
    pulse: Arc<Pulse>,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, pulse: Arc<Pulse>) -> Self {
        Watched { stream, pulse }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if buffer.filled().len() > before {
            self.pulse.heard();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.pulse.wrote(written.is_pending());
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.pulse.wrote(written.is_pending());
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.pulse.wrote(flushed.is_pending());
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
