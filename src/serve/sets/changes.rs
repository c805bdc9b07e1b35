//! Several differences in a row as one list of changes, told as things are now.

use std::collections::BTreeMap;
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

/// The groups that each member, by place, has gained or lost.
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
        if Identities::of(users()).changed(image) {
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

/// The key that each touched name bore at first, of those that were there.
struct Identities<'a>(BTreeMap<&'a str, Option<&'a str>>);

impl<'a> Identities<'a> {
    fn of(touched: impl Iterator<Item = &'a Touched>) -> Self {
        let mut first = BTreeMap::new();
        for it in touched {
            let key = it.key.as_deref().filter(|_| it.was_there);
            first.entry(it.name.as_str()).or_insert(key);
        }
        Identities(first)
    }

    /// Whether one of them belongs to another name now, or its name to another key.
    fn changed(&self, image: &Image) -> bool {
        let moved = |(name, key): (&str, Option<&str>)| {
            let bearer = image.find_folded_user(name);
            key.is_some_and(|key| match bearer {
                Some(place) => image.user(place).key != key,
                None => image.find_key(key).is_some(),
            })
        };
        self.0.iter().map(|(name, key)| (*name, *key)).any(moved)
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
                (true, None) => subjects.deleted.push(spelled.to_owned()),
                (false, None) => {}
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
        let mut all: BTreeMap<(&str, &str), bool> = BTreeMap::new();
        for it in touched {
            all.entry((&it.member, &it.group)).or_insert(it.was_there);
        }
        let mut memberships = Memberships::default();
        for ((member, group), was_there) in all {
            let (Some(member), Some(group)) = ((find.member)(member), (find.group)(group)) else {
                continue;
            };
            let side = match (was_there, (find.has)(group, member)) {
                (false, true) => &mut memberships.gained,
                (true, false) => &mut memberships.lost,
                _ => continue,
            };
            side.entry(member).or_default().push(group);
        }
        memberships
    }
}
