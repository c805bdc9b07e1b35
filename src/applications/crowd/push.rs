//! Many changes at once, in an order that is as good as one after another.
//!
//! Changes wait for one another only where it matters: where they are about one name (a rename frees it, another takes it),
//! between what is made and the memberships that may need it, and where the plan begins with what frees seats, all of which
//! must be done before somebody takes them.

use std::collections::BTreeSet;
use std::ops::Range;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;

use super::accounts::{self, Seen};
use super::api::Api;
use super::groups::{self, Member, Moves};
use super::names::Names;
use crate::model::{Change, Outcome, Refusal, Step, Subject, View, What};
use crate::text;

/// Changes about to be made, and what is needed for that.
pub(super) struct Push<'a> {
    pub(super) api: &'a Api,
    pub(super) changes: &'a [Change],
    pub(super) view: View<'a>,
    pub(super) names: &'a Names,
    pub(super) in_flight: usize,
}

impl Push<'_> {
    /// Makes them, and says of each what became of it. After a sign that nothing can be reached, nothing more is sent.
    pub(super) async fn run(&self) -> Vec<Outcome> {
        let mut outcomes = vec![Outcome::Skipped; self.changes.len()];
        for run in runs(self.changes, self.view) {
            if !self.at_once(run, &mut outcomes).await {
                break;
            }
        }
        outcomes
    }

    /// Makes some changes side by side. Says whether a next one is of any use.
    async fn at_once(&self, run: Range<usize>, outcomes: &mut [Outcome]) -> bool {
        let mut rest = run;
        let mut goes_on = true;
        let mut flying = FuturesUnordered::new();
        loop {
            while flying.len() < self.in_flight && goes_on {
                let Some(at) = rest.next() else { break };
                flying.push(self.numbered(at));
            }
            let Some((at, made)) = flying.next().await else {
                return goes_on;
            };
            outcomes[at] = match made {
                Ok(remote_id) => Outcome::Done { remote_id },
                Err(refusal) => {
                    goes_on &= !refusal.is_down();
                    Outcome::Failed(refusal)
                }
            };
        }
    }

    fn numbered(&self, at: usize) -> BoxFuture<'_, (usize, Result<Option<String>, Refusal>)> {
        Box::pin(async move { (at, self.make(&self.changes[at]).await) })
    }

    /// Makes one change and says the id that it led to.
    async fn make(&self, change: &Change) -> Result<Option<String>, Refusal> {
        if !change.is_sent() {
            return Ok(None);
        }
        match change.subject {
            Subject::Account(place) => self.account(change, place).await,
            Subject::Group(place) => self.group(change, place).await,
        }
    }

    async fn account(&self, change: &Change, place: u32) -> Result<Option<String>, Refusal> {
        let wanted = self.view.wanted_account(change);
        let seen = self.seen(place);
        match change.step {
            Step::Create => {
                let wanted = wanted.ok_or_else(nobody)?;
                accounts::create(self.api, seen, &wanted).await.map(Some)
            }
            Step::Update => {
                let done = accounts::update(self.api, seen, wanted.as_ref(), change.what).await?;
                Ok(done.id)
            }
            Step::Delete => accounts::delete(self.api, seen).await.map(|()| None),
            Step::Members | Step::Children => {
                Err(Refusal::Refused("an account has no members".to_owned()))
            }
        }
    }

    async fn group(&self, change: &Change, place: u32) -> Result<Option<String>, Refusal> {
        let name = self.view.group_name(place);
        match change.step {
            Step::Create => {
                let wanted = self.view.wanted_group(change).ok_or_else(nobody)?;
                groups::create(self.api, &wanted).await.map(Some)
            }
            Step::Update if renames(change) => Err(Refusal::Refused(
                "a Crowd cannot give a group another name".to_owned(),
            )),
            Step::Update => {
                let wanted = self.view.wanted_group(change).ok_or_else(nobody)?;
                groups::describe(self.api, name, &wanted).await?;
                Ok(None)
            }
            Step::Delete => groups::delete(self.api, name).await.map(|()| None),
            Step::Members | Step::Children => {
                let members = |places: &[u32]| -> Vec<Member<'_>> {
                    let one = |&place: &u32| match change.step {
                        Step::Children => Member::Group(self.view.group_name(place)),
                        _ => Member::Account(self.seen(place)),
                    };
                    places.iter().map(one).collect()
                };
                let moves = Moves {
                    group: name,
                    give: members(self.view.plan.given(change)),
                    take: members(self.view.plan.taken(change)),
                };
                groups::move_members(self.api, &moves, self.in_flight).await?;
                Ok(None)
            }
        }
    }

    fn seen(&self, place: u32) -> Seen<'_> {
        let accounts = &self.view.holding.accounts;
        let known = accounts.get(place as usize);
        Seen {
            id: known.map_or("", |it| self.view.holding.text(it.seen.remote_id)),
            name: self.view.account_name(place),
            place,
            names: self.names,
        }
    }
}

/// The changes in runs: those of one run may be made in any order.
fn runs(changes: &[Change], view: View<'_>) -> Vec<Range<usize>> {
    let freeing = changes.iter().take_while(|it| frees(it)).count();
    let mut runs = Vec::new();
    let mut start = 0;
    let mut touched = BTreeSet::new();
    for (at, change) in changes.iter().enumerate() {
        let names = names(change, view);
        let collides = names.iter().any(|it| touched.contains(it));
        let turns = at > start && changes[at - 1].moves_members() != change.moves_members();
        if at > start && (collides || turns || at == freeing) {
            runs.push(start..at);
            start = at;
            touched.clear();
        }
        touched.extend(names);
    }
    if start < changes.len() {
        runs.push(start..changes.len());
    }
    runs
}

/// Whether a change can only free a seat.
fn frees(change: &Change) -> bool {
    match change.step {
        Step::Delete => true,
        Step::Update => change.what.has(What::DEACTIVATE),
        Step::Members => change.give == 0,
        Step::Create | Step::Children => false,
    }
}

/// What two changes must not be about at one time.
fn names(change: &Change, view: View<'_>) -> Vec<(&'static str, String)> {
    let number = |place: u32| place.to_string();
    match (change.subject, change.step) {
        (Subject::Group(place), Step::Members) => vec![("members", number(place))],
        (Subject::Group(place), Step::Children) => vec![("children", number(place))],
        (Subject::Group(place), _) => vec![("group", text::fold(view.group_name(place)))],
        (Subject::Account(place), _) => {
            let mut names = vec![("account", text::fold(view.account_name(place)))];
            if let Some(wanted) = view.wanted_account(change)
                && renames(change)
            {
                names.push(("account", text::fold(wanted.name)));
            }
            names
        }
    }
}

fn renames(change: &Change) -> bool {
    change.what.has(What::RENAME) || change.what.has(What::SPELLING)
}

fn nobody() -> Refusal {
    Refusal::Refused("nobody is wanted there".to_owned())
}
