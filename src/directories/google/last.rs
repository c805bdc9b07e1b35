//! The last accepted records, by id.

use hashbrown::{HashMap, HashSet};

use crate::model::{RecordKind, Records, Reference, StrId};

/// The last accepted records with what finds a record in them.
#[derive(Debug)]
pub(super) struct Last<'a> {
    pub(super) records: &'a Records,
    /// Every user's id, of rejected ones too.
    users: HashSet<&'a str>,
    groups: HashMap<&'a str, u32>,
    /// The members of a group that nothing in the records answers to.
    strangers: HashMap<u32, Vec<&'a Reference>>,
}

/// Begins the handle of the member that is everybody of a customer. Nothing answers to it; its users are members besides.
pub(super) const CUSTOMER: &str = "customer ";

/// A record that was there and is in no list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Missing<'a> {
    /// It was missing before.
    was_unknown: bool,
    /// Its id.
    pub id: &'a str,
    /// Where it stands: among the users or groups, or among the rejected records.
    pub at: u32,
    /// It was rejected, so that it is known by its id and little else.
    pub is_rejected: bool,
}

impl<'a> Last<'a> {
    pub(super) fn of(records: &'a Records) -> Last<'a> {
        let groups = (0..).zip(&records.groups);
        let mut strangers: HashMap<u32, Vec<&Reference>> = HashMap::new();
        for it in &records.references {
            strangers.entry(it.group).or_default().push(it);
        }
        let users = records.users.iter().map(|it| it.id);
        let rejected = records.rejected.iter();
        let rejected = rejected.filter(|it| it.what == RecordKind::User);
        let users = users.chain(rejected.map(|it| it.id));
        Last {
            records,
            users: users.map(|it| records.text(it)).collect(),
            groups: groups.map(|(at, it)| (records.text(it.id), at)).collect(),
            strangers,
        }
    }

    /// Where a group stands in them.
    pub(super) fn group(&self, id: &str) -> Option<u32> {
        self.groups.get(id).copied()
    }

    /// Whether a user was there, taken or rejected.
    pub(super) fn has_user(&self, id: &str) -> bool {
        self.users.contains(id)
    }

    /// The customer whose everybody was in one group.
    pub(super) fn customer_in(&self, group: u32) -> Option<&'a str> {
        let mut strangers = self.strangers_of(group);
        strangers.find_map(|it| it.1.strip_prefix(CUSTOMER))
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
        let strangers = strangers.filter(|it| !it.1.starts_with(CUSTOMER));
        (known + strangers.count()) as u64
    }

    /// The users that are not among those, rejected ones too: they are somebody still. Those come first that were known, since
    /// the others were asked for before; of these another one is the first at each `turn`.
    pub(super) fn users_without(
        &self,
        is_listed: impl Fn(&str) -> bool,
        turn: usize,
    ) -> Vec<Missing<'a>> {
        let users = self.records.users.iter().map(|it| (it.id, it.unknown));
        self.without(RecordKind::User, users, is_listed, turn)
    }

    /// The groups that are not among those, in the same order.
    pub(super) fn groups_without(
        &self,
        is_listed: impl Fn(&str) -> bool,
        turn: usize,
    ) -> Vec<Missing<'a>> {
        let groups = self.records.groups.iter().map(|it| (it.id, it.unknown));
        self.without(RecordKind::Group, groups, is_listed, turn)
    }

    fn without(
        &self,
        kind: RecordKind,
        taken: impl Iterator<Item = (StrId, bool)>,
        is_listed: impl Fn(&str) -> bool,
        turn: usize,
    ) -> Vec<Missing<'a>> {
        let missing = |at, id, (was_unknown, is_rejected)| Missing {
            id: self.records.text(id),
            at,
            is_rejected,
            was_unknown,
        };
        let taken = (0..).zip(taken);
        let taken = taken.map(|(at, (id, unknown))| missing(at, id, (unknown, false)));
        let rejected = (0..).zip(&self.records.rejected);
        let rejected = rejected.filter(|it| it.1.what == kind);
        let rejected = rejected.map(|(at, it)| missing(at, it.id, (false, true)));
        let mut all: Vec<Missing<'_>> = taken.chain(rejected).collect();
        all.retain(|it| !it.id.is_empty() && !is_listed(it.id));
        all.sort_unstable();
        // A record may be rejected under several names.
        all.dedup_by_key(|it| it.id);
        let known = all.partition_point(|it| !it.was_unknown);
        let before = &mut all[known..];
        if !before.is_empty() {
            before.rotate_left(turn % before.len());
        }
        all
    }
}
