//! The last accepted records, by id.

use hashbrown::HashMap;

use crate::model::{RecordKind, Records, Reference, StrId};

/// The last accepted records with what finds a record in them.
#[derive(Debug)]
pub(super) struct Last<'a> {
    pub(super) records: &'a Records,
    groups: HashMap<&'a str, u32>,
    /// The members of a group that nothing in the records answers to.
    strangers: HashMap<u32, Vec<&'a Reference>>,
}

impl<'a> Last<'a> {
    pub(super) fn of(records: &'a Records) -> Last<'a> {
        let groups = (0..).zip(&records.groups);
        let mut strangers: HashMap<u32, Vec<&Reference>> = HashMap::new();
        for it in &records.references {
            strangers.entry(it.group).or_default().push(it);
        }
        Last {
            records,
            groups: groups.map(|(at, it)| (records.text(it.id), at)).collect(),
            strangers,
        }
    }

    /// Where a group stands in them.
    pub(super) fn group(&self, id: &str) -> Option<u32> {
        self.groups.get(id).copied()
    }

    /// The users of one group, by id.
    pub(super) fn users_of(&self, group: u32) -> impl Iterator<Item = &'a str> {
        let users = self.records.members.row(group as usize).iter();
        users.map(|it| self.records.text(self.records.users[*it as usize].id))
    }

    /// The groups in one group, by id.
    pub(super) fn groups_of(&self, group: u32) -> impl Iterator<Item = &'a str> {
        let groups = self.records.children.row(group as usize).iter();
        groups.map(|it| self.records.text(self.records.groups[*it as usize].id))
    }

    /// Members of one group that nothing answered to.
    pub(super) fn strangers_of(
        &self,
        group: u32,
    ) -> impl Iterator<Item = (Option<RecordKind>, &'a str)> {
        let strangers = self.strangers.get(&group).into_iter().flatten();
        strangers.map(|it| (it.kind, self.records.text(it.handle)))
    }

    /// How many users one group was last seen with, whether they were known or not.
    pub(super) fn direct_users(&self, group: u32) -> u64 {
        let known = self.records.members.row(group as usize).len();
        let strangers = self.strangers_of(group);
        let strangers = strangers.filter(|it| it.0 != Some(RecordKind::Group));
        (known + strangers.count()) as u64
    }

    /// The users that are not among those, in the order of their ids.
    pub(super) fn users_without(&self, is_listed: impl Fn(&str) -> bool) -> Vec<u32> {
        self.without(&self.records.users, |it| it.id, is_listed)
    }

    /// The groups that are not among those, in the order of their ids.
    pub(super) fn groups_without(&self, is_listed: impl Fn(&str) -> bool) -> Vec<u32> {
        self.without(&self.records.groups, |it| it.id, is_listed)
    }

    fn without<T>(
        &self,
        all: &[T],
        id: impl Fn(&T) -> StrId,
        is_listed: impl Fn(&str) -> bool,
    ) -> Vec<u32> {
        let id = |at: u32| self.records.text(id(&all[at as usize]));
        let mut missing: Vec<u32> = (0..all.len() as u32)
            .filter(|it| !is_listed(id(*it)))
            .collect();
        missing.sort_unstable_by_key(|it| id(*it));
        missing
    }
}
