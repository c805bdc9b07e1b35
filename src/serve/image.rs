//! What one entry serves: the accounts and groups that are ours, ready to be looked up.
//!
//! An image is made of a committed holding, once, and never changes: a request that began with one ends with it, however long
//! its answer takes and whatever is published meanwhile. Users and groups are sorted by folded name and name one another by
//! place; what is nested is worked out when somebody asks.

mod build;
mod digest;
mod nested;

use crate::model::{Csr, Pool, StrId};
use crate::text::folded;

/// The served set of one entry at one moment.
#[derive(Debug)]
pub struct Image {
    pool: Pool,
    /// Sorted by `folded`.
    users: Vec<UserRow>,
    /// The users' places in the order of their keys.
    by_key: Vec<u32>,
    /// Sorted by `folded`.
    groups: Vec<GroupRow>,
    /// The users in a group.
    members: Csr,
    /// The groups a user is in.
    groups_of: Csr,
    /// The groups in a group.
    children: Csr,
    /// The groups a group is in.
    parents: Csr,
    digest: String,
}

/// A user as clients are shown it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServedUser<'a> {
    /// The username.
    pub name: &'a str,
    /// The account's own id, unchanged by a rename: Crowd's `key`.
    pub key: &'a str,
    /// First name; empty for none, as all fields below.
    pub given_name: &'a str,
    /// Last name.
    pub family_name: &'a str,
    /// The name people see.
    pub display_name: &'a str,
    /// Mail address.
    pub email: &'a str,
    /// Whether the user may log in.
    pub active: bool,
}

/// Whom a user's password is asked of. Clients are not shown this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The id of the directory entry that won the username.
    pub directory: &'a str,
    /// The user's stable id there.
    pub user_id: &'a str,
}

/// A group as clients are shown it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServedGroup<'a> {
    /// The name.
    pub name: &'a str,
    /// What it is for; empty for none.
    pub description: &'a str,
}

/// Strings are numbers of the image's pool.
#[derive(Clone, Copy, Debug)]
struct UserRow {
    folded: StrId,
    name: StrId,
    key: StrId,
    given_name: StrId,
    family_name: StrId,
    display_name: StrId,
    email: StrId,
    directory: StrId,
    user_id: StrId,
    active: bool,
}

#[derive(Clone, Copy, Debug)]
struct GroupRow {
    folded: StrId,
    name: StrId,
    description: StrId,
}

impl Image {
    /// How many users there are; places are below that.
    pub fn users(&self) -> u32 {
        self.users.len() as u32
    }

    /// How many groups there are; places are below that.
    pub fn groups(&self) -> u32 {
        self.groups.len() as u32
    }

    /// The user at a place.
    pub fn user(&self, place: u32) -> ServedUser<'_> {
        let row = &self.users[place as usize];
        ServedUser {
            name: self.pool.get(row.name),
            key: self.pool.get(row.key),
            given_name: self.pool.get(row.given_name),
            family_name: self.pool.get(row.family_name),
            display_name: self.pool.get(row.display_name),
            email: self.pool.get(row.email),
            active: row.active,
        }
    }

    /// Whom the password of the user at a place is asked of.
    pub fn origin(&self, place: u32) -> Origin<'_> {
        let row = &self.users[place as usize];
        Origin {
            directory: self.pool.get(row.directory),
            user_id: self.pool.get(row.user_id),
        }
    }

    /// The group at a place.
    pub fn group(&self, place: u32) -> ServedGroup<'_> {
        let row = &self.groups[place as usize];
        ServedGroup {
            name: self.pool.get(row.name),
            description: self.pool.get(row.description),
        }
    }

    /// The place of the user of that name, in any spelling.
    pub fn find_user(&self, name: &str) -> Option<u32> {
        self.find_folded_user(&folded(name))
    }

    /// The place of the user with that key.
    pub fn find_key(&self, key: &str) -> Option<u32> {
        let key_at = |&place: &u32| self.pool.get(self.users[place as usize].key);
        let at = self
            .by_key
            .binary_search_by(|it| key_at(it).cmp(key))
            .ok()?;
        Some(self.by_key[at])
    }

    /// The place of the group of that name, in any spelling.
    pub fn find_group(&self, name: &str) -> Option<u32> {
        self.find_folded_group(&folded(name))
    }

    /// The direct members of a group, sorted.
    pub fn members(&self, group: u32) -> &[u32] {
        self.members.row(group as usize)
    }

    /// The groups that a user is directly in, sorted.
    pub fn groups_of(&self, user: u32) -> &[u32] {
        self.groups_of.row(user as usize)
    }

    /// The groups directly in a group, sorted.
    pub fn children(&self, group: u32) -> &[u32] {
        self.children.row(group as usize)
    }

    /// The groups that a group is directly in, sorted.
    pub fn parents(&self, group: u32) -> &[u32] {
        self.parents.row(group as usize)
    }

    /// How many users, groups and memberships there are together.
    pub fn size(&self) -> usize {
        self.users.len() + self.groups.len() + self.members.items() + self.children.items()
    }

    /// Names everything that clients are shown, in 32 hexadecimal digits: the same after a restart, another after any change.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    pub(super) fn folded_user(&self, place: u32) -> &str {
        self.pool.get(self.users[place as usize].folded)
    }

    pub(super) fn folded_group(&self, place: u32) -> &str {
        self.pool.get(self.groups[place as usize].folded)
    }

    pub(super) fn find_folded_user(&self, folded: &str) -> Option<u32> {
        let users = &self.users;
        let at = users.binary_search_by(|it| self.pool.get(it.folded).cmp(folded));
        at.ok().map(|at| at as u32)
    }

    pub(super) fn find_folded_group(&self, folded: &str) -> Option<u32> {
        let groups = &self.groups;
        let at = groups.binary_search_by(|it| self.pool.get(it.folded).cmp(folded));
        at.ok().map(|at| at as u32)
    }
}

#[cfg(test)]
pub(super) mod tests;
