//! Putting what a delta brings among copied records.

use super::course::Course;
use crate::model::{GroupRecord, NONE, Pool, Records, StrId, UserRecord};

/// A copy without what stands at these rising places.
pub(super) fn without<T: Clone>(all: &[T], places: &[u32]) -> Vec<T> {
    let mut rest = Vec::with_capacity(all.len() + 16);
    let mut from = 0;
    for &place in places {
        rest.extend_from_slice(&all[from..place as usize]);
        from = place as usize + 1;
    }
    rest.extend_from_slice(&all[from..]);
    rest
}

/// Puts a user of the delta in its place. A text that it had before keeps its number.
pub(super) fn put_user(
    old: &Records,
    course: &Course,
    upsert: &Records,
    from: u32,
    at: u32,
    new: &mut Records,
) {
    let it = &upsert.users[from as usize];
    let was = old.users.get(course.was[at as usize] as usize);
    let mut add = |field: fn(&UserRecord) -> StrId| {
        let was = was.map_or(StrId::EMPTY, field);
        same_or_add(&mut new.pool, was, upsert.text(field(it)))
    };
    let record = UserRecord {
        id: add(|it| it.id),
        username: add(|it| it.username),
        key: add(|it| it.key),
        display_name: add(|it| it.display_name),
        given_name: add(|it| it.given_name),
        family_name: add(|it| it.family_name),
        email: add(|it| it.email),
        handle: add(|it| it.handle),
        ..it.clone()
    };
    put(&mut new.users, at, record);
}

pub(super) fn put_group(
    old: &Records,
    course: &Course,
    upsert: &Records,
    from: u32,
    at: u32,
    new: &mut Records,
) {
    let it = &upsert.groups[from as usize];
    let was = old.groups.get(course.was[at as usize] as usize);
    let mut add = |field: fn(&GroupRecord) -> StrId| {
        let was = was.map_or(StrId::EMPTY, field);
        same_or_add(&mut new.pool, was, upsert.text(field(it)))
    };
    let record = GroupRecord {
        id: add(|it| it.id),
        name: add(|it| it.name),
        key: add(|it| it.key),
        description: add(|it| it.description),
        handle: add(|it| it.handle),
        ..it.clone()
    };
    put(&mut new.groups, at, record);
}

fn same_or_add(pool: &mut Pool, was: StrId, text: &str) -> StrId {
    if pool.get(was) == text {
        was
    } else {
        pool.add(text)
    }
}

/// Those that come stand behind all others, in order.
fn put<T>(all: &mut Vec<T>, at: u32, record: T) {
    match all.get_mut(at as usize) {
        Some(place) => *place = record,
        None => all.push(record),
    }
}

/// The further attributes: those of users that stay as they are, and those of the delta.
pub(super) fn put_extra(old: &Records, users: &Course, upsert: &Records, new: &mut Records) {
    if old.extra.is_empty() && upsert.extra.is_empty() {
        return;
    }
    let mut fresh: Vec<u32> = users.fresh.iter().map(|it| it.1).collect();
    fresh.sort_unstable();
    for &(user, name, value) in &old.extra {
        let at = users.now[user as usize];
        if at != NONE && fresh.binary_search(&at).is_err() {
            new.extra.push((at, name, value));
        }
    }
    for &(from, at) in &users.fresh {
        for &(_, name, value) in upsert.extra_of(from) {
            let name = new.pool.add(upsert.text(name));
            let value = new.pool.add(upsert.text(value));
            new.extra.push((at, name, value));
        }
    }
    new.extra.sort_by_key(|it| it.0);
}

pub(super) fn same_extra(old: &Records, was: usize, new: &Records, at: usize) -> bool {
    let texts = |records: &'_ Records, it: &(u32, StrId, StrId)| {
        (records.text(it.1).to_owned(), records.text(it.2).to_owned())
    };
    let was = old.extra_of(was as u32).map(|it| texts(old, it));
    was.eq(new.extra_of(at as u32).map(|it| texts(new, it)))
}
