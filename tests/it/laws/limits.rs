//! *limits*, *clock*, *seats* and what is protected: what a plan may not do however much it is wanted.

use std::collections::BTreeSet;

use usersyncd::clock::Timestamp;
use usersyncd::model::{
    Account, Change, Class, HistoryEntry, HoldKey, HoldReason, NONE, Origin, Plan, Step, Subject,
    What,
};
use usersyncd::reconcile::rules::Seats;
use usersyncd::text::{Percent, fold};

use super::push::{Case, plan_again};
use super::town::class_of;
use super::verdict::{Broken, ensure};
use crate::support::fake_server::FakeServer;

/// No class of changes goes beyond its limit within the window, but for what was approved.
pub(crate) fn limits(case: &Case<'_, '_, '_>) -> Result<(), Broken> {
    let Some(opened) = case.town.window_opened() else {
        return first_plan(case);
    };
    let by_hand = case.town.switched_by_hand;
    if by_hand.is_some_and(|it| it >= opened) || case.town.went_back_at.is_some() {
        // Who was active when the window opened is not known here.
        return Ok(());
    }
    let before = case.town.bases.iter().rev().find(|it| it.0 <= opened);
    let base = before.map_or(0, |it| it.1);
    let rules = &case.context.rules().limits;
    let history = case.town.history.iter();
    let within: Vec<&HistoryEntry> = history.filter(|it| it.at > opened).collect();
    for (class, share, least) in [
        (Class::Removal, rules.removals, 0),
        (Class::Deactivation, rules.deactivations, 5),
        (Class::Addition, rules.additions, 50),
    ] {
        let Some(most) = share_of(share, base).map(|it| it.max(least)) else {
            continue;
        };
        let mut all = BTreeSet::new();
        for done in &within {
            all.extend(counted(done.subject, done.class, &done.taken, class));
        }
        let mut asked = BTreeSet::new();
        for change in &case.plan.changes {
            let taken = case.plan.taken(change);
            let taken = if change.step == Step::Members {
                taken
            } else {
                &[]
            };
            all.extend(counted(change.subject, class_of(change), taken, class));
            asked.extend(not_approved(case, change, taken, class));
        }
        let total = all.len() as u64;
        ensure("limits", total <= most || asked.is_empty(), || {
            format!(
                "{class:?}: {total}, {most} allowed of {base}; not approved: {asked:?}\n{}",
                case.text()
            )
        })?;
    }
    Ok(())
}

/// A share as the design has it: `min(max(⌊p·n⌋, 5), ⌈n/2⌉ − 1)`, and none at 100 %.
pub(crate) fn share_of(share: Percent, n: u64) -> Option<u64> {
    if share == Percent::HUNDRED {
        return None;
    }
    Some(
        share
            .floor_of(n)
            .max(5)
            .min(n.div_ceil(2).saturating_sub(1)),
    )
}

fn counted(subject: Subject, counts_as: Option<Class>, taken: &[u32], class: Class) -> Vec<u32> {
    let mut places = Vec::new();
    if let Subject::Account(place) = subject
        && counts_as == Some(class)
    {
        places.push(place);
    }
    if class == Class::Removal {
        places.extend(taken);
    }
    places
}

/// The accounts that a change counts for and whose part in it nobody approved.
fn not_approved(case: &Case<'_, '_, '_>, change: &Change, taken: &[u32], class: Class) -> Vec<u32> {
    let reason = match class {
        Class::Removal => HoldReason::RemovalsLimit,
        Class::Deactivation => HoldReason::DeactivationsLimit,
        Class::Addition => HoldReason::AdditionsLimit,
    };
    let approved = |place: u32, what: String| {
        let known = case.context.holding().accounts.len() as u32;
        let name = if place < known {
            case.context.pushed_key(place).to_owned()
        } else {
            let user = case.plan.new_accounts[(place - known) as usize];
            case.context.roster().key(user).to_owned()
        };
        let key = HoldKey {
            subject: format!("user {name}"),
            change: what,
            reason,
        };
        case.memory.approved.contains(&key)
    };
    let mut open = Vec::new();
    if let Subject::Account(place) = change.subject
        && class_of(change) == Some(class)
    {
        let word = match change.step {
            Step::Create => "create",
            Step::Delete => "delete",
            _ if change.what.has(What::LEAVE) => "leave",
            _ if change.what.has(What::DEACTIVATE) => "deactivate",
            _ => "activate",
        };
        if !approved(place, word.to_owned()) {
            open.push(place);
        }
    }
    if class == Class::Removal
        && !taken.is_empty()
        && let Subject::Group(group) = change.subject
    {
        let name = group_name(case, group);
        for &place in taken {
            if !approved(place, format!("leave {name}")) {
                open.push(place);
            }
        }
    }
    open
}

/// The folded name of a group after the plan.
fn group_name(case: &Case<'_, '_, '_>, group: u32) -> String {
    let renamed = |it: &&Change| it.subject == Subject::Group(group) && it.what.has(What::RENAME);
    match case.plan.changes.iter().find(renamed) {
        Some(it) => case.context.roster().groups[it.wanted as usize].key.clone(),
        None => fold(case.context.holding().group_name(group)),
    }
}

/// Until the first plan was approved, only what was approved is done.
fn first_plan(case: &Case<'_, '_, '_>) -> Result<(), Broken> {
    let made_here = |it: &Account| {
        let link = it.link.as_ref();
        link.is_some_and(|it| it.origin == Origin::Created)
    };
    let accounts = &case.context.holding().accounts;
    let there = accounts.iter().any(|it| it.exists && !made_here(it));
    if !there || !case.context.rules().approve_first {
        return Ok(());
    }
    let approved = case.memory.approved.iter();
    let approved = approved
        .filter(|it| it.reason == HoldReason::FirstPlan)
        .count();
    let made = case.plan.changes.len();
    ensure("limits", made <= approved, || {
        format!("{made} changes, {approved} approved\n{}", case.text())
    })
}

/// Nothing that was left alone for a time is done before that time.
pub(crate) fn clock(case: &Case<'_, '_, '_>) -> Result<(), Broken> {
    for change in &case.plan.changes {
        if change.what.has(What::LEAVE) || (change.step == Step::Delete && is_group(change)) {
            left_long_enough(case, change)?;
        }
        if let (Step::Delete, Subject::Account(place)) = (change.step, change.subject) {
            let link = case.context.holding().accounts[place as usize]
                .link
                .as_ref();
            let left_at = link.and_then(|it| it.left_at);
            let after = case.context.rules().delete_after;
            let due = left_at.zip(after).map(|it| it.0.plus(it.1));
            let made_here = link.is_some_and(|it| it.origin == Origin::Created);
            let is_due = due.is_some_and(|it| it <= case.town.now);
            ensure("clock", is_due && made_here, || {
                format!("{change:?} is deleted, due at {due:?}\n{}", case.text())
            })?;
        }
    }
    back_in_time(case)
}

fn is_group(change: &Change) -> bool {
    matches!(change.subject, Subject::Group(_))
}

fn left_long_enough(case: &Case<'_, '_, '_>, change: &Change) -> Result<(), Broken> {
    let grace = case.context.rules().grace;
    let name = match change.subject {
        Subject::Account(place) => format!("user {}", case.context.account_key(place)),
        Subject::Group(place) => {
            let group = &case.context.holding().groups[place as usize];
            if group.link.as_ref().is_some_and(|it| it.left_at.is_some()) {
                return Ok(());
            }
            format!("group {}", fold(case.context.holding().group_name(place)))
        }
    };
    let approved = case
        .memory
        .approved
        .iter()
        .any(|it| it.subject == name && it.change == "leave");
    let missing = case.town.missing.get(&change.subject);
    let waited = missing.is_some_and(|it| {
        let listed = &case.town.settings.listed;
        let read = listed.iter().all(|at| it.reads[*at] >= 2);
        let long = it.unclear || case.town.now.0 - it.since.0 >= grace.as_seconds();
        read && long && it.plans >= 1
    });
    ensure("clock", grace.is_zero() || approved || waited, || {
        format!("{name} leaves, missing {missing:?}\n{}", case.text())
    })?;
    let certain = case.town.settings.listed.iter().all(|&at| {
        let fresh = case.town.sources[at].standing == usersyncd::reconcile::Standing::Fresh;
        fresh && case.records[at].is_some()
    });
    ensure("ignorance", certain, || {
        format!(
            "{name} leaves, and not every directory is known\n{}",
            case.text()
        )
    })
}

/// What is not due now was not due earlier either.
fn back_in_time(case: &Case<'_, '_, '_>) -> Result<(), Broken> {
    if case.how % 8 != 3 {
        return Ok(());
    }
    let due = departures(case.plan);
    let mut earlier = case.town.clone();
    earlier.now = Timestamp(case.town.now.0 - 36_000);
    // What was approved by now, neither more nor less.
    let approved = case.memory.approved.iter().cloned();
    earlier.approved = approved.map(|it| (it, earlier.now)).collect();
    let holding = case.context.holding();
    plan_again(&earlier, holding, |_, plan| {
        let then = departures(plan);
        ensure("clock", then.is_subset(&due), || {
            format!(
                "due ten hours earlier: {then:?}, now: {due:?}\n{}",
                case.text()
            )
        })
    })
}

fn departures(plan: &Plan) -> BTreeSet<(Subject, bool)> {
    let leaves = |it: &&Change| it.what.has(What::LEAVE) || it.step == Step::Delete;
    let leaving = plan.changes.iter().filter(leaves);
    leaving
        .map(|it| (it.subject, it.step == Step::Delete))
        .collect()
}

/// No more active accounts than there are seats, before and after every step, unless there were more or it was approved.
pub(crate) fn seats(case: &Case<'_, '_, '_>, server: &FakeServer) -> Result<(), Broken> {
    if server.default_group.is_some() {
        // The product does not ask whether a seat is free.
        return Ok(());
    }
    let approved = |it: &HoldKey| it.reason == HoldReason::Seats;
    if case.memory.approved.iter().any(approved) {
        return Ok(());
    }
    // Renames have an order of their own, in which a seat may be taken before it is freed.
    let switches = |it: &Change| {
        it.what.has(What::RENAME) && (it.what.has(What::ACTIVATE) || it.what.has(What::DEACTIVATE))
    };
    if case.plan.changes.iter().any(switches) {
        return Ok(());
    }
    for seats in &case.context.rules().seats {
        let before = seated(&case.town.server, seats);
        let now = seated(server, seats);
        ensure("seats", now <= seats.max.max(before), || {
            format!(
                "{now} of {} seats are taken, {before} were\n{}",
                seats.max,
                case.text()
            )
        })?;
    }
    Ok(())
}

fn seated(server: &FakeServer, seats: &Seats) -> u64 {
    let active = |it: &&u32| server.accounts.get(it).is_some_and(|it| it.active);
    if seats.groups.is_empty() {
        return server.accounts.keys().filter(active).count() as u64;
    }
    let groups = server.groups.values();
    let counted = groups.filter(|it| seats.groups.contains(&fold(&it.name)));
    let members: BTreeSet<u32> = counted.flat_map(|it| it.members.iter().copied()).collect();
    members.iter().filter(active).count() as u64
}

/// Whether an account is never touched.
pub(crate) fn is_protected(case: &Case<'_, '_, '_>, place: u32) -> bool {
    let (rules, can) = (case.context.rules(), case.context.abilities());
    let holding = case.context.holding();
    let key = fold(holding.account_name(place));
    let is_admin = holding.groups.iter().filter(|it| it.exists).any(|it| {
        let name = fold(holding.text(it.seen.name));
        let built_in = rules.protect_defaults && can.admin_groups.contains(&name);
        built_in && it.members.iter().any(|it| it.place() == place)
    });
    rules.protect_users.is_match(&key) || can.own_account.as_ref() == Some(&key) || is_admin
}

/// No step touches what is protected.
pub(crate) fn protected(case: &Case<'_, '_, '_>) -> Result<(), Broken> {
    let (rules, can) = (case.context.rules(), case.context.abilities());
    let known = case.context.holding().accounts.len() as u32;
    for change in &case.plan.changes {
        let mut touched: Vec<u32> = Vec::new();
        let mut group = None;
        match change.subject {
            Subject::Account(place) => touched.push(place),
            Subject::Group(place) => {
                let is_new = place as usize >= case.context.holding().groups.len();
                let name = if is_new || (change.what.has(What::RENAME) && change.wanted != NONE) {
                    fold(case.view().group_name(place))
                } else {
                    group_name(case, place)
                };
                group = Some(name);
            }
        }
        if change.step == Step::Members {
            touched.extend(case.plan.given(change));
            touched.extend(case.plan.owned(change));
            touched.extend(case.plan.taken(change));
        }
        let account = touched
            .iter()
            .find(|it| **it < known && is_protected(case, **it));
        let group = group.filter(|it| {
            let built_in = rules.protect_defaults && can.admin_groups.contains(it);
            rules.protect_groups.is_match(it) || built_in
        });
        ensure("protected", account.is_none() && group.is_none(), || {
            format!("{change:?} touches {account:?} {group:?}\n{}", case.text())
        })?;
    }
    Ok(())
}
