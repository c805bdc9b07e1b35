//! Why an account that counts as left is nobody's in the roster, and why nothing changes on a frozen one, in words.
//!
//! That nobody in the roster is its person does not mean that the person is gone: the record that it was made for may be there,
//! shadowed, tied or out of scope. Whoever is told that an account leaves must not take the one for the other.

use crate::model::{FreezeReason, RecordRef, StrId};
use crate::reconcile::context::Context;
use crate::reconcile::matching::{AccountState, Freeze};
use crate::reconcile::resolve::Choice;
use crate::reconcile::scope::Position;
use crate::reconcile::snapshot::{Snapshot, Standing};

/// An account on which nothing changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrozenAccount {
    /// Its name as the application spells it.
    pub name: String,
    /// Why, by the stable word.
    pub reason: FreezeReason,
    /// Which record or which rename it is, in words.
    pub detail: String,
}

/// The accounts on which nothing changes, in the order of their names.
pub fn frozen(context: &Context<'_, '_>) -> Vec<FrozenAccount> {
    let states = (0u32..).zip(&context.matching.accounts);
    let frozen = states.filter_map(|(place, state)| match *state {
        AccountState::Frozen(why) => Some(FrozenAccount {
            name: context.holding().account_name(place).to_owned(),
            reason: why.reason(),
            detail: why_frozen(context, place, why),
        }),
        _ => None,
    });
    let mut frozen: Vec<FrozenAccount> = frozen.collect();
    frozen.sort_by(|a, b| a.name.cmp(&b.name));
    frozen
}

/// Why nothing changes on the account at a place.
pub(crate) fn why_frozen(context: &Context<'_, '_>, place: u32, why: Freeze) -> String {
    match why {
        Freeze::Unknown(directory) => format!(
            "nothing changes until its user is known: its record in directory {} is not",
            context.world.directories[directory as usize].name
        ),
        Freeze::RenameHeld => "nothing changes while its rename is held".to_owned(),
        Freeze::NameWanted(other) => format!(
            "{}; nothing changes while the rename of user {} onto its name is held",
            why_left(context, place),
            context.account_key(other)
        ),
        Freeze::Ambiguous => {
            "nothing changes while two users would be pushed under one name".to_owned()
        }
    }
}

/// Why the account at a place has no user in the roster.
pub(crate) fn why_left(context: &Context<'_, '_>, place: u32) -> String {
    let present = context.linked[place as usize].and_then(|at| {
        let snapshot = context.snapshots[at.directory as usize].as_ref()?;
        Some((at, snapshot))
    });
    match present {
        Some((at, snapshot)) => why_nobodys(context, at, snapshot),
        None => "its user left (absent)".to_owned(),
    }
}

/// Why the person of a record that is there is nobody in the roster, or somebody under another name.
fn why_nobodys(context: &Context<'_, '_>, at: RecordRef, snapshot: &Snapshot<'_>) -> String {
    let directory = |place: u16| context.world.directories[place as usize].name;
    match snapshot.standing[at.record as usize] {
        Standing::Skipped => {
            return format!(
                "its user left (users.skip of directory {} names it)",
                directory(at.directory)
            );
        }
        Standing::Ousted => {
            return format!(
                "another record of directory {} has its username",
                directory(at.directory)
            );
        }
        Standing::Valid | Standing::Unknown | Standing::Duplicate => {}
    }
    let person = context.resolution.person(snapshot, at);
    match context.resolution.choice[person as usize] {
        Choice::Won(winner) if username_of(context, winner) != username_of(context, at) => format!(
            "its user is tied to {}",
            username_of(context, winner).unwrap_or_default()
        ),
        Choice::Won(winner) if winner != at => format!(
            "its user is shadowed: directory {} wins {}",
            directory(winner.directory),
            username_of(context, winner).unwrap_or_default()
        ),
        Choice::Won(_) => match context.scope.position[person as usize] {
            Position::In(_) => "its user has another account".to_owned(),
            _ => "its user left (out_of_scope)".to_owned(),
        },
        Choice::Nobody | Choice::Frozen(_) => {
            "its user is present, and nobody may have its username".to_owned()
        }
    }
}

/// The folded username of a record.
pub(crate) fn username_of<'c>(context: &'c Context<'_, '_>, at: RecordRef) -> Option<&'c str> {
    let snapshot = context.snapshots[at.directory as usize].as_ref()?;
    let key = snapshot.user_key[at.record as usize];
    Some(context.names.users.get(StrId(key)))
}
