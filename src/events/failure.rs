//! How something failed, in the words by which a log is searched.

use std::error::Error;

/// How a read, a push or a change failed, named by what follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It is tried again at the next trigger and may well succeed.
    Transient,
    /// The other side does not take it as it is.
    Refused,
    /// The other side is not what it was last seen to be; it is read again in full.
    Stale,
    /// The daemon's own login is refused.
    Unauthorised,
    /// The configuration does not fit the other side, or that of the other side does not fit what is asked.
    Configuration,
    /// The other side cannot be reached.
    Unavailable,
    /// The answer was cut, limited or not understood.
    Incomplete,
    /// The time limit went by.
    TimedOut,
    /// A defect of the daemon.
    Panicked,
}

impl Failure {
    /// The stable word for it.
    pub fn word(self) -> &'static str {
        match self {
            Failure::Transient => "transient",
            Failure::Refused => "refused",
            Failure::Stale => "stale",
            Failure::Unauthorised => "unauthorised",
            Failure::Configuration => "configuration",
            Failure::Unavailable => "unavailable",
            Failure::Incomplete => "incomplete",
            Failure::TimedOut => "timed_out",
            Failure::Panicked => "panicked",
        }
    }

    /// Whether waiting will not mend it.
    pub(super) fn must_act(self) -> bool {
        match self {
            Failure::Unauthorised | Failure::Configuration | Failure::Panicked => true,
            Failure::Transient
            | Failure::Refused
            | Failure::Stale
            | Failure::Unavailable
            | Failure::Incomplete
            | Failure::TimedOut => false,
        }
    }
}

/// An error and all its causes on one line, outermost first: `read a: connect: refused`.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        // Some libraries say their cause themselves.
        if !text.ends_with(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("opening the store")]
    struct Outer(#[source] std::io::Error);

    #[derive(Debug, thiserror::Error)]
    #[error("answered with {0}")]
    struct Talkative(#[source] std::io::Error);

    #[test]
    fn a_chain_tells_every_cause_once() {
        let cause = std::io::Error::other("disk full");
        assert_eq!(chain(&Talkative(cause)), "answered with disk full");
        let cause = std::io::Error::other("disk full");
        assert_eq!(chain(&Outer(cause)), "opening the store: disk full");
    }
}
