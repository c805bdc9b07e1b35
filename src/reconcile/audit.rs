//! What is true of every plan, as code: run on each plan of a debug build and by the property tests.
//!
//! A plan is made in many small steps, each of which may take a draft back. This looks at the result alone.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Change, NONE, Plan, Step, Subject, What};
use crate::reconcile::context::Context;
use crate::reconcile::matching::AccountState;
use crate::text;

/// Something that is wrong with a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The law that does not hold: `one`, `ability`, `ownership` or `held`.
    pub law: &'static str,
    /// What was found.
    pub text: String,
}

/// Everything that is wrong with a plan; empty for a sound one.
pub fn audit(context: &Context<'_, '_>, plan: &Plan) -> Vec<Flaw> {
    let mut audit = Audit {
        context,
        plan,
        wrong: Vec::new(),
        done: BTreeSet::new(),
    };
    audit.one();
    let mut ours = Ours::default();
    for change in &plan.changes {
        match change.subject {
            Subject::Account(place) => {
                audit.account(change, place);
                ours.accounts.insert(place);
            }
            Subject::Group(place) => {
                audit.group(change, place, &ours);
                ours.groups.insert(place);
            }
        }
    }
    audit.held();
    audit.wrong
}

/// Places that changes before made ours, or confirmed to be.
#[derive(Default)]
struct Ours {
    accounts: BTreeSet<u32>,
    groups: BTreeSet<u32>,
}

struct Audit<'p, 'w, 'a> {
    context: &'p Context<'w, 'a>,
    plan: &'p Plan,
    wrong: Vec<Flaw>,
    /// What the plan does, in the words in which it would be held.
    done: BTreeSet<(String, String)>,
}

impl Audit<'_, '_, '_> {
    fn check(&mut self, law: &'static str, sound: bool, change: &Change, why: &str) {
        if !sound {
            let text = format!("{why}: {change:?}");
            self.wrong.push(Flaw { law, text });
        }
    }

    fn does(&mut self, kind: &str, name: &str, what: String) {
        self.done.insert((format!("{kind} {name}"), what));
    }

    /// At most one step an account, one for the fields of a group, and one for its members (two where seats are counted).
    fn one(&mut self) {
        let mut count: BTreeMap<(Subject, Option<Step>), usize> = BTreeMap::new();
        for change in &self.plan.changes {
            let members = matches!(change.step, Step::Members | Step::Children);
            let step = members.then_some(change.step);
            let seen = count.entry((change.subject, step)).or_default();
            *seen += 1;
            let twice = !self.context.rules().seats.is_empty() && change.step == Step::Members;
            if *seen > 1 + usize::from(twice) {
                self.check("one", false, change, "one step too many");
            }
        }
    }

    fn account(&mut self, change: &Change, place: u32) {
        let can = self.context.abilities();
        let what = change.what;
        let known = self.context.holding().accounts.get(place as usize);
        let is_new = change.step == Step::Create;
        self.check(
            "one",
            known.is_none() == is_new,
            change,
            "made twice or never",
        );
        let allowed = match change.step {
            Step::Create => can.deactivate || self.context.roster().account(change.wanted).active,
            Step::Delete => can.delete_accounts,
            Step::Update => {
                let switches = what.has(What::ACTIVATE) || what.has(What::DEACTIVATE);
                let names = what.has(What::RENAME) || what.has(What::SPELLING);
                let beyond = (switches && !can.deactivate) || (names && !can.rename_accounts);
                let senseless = what.is_empty() || what.has(What::ACTIVATE.with(What::DEACTIVATE));
                !beyond && !senseless
            }
            Step::Members | Step::Children => false,
        };
        self.check(
            "ability",
            allowed,
            change,
            "beyond the application's abilities",
        );
        if let Some(known) = known {
            let ours = known.link.is_some() != what.has(What::ADOPT);
            self.check(
                "ownership",
                known.exists && ours,
                change,
                "an account that is not ours",
            );
            let state = self.context.matching.accounts[place as usize];
            let expected = match state {
                AccountState::Wanted(user) => change.wanted == user,
                AccountState::Left(_) => change.wanted == NONE,
                _ => false,
            };
            self.check(
                "ownership",
                expected,
                change,
                "an account that is to be left alone",
            );
        }
        self.words_of_account(change, place);
    }

    fn words_of_account(&mut self, change: &Change, place: u32) {
        let roster = self.context.roster();
        let words: &[(bool, &str)] = &[
            (change.step == Step::Create, "create"),
            (change.step == Step::Delete, "delete"),
            (change.what.has(What::ADOPT), "adopt"),
            (change.what.has(What::RELINK), "relink"),
            (change.what.has(What::LEAVE), "leave"),
            (change.what.has(What::ACTIVATE), "activate"),
            (change.what.has(What::DEACTIVATE), "deactivate"),
        ];
        let name = if change.wanted == NONE {
            self.context.account_key(place).to_owned()
        } else {
            roster.key(change.wanted).to_owned()
        };
        for it in words.iter().filter(|it| it.0) {
            self.does("user", &name, it.1.to_owned());
        }
        if change.what.has(What::RENAME) {
            let old = self.context.account_key(place).to_owned();
            self.does("user", &old, format!("rename to {name}"));
        }
    }

    fn group(&mut self, change: &Change, place: u32, ours: &Ours) {
        let can = self.context.abilities();
        let what = change.what;
        let known = self.context.holding().groups.get(place as usize);
        self.check(
            "ability",
            can.groups,
            change,
            "an application without groups",
        );
        let allowed = match change.step {
            Step::Create | Step::Members => true,
            Step::Delete => can.delete_groups,
            Step::Children => can.nest && self.context.rules().keep_nesting,
            Step::Update => {
                let names = what.has(What::RENAME) || what.has(What::SPELLING);
                (can.rename_groups || !names)
                    && (can.describe_groups || !what.has(What::DESCRIPTION))
                    && !what.is_empty()
            }
        };
        self.check(
            "ability",
            allowed,
            change,
            "beyond the application's abilities",
        );
        if let Some(known) = known {
            let linked = known.link.is_some();
            // Who left and cannot be switched off loses what others gave, too.
            let only_takes = change.step == Step::Members && change.give + change.own == 0;
            let sound = match change.step {
                Step::Update | Step::Delete => linked != what.has(What::ADOPT),
                _ => linked || ours.groups.contains(&place) || (only_takes && !can.deactivate),
            };
            self.check(
                "ownership",
                known.exists && sound,
                change,
                "a group that is not ours",
            );
        } else {
            let made = ours.groups.contains(&place) != (change.step == Step::Create);
            self.check("one", made, change, "a group that is not there");
        }
        match change.step {
            Step::Members => self.members(change, place, ours),
            Step::Children => self.children(change, ours),
            _ => self.words_of_group(change, place),
        }
    }

    fn words_of_group(&mut self, change: &Change, place: u32) {
        let words: &[(bool, &str)] = &[
            (change.step == Step::Create, "create"),
            (change.step == Step::Delete, "delete"),
            (change.what.has(What::ADOPT), "adopt"),
            (change.what.has(What::LEAVE), "leave"),
        ];
        let name = self.group_name(place, change.wanted);
        for it in words.iter().filter(|it| it.0) {
            self.does("group", &name, it.1.to_owned());
        }
        if change.what.has(What::RENAME) {
            let old = text::fold(self.context.holding().group_name(place));
            self.does("group", &old, format!("rename to {name}"));
        }
    }

    /// The folded name of a group after the plan.
    fn group_name(&self, place: u32, wanted: u32) -> String {
        let holding = self.context.holding();
        let renamed = |it: &&Change| {
            it.subject == Subject::Group(place) && (it.what.has(What::RENAME) || wanted != NONE)
        };
        let by_plan = self.plan.changes.iter().find(renamed).map(|it| it.wanted);
        let known = holding.groups.len() as u32;
        let new = place.checked_sub(known);
        let new = new.map(|it| self.plan.new_groups[it as usize]);
        match new.or(by_plan).filter(|it| *it != NONE) {
            Some(wanted) => self.context.roster().groups[wanted as usize].key.clone(),
            None => text::fold(holding.group_name(place)),
        }
    }

    fn members(&mut self, change: &Change, place: u32, ours: &Ours) {
        let context = self.context;
        let holding = context.holding();
        let group = holding.groups.get(place as usize);
        let name = self.group_name(place, NONE);
        let plan = self.plan;
        for &account in plan.given(change).iter().chain(plan.owned(change)) {
            let linked = holding.accounts.get(account as usize);
            let is_ours = linked.is_some_and(|it| it.exists && it.link.is_some());
            let there = is_ours || ours.accounts.contains(&account);
            self.check("ownership", there, change, "a member who is not ours");
        }
        for &account in plan.given(change) {
            let who = self.account_name(account);
            self.does("user", &who, format!("join {name}"));
        }
        for &account in plan.taken(change) {
            let member =
                group.and_then(|it| it.members.iter().find(|it| it.place() == account).copied());
            self.check(
                "ownership",
                member.is_some(),
                change,
                "taken from who is no member",
            );
            let state = context.matching.accounts[account as usize];
            let mine = matches!(
                state,
                AccountState::Wanted(_) | AccountState::Left(_) | AccountState::OutOfKind
            );
            let ours = member.is_some_and(crate::model::Membership::ours);
            let exact = state == AccountState::Unlinked && !context.rules().exact.is_empty();
            self.check(
                "ownership",
                mine || exact,
                change,
                "taken from who is to be left alone",
            );
            // What others gave goes only from exact groups, and from who cannot be switched off.
            let more = !context.rules().exact.is_empty() || !context.abilities().deactivate;
            self.check(
                "ownership",
                ours || more,
                change,
                "a membership that is not ours",
            );
            let who = self.account_name(account);
            self.does("user", &who, format!("leave {name}"));
        }
    }

    fn children(&mut self, change: &Change, ours: &Ours) {
        let plan = self.plan;
        let holding = self.context.holding();
        for &child in plan.given(change).iter().chain(plan.owned(change)) {
            let linked = holding.groups.get(child as usize);
            let is_ours = linked.is_some_and(|it| it.exists && it.link.is_some());
            let there = is_ours || ours.groups.contains(&child);
            self.check("ownership", there, change, "a subgroup that is not ours");
        }
    }

    fn account_name(&self, place: u32) -> String {
        let known = self.context.holding().accounts.len() as u32;
        match place.checked_sub(known) {
            None => self.context.pushed_key(place).to_owned(),
            Some(new) => {
                let user = self.plan.new_accounts[new as usize];
                self.context.roster().key(user).to_owned()
            }
        }
    }

    /// What is held is not done.
    fn held(&mut self) {
        for it in &self.plan.held {
            let key = (it.subject.clone(), it.change.clone());
            if self.done.contains(&key) {
                let text = format!("held and done: {it:?}");
                self.wrong.push(Flaw { law: "held", text });
            }
        }
    }
}
