//! What a directory says of a password.

/// Whether a password is a user's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is.
    Accepted,
    /// It is not.
    Wrong,
    /// The user is switched off or locked in the directory.
    Inactive,
    /// The password, or the user, has expired: it must be changed before anybody comes in with it.
    Expired,
    /// The directory has no such user any more.
    Unknown,
    /// Nobody could tell: the directory cannot be reached, or answered something else. Never taken for a wrong password.
    Unavailable(String),
}
