//! Groups of which a delta leaves open whom they name.
//!
//! Where members are named by DN, a server may rewrite the groups of a member that is renamed or deleted and tell nobody:
//! OpenLDAP's overlay `refint` does. Or it may leave them as they are. Only the groups themselves show it.

use std::collections::BTreeMap;

use crate::model::delta::{Delta, Lineage};
use crate::model::{Csr, NONE, Records, StrId};

impl Records {
    /// The ids of the groups that named a record which left or bears another handle after the delta that made `new` of these
    /// records. None where memberships follow their record, or where the delta brought the group itself.
    pub fn left_in_doubt(
        &self,
        delta: &Delta,
        new: &Records,
        lineage: Option<&Lineage>,
    ) -> Vec<String> {
        if !delta.shared_handles || delta.moves_follow {
            return Vec::new();
        }
        let user = |of: &Records, at: usize| (of.users[at].id, of.users[at].handle);
        let users = departed(
            (self, self.users.len()),
            (new, new.users.len()),
            user,
            lineage.map(|it| [&it.users, &it.changed_users, &it.gone_users]),
        );
        let group = |of: &Records, at: usize| (of.groups[at].id, of.groups[at].handle);
        let groups = departed(
            (self, self.groups.len()),
            (new, new.groups.len()),
            group,
            lineage.map(|it| [&it.groups, &it.changed_groups, &it.gone_groups]),
        );
        let names = |rows: &Csr, gone: &[bool], group: usize| {
            rows.row(group).iter().any(|it| gone[*it as usize])
        };
        let doubtful = (0..self.groups.len()).filter(|&it| {
            users
                .as_ref()
                .is_some_and(|gone| names(&self.members, gone, it))
                || groups
                    .as_ref()
                    .is_some_and(|gone| names(&self.children, gone, it))
        });
        let ids = doubtful.map(|it| self.text(self.groups[it].id));
        ids.filter(|it| !delta.is_filled(it))
            .map(str::to_owned)
            .collect()
    }
}

/// For each old record whether it left or bears another handle; `None` if none did. `named` gives the id and the handle at a
/// place.
fn departed(
    (old, old_count): (&Records, usize),
    (new, new_count): (&Records, usize),
    named: impl Fn(&Records, usize) -> (StrId, StrId),
    lineage: Option<[&Vec<u32>; 3]>,
) -> Option<Vec<bool>> {
    let mut departed = vec![false; old_count];
    let moved = |was: usize, now: usize| old.text(named(old, was).1) != new.text(named(new, now).1);
    match lineage {
        Some([was, changed, gone]) => {
            gone.iter().for_each(|it| departed[*it as usize] = true);
            for &now in changed {
                let was = was[now as usize];
                if was != NONE && moved(was as usize, now as usize) {
                    departed[was as usize] = true;
                }
            }
        }
        None => {
            let places = (0..new_count).map(|at| (new.text(named(new, at).0), at));
            let places: BTreeMap<&str, usize> = places.collect();
            for (was, departed) in departed.iter_mut().enumerate() {
                let now = places.get(old.text(named(old, was).0));
                *departed = now.is_none_or(|now| moved(was, *now));
            }
        }
    }
    departed.contains(&true).then_some(departed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{NewGroup, NewUser, RecordKind, RecordsBuilder};

    fn records(users: &[[&str; 2]], groups: &[(&str, &[&str])]) -> Records {
        let mut builder = RecordsBuilder::default();
        for [id, handle] in users {
            builder.user(&NewUser {
                id,
                username: id,
                handle,
                ..NewUser::default()
            });
        }
        for (id, members) in groups {
            let group = builder.group(&NewGroup {
                id,
                name: id,
                handle: id,
                ..NewGroup::default()
            });
            members
                .iter()
                .for_each(|it| builder.member(group.unwrap(), None, it));
        }
        builder.finish()
    }

    #[test]
    fn the_groups_of_those_who_left_or_moved_are_in_doubt() {
        let old = records(
            &[["a", "a"], ["b", "b"], ["c", "c"]],
            &[("g", &["a", "b"]), ("h", &["c", "g"]), ("i", &[])],
        );
        let check = |delta: Delta, expect: &[&str]| {
            let delta = Delta {
                shared_handles: true,
                ..delta
            };
            let (quick, lineage) = old.merge(&delta).unwrap();
            assert!(lineage.is_some());
            assert_eq!(old.left_in_doubt(&delta, &quick, lineage.as_ref()), expect);
            let slow = old.merged(&delta).unwrap();
            assert_eq!(old.left_in_doubt(&delta, &slow, None), expect);
            let follows = Delta {
                moves_follow: true,
                ..delta
            };
            assert!(old.left_in_doubt(&follows, &slow, None).is_empty());
        };
        let gone = |kind, id: &str| Delta {
            gone: vec![(kind, id.to_owned())],
            ..Delta::default()
        };
        check(gone(RecordKind::User, "a"), &["g"]);
        check(gone(RecordKind::Group, "g"), &["h"]);
        check(gone(RecordKind::Group, "i"), &[]);
        let now = |handle| Delta {
            upsert: records(&[["c", handle]], &[]),
            ..Delta::default()
        };
        check(now("elsewhere"), &["h"]);
        check(now("c"), &[]);
        let filled = Delta {
            upsert: records(&[["c", "elsewhere"]], &[("h", &["elsewhere"])]),
            filled: vec!["h".to_owned()],
            ..Delta::default()
        };
        check(filled, &[]);
    }
}
