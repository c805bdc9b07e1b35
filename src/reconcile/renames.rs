//! Renames: which are possible, in which order, and which are held.
//!
//! A rename follows the stable id, so everything the account owns follows the person. A name is freed before it is taken.
//! Rings, and renames onto a name that somebody else has, are held, and both accounts are left as they are.

use crate::model::{HoldReason, NONE, RecordRef};
use crate::reconcile::context::{Context, place_of};
use crate::reconcile::lookup::{Mails, user_mails};
use crate::reconcile::matching::{
    AccountState, Freeze, UserState, is_protected_name, person_value,
};
use crate::reconcile::rules::OnLeave;
use crate::reconcile::snapshot::Standing;
use crate::reconcile::why_left::why_left;
use crate::text;

/// A rename that is possible: the account at a place gets the name of a roster user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rename {
    pub(crate) place: u32,
    pub(crate) user: u32,
}

/// Finds the renames, holds back those that cannot be, and returns the others in an order in which names are freed first.
/// Users that would be created or adopt under a name that does not become free are held, too.
pub(crate) fn settle(context: &mut Context<'_, '_>) -> Vec<Rename> {
    let wanted = find(context);
    let mut first_place = vec![NONE; context.names.users.len()];
    for (place, &key) in context.matching.account_key.iter().enumerate().rev() {
        if context.matching.accounts[place] != AccountState::Missing {
            first_place[key as usize] = place as u32;
        }
    }
    let mut possible = Vec::new();
    let mut open: Vec<Rename> = Vec::new();
    let below = if wanted.is_empty() {
        Below::default()
    } else {
        Below::of(context)
    };
    for rename in wanted {
        match obstacle(context, &below, rename) {
            Some((reason, detail)) => {
                let occupant = first_place[new_key(context, rename) as usize];
                refuse(context, rename, reason, detail);
                freeze_left(context, occupant, rename, reason);
            }
            None => open.push(rename),
        }
    }
    // Each round makes the renames whose new name is free, which frees others; what is left over is held.
    loop {
        let before = open.len();
        open.retain(|&rename| {
            let key = new_key(context, rename) as usize;
            let free = first_place[key] == NONE;
            if free {
                first_place[context.matching.account_key[rename.place as usize] as usize] = NONE;
                first_place[key] = rename.place;
                possible.push(rename);
            }
            !free
        });
        if open.len() == before {
            break;
        }
    }
    hold_the_rest(context, &open, &first_place);
    hold_blocked_names(context, &first_place);
    possible
}

fn find(context: &Context<'_, '_>) -> Vec<Rename> {
    let renamed = |(user, state): (u32, &UserState)| {
        let place = place_of(*state);
        let rename = Rename { place, user };
        let differs = place != NONE
            && context.matching.account_key[place as usize] != new_key(context, rename);
        differs.then_some(rename)
    };
    (0u32..)
        .zip(&context.matching.users)
        .filter_map(renamed)
        .collect()
}

/// The number of the folded name that the account gets.
fn new_key(context: &Context<'_, '_>, rename: Rename) -> u32 {
    let at = context.roster().users[rename.user as usize].named;
    context.snapshots[at.directory as usize]
        .as_ref()
        .map_or(0, |it| it.user_key[at.record as usize])
}

fn obstacle(
    context: &Context<'_, '_>,
    below: &Below,
    rename: Rename,
) -> Option<(HoldReason, String)> {
    let change = change_text(context, rename);
    let approved = |reason| {
        let key = context.account_key(rename.place);
        context.approved(&context.hold_key(key, &change, reason))
    };
    if !context.abilities().rename_accounts {
        return Some((
            HoldReason::RenameUnsupported,
            "the application cannot rename accounts".to_owned(),
        ));
    }
    if is_protected_name(context.world, context.roster().key(rename.user)) {
        return Some((
            HoldReason::NameTaken,
            "accounts of the new name are protected".to_owned(),
        ));
    }
    let at = context.roster().users[rename.user as usize].record;
    let lower = below.somebody_else(context, at, new_key(context, rename))?;
    if approved(HoldReason::NameInLowerDirectory) {
        return None;
    }
    let name = context.world.directories[lower.directory as usize].name;
    Some((
        HoldReason::NameInLowerDirectory,
        format!(
            "directory {name} has a user of the new name who is not proven to be the same person"
        ),
    ))
}

/// Who bears which name in which directory, made only when something is renamed.
#[derive(Default)]
struct Below {
    /// By directory, its user records by the number of their usernames.
    by_key: Vec<Vec<(u32, u32)>>,
    mails: Vec<Mails>,
}

impl Below {
    fn of(context: &Context<'_, '_>) -> Self {
        let by_key = context.snapshots.iter().map(|snapshot| {
            let keys = snapshot.iter().flat_map(|it| &it.user_key);
            let mut by_key: Vec<(u32, u32)> = keys.copied().zip(0..).collect();
            by_key.sort_unstable();
            by_key
        });
        Below {
            by_key: by_key.collect(),
            mails: context.snapshots.iter().map(|_| Mails::default()).collect(),
        }
    }

    /// A record of a lower directory that bears the new name and is not proven to be the same person.
    fn somebody_else(
        &self,
        context: &Context<'_, '_>,
        at: RecordRef,
        key: u32,
    ) -> Option<RecordRef> {
        if context.rules().trust_usernames {
            return None;
        }
        let below = at.directory as usize + 1..context.snapshots.len();
        let mut records = below.flat_map(|place| {
            let from = self.by_key[place].partition_point(|it| it.0 < key);
            let same = self.by_key[place][from..].iter();
            let same = same.take_while(move |it| it.0 == key);
            same.map(move |it| RecordRef {
                directory: place as u16,
                record: it.1,
            })
        });
        records.find(|&other| {
            let snapshot = context.snapshots[other.directory as usize].as_ref();
            let skipped =
                snapshot.is_none_or(|it| it.standing[other.record as usize] == Standing::Skipped);
            !skipped && !self.same_person(context, at, other)
        })
    }

    fn same_person(&self, context: &Context<'_, '_>, one: RecordRef, other: RecordRef) -> bool {
        let records = |at: RecordRef| context.roster().sources[at.directory as usize].records;
        let mail = |at: RecordRef| {
            text::fold(records(at).text(records(at).users[at.record as usize].email))
        };
        let unique = |at: RecordRef| {
            self.mails[at.directory as usize].is_unique(&mail(at), || user_mails(records(at)))
        };
        let person = person_value(context.world, one);
        (!person.is_empty() && person == person_value(context.world, other))
            || (!mail(one).is_empty() && mail(one) == mail(other) && unique(one) && unique(other))
    }
}

fn hold_the_rest(context: &mut Context<'_, '_>, open: &[Rename], first_place: &[u32]) {
    for &rename in open {
        let occupant = first_place[new_key(context, rename) as usize];
        let in_ring = is_in_ring(context, rename, open, first_place);
        if in_ring {
            let detail =
                "the renames form a ring: give one of the users another name first".to_owned();
            refuse(context, rename, HoldReason::RenameRing, detail);
        } else {
            let name = context.holding().account_name(occupant).to_owned();
            let detail = format!("the application has another account named {name}");
            refuse(context, rename, HoldReason::NameTaken, detail);
            freeze_left(context, occupant, rename, HoldReason::NameTaken);
        }
    }
}

/// The account that bears the new name stays as it is, too, if it has lost its user: by the rename itself, perhaps. Whoever left
/// keeps the account until the rename is resolved, so that is held as well and says so.
fn freeze_left(context: &mut Context<'_, '_>, occupant: u32, rename: Rename, reason: HoldReason) {
    if occupant == NONE {
        return;
    }
    if !matches!(
        context.matching.accounts[occupant as usize],
        AccountState::Left(_)
    ) {
        return;
    }
    context.matching.accounts[occupant as usize] =
        AccountState::Frozen(Freeze::NameWanted(rename.place));
    let account = &context.holding().accounts[occupant as usize];
    let link = account.link.as_ref();
    let handled = link.is_some_and(|it| it.left_at.is_some()) && !account.seen.active;
    if handled || context.rules().on_leave == OnLeave::Keep {
        return;
    }
    let subject = format!("user {}", context.account_key(occupant));
    let detail = format!(
        "{}, and the account stays as it is while the rename of user {} onto its name is held",
        why_left(context, occupant),
        context.account_key(rename.place),
    );
    context.hold(subject, "leave".to_owned(), reason, detail);
}

fn is_in_ring(
    context: &Context<'_, '_>,
    start: Rename,
    open: &[Rename],
    first_place: &[u32],
) -> bool {
    let mut at = start;
    for _ in 0..open.len() {
        let occupant = first_place[new_key(context, at) as usize];
        match open.iter().find(|it| it.place == occupant) {
            Some(next) if next.place == start.place => return true,
            Some(next) => at = *next,
            None => return false,
        }
    }
    false
}

fn refuse(context: &mut Context<'_, '_>, rename: Rename, reason: HoldReason, detail: String) {
    let subject = format!("user {}", context.account_key(rename.place));
    let change = change_text(context, rename);
    context.hold(subject, change, reason, detail);
    context.freeze(rename.place, reason);
}

fn change_text(context: &Context<'_, '_>, rename: Rename) -> String {
    format!("rename to {}", context.roster().key(rename.user))
}

/// A user that would be created under a name that stays taken is held.
fn hold_blocked_names(context: &mut Context<'_, '_>, first_place: &[u32]) {
    for user in 0..context.matching.users.len() as u32 {
        if context.matching.users[user as usize] != UserState::New {
            continue;
        }
        let key = new_key(context, Rename { place: NONE, user });
        let place = first_place[key as usize];
        if place == NONE {
            continue;
        }
        let reason = HoldReason::NameTaken;
        let detail = format!(
            "the account {} has this name and keeps it for now",
            context.holding().account_name(place)
        );
        let subject = format!("user {}", context.roster().key(user));
        context.hold(subject, "create".to_owned(), reason, detail);
        context.matching.users[user as usize] = UserState::Held(reason);
    }
}
