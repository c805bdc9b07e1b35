//! What a push that was cut off had already done.
//!
//! Its outcomes are lost with it, but what it did counts against the limits like everything else; or whoever is stopped often
//! enough could remove everybody.

use std::collections::BTreeSet;

use crate::clock::Timestamp;
use crate::model::{
    Account, AppGroup, Class, HistoryEntry, Holding, Intent, IntentStep, Step, Subject, What,
};

/// The steps of open intents whose effect is found, as lines of the history. `recalled` is what [`recall`](crate::reconcile::recall)
/// made of `remembered`, a fresh listing and these intents.
pub fn interrupted(
    remembered: &Holding,
    recalled: &Holding,
    intents: &[Intent],
    at: Timestamp,
) -> Vec<HistoryEntry> {
    let found = Found {
        remembered,
        recalled,
        at,
    };
    let steps = intents.iter().flat_map(|it| &it.steps);
    steps.filter_map(|it| found.done(it)).collect()
}

struct Found<'h> {
    remembered: &'h Holding,
    recalled: &'h Holding,
    at: Timestamp,
}

impl Found<'_> {
    fn done(&self, step: &IntentStep) -> Option<HistoryEntry> {
        match step.subject {
            Subject::Account(place) => self.account(step, place),
            Subject::Group(place) => self.members(step, place),
        }
    }

    fn account(&self, step: &IntentStep, planned: u32) -> Option<HistoryEntry> {
        let before = self.remembered.accounts.get(planned as usize);
        let before = before.filter(|it| it.exists);
        let place = match before {
            Some(_) => planned,
            None => self.linked(step)?,
        };
        let after = &self.recalled.accounts[place as usize];
        let was_active = before.is_some_and(|it| it.seen.active);
        let switched_off = step.what.has(What::DEACTIVATE) && !after.seen.active;
        let switched_on = step.what.has(What::ACTIVATE) && after.seen.active && !was_active;
        let class = match step.step {
            Step::Create => Some(Class::Addition),
            Step::Delete if !after.exists => Some(Class::Removal),
            Step::Update if switched_off && step.what.has(What::LEAVE) => Some(Class::Removal),
            Step::Update if switched_off => Some(Class::Deactivation),
            Step::Update if switched_on => Some(Class::Addition),
            _ => None,
        };
        let counts = |it: &Account| it.exists && it.seen.active && it.link.is_some();
        let (was, is) = (before.is_some_and(counts), counts(after));
        let text = match class {
            Some(Class::Addition) => "added",
            Some(Class::Removal | Class::Deactivation) => "taken",
            None if is && !was => "adopted",
            None => return None,
        };
        Some(HistoryEntry {
            class,
            active_delta: i8::from(is) - i8::from(was),
            ..self.entry(step, Subject::Account(place), text)
        })
    }

    /// The account that an intent made or took over: it was linked for it, at a place that was not known before.
    fn linked(&self, step: &IntentStep) -> Option<u32> {
        let is_it = |it: &Account| {
            it.link.as_ref().is_some_and(|link| {
                self.recalled.text(link.directory) == step.directory
                    && self.recalled.text(link.user_id) == step.record
            })
        };
        let accounts = (0u32..).zip(&self.recalled.accounts);
        let mut new = accounts.skip(self.remembered.accounts.len());
        new.find(|it| is_it(it.1)).map(|it| it.0)
    }

    fn members(&self, step: &IntentStep, place: u32) -> Option<HistoryEntry> {
        if step.step != Step::Members {
            return None;
        }
        let before = members(self.remembered.groups.get(place as usize)?);
        let after = members(self.recalled.groups.get(place as usize)?);
        let now = |list: &[u32], had: bool, has: bool| -> Vec<u32> {
            let moved = |it: &&u32| before.contains(it) == had && after.contains(it) == has;
            list.iter().filter(moved).copied().collect()
        };
        let given = now(&step.give, false, true);
        let taken = now(&step.take, true, false);
        if given.is_empty() && taken.is_empty() {
            return None;
        }
        let text = format!("members: {} given, {} taken", given.len(), taken.len());
        Some(HistoryEntry {
            given,
            taken,
            ..self.entry(step, Subject::Group(place), &text)
        })
    }

    fn entry(&self, step: &IntentStep, subject: Subject, text: &str) -> HistoryEntry {
        HistoryEntry {
            at: self.at,
            subject,
            name: step.name.clone(),
            text: format!("{text}, found after an interruption"),
            reason: "interrupted".to_owned(),
            class: None,
            active_delta: 0,
            given: Vec::new(),
            taken: Vec::new(),
        }
    }
}

fn members(group: &AppGroup) -> BTreeSet<u32> {
    group.members.iter().map(|it| it.place()).collect()
}
