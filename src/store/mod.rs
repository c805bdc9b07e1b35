//! What is remembered between passes: the records of directories, the holding of applications, links, clocks, history.
//!
//! The store lies between the two kinds of job. A read job ends by accepting records, which raises its directory's revision;
//! a push job starts by pinning revisions and ends by committing what it did. Each of those is one transaction, so a process
//! that dies leaves the state before or the state after, and one recovery serves every way to die.
//!
//! Reading is apart from writing. [`Reader::snapshot`] gives one consistent state, whatever is written meanwhile, and offers
//! everything that can be asked; the methods of [`Store`] write, each in a transaction of its own, and write no more than
//! what changed.
//!
//! * Directories: [`DirectoryState`], [`StoredRecords`], [`Store::accept`], [`Store::touch`], [`Store::put_suspect`].
//! * Applications: [`ApplicationState`], [`PushCommit`], [`Store::commit_push`], [`Store::save_intents`].
//! * Operators: [`HeldSet`], [`Store::approve`], [`HistoryFilter`], [`PassRow`].
//! * Processes: [`Claim`].

mod accounts;
mod applications;
mod approvals;
mod claims;
mod dialect;
mod directories;
mod entries;
mod error;
mod held;
mod history;
mod journal;
mod open;
mod pairing;
mod reads;
mod records;
mod sets;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod words;

use std::path::Path;
use std::sync::Arc;

use sqlx::Transaction;

use dialect::{Connection, Connections, Db};
use error::Stop;

pub use applications::{ApplicationState, Failure, PushCommit};
pub use approvals::{APPROVED_FOR, ApprovalFault, Approved, ApprovedSet};
pub use claims::{Claim, ClaimFault, Role};
pub use directories::{Attempt, DirectoryState, HighWater, Slot, Suspect};
pub use entries::{EntryKind, Renamed, TakeOver};
pub use error::StoreError;
pub use held::{Held, HeldItem};
pub use history::{HistoryFilter, HistoryRow, Part};
pub use journal::{PassRow, Refused};
pub use open::location;
pub use reads::{AcceptedRead, Aside, SuspectRead};
pub use records::{Changed, StoredRecords};
pub(crate) use sets::digest;
pub use sets::{APPROVABLE_FOR, HeldSet, SetOf};

/// A store that is open for reading and writing. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Store {
    /// One connection: writers wait for one another here and not at the file's lock.
    writer: Connections,
    reader: Reader,
}

/// A store that is open for reading, beside whoever writes it. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Reader {
    connections: Connections,
    path: Arc<Path>,
    /// What its snapshots show as if it were followed.
    take_overs: Arc<[TakeOver]>,
}

/// One consistent state of the store. It holds a connection until it is dropped.
#[derive(Debug)]
pub struct Snapshot {
    db: Transaction<'static, Db>,
    path: Arc<Path>,
}

/// A transaction that writes. Dropping it undoes everything.
struct Writing {
    db: Transaction<'static, Db>,
    path: Arc<Path>,
    doing: &'static str,
}

impl Store {
    /// The store's file.
    pub fn path(&self) -> &Path {
        &self.reader.path
    }

    /// The store as those see it who only read.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// One consistent state; see [`Reader::snapshot`].
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        self.reader.snapshot().await
    }

    /// Ends all connections, which folds the journal into the file. A store that is only dropped loses nothing either.
    pub async fn close(self) {
        self.reader.connections.close().await;
        self.writer.close().await;
    }

    async fn write(&self, doing: &'static str) -> Result<Writing, StoreError> {
        // An immediate transaction has the file's lock before it reads what it changes.
        let begun = self.writer.begin_with("BEGIN IMMEDIATE").await;
        let path = Arc::clone(&self.reader.path);
        match begun {
            Ok(db) => Ok(Writing { db, path, doing }),
            Err(cause) => Err(StoreError::of(&path, doing, cause)),
        }
    }
}

impl Reader {
    /// The same reader, whose snapshots show everything as it will be when the next start has followed these. Nothing is
    /// written.
    #[must_use]
    pub fn following(self, take_overs: Vec<TakeOver>) -> Reader {
        let take_overs = take_overs.into();
        Reader { take_overs, ..self }
    }

    /// One consistent state of the store, unmoved by what is written meanwhile.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let begun = async {
            let mut db = self.connections.begin().await?;
            // The state is fixed by the first read, not by the beginning.
            sqlx::query("SELECT COUNT(*) FROM directory")
                .execute(&mut *db)
                .await?;
            if !self.take_overs.is_empty() {
                entries::rehearse(&mut db, &self.take_overs).await?;
            }
            Ok::<_, sqlx::Error>(db)
        };
        let path = Arc::clone(&self.path);
        match begun.await {
            Ok(db) => Ok(Snapshot { db, path }),
            Err(cause) => Err(StoreError::of(&path, "beginning to read", cause)),
        }
    }

    /// Ends all connections.
    pub async fn close(self) {
        self.connections.close().await;
    }
}

impl Snapshot {
    /// Names path and operation in the error of a read.
    fn done<T>(&self, doing: &'static str, answer: sqlx::Result<T>) -> Result<T, StoreError> {
        answer.map_err(|cause| StoreError::of(&self.path, doing, cause))
    }
}

impl Writing {
    fn db(&mut self) -> &mut Connection {
        &mut self.db
    }

    /// Makes durable what was written, or undoes it and names path and operation in the error.
    async fn end<T>(self, work: Result<T, impl Into<Stop>>) -> Result<T, StoreError> {
        let Writing { db, path, doing } = self;
        let ended = match work {
            Ok(answer) => db.commit().await.map(|()| answer).map_err(Stop::from),
            Err(cause) => {
                // Undone at once and not at the next use, so that the file's lock is free.
                db.rollback().await.ok();
                Err(cause.into())
            }
        };
        ended.map_err(|cause| StoreError::of(&path, doing, cause))
    }
}
