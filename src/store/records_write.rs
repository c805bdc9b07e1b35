//! Bringing the rows of one directory from the records they hold to other records, writing only what differs.

use std::fmt::Write as _;

use crate::model::{
    Csr, GroupRecord, NONE, RecordKind, Records, Reference, Rejected, StrId, UserRecord,
};
use crate::store::dialect::{
    Connection, Insert, Statement, edge, ends, for_listed, json, statement,
};
use crate::store::pairing::{Pairing, differences, pair};
use crate::store::records::{Place, Rows};
use crate::store::{StoredRecords, words};

const PUT_USERS: Insert = Insert {
    into: "INSERT INTO user_record (directory, slot, serial, id, username, key, display_name, given_name, family_name, email,
        handle, status, kind, unknown, extra) VALUES",
    width: 15,
    conflict: "ON CONFLICT (directory, slot, serial) DO UPDATE SET id = excluded.id, username = excluded.username,
        key = excluded.key, display_name = excluded.display_name, given_name = excluded.given_name,
        family_name = excluded.family_name, email = excluded.email, handle = excluded.handle, status = excluded.status,
        kind = excluded.kind, unknown = excluded.unknown, extra = excluded.extra",
};

const PUT_GROUPS: Insert = Insert {
    into: "INSERT INTO group_record (directory, slot, serial, id, name, key, description, handle, unknown) VALUES",
    width: 9,
    conflict: "ON CONFLICT (directory, slot, serial) DO UPDATE SET id = excluded.id, name = excluded.name,
        key = excluded.key, description = excluded.description, handle = excluded.handle, unknown = excluded.unknown",
};

const PUT_MEMBERS: Insert = Insert {
    into: "INSERT INTO member (directory, slot, kind, grp, target) VALUES",
    width: 5,
    conflict: "",
};

const PUT_REFERENCES: Insert = Insert {
    into: "INSERT INTO reference (directory, slot, serial, grp, kind, handle) VALUES",
    width: 6,
    conflict: "ON CONFLICT (directory, slot, serial) DO UPDATE SET grp = excluded.grp",
};

const PUT_REJECTED: Insert = Insert {
    into: "INSERT INTO rejected_record (directory, slot, serial, kind, id, key, handle, label, fault) VALUES",
    width: 9,
    conflict: "",
};

const DROP_USERS: &str = "DELETE FROM user_record
    WHERE directory = $1 AND slot = $2 AND serial IN (SELECT CAST(value AS BIGINT) FROM EACH($3))";
const DROP_GROUPS: &str = "DELETE FROM group_record
    WHERE directory = $1 AND slot = $2 AND serial IN (SELECT CAST(value AS BIGINT) FROM EACH($3))";
const DROP_REFERENCES: &str = "DELETE FROM reference
    WHERE directory = $1 AND slot = $2 AND serial IN (SELECT CAST(value AS BIGINT) FROM EACH($3))";
const DROP_REJECTED: &str = "DELETE FROM rejected_record
    WHERE directory = $1 AND slot = $2 AND serial IN (SELECT CAST(value AS BIGINT) FROM EACH($3))";
const DROP_MEMBERS: &str =
    "DELETE FROM member WHERE directory = $1 AND slot = $2 AND kind = $3 AND (grp, target) IN
    (SELECT CAST(value AS BIGINT) >> 32, CAST(value AS BIGINT) & 4294967295 FROM EACH($4))";

/// Every table that holds rows of a slot, emptied.
const CLEAR: [&str; 5] = [
    "DELETE FROM user_record WHERE directory = $1 AND slot = $2",
    "DELETE FROM group_record WHERE directory = $1 AND slot = $2",
    "DELETE FROM member WHERE directory = $1 AND slot = $2",
    "DELETE FROM reference WHERE directory = $1 AND slot = $2",
    "DELETE FROM rejected_record WHERE directory = $1 AND slot = $2",
];

/// Every table that holds rows of a slot, moved to another one.
const MOVE: [&str; 5] = [
    "UPDATE user_record SET slot = $3 WHERE directory = $1 AND slot = $2",
    "UPDATE group_record SET slot = $3 WHERE directory = $1 AND slot = $2",
    "UPDATE member SET slot = $3 WHERE directory = $1 AND slot = $2",
    "UPDATE reference SET slot = $3 WHERE directory = $1 AND slot = $2",
    "UPDATE rejected_record SET slot = $3 WHERE directory = $1 AND slot = $2",
];

/// One table of records: which new ones are written under which serials, and which rows go.
struct Step {
    /// The serial of each new record.
    serials: Vec<u32>,
    /// Those whose rows are new or different.
    put: Vec<u32>,
    /// Serials of rows that go.
    gone: Vec<i64>,
}

/// Empties a slot.
pub(super) async fn clear(db: &mut Connection, place: Place) -> sqlx::Result<()> {
    for text in CLEAR {
        place.bind(statement(text)).execute(&mut *db).await?;
    }
    Ok(())
}

/// Moves the rows of a slot to another, empty one.
pub(super) async fn move_to(db: &mut Connection, place: Place, slot: i64) -> sqlx::Result<()> {
    for text in MOVE {
        let all = place.bind(statement(text)).bind(slot);
        all.execute(&mut *db).await?;
    }
    Ok(())
}

/// Makes the rows of a slot those of `new`. Without `old` the slot is emptied first. Answers whether anything differed.
pub(super) async fn replace(
    db: &mut Connection,
    place: Place,
    old: Option<&StoredRecords>,
    new: &Records,
) -> sqlx::Result<bool> {
    let nothing = (Records::default(), Rows::default());
    let (old, rows) = if let Some(old) = old {
        (&old.records, &old.rows)
    } else {
        clear(db, place).await?;
        (&nothing.0, &nothing.1)
    };
    let users = users_step(old, &rows.users, new);
    let groups = groups_step(old, &rows.groups, new);
    let loose = references_step(old, rows, new, &groups.serials);
    let rejected = rejected_step(old, &rows.rejected, new);
    let mut changed = false;
    for step in [&users, &groups, &loose, &rejected] {
        changed |= !step.put.is_empty() || !step.gone.is_empty();
    }
    put_users(db, place, new, &users).await?;
    put_groups(db, place, new, &groups).await?;
    put_references(db, place, new, &loose, &groups.serials).await?;
    put_rejected(db, place, new, &rejected).await?;
    let (was, is) = (&rows.groups, &groups.serials);
    let was_of = edges(&old.members, was, &rows.users);
    let is_of = edges(&new.members, is, &users.serials);
    changed |= put_members(db, place, RecordKind::User, &was_of, &is_of).await?;
    let was_of = edges(&old.children, was, was);
    let is_of = edges(&new.children, is, is);
    changed |= put_members(db, place, RecordKind::Group, &was_of, &is_of).await?;
    Ok(changed)
}

impl Step {
    /// Paired records keep their serial and are written if they differ; others get serials that no row had.
    fn of(pairing: &Pairing, rows: &[u32], differs: impl Fn(u32, u32) -> bool) -> Step {
        let mut free = rows.last().map_or(0, |it| it + 1);
        let mut serials = Vec::with_capacity(pairing.old_of.len());
        let mut put = Vec::new();
        for (new, &old) in pairing.old_of.iter().enumerate() {
            let new = new as u32;
            if old == NONE {
                serials.push(free);
                free += 1;
                put.push(new);
                continue;
            }
            serials.push(rows[old as usize]);
            if differs(old, new) {
                put.push(new);
            }
        }
        let gone = pairing.gone.iter().map(|it| rows[*it as usize].into());
        let gone = gone.collect();
        Step { serials, put, gone }
    }

    fn serial(&self, index: u32) -> i64 {
        self.serials[index as usize].into()
    }
}

fn users_step(old: &Records, rows: &[u32], new: &Records) -> Step {
    let old_ids = old.users.iter().map(|it| old.text(it.id));
    let new_ids = new.users.iter().map(|it| new.text(it.id));
    let pairing = pair(old_ids, new_ids);
    Step::of(&pairing, rows, |was, is| !same_user(old, was, new, is))
}

fn groups_step(old: &Records, rows: &[u32], new: &Records) -> Step {
    let old_ids = old.groups.iter().map(|it| old.text(it.id));
    let new_ids = new.groups.iter().map(|it| new.text(it.id));
    let pairing = pair(old_ids, new_ids);
    let same = |was: u32, is: u32| {
        let (was, is) = (&old.groups[was as usize], &new.groups[is as usize]);
        same_group(old, was, new, is)
    };
    Step::of(&pairing, rows, |was, is| !same(was, is))
}

/// A reference is there or it is not. Only when several groups have one id can its group be another row.
fn references_step(old: &Records, rows: &Rows, new: &Records, groups: &[u32]) -> Step {
    let name = |records: &Records, it: &Reference| {
        let group = records.text(records.groups[it.group as usize].id);
        let kind = it.kind.map_or(-1, words::of_record_kind);
        joined(&[group, &kind.to_string(), records.text(it.handle)])
    };
    let old_names: Vec<String> = old.references.iter().map(|it| name(old, it)).collect();
    let new_names: Vec<String> = new.references.iter().map(|it| name(new, it)).collect();
    let pairing = pair(
        old_names.iter().map(String::as_str),
        new_names.iter().map(String::as_str),
    );
    let row_of = |records: &Records, groups: &[u32], it: u32| {
        groups[records.references[it as usize].group as usize]
    };
    Step::of(&pairing, &rows.references, |was, is| {
        row_of(old, &rows.groups, was) != row_of(new, groups, is)
    })
}

fn rejected_step(old: &Records, rows: &[u32], new: &Records) -> Step {
    let name = |records: &Records, it: &Rejected| {
        let Rejected {
            what,
            id,
            key,
            handle,
            label,
            reason,
        } = it;
        let text = |id: &StrId| records.text(*id);
        let what = words::of_record_kind(*what).to_string();
        joined(&[
            &what,
            text(id),
            text(key),
            text(handle),
            text(label),
            text(reason),
        ])
    };
    let old_names: Vec<String> = old.rejected.iter().map(|it| name(old, it)).collect();
    let new_names: Vec<String> = new.rejected.iter().map(|it| name(new, it)).collect();
    let pairing = pair(
        old_names.iter().map(String::as_str),
        new_names.iter().map(String::as_str),
    );
    Step::of(&pairing, rows, |_, _| false)
}

/// Parts as one text, which no other parts make.
fn joined(parts: &[&str]) -> String {
    let mut text = String::new();
    for part in parts {
        // Writing to a string cannot fail.
        let _ = write!(text, "{}:{part}", part.len());
    }
    text
}

fn same_user(old: &Records, was: u32, new: &Records, is: u32) -> bool {
    let UserRecord {
        id,
        username,
        key,
        display_name,
        given_name,
        family_name,
        email,
        handle,
        status,
        kind,
        unknown,
    } = &old.users[was as usize];
    let it = &new.users[is as usize];
    let same = |a: &StrId, b: StrId| old.text(*a) == new.text(b);
    same(id, it.id)
        && same(username, it.username)
        && same(key, it.key)
        && same(display_name, it.display_name)
        && same(given_name, it.given_name)
        && same(family_name, it.family_name)
        && same(email, it.email)
        && same(handle, it.handle)
        && *status == it.status
        && *kind == it.kind
        && *unknown == it.unknown
        && extra_of(old, was).eq(extra_of(new, is))
}

fn same_group(old: &Records, was: &GroupRecord, new: &Records, it: &GroupRecord) -> bool {
    let GroupRecord {
        id,
        name,
        key,
        description,
        handle,
        unknown,
    } = was;
    let same = |a: &StrId, b: StrId| old.text(*a) == new.text(b);
    same(id, it.id)
        && same(name, it.name)
        && same(key, it.key)
        && same(description, it.description)
        && same(handle, it.handle)
        && *unknown == it.unknown
}

/// The further attributes of a user, in order.
fn extra_of(records: &Records, user: u32) -> impl Iterator<Item = (&str, &str)> {
    let from = records.extra.partition_point(|it| it.0 < user);
    records.extra[from..]
        .iter()
        .take_while(move |it| it.0 == user)
        .map(|it| (records.text(it.1), records.text(it.2)))
}

/// The memberships of one kind as pairs of serials, sorted.
fn edges(members: &Csr, groups: &[u32], targets: &[u32]) -> Vec<i64> {
    let named = members
        .pairs()
        .map(|(group, target)| edge(groups[group as usize], targets[target as usize]));
    let mut all: Vec<i64> = named.collect();
    all.sort_unstable();
    all
}

async fn put_users(
    db: &mut Connection,
    place: Place,
    new: &Records,
    step: &Step,
) -> sqlx::Result<()> {
    for_listed(db, DROP_USERS, &place.numbers(), &step.gone).await?;
    let mut extras = Vec::with_capacity(step.put.len());
    for &user in &step.put {
        let extra: Vec<(&str, &str)> = extra_of(new, user).collect();
        let extra = (!extra.is_empty()).then(|| json(&extra)).transpose()?;
        extras.push((user, extra));
    }
    let bind = |statement: Statement, (user, extra): &(u32, Option<String>)| {
        let it = &new.users[*user as usize];
        place
            .bind(statement)
            .bind(step.serial(*user))
            .bind(new.text(it.id))
            .bind(new.text(it.username))
            .bind(new.text(it.key))
            .bind(new.text(it.display_name))
            .bind(new.text(it.given_name))
            .bind(new.text(it.family_name))
            .bind(new.text(it.email))
            .bind(new.text(it.handle))
            .bind(words::of_status(it.status))
            .bind(it.kind.map(words::of_kind))
            .bind(i64::from(it.unknown))
            .bind(extra.as_deref())
    };
    PUT_USERS.rows(db, &extras, bind).await
}

async fn put_groups(
    db: &mut Connection,
    place: Place,
    new: &Records,
    step: &Step,
) -> sqlx::Result<()> {
    for_listed(db, DROP_GROUPS, &place.numbers(), &step.gone).await?;
    let bind = |statement: Statement, group: &u32| {
        let it = &new.groups[*group as usize];
        place
            .bind(statement)
            .bind(step.serial(*group))
            .bind(new.text(it.id))
            .bind(new.text(it.name))
            .bind(new.text(it.key))
            .bind(new.text(it.description))
            .bind(new.text(it.handle))
            .bind(i64::from(it.unknown))
    };
    PUT_GROUPS.rows(db, &step.put, bind).await
}

async fn put_references(
    db: &mut Connection,
    place: Place,
    new: &Records,
    step: &Step,
    groups: &[u32],
) -> sqlx::Result<()> {
    for_listed(db, DROP_REFERENCES, &place.numbers(), &step.gone).await?;
    let bind = |statement: Statement, index: &u32| {
        let it = &new.references[*index as usize];
        place
            .bind(statement)
            .bind(step.serial(*index))
            .bind(i64::from(groups[it.group as usize]))
            .bind(it.kind.map(words::of_record_kind))
            .bind(new.text(it.handle))
    };
    PUT_REFERENCES.rows(db, &step.put, bind).await
}

async fn put_rejected(
    db: &mut Connection,
    place: Place,
    new: &Records,
    step: &Step,
) -> sqlx::Result<()> {
    for_listed(db, DROP_REJECTED, &place.numbers(), &step.gone).await?;
    let bind = |statement: Statement, index: &u32| {
        let it = &new.rejected[*index as usize];
        place
            .bind(statement)
            .bind(step.serial(*index))
            .bind(words::of_record_kind(it.what))
            .bind(new.text(it.id))
            .bind(new.text(it.key))
            .bind(new.text(it.handle))
            .bind(new.text(it.label))
            .bind(new.text(it.reason))
    };
    PUT_REJECTED.rows(db, &step.put, bind).await
}

/// Answers whether any membership came or went.
async fn put_members(
    db: &mut Connection,
    place: Place,
    kind: RecordKind,
    was: &[i64],
    is: &[i64],
) -> sqlx::Result<bool> {
    let kind = words::of_record_kind(kind);
    let (gone, come) = differences(was, is);
    let owner = [place.directory, place.slot, kind];
    for_listed(db, DROP_MEMBERS, &owner, &gone).await?;
    let bind = |statement: Statement, edge: &i64| {
        let (group, target) = ends(*edge);
        place.bind(statement).bind(kind).bind(group).bind(target)
    };
    PUT_MEMBERS.rows(db, &come, bind).await?;
    Ok(!gone.is_empty() || !come.is_empty())
}
