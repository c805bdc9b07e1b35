//! A directory that tells by itself what has changed, from two complete reads, and may be made to do so badly.
//!
//! It shows that the law sees what it looks for, and that what is merged in the model is enough for whatever happens on a
//! server, before any protocol comes into it.

use std::sync::Mutex;

use futures_util::future::BoxFuture;
use usersyncd::directories::{Directory, Read, ReadError, Since, What};
use usersyncd::model::{Delta, Finding, NewGroup, NewUser, RecordKind, Records, RecordsBuilder};

use super::facts::by_record;
use super::server::NUMBER;

/// What is done badly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// What was deleted stays.
    DropsDeletes,
    /// Of what is called otherwise than before nothing is said.
    ForgetsRenames,
    /// The members of a group that was there before stay what they were.
    ForgetsMembers,
}

/// The directory.
#[derive(Debug)]
pub(crate) struct Comparing<D> {
    inner: D,
    flaw: Option<Flaw>,
    /// What was answered; a cursor is a place herein.
    answered: Mutex<Vec<Records>>,
}

impl<D> Comparing<D> {
    pub(crate) fn new(inner: D, flaw: Option<Flaw>) -> Self {
        Comparing {
            inner,
            flaw,
            answered: Mutex::new(Vec::new()),
        }
    }

    /// What has changed, where that can be told, and the new cursor.
    fn since(&self, cursor: Option<&str>, new: Records) -> (What, String) {
        let mut answered = self.answered.lock().unwrap();
        let old = cursor.map(|it| &answered[it.parse::<usize>().unwrap()]);
        let nameless = |it: &Records| it.rejected.iter().any(|it| it.id.is_empty());
        let what = match old {
            Some(old) if !nameless(old) && !nameless(&new) => {
                What::Delta(changes(old, &new, self.flaw))
            }
            _ => What::Complete(new.clone()),
        };
        answered.push(new);
        (what, (answered.len() - 1).to_string())
    }
}

impl<D: Directory> Directory for Comparing<D> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn check(&self) -> BoxFuture<'_, Vec<Finding>> {
        self.inner.check()
    }

    fn groups(&self, ids: Vec<String>) -> BoxFuture<'_, Result<Delta, ReadError>> {
        self.inner.groups(ids)
    }

    fn read(&self, since: Since) -> BoxFuture<'_, Result<Read, ReadError>> {
        Box::pin(async move {
            let read = self.inner.read(Since::default()).await?;
            let What::Complete(new) = read.what else {
                panic!("nothing else was asked for");
            };
            let (what, cursor) = self.since(since.cursor.as_deref(), new);
            Ok(Read {
                what,
                cursor: Some(cursor),
                notes: read.notes,
                requests: None,
            })
        })
    }
}

/// What has changed from one to the other.
fn changes(old: &Records, new: &Records, flaw: Option<Flaw>) -> Delta {
    let (before, after) = (by_record(old), by_record(new));
    let forgotten = |kind, id: &str| {
        let (was, is) = (handle(old, kind, id), handle(new, kind, id));
        flaw == Some(Flaw::ForgetsRenames) && was.is_some() && was != is
    };
    let changed = |kind, id: &str| {
        let which = (kind, id.to_owned());
        before.get(&which) != after.get(&which) && !forgotten(kind, id)
    };
    let mut upsert = RecordsBuilder::default();
    let mut filled = Vec::new();
    for (at, it) in (0u32..).zip(&new.users) {
        if changed(RecordKind::User, new.text(it.id)) {
            put_user(new, at, &mut upsert);
        }
    }
    for (at, it) in new.groups.iter().enumerate() {
        let id = new.text(it.id);
        if changed(RecordKind::Group, id) {
            put_group(new, at, &mut upsert);
            let known = before.contains_key(&(RecordKind::Group, id.to_owned()));
            if flaw != Some(Flaw::ForgetsMembers) || !known {
                filled.push(id.to_owned());
            }
        }
    }
    filled.sort();
    for it in &new.rejected {
        let [id, key, handle, label, reason] =
            [it.id, it.key, it.handle, it.label, it.reason].map(|it| new.text(it));
        if changed(it.what, id) {
            upsert.reject(it.what, id, key, handle, label, reason);
        }
    }
    let gone = before.into_keys().filter(|it| !after.contains_key(it));
    let gone = gone.filter(|_| flaw != Some(Flaw::DropsDeletes)).collect();
    Delta {
        upsert: upsert.finish(),
        gone,
        filled,
        shared_handles: true,
        ..Delta::default()
    }
}

/// The handle of a record that was taken.
fn handle<'a>(records: &'a Records, kind: RecordKind, id: &str) -> Option<&'a str> {
    let is = |it| records.text(it) == id;
    let found = match kind {
        RecordKind::User => records
            .users
            .iter()
            .find(|it| is(it.id))
            .map(|it| it.handle),
        RecordKind::Group => records
            .groups
            .iter()
            .find(|it| is(it.id))
            .map(|it| it.handle),
    };
    found.map(|it| records.text(it))
}

fn put_user(records: &Records, at: u32, builder: &mut RecordsBuilder) {
    let it = &records.users[at as usize];
    let numbers: Vec<&str> = records.extra_values(at, NUMBER).collect();
    builder.user(&NewUser {
        id: records.text(it.id),
        username: records.text(it.username),
        display_name: records.text(it.display_name),
        given_name: records.text(it.given_name),
        family_name: records.text(it.family_name),
        email: records.text(it.email),
        handle: records.text(it.handle),
        status: it.status,
        kind: it.kind,
        unknown: it.unknown,
        label: "",
        extra: vec![(NUMBER, numbers)],
    });
}

/// The group with its members, who may be records that have not changed and are no part of the delta.
fn put_group(records: &Records, at: usize, builder: &mut RecordsBuilder) {
    let it = &records.groups[at];
    let group = builder.group(&NewGroup {
        id: records.text(it.id),
        name: records.text(it.name),
        description: records.text(it.description),
        handle: records.text(it.handle),
        unknown: it.unknown,
        label: "",
    });
    let group = group.expect("it was taken before");
    for &user in records.members.row(at) {
        let handle = records.users[user as usize].handle;
        builder.member(group, None, records.text(handle));
    }
    for &child in records.children.row(at) {
        let handle = records.groups[child as usize].handle;
        builder.member(group, None, records.text(handle));
    }
    for it in records
        .references
        .iter()
        .filter(|it| it.group as usize == at)
    {
        builder.member(group, it.kind, records.text(it.handle));
    }
}
