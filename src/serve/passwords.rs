//! Who is asked whether a password is a user's.

use std::time::Duration;

use futures_util::future::BoxFuture;
use secrecy::SecretString;

use crate::model::Verdict;

/// The directories, as far as they know passwords.
pub trait Passwords: Send + Sync {
    /// Asks the directory entry with the id `directory` whether this is the password of its user with that stable id, and gives
    /// up ([`Verdict::Unavailable`]) after `limit`. A directory that knows no passwords is unavailable too: nobody can tell.
    fn verify<'a>(
        &'a self,
        directory: &'a str,
        user_id: &'a str,
        password: &'a SecretString,
        limit: Duration,
    ) -> BoxFuture<'a, Verdict>;
}
