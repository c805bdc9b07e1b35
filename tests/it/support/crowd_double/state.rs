//! What the double holds, and what each operation does to it. Names are compared by their lower case \[CC\].

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::rules::{Again, CreateAgain, Rules};

/// One user.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) display_name: String,
    pub(crate) email: String,
    pub(crate) active: bool,
    pub(crate) key: String,
    pub(crate) password: Option<String>,
    /// The password is right and must be changed before it lets anybody in.
    pub(crate) expired: bool,
    pub(crate) attributes: BTreeMap<String, Vec<String>>,
    /// Fields of the entity that only this product knows.
    pub(crate) foreign: BTreeMap<String, Value>,
}

/// One group, with its members by lower-cased name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) active: bool,
    pub(crate) attributes: BTreeMap<String, Vec<String>>,
    pub(crate) foreign: BTreeMap<String, Value>,
    pub(crate) members: BTreeSet<String>,
    pub(crate) children: BTreeSet<String>,
}

/// What was done to whom.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    User(&'static str, User),
    Group(&'static str, Group),
    /// The user, the group.
    Member(&'static str, String, String),
    /// The parent, the child.
    Child(&'static str, String, String),
}

/// A refusal: status, reason, message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fail(pub(crate) u16, pub(crate) &'static str, pub(crate) String);

type Done<T> = Result<T, Fail>;

/// Everything that the double holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    /// By lower-cased name.
    pub(crate) users: BTreeMap<String, User>,
    /// By lower-cased name.
    pub(crate) groups: BTreeMap<String, Group>,
    pub(crate) events: Vec<Event>,
    /// Tokens of another generation are not known any more.
    pub(crate) generation: u32,
    next_key: u32,
}

/// The form by which names are compared.
pub(crate) fn lower(name: &str) -> String {
    name.to_lowercase()
}

impl State {
    /// Makes a user by hand, active and with an empty list of attributes.
    pub(crate) fn add_user(&mut self, name: &str) -> &mut User {
        let user = User {
            name: name.to_owned(),
            display_name: format!("{name} by hand"),
            active: true,
            ..User::default()
        };
        self.insert_user(user);
        self.users.get_mut(&lower(name)).unwrap()
    }

    /// Makes a group by hand.
    pub(crate) fn add_group(&mut self, name: &str) -> &mut Group {
        let group = Group {
            name: name.to_owned(),
            active: true,
            ..Group::default()
        };
        self.events.push(Event::Group("CREATED", group.clone()));
        self.groups.insert(lower(name), group);
        self.groups.get_mut(&lower(name)).unwrap()
    }

    /// Puts a user into a group by hand; both are there.
    pub(crate) fn add_member(&mut self, group: &str, user: &str) {
        let (group, user) = (lower(group), lower(user));
        let it = self.groups.get_mut(&group).unwrap();
        it.members.insert(user.clone());
        self.events.push(Event::Member("CREATED", user, group));
    }

    /// Puts a group into a group by hand; both are there.
    pub(crate) fn add_child(&mut self, parent: &str, child: &str) {
        let (parent, child) = (lower(parent), lower(child));
        let it = self.groups.get_mut(&parent).unwrap();
        it.children.insert(child.clone());
        self.events.push(Event::Child("CREATED", parent, child));
    }

    /// Tells others that a user was changed by hand.
    pub(crate) fn touched_user(&mut self, name: &str) {
        let user = self.users[&lower(name)].clone();
        self.events.push(Event::User("UPDATED", user));
    }

    /// Tokens that were given out are not known any more: the server was restarted.
    pub(crate) fn expire_tokens(&mut self) {
        self.generation += 1;
    }

    pub(crate) fn token(&self) -> String {
        format!("g{}-{}", self.generation, self.events.len())
    }

    /// How many events there were when a token was given out; `None` for one that is not known.
    pub(crate) fn at_token(&self, token: &str) -> Option<usize> {
        let prefix = format!("g{}-", self.generation);
        let count: usize = token.strip_prefix(&prefix)?.parse().ok()?;
        (count <= self.events.len()).then_some(count)
    }

    pub(crate) fn user(&self, name: &str) -> Done<&User> {
        self.users.get(&lower(name)).ok_or_else(|| {
            Fail(
                404,
                "USER_NOT_FOUND",
                format!("User <{name}> does not exist"),
            )
        })
    }

    pub(crate) fn user_by_key(&self, key: &str) -> Done<&User> {
        let found = self.users.values().find(|it| it.key == key);
        found.ok_or_else(|| Fail(404, "USER_NOT_FOUND", format!("no user with key {key}")))
    }

    pub(crate) fn group(&self, name: &str) -> Done<&Group> {
        self.groups.get(&lower(name)).ok_or_else(|| {
            let text = format!("Group <{name}> does not exist");
            Fail(404, "GROUP_NOT_FOUND", text)
        })
    }

    pub(crate) fn group_mut(&mut self, name: &str) -> Done<&mut Group> {
        self.group(name)?;
        Ok(self.groups.get_mut(&lower(name)).unwrap())
    }

    fn insert_user(&mut self, mut user: User) {
        self.next_key += 1;
        user.key = format!("32769:{:08x}-0000-4000-8000-000000000000", self.next_key);
        self.events.push(Event::User("CREATED", user.clone()));
        self.users.insert(lower(&user.name), user);
    }

    pub(crate) fn create_user(&mut self, mut user: User, rules: &Rules) -> Done<()> {
        user.active |= rules.creates_active;
        check_name(&user.name, "INVALID_USER")?;
        if rules.password_needed && user.password.is_none() {
            return Err(Fail(400, "INVALID_CREDENTIAL", "no password".to_owned()));
        }
        if self.users.contains_key(&lower(&user.name)) {
            return again(rules, "INVALID_USER");
        }
        let name = lower(&user.name);
        self.insert_user(user);
        for group in &rules.default_groups {
            if self.groups.contains_key(&lower(group)) {
                self.add_member(group, &name);
            }
        }
        Ok(())
    }

    /// A full replace: what the body does not name is emptied \[C KB\]. The key stays, and so does the password.
    pub(crate) fn update_user(&mut self, name: &str, new: User, rules: &Rules) -> Done<()> {
        let old = self.user(name)?.clone();
        if lower(&new.name) != lower(name) {
            let text = "the name of the body is not that of the query".to_owned();
            return Err(Fail(400, "ILLEGAL_ARGUMENT", text));
        }
        let user = User {
            name: old.name,
            key: old.key,
            password: old.password,
            expired: old.expired,
            attributes: if rules.put_replaces_attributes {
                new.attributes
            } else {
                old.attributes
            },
            ..new
        };
        self.events.push(Event::User("UPDATED", user.clone()));
        self.users.insert(lower(name), user);
        Ok(())
    }

    pub(crate) fn delete_user(&mut self, name: &str) -> Done<()> {
        let user = self.user(name)?.clone();
        self.users.remove(&lower(name));
        for group in self.groups.values_mut() {
            group.members.remove(&lower(name));
        }
        self.events.push(Event::User("DELETED", user));
        Ok(())
    }

    /// Memberships follow. A name that somebody else has is not taken.
    pub(crate) fn rename_user(&mut self, old: &str, new: &str, rules: &Rules) -> Done<()> {
        let mut user = self.user(old)?.clone();
        check_name(new, "INVALID_USER")?;
        if lower(new) != lower(old) && self.users.contains_key(&lower(new)) {
            let text = format!("User <{new}> already exists");
            return Err(Fail(rules.rename_taken, "OPERATION_FAILED", text));
        }
        self.users.remove(&lower(old));
        new.clone_into(&mut user.name);
        for group in self.groups.values_mut() {
            if group.members.remove(&lower(old)) {
                group.members.insert(lower(new));
            }
        }
        self.events.push(Event::User("UPDATED", user.clone()));
        self.users.insert(lower(new), user);
        Ok(())
    }

    pub(crate) fn create_group(&mut self, group: Group, rules: &Rules) -> Done<()> {
        check_name(&group.name, "INVALID_GROUP")?;
        if self.groups.contains_key(&lower(&group.name)) {
            return again(rules, "INVALID_GROUP");
        }
        self.events.push(Event::Group("CREATED", group.clone()));
        self.groups.insert(lower(&group.name), group);
        Ok(())
    }

    pub(crate) fn update_group(&mut self, name: &str, new: Group, rules: &Rules) -> Done<()> {
        let old = self.group(name)?.clone();
        if lower(&new.name) != lower(name) {
            let text = "the name of the body is not that of the query".to_owned();
            return Err(Fail(400, "ILLEGAL_ARGUMENT", text));
        }
        let group = Group {
            name: old.name,
            attributes: if rules.put_replaces_attributes {
                new.attributes
            } else {
                old.attributes
            },
            members: old.members,
            children: old.children,
            ..new
        };
        self.events.push(Event::Group("UPDATED", group.clone()));
        self.groups.insert(lower(name), group);
        Ok(())
    }

    pub(crate) fn delete_group(&mut self, name: &str) -> Done<()> {
        let group = self.group(name)?.clone();
        self.groups.remove(&lower(name));
        for it in self.groups.values_mut() {
            it.children.remove(&lower(name));
        }
        self.events.push(Event::Group("DELETED", group));
        Ok(())
    }

    /// Whoever is given must be there: 400 with the reason of a missing user \[K\].
    pub(crate) fn give_member(&mut self, group: &str, user: &str, rules: &Rules) -> Done<()> {
        self.group(group)?;
        self.user(user).map_err(|it| Fail(400, it.1, it.2))?;
        if self.group(group)?.members.contains(&lower(user)) {
            return given_again(rules);
        }
        self.add_member(group, user);
        Ok(())
    }

    pub(crate) fn take_member(&mut self, group: &str, user: &str) -> Done<()> {
        self.user(user)?;
        if !self.group_mut(group)?.members.remove(&lower(user)) {
            return Err(no_membership());
        }
        let event = Event::Member("DELETED", lower(user), lower(group));
        self.events.push(event);
        Ok(())
    }

    pub(crate) fn give_child(&mut self, parent: &str, child: &str, rules: &Rules) -> Done<()> {
        self.group(parent)?;
        self.group(child).map_err(|it| Fail(400, it.1, it.2))?;
        if !rules.nested {
            let text = "this directory has no groups in groups".to_owned();
            return Err(Fail(400, "NESTED_GROUPS_NOT_SUPPORTED", text));
        }
        if lower(parent) == lower(child) {
            let text = "a group is no member of itself".to_owned();
            return Err(Fail(400, "INVALID_MEMBERSHIP", text));
        }
        if self.group(parent)?.children.contains(&lower(child)) {
            return given_again(rules);
        }
        self.add_child(parent, child);
        Ok(())
    }

    pub(crate) fn take_child(&mut self, parent: &str, child: &str) -> Done<()> {
        self.group(child)?;
        if !self.group_mut(parent)?.children.remove(&lower(child)) {
            return Err(no_membership());
        }
        let event = Event::Child("DELETED", lower(parent), lower(child));
        self.events.push(event);
        Ok(())
    }

    /// A group and all groups below it; cycles end.
    pub(crate) fn below(&self, group: &str) -> BTreeSet<String> {
        self.closure(group, |state, at| {
            let children = state.groups.get(at).map(|it| it.children.clone());
            children.unwrap_or_default()
        })
    }

    /// A group and all groups above it; cycles end.
    pub(crate) fn above(&self, group: &str) -> BTreeSet<String> {
        self.closure(group, State::parents)
    }

    /// The groups that a group is a direct member of.
    pub(crate) fn parents(&self, group: &str) -> BTreeSet<String> {
        let group = lower(group);
        let parents = self
            .groups
            .iter()
            .filter(|it| it.1.children.contains(&group));
        parents.map(|it| it.0.clone()).collect()
    }

    /// The groups that a user is a direct member of.
    pub(crate) fn groups_of(&self, user: &str) -> BTreeSet<String> {
        let user = lower(user);
        let groups = self.groups.iter().filter(|it| it.1.members.contains(&user));
        groups.map(|it| it.0.clone()).collect()
    }

    fn closure(
        &self,
        start: &str,
        next: impl Fn(&State, &str) -> BTreeSet<String>,
    ) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut open = vec![lower(start)];
        while let Some(at) = open.pop() {
            if found.insert(at.clone()) {
                open.extend(next(self, &at));
            }
        }
        found
    }
}

fn check_name(name: &str, reason: &'static str) -> Done<()> {
    if name.trim().is_empty() || name.trim() != name || name.len() > 255 {
        return Err(Fail(400, reason, format!("<{name}> is no name")));
    }
    Ok(())
}

fn again(rules: &Rules, reason: &'static str) -> Done<()> {
    let text = "it already exists".to_owned();
    match rules.create_again {
        CreateAgain::Invalid => Err(Fail(400, reason, text)),
        CreateAgain::Conflict => Err(Fail(409, reason, text)),
        CreateAgain::Silent => Ok(()),
    }
}

fn given_again(rules: &Rules) -> Done<()> {
    match rules.membership_again {
        Again::Silent => Ok(()),
        Again::Conflict => {
            let text = "membership already exists".to_owned();
            Err(Fail(409, "MEMBERSHIP_ALREADY_EXISTS", text))
        }
    }
}

fn no_membership() -> Fail {
    let text = "there is no such membership".to_owned();
    Fail(404, "MEMBERSHIP_NOT_FOUND", text)
}
