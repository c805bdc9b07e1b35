//! Asking anew for everybody concerned.
//!
//! A membership event names a user by a name that may have been another's when it happened. Where the name is among those whose
//! records changed, or nobody bears it now, the group is asked for with all its members; else the user for all its groups.
//!
//! A Jira merges its directories: of two users with one name it shows the upper one, and of the lower one that comes to light
//! when the upper one goes it tells nothing. So the names of those who are gone are asked for as well.

use std::collections::{BTreeMap, BTreeSet};

use super::Stop;
use super::concerned::{Concerned, Parent};
use crate::client::crowd::{CrowdFault, Session, Who};
use crate::directories::crowd::api;
use crate::directories::crowd::convert::{add_group, add_user};
use crate::model::{Delta, Edge, RecordKind, RecordsBuilder};
use crate::text;
use crate::wire::crowd::{BadRecord, User};

/// Brings everybody concerned up to date.
///
/// # Errors
/// [`Stop`].
pub(super) async fn anew(
    session: &Session,
    concerned: &Concerned,
    extra: &[String],
) -> Result<Delta, Stop> {
    let mut asking = Asking {
        session,
        extra,
        builder: RecordsBuilder::default(),
        delta: Delta {
            moves_follow: true,
            one_bearer: true,
            ..Delta::default()
        },
        groups: concerned.groups.clone(),
    };
    for (key, names) in &concerned.keys {
        if !asking.user_by_key(key).await? {
            asking.gone(key, names).await?;
        }
    }
    for (handle, member) in &concerned.users {
        let in_doubt = concerned.renamed.contains(handle);
        let left = if in_doubt {
            &BTreeMap::new()
        } else {
            &member.groups
        };
        let is_there = asking.user_by_name(&member.name, left).await?;
        if !is_there && member.groups.is_empty() {
            let text = "a user whose key is not told is gone, or has another name";
            return Err(Stop::Doubt(text.to_owned()));
        }
        if in_doubt || !is_there {
            asking.groups.extend(member.groups.clone());
        }
    }
    for (handle, parent) in &concerned.parents {
        asking.children(handle, parent).await?;
    }
    for (handle, name) in std::mem::take(&mut asking.groups) {
        asking.group(&handle, &name).await?;
    }
    Ok(asking.finish())
}

struct Asking<'a> {
    session: &'a Session,
    extra: &'a [String],
    builder: RecordsBuilder,
    delta: Delta,
    /// Still to be asked for with all their members.
    groups: BTreeMap<String, String>,
}

impl Asking<'_> {
    /// Takes whoever has a key; `false` where nobody has.
    async fn user_by_key(&mut self, key: &str) -> Result<bool, Stop> {
        match api::user(self.session, Who::Key(key)).await? {
            None => Ok(false),
            Some(user) if user.key == key => {
                self.user(&user, &BTreeMap::new()).await?;
                Ok(true)
            }
            Some(_) => {
                let text = "asked for a user by key, the server showed another one";
                Err(Stop::Doubt(text.to_owned()))
            }
        }
    }

    /// Takes note that nobody has a key any more, and takes whoever bears the names now.
    async fn gone(&mut self, key: &str, names: &BTreeMap<String, String>) -> Result<(), Stop> {
        if names.is_empty() {
            let text = "a user is gone whose name is not told";
            return Err(Stop::Doubt(text.to_owned()));
        }
        for name in names.values() {
            match api::user(self.session, Who::Name(name)).await? {
                None => {}
                Some(user) if user.key == key || user.key.is_empty() => {
                    let text = "the server does not find users by their keys";
                    return Err(Stop::Doubt(text.to_owned()));
                }
                Some(user) => self.user(&user, &BTreeMap::new()).await?,
            }
        }
        self.delta.gone.push((RecordKind::User, key.to_owned()));
        Ok(())
    }

    /// Takes whoever bears a name now; `false` where nobody does. `left` are groups that this user may have left.
    async fn user_by_name(
        &mut self,
        name: &str,
        left: &BTreeMap<String, String>,
    ) -> Result<bool, Stop> {
        match api::user(self.session, Who::Name(name)).await? {
            None => Ok(false),
            Some(user) if user.key.is_empty() => {
                let text = "a user without a key cannot be followed through renames";
                Err(Stop::Doubt(text.to_owned()))
            }
            Some(user) => {
                self.user(&user, left).await?;
                Ok(true)
            }
        }
    }

    async fn user(&mut self, user: &User, left: &BTreeMap<String, String>) -> Result<(), Stop> {
        let handle = text::fold(&user.name);
        let mut groups = BTreeSet::new();
        let mut bad = None;
        let listed = self.session.groups_of(&user.name, |it| match it {
            Ok(group) => {
                groups.insert(text::fold(&group.name));
            }
            Err(record) => bad = Some(record),
        });
        listed.await?;
        sound(bad)?;
        add_user(user, self.extra, &mut self.builder);
        let left = left.keys().filter(|it| !groups.contains(*it)).cloned();
        let left: Vec<String> = left.collect();
        let edges = groups.into_iter().map(|it| (it, true));
        for (group, added) in edges.chain(left.into_iter().map(|it| (it, false))) {
            self.edge(group, RecordKind::User, handle.clone(), added);
        }
        Ok(())
    }

    async fn children(&mut self, handle: &str, parent: &Parent) -> Result<(), Stop> {
        if self.groups.contains_key(handle) {
            return Ok(());
        }
        let mut children = BTreeSet::new();
        let mut bad = None;
        let listed = self.session.children(&parent.name, |it| match it {
            Ok(child) => {
                children.insert(text::fold(&child.name));
            }
            Err(record) => bad = Some(record),
        });
        match listed.await {
            Ok(()) => {}
            Err(fault) if fault.is_not_there() => {
                self.groups.insert(handle.to_owned(), parent.name.clone());
                return Ok(());
            }
            Err(fault) => return Err(fault.into()),
        }
        sound(bad)?;
        for child in &parent.children {
            let added = children.contains(child);
            self.edge(handle.to_owned(), RecordKind::Group, child.clone(), added);
        }
        Ok(())
    }

    /// Takes a group with all its members.
    async fn group(&mut self, handle: &str, name: &str) -> Result<(), Stop> {
        let Some(group) = api::group(self.session, name).await? else {
            self.delta.gone.push((RecordKind::Group, handle.to_owned()));
            return Ok(());
        };
        let (mut users, mut children) = (Vec::new(), Vec::new());
        let mut bad = None;
        let listed = self.session.members(&group.name, |it| match it {
            Ok(user) => users.push(user.name),
            Err(record) => bad = Some(record),
        });
        there(listed.await)?;
        let listed = self.session.children(&group.name, |it| match it {
            Ok(child) => children.push(child.name),
            Err(record) => bad = Some(record),
        });
        there(listed.await)?;
        sound(bad)?;
        let Some(number) = add_group(&group, &mut self.builder) else {
            return Ok(());
        };
        for user in &users {
            let handle = text::folded(user);
            self.builder.member(number, Some(RecordKind::User), &handle);
        }
        for child in &children {
            let handle = text::folded(child);
            self.builder
                .member(number, Some(RecordKind::Group), &handle);
        }
        self.delta.filled.push(text::fold(&group.name));
        Ok(())
    }

    fn edge(&mut self, group: String, kind: RecordKind, handle: String, added: bool) {
        self.delta.members.push(Edge {
            group,
            kind: Some(kind),
            handle,
            added,
        });
    }

    fn finish(self) -> Delta {
        let Asking {
            mut delta, builder, ..
        } = self;
        delta.upsert = builder.finish();
        delta.filled.sort_unstable();
        delta.filled.dedup();
        delta
    }
}

/// A group that went while it was asked for: the next events say so.
fn there(listed: Result<(), CrowdFault>) -> Result<(), Stop> {
    listed.map_err(|fault| match fault {
        fault if fault.is_not_there() => {
            Stop::Doubt("a group went while it was asked for".to_owned())
        }
        fault => fault.into(),
    })
}

fn sound(bad: Option<BadRecord>) -> Result<(), Stop> {
    match bad {
        None => Ok(()),
        Some(bad) => {
            let text = format!("a member or group makes no sense: {}", bad.reason);
            Err(Stop::Doubt(text))
        }
    }
}
