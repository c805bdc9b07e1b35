//! What an administrator does, by hand of a test. Whoever is named must be there, by id or by any address; otherwise the test is
//! wrong and panics.

use std::collections::BTreeMap;

use serde_json::Value;

use super::CUSTOMER;
use super::state::{Activity, Foreign, Group, Member, State, User, Who, domain_of, lower};

impl State {
    /// Makes a user, neither suspended nor archived, and gives the id. Ids grow and never come again.
    pub(crate) fn add_user(&mut self, email: &str) -> String {
        let id = format!("1{:020}", self.next());
        self.take_address(email, Who::User(id.clone()));
        let user = User {
            id: id.clone(),
            primary_email: email.to_owned(),
            given_name: email.split('@').next().unwrap_or_default().to_owned(),
            family_name: "By Hand".to_owned(),
            suspended: Some(false),
            archived: Some(false),
            org_unit_path: "/".to_owned(),
            ..User::default()
        };
        self.domains.insert(domain_of(email).to_owned());
        self.users.insert(id.clone(), user);
        id
    }

    /// Makes a group without members and gives the id.
    pub(crate) fn add_group(&mut self, email: &str) -> String {
        let id = format!("0{:014x}", self.next());
        self.take_address(email, Who::Group(id.clone()));
        let group = Group {
            id: id.clone(),
            email: email.to_owned(),
            name: email.split('@').next().unwrap_or_default().to_owned(),
            ..Group::default()
        };
        self.domains.insert(domain_of(email).to_owned());
        self.groups.insert(id.clone(), group);
        id
    }

    /// Makes a user of another organisation and gives the id.
    pub(crate) fn add_foreign_user(&mut self, email: &str) -> String {
        let id = format!("1{:020}", self.next());
        self.add_foreign(email, id, "USER")
    }

    /// Makes a group of another organisation and gives the id.
    pub(crate) fn add_foreign_group(&mut self, email: &str) -> String {
        let id = format!("0{:014x}", self.next());
        self.add_foreign(email, id, "GROUP")
    }

    /// Gives a user or a group another address besides.
    pub(crate) fn add_alias(&mut self, key: &str, alias: &str) {
        let who = self.who(key);
        self.take_address(alias, who.clone());
        match who {
            Who::User(id) => self.user(&id).aliases.push(alias.to_owned()),
            Who::Group(id) => self.group(&id).aliases.push(alias.to_owned()),
            Who::Foreign(_) => panic!("{key} is of another organisation"),
        }
    }

    /// Puts somebody into a group: a user or a group, of this organisation or another, or [`CUSTOMER`]. Who is named by an
    /// address is listed under it, an alias too; who is named by an id, under the primary address.
    pub(crate) fn add_member(&mut self, group: &str, member: &str) {
        let member = self.member_of(member);
        self.group(group).members.push(member);
    }

    /// Takes somebody out of a group, who is in it.
    pub(crate) fn remove_member(&mut self, group: &str, member: &str) {
        let id = self.member_of(member).id;
        let members = &mut self.group(group).members;
        let before = members.len();
        members.retain(|it| it.id != id);
        assert!(members.len() < before, "{member} is not in {group}");
    }

    /// Gives a user or a group another primary address: memberships follow, and the old one becomes an alias.
    pub(crate) fn rename(&mut self, key: &str, email: &str) {
        let who = self.who(key);
        let own = self.addresses.get(&lower(email)) == Some(&who);
        if !own {
            self.take_address(email, who.clone());
        }
        let (id, address, aliases) = match who {
            Who::User(id) => {
                let user = self.users.get_mut(&id).unwrap();
                (id, &mut user.primary_email, &mut user.aliases)
            }
            Who::Group(id) => {
                let group = self.groups.get_mut(&id).unwrap();
                (id, &mut group.email, &mut group.aliases)
            }
            Who::Foreign(_) => panic!("{key} is of another organisation"),
        };
        let old = std::mem::replace(address, email.to_owned());
        aliases.retain(|it| lower(it) != lower(email));
        aliases.push(old.clone());
        let members = self.groups.values_mut().flat_map(|it| &mut it.members);
        for member in members.filter(|it| it.id == id && it.email.as_ref() == Some(&old)) {
            member.email = Some(email.to_owned());
        }
    }

    /// Deletes a user or a group: the addresses are free, and nobody has it as a member any more.
    pub(crate) fn remove(&mut self, key: &str) {
        let who = self.who(key);
        let (id, addresses): (&String, Vec<String>) = match &who {
            Who::User(id) => {
                let user = self.users.remove(id).unwrap();
                let addresses = user.addresses().cloned().collect();
                self.deleted.insert(id.clone(), user);
                (id, addresses)
            }
            Who::Group(id) => {
                let group = self.groups.remove(id).unwrap();
                (id, group.addresses().cloned().collect())
            }
            Who::Foreign(id) => {
                let foreign = self.foreign.remove(id).unwrap();
                (id, vec![foreign.email])
            }
        };
        for address in addresses {
            self.addresses.remove(&lower(&address));
        }
        for group in self.groups.values_mut() {
            group.members.retain(|it| it.id != *id);
        }
    }

    pub(crate) fn suspend(&mut self, user: &str) {
        self.user(user).suspended = Some(true);
    }

    pub(crate) fn archive(&mut self, user: &str) {
        self.user(user).archived = Some(true);
    }

    /// Writes an entry with one event into the log of an application, and gives its number.
    pub(crate) fn add_activity(
        &mut self,
        application: &str,
        time: i64,
        event: &str,
        parameters: &[(&str, &str)],
    ) -> i64 {
        let unique = self.next() as i64;
        let parameter = |(name, value): &(&str, &str)| {
            Value::from_iter(BTreeMap::from([("name", *name), ("value", *value)]))
        };
        let parameters: Vec<Value> = parameters.iter().map(parameter).collect();
        let events =
            serde_json::json!([{ "type": "by_hand", "name": event, "parameters": parameters }]);
        self.activities.push(Activity {
            time,
            unique,
            application: application.to_owned(),
            events,
        });
        unique
    }

    /// A user, to be changed. An address that is changed here is known by it once the test lets go of the state.
    pub(crate) fn user(&mut self, key: &str) -> &mut User {
        let Who::User(id) = self.who(key) else {
            panic!("{key} is no user")
        };
        self.users.get_mut(&id).unwrap()
    }

    /// A group, to be changed, as with [`State::user`].
    pub(crate) fn group(&mut self, key: &str) -> &mut Group {
        let Who::Group(id) = self.who(key) else {
            panic!("{key} is no group")
        };
        self.groups.get_mut(&id).unwrap()
    }

    /// A member of a group, to be changed.
    pub(crate) fn member(&mut self, group: &str, member: &str) -> &mut Member {
        let id = self.member_of(member).id;
        let mut members = self.group(group).members.iter_mut();
        let found = members.find(|it| it.id == id);
        found.unwrap_or_else(|| panic!("{member} is not in {group}"))
    }

    fn next(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    fn add_foreign(&mut self, email: &str, id: String, kind: &'static str) -> String {
        self.take_address(email, Who::Foreign(id.clone()));
        let foreign = Foreign {
            email: email.to_owned(),
            kind,
        };
        self.foreign.insert(id.clone(), foreign);
        id
    }

    /// Whose it was may have been given another one by hand a moment ago.
    fn take_address(&mut self, address: &str, who: Who) {
        if self.addresses.contains_key(&lower(address)) {
            self.relearn();
        }
        let before = self.addresses.insert(lower(address), who);
        assert_eq!(before, None, "{address} is taken");
    }

    /// Somebody who is there. Whoever is not found may have been given the address by hand a moment ago.
    fn who(&mut self, key: &str) -> Who {
        if let Some(who) = self.find(key) {
            return who;
        }
        self.relearn();
        let found = self.find(key);
        found.unwrap_or_else(|| panic!("nobody is {key}"))
    }

    fn relearn(&mut self) {
        self.touched();
        self.settle();
    }

    fn member_of(&mut self, key: &str) -> Member {
        let role = "MEMBER".to_owned();
        if key == CUSTOMER {
            return Member {
                id: self.customer.clone(),
                role,
                kind: CUSTOMER.to_owned(),
                ..Member::default()
            };
        }
        let (id, kind, email) = match self.who(key) {
            Who::User(id) => {
                let email = self.users[&id].primary_email.clone();
                (id, "USER", email)
            }
            Who::Group(id) => {
                let email = self.groups[&id].email.clone();
                (id, "GROUP", email)
            }
            Who::Foreign(id) => {
                let foreign = &self.foreign[&id];
                let (kind, email) = (foreign.kind, foreign.email.clone());
                (id, kind, email)
            }
        };
        let email = if key == id { email } else { key.to_owned() };
        Member {
            id,
            email: Some(email),
            role,
            kind: kind.to_owned(),
            status: Some("ACTIVE".to_owned()),
        }
    }
}
