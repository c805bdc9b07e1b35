//! What an application was found to hold, together with what is remembered of it and what was in flight when that was cut off.
//!
//! An intent is never replayed. It only tells what of the things found is ours: an account that a cut-off push created is
//! linked here, so that the next plan finds it instead of creating a second one.

mod copy;
mod defaults;

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    Account, AppGroup, GroupLink, Holding, Intent, IntentStep, Link, Membership, NONE, Observed,
    ObservedAccount, Origin, Pool, Step, StrId, Subject, What,
};
use crate::reconcile::locate::{self, Named};
use crate::text;

/// Joins a fresh listing with the remembered holding and the open intents. Places of the remembered holding stay what they
/// were; what is new is appended.
pub fn recall(remembered: &Holding, observed: &Observed, intents: &[Intent]) -> Holding {
    let mut recall = Recall {
        holding: remembered.clone(),
        known_accounts: remembered.accounts.len(),
        known_groups: remembered.groups.len(),
        accounts: vec![NONE; observed.accounts.len()],
        groups: vec![NONE; observed.groups.len()],
        made: BTreeSet::new(),
        observed,
    };
    let steps: Vec<&IntentStep> = intents.iter().flat_map(|it| &it.steps).collect();
    recall.place_accounts(&steps);
    recall.place_groups(&steps);
    recall.place_members(remembered);
    let places = recall.created(&steps);
    defaults::own(&mut recall.holding, &recall.made);
    for step in steps {
        recall.credit(step, &places);
    }
    recall.holding
}

struct Recall<'o> {
    observed: &'o Observed,
    holding: Holding,
    /// How many places the remembered holding has.
    known_accounts: usize,
    known_groups: usize,
    /// By observed account, its place.
    accounts: Vec<u32>,
    /// By observed group, its place.
    groups: Vec<u32>,
    /// Accounts that were made here and are listed for the first time, by a product that gives groups by itself.
    made: BTreeSet<u32>,
}

impl Recall<'_> {
    fn place_accounts(&mut self, steps: &[&IntentStep]) {
        let observed = self.observed;
        let pool = &self.holding.pool;
        let known: Vec<Option<Named<'_>>> = self
            .holding
            .accounts
            .iter()
            .map(|it| {
                it.exists
                    .then(|| named(pool, it.seen.remote_id, it.seen.name))
            })
            .collect();
        let listed: Vec<Named<'_>> = observed
            .accounts
            .iter()
            .map(|it| named(&observed.pool, it.remote_id, it.name))
            .collect();
        let renames = locate::renames(steps, |it| match it {
            Subject::Account(place) => Some(place),
            Subject::Group(_) => None,
        });
        let found = locate::locate(&known, &listed, &renames);
        let pool = &mut self.holding.pool;
        for (place, found) in found.iter().enumerate() {
            let account = &mut self.holding.accounts[place];
            account.exists = found.is_some();
            let Some(at) = *found else {
                account.link = None;
                continue;
            };
            self.accounts[at] = place as u32;
            account.seen = copy::account(&observed.pool, &observed.accounts[at], pool);
            // Whoever switched it on: if it is off again later, that was not done here.
            if let Some(link) = &mut account.link {
                link.off_by_us &= !account.seen.active;
                if std::mem::take(&mut link.unlisted) {
                    self.made.insert(place as u32);
                }
            }
        }
        for (at, seen) in observed.accounts.iter().enumerate() {
            if self.accounts[at] == NONE {
                self.accounts[at] = self.holding.accounts.len() as u32;
                self.holding.accounts.push(Account {
                    seen: copy::account(&observed.pool, seen, pool),
                    link: None,
                    exists: true,
                });
            }
        }
    }

    fn place_groups(&mut self, steps: &[&IntentStep]) {
        let observed = self.observed;
        let pool = &self.holding.pool;
        let known: Vec<Option<Named<'_>>> = self
            .holding
            .groups
            .iter()
            .map(|it| {
                it.exists
                    .then(|| named(pool, it.seen.remote_id, it.seen.name))
            })
            .collect();
        let listed: Vec<Named<'_>> = observed
            .groups
            .iter()
            .map(|it| named(&observed.pool, it.remote_id, it.name))
            .collect();
        let renames = locate::renames(steps, |it| match it {
            Subject::Group(place) => Some(place),
            Subject::Account(_) => None,
        });
        let found = locate::locate(&known, &listed, &renames);
        let pool = &mut self.holding.pool;
        for (place, found) in found.iter().enumerate() {
            let group = &mut self.holding.groups[place];
            group.exists = found.is_some();
            let Some(at) = *found else {
                group.link = None;
                continue;
            };
            self.groups[at] = place as u32;
            group.seen = copy::group(&observed.pool, &observed.groups[at], pool);
        }
        for (at, seen) in observed.groups.iter().enumerate() {
            if self.groups[at] == NONE {
                self.groups[at] = self.holding.groups.len() as u32;
                self.holding.groups.push(AppGroup {
                    seen: copy::group(&observed.pool, seen, pool),
                    link: None,
                    exists: true,
                    members: Vec::new(),
                    children: Vec::new(),
                });
            }
        }
    }

    /// Members as observed; those that were ours still are.
    fn place_members(&mut self, remembered: &Holding) {
        for group in &mut self.holding.groups {
            group.members.clear();
            group.children.clear();
        }
        for &(group, account) in &self.observed.members {
            let at = self.groups[group as usize] as usize;
            let place = self.accounts[account as usize];
            let ours = remembered
                .groups
                .get(at)
                .is_some_and(|it| owns(&it.members, place));
            self.holding.groups[at]
                .members
                .push(Membership::new(place, ours));
        }
        for &(parent, child) in &self.observed.children {
            let at = self.groups[parent as usize] as usize;
            let place = self.groups[child as usize];
            let ours = remembered
                .groups
                .get(at)
                .is_some_and(|it| owns(&it.children, place));
            self.holding.groups[at]
                .children
                .push(Membership::new(place, ours));
        }
        for group in &mut self.holding.groups {
            for list in [&mut group.members, &mut group.children] {
                list.sort_unstable();
                list.dedup_by_key(|it| it.place());
            }
        }
    }

    /// Links what the intents created, and says at which places it was found: by the places that the intents speak of. What
    /// was there before the plan is none of it, nor is what bears another record's id.
    fn created(&mut self, steps: &[&IntentStep]) -> Places {
        let mut places = Places::default();
        if !steps.iter().any(|it| it.step == Step::Create) {
            return places;
        }
        let name = |pool: &Pool, id: StrId| text::fold(pool.get(id));
        let accounts: BTreeMap<String, u32> = (0u32..)
            .zip(&self.holding.accounts)
            .skip(self.known_accounts)
            .map(|it| (name(&self.holding.pool, it.1.seen.name), it.0))
            .collect();
        let groups: BTreeMap<String, u32> = (0u32..)
            .zip(&self.holding.groups)
            .skip(self.known_groups)
            .map(|it| (name(&self.holding.pool, it.1.seen.name), it.0))
            .collect();
        for step in steps.iter().filter(|it| it.step == Step::Create) {
            let key = text::fold(&step.name);
            match step.subject {
                Subject::Account(planned) => {
                    if let Some(&place) = accounts.get(&key).filter(|it| self.bears_id(step, **it))
                    {
                        places.accounts.insert(planned, place);
                        self.link_account(step, place, Origin::Created);
                        if step.gives_groups {
                            self.made.insert(place);
                        }
                    }
                }
                Subject::Group(planned) => {
                    if let Some(&place) = groups.get(&key) {
                        places.groups.insert(planned, place);
                        self.link_group(step, place);
                    }
                }
            }
        }
        places
    }

    /// Whether an account bears the id of the record that a step was for, or none.
    fn bears_id(&self, step: &IntentStep, place: u32) -> bool {
        let seen = &self.holding.accounts[place as usize].seen;
        seen.external_id.is_empty() || self.holding.text(seen.external_id) == step.record
    }

    fn link_account(&mut self, step: &IntentStep, place: u32, origin: Origin) {
        let pool = &mut self.holding.pool;
        let account = &mut self.holding.accounts[place as usize];
        account.link = Some(Link {
            directory: pool.add(&step.directory),
            user_id: pool.add(&step.record),
            origin,
            off_by_us: !step.active && !account.seen.active,
            mail: pool.add(&step.mail),
            person: pool.add(&step.person),
            tied: step.tied,
            unlisted: false,
            absent_since: None,
            absent_for: 0,
            left_at: None,
        });
    }

    fn link_group(&mut self, step: &IntentStep, place: u32) {
        let pool = &mut self.holding.pool;
        self.holding.groups[place as usize].link = Some(GroupLink {
            directory: pool.add(&step.directory),
            group_id: pool.add(&step.record),
            origin: Origin::Created,
            absent_since: None,
            absent_for: 0,
            left_at: None,
        });
    }

    /// Takes over as ours what a step has visibly done.
    fn credit(&mut self, step: &IntentStep, places: &Places) {
        match step.subject {
            Subject::Account(place) if (place as usize) < self.known_accounts => {
                self.credit_account(step, place);
            }
            Subject::Account(_) => {
                if let Some(place) = self.first_listed(step) {
                    self.credit_account(step, place);
                }
            }
            Subject::Group(group) => {
                let found = places.group(group, self.known_groups);
                let Some(group) = found.map(|it| &mut self.holding.groups[it as usize]) else {
                    return;
                };
                let children = step.step == Step::Children;
                let given = step.give.iter().chain(&step.own);
                let given: BTreeSet<u32> = if children {
                    given
                        .filter_map(|it| places.group(*it, self.known_groups))
                        .collect()
                } else {
                    given
                        .filter_map(|it| places.account(*it, self.known_accounts))
                        .collect()
                };
                let list = if children {
                    &mut group.children
                } else {
                    &mut group.members
                };
                for member in list.iter_mut().filter(|it| given.contains(&it.place())) {
                    *member = Membership::new(member.place(), true);
                }
            }
        }
    }

    /// The account of a step that was first seen in the listing that its plan was made from, so that its place is not
    /// remembered. Where the name is the id, a rename leaves open which one it is.
    fn first_listed(&self, step: &IntentStep) -> Option<u32> {
        let pool = &self.holding.pool;
        let is_it = |it: &ObservedAccount| {
            !step.remote_id.is_empty()
                && pool.get(it.remote_id) == step.remote_id
                && !(step.what.has(What::RENAME) && it.name_is_id(pool))
        };
        let accounts = self.holding.accounts.iter().zip(0u32..);
        let mut found = accounts.skip(self.known_accounts);
        found.find(|it| is_it(&it.0.seen)).map(|it| it.1)
    }

    /// An adoption is made again by the next plan, unless what it changed hides why it was made: then it is ours here.
    fn credit_account(&mut self, step: &IntentStep, place: u32) {
        let account = &mut self.holding.accounts[place as usize];
        if !account.exists {
            return;
        }
        let switched_off = step.what.has(What::DEACTIVATE) && !account.seen.active;
        match &mut account.link {
            Some(link) => link.off_by_us |= switched_off,
            None if step.what.has(What::ADOPT) => {
                let renamed = step.what.has(What::RENAME)
                    && self.holding.pool.get(account.seen.name) == step.name;
                if renamed || switched_off {
                    self.link_account(step, place, Origin::Adopted);
                    let link = &mut self.holding.accounts[place as usize].link;
                    link.iter_mut().for_each(|it| it.off_by_us = switched_off);
                }
            }
            None => {}
        }
    }
}

/// Places that intents speak of, and where what they created was found.
#[derive(Default)]
struct Places {
    accounts: BTreeMap<u32, u32>,
    groups: BTreeMap<u32, u32>,
}

impl Places {
    /// Where the account at a planned place is now: one that was known before the plan stays where it was.
    fn account(&self, planned: u32, known: usize) -> Option<u32> {
        let old = (planned as usize) < known;
        self.accounts
            .get(&planned)
            .copied()
            .or(old.then_some(planned))
    }

    /// Where the group at a planned place is now.
    fn group(&self, planned: u32, known: usize) -> Option<u32> {
        let old = (planned as usize) < known;
        self.groups
            .get(&planned)
            .copied()
            .or(old.then_some(planned))
    }
}

fn named(pool: &Pool, id: StrId, name: StrId) -> Named<'_> {
    Named {
        id: pool.get(id),
        name: pool.get(name),
    }
}

fn owns(members: &[Membership], place: u32) -> bool {
    members.binary_search(&Membership::new(place, true)).is_ok()
}
