//! The sets that wait for a person.
//!
//! A set is what one application holds for one reason, or the suspect read of one directory. Its id is made from its content,
//! so it stays while the content stays and an operator who types it means what was shown. The rows of [`held`](super::held)
//! say from which push to which they were held; a set is the rows of one push, so it copies nothing, and one that an operator
//! may have seen can be approved for a while after it changed.

use sqlx::Row as _;

use crate::clock::Timestamp;
use crate::store::dialect::{
    Connection, Pages, Row, Statement, garbled, gather, of_json, statement,
};
use crate::store::{Snapshot, StoreError, Suspect, held};
use crate::text::Span;

/// The stable word under which the suspect read of a directory is held.
pub(super) const SUSPECT_READ: &str = "suspect_read";

/// How long a set can be approved after it changed or went: an operator may be looking at it.
pub const APPROVABLE_FOR: Span = Span::hours(24);

/// A set that an operator can approve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldSet {
    /// What `approve` takes: the reason's initials and a digest of the content.
    pub id: String,
    /// Whose set it is.
    pub of: SetOf,
    /// The stable word of the reason; `suspect_read` for a directory.
    pub reason: String,
    /// When this content was first seen.
    pub seen_at: Timestamp,
    /// How many changes it holds; 0 for a directory.
    pub changes: u64,
    /// What a suspect read would lose, as its guard wrote it (JSON).
    pub summary: Option<String>,
}

/// Whose set it is, by the id of the entry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SetOf {
    /// What an application holds for one reason.
    Application(String),
    /// The suspect read of a directory.
    Directory(String),
}

/// The owner of a set, by number.
#[derive(Clone, Copy, Debug)]
pub(super) enum Owner {
    Application(i64),
    Directory(i64),
}

/// A set as a row.
pub(super) struct SetRow {
    pub(super) number: i64,
    pub(super) application: Option<i64>,
    pub(super) push: i64,
    pub(super) set: HeldSet,
}

const SETS: &str =
    "SELECT held_set.number, held_set.id, held_set.application, application.id AS application_id,
    directory.id AS directory_id, held_set.reason, held_set.push, held_set.summary, held_set.seen_at
    FROM held_set LEFT JOIN application ON application.number = held_set.application
    LEFT JOIN directory ON directory.number = held_set.directory
    WHERE held_set.replaced_at IS NULL ORDER BY application.id, directory.id, held_set.reason";

const SET: &str =
    "SELECT held_set.number, held_set.id, held_set.application, application.id AS application_id,
    directory.id AS directory_id, held_set.reason, held_set.push, held_set.summary, held_set.seen_at
    FROM held_set LEFT JOIN application ON application.number = held_set.application
    LEFT JOIN directory ON directory.number = held_set.directory
    WHERE held_set.id = $1 AND (held_set.replaced_at IS NULL OR held_set.replaced_at > $2)
    ORDER BY held_set.number DESC LIMIT 1";

const CHANGES: Pages = Pages {
    next: "SELECT MIN(serial) FROM held WHERE application = $1 AND waiting = 0 AND reason = $2 AND from_push <= $3
        AND (gone_push IS NULL OR gone_push > $3) AND serial > $4",
    page: "SELECT CAST(GATHER(TUPLE(subject, change)) AS TEXT)
        FROM held WHERE application = $1 AND waiting = 0 AND reason = $2 AND from_push <= $3
        AND (gone_push IS NULL OR gone_push > $3) AND serial >= $4 AND serial < $5",
};

impl Snapshot {
    /// The sets that are held now, by owner and reason.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn held_sets(&mut self) -> Result<Vec<HeldSet>, StoreError> {
        let answer = sets(&mut self.db).await;
        self.done("reading what is held", answer)
    }
}

impl Owner {
    /// The two columns that name it.
    pub(super) fn columns(self) -> (Option<i64>, Option<i64>) {
        match self {
            Owner::Application(number) => (Some(number), None),
            Owner::Directory(number) => (None, Some(number)),
        }
    }
}

/// The id of a set: the initials of its reason and eight digits that stand for its content.
pub(super) fn id_of<'a>(reason: &str, content: impl IntoIterator<Item = &'a str>) -> String {
    let initials = reason.split('_').filter_map(|word| word.chars().next());
    let initials: String = initials.collect();
    let digest = digest(content);
    format!("{initials}-{:08x}", (digest >> 32) ^ (digest & 0xffff_ffff))
}

/// FNV-1a with 64 bits over the parts, each with its end marked by a byte that UTF-8 never has.
pub(crate) fn digest<'a>(parts: impl IntoIterator<Item = &'a str>) -> u64 {
    let mut digest = 0xcbf2_9ce4_8422_2325_u64;
    for part in parts {
        for byte in part.bytes().chain([0xff]) {
            digest = (digest ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    digest
}

/// Shows a set from this push on, in place of the one that its owner had for that reason.
pub(super) async fn show_set(
    db: &mut Connection,
    owner: Owner,
    reason: &str,
    id: &str,
    push: i64,
    summary: Option<&str>,
    at: Timestamp,
) -> sqlx::Result<()> {
    end_sets(db, owner, reason, at).await?;
    let (application, directory) = owner.columns();
    let new = "INSERT INTO held_set (id, application, directory, reason, push, summary, seen_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let new = statement(new).bind(id).bind(application).bind(directory);
    let new = new.bind(reason).bind(push).bind(summary).bind(at.0);
    new.execute(db).await?;
    Ok(())
}

/// Shows the set that its owner has for a reason no longer.
pub(super) async fn end_sets(
    db: &mut Connection,
    owner: Owner,
    reason: &str,
    at: Timestamp,
) -> sqlx::Result<()> {
    let (application, directory) = owner.columns();
    let end = "UPDATE held_set SET replaced_at = $4 WHERE application IS NOT DISTINCT FROM $1
        AND directory IS NOT DISTINCT FROM $2 AND reason = $3 AND replaced_at IS NULL";
    let end = statement(end).bind(application).bind(directory);
    end.bind(reason).bind(at.0).execute(db).await?;
    Ok(())
}

/// What is kept aside of a directory.
pub(super) async fn suspect(db: &mut Connection, directory: i64) -> sqlx::Result<Option<Suspect>> {
    let shown =
        "SELECT id, seen_at, summary FROM held_set WHERE directory = $1 AND replaced_at IS NULL";
    let Some(row) = statement(shown).bind(directory).fetch_optional(db).await? else {
        return Ok(None);
    };
    Ok(Some(Suspect {
        id: row.try_get(0)?,
        seen_at: Timestamp(row.try_get(1)?),
        summary: row.try_get(2)?,
    }))
}

/// Shows a suspect read as a set and gives its id back.
pub(super) async fn show_suspect(
    db: &mut Connection,
    id: &str,
    directory: i64,
    summary: &str,
    at: Timestamp,
) -> sqlx::Result<String> {
    let new = id_of(SUSPECT_READ, [id, summary]);
    if suspect(db, directory)
        .await?
        .map(|it| it.summary)
        .as_deref()
        != Some(summary)
    {
        let owner = Owner::Directory(directory);
        show_set(db, owner, SUSPECT_READ, &new, 0, Some(summary), at).await?;
    }
    Ok(new)
}

async fn sets(db: &mut Connection) -> sqlx::Result<Vec<HeldSet>> {
    let mut sets = Vec::new();
    for row in statement(SETS).fetch_all(&mut *db).await? {
        let mut row = set_of(&row)?;
        if let Some(application) = row.application {
            let count = held::count(db, application, &row.set.reason).await?;
            row.set.changes = count;
        }
        sets.push(row.set);
    }
    Ok(sets)
}

fn set_of(row: &Row) -> sqlx::Result<SetRow> {
    let application: Option<String> = row.try_get("application_id")?;
    let directory: Option<String> = row.try_get("directory_id")?;
    let of = match (application, directory) {
        (Some(id), _) => SetOf::Application(id),
        (None, Some(id)) => SetOf::Directory(id),
        (None, None) => return Err(garbled("a set belongs to nothing")),
    };
    Ok(SetRow {
        number: row.try_get("number")?,
        application: row.try_get("application")?,
        push: row.try_get("push")?,
        set: HeldSet {
            id: row.try_get("id")?,
            of,
            reason: row.try_get("reason")?,
            seen_at: Timestamp(row.try_get("seen_at")?),
            changes: 0,
            summary: row.try_get("summary")?,
        },
    })
}

/// A set that can be approved at a moment, with its subjects and changes.
pub(super) async fn find(
    db: &mut Connection,
    id: &str,
    now: Timestamp,
) -> sqlx::Result<Option<(SetRow, Vec<(String, String)>)>> {
    let before = now.0.saturating_sub(APPROVABLE_FOR.as_seconds());
    let found = statement(SET).bind(id.to_owned()).bind(before);
    let Some(row) = found.fetch_optional(&mut *db).await? else {
        return Ok(None);
    };
    let mut row = set_of(&row)?;
    let mut changes = Vec::new();
    if let Some(application) = row.application {
        changes = changes_of(db, application, &row.set.reason, row.push).await?;
        row.set.changes = changes.len() as u64;
    }
    Ok(Some((row, changes)))
}

/// Subject and change of what an application held for a reason at a push.
pub(super) async fn changes_of(
    db: &mut Connection,
    application: i64,
    reason: &str,
    push: i64,
) -> sqlx::Result<Vec<(String, String)>> {
    let mut changes = Vec::new();
    let bind = |it: Statement| it.bind(application).bind(reason.to_owned()).bind(push);
    gather(db, &CHANGES, bind, |page| {
        let page: Vec<(String, String)> = of_json(page)?;
        changes.extend(page);
        Ok(())
    })
    .await?;
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_the_reason_and_stands_for_the_content() {
        let id = |content: &[&str]| id_of("removals_limit", content.iter().copied());
        assert_eq!(id(&["wiki", "user anna", "deactivate"]), "rl-93bd01b6");
        assert_ne!(id(&["ab", "c"]), id(&["a", "bc"]));
        assert_eq!(id_of("seats", []), "s-4fd0bfc1");
    }

    #[test]
    fn the_digest_is_fnv_1a() {
        // The published values of the empty text and of `a`, before the mark at the end of a part.
        assert_eq!(digest([]), 0xcbf2_9ce4_8422_2325);
        let a = 0xaf63_dc4c_8601_ec8c_u64;
        assert_eq!(
            digest(["a"]),
            (a ^ 0xff).wrapping_mul(0x0000_0100_0000_01b3)
        );
    }
}
