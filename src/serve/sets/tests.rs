//! The law of event tokens: whoever knows what was served when a token was given out, or at any time since, and follows the list
//! of changes, knows what is served now; and where following it could take one person for another, there is no list.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::serve::image::tests::{Person, Team, image};

/// What a client keeps: users with key and mail, groups, memberships both ways, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Copy {
    users: BTreeMap<String, (String, String)>,
    groups: BTreeSet<String>,
    members: BTreeSet<(String, String)>,
    children: BTreeSet<(String, String)>,
}

impl Copy {
    fn of(image: &Image) -> Copy {
        let mut copy = Copy::default();
        for place in 0..image.users() {
            copy.take_user(image, place);
        }
        for place in 0..image.groups() {
            let name = || image.group(place).name.to_owned();
            copy.groups.insert(name());
            for &user in image.members(place) {
                copy.members
                    .insert((image.user(user).name.to_owned(), name()));
            }
            for &child in image.children(place) {
                copy.children
                    .insert((image.group(child).name.to_owned(), name()));
            }
        }
        copy
    }

    fn take_user(&mut self, image: &Image, place: u32) {
        let user = image.user(place);
        let fields = (user.key.to_owned(), user.email.to_owned());
        self.users.insert(user.name.to_owned(), fields);
    }

    /// Follows a list of changes, and insists that none of them takes one person for another. What has been followed already
    /// changes nothing.
    fn follow(&mut self, image: &Image, changes: &Changes) {
        for name in &changes.users.deleted {
            self.users.remove(name);
            self.members.retain(|it| it.0 != *name);
        }
        for &place in changes.users.created.iter().chain(&changes.users.updated) {
            let user = image.user(place);
            let known = self.users.get(user.name);
            assert!(known.is_none_or(|it| it.0 == user.key), "the same person");
            self.take_user(image, place);
        }
        for name in &changes.groups.deleted {
            self.groups.remove(name);
            self.members.retain(|it| it.1 != *name);
            self.children.retain(|it| it.0 != *name && it.1 != *name);
        }
        for &place in changes.groups.created.iter().chain(&changes.groups.updated) {
            self.groups.insert(image.group(place).name.to_owned());
        }
        let users = |place| image.user(place).name.to_owned();
        let groups = |place| image.group(place).name.to_owned();
        follow_edges(&mut self.members, &changes.members, &users, &groups);
        follow_edges(&mut self.children, &changes.children, &groups, &groups);
    }
}

fn follow_edges(
    edges: &mut BTreeSet<(String, String)>,
    changes: &changes::Memberships,
    member: &dyn Fn(u32) -> String,
    group: &dyn Fn(u32) -> String,
) {
    for (&from, to) in &changes.lost {
        for &to in to {
            edges.remove(&(member(from), group(to)));
        }
    }
    for (&from, to) in &changes.gained {
        for &to in to {
            edges.insert((member(from), group(to)));
        }
    }
}

/// Names and keys are few, so that renames, swaps and returns come about.
fn people() -> impl Strategy<Value = Vec<Person>> {
    let person = (0..4_u8, 0..2_u8).prop_map(|(key, mail)| (key, mail));
    let named = proptest::collection::btree_map(0..5_u8, person, 0..5);
    named.prop_map(|named| {
        let mut keys = BTreeSet::new();
        let named = named.into_iter().filter(|(_, (key, _))| keys.insert(*key));
        let person =
            |(name, (key, mail))| (format!("u{name}"), format!("k{key}"), format!("m{mail}"));
        named.map(person).collect()
    })
}

fn teams() -> impl Strategy<Value = Vec<Team>> {
    let some = |word: &'static str, below: u8| {
        let some = proptest::collection::btree_set(0..below, 0..4);
        some.prop_map(move |it| it.into_iter().map(|it| format!("{word}{it}")).collect())
    };
    let team = (some("u", 5), some("g", 3));
    let named = proptest::collection::btree_map(0..3_u8, team, 0..4);
    named.prop_map(|named| {
        let named = named.into_iter();
        named
            .map(|(name, (users, groups))| (format!("g{name}"), users, groups))
            .collect()
    })
}

proptest! {
    #[test]
    fn whoever_follows_the_changes_knows_what_is_served(
        steps in proptest::collection::vec((people(), teams()), 2..6),
    ) {
        let sets = Sets::default();
        let mut known = Vec::new();
        for (people, teams) in &steps {
            sets.publish("x", image(people, teams));
            let now = sets.image("x").unwrap();
            known.push((sets.token("x").unwrap(), Copy::of(&now)));
            let same = |it: (&String, &(String, String))| {
                // The same key under another name, or another key under the same name.
                let moved = now.find_key(&it.1.0).is_some_and(|at| now.user(at).name != *it.0);
                let other = now.find_user(it.0).is_some_and(|at| now.user(at).key != it.1.0);
                !moved && !other
            };
            for (at, (token, _)) in known.iter().enumerate() {
                // Lists are read after the token was given out, and maybe not before the next set.
                let mut read = known[at..].iter().map(|(_, it)| it);
                match sets.since("x", token).unwrap() {
                    Since::Changes(image, token, changes) => {
                        prop_assert_eq!(Some(token), sets.token("x"));
                        for copy in read {
                            prop_assert!(copy.users.iter().all(same));
                            let mut copy = copy.clone();
                            copy.follow(&image, &changes);
                            prop_assert_eq!(copy, Copy::of(&image));
                        }
                    }
                    Since::Expired => prop_assert!(read.any(|it| !it.users.iter().all(same))),
                }
            }
        }
    }
}

#[test]
fn what_was_published_meanwhile_is_no_part_of_the_difference() {
    let sets = Sets::default();
    let one = |name: &str| {
        let name = name.to_owned();
        image(&[(name.clone(), name, String::new())], &[])
    };
    sets.publish("x", one("a"));
    let token = sets.token("x").unwrap();
    sets.withdraw("x");
    sets.publish("x", one("b"));
    assert!(matches!(sets.since("x", &token), Some(Since::Expired)));
    assert!(sets.since("y", &token).is_none());
}
