//! What a running daemon keeps of a directory between its reads, so that one which brings nothing new costs next to nothing.
//!
//! Nothing of it is needed: each piece is held against the state of the store before it is used, and a process that dies
//! loses only what the directory tells again.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::store::{DirectoryState, StoredRecords};
use crate::sync::parts::DirectoryPart;

/// How often the store is told that a directory still says what it said, in seconds: a poll every second would otherwise
/// write every second.
const TOLD_EVERY: i64 = 60;

/// What is kept of one directory.
#[derive(Debug, Default)]
pub struct Kept {
    /// Another read follows in this process. One pass by itself writes everything and keeps nothing.
    lasting: bool,
    unchanged: Option<Unchanged>,
    /// The accepted records, once the directory has shown that it answers with changes: these are merged into them.
    records: Option<Arc<StoredRecords>>,
}

/// A read that found nothing new, and that the store was not told of.
#[derive(Debug)]
struct Unchanged {
    /// What the store holds: the records' revision, and when it was last told of a read.
    revision: u64,
    read_at: Option<Timestamp>,
    /// Where the next read may go on. The store has an older cursor, which is valid still: losing this one costs nothing.
    cursor: Option<String>,
    at: Timestamp,
}

impl Kept {
    /// For one read, after which the process ends.
    pub fn for_one_pass() -> Kept {
        Kept::default()
    }

    /// For the reads of a daemon.
    pub fn for_many_passes() -> Kept {
        Kept {
            lasting: true,
            ..Kept::default()
        }
    }

    /// When it last answered completely, where the store was not told.
    pub fn read_at(&self) -> Option<Timestamp> {
        self.unchanged.as_ref().map(|it| it.at)
    }

    /// Where the next read may go on: the store's cursor, or the newer one of a read that the store was not told of.
    pub(super) fn cursor(&self, state: &DirectoryState) -> Option<String> {
        let newer = self.unchanged.as_ref();
        let newer = newer.filter(|it| it.revision == state.revision && it.read_at == state.read_at);
        newer.map_or_else(|| state.cursor.clone(), |it| it.cursor.clone())
    }

    /// The accepted records, if they are still those of the store.
    pub(super) fn records(&self, state: &DirectoryState) -> Option<Arc<StoredRecords>> {
        let fits = |it: &&Arc<StoredRecords>| it.revision == state.revision;
        self.records.as_ref().filter(fits).cloned()
    }

    /// Whether the store is to be told of a read that found nothing new: always at the end of one pass and after anything but
    /// a good read, else now and then, before anybody could take the directory for stale.
    pub(super) fn is_to_be_told(
        &self,
        part: &DirectoryPart,
        state: &DirectoryState,
        at: Timestamp,
    ) -> bool {
        let well = state
            .attempt
            .as_ref()
            .is_some_and(|it| it.failure.is_none());
        let often = TOLD_EVERY.min(part.stale_after.as_seconds() / 2);
        let told = state
            .read_at
            .is_some_and(|it| it <= at && at.0 - it.0 < often);
        !self.lasting || !told || !well || state.suspect.is_some() || state.basis != part.basis
    }

    /// A read found nothing new, and the store was not told.
    pub(super) fn unchanged(
        &mut self,
        state: &DirectoryState,
        cursor: Option<String>,
        at: Timestamp,
    ) {
        self.unchanged = Some(Unchanged {
            revision: state.revision,
            read_at: state.read_at,
            cursor,
            at,
        });
    }

    /// The store was told of a read.
    pub(super) fn told(&mut self) {
        self.unchanged = None;
    }

    /// The records that changes led to, as the store has them now.
    pub(super) fn keep(&mut self, records: StoredRecords) {
        self.records = self.lasting.then(|| Arc::new(records));
    }

    /// Forgets the records: it is not known what the store holds now, or how.
    pub(super) fn forget(&mut self) {
        self.records = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(revision: u64, read_at: i64) -> DirectoryState {
        DirectoryState {
            revision,
            read_at: Some(Timestamp(read_at)),
            cursor: Some("stored".to_owned()),
            ..DirectoryState::default()
        }
    }

    #[test]
    fn a_cursor_that_the_store_was_not_told_of_serves_while_the_store_stands_still() {
        let check = |then: DirectoryState, expect: &str| {
            let mut kept = Kept::for_many_passes();
            kept.unchanged(&state(7, 100), Some("newer".to_owned()), Timestamp(110));
            assert_eq!(kept.cursor(&then).as_deref(), Some(expect), "{then:?}");
        };
        check(state(7, 100), "newer");
        check(state(8, 100), "stored");
        check(state(7, 101), "stored");
    }

    #[test]
    fn once_told_the_store_has_the_cursor() {
        let mut kept = Kept::for_many_passes();
        kept.unchanged(&state(7, 100), None, Timestamp(110));
        assert_eq!(kept.cursor(&state(7, 100)), None);
        assert_eq!(kept.read_at(), Some(Timestamp(110)));
        kept.told();
        assert_eq!(kept.cursor(&state(7, 100)).as_deref(), Some("stored"));
        assert_eq!(kept.read_at(), None);
    }
}
