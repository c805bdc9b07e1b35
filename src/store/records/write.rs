//! Bringing the rows of one directory from the records they hold to other records, writing only what differs.

use crate::model::{RecordKind, Records};
use crate::store::dialect::{Connection, Insert, Statement, for_listed, json, statement};
use crate::store::pairing::differences;
use crate::store::records::diff::{
    Step, edges, extra_of, groups_step, references_step, rejected_step, users_step,
};
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

const PUT_MEMBERS: &str = "INSERT INTO member (directory, slot, kind, grp, target)
    SELECT $1, $2, $3, CAST(value AS BIGINT) >> 32, CAST(value AS BIGINT) & 4294967295 FROM EACH($4)";

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

/// Empties a slot.
pub(in crate::store) async fn clear(db: &mut Connection, place: Place) -> sqlx::Result<()> {
    for text in CLEAR {
        place.bind(statement(text)).execute(&mut *db).await?;
    }
    Ok(())
}

/// Moves the rows of a slot to another, empty one.
pub(in crate::store) async fn move_to(
    db: &mut Connection,
    place: Place,
    slot: i64,
) -> sqlx::Result<()> {
    for text in MOVE {
        let all = place.bind(statement(text)).bind(slot);
        all.execute(&mut *db).await?;
    }
    Ok(())
}

/// Makes the rows of a slot those of `new`. Without `old` the slot is emptied first. Answers whether anything differed.
pub(in crate::store) async fn replace(
    db: &mut Connection,
    place: Place,
    old: Option<&StoredRecords>,
    new: &Records,
) -> sqlx::Result<bool> {
    let nothing = (Records::default(), Rows::default());
    let (old, rows) = if let Some(old) = old {
        (&*old.records, &old.rows)
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

pub(super) async fn put_users(
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

pub(super) async fn put_groups(
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

pub(super) async fn put_references(
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
pub(super) async fn put_members(
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
    for_listed(db, PUT_MEMBERS, &owner, &come).await?;
    Ok(!gone.is_empty() || !come.is_empty())
}
