//! What becomes of the memberships that a delta does not replace.

use std::collections::BTreeMap;

use super::usernames::Usernames;
use super::{Delta, Replaced};
use crate::model::{RecordKind, Records, Reference};

/// The memberships that stay, and under which handles.
pub(super) struct Kept<'a> {
    pub(super) delta: &'a Delta,
    pub(super) edges: Edges<'a>,
    pub(super) usernames: Usernames<'a>,
    pub(super) replaced: &'a Replaced<'a>,
    /// The handles of records that came anew, where memberships follow them; sorted.
    moved: Vec<(Which<'a>, &'a str)>,
    /// The same handles, and what bears them now; sorted.
    came: Vec<(&'a str, RecordKind)>,
    /// Whose handle it was that a reference names, where memberships follow: a rejected record's; sorted.
    rejected: Vec<(&'a str, Which<'a>)>,
    /// Sorted by group.
    references: Vec<&'a Reference>,
}

/// A record's kind and id.
type Which<'a> = (RecordKind, &'a str);

impl<'a> Kept<'a> {
    pub(super) fn of(old: &'a Records, delta: &'a Delta, replaced: &'a Replaced<'a>) -> Self {
        let upsert = &delta.upsert;
        let (mut moved, mut came, mut rejected) = (Vec::new(), Vec::new(), Vec::new());
        if delta.moves_follow {
            let users = upsert.users.iter();
            let users = users.map(|it| (RecordKind::User, it.id, it.handle));
            let groups = upsert.groups.iter();
            let groups = groups.map(|it| (RecordKind::Group, it.id, it.handle));
            let others = upsert.rejected.iter().map(|it| (it.what, it.id, it.handle));
            let all = users.chain(groups).chain(others);
            moved.extend(all.map(|it| ((it.0, upsert.text(it.1)), upsert.text(it.2))));
            moved.sort_unstable();
            came.extend(moved.iter().map(|it| (it.1, it.0.0)));
            came.sort_unstable();
            let were = old.rejected.iter();
            rejected.extend(were.map(|it| (old.text(it.handle), (it.what, old.text(it.id)))));
            rejected.sort_unstable();
        }
        let mut references: Vec<&Reference> = old.references.iter().collect();
        references.sort_by_key(|it| it.group);
        Kept {
            delta,
            edges: Edges::of(delta),
            usernames: Usernames::of(old, delta, replaced),
            replaced,
            moved,
            came,
            rejected,
            references,
        }
    }

    /// The handle under which a group goes on naming a record; `None` when it names it no more.
    pub(super) fn handle<'b>(&self, which: Which<'_>, handle: &'b str) -> Option<&'b str>
    where
        'a: 'b,
    {
        if !self.delta.moves_follow {
            return Some(handle);
        }
        if self.replaced.gone(which.0, which.1) {
            return None;
        }
        let at = self.moved.binary_search_by(|it| it.0.cmp(&which));
        Some(at.map_or(handle, |at| self.moved[at].1))
    }

    /// The same of a handle that nothing answered to. Where memberships follow their record, a record that bears the handle
    /// now is another one than was meant.
    pub(super) fn loose_handle<'b>(
        &self,
        kind: Option<RecordKind>,
        handle: &'b str,
    ) -> Option<&'b str>
    where
        'a: 'b,
    {
        if let Ok(at) = self.rejected.binary_search_by(|it| it.0.cmp(handle)) {
            return self.handle(self.rejected[at].1, handle);
        }
        let from = self.came.partition_point(|it| it.0 < handle);
        let mut bearers = self.came[from..].iter().take_while(|it| it.0 == handle);
        let is_another = bearers.any(|it| may_be_one(kind, Some(it.1)));
        (!is_another).then_some(handle)
    }

    pub(super) fn references(&self, group: u32) -> impl Iterator<Item = &'a Reference> + '_ {
        let from = self.references.partition_point(|it| it.group < group);
        let of_group = self.references[from..].iter().copied();
        of_group.take_while(move |it| it.group == group)
    }
}

/// What the memberships of a delta come to: of several about one membership the last counts.
pub(super) struct Edges<'a> {
    /// By group and handle, in order: what the handle may name, and whether it came.
    by_member: BTreeMap<(&'a str, &'a str), Vec<Came>>,
}

/// What a member's handle may name, and whether it came or went.
type Came = (Option<RecordKind>, bool);

impl<'a> Edges<'a> {
    pub(super) fn of(delta: &'a Delta) -> Self {
        let mut by_member: BTreeMap<_, Vec<Came>> = BTreeMap::new();
        for it in &delta.members {
            let member = (it.group.as_str(), it.handle.as_str());
            by_member
                .entry(member)
                .or_default()
                .push((it.kind, it.added));
        }
        Edges { by_member }
    }

    /// Whether a membership came or went last; `None` when the delta does not speak of it.
    pub(super) fn last(&self, group: &str, kind: Option<RecordKind>, handle: &str) -> Option<bool> {
        let edges = self.by_member.get(&(group, handle))?;
        let last = edges.iter().rev().find(|it| may_be_one(it.0, kind));
        last.map(|it| it.1)
    }

    /// Whether there are any of a group.
    pub(super) fn speak_of(&self, group: &str) -> bool {
        let from = self.by_member.range((group, "")..).next();
        from.is_some_and(|it| it.0.0 == group)
    }

    /// The memberships that came and did not go again.
    pub(super) fn added(
        &self,
    ) -> impl Iterator<Item = (&'a str, Option<RecordKind>, &'a str)> + '_ {
        let stays = |edges: &[Came], at: usize| {
            let went = |it: &Came| !it.1 && may_be_one(it.0, edges[at].0);
            edges[at].1 && !edges[at..].iter().any(went)
        };
        self.by_member.iter().flat_map(move |(member, edges)| {
            let stays = (0..edges.len()).filter(move |it| stays(edges, *it));
            stays.map(|it| (member.0, edges[it].0, member.1))
        })
    }
}

/// Whether two kinds of members may be one: a directory that does not say may mean either.
fn may_be_one(one: Option<RecordKind>, other: Option<RecordKind>) -> bool {
    one.is_none() || other.is_none() || one == other
}
