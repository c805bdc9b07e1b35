//! A complete read, and how a read goes on from a cursor.
//!
//! Users, groups and memberships are three answers over a living set. Where pages do not meet somebody was skipped. Where the
//! answers do not agree, whoever is named and was in no list is asked for: one who is not there is a reference to nobody, one
//! who is there was skipped. Then the lists are read once more.

use std::collections::BTreeMap;

use hashbrown::HashSet;

use super::api;
use super::changes::{self, Stop};
use super::convert::{add_group, add_user, reject};
use super::cursor::Cursor;
use crate::client::crowd::{Crowd, CrowdFault, Session, Way, Who};
use crate::directories::{Read, ReadError, What};
use crate::model::{RecordKind, Records, RecordsBuilder};
use crate::text;
use crate::wire::crowd::{Group, Membership};

/// The most members in no list that are asked for one by one.
const STRANGERS_MAX: usize = 1_000;

/// What is told of a server that shows keys and does not understand them.
pub(super) const NOT_BY_KEY: &str = "the server does not find users by the keys that it shows";

/// Reads a server.
#[derive(Debug)]
pub(super) struct Reader {
    pub crowd: Crowd,
    /// The server and the application, in one spelling.
    pub target: String,
    pub incremental: bool,
    /// Further attributes of users that are wanted.
    pub extra: Vec<String>,
}

/// What a complete read is made of.
#[derive(Default)]
pub(super) struct Gathered {
    builder: RecordsBuilder,
    /// The handles of all users that were listed, the rejected ones as well.
    users: HashSet<String>,
    /// The groups that were listed, by handle; nothing where one was rejected.
    groups: BTreeMap<String, Option<u32>>,
    /// The names of the groups as spelled.
    group_names: Vec<String>,
    /// Members that no list had: by handle, as spelled.
    strange_users: BTreeMap<String, String>,
    strange_groups: BTreeMap<String, String>,
    pub without_key: usize,
    pub with_key: usize,
    /// The key of one of the users.
    a_key: Option<String>,
    /// Users of whom the server does not say whether they are active.
    without_active: usize,
    inactive_groups: usize,
}

/// A complete read, with what is told of it.
pub(super) struct Complete {
    pub records: Records,
    pub notes: Vec<String>,
    pub with_key: usize,
    pub without_key: usize,
    pub without_active: usize,
    /// The key of one of the users.
    pub a_key: Option<String>,
}

/// From where changes can be asked for after a complete read.
enum Place {
    Token(String),
    /// Nowhere, and why.
    None(Option<&'static str>),
}

impl Reader {
    /// Reads what has changed since a cursor, or everything.
    ///
    /// # Errors
    /// [`ReadError`].
    pub(super) async fn read(&self, cursor: Option<&str>) -> Result<Read, ReadError> {
        let session = self.crowd.session()?;
        let Some(text) = cursor.filter(|_| self.incremental) else {
            return self.read_all(&session).await;
        };
        let why = match Cursor::read(text, &self.basis()) {
            Err(why) => why.to_owned(),
            Ok(cursor) => match changes::read(&session, &cursor.token, &self.extra).await {
                Ok(changes) => {
                    return Ok(Read {
                        what: What::Delta(changes.delta),
                        cursor: self.cursor(changes.token),
                        notes: changes.notes,
                        requests: None,
                    });
                }
                Err(Stop::Failed(error)) => return Err(error),
                Err(Stop::Doubt(why)) => why,
            },
        };
        let mut read = self.read_all(&session).await?;
        read.notes.insert(0, format!("everything was read: {why}"));
        Ok(read)
    }

    /// Reads everything. The place where changes begin is asked for before, so that nothing falls between.
    async fn read_all(&self, session: &Session) -> Result<Read, ReadError> {
        let place = self.place(session).await?;
        let Complete {
            records,
            mut notes,
            without_key,
            a_key,
            ..
        } = self.complete(session).await?;
        let place = match place {
            Place::Token(_) if without_key > 0 => Place::None(Some(
                "users without a key cannot be followed through renames",
            )),
            Place::Token(_) if !finds_by_key(session, a_key.as_deref()).await? => {
                Place::None(Some(NOT_BY_KEY))
            }
            place => place,
        };
        let cursor = match place {
            Place::Token(token) => self.cursor(token),
            Place::None(why) => {
                let why = why.map(|why| format!("the next read must read everything: {why}"));
                notes.extend(why);
                None
            }
        };
        Ok(Read {
            what: What::Complete(records),
            cursor,
            notes,
            requests: None,
        })
    }

    /// Asks from where changes can be asked for.
    async fn place(&self, session: &Session) -> Result<Place, ReadError> {
        if !self.incremental {
            return Ok(Place::None(None));
        }
        let asked = match session.event_token().await {
            Ok(Some(events)) => events,
            Ok(None) => return Ok(Place::None(Some("the server tells no changes"))),
            Err(CrowdFault::Unreadable(_) | CrowdFault::Refused { .. }) => {
                return Ok(Place::None(Some(
                    "the server does not say where changes begin",
                )));
            }
            Err(fault) => return Err(fault.into()),
        };
        if asked.available != Some(true) || asked.token.is_empty() {
            return Ok(Place::None(Some(
                "the server says that it cannot tell changes",
            )));
        }
        Ok(Place::Token(asked.token))
    }

    /// Reads all records; a second time if the paging skipped somebody.
    ///
    /// # Errors
    /// [`ReadError::Incomplete`] where it skipped somebody again.
    pub(super) async fn complete(&self, session: &Session) -> Result<Complete, ReadError> {
        for _ in 0..2 {
            let (gathered, way) = match self.gather(session).await {
                Ok(gathered) => gathered,
                Err(CrowdFault::Moved(_)) => continue,
                Err(fault) => return Err(fault.into()),
            };
            if !gathered.has_skipped(session).await? {
                return Ok(gathered.finish(way));
            }
        }
        Err(ReadError::Incomplete(
            "list users and groups: twice running somebody was skipped: the lists change too fast to be read in pages; \
             raise `page_size`, or read at a quieter time"
                .to_owned(),
        ))
    }

    async fn gather(&self, session: &Session) -> Result<(Gathered, Way), CrowdFault> {
        let mut gathered = Gathered::default();
        let expand = if self.extra.is_empty() {
            "user"
        } else {
            "user,attributes"
        };
        let users = session.users(expand, |it| match it {
            Ok(user) => {
                gathered.users.insert(text::fold(&user.name));
                gathered.without_active += usize::from(user.active.is_none());
                if user.key.is_empty() {
                    gathered.without_key += 1;
                } else {
                    gathered.with_key += 1;
                    gathered.a_key.get_or_insert_with(|| user.key.clone());
                }
                add_user(&user, &self.extra, &mut gathered.builder);
            }
            Err(bad) => {
                gathered.users.insert(text::fold(&bad.name));
                reject(RecordKind::User, &bad, &mut gathered.builder);
            }
        });
        users.await?;
        let count = gathered.with_key + gathered.without_key;
        if count > 0 && gathered.without_active == count {
            return Err(CrowdFault::Unreadable(
                "list users: the server shows names alone, and of nobody whether they are active; does it, or a proxy in \
                 between, pass over `expand` in the query?"
                    .to_owned(),
            ));
        }
        let groups = session.groups("group", |it| match it {
            Ok(group) => gathered.group(group),
            Err(bad) => {
                gathered.groups.insert(text::fold(&bad.name), None);
                reject(RecordKind::Group, &bad, &mut gathered.builder);
            }
        });
        groups.await?;
        let names = std::mem::take(&mut gathered.group_names);
        let mut group = None;
        let names = names.iter().map(String::as_str);
        let way = session.memberships(names, |it| gathered.membership(it, &mut group));
        let way = way.await?;
        Ok((gathered, way))
    }

    fn cursor(&self, token: String) -> Option<String> {
        let basis = self.basis();
        Cursor { basis, token }.write()
    }

    /// What decides which records are read and what stands in them.
    fn basis(&self) -> String {
        format!("{} attributes {:?}", self.target, self.extra)
    }
}

/// Whether the server finds users by their keys, as one of them shows. Older ones show keys, and know no question for them:
/// to them whoever is asked for is gone.
///
/// # Errors
/// [`CrowdFault`] that says nothing of it.
pub(super) async fn finds_by_key(session: &Session, key: Option<&str>) -> Result<bool, CrowdFault> {
    let Some(key) = key else {
        return Ok(true);
    };
    match api::user(session, Who::Key(key)).await {
        Ok(found) => Ok(found.is_some_and(|it| it.key == key)),
        Err(CrowdFault::Refused { .. } | CrowdFault::Unreadable(_)) => Ok(false),
        Err(fault) => Err(fault),
    }
}

impl Gathered {
    fn group(&mut self, group: Group) {
        if group.active == Some(false) {
            self.inactive_groups += 1;
        }
        let number = add_group(&group, &mut self.builder);
        self.groups.insert(text::fold(&group.name), number);
        self.group_names.push(group.name);
    }

    /// Takes one step of the stream of memberships; `group` is the group that it is at, if its members count.
    fn membership(&mut self, it: Membership<'_>, group: &mut Option<u32>) {
        match it {
            Membership::Group(name) => {
                let handle = text::folded(name);
                *group = self.groups.get(handle.as_ref()).copied().flatten();
                if !self.groups.contains_key(handle.as_ref()) {
                    self.strange_groups
                        .insert(handle.into_owned(), name.to_owned());
                }
            }
            Membership::User(name) => {
                let handle = text::folded(name);
                if let Some(group) = *group {
                    self.builder.member(group, Some(RecordKind::User), &handle);
                }
                if !self.users.contains(handle.as_ref()) {
                    self.strange_users
                        .insert(handle.into_owned(), name.to_owned());
                }
            }
            Membership::Child(name) => {
                let handle = text::folded(name);
                if let Some(group) = *group {
                    self.builder.member(group, Some(RecordKind::Group), &handle);
                }
                if !self.groups.contains_key(handle.as_ref()) {
                    self.strange_groups
                        .insert(handle.into_owned(), name.to_owned());
                }
            }
        }
    }

    /// Whether somebody is there who was in no list.
    async fn has_skipped(&self, session: &Session) -> Result<bool, ReadError> {
        let strangers = self.strange_users.len() + self.strange_groups.len();
        if strangers > STRANGERS_MAX {
            return Err(ReadError::Incomplete(format!(
                "list memberships: {strangers} members and groups are in no list of users or groups, which is more than \
                 can be looked up; may the application see all of its directories?"
            )));
        }
        for name in self.strange_groups.values() {
            if session.group(name).await?.is_some() {
                return Ok(true);
            }
        }
        for name in self.strange_users.values() {
            if session.user(Who::Name(name)).await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn finish(self, way: Way) -> Complete {
        let mut notes = Vec::new();
        let mut note = |count: usize, what: &str| {
            if count > 0 {
                notes.push(format!("{what}: {count}"));
            }
        };
        note(
            self.strange_users.len(),
            "members of groups who are not there",
        );
        note(
            self.strange_groups.len(),
            "groups that are named and not there",
        );
        note(
            self.inactive_groups,
            "groups that are not active, taken like the others",
        );
        note(
            self.without_key,
            "users without a key, known by their names",
        );
        note(
            self.without_active,
            "users of whom the server does not say whether they are active",
        );
        match way {
            Way::Document(0) => {}
            Way::Document(lacking) => notes.push(format!(
                "groups that the document of all memberships lacks, each asked for: {lacking}"
            )),
            Way::GroupByGroup => {
                let text =
                    "the server has no document of all memberships: each group was asked for";
                notes.push(text.to_owned());
            }
        }
        Complete {
            records: self.builder.finish(),
            notes,
            with_key: self.with_key,
            without_key: self.without_key,
            without_active: self.without_active,
            a_key: self.a_key,
        }
    }
}
