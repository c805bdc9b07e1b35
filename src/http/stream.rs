//! The body of an answer, as it comes.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Bytes;
use reqwest::{Response, StatusCode};

use super::fault::{self, HttpError};
use super::{Answer, excerpt};
use crate::clock::Clock;
use crate::pace::Leave;

/// How much of an answer that does not report success is taken: enough for any message.
const REFUSAL_MAX: u64 = 64 * 1024;

/// An answer whose body is still coming. Dropping it ends the connection.
pub struct Stream {
    /// What became of the request.
    pub status: StatusCode,
    /// The media type as the server wrote it; empty if it wrote none.
    pub content_type: String,
    pub(super) response: Response,
    /// What errors begin with: the operation, and what was asked.
    pub(super) what: String,
    pub(super) asked: String,
    pub(super) limit: u64,
    pub(super) taken: u64,
    pub(super) timeout: Duration,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) _leave: Leave,
}

impl Stream {
    /// The next piece of the body, decompressed, or `None` at its end. Once there was an error there is nothing more.
    ///
    /// # Errors
    /// [`HttpError::Cut`]: the body ended before its end, or the server was silent too long.
    /// [`HttpError::TooLarge`]: the body is longer than the request's limit.
    /// [`HttpError::Html`]: a success that begins like an HTML page.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, HttpError> {
        let Some(chunk) = self.raw_chunk().await? else {
            return Ok(None);
        };
        let begins = self.taken == 0;
        self.taken += chunk.len() as u64;
        if self.taken > self.limit {
            return Err(self.too_large());
        }
        if begins && self.status.is_success() && excerpt::is_html("", &chunk) {
            return Err(self.html(&chunk));
        }
        Ok(Some(chunk))
    }

    /// The whole rest of the answer. Of an answer that does not report success only the beginning of its body is taken.
    ///
    /// # Errors
    /// As [`Stream::chunk`].
    pub async fn whole(mut self) -> Result<Answer, HttpError> {
        let refusal = !self.status.is_success();
        let mut body = Vec::new();
        if refusal {
            self.limit = u64::MAX;
        }
        while let Some(chunk) = self.chunk().await? {
            body.extend_from_slice(&chunk);
            if refusal && self.taken >= REFUSAL_MAX {
                break;
            }
        }
        Ok(Answer {
            status: self.status,
            content_type: self.content_type,
            body,
            asked: self.asked,
        })
    }

    async fn raw_chunk(&mut self) -> Result<Option<Bytes>, HttpError> {
        let clock = Arc::clone(&self.clock);
        tokio::select! {
            biased;
            chunk = self.response.chunk() => {
                chunk.map_err(|error| fault::failed(&self.what, &error))
            }
            () = clock.sleep(self.timeout) => Err(fault::silent(&self.what, self.timeout)),
        }
    }

    pub(super) fn too_large(&self) -> HttpError {
        HttpError::TooLarge(format!(
            "{}: the answer is longer than {} bytes, which is the most that is taken",
            self.what, self.limit
        ))
    }

    pub(super) fn html(&self, begin: &[u8]) -> HttpError {
        HttpError::Html(format!(
            "{} was answered with {}: does the URL lead to the service, and not to a login page in front of it?",
            self.what,
            excerpt::of("text/html", begin)
        ))
    }
}

/// What has come, and never the content.
impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream")
            .field("what", &self.what)
            .field("status", &self.status)
            .field("taken", &self.taken)
            .finish_non_exhaustive()
    }
}
