//! Finding remembered accounts and groups again in a fresh listing.
//!
//! Most applications give each account an id of its own, and a rename leaves that alone. Where the name is the only id, a
//! rename that was cut off leaves open under which name the account now stands; the order in which renames are made tells.

use std::collections::BTreeMap;

use crate::model::{IntentStep, Subject, What};

/// How an application names an account or a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Named<'a> {
    /// Its own id; the name where it has none.
    pub(crate) id: &'a str,
    /// The name.
    pub(crate) name: &'a str,
}

/// The renames among steps that were in flight: the place and the new name, in the order in which they were made. `place`
/// picks accounts or groups.
pub(crate) fn renames<'i>(
    steps: &[&'i IntentStep],
    place: fn(Subject) -> Option<u32>,
) -> Vec<(u32, &'i str)> {
    let renames = |it: &&&IntentStep| it.what.has(What::RENAME) || it.what.has(What::SPELLING);
    steps
        .iter()
        .filter(renames)
        .filter_map(|it| Some((place(it.subject)?, it.name.as_str())))
        .collect()
}

/// For each remembered place, the index under which it is listed now. Each index is given to one place at most.
///
/// Where the name is the id, a rename was made if its new name is listed and nobody who was to give it up still has it.
pub(crate) fn locate(
    remembered: &[Option<Named<'_>>],
    listed: &[Named<'_>],
    renames: &[(u32, &str)],
) -> Vec<Option<usize>> {
    let by_id: BTreeMap<&str, usize> = (0..listed.len()).map(|it| (listed[it].id, it)).collect();
    let is_name = |id: &str| by_id.get(id).is_some_and(|it| listed[*it].name == id);
    let mut ids: Vec<Option<&str>> = remembered.iter().map(|it| it.map(|it| it.id)).collect();
    let mut holders: BTreeMap<&str, u32> = BTreeMap::new();
    for (place, id) in (0u32..).zip(&ids) {
        id.and_then(|id| holders.insert(id, place));
    }
    for &(place, new) in renames {
        let Some(Some(known)) = remembered.get(place as usize) else {
            continue;
        };
        let held_by_another = holders.get(new).is_some_and(|it| *it != place);
        if known.id == known.name && is_name(new) && !held_by_another {
            holders.remove(known.id);
            holders.insert(new, place);
            ids[place as usize] = Some(new);
        }
    }
    let mut taken = vec![false; listed.len()];
    let mut find = |id: &str| {
        let at = *by_id.get(id)?;
        (!std::mem::replace(&mut taken[at], true)).then_some(at)
    };
    ids.iter().map(|id| find((*id)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    type Pairs = [(&'static str, &'static str)];

    #[track_caller]
    fn check(
        remembered: &Pairs,
        listed: &Pairs,
        renames: &[(u32, &str)],
        expect: &[Option<usize>],
    ) {
        let named = |it: &(&'static str, &'static str)| Named {
            id: it.0,
            name: it.1,
        };
        let remembered: Vec<_> = remembered.iter().map(|it| Some(named(it))).collect();
        let listed: Vec<_> = listed.iter().map(named).collect();
        assert_eq!(locate(&remembered, &listed, renames), expect);
    }

    const CHAIN: [(u32, &str); 2] = [(1, "carl"), (0, "ben")];
    const BEFORE: &Pairs = &[("anna", "anna"), ("ben", "ben")];

    #[test]
    fn an_id_of_its_own_is_followed_whatever_the_name() {
        let before = &[("1", "anna"), ("2", "ben")];
        check(
            before,
            &[("2", "carl"), ("1", "ben")],
            &CHAIN,
            &[Some(1), Some(0)],
        );
    }

    #[test]
    fn a_chain_of_renames_may_be_cut_anywhere() {
        let none = &[("anna", "anna"), ("ben", "ben")];
        check(BEFORE, none, &CHAIN, &[Some(0), Some(1)]);
        let one = &[("anna", "anna"), ("carl", "carl")];
        check(BEFORE, one, &CHAIN, &[Some(0), Some(1)]);
        let both = &[("ben", "ben"), ("carl", "carl")];
        check(BEFORE, both, &CHAIN, &[Some(0), Some(1)]);
    }

    #[test]
    fn an_id_that_looks_like_the_new_name_of_another_is_not_taken() {
        let before = &[("anna", "anna")];
        check(
            before,
            &[("ben", "zoe"), ("anna", "anna")],
            &[(0, "ben")],
            &[Some(1)],
        );
    }

    #[test]
    fn what_is_listed_no_longer_is_not_found() {
        check(BEFORE, &[("ben", "ben")], &[], &[None, Some(0)]);
    }
}
