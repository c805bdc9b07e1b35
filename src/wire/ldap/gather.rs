//! Entries become records.
//!
//! The way from an entry to a record is the same for a server's answer and for an LDIF file, so it stands here once, over
//! the little that both can say of an entry ([`Attributes`]). Nothing is guessed: a user with two usernames is rejected
//! under both, a group with a member that cannot be read is marked unknown, and what is known of a rejected record (id, name,
//! handle) is handed on, so that the accounts it concerns can be left alone.

use std::cmp::Ordering;

use super::dn;
use super::ldif;
use super::mapping::{Mapping, Names};
use crate::model::{NewGroup, NewUser, Pool, RecordKind, Records, RecordsBuilder, StrId};
use crate::text::name_key;

/// What can be asked of an entry, wherever it came from.
pub trait Attributes {
    /// The distinguished name as it came.
    fn dn(&self) -> &[u8];

    /// The values of the attribute of that name and of no options, in the order in which they came. The name is asked for in
    /// lower case.
    fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]>;

    /// Whether only a part of the attribute's values came, as servers do it with long ones (`member;range=0-1499`).
    fn is_cut(&self, _name: &str) -> bool {
        false
    }
}

/// Makes [`Records`] from entries, in any order.
#[derive(Debug)]
pub struct Gatherer<'a> {
    mapping: &'a Mapping,
    /// Further attributes of users, as written and in lower case.
    further: Vec<(&'a str, String)>,
    builder: RecordsBuilder,
    /// The users' keys and handles, for members that are named by username.
    users: Vec<(StrId, StrId)>,
    /// The groups, by number, and the keys of the users they name.
    named: Vec<(u32, StrId)>,
    pool: Pool,
    unread_members: u64,
    ids_required: bool,
}

/// Who an entry is, as far as it can be read.
struct Identity {
    id: String,
    handle: String,
    /// The usernames or group names, as spelled.
    names: Vec<String>,
    /// The keys of those names, each once.
    keys: Vec<String>,
    /// Why it cannot be taken.
    fault: Option<String>,
}

impl<'a> Gatherer<'a> {
    /// Begins with nothing. `further` names the attributes of users that are wanted beside those of the mapping.
    pub fn new(mapping: &'a Mapping, further: &'a [String]) -> Self {
        Gatherer {
            mapping,
            further: further
                .iter()
                .map(|it| (it.as_str(), it.to_ascii_lowercase()))
                .collect(),
            builder: RecordsBuilder::default(),
            users: Vec::new(),
            named: Vec::new(),
            pool: Pool::default(),
            unread_members: 0,
            ids_required: false,
        }
    }

    /// Rejects what has no id, instead of taking its name for one: where every entry has an id, one without it is one that
    /// may not be read in full, and its name is not stable.
    #[must_use]
    pub fn requiring_ids(self) -> Self {
        Gatherer {
            ids_required: true,
            ..self
        }
    }

    /// Takes an entry as a user. The label is how an administrator finds it should it be rejected.
    pub fn user(&mut self, entry: &impl Attributes, label: &str) {
        let attributes = &self.mapping.users;
        let mut who = identity(entry, &attributes.id, &attributes.username);
        self.require_id(entry, &attributes.id, &mut who);
        let mut read = |names: &Names| {
            first_text(entry, names).unwrap_or_else(|fault| {
                who.fault.get_or_insert(fault);
                String::new()
            })
        };
        let display_name = read(&attributes.display_name);
        let given_name = read(&attributes.given_name);
        let family_name = read(&attributes.family_name);
        let email = read(&attributes.email);
        let extra = self.further(entry).unwrap_or_else(|fault| {
            who.fault.get_or_insert(fault);
            Vec::new()
        });
        self.remember(&who);
        if let (None, [username]) = (&who.fault, who.names.as_slice()) {
            self.builder.user(&NewUser {
                id: &who.id,
                username,
                display_name: &display_name,
                given_name: &given_name,
                family_name: &family_name,
                email: &email,
                handle: &who.handle,
                label,
                extra: extra
                    .iter()
                    .map(|it| (it.0, it.1.iter().map(String::as_str).collect()))
                    .collect(),
                ..NewUser::default()
            });
        } else {
            self.reject(RecordKind::User, &who, label);
        }
    }

    /// Takes an entry as a group.
    pub fn group(&mut self, entry: &impl Attributes, label: &str) {
        let attributes = &self.mapping.groups;
        let mut who = identity(entry, &attributes.id, &attributes.name);
        self.require_id(entry, &attributes.id, &mut who);
        let description = first_text(entry, &attributes.description).unwrap_or_else(|fault| {
            who.fault.get_or_insert(fault);
            String::new()
        });
        let (None, [name]) = (&who.fault, who.names.as_slice()) else {
            return self.reject(RecordKind::Group, &who, label);
        };
        let group = NewGroup {
            id: &who.id,
            name,
            description: &description,
            handle: &who.handle,
            unknown: false,
            label,
        };
        let Some(number) = self.builder.group(&group) else {
            return;
        };
        let unread = self.members(number, entry);
        if unread > 0 {
            self.builder.group_is_unknown(number);
        }
        self.unread_members += unread;
    }

    /// Rejects a record that its connector could not read, keeping what can be read of it. An entry that shows neither that it
    /// is a user nor that it is a group may be either.
    pub fn broken(&mut self, entry: &impl Attributes, label: &str, reason: &str) {
        let Mapping { users, groups, .. } = self.mapping;
        let mut kinds = self.kinds(entry);
        if kinds.is_empty() {
            kinds = vec![RecordKind::User, RecordKind::Group];
        }
        for kind in kinds {
            let (id, name) = match kind {
                RecordKind::User => (&users.id, &users.username),
                RecordKind::Group => (&groups.id, &groups.name),
            };
            let mut who = identity(entry, id, name);
            who.fault = Some(reason.to_owned());
            if kind == RecordKind::User {
                self.remember(&who);
            }
            self.reject(kind, &who, label);
        }
    }

    /// What an entry shows itself to be: by its object classes or, where it names none at all, by its attributes.
    pub fn kinds(&self, entry: &impl Attributes) -> Vec<RecordKind> {
        if entry.values("objectclass").next().is_some() {
            return self
                .mapping
                .kind(entry.values("objectclass"))
                .into_iter()
                .collect();
        }
        let has = |names: &Names| names.iter().any(|it| entry.values(it).next().is_some());
        let groups = &self.mapping.groups;
        let mut kinds = Vec::new();
        if has(&self.mapping.users.username) {
            kinds.push(RecordKind::User);
        }
        if has(&groups.members) || has(&groups.member_names) {
            kinds.push(RecordKind::Group);
        }
        kinds
    }

    /// Members that could not be read; each made its group unknown.
    pub fn unread_members(&self) -> u64 {
        self.unread_members
    }

    /// Ties members to users and gives the records out.
    pub fn finish(self) -> Records {
        let Gatherer {
            mut builder,
            mut users,
            named,
            pool,
            ..
        } = self;
        users.sort_by(|left, right| pool.get(left.0).cmp(pool.get(right.0)));
        for (group, key) in named {
            let key = pool.get(key);
            let from = users.partition_point(|it| pool.get(it.0).cmp(key) == Ordering::Less);
            let mut handles = users[from..]
                .iter()
                .take_while(|it| pool.get(it.0) == key)
                .peekable();
            if handles.peek().is_none() {
                builder.member(group, Some(RecordKind::User), key);
            }
            for (_, handle) in handles {
                builder.member(group, Some(RecordKind::User), pool.get(*handle));
            }
        }
        builder.finish()
    }

    fn require_id(&self, entry: &impl Attributes, names: &Names, who: &mut Identity) {
        let has_id = names
            .iter()
            .any(|name| entry.values(name).any(|it| !it.is_empty()));
        if self.ids_required && !has_id {
            who.id.clear();
            let name = names.iter().next().unwrap_or("id");
            let reason = format!("`{name}` is missing, or may not be read: there is no stable id");
            who.fault.get_or_insert(reason);
        }
    }

    /// Notes under which handle the bearers of a username are known, rejected ones too.
    fn remember(&mut self, who: &Identity) {
        if self.mapping.groups.member_names.is_empty() {
            return;
        }
        let handle = self.pool.add(&who.handle);
        for key in &who.keys {
            self.users.push((self.pool.add(key), handle));
        }
    }

    fn reject(&mut self, kind: RecordKind, who: &Identity, label: &str) {
        let reason = who.fault.as_deref().unwrap_or_default();
        let none = [String::new()];
        let keys = if who.keys.is_empty() {
            &none
        } else {
            who.keys.as_slice()
        };
        for key in keys {
            self.builder
                .reject(kind, &who.id, key, &who.handle, label, reason);
        }
    }

    fn further(&self, entry: &impl Attributes) -> Result<Vec<(&'a str, Vec<String>)>, String> {
        let mut further = Vec::new();
        for (written, name) in &self.further {
            let values = texts(entry, name)?;
            if !values.is_empty() {
                further.push((*written, values));
            }
        }
        Ok(further)
    }

    /// Takes the members of a group, by handle or by username key, and counts those that could not be read.
    fn members(&mut self, group: u32, entry: &impl Attributes) -> u64 {
        let attributes = &self.mapping.groups;
        let mut unread = 0;
        for value in attributes.members.iter().flat_map(|it| entry.values(it)) {
            match std::str::from_utf8(value)
                .ok()
                .and_then(|it| dn::normalise(without_uid(it)).ok())
            {
                // Classes that demand a member are satisfied with the empty name, which is nobody's.
                Some(handle) if handle.is_empty() => {}
                Some(handle) => self.builder.member(group, None, &handle),
                None => unread += 1,
            }
        }
        let names = attributes.member_names.iter();
        for value in names.flat_map(|it| entry.values(it)) {
            match std::str::from_utf8(value)
                .ok()
                .and_then(|it| name_key(it).ok())
            {
                Some(key) => self.named.push((group, self.pool.add(&key))),
                None => unread += 1,
            }
        }
        let both = attributes
            .members
            .iter()
            .chain(attributes.member_names.iter());
        unread + both.filter(|it| entry.is_cut(it)).count() as u64
    }
}

impl Attributes for ldif::Entry {
    fn dn(&self) -> &[u8] {
        self.dn.as_bytes()
    }

    fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        ldif::Entry::values(self, name).iter().map(Vec::as_slice)
    }
}

fn identity(entry: &impl Attributes, id: &Names, name: &Names) -> Identity {
    let mut fault = None;
    let normal =
        std::str::from_utf8(entry.dn()).map_err(|_| "the `dn` is not valid UTF-8".to_owned());
    let normal = normal.and_then(|it| dn::normalise(it).map_err(|fault| format!("`dn`: {fault}")));
    let handle = normal.unwrap_or_else(|why| {
        fault.get_or_insert(why);
        String::new()
    });
    let id = first_text(entry, id).unwrap_or_else(|why| {
        fault.get_or_insert(why);
        String::new()
    });
    let mut named = name.iter().map(|it| texts(entry, it));
    let names = named.find(|it| it.as_ref().map_or(true, |it| !it.is_empty()));
    let names = names.unwrap_or(Ok(Vec::new())).unwrap_or_else(|why| {
        fault.get_or_insert(why);
        Vec::new()
    });
    let what = name.iter().next().unwrap_or("name");
    match names.len() {
        0 => _ = fault.get_or_insert(format!("`{what}` is missing")),
        1 => {}
        count => _ = fault.get_or_insert(format!("`{what}` has {count} values; one is needed")),
    }
    let mut keys = Vec::new();
    for name in &names {
        // A name with blanks around it is no name, yet it shows whose record this is.
        let key = name_key(name).or_else(|why| {
            fault.get_or_insert(format!("`{what}`: {why}"));
            name_key(name.trim())
        });
        keys.extend(key.ok().filter(|it| !keys.contains(it)));
    }
    Identity {
        id: if id.is_empty() { handle.clone() } else { id },
        handle,
        names,
        keys,
        fault,
    }
}

/// The first value of the first attribute that has more than blanks there, trimmed; empty if there is none.
fn first_text(entry: &impl Attributes, names: &Names) -> Result<String, String> {
    for name in names.iter() {
        let value = entry
            .values(name)
            .next()
            .map(|it| text(name, it))
            .transpose()?;
        if let Some(value) = value.map(str::trim).filter(|it| !it.is_empty()) {
            return Ok(value.to_owned());
        }
    }
    Ok(String::new())
}

/// All values of one attribute.
fn texts(entry: &impl Attributes, name: &str) -> Result<Vec<String>, String> {
    entry
        .values(name)
        .map(|value| text(name, value).map(str::to_owned))
        .collect()
}

fn text<'v>(name: &str, value: &'v [u8]) -> Result<&'v str, String> {
    std::str::from_utf8(value).map_err(|_| format!("`{name}` is not valid UTF-8"))
}

/// A value of the syntax "name and optional UID" (RFC 4517, section 3.3.21) without its UID: `cn=a,dc=x#'0101'B`.
fn without_uid(value: &str) -> &str {
    match value.strip_suffix("'B").and_then(|it| it.rsplit_once("#'")) {
        Some((name, bits)) if bits.bytes().all(|bit| matches!(bit, b'0' | b'1')) => name,
        _ => value,
    }
}

#[cfg(test)]
mod tests;
