//! Memberships on their way from directories to the roster: who gives them, and through which groups they go.

use std::collections::{BTreeMap, VecDeque};

use crate::model::{Csr, NONE, RecordRef};
use crate::reconcile::nest;
use crate::reconcile::resolve::{Choice, Resolution};
use crate::reconcile::rules::Memberships;
use crate::reconcile::snapshot::{Snapshot, Standing};
use crate::reconcile::world::World;

/// Where effective memberships go: for each record, the candidate it belongs to; for each group name, what is above it.
pub(crate) struct Flow<'s, 'a> {
    snapshots: &'s [Option<Snapshot<'a>>],
    candidate: Vec<Vec<u32>>,
    aggregate: bool,
    /// The closure over the merged graph, by group name; `None` inside each directory.
    merged: Option<Csr>,
}

impl<'s, 'a> Flow<'s, 'a> {
    pub(crate) fn of(
        world: &World<'_>,
        snapshots: &'s [Option<Snapshot<'a>>],
        resolution: &Resolution,
        winners: &[(u32, RecordRef)],
        groups: usize,
    ) -> Self {
        let aggregate = world.rules.memberships == Memberships::Aggregate;
        let mut of_person = vec![NONE; resolution.choice.len()];
        for (candidate, &(person, _)) in winners.iter().enumerate() {
            of_person[person as usize] = candidate as u32;
        }
        let mut candidate = Vec::with_capacity(snapshots.len());
        for (place, snapshot) in snapshots.iter().enumerate() {
            let Some(snapshot) = snapshot else {
                candidate.push(Vec::new());
                continue;
            };
            let belongs = |record: usize| {
                let at = RecordRef {
                    directory: place as u16,
                    record: record as u32,
                };
                let person = resolution.person(snapshot, at) as usize;
                let counts = if aggregate {
                    snapshot.standing[record] == Standing::Valid
                } else {
                    resolution.choice[person] == Choice::Won(at)
                };
                if counts { of_person[person] } else { NONE }
            };
            candidate.push((0..snapshot.user_key.len()).map(belongs).collect());
        }
        let merged = if aggregate {
            merged_parents(snapshots, groups)
        } else {
            None
        };
        let merged = merged.map(|parents| nest::closure(&parents, |_| true));
        Flow {
            snapshots,
            candidate,
            aggregate,
            merged,
        }
    }

    /// For each candidate, the names of the groups it is in, directly or through groups.
    pub(crate) fn memberships(&self, candidates: usize) -> Csr {
        Csr::collect(candidates, |emit| {
            self.each_direct(&mut |candidate, place, record, key| match &self.merged {
                Some(above) => above
                    .row(key as usize)
                    .iter()
                    .for_each(|&it| emit(candidate, it)),
                None => {
                    let Some(snapshot) = &self.snapshots[place] else {
                        return;
                    };
                    for &above in snapshot.above(&record) {
                        let key = snapshot.group_key[above as usize];
                        if key != NONE {
                            emit(candidate, key);
                        }
                    }
                }
            });
        })
    }

    /// For the only candidate, each group name that it reaches with a shortest path to it: group names, each with the place of
    /// the directory that says so.
    pub(crate) fn paths(&self) -> BTreeMap<u32, Vec<(u32, usize)>> {
        let mut paths: BTreeMap<u32, Vec<(u32, usize)>> = BTreeMap::new();
        let mut open: VecDeque<Vec<(u32, usize)>> = VecDeque::new();
        self.each_direct(&mut |_, place, _, key| open.push_back(vec![(key, place)]));
        while let Some(path) = open.pop_front() {
            let (below, from) = path[path.len() - 1];
            if paths.contains_key(&below) {
                continue;
            }
            for (place, snapshot) in self.snapshots.iter().enumerate() {
                let Some(snapshot) = snapshot else { continue };
                let above = snapshot.edges().filter(|it| it.0 == below);
                for (_, above) in above.filter(|_| self.aggregate || place == from) {
                    let mut longer = path.clone();
                    longer.push((above, place));
                    open.push_back(longer);
                }
            }
            paths.insert(below, path);
        }
        paths
    }

    /// For each candidate, the nearest chosen groups of its direct memberships.
    pub(crate) fn direct(&self, targets: &Csr, candidates: usize) -> Csr {
        Csr::collect(candidates, |emit| {
            self.each_direct(&mut |candidate, _, _, key| {
                targets
                    .row(key as usize)
                    .iter()
                    .for_each(|&it| emit(candidate, it));
            });
        })
    }

    fn each_direct(&self, take: &mut dyn FnMut(u32, usize, u32, u32)) {
        for (place, snapshot) in self.snapshots.iter().enumerate() {
            let Some(snapshot) = snapshot else { continue };
            for (record, &key) in snapshot.group_key.iter().enumerate() {
                if key == NONE || !snapshot.fills[record] {
                    continue;
                }
                for &user in snapshot.records.members.row(record) {
                    let candidate = self.candidate[place][user as usize];
                    if candidate != NONE {
                        take(candidate, place, record as u32, key);
                    }
                }
            }
        }
    }

    /// For each group name, the nearest chosen groups at or above it; and the edges between chosen groups, parent first,
    /// with edges through groups out of scope drawn through to the nearest chosen parent.
    pub(crate) fn kept_nesting(&self, group_of: &[u32]) -> (Csr, Vec<(u32, u32)>) {
        let groups = group_of.len();
        let chosen = |group: u32| group_of[group as usize] != NONE;
        let parents = merged_parents(self.snapshots, groups).unwrap_or_else(|| Csr::empty(groups));
        let mut targets = Vec::new();
        let mut edges = Vec::new();
        let reach = nest::closure(&parents, |group| !chosen(group));
        for group in 0..groups as u32 {
            for &at in reach.row(group as usize) {
                if !chosen(at) {
                    continue;
                }
                if chosen(group) && at != group {
                    edges.push((at, group));
                }
                if !chosen(group) || at == group {
                    targets.push((group, at));
                }
            }
        }
        (Csr::from_pairs(groups, &targets), edges)
    }
}

/// For each group name, the names of the groups it is in, over all directories; `None` when no group is in a group.
pub(crate) fn merged_parents(snapshots: &[Option<Snapshot<'_>>], groups: usize) -> Option<Csr> {
    let mut pairs = Vec::new();
    for snapshot in snapshots.iter().flatten() {
        pairs.extend(snapshot.edges());
    }
    (!pairs.is_empty()).then(|| Csr::from_pairs(groups, &pairs))
}
