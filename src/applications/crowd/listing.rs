//! Everything that a Crowd holds: users and groups by pages, memberships by the document or group by group.
//!
//! Paging over a list that others change may skip somebody. Members that no list had are looked up one by one: whoever is there
//! was skipped, and the listing is not complete.

use std::collections::{BTreeMap, BTreeSet};

use super::convert;
use crate::client::crowd::{Listed, Session, Way, Who};
use crate::model::{Observed, ObservedAccount, ObservedGroup, Refusal};
use crate::text::{self, counted};
use crate::wire::crowd::{Group, Membership, User};

/// What was listed, and how.
#[derive(Debug)]
pub(super) struct Listing {
    pub(super) observed: Observed,
    pub(super) way: Way,
    /// Accounts without a key of their own.
    pub(super) keyless: usize,
}

/// Lists everything.
pub(super) async fn list(session: &Session) -> Result<Listing, Refusal> {
    let mut accounts = Accounts::default();
    let listed = session.users("user", |it| accounts.add(it)).await;
    listed.map_err(|it| convert::refusal(&it))?;
    let mut groups = Groups::default();
    let listed = session.groups("group", |it| groups.add(it)).await;
    listed.map_err(|it| convert::refusal(&it))?;
    if let Some(doubt) = accounts.doubt.or(groups.doubt) {
        return Err(Refusal::Transient(doubt));
    }
    let mut observed = Observed::default();
    let keyless = accounts.list.iter().filter(|it| it.key.is_empty()).count();
    observe(&accounts.list, &groups.list, &mut observed);
    let mut edges = Edges {
        accounts: &accounts.by_name,
        groups: &groups.by_name,
        observed: &mut observed,
        group: None,
        unknown: BTreeSet::new(),
    };
    let names = groups.list.iter().map(|it| it.name.as_str());
    let way = session.memberships(names, |it| edges.add(it)).await;
    let way = way.map_err(|it| convert::refusal(&it))?;
    let unknown = edges.unknown;
    // A repeat under paging is one membership.
    for edges in [&mut observed.members, &mut observed.children] {
        edges.sort_unstable();
        edges.dedup();
    }
    check_skipped(session, &unknown).await?;
    Ok(Listing {
        observed,
        way,
        keyless,
    })
}

/// Somebody who is a member and in no list was deleted meanwhile, or never was there, or was skipped.
async fn check_skipped(
    session: &Session,
    unknown: &BTreeSet<(bool, String)>,
) -> Result<(), Refusal> {
    for (is_group, name) in unknown {
        let found = if *is_group {
            session.group(name).await
        } else {
            session.user(Who::Name(name)).await
        };
        if found.map_err(|it| convert::refusal(&it))?.is_some() {
            return Err(Refusal::Transient(
                "the list of users or groups lacks a member that is there: it changed while it was read".to_owned(),
            ));
        }
    }
    Ok(())
}

/// Users as they come.
#[derive(Default)]
struct Accounts {
    list: Vec<User>,
    /// By folded name.
    by_name: BTreeMap<String, u32>,
    by_key: BTreeMap<String, u32>,
    doubt: Option<String>,
}

impl Accounts {
    /// A repeat under paging is one account; a name or a key that two share is a doubt about the whole list.
    fn add(&mut self, user: Listed<User>) {
        let user = match user {
            Ok(user) if user.active.is_some() => user,
            Ok(_) => {
                let text = "the server does not show whether its users are active";
                self.doubt.get_or_insert_with(|| text.to_owned());
                return;
            }
            Err(bad) => {
                self.doubt
                    .get_or_insert_with(|| format!("a user makes no sense: {}", bad.reason));
                return;
            }
        };
        let number = self.list.len() as u32;
        let name = text::fold(&user.name);
        let named = self.by_name.get(&name).copied();
        let keyed = if user.key.is_empty() {
            named
        } else {
            self.by_key.get(&user.key).copied()
        };
        match (named, keyed) {
            (None, None) => {
                self.by_name.insert(name, number);
                if !user.key.is_empty() {
                    self.by_key.insert(user.key.clone(), number);
                }
                self.list.push(user);
            }
            (Some(one), Some(other)) if one == other => {}
            _ => {
                let text = "two users share a name or a key: the list changed while it was read";
                self.doubt.get_or_insert_with(|| text.to_owned());
            }
        }
    }
}

/// Groups as they come.
#[derive(Default)]
struct Groups {
    list: Vec<Group>,
    /// By folded name.
    by_name: BTreeMap<String, u32>,
    doubt: Option<String>,
}

impl Groups {
    fn add(&mut self, group: Listed<Group>) {
        match group {
            Ok(group) => {
                let number = self.list.len() as u32;
                let at = self
                    .by_name
                    .entry(text::fold(&group.name))
                    .or_insert(number);
                if *at == number {
                    self.list.push(group);
                }
            }
            Err(bad) => {
                self.doubt
                    .get_or_insert_with(|| format!("a group makes no sense: {}", bad.reason));
            }
        }
    }
}

fn observe(users: &[User], groups: &[Group], observed: &mut Observed) {
    let mut text = |value: &str| observed.pool.add(value);
    for user in users {
        let empty = text("");
        observed.accounts.push(ObservedAccount {
            remote_id: text(convert::id_of(user)),
            name: text(&user.name),
            display_name: text(&user.display_name),
            given_name: text(&user.first_name),
            family_name: text(&user.last_name),
            email: text(&user.email),
            directory: empty,
            external_id: empty,
            active: user.active == Some(true),
        });
    }
    for group in groups {
        observed.groups.push(ObservedGroup {
            remote_id: text(&group.name),
            name: text(&group.name),
            description: text(&group.description),
        });
    }
}

/// Memberships as they come, by number.
struct Edges<'a> {
    accounts: &'a BTreeMap<String, u32>,
    groups: &'a BTreeMap<String, u32>,
    observed: &'a mut Observed,
    /// The group that is told of; `None` for one that is in no list.
    group: Option<u32>,
    /// Names that are in no list, and whether they are those of groups.
    unknown: BTreeSet<(bool, String)>,
}

impl Edges<'_> {
    fn add(&mut self, it: Membership<'_>) {
        match it {
            Membership::Group(name) => self.group = self.known(true, name),
            Membership::User(name) => {
                let user = self.known(false, name);
                let edge = self.group.zip(user);
                self.observed.members.extend(edge);
            }
            Membership::Child(name) => {
                let child = self.known(true, name);
                let edge = self.group.zip(child);
                self.observed.children.extend(edge);
            }
        }
    }

    fn known(&mut self, is_group: bool, name: &str) -> Option<u32> {
        let list = if is_group { self.groups } else { self.accounts };
        let found = list.get(&text::fold(name)).copied();
        if found.is_none() {
            self.unknown.insert((is_group, name.to_owned()));
        }
        found
    }
}

impl Listing {
    /// What an administrator wants to know of it, in one sentence each: users, groups, memberships.
    pub(super) fn sentences(&self) -> [(&'static str, String); 3] {
        let users = counted(self.observed.accounts.len() as u64, "user");
        let users = match self.keyless {
            0 => users,
            _ => format!(
                "{users}, of which {} without a key: a rename beside us looks as if somebody left and somebody else came",
                self.keyless
            ),
        };
        let groups = counted(self.observed.groups.len() as u64, "group");
        let edges = self.observed.members.len() + self.observed.children.len();
        let edges = counted(edges as u64, "membership");
        let edges = match self.way {
            Way::Document(_) => edges,
            Way::GroupByGroup => {
                format!("{edges}, asked group by group: the server lacks `/group/membership`")
            }
        };
        [("users", users), ("groups", groups), ("memberships", edges)]
    }
}
