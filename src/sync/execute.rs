//! Walking a plan: intents first, then the application, then what became of it. Nothing is decided here.
//!
//! A change is sent only after its intent is durable. A change that the application refuses never stops the others: where a
//! whole plan is one transaction, the refused change is left out and the rest is sent again; where it is not, nobody is sent
//! together with the memberships that need them, so that those of whom the application refused are left out in time.

use std::collections::BTreeSet;
use std::ops::Range;

use tokio_util::sync::CancellationToken;

use crate::failpoint;
use crate::model::{Batch, Change, Intent, Outcome, Plan, Refusal, Step, Subject, What};
use crate::progress::Work;
use crate::reconcile::{Context, intent_of};
use crate::store::{Store, StoreError};
use crate::sync::parts::ApplicationPart;

/// How often a plan that is one transaction is tried without the changes that were refused.
const REFUSED_MAX: usize = 100;

/// Steps of one intent. What is in flight together is committed together, in as many intents as it needs: one alone would
/// stand in memory several times over, as steps, as text and in the database.
const INTENT_STEPS: usize = 1_000;

/// What came of a plan.
#[derive(Debug, Default)]
pub(crate) struct Walked {
    /// One for each change of the plan.
    pub(crate) outcomes: Vec<Outcome>,
    /// The intents that were opened.
    pub(crate) intents: Vec<i64>,
    /// Everything was tried that does not rest and whose own ground is there: neither a stop nor a broken line cut it off.
    pub(crate) ended: bool,
}

impl Walked {
    /// Adds what came of changes that were put behind the others.
    pub(crate) fn append(&mut self, more: Walked) {
        let behind = more.outcomes.into_iter().skip(self.outcomes.len());
        self.outcomes.extend(behind);
        self.intents.extend(more.intents);
        self.ended &= more.ended;
    }
}

/// Accounts and groups that a plan makes and that are not there, by place: what is wanted of them cannot be done either.
#[derive(Debug, Default)]
pub(crate) struct Missing {
    accounts: BTreeSet<u32>,
    groups: BTreeSet<u32>,
}

/// Sends every change of a plan that `skip` does not name (by index) and says of each what became of it.
///
/// # Errors
/// [`StoreError`] when an intent could not be made durable; what was sent before is found again by its open intents.
pub(crate) async fn execute(
    store: &Store,
    part: &ApplicationPart,
    context: &Context<'_, '_>,
    plan: &Plan,
    skip: &BTreeSet<usize>,
    work: &Work,
    stop: &CancellationToken,
) -> Result<Walked, StoreError> {
    let mut walk = Walk {
        store,
        part,
        context,
        plan,
        skip: skip.clone(),
        missing: Missing::default(),
        sent: Sent::of(plan),
        walked: Walked {
            outcomes: vec![Outcome::Skipped; plan.changes.len()],
            intents: Vec::new(),
            ended: false,
        },
    };
    skip.iter().for_each(|it| walk.note_missing(*it));
    work.total(plan.changes.len() as u64);
    let size = match part.application.abilities().batch {
        Batch::One => 1,
        Batch::Many(most) => most.max(1) as usize,
        Batch::Whole => {
            if !stop.is_cancelled() {
                walk.walked.ended = walk.whole().await?;
                work.advance(plan.changes.len() as u64);
            }
            return Ok(walk.walked);
        }
    };
    let mut start = 0;
    let mut goes_on = true;
    while goes_on && start < plan.changes.len() && !stop.is_cancelled() {
        let end = end_of_batch(&plan.changes, start, size);
        goes_on = walk.batch(start..end).await?;
        work.advance((end - start) as u64);
        start = end;
    }
    walk.walked.ended = goes_on && start == plan.changes.len();
    Ok(walk.walked)
}

/// The switching off of every account of which the application refused it together with other parts, or where that rests: it
/// takes access away and must not fail for the sake of a mail address, so it is sent once more by itself. There is none where
/// the application broke off or is not what it was last seen to be.
pub(crate) fn switches_off(
    plan: &Plan,
    outcomes: &[Outcome],
    resting: &BTreeSet<usize>,
) -> Vec<Change> {
    let is_broken = |it: &Outcome| {
        let Outcome::Failed(refusal) = it else {
            return false;
        };
        !matches!(refusal, Refusal::Refused(_) | Refusal::Transient(_))
    };
    if outcomes.iter().any(is_broken) {
        return Vec::new();
    }
    let mut alone = Vec::new();
    for (at, (change, outcome)) in plan.changes.iter().zip(outcomes).enumerate() {
        let refused = matches!(outcome, Outcome::Failed(Refusal::Refused(_)));
        let others = change.what.without(What::REMEMBERED.with(What::DEACTIVATE));
        if (refused || resting.contains(&at))
            && change.step == Step::Update
            && change.what.has(What::DEACTIVATE)
            && !others.is_empty()
        {
            alone.push(Change {
                what: change.what.without(others),
                ..change.clone()
            });
        }
    }
    alone
}

/// Where the batch ends that begins at an index: what is made and the memberships that may need it are not sent together.
fn end_of_batch(changes: &[Change], start: usize, size: usize) -> usize {
    let kind = changes[start].moves_members();
    let rest = changes[start..].iter().take(size);
    start + rest.take_while(|it| it.moves_members() == kind).count()
}

struct Walk<'a, 'w, 'c> {
    store: &'a Store,
    part: &'a ApplicationPart,
    context: &'a Context<'w, 'c>,
    plan: &'a Plan,
    skip: BTreeSet<usize>,
    /// What the changes that are behind us did not make.
    missing: Missing,
    /// The changes of the call in hand.
    sent: Sent,
    walked: Walked,
}

impl Walk<'_, '_, '_> {
    /// The whole plan in one transaction, again without what was refused, until it is taken or nothing more can be left out.
    /// Says whether it came to that.
    async fn whole(&mut self) -> Result<bool, StoreError> {
        for _ in 0..REFUSED_MAX {
            self.choose(0..self.plan.changes.len());
            if self.sent.indices.is_empty() {
                return Ok(true);
            }
            self.send().await?;
            let is_refused = |it: &Outcome| matches!(it, Outcome::Failed(Refusal::Refused(_)));
            let outcomes = &self.walked.outcomes;
            let sent = self.sent.indices.iter().copied();
            let refused: Vec<usize> = sent.filter(|at| is_refused(&outcomes[*at])).collect();
            if refused.is_empty() {
                return Ok(true);
            }
            refused.iter().for_each(|it| self.note_missing(*it));
            self.skip.extend(refused);
        }
        Ok(false)
    }

    /// A part of the plan in one call. Says whether a next one is of any use.
    async fn batch(&mut self, batch: Range<usize>) -> Result<bool, StoreError> {
        self.choose(batch.clone());
        if !self.sent.indices.is_empty() {
            self.send().await?;
        }
        batch.clone().for_each(|it| self.note_missing(it));
        let is_down = |it: &Outcome| matches!(it, Outcome::Failed(refusal) if refusal.is_down());
        Ok(!self.walked.outcomes[batch].iter().any(is_down))
    }

    fn note_missing(&mut self, at: usize) {
        self.missing
            .note(&self.plan.changes[at], &self.walked.outcomes[at]);
    }

    async fn send(&mut self) -> Result<(), StoreError> {
        let plan = &self.sent.plan;
        let changes: Vec<&Change> = plan.changes.iter().filter(|it| it.is_sent()).collect();
        let mut numbers = Vec::new();
        if !changes.is_empty() {
            failpoint::reached("push.before_intent");
            let step = |it: &&Change| intent_of(self.context, plan, it);
            let intents = changes.chunks(INTENT_STEPS).map(|some| Intent {
                steps: some.iter().map(step).collect(),
            });
            numbers = self.store.save_intents(&self.part.id, intents).await?;
            self.walked.intents.extend(&numbers);
            failpoint::reached("push.after_intent");
        }
        let view = self.context.view(plan);
        let outcomes = self.part.application.apply(&plan.changes, view).await;
        failpoint::reached("push.after_apply");
        self.strike(&numbers, &outcomes).await?;
        for (at, outcome) in self.sent.indices.iter().zip(outcomes) {
            // A refusal stays what it is when the rest is sent again without it.
            if !matches!(self.walked.outcomes[*at], Outcome::Failed(_)) {
                self.walked.outcomes[*at] = outcome;
            }
        }
        Ok(())
    }

    /// Strikes from the intents what the application said it did not make. An intent may stay open for the sake of its other
    /// steps, and whatever bears the name of what was not made is somebody else's.
    async fn strike(&self, numbers: &[i64], outcomes: &[Outcome]) -> Result<(), StoreError> {
        let plan = &self.sent.plan;
        let whole = self.part.application.abilities().batch == Batch::Whole;
        let both = plan.changes.iter().zip(outcomes);
        let sent: Vec<_> = both.filter(|it| it.0.is_sent()).collect();
        for (number, some) in numbers.iter().zip(sent.chunks(INTENT_STEPS)) {
            let left = some.iter().filter(|it| !is_not_made(it.0, it.1, whole));
            let steps: Vec<_> = left.map(|it| intent_of(self.context, plan, it.0)).collect();
            if steps.len() < some.len() {
                self.store.amend_intent(*number, &Intent { steps }).await?;
            }
        }
        Ok(())
    }

    /// Makes a part of the plan the one to be sent: without what is skipped, and without members that are therefore not there.
    fn choose(&mut self, part: Range<usize>) {
        self.sent.indices.clear();
        self.sent.plan.changes.clear();
        self.sent.plan.members.clear();
        for at in part.filter(|it| !self.skip.contains(it)) {
            let change = &self.plan.changes[at];
            if self.missing.has_subject(change) && change.moves_members() {
                continue;
            }
            self.sent.take(at, self.plan, &self.missing);
        }
    }
}

/// The changes of one call, as a plan of their own, and where they stand in the whole.
struct Sent {
    plan: Plan,
    indices: Vec<usize>,
}

impl Sent {
    /// Nothing of a plan yet.
    fn of(plan: &Plan) -> Sent {
        Sent {
            plan: Plan {
                new_accounts: plan.new_accounts.clone(),
                new_groups: plan.new_groups.clone(),
                ..Plan::default()
            },
            indices: Vec::new(),
        }
    }

    /// Takes a change, without members that are missing; one that was about nobody else is not taken.
    fn take(&mut self, at: usize, whole: &Plan, missing: &Missing) {
        let mut change = whole.changes[at].clone();
        if change.moves_members() {
            let there = |places: &[u32]| missing.without(&change, places);
            let given = there(whole.given(&change));
            let owned = there(whole.owned(&change));
            let taken = there(whole.taken(&change));
            change.start = self.plan.members.len() as u32;
            (change.give, change.own, change.take) =
                (given.len() as u32, owned.len() as u32, taken.len() as u32);
            if change.give + change.own + change.take == 0 {
                return;
            }
            let members = given.into_iter().chain(owned).chain(taken);
            self.plan.members.extend(members);
        }
        self.indices.push(at);
        self.plan.changes.push(change);
    }
}

impl Missing {
    /// What a plan of which every change has its outcome did not make.
    pub(crate) fn of(plan: &Plan, outcomes: &[Outcome]) -> Missing {
        let mut missing = Missing::default();
        for (change, outcome) in plan.changes.iter().zip(outcomes) {
            missing.note(change, outcome);
        }
        missing
    }

    /// Those of some members of a step that are there.
    pub(crate) fn without(&self, change: &Change, members: &[u32]) -> Vec<u32> {
        let missing = match change.step {
            Step::Children => &self.groups,
            _ => &self.accounts,
        };
        let there = members.iter().copied().filter(|it| !missing.contains(it));
        there.collect()
    }

    fn note(&mut self, change: &Change, outcome: &Outcome) {
        if change.step != Step::Create || matches!(outcome, Outcome::Done { .. }) {
            return;
        }
        match change.subject {
            Subject::Account(place) => self.accounts.insert(place),
            Subject::Group(place) => self.groups.insert(place),
        };
    }

    fn has_subject(&self, change: &Change) -> bool {
        match change.subject {
            Subject::Account(place) => self.accounts.contains(&place),
            Subject::Group(place) => self.groups.contains(&place),
        }
    }
}

/// Whether it is certain that what was to be made was not. What was skipped was never sent, unless a whole transaction was:
/// then nobody knows what became of any part of it.
fn is_not_made(change: &Change, outcome: &Outcome, whole: bool) -> bool {
    let not_made = match outcome {
        Outcome::Done { .. } => false,
        Outcome::Skipped => !whole,
        Outcome::Failed(refusal) => match refusal {
            Refusal::Refused(_) | Refusal::Stale(_) | Refusal::Unauthorised(_) => true,
            Refusal::Transient(_) | Refusal::Unavailable(_) => false,
        },
    };
    change.step == Step::Create && not_made
}
