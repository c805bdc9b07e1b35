//! Groups in groups: closures that end on cycles.

use crate::model::Csr;

/// For each group, the groups above it, itself included; `None` when no group is in a group. `carries` says whether
/// membership of a group reaches the groups above it through that parent.
pub(super) fn ancestors(children: &Csr, carries: impl Fn(u32) -> bool) -> Option<Csr> {
    if children.items() == 0 {
        return None;
    }
    let groups = children.len();
    let pairs: Vec<(u32, u32)> = children
        .pairs()
        .filter(|it| carries(it.0))
        .map(|it| (it.1, it.0))
        .collect();
    let parents = Csr::from_pairs(groups, &pairs);
    Some(closure(&parents, |_| true))
}

/// For each group, what is reached by going on through `parents`, itself included. The way ends at groups that `through`
/// refuses; they are reached, not passed.
pub(super) fn closure(parents: &Csr, through: impl Fn(u32) -> bool) -> Csr {
    let groups = parents.len();
    let mut seen = vec![u32::MAX; groups];
    let mut reached: Vec<(u32, u32)> = Vec::with_capacity(groups);
    let mut open = Vec::new();
    for group in 0..groups as u32 {
        open.push(group);
        seen[group as usize] = group;
        while let Some(at) = open.pop() {
            reached.push((group, at));
            if at != group && !through(at) {
                continue;
            }
            for &parent in parents.row(at as usize) {
                if seen[parent as usize] != group {
                    seen[parent as usize] = group;
                    open.push(parent);
                }
            }
        }
    }
    Csr::from_pairs(groups, &reached)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cycles_end() {
        let children = Csr::from_pairs(4, &[(0, 1), (1, 2), (2, 0), (3, 2)]);
        let above = ancestors(&children, |_| true).unwrap();
        assert_eq!(above.row(2), [0, 1, 2, 3]);
        assert_eq!(above.row(3), [3]);
    }

    #[test]
    fn a_group_that_may_not_be_filled_carries_nothing() {
        let children = Csr::from_pairs(3, &[(1, 0), (2, 1)]);
        let above = ancestors(&children, |group| group != 1).unwrap();
        assert_eq!(above.row(0), [0]);
        assert_eq!(above.row(1), [1, 2]);
    }
}
