//! Event tokens: what a client has seen, and what has changed since.
//!
//! A token is the digest of what was served when it was given out. So it means the same after a restart, and nothing at all
//! once the set was lost and made anew.

use std::collections::BTreeMap;

use hyper::StatusCode;

use super::{Question, entities};
use crate::serve::image::Image;
use crate::serve::reply::{Answer, Refusal, Reply};
use crate::serve::sets::{Changes, Since};
use crate::wire::crowd::events::{Change, Operation, write_events};
use crate::wire::crowd::{Group, User};

impl Question<'_> {
    /// The token for what is served now.
    pub(super) fn token(&self) -> Answer {
        let token = self.image.digest();
        self.reply.events(token, &[])
    }
}

/// What has changed since a token was given out.
pub(in crate::serve) fn events(since: Since, reply: &Reply) -> Result<Answer, Refusal> {
    match since {
        Since::Changes(image, changes) => {
            let told = told(&image, &changes);
            Ok(reply.events(image.digest(), &told))
        }
        Since::Expired => Err(Refusal::new(
            StatusCode::GONE,
            "EVENT_TOKEN_EXPIRED",
            "Nobody knows any more what this event token stands for. Read everything.",
        )),
    }
}

impl Reply {
    fn events(&self, token: &str, told: &[(Operation, Told)]) -> Answer {
        self.whole(|writer, out| {
            let changes = told.iter().map(|(operation, it)| (*operation, it.change()));
            write_events(writer, token, true, changes, out);
        })
    }
}

/// One event.
enum Told {
    User(User),
    Group(Group),
    Member {
        user: String,
        groups: Vec<String>,
    },
    Children {
        group: String,
        children: Vec<String>,
    },
}

impl Told {
    fn change(&self) -> Change<'_> {
        match self {
            Told::User(user) => Change::User(user),
            Told::Group(group) => Change::Group(group),
            Told::Member { user, groups } => Change::UserMembership { user, groups },
            Told::Children { group, children } => Change::GroupMembership { group, children },
        }
    }
}

/// The changes in an order in which each can be followed: who goes, who comes, who is in what.
fn told(image: &Image, changes: &Changes) -> Vec<(Operation, Told)> {
    let mut told = Vec::new();
    let users = &changes.users;
    let gone = |name: &String| {
        Told::User(User {
            name: name.clone(),
            ..User::default()
        })
    };
    let user = |&place: &u32| Told::User(entities::user(image.user(place)));
    told.extend(
        users
            .deleted
            .iter()
            .map(|it| (Operation::Deleted, gone(it))),
    );
    told.extend(
        users
            .created
            .iter()
            .map(|it| (Operation::Created, user(it))),
    );
    told.extend(
        users
            .updated
            .iter()
            .map(|it| (Operation::Updated, user(it))),
    );
    let groups = &changes.groups;
    let gone = |name: &String| {
        Told::Group(Group {
            name: name.clone(),
            ..Group::default()
        })
    };
    let group = |&place: &u32| Told::Group(entities::group(image.group(place)));
    told.extend(
        groups
            .deleted
            .iter()
            .map(|it| (Operation::Deleted, gone(it))),
    );
    told.extend(
        groups
            .created
            .iter()
            .map(|it| (Operation::Created, group(it))),
    );
    told.extend(
        groups
            .updated
            .iter()
            .map(|it| (Operation::Updated, group(it))),
    );
    let (members, children) = (&changes.members, &changes.children);
    let sides = [
        (Operation::Deleted, &members.lost, &children.lost),
        (Operation::Created, &members.gained, &children.gained),
    ];
    for (operation, members, children) in sides {
        for (&user, groups) in members {
            let user = image.user(user).name.to_owned();
            let groups = names(image, groups);
            told.push((operation, Told::Member { user, groups }));
        }
        for (group, children) in by_parent(children) {
            let group = image.group(group).name.to_owned();
            let children = names(image, &children);
            told.push((operation, Told::Children { group, children }));
        }
    }
    told
}

fn names(image: &Image, groups: &[u32]) -> Vec<String> {
    groups
        .iter()
        .map(|&it| image.group(it).name.to_owned())
        .collect()
}

fn by_parent(parents_of: &BTreeMap<u32, Vec<u32>>) -> BTreeMap<u32, Vec<u32>> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (&child, parents) in parents_of {
        for &parent in parents {
            children.entry(parent).or_default().push(child);
        }
    }
    children
}
