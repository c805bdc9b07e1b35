//! The limits between what is known and what is done: the first plan, shares per window, single groups, seats.
//!
//! Each guard takes drafts away and says so in a held item; what a person approved for that very reason passes.

use std::collections::BTreeSet;

use crate::model::{Account, Class, Exceeded, HoldKey, HoldReason, Origin, Step, What, Withheld};
use crate::reconcile::accounts::{Draft, Drafts};
use crate::reconcile::context::Context;
use crate::reconcile::groups::{self, Groups};
use crate::reconcile::members::{self, MemberDraft};

/// All drafts of one plan.
#[derive(Debug, Default)]
pub(crate) struct All {
    pub(crate) accounts: Drafts,
    pub(crate) groups: Groups,
    pub(crate) members: Vec<MemberDraft>,
    pub(crate) children: Vec<MemberDraft>,
    /// The limits that took something away.
    pub(crate) exceeded: Vec<Exceeded>,
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

    /// Notes a limit that holds something.
    pub(crate) fn exceed(&mut self, reason: HoldReason, wanted: u64, limit: u64) {
        let class = match reason {
            HoldReason::RemovalsLimit => "removals",
            HoldReason::DeactivationsLimit => "deactivations",
            HoldReason::AdditionsLimit => "additions",
            _ => "seats",
        };
        self.exceeded.push(Exceeded {
            reason,
            class: class.to_owned(),
            wanted,
            limit,
        });
    }
}

/// What a change of an account is called in held items; stable from plan to plan.
pub(crate) fn change_text(context: &Context<'_, '_>, draft: &Draft) -> String {
    let what = draft.what;
    match draft.step {
        Step::Create => "create".to_owned(),
        Step::Delete => "delete".to_owned(),
        _ if what.has(What::ADOPT) => "adopt".to_owned(),
        _ if what.has(What::LEAVE) => "leave".to_owned(),
        _ if what.has(What::RENAME) => format!("rename to {}", context.roster().key(draft.wanted)),
        _ if what.has(What::DEACTIVATE) => "deactivate".to_owned(),
        _ if what.has(What::ACTIVATE) => "activate".to_owned(),
        _ => "update".to_owned(),
    }
}

/// Holds what the guards do not let pass.
pub(crate) fn apply(context: &mut Context<'_, '_>, all: &mut All) {
    if context.world.memory.first_applied_at.is_some() {
        hold_additions(context, all);
        hold_deactivations(context, all);
        hold_removals(context, all);
        hold_group_losses(context, all);
    } else if context.rules().approve_first && holds_anything(context) {
        return hold_first_plan(context, all);
    }
    groups::delete_emptied(context, &mut all.groups, &all.members, &all.children);
}

/// Whether the application holds accounts that were not made here: those of a first plan that was cut off are no reason to
/// hold the rest of it.
fn holds_anything(context: &Context<'_, '_>) -> bool {
    let made_here = |it: &Account| {
        let link = it.link.as_ref();
        link.is_some_and(|it| it.origin == Origin::Created)
    };
    let accounts = &context.holding().accounts;
    accounts.iter().any(|it| it.exists && !made_here(it))
}

const FIRST_PLAN: &str = "the first plan for an application that already holds accounts";

/// The first plan for an application that already holds accounts is held whole, but for what a person approved.
fn hold_first_plan(context: &mut Context<'_, '_>, all: &mut All) {
    // First, since memberships of accounts that are held are dropped: they would be new, and held, once those are approved.
    hold_first_members(context, all);
    hold_first_accounts(context, all);
    hold_first_groups(context, all);
}

fn hold_first_members(context: &mut Context<'_, '_>, all: &mut All) {
    let groups = &all.groups;
    for (list, word) in [
        (&mut all.members, "members"),
        (&mut all.children, "subgroups"),
    ] {
        list.retain(|draft| {
            let key = first_key(&members::group_key(context, groups, draft.group), word);
            let approved = context.approved(&key);
            if !approved {
                context.hold(key.subject, key.change, key.reason, FIRST_PLAN.to_owned());
            }
            approved
        });
    }
}

fn first_key(group: &str, change: &str) -> HoldKey {
    HoldKey {
        subject: format!("group {group}"),
        change: change.to_owned(),
        reason: HoldReason::FirstPlan,
    }
}

fn hold_first_accounts(context: &mut Context<'_, '_>, all: &mut All) {
    let key_of = |context: &Context<'_, '_>, all: &All, draft: &Draft| {
        let name = if draft.what.has(What::RENAME) {
            context.account_key(draft.place)
        } else {
            all.account_key(context, draft.place)
        };
        context.hold_key(name, &change_text(context, draft), HoldReason::FirstPlan)
    };
    let mut list = std::mem::take(&mut all.accounts.list);
    let mut places = BTreeSet::new();
    let mut kept_names: BTreeSet<String> = BTreeSet::new();
    // A rename that is held leaves its old name taken, so that whatever waits for that name is held with it.
    loop {
        let before = list.len();
        list.retain(|draft| {
            let key = key_of(context, all, draft);
            let takes_name = draft.step == Step::Create || draft.what.has(What::RENAME);
            let taken = takes_name && kept_names.contains(context.roster().key(draft.wanted));
            if context.approved(&key) && !taken {
                return true;
            }
            if draft.what.has(What::RENAME) {
                kept_names.insert(context.account_key(draft.place).to_owned());
            }
            if draft.step == Step::Create || draft.what.has(What::ADOPT) {
                places.insert(draft.place);
            }
            context.hold(key.subject, key.change, key.reason, FIRST_PLAN.to_owned());
            false
        });
        if list.len() == before {
            break;
        }
    }
    all.accounts.list = list;
    all.drop_members_of(&places);
}

fn hold_first_groups(context: &mut Context<'_, '_>, all: &mut All) {
    let mut closed = BTreeSet::new();
    let mut list = std::mem::take(&mut all.groups.list);
    list.retain(|draft| {
        let word = match draft.step {
            Step::Create => "create",
            Step::Delete => "delete",
            _ if draft.what.has(What::ADOPT) => "adopt",
            _ if draft.what.has(What::LEAVE) => "leave",
            _ => "update",
        };
        let key = first_key(&members::group_key(context, &all.groups, draft.place), word);
        let approved = context.approved(&key);
        if !approved {
            if draft.step == Step::Create || draft.what.has(What::ADOPT) {
                closed.insert(draft.place);
            }
            context.hold(key.subject, key.change, key.reason, FIRST_PLAN.to_owned());
        }
        approved
    });
    all.groups.list = list;
    for draft in &mut all.children {
        draft.give.retain(|it| !closed.contains(it));
        draft.own.retain(|it| !closed.contains(it));
    }
    all.children
        .retain(|it| !it.is_empty() && !closed.contains(&it.group));
    all.members.retain(|it| !closed.contains(&it.group));
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
    let reason = HoldReason::AdditionsLimit;
    let denied = hold_class(context, all, Class::Addition, reason, most, &done);
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
    let reason = HoldReason::DeactivationsLimit;
    hold_class(context, all, Class::Deactivation, reason, most, &done);
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
    // What leaves is counted together with who loses memberships.
    if !denied.is_empty() && class != Class::Removal {
        all.exceed(reason, total, most);
    }
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
    let held = context.matching.held.iter_mut();
    let mut held = held.filter(|it| it.reason == reason).peekable();
    if held.peek().is_some() {
        all.exceed(reason, total, most);
    }
    held.for_each(|it| it.detail.clone_from(&detail));
}

/// Holds what a group would lose, but for what was approved; says whether it holds anything.
fn hold_takes(
    context: &mut Context<'_, '_>,
    all: &All,
    draft: &mut MemberDraft,
    reason: HoldReason,
    detail: &str,
) -> bool {
    let mut holds = false;
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
            holds = true;
        }
    }
    holds
}

/// A group that would lose more than half and at least 20 of its members of ours within the window is held by itself.
fn hold_group_losses(context: &mut Context<'_, '_>, all: &mut All) {
    let mut list = std::mem::take(&mut all.members);
    for draft in &mut list {
        if draft.take.is_empty() {
            continue;
        }
        let group = &context.holding().groups[draft.group as usize];
        let ours = group.members.iter().filter(|it| it.ours()).count() as i64;
        let (given, taken) = context
            .world
            .memory
            .window
            .groups
            .get(&draft.group)
            .copied()
            .unwrap_or_default();
        let before = ours - i64::from(given) + i64::from(taken);
        let lost = i64::from(taken) + draft.take.len() as i64;
        if lost >= 20 && lost * 2 > before {
            let detail =
                format!("the group would lose {lost} of its {before} members within the window");
            let reason = HoldReason::GroupLimit;
            if hold_takes(context, all, draft, reason, &detail) {
                let group = members::group_key(context, &all.groups, draft.group);
                all.exceeded.push(Exceeded {
                    reason,
                    class: format!("group {group}"),
                    wanted: lost as u64,
                    limit: (before / 2).max(19) as u64,
                });
            }
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
