//! Accounts whose user left: how long they wait, what is taken from them, and when they are deleted.

use super::{Draft, Drafts, Strip};
use crate::clock::Timestamp;
use crate::model::{
    AbsenceClock, Class, HoldReason, NONE, Notice, NoticeKind, Origin, Reason, Step, Subject, What,
};
use crate::reconcile::context::Context;
use crate::reconcile::rules::OnLeave;
use crate::text::Span;

pub(super) fn draft_left(
    context: &mut Context<'_, '_>,
    drafts: &mut Drafts,
    place: u32,
    reason: Reason,
) {
    let account = &context.holding().accounts[place as usize];
    let Some(link) = &account.link else { return };
    if let Some(left_at) = link.left_at {
        if context.blocks.is_empty() {
            strip_left(context, drafts, place);
        }
        if !draft_delete(context, drafts, place, left_at) {
            draft_off_again(context, drafts, place, reason);
        }
        return;
    }
    if context.rules().on_leave == OnLeave::Keep {
        return;
    }
    let key = context.account_key(place);
    let subject = format!("user {key}");
    let approved = [HoldReason::ConfigurationChanged, HoldReason::Tie]
        .into_iter()
        .any(|reason| context.approved(&context.hold_key(key, "leave", reason)));
    let clock = run_clock(context, link.absent_since, link.absent_for);
    if (link.absent_since, link.absent_for) != (clock.0, clock.1) {
        drafts.clocks.push(AbsenceClock {
            subject: Subject::Account(place),
            since: clock.0,
            ran: clock.1,
        });
    }
    if context.held_by_configuration(&subject, "leave", link.absent_since.is_some()) {
        let detail = "it is absent since the configuration changed".to_owned();
        return context.hold(
            subject,
            "leave".to_owned(),
            HoldReason::ConfigurationChanged,
            detail,
        );
    }
    if let Some(why) = not_yet(context, clock, approved, &mut drafts.due_at) {
        return drafts.wait(context, place, "leave", why, String::new());
    }
    strip_left(context, drafts, place);
    let mut what = What::LEAVE;
    if context.abilities().deactivate && account.seen.active {
        what = what.with(What::DEACTIVATE);
    }
    let class = Some(Class::Removal);
    drafts.list.push(Draft {
        place,
        wanted: NONE,
        step: Step::Update,
        what,
        reason,
        class,
    });
}

/// What an account whose user left loses; it goes on losing it, should a plan have been cut off or a limit have held a part.
fn strip_left(context: &Context<'_, '_>, drafts: &mut Drafts, place: u32) {
    if !context.abilities().deactivate && context.rules().on_leave != OnLeave::Keep {
        drafts.strip.push((place, Strip::All));
        drafts.notices.push(Notice {
            kind: NoticeKind::AccessRemains,
            subject: format!("user {}", context.account_key(place)),
            detail: "its user left and the application cannot switch accounts off".to_owned(),
        });
    } else if context.rules().on_leave == OnLeave::Strip {
        drafts.strip.push((place, Strip::Ours));
    }
}

/// Somebody switched the account of a user who left on again.
fn draft_off_again(context: &Context<'_, '_>, drafts: &mut Drafts, place: u32, reason: Reason) {
    let active = context.holding().accounts[place as usize].seen.active;
    let keeps = context.rules().on_leave == OnLeave::Keep;
    if active && !keeps && context.abilities().deactivate && context.blocks.is_empty() {
        drafts.list.push(Draft {
            place,
            wanted: NONE,
            step: Step::Update,
            what: What::DEACTIVATE,
            reason,
            class: Some(Class::Removal),
        });
    }
}

/// Deletes the account of a user who left, when its time has come; says whether it does.
fn draft_delete(
    context: &Context<'_, '_>,
    drafts: &mut Drafts,
    place: u32,
    left_at: Timestamp,
) -> bool {
    let account = &context.holding().accounts[place as usize];
    let ours = account
        .link
        .as_ref()
        .is_some_and(|it| it.origin == Origin::Created);
    let Some(after) = context
        .rules()
        .delete_after
        .filter(|_| ours && context.abilities().delete_accounts)
    else {
        return false;
    };
    let due = left_at.plus(after);
    // Not in the moment in which it left, however short the time.
    if context.world.now < due || context.world.now == left_at {
        drafts.due_at = Some(drafts.due_at.map_or(due, |it| it.min(due)));
        let why = format!("it left on {left_at} and is deleted on {due}");
        drafts.wait(context, place, "delete", why, String::new());
        return false;
    }
    if let Some(block) = context.blocks.first() {
        let why = format!("{}: {}", block.subject, block.detail);
        drafts.wait(context, place, "delete", why, String::new());
        return false;
    }
    let (what, reason, class) = (What::default(), Reason::DeleteAfter, Some(Class::Removal));
    drafts.list.push(Draft {
        place,
        wanted: NONE,
        step: Step::Delete,
        what,
        reason,
        class,
    });
    true
}

/// The clock of an absence after this plan: since when, and how long it has run. It runs only while every listed directory
/// proves the absence, and one gap between two plans counts for half the grace at most, so that a leaping clock alone makes
/// nothing due.
pub(crate) fn run_clock(
    context: &Context<'_, '_>,
    since: Option<Timestamp>,
    ran: i64,
) -> (Option<Timestamp>, i64) {
    let now = context.world.now;
    match since {
        None => (Some(now), 0),
        Some(since) if !context.blocks.is_empty() => (Some(since), ran),
        Some(since) => {
            let gap = context
                .world
                .memory
                .planned_at
                .map_or(0, |it| (now.0 - it.0).max(0));
            let most = (context.rules().grace.as_seconds() + 1) / 2;
            (Some(since), ran + gap.min(most))
        }
    }
}

/// Why a removal by absence is not due, or nothing when it is. An approval stands for the clock, not for the proof.
pub(crate) fn not_yet(
    context: &Context<'_, '_>,
    clock: (Option<Timestamp>, i64),
    approved: bool,
    due_at: &mut Option<Timestamp>,
) -> Option<String> {
    if let Some(block) = context.blocks.first() {
        return Some(format!("{}: {}", block.subject, block.detail));
    }
    let grace = context.rules().grace;
    let left = grace.as_seconds() - clock.1;
    if approved || grace.is_zero() {
        return None;
    }
    let since = clock.0.unwrap_or(context.world.now);
    if left > 0 {
        let due = context.world.now.plus(Span::seconds(left));
        *due_at = Some(due_at.map_or(due, |it| it.min(due)));
        return Some(format!(
            "absent since {since}, due on {due} at the earliest"
        ));
    }
    let proven = context.world.read_twice_since(since);
    (!proven)
        .then(|| format!("absent since {since}; every listed directory must be read twice since"))
}
