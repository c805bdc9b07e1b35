//! The directories that are polled: one trait, one folder each.
//!
//! Every folder has the same rooms: `mod.rs` (the trait), `config.rs` (what a user writes), `api.rs` (calls, no policy) and
//! `convert.rs` (pure: what came over the wire to [`RecordsBuilder`](crate::model::RecordsBuilder)).
//!
//! # The obligations of a directory
//!
//! The contract suite (`tests/it/contract.rs`) holds every connector, fakes included, to these.
//!
//! * **D1** A read is complete or an error. A cut, limited or half-answered read is an error.
//! * **D2** A failed call is not repeated in a loop; the next poll is the retry.
//! * **D3** Ids are stable: a renamed user keeps its id, another person never gets it.
//! * **D4** One bad record is rejected with a reason and kept; it never fails the read.
//! * **D5** No values in the log: a connector logs nothing, what it has to say stands in [`Read::notes`].
//! * **D6** A read may be dropped at any await.
//! * **D7** A record whose present state could not be read is marked unknown, never left out.
//! * **D8** A delta is idempotent.
//! * **D9** A cursor is valid only for the configuration it was made under: it carries a digest of that in itself.

pub mod crowd;
pub mod file;
pub mod google;
pub mod ldap;

mod doubled;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use secrecy::SecretString;

use crate::model::{Delta, Finding, Records, Verdict};

/// An external user directory.
pub trait Directory: Send + Sync + fmt::Debug {
    /// Its name in the configuration.
    fn name(&self) -> &str;

    /// Asks the directory what an administrator wants to know before the first read: can it be reached, may we read.
    fn check(&self) -> BoxFuture<'_, Vec<Finding>>;

    /// Whether a read is made against the last accepted records, so that these must be handed in.
    fn needs_last(&self) -> bool {
        false
    }

    /// Reads everything, or what has changed since the cursor.
    ///
    /// # Errors
    /// [`ReadError`] when the answer is not complete, whatever the cause.
    fn read(&self, since: Since) -> BoxFuture<'_, Result<Read, ReadError>>;

    /// Reads these groups, by id, with all their members: a delta left open whom they name. Those that are gone are not told.
    ///
    /// # Errors
    /// [`ReadError`], and always where the directory's deltas leave nothing open.
    fn groups(&self, _ids: Vec<String>) -> BoxFuture<'_, Result<Delta, ReadError>> {
        let cause = "this directory cannot be asked for single groups";
        Box::pin(async move { Err(ReadError::Incomplete(cause.to_owned())) })
    }

    /// Who can tell whether a password is a user's; `None` where the directory knows no passwords.
    fn authenticator(&self) -> Option<Arc<dyn Authenticator>> {
        None
    }
}

/// Whoever can tell whether a password is a user's.
pub trait Authenticator: Send + Sync + fmt::Debug {
    /// Asks whether this is the password of the user with this stable id, and gives up ([`Verdict::Unavailable`]) after
    /// `limit`. Whoever is meant is looked up by the id at this moment. An empty password or one with a NUL is wrong without
    /// anybody being asked. The password is neither kept nor logged.
    fn verify<'a>(
        &'a self,
        id: &'a str,
        password: &'a SecretString,
        limit: Duration,
    ) -> BoxFuture<'a, Verdict>;
}

/// From where a read may go on.
#[derive(Clone, Debug, Default)]
pub struct Since {
    /// The cursor of the last accepted read; `None` asks for a complete one.
    pub cursor: Option<String>,
    /// The accepted records, of a directory that needs them ([`Directory::needs_last`]). None, if there are none or if they were
    /// read under another configuration.
    pub last: Option<Arc<Records>>,
}

/// What one read brought.
#[derive(Debug)]
pub struct Read {
    /// Everything, or what has changed.
    pub what: What,
    /// Where the next read may go on; `None` when it must be complete.
    pub cursor: Option<String>,
    /// What the connector has to say to the operator: counts and oddities, never values.
    pub notes: Vec<String>,
    /// How many requests it took, of a directory that counts them.
    pub requests: Option<u64>,
}

/// Everything, or what has changed since the cursor that was given.
#[derive(Debug)]
pub enum What {
    /// Everything.
    Complete(Records),
    /// What has changed; an empty one says that nothing has.
    Delta(Delta),
}

/// Why a read is not complete, named by what the caller will do. The last accepted records go on serving in every case.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Try again at the next poll: it cannot be reached, or it was cut off.
    #[error("{0}")]
    Unavailable(String),
    /// It answered, but not with everything (a limit, a truncated file): the administrator should look.
    #[error("{0}")]
    Incomplete(String),
    /// The login or its rights are refused.
    #[error("{0}")]
    Unauthorised(String),
    /// The configuration does not fit the directory (base, filter, path).
    #[error("{0}")]
    Configuration(String),
}

impl ReadError {
    /// The stable word for it in events.
    pub fn word(&self) -> &'static str {
        match self {
            ReadError::Unavailable(_) => "unavailable",
            ReadError::Incomplete(_) => "incomplete",
            ReadError::Unauthorised(_) => "unauthorised",
            ReadError::Configuration(_) => "configuration",
        }
    }
}
