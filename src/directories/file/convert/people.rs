//! Users and groups as YAML, JSON and CSV give them, gathered into records.
//!
//! A user's `groups` and a group's `users` say the same thing, and a group that is only named exists too. So groups wait
//! until everything is read; users do not. Records name each other by key: it is the handle of users and of groups.
//!
//! A bad record is rejected under everything it may be: under both of two usernames, under the id that it gives, and under no
//! name, as anybody's, where a name cannot be told. Its
//! memberships are still noted, since what cannot be tied to a user is a reference that takes nothing away.

use std::collections::{BTreeMap, BTreeSet};

use super::fields::{Described, User, keys};
use super::given::Given;
use super::{Converted, Form};
use crate::model::{Interner, NewGroup, NewUser, RecordKind, RecordsBuilder, Status, StrId};
use crate::text::name_key;

/// Users and groups of one file.
#[derive(Debug)]
pub(super) struct People<'f> {
    form: &'f Form,
    builder: RecordsBuilder,
    groups: Vec<Group>,
    /// Where the group of a key stands in `groups`.
    group_at: BTreeMap<String, usize>,
    /// The keys of groups whose own record was rejected.
    rejected_groups: BTreeSet<String>,
    members: Vec<Member>,
    handles: Interner,
    /// How many records of users were given, rejections counted.
    users: usize,
}

/// A group that is named or described somewhere.
#[derive(Debug, Default)]
struct Group {
    key: String,
    name: String,
    id: String,
    description: String,
    /// Where it is described, or first named.
    line: u64,
    described: bool,
}

/// One membership: the place of the group in `groups`, and whom it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Member {
    group: usize,
    kind: RecordKind,
    handle: StrId,
}

impl<'f> People<'f> {
    pub(super) fn new(form: &'f Form) -> Self {
        People {
            form,
            builder: RecordsBuilder::default(),
            groups: Vec::new(),
            group_at: BTreeMap::new(),
            rejected_groups: BTreeSet::new(),
            members: Vec::new(),
            handles: Interner::default(),
            users: 0,
        }
    }

    /// Takes the record of a user, or rejects it.
    pub(super) fn user(&mut self, line: u64, given: Given) {
        let user = match given {
            Given::Fields(fields) => User::read(fields, self.form),
            other => User {
                usernames: other
                    .text()
                    .into_iter()
                    .filter(|it| !it.is_empty())
                    .collect(),
                fault: Some("a user must be a mapping with a `username`".to_owned()),
                ..User::default()
            },
        };
        self.take_user(line, &user);
    }

    /// Rejects a user of whom nothing can be told, whoever it is.
    pub(super) fn unreadable_user(&mut self, line: u64, reason: &str) {
        self.reject(RecordKind::User, line, "", &[], reason);
    }

    /// Takes the record of a group, or rejects it.
    pub(super) fn group(&mut self, line: u64, given: Given) {
        let group = match given {
            Given::Fields(fields) => Described::read(fields),
            other => Described {
                names: other
                    .text()
                    .into_iter()
                    .filter(|it| !it.is_empty())
                    .collect(),
                fault: Some("a group must be a mapping with a `name`".to_owned()),
                ..Described::default()
            },
        };
        let (keys, fault) = keys("name", &group.names, group.fault.as_deref());
        match (fault, keys.as_slice()) {
            (None, [key]) => self.describe(line, key, group),
            (fault, _) => {
                self.reject(
                    RecordKind::Group,
                    line,
                    &group.id,
                    &keys,
                    &fault.unwrap_or_default(),
                );
                self.rejected_groups.extend(keys);
            }
        }
    }

    /// Gives the records out.
    pub(super) fn finish(mut self) -> Converted {
        let mut numbers = Vec::with_capacity(self.groups.len());
        for group in &self.groups {
            numbers.push(self.builder.group(&NewGroup {
                id: if group.id.is_empty() {
                    &group.key
                } else {
                    &group.id
                },
                name: &group.name,
                description: &group.description,
                handle: &group.key,
                unknown: self.rejected_groups.contains(&group.key),
                label: &self.form.label(group.line),
            }));
        }
        self.members.sort_unstable();
        self.members.dedup();
        for member in &self.members {
            if let Some(number) = numbers[member.group] {
                self.builder
                    .member(number, Some(member.kind), self.handles.get(member.handle));
            }
        }
        let records = self.builder.finish();
        let rejected = records.rejected.iter();
        let rejected = rejected.filter(|it| it.what == RecordKind::User).count();
        let repeats = self.users.saturating_sub(records.users.len() + rejected);
        let note =
            format!("users that stand there again with the same id, and count once: {repeats}");
        Converted {
            records,
            notes: (repeats > 0).then_some(note).into_iter().collect(),
            true_until: None,
        }
    }

    fn take_user(&mut self, line: u64, user: &User) {
        let (keys, fault) = keys("username", &user.usernames, user.fault.as_deref());
        for group in &user.groups {
            let group = self.named_group(line, group);
            for key in keys.iter().filter(|it| !it.is_empty()) {
                self.member(group, RecordKind::User, key);
            }
        }
        let (None, [key], [username]) = (&fault, keys.as_slice(), user.usernames.as_slice()) else {
            let fault = fault.unwrap_or_default();
            return self.reject(RecordKind::User, line, &user.id, &keys, &fault);
        };
        self.users += 1;
        self.builder.user(&NewUser {
            id: if user.id.is_empty() { key } else { &user.id },
            username,
            display_name: &user.display_name,
            given_name: &user.given_name,
            family_name: &user.family_name,
            email: &user.email,
            handle: key,
            status: if user.active == Some(false) {
                Status::Inactive
            } else {
                Status::Active
            },
            kind: user.kind,
            unknown: false,
            label: &self.form.label(line),
            extra: user
                .further
                .iter()
                .map(|(name, values)| (name.as_str(), values.iter().map(String::as_str).collect()))
                .collect(),
        });
    }

    /// Takes a group's own record. A second one of the same key stands for itself: which of them is meant is not for this
    /// place to say.
    fn describe(&mut self, line: u64, key: &str, described: Described) {
        let Described {
            mut names,
            id,
            description,
            users,
            groups,
            fault: _,
        } = described;
        let mut at = self.named_group(line, key);
        if self.groups[at].described {
            at = self.groups.len();
            self.groups.push(Group::default());
        }
        self.groups[at] = Group {
            key: key.to_owned(),
            name: names.pop().unwrap_or_default(),
            id,
            description,
            line,
            described: true,
        };
        for user in &users {
            // A sound name was made sure of when the list was read.
            self.member(at, RecordKind::User, &name_key(user).unwrap_or_default());
        }
        for group in &groups {
            self.named_group(line, group);
            self.member(at, RecordKind::Group, &name_key(group).unwrap_or_default());
        }
    }

    /// Where the group of that name stands; it exists from now on.
    fn named_group(&mut self, line: u64, name: &str) -> usize {
        let key = name_key(name).unwrap_or_default();
        if let Some(at) = self.group_at.get(&key) {
            return *at;
        }
        let at = self.groups.len();
        self.groups.push(Group {
            key: key.clone(),
            name: name.to_owned(),
            line,
            ..Group::default()
        });
        self.group_at.insert(key, at);
        at
    }

    fn member(&mut self, group: usize, kind: RecordKind, handle: &str) {
        let handle = self.handles.intern(handle);
        self.members.push(Member {
            group,
            kind,
            handle,
        });
    }

    fn reject(&mut self, kind: RecordKind, line: u64, id: &str, keys: &[String], reason: &str) {
        if kind == RecordKind::User {
            self.users += keys.len().max(1);
        }
        let label = self.form.label(line);
        if keys.is_empty() {
            self.builder.reject(kind, id, "", "", &label, reason);
        }
        for key in keys {
            let id = if id.is_empty() { key } else { id };
            self.builder.reject(kind, id, key, key, &label, reason);
        }
    }
}
