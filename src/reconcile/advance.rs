//! What a holding becomes when changes were made, and what must be durable before they are.

use crate::model::{
    Account, AppGroup, Change, GroupLink, Holding, IntentStep, Link, Membership, NONE,
    ObservedAccount, ObservedGroup, Origin, Outcome, Plan, Step, StrId, Subject, What,
};
use crate::reconcile::context::Context;
use crate::reconcile::matching::person_value;
use crate::text;

/// A step as an intent remembers it: complete enough to recognise its effect after a crash.
pub fn intent_of(context: &Context<'_, '_>, plan: &Plan, change: &Change) -> IntentStep {
    let mut step = IntentStep {
        subject: change.subject,
        step: change.step,
        what: change.what,
        remote_id: remote_id(context.holding(), change.subject).to_owned(),
        name: String::new(),
        directory: String::new(),
        record: String::new(),
        mail: String::new(),
        person: String::new(),
        tied: false,
        active: false,
        gives_groups: change.step == Step::Create && context.abilities().gives_groups,
        give: plan.given(change).to_vec(),
        own: plan.owned(change).to_vec(),
        take: plan.taken(change).to_vec(),
    };
    if change.wanted == NONE {
        return step;
    }
    match change.subject {
        Subject::Account(place) => {
            let wanted = context.roster().account(change.wanted);
            let linked = context.link_record(place, change.wanted);
            let (directory, id) = context.roster().id_of(linked);
            wanted.name.clone_into(&mut step.name);
            directory.clone_into(&mut step.directory);
            id.clone_into(&mut step.record);
            step.mail = text::fold(wanted.email);
            let user = &context.roster().users[change.wanted as usize];
            person_value(context.world, user.record).clone_into(&mut step.person);
            step.tied = user.tied;
            step.active = wanted.active;
        }
        Subject::Group(_) => {
            let wanted = context.roster().group(change.wanted);
            wanted.name.clone_into(&mut step.name);
            wanted.directory_id.clone_into(&mut step.directory);
            wanted.external_id.clone_into(&mut step.record);
        }
    }
    step
}

fn remote_id(holding: &Holding, subject: Subject) -> &str {
    let id = match subject {
        Subject::Account(place) => {
            let known = holding.accounts.get(place as usize);
            known.map(|it| it.seen.remote_id)
        }
        Subject::Group(place) => holding
            .groups
            .get(place as usize)
            .map(|it| it.seen.remote_id),
    };
    id.map_or("", |it| holding.text(it))
}

/// The holding after a plan of which every change has its outcome, in the plan's order. Changes that were not done leave no
/// trace; clocks of absences are taken over in any case.
pub fn advance(context: &Context<'_, '_>, plan: &Plan, outcomes: &[Outcome]) -> Holding {
    let mut holding = context.holding().clone();
    extend(&mut holding, plan);
    for (change, outcome) in plan.changes.iter().zip(outcomes) {
        if let Outcome::Done { remote_id } = outcome {
            match change.subject {
                Subject::Account(place) => {
                    advance_account(context, &mut holding, change, place, remote_id.as_deref());
                }
                Subject::Group(place) => advance_group(
                    context,
                    plan,
                    &mut holding,
                    change,
                    place,
                    remote_id.as_deref(),
                ),
            }
        }
    }
    for clock in &plan.clocks {
        match clock.subject {
            Subject::Account(place) => {
                if let Some(link) = &mut holding.accounts[place as usize].link {
                    (link.absent_since, link.absent_for) = (clock.since, clock.ran);
                }
            }
            Subject::Group(place) => {
                if let Some(link) = &mut holding.groups[place as usize].link {
                    (link.absent_since, link.absent_for) = (clock.since, clock.ran);
                }
            }
        }
    }
    drop_members_of_missing(&mut holding);
    holding
}

/// Appends the places of what the plan creates, empty.
fn extend(holding: &mut Holding, plan: &Plan) {
    let empty = Account {
        seen: ObservedAccount::default(),
        link: None,
        exists: false,
    };
    holding
        .accounts
        .resize(holding.accounts.len() + plan.new_accounts.len(), empty);
    let empty = AppGroup {
        seen: ObservedGroup::default(),
        link: None,
        exists: false,
        members: Vec::new(),
        children: Vec::new(),
    };
    holding
        .groups
        .resize(holding.groups.len() + plan.new_groups.len(), empty);
}

fn advance_account(
    context: &Context<'_, '_>,
    holding: &mut Holding,
    change: &Change,
    place: u32,
    remote_id: Option<&str>,
) {
    let at = place as usize;
    match change.step {
        Step::Create => {
            let wanted = context.roster().account(change.wanted);
            let active = wanted.active || !context.abilities().deactivate;
            let id = remote_id.unwrap_or(wanted.name);
            holding.accounts[at].seen.remote_id = holding.pool.add(id);
            holding.accounts[at].seen.active = active;
            write_fields(context, holding, change.wanted, place, ALL_FIELDS);
            holding.accounts[at].exists = true;
            let mut link = new_link(context, holding, place, change.wanted, Origin::Created);
            link.off_by_us = !active;
            link.unlisted = context.abilities().gives_groups;
            holding.accounts[at].link = Some(link);
        }
        Step::Delete => {
            holding.accounts[at].exists = false;
            holding.accounts[at].link = None;
        }
        Step::Update | Step::Members | Step::Children => {
            if change.wanted != NONE {
                let name_is_id = holding.accounts[at].seen.name_is_id(&holding.pool);
                write_fields(context, holding, change.wanted, place, change.what);
                if change.what.has(What::RENAME) || change.what.has(What::SPELLING) {
                    let name = context.roster().name(change.wanted);
                    if let Some(id) = remote_id.or(name_is_id.then_some(name)) {
                        holding.accounts[at].seen.remote_id = holding.pool.add(id);
                    }
                }
                refresh_link(context, holding, change, place);
            }
            let account = &mut holding.accounts[at];
            if change.what.has(What::ACTIVATE) || change.what.has(What::DEACTIVATE) {
                account.seen.active = change.what.has(What::ACTIVATE);
                if let Some(link) = &mut account.link {
                    link.off_by_us = !account.seen.active;
                }
            }
            if change.what.has(What::LEAVE)
                && let Some(link) = &mut account.link
            {
                link.left_at = Some(context.world.now);
            }
        }
    }
}

const ALL_FIELDS: What = What(
    What::SPELLING.0
        | What::DISPLAY_NAME.0
        | What::GIVEN_NAME.0
        | What::FAMILY_NAME.0
        | What::EMAIL.0
        | What::DIRECTORY.0
        | What::EXTERNAL_ID.0,
);

/// Writes the named fields of a roster user into the account at a place, where the application can hold them.
fn write_fields(
    context: &Context<'_, '_>,
    holding: &mut Holding,
    user: u32,
    place: u32,
    what: What,
) {
    let wanted = context.roster().account(user);
    let can = context.abilities().fields;
    let mut put =
        |can: bool, bit: What, value: &str| (can && what.has(bit)).then(|| holding.pool.add(value));
    let name =
        put(true, What::SPELLING, wanted.name).or_else(|| put(true, What::RENAME, wanted.name));
    let display_name = put(can.display_name, What::DISPLAY_NAME, wanted.display_name);
    let given_name = put(can.given_name, What::GIVEN_NAME, wanted.given_name);
    let family_name = put(can.family_name, What::FAMILY_NAME, wanted.family_name);
    let email = put(can.email, What::EMAIL, wanted.email);
    let directory = put(can.directory, What::DIRECTORY, wanted.directory);
    let external_id = put(can.external_id, What::EXTERNAL_ID, wanted.external_id);
    let seen = &mut holding.accounts[place as usize].seen;
    let set = |field: &mut StrId, value: Option<StrId>| *field = value.unwrap_or(*field);
    set(&mut seen.name, name);
    set(&mut seen.display_name, display_name);
    set(&mut seen.given_name, given_name);
    set(&mut seen.family_name, family_name);
    set(&mut seen.email, email);
    set(&mut seen.directory, directory);
    set(&mut seen.external_id, external_id);
}

fn new_link(
    context: &Context<'_, '_>,
    holding: &mut Holding,
    place: u32,
    user: u32,
    origin: Origin,
) -> Link {
    let wanted = context.roster().account(user);
    let it = &context.roster().users[user as usize];
    let (directory, id) = context.roster().id_of(context.link_record(place, user));
    Link {
        directory: holding.pool.add(directory),
        user_id: holding.pool.add(id),
        origin,
        off_by_us: false,
        mail: holding.pool.add(&text::fold(wanted.email)),
        person: holding.pool.add(person_value(context.world, it.record)),
        tied: it.tied,
        unlisted: false,
        absent_since: None,
        absent_for: 0,
        left_at: None,
    }
}

fn refresh_link(context: &Context<'_, '_>, holding: &mut Holding, change: &Change, place: u32) {
    let old = holding.accounts[place as usize].link.clone();
    let origin = old.as_ref().map_or(Origin::Adopted, |it| it.origin);
    let mut link = new_link(context, holding, place, change.wanted, origin);
    link.unlisted = old.as_ref().is_some_and(|it| it.unlisted);
    link.off_by_us = old.is_some_and(|it| it.off_by_us);
    holding.accounts[place as usize].link = Some(link);
}

fn advance_group(
    context: &Context<'_, '_>,
    plan: &Plan,
    holding: &mut Holding,
    change: &Change,
    place: u32,
    remote_id: Option<&str>,
) {
    let at = place as usize;
    match change.step {
        Step::Members => {
            let accounts = &holding.accounts;
            let there = |it: &u32| accounts[*it as usize].exists;
            let give: Vec<u32> = plan.given(change).iter().copied().filter(there).collect();
            let members = &mut holding.groups[at].members;
            *members = with_members(members, &give, plan.owned(change), plan.taken(change));
        }
        Step::Children => {
            let groups = &holding.groups;
            let there = |it: &u32| groups[*it as usize].exists;
            let give: Vec<u32> = plan.given(change).iter().copied().filter(there).collect();
            let children = &mut holding.groups[at].children;
            *children = with_members(children, &give, plan.owned(change), plan.taken(change));
        }
        Step::Delete => {
            holding.groups[at].exists = false;
            holding.groups[at].link = None;
            holding.groups[at].members.clear();
            holding.groups[at].children.clear();
        }
        Step::Create | Step::Update => {
            advance_group_fields(context, holding, change, place, remote_id);
        }
    }
}

fn advance_group_fields(
    context: &Context<'_, '_>,
    holding: &mut Holding,
    change: &Change,
    place: u32,
    remote_id: Option<&str>,
) {
    let at = place as usize;
    let what = change.what;
    if change.wanted == NONE {
        if what.has(What::LEAVE)
            && let Some(link) = &mut holding.groups[at].link
        {
            link.left_at = Some(context.world.now);
        }
        return;
    }
    let wanted = context.roster().group(change.wanted);
    let create = change.step == Step::Create;
    if create || what.has(What::RENAME) || what.has(What::SPELLING) {
        let name_is_id = create || holding.groups[at].seen.name_is_id(&holding.pool);
        if let Some(id) = remote_id.or(name_is_id.then_some(wanted.name)) {
            holding.groups[at].seen.remote_id = holding.pool.add(id);
        }
        holding.groups[at].seen.name = holding.pool.add(wanted.name);
    }
    if context.abilities().describe_groups && (create || what.has(What::DESCRIPTION)) {
        holding.groups[at].seen.description = holding.pool.add(wanted.description);
    }
    let origin = match &holding.groups[at].link {
        Some(link) => link.origin,
        None if create => Origin::Created,
        None => Origin::Adopted,
    };
    holding.groups[at].exists = true;
    holding.groups[at].link = Some(GroupLink {
        directory: holding.pool.add(wanted.directory_id),
        group_id: holding.pool.add(wanted.external_id),
        origin,
        absent_since: None,
        absent_for: 0,
        left_at: None,
    });
}

fn with_members(old: &[Membership], give: &[u32], own: &[u32], take: &[u32]) -> Vec<Membership> {
    let mut ours: Vec<u32> = give.iter().chain(own).copied().collect();
    ours.sort_unstable();
    let mut gone = take.to_vec();
    gone.sort_unstable();
    let mut members: Vec<Membership> = old
        .iter()
        .filter(|it| {
            gone.binary_search(&it.place()).is_err() && ours.binary_search(&it.place()).is_err()
        })
        .copied()
        .collect();
    members.extend(ours.iter().map(|it| Membership::new(*it, true)));
    members.sort_unstable();
    members.dedup_by_key(|it| it.place());
    members
}

fn drop_members_of_missing(holding: &mut Holding) {
    let there: Vec<bool> = holding.accounts.iter().map(|it| it.exists).collect();
    let groups: Vec<bool> = holding.groups.iter().map(|it| it.exists).collect();
    for group in &mut holding.groups {
        group.members.retain(|it| there[it.place() as usize]);
        group.children.retain(|it| groups[it.place() as usize]);
    }
}
