//! *prefix*: stopped anywhere, even within a step, and gone on with from a fresh listing, it ends where it would have ended,
//! and never removes more.

use std::collections::BTreeSet;

use usersyncd::model::{Change, Intent, Plan, Step, Subject, View, What};
use usersyncd::reconcile::{self, Context, intent_of, interrupted, recall};
use usersyncd::text::fold;

use super::after::{facts, first_is_partly_approved, forgets_a_name};
use super::push::{Case, go_on};
use super::town::Town;
use super::verdict::{Broken, ensure};
use crate::support::fake_application::is_sent;
use crate::support::fake_server::ALL;

const LAW: &str = "prefix";

/// Cuts the plan off somewhere and compares the ends. `done` is the world after the whole plan.
pub(crate) fn prefix(case: &Case<'_, '_, '_>, done: &Town) -> Result<(), Broken> {
    let changes = &case.plan.changes;
    // Stopped, it sees earlier what the product gives to new accounts by itself, and takes it.
    let creates = changes.iter().any(|it| it.step == Step::Create);
    let gives = creates && case.context.abilities().gives_groups;
    if changes.is_empty() || case.how % 2 == 1 || forgets_a_name(case) || gives {
        return Ok(());
    }
    let at = usize::from(case.how / 2) % changes.len();
    let parts = usize::from(case.how / 64);
    let mut cut = case.town.clone();
    for change in changes[..at].iter().filter(|it| is_sent(it)) {
        let _ = cut.server.make(change, case.view(), ALL);
    }
    if is_sent(&changes[at]) {
        let _ = cut.server.make(&changes[at], case.view(), parts);
    }
    // Intents are made durable before: some may stand for what was never sent.
    let known = changes.len().min(at + 1 + usize::from(case.how / 16 % 4));
    let sent = changes[..known].iter().filter(|it| is_sent(it));
    let steps = sent.map(|it| intent_of(case.context, case.plan, it));
    let intent = Intent {
        steps: steps.collect(),
    };
    let observed = cut.server.observe();
    let intents = [intent];
    let holding = recall(&cut.holding, &observed, &intents);
    let found = interrupted(&cut.holding, &holding, &intents, cut.now);
    cut.history.extend(found);
    cut.holding = holding;

    let mut removed = removals(case.context, case.plan, case.view(), at);
    let before = cut.clone();
    let records = before.records();
    let memory = before.memory();
    let world = before.world(&records, &before.holding, &memory);
    let (context, plan) = reconcile::plan(&world);
    let view = context.view(&plan);
    removed.extend(removals(&context, &plan, view, ALL));
    let all = removals(case.context, case.plan, case.view(), ALL);
    let text = || {
        format!(
            "cut at {at} ({parts} parts), intents to {known}\n{}gone on:\n{}",
            case.text(),
            reconcile::show(view)
        )
    };
    ensure(LAW, removed.is_subset(&all), || {
        let more: Vec<_> = removed.difference(&all).collect();
        format!("removes {more:?} more, {}", text())
    })?;
    // What is left of an approved step is another step, which nobody approved; and a name that a deletion frees is used by
    // the next plan, whichever that is.
    let deletes = changes.iter().any(|it| it.step == Step::Delete);
    if first_is_partly_approved(case) || deletes {
        return Ok(());
    }
    go_on(&mut cut)?;
    let mut whole = done.clone();
    go_on(&mut whole)?;
    let (here, there) = (names(&whole), names(&cut));
    ensure(LAW, here == there, || {
        let only = |one: &BTreeSet<String>, other: &BTreeSet<String>| {
            one.difference(other)
                .cloned()
                .collect::<Vec<_>>()
                .join("\n")
        };
        format!(
            "only whole:\n{}\nonly cut:\n{}\n{}",
            only(&here, &there),
            only(&there, &here),
            text()
        )
    })?;
    let held = |it: &Town| it.held.keys().cloned().collect::<BTreeSet<_>>();
    ensure(LAW, held(&whole) == held(&cut), || {
        format!("held {:?}, cut: {:?}, {}", held(&whole), held(&cut), text())
    })?;
    Ok(())
}

/// What is there in the end, whatever ids it got.
fn names(town: &Town) -> BTreeSet<String> {
    let mut holding = town.holding.clone();
    for it in &mut holding.accounts {
        it.seen.remote_id = it.seen.name;
    }
    for it in &mut holding.groups {
        it.seen.remote_id = it.seen.name;
    }
    facts(&holding)
}

fn name_after(context: &Context<'_, '_>, view: View<'_>, place: u32) -> String {
    let known = (place as usize) < context.holding().accounts.len();
    if known {
        context.pushed_key(place).to_owned()
    } else {
        fold(view.account_name(place))
    }
}

/// The folded name of a group after the plan.
fn group_after(context: &Context<'_, '_>, plan: &Plan, view: View<'_>, place: u32) -> String {
    let renamed = |it: &&Change| it.subject == Subject::Group(place) && it.what.has(What::RENAME);
    match plan.changes.iter().find(renamed) {
        Some(it) => context.roster().groups[it.wanted as usize].key.clone(),
        None => fold(view.group_name(place)),
    }
}

/// What the first so many steps of a plan take from anybody, by name.
fn removals(
    context: &Context<'_, '_>,
    plan: &Plan,
    view: View<'_>,
    steps: usize,
) -> BTreeSet<(String, String)> {
    let mut removals = BTreeSet::new();
    for change in plan.changes.iter().take(steps.saturating_add(1)) {
        match change.subject {
            Subject::Account(place) => {
                // By the name after the plan, since a rename may be made before the rest.
                let name = name_after(context, view, place);
                let off = change.what.has(What::DEACTIVATE) || change.what.has(What::LEAVE);
                if off || change.step == Step::Delete {
                    removals.insert((name, format!("{:?} {off}", change.step)));
                }
            }
            Subject::Group(place) if change.step == Step::Members => {
                let group = group_after(context, plan, view, place);
                for &account in plan.taken(change) {
                    let name = name_after(context, view, account);
                    removals.insert((name, group.clone()));
                }
            }
            Subject::Group(_) => {}
        }
    }
    removals
}
