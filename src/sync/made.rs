//! What a walked plan came to: the history, the refusals and the numbers of what was really made.

use std::collections::BTreeSet;

use crate::clock::Timestamp;
use crate::events::Counts;
use crate::model::{
    Change, Class, HistoryEntry, NoticeKind, Outcome, Plan, Refusal, Step, Subject, View, What,
};
use crate::reconcile::{Context, show_change};
use crate::store::Refused;
use crate::sync::execute::Walked;
use crate::sync::parts::ApplicationPart;
use crate::text::{self, Span};

/// Tries that must be refused in a row before a change is reported as not accepted.
pub(crate) const REFUSED_BEFORE_REPORT: u32 = 3;

/// A plan that was walked.
pub(crate) struct Made<'a, 'w, 'c> {
    pub(crate) context: &'a Context<'w, 'c>,
    pub(crate) plan: &'a Plan,
    pub(crate) walked: &'a Walked,
    /// Changes that were not tried because they were refused too often, by index.
    pub(crate) rested: &'a BTreeSet<usize>,
    /// Accounts that were to be created and are not there.
    accounts: BTreeSet<u32>,
    /// Groups that were to be created and are not there.
    groups: BTreeSet<u32>,
}

/// Members that came and went.
struct Moved {
    given: Vec<u32>,
    taken: Vec<u32>,
}

impl<'a, 'w, 'c> Made<'a, 'w, 'c> {
    pub(crate) fn new(
        context: &'a Context<'w, 'c>,
        plan: &'a Plan,
        walked: &'a Walked,
        rested: &'a BTreeSet<usize>,
    ) -> Self {
        let mut made = Made {
            context,
            plan,
            walked,
            rested,
            accounts: BTreeSet::new(),
            groups: BTreeSet::new(),
        };
        for (change, outcome) in plan.changes.iter().zip(&walked.outcomes) {
            if change.step == Step::Create && !matches!(outcome, Outcome::Done { .. }) {
                match change.subject {
                    Subject::Account(place) => made.accounts.insert(place),
                    Subject::Group(place) => made.groups.insert(place),
                };
            }
        }
        made
    }

    pub(crate) fn view(&self) -> View<'a> {
        View {
            plan: self.plan,
            roster: self.context.roster(),
            holding: self.context.holding(),
        }
    }

    /// Every change with what became of it.
    pub(crate) fn outcomes(&self) -> impl Iterator<Item = (&'a Change, &'a Outcome)> {
        self.plan.changes.iter().zip(&self.walked.outcomes)
    }

    /// Whether the stop signal came before all was tried. What rests, or needs what was refused, is not tried on purpose.
    pub(crate) fn was_stopped(&self) -> bool {
        let on_purpose = |at: &usize| self.rested.contains(at) || self.walked.left_out.contains(at);
        let outcomes = self.walked.outcomes.iter().enumerate();
        let mut untried = outcomes.filter(|it| *it.1 == Outcome::Skipped);
        untried.any(|it| !on_purpose(&it.0))
    }

    /// How a change is named in events, refusals and history: by folded pushed name, and what is done.
    pub(crate) fn names(&self, change: &Change) -> (String, String) {
        names(self.context, self.plan, change)
    }

    /// One line of history for each change that was made.
    pub(crate) fn history(&self, now: Timestamp) -> Vec<HistoryEntry> {
        let view = self.view();
        let made = self
            .outcomes()
            .filter(|it| matches!(it.1, Outcome::Done { .. }));
        let entry = |(change, _): (&Change, _)| {
            let name = match change.subject {
                Subject::Account(place) => view.account_name(place),
                Subject::Group(place) => view.group_name(place),
            };
            let moved = self.moved(change);
            let text = match &moved {
                None => show_change(view, change),
                Some(it) => {
                    format!(
                        "members: {} given, {} taken",
                        it.given.len(),
                        it.taken.len()
                    )
                }
            };
            // Members that are groups are in the text alone.
            let moved = moved.filter(|_| change.step == Step::Members);
            let (given, taken) = moved.map_or_else(Default::default, |it| (it.given, it.taken));
            HistoryEntry {
                at: now,
                subject: change.subject,
                name: name.to_owned(),
                text,
                reason: change.reason.word().to_owned(),
                class: class_of(change),
                active_delta: active_delta(self.context, change),
                given,
                taken,
            }
        };
        made.map(entry).collect()
    }

    /// The members that a change moved, without those that are not there; none for a change of another kind.
    fn moved(&self, change: &Change) -> Option<Moved> {
        let missing = match change.step {
            Step::Members => &self.accounts,
            Step::Children => &self.groups,
            Step::Create | Step::Update | Step::Delete => return None,
        };
        let there = |places: &[u32]| -> Vec<u32> {
            let places = places.iter().copied();
            places.filter(|it| !missing.contains(it)).collect()
        };
        Some(Moved {
            given: there(self.plan.given(change)),
            taken: there(self.plan.taken(change)),
        })
    }

    /// The refusals that count from now on: refused again, or still resting.
    pub(crate) fn refusals(&self, before: &[Refused], now: Timestamp) -> Vec<Refused> {
        let refused = self.outcomes().filter_map(|(change, outcome)| {
            let (subject, done) = match outcome {
                Outcome::Failed(Refusal::Refused(_)) => self.names(change),
                Outcome::Skipped if !before.is_empty() => self.names(change),
                _ => return None,
            };
            let known = before
                .iter()
                .find(|it| it.subject == subject && it.change == done);
            match outcome {
                Outcome::Failed(Refusal::Refused(text)) => {
                    let count = known.map_or(0, |it| it.count) + 1;
                    Some(Refused {
                        subject,
                        change: done,
                        count,
                        text: text.clone(),
                        next_at: now.plus(rest(count)),
                    })
                }
                _ => known.cloned(),
            }
        });
        refused.collect()
    }

    /// What the plan came to, in numbers.
    pub(crate) fn counts(&self, part: &ApplicationPart) -> Counts {
        let plan = self.plan;
        let mut counts = Counts {
            changes_held: plan.held.len() as u64,
            changes_waiting: plan.waiting.len() as u64,
            changes_refused: self.rested.len() as u64,
            accounts_frozen: u64::from(plan.frozen),
            records_rejected: plan.doubled.len() as u64,
            removals_blocked: u64::from(is_blocked(part, plan)),
            ..Counts::default()
        };
        for (change, outcome) in self.outcomes() {
            match outcome {
                Outcome::Done { .. } => self.count(&mut counts, change),
                Outcome::Failed(Refusal::Refused(_)) => counts.changes_refused += 1,
                Outcome::Failed(_) => counts.changes_failed += 1,
                Outcome::Skipped => {}
            }
        }
        counts
    }

    fn count(&self, counts: &mut Counts, change: &Change) {
        if let Some(moved) = self.moved(change) {
            counts.memberships_given += moved.given.len() as u64;
            counts.memberships_taken += moved.taken.len() as u64;
            return;
        }
        match (change.subject, change.step) {
            (Subject::Group(_), _) => counts.groups_changed += 1,
            (_, Step::Create) => counts.accounts_created += 1,
            (_, Step::Delete) => counts.accounts_deleted += 1,
            (_, _) if change.what.has(What::DEACTIVATE) => counts.accounts_deactivated += 1,
            (_, _) => counts.accounts_updated += 1,
        }
    }
}

/// How a change is named in events, refusals and history: by folded pushed name, and what is done.
pub(crate) fn names(context: &Context<'_, '_>, plan: &Plan, change: &Change) -> (String, String) {
    let view = View {
        plan,
        roster: context.roster(),
        holding: context.holding(),
    };
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

/// How long a change rests after so many refusals: not at first, then an hour, doubling up to a day.
fn rest(count: u32) -> Span {
    if count < REFUSED_BEFORE_REPORT {
        return Span::ZERO;
    }
    let hours = 1i64 << (count - REFUSED_BEFORE_REPORT).min(5);
    Span::hours(hours.min(24))
}
