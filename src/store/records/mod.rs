//! The records of directories as rows, and back.
//!
//! A record's row is named by its serial, which it keeps as long as its stable id is shown, so that memberships are pairs of
//! small numbers and a read that changes little writes little. Loading gives the serials back beside the records: the next
//! read is compared with those, not with the table.

mod changed;
mod diff;
mod write;

use std::borrow::Cow;
use std::sync::Arc;

use futures_util::TryStreamExt as _;
use serde::Deserialize;
use sqlx::Row as _;

use crate::model::{
    Csr, GroupRecord, Pool, RecordKind, Records, Reference, Rejected, StrId, UserRecord,
};
use crate::store::dialect::{Connection, Pages, Statement, garbled, gather, of_json, statement};
use crate::store::{Slot, Snapshot, StoreError, directories, words};

pub use changed::Changed;
pub(super) use changed::change;
pub(super) use write::{clear, move_to, replace};

/// Records as they stand in the store, each with its row.
#[derive(Clone, Debug)]
pub struct StoredRecords {
    /// What the directory said.
    pub records: Arc<Records>,
    /// The directory's revision when they were loaded.
    pub revision: u64,
    pub(super) rows: Rows,
}

/// The serial of each record, in the order of the records, rising.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    pub(super) users: Vec<u32>,
    pub(super) groups: Vec<u32>,
    pub(super) references: Vec<u32>,
    pub(super) rejected: Vec<u32>,
}

/// The rows of one directory in one slot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The directory's number.
    pub(super) directory: i64,
    pub(super) slot: i64,
}

#[derive(Deserialize)]
struct UserRow<'a> {
    serial: u32,
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    username: Cow<'a, str>,
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(borrow)]
    display_name: Cow<'a, str>,
    #[serde(borrow)]
    given_name: Cow<'a, str>,
    #[serde(borrow)]
    family_name: Cow<'a, str>,
    #[serde(borrow)]
    email: Cow<'a, str>,
    #[serde(borrow)]
    handle: Cow<'a, str>,
    status: &'a str,
    kind: Option<&'a str>,
    unknown: i64,
    extra: Option<String>,
}

const USERS: Pages = Pages {
    next: "SELECT MIN(serial) FROM user_record WHERE directory = $1 AND slot = $2 AND serial > $3",
    page:
        "SELECT CAST(GATHER(TUPLE(serial, id, username, key, display_name, given_name, family_name,
        email, handle, status, kind, unknown, extra)) AS TEXT)
        FROM user_record WHERE directory = $1 AND slot = $2 AND serial >= $3 AND serial < $4",
};

#[derive(Deserialize)]
struct GroupRow<'a> {
    serial: u32,
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(borrow)]
    description: Cow<'a, str>,
    #[serde(borrow)]
    handle: Cow<'a, str>,
    unknown: i64,
}

const GROUPS: Pages = Pages {
    next: "SELECT MIN(serial) FROM group_record WHERE directory = $1 AND slot = $2 AND serial > $3",
    page: "SELECT CAST(GATHER(TUPLE(serial, id, name, key, description, handle, unknown)) AS TEXT)
        FROM group_record WHERE directory = $1 AND slot = $2 AND serial >= $3 AND serial < $4",
};

const MEMBERS: &str = "SELECT grp, CAST(GATHER(target) AS TEXT) FROM member
    WHERE directory = $1 AND slot = $2 AND kind = $3 GROUP BY grp";

#[derive(Deserialize)]
struct ReferenceRow<'a> {
    serial: u32,
    grp: u32,
    kind: Option<i64>,
    #[serde(borrow)]
    handle: Cow<'a, str>,
}

const REFERENCES: Pages = Pages {
    next: "SELECT MIN(serial) FROM reference WHERE directory = $1 AND slot = $2 AND serial > $3",
    page: "SELECT CAST(GATHER(TUPLE(serial, grp, kind, handle)) AS TEXT)
        FROM reference WHERE directory = $1 AND slot = $2 AND serial >= $3 AND serial < $4",
};

#[derive(Deserialize)]
struct RejectedRow<'a> {
    serial: u32,
    kind: i64,
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(borrow)]
    handle: Cow<'a, str>,
    #[serde(borrow)]
    label: Cow<'a, str>,
    #[serde(borrow)]
    fault: Cow<'a, str>,
}

const REJECTED: Pages = Pages {
    next: "SELECT MIN(serial) FROM rejected_record WHERE directory = $1 AND slot = $2 AND serial > $3",
    page: "SELECT CAST(GATHER(TUPLE(serial, kind, id, key, handle, label, fault)) AS TEXT)
        FROM rejected_record WHERE directory = $1 AND slot = $2 AND serial >= $3 AND serial < $4",
};

impl Snapshot {
    /// The records of a directory, by the id of its entry; `None` if that slot holds none. Their order is that in which they
    /// were first read.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn records(
        &mut self,
        directory: &str,
        slot: Slot,
    ) -> Result<Option<StoredRecords>, StoreError> {
        let answer = stored(&mut self.db, directory, slot).await;
        self.done("reading the records of a directory", answer)
    }
}

impl Place {
    /// Binds the two columns that lead every key.
    pub(super) fn bind(self, statement: Statement) -> Statement {
        statement.bind(self.directory).bind(self.slot)
    }

    pub(super) fn numbers(self) -> [i64; 2] {
        [self.directory, self.slot]
    }
}

/// The records of a directory, each with its row.
pub(super) async fn stored(
    db: &mut Connection,
    directory: &str,
    slot: Slot,
) -> sqlx::Result<Option<StoredRecords>> {
    let Some((directory, revision)) = directories::filled(db, directory, slot).await? else {
        return Ok(None);
    };
    let slot = slot.number();
    let (records, rows) = load(db, Place { directory, slot }).await?;
    Ok(Some(StoredRecords {
        records: Arc::new(records),
        revision,
        rows,
    }))
}

async fn load(db: &mut Connection, place: Place) -> sqlx::Result<(Records, Rows)> {
    let (mut records, mut rows) = (Records::default(), Rows::default());
    let bind = |it| place.bind(it);
    gather(db, &USERS, bind, |page| {
        let page: Vec<UserRow<'_>> = serde_json::from_str(page).map_err(garbled)?;
        page.iter()
            .try_for_each(|row| add_user(&mut records, &mut rows, row))
    })
    .await?;
    gather(db, &GROUPS, bind, |page| {
        let page: Vec<GroupRow<'_>> = serde_json::from_str(page).map_err(garbled)?;
        for row in &page {
            add_group(&mut records, &mut rows, row);
        }
        Ok(())
    })
    .await?;
    records.members = members(db, place, RecordKind::User, &rows.groups, &rows.users).await?;
    records.children = members(db, place, RecordKind::Group, &rows.groups, &rows.groups).await?;
    gather(db, &REFERENCES, bind, |page| {
        let page: Vec<ReferenceRow<'_>> = serde_json::from_str(page).map_err(garbled)?;
        page.iter()
            .try_for_each(|row| add_reference(&mut records, &mut rows, row))
    })
    .await?;
    gather(db, &REJECTED, bind, |page| {
        let page: Vec<RejectedRow<'_>> = serde_json::from_str(page).map_err(garbled)?;
        page.iter()
            .try_for_each(|row| add_rejected(&mut records, &mut rows, row))
    })
    .await?;
    records.pool.shrink();
    Ok((records, rows))
}

fn add_user(records: &mut Records, rows: &mut Rows, row: &UserRow<'_>) -> sqlx::Result<()> {
    let index = records.users.len() as u32;
    if let Some(extra) = &row.extra {
        let extra: Vec<(String, String)> = of_json(extra)?;
        for (name, value) in extra {
            let (name, value) = (records.pool.add(&name), records.pool.add(&value));
            records.extra.push((index, name, value));
        }
    }
    let pool = &mut records.pool;
    let id = pool.add(&row.id);
    let username = pool.add(&row.username);
    let key = add_unless(pool, &row.key, &[username]);
    records.users.push(UserRecord {
        id,
        username,
        key,
        display_name: pool.add(&row.display_name),
        given_name: pool.add(&row.given_name),
        family_name: pool.add(&row.family_name),
        email: pool.add(&row.email),
        handle: add_unless(pool, &row.handle, &[id, key, username]),
        status: words::status(row.status)?,
        kind: row.kind.map(words::kind).transpose()?,
        unknown: row.unknown != 0,
    });
    rows.users.push(row.serial);
    Ok(())
}

fn add_group(records: &mut Records, rows: &mut Rows, row: &GroupRow<'_>) {
    let pool = &mut records.pool;
    let id = pool.add(&row.id);
    let name = pool.add(&row.name);
    let key = add_unless(pool, &row.key, &[name]);
    records.groups.push(GroupRecord {
        id,
        name,
        key,
        description: pool.add(&row.description),
        handle: add_unless(pool, &row.handle, &[id, key, name]),
        unknown: row.unknown != 0,
    });
    rows.groups.push(row.serial);
}

fn add_reference(
    records: &mut Records,
    rows: &mut Rows,
    row: &ReferenceRow<'_>,
) -> sqlx::Result<()> {
    records.references.push(Reference {
        group: index_of(&rows.groups, row.grp)?,
        kind: row.kind.map(words::record_kind).transpose()?,
        handle: records.pool.add(&row.handle),
    });
    rows.references.push(row.serial);
    Ok(())
}

fn add_rejected(records: &mut Records, rows: &mut Rows, row: &RejectedRow<'_>) -> sqlx::Result<()> {
    let pool = &mut records.pool;
    records.rejected.push(Rejected {
        what: words::record_kind(row.kind)?,
        id: pool.add(&row.id),
        key: pool.add(&row.key),
        handle: pool.add(&row.handle),
        label: pool.add(&row.label),
        reason: pool.add(&row.fault),
    });
    rows.rejected.push(row.serial);
    Ok(())
}

/// The memberships of one kind, from one row a group, with serials made indices.
async fn members(
    db: &mut Connection,
    place: Place,
    kind: RecordKind,
    groups: &[u32],
    targets: &[u32],
) -> sqlx::Result<Csr> {
    let mut pairs = Vec::new();
    let all = place
        .bind(statement(MEMBERS))
        .bind(words::of_record_kind(kind));
    let mut all = all.fetch(db);
    while let Some(row) = all.try_next().await? {
        let group = index_of(groups, row.try_get(0)?)?;
        let list: Vec<u32> = of_json(row.try_get(1)?)?;
        for target in list {
            pairs.push((group, index_of(targets, target)?));
        }
    }
    Ok(Csr::from_pairs(groups.len(), &pairs))
}

/// Where a serial stands in rising serials. Few are missing, so it stands at most that many places before its own number.
fn index_of(serials: &[u32], serial: u32) -> sqlx::Result<u32> {
    let last = serials.last().map_or(0, |it| *it as usize + 1);
    let missing = last - serials.len();
    let end = (serial as usize + 1).min(serials.len());
    let start = (serial as usize).saturating_sub(missing).min(end);
    match serials[start..end].binary_search(&serial) {
        Ok(at) => Ok((start + at) as u32),
        Err(_) => Err(garbled(format!(
            "a row names serial {serial}, which is missing"
        ))),
    }
}

/// The number of a text that may already stand under one of these numbers; most keys and handles do.
fn add_unless(pool: &mut Pool, text: &str, known: &[StrId]) -> StrId {
    let found = known.iter().copied().find(|it| pool.get(*it) == text);
    found.unwrap_or_else(|| pool.add(text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::model::{Csr, Kind, RecordKind, Records, Rejected, Status, StrId};
    use crate::store::testing::{any_records, at, lines, read, records, rows_written, store};
    use crate::store::{Slot, Store, StoredRecords};

    async fn stored(store: &Store, directory: &str) -> StoredRecords {
        let mut snapshot = store.snapshot().await.unwrap();
        let stored = snapshot.records(directory, Slot::Accepted).await.unwrap();
        stored.unwrap()
    }

    #[tokio::test]
    async fn records_that_were_never_read_are_no_records() {
        let (_folder, store) = store().await;
        let failure = Some(("unavailable", "no answer"));
        store.note_attempt("hr", at(0), failure).await.unwrap();
        let mut snapshot = store.snapshot().await.unwrap();
        for slot in [Slot::Accepted, Slot::Suspect] {
            assert!(snapshot.records("hr", slot).await.unwrap().is_none());
        }
    }

    #[tokio::test]
    async fn an_empty_directory_is_known_to_be_empty() {
        let (_folder, store) = store().await;
        let none = records(&[], &[]);
        let revision = store.accept("hr", None, &none, read(at(0))).await.unwrap();
        assert_eq!(revision, 1);
        assert!(lines(&stored(&store, "hr").await.records).is_empty());
    }

    #[test]
    fn any_records_come_back_as_they_were_accepted() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let (_folder, store) = runtime.block_on(store());
        let cases = std::cell::Cell::new(0);
        let states = proptest::collection::vec(any_records(), 1..4);
        let config = ProptestConfig::with_cases(96);
        proptest!(config, |(states in states)| {
            let case = cases.replace(cases.get() + 1);
            let directory = format!("directory {case}");
            runtime.block_on(async {
                let mut old = None;
                for state in &states {
                    let read = read(at(case));
                    store.accept(&directory, old.as_ref(), state, read).await.unwrap();
                    let new = stored(&store, &directory).await;
                    assert_eq!(lines(&new.records), lines(state));
                    assert_eq!(new.records.tally(), state.tally());
                    old = Some(new);
                }
            });
        });
    }

    /// One change to records, whose texts come from their pool.
    type Edit = fn(&mut Records, StrId);

    /// Every field of every record, alone.
    const EDITS: [(&str, Edit); 25] = [
        ("username", |it, text| it.users[1].username = text),
        ("key", |it, text| it.users[1].key = text),
        ("display name", |it, text| it.users[1].display_name = text),
        ("given name", |it, text| it.users[1].given_name = text),
        ("family name", |it, text| it.users[1].family_name = text),
        ("email", |it, text| it.users[1].email = text),
        ("handle", |it, text| it.users[1].handle = text),
        ("status", |it, _| it.users[1].status = Status::Unknown),
        ("kind", |it, _| it.users[1].kind = Some(Kind::Customer)),
        ("unknown", |it, _| it.users[1].unknown = true),
        ("id", |it, text| it.users[1].id = text),
        ("extra value", |it, text| it.extra.push((1, text, text))),
        ("group name", |it, text| it.groups[1].name = text),
        ("group key", |it, text| it.groups[1].key = text),
        ("description", |it, text| it.groups[1].description = text),
        ("group handle", |it, text| it.groups[1].handle = text),
        ("group unknown", |it, _| it.groups[1].unknown = true),
        ("group id", |it, text| it.groups[0].id = text),
        ("reference's handle", |it, text| {
            it.references[0].handle = text;
        }),
        ("reference's kind", |it, _| {
            it.references[0].kind = Some(RecordKind::User);
        }),
        // Both groups have one id, so only the row tells them apart.
        ("reference's group", |it, _| it.references[0].group = 2),
        ("rejected id", |it, text| it.rejected[0].id = text),
        ("rejected reason", |it, text| it.rejected[0].reason = text),
        ("rejected what", |it, _| {
            it.rejected[0].what = RecordKind::Group;
        }),
        ("children", |it, _| {
            it.children = Csr::from_pairs(3, &[(2, 0)]);
        }),
    ];

    #[tokio::test]
    async fn a_change_of_any_single_field_is_written() {
        let (_folder, store) = store().await;
        let groups: [(&str, &[&str]); 3] = [("all", &["u0"]), ("one", &["gone"]), ("twin", &[])];
        let mut base = records(&["u0", "u1", "u2"], &groups);
        base.groups[2].id = base.groups[1].id;
        base.rejected.push(Rejected {
            what: RecordKind::User,
            id: base.users[0].id,
            key: StrId::EMPTY,
            handle: StrId::EMPTY,
            label: StrId::EMPTY,
            reason: StrId::EMPTY,
        });
        for (index, (what, edit)) in EDITS.iter().enumerate() {
            let directory = format!("directory {index}");
            let first = store.accept(&directory, None, &base, read(at(0)));
            first.await.unwrap();
            let old = stored(&store, &directory).await;
            let mut new = base.clone();
            let other = new.pool.add("something else");
            edit(&mut new, other);
            assert_ne!(lines(&new), lines(&base), "{what}");
            let accept = store.accept(&directory, Some(&old), &new, read(at(1)));
            assert_eq!(accept.await.unwrap(), 2, "{what}");
            let now = stored(&store, &directory).await;
            assert_eq!(lines(&now.records), lines(&new), "{what}");
        }
    }

    #[tokio::test]
    async fn rows_that_did_not_change_are_not_written() {
        let (_folder, store) = store().await;
        let ids: Vec<String> = (0..200).map(|it| format!("u{it}")).collect();
        let mut users: Vec<&str> = ids.iter().map(String::as_str).collect();
        let all = users.clone();
        let first = records(&users, &[("staff", &all), ("few", &["u1", "gone"])]);
        store.accept("hr", None, &first, read(at(0))).await.unwrap();
        let old = stored(&store, "hr").await;

        // The same in another order: the row of the directory and its mark of the last read.
        users.reverse();
        let same = records(&users, &[("few", &["gone", "u1"]), ("staff", &all)]);
        let before = rows_written(&store).await;
        let revision = store.accept("hr", Some(&old), &same, read(at(1))).await;
        assert_eq!(revision.unwrap(), old.revision);
        assert_eq!(rows_written(&store).await - before, 1);

        // One user gone from a group, one new user, one reference gone.
        users.push("new");
        let fewer: Vec<&str> = all[1..].to_vec();
        let next = records(&users, &[("staff", &fewer), ("few", &["u1", "new"])]);
        let before = rows_written(&store).await;
        let revision = store.accept("hr", Some(&old), &next, read(at(2))).await;
        assert_eq!(revision.unwrap(), old.revision + 1);
        // The user, a membership less, one more, the reference, the directory, a high-water mark.
        assert_eq!(rows_written(&store).await - before, 6);
        assert_eq!(lines(&stored(&store, "hr").await.records), lines(&next));
    }

    #[tokio::test]
    async fn a_read_compared_with_older_records_is_refused() {
        let (_folder, store) = store().await;
        let first = records(&["u1"], &[]);
        store.accept("hr", None, &first, read(at(0))).await.unwrap();
        let old = stored(&store, "hr").await;
        let second = records(&["u1", "u2"], &[]);
        let accept = store.accept("hr", Some(&old), &second, read(at(1))).await;
        accept.unwrap();
        let third = records(&["u3"], &[]);
        let accept = store.accept("hr", Some(&old), &third, read(at(2))).await;
        let fault = accept.unwrap_err();
        assert!(matches!(fault, crate::store::StoreError::Overtaken { .. }));
        assert_eq!(lines(&stored(&store, "hr").await.records), lines(&second));
    }

    #[tokio::test]
    async fn records_are_found_beyond_a_long_gap_of_serials() {
        let (_folder, store) = store().await;
        let ids: Vec<String> = (0..3_500).map(|it| format!("u{it}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let all = records(&ids, &[("staff", &ids[..9])]);
        store.accept("hr", None, &all, read(at(0))).await.unwrap();
        let old = stored(&store, "hr").await;
        let ends = [&ids[..9], &ids[3_400..]].concat();
        let ends = records(&ends, &[("staff", &ids[3_400..])]);
        let accept = store.accept("hr", Some(&old), &ends, read(at(1)));
        accept.await.unwrap();
        assert_eq!(lines(&stored(&store, "hr").await.records), lines(&ends));
    }

    #[test]
    fn a_serial_is_found_among_few_missing_ones() {
        let serials = [0, 1, 3, 4, 7];
        for (index, serial) in serials.iter().enumerate() {
            assert_eq!(super::index_of(&serials, *serial).unwrap(), index as u32);
        }
        for missing in [2, 5, 6, 8, 99] {
            assert!(super::index_of(&serials, missing).is_err(), "{missing}");
        }
        assert!(super::index_of(&[], 0).is_err());
    }
}
