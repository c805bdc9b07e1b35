//! What becomes of a plan that nobody has to be told of: all of it is done once it is committed, and new accounts get ids.

use std::borrow::Cow;

use hashbrown::HashSet;

use super::convert;
use crate::model::{Change, Outcome, Step, Subject, View};

/// The ids that accounts have. They are asked for and never listed, so their order does not matter.
type Taken<'a> = HashSet<Cow<'a, str>>;

/// The outcomes of changes, in their order.
pub(super) fn outcomes(changes: &[Change], view: View<'_>) -> Vec<Outcome> {
    // Clients wait for their answers meanwhile, so the ids are gathered only for somebody new.
    let mut taken = Taken::new();
    if changes.iter().any(makes_account) {
        let accounts = view.holding.accounts.iter().filter(|it| it.exists);
        taken.extend(accounts.map(|it| Cow::Borrowed(view.holding.text(it.seen.remote_id))));
    }
    let outcome = |change: &Change| Outcome::Done {
        remote_id: created_id(change, view, &mut taken),
    };
    changes.iter().map(outcome).collect()
}

fn makes_account(change: &Change) -> bool {
    change.step == Step::Create && matches!(change.subject, Subject::Account(_))
}

/// The id of what a change creates.
fn created_id(change: &Change, view: View<'_>, taken: &mut Taken<'_>) -> Option<String> {
    if change.step != Step::Create {
        return None;
    }
    match change.subject {
        Subject::Group(place) => Some(view.group_name(place).to_owned()),
        Subject::Account(_) => {
            let wanted = view.wanted_account(change)?;
            let key = convert::key(wanted.directory_id, wanted.external_id, |it| {
                taken.contains(it)
            });
            taken.insert(Cow::Owned(key.clone()));
            Some(key)
        }
    }
}
