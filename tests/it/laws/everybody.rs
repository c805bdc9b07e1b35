//! *everybody*: every record is accounted for. *explain = resolve*: what is explained is what was decided.

use std::collections::{BTreeMap, BTreeSet};

use usersyncd::model::{NONE, RecordRef, Subject, What};
use usersyncd::reconcile::matching::UserState;
use usersyncd::reconcile::resolve::Choice;
use usersyncd::reconcile::{Fate, explain, fates};

use super::push::Case;
use super::verdict::{Broken, ensure};

/// Both laws.
pub(crate) fn everybody(case: &Case<'_, '_, '_>) -> Result<(), Broken> {
    every_fate(case)?;
    everybody_in_the_roster(case)?;
    explained(case)
}

/// Each user record of each listed directory has one fate, and that fate is true.
fn every_fate(case: &Case<'_, '_, '_>) -> Result<(), Broken> {
    const LAW: &str = "everybody";
    let fates = fates(case.context, case.plan);
    let mut expected = 0;
    for (place, snapshot) in case.context.snapshots.iter().enumerate() {
        let Some(snapshot) = snapshot else { continue };
        let users = snapshot.records.users.len();
        let rejected = snapshot.records.rejected.iter();
        expected += users as u64;
        expected += rejected
            .filter(|it| it.what == usersyncd::model::RecordKind::User)
            .count() as u64;
        for record in 0..users as u32 {
            let at = RecordRef {
                directory: place as u16,
                record,
            };
            let fate = fates.of(at);
            ensure(LAW, fits(case, at, fate), || {
                let id = snapshot
                    .records
                    .text(snapshot.records.users[record as usize].id);
                format!("{id} of {place} is {fate:?}\n{}", case.text())
            })?;
        }
    }
    let counted: u64 = fates.counts().values().sum();
    ensure(LAW, counted == expected, || {
        format!("{expected} records, {counted} fates")
    })
}

/// Whether a fate agrees with the plan.
fn fits(case: &Case<'_, '_, '_>, at: RecordRef, fate: Fate) -> bool {
    let context = case.context;
    let Some(snapshot) = &context.snapshots[at.directory as usize] else {
        return false;
    };
    let person = context.resolution.person(snapshot, at);
    let wins = context.resolution.choice[person as usize] == Choice::Won(at);
    match fate {
        Fate::Changed | Fate::Held | Fate::Waiting | Fate::Unchanged | Fate::Protected => wins,
        Fate::NotCreated => wins && !context.abilities().deactivate,
        Fate::Shadowed | Fate::Tied => !wins,
        Fate::Rejected | Fate::OutOfScope(_) | Fate::Frozen => true,
    }
}

/// Whoever is in the roster has an account that is as it should be, gets one, or there is a word about why not.
fn everybody_in_the_roster(case: &Case<'_, '_, '_>) -> Result<(), Broken> {
    const LAW: &str = "everybody";
    let context = case.context;
    let roster = context.roster();
    let held = case.plan.held.iter().map(|it| it.subject.as_str());
    let waiting = case.plan.waiting.iter().map(|it| it.subject.as_str());
    let spoken: BTreeSet<&str> = held.chain(waiting).collect();
    let mut changed = BTreeMap::new();
    for change in &case.plan.changes {
        if let Subject::Account(place) = change.subject {
            changed.insert(place, change);
        }
    }
    for user in 0..roster.users.len() as u32 {
        let key = roster.key(user);
        let rename = format!("rename to {key}");
        let mut said = spoken.contains(format!("user {key}").as_str());
        said |= case.plan.held.iter().any(|it| it.change.contains(&rename));
        match context.matching.users[user as usize] {
            UserState::Account(place, _) => {
                let known = &context.holding().accounts[place as usize];
                let linked = known.link.is_some();
                let becomes = changed
                    .get(&place)
                    .is_some_and(|it| it.wanted == user && it.what.has(What::ADOPT));
                ensure(LAW, linked || becomes || said, || {
                    format!("{key} gets no account and no word\n{}", case.text())
                })?;
            }
            UserState::New => {
                let created = case.plan.new_accounts.contains(&user);
                ensure(LAW, created || said, || {
                    format!("{key} is not created, without a word\n{}", case.text())
                })?;
            }
            UserState::Held(_) | UserState::Unsure(_) => {
                ensure(LAW, said, || {
                    format!("{key} is held without a word\n{}", case.text())
                })?;
            }
            UserState::Protected | UserState::NotCreated => {}
        }
    }
    adopted(case)
}

/// An account of a user's name that nobody else claims is taken over where that is allowed, and nothing else is held for it.
fn adopted(case: &Case<'_, '_, '_>) -> Result<(), Broken> {
    let context = case.context;
    let holding = context.holding();
    let never_read = case.town.settings.listed.iter();
    let never_read = never_read.filter(|it| case.records[**it].is_none()).count() > 0;
    if !context.rules().adopt_by_name || never_read {
        return Ok(());
    }
    let roster = context.roster();
    for user in 0..roster.users.len() as u32 {
        let key = roster.key(user);
        let linked = |place: usize| {
            let link = context.linked[place];
            link.is_some_and(|it| it == roster.users[user as usize].record)
        };
        // Ties can bring two users of one name about.
        let tied = context.rules().link_by_email || !context.rules().people.is_empty();
        let by_id = (0..holding.accounts.len()).any(|it| holding.accounts[it].exists && linked(it));
        let of_name = (0..holding.accounts.len() as u32)
            .filter(|it| holding.accounts[*it as usize].exists)
            .filter(|it| context.account_key(*it) == key);
        let of_name: Vec<u32> = of_name.collect();
        let &[place] = of_name.as_slice() else {
            continue;
        };
        let free = holding.accounts[place as usize].link.is_none()
            && context.linked[place as usize].is_none()
            && !super::limits::is_protected(case, place);
        if by_id || tied || !free {
            continue;
        }
        let state = context.matching.users[user as usize];
        ensure(
            "adoption",
            matches!(state, UserState::Account(it, Some(_)) if it == place),
            || {
                format!(
                    "{key} does not take over its account: {state:?}\n{}",
                    case.text()
                )
            },
        )?;
    }
    Ok(())
}

/// The explanation of one username says what the roster says.
fn explained(case: &Case<'_, '_, '_>) -> Result<(), Broken> {
    const LAW: &str = "explain = resolve";
    let roster = case.context.roster();
    if roster.users.is_empty() {
        return Ok(());
    }
    let user = u32::from(case.how) % roster.users.len() as u32;
    let key = roster.key(user);
    let explanation = explain(case.context, case.plan, key);
    let wanted = roster.account(user);
    let groups = roster.member_of.row(user as usize).iter();
    let groups: BTreeSet<&str> = groups
        .map(|it| roster.groups[*it as usize].name.as_str())
        .collect();
    let mut same = explanation
        .users
        .iter()
        .filter(|it| it.pushed_as == wanted.name && it.directory == wanted.directory);
    let is_it = |it: &usersyncd::reconcile::Explanation| format!("{it:?}");
    let found = same.any(|it| {
        let explained = it.groups.iter().map(|it| it.pushed_as.as_str());
        let explained: BTreeSet<&str> = explained.filter(|it| !it.is_empty()).collect();
        // Where nesting is kept, the explanation names what is above as well.
        if case.context.rules().keep_nesting {
            groups.is_subset(&explained)
        } else {
            groups == explained
        }
    });
    ensure(LAW, found, || {
        format!("{key} in {groups:?}: {}", is_it(&explanation))
    })?;
    let place = match case.context.matching.users[user as usize] {
        UserState::Account(place, _) => place,
        _ => NONE,
    };
    let changed = case.plan.changes.iter().any(|it| {
        it.subject == Subject::Account(place)
            || (it.step == usersyncd::model::Step::Create
                && it.wanted == user
                && matches!(it.subject, Subject::Account(_)))
    });
    ensure(LAW, !changed || !explanation.changes.is_empty(), || {
        format!("no change is told of {key}: {}", is_it(&explanation))
    })
}
