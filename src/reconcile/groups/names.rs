//! Groups that get another name: what is free, what becomes free, and what a name would take.

use std::collections::BTreeSet;

use super::{ByName, Groups, is_protected};
use crate::model::{HoldKey, HoldReason, NONE};
use crate::reconcile::context::Context;
use crate::reconcile::rules::Seats;
use crate::text;

/// Makes the renames whose new name is free, or becomes free by another one; what is left over is held and the old name goes
/// on. `by_name` is brought to the names after them.
pub(super) fn settle_renames(
    context: &mut Context<'_, '_>,
    groups: &mut Groups,
    keys: &[String],
    by_name: &mut ByName,
) {
    let new_key = |context: &Context<'_, '_>, groups: &Groups, place: u32| {
        let wanted = groups.wanted[place as usize];
        context.roster().groups[wanted as usize].key.clone()
    };
    let mut open: Vec<u32> = (0..keys.len() as u32)
        .filter(|it| groups.wanted[*it as usize] != NONE)
        .filter(|it| keys[*it as usize] != new_key(context, groups, *it))
        .collect();
    let possible = context.abilities().rename_groups;
    loop {
        let before = open.len();
        open.retain(|&place| {
            let key = new_key(context, groups, place);
            let free = possible
                && may_rename(context, &keys[place as usize], &key)
                && by_name.get(&key).is_none_or(Vec::is_empty)
                && !is_protected(context, &key)
                && (approved_seats(context, &keys[place as usize], &key)
                    || lacking_seats(context, by_name, place, &key).is_none());
            if free {
                let old = by_name.entry(keys[place as usize].clone()).or_default();
                old.retain(|it| *it != place);
                by_name.insert(key, vec![place]);
                groups.renamed.push(place);
            }
            !free
        });
        if open.len() == before {
            break;
        }
    }
    for &place in &open {
        let key = new_key(context, groups, place);
        let occupied = by_name.get(&key).is_some_and(|it| !it.is_empty());
        let in_ring = by_name
            .get(&key)
            .is_some_and(|it| it.iter().any(|it| open.contains(it)));
        let taken = "the application has another group of the new name, or protects it; both are left as they are";
        let lacking = lacking_seats(context, by_name, place, &key);
        let lacking = lacking.filter(|_| possible && !occupied && !is_protected(context, &key));
        let (reason, detail) = if in_ring {
            let ring = "groups exchange their names; all of them are left as they are";
            (HoldReason::RenameRing, ring.to_owned())
        } else if let Some(seats) = lacking {
            let detail = format!(
                "its members would take more than the {} seats of {}",
                seats.max,
                seats.groups.join(", ")
            );
            (HoldReason::Seats, detail)
        } else if possible && !occupied && !may_rename(context, &keys[place as usize], &key) {
            let other = "programs that poll know a group by its name alone: to them the old one goes, with everything that is \
                         permitted to it, and another one comes; the old one goes on";
            (HoldReason::GroupRename, other.to_owned())
        } else if possible || occupied {
            (HoldReason::NameTaken, taken.to_owned())
        } else {
            let cannot = "the application cannot rename groups; the old one goes on";
            (HoldReason::RenameUnsupported, cannot.to_owned())
        };
        groups
            .frozen
            .extend(by_name.get(&key).into_iter().flatten());
        let subject = format!("group {}", keys[place as usize]);
        context.hold(subject, format!("rename to {key}"), reason, detail);
        if reason != HoldReason::RenameUnsupported && reason != HoldReason::GroupRename {
            // Under a name that means another group nobody may be given anything, nor lose it.
            let wanted = groups.wanted[place as usize];
            groups.place[wanted as usize] = NONE;
            groups.held.push(wanted);
            groups.protected[place as usize] = true;
        }
    }
}

/// The seats that a group's members would go beyond once it bears a name to which they belong.
fn lacking_seats<'c>(
    context: &Context<'_, 'c>,
    by_name: &ByName,
    place: u32,
    key: &str,
) -> Option<&'c Seats> {
    let holding = context.holding();
    let old = text::fold(holding.group_name(place));
    let named = |it: &&Seats| {
        let has = |key: &str| it.groups.iter().any(|it| it == key);
        has(key) && !has(&old)
    };
    context.rules().seats.iter().filter(named).find(|seats| {
        let there = seats.groups.iter().filter_map(|it| by_name.get(it));
        let groups = there.flatten().chain([&place]);
        let members = groups.flat_map(|it| &holding.groups[*it as usize].members);
        let active = members.map(|it| it.place());
        let active = active.filter(|it| holding.accounts[*it as usize].seen.active);
        active.collect::<BTreeSet<u32>>().len() as u64 > seats.max
    })
}

fn approved_seats(context: &Context<'_, '_>, old: &str, new: &str) -> bool {
    is_approved(context, old, new, HoldReason::Seats)
}

/// Whether a group may get another name: one of a served set only by approval, since to those who poll it is another group.
fn may_rename(context: &Context<'_, '_>, old: &str, new: &str) -> bool {
    !context.abilities().served || is_approved(context, old, new, HoldReason::GroupRename)
}

fn is_approved(context: &Context<'_, '_>, old: &str, new: &str, reason: HoldReason) -> bool {
    context.approved(&HoldKey {
        subject: format!("group {old}"),
        change: format!("rename to {new}"),
        reason,
    })
}
