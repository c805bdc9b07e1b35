//! What holds once a plan was carried out: *settle*, *one owner*, and that what is remembered is what is there.

use std::collections::{BTreeMap, BTreeSet};

use usersyncd::model::{
    Account, HoldKey, HoldReason, Holding, Membership, Reason, Step, Subject, What, Withheld,
};
use usersyncd::reconcile::matching::UserState;
use usersyncd::reconcile::{recall, show};
use usersyncd::text::fold;

use super::push::{Case, go_on, plan_again};
use super::source::RawDirectory;
use super::town::Town;
use super::verdict::{Broken, ensure};

/// *settle*: planned again at the same moment there is nothing to do, and the same is held.
pub(crate) fn settle(case: &Case<'_, '_, '_>, town: &Town) -> Result<(), Broken> {
    const LAW: &str = "settle";
    if forgets_a_name(case) {
        return Ok(());
    }
    // A name that a deletion frees is used by the next plan, and where the first plan ends the limits begin.
    let by_limits = |it: &Withheld<HoldReason>| {
        let limits = [
            HoldReason::RemovalsLimit,
            HoldReason::DeactivationsLimit,
            HoldReason::AdditionsLimit,
        ];
        limits.contains(&it.reason)
    };
    let first = case.memory.first_applied_at;
    let begins = first.is_none_or(|it| it >= town.now) && case.plan.held.iter().any(by_limits);
    if begins || case.plan.changes.iter().any(|it| it.step == Step::Delete) {
        return go_on(&mut town.clone());
    }
    let keys = |plan: &usersyncd::model::Plan| -> BTreeSet<String> {
        let held = plan.held.iter();
        held.map(|it| format!("{} {} {:?}", it.subject, it.change, it.reason))
            .collect()
    };
    let held = keys(case.plan);
    plan_again(town, &town.holding, |context, plan| {
        let text = || {
            let view = context.view(plan);
            format!("{}again at {}:\n{}", case.text(), town.now, show(view))
        };
        ensure(LAW, plan.is_empty(), || {
            format!(
                "{:?} {:?}\n{}",
                case.context.matching.users,
                case.context.matching.accounts,
                text()
            )
        })?;
        // What was approved of a first plan leaves another first plan.
        ensure(
            LAW,
            first_is_partly_approved(case) || keys(plan) == held,
            text,
        )
    })
}

/// Whether a first plan goes on that was approved in part.
pub(crate) fn first_is_partly_approved(case: &Case<'_, '_, '_>) -> bool {
    let first = |it: &HoldKey| it.reason == HoldReason::FirstPlan;
    case.memory.first_applied_at.is_none() && case.memory.approved.iter().any(first)
}

/// Whether a tied account gets another of its usernames, or an account or a group another record, and a name is forgotten with
/// the old one: by an authoritative directory that once gave it, or by one that has two records of it, of which only the linked
/// one stands.
pub(crate) fn forgets_a_name(case: &Case<'_, '_, '_>) -> bool {
    let roster = case.context.roster();
    let changes = || case.plan.changes.iter();
    let moves = changes().any(|it| {
        matches!(it.subject, Subject::Account(_))
            && (it.what.has(What::RELINK) || it.what.has(What::RENAME))
            && roster.users[it.wanted as usize].tied
    });
    let relinks = changes().any(|it| it.what.has(What::RELINK));
    let authoritative = case.town.settings.sources.iter().any(|it| it.authoritative);
    let accepted = case.town.sources.iter();
    let accepted = accepted.filter_map(|it| it.accepted.as_ref());
    let raw = accepted.map(|it| &it.raw);
    let double = |names: Vec<Option<&str>>| {
        let once: BTreeSet<_> = names.iter().collect();
        once.len() < names.len()
    };
    let users = |it: &RawDirectory| double(it.users.iter().map(|it| it.name.1).collect());
    let groups = |it: &RawDirectory| double(it.groups.iter().map(|it| it.name.1).collect());
    let doubled = |it: &RawDirectory| users(it) || groups(it);
    (moves && (authoritative || raw.clone().any(users))) || (relinks && raw.clone().any(doubled))
}

/// What is remembered after a plan is what a listing shows, but for what the product has given to new accounts by itself.
pub(crate) fn mirror(town: &Town) -> Result<(), Broken> {
    if town.holding.is_unlisted() {
        return Ok(());
    }
    let observed = town.server.clone().observe();
    let recalled = recall(&town.holding, &observed, &[]);
    let (here, there) = (facts(&town.holding), facts(&recalled));
    ensure("mirror", here == there, || {
        let only = |one: &BTreeSet<String>, other: &BTreeSet<String>| {
            one.difference(other)
                .cloned()
                .collect::<Vec<_>>()
                .join("\n")
        };
        format!(
            "only remembered:\n{}\nonly listed:\n{}",
            only(&here, &there),
            only(&there, &here)
        )
    })
}

/// A holding by names and ids.
pub(crate) fn facts(holding: &Holding) -> BTreeSet<String> {
    let mut facts = BTreeSet::new();
    for it in holding.accounts.iter().filter(|it| it.exists) {
        let seen = &it.seen;
        let texts = [
            seen.remote_id,
            seen.name,
            seen.display_name,
            seen.given_name,
            seen.family_name,
            seen.email,
            seen.directory,
            seen.external_id,
        ];
        let texts = texts.map(|it| holding.text(it));
        let link = link_facts(holding, it);
        facts.insert(format!("account {texts:?} {} {link:?}", seen.active));
    }
    for it in holding.groups.iter().filter(|it| it.exists) {
        let name = holding.text(it.seen.name);
        let texts = [it.seen.remote_id, it.seen.description].map(|it| holding.text(it));
        let link = it.link.as_ref().map(|it| {
            let texts = [it.directory, it.group_id].map(|it| holding.text(it));
            (texts, it.origin, it.absent_since, it.absent_for, it.left_at)
        });
        facts.insert(format!("group {name} {texts:?} {link:?}"));
        let member = |kind: &str, it: &Membership, member: &str| {
            format!("{kind} {name} {member} {}", it.ours())
        };
        for at in &it.members {
            facts.insert(member("member", at, holding.account_name(at.place())));
        }
        for at in &it.children {
            facts.insert(member("child", at, holding.group_name(at.place())));
        }
    }
    facts
}

fn link_facts(holding: &Holding, account: &Account) -> Option<String> {
    let it = account.link.as_ref()?;
    let texts = [it.directory, it.user_id, it.mail, it.person].map(|it| holding.text(it));
    let rest = (
        it.origin,
        it.off_by_us,
        it.tied,
        it.absent_since,
        it.absent_for,
        it.left_at,
    );
    Some(format!("{texts:?} {rest:?}"))
}

/// *one owner*: two accounts never link one user, and no account moves between persons without proof.
pub(crate) fn owners(case: &Case<'_, '_, '_>, after: &Holding) -> Result<(), Broken> {
    const LAW: &str = "one owner";
    let before = case.context.holding();
    let mut owned: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (place, account) in after.accounts.iter().enumerate() {
        let Some(link) = account.link.as_ref().filter(|_| account.exists) else {
            continue;
        };
        let record = (after.text(link.directory), after.text(link.user_id));
        let twice = owned.insert(record, place);
        ensure(LAW, twice.is_none(), || {
            format!("{record:?} owns {twice:?} and {place}\n{}", case.text())
        })?;
        let old = before.accounts.get(place).and_then(|it| it.link.as_ref());
        let Some(old) = old else { continue };
        let was = (before.text(old.directory), before.text(old.user_id));
        if was != record {
            ensure(LAW, proven(case, place), || {
                format!("{place} moves from {was:?} to {record:?}\n{}", case.text())
            })?;
        }
    }
    Ok(())
}

/// Whether a link may move: by mail, by person, by name where that is enough, by a tie, or because it was approved.
fn proven(case: &Case<'_, '_, '_>, place: usize) -> bool {
    let context = case.context;
    let holding = context.holding();
    let roster = context.roster();
    let change = case
        .plan
        .changes
        .iter()
        .find(|it| it.subject == Subject::Account(place as u32) && it.what.has(What::RELINK));
    let Some((change, link)) = change.zip(holding.accounts[place].link.as_ref()) else {
        return false;
    };
    let user = change.wanted;
    let wanted = roster.account(user);
    let tied = roster.users[user as usize].tied;
    let same_mail = !wanted.email.is_empty() && fold(wanted.email) == holding.text(link.mail);
    let records = roster.sources[roster.users[user as usize].record.directory as usize].records;
    let record = roster.users[user as usize].record.record;
    let person = holding.text(link.person);
    let same_person =
        !person.is_empty() && records.extra_values(record, "nr").any(|it| it == person);
    let approved = case.memory.approved.iter().any(|it| {
        it.reason == HoldReason::IdentityConflict
            && it.subject == format!("user {}", roster.key(user))
    });
    // The name of the account, or the one that its old record has now.
    let renamed_to = context.linked[place].map(|at| {
        let records = roster.sources[at.directory as usize].records;
        records.text(records.users[at.record as usize].key)
    });
    let key = roster.key(user);
    let by_name = context.rules().trust_usernames
        && (context.account_key(place as u32) == key || renamed_to == Some(key));
    let how = context.matching.users[user as usize];
    let why = if approved && how == UserState::Account(place as u32, Some(Reason::Approved)) {
        Reason::Approved
    } else {
        Reason::SamePerson
    };
    let told = tied || how == UserState::Account(place as u32, Some(why));
    told && (same_mail || same_person || approved || by_name || tied)
}
