//! What a directory answered: users, groups, members, and what of it could not be taken.
//!
//! A connector feeds the [`RecordsBuilder`] with raw text in any order; names are checked and references resolved here, once,
//! so that every directory rejects the same things for the same reasons. [`Records`] hold what was said, nothing derived:
//! two users of one name are both kept, since which of them is meant depends on the application that asks.

use crate::model::{Csr, Interner, NONE, Pool, StrId};
use crate::text;

/// Whether a user may log in, as the directory says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Status {
    /// The user may log in.
    #[default]
    Active,
    /// The user is switched off there.
    Inactive,
    /// The directory did not show it, and it was never seen: the user is unknown for every use made of it.
    Unknown,
}

/// What sort of user it is. Applications take persons unless told otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Kind {
    /// A human being of the organisation.
    #[default]
    Person,
    /// A bot or another technical account.
    Service,
    /// A customer who only uses a portal.
    Customer,
}

/// Users or groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecordKind {
    /// A user.
    User,
    /// A group.
    Group,
}

/// One user as the directory shows it. Strings are numbers of [`Records::pool`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRecord {
    /// The stable id, unchanged by a rename. Never empty.
    pub id: StrId,
    /// The username as spelled in the directory.
    pub username: StrId,
    /// The folded username, by which users of all directories are joined.
    pub key: StrId,
    /// The name people see.
    pub display_name: StrId,
    /// First name.
    pub given_name: StrId,
    /// Last name.
    pub family_name: StrId,
    /// Mail address as spelled.
    pub email: StrId,
    /// How other records of the directory name this one.
    pub handle: StrId,
    /// Whether the user may log in.
    pub status: Status,
    /// What the directory itself says of the kind of user, if it does.
    pub kind: Option<Kind>,
    /// The record is there, but its present state could not be read: it is unknown for every use made of it.
    pub unknown: bool,
}

/// One group as the directory shows it. Strings are numbers of [`Records::pool`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupRecord {
    /// The stable id. Never empty.
    pub id: StrId,
    /// The group's name as spelled in the directory.
    pub name: StrId,
    /// The folded name, by which groups of all directories are joined.
    pub key: StrId,
    /// What the group is for.
    pub description: StrId,
    /// How other records of the directory name this one.
    pub handle: StrId,
    /// The group is there, but its members could not be read: it takes no membership and no scope away.
    pub unknown: bool,
}

/// A record that could not be taken, kept with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// User or group.
    pub what: RecordKind,
    /// The stable id, if it could be read; else empty.
    pub id: StrId,
    /// The folded name, if there is a sound one; else empty.
    pub key: StrId,
    /// How other records name it, if known; else empty.
    pub handle: StrId,
    /// How the administrator finds it: a DN, a line, an id.
    pub label: StrId,
    /// Why it was rejected.
    pub reason: StrId,
}

/// A member that a group names and that nothing in the directory answers to (foreign, deleted, out of the base).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The group, as an index into [`Records::groups`].
    pub group: u32,
    /// What the reference may name; `None` when the directory does not say.
    pub kind: Option<RecordKind>,
    /// The handle that nothing answers to.
    pub handle: StrId,
}

/// Everything that one complete read of one directory said.
#[derive(Clone, Debug, Default)]
pub struct Records {
    /// The text of all records.
    pub pool: Pool,
    /// The users, in no particular order.
    pub users: Vec<UserRecord>,
    /// The groups, in no particular order.
    pub groups: Vec<GroupRecord>,
    /// For each group, the users that are its direct members.
    pub members: Csr,
    /// For each group, the groups that are its direct members.
    pub children: Csr,
    /// Members that nothing answers to, by group.
    pub references: Vec<Reference>,
    /// Further attributes as `(user, name, value)`, sorted by user; only those that the configuration names.
    pub extra: Vec<(u32, StrId, StrId)>,
    /// What could not be taken.
    pub rejected: Vec<Rejected>,
}

/// How much a read held, as its guards and the log count it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// User records, rejected ones not counted.
    pub users: u64,
    /// Group records, rejected ones not counted.
    pub groups: u64,
    /// Direct memberships of users and of groups, references to nothing known not counted.
    pub memberships: u64,
    /// Rejected records.
    pub rejected: u64,
    /// Members that nothing answers to.
    pub references: u64,
}

impl Records {
    /// The string of a number.
    pub fn text(&self, id: StrId) -> &str {
        self.pool.get(id)
    }

    /// How much there is.
    pub fn tally(&self) -> Tally {
        Tally {
            users: self.users.len() as u64,
            groups: self.groups.len() as u64,
            memberships: (self.members.items() + self.children.items()) as u64,
            rejected: self.rejected.len() as u64,
            references: self.references.len() as u64,
        }
    }

    /// The values of a further attribute of one user, in the order the directory gave them.
    pub fn extra_values<'a>(&'a self, user: u32, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.extra_of(user)
            .filter(move |it| self.text(it.1) == name)
            .map(|it| self.text(it.2))
    }

    /// The names of the further attributes of one user, once for each value.
    pub fn extra_names(&self, user: u32) -> impl Iterator<Item = &str> {
        self.extra_of(user).map(|it| self.text(it.1))
    }

    fn extra_of(&self, user: u32) -> impl Iterator<Item = &(u32, StrId, StrId)> {
        let from = self.extra.partition_point(|it| it.0 < user);
        self.extra[from..].iter().take_while(move |it| it.0 == user)
    }
}

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

    /// Resolves every reference and gives the records out.
    pub fn finish(self) -> Records {
        let RecordsBuilder {
            mut records,
            handles,
            members,
        } = self;
        let mut users_at = vec![NONE; handles.len()];
        let mut groups_at = vec![NONE; handles.len()];
        for (index, user) in records.users.iter().enumerate().rev() {
            users_at[user.handle.0 as usize] = index as u32;
        }
        for (index, group) in records.groups.iter().enumerate().rev() {
            groups_at[group.handle.0 as usize] = index as u32;
        }
        // The empty handle names nothing.
        users_at[0] = NONE;
        groups_at[0] = NONE;

        let mut user_pairs = Vec::new();
        let mut group_pairs = Vec::new();
        let mut loose = Vec::new();
        for Named {
            group,
            kind,
            handle,
        } in members
        {
            let at = handle.0 as usize;
            if kind != Some(RecordKind::Group) && users_at[at] != NONE {
                user_pairs.push((group, users_at[at]));
            } else if kind != Some(RecordKind::User) && groups_at[at] != NONE {
                group_pairs.push((group, groups_at[at]));
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
