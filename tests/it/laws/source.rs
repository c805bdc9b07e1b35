//! A directory as it is, and what its answers look like: in any order, completely or as what has changed.

use std::collections::{BTreeMap, BTreeSet};

use usersyncd::model::{
    Delta, Edge, Kind, NewGroup, NewUser, RecordKind, Records, RecordsBuilder, Status,
};

use super::alphabet::{self, Name};

/// One user of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawUser {
    /// Who it is within the directory, whatever it is called.
    pub(crate) number: u32,
    /// The stable id; empty where the directory shows none.
    pub(crate) id: String,
    pub(crate) name: Name,
    pub(crate) mail: (&'static str, &'static str),
    pub(crate) display: u8,
    pub(crate) status: Status,
    pub(crate) kind: Option<Kind>,
    /// Its state could not be read.
    pub(crate) unknown: bool,
    /// The person's number; nought for none.
    pub(crate) person: u8,
    /// It says of itself to be a bot.
    pub(crate) bot: bool,
}

/// One group of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawGroup {
    pub(crate) number: u32,
    pub(crate) id: String,
    /// Spelled, and its key; no key for a name that no group may have.
    pub(crate) name: Name,
    pub(crate) note: u8,
    pub(crate) unknown: bool,
    /// Users and groups by number; some that are there no more.
    pub(crate) members: BTreeSet<u32>,
    pub(crate) children: BTreeSet<u32>,
}

/// Everything that a directory holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RawDirectory {
    pub(crate) users: Vec<RawUser>,
    pub(crate) groups: Vec<RawGroup>,
    /// Entries that show neither an id nor a name.
    pub(crate) nameless: u8,
    /// Members are named by name, else by a handle of their own.
    pub(crate) by_name: bool,
    next: u32,
}

impl RawDirectory {
    /// An empty one, in which members are named by name or by a handle.
    pub(crate) fn new(by_name: bool) -> Self {
        RawDirectory {
            by_name,
            ..RawDirectory::default()
        }
    }

    /// A new user, with an id that was never used unless `reused` brings one back.
    pub(crate) fn add_user(&mut self, name: Name, mail: u8, reused: u8) {
        self.next += 1;
        let id = if reused % 8 == 7 {
            format!("u{}", 1 + u32::from(reused / 8) % self.next)
        } else {
            format!("u{}", self.next)
        };
        self.users.push(RawUser {
            number: self.next,
            id,
            name,
            mail: alphabet::mail(mail),
            display: mail / 8 % 3,
            status: Status::Active,
            kind: None,
            unknown: false,
            person: reused / 4 % 4,
            bot: false,
        });
    }

    /// A new group.
    pub(crate) fn add_group(&mut self, name: (&'static str, &'static str), note: u8) {
        self.next += 1;
        self.groups.push(RawGroup {
            number: self.next,
            id: format!("g{}", self.next),
            name: (name.0, Some(name.1)),
            note: note % 3,
            unknown: false,
            members: BTreeSet::new(),
            children: BTreeSet::new(),
        });
    }

    /// What it holds, one line each.
    pub(crate) fn lines(&self) -> Vec<String> {
        let users = self.users.iter().map(|it| {
            let name = (it.number, &it.id, it.name.0, it.mail.0);
            let rest = (it.status, it.kind, it.unknown, it.person, it.bot);
            format!("  user {name:?} {rest:?}")
        });
        let groups = self.groups.iter().map(|it| {
            let name = (it.number, &it.id, it.name.0, it.unknown);
            format!("  group {name:?} {:?} {:?}", it.members, it.children)
        });
        users.chain(groups).collect()
    }

    /// Gives a user the next id, as one that was made anew.
    pub(crate) fn give_new_id(&mut self, at: usize) {
        self.next += 1;
        self.users[at].id = format!("u{}", self.next);
    }

    /// Whether a user's record can be taken as far as it goes alone.
    pub(crate) fn is_sound(user: &RawUser) -> bool {
        user.name.1.is_some() && !user.id.is_empty()
    }

    /// A complete answer. `shuffle` changes the order and nothing else.
    pub(crate) fn records(&self, shuffle: u64) -> Records {
        let mut builder = RecordsBuilder::default();
        let mut order = Order(shuffle);
        let mut numbers = BTreeMap::new();
        for it in order.of(&self.groups) {
            numbers.insert(it.number, self.put_group(&mut builder, it));
        }
        let mut members: Vec<(u32, Option<RecordKind>, String)> = Vec::new();
        for group in &self.groups {
            let Some(Some(number)) = numbers.get(&group.number) else {
                continue;
            };
            let edges = self.edges_of(group).into_iter();
            members.extend(edges.map(|(kind, handle)| (*number, kind, handle)));
        }
        let members = order.of(&members);
        let half = if shuffle == 0 { 0 } else { members.len() / 2 };
        for (group, kind, handle) in &members[..half] {
            builder.member(*group, *kind, handle);
        }
        for it in order.of(&self.users) {
            self.put_user(&mut builder, it);
        }
        for (group, kind, handle) in &members[half..] {
            builder.member(*group, *kind, handle);
        }
        for _ in 0..self.nameless {
            builder.reject(RecordKind::User, "", "", "", "entry", "it shows nothing");
        }
        builder.finish()
    }

    fn put_user(&self, builder: &mut RecordsBuilder, it: &RawUser) {
        let display = ["", "Some Body", "Else"][it.display as usize];
        let person = it.person.to_string();
        let mut extra = Vec::new();
        if it.person != 0 {
            extra.push(("nr", vec![person.as_str()]));
        }
        if it.bot {
            extra.push(("kind", vec!["bot"]));
        }
        builder.user(&NewUser {
            id: &it.id,
            username: it.name.0,
            display_name: display,
            given_name: "",
            family_name: display,
            email: it.mail.0,
            handle: &self.user_handle(it),
            status: it.status,
            kind: it.kind,
            unknown: it.unknown,
            label: "",
            extra,
        });
    }

    fn put_group(&self, builder: &mut RecordsBuilder, it: &RawGroup) -> Option<u32> {
        builder.group(&NewGroup {
            id: &it.id,
            name: it.name.0,
            description: ["", "what for", "else"][it.note as usize],
            handle: &self.group_handle(it),
            unknown: it.unknown,
            label: "",
        })
    }

    fn user_handle(&self, it: &RawUser) -> String {
        match it.name.1 {
            Some(key) if self.by_name => key.to_owned(),
            None if self.by_name => String::new(),
            _ => format!("#{}", it.number),
        }
    }

    fn group_handle(&self, it: &RawGroup) -> String {
        match it.name.1 {
            Some(key) if self.by_name => key.to_owned(),
            None if self.by_name => String::new(),
            _ => format!("#{}", it.number),
        }
    }

    /// The members of a group as its directory names them. Where names are used, they say what they name.
    fn edges_of(&self, group: &RawGroup) -> BTreeSet<(Option<RecordKind>, String)> {
        let mut edges = BTreeSet::new();
        for number in &group.members {
            let user = self.users.iter().find(|it| it.number == *number);
            match user {
                Some(it) if self.by_name => {
                    edges.insert((Some(RecordKind::User), self.user_handle(it)));
                }
                None if self.by_name => {}
                _ => {
                    edges.insert((None, format!("#{number}")));
                }
            }
        }
        for number in &group.children {
            let child = self.groups.iter().find(|it| it.number == *number);
            match child {
                Some(it) if self.by_name => {
                    edges.insert((Some(RecordKind::Group), self.group_handle(it)));
                }
                None if self.by_name => {}
                _ => {
                    edges.insert((None, format!("#{number}")));
                }
            }
        }
        edges.retain(|it| !it.1.is_empty());
        edges
    }

    /// What has changed since another state of the same directory.
    pub(crate) fn since(&self, old: &RawDirectory) -> Delta {
        let mut upsert = RecordsBuilder::default();
        let mut gone = Vec::new();
        for it in &self.users {
            if !old.users.contains(it) || self.user_handle(it) != old.user_handle(it) {
                self.put_user(&mut upsert, it);
            }
        }
        let ids: BTreeSet<&str> = self.users.iter().map(|it| it.id.as_str()).collect();
        for it in old.users.iter().filter(|it| !ids.contains(it.id.as_str())) {
            gone.push((RecordKind::User, it.id.clone()));
        }
        let mut members = Vec::new();
        for it in &self.groups {
            let before = old.groups.iter().find(|other| other.id == it.id);
            let outside = |group: &RawGroup| (group.name, group.note, group.unknown, group.number);
            if before.is_none_or(|other| outside(other) != outside(it)) {
                self.put_group(&mut upsert, it);
            }
            let new_edges = self.edges_of(it);
            let old_edges = before.map_or_else(BTreeSet::new, |it| old.edges_of(it));
            let edge = |edge: &(Option<RecordKind>, String), added| Edge {
                group: it.id.clone(),
                kind: edge.0,
                handle: edge.1.clone(),
                added,
            };
            members.extend(old_edges.difference(&new_edges).map(|it| edge(it, false)));
            members.extend(new_edges.difference(&old_edges).map(|it| edge(it, true)));
        }
        for it in &old.groups {
            if !self.groups.iter().any(|other| other.id == it.id) {
                gone.push((RecordKind::Group, it.id.clone()));
            }
        }
        Delta {
            upsert: upsert.finish(),
            gone,
            members,
            ..Delta::default()
        }
    }
}

/// A shuffle that a number stands for; nought leaves everything as it is.
struct Order(u64);

impl Order {
    fn of<'a, T>(&mut self, list: &'a [T]) -> Vec<&'a T> {
        let mut all: Vec<&T> = list.iter().collect();
        if self.0 == 0 {
            return all;
        }
        for at in (1..all.len()).rev() {
            all.swap(at, self.below(at as u64 + 1) as usize);
        }
        all
    }

    /// The next number of a simple generator (`SplitMix64`).
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % end
    }
}
