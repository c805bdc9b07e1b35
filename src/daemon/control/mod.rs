//! The control socket beside the store: one JSON line there, one JSON line back.
//!
//! Whoever may write the store's folder may ask; the socket is for its owner alone (mode 0600). Passes can be asked for,
//! `{"sync_now":{}}` and `{"approved":{"of":{"application":"wiki"}}}`: the daemon runs them and answers when they are over.

mod address;
mod client;
mod server;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::jobs::Subject;
use super::report::PassReport;

pub use self::client::ask;
pub use self::server::ControlSocket;
pub(super) use self::server::{Asked, serve};

/// The longest line, in bytes. A report names every directory and application.
const LINE_BYTES_MAX: u64 = 1 << 20;

/// What can be asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// One pass over everything.
    SyncNow {},
    /// Something of a directory or an application was approved: a pass over it.
    Approved {
        /// Which.
        of: Subject,
    },
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// The pass is over.
    Finished(Box<PassReport>),
    /// Nothing was done.
    Refused {
        /// Why, for the person who asked.
        reason: String,
    },
}

/// Why there is no control socket, or no answer from it.
#[derive(Debug, Error)]
pub enum ControlFault {
    /// Neither the path nor its last part fits into a socket address.
    #[error(
        "the path of the control socket {path} is too long: choose a shorter `state` path (the file's name at most {name_bytes_max} bytes)"
    )]
    TooLong {
        /// The path.
        path: PathBuf,
        /// The longest name, in bytes.
        name_bytes_max: usize,
    },
    /// Somebody listens there already.
    #[error("another process listens on the control socket {path}")]
    InUse {
        /// The path.
        path: PathBuf,
    },
    /// The socket cannot be made.
    #[error("making the control socket {path}; its folder must be writable")]
    Bind {
        /// The path.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: std::io::Error,
    },
    /// Nobody listens there.
    #[error("nobody listens on the control socket {path}")]
    Silent {
        /// The path.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: std::io::Error,
    },
    /// The connection broke, or was closed without an answer.
    #[error(
        "the daemon went away before it answered on {path}; `usersyncd status` shows what was done"
    )]
    Cut {
        /// The path.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: std::io::Error,
    },
    /// The answer is of another version of the program.
    #[error("the daemon's answer on {path} is not understood: is it of another version?")]
    Foreign {
        /// The path.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        cause: serde_json::Error,
    },
}
