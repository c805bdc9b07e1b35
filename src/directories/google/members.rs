//! Who is in the groups in scope, and in the groups in them.
//!
//! Direct members are asked for, and groups among them lead on: what Google itself calls derived membership leaves members out.
//! A group whose members cannot be had keeps those that it was last seen with, and is unknown. Whoever is missing in a group
//! whose own count says that there are others is asked for before the membership counts as ended.

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use super::api::Calls;
use super::confirm::{self, Found};
use super::convert::{self, Naming};
use super::fault::GoogleFault;
use super::known::{Known, Lost, Members};
use super::last::{CUSTOMER, Missing};
use super::lists;
use crate::directories::ReadError;
use crate::model::{RecordKind, RecordsBuilder};

/// How many groups are under way at once; the pace lets fewer through. More would only wait, with a token that grows old.
const IN_FLIGHT: usize = 16;

/// What became of the walk.
#[derive(Debug, Default)]
pub(super) struct Walked {
    /// Groups whose members could not be had, each of which keeps its last ones.
    pub frozen: usize,
    /// Why the first of these could not be had.
    pub why_frozen: Option<String>,
    /// Groups whose members are those that they were last seen with, since nothing said that they had moved.
    pub carried: usize,
    /// Memberships of which nobody can say whether they ended.
    pub unsure: usize,
    /// Groups that were in scope, and may be still: a pattern fits nothing.
    pub kept: usize,
}

/// From where the walk goes.
pub(super) struct Start<'a> {
    /// Groups in scope, as indices into the groups that were listed.
    pub chosen: Vec<usize>,
    /// Groups of the last records that were not listed and of which nobody can say whether they are gone.
    pub unsure: &'a [Missing<'a>],
    /// Some pattern fits nothing, so that nobody can say whether a group is out of scope.
    pub is_doubtful: bool,
}

/// Reads the members of groups, and of all groups in them.
///
/// # Errors
/// [`ReadError`].
pub(super) async fn walk(
    calls: &Calls,
    naming: &Naming,
    known: &Known<'_>,
    start: Start<'_>,
    builder: &mut RecordsBuilder,
) -> Result<Walked, ReadError> {
    let mut way = Way {
        naming,
        known,
        builder,
        queue: start.chosen,
        seen: vec![false; known.groups.len()],
        lost: Vec::new(),
        walked: Walked::default(),
    };
    way.keep_unsure(start.unsure);
    let mut flying = FuturesUnordered::new();
    let mut asked = 0;
    let mut refused = Vec::new();
    loop {
        while flying.len() < IN_FLIGHT
            && let Some((at, number)) = way.next_to_ask()
        {
            asked += 1;
            let members = lists::members(calls, &known.groups[at].id);
            flying.push(async move { (at, number, members.await) });
        }
        let Some((at, number, answer)) = flying.next().await else {
            break;
        };
        match answer {
            Ok(members) => way.take(at, number, &known.members(&members)),
            Err(fault) if fault.is_of_one_object() => {
                way.walked.frozen += 1;
                way.freeze(at, number);
                refused.push(fault);
            }
            Err(fault) => return Err(fault.into()),
        }
    }
    drop(flying);
    // In between only those are asked for that have moved, or were refused before.
    if known.moved.is_none()
        && let Some(fault) = all_refused(asked, &refused)
    {
        return Err(fault.into());
    }
    way.walked.why_frozen = refused.first().map(ToString::to_string);
    if start.is_doubtful {
        way.keep_others();
    }
    let Way {
        lost,
        builder,
        mut walked,
        ..
    } = way;
    walked.unsure = settle(calls, known, &lost, builder).await?;
    Ok(walked)
}

/// How far the walk is.
struct Way<'w, 'a> {
    naming: &'w Naming,
    known: &'w Known<'a>,
    builder: &'w mut RecordsBuilder,
    /// Groups to come, some of them more than once.
    queue: Vec<usize>,
    seen: Vec<bool>,
    lost: Vec<Lost<'a>>,
    walked: Walked,
}

impl Way<'_, '_> {
    /// Takes groups over that were not listed, and nobody can say whether they are gone.
    fn keep_unsure(&mut self, unsure: &[Missing<'_>]) {
        let Some(last) = self.known.last else {
            return;
        };
        for missing in unsure {
            if missing.is_rejected {
                let rejected = &last.records.rejected[missing.at as usize];
                last.records.reject_again(rejected, self.builder);
                continue;
            }
            let number = convert::keep_group(last.records, missing.at, self.builder);
            self.put(number, &self.known.last_members(missing.id));
        }
    }

    /// Leaves the groups as they were that are listed and were there before, and to which no way led.
    fn keep_others(&mut self) {
        for at in 0..self.known.groups.len() {
            let group = &self.known.groups[at];
            let was_there = self
                .known
                .last
                .is_some_and(|it| it.group(&group.id).is_some());
            if was_there && !self.seen[at] {
                let number = self.naming.add_group(group, self.builder);
                self.walked.kept += 1;
                self.freeze(at, number);
            }
        }
    }

    /// The next group whose members must be asked for, and its number in the records if it could be taken. Groups before it that
    /// are as they were keep their members.
    fn next_to_ask(&mut self) -> Option<(usize, Option<u32>)> {
        while let Some(at) = self.queue.pop() {
            if std::mem::replace(&mut self.seen[at], true) {
                continue;
            }
            let group = &self.known.groups[at];
            let number = self.naming.add_group(group, self.builder);
            if group.id.is_empty() {
                continue;
            }
            if !self.known.is_as_it_was(group) {
                return Some((at, number));
            }
            self.walked.carried += 1;
            self.put(number, &self.known.last_members(&group.id));
        }
        None
    }

    /// Takes the members that were listed, and notes who is missing.
    fn take(&mut self, at: usize, number: Option<u32>, members: &Members<'_>) {
        self.put(number, members);
        if let Some(number) = number {
            let group = &self.known.groups[at];
            self.lost.extend(self.known.lost(group, number, members));
        }
    }

    /// Leaves a group as it was last seen, and unknown.
    fn freeze(&mut self, at: usize, number: Option<u32>) {
        if let Some(number) = number {
            self.builder.group_is_unknown(number);
        }
        let id = &self.known.groups[at].id;
        self.put(number, &self.known.last_members(id));
    }

    /// Puts members into a group, and goes on to the groups among them.
    fn put(&mut self, number: Option<u32>, members: &Members<'_>) {
        let places = &self.known.places;
        let inner = members.groups.iter().filter_map(|it| places.get(it));
        self.queue.extend(inner);
        let Some(number) = number else {
            return;
        };
        let Members {
            users,
            groups,
            strangers,
            customer,
            ..
        } = members;
        if let Some(customer) = customer {
            let handle = format!("{CUSTOMER}{customer}");
            self.builder.member(number, None, &handle);
        }
        let users = users.iter().map(|it| (Some(RecordKind::User), *it));
        let groups = groups.iter().map(|it| (Some(RecordKind::Group), *it));
        for (kind, member) in users.chain(groups).chain(strangers.iter().copied()) {
            self.builder.member(number, kind, member);
        }
    }
}

/// Asks for the memberships that are missing. Those that are there all the same, and those of which nobody can say whether they
/// ended, stay, in groups that are unknown. Gives back how many these are.
async fn settle<'a>(
    calls: &Calls,
    known: &Known<'a>,
    lost: &[Lost<'a>],
    builder: &mut RecordsBuilder,
) -> Result<usize, ReadError> {
    let ask = async |it: Lost<'a>| {
        let is_member = lists::is_member(calls, it.group, it.member).await?;
        // A list that lacks a member is the matter of one group.
        Ok(if is_member { Found::Stays } else { Found::Gone })
    };
    let unsure = confirm::unsure("list members", lost, ask).await?;
    for it in &unsure {
        builder.group_is_unknown(it.number);
        if it.kind.is_some() {
            builder.member(it.number, it.kind, it.member);
            continue;
        }
        let Members {
            users, strangers, ..
        } = known.last_members(it.group);
        for user in users {
            builder.member(it.number, Some(RecordKind::User), user);
        }
        for (kind, stranger) in strangers {
            builder.member(it.number, kind, stranger);
        }
    }
    Ok(unsure.len())
}

/// Where several groups were asked for and every one was refused, that is no matter of one group.
fn all_refused(asked: usize, refused: &[GoogleFault]) -> Option<GoogleFault> {
    let all = asked > 1 && refused.len() == asked;
    let first = refused.first().filter(|_| all)?;
    Some(GoogleFault::Login(format!(
        "{first}; so it is with each of the {asked} groups: may the subject, or the service account, read who is in groups?"
    )))
}
