//! What differs between two reads of one directory, row by row. Pure: nothing is read or written here.

use std::fmt::Write as _;

use crate::model::{Csr, GroupRecord, NONE, Records, Reference, Rejected, StrId, UserRecord};
use crate::store::dialect::edge;
use crate::store::pairing::{Pairing, pair};
use crate::store::records::Rows;
use crate::store::words;

/// One table of records: which new ones are written under which serials, and which rows go.
pub(super) struct Step {
    /// The serial of each new record.
    pub(super) serials: Vec<u32>,
    /// Those whose rows are new or different.
    pub(super) put: Vec<u32>,
    /// Serials of rows that go.
    pub(super) gone: Vec<i64>,
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

    pub(super) fn serial(&self, index: u32) -> i64 {
        self.serials[index as usize].into()
    }
}

pub(super) fn users_step(old: &Records, rows: &[u32], new: &Records) -> Step {
    let old_ids = old.users.iter().map(|it| old.text(it.id));
    let new_ids = new.users.iter().map(|it| new.text(it.id));
    let pairing = pair(old_ids, new_ids);
    Step::of(&pairing, rows, |was, is| !same_user(old, was, new, is))
}

pub(super) fn groups_step(old: &Records, rows: &[u32], new: &Records) -> Step {
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
pub(super) fn references_step(old: &Records, rows: &Rows, new: &Records, groups: &[u32]) -> Step {
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

pub(super) fn rejected_step(old: &Records, rows: &[u32], new: &Records) -> Step {
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
pub(super) fn extra_of(records: &Records, user: u32) -> impl Iterator<Item = (&str, &str)> {
    let from = records.extra.partition_point(|it| it.0 < user);
    records.extra[from..]
        .iter()
        .take_while(move |it| it.0 == user)
        .map(|it| (records.text(it.1), records.text(it.2)))
}

/// The memberships of one kind as pairs of serials, sorted.
pub(super) fn edges(members: &Csr, groups: &[u32], targets: &[u32]) -> Vec<i64> {
    let named = members
        .pairs()
        .map(|(group, target)| edge(groups[group as usize], targets[target as usize]));
    let mut all: Vec<i64> = named.collect();
    all.sort_unstable();
    all
}
