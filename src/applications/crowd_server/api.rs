//! What becomes of a plan that nobody has to be told of: all of it is done once it is committed, and new accounts get ids.

use std::collections::BTreeSet;

use super::convert;
use crate::model::{Change, Outcome, Step, Subject, View};

/// The outcomes of changes, in their order.
pub(super) fn outcomes(changes: &[Change], view: View<'_>) -> Vec<Outcome> {
    let accounts = view.holding.accounts.iter().filter(|it| it.exists);
    let mut taken: BTreeSet<String> = accounts
        .map(|it| view.holding.text(it.seen.remote_id).to_owned())
        .collect();
    let outcome = |change: &Change| Outcome::Done {
        remote_id: created_id(change, view, &mut taken),
    };
    changes.iter().map(outcome).collect()
}

/// The id of what a change creates.
fn created_id(change: &Change, view: View<'_>, taken: &mut BTreeSet<String>) -> Option<String> {
    if change.step != Step::Create {
        return None;
    }
    match change.subject {
        Subject::Group(place) => Some(view.group_name(place).to_owned()),
        Subject::Account(_) => {
            let wanted = view.wanted_account(change)?;
            let key = convert::key(wanted.directory_id, wanted.external_id, taken);
            taken.insert(key.clone());
            Some(key)
        }
    }
}
