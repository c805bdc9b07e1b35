//! Walking a plan: intents first, then the application, then what became of it. Nothing is decided here.
//!
//! A change is sent only after its intent is durable. A change that the application refuses never stops the others: where a
//! whole plan is one transaction, the refused change is left out and the rest is sent again.

use std::collections::BTreeSet;

use tokio_util::sync::CancellationToken;

use crate::failpoint;
use crate::model::{Batch, Change, Intent, Outcome, Plan, Refusal, Step, Subject, View, What};
use crate::progress::Work;
use crate::reconcile::{Context, intent_of};
use crate::store::{Store, StoreError};
use crate::sync::parts::ApplicationPart;

/// How often a plan that is one transaction is tried without the changes that were refused.
const REFUSED_MAX: usize = 100;

/// What came of a plan.
#[derive(Debug, Default)]
pub(crate) struct Walked {
    /// One for each change of the plan.
    pub(crate) outcomes: Vec<Outcome>,
    /// The intents that were opened.
    pub(crate) intents: Vec<i64>,
    /// Changes that were left out because what they need is not there, by index.
    pub(crate) left_out: BTreeSet<usize>,
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
    let size = match part.application.abilities().batch {
        Batch::One => 1,
        Batch::Many(most) => most.max(1) as usize,
        Batch::Whole => usize::MAX,
    };
    let mut walk = Walk {
        store,
        part,
        context,
        plan,
        skip: skip.clone(),
        walked: Walked {
            outcomes: vec![Outcome::Skipped; plan.changes.len()],
            ..Walked::default()
        },
    };
    work.total(plan.changes.len() as u64);
    let mut start = 0;
    while start < plan.changes.len() && !stop.is_cancelled() {
        let end = plan.changes.len().min(start.saturating_add(size));
        let goes_on = if size == usize::MAX {
            walk.whole().await?
        } else {
            walk.batch(start, end).await?
        };
        work.advance((end - start) as u64);
        start = end;
        if !goes_on {
            break;
        }
    }
    Ok(walk.walked)
}

struct Walk<'a, 'w, 'c> {
    store: &'a Store,
    part: &'a ApplicationPart,
    context: &'a Context<'w, 'c>,
    plan: &'a Plan,
    skip: BTreeSet<usize>,
    walked: Walked,
}

impl Walk<'_, '_, '_> {
    /// The whole plan in one transaction, again without what was refused, until it is taken or nothing more can be left out.
    async fn whole(&mut self) -> Result<bool, StoreError> {
        for _ in 0..REFUSED_MAX {
            let sent = self.reduced(0, self.plan.changes.len());
            self.walked.left_out.extend(&sent.left_out);
            if sent.indices.is_empty() {
                return Ok(true);
            }
            self.send(&sent).await?;
            let refused: Vec<usize> = sent
                .indices
                .iter()
                .copied()
                .filter(|at| {
                    matches!(
                        self.walked.outcomes[*at],
                        Outcome::Failed(Refusal::Refused(_))
                    )
                })
                .collect();
            if refused.is_empty() {
                return Ok(true);
            }
            self.skip.extend(refused);
        }
        Ok(true)
    }

    async fn batch(&mut self, start: usize, end: usize) -> Result<bool, StoreError> {
        let sent = self.reduced(start, end);
        self.walked.left_out.extend(&sent.left_out);
        if !sent.indices.is_empty() {
            self.send(&sent).await?;
        }
        let ends = |at: &usize| {
            let Outcome::Failed(refusal) = &self.walked.outcomes[*at] else {
                return false;
            };
            matches!(refusal, Refusal::Unauthorised(_) | Refusal::Unavailable(_))
        };
        Ok(!sent.indices.iter().any(ends))
    }

    async fn send(&mut self, sent: &Sent) -> Result<(), StoreError> {
        let steps = sent.plan.changes.iter().filter(|it| is_sent(it));
        let steps: Vec<_> = steps
            .map(|it| intent_of(self.context, &sent.plan, it))
            .collect();
        if !steps.is_empty() {
            failpoint::reached("push.before_intent");
            let number = self
                .store
                .save_intent(&self.part.id, &Intent { steps })
                .await?;
            self.walked.intents.push(number);
            failpoint::reached("push.after_intent");
        }
        let view = View {
            plan: &sent.plan,
            roster: self.context.roster(),
            holding: self.context.holding(),
        };
        let outcomes = self.part.application.apply(&sent.plan.changes, view).await;
        failpoint::reached("push.after_apply");
        for (at, outcome) in sent.indices.iter().zip(outcomes) {
            // A refusal stays what it is when the rest is sent again without it.
            if !matches!(self.walked.outcomes[*at], Outcome::Failed(_)) {
                self.walked.outcomes[*at] = outcome;
            }
        }
        Ok(())
    }

    /// A part of the plan without what is skipped, and without members that are therefore not there.
    fn reduced(&self, start: usize, end: usize) -> Sent {
        let missing = |at: usize, subject: fn(&Change) -> Option<u32>| {
            let change = &self.plan.changes[at];
            (change.step == Step::Create
                && !matches!(self.walked.outcomes[at], Outcome::Done { .. }))
            .then(|| subject(change))
            .flatten()
        };
        let absent = |subject: fn(&Change) -> Option<u32>| -> BTreeSet<u32> {
            let skipped = self.skip.iter().copied();
            let failed = (0..start).filter(|at| {
                matches!(
                    self.walked.outcomes[*at],
                    Outcome::Failed(_) | Outcome::Skipped
                )
            });
            skipped
                .chain(failed)
                .filter_map(|at| missing(at, subject))
                .collect()
        };
        let accounts = absent(|it| {
            if let Subject::Account(place) = it.subject {
                Some(place)
            } else {
                None
            }
        });
        let groups = absent(|it| {
            if let Subject::Group(place) = it.subject {
                Some(place)
            } else {
                None
            }
        });
        let mut sent = Sent {
            plan: Plan {
                new_accounts: self.plan.new_accounts.clone(),
                new_groups: self.plan.new_groups.clone(),
                ..Plan::default()
            },
            indices: Vec::new(),
            left_out: Vec::new(),
        };
        for at in (start..end).filter(|at| !self.skip.contains(at)) {
            let mut change = self.plan.changes[at].clone();
            if let (Step::Members | Step::Children, Subject::Group(group)) =
                (change.step, change.subject)
            {
                if groups.contains(&group) {
                    sent.left_out.push(at);
                    continue;
                }
                let gone = if change.step == Step::Members {
                    &accounts
                } else {
                    &groups
                };
                let keep = |places: &[u32]| -> Vec<u32> {
                    places
                        .iter()
                        .copied()
                        .filter(|it| !gone.contains(it))
                        .collect()
                };
                let given = keep(self.plan.given(&change));
                let owned = keep(self.plan.owned(&change));
                let taken = keep(self.plan.taken(&change));
                if given.is_empty() && owned.is_empty() && taken.is_empty() {
                    sent.left_out.push(at);
                    continue;
                }
                change.start = sent.plan.members.len() as u32;
                (change.give, change.own, change.take) =
                    (given.len() as u32, owned.len() as u32, taken.len() as u32);
                sent.plan
                    .members
                    .extend(given.into_iter().chain(owned).chain(taken));
            }
            sent.indices.push(at);
            sent.plan.changes.push(change);
        }
        sent
    }
}

/// The changes of one call, as a plan of their own, and where they stand in the whole.
struct Sent {
    plan: Plan,
    indices: Vec<usize>,
    /// Changes that need what is not there.
    left_out: Vec<usize>,
}

/// Whether a change has any effect outside.
pub(crate) fn is_sent(change: &Change) -> bool {
    match change.step {
        Step::Create | Step::Delete => true,
        Step::Members | Step::Children => change.give + change.take > 0,
        Step::Update => !change.what.without(What::REMEMBERED).is_empty(),
    }
}
