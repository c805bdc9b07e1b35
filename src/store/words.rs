//! The words by which the store writes what the model has as enums, so that rows stay legible and survive a new order of
//! variants.

use crate::model::{Class, Kind, Origin, RecordKind, Status};
use crate::store::dialect::garbled;

pub(super) fn of_status(status: Status) -> &'static str {
    match status {
        Status::Active => "active",
        Status::Inactive => "inactive",
        Status::Unknown => "unknown",
    }
}

pub(super) fn status(word: &str) -> sqlx::Result<Status> {
    const ALL: [Status; 3] = [Status::Active, Status::Inactive, Status::Unknown];
    find(&ALL, of_status, word)
}

pub(super) fn of_kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Person => "person",
        Kind::Service => "service",
        Kind::Customer => "customer",
    }
}

pub(super) fn kind(word: &str) -> sqlx::Result<Kind> {
    const ALL: [Kind; 3] = [Kind::Person, Kind::Service, Kind::Customer];
    find(&ALL, of_kind, word)
}

pub(super) fn of_origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Created => "created",
        Origin::Adopted => "adopted",
    }
}

pub(super) fn origin(word: &str) -> sqlx::Result<Origin> {
    const ALL: [Origin; 2] = [Origin::Created, Origin::Adopted];
    find(&ALL, of_origin, word)
}

pub(super) fn of_class(class: Class) -> &'static str {
    match class {
        Class::Addition => "addition",
        Class::Removal => "removal",
        Class::Deactivation => "deactivation",
    }
}

pub(super) fn class(word: &str) -> sqlx::Result<Class> {
    const ALL: [Class; 3] = [Class::Addition, Class::Removal, Class::Deactivation];
    find(&ALL, of_class, word)
}

/// Kinds of records are numbers, because a million memberships carry one.
pub(super) fn of_record_kind(kind: RecordKind) -> i64 {
    match kind {
        RecordKind::User => 0,
        RecordKind::Group => 1,
    }
}

pub(super) fn record_kind(number: i64) -> sqlx::Result<RecordKind> {
    match number {
        0 => Ok(RecordKind::User),
        1 => Ok(RecordKind::Group),
        _ => Err(garbled(format!("{number} is no kind of record"))),
    }
}

fn find<T: Copy>(all: &[T], word_of: fn(T) -> &'static str, word: &str) -> sqlx::Result<T> {
    let found = all.iter().copied().find(|it| word_of(*it) == word);
    found.ok_or_else(|| garbled(format!("`{word}` is no word of the store")))
}
