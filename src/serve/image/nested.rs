//! What is nested, worked out on demand. Cycles are legal and end: each group is gone through once.

use super::Image;
use crate::model::Csr;

impl Image {
    /// Everybody in a group or in a group below it, sorted.
    pub fn nested_members(&self, group: u32) -> Vec<u32> {
        let mut groups = reachable(&self.children, &[group]);
        groups.push(group);
        let mut users: Vec<u32> = groups
            .iter()
            .flat_map(|&it| self.members(it))
            .copied()
            .collect();
        users.sort_unstable();
        users.dedup();
        users
    }

    /// The groups that a user is in, and those above them, sorted.
    pub fn nested_groups_of(&self, user: u32) -> Vec<u32> {
        let direct = self.groups_of(user);
        let mut groups = reachable(&self.parents, direct);
        groups.extend(direct);
        groups.sort_unstable();
        groups.dedup();
        groups
    }

    /// The groups below a group at any depth, sorted; itself only if it is below itself.
    pub fn nested_children(&self, group: u32) -> Vec<u32> {
        reachable(&self.children, &[group])
    }

    /// The groups above a group at any depth, sorted; itself only if it is above itself.
    pub fn nested_parents(&self, group: u32) -> Vec<u32> {
        reachable(&self.parents, &[group])
    }
}

/// Everything that one or more steps lead to, sorted.
fn reachable(steps: &Csr, from: &[u32]) -> Vec<u32> {
    let mut seen = vec![false; steps.len()];
    let mut found = Vec::new();
    let mut open = from.to_vec();
    while let Some(at) = open.pop() {
        for &next in steps.row(at as usize) {
            if !seen[next as usize] {
                seen[next as usize] = true;
                found.push(next);
                open.push(next);
            }
        }
    }
    found.sort_unstable();
    found
}
