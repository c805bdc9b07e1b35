//! Why the store could not do its part, in words for the administrator.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// The store could not be opened, read or written. Nothing of what was asked is half done.
#[derive(Debug, Error)]
pub enum StoreError {
    /// `state` in the configuration names no store that can be used.
    #[error(
        "`state: {url}` names no store: {fault}; write it like `sqlite:///var/lib/usersyncd/state.db`"
    )]
    Location {
        /// What was written, without what may be a password.
        url: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// The folder that should hold the store is missing. It is not created: a mistyped path would start from nothing.
    #[error(
        "the folder `{}` of the store `{}` does not exist; create it, or correct `state`",
        folder.display(), path.display()
    )]
    NoFolder {
        /// The store.
        path: PathBuf,
        /// The missing folder.
        folder: PathBuf,
    },
    /// The folder cannot be written.
    #[error(
        "the folder `{}` cannot be written, and the store `{}` needs its journal and its lock there; \
         give the daemon's user write access to the folder, and run commands as that user or as root",
        folder.display(), path.display()
    )]
    FolderReadOnly {
        /// The store.
        path: PathBuf,
        /// Its folder.
        folder: PathBuf,
        /// What the system answered, if it was asked.
        #[source]
        cause: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The file cannot be written.
    #[error(
        "the store `{}` cannot be written; give the daemon's user write access to it, \
         on a file system that is not mounted read-only",
        path.display()
    )]
    ReadOnly {
        /// The store.
        path: PathBuf,
        /// What the system answered, if it was asked.
        #[source]
        cause: Option<sqlx::Error>,
    },
    /// The file or its folder cannot be looked at or opened.
    #[error("the store `{}` cannot be opened; check its owner and its permissions, and run commands as that owner or as root", path.display())]
    Unreachable {
        /// The store.
        path: PathBuf,
        /// What the system answered.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A newer program wrote the store.
    #[error(
        "the store `{}` was written by a newer usersyncd: it has layout {version}, this program knows layout {known}; \
         run the newer program, or put back a copy of the store from before the upgrade",
        path.display()
    )]
    Newer {
        /// The store.
        path: PathBuf,
        /// The layout of the store.
        version: i64,
        /// The newest layout that this program knows.
        known: i64,
    },
    /// An older program wrote the store, and who only reads may not bring it up to date.
    #[error(
        "the store `{}` was written by an older usersyncd; start the daemon or run `--sync-now` once, \
         which brings it up to date",
        path.display()
    )]
    Older {
        /// The store.
        path: PathBuf,
    },
    /// The file is no store, or it is damaged.
    #[error(
        "the file `{}` is no store of usersyncd, or it is damaged (found while {doing}); put back a copy, or move it \
         away: everything is then read anew, and the first plan is held until it is approved",
        path.display()
    )]
    Damaged {
        /// The store.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// What was found.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// There is no space left.
    #[error(
        "there is no space left for the store `{}` (found while {doing}); free some, the next pass then goes on",
        path.display()
    )]
    Full {
        /// The store.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// What the database answered.
        #[source]
        cause: sqlx::Error,
    },
    /// Another process keeps the store locked.
    #[error(
        "another process keeps the store `{}` locked (found while {doing}); end what holds it, or try again",
        path.display()
    )]
    Busy {
        /// The store.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// What the database answered.
        #[source]
        cause: sqlx::Error,
    },
    /// Somebody else wrote in between: what was to be written was made from older rows. Load and decide again.
    #[error(
        "the store `{}` was changed by another process (found while {doing}); the next pass starts from what is there now",
        path.display()
    )]
    Overtaken {
        /// The store.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
    },
    /// Anything else that the database or its disk answered.
    #[error("the store `{}` failed while {doing}; check its disk and the log of the system", path.display())]
    Failed {
        /// The store.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// What the database answered.
        #[source]
        cause: sqlx::Error,
    },
}

/// Why a piece of work inside a transaction ended.
#[derive(Debug)]
pub(super) enum Stop {
    /// The database answered with an error.
    Database(sqlx::Error),
    /// The rows are not those that the work was made from.
    Overtaken,
}

impl From<sqlx::Error> for Stop {
    fn from(cause: sqlx::Error) -> Stop {
        Stop::Database(cause)
    }
}

/// Primary result codes of SQLite (<https://sqlite.org/rescode.html>).
mod code {
    pub(super) const BUSY: u32 = 5;
    pub(super) const LOCKED: u32 = 6;
    pub(super) const READONLY: u32 = 8;
    pub(super) const CORRUPT: u32 = 11;
    pub(super) const FULL: u32 = 13;
    pub(super) const CANTOPEN: u32 = 14;
    pub(super) const NOTADB: u32 = 26;
    /// Extended: the folder of the file cannot be written.
    pub(super) const READONLY_DIRECTORY: u32 = 1544;
}

impl StoreError {
    /// The error that an answer of the database means for the store at a path.
    pub(super) fn of(path: &Path, doing: &'static str, cause: impl Into<Stop>) -> StoreError {
        let path = path.to_owned();
        let cause = match cause.into() {
            Stop::Overtaken => return StoreError::Overtaken { path, doing },
            Stop::Database(cause) => cause,
        };
        if is_garbled(&cause) {
            let cause = cause.into();
            return StoreError::Damaged { path, doing, cause };
        }
        let number = number_of(&cause);
        if number == Some(code::READONLY_DIRECTORY) {
            let folder = folder_of(&path);
            let cause = Some(cause.into());
            return StoreError::FolderReadOnly {
                path,
                folder,
                cause,
            };
        }
        match number.map(|it| it & 0xff) {
            Some(code::BUSY | code::LOCKED) => StoreError::Busy { path, doing, cause },
            Some(code::FULL) => StoreError::Full { path, doing, cause },
            Some(code::READONLY) => StoreError::ReadOnly {
                path,
                cause: Some(cause),
            },
            Some(code::CORRUPT | code::NOTADB) => StoreError::Damaged {
                path,
                doing,
                cause: cause.into(),
            },
            Some(code::CANTOPEN) => StoreError::Unreachable {
                path,
                cause: cause.into(),
            },
            _ => StoreError::Failed { path, doing, cause },
        }
    }

    /// The error for a file or folder that the system would not let us create or look at.
    pub(super) fn of_system(path: &Path, cause: io::Error) -> StoreError {
        let path = path.to_owned();
        match cause.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                let folder = folder_of(&path);
                StoreError::FolderReadOnly {
                    path,
                    folder,
                    cause: Some(cause.into()),
                }
            }
            io::ErrorKind::NotFound => {
                let folder = folder_of(&path);
                StoreError::NoFolder { path, folder }
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full {
                path,
                doing: "creating it",
                cause: sqlx::Error::Io(cause),
            },
            _ => StoreError::Unreachable {
                path,
                cause: cause.into(),
            },
        }
    }
}

/// The folder that a store stands in.
pub(super) fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Whether what was read cannot have been written by the store.
fn is_garbled(cause: &sqlx::Error) -> bool {
    use sqlx::Error::{ColumnDecode, ColumnIndexOutOfBounds, ColumnNotFound, Decode, TypeNotFound};
    matches!(
        cause,
        Decode(_)
            | ColumnDecode { .. }
            | ColumnIndexOutOfBounds { .. }
            | ColumnNotFound(_)
            | TypeNotFound { .. }
    )
}

/// The extended result code that SQLite answered with.
fn number_of(cause: &sqlx::Error) -> Option<u32> {
    cause.as_database_error()?.code()?.parse().ok()
}
