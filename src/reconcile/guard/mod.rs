//! The limits between what is known and what is done: the first plan, shares per window, single groups, seats.
//!
//! Each guard takes drafts away and says so in a held item; what a person approved for that very reason passes.

mod first_plan;

use std::collections::BTreeSet;

use crate::model::{Account, Class, HoldKey, HoldReason, Origin, Step, What, Withheld};
use crate::reconcile::accounts::{Draft, Drafts};
use crate::reconcile::context::Context;
use crate::reconcile::groups::{self, Groups};
use crate::reconcile::members::{self, MemberDraft};
use crate::reconcile::seats;

use first_plan::hold_first_plan;

/// All drafts of one plan.
#[derive(Debug, Default)]
pub(crate) struct All {
    pub(crate) accounts: Drafts,
    pub(crate) groups: Groups,
    pub(crate) members: Vec<MemberDraft>,
    pub(crate) children: Vec<MemberDraft>,
}

impl All {
    pub(crate) fn account_key<'c>(&'c self, context: &'c Context<'_, '_>, place: u32) -> &'c str {
        members::account_key(context, &self.accounts, place)
    }

    /// Drops memberships of accounts that will not be there, or that will not be ours.
    pub(crate) fn drop_members_of(&mut self, places: &BTreeSet<u32>) {
        if places.is_empty() {
            return;
        }
        for it in &mut self.members {
            it.give.retain(|place| !places.contains(place));
            it.own.retain(|place| !places.contains(place));
        }
        self.members.retain(|it| !it.is_empty());
    }
}

/// What a change of an account is called in held items; stable from plan to plan.
pub(crate) fn change_text(context: &Context<'_, '_>, draft: &Draft) -> String {
    let what = draft.what;
    match draft.step {
        Step::Create => "create".to_owned(),
        Step::Delete => "delete".to_owned(),
        _ if what.has(What::ADOPT) => adoption_text(context, draft),
        _ if what.has(What::LEAVE) => "leave".to_owned(),
        _ if what.has(What::RENAME) => format!("rename to {}", context.roster().key(draft.wanted)),
        _ if what.has(What::DEACTIVATE) => "deactivate".to_owned(),
        _ if what.has(What::ACTIVATE) => "activate".to_owned(),
        _ => format!("update {}", what.words().join(", ")),
    }
}

/// Fields follow from an adoption; a new name and being switched off or on are named beside it.
fn adoption_text(context: &Context<'_, '_>, draft: &Draft) -> String {
    let mut words = vec!["adopt".to_owned()];
    if draft.what.has(What::RENAME) {
        words.push(format!("rename to {}", context.roster().key(draft.wanted)));
    }
    if draft.what.has(What::DEACTIVATE) {
        words.push("deactivate".to_owned());
    }
    if draft.what.has(What::ACTIVATE) {
        words.push("activate".to_owned());
    }
    words.join(" and ")
}

/// Holds what the guards do not let pass. Limits on what frees seats come before the seats, so that nobody gets one that stays
/// taken; the limit on additions comes after the seats of accounts, so that nobody counts who got none, and before those in
/// groups, so that nobody has one there without an account.
pub(crate) fn apply(context: &mut Context<'_, '_>, all: &mut All) {
    let limited = context.world.memory.first_applied_at.is_some();
    let first = !limited && context.rules().approve_first && holds_anything(context);
    if limited {
        hold_deactivations(context, all);
        hold_removals(context, all);
        hold_group_losses(context, all);
    } else if first {
        hold_first_plan(context, all);
    }
    seats::limit_accounts(context, all);
    if limited {
        hold_additions(context, all);
    }
    seats::limit_groups(context, all);
    if !first {
        groups::delete_emptied(context, &mut all.groups, &all.members, &all.children);
    }
}

/// Whether the application holds accounts that were not made here: those of a first plan that was cut off are no reason to
/// hold the rest of it. Who polls a served set holds accounts that nobody can list.
fn holds_anything(context: &Context<'_, '_>) -> bool {
    if context.abilities().served {
        return true;
    }
    let made_here = |it: &Account| {
        let link = it.link.as_ref();
        link.is_some_and(|it| it.origin == Origin::Created)
    };
    let accounts = &context.holding().accounts;
    accounts.iter().any(|it| it.exists && !made_here(it))
}

/// How many active linked accounts there were when the window opened.
fn base(context: &Context<'_, '_>) -> u64 {
    let now = context.holding().active_linked() as i64;
    (now - context.world.memory.window.active_delta).max(0) as u64
}

fn hold_additions(context: &mut Context<'_, '_>, all: &mut All) {
    let share = context.rules().limits.additions.share(base(context));
    let most = share.map(|it| it.max(50));
    let done = context.world.memory.window.added.clone();
    let denied = hold_class(
        context,
        all,
        Class::Addition,
        HoldReason::AdditionsLimit,
        most,
        &done,
    );
    let created = denied
        .iter()
        .filter(|it| it.step == Step::Create)
        .map(|it| it.place)
        .collect();
    all.drop_members_of(&created);
}

fn hold_deactivations(context: &mut Context<'_, '_>, all: &mut All) {
    let share = context.rules().limits.deactivations.share(base(context));
    let most = share.map(|it| it.max(5));
    let done = context.world.memory.window.deactivated.clone();
    hold_class(
        context,
        all,
        Class::Deactivation,
        HoldReason::DeactivationsLimit,
        most,
        &done,
    );
}

/// Holds the drafts of a class when they would go beyond what is left of its limit. A part of a draft that is not of the class
/// (its fields) goes on.
fn hold_class(
    context: &mut Context<'_, '_>,
    all: &mut All,
    class: Class,
    reason: HoldReason,
    most: Option<u64>,
    done: &BTreeSet<u32>,
) -> Vec<Draft> {
    let Some(most) = most else { return Vec::new() };
    let mut counted = done.clone();
    counted.extend(
        all.accounts
            .list
            .iter()
            .filter(|it| it.class == Some(class))
            .map(|it| it.place),
    );
    let total = counted.len() as u64;
    if total <= most {
        return Vec::new();
    }
    let detail = format!("{total} within the window, {most} allowed");
    let mut denied = Vec::new();
    let list = std::mem::take(&mut all.accounts.list);
    let mut kept = Vec::with_capacity(list.len());
    for mut draft in list {
        if draft.class != Some(class) {
            kept.push(draft);
            continue;
        }
        let subject = format!("user {}", all.account_key(context, draft.place));
        let word = match class {
            Class::Addition if draft.step == Step::Update => "activate".to_owned(),
            Class::Deactivation => "deactivate".to_owned(),
            _ => change_text(context, &draft),
        };
        let key = HoldKey {
            subject,
            change: word,
            reason,
        };
        if context.approved(&key) {
            kept.push(draft);
            continue;
        }
        context.hold(key.subject, key.change, key.reason, detail.clone());
        denied.push(draft.clone());
        draft.what = draft.what.without(What::ACTIVATE).without(What::DEACTIVATE);
        draft.class = None;
        if draft.step == Step::Update && class != Class::Removal && !draft.what.is_empty() {
            kept.push(draft);
        }
    }
    all.accounts.list = kept;
    denied
}

/// Removals are counted by account, each once: leaving, being deleted, and losing memberships.
fn hold_removals(context: &mut Context<'_, '_>, all: &mut All) {
    let Some(most) = context.rules().limits.removals.share(base(context)) else {
        return;
    };
    let mut counted = context.world.memory.window.removed.clone();
    counted.extend(
        all.accounts
            .list
            .iter()
            .filter(|it| it.class == Some(Class::Removal))
            .map(|it| it.place),
    );
    counted.extend(all.members.iter().flat_map(|it| &it.take));
    let total = counted.len() as u64;
    if total <= most {
        return;
    }
    let reason = HoldReason::RemovalsLimit;
    let done = context.world.memory.window.removed.clone();
    hold_class(context, all, Class::Removal, reason, Some(0), &done);
    let detail = format!("{total} within the window, {most} allowed");
    let mut list = std::mem::take(&mut all.members);
    for draft in &mut list {
        hold_takes(context, all, draft, reason, &detail);
    }
    all.members = list;
    all.members.retain(|it| !it.is_empty());
    for it in &mut context.matching.held {
        if it.reason == reason {
            it.detail.clone_from(&detail);
        }
    }
}

fn hold_takes(
    context: &mut Context<'_, '_>,
    all: &All,
    draft: &mut MemberDraft,
    reason: HoldReason,
    detail: &str,
) {
    let change = members::leave_text(context, &all.groups, draft.group);
    let takes = std::mem::take(&mut draft.take);
    for place in takes {
        let subject = format!("user {}", all.account_key(context, place));
        let key = HoldKey {
            subject,
            change: change.clone(),
            reason,
        };
        if context.approved(&key) {
            draft.take.push(place);
        } else {
            context.hold(key.subject, key.change, key.reason, detail.to_owned());
        }
    }
}

/// A group that would lose more than half and at least 20 of its members of ours within the window is held by itself.
fn hold_group_losses(context: &mut Context<'_, '_>, all: &mut All) {
    let mut list = std::mem::take(&mut all.members);
    for draft in &mut list {
        if draft.take.is_empty() {
            continue;
        }
        let group = &context.holding().groups[draft.group as usize];
        let ours: Vec<u32> = group
            .members
            .iter()
            .filter(|it| it.ours())
            .map(|it| it.place())
            .collect();
        let is_ours = |it: &&u32| ours.binary_search(it).is_ok();
        let leaving = draft.take.iter().filter(is_ours).count();
        let (given, taken) = context
            .world
            .memory
            .window
            .groups
            .get(&draft.group)
            .copied()
            .unwrap_or_default();
        let before = ours.len() as i64 - i64::from(given) + i64::from(taken);
        let lost = i64::from(taken) + leaving as i64;
        if lost >= 20 && lost * 2 > before {
            let detail =
                format!("the group would lose {lost} of its {before} members within the window");
            hold_takes(context, all, draft, HoldReason::GroupLimit, &detail);
        }
    }
    list.retain(|it| !it.is_empty());
    all.members = list;
}

/// Sorts what is held and drops repetitions.
pub(crate) fn tidy(held: &mut Vec<Withheld<HoldReason>>) {
    held.sort();
    held.dedup_by(|a, b| a.subject == b.subject && a.change == b.change && a.reason == b.reason);
}
