//! What was listed, with its text in the pool of a holding.

use crate::model::{ObservedAccount, ObservedGroup, Pool, StrId};

pub(super) fn account(from: &Pool, it: &ObservedAccount, to: &mut Pool) -> ObservedAccount {
    let mut text = |id: StrId| to.add(from.get(id));
    ObservedAccount {
        remote_id: text(it.remote_id),
        name: text(it.name),
        display_name: text(it.display_name),
        given_name: text(it.given_name),
        family_name: text(it.family_name),
        email: text(it.email),
        directory: text(it.directory),
        external_id: text(it.external_id),
        active: it.active,
    }
}

pub(super) fn group(from: &Pool, it: &ObservedGroup, to: &mut Pool) -> ObservedGroup {
    let mut text = |id: StrId| to.add(from.get(id));
    ObservedGroup {
        remote_id: text(it.remote_id),
        name: text(it.name),
        description: text(it.description),
    }
}
