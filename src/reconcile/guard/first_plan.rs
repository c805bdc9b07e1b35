//! The first plan for an application that already holds accounts, held whole until a person has seen it. A served set counts as
//! one: the products that poll it hold accounts already.

use std::collections::BTreeSet;

use super::{All, change_text};
use crate::model::{HoldKey, HoldReason, Step, What};
use crate::reconcile::accounts::Draft;
use crate::reconcile::context::Context;
use crate::reconcile::groups::GroupDraft;
use crate::reconcile::members::{self, MemberDraft};

const FIRST_PLAN: &str = "the first plan for an application that already holds accounts";

/// The first plan for an application that already holds accounts is held whole, but for what a person approved.
pub(super) fn hold_first_plan(context: &mut Context<'_, '_>, all: &mut All) {
    // Before anything is taken out: who approves a group's members sees all of them.
    let members = first_members(context, all, &all.members, "members", |it| {
        all.account_key(context, it).to_owned()
    });
    let children = first_members(context, all, &all.children, "subgroups", |it| {
        members::group_key(context, &all.groups, it)
    });
    hold_first_accounts(context, all);
    let closed = hold_first_groups(context, all);
    for draft in &mut all.children {
        draft.give.retain(|it| !closed.contains(it));
        draft.own.retain(|it| !closed.contains(it));
    }
    for (list, keys) in [(&mut all.members, members), (&mut all.children, children)] {
        list.retain(|it| !it.is_empty());
        for (group, key) in keys {
            if !context.approved(&key) || closed.contains(&group) {
                list.retain(|it| it.group != group);
                context.hold(key.subject, key.change, key.reason, FIRST_PLAN.to_owned());
            }
        }
    }
}

/// What an approval must name for the members of each group: how many there are and, in short, who.
fn first_members(
    context: &Context<'_, '_>,
    all: &All,
    list: &[MemberDraft],
    word: &str,
    name: impl Fn(u32) -> String,
) -> Vec<(u32, HoldKey)> {
    let key = |draft: &MemberDraft| {
        let mut names: Vec<String> = Vec::new();
        let parts = [('+', &draft.give), ('=', &draft.own), ('-', &draft.take)];
        for (sign, places) in parts {
            names.extend(places.iter().map(|it| format!("{sign}{}", name(*it))));
        }
        names.sort();
        let [give, own, take] = parts.map(|it| it.1.len());
        let who = short(&names.join("\n"));
        let group = members::group_key(context, &all.groups, draft.group);
        HoldKey {
            subject: format!("group {group}"),
            change: format!("{word} +{give} ={own} -{take} ({who:08x})"),
            reason: HoldReason::FirstPlan,
        }
    };
    list.iter().map(|it| (it.group, key(it))).collect()
}

/// A short number for a text, the same in every process (FNV-1a): it tells whether what was approved is what is wanted now.
fn short(text: &str) -> u32 {
    let step = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(16_777_619);
    text.bytes().fold(2_166_136_261, step)
}

fn hold_first_accounts(context: &mut Context<'_, '_>, all: &mut All) {
    let key_of = |context: &Context<'_, '_>, all: &All, draft: &Draft| {
        let name = if draft.what.has(What::RENAME) {
            context.account_key(draft.place)
        } else {
            all.account_key(context, draft.place)
        };
        context.hold_key(name, &first_text(context, draft), HoldReason::FirstPlan)
    };
    let mut list = std::mem::take(&mut all.accounts.list);
    let mut places = BTreeSet::new();
    let mut kept_names: BTreeSet<String> = BTreeSet::new();
    // A rename that is held leaves its old name taken, so that whatever waits for that name is held with it.
    loop {
        let before = list.len();
        list.retain(|draft| {
            let key = key_of(context, all, draft);
            let takes_name = draft.step == Step::Create || draft.what.has(What::RENAME);
            let taken = takes_name && kept_names.contains(context.roster().key(draft.wanted));
            if context.approved(&key) && !taken {
                return true;
            }
            if draft.what.has(What::RENAME) {
                kept_names.insert(context.account_key(draft.place).to_owned());
            }
            if draft.step == Step::Create || draft.what.has(What::ADOPT) {
                places.insert(draft.place);
            }
            context.hold(key.subject, key.change, key.reason, FIRST_PLAN.to_owned());
            false
        });
        if list.len() == before {
            break;
        }
    }
    all.accounts.list = list;
    all.drop_members_of(&places);
}

/// What the first plan asks for. Switching on an account that somebody else switched off was approved by itself if it is in the
/// draft: what was shown beside it stays under the name by which it was shown.
fn first_text(context: &Context<'_, '_>, draft: &Draft) -> String {
    let rest = draft.what.without(What::ACTIVATE);
    if rest == draft.what || rest.is_empty() {
        return change_text(context, draft);
    }
    let name = context.pushed_key(draft.place);
    let by_itself = context.hold_key(name, "activate", HoldReason::OffInApplication);
    let what = if context.approved(&by_itself) {
        rest
    } else {
        draft.what
    };
    let shown = Draft {
        what,
        ..draft.clone()
    };
    change_text(context, &shown)
}

/// Holds the groups and says which of them will not be there or will not be ours.
fn hold_first_groups(context: &mut Context<'_, '_>, all: &mut All) -> BTreeSet<u32> {
    let mut closed = BTreeSet::new();
    let mut list = std::mem::take(&mut all.groups.list);
    list.retain(|draft| {
        let group = members::group_key(context, &all.groups, draft.place);
        let key = HoldKey {
            subject: format!("group {group}"),
            change: group_text(draft),
            reason: HoldReason::FirstPlan,
        };
        let approved = context.approved(&key);
        if !approved {
            if draft.step == Step::Create || draft.what.has(What::ADOPT) {
                closed.insert(draft.place);
            }
            context.hold(key.subject, key.change, key.reason, FIRST_PLAN.to_owned());
        }
        approved
    });
    all.groups.list = list;
    closed
}

fn group_text(draft: &GroupDraft) -> String {
    match draft.step {
        Step::Create => "create".to_owned(),
        Step::Delete => "delete".to_owned(),
        _ if draft.what.has(What::ADOPT) => "adopt".to_owned(),
        _ if draft.what.has(What::LEAVE) => "leave".to_owned(),
        _ => format!("update {}", draft.what.words().join(", ")),
    }
}
