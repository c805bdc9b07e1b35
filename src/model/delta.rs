//! What has changed in a directory since its last records, and how the two are merged.
//!
//! A delta is idempotent: taking it twice is taking it once. It may only speak of what is known; one that names a group or a
//! member that the records lack shows that something was missed, and only a complete read can mend that.

mod doubt;
mod kept;
mod lineage;
mod patch;
mod usernames;

use std::collections::{BTreeMap, BTreeSet};

use self::kept::Kept;
use crate::model::{RecordKind, Records, RecordsBuilder};

pub use lineage::Lineage;

/// One membership that came or went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The group's stable id.
    pub group: String,
    /// What the handle may name; `None` means either.
    pub kind: Option<RecordKind>,
    /// The member's handle.
    pub handle: String,
    /// Came (`true`) or went (`false`).
    pub added: bool,
}

/// What changed: whole records that are new or different, records that are gone, and memberships.
#[derive(Clone, Debug, Default)]
pub struct Delta {
    /// New and changed records, each whole, found again by kind and id. A group keeps the memberships that it had, changed
    /// by those in `members`, unless it is one of `filled`.
    pub upsert: Records,
    /// Records that are gone, by kind and id.
    pub gone: Vec<(RecordKind, String)>,
    /// Memberships that came or went, in order.
    pub members: Vec<Edge>,
    /// The ids of groups in `upsert` that came with all their members, sorted: their memberships are exactly those in `upsert`,
    /// instead of those that they had.
    pub filled: Vec<String>,
    /// Users and groups share one space of handles, as DNs do: a membership that stays names whatever bears its handle.
    pub shared_handles: bool,
    /// Memberships follow their record, as Active Directory's do: one that stays names the record under its new handle, and
    /// no longer names a record that is gone. Those of the records in `upsert` are all in `members` or in a filled group: who
    /// bears a handle that named nobody is not who was meant.
    pub moves_follow: bool,
    /// Groups may name users by username: a reference to a user is a username's key then.
    pub by_username: bool,
    /// No two users bear one username: a user of whom the delta says nothing and whose username is another's now is gone, or
    /// has changed, and nobody told.
    pub one_bearer: bool,
    /// Of these kinds, the ids of everything that is still there and has not changed: what is neither here nor in `upsert` is
    /// gone.
    pub remaining: Vec<(RecordKind, Vec<String>)>,
}

/// Why a delta cannot be merged; the remedy is always a complete read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Gap {
    /// A membership names a group that the records lack.
    #[error("a change names the group with id `{0}`, which the last records lack")]
    UnknownGroup(String),
    /// A group was rejected, and its members with it.
    #[error("a change mends the group with id `{0}`, of which the last records know no members")]
    RejectedGroup(String),
    /// A record is said to be there as it was, and never was here.
    #[error("a record that the last records lack is said not to have changed")]
    UnknownRemains,
    /// A membership that names a user by username and one that names it by its handle look the same once they are known.
    #[error(
        "a user who is a member somewhere left or is named otherwise, and groups name members by username"
    )]
    NamedMember,
    /// Of two users with one username at least one is no longer what it was.
    #[error("a user comes under the username of another one, of whom the change says nothing")]
    TwoBearers,
    /// A rejected record without an id may be the same as a changed one, or another.
    #[error("a rejected record without an id cannot be told from one that changed")]
    WithoutId,
}

impl Delta {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.upsert.users.is_empty()
            && self.upsert.groups.is_empty()
            && self.upsert.rejected.is_empty()
            && self.gone.is_empty()
            && self.members.is_empty()
            && self.remaining.is_empty()
    }

    fn is_filled(&self, group: &str) -> bool {
        self.filled
            .binary_search_by(|it| it.as_str().cmp(group))
            .is_ok()
    }

    /// What the handle of a member of this kind may name.
    fn kind_of(&self, kind: RecordKind) -> Option<RecordKind> {
        (!self.shared_handles).then_some(kind)
    }
}

impl Records {
    /// These records after a delta: the same as a complete read made at that moment.
    ///
    /// # Errors
    /// [`Gap`] when the delta names what these records lack.
    pub fn merged(&self, delta: &Delta) -> Result<Records, Gap> {
        self.check_rejected(delta)?;
        let mut builder = RecordsBuilder::default();
        let replaced = Replaced::of(delta);
        usernames::check(self, delta, &replaced)?;
        usernames::check_bearers(self, delta, &replaced)?;
        self.check_remaining(delta, &replaced)?;
        for (index, user) in (0u32..).zip(&self.users) {
            if !replaced.has(RecordKind::User, self.text(user.id)) {
                builder.user(&self.raw_user(index));
            }
        }
        for index in 0..delta.upsert.users.len() as u32 {
            builder.user(&delta.upsert.raw_user(index));
        }
        self.merge_groups(delta, &replaced, &mut builder)?;
        for it in &self.rejected {
            let id = self.text(it.id);
            if id.is_empty() || !replaced.has(it.what, id) {
                self.reject_again(it, &mut builder);
            }
        }
        for it in &delta.upsert.rejected {
            delta.upsert.reject_again(it, &mut builder);
        }
        Ok(builder.finish())
    }

    /// Makes sure that whatever remains is known: a record that came into sight again without having changed shows that
    /// something was missed.
    fn check_remaining(&self, delta: &Delta, replaced: &Replaced<'_>) -> Result<(), Gap> {
        if delta.remaining.is_empty() {
            return Ok(());
        }
        let users = self.users.iter().map(|it| (RecordKind::User, it.id));
        let groups = self.groups.iter().map(|it| (RecordKind::Group, it.id));
        let rejected = self.rejected.iter().map(|it| (it.what, it.id));
        let known = users.chain(groups).chain(rejected);
        let known: BTreeSet<_> = known.map(|it| (it.0, self.text(it.1))).collect();
        let mut remaining = delta.remaining.iter();
        let known = remaining.all(|(kind, ids)| {
            let mut ids = ids.iter().map(String::as_str);
            ids.all(|id| known.contains(&(*kind, id)) || replaced.is_fresh(*kind, id))
        });
        if known {
            Ok(())
        } else {
            Err(Gap::UnknownRemains)
        }
    }

    /// Looks for rejected records that leave open what a delta changes.
    fn check_rejected(&self, delta: &Delta) -> Result<(), Gap> {
        let upsert = &delta.upsert;
        if upsert.rejected.iter().any(|it| it.id.is_empty()) {
            return Err(Gap::WithoutId);
        }
        if self.rejected.is_empty() {
            return Ok(());
        }
        let users = upsert
            .users
            .iter()
            .map(|it| (RecordKind::User, it.key, it.handle));
        let groups = upsert
            .groups
            .iter()
            .map(|it| (RecordKind::Group, it.key, it.handle));
        let names: BTreeSet<(RecordKind, &str)> = users
            .chain(groups)
            .flat_map(|it| [(it.0, upsert.text(it.1)), (it.0, upsert.text(it.2))])
            .filter(|it| !it.1.is_empty())
            .collect();
        let ids: BTreeSet<&str> = upsert.groups.iter().map(|it| upsert.text(it.id)).collect();
        for it in &self.rejected {
            let id = self.text(it.id);
            let named = |name| names.contains(&(it.what, self.text(name)));
            if id.is_empty() && (named(it.key) || named(it.handle)) {
                return Err(Gap::WithoutId);
            }
            if it.what == RecordKind::Group && ids.contains(id) && !delta.is_filled(id) {
                return Err(Gap::RejectedGroup(id.to_owned()));
            }
        }
        Ok(())
    }

    /// Puts the groups that stay and the new ones into the builder, with the members that stay and those that came.
    fn merge_groups(
        &self,
        delta: &Delta,
        replaced: &Replaced<'_>,
        builder: &mut RecordsBuilder,
    ) -> Result<(), Gap> {
        let upsert = &delta.upsert;
        let kept = Kept::of(self, delta, replaced);
        let fresh: BTreeMap<&str, usize> = (0..upsert.groups.len())
            .map(|it| (upsert.text(upsert.groups[it].id), it))
            .collect();
        let mut numbers: BTreeMap<&str, u32> = BTreeMap::new();
        for (index, group) in self.groups.iter().enumerate() {
            let id = self.text(group.id);
            let raw = match fresh.get(id) {
                _ if replaced.gone(RecordKind::Group, id) => continue,
                Some(&at) => upsert.raw_group(at as u32),
                None if replaced.has(RecordKind::Group, id) => continue,
                None => self.raw_group(index as u32),
            };
            if let Some(number) = builder.group(&raw) {
                numbers.insert(id, number);
                if !delta.is_filled(id) {
                    self.keep_members(index, number, &kept, builder);
                }
            }
        }
        for (&id, &at) in &fresh {
            if !numbers.contains_key(id)
                && let Some(number) = builder.group(&upsert.raw_group(at as u32))
            {
                numbers.insert(id, number);
            }
            if let (Some(&number), true) = (numbers.get(id), delta.is_filled(id)) {
                upsert.fill(at, number, &kept, builder);
            }
        }
        for (group, kind, handle) in kept.edges.added() {
            match numbers.get(group) {
                Some(&number) => builder.member(number, kind, handle),
                None if replaced.has(RecordKind::Group, group) => {}
                None => return Err(Gap::UnknownGroup(group.to_owned())),
            }
        }
        Ok(())
    }

    /// Keeps the members of a group that a delta does not take.
    fn keep_members(
        &self,
        group: usize,
        number: u32,
        kept: &Kept<'_>,
        builder: &mut RecordsBuilder,
    ) {
        let id = self.text(self.groups[group].id);
        let mut keep = |kind: Option<RecordKind>, handle: &str| {
            if kept.edges.last(id, kind, handle) != Some(false) {
                builder.member(number, kind, handle);
            }
        };
        for &user in self.members.row(group) {
            let user = &self.users[user as usize];
            let which = (RecordKind::User, self.text(user.id));
            if let Some(handle) = kept.handle(which, self.text(user.handle)) {
                keep(kept.delta.kind_of(RecordKind::User), handle);
            }
        }
        for &child in self.children.row(group) {
            let child = &self.groups[child as usize];
            let which = (RecordKind::Group, self.text(child.id));
            if let Some(handle) = kept.handle(which, self.text(child.handle)) {
                keep(kept.delta.kind_of(RecordKind::Group), handle);
            }
        }
        for it in kept.references(group as u32) {
            if let Some(handle) = kept.loose_handle(it.kind, self.text(it.handle)) {
                let keep = |handle: &str| keep(it.kind, handle);
                kept.usernames.each(it.kind, handle, keep);
            }
        }
    }

    /// Gives a group the members that it has here.
    fn fill(&self, group: usize, number: u32, kept: &Kept<'_>, builder: &mut RecordsBuilder) {
        for &user in self.members.row(group) {
            let handle = self.users[user as usize].handle;
            let kind = kept.delta.kind_of(RecordKind::User);
            builder.member(number, kind, self.text(handle));
        }
        for &child in self.children.row(group) {
            let handle = self.groups[child as usize].handle;
            let kind = kept.delta.kind_of(RecordKind::Group);
            builder.member(number, kind, self.text(handle));
        }
        let references = self.references.iter();
        for it in references.filter(|it| it.group as usize == group) {
            let handle = self.text(it.handle);
            let add = |handle: &str| builder.member(number, it.kind, handle);
            kept.usernames.each(it.kind, handle, add);
        }
    }
}

/// The ids that a delta speaks of, sorted.
struct Replaced<'a> {
    fresh: Vec<(RecordKind, &'a str)>,
    gone: Vec<(RecordKind, &'a str)>,
    /// Of which kinds everything that stays is listed, and the list.
    listed: Vec<RecordKind>,
    remaining: Vec<(RecordKind, &'a str)>,
}

impl<'a> Replaced<'a> {
    fn of(delta: &'a Delta) -> Self {
        let upsert = &delta.upsert;
        let users = upsert
            .users
            .iter()
            .map(|it| (RecordKind::User, upsert.text(it.id)));
        let groups = upsert
            .groups
            .iter()
            .map(|it| (RecordKind::Group, upsert.text(it.id)));
        let rejected = upsert
            .rejected
            .iter()
            .map(|it| (it.what, upsert.text(it.id)));
        let mut fresh: Vec<_> = users.chain(groups).chain(rejected).collect();
        fresh.sort_unstable();
        let mut gone: Vec<_> = delta.gone.iter().map(|it| (it.0, it.1.as_str())).collect();
        gone.sort_unstable();
        let listed = delta.remaining.iter().map(|it| it.0).collect();
        let ids = |it: &'a (RecordKind, Vec<String>)| it.1.iter().map(|id| (it.0, id.as_str()));
        let mut remaining: Vec<_> = delta.remaining.iter().flat_map(ids).collect();
        remaining.sort_unstable();
        Replaced {
            fresh,
            gone,
            listed,
            remaining,
        }
    }

    /// Whether the record that was there is not the one that is there now.
    fn has(&self, kind: RecordKind, id: &str) -> bool {
        self.is_fresh(kind, id) || self.gone(kind, id)
    }

    /// Whether the record is gone, and none of its id came in its place.
    fn gone(&self, kind: RecordKind, id: &str) -> bool {
        let listed =
            || self.listed.contains(&kind) && self.remaining.binary_search(&(kind, id)).is_err();
        self.gone.binary_search(&(kind, id)).is_ok() || !self.is_fresh(kind, id) && listed()
    }

    fn is_fresh(&self, kind: RecordKind, id: &str) -> bool {
        self.fresh.binary_search(&(kind, id)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{NewGroup, NewUser, Status};

    fn records(users: &[&str], members: &[&str]) -> Records {
        let mut builder = RecordsBuilder::default();
        let group = builder.group(&NewGroup {
            id: "g",
            name: "staff",
            handle: "g",
            ..NewGroup::default()
        });
        for &id in users {
            builder.user(&NewUser {
                id,
                username: id,
                handle: id,
                status: Status::Active,
                ..NewUser::default()
            });
        }
        for handle in members {
            builder.member(group.unwrap(), None, handle);
        }
        builder.finish()
    }

    fn edge(handle: &str, added: bool) -> Edge {
        Edge {
            group: "g".into(),
            kind: None,
            handle: handle.into(),
            added,
        }
    }

    #[test]
    fn a_delta_that_removes_gives_what_a_complete_read_gives() {
        let old = records(&["a", "b", "c"], &["a", "b"]);
        let delta = Delta {
            gone: vec![(RecordKind::User, "c".into())],
            members: vec![edge("b", false), edge("x", true)],
            ..Delta::default()
        };
        let new = old.merged(&delta).unwrap();
        assert_eq!(new.tally(), records(&["a", "b"], &["a", "x"]).tally());
        assert_eq!(new.merged(&delta).unwrap().tally(), new.tally());
    }

    #[test]
    fn of_edges_about_one_membership_the_last_counts() {
        let check = |edges: &[(&str, bool)], expect: &[&str]| {
            let members = edges.iter().map(|it| edge(it.0, it.1)).collect();
            let delta = Delta {
                members,
                ..Delta::default()
            };
            let new = records(&["a", "b"], &["a"]).merged(&delta).unwrap();
            assert_eq!(
                new.tally(),
                records(&["a", "b"], expect).tally(),
                "{edges:?}"
            );
        };
        check(&[("b", true), ("b", false)], &["a"]);
        check(&[("a", false), ("a", true)], &["a"]);
        check(&[("x", false), ("x", true), ("x", false)], &["a"]);
    }

    #[test]
    fn a_rejected_record_without_an_id_leaves_a_gap_when_its_name_changes() {
        let mut builder = RecordsBuilder::default();
        builder.reject(
            RecordKind::User,
            "",
            "anna",
            "",
            "line 3",
            "it has no stable id",
        );
        let old = builder.finish();
        let upsert = |id| Delta {
            upsert: records(&[id], &[]),
            ..Delta::default()
        };
        assert_eq!(old.merged(&upsert("anna")).unwrap_err(), Gap::WithoutId);
        assert_eq!(old.merged(&upsert("ben")).unwrap().rejected.len(), 1);
    }

    #[test]
    fn a_group_that_came_with_its_members_keeps_none_of_the_old_ones() {
        let delta = Delta {
            upsert: records(&[], &["b", "x"]),
            filled: vec!["g".into()],
            shared_handles: true,
            ..Delta::default()
        };
        let new = records(&["a", "b", "c"], &["a", "c", "y"])
            .merged(&delta)
            .unwrap();
        assert_eq!(print(&new), print(&records(&["a", "b", "c"], &["b", "x"])));
        let kept = Delta {
            filled: Vec::new(),
            ..delta
        };
        let new = records(&["a", "b"], &["a", "y"]).merged(&kept).unwrap();
        assert_eq!(print(&new), print(&records(&["a", "b"], &["a", "y"])));
    }

    #[test]
    fn where_members_follow_a_record_they_name_it_under_its_new_handle() {
        let delta = |moves_follow| Delta {
            upsert: moved_a(),
            gone: vec![(RecordKind::User, "b".into())],
            moves_follow,
            ..Delta::default()
        };
        let old = records(&["a", "b", "c"], &["a", "b", "c"]);
        let follow = old.merged(&delta(true)).unwrap();
        assert_eq!(print(&follow), ["a elsewhere", "c c", "staff: c elsewhere"]);
        let stay = old.merged(&delta(false)).unwrap();
        assert_eq!(print(&stay), ["a elsewhere", "c c", "staff: a? b? c"]);
        // Somebody else bore that name once.
        let old = records(&["c"], &["elsewhere"]);
        let follow = old.merged(&delta(true)).unwrap();
        assert_eq!(print(&follow), ["a elsewhere", "c c", "staff:"]);
        let stay = old.merged(&delta(false)).unwrap();
        assert_eq!(print(&stay), ["a elsewhere", "c c", "staff: elsewhere"]);
    }

    #[test]
    fn members_follow_a_record_that_could_not_be_taken() {
        let old = records(&[], &["a", "b"]);
        let rejected = |handle| {
            let mut builder = RecordsBuilder::default();
            builder.reject(RecordKind::User, "a", "", handle, "a", "no name");
            builder.finish()
        };
        let delta = |upsert| Delta {
            upsert,
            moves_follow: true,
            ..Delta::default()
        };
        let came = Delta {
            moves_follow: false,
            ..delta(rejected("a"))
        };
        let old = old.merged(&came).unwrap();
        let new = old.merged(&delta(rejected("elsewhere"))).unwrap();
        assert_eq!(print(&new), ["staff: b? elsewhere?"]);
    }

    #[test]
    fn what_is_not_listed_as_remaining_is_gone() {
        let delta = Delta {
            upsert: records(&["a"], &[]),
            remaining: vec![(RecordKind::User, vec!["b".into()])],
            ..Delta::default()
        };
        let new = records(&["a", "b", "c"], &["a"]).merged(&delta).unwrap();
        assert_eq!(print(&new), ["a a", "b b", "staff: a"]);
        assert!(!delta.is_empty());
        // What was never here cannot have stayed as it was.
        let lacks = records(&["a", "c"], &["a"]).merged(&delta);
        assert_eq!(lacks.unwrap_err(), Gap::UnknownRemains);
    }

    /// Users with their handles, and groups with the handles of their members, those of nothing marked; sorted.
    fn print(records: &Records) -> Vec<String> {
        let users = records
            .users
            .iter()
            .map(|it| format!("{} {}", records.text(it.id), records.text(it.handle)));
        let mut lines: Vec<String> = users.collect();
        for (at, group) in records.groups.iter().enumerate() {
            let users = records.members.row(at).iter();
            let mut members: Vec<String> = users
                .map(|&it| records.text(records.users[it as usize].handle).to_owned())
                .collect();
            let loose = records
                .references
                .iter()
                .filter(|it| it.group as usize == at);
            members.extend(loose.map(|it| format!("{}?", records.text(it.handle))));
            members.sort();
            let line = format!("{}: {}", records.text(group.name), members.join(" "));
            lines.push(line.trim_end().to_owned());
        }
        lines.sort();
        lines
    }

    fn moved_a() -> Records {
        let mut builder = RecordsBuilder::default();
        builder.user(&NewUser {
            id: "a",
            username: "a",
            handle: "elsewhere",
            ..NewUser::default()
        });
        builder.finish()
    }

    #[test]
    fn a_delta_about_an_unknown_group_is_a_gap() {
        let delta = Delta {
            members: vec![Edge {
                group: "h".into(),
                ..edge("a", true)
            }],
            ..Delta::default()
        };
        assert_eq!(
            records(&["a"], &[]).merged(&delta).unwrap_err(),
            Gap::UnknownGroup("h".into())
        );
    }
}
