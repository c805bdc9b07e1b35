//! What can go wrong, named by what the caller will do about it. Each text says what to do where an administrator can.

use crate::http::{Answer, HttpError, StatusCode};
use crate::wire::crowd::ErrorBody;

/// What to do about an address that is not let in.
const LET_IN: &str =
    "; add the address of this machine to the remote addresses of the application on the server";
/// What to do where not even the API is there.
const CHECK_URL: &str =
    "; check `url`: a Crowd usually has the context path `/crowd`, a Jira often none";

/// Why a call did not come to its end. No text holds a query or a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CrowdFault {
    /// Nothing was sent: no such host, no connection, no TLS.
    #[error("{0}")]
    Unreachable(String),
    /// It was sent, and no whole answer came: nobody knows whether it was done.
    #[error("{0}")]
    Cut(String),
    /// Something else than a Crowd answers there: a login page, a redirect, an endless body.
    #[error("{0}")]
    Astray(String),
    /// The application's name or password is wrong, or there is no password to be had.
    #[error("{0}")]
    Password(String),
    /// The application may not ask from this machine's address.
    #[error("{0}")]
    Address(String),
    /// This request alone is refused, and another one is let in: the server lacks the call, or something before it will not let
    /// it through.
    #[error("{0}")]
    Alone(String),
    /// Not now: 429, 502, 503 or 504.
    #[error("{text}")]
    Busy {
        /// The status.
        status: u16,
        /// Operation, request, status and the beginning of the answer.
        text: String,
    },
    /// The server refused it.
    #[error("{text}")]
    Refused {
        /// The status.
        status: u16,
        /// The word of the protocol for why, like `USER_NOT_FOUND`; empty where the answer has none.
        reason: String,
        /// Operation, request, status and the beginning of the answer.
        text: String,
    },
    /// A list changed while its pages were read, and somebody may have been skipped.
    #[error("{0}")]
    Moved(String),
    /// It was done, or answered, and the answer makes no sense.
    #[error("{0}")]
    Unreadable(String),
}

/// Reasons of the protocol that may be shown also where the words of the server may not.
const KNOWN_REASONS: [&str; 13] = [
    "APPLICATION_ACCESS_DENIED",
    "APPLICATION_PERMISSION_DENIED",
    "EXPIRED_CREDENTIAL",
    "ILLEGAL_ARGUMENT",
    "INACTIVE_ACCOUNT",
    "INVALID_CREDENTIAL",
    "INVALID_EMAIL",
    "INVALID_USER",
    "INVALID_USER_AUTHENTICATION",
    "OPERATION_FAILED",
    "PERMISSION_DENIED",
    "UNSUPPORTED_OPERATION",
    "USER_NOT_FOUND",
];

impl CrowdFault {
    /// What an answer of any status but a success means.
    pub(super) fn of(operation: &str, answer: &Answer) -> CrowdFault {
        let mut text = answer.refused(operation).to_string();
        let body = ErrorBody::read(&answer.body);
        // The protocol's words are no passwords.
        let word = body.as_ref().map(|it| it.reason.as_str());
        if let Some(word) = word.filter(|it| answer.is_secret && KNOWN_REASONS.contains(it)) {
            text = format!("{text} ({word})");
        }
        match answer.status {
            StatusCode::UNAUTHORIZED => CrowdFault::Password(format!(
                "{text}; check `application` and `password` against the application as the server knows it: they are \
                 not those of a person"
            )),
            StatusCode::FORBIDDEN if body.is_none() => {
                CrowdFault::Address(format!("{text}{LET_IN}"))
            }
            StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => CrowdFault::Busy {
                status: answer.status.as_u16(),
                text,
            },
            StatusCode::NOT_FOUND if body.is_none() => CrowdFault::Refused {
                status: 404,
                reason: String::new(),
                text: format!("{text}{CHECK_URL}"),
            },
            status => CrowdFault::Refused {
                status: status.as_u16(),
                reason: body.map(|it| it.reason).unwrap_or_default(),
                text,
            },
        }
    }

    /// Whether the server says that whoever or whatever was asked for is not there. A page that is not there is something else,
    /// and so is an application, or anything that only this server has a word for.
    pub fn is_not_there(&self) -> bool {
        matches!(self, CrowdFault::Refused { status: 404, .. }) && self.says_not_found()
    }

    /// Whether the server has the word for a user, group or membership that is not there, whatever the status: changes are
    /// refused with that word and others than 404, too.
    pub fn says_not_found(&self) -> bool {
        ["USER_NOT_FOUND", "GROUP_NOT_FOUND", "MEMBERSHIP_NOT_FOUND"].contains(&self.reason())
    }

    /// What this is if the server lets another request in; `None` where that would tell nothing.
    pub(super) fn alone(&self) -> Option<CrowdFault> {
        let (text, advice) = match self {
            CrowdFault::Address(text) => (
                text.strip_suffix(LET_IN).unwrap_or(text),
                "the server lets other requests in, so a proxy or a firewall before it refuses this one: let it through there, \
                 or make the change by hand",
            ),
            CrowdFault::Refused {
                status: 404 | 501,
                reason,
                text,
            } if reason.is_empty() => (
                text.strip_suffix(CHECK_URL).unwrap_or(text),
                "the server answers other requests, so it lacks this call: make the change by hand",
            ),
            _ => return None,
        };
        Some(CrowdFault::Alone(format!("{text}; {advice}")))
    }

    /// The protocol's word for why the server refused; empty where it said none.
    pub fn reason(&self) -> &str {
        match self {
            CrowdFault::Refused { reason, .. } => reason,
            _ => "",
        }
    }
}

impl From<HttpError> for CrowdFault {
    fn from(error: HttpError) -> CrowdFault {
        match error {
            HttpError::Unreachable(text) => CrowdFault::Unreachable(text),
            HttpError::Cut(text) => CrowdFault::Cut(text),
            HttpError::Redirected(text) | HttpError::Html(text) | HttpError::TooLarge(text) => {
                CrowdFault::Astray(text)
            }
            HttpError::Status { status, text } => CrowdFault::Refused {
                status: status.as_u16(),
                reason: String::new(),
                text,
            },
        }
    }
}
