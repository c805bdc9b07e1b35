//! The body of an answer, as it comes.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Bytes;
use reqwest::{Response, StatusCode};

use super::fault::{self, HttpError};
use super::hidden::Hidden;
use super::repeat::Said;
use super::{Answer, excerpt};
use crate::clock::Clock;
use crate::pace::Leave;

/// How much is taken of an answer that is only shown: enough for any message, and for the head of a page.
const SHOWN_MAX: usize = 64 * 1024;

/// An answer whose body is still coming. It keeps its place among the requests under way, so that whoever asks something
/// else of the same client meanwhile must have set up more than one place. Dropping it ends the connection.
///
/// A body without a length of its own ends with the connection (RFC 9112, section 6.3), and without TLS nothing tells
/// whether that was its end. Servers seldom answer so; what is read from such a body must itself say where it ends, as JSON
/// and XML do.
pub struct Stream {
    /// What became of the request.
    pub status: StatusCode,
    /// The media type as the server wrote it; empty if it wrote none.
    pub content_type: String,
    pub(super) said: Said,
    pub(super) response: Response,
    pub(super) origin: Origin,
    pub(super) limit: u64,
    pub(super) taken: u64,
    pub(super) _leave: Leave,
}

/// What an answer belongs to.
pub(super) struct Origin {
    /// What errors begin with: the operation, and what was asked.
    pub(super) what: String,
    /// Method, scheme, host and path.
    pub(super) asked: String,
    pub(super) hidden: Hidden,
    /// Nothing of the answer is shown.
    pub(super) is_secret: bool,
    pub(super) timeout: Duration,
    pub(super) clock: Arc<dyn Clock>,
}

impl Stream {
    /// The next piece of the body, decompressed, or `None` at its end. After an error nothing more comes.
    ///
    /// # Errors
    /// [`HttpError::Cut`]: the body ended before its end, or the server was silent too long.
    /// [`HttpError::TooLarge`]: the body is longer than the request's limit.
    /// [`HttpError::Html`]: the answer reports success and is an HTML page.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, HttpError> {
        let length = self.response.content_length().unwrap_or(0);
        if length > self.limit {
            return Err(self.too_large());
        }
        let Some(chunk) = self.piece().await? else {
            return Ok(None);
        };
        let is_first = self.taken == 0;
        self.taken += chunk.len() as u64;
        if self.taken > self.limit {
            return Err(self.too_large());
        }
        let is_page = is_first && excerpt::is_html(&self.content_type, &chunk);
        if is_page && self.status.is_success() {
            return Err(self.page(chunk.to_vec()).await);
        }
        Ok(Some(chunk))
    }

    /// The whole rest of the answer. One that reports no success is there to be shown and to be recognised: at most the first
    /// 64 KiB of its body are taken, whatever the limit.
    ///
    /// # Errors
    /// As [`Stream::chunk`].
    pub async fn whole(mut self) -> Result<Answer, HttpError> {
        let body = if self.status.is_success() {
            let mut body = Vec::new();
            while let Some(chunk) = self.chunk().await? {
                body.extend_from_slice(&chunk);
            }
            body
        } else {
            let body = self.beginning(Vec::new()).await?;
            self.origin.hidden.mask(body)
        };
        Ok(Answer {
            status: self.status,
            content_type: self.content_type,
            body,
            asked: self.origin.asked,
            is_secret: self.origin.is_secret,
        })
    }

    /// The next piece, whatever it is.
    async fn piece(&mut self) -> Result<Option<Bytes>, HttpError> {
        let Origin {
            what,
            timeout,
            clock,
            ..
        } = &self.origin;
        tokio::select! {
            biased;
            chunk = self.response.chunk() => chunk.map_err(|error| fault::failed(what, error)),
            () = clock.sleep(*timeout) => Err(fault::silent(what, *timeout)),
        }
    }

    /// What has come already and what is still to come, up to what is ever shown.
    async fn beginning(&mut self, mut body: Vec<u8>) -> Result<Vec<u8>, HttpError> {
        while body.len() < SHOWN_MAX
            && let Some(piece) = self.piece().await?
        {
            body.extend_from_slice(&piece);
        }
        body.truncate(SHOWN_MAX);
        Ok(body)
    }

    /// The error for an HTML page that begins so.
    async fn page(&mut self, begin: Vec<u8>) -> HttpError {
        // A page that is cut is a page nevertheless.
        let page = self.beginning(begin.clone()).await.unwrap_or(begin);
        let page = self.origin.hidden.mask(page);
        let page = if self.origin.is_secret {
            "an HTML page".to_owned()
        } else {
            excerpt::of("text/html", &page)
        };
        HttpError::Html(format!(
            "{} was answered with {} and {}: the URL must lead to the service itself, not to a page for people or to a \
             login in front of it",
            self.origin.what, self.status, page
        ))
    }

    fn too_large(&self) -> HttpError {
        HttpError::TooLarge(format!(
            "{} was answered with more than {} bytes, which is more than is taken",
            self.origin.what, self.limit
        ))
    }
}

/// Who answered and how much of it has come, never what.
impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream")
            .field("asked", &self.origin.asked)
            .field("status", &self.status)
            .field("taken", &self.taken)
            .finish_non_exhaustive()
    }
}
