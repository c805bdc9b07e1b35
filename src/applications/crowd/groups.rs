//! What is done for one change of a group, of its members or of the groups in it.

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;

use super::accounts::{no_switch, partly, stale, taken_or, unreadable};
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
            return Err(taken_or(there.is_some(), &fault));
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
        Err(fault) if !convert::is_gone(&fault) => Err(convert::refusal(&fault)),
        _ => Ok(()),
    }
}

async fn look_up(api: &Api, name: &str) -> Result<Option<Known<Group>>, Refusal> {
    let body = api.group(name).await.map_err(|it| convert::refusal(&it))?;
    let known = body.as_deref().map(Known::group).transpose();
    known.map_err(|it| unreadable(&it))
}

/// Members to give and to take, by name.
#[derive(Debug)]
pub(super) struct Moves<'a> {
    /// The members are groups.
    pub(super) groups: bool,
    pub(super) group: &'a str,
    pub(super) give: Vec<String>,
    pub(super) take: Vec<String>,
}

/// Gives what is to be given, then takes what is to be taken, so many at once. What is there already is given, and what is gone
/// is taken.
pub(super) async fn move_members(
    api: &Api,
    moves: &Moves<'_>,
    in_flight: usize,
) -> Result<(), Refusal> {
    let mut tally = Tally::default();
    for (give, names) in [(true, &moves.give), (false, &moves.take)] {
        let mut names = names.iter();
        let mut flying = FuturesUnordered::new();
        loop {
            while flying.len() < in_flight && !tally.is_down() {
                let Some(name) = names.next() else { break };
                flying.push(move_one(api, moves, give, name));
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
    moves: &'m Moves<'_>,
    give: bool,
    name: &'m str,
) -> BoxFuture<'m, Result<(), Refusal>> {
    Box::pin(async move {
        let group = moves.group;
        let moved = match (give, moves.groups) {
            (true, false) => api.give_member(group, name).await,
            (true, true) => api.give_child(group, name).await,
            (false, false) => api.take_member(group, name).await,
            (false, true) => api.take_child(group, name).await,
        };
        let settled: fn(&CrowdFault) -> bool = if give {
            convert::is_there
        } else {
            convert::is_gone
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
        self.worst.as_ref().is_some_and(super::push::is_down)
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
