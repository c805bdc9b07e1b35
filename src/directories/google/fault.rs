//! What can go wrong, named by what the caller will do about it. Each text names the operation and the cause, and says what to
//! do.

use crate::directories::ReadError;
use crate::http::HttpError;

/// Google's word for an object that is not there.
const NOT_FOUND: &str = "notFound";

/// Why a call did not come to its end. No text holds a query, a token, or anything of a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum GoogleFault {
    /// The key file cannot be had, or it is none that can be used.
    #[error("{0}")]
    Key(String),
    /// We are not let in, or not to the lists: the account, its delegation, or the rights of the subject.
    #[error("{0}")]
    Login(String),
    /// The configuration does not fit, or that of the project or of the customer at Google.
    #[error("{0}")]
    Setup(String),
    /// Nothing was sent: no such host, no connection, no TLS.
    #[error("{0}")]
    Unreachable(String),
    /// Not now: there were too many requests, or Google has a fault of its own, to the end of our patience.
    #[error("{0}")]
    Busy(String),
    /// It was sent, and no whole answer came.
    #[error("{0}")]
    Cut(String),
    /// It was answered, and the answer makes no sense.
    #[error("{0}")]
    Unreadable(String),
    /// One object is not there, or is not ours to see (403 or 404), or Google takes its id for none (400); everything else goes
    /// on.
    #[error("{text}")]
    Refused {
        /// The status.
        status: u16,
        /// Google's word for why, like `notFound`.
        reason: String,
        /// Operation, request, status and what Google says.
        text: String,
    },
}

impl GoogleFault {
    /// Whether Google says that the object that was asked for is not there.
    pub(super) fn is_not_there(&self) -> bool {
        matches!(self, GoogleFault::Refused { status: 404, reason, .. } if reason == NOT_FOUND)
    }

    /// Whether only the object that was asked for cannot be had, for good.
    pub(super) fn is_of_one_object(&self) -> bool {
        matches!(self, GoogleFault::Refused { .. })
    }
}

impl From<HttpError> for GoogleFault {
    fn from(error: HttpError) -> GoogleFault {
        match error {
            HttpError::Unreachable(text) => GoogleFault::Unreachable(text),
            HttpError::Cut(text) => GoogleFault::Cut(text),
            HttpError::Redirected(text) | HttpError::Html(text) => GoogleFault::Setup(text),
            HttpError::TooLarge(text) | HttpError::Status { text, .. } => {
                GoogleFault::Unreadable(text)
            }
        }
    }
}

impl From<GoogleFault> for ReadError {
    fn from(fault: GoogleFault) -> ReadError {
        match fault {
            GoogleFault::Key(text) | GoogleFault::Login(text) => ReadError::Unauthorised(text),
            GoogleFault::Setup(text) => ReadError::Configuration(text),
            GoogleFault::Unreachable(text) | GoogleFault::Busy(text) => {
                ReadError::Unavailable(text)
            }
            GoogleFault::Cut(text)
            | GoogleFault::Unreadable(text)
            | GoogleFault::Refused { text, .. } => ReadError::Incomplete(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, reason: &str) -> GoogleFault {
        GoogleFault::Refused {
            status,
            reason: reason.to_owned(),
            text: "t".to_owned(),
        }
    }

    #[test]
    fn a_fault_says_what_kind_of_failed_read_it_is() {
        fn check(fault: GoogleFault, expect: &str) {
            let shown = format!("{fault:?}");
            let error = ReadError::from(fault);
            assert_eq!(
                (error.word(), error.to_string().as_str()),
                (expect, "t"),
                "{shown}"
            );
        }
        let text = || "t".to_owned();
        check(GoogleFault::Key(text()), "unauthorised");
        check(GoogleFault::Login(text()), "unauthorised");
        check(GoogleFault::Setup(text()), "configuration");
        check(GoogleFault::Unreachable(text()), "unavailable");
        check(GoogleFault::Busy(text()), "unavailable");
        check(GoogleFault::Cut(text()), "incomplete");
        check(GoogleFault::Unreadable(text()), "incomplete");
        check(refused(404, "notFound"), "incomplete");
    }

    #[test]
    fn a_failure_of_http_is_a_fault_of_its_own_kind() {
        fn check(error: HttpError, expect: &GoogleFault) {
            assert_eq!(&GoogleFault::from(error), expect);
        }
        let text = || "t".to_owned();
        check(
            HttpError::Unreachable(text()),
            &GoogleFault::Unreachable(text()),
        );
        check(HttpError::Cut(text()), &GoogleFault::Cut(text()));
        check(HttpError::Redirected(text()), &GoogleFault::Setup(text()));
        check(HttpError::Html(text()), &GoogleFault::Setup(text()));
        check(
            HttpError::TooLarge(text()),
            &GoogleFault::Unreadable(text()),
        );
    }

    #[test]
    fn an_object_is_not_there_only_if_google_says_so() {
        fn check(fault: &GoogleFault, of_one: bool, not_there: bool) {
            let found = (fault.is_of_one_object(), fault.is_not_there());
            assert_eq!(found, (of_one, not_there), "{fault:?}");
        }
        check(&refused(404, "notFound"), true, true);
        check(&refused(404, "deleted"), true, false);
        check(&refused(403, "forbidden"), true, false);
        check(&GoogleFault::Login("notFound".to_owned()), false, false);
    }
}
