//! What may happen to people.

use std::fmt::Write as _;

use super::{Name, Person, Place, World};
use crate::ldap_delta::script::Kind;
use crate::ldap_delta::server::{ACTIVE, NUMBER, Usernames};

impl World {
    pub(super) fn edit_person(&mut self, kind: Kind, at: usize, b: usize, c: usize) {
        match kind {
            Kind::DeletePerson => self.delete_person(at),
            Kind::RecreatePerson => self.recreate_person(at),
            Kind::RenamePerson => self.rename_person(at, b, c),
            Kind::MovePerson => self.move_person(at, b),
            Kind::Username => self.give_username(at, b),
            Kind::Usernames => self.give_usernames(at, b),
            Kind::Mail => {
                let mails: &[&str] = match b % 4 {
                    0 => &[],
                    1 => &["common@example.com"],
                    2 => &["Some.Body@Example.com"],
                    _ => &["other@example.com"],
                };
                self.replace_of_person(at, "mail", mails);
            }
            Kind::Names => {
                let attribute = ["displayName", "givenName", "sn"][b % 3];
                let names = [&[][..], &["Ada"], &["Bj\u{f6}rn  Borg"], &["Doe, Jane"]];
                // On an OpenLDAP server everybody must have an `sn`.
                let from = usize::from(attribute == "sn");
                self.replace_of_person(at, attribute, names[from + c % (4 - from)]);
            }
            Kind::Number => {
                let number = (b % 3).to_string();
                let numbers = [number.as_str()];
                let numbers = if b.is_multiple_of(3) {
                    &[][..]
                } else {
                    &numbers
                };
                self.replace_of_person(at, NUMBER, numbers);
            }
            Kind::Status => self.give_status(at, b),
            Kind::Filter => {
                let sorts: &[&str] = if b.is_multiple_of(3) {
                    &["guest"]
                } else {
                    &["staff"]
                };
                self.replace_of_person(at, "employeeType", sorts);
            }
            Kind::Primary => self.give_primary(at, b),
            _ => unreachable!("{kind:?} is not about people"),
        }
    }

    pub(super) fn add_person(&mut self, style: usize) {
        let number = self.number();
        let place = match style % 8 {
            0 => Place::Outside,
            it @ 1..=3 => Place::Unit(it - 1),
            _ => Place::Base,
        };
        let (username, name) = (self.new_username(number), self.new_name(style, number));
        self.people.push(Person {
            number,
            name,
            place,
            username,
            primary: None,
        });
        self.put_person(self.people.len() - 1);
    }

    /// Tells the server of a new person.
    fn put_person(&mut self, at: usize) {
        let Person {
            number,
            name,
            username,
            ..
        } = &self.people[at];
        let mut entry = "changetype: add\n".to_owned();
        let Name(attribute, value) = name;
        if self.server.is_samba() {
            let account = match self.usernames {
                Usernames::Account => username.clone(),
                Usernames::Uid => format!("{}-p{number}", self.mark),
            };
            let _ = write!(
                entry,
                "objectClass: user\nsAMAccountName: {account}\nuserAccountControl: 512\n"
            );
        } else {
            entry += "objectClass: inetOrgPerson\n";
            if *attribute != "cn" {
                let _ = writeln!(entry, "cn: {username}");
            }
        }
        if self.usernames == Usernames::Uid && *attribute != "uid" {
            let _ = writeln!(entry, "uid: {username}");
        }
        let _ = write!(
            entry,
            "{attribute}: {value}\nsn: Name\nmail: {username}@example.com\nemployeeType: staff\n"
        );
        let dn = self.person_dn(at);
        self.change(&dn, &entry);
    }

    fn delete_person(&mut self, at: usize) {
        let dn = self.person_dn(at);
        self.change(&dn, "changetype: delete\n");
        self.people.remove(at);
    }

    fn recreate_person(&mut self, at: usize) {
        let dn = self.person_dn(at);
        self.change(&dn, "changetype: delete\n");
        self.people[at].number = self.number();
        self.people[at].primary = None;
        self.put_person(at);
    }

    fn rename_person(&mut self, at: usize, style: usize, keep: usize) {
        let number = self.number();
        let name = self.new_name(style, number);
        // Where the old name stays, a person named by username has two.
        let keep = keep.is_multiple_of(4) && !self.server.is_samba();
        let dn = self.person_dn(at);
        let rename = format!(
            "changetype: modrdn\nnewrdn: {}\ndeleteoldrdn: {}\n",
            name.rdn(),
            u8::from(!keep)
        );
        if name.0 == "uid" {
            self.people[at].username.clone_from(&name.1);
        }
        // An entry must keep a `cn`, and one that had a `uid` before has two now.
        if self.people[at].name.0 == "cn" && name.0 != "cn" && !keep {
            self.add_to(&dn, "cn", "Still Here");
        }
        self.people[at].name = name;
        self.change(&dn, &rename);
    }

    fn move_person(&mut self, at: usize, to: usize) {
        let place = match to % 6 {
            0 | 1 => Place::Outside,
            it @ 2..=4 => Place::Unit(it - 2),
            _ => Place::Base,
        };
        if place == self.people[at].place {
            return;
        }
        let dn = self.person_dn(at);
        let (rdn, to) = (self.people[at].name.rdn(), self.place(place));
        self.people[at].place = place;
        self.change(
            &dn,
            &format!("changetype: modrdn\nnewrdn: {rdn}\ndeleteoldrdn: 1\nnewsuperior: {to}\n"),
        );
    }

    fn give_username(&mut self, at: usize, b: usize) {
        let number = self.number();
        let mut username = self.new_username(number);
        match (b % 6, self.usernames) {
            (0, Usernames::Uid) => "common".clone_into(&mut username),
            (1, _) => username = self.people[at].username.to_uppercase(),
            _ => {}
        }
        if self.people[at].name.0 == "uid" {
            // It is in the name; other values go.
            let value = self.people[at].name.1.clone();
            return self.replace_of_person(at, "uid", &[&value]);
        }
        let attribute = match self.usernames {
            Usernames::Uid => "uid",
            Usernames::Account => "sAMAccountName",
        };
        self.people[at].username.clone_from(&username);
        self.replace_of_person(at, attribute, &[&username]);
    }

    fn give_usernames(&mut self, at: usize, b: usize) {
        if self.usernames == Usernames::Account {
            return;
        }
        let other = format!("n{}", self.number());
        let first = match &self.people[at].name {
            Name("uid", value) => value.clone(),
            _ => self.people[at].username.clone(),
        };
        if b.is_multiple_of(2) && self.people[at].name.0 != "uid" {
            self.replace_of_person(at, "uid", &[]);
        } else {
            self.replace_of_person(at, "uid", &[&first, &other]);
        }
    }

    fn give_status(&mut self, at: usize, b: usize) {
        if !self.server.is_samba() {
            let values = [&["no"][..], &[], &["yes"]];
            return self.replace_of_person(at, ACTIVE, values[b % 3]);
        }
        match b % 5 {
            // Disabled, and enabled.
            0 | 1 => self.replace_of_person(at, "userAccountControl", &["514"]),
            2 | 3 => self.replace_of_person(at, "userAccountControl", &["512"]),
            // Expired in 2001, or never; both far from now.
            _ if b.is_multiple_of(2) => {
                self.replace_of_person(at, "accountExpires", &["126227808000000000"]);
            }
            _ => self.replace_of_person(at, "accountExpires", &["0"]),
        }
    }

    /// Makes a group the primary one: first a member, who then is one by the own entry alone.
    fn give_primary(&mut self, at: usize, b: usize) {
        let Some(team) = b.checked_rem(self.teams.len()) else {
            return;
        };
        let number = self.teams[team].number;
        if !self.server.is_samba() || self.people[at].primary == Some(number) {
            return;
        }
        let (dn, team_dn) = (self.person_dn(at), self.team_dn(team));
        self.add_members(team, &[dn]);
        self.flush();
        let token = self.server.values(&team_dn, "primaryGroupToken").remove(0);
        self.replace_of_person(at, "primaryGroupID", &[&token]);
        self.people[at].primary = Some(number);
    }

    fn replace_of_person(&mut self, at: usize, attribute: &str, values: &[&str]) {
        let dn = self.person_dn(at);
        self.replace(&dn, attribute, values);
    }

    fn new_username(&self, number: usize) -> String {
        match self.usernames {
            Usernames::Uid => format!("n{number}"),
            Usernames::Account => format!("{}-n{number}", self.mark),
        }
    }

    /// A name that nobody bears, in one of several spellings.
    fn new_name(&self, style: usize, number: usize) -> Name {
        match style % 5 {
            0 => Name("cn", format!("Doe, Jane {number}")),
            1 => Name("cn", format!("\u{dc}n\u{ef} {number}")),
            2 if !self.server.is_samba() => Name("uid", format!("n{number}")),
            _ => Name("cn", format!("Person {number}")),
        }
    }
}
