//! What is said of a held change wherever held changes are shown: what releases it, and for what else its subject is held.

use std::collections::{BTreeMap, BTreeSet};

use crate::store::{Held, HeldSet};

/// The reasons for which each subject is held, by their stable words.
pub(crate) type Reasons<'h> = BTreeMap<&'h str, BTreeSet<&'static str>>;

/// The id under which an approval releases something of a set, if one can.
pub(crate) fn approve_id<'s>(set: &'s HeldSet, held: &Held) -> Option<&'s str> {
    let mut items = held.held.iter().map(|it| &it.what);
    let releasable =
        items.any(|it| it.reason.word() == set.reason && it.reason.instead(&it.change).is_none());
    releasable.then_some(set.id.as_str())
}

/// For what each subject is held.
pub(crate) fn reasons(held: &Held) -> Reasons<'_> {
    let mut reasons = Reasons::new();
    for it in &held.held {
        let of_subject = reasons.entry(it.what.subject.as_str()).or_default();
        of_subject.insert(it.what.reason.word());
    }
    reasons
}

/// For what a subject is held besides one reason. An approval covers one reason, so that one of these keeps it held.
pub(crate) fn besides(reasons: &Reasons<'_>, subject: &str, reason: &str) -> Vec<&'static str> {
    let all = reasons.get(subject).into_iter().flatten();
    all.copied().filter(|it| *it != reason).collect()
}
