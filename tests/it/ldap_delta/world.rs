//! People and groups on a server, so far as one must know them to say what may be changed about them.
//!
//! What they hold else stands on the server alone: nearly every change replaces what is there, whatever it was.

use std::fmt::Write as _;

use super::script::{Edit, Kind};
use super::server::{Groups, Server, Usernames};

/// How many there are at first.
const PEOPLE: usize = 40;
const TEAMS: usize = 12;
/// Organizational units among the people.
const UNITS: usize = 3;

/// Lets a change add what is there and remove what is not (`LDAP_SERVER_PERMISSIVE_MODIFY_OID`).
const PERMISSIVE: &str = "control: 1.2.840.113556.1.4.1413 true\n";

/// What is on a server, and the server.
pub(crate) struct World {
    server: Server,
    top: String,
    usernames: Usernames,
    groups: Groups,
    people: Vec<Person>,
    teams: Vec<Team>,
    units: Vec<String>,
    next: usize,
    /// Begins the account names of a domain controller, which other worlds use too.
    mark: String,
    /// What is not yet told to the server.
    changes: String,
    /// All that it was told since somebody last took it.
    told: String,
}

struct Person {
    number: usize,
    name: Name,
    place: Place,
    username: String,
    /// The group, by number, of which it is a member by its own entry.
    primary: Option<usize>,
}

struct Team {
    number: usize,
    name: Name,
    /// Where groups are looked for.
    inside: bool,
    sort: Sort,
}

/// The attribute by which an entry is named, and its value.
#[derive(Clone)]
struct Name(&'static str, String);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Base,
    Unit(usize),
    Outside,
}

/// How a group names its members.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// In `member`, of which there must be one on an OpenLDAP server.
    Names,
    /// In `uniqueMember`, of which there must be one.
    UniqueNames,
    /// By username, in `memberUid`.
    Usernames,
}

impl World {
    /// Fills an empty place of a server.
    pub(crate) fn new(server: Server, top: String, usernames: Usernames, groups: Groups) -> World {
        // The unit, without its type.
        let mark = top.split(['=', ',']).nth(1).unwrap_or_default().to_owned();
        let mut world = World {
            mark,
            server,
            top,
            usernames,
            groups,
            people: Vec::new(),
            teams: Vec::new(),
            units: Vec::new(),
            next: 0,
            changes: String::new(),
            told: String::new(),
        };
        let unit = "changetype: add\nobjectClass: organizationalUnit\n";
        let outside = format!("ou=outside,{}", world.top);
        world.change(&outside, unit);
        for number in 0..UNITS {
            world.units.push(format!("unit{number}"));
            let dn = world.place(Place::Unit(number));
            world.change(&dn, unit);
        }
        for number in 0..PEOPLE {
            world.add_person(number);
        }
        for number in 0..TEAMS {
            world.add_team(number);
            for other in 0..4 {
                let members = world.members(number, number * 5 + other * 7, 1);
                world.add_members(number, &members);
            }
        }
        world.flush();
        world.told.clear();
        world
    }

    /// Whether memberships are links between objects rather than names.
    pub(crate) fn is_of_links(&self) -> bool {
        self.server.is_samba()
    }

    /// Lets all this happen, in as few changes as it takes. Gives what the server was told.
    pub(crate) fn live(&mut self, edits: &[Edit]) -> String {
        for &edit in edits {
            self.edit(edit);
        }
        self.flush();
        std::mem::take(&mut self.told)
    }

    fn edit(&mut self, Edit { kind, a, b, c }: Edit) {
        let person = a.checked_rem(self.people.len());
        let team = a.checked_rem(self.teams.len());
        match (kind, person, team) {
            (Kind::AddPerson, ..) => self.add_person(b),
            (Kind::AddTeam, ..) => self.add_team(b),
            (Kind::RenameUnit, ..) => self.rename_unit(a % UNITS),
            (Kind::Restart, ..) => {
                self.flush();
                self.told += "# restarted\n";
                self.server.restart();
            }
            (Kind::Nothing, ..) => {}
            (_, Some(person), _) if kind.is_about_people() => self.edit_person(kind, person, b, c),
            (_, _, Some(team)) if !kind.is_about_people() => self.edit_team(kind, team, b, c),
            _ => {}
        }
    }

    fn edit_person(&mut self, kind: Kind, at: usize, b: usize, c: usize) {
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
                self.replace_of_person(at, super::server::NUMBER, numbers);
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

    fn edit_team(&mut self, kind: Kind, at: usize, b: usize, c: usize) {
        match kind {
            Kind::DeleteTeam => self.delete_team(at),
            Kind::RecreateTeam => self.recreate_team(at),
            Kind::RenameTeam => self.rename_team(at, b),
            Kind::MoveTeam => self.move_team(at),
            Kind::Describe => {
                let texts = [&[][..], &["what for"], &["else"]];
                let dn = self.team_dn(at);
                self.replace(&dn, "description", texts[b % 3]);
            }
            Kind::Empty => self.empty(at),
            Kind::AddMembers => {
                let members = self.members(at, b, 1 + c % 3);
                self.add_members(at, &members);
            }
            Kind::RemoveMembers => self.remove_members(at, b, 1 + c % 4),
            Kind::Ring => {
                let other = b % self.teams.len();
                for (one, other) in [(at, other), (other, at)] {
                    if one != other && self.teams[one].sort != Sort::Usernames {
                        let members = [self.team_dn(other)];
                        self.add_members(one, &members);
                    }
                }
            }
            _ => unreachable!("{kind:?} is about people"),
        }
    }

    // People.

    fn add_person(&mut self, style: usize) {
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
            return self.replace_of_person(at, super::server::ACTIVE, values[b % 3]);
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

    // Units.

    fn rename_unit(&mut self, at: usize) {
        let dn = self.place(Place::Unit(at));
        self.units[at] = format!("unit{}", self.number());
        let rename = format!(
            "changetype: modrdn\nnewrdn: ou={}\ndeleteoldrdn: 1\n",
            self.units[at]
        );
        self.change(&dn, &rename);
    }

    // Groups.

    fn add_team(&mut self, style: usize) {
        let number = self.number();
        let sort = match style % 5 {
            _ if self.server.is_samba() => Sort::Names,
            0 => Sort::UniqueNames,
            1 if self.groups == Groups::Mixed => Sort::Usernames,
            _ => Sort::Names,
        };
        self.teams.push(Team {
            number,
            name: Name("cn", format!("Team {number}")),
            inside: true,
            sort,
        });
        self.put_team(self.teams.len() - 1);
    }

    fn put_team(&mut self, at: usize) {
        let Team {
            number, name, sort, ..
        } = &self.teams[at];
        let kind = match sort {
            _ if self.server.is_samba() => {
                format!("group\nsAMAccountName: {}-t{number}", self.mark)
            }
            Sort::Names => format!("groupOfNames\nmember: {}", self.nobody()),
            Sort::UniqueNames => format!("groupOfUniqueNames\nuniqueMember: {}", self.nobody()),
            Sort::Usernames => format!("posixGroup\ngidNumber: {number}"),
        };
        let entry = format!("changetype: add\ncn: {}\nobjectClass: {kind}\n", name.1);
        let dn = self.team_dn(at);
        self.change(&dn, &entry);
    }

    fn delete_team(&mut self, at: usize) {
        if !self.is_primary(at) {
            let dn = self.team_dn(at);
            self.change(&dn, "changetype: delete\n");
            self.teams.remove(at);
        }
    }

    fn recreate_team(&mut self, at: usize) {
        if !self.is_primary(at) {
            let dn = self.team_dn(at);
            self.change(&dn, "changetype: delete\n");
            self.teams[at].number = self.number();
            self.put_team(at);
        }
    }

    fn rename_team(&mut self, at: usize, b: usize) {
        let number = self.number();
        let dn = self.team_dn(at);
        if self.server.is_samba() && b.is_multiple_of(2) {
            return self.replace(
                &dn,
                "sAMAccountName",
                &[&format!("{}-t{number}", self.mark)],
            );
        }
        self.teams[at].name = Name("cn", format!("Team+{number}"));
        let rdn = self.teams[at].name.rdn();
        let rename = format!("changetype: modrdn\nnewrdn: {rdn}\ndeleteoldrdn: 1\n");
        self.change(&dn, &rename);
    }

    fn move_team(&mut self, at: usize) {
        let dn = self.team_dn(at);
        self.teams[at].inside = !self.teams[at].inside;
        let to = self.team_place(self.teams[at].inside);
        let rdn = self.teams[at].name.rdn();
        self.change(
            &dn,
            &format!("changetype: modrdn\nnewrdn: {rdn}\ndeleteoldrdn: 1\nnewsuperior: {to}\n"),
        );
    }

    /// Takes all members, but for one that is nobody where there must be one.
    fn empty(&mut self, at: usize) {
        let nobody = self.nobody();
        let must = !self.server.is_samba() && self.teams[at].sort != Sort::Usernames;
        let members = [nobody.as_str()];
        let members = if must { &members[..] } else { &[] };
        let dn = self.team_dn(at);
        self.replace(&dn, self.teams[at].sort.attribute(), members);
    }

    fn add_members(&mut self, at: usize, members: &[String]) {
        let present = if self.server.is_samba() {
            // It refuses to be given a member again, whatever it is allowed to permit.
            self.members_of(at)
        } else {
            Vec::new()
        };
        let is_new = |it: &&String| !present.iter().any(|other| other.eq_ignore_ascii_case(it));
        let members: Vec<String> = members.iter().filter(is_new).cloned().collect();
        self.edit_members(at, "add", &members);
    }

    fn edit_members(&mut self, at: usize, how: &str, members: &[String]) {
        let attribute = self.teams[at].sort.attribute();
        let dn = self.team_dn(at);
        let mut change = format!("{PERMISSIVE}changetype: modify\n");
        for member in members {
            let _ = writeln!(change, "{how}: {attribute}\n{attribute}: {member}\n-");
        }
        if !members.is_empty() {
            self.change(&dn, &change);
        }
    }

    /// The members that a group has on the server.
    fn members_of(&mut self, at: usize) -> Vec<String> {
        self.flush();
        let attribute = self.teams[at].sort.attribute();
        self.server.values(&self.team_dn(at), attribute)
    }

    /// Takes some members, and first adds one that is nobody where there must be one.
    fn remove_members(&mut self, at: usize, pick: usize, count: usize) {
        let nobody = self.nobody();
        let mut members = self.members_of(at);
        members.retain(|it| *it != nobody);
        members.sort();
        if members.is_empty() {
            return;
        }
        let first = pick % members.len();
        members.rotate_left(first);
        members.truncate(count);
        if !self.server.is_samba() && self.teams[at].sort != Sort::Usernames {
            self.add_members(at, &[nobody]);
        }
        self.edit_members(at, "delete", &members);
    }

    /// Some that may be members of a group: people and groups, in the bases and out of them, and some who are not there.
    fn members(&self, team: usize, pick: usize, count: usize) -> Vec<String> {
        let number = self.teams[team].number;
        let mut members = Vec::new();
        for pick in (0..count).map(|it| pick + it * 3) {
            let person = &self.people[pick % self.people.len()];
            let group = pick % self.teams.len();
            match (self.teams[team].sort, pick % 10) {
                (Sort::Usernames, 0) => members.push("stranger".to_owned()),
                (Sort::Usernames, 1) => members.push(person.username.to_uppercase()),
                (Sort::Usernames, _) => members.push(person.username.clone()),
                (_, 0 | 1) if group != team => members.push(self.team_dn(group)),
                (_, 2) if !self.server.is_samba() => members.push(self.nobody()),
                (_, 3) if !self.server.is_samba() => {
                    let dn = self.person_dn(pick % self.people.len());
                    members.push(dn.replace("ou=people", "OU = People"));
                }
                // The primary group is not given twice.
                _ if person.primary == Some(number) => {}
                _ => members.push(self.person_dn(pick % self.people.len())),
            }
        }
        members.sort();
        members.dedup();
        members
    }

    /// Whether it is the primary group of somebody, and so cannot go.
    fn is_primary(&self, at: usize) -> bool {
        let number = Some(self.teams[at].number);
        self.people.iter().any(|it| it.primary == number)
    }

    // Names, and telling the server.

    fn person_dn(&self, at: usize) -> String {
        let it = &self.people[at];
        format!("{},{}", it.name.rdn(), self.place(it.place))
    }

    fn team_dn(&self, at: usize) -> String {
        let it = &self.teams[at];
        format!("{},{}", it.name.rdn(), self.team_place(it.inside))
    }

    fn place(&self, place: Place) -> String {
        let top = &self.top;
        match place {
            Place::Base => format!("ou=people,{top}"),
            Place::Unit(at) => format!("ou={},ou=people,{top}", self.units[at]),
            Place::Outside => format!("ou=outside,{top}"),
        }
    }

    fn team_place(&self, inside: bool) -> String {
        let unit = if inside { "groups" } else { "outside" };
        format!("ou={unit},{}", self.top)
    }

    /// A name that no entry bears.
    fn nobody(&self) -> String {
        format!("cn=nobody,ou=people,{}", self.top)
    }

    fn number(&mut self) -> usize {
        self.next += 1;
        self.next
    }

    fn replace(&mut self, dn: &str, attribute: &str, values: &[&str]) {
        let mut change = format!("changetype: modify\nreplace: {attribute}\n");
        for value in values {
            let _ = writeln!(change, "{attribute}: {value}");
        }
        self.change(dn, &(change + "-\n"));
    }

    fn add_to(&mut self, dn: &str, attribute: &str, value: &str) {
        let change =
            format!("{PERMISSIVE}changetype: modify\nadd: {attribute}\n{attribute}: {value}\n-\n");
        self.change(dn, &change);
    }

    fn change(&mut self, dn: &str, change: &str) {
        let _ = write!(self.changes, "dn: {dn}\n{change}\n");
    }

    fn flush(&mut self) {
        if !self.changes.is_empty() {
            self.server.modify(&self.changes);
        }
        self.told += &std::mem::take(&mut self.changes);
    }
}

impl Name {
    /// As the first part of a DN (RFC 4514).
    fn rdn(&self) -> String {
        let value = self.1.replace(',', "\\,").replace('+', "\\+");
        format!("{}={value}", self.0)
    }
}

impl Sort {
    fn attribute(self) -> &'static str {
        match self {
            Sort::Names => "member",
            Sort::UniqueNames => "uniqueMember",
            Sort::Usernames => "memberUid",
        }
    }
}

impl Kind {
    fn is_about_people(self) -> bool {
        matches!(
            self,
            Kind::DeletePerson
                | Kind::RecreatePerson
                | Kind::RenamePerson
                | Kind::MovePerson
                | Kind::Username
                | Kind::Usernames
                | Kind::Mail
                | Kind::Names
                | Kind::Number
                | Kind::Status
                | Kind::Filter
                | Kind::Primary
        )
    }
}
