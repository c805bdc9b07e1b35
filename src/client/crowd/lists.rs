//! Lists by pages.
//!
//! Paging is by offset over a set that others change meanwhile, so an entity may come twice or never. What comes twice is told
//! twice. That somebody was skipped shows where pages overlap by one entity, and is an error; where that cannot be, it shows
//! when lists are compared with one another, which is the callers'. A list that does not end is an error.

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
        let size = self.crowd.0.page_size;
        let mut list = Course::default();
        loop {
            let (from, most) = (list.from().to_string(), size.to_string());
            let page = [
                ("start-index", from.as_str()),
                ("max-results", most.as_str()),
            ];
            let query = [query, &page].concat();
            let answer = self.ask(operation, Method::GET, path, &query, None, PAGE_MAX);
            let entities = read(&answer.await?.body).map_err(|it| unreadable(operation, &it))?;
            let names = entities.iter().map(|entity| match entity {
                Ok(it) => digest(&name(it)),
                Err(it) => digest(&format!("{}\0{}", it.key, it.name)),
            });
            match list.take(&names.collect::<Vec<_>>(), size as usize) {
                Page::Taken => entities.into_iter().for_each(&mut each),
                Page::Again => {}
                Page::End => return Ok(()),
                Page::Moved => {
                    return Err(CrowdFault::Moved(format!(
                        "{operation}: the list changed while it was read, so that somebody may be missing"
                    )));
                }
                Page::Endless(known) => {
                    return Err(CrowdFault::Unreadable(format!(
                        "{operation}: the server shows the same again and again after {known} entries: it does not \
                         follow `start-index`"
                    )));
                }
            }
        }
    }
}

/// How far a list is read.
///
/// Where more is to come, a page is asked for from the last entity that is known: if that is not in it, others went from the
/// list meanwhile, and as many were skipped.
#[derive(Debug, Default)]
struct Course {
    known: BTreeSet<u64>,
    last: Option<u64>,
    /// Where what is not known yet begins.
    start: usize,
    /// The next page begins with the last known entity.
    overlaps: bool,
    /// The server shows fewer than it is asked for, though there are more.
    caps: bool,
    stale: u32,
}

/// What a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Page {
    /// It counts.
    Taken,
    /// It is to be asked for again, from the last known entity.
    Again,
    /// There is nothing more.
    End,
    /// The list has changed meanwhile.
    Moved,
    /// It never ends after so many entities.
    Endless(usize),
}

impl Course {
    fn from(&self) -> usize {
        self.start - usize::from(self.overlaps)
    }

    /// Takes the names of a page of which so many were asked for.
    fn take(&mut self, names: &[u64], asked: usize) -> Page {
        let Some(&last) = names.last() else {
            return if self.overlaps {
                Page::Moved
            } else {
                Page::End
            };
        };
        if self.overlaps && self.last.is_some_and(|it| !names.contains(&it)) {
            return Page::Moved;
        }
        let is_new = names.iter().any(|it| !self.known.contains(it));
        // The end was expected here: so the page before was short for another reason.
        if is_new && !self.overlaps && !self.caps && self.start > 0 {
            self.caps = true;
            self.overlaps = true;
            return Page::Again;
        }
        self.start = self.from() + names.len();
        self.known.extend(names);
        self.last = Some(last);
        self.stale = if is_new { 0 } else { self.stale + 1 };
        self.overlaps = is_new && names.len() > 1 && (self.caps || names.len() >= asked);
        if self.stale >= STALE_PAGES_MAX {
            return Page::Endless(self.known.len());
        }
        Page::Taken
    }
}

fn digest(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a list that is another one before each page; tells what was read, or how it went wrong.
    fn read(size: usize, cap: usize, lists: &[&[u64]]) -> Result<BTreeSet<u64>, Page> {
        let mut course = Course::default();
        let mut told = BTreeSet::new();
        for page in 0.. {
            let list = lists[page.min(lists.len() - 1)];
            let names = list.iter().copied().skip(course.from());
            let names: Vec<u64> = names.take(size.min(cap)).collect();
            match course.take(&names, size) {
                Page::Taken => told.extend(names),
                Page::Again => {}
                Page::End => return Ok(told),
                other => return Err(other),
            }
        }
        Ok(told)
    }

    #[test]
    fn every_list_is_read_whole_whatever_the_pages() {
        for count in 0..12 {
            let list: Vec<u64> = (0..count).collect();
            for size in 1..8 {
                for cap in 1..8 {
                    let expect = Ok(list.iter().copied().collect());
                    assert_eq!(
                        read(size, cap, &[&list]),
                        expect,
                        "{count} by {size}, {cap}"
                    );
                }
            }
        }
    }

    #[test]
    fn whoever_is_skipped_because_others_went_is_noticed() {
        let (whole, less): (Vec<u64>, Vec<u64>) = ((0..9).collect(), (1..9).collect());
        for size in 2..8 {
            assert_eq!(read(size, 9, &[&whole, &less]), Err(Page::Moved), "{size}");
            assert_eq!(read(9, size, &[&whole, &less]), Err(Page::Moved), "{size}");
            assert_eq!(read(size, 9, &[&whole, &[]]), Err(Page::Moved), "{size}");
        }
        // Who comes before shifts the others, and is told once there is another read.
        let more: Vec<u64> = [&[99], &whole[..]].concat();
        assert_eq!(
            read(3, 9, &[&whole, &more]),
            Ok(whole.into_iter().collect())
        );
    }

    #[test]
    fn a_list_that_shows_the_same_for_ever_is_an_error() {
        let mut course = Course::default();
        let pages = (0..20).map(|_| course.take(&[1, 2, 3], 3));
        let end = pages.skip_while(|it| matches!(it, Page::Taken | Page::Again));
        assert_eq!(end.take(1).collect::<Vec<_>>(), [Page::Endless(3)]);
    }
}
