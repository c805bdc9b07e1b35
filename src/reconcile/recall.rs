//! What an application was found to hold, together with what is remembered of it and what was in flight when that was cut off.
//!
//! An intent is never replayed. It only tells what of the things found is ours: an account that a cut-off push created is
//! linked here, so that the next plan finds it instead of creating a second one.

use std::collections::BTreeMap;

use crate::model::{
    Account, AppGroup, GroupLink, Holding, Intent, IntentStep, Link, Membership, Observed,
    ObservedAccount, ObservedGroup, Origin, Pool, Step, StrId, Subject, What,
};
use crate::text;

/// Joins a fresh listing with the remembered holding and the open intents. Places of the remembered holding stay what they
/// were; what is new is appended.
pub fn recall(remembered: &Holding, observed: &Observed, intents: &[Intent]) -> Holding {
    let mut recall = Recall {
        holding: remembered.clone(),
        accounts: vec![u32::MAX; observed.accounts.len()],
        groups: vec![u32::MAX; observed.groups.len()],
        observed,
    };
    let steps: Vec<&IntentStep> = intents.iter().flat_map(|it| &it.steps).collect();
    recall.place_accounts(&steps);
    recall.place_groups(&steps);
    recall.place_members(remembered);
    let places = recall.created(&steps);
    for step in steps {
        recall.credit(step, &places);
    }
    recall.holding
}

struct Recall<'o> {
    observed: &'o Observed,
    holding: Holding,
    /// By observed account, its place.
    accounts: Vec<u32>,
    /// By observed group, its place.
    groups: Vec<u32>,
}

impl Recall<'_> {
    fn place_accounts(&mut self, steps: &[&IntentStep]) {
        let observed = self.observed;
        let by_id: BTreeMap<&str, usize> = (0..observed.accounts.len())
            .map(|it| (observed.pool.get(observed.accounts[it].remote_id), it))
            .collect();
        let renamed: BTreeMap<u32, &str> = steps
            .iter()
            .filter(|it| it.what.has(What::RENAME) || it.what.has(What::SPELLING))
            .filter_map(|it| {
                if let Subject::Account(place) = it.subject {
                    Some((place, it.name.as_str()))
                } else {
                    None
                }
            })
            .collect();
        let mut taken = vec![false; observed.accounts.len()];
        for place in 0..self.holding.accounts.len() {
            if !self.holding.accounts[place].exists {
                continue;
            }
            // Renames first: where the name is the id, the old id may already be somebody else's.
            let found = renamed
                .get(&(place as u32))
                .and_then(|name| by_id.get(name))
                .or_else(|| {
                    by_id.get(
                        self.holding
                            .text(self.holding.accounts[place].seen.remote_id),
                    )
                })
                .copied()
                .filter(|it| !taken[*it]);
            match found {
                Some(at) => {
                    taken[at] = true;
                    self.accounts[at] = place as u32;
                    let seen = copy_account(
                        &observed.pool,
                        &observed.accounts[at],
                        &mut self.holding.pool,
                    );
                    self.holding.accounts[place].seen = seen;
                }
                None => {
                    self.holding.accounts[place].exists = false;
                    self.holding.accounts[place].link = None;
                }
            }
        }
        for at in (0..observed.accounts.len()).filter(|it| !taken[*it]) {
            self.accounts[at] = self.holding.accounts.len() as u32;
            let seen = copy_account(
                &observed.pool,
                &observed.accounts[at],
                &mut self.holding.pool,
            );
            self.holding.accounts.push(Account {
                seen,
                link: None,
                exists: true,
            });
        }
    }

    fn place_groups(&mut self, steps: &[&IntentStep]) {
        let observed = self.observed;
        let by_id: BTreeMap<&str, usize> = (0..observed.groups.len())
            .map(|it| (observed.pool.get(observed.groups[it].remote_id), it))
            .collect();
        let renamed: BTreeMap<u32, &str> = steps
            .iter()
            .filter(|it| it.what.has(What::RENAME) || it.what.has(What::SPELLING))
            .filter_map(|it| {
                if let Subject::Group(place) = it.subject {
                    Some((place, it.name.as_str()))
                } else {
                    None
                }
            })
            .collect();
        let mut taken = vec![false; observed.groups.len()];
        for place in 0..self.holding.groups.len() {
            if !self.holding.groups[place].exists {
                continue;
            }
            let found = renamed
                .get(&(place as u32))
                .and_then(|name| by_id.get(name))
                .or_else(|| by_id.get(self.holding.text(self.holding.groups[place].seen.remote_id)))
                .copied()
                .filter(|it| !taken[*it]);
            match found {
                Some(at) => {
                    taken[at] = true;
                    self.groups[at] = place as u32;
                    let seen =
                        copy_group(&observed.pool, &observed.groups[at], &mut self.holding.pool);
                    self.holding.groups[place].seen = seen;
                }
                None => {
                    self.holding.groups[place].exists = false;
                    self.holding.groups[place].link = None;
                }
            }
        }
        for at in (0..observed.groups.len()).filter(|it| !taken[*it]) {
            self.groups[at] = self.holding.groups.len() as u32;
            let seen = copy_group(&observed.pool, &observed.groups[at], &mut self.holding.pool);
            let (members, children) = (Vec::new(), Vec::new());
            self.holding.groups.push(AppGroup {
                seen,
                link: None,
                exists: true,
                members,
                children,
            });
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

    /// Links what the intents created, and says at which places it was found: by the places that the intents speak of.
    fn created(&mut self, steps: &[&IntentStep]) -> Places {
        let mut places = Places::default();
        if !steps.iter().any(|it| it.step == Step::Create) {
            return places;
        }
        let name = |pool: &Pool, id: StrId| text::fold(pool.get(id));
        let accounts: BTreeMap<String, u32> = (0u32..)
            .zip(&self.holding.accounts)
            .filter(|it| it.1.exists && it.1.link.is_none())
            .map(|it| (name(&self.holding.pool, it.1.seen.name), it.0))
            .collect();
        let groups: BTreeMap<String, u32> = (0u32..)
            .zip(&self.holding.groups)
            .filter(|it| it.1.exists && it.1.link.is_none())
            .map(|it| (name(&self.holding.pool, it.1.seen.name), it.0))
            .collect();
        for step in steps.iter().filter(|it| it.step == Step::Create) {
            let key = text::fold(&step.name);
            match step.subject {
                Subject::Account(planned) => {
                    if let Some(&place) = accounts.get(&key) {
                        places.accounts.insert(planned, place);
                        self.link_account(step, place);
                    }
                }
                Subject::Group(planned) => {
                    if let Some(&place) = groups.get(&key) {
                        places.groups.insert(planned, place);
                        let pool = &mut self.holding.pool;
                        let link = GroupLink {
                            directory: pool.add(&step.directory),
                            group_id: pool.add(&step.record),
                            origin: Origin::Created,
                            absent_since: None,
                            absent_for: 0,
                            left_at: None,
                        };
                        self.holding.groups[place as usize].link = Some(link);
                    }
                }
            }
        }
        places
    }

    fn link_account(&mut self, step: &IntentStep, place: u32) {
        let pool = &mut self.holding.pool;
        let link = Link {
            directory: pool.add(&step.directory),
            user_id: pool.add(&step.record),
            origin: Origin::Created,
            off_by_us: !step.active,
            mail: pool.add(&step.mail),
            person: pool.add(&step.person),
            tied: false,
            absent_since: None,
            absent_for: 0,
            left_at: None,
        };
        self.holding.accounts[place as usize].link = Some(link);
    }

    /// Takes over as ours what a step has visibly done.
    fn credit(&mut self, step: &IntentStep, places: &Places) {
        match step.subject {
            Subject::Account(place) => {
                let account = self.holding.accounts.get_mut(place as usize);
                if let Some(Account {
                    seen,
                    link: Some(link),
                    exists: true,
                }) = account
                    && step.what.has(What::DEACTIVATE)
                    && !seen.active
                {
                    link.off_by_us = true;
                }
            }
            Subject::Group(group) => {
                let group = places.groups.get(&group).copied().unwrap_or(group) as usize;
                let Some(group) = self.holding.groups.get_mut(group) else {
                    return;
                };
                let (list, of) = match step.step {
                    Step::Children => (&mut group.children, &places.groups),
                    _ => (&mut group.members, &places.accounts),
                };
                let mut given: Vec<u32> = step
                    .give
                    .iter()
                    .chain(&step.own)
                    .map(|it| of.get(it).copied().unwrap_or(*it))
                    .collect();
                given.sort_unstable();
                for member in list.iter_mut() {
                    if given.binary_search(&member.place()).is_ok() {
                        *member = Membership::new(member.place(), true);
                    }
                }
            }
        }
    }
}

/// Places that intents speak of, and where what they created was found.
#[derive(Default)]
struct Places {
    accounts: BTreeMap<u32, u32>,
    groups: BTreeMap<u32, u32>,
}

fn owns(members: &[Membership], place: u32) -> bool {
    members.binary_search(&Membership::new(place, true)).is_ok()
}

fn copy_account(from: &Pool, it: &ObservedAccount, to: &mut Pool) -> ObservedAccount {
    let mut text = |id: StrId| to.add(from.get(id));
    ObservedAccount {
        remote_id: text(it.remote_id),
        name: text(it.name),
        display_name: text(it.display_name),
        given_name: text(it.given_name),
        family_name: text(it.family_name),
        email: text(it.email),
        directory: text(it.directory),
        external_id: text(it.external_id),
        active: it.active,
    }
}

fn copy_group(from: &Pool, it: &ObservedGroup, to: &mut Pool) -> ObservedGroup {
    let mut text = |id: StrId| to.add(from.get(id));
    ObservedGroup {
        remote_id: text(it.remote_id),
        name: text(it.name),
        description: text(it.description),
    }
}
