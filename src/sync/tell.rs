//! What a push says of itself: events, counts, history, refusals.

use std::collections::BTreeSet;

use crate::clock::Timestamp;
use crate::events::{self, Counts, Failure};
use crate::model::{
    Change, Class, HistoryEntry, HoldReason, Holding, Notice, NoticeKind, Outcome, Plan, Refusal,
    Step, Subject, View, What, Withheld,
};
use crate::reconcile::{Context, show_change};
use crate::store::{self, HeldSet, Refused, SetOf};
use crate::sync::execute::Missing;
use crate::sync::load::Loaded;
use crate::sync::parts::ApplicationPart;
use crate::text::{self, Span};

/// Beyond so many changes in one push they are told as one number; the history has them all.
const TOLD_MAX: usize = 1000;

/// Tries that must be refused in a row before a change is reported as not accepted.
const REFUSED_BEFORE_REPORT: u32 = 3;

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

/// Tells of linked accounts that a listing no longer shows, but for those that a lost push was about to delete. `found` begins
/// with the places that are remembered.
pub(crate) fn gone(part: &ApplicationPart, loaded: &Loaded, found: &Holding) {
    let steps = loaded.intents.iter().flat_map(|it| &it.1.steps);
    let deleted: BTreeSet<Subject> = steps
        .filter(|it| it.step == Step::Delete)
        .map(|it| it.subject)
        .collect();
    let known = loaded
        .remembered
        .as_ref()
        .map_or(&[][..], |it| &it.accounts);
    let ours = (0u32..).zip(known).zip(&found.accounts);
    let ours = ours.filter(|((_, was), _)| was.exists && was.link.is_some());
    let (mut count, mut of) = (0, 0);
    for ((place, _), is) in ours {
        of += 1;
        count += u64::from(!is.exists && !deleted.contains(&Subject::Account(place)));
    }
    if count > 0 {
        events::account_gone(&part.name, count, of);
    }
}

/// How a change is named in events, refusals and history: by folded pushed name, and what is done.
pub(crate) fn names(context: &Context<'_, '_>, plan: &Plan, change: &Change) -> (String, String) {
    let view = context.view(plan);
    let subject = match change.subject {
        Subject::Account(place) => format!("user {}", text::fold(view.account_name(place))),
        Subject::Group(place) => format!("group {}", text::fold(view.group_name(place))),
    };
    let done = match change.step {
        Step::Create => "create".to_owned(),
        Step::Delete => "delete".to_owned(),
        Step::Members => "members".to_owned(),
        Step::Children => "subgroups".to_owned(),
        Step::Update => change.what.words().join("+"),
    };
    (subject, done)
}

/// What is known of a change from the tries at which it was refused. Who would now write another value makes another change.
pub(crate) fn known<'r>(
    context: &Context<'_, '_>,
    plan: &Plan,
    change: &Change,
    refused: &'r [Refused],
) -> Option<&'r Refused> {
    let (subject, done) = names(context, plan, change);
    let mut same = refused
        .iter()
        .filter(|it| it.subject == subject && it.change == done)
        .peekable();
    same.peek()?;
    let wanted = wanted(context, plan, change);
    same.find(|it| it.wanted == wanted)
}

/// A digest of what a change would write, and over what.
fn wanted(context: &Context<'_, '_>, plan: &Plan, change: &Change) -> String {
    let view = context.view(plan);
    let text = show_change(view, change);
    format!("{:016x}", store::digest([text.as_str()]))
}

/// One line of history for each change that was made, made when it is asked for.
pub(crate) fn history<'a>(
    context: &'a Context<'_, '_>,
    view: View<'a>,
    outcomes: &'a [Outcome],
    now: Timestamp,
) -> impl Iterator<Item = HistoryEntry> + Send + 'a {
    let plan = view.plan;
    let missing = Missing::of(plan, outcomes);
    let all = plan.changes.iter().zip(outcomes);
    let made = all.filter(|it| matches!(it.1, Outcome::Done { .. }));
    made.map(move |(change, _)| {
        let given = missing.without(change, plan.given(change));
        let name = match change.subject {
            Subject::Account(place) => view.account_name(place),
            Subject::Group(place) => view.group_name(place),
        };
        let members = matches!(change.step, Step::Members | Step::Children);
        let text = if members {
            format!("members: {} given, {} taken", given.len(), change.take)
        } else {
            show_change(view, change)
        };
        let of_accounts = change.step == Step::Members;
        HistoryEntry {
            at: now,
            subject: change.subject,
            name: name.to_owned(),
            text,
            reason: change.reason.word().to_owned(),
            class: class_of(change),
            active_delta: active_delta(context, change),
            given: if of_accounts { given } else { Vec::new() },
            taken: if of_accounts {
                plan.taken(change).to_vec()
            } else {
                Vec::new()
            },
        }
    })
}

fn class_of(change: &Change) -> Option<Class> {
    let Subject::Account(_) = change.subject else {
        return None;
    };
    match change.step {
        Step::Create => Some(Class::Addition),
        Step::Delete => Some(Class::Removal),
        _ if change.what.has(What::LEAVE) => Some(Class::Removal),
        _ if change.what.has(What::DEACTIVATE) => Some(Class::Deactivation),
        _ if change.what.has(What::ACTIVATE) => Some(Class::Addition),
        _ => None,
    }
}

/// By how much a change moves the number of active linked accounts.
fn active_delta(context: &Context<'_, '_>, change: &Change) -> i8 {
    let Subject::Account(place) = change.subject else {
        return 0;
    };
    let before = context.holding().accounts.get(place as usize);
    let was = before.is_some_and(|it| it.exists && it.seen.active && it.link.is_some());
    let seen = before.is_some_and(|it| it.exists && it.seen.active);
    let is = match change.step {
        Step::Create => {
            context.roster().account(change.wanted).active || !context.abilities().deactivate
        }
        Step::Delete => false,
        _ if change.what.has(What::DEACTIVATE) => false,
        _ if change.what.has(What::ACTIVATE) => true,
        _ => seen,
    };
    i8::from(is) - i8::from(was)
}

/// The refusals that count from now on: refused again, or still resting.
pub(crate) fn refusals(
    context: &Context<'_, '_>,
    plan: &Plan,
    outcomes: &[Outcome],
    before: &[Refused],
    now: Timestamp,
) -> Vec<Refused> {
    let refused = plan
        .changes
        .iter()
        .zip(outcomes)
        .filter_map(|(change, outcome)| match outcome {
            Outcome::Failed(Refusal::Refused(text)) => {
                let known = known(context, plan, change, before);
                let (subject, done) = names(context, plan, change);
                let count = known.map_or(0, |it| it.count) + 1;
                let next_at = now.plus(rest(count));
                Some(Refused {
                    subject,
                    change: done,
                    wanted: wanted(context, plan, change),
                    count,
                    text: text.clone(),
                    next_at,
                })
            }
            Outcome::Skipped if !before.is_empty() => known(context, plan, change, before).cloned(),
            _ => None,
        });
    refused.collect()
}

/// How long a change rests after so many refusals: not at first, then an hour, doubling up to a day.
fn rest(count: u32) -> Span {
    if count < REFUSED_BEFORE_REPORT {
        return Span::ZERO;
    }
    let hours = 1i64 << (count - REFUSED_BEFORE_REPORT).min(5);
    Span::hours(hours.min(24))
}

/// Tells what was done, what is held, what waits, and what the operator should know.
pub(crate) fn tell(
    part: &ApplicationPart,
    context: &Context<'_, '_>,
    plan: &Plan,
    outcomes: &[Outcome],
    view: View<'_>,
    sets: &[HeldSet],
    refused: &[Refused],
) -> Counts {
    let name = part.name.as_str();
    let few = plan.changes.len() <= TOLD_MAX;
    for (change, outcome) in plan.changes.iter().zip(outcomes) {
        match outcome {
            Outcome::Done { .. } if few => {
                let (subject, done) = names(context, plan, change);
                events::change_applied(name, &subject, &done, change.reason.word());
            }
            Outcome::Failed(refusal) => tell_failed(name, context, plan, change, refusal, refused),
            _ => {}
        }
    }
    for set in sets
        .iter()
        .filter(|it| it.of == SetOf::Application(part.id.clone()))
    {
        tell_held(name, set, &plan.held);
    }
    if !plan.waiting.is_empty() {
        let due = plan.due_at.map(|it| it.to_string());
        events::change_waiting(name, plan.waiting.len() as u64, due.as_deref());
    }
    for it in &plan.doubled {
        let reason = format!("the directory has another {}", it.subject);
        events::record_rejected(&it.directory, &it.record, &reason);
    }
    for (reason, count) in &plan.frozen {
        events::account_frozen(name, reason.word(), u64::from(*count));
    }
    for it in plan
        .held
        .iter()
        .filter(|it| it.reason == HoldReason::IdentityConflict)
    {
        events::account_conflict(name, &it.subject, &it.detail);
    }
    plan.notices.iter().for_each(|it| tell_notice(name, it));
    debug_assert_eq!(view.plan.changes.len(), outcomes.len());
    counts(part, plan, outcomes)
}

fn tell_failed(
    name: &str,
    context: &Context<'_, '_>,
    plan: &Plan,
    change: &Change,
    refusal: &Refusal,
    refused: &[Refused],
) {
    let (subject, done) = names(context, plan, change);
    let error = refusal.to_string();
    if matches!(refusal, Refusal::Unavailable(_) | Refusal::Unauthorised(_)) {
        return events::application_failed(name, failure_of(refusal), &error);
    }
    if !matches!(refusal, Refusal::Refused(_)) {
        return events::change_failed(name, &subject, &done, failure_of(refusal), &error);
    }
    match known(context, plan, change, refused) {
        Some(it) if it.count == REFUSED_BEFORE_REPORT => {
            let next = it.next_at.to_string();
            events::change_unaccepted(name, &subject, &done, &error, u64::from(it.count), &next);
        }
        _ => events::change_refused(name, &subject, &done, &error),
    }
}

fn tell_held(name: &str, set: &HeldSet, held: &[Withheld<HoldReason>]) {
    let of_set = held.iter().filter(|it| it.reason.word() == set.reason);
    let instead: Vec<Option<&str>> = of_set.map(|it| it.reason.instead(&it.change)).collect();
    let approve = instead.contains(&None).then_some(set.id.as_str());
    let instead: BTreeSet<&str> = instead.into_iter().flatten().collect();
    let instead = instead.into_iter().collect::<Vec<_>>().join("; or ");
    let instead = (!instead.is_empty()).then_some(instead.as_str());
    events::change_held(name, &set.reason, set.changes, approve, instead);
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

/// Whether something blocks removals that is not meant to: a directory that is switched off does so on purpose.
pub(crate) fn is_blocked(part: &ApplicationPart, plan: &Plan) -> bool {
    let off = part.directories.iter().filter(|it| it.directory.is_none());
    let off: Vec<String> = off.map(|it| format!("directory {}", it.name)).collect();
    plan.notices.iter().any(|it| match it.kind {
        NoticeKind::NamedGroupMissing => true,
        NoticeKind::RemovalsBlocked => !off.contains(&it.subject),
        NoticeKind::ProtectedLeft | NoticeKind::AccessRemains | NoticeKind::DuplicateMail => false,
    })
}

/// What a plan came to, in numbers.
pub(crate) fn counts(part: &ApplicationPart, plan: &Plan, outcomes: &[Outcome]) -> Counts {
    let mut counts = Counts {
        changes_held: plan.held.len() as u64,
        changes_waiting: plan.waiting.len() as u64,
        accounts_frozen: u64::from(plan.frozen_accounts()),
        records_rejected: plan.doubled.len() as u64,
        removals_blocked: u64::from(is_blocked(part, plan)),
        ..Counts::default()
    };
    let missing = Missing::of(plan, outcomes);
    for (change, outcome) in plan.changes.iter().zip(outcomes) {
        match outcome {
            Outcome::Done { .. } => {
                let given = missing.without(change, plan.given(change)).len();
                count(&mut counts, change, given as u64);
            }
            Outcome::Failed(Refusal::Refused(_)) => counts.changes_refused += 1,
            Outcome::Failed(_) => counts.changes_failed += 1,
            Outcome::Skipped => {}
        }
    }
    counts
}

fn count(counts: &mut Counts, change: &Change, given: u64) {
    match (change.subject, change.step) {
        (_, Step::Members | Step::Children) => {
            counts.memberships_given += given;
            counts.memberships_taken += u64::from(change.take);
        }
        (Subject::Group(_), _) => counts.groups_changed += 1,
        (_, Step::Create) => counts.accounts_created += 1,
        (_, Step::Delete) => counts.accounts_deleted += 1,
        (_, _) if change.what.has(What::DEACTIVATE) => counts.accounts_deactivated += 1,
        (_, _) => counts.accounts_updated += 1,
    }
}
