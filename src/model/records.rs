//! What a directory answered: users, groups, members, and what of it could not be taken.
//!
//! A connector feeds the [`RecordsBuilder`](crate::model::RecordsBuilder) with raw text; [`Records`] hold what was said, nothing
//! derived: two users of one name are both kept, since which of them is meant depends on the application that asks.

use std::collections::BTreeSet;

use crate::model::{Csr, Pool, StrId};

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
    /// Rejected records, each once under however many names it was rejected.
    pub rejected: u64,
    /// Members that nothing answers to.
    pub references: u64,
    /// Users and groups whose present state could not be read.
    pub unknown: u64,
}

impl Records {
    /// The string of a number.
    pub fn text(&self, id: StrId) -> &str {
        self.pool.get(id)
    }

    /// How much there is.
    pub fn tally(&self) -> Tally {
        let (users, groups) = self.unknown();
        Tally {
            users: self.users.len() as u64,
            groups: self.groups.len() as u64,
            memberships: (self.members.items() + self.children.items()) as u64,
            rejected: self.rejected_once().count() as u64,
            references: self.references.len() as u64,
            unknown: users + groups,
        }
    }

    /// How many users and how many groups are there whose present state could not be read.
    pub fn unknown(&self) -> (u64, u64) {
        let users = self.users.iter().filter(|it| it.unknown).count();
        let groups = self.groups.iter().filter(|it| it.unknown).count();
        (users as u64, groups as u64)
    }

    /// The rejected records, one of several names only once: those of one handle that say the same are one.
    pub fn rejected_once(&self) -> impl Iterator<Item = &Rejected> {
        let mut seen = BTreeSet::new();
        self.rejected.iter().filter(move |it| {
            let said = [it.handle, it.id, it.label, it.reason].map(|it| self.text(it));
            it.handle == StrId::EMPTY || seen.insert((it.what, said))
        })
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

    /// The further attributes of one user.
    pub(super) fn extra_of(&self, user: u32) -> impl Iterator<Item = &(u32, StrId, StrId)> {
        let from = self.extra.partition_point(|it| it.0 < user);
        self.extra[from..].iter().take_while(move |it| it.0 == user)
    }
}
