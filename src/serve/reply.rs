//! Answers as Crowd gives them: entities, lists and errors in the client's format.

use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
};
use hyper::{Response, StatusCode};

use super::body::Body;
use crate::wire::crowd::{ErrorBody, Format, Writer};

/// When a client that was told to come later should.
const RETRY_SECONDS: u32 = 30;

/// An answer on its way.
pub(super) type Answer = Response<Body>;

/// Why a request is not answered with what it asked for.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    /// One of Crowd's words.
    reason: &'static str,
    /// For people.
    message: String,
}

/// Whoever writes one answer.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) format: Format,
    /// What links begin with: `https://crowd.example.com/crowd/rest/usermanagement/1`.
    pub(super) base: String,
}

impl Refusal {
    pub(super) fn new(
        status: StatusCode,
        reason: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Refusal {
            status,
            reason,
            message: message.into(),
        }
    }

    /// The request itself is wrong.
    pub(super) fn argument(message: impl Into<String>) -> Self {
        Refusal::new(StatusCode::BAD_REQUEST, "ILLEGAL_ARGUMENT", message)
    }

    pub(super) fn no_user(name: &str) -> Self {
        let message = format!("User <{name}> does not exist");
        Refusal::new(StatusCode::NOT_FOUND, "USER_NOT_FOUND", message)
    }

    pub(super) fn no_group(name: &str) -> Self {
        let message = format!("Group <{name}> does not exist");
        Refusal::new(StatusCode::NOT_FOUND, "GROUP_NOT_FOUND", message)
    }

    pub(super) fn no_membership(member: &str, group: &str) -> Self {
        let message = format!("<{member}> is not a member of group <{group}>");
        Refusal::new(StatusCode::NOT_FOUND, "MEMBERSHIP_NOT_FOUND", message)
    }
}

impl Reply {
    pub(super) fn writer(&self) -> Writer<'_> {
        Writer {
            format: self.format,
            base: &self.base,
        }
    }

    /// A document that is written at once.
    pub(super) fn document(&self, write: impl FnOnce(&Writer<'_>, &mut Vec<u8>)) -> Answer {
        self.whole(|writer, out| {
            writer.prologue(out);
            write(writer, out);
        })
    }

    /// As [`Reply::document`], by somebody who writes the prologue too.
    pub(super) fn whole(&self, write: impl FnOnce(&Writer<'_>, &mut Vec<u8>)) -> Answer {
        let mut out = Vec::new();
        write(&self.writer(), &mut out);
        self.answer(StatusCode::OK, Body::whole(out))
    }

    /// A document that is made while it is sent.
    pub(super) fn made(&self, write: impl FnMut(&mut Vec<u8>) -> bool + Send + 'static) -> Answer {
        self.answer(StatusCode::OK, Body::made(write))
    }

    /// An error in Crowd's words.
    pub(super) fn refusal(&self, refusal: Refusal) -> Answer {
        let Refusal {
            status,
            reason,
            message,
        } = refusal;
        let mut out = Vec::new();
        let writer = self.writer();
        writer.prologue(&mut out);
        writer.error(&ErrorBody::new(reason, &message), &mut out);
        let mut answer = self.answer(status, Body::whole(out));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            answer
                .headers_mut()
                .insert(RETRY_AFTER, RETRY_SECONDS.into());
        }
        answer
    }

    fn answer(&self, status: StatusCode, body: Body) -> Answer {
        answer(status, self.format.media_type(), body)
    }
}

/// An answer outside of the protocol, for people.
pub(super) fn plain(status: StatusCode, text: &str) -> Answer {
    let body = Body::whole(format!("{text}\n").into_bytes());
    let mut answer = answer(status, "text/plain; charset=utf-8", body);
    let headers = answer.headers_mut();
    match status {
        StatusCode::UNAUTHORIZED => {
            let realm = HeaderValue::from_static("Basic realm=\"Crowd REST Service\"");
            headers.insert(WWW_AUTHENTICATE, realm);
        }
        StatusCode::TOO_MANY_REQUESTS => {
            headers.insert(RETRY_AFTER, RETRY_SECONDS.into());
        }
        _ => {}
    }
    answer
}

/// A method that a resource does not have.
pub(super) fn wrong_method(known: &[&str]) -> Answer {
    let known = known.join(", ");
    let mut answer = plain(StatusCode::METHOD_NOT_ALLOWED, &format!("Use {known}."));
    if let Ok(known) = HeaderValue::from_str(&known) {
        answer.headers_mut().insert(ALLOW, known);
    }
    answer
}

fn answer(status: StatusCode, media_type: &'static str, body: Body) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    // Whatever stands between must not keep what only this client may see, at this moment.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
