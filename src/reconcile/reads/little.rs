//! A quick answer for small deltas: whoever changed ten users of a hundred thousand lost nothing that a guard could mind.
//!
//! Only those whom the delta touched are looked at, and every loss is taken for larger, every limit for smaller than it may
//! be. So what is found harmless here is harmless; all else is counted in full by [`judge`](super::judge).

use crate::model::{Lineage, NONE, Records, Status, UserRecord};
use crate::reconcile::reads::{FIELDS, Largest, Part, ReadRules};

/// Whether new records lose so little against the last ones, of which they came by a known lineage, that
/// [`judge`](super::judge) accepts them.
pub fn loses_little(
    rules: &ReadRules,
    largest: Largest,
    last: &Records,
    new: &Records,
    lineage: &Lineage,
) -> bool {
    let limit = rules.shrink_limit;
    let (was, is) = (last.tally(), new.tally());
    let users = largest.users.max(was.users);
    let memberships = largest.memberships.max(was.memberships);
    let gone_users = lineage.gone_users.len() as u64;
    let gone_groups = lineage.gone_groups.len() as u64;
    let touched = gone_users + lineage.changed_users.len() as u64;
    let lost_users = users.saturating_sub(is.users).max(gone_users);
    let lost_memberships = memberships.saturating_sub(is.memberships);
    // A username can have got another id only where its old one is gone.
    let steady = was.users.saturating_sub(touched);
    let parts = [
        Part::share(lost_users, users, limit),
        Part::share(lost_memberships, memberships, limit),
        Part::share(gone_users, steady, limit),
        Part::fixed(gone_groups, was.groups),
        lost_flags(last, new, lineage),
    ];
    !new.users.is_empty()
        && !parts.iter().any(Part::is_too_much)
        && lost_values(last, new, lineage) == 0
}

/// Users that stayed, as they were and as they are.
fn stayed<'a>(
    last: &'a Records,
    new: &'a Records,
    lineage: &'a Lineage,
) -> impl Iterator<Item = ((u32, &'a UserRecord), (u32, &'a UserRecord))> {
    let changed = lineage.changed_users.iter();
    let pairs = changed.map(|it| (lineage.users[*it as usize], *it));
    pairs.filter(|it| it.0 != NONE).map(|(was, is)| {
        let old = (was, &last.users[was as usize]);
        (old, (is, &new.users[is as usize]))
    })
}

/// Inactive users that are shown so no more, of those of whom it can be said.
fn lost_flags(last: &Records, new: &Records, lineage: &Lineage) -> Part {
    let inactive = |it: &UserRecord| it.status == Status::Inactive;
    let lost = stayed(last, new, lineage).filter(|(was, is)| inactive(was.1) && !inactive(is.1));
    let lost = lost.count() as u64;
    if lost == 0 {
        return Part::default();
    }
    let flags = last.users.iter().filter(|it| inactive(it)).count() as u64;
    let gone = lineage.gone_users.len() as u64;
    // Of three fewer may be lost than of two.
    Part::fixed(lost, flags.saturating_sub(gone).max(3))
}

/// How many values of any attribute are lost.
fn lost_values(last: &Records, new: &Records, lineage: &Lineage) -> usize {
    let mut lost = 0;
    for ((was, old), (is, now)) in stayed(last, new, lineage) {
        let emptied = FIELDS
            .iter()
            .filter(|(_, field)| !field(old).is_empty() && field(now).is_empty());
        lost += emptied.count();
        let names = last.extra_names(was);
        let filled = |records: &Records, user, name: &str| {
            records.extra_values(user, name).any(|it| !it.is_empty())
        };
        let emptied = names.filter(|it| filled(last, was, it) && !filled(new, is, it));
        lost += emptied.count();
    }
    lost
}
