//! What a push says of itself: one event a change, and everything that the operator should know.

use std::collections::BTreeSet;

use crate::events::{self, Failure};
use crate::model::{
    Change, HoldKey, HoldReason, Memory, Notice, NoticeKind, Outcome, Plan, Refusal, Withheld,
};
use crate::store::{HeldSet, Refused, SetOf};
use crate::sync::made::{Made, REFUSED_BEFORE_REPORT};
use crate::sync::parts::ApplicationPart;

/// Beyond so many changes in one push they are told as one number; the history has them all.
const TOLD_MAX: usize = 1000;

/// The stable word for a refusal.
pub(crate) fn failure_of(refusal: &Refusal) -> Failure {
    match refusal {
        Refusal::Transient(_) => Failure::Transient,
        Refusal::Refused(_) => Failure::Refused,
        Refusal::Stale(_) => Failure::Stale,
        Refusal::Unauthorised(_) => Failure::Unauthorised,
        Refusal::Unavailable(_) => Failure::Unavailable,
    }
}

/// Tells what was done, what is held, what waits, and what the operator should know.
pub(crate) fn tell(
    part: &ApplicationPart,
    made: &Made<'_, '_, '_>,
    sets: &[HeldSet],
    refused: &[Refused],
) {
    let (name, plan) = (part.name.as_str(), made.plan);
    let few = plan.changes.len() <= TOLD_MAX;
    for (change, outcome) in made.outcomes() {
        match outcome {
            Outcome::Done { .. } if few => {
                let (subject, done) = made.names(change);
                events::change_applied(name, &subject, &done, change.reason.word());
            }
            Outcome::Failed(refusal) => tell_failed(name, made, change, refusal, refused),
            _ => {}
        }
    }
    let own = SetOf::Application(part.id.clone());
    let sets: Vec<&HeldSet> = sets.iter().filter(|it| it.of == own).collect();
    tell_held(name, plan, &sets);
    tell_doubled(name, plan);
    if !plan.waiting.is_empty() {
        let due = plan.due_at.map(|it| it.to_string());
        events::change_waiting(name, plan.waiting.len() as u64, due.as_deref());
    }
    if plan.frozen > 0 {
        events::account_frozen(name, "unknown", u64::from(plan.frozen));
    }
    plan.notices.iter().for_each(|it| tell_notice(name, it));
}

fn tell_held(name: &str, plan: &Plan, sets: &[&HeldSet]) {
    for set in sets {
        events::change_held(name, &set.reason, set.changes, &set.id);
    }
    for it in &plan.exceeded {
        let set = sets.iter().find(|set| set.reason == it.reason.word());
        let id = set.map_or("", |it| it.id.as_str());
        events::limit_exceeded(name, &it.class, it.wanted, it.limit, id);
    }
    let conflicts = plan.held.iter();
    for it in conflicts.filter(|it| it.reason == HoldReason::IdentityConflict) {
        events::account_conflict(name, &it.subject, &it.detail);
    }
}

fn tell_doubled(name: &str, plan: &Plan) {
    for it in &plan.doubled {
        let reason = format!(
            "{} stands more than once in the directory, and {name} takes only one that is linked there already",
            it.subject
        );
        events::record_rejected(&it.directory, &it.record, &reason);
    }
}

/// Tells how much of what was held at the last push was let pass because somebody approved it.
pub(crate) fn approvals_used(name: &str, plan: &Plan, memory: &Memory, sets: &[HeldSet]) {
    let held: BTreeSet<HoldKey> = plan.held.iter().map(Withheld::key).collect();
    for set in sets {
        let keys = memory
            .held
            .keys()
            .filter(|it| it.reason.word() == set.reason);
        let passed = keys.filter(|it| memory.approved.contains(it) && !held.contains(it));
        let count = passed.count() as u64;
        if count > 0 {
            events::approval_used(&format!("application {name}"), &set.id, count);
        }
    }
}

fn tell_failed(
    name: &str,
    made: &Made<'_, '_, '_>,
    change: &Change,
    refusal: &Refusal,
    refused: &[Refused],
) {
    let (subject, done) = made.names(change);
    let error = refusal.to_string();
    if !matches!(refusal, Refusal::Refused(_)) {
        return events::change_failed(name, &subject, &done, failure_of(refusal), &error);
    }
    let known = refused
        .iter()
        .find(|it| it.subject == subject && it.change == done);
    match known {
        Some(it) if it.count == REFUSED_BEFORE_REPORT => {
            let next = it.next_at.to_string();
            events::change_unaccepted(name, &subject, &done, &error, u64::from(it.count), &next);
        }
        _ => events::change_refused(name, &subject, &done, &error),
    }
}

fn tell_notice(name: &str, notice: &Notice) {
    let Notice {
        kind,
        subject,
        detail,
    } = notice;
    match kind {
        NoticeKind::ProtectedLeft => events::protected_left(name, subject),
        NoticeKind::AccessRemains => events::access_remains(name, subject, detail),
        NoticeKind::DuplicateMail => events::mail_duplicate(name, subject),
        NoticeKind::NamedGroupMissing => {
            events::removals_blocked(name, &format!("{subject}: {detail}"));
        }
        // The directory's own events have told it.
        NoticeKind::RemovalsBlocked => {}
    }
}
