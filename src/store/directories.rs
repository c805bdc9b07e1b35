//! What is remembered of a directory beside its records.

use sqlx::Row as _;

use crate::clock::Timestamp;
use crate::model::Tally;
use crate::store::dialect::{Connection, Row, count, statement, time};
use crate::store::{Snapshot, StoreError, sets};

/// Which records of a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slot {
    /// The last complete ones that were accepted: they serve.
    Accepted,
    /// Complete ones that a guard keeps aside until a person has looked.
    Suspect,
}

/// What is remembered of a directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DirectoryState {
    /// Raised by every accepted change of the records; 0 before the first.
    pub revision: u64,
    /// When the last complete read was accepted. An accepted delta, also an empty one, counts.
    pub read_at: Option<Timestamp>,
    /// When the one before it was.
    pub previous_read_at: Option<Timestamp>,
    /// When the last accepted read that was no delta was made.
    pub complete_at: Option<Timestamp>,
    /// Where the next read may go on.
    pub cursor: Option<String>,
    /// Digest of the connector's configuration under which the last accepted read was made; empty before the first.
    pub basis: String,
    /// How much the accepted records hold.
    pub tally: Tally,
    /// The accepted states that the guards may look at, the oldest first. The first may have begun before the window.
    pub high_water: Vec<HighWater>,
    /// The last read that was tried.
    pub attempt: Option<Attempt>,
    /// What is kept aside.
    pub suspect: Option<Suspect>,
}

/// How much a directory held from one moment on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HighWater {
    /// When that state was accepted. It lasted until the next one.
    pub since: Timestamp,
    /// Its users.
    pub users: u64,
    /// Its memberships.
    pub memberships: u64,
}

/// A read that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// When.
    pub at: Timestamp,
    /// The stable word and the text of its error; `None` if it was complete.
    pub failure: Option<(String, String)>,
}

/// A read that is kept aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspect {
    /// The id that an approval names.
    pub id: String,
    /// When a read with these losses was first seen.
    pub seen_at: Timestamp,
    /// What would be lost, as the guard wrote it (JSON).
    pub summary: String,
}

impl Slot {
    pub(super) fn number(self) -> i64 {
        match self {
            Slot::Accepted => 0,
            Slot::Suspect => 1,
        }
    }
}

impl Snapshot {
    /// What is remembered of a directory, by the id of its entry; `None` if it was never tried.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn directory(&mut self, id: &str) -> Result<Option<DirectoryState>, StoreError> {
        let answer = load(&mut self.db, id).await;
        self.done("reading the state of a directory", answer)
    }
}

/// The number of a directory, given to it now if it has none.
pub(super) async fn number(db: &mut Connection, id: &str) -> sqlx::Result<i64> {
    if let Some(number) = known(db, id).await? {
        return Ok(number);
    }
    let new = "INSERT INTO directory (id) VALUES ($1) RETURNING number";
    statement(new).bind(id).fetch_one(db).await?.try_get(0)
}

/// The number of a directory, if it was ever tried.
pub(super) async fn known(db: &mut Connection, id: &str) -> sqlx::Result<Option<i64>> {
    let known = "SELECT number FROM directory WHERE id = $1";
    let row = statement(known).bind(id).fetch_optional(db).await?;
    row.map(|row| row.try_get(0)).transpose()
}

/// Number and revision of a directory whose slot holds something.
pub(super) async fn filled(
    db: &mut Connection,
    id: &str,
    slot: Slot,
) -> sqlx::Result<Option<(i64, u64)>> {
    let text = match slot {
        Slot::Accepted => {
            "SELECT number, revision FROM directory WHERE id = $1 AND read_at IS NOT NULL"
        }
        Slot::Suspect => {
            "SELECT number, revision FROM directory WHERE id = $1 AND number IN
                (SELECT directory FROM held_set WHERE replaced_at IS NULL)"
        }
    };
    let Some(row) = statement(text).bind(id).fetch_optional(db).await? else {
        return Ok(None);
    };
    Ok(Some((row.try_get(0)?, count(&row, 1)?)))
}

pub(super) async fn load(db: &mut Connection, id: &str) -> sqlx::Result<Option<DirectoryState>> {
    let row = "SELECT * FROM directory WHERE id = $1";
    let Some(row) = statement(row).bind(id).fetch_optional(&mut *db).await? else {
        return Ok(None);
    };
    let number: i64 = row.try_get("number")?;
    let mut state = state_of(&row)?;
    let marks = "SELECT since, user_count, membership_count FROM high_water WHERE directory = $1 ORDER BY since";
    for row in statement(marks).bind(number).fetch_all(&mut *db).await? {
        state.high_water.push(HighWater {
            since: Timestamp(row.try_get(0)?),
            users: count(&row, 1)?,
            memberships: count(&row, 2)?,
        });
    }
    state.suspect = sets::suspect(db, number).await?;
    Ok(Some(state))
}

fn state_of(row: &Row) -> sqlx::Result<DirectoryState> {
    let word: Option<String> = row.try_get("failure_word")?;
    let text: Option<String> = row.try_get("failure_text")?;
    let attempted_at = time(row, "attempted_at")?;
    Ok(DirectoryState {
        revision: count(row, "revision")?,
        read_at: time(row, "read_at")?,
        previous_read_at: time(row, "previous_read_at")?,
        complete_at: time(row, "complete_at")?,
        cursor: row.try_get("cursor")?,
        basis: row.try_get("basis")?,
        tally: Tally {
            users: count(row, "user_count")?,
            groups: count(row, "group_count")?,
            memberships: count(row, "membership_count")?,
            rejected: count(row, "rejected_count")?,
            references: count(row, "reference_count")?,
            unknown: count(row, "unknown_count")?,
        },
        high_water: Vec::new(),
        attempt: attempted_at.map(|at| Attempt {
            at,
            failure: word.zip(text),
        }),
        suspect: None,
    })
}
