//! Several differences in a row as one list of changes, told as things are now.
//!
//! A client takes its token before it reads its lists, so it may hold the state after any of the steps. Whatever one of them
//! touched is told, therefore, also where it is now as it was at first.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::difference::{Difference, Touched, TouchedEdge};
use crate::serve::image::Image;

/// What became of users, groups and memberships, by their places in the present image; of what is gone, the name.
///
/// Memberships of users and groups that are gone are not told: they went with them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::serve) struct Changes {
    pub(in crate::serve) users: Subjects,
    pub(in crate::serve) groups: Subjects,
    /// Users that came into groups or left them.
    pub(in crate::serve) members: Memberships,
    /// Groups that came into groups or left them.
    pub(in crate::serve) children: Memberships,
}

/// Users, or groups.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::serve) struct Subjects {
    pub(in crate::serve) created: Vec<u32>,
    pub(in crate::serve) updated: Vec<u32>,
    pub(in crate::serve) deleted: Vec<String>,
}

/// The groups that each member, by place, has gained or lost: those of its touched memberships that are there now, and those that
/// are not.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::serve) struct Memberships {
    pub(in crate::serve) gained: BTreeMap<u32, Vec<u32>>,
    pub(in crate::serve) lost: BTreeMap<u32, Vec<u32>>,
}

impl Changes {
    /// Everything together that led to the present image; `None` if somebody was renamed on the way, or a name belongs to
    /// somebody else now. A client that goes by names would take a rename for one person leaving and another coming, and
    /// remove the first; when it reads everything, the keys tell it who is who.
    pub(super) fn of(steps: &[Arc<Difference>], image: &Image) -> Option<Changes> {
        let users = || steps.iter().flat_map(|it| &it.users);
        if users().any(|it| it.is_another(image)) {
            return None;
        }
        let find_user = |name: &str| image.find_folded_user(name);
        let find_group = |name: &str| image.find_folded_group(name);
        let find = Find {
            member: &find_user,
            group: &find_group,
            has: &|group, user| image.members(group).binary_search(&user).is_ok(),
        };
        let find_child = Find {
            member: &find_group,
            group: &find_group,
            has: &|group, child| image.children(group).binary_search(&child).is_ok(),
        };
        Some(Changes {
            users: Subjects::of(users(), &find_user),
            groups: Subjects::of(steps.iter().flat_map(|it| &it.groups), &find_group),
            members: Memberships::of(steps.iter().flat_map(|it| &it.members), &find),
            children: Memberships::of(steps.iter().flat_map(|it| &it.children), &find_child),
        })
    }
}

impl Touched {
    /// Whether who bore this name then bears another now, or the name belongs to somebody else.
    fn is_another(&self, image: &Image) -> bool {
        let Some(key) = self.key.as_deref().filter(|_| self.was_there) else {
            return false;
        };
        match image.find_folded_user(&self.name) {
            Some(place) => image.user(place).key != key,
            None => image.find_key(key).is_some(),
        }
    }
}

impl Subjects {
    fn of<'a>(
        touched: impl Iterator<Item = &'a Touched>,
        find: &dyn Fn(&str) -> Option<u32>,
    ) -> Self {
        // Whether it was there at first, and how it was spelled at last.
        let mut all: BTreeMap<&str, (bool, &str)> = BTreeMap::new();
        for it in touched {
            let known = all.entry(&it.name).or_insert((it.was_there, &it.spelled));
            known.1 = &it.spelled;
        }
        let mut subjects = Subjects::default();
        for (name, (was_there, spelled)) in all {
            match (was_there, find(name)) {
                (false, Some(place)) => subjects.created.push(place),
                (true, Some(place)) => subjects.updated.push(place),
                (_, None) => subjects.deleted.push(spelled.to_owned()),
            }
        }
        subjects
    }
}

/// How a membership is looked up in the present image.
struct Find<'a> {
    member: &'a dyn Fn(&str) -> Option<u32>,
    group: &'a dyn Fn(&str) -> Option<u32>,
    has: &'a dyn Fn(u32, u32) -> bool,
}

impl Memberships {
    fn of<'a>(touched: impl Iterator<Item = &'a TouchedEdge>, find: &Find<'_>) -> Self {
        let all: BTreeSet<(&str, &str)> = touched
            .map(|it| (it.member.as_str(), it.group.as_str()))
            .collect();
        let mut memberships = Memberships::default();
        for (member, group) in all {
            let (Some(member), Some(group)) = ((find.member)(member), (find.group)(group)) else {
                continue;
            };
            let side = if (find.has)(group, member) {
                &mut memberships.gained
            } else {
                &mut memberships.lost
            };
            side.entry(member).or_default().push(group);
        }
        memberships
    }
}
