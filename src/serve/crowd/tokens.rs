//! Event tokens: what a client has seen, and what has changed since.
//!
//! A token stands for what was served when it was given out. After a restart nobody knows what led from there to the present
//! set, so a token of an earlier run is good only while the very same is served; otherwise everything must be read.

use std::collections::BTreeMap;

use hyper::StatusCode;

use super::entities;
use crate::serve::image::Image;
use crate::serve::reply::{Answer, Refusal, Reply};
use crate::serve::sets::{Changes, Since, Subjects};
use crate::wire::crowd::events::{Change, Operation, write_events};
use crate::wire::crowd::{Group, User};

/// The token for what is served now.
pub(in crate::serve) fn token(token: &str, reply: &Reply) -> Answer {
    reply.events(token, &[])
}

/// What has changed since a token was given out.
pub(in crate::serve) fn events(since: Since, reply: &Reply) -> Result<Answer, Refusal> {
    match since {
        Since::Changes(image, token, changes) => {
            let told = told(&image, &changes);
            Ok(reply.events(&token, &told))
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
    let gone_user = |name: String| {
        Told::User(User {
            name,
            ..User::default()
        })
    };
    let gone_group = |name: String| {
        Told::Group(Group {
            name,
            ..Group::default()
        })
    };
    let user = |place| Told::User(entities::user(image.user(place)));
    let group = |place| Told::Group(entities::group(image.group(place)));
    let mut told = subjects(&changes.users, gone_user, user);
    told.extend(subjects(&changes.groups, gone_group, group));
    let (members, children) = (&changes.members, &changes.children);
    told.extend(memberships(
        image,
        Operation::Deleted,
        &members.lost,
        &children.lost,
    ));
    told.extend(memberships(
        image,
        Operation::Created,
        &members.gained,
        &children.gained,
    ));
    told
}

fn subjects(
    subjects: &Subjects,
    gone: impl Fn(String) -> Told,
    there: impl Fn(u32) -> Told,
) -> Vec<(Operation, Told)> {
    let Subjects {
        created,
        updated,
        deleted,
    } = subjects;
    let deleted = deleted
        .iter()
        .map(|it| (Operation::Deleted, gone(it.clone())));
    let created = created.iter().map(|&it| (Operation::Created, there(it)));
    let updated = updated.iter().map(|&it| (Operation::Updated, there(it)));
    deleted.chain(created).chain(updated).collect()
}

/// The groups of each user, and the child groups of each group, that came or went.
fn memberships(
    image: &Image,
    operation: Operation,
    members: &BTreeMap<u32, Vec<u32>>,
    children: &BTreeMap<u32, Vec<u32>>,
) -> Vec<(Operation, Told)> {
    let member = |(&user, groups): (&u32, &Vec<u32>)| Told::Member {
        user: image.user(user).name.to_owned(),
        groups: names(image, groups),
    };
    let child = |(group, children): (u32, Vec<u32>)| Told::Children {
        group: image.group(group).name.to_owned(),
        children: names(image, &children),
    };
    let children = by_parent(children).into_iter().map(child);
    let told = members.iter().map(member).chain(children);
    told.map(|it| (operation, it)).collect()
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
