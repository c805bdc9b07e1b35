//! What shall happen to each account, before limits: field by field for those that are wanted, step by step for those that left.

mod left;

use std::collections::BTreeMap;

use crate::clock::Timestamp;
use crate::model::{
    AbsenceClock, Account, Class, FreezeReason, HoldReason, NONE, Notice, NoticeKind, Reason, Step,
    StrId, Subject, WantedAccount, What, Withheld,
};
use crate::reconcile::context::Context;
use crate::reconcile::matching::{AccountState, Doubt, UserState, person_value};
use crate::reconcile::renames::Rename;
use crate::text;

use left::draft_left;
pub(crate) use left::{not_yet, run_clock};

/// A change of one account that the guards have not seen yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Draft {
    pub(crate) place: u32,
    pub(crate) wanted: u32,
    pub(crate) step: Step,
    pub(crate) what: What,
    pub(crate) reason: Reason,
    pub(crate) class: Option<Class>,
}

/// What may be taken from an account besides what the roster says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strip {
    /// Memberships made here.
    Ours,
    /// All but protected ones: the application cannot switch the account off.
    All,
}

/// All drafts about accounts, with what is said about them.
#[derive(Debug, Default)]
pub(crate) struct Drafts {
    /// At most one an account.
    pub(crate) list: Vec<Draft>,
    /// Accounts that lose memberships, by place.
    pub(crate) strip: Vec<(u32, Strip)>,
    pub(crate) clocks: Vec<AbsenceClock>,
    pub(crate) waiting: Vec<Withheld<String>>,
    pub(crate) notices: Vec<Notice>,
    pub(crate) due_at: Option<Timestamp>,
    pub(crate) frozen: BTreeMap<FreezeReason, u32>,
    /// For each roster user that is created, its place beyond the holding's end, in roster order; else [`NONE`].
    pub(crate) new_place: Vec<u32>,
    /// The roster users of the new places, in the order of the places.
    pub(crate) new_users: Vec<u32>,
}

/// Drafts what shall happen to every account.
pub(crate) fn draft(context: &mut Context<'_, '_>, renames: &[Rename]) -> Drafts {
    let mut drafts = Drafts::default();
    let mut renamed = vec![false; context.matching.accounts.len()];
    renames
        .iter()
        .for_each(|it| renamed[it.place as usize] = true);
    for place in 0..context.matching.accounts.len() as u32 {
        match context.matching.accounts[place as usize] {
            AccountState::Wanted(user) => {
                draft_wanted(context, &mut drafts, place, user, renamed[place as usize]);
            }
            AccountState::Left(reason) => draft_left(context, &mut drafts, place, reason),
            AccountState::OutOfKind => {
                drafts.stop_clock(context, place);
                draft_out_of_kind(context, &mut drafts, place);
            }
            AccountState::Protected => notice_protected(context, &mut drafts, place),
            AccountState::Frozen(why) => *drafts.frozen.entry(why.reason()).or_default() += 1,
            AccountState::Unsure(doubt) => {
                let why = context.doubt(doubt);
                drafts.wait(context, place, "leave or relink", why, String::new());
            }
            AccountState::Tied => drafts.stop_clock(context, place),
            AccountState::Missing | AccountState::Unlinked => {}
        }
    }
    draft_new(context, &mut drafts);
    drafts
}

impl Drafts {
    /// An account whose user is present is not absent, whatever else is held about it.
    fn stop_clock(&mut self, context: &Context<'_, '_>, place: u32) {
        let link = context.holding().accounts[place as usize].link.as_ref();
        if link.is_some_and(|it| it.absent_since.is_some() && it.left_at.is_none()) {
            self.clocks.push(AbsenceClock {
                subject: Subject::Account(place),
                since: None,
                ran: 0,
            });
        }
    }

    fn wait(
        &mut self,
        context: &Context<'_, '_>,
        place: u32,
        change: &str,
        reason: String,
        detail: String,
    ) {
        self.waiting.push(Withheld {
            subject: format!("user {}", context.account_key(place)),
            change: change.to_owned(),
            reason,
            detail,
        });
    }
}

fn draft_new(context: &Context<'_, '_>, drafts: &mut Drafts) {
    let mut next = context.matching.accounts.len() as u32;
    drafts.new_place = vec![NONE; context.matching.users.len()];
    for user in 0..context.matching.users.len() as u32 {
        match context.matching.users[user as usize] {
            UserState::New => {
                drafts.new_place[user as usize] = next;
                drafts.new_users.push(user);
                drafts.list.push(Draft {
                    place: next,
                    wanted: user,
                    step: Step::Create,
                    what: What::default(),
                    reason: Reason::New,
                    class: Some(Class::Addition),
                });
                next += 1;
            }
            UserState::Unsure(doubt) => drafts.waiting.push(Withheld {
                subject: format!("user {}", context.roster().key(user)),
                change: "create".to_owned(),
                reason: context.doubt(doubt),
                detail: String::new(),
            }),
            _ => {}
        }
    }
}

fn draft_wanted(
    context: &mut Context<'_, '_>,
    drafts: &mut Drafts,
    place: u32,
    user: u32,
    renamed: bool,
) {
    let account = &context.holding().accounts[place as usize];
    let wanted = context.roster().account(user);
    let how = match context.matching.users[user as usize] {
        UserState::Account(_, how) => how,
        _ => None,
    };
    drafts.stop_clock(context, place);
    let mut what = changed_fields(context, account, &wanted);
    if renamed {
        what = what.without(What::SPELLING).with(What::RENAME);
    }
    match &account.link {
        None => what = what.with(What::ADOPT),
        Some(link) => {
            if link_differs(context, place, user) {
                what = what.with(What::RELINK);
            }
            if link.left_at.is_some() {
                what = what.with(What::RETURN);
            }
        }
    }
    let mut class = None;
    let can_switch = context.abilities().deactivate;
    if can_switch && wanted.active && !account.seen.active {
        let off_by_us = account.link.as_ref().is_some_and(|it| it.off_by_us);
        let key = context.hold_key(
            context.pushed_key(place),
            "activate",
            HoldReason::OffInApplication,
        );
        if off_by_us || context.approved(&key) {
            what = what.with(What::ACTIVATE);
            class = Some(Class::Addition);
        } else {
            let detail = "somebody else switched the account off".to_owned();
            context.hold(key.subject, key.change, key.reason, detail);
        }
    } else if can_switch && !wanted.active && account.seen.active {
        match active_elsewhere(context, user) {
            None => {
                what = what.with(What::DEACTIVATE);
                class = Some(Class::Deactivation);
            }
            Some(doubt) => {
                let why = context.doubt(doubt);
                drafts.wait(context, place, "deactivate", why, String::new());
            }
        }
    } else if !can_switch && !wanted.active {
        drafts.strip.push((place, Strip::Ours));
        drafts.notices.push(Notice {
            kind: NoticeKind::AccessRemains,
            subject: format!("user {}", context.account_key(place)),
            detail: "the user is inactive and the application cannot switch accounts off"
                .to_owned(),
        });
    }
    if !what.is_empty() {
        let reason = reason_of(what, how);
        drafts.list.push(Draft {
            place,
            wanted: user,
            step: Step::Update,
            what,
            reason,
            class,
        });
    }
}

/// A directory that was never read and in which an inactive user may be active.
fn active_elsewhere(context: &Context<'_, '_>, user: u32) -> Option<Doubt> {
    let directory = context.roster().users[user as usize].record.directory as usize;
    let falls = context.rules().inactive_falls_through;
    let mut unread = context.world.unread();
    let found = unread.find(|it| falls || *it < directory)?;
    Some(Doubt::Unread(found as u16))
}

fn reason_of(what: What, how: Option<Reason>) -> Reason {
    match how {
        Some(how) => how,
        None if what.has(What::RENAME) => Reason::Renamed,
        None if what.has(What::DEACTIVATE) => Reason::Inactive,
        None if what.has(What::ACTIVATE) || what.has(What::RETURN) => Reason::Active,
        None => Reason::Differs,
    }
}

/// The fields that the application can hold and that differ. Everything an account has is named here: a new field does not
/// compile until somebody decides whether it counts.
fn changed_fields(
    context: &Context<'_, '_>,
    account: &Account,
    wanted: &WantedAccount<'_>,
) -> What {
    let holding = context.holding();
    let crate::model::ObservedAccount {
        remote_id: _,
        name,
        display_name,
        given_name,
        family_name,
        email,
        directory,
        external_id,
        active: _,
    } = account.seen;
    let can = context.abilities().fields;
    let differs = |held: StrId, wanted: &str| holding.text(held) != wanted;
    let mut what = What::default();
    let mut check = |can: bool, held: StrId, wanted: &str, bit: What| {
        if can && differs(held, wanted) {
            what = what.with(bit);
        }
    };
    check(
        context.abilities().rename_accounts,
        name,
        wanted.name,
        What::SPELLING,
    );
    check(
        can.display_name,
        display_name,
        wanted.display_name,
        What::DISPLAY_NAME,
    );
    check(
        can.given_name,
        given_name,
        wanted.given_name,
        What::GIVEN_NAME,
    );
    check(
        can.family_name,
        family_name,
        wanted.family_name,
        What::FAMILY_NAME,
    );
    check(can.email, email, wanted.email, What::EMAIL);
    check(can.directory, directory, wanted.directory, What::DIRECTORY);
    check(
        can.external_id,
        external_id,
        wanted.external_id,
        What::EXTERNAL_ID,
    );
    what
}

/// Whether what a link remembers is not what it should be.
fn link_differs(context: &Context<'_, '_>, place: u32, user: u32) -> bool {
    let Some(link) = &context.holding().accounts[place as usize].link else {
        return true;
    };
    let holding = context.holding();
    let wanted = context.roster().account(user);
    let it = &context.roster().users[user as usize];
    let (directory, id) = context.roster().id_of(context.link_record(place, user));
    let held_mail = holding.text(link.mail);
    holding.text(link.directory) != directory
        || holding.text(link.user_id) != id
        || (held_mail != wanted.email && held_mail != text::fold(wanted.email))
        || holding.text(link.person) != person_value(context.world, it.record)
        || link.tied != it.tied
}

/// An account whose user is of another kind keeps everything but the memberships made here.
fn draft_out_of_kind(context: &Context<'_, '_>, drafts: &mut Drafts, place: u32) {
    let certain =
        context.linked[place as usize].is_some_and(|at| context.memberships_are_certain(at));
    if certain && context.blocks.is_empty() {
        drafts.strip.push((place, Strip::Ours));
    }
}

fn notice_protected(context: &Context<'_, '_>, drafts: &mut Drafts, place: u32) {
    if context.user_left(place) {
        drafts.notices.push(Notice {
            kind: NoticeKind::ProtectedLeft,
            subject: format!("user {}", context.account_key(place)),
            detail: "its user left, and the account is protected".to_owned(),
        });
    }
}
