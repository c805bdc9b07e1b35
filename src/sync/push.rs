//! The push job: pin what the directories said, plan, walk the plan, and commit what became of it.
//!
//! A push opens no directory. It is due when something it depends on has moved; when it is not, it writes one time and ends.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, Timestamp};
use crate::events;
use crate::failpoint;
use crate::model::{HoldReason, Holding, NoticeKind, Outcome, Plan, Refusal, View, What, Withheld};
use crate::progress::Work;
use crate::reconcile::{self, Context, Standing, World, advance, interrupted};
use crate::store::{ApplicationState, Failure, PushCommit, Refused, Snapshot, Store, StoreError};
use crate::sync::execute::{self, Walked};
use crate::sync::load::{self, Loaded, Pinned, Present, listing_is_due, load_all, present_holding};
use crate::sync::outcome::Pushed;
use crate::sync::parts::ApplicationPart;
use crate::sync::tell;

/// How often the store is told that nothing was due for an application, in seconds.
const TOLD_EVERY: i64 = 60;

/// Pushes one application, or finds that nothing is due. An application that turns out not to hold what it was last seen to
/// hold (a backup was put back, say) is listed anew and gone to once more. Where a person `asked` for it, nothing rests.
///
/// # Errors
/// [`StoreError`] when the store could not be read or written. What was sent before that is found again by its intents.
pub async fn push(
    part: &ApplicationPart,
    store: &Store,
    clock: &dyn Clock,
    asked: bool,
    work: &Work,
    stop: &CancellationToken,
) -> Result<Pushed, StoreError> {
    let first = attempt(part, store, clock, asked, work, stop).await?;
    if !first.stale || stop.is_cancelled() {
        return Ok(first);
    }
    let mut second = attempt(part, store, clock, asked, work, stop).await?;
    // What failed before is part of the second plan; what was done is not.
    second.counts += first.counts.done();
    Ok(second)
}

/// Whether a push would find anything to do; `None` if not, and the store was told lately that all is well.
///
/// # Errors
/// [`StoreError`] when the store cannot be read.
pub async fn is_due(
    part: &ApplicationPart,
    store: &Store,
    now: Timestamp,
) -> Result<Option<bool>, StoreError> {
    let mut snapshot = store.snapshot().await?;
    let state = snapshot.application(&part.id).await?.unwrap_or_default();
    let pinned = load::pin(&mut snapshot, part, now).await?;
    let idle = not_due(&mut snapshot, part, &state, &pinned, now).await?;
    let often = TOLD_EVERY.min(part.stale_after.as_seconds() / 2);
    let lately = |it: Timestamp| it <= now && now.0 - it.0 < often;
    Ok(match idle {
        Some(_) if state.pushed_at.is_some_and(lately) => None,
        idle => Some(idle.is_none()),
    })
}

async fn attempt(
    part: &ApplicationPart,
    store: &Store,
    clock: &dyn Clock,
    asked: bool,
    work: &Work,
    stop: &CancellationToken,
) -> Result<Pushed, StoreError> {
    let now = clock.now();
    let mut snapshot = store.snapshot().await?;
    let mut state = snapshot.application(&part.id).await?.unwrap_or_default();
    let pinned = load::pin(&mut snapshot, part, now).await?;
    if let Some(idle) = not_due(&mut snapshot, part, &state, &pinned, now).await? {
        drop(snapshot);
        state.pushed_at = Some(now);
        store.save_application(&part.id, &state).await?;
        return Ok(idle);
    }
    let mut loaded = load_all(&mut snapshot, part, state, pinned, now).await?;
    drop(snapshot);
    work.alive();
    let holding = match present_holding(part, &loaded, now).await {
        Ok(holding) => holding,
        Err(refusal) => return failed(part, store, loaded.state, &refusal, now).await,
    };
    tell::gone(part, &loaded, &holding.holding);
    if !loaded.intents.is_empty() {
        recover(part, store, &mut loaded, &holding.holding, now).await?;
    }
    work.alive();
    let abilities = part.application.abilities();
    let world = load::world(
        &part.rules,
        abilities,
        &loaded.pinned,
        &holding.holding,
        &loaded.memory,
        now,
    );
    let (context, mut plan) = tokio::task::block_in_place(|| reconcile::plan(&world));
    let only_shown = is_only_shown(part, &loaded);
    let mode = if only_shown { "plan" } else { "apply" };
    events::plan_made(
        &part.name,
        mode,
        plan.changes.len() as u64,
        plan.held.len() as u64,
        plan.waiting.len() as u64,
    );
    let refused = if asked { &[][..] } else { &loaded.refused };
    let mut skip = resting(&context, &plan, refused, now);
    let mut walked = if only_shown {
        Walked {
            outcomes: vec![Outcome::Skipped; plan.changes.len()],
            intents: Vec::new(),
            ended: true,
        }
    } else {
        execute::execute(store, part, &context, &plan, &skip, work, stop).await?
    };
    let first = plan.changes.len();
    let alone = execute::switches_off(&plan, &walked.outcomes, &skip);
    if !alone.is_empty() && !only_shown {
        plan.changes.extend(alone);
        skip = resting(&context, &plan, refused, now);
        let behind = skip.iter().copied().chain(0..first).collect();
        let more = execute::execute(store, part, &context, &plan, &behind, work, stop).await?;
        walked.append(more);
    }
    let view = context.view(&plan);
    let ended = Ended {
        part,
        loaded: &loaded,
        world: &world,
        context: &context,
        plan: &plan,
        walked: &walked,
        rested: skip.len(),
        only_shown,
        view,
    };
    failpoint::reached("push.before_commit");
    let pushed = ended.commit(store, &holding, clock.now()).await?;
    failpoint::reached("push.after_commit");
    Ok(pushed)
}

/// Nothing to do: no revision moved, no clock runs, nothing is held or approved, the configuration is the same, no listing
/// is due.
async fn not_due(
    snapshot: &mut Snapshot,
    part: &ApplicationPart,
    state: &ApplicationState,
    pinned: &[Pinned],
    now: Timestamp,
) -> Result<Option<Pushed>, StoreError> {
    let moved = pinned
        .iter()
        .any(|it| state.pinned.get(&it.part.id) != Some(&it.revision))
        || state.pinned.len() != pinned.len();
    let due = state.push == 0
        || moved
        || state.basis != part.basis
        || state.configured != part.configured
        || state.failure.is_some()
        || listing_is_due(part, state, now);
    if due {
        return Ok(None);
    }
    let known = snapshot.held(&part.id).await?;
    let approved = snapshot.approved(&part.id, now).await?;
    let open = snapshot.open_intents(&part.id).await?;
    let stale = pinned.iter().any(|it| it.standing != Standing::Fresh);
    if !(known.held.is_empty()
        && known.waiting.is_empty()
        && approved.keys.is_empty()
        && open.is_empty())
        || stale
    {
        return Ok(None);
    }
    let refused = snapshot.refused(&part.id).await?;
    if !refused.is_empty() {
        return Ok(None);
    }
    Ok(Some(Pushed {
        due: false,
        reached: true,
        ..Pushed::default()
    }))
}

/// Whether a plan is shown and not applied: as configured; or because it is the first one of a set that is served, and some
/// listed directory was never read. Whoever polls must not take a part of the set for all of it.
fn is_only_shown(part: &ApplicationPart, loaded: &Loaded) -> bool {
    let unread = |it: &Pinned| it.standing != Standing::Disabled && it.records.is_none();
    let first = loaded.state.first_applied_at.is_none();
    let served = part.application.abilities().served;
    part.plan_only || (served && first && loaded.pinned.iter().any(unread))
}

/// Commits what was found of a push that was cut off before anything new is sent, so that open intents are always those of
/// one push and speak of the places of one holding.
async fn recover(
    part: &ApplicationPart,
    store: &Store,
    loaded: &mut Loaded,
    found: &Arc<Holding>,
    now: Timestamp,
) -> Result<(), StoreError> {
    failpoint::reached("push.before_recovery");
    let settled: Vec<i64> = loaded.intents.iter().map(|it| it.0).collect();
    let before = loaded.remembered.as_deref();
    let nothing = Holding::default();
    let intents = loaded.intents.iter().map(|it| &it.1);
    let history = interrupted(before.unwrap_or(&nothing), found, intents, now);
    loaded.state.push = store
        .recover(&part.id, &loaded.state, before, found, &settled, history)
        .await?;
    failpoint::reached("push.after_recovery");
    // What was found counts against the limits from now on.
    let mut snapshot = store.snapshot().await?;
    loaded.memory.window = load::window(&mut snapshot, part, &loaded.state, now).await?;
    loaded.remembered = Some(Arc::clone(found));
    loaded.intents.clear();
    Ok(())
}

async fn failed(
    part: &ApplicationPart,
    store: &Store,
    mut state: ApplicationState,
    refusal: &Refusal,
    now: Timestamp,
) -> Result<Pushed, StoreError> {
    let failure = tell::failure_of(refusal);
    state.failure = Some(Failure {
        at: now,
        word: failure.word().to_owned(),
        text: refusal.to_string(),
    });
    store.save_application(&part.id, &state).await?;
    events::application_failed(&part.name, failure, &refusal.to_string());
    Ok(Pushed {
        due: true,
        reached: false,
        ..Pushed::default()
    })
}

/// The changes that were refused so often that they rest until their next try, by index.
fn resting(
    context: &Context<'_, '_>,
    plan: &Plan,
    refused: &[Refused],
    now: Timestamp,
) -> BTreeSet<usize> {
    if refused.is_empty() {
        return BTreeSet::new();
    }
    let rests = |at: &usize| {
        let known = tell::known(context, plan, &plan.changes[*at], refused);
        known.is_some_and(|it| it.next_at > now)
    };
    (0..plan.changes.len()).filter(rests).collect()
}

/// A plan that was walked, about to be committed.
struct Ended<'a, 'w, 'c> {
    part: &'a ApplicationPart,
    loaded: &'a Loaded,
    world: &'a World<'c>,
    context: &'a Context<'w, 'c>,
    plan: &'a Plan,
    walked: &'a Walked,
    /// How many changes were not tried because they were refused too often.
    rested: usize,
    /// Nothing of the plan was to be applied.
    only_shown: bool,
    view: View<'a>,
}

impl Ended<'_, '_, '_> {
    async fn commit(
        &self,
        store: &Store,
        present: &Present,
        ended_at: Timestamp,
    ) -> Result<Pushed, StoreError> {
        let after =
            tokio::task::block_in_place(|| advance(self.context, self.plan, &self.walked.outcomes));
        let now = self.world.now;
        let history = tell::history(self.context, self.view, &self.walked.outcomes, now);
        let refused = tell::refusals(
            self.context,
            self.plan,
            &self.walked.outcomes,
            &self.loaded.refused,
            now,
        );
        let surprise = self.walked.outcomes.iter().find_map(|it| match it {
            Outcome::Failed(refusal) if !matches!(refusal, Refusal::Refused(_)) => Some(refusal),
            _ => None,
        });
        let mut state = self.state(present, surprise, ended_at);
        if after.is_unlisted() {
            state.reread_at = None;
        }
        // What failed in an unknown way keeps its intent open, so that the next push looks first.
        let settled: &[i64] = if surprise.is_none() {
            &self.walked.intents
        } else {
            &[]
        };
        let before = self.loaded.remembered.as_deref();
        let commit = PushCommit {
            at: ended_at,
            before,
            after: &after,
            state: &state,
            close_intents: settled,
            history: Box::new(history),
            held: &self.plan.held,
            waiting: &self.plan.waiting,
            refused: &refused,
        };
        store.commit_push(&self.part.id, commit).await?;
        let sets = store.snapshot().await?.held_sets().await?;
        let mut counts = tell::tell(
            self.part,
            self.context,
            self.plan,
            &self.walked.outcomes,
            self.view,
            &sets,
            &refused,
        );
        counts.changes_refused += self.rested as u64;
        let is_stale = |it: &Outcome| matches!(it, Outcome::Failed(Refusal::Stale(_)));
        Ok(Pushed {
            due: true,
            reached: !surprise.is_some_and(Refusal::is_down),
            stale: self.walked.outcomes.iter().any(is_stale),
            counts,
            due_at: self.plan.due_at,
        })
    }

    fn state(
        &self,
        present: &Present,
        surprise: Option<&Refusal>,
        ended_at: Timestamp,
    ) -> ApplicationState {
        let now = self.world.now;
        let mut state = self.loaded.state.clone();
        state.planned_at = Some(now);
        if present.listed {
            state.reread_at = Some(now);
        }
        if let Some(refusal) = surprise {
            let word = tell::failure_of(refusal).word().to_owned();
            state.failure = Some(Failure {
                at: ended_at,
                word,
                text: refusal.to_string(),
            });
            return state;
        }
        state.failure = None;
        state.pushed_at = Some(ended_at);
        if !self.walked.ended {
            // Not walked to its end: what is pinned is not pushed yet.
            return state;
        }
        let pinned = self.loaded.pinned.iter();
        state.pinned = pinned.map(|it| (it.part.id.clone(), it.revision)).collect();
        state.configured.clone_from(&self.part.configured);
        if self.must_plan_again() {
            state.pinned.clear();
        }
        if self.only_shown {
            return state;
        }
        if state.basis.is_empty()
            || self
                .world
                .directories
                .iter()
                .all(|it| it.standing == Standing::Fresh)
        {
            state.basis.clone_from(&self.part.basis);
        }
        let held_first = |it: &Withheld<HoldReason>| it.reason == HoldReason::FirstPlan;
        // Who polls a served set must not see one of which a part is held.
        let approved = self.loaded.first_plan_approved && !self.context.abilities().served;
        let first_is_over = approved || !self.plan.held.iter().any(held_first);
        if state.first_applied_at.is_none() && first_is_over {
            state.first_applied_at = Some(ended_at);
        }
        state
    }

    /// Whether the next push must plan although nothing may have moved: somebody left, and a clock runs from now on until he
    /// is deleted; or something is wrong, and is to be told at every pass.
    fn must_plan_again(&self) -> bool {
        let plan = self.plan;
        let wrong = plan.notices.iter().any(|it| match it.kind {
            NoticeKind::ProtectedLeft
            | NoticeKind::AccessRemains
            | NoticeKind::NamedGroupMissing
            | NoticeKind::RemovalsBlocked => true,
            NoticeKind::DuplicateMail => false,
        });
        let left = plan.changes.iter().any(|it| it.what.has(What::LEAVE));
        left || wrong || !plan.frozen.is_empty() || !plan.doubled.is_empty()
    }
}
