//! What two images published one after the other differ in.
//!
//! Names and keys are kept, never what stood in the fields: whoever asks is shown the present state.

use std::cmp::Ordering;

use crate::model::NONE;
use crate::serve::image::Image;

/// The largest difference that is worth more than reading everything, as a part of all users, groups and memberships.
const PART_MAX: usize = 4;
/// However small the set is, so many changes are kept.
const CHANGES_MIN: usize = 1_000;

/// What was touched by one step from image to image. All names are folded, but `spelled`.
#[derive(Debug, Default)]
pub(super) struct Difference {
    pub(super) users: Vec<Touched>,
    pub(super) groups: Vec<Touched>,
    /// Users in groups: `(user, group)`. Of users and groups that came or left, too.
    pub(super) members: Vec<TouchedEdge>,
    /// Groups in groups: `(child, parent)`.
    pub(super) children: Vec<TouchedEdge>,
}

/// A user or a group that came, left, or has other fields now.
#[derive(Debug)]
pub(super) struct Touched {
    pub(super) name: String,
    /// As it was spelled last.
    pub(super) spelled: String,
    /// Whether it was there before.
    pub(super) was_there: bool,
    /// The key that a user bore before, where it is not the name itself.
    pub(super) key: Option<String>,
}

/// A membership that came or left.
#[derive(Debug)]
pub(super) struct TouchedEdge {
    pub(super) member: String,
    pub(super) group: String,
}

impl Difference {
    /// What differs; `None` if everything is read as quickly.
    pub(super) fn between(old: &Image, new: &Image) -> Option<Difference> {
        if old.digest() == new.digest() {
            return Some(Difference::default());
        }
        let mut difference = Difference::default();
        let users = Pairing::users(old, new);
        let groups = Pairing::groups(old, new);
        difference.touch_users(old, new, &users);
        difference.touch_groups(old, new, &groups);
        let edges = Edges {
            old,
            new,
            groups: &groups,
        };
        edges.of(
            &users,
            |it, at| it.members(at),
            Image::folded_user,
            &mut difference.members,
        );
        edges.of(
            &groups,
            |it, at| it.children(at),
            Image::folded_group,
            &mut difference.children,
        );
        let worth = difference.changes() <= CHANGES_MIN.max(new.size() / PART_MAX);
        worth.then_some(difference)
    }

    /// How many changes it is made of.
    pub(super) fn changes(&self) -> usize {
        self.users.len() + self.groups.len() + self.members.len() + self.children.len()
    }

    fn touch_users(&mut self, old: &Image, new: &Image, users: &Pairing) {
        for &(before, now) in &users.pairs {
            let was = (before != NONE).then(|| old.user(before));
            let is = (now != NONE).then(|| new.user(now));
            let Some(last) = is.or(was).filter(|_| was != is) else {
                continue;
            };
            let named = if now == NONE {
                old.folded_user(before)
            } else {
                new.folded_user(now)
            };
            let key = was
                .filter(|it| it.key != it.name)
                .map(|it| it.key.to_owned());
            self.users.push(Touched {
                name: named.to_owned(),
                spelled: last.name.to_owned(),
                was_there: was.is_some(),
                key,
            });
        }
    }

    fn touch_groups(&mut self, old: &Image, new: &Image, groups: &Pairing) {
        for &(before, now) in &groups.pairs {
            let was = (before != NONE).then(|| old.group(before));
            let is = (now != NONE).then(|| new.group(now));
            let Some(last) = is.or(was).filter(|_| was != is) else {
                continue;
            };
            let named = if now == NONE {
                old.folded_group(before)
            } else {
                new.folded_group(now)
            };
            self.groups.push(Touched {
                name: named.to_owned(),
                spelled: last.name.to_owned(),
                was_there: was.is_some(),
                key: None,
            });
        }
    }
}

/// Which place of the old image is which of the new one, by folded name.
struct Pairing {
    /// In the order of names; [`NONE`] where one side has nothing of that name.
    pairs: Vec<(u32, u32)>,
    /// The new place of each old one.
    now: Vec<u32>,
}

impl Pairing {
    fn users(old: &Image, new: &Image) -> Self {
        let sizes = (old.users(), new.users());
        Pairing::merge(sizes, |a, b| old.folded_user(a).cmp(new.folded_user(b)))
    }

    fn groups(old: &Image, new: &Image) -> Self {
        let sizes = (old.groups(), new.groups());
        Pairing::merge(sizes, |a, b| old.folded_group(a).cmp(new.folded_group(b)))
    }

    fn merge((old, new): (u32, u32), compare: impl Fn(u32, u32) -> Ordering) -> Self {
        let mut pairs = Vec::with_capacity(old.max(new) as usize);
        let mut now = vec![NONE; old as usize];
        let (mut a, mut b) = (0, 0);
        while a < old || b < new {
            let order = match (a < old, b < new) {
                (true, true) => compare(a, b),
                (true, false) => Ordering::Less,
                _ => Ordering::Greater,
            };
            match order {
                Ordering::Less => pairs.push((a, NONE)),
                Ordering::Greater => pairs.push((NONE, b)),
                Ordering::Equal => {
                    pairs.push((a, b));
                    now[a as usize] = b;
                }
            }
            a += u32::from(order.is_le());
            b += u32::from(order.is_ge());
        }
        Pairing { pairs, now }
    }
}

/// Compares the rows of the groups on both sides.
struct Edges<'a> {
    old: &'a Image,
    new: &'a Image,
    groups: &'a Pairing,
}

impl Edges<'_> {
    fn of<'a>(
        &'a self,
        members: &Pairing,
        row: impl Fn(&'a Image, u32) -> &'a [u32],
        member_name: impl Fn(&Image, u32) -> &str,
        found: &mut Vec<TouchedEdge>,
    ) {
        for &(before, now) in &self.groups.pairs {
            let is = if now == NONE {
                &[][..]
            } else {
                row(self.new, now)
            };
            let was = if before == NONE {
                &[][..]
            } else {
                row(self.old, before)
            };
            let group = if now == NONE {
                self.old.folded_group(before)
            } else {
                self.new.folded_group(now)
            };
            let mut add = |member: &str| {
                found.push(TouchedEdge {
                    member: member.to_owned(),
                    group: group.to_owned(),
                });
            };
            // Both sides are sorted by name, so the places of those that stayed are in one order.
            let mut kept = Vec::with_capacity(was.len());
            for &member in was {
                let member_now = members.now[member as usize];
                if member_now == NONE || is.binary_search(&member_now).is_err() {
                    add(member_name(self.old, member));
                } else {
                    kept.push(member_now);
                }
            }
            for &member in is {
                if kept.binary_search(&member).is_err() {
                    add(member_name(self.new, member));
                }
            }
        }
    }
}
