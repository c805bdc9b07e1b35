//! Whom events concern.

use std::collections::{BTreeMap, BTreeSet};

use super::Stop;
use crate::text;
use crate::wire::crowd::{Event, Named};

/// The most users and groups that are asked for one by one: beyond that everything is read sooner.
const CONCERNED_MAX: usize = 500;

/// A group that this many users came into or left is asked for as a whole.
const MANY_MEMBERS: usize = 10;

/// Everybody whom events concern. Names are by handle, as they were spelled last.
#[derive(Debug, Default)]
pub(super) struct Concerned {
    /// Users by key, each with the names that events gave them, by handle.
    pub keys: BTreeMap<String, BTreeMap<String, String>>,
    /// Users of whom only the name is known, each with the groups that it may have come into or left.
    pub users: BTreeMap<String, Member>,
    /// The handles of all users whose records changed: those names may have belonged to somebody else before.
    pub renamed: BTreeSet<String>,
    /// Groups to be asked for with all their members.
    pub groups: BTreeMap<String, String>,
    /// Groups, each with groups that may have come into it or left it, by handle.
    pub parents: BTreeMap<String, Parent>,
    /// How many users came into a group or left it.
    members: BTreeMap<String, BTreeSet<String>>,
}

/// A user of whom the name is known.
#[derive(Debug, Default)]
pub(super) struct Member {
    pub name: String,
    /// By handle.
    pub groups: BTreeMap<String, String>,
}

/// A group that others came into or left.
#[derive(Debug, Default)]
pub(super) struct Parent {
    pub name: String,
    /// Their handles.
    pub children: BTreeSet<String>,
}

impl Concerned {
    /// Takes note of whom an event concerns.
    ///
    /// # Errors
    /// [`Stop::Doubt`] where there are too many, or nobody can say who is concerned.
    pub(super) fn take(&mut self, event: Event) -> Result<(), Stop> {
        match event {
            Event::User(user) => {
                self.renamed.insert(text::fold(&user.name));
                self.user(user);
            }
            Event::Group(group) => self.group(&group.name),
            Event::UserMembership { user, groups } => {
                if groups.is_empty() {
                    return Err(nobody("a user's memberships"));
                }
                self.member(user, &groups);
            }
            Event::GroupMembership {
                group,
                parents,
                children,
            } => {
                if parents.is_empty() && children.is_empty() {
                    return Err(nobody("a group's memberships"));
                }
                children
                    .iter()
                    .for_each(|it| self.child(&group.name, &it.name));
                parents
                    .iter()
                    .for_each(|it| self.child(&it.name, &group.name));
            }
        }
        let count = self.keys.len() + self.users.len() + self.groups.len() + self.parents.len();
        if count > CONCERNED_MAX {
            let text = "more has changed than is asked for one by one";
            return Err(Stop::Doubt(text.to_owned()));
        }
        Ok(())
    }

    fn user(&mut self, user: Named) {
        if user.key.is_empty() {
            let member = self.users.entry(text::fold(&user.name)).or_default();
            member.name = user.name;
        } else {
            let names = self.keys.entry(user.key).or_default();
            if !user.name.is_empty() {
                names.insert(text::fold(&user.name), user.name);
            }
        }
    }

    fn group(&mut self, name: &str) {
        self.groups.insert(text::fold(name), name.to_owned());
    }

    fn member(&mut self, user: Named, groups: &[Named]) {
        let handle = text::fold(&user.name);
        for group in groups {
            let members = self.members.entry(text::fold(&group.name)).or_default();
            members.insert(handle.clone());
            if members.len() >= MANY_MEMBERS {
                self.group(&group.name);
            }
        }
        // Who left the group is in no list of it, but stays as it is in all others.
        let is_needed = |it: &&Named| !self.groups.contains_key(&text::fold(&it.name));
        let groups: Vec<&Named> = groups.iter().filter(is_needed).collect();
        if groups.is_empty() {
            return;
        }
        let member = self.users.entry(handle).or_default();
        member.name = user.name;
        let groups = groups.into_iter();
        let groups = groups.map(|it| (text::fold(&it.name), it.name.clone()));
        member.groups.extend(groups);
    }

    fn child(&mut self, parent: &str, child: &str) {
        let entry = self.parents.entry(text::fold(parent)).or_default();
        parent.clone_into(&mut entry.name);
        entry.children.insert(text::fold(child));
    }
}

fn nobody(what: &str) -> Stop {
    Stop::Doubt(format!(
        "the server says that {what} changed, and not which"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, key: &str) -> Named {
        Named {
            name: name.to_owned(),
            key: key.to_owned(),
        }
    }

    fn membership(user: &str, group: &str) -> Event {
        Event::UserMembership {
            user: named(user, ""),
            groups: vec![named(group, "")],
        }
    }

    #[test]
    fn whoever_an_event_names_is_concerned() {
        let mut it = Concerned::default();
        it.take(Event::User(named("Ada", "1:2"))).unwrap();
        it.take(Event::User(named("Ben", ""))).unwrap();
        it.take(Event::Group(named("Staff", ""))).unwrap();
        it.take(membership("Carl", "Crew")).unwrap();
        it.take(membership("Dora", "STAFF")).unwrap();
        it.take(Event::GroupMembership {
            group: named("Crew", ""),
            parents: vec![named("All", "")],
            children: vec![named("New", "")],
        })
        .unwrap();
        assert_eq!(it.keys.keys().collect::<Vec<_>>(), ["1:2"]);
        assert_eq!(it.keys["1:2"]["ada"], "Ada");
        assert_eq!(it.renamed.iter().collect::<Vec<_>>(), ["ada", "ben"]);
        let users: Vec<_> = it
            .users
            .iter()
            .map(|it| (it.0.as_str(), it.1.groups.len()))
            .collect();
        // All of staff are asked for anyway.
        assert_eq!(users, [("ben", 0), ("carl", 1)]);
        let parents: Vec<&str> = it.parents.keys().map(String::as_str).collect();
        assert_eq!(parents, ["all", "crew"]);
        assert_eq!(it.parents["all"].name, "All");
    }

    #[test]
    fn a_group_that_many_came_into_is_asked_for_as_a_whole() {
        let mut it = Concerned::default();
        for number in 0..100 {
            it.take(membership(&format!("u{number}"), "g")).unwrap();
        }
        assert_eq!(it.groups.len(), 1);
        assert_eq!(it.users.len(), MANY_MEMBERS - 1);
    }

    #[test]
    fn what_says_too_little_or_too_much_is_in_doubt() {
        let mut it = Concerned::default();
        let user = named("a", "");
        let stop = it.take(Event::UserMembership {
            user,
            groups: vec![],
        });
        assert!(matches!(stop, Err(Stop::Doubt(_))));
        let stop = it.take(Event::GroupMembership {
            group: named("a", ""),
            parents: vec![],
            children: vec![],
        });
        assert!(matches!(stop, Err(Stop::Doubt(_))));
        let mut events = (0..=CONCERNED_MAX).map(|it| Event::User(named("a", &it.to_string())));
        let stop = events.try_for_each(|event| it.take(event));
        assert!(matches!(stop, Err(Stop::Doubt(_))));
    }
}
