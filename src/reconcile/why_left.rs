//! Why an account that counts as left is nobody's in the roster, in words.
//!
//! That nobody in the roster is its person does not mean that the person is gone: the record that it was made for may be there,
//! shadowed, tied or out of scope. Whoever is told that an account leaves must not take the one for the other.

use crate::model::{RecordRef, StrId};
use crate::reconcile::context::Context;
use crate::reconcile::resolve::Choice;
use crate::reconcile::scope::Position;
use crate::reconcile::snapshot::{Snapshot, Standing};

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
