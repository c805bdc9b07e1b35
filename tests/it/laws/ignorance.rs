//! *ignorance*: knowing less removes nobody.
//!
//! The same world is planned for once more with something made unknown in it: a directory stale or never read, a record or a
//! group that could not be read. Whatever that plan removes, the plan of those who know removes as well.

use std::collections::BTreeSet;
use std::rc::Rc;

use usersyncd::model::{HoldReason, Plan, Status, Step, Subject, What, Withheld};
use usersyncd::reconcile::{Context, Standing, show};
use usersyncd::text::Percent;

use super::push::{Case, plan_again};
use super::settings::Settings;
use super::source::RawUser;
use super::town::{Accepted, Town};
use super::verdict::{Broken, ensure};

const LAW: &str = "ignorance";

/// Nothing more is removed where less is known, and nothing at all from who is unknown.
pub(crate) fn ignorance(case: &Case<'_, '_, '_>) -> Result<(), Broken> {
    unknown_are_left_alone(case)?;
    let mut knowing = case.town.clone();
    knowing.settings = Rc::new(without_limits(&case.town.settings));
    let mut ignorant = knowing.clone();
    let Some(what) = forget(&mut ignorant, case) else {
        return Ok(());
    };
    let holding = case.context.holding();
    let (ignorant, found) = plan_again(&ignorant, holding, |context, plan| {
        (
            format!(
                "{:?} {:?} {:?} {:?}\n{}",
                context.matching.accounts,
                context.matching.users,
                context.roster().users,
                context.scope.position,
                text_of(context, plan)
            ),
            removals(plan),
        )
    });
    if found.is_empty() {
        return Ok(());
    }
    plan_again(&knowing, holding, |context, plan| {
        let all = removals(plan);
        let excused = plan.held.iter().any(excuses);
        ensure(LAW, excused || found.is_subset(&all), || {
            let more: Vec<_> = found.difference(&all).collect();
            let knowing = format!(
                "{:?} {:?} {:?} {:?} {:?}\n{}",
                context
                    .snapshots
                    .iter()
                    .map(|it| it.as_ref().map(|it| (
                        it.standing.clone(),
                        it.rejected_keys.clone(),
                        it.nameless
                    )))
                    .collect::<Vec<_>>(),
                context.matching.accounts,
                context.matching.users,
                context.roster().users,
                context.scope.position,
                text_of(context, plan)
            );
            format!(
                "without {what}, {more:?} more:\n{ignorant}knowing it:\n{knowing}\n{}",
                case.text()
            )
        })
    })
}

/// What a limit holds back whole it no longer does once a part of it is unknown; and two who are in each other's way, so that
/// both are left as they are, no longer are once one of them is unknown.
fn excuses(held: &Withheld<HoldReason>) -> bool {
    matches!(held.reason, HoldReason::GroupLimit | HoldReason::Ambiguous)
        || held.change.contains("rename to ")
}

fn text_of(context: &Context<'_, '_>, plan: &Plan) -> String {
    show(context.view(plan))
}

/// With limits, fewer removals may be allowed where more are not.
fn without_limits(settings: &Settings) -> Settings {
    let mut settings = settings.clone();
    settings.rules.limits.removals = Percent::HUNDRED;
    settings.rules.limits.deactivations = Percent::HUNDRED;
    settings.rules.limits.additions = Percent::HUNDRED;
    settings.rules.seats.clear();
    settings.rules.approve_first = false;
    settings
}

/// What a plan takes from anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Removal {
    Off(u32),
    Gone(Subject),
    Left(Subject),
    Member(u32, u32),
    Child(u32, u32),
}

fn removals(plan: &Plan) -> BTreeSet<Removal> {
    let mut removals = BTreeSet::new();
    for change in &plan.changes {
        if let Subject::Account(place) = change.subject
            && change.what.has(What::DEACTIVATE)
        {
            removals.insert(Removal::Off(place));
        }
        // What is deleted leaves by that.
        if change.what.has(What::LEAVE) || change.step == Step::Delete {
            removals.insert(Removal::Left(change.subject));
        }
        if change.step == Step::Delete {
            removals.insert(Removal::Gone(change.subject));
        }
        if let Subject::Group(group) = change.subject {
            let taken = plan.taken(change).iter();
            match change.step {
                Step::Members => removals.extend(taken.map(|it| Removal::Member(group, *it))),
                Step::Children => removals.extend(taken.map(|it| Removal::Child(group, *it))),
                _ => {}
            }
        }
    }
    removals
}

/// Makes one thing unknown and says what.
fn forget(town: &mut Town, case: &Case<'_, '_, '_>) -> Option<String> {
    let how = case.how as usize;
    let listed = town.settings.listed.clone();
    let at = listed[how / 8 % listed.len()];
    match how % 8 {
        0 => {
            town.sources[at].standing = Standing::Stale;
            return Some(format!("a fresh {}", town.sources[at].name));
        }
        1 => {
            town.sources[at].accepted = None;
            return Some(format!("having read {}", town.sources[at].name));
        }
        2 => return None,
        _ => {}
    }
    let old = town.sources[at].accepted.as_ref()?;
    let mut raw = old.raw.clone();
    let users = raw.users.len();
    let what = match how % 8 {
        3 if !raw.groups.is_empty() => {
            let group = how / 8 % raw.groups.len();
            raw.groups[group].unknown = true;
            format!("the group {}", raw.groups[group].id)
        }
        4 if !raw.groups.is_empty() => {
            let group = how / 8 % raw.groups.len();
            let name = raw.groups[group].name.1;
            if raw.groups.iter().filter(|it| it.name.1 == name).count() > 1 {
                return None;
            }
            raw.groups[group].name = (" ", None);
            format!("the name of the group {}", raw.groups[group].id)
        }
        _ if users == 0 => return None,
        5 => {
            raw.users[how / 8 % users].unknown = true;
            format!("the user {}", raw.users[how / 8 % users].id)
        }
        6 => {
            raw.users[how / 8 % users].status = Status::Unknown;
            format!("the status of {}", raw.users[how / 8 % users].id)
        }
        _ => {
            let name = raw.users[how / 8 % users].name.1;
            if raw.users.iter().filter(|it| it.name.1 == name).count() > 1 {
                return None;
            }
            let user = &mut raw.users[how / 8 % users];
            hide(user, case, town.sources[at].id)?
        }
    };
    let records = raw.records(0);
    town.sources[at].accepted = Some(Rc::new(Accepted { raw, records }));
    Some(what)
}

/// Hides either the id or the name of a user, as long as the other shows whose account is concerned, and which name.
fn hide(user: &mut RawUser, case: &Case<'_, '_, '_>, directory: &str) -> Option<String> {
    let context = case.context;
    let holding = context.holding();
    let mut accounts = (0u32..).zip(&holding.accounts).filter(|it| it.1.exists);
    let account = accounts.find(|it| {
        let link = it.1.link.as_ref();
        link.is_some_and(|it| {
            holding.text(it.directory) == directory && holding.text(it.user_id) == user.id
        })
    });
    let (place, _) = account?;
    if user.name.1 != Some(context.account_key(place)) {
        return None;
    }
    if case.how >= 128 {
        user.name = ("", None);
        return Some(format!("the name of {}", user.id));
    }
    Some(format!("the id of {}", std::mem::take(&mut user.id)))
}

/// Nothing is taken from an account whose user a listed directory has and could not show.
fn unknown_are_left_alone(case: &Case<'_, '_, '_>) -> Result<(), Broken> {
    let holding = case.context.holding();
    for removal in removals(case.plan) {
        let place = match removal {
            Removal::Off(place) | Removal::Member(_, place) => place,
            Removal::Gone(Subject::Account(place)) | Removal::Left(Subject::Account(place)) => {
                place
            }
            _ => continue,
        };
        let Some(link) = &holding.accounts[place as usize].link else {
            continue;
        };
        let source = case
            .town
            .settings
            .listed
            .iter()
            .map(|at| &case.town.sources[*at]);
        let mut of_link = source.filter(|it| it.id == holding.text(link.directory));
        let Some(source) = of_link.next() else {
            continue;
        };
        let rules = &case.town.settings.sources[usize::from(source.id.as_bytes()[1] - b'0')];
        let Some(accepted) = &source.accepted else {
            continue;
        };
        let id = holding.text(link.user_id);
        let unknown = accepted.raw.users.iter().find(|it| {
            let hidden = it.unknown || it.status == Status::Unknown || it.name.1.is_none();
            let skipped = it.name.1.is_some_and(|it| rules.skip_users.is_match(it));
            it.id == id && !id.is_empty() && hidden && !skipped
        });
        ensure(LAW, unknown.is_none(), || {
            format!("{removal:?} although {unknown:?}\n{}", case.text())
        })?;
    }
    Ok(())
}
