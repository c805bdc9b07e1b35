//! What has changed in a directory since its last records, and how the two are merged.
//!
//! A delta is idempotent: taking it twice is taking it once. It may only speak of what is known; one that names a group or a
//! member that the records lack shows that something was missed, and only a complete read can mend that.

use crate::model::{NewGroup, NewUser, RecordKind, Records, RecordsBuilder};

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

/// What changed: whole records that are new or different, records that are gone, and single memberships.
#[derive(Clone, Debug, Default)]
pub struct Delta {
    /// New and changed records, each whole, found again by kind and id. A group's memberships are those in `members`.
    pub upsert: Records,
    /// Records that are gone, by kind and id.
    pub gone: Vec<(RecordKind, String)>,
    /// Memberships that came or went, in order.
    pub members: Vec<Edge>,
}

/// Why a delta cannot be merged; the remedy is always a complete read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Gap {
    /// A membership names a group that the records lack.
    #[error("a change names the group with id `{0}`, which the last records lack")]
    UnknownGroup(String),
}

impl Delta {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.upsert.users.is_empty()
            && self.upsert.groups.is_empty()
            && self.upsert.rejected.is_empty()
            && self.gone.is_empty()
            && self.members.is_empty()
    }
}

impl Records {
    /// These records after a delta: the same as a complete read made at that moment.
    ///
    /// # Errors
    /// [`Gap`] when the delta names what these records lack.
    pub fn merged(&self, delta: &Delta) -> Result<Records, Gap> {
        let mut builder = RecordsBuilder::default();
        let replaced = Replaced::of(delta);
        for (index, _) in self.users.iter().enumerate() {
            if !replaced.has(RecordKind::User, self.text(self.users[index].id)) {
                builder.user(&self.raw_user(index as u32));
            }
        }
        for (index, _) in delta.upsert.users.iter().enumerate() {
            builder.user(&delta.upsert.raw_user(index as u32));
        }
        let groups = self.merge_groups(delta, &replaced, &mut builder);
        for edge in delta.members.iter().filter(|it| it.added) {
            let group = groups.binary_search_by(|it| it.0.as_str().cmp(&edge.group));
            match group {
                Ok(at) => builder.member(groups[at].1, edge.kind, &edge.handle),
                Err(_) => return Err(Gap::UnknownGroup(edge.group.clone())),
            }
        }
        for (records, of_delta) in [(self, false), (&delta.upsert, true)] {
            for it in &records.rejected {
                let id = records.text(it.id);
                if of_delta || id.is_empty() || !replaced.has(it.what, id) {
                    let text = |id| records.text(id);
                    builder.reject(
                        it.what,
                        id,
                        text(it.key),
                        text(it.handle),
                        text(it.label),
                        text(it.reason),
                    );
                }
            }
        }
        Ok(builder.finish())
    }

    /// One user as a connector would hand it in.
    fn raw_user(&self, index: u32) -> NewUser<'_> {
        let it = &self.users[index as usize];
        let from = self.extra.partition_point(|extra| extra.0 < index);
        let extra = self.extra[from..]
            .iter()
            .take_while(|extra| extra.0 == index)
            .map(|extra| (self.text(extra.1), vec![self.text(extra.2)]))
            .collect();
        NewUser {
            id: self.text(it.id),
            username: self.text(it.username),
            display_name: self.text(it.display_name),
            given_name: self.text(it.given_name),
            family_name: self.text(it.family_name),
            email: self.text(it.email),
            handle: self.text(it.handle),
            status: it.status,
            kind: it.kind,
            unknown: it.unknown,
            label: "",
            extra,
        }
    }

    fn raw_group(&self, index: usize) -> NewGroup<'_> {
        let it = &self.groups[index];
        NewGroup {
            id: self.text(it.id),
            name: self.text(it.name),
            description: self.text(it.description),
            handle: self.text(it.handle),
            unknown: it.unknown,
            label: "",
        }
    }

    /// Puts the groups that stay, with the members that stay, and the new ones into the builder; the result says under which
    /// number each id now stands, sorted by id.
    fn merge_groups(
        &self,
        delta: &Delta,
        replaced: &Replaced<'_>,
        builder: &mut RecordsBuilder,
    ) -> Vec<(String, u32)> {
        let mut numbers = Vec::new();
        let mut members_of: Vec<Option<u32>> = vec![None; self.groups.len()];
        for (index, slot) in members_of.iter_mut().enumerate() {
            let id = self.text(self.groups[index].id);
            if replaced.gone(RecordKind::Group, id) {
                continue;
            }
            let fresh = delta
                .upsert
                .groups
                .iter()
                .position(|it| delta.upsert.text(it.id) == id);
            let raw = fresh.map_or_else(|| self.raw_group(index), |at| delta.upsert.raw_group(at));
            if let Some(number) = builder.group(&raw) {
                numbers.push((id.to_owned(), number));
                *slot = Some(number);
            }
        }
        for index in 0..delta.upsert.groups.len() {
            let raw = delta.upsert.raw_group(index);
            if !numbers.iter().any(|it| it.0 == raw.id)
                && let Some(number) = builder.group(&raw)
            {
                numbers.push((raw.id.to_owned(), number));
            }
        }
        for (index, slot) in members_of.iter().enumerate() {
            let Some(number) = *slot else { continue };
            self.keep_members(index, number, delta, builder);
        }
        numbers.sort_unstable();
        numbers
    }

    fn keep_members(&self, group: usize, number: u32, delta: &Delta, builder: &mut RecordsBuilder) {
        let id = self.text(self.groups[group].id);
        let mut keep = |kind: Option<RecordKind>, handle: &str| {
            let last = delta.members.iter().rev().find(|it| {
                it.group == id
                    && it.handle == handle
                    && (it.kind.is_none() || kind.is_none() || it.kind == kind)
            });
            if last.is_none_or(|it| it.added) {
                builder.member(number, kind, handle);
            }
        };
        for &user in self.members.row(group) {
            keep(
                Some(RecordKind::User),
                self.text(self.users[user as usize].handle),
            );
        }
        for &child in self.children.row(group) {
            keep(
                Some(RecordKind::Group),
                self.text(self.groups[child as usize].handle),
            );
        }
        for it in self.references.iter().filter(|it| it.group == group as u32) {
            keep(it.kind, self.text(it.handle));
        }
    }
}

/// The ids that a delta speaks of, sorted.
struct Replaced<'a> {
    fresh: Vec<(RecordKind, &'a str)>,
    gone: Vec<(RecordKind, &'a str)>,
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
        Replaced { fresh, gone }
    }

    fn has(&self, kind: RecordKind, id: &str) -> bool {
        self.fresh.binary_search(&(kind, id)).is_ok() || self.gone(kind, id)
    }

    fn gone(&self, kind: RecordKind, id: &str) -> bool {
        self.gone.binary_search(&(kind, id)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Status;

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
