//! The plan: drafts that the guards let pass, numbered and put in order.
//!
//! Order: groups, renames that free names, accounts, members, removals last. Where seats are counted, what frees one comes
//! before what uses one.

use crate::model::{Change, Class, Doubled, NONE, Plan, Reason, Step, Subject, What};
use crate::reconcile::accounts::{self, Draft};
use crate::reconcile::context::Context;
use crate::reconcile::groups::{self, GroupDraft};
use crate::reconcile::guard::{self, All};
use crate::reconcile::mails;
use crate::reconcile::members::{self, MemberDraft};
use crate::reconcile::renames::{self, Rename};
use crate::reconcile::snapshot::{Snapshot, Standing};

/// Makes the plan of a context.
pub(crate) fn make(context: &mut Context<'_, '_>) -> Plan {
    let renames = renames::settle(context);
    let mut accounts = accounts::draft(context, &renames);
    let groups = groups::draft(context, &mut accounts);
    let members = members::draft(context, &mut accounts, &groups);
    let children = members::draft_children(context, &groups);
    let mut all = All {
        accounts,
        groups,
        members,
        children,
    };
    guard::apply(context, &mut all);
    emit(context, all, &renames)
}

fn emit(context: &mut Context<'_, '_>, mut all: All, renames: &[Rename]) -> Plan {
    let accounts = Numbers::of(
        context.holding().accounts.len(),
        &all.accounts.new_users,
        all.accounts
            .list
            .iter()
            .filter(|it| it.step == Step::Create)
            .map(|it| it.place),
    );
    let groups = Numbers::of(
        context.holding().groups.len(),
        &all.groups.new_groups,
        all.groups
            .list
            .iter()
            .filter(|it| it.step == Step::Create)
            .map(|it| it.place),
    );
    let mut plan = Plan::default();
    let leaves = |it: &GroupDraft| it.what.has(What::LEAVE) || it.step == Step::Delete;
    let (left, kept): (Vec<_>, Vec<_>) = all.groups.list.iter().partition(|it| leaves(it));
    plan.changes
        .extend(kept.iter().map(|it| group_change(it, &groups)));
    let renamed = renames
        .iter()
        .filter_map(|rename| draft_of(&all.accounts.list, rename.place))
        .filter(|it| it.what.has(What::RENAME));
    let renamed: Vec<Change> = renamed.map(|it| account_change(it, &accounts)).collect();
    let plain = all
        .accounts
        .list
        .iter()
        .filter(|it| !it.what.has(What::RENAME));
    let frees_first = !context.rules().seats.is_empty();
    let (freeing, plain): (Vec<_>, Vec<_>) = plain.partition(|it| {
        it.class == Some(Class::Removal) || (frees_first && it.class == Some(Class::Deactivation))
    });
    let freeing: Vec<Change> = freeing
        .iter()
        .map(|it| account_change(it, &accounts))
        .collect();
    if frees_first {
        for draft in &mut all.members {
            let takes = MemberDraft {
                group: draft.group,
                take: std::mem::take(&mut draft.take),
                ..MemberDraft::default()
            };
            push_members(&mut plan, &takes, Step::Members, &accounts, &groups);
        }
        plan.changes.extend_from_slice(&freeing);
    }
    plan.changes.extend(renamed);
    plan.changes
        .extend(plain.iter().map(|it| account_change(it, &accounts)));
    let (gives, takes): (Vec<&MemberDraft>, Vec<_>) = all
        .members
        .iter()
        .partition(|it| !it.give.is_empty() || !it.own.is_empty());
    for draft in gives {
        push_members(&mut plan, draft, Step::Members, &accounts, &groups);
    }
    for draft in &all.children {
        push_members(&mut plan, draft, Step::Children, &groups, &groups);
    }
    for draft in takes {
        push_members(&mut plan, draft, Step::Members, &accounts, &groups);
    }
    if !frees_first {
        plan.changes.extend(freeing);
    }
    plan.changes
        .extend(left.iter().map(|it| group_change(it, &groups)));

    plan.new_accounts = accounts.new;
    plan.new_groups = groups.new;
    report(context, &mut plan, all);
    plan
}

/// The draft about the account at a place.
fn draft_of(list: &[Draft], place: u32) -> Option<&Draft> {
    let at = list.binary_search_by_key(&place, |it| it.place).ok()?;
    Some(&list[at])
}

/// What is said besides the steps.
fn report(context: &mut Context<'_, '_>, plan: &mut Plan, all: All) {
    plan.held = std::mem::take(&mut context.matching.held);
    guard::tidy(&mut plan.held);
    plan.waiting = all.accounts.waiting;
    plan.waiting.sort();
    plan.due_at = all.accounts.due_at;
    plan.clocks = all.accounts.clocks;
    plan.frozen = all.accounts.frozen;
    plan.blocked = !context.blocks.is_empty();
    plan.notices = all.accounts.notices;
    plan.notices.extend(context.blocks.iter().cloned());
    plan.notices.extend(mails::duplicates(context));
    plan.notices.sort();
    let directories = context.world.directories.iter().zip(&context.snapshots);
    plan.doubled = directories
        .filter_map(|it| Some((it.0.name, it.1.as_ref()?)))
        .flat_map(|(directory, snapshot)| doubled(directory, snapshot))
        .collect();
    plan.doubled.sort();
}

/// The records of a directory that are not taken because others have their names.
fn doubled(directory: &str, snapshot: &Snapshot<'_>) -> Vec<Doubled> {
    let records = snapshot.records;
    let one = |kind: &str, key, id| Doubled {
        directory: directory.to_owned(),
        record: records.text(id).to_owned(),
        subject: format!("{kind} {}", records.text(key)),
    };
    let users = records.users.iter().zip(&snapshot.standing);
    let users = users.filter(|it| matches!(it.1, Standing::Duplicate | Standing::Ousted));
    let groups = snapshot.doubled_groups.iter();
    let groups = groups.map(|it| &records.groups[*it as usize]);
    users
        .map(|it| one("user", it.0.key, it.0.id))
        .chain(groups.map(|it| one("group", it.key, it.id)))
        .collect()
}

/// The final places of what the plan creates: in order, without gaps for what was held.
struct Numbers {
    known: u32,
    of: Vec<u32>,
    new: Vec<u32>,
}

impl Numbers {
    fn of(known: usize, wanted: &[u32], created: impl Iterator<Item = u32>) -> Self {
        let known = known as u32;
        let mut numbers = Numbers {
            known,
            of: vec![NONE; wanted.len()],
            new: Vec::new(),
        };
        for place in created {
            let at = (place - known) as usize;
            numbers.of[at] = known + numbers.new.len() as u32;
            numbers.new.push(wanted[at]);
        }
        numbers
    }

    fn place(&self, place: u32) -> u32 {
        if place < self.known {
            place
        } else {
            self.of[(place - self.known) as usize]
        }
    }
}

fn account_change(draft: &Draft, accounts: &Numbers) -> Change {
    Change {
        subject: Subject::Account(accounts.place(draft.place)),
        wanted: draft.wanted,
        step: draft.step,
        reason: draft.reason,
        what: draft.what,
        start: 0,
        give: 0,
        own: 0,
        take: 0,
    }
}

fn group_change(draft: &GroupDraft, groups: &Numbers) -> Change {
    Change {
        subject: Subject::Group(groups.place(draft.place)),
        wanted: draft.wanted,
        step: draft.step,
        reason: draft.reason,
        what: draft.what,
        start: 0,
        give: 0,
        own: 0,
        take: 0,
    }
}

fn push_members(
    plan: &mut Plan,
    draft: &MemberDraft,
    step: Step,
    members: &Numbers,
    groups: &Numbers,
) {
    let group = groups.place(draft.group);
    if group == NONE {
        return;
    }
    let start = plan.members.len();
    let mut push = |places: &[u32]| {
        let before = plan.members.len();
        plan.members.extend(
            places
                .iter()
                .map(|it| members.place(*it))
                .filter(|it| *it != NONE),
        );
        (plan.members.len() - before) as u32
    };
    let (give, own, take) = (push(&draft.give), push(&draft.own), push(&draft.take));
    if give + own + take > 0 {
        plan.changes.push(Change {
            subject: Subject::Group(group),
            wanted: NONE,
            step,
            reason: Reason::Memberships,
            what: What::default(),
            start: start as u32,
            give,
            own,
            take,
        });
    }
}
