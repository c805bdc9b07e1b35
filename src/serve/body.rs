//! The body of an answer: a few bytes, or a stream that is made while it is sent.
//!
//! A list of everybody takes tens of megabytes as text. It is made from the image piece by piece, each only when the client
//! has taken the one before, so that memory does not grow with the answer.

use std::convert::Infallible;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Bytes, Frame, SizeHint};

use super::connection::Busy;

/// A piece is sent when it has grown to this.
const PIECE_BYTES: usize = 32 * 1024;

/// Writes a little more each time; `false` once that was the last.
type Write = dyn FnMut(&mut Vec<u8>) -> bool + Send;

/// What is sent behind the head of an answer.
pub(super) struct Body {
    content: Content,
    /// The request is in hand until this goes.
    in_hand: Option<Busy>,
}

enum Content {
    Whole(Bytes),
    Made(Box<Write>),
    Over,
}

impl Body {
    /// These bytes.
    pub(super) fn whole(bytes: Vec<u8>) -> Body {
        Body {
            content: Content::Whole(bytes.into()),
            in_hand: None,
        }
    }

    /// What `write` appends, call by call, until it says `false`. What fits into one piece is made at once and has a length.
    pub(super) fn made(mut write: impl FnMut(&mut Vec<u8>) -> bool + Send + 'static) -> Body {
        let mut first = Vec::new();
        let mut begun = piece(&mut write, &mut first);
        if !begun {
            return Body::whole(first);
        }
        let mut first = Some(first);
        let rest = move |out: &mut Vec<u8>| match first.take() {
            Some(first) => {
                *out = first;
                true
            }
            None => {
                begun = begun && write(out);
                begun
            }
        };
        Body {
            content: Content::Made(Box::new(rest)),
            in_hand: None,
        }
    }

    /// The same, telling when it has been sent.
    pub(super) fn while_sent(mut self, busy: Busy) -> Body {
        self.in_hand = Some(busy);
        self
    }
}

/// Fills a piece; `false` if there is nothing behind it.
fn piece(write: &mut dyn FnMut(&mut Vec<u8>) -> bool, out: &mut Vec<u8>) -> bool {
    while out.len() < PIECE_BYTES {
        if !write(out) {
            return false;
        }
    }
    true
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = match mem::replace(&mut self.content, Content::Over) {
            Content::Whole(bytes) => bytes,
            Content::Made(mut write) => {
                let mut out = Vec::with_capacity(PIECE_BYTES + PIECE_BYTES / 8);
                if piece(&mut *write, &mut out) {
                    self.content = Content::Made(write);
                }
                out.into()
            }
            Content::Over => return Poll::Ready(None),
        };
        if bytes.is_empty() {
            return Poll::Ready(None);
        }
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Whole(bytes) => bytes.is_empty(),
            Content::Made(_) => false,
            Content::Over => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Made(_) => SizeHint::default(),
            Content::Over => SizeHint::with_exact(0),
        }
    }
}
