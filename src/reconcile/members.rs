//! Who is given to and taken from each group.
//!
//! What the roster wants is given; what it wants and the application already has becomes ours; only what is ours is taken, and
//! only from accounts whose user is present and certain. What others gave is never taken, unless the group is named exact.

use std::collections::BTreeSet;

use crate::model::{Csr, HoldKey, HoldReason, Membership, NONE, StrId};
use crate::reconcile::accounts::{Drafts, Strip};
use crate::reconcile::context::{Context, place_of};
use crate::reconcile::groups::Groups;
use crate::reconcile::matching::AccountState;
use crate::text;

/// The members of one group that change, by place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct MemberDraft {
    /// The group's place.
    pub(crate) group: u32,
    /// Accounts that become members.
    pub(crate) give: Vec<u32>,
    /// Accounts whose membership becomes ours.
    pub(crate) own: Vec<u32>,
    /// Accounts that are members no longer.
    pub(crate) take: Vec<u32>,
}

impl MemberDraft {
    /// Whether nothing changes.
    pub(crate) fn is_empty(&self) -> bool {
        self.give.is_empty() && self.own.is_empty() && self.take.is_empty()
    }
}

/// What may be taken from the account at a place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Taking {
    Nothing,
    /// What is ours and the roster does not want.
    Unwanted,
    /// All that is ours.
    Ours,
    /// Everything but protected memberships.
    All,
}

/// Drafts the members of every group.
pub(crate) fn draft(
    context: &mut Context<'_, '_>,
    drafts: &mut Drafts,
    groups: &Groups,
) -> Vec<MemberDraft> {
    let taking = takings(context, drafts);
    let user_place = user_places(context, drafts);
    let wanted_members = context
        .roster()
        .member_of
        .transpose(context.roster().groups.len());
    let places = context.holding().accounts.len() + drafts.list.len();
    let mut mark = vec![0u32; places];
    let mut list = Vec::new();
    let mut held = Vec::new();
    for place in 0..context.holding().groups.len() as u32 {
        let found = draft_existing(
            context,
            groups,
            &wanted_members,
            &user_place,
            &taking,
            &mut mark,
            place,
        );
        let Some(mut found) = found else { continue };
        let user = |it| format!("user {}", context.pushed_key(it));
        hold_by_configuration(context, groups, &mut found, &mut held, user);
        list.push(found);
    }
    for (wanted, &place) in groups.place.iter().enumerate() {
        if place != NONE && place as usize >= context.holding().groups.len() {
            let give = wanted_members
                .row(wanted)
                .iter()
                .map(|&user| user_place[user as usize]);
            let give: Vec<u32> = give.filter(|it| *it != NONE).collect();
            list.push(MemberDraft {
                group: place,
                give,
                ..MemberDraft::default()
            });
        }
    }
    for key in held {
        let detail = "it is no longer wanted since the configuration changed".to_owned();
        context.hold(key.subject, key.change, key.reason, detail);
    }
    list.retain(|it| !it.is_empty());
    list
}

/// What may be taken from every account.
fn takings(context: &Context<'_, '_>, drafts: &Drafts) -> Vec<Taking> {
    let named_missing = context
        .blocks
        .iter()
        .any(|it| it.kind == crate::model::NoticeKind::NamedGroupMissing);
    let of = |state: &AccountState| match *state {
        AccountState::Wanted(user) => {
            let it = &context.roster().users[user as usize];
            let certain = !named_missing
                && !it.keeps_memberships
                && context.memberships_are_certain(it.record);
            if certain {
                Taking::Unwanted
            } else {
                Taking::Nothing
            }
        }
        _ => Taking::Nothing,
    };
    let mut taking: Vec<Taking> = context.matching.accounts.iter().map(of).collect();
    for &(place, strip) in &drafts.strip {
        taking[place as usize] = match strip {
            Strip::Ours => Taking::Ours,
            Strip::All => Taking::All,
        };
    }
    taking
}

/// For each roster user, the place of the account that gets its memberships; [`NONE`] where it gets none.
fn user_places(context: &Context<'_, '_>, drafts: &Drafts) -> Vec<u32> {
    let mut places: Vec<u32> = context
        .matching
        .users
        .iter()
        .zip(&drafts.new_place)
        .map(|(state, new)| if *new == NONE { place_of(*state) } else { *new })
        .collect();
    for &(place, _) in &drafts.strip {
        if let AccountState::Wanted(user) = context.matching.accounts[place as usize] {
            places[user as usize] = NONE;
        }
    }
    places
}

fn draft_existing(
    context: &Context<'_, '_>,
    groups: &Groups,
    wanted_members: &Csr,
    user_place: &[u32],
    taking: &[Taking],
    mark: &mut [u32],
    place: u32,
) -> Option<MemberDraft> {
    let group = &context.holding().groups[place as usize];
    if !group.exists || groups.protected[place as usize] {
        return None;
    }
    let wanted = groups.wanted[place as usize];
    let left = groups.emptied.binary_search(&place).is_ok();
    let mut draft = MemberDraft {
        group: place,
        ..MemberDraft::default()
    };
    for (at, member) in (1u32..).zip(&group.members) {
        mark[member.place() as usize] = at;
    }
    let mut kept = vec![false; group.members.len()];
    if wanted != NONE {
        for &user in wanted_members.row(wanted as usize) {
            let account = user_place[user as usize];
            if account == NONE {
                continue;
            }
            match mark[account as usize] {
                0 => draft.give.push(account),
                at => {
                    kept[at as usize - 1] = true;
                    if !group.members[at as usize - 1].ours() {
                        draft.own.push(account);
                    }
                }
            }
        }
    }
    let rules = Rules {
        linked: group.link.is_some(),
        wanted: wanted != NONE,
        left,
        uncertain: (wanted != NONE && context.roster().groups[wanted as usize].uncertain)
            || context.group_is_unknown(place),
        exact: wanted != NONE && is_exact(context, wanted),
    };
    let namesakes = if rules.exact {
        namesakes(context, wanted_members.row(wanted as usize))
    } else {
        BTreeSet::new()
    };
    for (member, kept) in group.members.iter().zip(&kept) {
        let account = member.place();
        mark[account as usize] = 0;
        let state = context.matching.accounts[account as usize];
        let foreign = state == AccountState::Unlinked;
        let namesake = foreign
            && (namesakes.contains(context.account_key(account))
                || context.name_is_frozen(account));
        if !kept && rules.takes(*member, taking[account as usize], state) && !namesake {
            draft.take.push(account);
        }
    }
    Some(draft)
}

/// What decides whether a membership that the roster does not want is taken.
struct Rules {
    linked: bool,
    /// The roster has it.
    wanted: bool,
    /// It left, and its time is over.
    left: bool,
    uncertain: bool,
    exact: bool,
}

impl Rules {
    fn takes(&self, member: Membership, taking: Taking, state: AccountState) -> bool {
        match taking {
            Taking::All => true,
            _ if self.uncertain => false,
            Taking::Ours => member.ours(),
            Taking::Unwanted if self.left => member.ours(),
            // A group that is missing from the roster keeps its members while its clock runs.
            Taking::Unwanted if !self.wanted => false,
            Taking::Unwanted => (member.ours() && self.linked) || self.exact,
            // Nobody's account in a group that shall hold exactly the roster's members.
            Taking::Nothing if self.left => member.ours() && matches!(state, AccountState::Left(_)),
            Taking::Nothing => self.exact && state == AccountState::Unlinked,
        }
    }
}

/// Whether a group of the roster is named exact: as it is pushed, or as some directory calls it.
fn is_exact(context: &Context<'_, '_>, wanted: u32) -> bool {
    let exact = &context.rules().exact;
    if exact.is_empty() || !context.blocks.is_empty() {
        return false;
    }
    let names = (0u32..).zip(&context.scope.group_of);
    let mut names = names.filter(|it| *it.1 == wanted).map(|it| StrId(it.0));
    exact.is_match(&context.roster().groups[wanted as usize].key)
        || names.any(|it| exact.is_match(context.names.groups.get(it)))
}

/// Names of those whom the roster wants in a group: an account of that name may not be theirs yet, and is not taken out.
fn namesakes<'c>(context: &'c Context<'_, '_>, wanted: &[u32]) -> BTreeSet<&'c str> {
    wanted.iter().map(|it| context.roster().key(*it)).collect()
}

/// Memberships first missed after the configuration changed are held until a person approves. `subject` names a member.
fn hold_by_configuration(
    context: &Context<'_, '_>,
    groups: &Groups,
    draft: &mut MemberDraft,
    held: &mut Vec<HoldKey>,
    subject: impl Fn(u32) -> String,
) {
    if !context.world.memory.basis_changed && context.world.memory.held.is_empty() {
        return;
    }
    let change = leave_text(context, groups, draft.group);
    draft.take.retain(|&member| {
        let subject = subject(member);
        let hold = context.held_by_configuration(&subject, &change, false);
        if hold {
            let reason = HoldReason::ConfigurationChanged;
            held.push(HoldKey {
                subject,
                change: change.clone(),
                reason,
            });
        }
        !hold
    });
}

/// How a membership that is taken is named in what is held: by the account's subject and this change.
pub(crate) fn leave_text(context: &Context<'_, '_>, groups: &Groups, group: u32) -> String {
    format!("leave {}", group_key(context, groups, group))
}

/// The groups that become and cease to be members of each group, by place. They become so only with `nested_groups: keep`.
pub(crate) fn draft_children(context: &mut Context<'_, '_>, groups: &Groups) -> Vec<MemberDraft> {
    if !context.abilities().nest {
        return Vec::new();
    }
    let mut list = Vec::new();
    let mut held = Vec::new();
    for (wanted, &place) in groups.place.iter().enumerate() {
        if place != NONE {
            let mut draft = children_of(context, groups, wanted, place);
            let group = |it| format!("group {}", group_key(context, groups, it));
            hold_by_configuration(context, groups, &mut draft, &mut held, group);
            list.push(draft);
        }
    }
    // A group that left gives up its groups with its members.
    for &place in &groups.emptied {
        let children = &context.holding().groups[place as usize].children;
        let ours = children.iter().filter(|it| it.ours());
        let untouched = ours.filter(|it| !groups.protected[it.place() as usize]);
        list.push(MemberDraft {
            group: place,
            take: untouched.map(|it| it.place()).collect(),
            ..MemberDraft::default()
        });
    }
    for key in held {
        let detail = "it is no longer wanted since the configuration changed".to_owned();
        context.hold(key.subject, key.change, key.reason, detail);
    }
    list.retain(|it| !it.is_empty());
    list
}

fn children_of(
    context: &Context<'_, '_>,
    groups: &Groups,
    wanted: usize,
    place: u32,
) -> MemberDraft {
    // Once nesting is no longer kept, none of it is wanted.
    let should = if context.rules().keep_nesting {
        context.roster().children.row(wanted)
    } else {
        &[]
    };
    let should: Vec<u32> = should
        .iter()
        .map(|&it| groups.place[it as usize])
        .filter(|it| *it != NONE)
        .collect();
    let mut draft = MemberDraft {
        group: place,
        ..MemberDraft::default()
    };
    let held = context.holding().groups.get(place as usize);
    let held = held.map_or(&[][..], |it| it.children.as_slice());
    for &child in &should {
        match held.iter().find(|it| it.place() == child) {
            None => draft.give.push(child),
            Some(it) if !it.ours() => draft.own.push(child),
            Some(_) => {}
        }
    }
    let certain = context.blocks.is_empty() && !context.roster().groups[wanted].uncertain;
    // A group that is missing from the roster stays where it is while its clock runs.
    let decided = |child: u32| {
        let missing = groups.wanted[child as usize] == NONE;
        !groups.protected[child as usize]
            && (!missing || groups.emptied.binary_search(&child).is_ok())
    };
    let unwanted =
        |it: &&Membership| it.ours() && !should.contains(&it.place()) && decided(it.place());
    if certain {
        draft.take = held.iter().filter(unwanted).map(|it| it.place()).collect();
    }
    draft
}

/// A group's folded name by place once the plan was made.
pub(crate) fn group_key(context: &Context<'_, '_>, groups: &Groups, place: u32) -> String {
    let known = context.holding().groups.len();
    let wanted = match groups.new_groups.get((place as usize).wrapping_sub(known)) {
        Some(wanted) => *wanted,
        None if groups.renamed.contains(&place) => groups.wanted[place as usize],
        None => return text::fold(context.holding().group_name(place)),
    };
    context.roster().groups[wanted as usize].key.clone()
}

/// The folded name of an account by place once the plan was made.
pub(crate) fn account_key<'c>(
    context: &'c Context<'_, '_>,
    drafts: &Drafts,
    place: u32,
) -> &'c str {
    let known = context.matching.account_key.len();
    if (place as usize) < known {
        return context.pushed_key(place);
    }
    context
        .roster()
        .key(drafts.new_users[place as usize - known])
}
