//! From what a connector finds, in any order, to [`Records`].
//!
//! Names are checked and references resolved here, once, so that every directory rejects the same things for the same reasons,
//! and so that the order in which a directory answers means nothing.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

use crate::model::{
    Csr, GroupRecord, Interner, Kind, NONE, RecordKind, Records, Reference, Rejected, Status,
    StrId, UserRecord,
};
use crate::text;

/// A user as a connector found it: raw text, empty where the directory has nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewUser<'a> {
    /// The stable id.
    pub id: &'a str,
    /// The username as spelled.
    pub username: &'a str,
    /// The name people see.
    pub display_name: &'a str,
    /// First name.
    pub given_name: &'a str,
    /// Last name.
    pub family_name: &'a str,
    /// Mail address.
    pub email: &'a str,
    /// How other records name this one; the connector brings it into one spelling.
    pub handle: &'a str,
    /// Whether the user may log in.
    pub status: Status,
    /// What the directory itself says of the kind of user.
    pub kind: Option<Kind>,
    /// The record is there, but its state could not be read.
    pub unknown: bool,
    /// How the administrator finds the record should it be rejected; the id where empty.
    pub label: &'a str,
    /// Further attributes that the configuration names: name and values.
    pub extra: Vec<(&'a str, Vec<&'a str>)>,
}

/// A group as a connector found it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewGroup<'a> {
    /// The stable id.
    pub id: &'a str,
    /// The name as spelled.
    pub name: &'a str,
    /// What the group is for.
    pub description: &'a str,
    /// How other records name this one.
    pub handle: &'a str,
    /// The group is there, but its members could not be read.
    pub unknown: bool,
    /// How the administrator finds the record should it be rejected; the id where empty.
    pub label: &'a str,
}

/// Makes [`Records`] from what a connector finds, in any order: members may be named before the records they name.
#[derive(Debug, Default)]
pub struct RecordsBuilder {
    records: Records,
    handles: Interner,
    members: Vec<Named>,
}

/// A membership by handle, before everything is known. The group is either an index or a handle itself.
#[derive(Debug)]
struct Named {
    group: u32,
    kind: Option<RecordKind>,
    handle: StrId,
}

impl RecordsBuilder {
    /// Takes a user, or rejects it with a reason when its id is missing or its username is not one.
    pub fn user(&mut self, user: &NewUser<'_>) {
        let label = if user.label.is_empty() {
            user.id
        } else {
            user.label
        };
        let key = match text::name_key(user.username) {
            Ok(key) => key,
            Err(fault) => {
                let reason = format!("username: {fault}");
                return self.reject(RecordKind::User, user.id, "", user.handle, label, &reason);
            }
        };
        if user.id.is_empty() {
            let reason = "it has no stable id";
            return self.reject(RecordKind::User, "", &key, user.handle, label, reason);
        }
        let handle = self.handles.intern(user.handle);
        let index = self.records.users.len() as u32;
        let pool = &mut self.records.pool;
        let username = pool.add(user.username);
        for (name, values) in &user.extra {
            let name = pool.add(name);
            for value in values {
                let value = pool.add(value);
                self.records.extra.push((index, name, value));
            }
        }
        self.records.users.push(UserRecord {
            id: pool.add(user.id),
            username,
            key: if key == user.username {
                username
            } else {
                pool.add(&key)
            },
            display_name: pool.add(user.display_name),
            given_name: pool.add(user.given_name),
            family_name: pool.add(user.family_name),
            email: pool.add(user.email.trim()),
            handle,
            status: user.status,
            kind: user.kind,
            unknown: user.unknown,
        });
    }

    /// Takes a group and returns the number by which [`RecordsBuilder::member`] names it; a group without an id or with a
    /// name that is none is rejected, and its members are dropped with it (`None`).
    pub fn group(&mut self, group: &NewGroup<'_>) -> Option<u32> {
        let label = if group.label.is_empty() {
            group.id
        } else {
            group.label
        };
        let key = match text::name_key(group.name) {
            Ok(key) => key,
            Err(fault) => {
                let reason = format!("group name: {fault}");
                self.reject(
                    RecordKind::Group,
                    group.id,
                    "",
                    group.handle,
                    label,
                    &reason,
                );
                return None;
            }
        };
        if group.id.is_empty() {
            let reason = "it has no stable id";
            self.reject(RecordKind::Group, "", &key, group.handle, label, reason);
            return None;
        }
        let handle = self.handles.intern(group.handle);
        let pool = &mut self.records.pool;
        let name = pool.add(group.name);
        self.records.groups.push(GroupRecord {
            id: pool.add(group.id),
            name,
            key: if key == group.name {
                name
            } else {
                pool.add(&key)
            },
            description: pool.add(group.description),
            handle,
            unknown: group.unknown,
        });
        Some(self.records.groups.len() as u32 - 1)
    }

    /// Notes that not all members of a group could be read.
    pub fn group_is_unknown(&mut self, group: u32) {
        self.records.groups[group as usize].unknown = true;
    }

    /// Notes that a group names a member by its handle. `kind` says which records the handle may name; `None` means either,
    /// users first.
    pub fn member(&mut self, group: u32, kind: Option<RecordKind>, handle: &str) {
        let handle = self.handles.intern(handle);
        self.members.push(Named {
            group,
            kind,
            handle,
        });
    }

    /// Rejects a record that the connector itself could not make sense of. What is known of it (id, folded name, handle) is
    /// kept, so that the account and the groups it concerns can be left alone; the rest is empty.
    pub fn reject(
        &mut self,
        what: RecordKind,
        id: &str,
        key: &str,
        handle: &str,
        label: &str,
        reason: &str,
    ) {
        let handle = self.handles.intern(handle);
        let pool = &mut self.records.pool;
        self.records.rejected.push(Rejected {
            what,
            id: pool.add(id),
            key: pool.add(key),
            handle,
            label: pool.add(label),
            reason: pool.add(reason),
        });
    }

    /// Resolves every reference and gives the records out. Records that repeat the id and the name of another are one with
    /// it; an id that stands on several names is no id, and its records are rejected.
    pub fn finish(mut self) -> Records {
        let users_at = self.unite_users();
        let (group_now, groups_at) = self.unite_groups();
        let RecordsBuilder {
            mut records,
            handles,
            members,
        } = self;
        let mut user_pairs = Vec::new();
        let mut group_pairs = Vec::new();
        let mut loose = Vec::new();
        for named in members {
            let group = group_now.number(named.group);
            let (kind, handle) = (named.kind, named.handle);
            if group == NONE {
                continue;
            }
            if kind != Some(RecordKind::Group) && users_at.has(handle) {
                user_pairs.extend(users_at.bearers(handle).map(|it| (group, it)));
            } else if kind != Some(RecordKind::User) && groups_at.has(handle) {
                group_pairs.extend(groups_at.bearers(handle).map(|it| (group, it)));
            } else {
                loose.push((group, kind, handle));
            }
        }
        let groups = records.groups.len();
        records.members = Csr::from_pairs(groups, &user_pairs);
        records.children = Csr::from_pairs(groups, &group_pairs);
        // Handles move into the records' own pool.
        for user in &mut records.users {
            user.handle = records.pool.add(handles.get(user.handle));
        }
        for group in &mut records.groups {
            group.handle = records.pool.add(handles.get(group.handle));
        }
        for rejected in &mut records.rejected {
            rejected.handle = records.pool.add(handles.get(rejected.handle));
        }
        loose.sort_unstable();
        loose.dedup();
        for (group, kind, handle) in loose {
            let handle = records.pool.add(handles.get(handle));
            records.references.push(Reference {
                group,
                kind,
                handle,
            });
        }
        records.pool.shrink();
        records
    }

    /// Unites the users and says which of them bear a handle.
    fn unite_users(&mut self) -> Bearers {
        let records = &self.records;
        let pool = &records.pool;
        let id_and_key = |it: u32| {
            let user = &records.users[it as usize];
            (pool.get(user.id), pool.get(user.key))
        };
        let now = Now::uniting(records.users.len(), id_and_key, |it| records.user_texts(it));
        let bearers = Bearers::of(self.handles.len(), &now, &records.users, |it| it.handle);
        if now.is_plain() {
            return bearers;
        }
        let all = std::mem::take(&mut self.records.users);
        for (old, user) in (0u32..).zip(&all) {
            if now.number(old) == NONE {
                self.reject_shared(RecordKind::User, user.id, user.key, user.handle);
            } else if now.stands(old) {
                self.records.users.push(user.clone());
            }
        }
        // What one of the repeats does not tell is unknown of all.
        for (old, user) in (0u32..).zip(&all) {
            if let Some(it) = self.records.users.get_mut(now.number(old) as usize) {
                it.unknown |= user.unknown;
                if user.status == Status::Unknown {
                    it.status = Status::Unknown;
                }
            }
        }
        let extra = std::mem::take(&mut self.records.extra).into_iter();
        self.records.extra = extra
            .filter(|it| now.stands(it.0))
            .map(|it| (now.number(it.0), it.1, it.2))
            .collect();
        bearers
    }

    /// Unites the groups and says under which number each stands now and which of them bear a handle.
    fn unite_groups(&mut self) -> (Now, Bearers) {
        let records = &self.records;
        let pool = &records.pool;
        let id_and_key = |it: u32| {
            let group = &records.groups[it as usize];
            (pool.get(group.id), pool.get(group.key))
        };
        let texts = |it: u32| {
            let group = &records.groups[it as usize];
            (pool.get(group.name), pool.get(group.description))
        };
        let now = Now::uniting(records.groups.len(), id_and_key, texts);
        let bearers = Bearers::of(self.handles.len(), &now, &records.groups, |it| it.handle);
        if now.is_plain() {
            return (now, bearers);
        }
        let all = std::mem::take(&mut self.records.groups);
        for (old, group) in (0u32..).zip(&all) {
            if now.number(old) == NONE {
                self.reject_shared(RecordKind::Group, group.id, group.key, group.handle);
            } else if now.stands(old) {
                self.records.groups.push(group.clone());
            }
        }
        for (old, group) in (0u32..).zip(&all).filter(|it| it.1.unknown) {
            if let Some(it) = self.records.groups.get_mut(now.number(old) as usize) {
                it.unknown |= group.unknown;
            }
        }
        (now, bearers)
    }

    fn reject_shared(&mut self, what: RecordKind, id: StrId, key: StrId, handle: StrId) {
        let reason = "another record of another name has the same id";
        let reason = self.records.pool.add(reason);
        self.records.rejected.push(Rejected {
            what,
            id,
            key,
            handle,
            label: id,
            reason,
        });
    }
}

impl Records {
    /// Everything that is said of a user, to choose one of several repeats whatever their order.
    fn user_texts(&self, user: u32) -> impl Ord + '_ {
        let it = &self.users[user as usize];
        let texts = [
            it.username,
            it.display_name,
            it.given_name,
            it.family_name,
            it.email,
        ];
        let texts: Vec<&str> = texts.into_iter().map(|it| self.text(it)).collect();
        let extra = self.extra.iter().filter(|it| it.0 == user);
        let extra: Vec<(&str, &str)> = extra.map(|it| (self.text(it.1), self.text(it.2))).collect();
        (texts, it.status, it.kind, extra)
    }
}

/// Under which number each record stands once repeats are united: its own or a repeat's, [`NONE`] when it is rejected. Empty
/// when every record stands for itself.
#[derive(Debug, Default)]
struct Now {
    of: Vec<u32>,
    stands: Vec<bool>,
}

impl Now {
    /// Unites records by id. Of those that repeat one another the least by `texts` stands.
    fn uniting<'a, T: Ord>(
        count: usize,
        id_and_key: impl Fn(u32) -> (&'a str, &'a str),
        texts: impl Fn(u32) -> T,
    ) -> Self {
        let hasher = RandomState::new();
        let mut table: HashTable<u32> = HashTable::with_capacity(count);
        let mut same: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        let hash = |it: u32| hasher.hash_one(id_and_key(it).0);
        for it in 0..count as u32 {
            let is_same = |other: &u32| id_and_key(*other).0 == id_and_key(it).0;
            let first = table.entry(hash(it), is_same, |it| hash(*it)).or_insert(it);
            let first = *first.get();
            if first != it {
                same.entry(first).or_insert_with(|| vec![first]).push(it);
            }
        }
        if same.is_empty() {
            return Now::default();
        }
        // First by old number, then renumbered without the gaps.
        let mut of: Vec<u32> = (0..count as u32).collect();
        for all in same.into_values() {
            let one_name = all
                .iter()
                .all(|it| id_and_key(*it).1 == id_and_key(all[0]).1);
            let least = all.iter().copied().min_by_key(|it| texts(*it));
            let stands = least.filter(|_| one_name).unwrap_or(NONE);
            all.iter().for_each(|it| of[*it as usize] = stands);
        }
        let stands: Vec<bool> = (0u32..).zip(&of).map(|it| it.0 == *it.1).collect();
        let mut number = vec![NONE; count];
        let standing = (0..count).filter(|it| stands[*it]);
        for (new, old) in (0u32..).zip(standing) {
            number[old] = new;
        }
        for it in of.iter_mut().filter(|it| **it != NONE) {
            *it = number[*it as usize];
        }
        Now { of, stands }
    }

    fn is_plain(&self) -> bool {
        self.of.is_empty()
    }

    fn number(&self, old: u32) -> u32 {
        self.of.get(old as usize).copied().unwrap_or(old)
    }

    fn stands(&self, old: u32) -> bool {
        self.stands.get(old as usize).copied().unwrap_or(true)
    }
}

/// Which records bear a handle: one as a rule, all of them where a handle does not tell them apart.
#[derive(Debug)]
struct Bearers {
    first: Vec<u32>,
    more: BTreeMap<u32, Vec<u32>>,
}

impl Bearers {
    fn of<T>(handles: usize, now: &Now, records: &[T], handle: impl Fn(&T) -> StrId) -> Self {
        let mut bearers = Bearers {
            first: vec![NONE; handles],
            more: BTreeMap::new(),
        };
        for (old, record) in (0u32..).zip(records) {
            let (it, handle) = (now.number(old), handle(record));
            // The empty handle names nothing.
            if it == NONE || handle.is_empty() {
                continue;
            }
            let first = &mut bearers.first[handle.0 as usize];
            if *first == NONE {
                *first = it;
            } else if *first != it {
                bearers.more.entry(handle.0).or_default().push(it);
            }
        }
        bearers
    }

    fn has(&self, handle: StrId) -> bool {
        self.first[handle.0 as usize] != NONE
    }

    fn bearers(&self, handle: StrId) -> impl Iterator<Item = u32> + '_ {
        let more = self.more.get(&handle.0).into_iter().flatten();
        std::iter::once(self.first[handle.0 as usize]).chain(more.copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(id: &'static str, username: &'static str) -> NewUser<'static> {
        NewUser {
            id,
            username,
            handle: id,
            ..NewUser::default()
        }
    }

    #[test]
    fn members_may_be_named_before_they_are_known() {
        let mut builder = RecordsBuilder::default();
        let staff = builder.group(&NewGroup {
            id: "g",
            name: "Staff",
            handle: "g",
            ..NewGroup::default()
        });
        builder.member(staff.unwrap(), None, "u1");
        builder.member(staff.unwrap(), None, "gone");
        builder.member(staff.unwrap(), Some(RecordKind::Group), "u1");
        builder.user(&user("u1", "Anna"));
        let records = builder.finish();
        assert_eq!(records.members.row(0), [0]);
        assert_eq!(records.text(records.users[0].key), "anna");
        assert_eq!(records.references.len(), 2);
        assert_eq!(records.text(records.references[0].handle), "gone");
    }

    #[test]
    fn a_repeat_of_an_id_and_a_username_is_one_record() {
        let mut builder = RecordsBuilder::default();
        let staff = builder.group(&NewGroup {
            id: "g",
            name: "staff",
            ..NewGroup::default()
        });
        for (handle, username, unknown) in [("x", "anna", false), ("y", "Anna", true)] {
            builder.member(staff.unwrap(), None, handle);
            builder.user(&NewUser {
                handle,
                unknown,
                extra: vec![("nr", vec![handle])],
                ..user("u1", username)
            });
        }
        builder.user(&user("u2", "ben"));
        let records = builder.finish();
        assert_eq!(records.users.len(), 2);
        assert_eq!(records.text(records.users[0].username), "Anna");
        assert!(records.users[0].unknown);
        assert_eq!(records.extra_values(0, "nr").collect::<Vec<_>>(), ["y"]);
        assert_eq!(records.members.row(0), [0]);
        assert!(records.rejected.is_empty());
    }

    #[test]
    fn an_id_that_stands_on_two_usernames_is_none() {
        let mut builder = RecordsBuilder::default();
        builder.user(&user("u1", "anna"));
        builder.user(&user("u2", "carl"));
        builder.user(&user("u1", "ben"));
        let records = builder.finish();
        assert_eq!(records.users.len(), 1);
        let rejected = |it: &Rejected| {
            let texts = [it.id, it.key];
            texts.map(|it| records.text(it).to_owned())
        };
        let rejected: Vec<_> = records.rejected.iter().map(rejected).collect();
        assert_eq!(rejected, [["u1", "anna"], ["u1", "ben"]]);
    }

    #[test]
    fn a_handle_that_two_users_bear_names_both() {
        let mut builder = RecordsBuilder::default();
        let staff = builder.group(&NewGroup {
            id: "g",
            name: "staff",
            ..NewGroup::default()
        });
        builder.member(staff.unwrap(), None, "anna");
        for id in ["u1", "u2"] {
            builder.user(&NewUser {
                handle: "anna",
                ..user(id, "anna")
            });
        }
        assert_eq!(builder.finish().members.row(0), [0, 1]);
    }

    #[test]
    fn a_bad_username_rejects_one_record_and_keeps_its_id() {
        let mut builder = RecordsBuilder::default();
        builder.user(&user("u1", " anna"));
        builder.user(&user("", "ben"));
        builder.user(&user("u3", "carl"));
        let records = builder.finish();
        assert_eq!(records.users.len(), 1);
        assert_eq!(records.text(records.rejected[0].id), "u1");
        assert_eq!(records.text(records.rejected[1].key), "ben");
    }

    #[test]
    fn further_attributes_are_found_by_user_and_name() {
        let mut builder = RecordsBuilder::default();
        builder.user(&user("u1", "anna"));
        let extra = vec![("kind", vec!["bot", "old"]), ("nr", vec!["7"])];
        builder.user(&NewUser {
            extra,
            ..user("u2", "ben")
        });
        let records = builder.finish();
        assert_eq!(
            records.extra_values(1, "kind").collect::<Vec<_>>(),
            ["bot", "old"]
        );
        assert_eq!(records.extra_values(0, "kind").count(), 0);
    }
}
