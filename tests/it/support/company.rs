//! A small company as a directory would know it: people and teams by number, and what a read of them is.

use std::collections::{BTreeMap, BTreeSet};

use usersyncd::model::{
    Delta, Edge, NewGroup, NewUser, RecordKind, Records, RecordsBuilder, Status, StrId,
};

/// People and teams by number. No number is used twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Company {
    pub(crate) people: BTreeMap<u32, Person>,
    pub(crate) teams: BTreeMap<u32, Team>,
    next: u32,
}

/// One person. The mail address stays what it was when the person came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) username: String,
    pub(crate) email: String,
    pub(crate) active: bool,
    pub(crate) state: State,
}

/// What a directory can say of a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum State {
    /// Everything.
    #[default]
    Sound,
    /// It makes no sense.
    Bad,
    /// It is there, and its state cannot be read.
    Unreadable,
}

/// One team and the numbers of its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Team {
    pub(crate) name: String,
    pub(crate) members: BTreeSet<u32>,
}

impl Company {
    /// People by username, and teams with their members.
    pub(crate) fn of(people: &[&str], teams: &[(&str, &[&str])]) -> Company {
        let mut company = Company::default();
        for username in people {
            company.add(username);
        }
        for (name, members) in teams {
            company.add_team(name, members);
        }
        company
    }

    pub(crate) fn add(&mut self, username: &str) {
        let person = Person {
            username: username.to_owned(),
            email: format!("{username}@example.com"),
            active: true,
            state: State::Sound,
        };
        let number = self.number();
        self.people.insert(number, person);
    }

    pub(crate) fn add_team(&mut self, name: &str, members: &[&str]) {
        let members = members.iter().map(|it| self.find(it)).collect();
        let name = name.to_owned();
        let number = self.number();
        self.teams.insert(number, Team { name, members });
    }

    pub(crate) fn person(&mut self, username: &str) -> &mut Person {
        let number = self.find(username);
        self.people.get_mut(&number).unwrap()
    }

    pub(crate) fn rename(&mut self, username: &str, new: &str) {
        new.clone_into(&mut self.person(username).username);
    }

    pub(crate) fn rename_team(&mut self, name: &str, new: &str) {
        let mut teams = self.teams.values_mut();
        new.clone_into(&mut teams.find(|it| it.name == name).unwrap().name);
    }

    /// A person leaves, and every team of theirs.
    pub(crate) fn remove(&mut self, username: &str) {
        let number = self.find(username);
        self.people.remove(&number);
        for team in self.teams.values_mut() {
            team.members.remove(&number);
        }
    }

    pub(crate) fn find(&self, username: &str) -> u32 {
        let mut people = self.people.iter();
        let found = people.find(|it| it.1.username == username);
        *found.unwrap_or_else(|| panic!("no person {username}")).0
    }

    /// What a complete read says.
    pub(crate) fn records(&self) -> Records {
        self.read(|_| true, |_| true, true)
    }

    /// What has changed since it was another.
    pub(crate) fn delta_since(&self, old: &Company) -> Delta {
        let same_team = |it: &u32| old.teams.get(it).map(|it| &it.name);
        let upsert = self.read(
            |it| old.people.get(it) != self.people.get(it),
            |it| same_team(it) != self.teams.get(it).map(|it| &it.name),
            false,
        );
        let people = old.people.keys().filter(|it| !self.people.contains_key(it));
        let teams = old.teams.keys().filter(|it| !self.teams.contains_key(it));
        let people = people.map(|it| (RecordKind::User, person_id(*it)));
        let teams = teams.map(|it| (RecordKind::Group, team_id(*it)));
        Delta {
            upsert,
            gone: people.chain(teams).collect(),
            members: self.edges_since(old),
            ..Delta::default()
        }
    }

    fn edges_since(&self, old: &Company) -> Vec<Edge> {
        let mut edges = Vec::new();
        for (number, team) in &self.teams {
            let none = BTreeSet::new();
            let were = old.teams.get(number).map_or(&none, |it| &it.members);
            let edge = |member: &u32, added: bool| Edge {
                group: team_id(*number),
                kind: Some(RecordKind::User),
                handle: person_id(*member),
                added,
            };
            edges.extend(were.difference(&team.members).map(|it| edge(it, false)));
            edges.extend(team.members.difference(were).map(|it| edge(it, true)));
        }
        edges
    }

    fn read(
        &self,
        person: impl Fn(&u32) -> bool,
        team: impl Fn(&u32) -> bool,
        members: bool,
    ) -> Records {
        let mut builder = RecordsBuilder::default();
        for (number, it) in self.people.iter().filter(|it| person(it.0)) {
            take_person(&mut builder, &person_id(*number), it);
        }
        for (number, it) in self.teams.iter().filter(|it| team(it.0)) {
            let id = team_id(*number);
            let group = builder.group(&NewGroup {
                id: &id,
                name: &it.name,
                handle: &id,
                ..NewGroup::default()
            });
            for member in it.members.iter().filter(|_| members) {
                let handle = person_id(*member);
                builder.member(group.unwrap(), Some(RecordKind::User), &handle);
            }
        }
        builder.finish()
    }

    fn number(&mut self) -> u32 {
        self.next += 1;
        self.next
    }
}

/// The stable id of a person, by which teams name it too.
pub(crate) fn person_id(number: u32) -> String {
    format!("p{number}")
}

/// The stable id of a team.
pub(crate) fn team_id(number: u32) -> String {
    format!("t{number}")
}

fn take_person(builder: &mut RecordsBuilder, id: &str, person: &Person) {
    let username = person.username.as_str();
    if person.state == State::Bad {
        let label = format!("the record {id}");
        return builder.reject(
            RecordKind::User,
            id,
            username,
            id,
            &label,
            "it makes no sense",
        );
    }
    builder.user(&NewUser {
        id,
        username,
        email: &person.email,
        handle: id,
        status: if person.active {
            Status::Active
        } else {
            Status::Inactive
        },
        unknown: person.state == State::Unreadable,
        ..NewUser::default()
    });
}

/// Everything that records say, in lines that depend on no order and no number.
pub(crate) fn told(records: &Records) -> Vec<String> {
    let text = |id: StrId| records.text(id);
    let users = records.users.iter().map(|it| {
        let fields = [it.id, it.key, it.username, it.display_name, it.email].map(text);
        format!("user {fields:?} {:?} {}", it.status, it.unknown)
    });
    let groups = (0..).zip(&records.groups).map(|(at, it)| {
        let users = records.members.row(at).iter();
        let users = users.map(|it| text(records.users[*it as usize].key));
        let groups = records.children.row(at).iter();
        let groups = groups.map(|it| text(records.groups[*it as usize].key));
        let references = records.references.iter();
        let references = references.filter(|it| it.group as usize == at);
        let references = references.map(|it| text(it.handle));
        let mut members: Vec<&str> = users.chain(groups).chain(references).collect();
        members.sort_unstable();
        format!("group {:?} {members:?}", [it.id, it.key, it.name].map(text))
    });
    let rejected = records.rejected.iter().map(|it| {
        let fields = [it.id, it.key, it.label, it.reason].map(text);
        format!("rejected {fields:?}")
    });
    let mut lines: Vec<String> = users.chain(groups).chain(rejected).collect();
    lines.sort();
    lines
}
