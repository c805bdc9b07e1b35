//! Which of the new records is which of the old ones.

use crate::model::{Interner, NONE};

/// New and old records, paired by what names them. Of several with one name the first is the first.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pairing {
    /// For each new record, the old one of the same name, or [`NONE`].
    pub(super) old_of: Vec<u32>,
    /// The old records that no new one is paired with.
    pub(super) gone: Vec<u32>,
}

/// Pairs the records by name. Neither side need be sorted.
pub(super) fn pair<'a>(
    old: impl DoubleEndedIterator<Item = &'a str> + ExactSizeIterator,
    new: impl Iterator<Item = &'a str>,
) -> Pairing {
    let mut names = Interner::default();
    // For each name the first old record that is not paired yet, and for each old record the next one of its name.
    let mut first: Vec<u32> = vec![NONE];
    let mut next = vec![NONE; old.len()];
    for (index, name) in old.enumerate().rev() {
        let name = names.intern(name).0 as usize;
        if name == first.len() {
            first.push(NONE);
        }
        next[index] = first[name];
        first[name] = index as u32;
    }
    let mut paired = vec![false; next.len()];
    let old_of = new.map(|name| {
        let Some(name) = names.find(name) else {
            return NONE;
        };
        let old = first[name.0 as usize];
        if old != NONE {
            first[name.0 as usize] = next[old as usize];
            paired[old as usize] = true;
        }
        old
    });
    let old_of = old_of.collect();
    let gone = (0..paired.len() as u32).filter(|&old| !paired[old as usize]);
    let gone = gone.collect();
    Pairing { old_of, gone }
}

/// What two sorted lists without repetitions do not have in common: `(only in old, only in new)`.
pub(super) fn differences(old: &[i64], new: &[i64]) -> (Vec<i64>, Vec<i64>) {
    let (mut gone, mut come) = (Vec::new(), Vec::new());
    let (mut old, mut new) = (old.iter().peekable(), new.iter().peekable());
    loop {
        match (old.peek(), new.peek()) {
            (None, None) => return (gone, come),
            (Some(a), Some(b)) if a == b => {
                old.next();
                new.next();
            }
            (Some(a), Some(b)) if a > b => come.extend(new.next()),
            (None, Some(_)) => come.extend(new.next()),
            (Some(_), _) => gone.extend(old.next()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_paired_by_name_and_repeated_names_in_order() {
        fn check(old: &[&str], new: &[&str], old_of: &[u32], gone: &[u32]) {
            let pairing = pair(old.iter().copied(), new.iter().copied());
            assert_eq!(pairing.old_of, old_of, "{old:?} {new:?}");
            assert_eq!(pairing.gone, gone, "{old:?} {new:?}");
        }
        check(&[], &[], &[], &[]);
        check(&[], &["a"], &[NONE], &[]);
        check(&["a", "b"], &[], &[], &[0, 1]);
        check(&["a", "b"], &["b", "a"], &[1, 0], &[]);
        check(&["a", "b"], &["c", "b"], &[NONE, 1], &[0]);
        check(&["a", "b", "a"], &["a", "a", "a"], &[0, 2, NONE], &[1]);
        check(&["", "a", ""], &["", "x", ""], &[0, NONE, 2], &[1]);
    }

    #[test]
    fn sorted_lists_differ_in_what_only_one_has() {
        fn check(old: &[i64], new: &[i64], gone: &[i64], come: &[i64]) {
            let expect = (gone.to_vec(), come.to_vec());
            assert_eq!(differences(old, new), expect, "{old:?} {new:?}");
        }
        check(&[], &[], &[], &[]);
        check(&[1, 2, 3], &[1, 2, 3], &[], &[]);
        check(&[1, 2], &[2, 3, 4], &[1], &[3, 4]);
        check(&[5, 6], &[1], &[5, 6], &[1]);
        check(&[1], &[5, 6], &[1], &[5, 6]);
    }
}
