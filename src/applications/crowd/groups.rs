//! What is done for one change of a group, of its members or of the groups in it.

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;

use super::accounts::{self, Seen, made_or_taken, no_switch, partly, stale, unreadable};
use super::api::Api;
use super::convert::{self, Known};
use crate::client::crowd::CrowdFault;
use crate::model::{Refusal, WantedGroup};
use crate::wire::crowd::Group;

/// Makes a group and says its id, which is its name.
pub(super) async fn create(api: &Api, wanted: &WantedGroup<'_>) -> Result<String, Refusal> {
    let made = api.create_group(convert::new_group(wanted)).await;
    let shown = match made {
        Ok(body) => Known::group(&body).ok(),
        Err(fault) if convert::may_be_taken(&fault) => {
            let there = look_up(api, wanted.name).await?;
            let ours = there
                .as_ref()
                .is_some_and(|it| convert::may_be_made_group(&it.read, wanted));
            return Err(made_or_taken(ours, there.is_some(), &fault));
        }
        Err(fault) => return Err(convert::refusal(&fault)),
    };
    let shown = match shown {
        Some(shown) => shown,
        None => look_up(api, wanted.name)
            .await?
            .ok_or_else(|| stale("the server says that it made the group, and has none"))?,
    };
    if !convert::may_be_made_group(&shown.read, wanted) {
        return Err(stale(
            "the server says that it made the group, and shows another one, which was there before",
        ));
    }
    Ok(shown.read.name)
}

/// Describes a group as wanted, and changes nothing else.
pub(super) async fn describe(
    api: &Api,
    name: &str,
    wanted: &WantedGroup<'_>,
) -> Result<(), Refusal> {
    let found = look_up(api, name).await?;
    let mut known = found.ok_or_else(|| stale("the group is not there any more"))?;
    if !known.describe(wanted) {
        return Ok(());
    }
    if known.lacks_switch() {
        return Err(no_switch());
    }
    let replaced = api
        .replace_group(&known.read.name, &known.replacement())
        .await;
    replaced.map_err(|it| convert::refusal(&it))
}

/// Deletes a group; one that is not there any more is deleted.
pub(super) async fn delete(api: &Api, name: &str) -> Result<(), Refusal> {
    match api.delete_group(name).await {
        Err(fault) if !fault.says_not_found() => Err(convert::refusal(&fault)),
        _ => Ok(()),
    }
}

async fn look_up(api: &Api, name: &str) -> Result<Option<Known<Group>>, Refusal> {
    let body = api.group(name).await.map_err(|it| convert::refusal(&it))?;
    let known = body.as_deref().map(Known::group).transpose();
    known.map_err(|it| unreadable(&it))
}

/// Who is to be a member.
#[derive(Clone, Copy, Debug)]
pub(super) enum Member<'a> {
    /// An account.
    Account(Seen<'a>),
    /// A group by its name, which stays.
    Group(&'a str),
}

/// Members to give and to take.
#[derive(Debug)]
pub(super) struct Moves<'a> {
    pub(super) group: &'a str,
    pub(super) give: Vec<Member<'a>>,
    pub(super) take: Vec<Member<'a>>,
}

/// Gives what is to be given, then takes what is to be taken, so many at once. What is there already is given, and what is gone
/// is taken.
pub(super) async fn move_members(
    api: &Api,
    moves: &Moves<'_>,
    in_flight: usize,
) -> Result<(), Refusal> {
    let mut tally = Tally::default();
    for (give, members) in [(true, &moves.give), (false, &moves.take)] {
        let mut members = members.iter();
        let mut flying = FuturesUnordered::new();
        loop {
            while flying.len() < in_flight && !tally.is_down() {
                let Some(member) = members.next() else { break };
                flying.push(move_one(api, moves.group, give, *member));
            }
            match flying.next().await {
                Some(moved) => tally.add(moved),
                None => break,
            }
        }
    }
    tally.finish()
}

fn move_one<'m>(
    api: &'m Api,
    group: &'m str,
    give: bool,
    member: Member<'m>,
) -> BoxFuture<'m, Result<(), Refusal>> {
    Box::pin(async move {
        let moved = match member {
            Member::Account(seen) => match accounts::name_of_member(api, seen).await? {
                Some(name) if give => api.give_member(group, &name).await,
                Some(name) => api.take_member(group, &name).await,
                None if give => return Err(stale("a member is not there any more")),
                None => return Ok(()),
            },
            Member::Group(name) if give => api.give_child(group, name).await,
            Member::Group(name) => api.take_child(group, name).await,
        };
        let settled: fn(&CrowdFault) -> bool = if give {
            convert::is_there
        } else {
            CrowdFault::says_not_found
        };
        match moved {
            Err(fault) if !settled(&fault) => Err(convert::refusal(&fault)),
            _ => Ok(()),
        }
    })
}

/// What became of the moves of one group.
#[derive(Debug, Default)]
struct Tally {
    done: usize,
    /// The gravest refusal.
    worst: Option<Refusal>,
}

impl Tally {
    fn add(&mut self, moved: Result<(), Refusal>) {
        match moved {
            Ok(()) => self.done += 1,
            Err(refusal) => {
                let graver = self
                    .worst
                    .as_ref()
                    .is_none_or(|it| gravity(it) < gravity(&refusal));
                if graver {
                    self.worst = Some(refusal);
                }
            }
        }
    }

    /// Whether a further request is of no use.
    fn is_down(&self) -> bool {
        self.worst.as_ref().is_some_and(Refusal::is_down)
    }

    /// Where some were refused and others made, only a listing tells which.
    fn finish(self) -> Result<(), Refusal> {
        match self.worst {
            None => Ok(()),
            Some(refusal) if self.done > 0 => Err(partly(&refusal)),
            Some(refusal) => Err(refusal),
        }
    }
}

fn gravity(refusal: &Refusal) -> u8 {
    match refusal {
        Refusal::Refused(_) => 0,
        Refusal::Stale(_) => 1,
        Refusal::Transient(_) => 2,
        Refusal::Unavailable(_) => 3,
        Refusal::Unauthorised(_) => 4,
    }
}
