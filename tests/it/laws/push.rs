//! One push: the plan is made and looked at from all sides, carried out, and what came of it is looked at again.

use std::rc::Rc;

use usersyncd::model::{Holding, Memory, Outcome, Plan, Records, Subject, View, What};
use usersyncd::reconcile::matching::AccountState;
use usersyncd::reconcile::{self, Context, advance, audit, recall};

use super::town::{Missing, Town};
use super::verdict::{Broken, ensure};
use super::{after, everybody, ignorance, limits, oracle, order, prefix};
use crate::support::fake_application::is_sent;
use crate::support::fake_server::{ALL, FakeServer};

/// A plan and everything that it was made from.
pub(crate) struct Case<'c, 'w, 'a> {
    /// The world before the plan.
    pub(crate) town: &'c Town,
    pub(crate) records: &'c [Option<&'a Records>],
    pub(crate) memory: &'c Memory,
    pub(crate) context: &'c Context<'w, 'a>,
    pub(crate) plan: &'c Plan,
    /// Which of the dearer laws are looked at, and how.
    pub(crate) how: u8,
}

impl Case<'_, '_, '_> {
    pub(crate) fn view(&self) -> View<'_> {
        self.context.view(self.plan)
    }

    /// The plan as text.
    pub(crate) fn plan_text(&self) -> String {
        reconcile::show(self.view())
    }

    /// Everything that the plan was made from and the plan, for a law that does not hold.
    pub(crate) fn text(&self) -> String {
        let mut lines = Vec::new();
        for source in &self.town.sources {
            let Some(accepted) = &source.accepted else {
                lines.push(format!("{} was never read", source.id));
                continue;
            };
            lines.push(format!("{} is {:?}", source.id, source.standing));
            lines.extend(accepted.raw.lines());
        }
        lines.extend(after::facts(self.context.holding()));
        format!("{}\n{}", lines.join("\n"), self.plan_text())
    }
}

/// Pushes to the application.
pub(crate) fn push(town: &mut Town, how: u8) -> Result<(), Broken> {
    if town.meddled || town.holding.is_unlisted() || how.is_multiple_of(2) {
        let observed = town.server.observe();
        town.holding = recall(&town.holding, &observed, &[]);
        town.meddled = false;
    }
    let before = town.clone();
    let records = before.records();
    let memory = before.memory();
    let world = before.world(&records, &before.holding, &memory);
    let (context, plan) = reconcile::plan(&world);
    let case = Case {
        town: &before,
        records: &records,
        memory: &memory,
        context: &context,
        plan: &plan,
        how,
    };
    for flaw in audit(&context, &plan) {
        ensure(flaw.law, false, || {
            format!("{}\n{}", flaw.text, case.text())
        })?;
    }
    oracle::roster(&case)?;
    everybody::everybody(&case)?;
    limits::limits(&case)?;
    limits::clock(&case)?;
    limits::protected(&case)?;
    ignorance::ignorance(&case)?;
    order::order(&case)?;

    let outcomes = carry_out(&mut town.server, &case)?;
    let held = advance(&context, &plan, &outcomes);
    track(town, &case);
    town.remember(&context, &plan, &outcomes, held);
    after::owners(&case, &town.holding)?;
    after::mirror(town)?;
    after::settle(&case, town)?;
    prefix::prefix(&case, town)
}

/// Carries a plan out. The application takes every step, since the plan knows all that it holds.
fn carry_out(server: &mut FakeServer, case: &Case<'_, '_, '_>) -> Result<Vec<Outcome>, Broken> {
    let mut outcomes = Vec::with_capacity(case.plan.changes.len());
    for change in &case.plan.changes {
        limits::seats(case, server)?;
        let mut remote_id = None;
        if is_sent(change) {
            let answer = server.make(change, case.view(), ALL);
            ensure("possible", answer.is_ok(), || {
                format!("{change:?}: {answer:?}\n{}", case.text())
            })?;
            remote_id = answer.ok().flatten();
        }
        outcomes.push(Outcome::Done { remote_id });
    }
    limits::seats(case, server)?;
    Ok(outcomes)
}

/// Plans and carries out until nothing is left to do, at the same moment and without asking for more.
pub(crate) fn go_on(town: &mut Town) -> Result<(), Broken> {
    for _ in 0..4 {
        let before = town.clone();
        let records = before.records();
        let memory = before.memory();
        let world = before.world(&records, &before.holding, &memory);
        let (context, plan) = reconcile::plan(&world);
        let done = plan.is_empty();
        let case = Case {
            town: &before,
            records: &records,
            memory: &memory,
            context: &context,
            plan: &plan,
            how: 0,
        };
        let outcomes = carry_out(&mut town.server, &case)?;
        let after = advance(&context, &plan, &outcomes);
        town.remember(&context, &plan, &outcomes, after);
        if done {
            return Ok(());
        }
    }
    ensure("settle", false, || "it does not come to rest".to_owned())
}

/// Plans once more, at the same moment.
pub(crate) fn plan_again<T>(
    town: &Town,
    holding: &Holding,
    look: impl FnOnce(&Context<'_, '_>, &Plan) -> T,
) -> T {
    let records = town.records();
    let memory = town.memory();
    let world = town.world(&records, holding, &memory);
    let (context, plan) = reconcile::plan(&world);
    look(&context, &plan)
}

/// Keeps count of how long accounts and groups have been missing.
fn track(town: &mut Town, case: &Case<'_, '_, '_>) {
    let now = town.now;
    let missing = Rc::make_mut(&mut town.missing);
    let mut count = |subject: Subject, is_missing: bool| {
        if !is_missing {
            missing.remove(&subject);
            return;
        }
        match missing.get_mut(&subject) {
            Some(it) => it.plans += 1,
            None => {
                let new = Missing {
                    since: now,
                    plans: 0,
                    reads: [0; 3],
                    unclear: false,
                };
                missing.insert(subject, new);
            }
        }
    };
    let states = case.context.matching.accounts.iter();
    for (place, state) in (0u32..).zip(states) {
        match state {
            AccountState::Left(_) => count(Subject::Account(place), true),
            AccountState::Wanted(_)
            | AccountState::OutOfKind
            | AccountState::Tied
            | AccountState::Missing
            | AccountState::Unlinked => count(Subject::Account(place), false),
            // What cannot be told changes nothing.
            AccountState::Frozen(_) | AccountState::Unsure(_) | AccountState::Protected => {}
        }
    }
    let keys = &case.context.roster().groups;
    for (place, group) in (0u32..).zip(&case.context.holding().groups) {
        let name = usersyncd::text::fold(case.context.holding().text(group.seen.name));
        let wanted = keys.binary_search_by(|it| it.key.cmp(&name)).is_ok();
        let renamed = case
            .plan
            .changes
            .iter()
            .any(|it| it.subject == Subject::Group(place) && it.what.has(What::RENAME));
        count(Subject::Group(place), !(wanted || renamed));
    }
}
