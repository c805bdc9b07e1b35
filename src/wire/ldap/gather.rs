//! Entries become records.
//!
//! The way from an entry to a record is the same for a server's answer and for an LDIF file, so it stands here once, over
//! the little that both can say of an entry ([`Attributes`]). Nothing is guessed: a user with two usernames is rejected
//! under both, a group with a member that cannot be read is marked unknown, and what is known of a rejected record (id, name,
//! handle) is handed on, so that the accounts it concerns can be left alone.

mod identity;
mod members;
mod oddities;

use std::cmp::Ordering;
use std::collections::BTreeMap;

pub use self::identity::id;
pub use self::oddities::{Oddities, is_tombstone};

use self::identity::{Identity, first_text, texts};
use super::ldif;
use super::mapping::{Mapping, Names};
use super::primary::{self, Primaries, Primary};
use super::ranges::{self, Cut, Part};
use super::status::Verdict;
use crate::clock::Timestamp;
use crate::model::{NewGroup, NewUser, Pool, RecordKind, Records, RecordsBuilder, Status, StrId};

/// What can be asked of an entry, wherever it came from.
pub trait Attributes {
    /// The distinguished name as it came.
    fn dn(&self) -> &[u8];

    /// The values of the attribute of that name and of no options, in the order in which they came. The name is asked for in
    /// lower case.
    fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]>;

    /// Whether of some attribute only a part came, which is rare and quickly told.
    fn has_parts(&self) -> bool {
        false
    }

    /// The part of the attribute's values that came, where only a part did, as servers do it with long ones
    /// (`member;range=0-1499`). The name is asked for in lower case.
    fn part(&self, _name: &str) -> Option<Part<'_>> {
        None
    }
}

/// Makes [`Records`] from entries, in any order.
#[derive(Debug)]
pub struct Gatherer<'a> {
    mapping: &'a Mapping,
    /// The moment at which accounts are expired or not.
    now: Timestamp,
    /// Further attributes of users, as written and in lower case.
    further: Vec<(&'a str, String)>,
    builder: RecordsBuilder,
    /// The users' keys and handles, for members that are named by username.
    users: Vec<(StrId, StrId)>,
    /// The groups, by number, and the keys of the users they name.
    named: Vec<(u32, StrId)>,
    pool: Pool,
    primaries: Primaries,
    /// What of the groups is missing, by group and attribute.
    cuts: BTreeMap<(u32, String), Cut>,
    odd: Oddities,
    next_expiry: Option<Timestamp>,
    names_members: bool,
    ids_required: bool,
}

impl<'a> Gatherer<'a> {
    /// Begins with nothing. `further` names the attributes of users that are wanted beside those of the mapping; `now` is the
    /// moment at which accounts are expired or not.
    pub fn new(mapping: &'a Mapping, further: &'a [String], now: Timestamp) -> Self {
        Gatherer {
            mapping,
            now,
            further: further
                .iter()
                .map(|it| (it.as_str(), it.to_ascii_lowercase()))
                .collect(),
            builder: RecordsBuilder::default(),
            users: Vec::new(),
            named: Vec::new(),
            pool: Pool::default(),
            primaries: Primaries::default(),
            cuts: BTreeMap::new(),
            odd: Oddities::default(),
            next_expiry: None,
            names_members: false,
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

    /// Takes an entry as a user; what is left of a deleted one is passed over. The label is how an administrator finds it should
    /// it be rejected.
    pub fn user(&mut self, entry: &impl Attributes, label: &str) {
        if is_tombstone(entry) {
            return;
        }
        let attributes = &self.mapping.users;
        let mut who = Identity::of(entry, &attributes.id, &attributes.username);
        self.require_id(entry, &attributes.id, &mut who);
        self.refuse_parts(entry, &mut who);
        let mut read = |names: &Names| {
            first_text(entry, names).unwrap_or_else(|why| {
                who.fail(why);
                String::new()
            })
        };
        let display_name = read(&attributes.display_name);
        let given_name = read(&attributes.given_name);
        let family_name = read(&attributes.family_name);
        let email = read(&attributes.email);
        let extra = self.further(entry).unwrap_or_else(|why| {
            who.fail(why);
            Vec::new()
        });
        self.remember(&who);
        let unknown = self.primary_group(entry, &who);
        let (None, [username]) = (&who.fault, who.names.as_slice()) else {
            return self.reject(RecordKind::User, &who, label);
        };
        let status = self.status(entry);
        self.builder.user(&NewUser {
            id: &who.id,
            username,
            display_name: &display_name,
            given_name: &given_name,
            family_name: &family_name,
            email: &email,
            handle: &who.handle,
            status,
            kind: None,
            unknown,
            label,
            extra: extra
                .iter()
                .map(|it| (it.0, it.1.iter().map(String::as_str).collect()))
                .collect(),
        });
    }

    /// Takes an entry as a group; what is left of a deleted one is passed over.
    pub fn group(&mut self, entry: &impl Attributes, label: &str) {
        if is_tombstone(entry) {
            return;
        }
        let attributes = &self.mapping.groups;
        let mut who = Identity::of(entry, &attributes.id, &attributes.name);
        self.require_id(entry, &attributes.id, &mut who);
        let description = first_text(entry, &attributes.description).unwrap_or_else(|why| {
            who.fail(why);
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
        if self.mapping.primary_groups {
            self.primaries.group(number, entry);
        }
        self.members(number, entry);
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
            let mut who = Identity::of(entry, id, name);
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

    /// What an operator is told beside the records.
    pub fn oddities(&self) -> Oddities {
        Oddities {
            unread_members: self.odd.unread_members + self.cuts.len() as u64,
            ..self.odd
        }
    }

    /// The earliest moment from which on a user who is active now may be so no longer. Nothing changes on the server then, so
    /// whoever reads changes alone has to look again by itself.
    pub fn next_expiry(&self) -> Option<Timestamp> {
        self.next_expiry
    }

    /// Whether a group named a member by username, so that a change of a user may change a group.
    pub fn names_members(&self) -> bool {
        self.names_members
    }

    /// Ties members to users and gives the records out.
    pub fn finish(self) -> Records {
        let Gatherer {
            mut builder,
            mut users,
            named,
            pool,
            primaries,
            cuts,
            ..
        } = self;
        for (group, _) in cuts.keys() {
            builder.group_is_unknown(*group);
        }
        primaries.each(|group, handle| builder.member(group, Some(RecordKind::User), handle));
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
            who.fail(format!(
                "`{name}` is missing, or may not be read: there is no stable id"
            ));
        }
    }

    /// Rejects a user of whose attributes only a part came; with groups it is the rest that is asked for.
    fn refuse_parts(&self, entry: &impl Attributes, who: &mut Identity) {
        if !entry.has_parts() {
            return;
        }
        let further = self.further.iter().map(|it| it.1.as_str());
        for name in self.mapping.user_attributes().chain(further) {
            if entry.part(&name.to_ascii_lowercase()).is_some() {
                who.fail(format!(
                    "`{name}` has so many values that the server gave a part of them"
                ));
            }
        }
    }

    /// Whether the user is active now, as the site's own rule says or else the product's.
    fn status(&mut self, entry: &impl Attributes) -> Status {
        let Verdict { status, expires } = self.mapping.verdict(entry, self.now);
        if let (Status::Active, Some(moment)) = (status, expires) {
            let sooner = self.next_expiry.map_or(moment, |it| it.min(moment));
            self.next_expiry = Some(sooner);
        }
        self.odd.unread_statuses += u64::from(status == Status::Unknown);
        status
    }

    /// Notes the primary group of a user, rejected or not, and tells whether it could not be read.
    fn primary_group(&mut self, entry: &impl Attributes, who: &Identity) -> bool {
        if !self.mapping.primary_groups || who.handle.is_empty() {
            return false;
        }
        match primary::of_user(entry) {
            Primary::Group(sid) => self.primaries.user(&who.handle, &sid),
            Primary::NotShown => {}
            Primary::Unreadable => {
                self.odd.unread_primaries += 1;
                return true;
            }
        }
        false
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
}

impl Attributes for ldif::Entry {
    fn dn(&self) -> &[u8] {
        self.dn.as_bytes()
    }

    fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        ldif::Entry::values(self, name).iter().map(Vec::as_slice)
    }

    fn has_parts(&self) -> bool {
        self.attributes
            .iter()
            .any(|it| ranges::may_describe(it.0.as_bytes()))
    }

    fn part(&self, name: &str) -> Option<Part<'_>> {
        let (range, values) = self
            .attributes
            .iter()
            .find_map(|it| Some((ranges::described(it.0.as_bytes(), name)?, &it.1)))?;
        Some(Part {
            range,
            values: values.iter().map(Vec::as_slice).collect(),
        })
    }
}

#[cfg(test)]
mod tests;
