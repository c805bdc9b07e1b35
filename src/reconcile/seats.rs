//! Seats: how many active accounts there may be, in all or in some groups.
//!
//! What frees a seat in this plan is counted before what uses one. Those who would use a seat stand in a queue: what was
//! approved comes first, then whoever was held longest, then by name.

use std::collections::{BTreeMap, BTreeSet};

use crate::clock::Timestamp;
use crate::model::{HoldKey, HoldReason, Step, What};
use crate::reconcile::context::Context;
use crate::reconcile::guard::All;
use crate::reconcile::members;
use crate::reconcile::rules::Seats;

/// A step that would use a seat: an account that becomes active, or an active one that joins a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Use {
    Activation(u32),
    Membership { group: u32, account: u32 },
}

/// Holds the steps that would go beyond the seats for all active accounts.
pub(crate) fn limit_accounts(context: &mut Context<'_, '_>, all: &mut All) {
    for seats in context
        .rules()
        .seats
        .iter()
        .filter(|it| it.groups.is_empty())
    {
        limit(context, all, seats);
    }
}

/// Holds the steps that would go beyond the seats in groups.
pub(crate) fn limit_groups(context: &mut Context<'_, '_>, all: &mut All) {
    for seats in context
        .rules()
        .seats
        .iter()
        .filter(|it| !it.groups.is_empty())
    {
        limit(context, all, seats);
    }
}

fn limit(context: &mut Context<'_, '_>, all: &mut All, seats: &Seats) {
    let becoming = activations(context, all);
    let leaving = deactivations(all);
    let active_before = |place: u32| {
        let account = context.holding().accounts.get(place as usize);
        account.is_some_and(|it| it.exists && it.seen.active)
    };
    let stays_active = |place: u32| active_before(place) && !leaving.contains(&place);
    let groups = group_places(context, all, seats);
    let remaining: BTreeSet<u32> = groups
        .iter()
        .flat_map(|it| remaining_members(context, all, *it))
        .collect();
    let mut seated: BTreeSet<u32> = if seats.groups.is_empty() {
        (0..context.holding().accounts.len() as u32)
            .filter(|it| stays_active(*it))
            .collect()
    } else {
        remaining
            .iter()
            .copied()
            .filter(|it| stays_active(*it))
            .collect()
    };
    let mut queue: Vec<(bool, Timestamp, HoldKey, Use)> = Vec::new();
    let mut push = |context: &Context<'_, '_>, all: &All, step: Use| {
        let key = key_of(context, all, step);
        let since = first_held(context, &key);
        queue.push((!context.approved(&key), since, key, step));
    };
    if seats.groups.is_empty() {
        becoming
            .iter()
            .for_each(|&place| push(context, all, Use::Activation(place)));
    } else {
        for draft in all.members.iter().filter(|it| groups.contains(&it.group)) {
            for &account in &draft.give {
                if stays_active(account) || becoming.contains(&account) {
                    push(
                        context,
                        all,
                        Use::Membership {
                            group: draft.group,
                            account,
                        },
                    );
                }
            }
        }
        becoming
            .intersection(&remaining)
            .for_each(|&place| push(context, all, Use::Activation(place)));
    }
    queue.sort();
    let mut denied = BTreeMap::new();
    for (not_approved, _, key, step) in queue {
        let (Use::Activation(account) | Use::Membership { account, .. }) = step;
        if seated.contains(&account) || !not_approved || (seated.len() as u64) < seats.max {
            seated.insert(account);
        } else {
            denied.insert(step, key);
        }
    }
    deny(context, all, seats, denied);
}

/// Since when a change has been held, for whatever reason.
fn first_held(context: &Context<'_, '_>, key: &HoldKey) -> Timestamp {
    let least = HoldKey {
        reason: HoldReason::FirstPlan,
        ..key.clone()
    };
    let same = |it: &HoldKey| it.subject == key.subject && it.change == key.change;
    let held = context.world.memory.held.range(least..);
    let held = held.take_while(|it| same(it.0)).map(|it| *it.1);
    held.min().unwrap_or(context.world.now)
}

/// Accounts that become active in this plan: new active ones and those that are switched on.
fn activations(context: &Context<'_, '_>, all: &All) -> BTreeSet<u32> {
    let uses = |it: &&crate::reconcile::accounts::Draft| match it.step {
        Step::Create => context.roster().users[it.wanted as usize].active,
        _ => it.what.has(What::ACTIVATE),
    };
    all.accounts
        .list
        .iter()
        .filter(uses)
        .map(|it| it.place)
        .collect()
}

fn deactivations(all: &All) -> BTreeSet<u32> {
    let frees = |it: &&crate::reconcile::accounts::Draft| {
        it.step == Step::Delete || it.what.has(What::DEACTIVATE)
    };
    all.accounts
        .list
        .iter()
        .filter(frees)
        .map(|it| it.place)
        .collect()
}

fn group_places(context: &Context<'_, '_>, all: &All, seats: &Seats) -> Vec<u32> {
    let known = context.holding().groups.len() as u32;
    let fresh = known..known + all.groups.new_groups.len() as u32;
    (0..known)
        .filter(|it| context.holding().groups[*it as usize].exists)
        .chain(fresh)
        .filter(|&it| {
            seats
                .groups
                .contains(&members::group_key(context, &all.groups, it))
        })
        .collect()
}

/// The members that an existing group still has once the plan's takes were made.
fn remaining_members(context: &Context<'_, '_>, all: &All, group: u32) -> Vec<u32> {
    let held = context
        .holding()
        .groups
        .get(group as usize)
        .map_or(&[][..], |it| it.members.as_slice());
    let takes = all
        .members
        .iter()
        .find(|it| it.group == group)
        .map_or(&[][..], |it| it.take.as_slice());
    let taken: BTreeSet<u32> = takes.iter().copied().collect();
    held.iter()
        .map(|it| it.place())
        .filter(|it| !taken.contains(it))
        .collect()
}

fn key_of(context: &Context<'_, '_>, all: &All, step: Use) -> HoldKey {
    let (account, change) = match step {
        Use::Activation(account) => {
            let new = account as usize >= context.holding().accounts.len();
            (
                account,
                if new {
                    "create".to_owned()
                } else {
                    "activate".to_owned()
                },
            )
        }
        Use::Membership { group, account } => (
            account,
            format!("join {}", members::group_key(context, &all.groups, group)),
        ),
    };
    let subject = format!("user {}", all.account_key(context, account));
    HoldKey {
        subject,
        change,
        reason: HoldReason::Seats,
    }
}

fn deny(
    context: &mut Context<'_, '_>,
    all: &mut All,
    seats: &Seats,
    denied: BTreeMap<Use, HoldKey>,
) {
    let of = if seats.groups.is_empty() {
        "active accounts".to_owned()
    } else {
        seats.groups.join(", ")
    };
    let detail = format!("all {} seats of {of} are taken", seats.max);
    let mut created = BTreeSet::new();
    for (step, key) in denied {
        match step {
            Use::Activation(place) => {
                for draft in all.accounts.list.iter_mut().filter(|it| it.place == place) {
                    draft.what = draft.what.without(What::ACTIVATE);
                    draft.class = None;
                }
                if place as usize >= context.holding().accounts.len() {
                    created.insert(place);
                }
            }
            Use::Membership { group, account } => {
                for draft in all.members.iter_mut().filter(|it| it.group == group) {
                    draft.give.retain(|it| *it != account);
                }
            }
        }
        context.hold(key.subject, key.change, key.reason, detail.clone());
    }
    all.accounts.list.retain(|it| {
        !created.contains(&it.place) && (it.step != Step::Update || !it.what.is_empty())
    });
    all.drop_members_of(&created);
    all.members.retain(|it| !it.is_empty());
}
