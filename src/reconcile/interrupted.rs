//! What a push did that was cut off, as lines of the history.
//!
//! Its own lines were lost with its commit, and the limits count by them. Its open intents say what was about to be done; what
//! came about of it is what the application is found to hold and was not known to hold before. Lines that were committed are
//! not written again: what they tell of was known.

use std::collections::{BTreeMap, BTreeSet};

use crate::clock::Timestamp;
use crate::model::{
    Account, AppGroup, Class, HistoryEntry, Holding, Intent, IntentStep, Membership, Step, Subject,
    What,
};

/// The reason that these lines give: that of the plan is lost.
const REASON: &str = "recovered";

/// One line for each step of open intents that came about, with the places of `found`, which is what
/// [`recall`](crate::reconcile::recall) made of `before`, a fresh listing and these intents: its first places are those of
/// `before`.
pub fn interrupted<'i>(
    before: &Holding,
    found: &Holding,
    intents: impl IntoIterator<Item = &'i Intent>,
    now: Timestamp,
) -> Vec<HistoryEntry> {
    let steps = last_steps(intents);
    let recovered = Recovered::new(&steps, before, found, now);
    let lines = steps.iter().filter_map(|step| match step.subject {
        Subject::Account(planned) => recovered.account(step, planned),
        Subject::Group(planned) if is_about_members(step) => recovered.members(step, planned),
        Subject::Group(planned) => recovered.group(step, planned),
    });
    lines.collect()
}

/// A plan that is one transaction is sent again without what was refused: of the steps that were sent twice, the last ones.
fn last_steps<'i>(intents: impl IntoIterator<Item = &'i Intent>) -> Vec<&'i IntentStep> {
    let steps = intents.into_iter().flat_map(|it| &it.steps);
    let by_subject: BTreeMap<_, _> = steps
        .map(|it| {
            let (kind, place) = match it.subject {
                Subject::Account(place) => (0, place),
                Subject::Group(place) => (1, place),
            };
            let part = match it.step {
                Step::Create | Step::Update | Step::Delete => 0,
                Step::Members => 1,
                Step::Children => 2,
            };
            ((kind, part, place), it)
        })
        .collect();
    by_subject.into_values().collect()
}

fn is_about_members(step: &IntentStep) -> bool {
    matches!(step.step, Step::Members | Step::Children)
}

/// What was not known before: ours by its record, and everything by its id.
#[derive(Default)]
struct Found<'a> {
    by_record: BTreeMap<(&'a str, &'a str), u32>,
    by_id: BTreeMap<&'a str, u32>,
    by_name: BTreeMap<&'a str, u32>,
}

impl<'a> Found<'a> {
    fn add(&mut self, link: Option<(&'a str, &'a str)>, id: &'a str, name: &'a str, place: u32) {
        self.by_record.extend(link.map(|it| (it, place)));
        self.by_id.insert(id, place);
        self.by_name.insert(name, place);
    }

    /// Where the subject of a step is: what was made by its record; what was first seen in the lost push by its id, or by its
    /// new name where a rename changed the id.
    fn place(&self, step: &IntentStep) -> Option<u32> {
        let record = (step.directory.as_str(), step.record.as_str());
        let ours = self.by_record.get(&record);
        let seen = || self.by_id.get(step.remote_id.as_str());
        let renamed = || self.by_name.get(step.name.as_str());
        ours.or_else(seen).or_else(renamed).copied()
    }
}

struct Recovered<'a> {
    before: &'a Holding,
    found: &'a Holding,
    /// By the place that the intents speak of, where what was not known before was found.
    new_accounts: BTreeMap<u32, u32>,
    new_groups: BTreeMap<u32, u32>,
    now: Timestamp,
}

impl<'a> Recovered<'a> {
    fn new(
        steps: &[&IntentStep],
        before: &'a Holding,
        found: &'a Holding,
        now: Timestamp,
    ) -> Recovered<'a> {
        let text = |id| found.text(id);
        let mut accounts = Found::default();
        for (place, it) in (0u32..).zip(&found.accounts).skip(before.accounts.len()) {
            let link = it.link.as_ref();
            let link = link.map(|it| (text(it.directory), text(it.user_id)));
            accounts.add(link, text(it.seen.remote_id), text(it.seen.name), place);
        }
        let mut groups = Found::default();
        for (place, it) in (0u32..).zip(&found.groups).skip(before.groups.len()) {
            let link = it.link.as_ref();
            let link = link.map(|it| (text(it.directory), text(it.group_id)));
            groups.add(link, text(it.seen.remote_id), text(it.seen.name), place);
        }
        let mut new_accounts = BTreeMap::new();
        let mut new_groups = BTreeMap::new();
        for step in steps {
            match step.subject {
                Subject::Account(it) => {
                    new_accounts.extend(accounts.place(step).map(|at| (it, at)));
                }
                Subject::Group(it) => {
                    new_groups.extend(groups.place(step).map(|at| (it, at)));
                }
            }
        }
        Recovered {
            before,
            found,
            new_accounts,
            new_groups,
            now,
        }
    }

    fn account(&self, step: &IntentStep, planned: u32) -> Option<HistoryEntry> {
        let place = self.account_place(planned)?;
        let was = self.before.accounts.get(place as usize);
        let was = was.filter(|it| it.exists);
        let is = self.found.accounts.get(place as usize)?;
        let came_about = match (step.step, was) {
            (Step::Create, was) => was.is_none() && is.exists,
            (Step::Delete, was) => was.is_some() && !is.exists,
            // First seen in the listing of the lost push, and ours by what was done to it; else it is adopted again.
            (_, None) => is.link.is_some(),
            (_, Some(was)) => is.exists && self.differs(was, is),
        };
        let active_delta = i8::from(is_ours_and_on(is)) - i8::from(was.is_some_and(is_ours_and_on));
        let line = HistoryEntry {
            class: class_of(step, is),
            active_delta,
            ..self.line(
                step,
                Subject::Account(place),
                self.found.account_name(place),
            )
        };
        came_about.then_some(line)
    }

    fn group(&self, step: &IntentStep, planned: u32) -> Option<HistoryEntry> {
        let place = self.group_place(planned)?;
        let was = self.before.groups.get(place as usize);
        let was = was.filter(|it| it.exists);
        let is = self.found.groups.get(place as usize)?;
        let text = |holding: &'a Holding, it: &AppGroup| {
            let (name, description) = (it.seen.name, it.seen.description);
            (holding.text(name), holding.text(description))
        };
        let came_about = match (step.step, was) {
            (Step::Create, was) => was.is_none() && is.exists,
            (Step::Delete, was) => was.is_some() && !is.exists,
            (_, None) => false,
            (_, Some(was)) => is.exists && text(self.before, was) != text(self.found, is),
        };
        let name = self.found.group_name(place);
        came_about.then(|| self.line(step, Subject::Group(place), name))
    }

    fn members(&self, step: &IntentStep, planned: u32) -> Option<HistoryEntry> {
        let place = self.group_place(planned)?;
        let of_accounts = step.step == Step::Members;
        let list = |it: &'a AppGroup| {
            if of_accounts {
                &it.members
            } else {
                &it.children
            }
        };
        let was = self.before.groups.get(place as usize).map(list);
        let was = places(was.map_or(&[], Vec::as_slice));
        let is = places(list(self.found.groups.get(place as usize)?));
        let there = |planned: &u32| {
            if of_accounts {
                self.account_place(*planned)
            } else {
                self.group_place(*planned)
            }
        };
        let moved = |list: &[u32], from: &BTreeSet<u32>, to: &BTreeSet<u32>| -> Vec<u32> {
            let there = list.iter().filter_map(there);
            there
                .filter(|it| to.contains(it) && !from.contains(it))
                .collect()
        };
        let (given, taken) = (moved(&step.give, &was, &is), moved(&step.take, &is, &was));
        if given.is_empty() && taken.is_empty() {
            return None;
        }
        let text = format!("members: {} given, {} taken", given.len(), taken.len());
        let line = self.line(step, Subject::Group(place), self.found.group_name(place));
        Some(HistoryEntry {
            text,
            given: if of_accounts { given } else { Vec::new() },
            taken: if of_accounts { taken } else { Vec::new() },
            ..line
        })
    }

    fn line(&self, step: &IntentStep, subject: Subject, name: &str) -> HistoryEntry {
        let kind = match subject {
            Subject::Account(_) => "user",
            Subject::Group(_) => "group",
        };
        let word = match step.step {
            Step::Create => "create  ",
            Step::Delete => "delete  ",
            Step::Update | Step::Members | Step::Children => "update  ",
        };
        let parts = step.what.without(What::REMEMBERED).words().join(", ");
        let gap = if parts.is_empty() { "" } else { ": " };
        HistoryEntry {
            at: self.now,
            subject,
            name: name.to_owned(),
            text: format!("{word} {kind} {name}{gap}{parts} ({REASON})"),
            reason: REASON.to_owned(),
            class: None,
            active_delta: 0,
            given: Vec::new(),
            taken: Vec::new(),
        }
    }

    /// Where an account that the intents speak of is now.
    fn account_place(&self, planned: u32) -> Option<u32> {
        let old = (planned as usize) < self.before.accounts.len();
        let new = self.new_accounts.get(&planned).copied();
        new.or(old.then_some(planned))
    }

    fn group_place(&self, planned: u32) -> Option<u32> {
        let old = (planned as usize) < self.before.groups.len();
        let new = self.new_groups.get(&planned).copied();
        new.or(old.then_some(planned))
    }

    fn differs(&self, was: &Account, is: &Account) -> bool {
        let text = |holding: &'a Holding, it: &Account| {
            let it = &it.seen;
            let fields = [
                it.name,
                it.display_name,
                it.given_name,
                it.family_name,
                it.email,
                it.directory,
                it.external_id,
            ];
            fields.map(|it| holding.text(it))
        };
        was.link.is_some() != is.link.is_some()
            || was.seen.active != is.seen.active
            || text(self.before, was) != text(self.found, is)
    }
}

fn is_ours_and_on(it: &Account) -> bool {
    it.exists && it.seen.active && it.link.is_some()
}

/// The limit that a step counts against, as far as it is seen to have come about.
fn class_of(step: &IntentStep, is: &Account) -> Option<Class> {
    match step.step {
        Step::Create => Some(Class::Addition),
        Step::Delete => Some(Class::Removal),
        _ if is.seen.active && step.what.has(What::ACTIVATE) => Some(Class::Addition),
        _ if is.seen.active => None,
        _ if step.what.has(What::LEAVE) => Some(Class::Removal),
        _ if step.what.has(What::DEACTIVATE) => Some(Class::Deactivation),
        _ => None,
    }
}

fn places(members: &[Membership]) -> BTreeSet<u32> {
    members.iter().map(|it| it.place()).collect()
}
