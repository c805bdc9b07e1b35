//! Which group of the application is whose, and what shall happen to its fields.

mod names;

use std::collections::BTreeMap;

use crate::model::{
    AbsenceClock, HoldKey, HoldReason, NONE, Reason, Step, Subject, What, Withheld,
};
use crate::reconcile::accounts::{Drafts, not_yet, run_clock};
use crate::reconcile::context::Context;
use crate::reconcile::matching::is_admin_group;
use crate::reconcile::members::MemberDraft;
use crate::text;
use names::settle_renames;

/// A change of one group's fields that the guards have not seen yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GroupDraft {
    pub(crate) place: u32,
    pub(crate) wanted: u32,
    pub(crate) step: Step,
    pub(crate) what: What,
    pub(crate) reason: Reason,
}

/// Roster groups and the application's groups, joined.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    /// For each roster group its place, new ones beyond the holding's end; [`NONE`] where it may not be touched.
    pub(crate) place: Vec<u32>,
    /// For each place, the roster group; [`NONE`] for none.
    pub(crate) wanted: Vec<u32>,
    /// For each place, whether it is protected.
    pub(crate) protected: Vec<bool>,
    /// Places of linked groups that have left and whose memberships made here are taken.
    pub(crate) emptied: Vec<u32>,
    /// Places of groups whose name another group would get: they are left as they are.
    pub(crate) frozen: Vec<u32>,
    /// Places of groups that get another name, in an order in which names are freed first.
    pub(crate) renamed: Vec<u32>,
    /// The roster groups of the new places, in the order of the places.
    pub(crate) new_groups: Vec<u32>,
    /// Roster groups whose rename is held, so that their members stay as they are.
    pub(crate) held: Vec<u32>,
    /// At most one a group.
    pub(crate) list: Vec<GroupDraft>,
}

/// Joins and drafts the groups.
pub(crate) fn draft(context: &mut Context<'_, '_>, drafts: &mut Drafts) -> Groups {
    let holding = context.holding();
    let mut groups = Groups {
        place: vec![NONE; context.roster().groups.len()],
        wanted: vec![NONE; holding.groups.len()],
        protected: Vec::new(),
        emptied: Vec::new(),
        frozen: Vec::new(),
        renamed: Vec::new(),
        new_groups: Vec::new(),
        held: Vec::new(),
        list: Vec::new(),
    };
    if !context.abilities().groups {
        groups.protected = vec![true; holding.groups.len()];
        return groups;
    }
    let keys: Vec<String> = holding
        .groups
        .iter()
        .map(|it| text::fold(holding.text(it.seen.name)))
        .collect();
    let mut by_name: ByName = BTreeMap::new();
    for (place, key) in (0u32..).zip(&keys) {
        if holding.groups[place as usize].exists {
            by_name.entry(key.clone()).or_default().push(place);
        }
        groups.protected.push(is_protected(context, key));
    }
    match_by_id(context, &mut groups);
    settle_renames(context, &mut groups, &keys, &mut by_name);
    let mut next = holding.groups.len() as u32;
    for wanted in 0..groups.place.len() as u32 {
        draft_wanted(context, &mut groups, &by_name, wanted, &mut next);
    }
    for place in 0..holding.groups.len() as u32 {
        draft_left(context, drafts, &mut groups, place, &keys[place as usize]);
    }
    let renamed = &groups.renamed;
    let order = |it: &GroupDraft| renamed.iter().position(|place| *place == it.place);
    groups
        .list
        .sort_by_cached_key(|it| order(it).unwrap_or(usize::MAX));
    groups
}

/// Whether a group of this folded name is never touched.
fn is_protected(context: &Context<'_, '_>, key: &str) -> bool {
    context.rules().protect_groups.is_match(key)
        || is_admin_group(context.rules().protect_defaults, context.abilities(), key)
}

/// The application's groups by folded name.
type ByName = BTreeMap<String, Vec<u32>>;

/// First the groups whose link names the record of a roster group.
fn match_by_id(context: &Context<'_, '_>, groups: &mut Groups) {
    let holding = context.holding();
    let mut linked: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    for (place, group) in (0u32..).zip(&holding.groups) {
        if let Some(link) = &group.link
            && group.exists
            && !groups.protected[place as usize]
        {
            linked.insert(
                (holding.text(link.directory), holding.text(link.group_id)),
                place,
            );
        }
    }
    for wanted in 0..groups.place.len() as u32 {
        let group = context.roster().group(wanted);
        if let Some(&place) = linked.get(&(group.directory_id, group.external_id))
            && !group.external_id.is_empty()
        {
            groups.place[wanted as usize] = place;
            groups.wanted[place as usize] = wanted;
        }
    }
}

fn draft_wanted(
    context: &mut Context<'_, '_>,
    groups: &mut Groups,
    by_name: &ByName,
    wanted: u32,
    next: &mut u32,
) {
    let key = context.roster().groups[wanted as usize].key.clone();
    let same_name = by_name.get(key.as_str()).map_or(&[][..], Vec::as_slice);
    if groups.held.contains(&wanted) {
        return;
    }
    let linked = groups.place[wanted as usize];
    if linked != NONE {
        return draft_linked(context, groups, wanted, linked);
    }
    match *same_name {
        [] => {
            if !is_protected(context, &key) {
                groups.place[wanted as usize] = *next;
                groups.new_groups.push(wanted);
                let (step, what, reason) = (Step::Create, What::default(), Reason::New);
                groups.list.push(GroupDraft {
                    place: *next,
                    wanted,
                    step,
                    what,
                    reason,
                });
                *next += 1;
            }
        }
        [place] if groups.protected[place as usize] => {}
        [place] if groups.wanted[place as usize] != NONE => {
            let detail = "another group is linked to this name".to_owned();
            context.hold(
                format!("group {key}"),
                "create".to_owned(),
                HoldReason::NameTaken,
                detail,
            );
        }
        [place] => {
            let is_linked = context.holding().groups[place as usize].link.is_some();
            let hold = HoldKey {
                subject: format!("group {key}"),
                change: "adopt".to_owned(),
                reason: HoldReason::NameTaken,
            };
            if !is_linked && !context.rules().adopt_by_name && !context.approved(&hold) {
                let detail =
                    "a group of this name exists and `adopt` does not take it over".to_owned();
                return context.hold(hold.subject, hold.change, hold.reason, detail);
            }
            groups.place[wanted as usize] = place;
            groups.wanted[place as usize] = wanted;
            draft_linked(context, groups, wanted, place);
        }
        _ => {
            let detail =
                "several groups of the application have this name in different spelling".to_owned();
            context.hold(
                format!("group {key}"),
                "adopt".to_owned(),
                HoldReason::Ambiguous,
                detail,
            );
        }
    }
}

fn draft_linked(context: &mut Context<'_, '_>, groups: &mut Groups, wanted: u32, place: u32) {
    if context.group_is_unknown(place) {
        // It would be linked to another record, and nobody would know any more that this one is unknown.
        return;
    }
    let holding = context.holding();
    let it = &holding.groups[place as usize];
    let should = context.roster().group(wanted);
    let name = holding.text(it.seen.name);
    let mut what = What::default();
    let mut reason = Reason::Differs;
    match &it.link {
        None => {
            what = what.with(What::ADOPT);
            reason = Reason::SameName;
        }
        Some(link) => {
            if holding.text(link.directory) != should.directory_id
                || holding.text(link.group_id) != should.external_id
            {
                what = what.with(What::RELINK);
            }
            if link.left_at.is_some() || link.absent_since.is_some() {
                what = what.with(What::RETURN);
            }
        }
    }
    let key = context.roster().groups[wanted as usize].key.clone();
    let spelled_otherwise = name != should.name && context.abilities().rename_groups;
    let described_otherwise = context.abilities().describe_groups
        && holding.text(it.seen.description) != should.description;
    if groups.renamed.contains(&place) {
        what = what.with(What::RENAME);
        reason = Reason::Renamed;
    } else if text::fold(name) == key && spelled_otherwise {
        what = what.with(What::SPELLING);
    }
    if described_otherwise {
        what = what.with(What::DESCRIPTION);
    }
    if !what.is_empty() {
        let step = Step::Update;
        groups.list.push(GroupDraft {
            place,
            wanted,
            step,
            what,
            reason,
        });
    }
}

/// A linked group that the roster no longer has waits like an account, loses the memberships made here, and is deleted only
/// where that is asked for and nobody else's membership is in it.
fn draft_left(
    context: &mut Context<'_, '_>,
    drafts: &mut Drafts,
    groups: &mut Groups,
    place: u32,
    key: &str,
) {
    let group = &context.holding().groups[place as usize];
    let Some(link) = &group.link else { return };
    if !group.exists || groups.wanted[place as usize] != NONE || groups.protected[place as usize] {
        return;
    }
    let unknown = context.scope.group_is_unsure(key) || context.group_is_unknown(place);
    if unknown {
        return;
    }
    let subject = format!("group {key}");
    let change = "leave".to_owned();
    if groups.frozen.contains(&place) {
        if link.left_at.is_none() {
            hold_wanted_name(context, subject, change, key);
        }
        return;
    }
    if link.left_at.is_none() {
        let clock = run_clock(context, link.absent_since, link.absent_for);
        if (link.absent_since, link.absent_for) != (clock.0, clock.1) {
            drafts.clocks.push(AbsenceClock {
                subject: Subject::Group(place),
                since: clock.0,
                ran: clock.1,
            });
        }
        let seen_before = link.absent_since.is_some();
        if context.held_by_configuration(&subject, &change, seen_before) {
            let detail = "it is absent since the configuration changed".to_owned();
            return context.hold(subject, change, HoldReason::ConfigurationChanged, detail);
        }
        let hold = HoldKey {
            subject: subject.clone(),
            change: change.clone(),
            reason: HoldReason::ConfigurationChanged,
        };
        let approved = context.approved(&hold);
        let nameless = context.nameless_group_in().map(|directory| {
            format!("directory {directory}: a group whose name could not be read may be this one")
        });
        let not_yet = nameless.or_else(|| not_yet(context, clock, approved, &mut drafts.due_at));
        if let Some(reason) = not_yet {
            return drafts.waiting.push(Withheld {
                subject,
                change,
                reason,
                detail: String::new(),
            });
        }
        groups.list.push(GroupDraft {
            place,
            wanted: NONE,
            step: Step::Update,
            what: What::LEAVE,
            reason: Reason::Absent,
        });
    } else if !context.blocks.is_empty() || context.nameless_group_in().is_some() {
        return;
    }
    groups.emptied.push(place);
}

/// A group that left stays as it is while the rename of another one onto its name is held.
fn hold_wanted_name(context: &mut Context<'_, '_>, subject: String, change: String, key: &str) {
    let onto = format!("rename to {key}");
    let mut held = context.matching.held.iter();
    let is_it = |it: &&Withheld<HoldReason>| it.subject.starts_with("group ") && it.change == onto;
    let Some(rename) = held.find(is_it) else {
        return;
    };
    let detail = format!(
        "it left, and stays as it is while the rename of {} onto its name is held",
        rename.subject
    );
    let reason = rename.reason;
    context.hold(subject, change, reason, detail);
}

/// Deletes groups that left where that is asked for, once nothing is in them but what the plan itself takes. Nobody else's
/// membership goes with a group.
pub(crate) fn delete_emptied(
    context: &Context<'_, '_>,
    groups: &mut Groups,
    members: &[MemberDraft],
    children: &[MemberDraft],
) {
    if !context.rules().delete_groups || !context.abilities().delete_groups {
        return;
    }
    let taken = |list: &[MemberDraft], place: u32| {
        let of_group = list.iter().find(|it| it.group == place);
        of_group.map_or(0, |it| it.take.len())
    };
    for &place in &groups.emptied {
        let group = &context.holding().groups[place as usize];
        let at = groups.list.iter().position(|it| it.place == place);
        // One that does not leave by now was held back.
        if taken(members, place) < group.members.len()
            || taken(children, place) < group.children.len()
            || (at.is_none() && group.link.as_ref().is_none_or(|it| it.left_at.is_none()))
        {
            continue;
        }
        let draft = GroupDraft {
            place,
            wanted: NONE,
            step: Step::Delete,
            what: What::default(),
            reason: Reason::Absent,
        };
        match at {
            Some(at) => groups.list[at] = draft,
            None => groups.list.push(draft),
        }
    }
}
