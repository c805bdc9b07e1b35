//! What the records of one directory mean to one application: which stand, which are unknown, of what kind the users are.
//!
//! Derived purely and the same way for every directory. Two records of one name, users or groups, are both unknown, except that
//! the one whose id is linked in the application stays valid there, since it was that person's before the other came.

mod kinds;

use crate::model::{Csr, Interner, Kind, NONE, RecordKind, Records, Status, StrId};
use crate::reconcile::nest;
use crate::reconcile::rules::{DirectoryRules, chosen};

/// What a user record is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It stands.
    Valid,
    /// The directory's own `users.skip` names it: as if it were not there.
    Skipped,
    /// Its state could not be read, or the kind depends on a group that could not: it freezes its username.
    Unknown,
    /// Another record of the directory has the same username: it freezes it.
    Duplicate,
    /// Another record of the directory has the same username and an account linked to it, so that one stands.
    Ousted,
}

/// The folded names of all users and of all groups, numbered over all directories and the application.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Usernames.
    pub users: Interner,
    /// Group names.
    pub groups: Interner,
}

/// One directory as one application takes it.
#[derive(Debug)]
pub struct Snapshot<'a> {
    /// The records.
    pub records: &'a Records,
    /// For each user record, the number of its folded username.
    pub user_key: Vec<u32>,
    /// For each user record, what it is good for.
    pub standing: Vec<Standing>,
    /// For each user record, what sort of user it is.
    pub kind: Vec<Kind>,
    /// Numbers of usernames that rejected records bear, sorted; with those of unknown records they freeze.
    pub rejected_keys: Vec<u32>,
    /// Numbers of usernames that rejected records bear beside one that stands. They freeze nobody but who is missing and had
    /// that name.
    pub ousted_keys: Vec<u32>,
    /// Stable ids of rejected user records, sorted.
    pub rejected_ids: Vec<&'a str>,
    /// Those of them that show no name, sorted.
    pub unnamed_ids: Vec<&'a str>,
    /// How many rejected records show neither a name nor an id: whoever is missing may be one of them.
    pub nameless: u32,
    /// For each group record, the number of its folded name; [`NONE`] when the directory's rules exclude it.
    pub group_key: Vec<u32>,
    /// Group records that are not taken because another one of the directory has the same name.
    pub doubled_groups: Vec<u32>,
    /// For each group record, the users it gives to the application: its members, if the directory may fill it.
    pub fills: Vec<bool>,
    /// For each group record, the group records above it, itself included; `None` when there is no nesting.
    pub above: Option<Csr>,
    /// Numbers of group names of which something could not be read, with every group above them.
    pub uncertain: Vec<u32>,
    /// Stable ids of rejected and of doubled group records, sorted.
    pub rejected_group_ids: Vec<&'a str>,
    /// Some rejected group record shows no name: whichever group is missing may be that one.
    pub nameless_group: bool,
}

impl<'a> Snapshot<'a> {
    /// Derives the snapshot. `linked` says whether an account (or group) of the application is linked to a stable id of this
    /// directory.
    pub fn derive(
        records: &'a Records,
        rules: &DirectoryRules,
        names: &mut Names,
        linked: &dyn Fn(RecordKind, &str) -> bool,
    ) -> Self {
        let (mut group_key, mut fills) = take_groups(records, rules, names);
        let linked_group = |id: &str| linked(RecordKind::Group, id);
        let chosen_key = group_key.clone();
        let doubled = reject_doubled_groups(records, &mut group_key, &mut fills, &linked_group);
        let taken_back = |it: &u32| {
            let it = *it as usize;
            chosen_key[it] != NONE && group_key[it] == NONE
        };
        let doubled_groups = (0..group_key.len() as u32).filter(taken_back).collect();
        let above = nest::ancestors(&records.children, |group| fills[group as usize]);
        // What a group says of its members' kind, and what of it is unknown, does not depend on what it may fill.
        let over_all = if fills.iter().all(|it| *it) {
            None
        } else {
            nest::ancestors(&records.children, |_| true)
        };
        let unsure = uncertain_groups(records, &doubled, over_all.as_ref().or(above.as_ref()));
        let (user_key, mut standing) = take_users(records, rules, names);
        let linked_user = |id: &str| linked(RecordKind::User, id);
        let keys = names.users.len();
        mark_duplicates(records, &user_key, keys, &mut standing, &linked_user);

        let mut snapshot = Snapshot {
            records,
            user_key,
            standing,
            kind: Vec::new(),
            rejected_keys: Vec::new(),
            ousted_keys: Vec::new(),
            rejected_ids: Vec::new(),
            unnamed_ids: Vec::new(),
            nameless: 0,
            uncertain: Vec::new(),
            rejected_group_ids: Vec::new(),
            nameless_group: false,
            doubled_groups,
            group_key,
            fills,
            above,
        };
        snapshot.take_rejected(rules, names);
        snapshot.oust_or_join_rejected(&linked_user);
        snapshot.take_rejected_groups();
        snapshot.classify(rules, &unsure, over_all.as_ref());
        snapshot.uncertain = snapshot.uncertain_keys(&unsure, &doubled, names);
        snapshot
    }

    /// The group records above one, itself included.
    pub fn above<'s>(&'s self, group: &'s u32) -> &'s [u32] {
        match &self.above {
            None => std::slice::from_ref(group),
            Some(above) => above.row(*group as usize),
        }
    }

    /// The names of groups in groups that carry memberships upwards: the lower one first.
    pub(crate) fn edges(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        let pairs = self.records.children.pairs();
        pairs.filter_map(|(parent, child)| {
            let (above, below) = (
                self.group_key[parent as usize],
                self.group_key[child as usize],
            );
            let carries = above != NONE && below != NONE && self.fills[parent as usize];
            carries.then_some((below, above))
        })
    }

    fn take_rejected(&mut self, rules: &DirectoryRules, names: &mut Names) {
        for it in self
            .records
            .rejected
            .iter()
            .filter(|it| it.what == RecordKind::User)
        {
            let key = self.records.text(it.key);
            if rules.skip_users.is_match(key) {
                continue;
            }
            self.nameless += u32::from(it.key == StrId::EMPTY && it.id == StrId::EMPTY);
            if it.key != StrId::EMPTY {
                self.rejected_keys.push(names.users.intern(key).0);
            }
            if it.id != StrId::EMPTY {
                let id = self.records.text(it.id);
                self.rejected_ids.push(id);
                self.unnamed_ids
                    .extend((it.key == StrId::EMPTY).then_some(id));
            }
        }
        self.rejected_ids.sort_unstable();
        self.unnamed_ids.sort_unstable();
        self.doubt_shared_ids();
    }

    /// Of two records of one id, of which one was rejected, nobody knows whose the other one is.
    fn doubt_shared_ids(&mut self) {
        if self.rejected_ids.is_empty() {
            return;
        }
        for (user, standing) in self.records.users.iter().zip(&mut self.standing) {
            let id = self.records.text(user.id);
            if *standing == Standing::Valid && self.rejected_ids.binary_search(&id).is_ok() {
                *standing = Standing::Duplicate;
            }
        }
    }

    /// A rejected record that shows no name has, for all that is known, still the name of the account that was made for it.
    pub(crate) fn name_unnamed(&mut self, id: &str, key: u32) {
        if self.unnamed_ids.binary_search(&id).is_ok() && !self.user_key.contains(&key) {
            self.rejected_keys.push(key);
            self.rejected_keys.sort_unstable();
        }
    }

    /// A rejected record of the same username is a second one of that name: both are unknown, unless an account is linked to
    /// the one that could be taken.
    fn oust_or_join_rejected(&mut self, linked: &dyn Fn(&str) -> bool) {
        if self.rejected_keys.is_empty() {
            return;
        }
        self.rejected_keys.sort_unstable();
        let mut ousted = Vec::new();
        for (user, key) in self.user_key.iter().enumerate() {
            let valid = self.standing[user] == Standing::Valid;
            if !valid || self.rejected_keys.binary_search(key).is_err() {
                continue;
            }
            if linked(self.records.text(self.records.users[user].id)) {
                ousted.push(*key);
            } else {
                self.standing[user] = Standing::Duplicate;
            }
        }
        self.rejected_keys.retain(|it| !ousted.contains(it));
        self.ousted_keys = ousted;
    }

    fn take_rejected_groups(&mut self) {
        let rejected = self.records.rejected.iter();
        for it in rejected.filter(|it| it.what == RecordKind::Group) {
            self.nameless_group |= it.key == StrId::EMPTY;
            self.nameless += u32::from(it.key == StrId::EMPTY && it.id == StrId::EMPTY);
            if it.id != StrId::EMPTY {
                self.rejected_group_ids.push(self.records.text(it.id));
            }
        }
        let groups = &self.records.groups;
        let doubled = self.doubled_groups.iter().map(|it| groups[*it as usize].id);
        self.rejected_group_ids
            .extend(doubled.map(|it| self.records.text(it)));
        self.rejected_group_ids.sort_unstable();
    }

    fn uncertain_keys(&self, unsure: &[bool], doubled: &[u32], names: &mut Names) -> Vec<u32> {
        let marked = |group: &usize| unsure[*group] && self.group_key[*group] != NONE;
        let mut keys: Vec<u32> = (0..unsure.len())
            .filter(marked)
            .map(|group| self.group_key[group])
            .collect();
        for it in &self.records.rejected {
            if it.what == RecordKind::Group && it.key != StrId::EMPTY {
                keys.push(names.groups.intern(self.records.text(it.key)).0);
            }
        }
        let doubled = doubled.iter().map(|it| key_of(self.records, *it));
        keys.extend(doubled.map(|it| names.groups.intern(it).0));
        keys
    }
}

/// By group record, the number of its name if the directory gives it, and whether it may give it members.
fn take_groups(
    records: &Records,
    rules: &DirectoryRules,
    names: &mut Names,
) -> (Vec<u32>, Vec<bool>) {
    let mut group_key = Vec::with_capacity(records.groups.len());
    let mut fills = Vec::with_capacity(records.groups.len());
    for group in &records.groups {
        let key = records.text(group.key);
        let taken = chosen(&rules.include_groups, &rules.exclude_groups, key);
        group_key.push(if taken {
            names.groups.intern(key).0
        } else {
            NONE
        });
        fills.push(taken && (rules.may_fill.is_empty() || rules.may_fill.is_match(key)));
    }
    (group_key, fills)
}

/// By user record, the number of its name and what the record by itself is good for.
fn take_users(
    records: &Records,
    rules: &DirectoryRules,
    names: &mut Names,
) -> (Vec<u32>, Vec<Standing>) {
    let mut user_key = Vec::with_capacity(records.users.len());
    let mut standing = Vec::with_capacity(records.users.len());
    for user in &records.users {
        let key = records.text(user.key);
        user_key.push(names.users.intern(key).0);
        standing.push(if rules.skip_users.is_match(key) {
            Standing::Skipped
        } else if user.unknown || user.status == Status::Unknown {
            Standing::Unknown
        } else {
            Standing::Valid
        });
    }
    (user_key, standing)
}

fn key_of(records: &Records, group: u32) -> &str {
    records.text(records.groups[group as usize].key)
}

/// Takes back groups that share a name with another, but for one that is linked; returns those of which none is.
fn reject_doubled_groups(
    records: &Records,
    group_key: &mut [u32],
    fills: &mut [bool],
    linked: &dyn Fn(&str) -> bool,
) -> Vec<u32> {
    let mut by_key: Vec<(u32, u32)> = group_key.iter().copied().zip(0u32..).collect();
    by_key.retain(|it| it.0 != NONE);
    by_key.sort_unstable();
    let mut doubled = Vec::new();
    for same in by_key.chunk_by(|a, b| a.0 == b.0).filter(|it| it.len() > 1) {
        let is_linked = |it: &&(u32, u32)| linked(records.text(records.groups[it.1 as usize].id));
        let owners = same.iter().filter(is_linked).count();
        for it in same.iter().filter(|it| owners != 1 || !is_linked(it)) {
            group_key[it.1 as usize] = NONE;
            fills[it.1 as usize] = false;
            if owners != 1 {
                doubled.push(it.1);
            }
        }
    }
    doubled
}

/// Marks the group records of which something could not be read, and every group above them. Two groups of one name leave
/// open which of them is meant.
fn uncertain_groups(records: &Records, doubled: &[u32], above: Option<&Csr>) -> Vec<bool> {
    let mut unsure: Vec<bool> = records.groups.iter().map(|it| it.unknown).collect();
    doubled.iter().for_each(|it| unsure[*it as usize] = true);
    let mut rejected: Vec<&str> = records
        .rejected
        .iter()
        .filter(|it| it.what == RecordKind::Group && it.handle != StrId::EMPTY)
        .map(|it| records.text(it.handle))
        .collect();
    rejected.sort_unstable();
    if !rejected.is_empty() {
        for it in &records.references {
            if rejected.binary_search(&records.text(it.handle)).is_ok() {
                unsure[it.group as usize] = true;
            }
        }
    }
    if let Some(above) = above {
        for group in 0..unsure.len() {
            if unsure[group] {
                for &parent in above.row(group) {
                    unsure[parent as usize] = true;
                }
            }
        }
    }
    unsure
}

fn mark_duplicates(
    records: &Records,
    user_key: &[u32],
    keys: usize,
    standing: &mut [Standing],
    linked: &dyn Fn(&str) -> bool,
) {
    let mut first = vec![NONE; keys];
    let mut doubles: Vec<(u32, u32)> = Vec::new();
    for (index, &key) in user_key.iter().enumerate() {
        let seen = &mut first[key as usize];
        if *seen == NONE {
            *seen = index as u32;
        } else {
            doubles.push((key, index as u32));
        }
    }
    let mut all = doubles.clone();
    all.extend(doubles.iter().map(|it| (it.0, first[it.0 as usize])));
    all.sort_unstable();
    all.dedup();
    for same in all.chunk_by(|a, b| a.0 == b.0) {
        let is_linked = |it: &&(u32, u32)| linked(records.text(records.users[it.1 as usize].id));
        let owners = same.iter().filter(is_linked).count();
        for it in same {
            let state = &mut standing[it.1 as usize];
            if *state == Standing::Skipped || (owners == 1 && is_linked(&it)) {
                continue;
            }
            *state = if owners == 1 {
                Standing::Ousted
            } else {
                Standing::Duplicate
            };
        }
    }
}
