//! People and groups on a server, so far as one must know them to say what may be changed about them.
//!
//! What they hold else stands on the server alone: nearly every change replaces what is there, whatever it was.

mod people;
mod teams;

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

    fn rename_unit(&mut self, at: usize) {
        let dn = self.place(Place::Unit(at));
        self.units[at] = format!("unit{}", self.number());
        let rename = format!(
            "changetype: modrdn\nnewrdn: ou={}\ndeleteoldrdn: 1\n",
            self.units[at]
        );
        self.change(&dn, &rename);
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
