//! Lists by pages.
//!
//! Paging is by offset over a set that others change meanwhile, so an entity may come twice or never. What comes twice is told
//! twice; who was skipped shows when lists are compared with one another, which is the callers'. A list that does not end is
//! an error.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::session::{PAGE_MAX, Session, unreadable};
use super::{CrowdFault, Who};
use crate::http::Method;
use crate::wire::crowd::{BadRecord, Group, JsonFault, User, json};

/// How many pages running may show nothing new before the list counts as endless. One may: where what stands before it in the
/// list has grown meanwhile, a page repeats the end of the one before.
const STALE_PAGES_MAX: u32 = 3;

/// An entity of a list, or what is known of one that makes no sense.
pub type Listed<T> = Result<T, BadRecord>;

type Read<T> = fn(&[u8]) -> Result<Vec<Listed<T>>, JsonFault>;

impl Session {
    /// All users, in pages. `expand` says how much of them: `user` for their fields, `user,attributes` for their attributes as
    /// well. What came before an error counts for nothing.
    ///
    /// # Errors
    /// [`CrowdFault`].
    pub async fn users(
        &self,
        expand: &str,
        each: impl FnMut(Listed<User>),
    ) -> Result<(), CrowdFault> {
        let query = [
            ("entity-type", "user"),
            ("restriction", ""),
            ("expand", expand),
        ];
        let read = json::read_users;
        let name = |it: &User| format!("{}\0{}", it.key, it.name);
        self.pages("list users", "/search", &query, read, name, each)
            .await
    }

    /// All groups, in pages, with their fields.
    ///
    /// # Errors
    /// [`CrowdFault`].
    pub async fn groups(
        &self,
        expand: &str,
        each: impl FnMut(Listed<Group>),
    ) -> Result<(), CrowdFault> {
        let query = [
            ("entity-type", "group"),
            ("restriction", ""),
            ("expand", expand),
        ];
        let read = json::read_groups;
        let name = |it: &Group| it.name.clone();
        self.pages("list groups", "/search", &query, read, name, each)
            .await
    }

    /// The names of the direct members of a group.
    ///
    /// # Errors
    /// [`CrowdFault`]; [`CrowdFault::is_not_there`] where there is no such group.
    pub async fn members(
        &self,
        group: &str,
        each: impl FnMut(Listed<User>),
    ) -> Result<(), CrowdFault> {
        let query = [("groupname", group)];
        let (read, name) = (json::read_users, |it: &User| it.name.clone());
        let path = "/group/user/direct";
        self.pages(
            "list the members of a group",
            path,
            &query,
            read,
            name,
            each,
        )
        .await
    }

    /// The names of the groups that are direct members of a group.
    ///
    /// # Errors
    /// As [`Session::members`].
    pub async fn children(
        &self,
        group: &str,
        each: impl FnMut(Listed<Group>),
    ) -> Result<(), CrowdFault> {
        let query = [("groupname", group)];
        let (read, name) = (json::read_groups, |it: &Group| it.name.clone());
        let path = "/group/child-group/direct";
        self.pages("list the groups in a group", path, &query, read, name, each)
            .await
    }

    /// The names of the groups that a user is a direct member of.
    ///
    /// # Errors
    /// As [`Session::members`], of the user.
    pub async fn groups_of(
        &self,
        user: &str,
        each: impl FnMut(Listed<Group>),
    ) -> Result<(), CrowdFault> {
        let query = [Who::Name(user).parameter()];
        let (read, name) = (json::read_groups, |it: &Group| it.name.clone());
        let path = "/user/group/direct";
        self.pages("list the groups of a user", path, &query, read, name, each)
            .await
    }

    async fn pages<T>(
        &self,
        operation: &str,
        path: &str,
        query: &[(&str, &str)],
        read: Read<T>,
        name: impl Fn(&T) -> String,
        mut each: impl FnMut(Listed<T>),
    ) -> Result<(), CrowdFault> {
        let size = self.crowd.0.page_size.to_string();
        let mut known: BTreeSet<u64> = BTreeSet::new();
        let (mut start, mut stale) = (0, 0);
        loop {
            let from = start.to_string();
            let page = [("start-index", from.as_str()), ("max-results", &size)];
            let query = [query, &page].concat();
            let answer = self.ask(operation, Method::GET, path, &query, None, PAGE_MAX);
            let entities = read(&answer.await?.body).map_err(|it| unreadable(operation, &it))?;
            if entities.is_empty() {
                return Ok(());
            }
            start += entities.len();
            let before = known.len();
            for entity in entities {
                known.insert(match &entity {
                    Ok(it) => digest(&name(it)),
                    Err(it) => digest(&format!("{}\0{}", it.key, it.name)),
                });
                each(entity);
            }
            stale = if known.len() == before { stale + 1 } else { 0 };
            if stale >= STALE_PAGES_MAX {
                return Err(CrowdFault::Unreadable(format!(
                    "{operation}: the server shows the same again and again after {before} entries: it does not follow \
                     `start-index`"
                )));
            }
        }
    }
}

fn digest(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}
