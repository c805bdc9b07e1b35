//! Merging a delta by copying what stays: of a hundred thousand records the texts of ten are touched.
//!
//! [`Records::merged`] puts everything together anew and is the measure of what is right. Here the old records are copied as
//! numbers, in their order, and only what the delta speaks of is looked at as text: the changed records, and the members of
//! groups whose handles lead elsewhere now. Where anything is out of the ordinary, the answer is `None` and the slow way is
//! taken: rejected records with a part in it, ids or handles that stand twice, members named by username, a list of what
//! remains.

mod course;
mod put;

use std::collections::BTreeSet;

use hashbrown::{HashMap, HashSet};

use self::course::Course;
use self::put::{put_extra, put_group, put_user, same_extra, without};
use crate::model::delta::usernames::check_bearers;
use crate::model::delta::{Delta, Kept, Lineage, Replaced};
use crate::model::{Csr, GroupRecord, NONE, RecordKind, Records, Reference, Rejected, UserRecord};

/// So many times the strings that records can need are kept before they are put together anew, without those that nobody
/// names any more.
const STRINGS_MAX: usize = 2;

/// The delta and what is known of it so far.
struct Patch<'a> {
    old: &'a Records,
    delta: &'a Delta,
    kept: &'a Kept<'a>,
    users: Course,
    groups: Course,
    /// The records with the new ones among them; members are still missing.
    new: Records,
    /// Who bears the handles that matter: user or group, by new place.
    bearers: HashMap<&'a str, Vec<(RecordKind, u32)>>,
}

/// What a group names: records, and what nothing answers to.
#[derive(Default)]
struct Named<'a> {
    users: Vec<u32>,
    groups: Vec<u32>,
    loose: Vec<(Option<RecordKind>, &'a str)>,
}

impl Records {
    /// What [`Records::merged`] gives, and where each record comes from; `None` when it is not that simple.
    pub(super) fn patched(&self, delta: &Delta) -> Option<(Records, Lineage)> {
        let replaced = Replaced::of(delta);
        let rejected = |it: &Rejected| replaced.has(it.what, self.text(it.id));
        let ordinary = delta.remaining.is_empty()
            && !delta.by_username
            && (!delta.moves_follow || self.rejected.is_empty())
            && delta.upsert.rejected.is_empty()
            && (delta.filled.iter()).all(|it| replaced.is_fresh(RecordKind::Group, it))
            && self.check_rejected(delta).is_ok()
            && check_bearers(self, delta, &replaced).is_ok()
            && !self.rejected.iter().any(rejected)
            && self.pool.len() <= STRINGS_MAX * self.strings_needed();
        if !ordinary {
            return None;
        }
        let kept = Kept::of(self, delta, &replaced);
        Patch::of(self, delta, &kept)?.run()
    }

    /// The most strings that these records can name.
    fn strings_needed(&self) -> usize {
        1 + 8 * self.users.len()
            + 5 * self.groups.len()
            + 2 * self.extra.len()
            + self.references.len()
            + 5 * self.rejected.len()
    }
}

impl<'a> Patch<'a> {
    /// Copies the records and changes them. `None` when an id is not an id.
    fn of(old: &'a Records, delta: &'a Delta, kept: &'a Kept<'a>) -> Option<Self> {
        let upsert = &delta.upsert;
        let gone = |kind| {
            let of_kind = delta.gone.iter().filter(move |it| it.0 == kind);
            of_kind.map(|it| it.1.as_str())
        };
        let ids = |records: &'a Records, it: &UserRecord| records.text(it.id);
        let mut users = Course::of(
            old.users.iter().map(|it| ids(old, it)),
            upsert.users.iter().map(|it| ids(upsert, it)),
            gone(RecordKind::User),
        )?;
        let ids = |records: &'a Records, it: &GroupRecord| records.text(it.id);
        let mut groups = Course::of(
            old.groups.iter().map(|it| ids(old, it)),
            upsert.groups.iter().map(|it| ids(upsert, it)),
            gone(RecordKind::Group),
        )?;
        let mut new = Records {
            pool: old.pool.clone(),
            rejected: old.rejected.clone(),
            ..Records::default()
        };
        new.users = without(&old.users, &users.gone);
        new.groups = without(&old.groups, &groups.gone);
        for &(from, at) in &users.fresh {
            put_user(old, &users, upsert, from, at, &mut new);
        }
        for &(from, at) in &groups.fresh {
            put_group(old, &groups, upsert, from, at, &mut new);
        }
        put_extra(old, &users, upsert, &mut new);
        users.departed = users.departed(|was, at| old.users[was].handle != new.users[at].handle);
        groups.departed =
            groups.departed(|was, at| old.groups[was].handle != new.groups[at].handle);
        Some(Patch {
            old,
            delta,
            kept,
            users,
            groups,
            new,
            bearers: HashMap::new(),
        })
    }

    fn run(mut self) -> Option<(Records, Lineage)> {
        let fresh_handles = self.fresh_handles()?;
        self.find_bearers(&fresh_handles);
        if fresh_handles.iter().any(|it| self.bearers[it].len() != 1) {
            return None;
        }
        let touched = self.touched(&fresh_handles)?;
        let lineage = self.fill(&touched);
        Some((self.new, lineage))
    }

    /// The handles that a record bears now and bore not before. `None` when one names nothing.
    fn fresh_handles(&self) -> Option<HashSet<&'a str>> {
        let upsert = &self.delta.upsert;
        let moved = |course: &Course, at: u32| {
            let was = course.was[at as usize];
            was == NONE || course.departed.binary_search(&was).is_ok()
        };
        let users = self
            .users
            .fresh
            .iter()
            .filter(|it| moved(&self.users, it.1));
        let users = users.map(|it| upsert.users[it.0 as usize].handle);
        let groups = self
            .groups
            .fresh
            .iter()
            .filter(|it| moved(&self.groups, it.1));
        let groups = groups.map(|it| upsert.groups[it.0 as usize].handle);
        let handles = users.chain(groups);
        handles
            .map(|it| (!it.is_empty()).then(|| upsert.text(it)))
            .collect()
    }

    /// Goes through all records once, for the handles that the changed groups may name.
    fn find_bearers(&mut self, fresh_handles: &HashSet<&'a str>) {
        let (old, upsert) = (self.old, &self.delta.upsert);
        let users = self.users.departed.iter();
        let users = users.map(|it| old.text(old.users[*it as usize].handle));
        let groups = self.groups.departed.iter();
        let groups = groups.map(|it| old.text(old.groups[*it as usize].handle));
        let edges = self.kept.edges.added().map(|it| it.2);
        let filled = (upsert.users.iter().map(|it| it.handle))
            .chain(upsert.groups.iter().map(|it| it.handle))
            .chain(upsert.references.iter().map(|it| it.handle));
        let handles = users
            .chain(groups)
            .chain(edges)
            .chain(filled.map(|it| upsert.text(it)))
            .chain(fresh_handles.iter().copied());
        let mut bearers: HashMap<&'a str, Vec<(RecordKind, u32)>> =
            handles.map(|it| (it, Vec::new())).collect();
        // The empty handle names nothing.
        bearers.remove("");
        let new = &self.new;
        for (at, user) in (0u32..).zip(&new.users) {
            if let Some(found) = bearers.get_mut(new.text(user.handle)) {
                found.push((RecordKind::User, at));
            }
        }
        for (at, group) in (0u32..).zip(&new.groups) {
            if let Some(found) = bearers.get_mut(new.text(group.handle)) {
                found.push((RecordKind::Group, at));
            }
        }
        self.bearers = bearers;
    }

    /// For each new group, whether its members are to be found anew. `None` when a change names a group that is not there.
    fn touched(&self, fresh_handles: &HashSet<&'a str>) -> Option<Vec<bool>> {
        let (old, upsert) = (self.old, &self.delta.upsert);
        let mut touched = vec![false; self.new.groups.len()];
        let mut touch = |old_group: usize| {
            let now = self.groups.now[old_group];
            if now != NONE {
                touched[now as usize] = true;
            }
        };
        for (rows, course) in [(&old.members, &self.users), (&old.children, &self.groups)] {
            if course.departed.is_empty() {
                continue;
            }
            let mut departed = vec![false; course.now.len()];
            course
                .departed
                .iter()
                .for_each(|it| departed[*it as usize] = true);
            let names = |group: &usize| rows.row(*group).iter().any(|it| departed[*it as usize]);
            (0..rows.len()).filter(names).for_each(&mut touch);
        }
        if !fresh_handles.is_empty() {
            let named = |it: &&Reference| fresh_handles.contains(old.text(it.handle));
            let named = old.references.iter().filter(named);
            named.for_each(|it| touch(it.group as usize));
        }
        for &(from, at) in &self.groups.fresh {
            let id = upsert.text(upsert.groups[from as usize].id);
            touched[at as usize] |=
                self.groups.was[at as usize] == NONE || self.delta.is_filled(id);
        }
        let mut speaks_of: HashSet<&str> = self
            .delta
            .members
            .iter()
            .map(|it| it.group.as_str())
            .collect();
        if speaks_of.is_empty() {
            return Some(touched);
        }
        for (at, group) in self.new.groups.iter().enumerate() {
            touched[at] |= speaks_of.remove(self.new.text(group.id));
        }
        let is_gone = |it: &str| self.kept.replaced.has(RecordKind::Group, it);
        let all_known = speaks_of.iter().all(|it| is_gone(it));
        all_known.then_some(touched)
    }

    /// Gives the groups their members and says where everything comes from.
    fn fill(&mut self, touched: &[bool]) -> Lineage {
        let old = self.old;
        let mut added: HashMap<&str, Vec<_>> = HashMap::new();
        for (group, kind, handle) in self.kept.edges.added() {
            added.entry(group).or_default().push((kind, handle));
        }
        let mut fresh = vec![NONE; self.new.groups.len()];
        for &(from, at) in &self.groups.fresh {
            fresh[at as usize] = from;
        }
        let (mut members, mut children) = (Csr::empty(0), Csr::empty(0));
        let mut loose = Vec::new();
        for (at, &touched) in touched.iter().enumerate() {
            if !touched {
                let was = self.groups.was[at] as usize;
                members.push_row(old.members.row(was).iter().map(|it| self.users.at(*it)));
                children.push_row(old.children.row(was).iter().map(|it| self.groups.at(*it)));
                continue;
            }
            let mut named = self.named(at, fresh[at], &added);
            members.push_row(named.users());
            children.push_row(named.groups());
            named.loose.sort_unstable();
            named.loose.dedup();
            loose.extend(named.loose.iter().map(|it| (at as u32, it.0, it.1)));
        }
        self.new.members = members;
        self.new.children = children;
        let references = self.put_references(touched, loose);
        let changed = |course: &Course, differs: &dyn Fn(usize, usize) -> bool| {
            let fresh = course.fresh.iter().map(|it| it.1);
            let differs = |at: &u32| match course.was[*at as usize] {
                NONE => true,
                was => differs(was as usize, *at as usize),
            };
            fresh.filter(differs).collect()
        };
        let new = &self.new;
        Lineage {
            changed_users: changed(&self.users, &|was, at| {
                old.users[was] != new.users[at] || !same_extra(old, was, new, at)
            }),
            changed_groups: changed(&self.groups, &|was, at| old.groups[was] != new.groups[at]),
            users: std::mem::take(&mut self.users.was),
            groups: std::mem::take(&mut self.groups.was),
            gone_users: std::mem::take(&mut self.users.gone),
            gone_groups: std::mem::take(&mut self.groups.gone),
            references,
            refilled: (0u32..)
                .zip(touched)
                .filter(|it| *it.1)
                .map(|it| it.0)
                .collect(),
        }
    }

    /// What a group names, found anew. `fresh` is its place in the delta, if it came with it.
    fn named(
        &self,
        at: usize,
        fresh: u32,
        added: &HashMap<&'a str, Vec<(Option<RecordKind>, &'a str)>>,
    ) -> Named<'a> {
        let (old, delta) = (self.old, self.delta);
        let mut named = Named::default();
        let was = self.groups.was[at];
        let id = if fresh == NONE {
            old.text(old.groups[was as usize].id)
        } else {
            delta.upsert.text(delta.upsert.groups[fresh as usize].id)
        };
        let is_filled = fresh != NONE && delta.is_filled(id);
        if is_filled {
            self.name_filled(fresh as usize, &mut named);
        } else if was != NONE {
            self.name_kept(was as usize, id, &mut named);
        }
        for &(kind, handle) in added.get(id).into_iter().flatten() {
            self.resolve(kind, handle, &mut named);
        }
        named
    }

    fn name_filled(&self, from: usize, named: &mut Named<'a>) {
        let (delta, upsert) = (self.delta, &self.delta.upsert);
        for &user in upsert.members.row(from) {
            let handle = upsert.text(upsert.users[user as usize].handle);
            self.resolve(delta.kind_of(RecordKind::User), handle, named);
        }
        for &child in upsert.children.row(from) {
            let handle = upsert.text(upsert.groups[child as usize].handle);
            self.resolve(delta.kind_of(RecordKind::Group), handle, named);
        }
        for it in upsert
            .references
            .iter()
            .filter(|it| it.group as usize == from)
        {
            self.resolve(it.kind, upsert.text(it.handle), named);
        }
    }

    fn name_kept(&self, was: usize, id: &str, named: &mut Named<'a>) {
        let (old, kept) = (self.old, self.kept);
        let spoken_of = kept.edges.speak_of(id);
        let stays =
            |kind, handle: &str| !spoken_of || kept.edges.last(id, kind, handle) != Some(false);
        for &user in old.members.row(was) {
            let it = &old.users[user as usize];
            let kind = self.delta.kind_of(RecordKind::User);
            let which = (RecordKind::User, old.text(it.id));
            let Some(handle) = kept.handle(which, old.text(it.handle)) else {
                continue;
            };
            match stays(kind, handle) {
                false => {}
                true if self.users.is_departed(user) => self.resolve(kind, handle, named),
                true => named.users.push(self.users.at(user)),
            }
        }
        for &child in old.children.row(was) {
            let it = &old.groups[child as usize];
            let kind = self.delta.kind_of(RecordKind::Group);
            let which = (RecordKind::Group, old.text(it.id));
            let Some(handle) = kept.handle(which, old.text(it.handle)) else {
                continue;
            };
            match stays(kind, handle) {
                false => {}
                true if self.groups.is_departed(child) => self.resolve(kind, handle, named),
                true => named.groups.push(self.groups.at(child)),
            }
        }
        for it in kept.references(was as u32) {
            let Some(handle) = kept.loose_handle(it.kind, old.text(it.handle)) else {
                continue;
            };
            if stays(it.kind, handle) {
                self.resolve(it.kind, handle, named);
            }
        }
    }

    /// Users first where either may be meant; all of them where several bear the handle.
    fn resolve(&self, kind: Option<RecordKind>, handle: &'a str, named: &mut Named<'a>) {
        let found = self.bearers.get(handle).map_or(&[][..], Vec::as_slice);
        let of = |kind| found.iter().filter(move |it| it.0 == kind).map(|it| it.1);
        let before = named.users.len();
        if kind != Some(RecordKind::Group) {
            named.users.extend(of(RecordKind::User));
        }
        if named.users.len() > before {
            return;
        }
        let before = named.groups.len();
        if kind != Some(RecordKind::User) {
            named.groups.extend(of(RecordKind::Group));
        }
        if named.groups.len() == before {
            named.loose.push((kind, handle));
        }
    }

    /// The references of untouched groups, and those that were found anew. Answers where each comes from.
    fn put_references(
        &mut self,
        touched: &[bool],
        loose: Vec<(u32, Option<RecordKind>, &str)>,
    ) -> Vec<u32> {
        let (old, new) = (self.old, &mut self.new);
        let mut found: BTreeSet<_> = loose.iter().copied().collect();
        let mut origins = Vec::with_capacity(old.references.len());
        for (was, it) in (0u32..).zip(&old.references) {
            let group = self.groups.now[it.group as usize];
            let stays = group != NONE
                && (!touched[group as usize]
                    || found.remove(&(group, it.kind, old.text(it.handle))));
            if stays {
                new.references.push(Reference {
                    group,
                    ..it.clone()
                });
                origins.push(was);
            }
        }
        for (group, kind, handle) in loose {
            if found.contains(&(group, kind, handle)) {
                let handle = new.pool.add(handle);
                new.references.push(Reference {
                    group,
                    kind,
                    handle,
                });
                origins.push(NONE);
            }
        }
        origins
    }
}

impl Named<'_> {
    fn users(&mut self) -> impl Iterator<Item = u32> + '_ {
        self.users.sort_unstable();
        self.users.dedup();
        self.users.iter().copied()
    }

    fn groups(&mut self) -> impl Iterator<Item = u32> + '_ {
        self.groups.sort_unstable();
        self.groups.dedup();
        self.groups.iter().copied()
    }
}

#[cfg(test)]
mod tests;
