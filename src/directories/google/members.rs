//! Who is in the groups in scope, and in the groups in them.
//!
//! Direct members are asked for, and groups among them lead on: what Google itself calls derived membership leaves members out.
//! A group whose members cannot be had keeps those that it was last seen with, and is unknown. Whoever is missing in a group
//! whose own count says that there are others is asked for before the membership counts as ended.

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use hashbrown::{HashMap, HashSet};

use super::activity::Moved;
use super::api::Calls;
use super::confirm;
use super::convert::{self, Naming};
use super::fault::GoogleFault;
use super::last::Last;
use super::listed::Listed;
use super::lists;
use crate::directories::ReadError;
use crate::model::{RecordKind, RecordsBuilder};
use crate::wire::google::{Group, Member, MemberKind};

/// What the members are read with.
pub(super) struct Walk<'a> {
    pub calls: &'a Calls,
    pub naming: &'a Naming,
    /// The users that were listed.
    pub people: &'a Listed,
    /// The groups that were listed, and where each stands in the list.
    pub groups: &'a [Group],
    pub listed: &'a Listed,
    pub last: Option<&'a Last<'a>>,
    /// Groups of the last records that were not listed and of which nobody can say whether they are gone.
    pub unsure: &'a [u32],
    /// What is known to have moved since the members were read; `None` when all are to be read.
    pub moved: Option<&'a Moved>,
}

/// What became of the walk.
#[derive(Debug, Default)]
pub(super) struct Walked {
    /// Groups whose members could not be had, each of which keeps its last ones.
    pub frozen: usize,
    /// Groups whose members are those that they were last seen with, since nothing said that they had moved.
    pub carried: usize,
    /// Memberships of which nobody can say whether they ended.
    pub unsure: usize,
}

/// A group on the way: its place in the list, and its number in the records, if it could be taken.
type At = (usize, Option<u32>);

/// A membership that was there and is missing.
#[derive(Clone, Copy)]
struct Lost<'a> {
    group: &'a str,
    number: u32,
    kind: RecordKind,
    member: &'a str,
}

impl<'a> Walk<'a> {
    /// Reads the members of these groups, and of all that are in them.
    ///
    /// # Errors
    /// [`ReadError`].
    pub(super) async fn walk(
        &self,
        start: Vec<usize>,
        builder: &mut RecordsBuilder,
    ) -> Result<Walked, ReadError> {
        let places: HashMap<&str, usize> = self
            .groups
            .iter()
            .map(|it| it.id.as_str())
            .zip(0..)
            .collect();
        let mut walked = Walked::default();
        let mut queue = start;
        for (last, at) in self
            .last
            .into_iter()
            .flat_map(|it| self.unsure.iter().map(move |at| (it, *at)))
        {
            let number = convert::keep_group(last.records, at, builder);
            let id = last.records.text(last.records.groups[at as usize].id);
            let inner = self.keep_members(id, number, builder);
            queue.extend(inner.iter().filter_map(|it| places.get(it)));
        }
        let mut seen = vec![false; self.groups.len()];
        let mut lost = Vec::new();
        let mut refused = Vec::new();
        let mut flying = FuturesUnordered::new();
        let mut asked = 0;
        loop {
            while let Some(at) = queue.pop() {
                if std::mem::replace(&mut seen[at], true) {
                    continue;
                }
                let group = &self.groups[at];
                let number = self.naming.add_group(group, builder);
                if self.is_as_it_was(group) {
                    walked.carried += 1;
                    let inner = self.keep_members(&group.id, number, builder);
                    queue.extend(inner.iter().filter_map(|it| places.get(it)));
                } else {
                    asked += 1;
                    let members = lists::members(self.calls, &group.id);
                    flying.push(async move { ((at, number), members.await) });
                }
            }
            let Some(((at, number), answer)) = flying.next().await else {
                break;
            };
            let group = &self.groups[at];
            let inner: Vec<&str> = match answer {
                Ok(members) => self.take((at, number), &members, builder, &mut lost),
                Err(fault) if fault.is_of_one_object() => {
                    walked.frozen += 1;
                    refused.push(fault);
                    if let Some(number) = number {
                        builder.group_is_unknown(number);
                    }
                    self.keep_members(&group.id, number, builder)
                }
                Err(fault) => return Err(fault.into()),
            };
            queue.extend(inner.iter().filter_map(|it| places.get(it)));
        }
        drop(flying);
        if let Some(fault) = all_refused(asked, refused) {
            return Err(fault.into());
        }
        walked.unsure = self.settle(&lost, builder).await?;
        Ok(walked)
    }

    /// Whether nothing says that a group has other members than it was last seen with.
    fn is_as_it_was(&self, group: &Group) -> bool {
        let (Some(last), Some(moved)) = (self.last, self.moved) else {
            return false;
        };
        let Some(at) = last.group(&group.id) else {
            return false;
        };
        let was_known = !last.records.groups[at as usize].unknown;
        let same_count = group.direct_users == Some(last.direct_users(at));
        was_known && same_count && !moved.names(group)
    }

    /// Gives a group the members that it was last seen with, and the groups among them back.
    fn keep_members(
        &self,
        id: &str,
        number: Option<u32>,
        builder: &mut RecordsBuilder,
    ) -> Vec<&'a str> {
        let Some((last, at)) = self.last.and_then(|it| Some((it, it.group(id)?))) else {
            return Vec::new();
        };
        let inner: Vec<&str> = last.groups_of(at).collect();
        if let Some(number) = number {
            for user in last.users_of(at) {
                builder.member(number, Some(RecordKind::User), user);
            }
            for group in &inner {
                builder.member(number, Some(RecordKind::Group), group);
            }
            for (kind, stranger) in last.strangers_of(at) {
                builder.member(number, kind, stranger);
            }
        }
        inner
    }

    /// Takes the members that were listed, notes who is missing, and gives the groups among the members back.
    fn take(
        &self,
        (at, number): At,
        members: &[Member],
        builder: &mut RecordsBuilder,
        lost: &mut Vec<Lost<'a>>,
    ) -> Vec<&'a str> {
        let mut inner = HashSet::new();
        let mut users = HashSet::new();
        let mut direct_users = 0;
        for member in members {
            let (kind, known) = self.who(member);
            direct_users +=
                u64::from(kind != Some(RecordKind::Group) && member.kind != MemberKind::Customer);
            match (member.kind, kind, known) {
                (MemberKind::Customer, ..) => users.extend(self.people.ids()),
                (_, Some(RecordKind::Group), Some(id)) => {
                    inner.insert(id);
                }
                (_, _, Some(id)) => {
                    users.insert(id);
                }
                (_, kind, None) => {
                    let stranger = if member.id.is_empty() {
                        &member.email
                    } else {
                        &member.id
                    };
                    if let Some(number) = number {
                        builder.member(number, kind, stranger);
                    }
                }
            }
        }
        if let Some(number) = number {
            users
                .iter()
                .for_each(|it| builder.member(number, Some(RecordKind::User), it));
            inner
                .iter()
                .for_each(|it| builder.member(number, Some(RecordKind::Group), it));
            let group = &self.groups[at];
            let is_counted = group.direct_users == Some(direct_users);
            lost.extend(self.lost(group, number, is_counted, (&users, &inner)));
        }
        inner.into_iter().collect()
    }

    /// Which record a member is: its kind, and its id if it is in a list.
    fn who(&self, member: &Member) -> (Option<RecordKind>, Option<&'a str>) {
        let user = || self.people.find(&member.id, &member.email);
        let group = || self.listed.find(&member.id, &member.email);
        match member.kind {
            MemberKind::User => (Some(RecordKind::User), user()),
            MemberKind::Group => (Some(RecordKind::Group), group()),
            MemberKind::Customer => (None, None),
            MemberKind::Other => match user() {
                Some(id) => (Some(RecordKind::User), Some(id)),
                None => match group() {
                    Some(id) => (Some(RecordKind::Group), Some(id)),
                    None => (None, None),
                },
            },
        }
    }

    /// The memberships that were there and are missing now, though who was in the group is still there. `is_counted`: as many
    /// users were listed as the group counts itself, so that nobody was left out.
    fn lost(
        &self,
        group: &'a Group,
        number: u32,
        is_counted: bool,
        (users, groups): (&HashSet<&str>, &HashSet<&str>),
    ) -> Vec<Lost<'a>> {
        let Some((last, at)) = self.last.and_then(|it| Some((it, it.group(&group.id)?))) else {
            return Vec::new();
        };
        let missing = last.members_without(at, users, groups).into_iter();
        let in_doubt = missing.filter(|(kind, id)| match kind {
            RecordKind::User => !is_counted && self.people.has(id),
            RecordKind::Group => self.listed.has(id),
        });
        in_doubt
            .map(|(kind, member)| Lost {
                group: &group.id,
                number,
                kind,
                member,
            })
            .collect()
    }

    /// Asks for the memberships that are missing. Those of which nobody can say whether they ended stay, in groups that are
    /// unknown. Gives back how many these are.
    async fn settle(
        &self,
        lost: &[Lost<'a>],
        builder: &mut RecordsBuilder,
    ) -> Result<usize, ReadError> {
        let ask = |it: Lost<'a>| lists::is_member(self.calls, it.group, it.member);
        let unsure = confirm::unsure("list members", lost, ask).await?;
        for it in &unsure {
            builder.member(it.number, Some(it.kind), it.member);
            builder.group_is_unknown(it.number);
        }
        Ok(unsure.len())
    }
}

/// Where several groups were asked for and every one was refused, that is no matter of one group.
fn all_refused(asked: usize, refused: Vec<GoogleFault>) -> Option<GoogleFault> {
    let all = asked > 1 && refused.len() == asked;
    let first = refused.into_iter().next().filter(|_| all)?;
    Some(GoogleFault::Login(format!(
        "{first}; so it is with each of the {asked} groups: may the subject, or the service account, read who is in groups?"
    )))
}
