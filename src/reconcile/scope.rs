//! The roster: which winners and which groups an application should hold, with effective memberships.
//!
//! In this order: kinds, `users.include/exclude`, `users.members_of` choose the users; `groups.include/exclude` choose the
//! groups; `groups.rename` renames them, and groups renamed to one key become one. Every chosen group exists, empty ones too.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    Csr, NONE, NameRules, RecordRef, Roster, RosterGroup, RosterUser, Source, StrId,
};
use crate::reconcile::flow::{Flow, merged_parents};
use crate::reconcile::nest;
use crate::reconcile::resolve::{Choice, Resolution};
use crate::reconcile::rules::{Memberships, chosen};
use crate::reconcile::snapshot::{Names, Snapshot};
use crate::reconcile::world::World;
use crate::text;

/// Where a person stands for one application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Position {
    /// No listed directory has the username.
    Nobody,
    /// The record that would win is unknown.
    Frozen,
    /// In the roster, at this index.
    In(u32),
    /// Of a kind that the application does not take.
    Kind,
    /// `users.include` does not name it.
    NotIncluded,
    /// `users.exclude` names it.
    Excluded,
    /// It is in none of `users.members_of`.
    NotMember,
    /// It is in none of `users.members_of`, but one of those could not be read.
    Unsure,
}

impl Position {
    /// The same in words.
    pub fn words(self) -> &'static str {
        match self {
            Position::Nobody => "not in the roster",
            Position::Frozen => "frozen: the record that would win is unknown",
            Position::In(_) => "in the roster",
            Position::Kind => "out of scope: its kind is not among `kinds`",
            Position::NotIncluded => "out of scope: `users.include` does not name it",
            Position::Excluded => "out of scope: `users.exclude` names it",
            Position::NotMember => "out of scope: it is in none of `users.members_of`",
            Position::Unsure => {
                "out of scope: it is in none of `users.members_of`, one of which could not be read"
            }
        }
    }
}

/// The roster with what it was derived from.
#[derive(Debug)]
pub struct Scope<'a> {
    /// What the application should hold.
    pub roster: Roster<'a>,
    /// By person, which is the number of a username.
    pub position: Vec<Position>,
    /// By roster user, the person.
    pub persons: Vec<u32>,
    /// For each group name (by number), the roster group it became; [`NONE`] when it is not chosen.
    pub group_of: Vec<u32>,
    /// By group name: something of the group could not be read.
    pub uncertain: Vec<bool>,
    /// By group name: a listed directory has it.
    pub known: Vec<bool>,
    /// Folded names as pushed of groups of which something could not be read, whether or not the roster has them.
    unsure: BTreeSet<String>,
}

impl<'a> Scope<'a> {
    /// Chooses from the resolved winners. `linked_name` finds for a tied person the record whose name its account bears.
    pub(crate) fn of(
        world: &World<'a>,
        snapshots: &[Option<Snapshot<'a>>],
        resolution: &Resolution,
        names: &mut Names,
        linked_name: &dyn Fn(u32) -> Option<RecordRef>,
    ) -> Self {
        let defaults: Vec<u32> = world
            .rules
            .default_groups
            .iter()
            .map(|it| names.groups.intern(&text::fold(it)).0)
            .collect();
        let groups = names.groups.len();
        let uncertain = uncertain(snapshots, groups, world);
        let known = known_groups(snapshots, groups);

        let winners: Vec<(u32, RecordRef)> = (0u32..)
            .zip(&resolution.choice)
            .filter_map(|(person, choice)| match choice {
                Choice::Won(at) => Some((person, *at)),
                Choice::Nobody | Choice::Frozen(_) => None,
            })
            .collect();
        let flow = Flow::of(world, snapshots, resolution, &winners, groups);
        let effective = flow.memberships(winners.len());

        let mut scope = Scope {
            roster: Roster::default(),
            position: vec![Position::Nobody; resolution.choice.len()],
            persons: Vec::new(),
            group_of: Vec::new(),
            uncertain,
            known,
            unsure: BTreeSet::new(),
        };
        for (person, choice) in resolution.choice.iter().enumerate() {
            if matches!(choice, Choice::Frozen(_)) {
                scope.position[person] = Position::Frozen;
            }
        }
        let mut inside = scope.choose_users(world, snapshots, names, &winners, &effective);
        scope.roster.sources = sources(world, snapshots);
        scope.roster.lower_cased = world.abilities.names == NameRules::LowerCased;
        scope.choose_groups(world, snapshots, names, &defaults);
        scope.fill_users(
            snapshots,
            resolution,
            names,
            &winners,
            &mut inside,
            linked_name,
        );
        scope.fill_memberships(world, &flow, &effective, &inside, &defaults);
        scope
    }

    /// Whether something could not be read of a group that is, or would be, pushed under a folded name.
    pub fn group_is_unsure(&self, pushed: &str) -> bool {
        self.unsure.contains(pushed)
    }

    /// Decides for each winner; returns the candidates that are in.
    fn choose_users(
        &mut self,
        world: &World<'_>,
        snapshots: &[Option<Snapshot<'_>>],
        names: &Names,
        winners: &[(u32, RecordRef)],
        effective: &Csr,
    ) -> Vec<u32> {
        let rules = world.rules;
        let opens: Vec<bool> = (0..self.known.len())
            .map(|group| {
                rules
                    .members_of
                    .is_match(names.groups.get(StrId(group as u32)))
            })
            .collect();
        let nameless = snapshots.iter().flatten().any(|it| it.nameless_group);
        let unsure =
            nameless || (0..opens.len()).any(|group| opens[group] && self.uncertain[group]);
        let everybody = rules.include_users.is_empty() && rules.exclude_users.is_empty();
        let mut inside = Vec::with_capacity(winners.len());
        for (candidate, &(person, at)) in winners.iter().enumerate() {
            let key = names.users.get(StrId(person));
            let kind = snapshots[at.directory as usize]
                .as_ref()
                .map(|it| it.kind[at.record as usize]);
            let position = if !kind.is_some_and(|it| rules.kinds.contains(&it)) {
                Position::Kind
            } else if !everybody && rules.exclude_users.is_match(key) {
                Position::Excluded
            } else if !everybody && !chosen(&rules.include_users, &rules.exclude_users, key) {
                Position::NotIncluded
            } else if rules.members_of.is_empty()
                || effective
                    .row(candidate)
                    .iter()
                    .any(|&it| opens[it as usize])
            {
                inside.push(candidate as u32);
                continue;
            } else if unsure {
                Position::Unsure
            } else {
                Position::NotMember
            };
            self.position[person as usize] = position;
        }
        inside
    }

    /// Chooses and renames the groups; the highest directory gives name and description.
    fn choose_groups(
        &mut self,
        world: &World<'_>,
        snapshots: &[Option<Snapshot<'_>>],
        names: &Names,
        defaults: &[u32],
    ) {
        let rules = world.rules;
        let renames: BTreeMap<&str, &str> = rules
            .rename_groups
            .iter()
            .map(|it| (it.0.as_str(), it.1.as_str()))
            .collect();
        let mut first: Vec<Option<RecordRef>> = vec![None; self.known.len()];
        for (place, snapshot) in snapshots.iter().enumerate() {
            let Some(snapshot) = snapshot else { continue };
            for (record, &key) in snapshot.group_key.iter().enumerate() {
                if key == NONE {
                    continue;
                }
                let at = RecordRef {
                    directory: place as u16,
                    record: record as u32,
                };
                let text = |it: RecordRef| {
                    let group = &snapshot.records.groups[it.record as usize];
                    (
                        snapshot.records.text(group.name),
                        snapshot.records.text(group.id),
                    )
                };
                let slot = &mut first[key as usize];
                match slot {
                    None => *slot = Some(at),
                    // Two groups of one name in one directory: the same one every time.
                    Some(other) if other.directory == at.directory && text(at) < text(*other) => {
                        *slot = Some(at);
                    }
                    Some(_) => {}
                }
            }
        }
        let mut pushed: BTreeMap<String, RosterGroup> = BTreeMap::new();
        let mut pushed_key: Vec<Option<String>> = vec![None; self.known.len()];
        let mut by_priority: Vec<(Option<RecordRef>, u32)> =
            (0u32..).zip(&first).map(|it| (*it.1, it.0)).collect();
        by_priority.sort_by_key(|it| {
            (
                it.0.is_none(),
                it.0.map(|at| at.directory),
                names.groups.get(StrId(it.1)),
            )
        });
        for (at, key) in by_priority {
            let folded = names.groups.get(StrId(key));
            let by_default = defaults.contains(&key);
            let taken =
                at.is_some() && chosen(&rules.include_groups, &rules.exclude_groups, folded);
            if folded.is_empty() || !(taken || by_default) {
                continue;
            }
            let own_name = match at {
                Some(at) => {
                    let records = snapshots[at.directory as usize]
                        .as_ref()
                        .map(|it| it.records);
                    records.map_or("", |it| it.text(it.groups[at.record as usize].name))
                }
                None => rules
                    .default_groups
                    .iter()
                    .find(|it| text::fold(it) == folded)
                    .map_or(folded, String::as_str),
            };
            let name = renames.get(folded).copied().unwrap_or(own_name);
            let name = if self.roster.lower_cased {
                text::fold(name)
            } else {
                name.to_owned()
            };
            let pushed_as = text::fold(&name);
            pushed_key[key as usize] = Some(pushed_as.clone());
            pushed.entry(pushed_as.clone()).or_insert(RosterGroup {
                record: at,
                name,
                key: pushed_as,
                uncertain: false,
            });
        }
        let folded = |key: usize| names.groups.get(StrId(key as u32));
        let unsure = (0..self.uncertain.len()).filter(|it| self.uncertain[*it]);
        self.unsure = unsure
            .map(|it| text::fold(renames.get(folded(it)).copied().unwrap_or(folded(it))))
            .collect();
        for key in &self.unsure {
            if let Some(group) = pushed.get_mut(key) {
                group.uncertain = true;
            }
        }
        let index: BTreeMap<&str, u32> = pushed.keys().map(String::as_str).zip(0..).collect();
        self.group_of = pushed_key
            .iter()
            .map(|key| key.as_ref().map_or(NONE, |key| index[key.as_str()]))
            .collect();
        self.roster.groups = pushed.into_values().collect();
    }

    /// Puts the chosen users in, sorted by folded pushed name. `inside` is brought into the same order.
    fn fill_users(
        &mut self,
        snapshots: &[Option<Snapshot<'_>>],
        resolution: &Resolution,
        names: &Names,
        winners: &[(u32, RecordRef)],
        inside: &mut Vec<u32>,
        linked_name: &dyn Fn(u32) -> Option<RecordRef>,
    ) {
        let mut rows: Vec<(u32, u32, RecordRef)> = inside
            .iter()
            .map(|&candidate| {
                let (person, at) = winners[candidate as usize];
                let tied = resolution.tied.get(person as usize) == Some(&true);
                let key_of = |it: RecordRef| {
                    let snapshot = snapshots[it.directory as usize].as_ref();
                    snapshot.map_or(0, |snapshot| snapshot.user_key[it.record as usize])
                };
                // The winner says how its own username is spelled.
                let other = linked_name(person).filter(|&it| tied && key_of(it) != key_of(at));
                let named = other.unwrap_or(at);
                let key = key_of(named);
                (key, candidate, named)
            })
            .collect();
        // Tied usernames may meet others under one name: then by the person's.
        let person = |it: &(u32, u32, RecordRef)| winners[it.1 as usize].0;
        sort_by_text(
            &mut rows,
            |it| names.users.get(StrId(it.0)),
            |it| names.users.get(StrId(person(it))),
        );
        inside.clear();
        for (index, &(_, candidate, named)) in rows.iter().enumerate() {
            let (person, at) = winners[candidate as usize];
            let Some(snapshot) = &snapshots[at.directory as usize] else {
                continue;
            };
            inside.push(candidate);
            self.position[person as usize] = Position::In(index as u32);
            self.persons.push(person);
            self.roster.users.push(RosterUser {
                record: at,
                named,
                active: Roster::is_active(&snapshot.records.users[at.record as usize]),
                kind: snapshot.kind[at.record as usize],
                tied: resolution.tied.get(person as usize) == Some(&true),
                keeps_memberships: resolution.keeps_memberships[person as usize],
            });
        }
    }

    fn fill_memberships(
        &mut self,
        world: &World<'_>,
        flow: &Flow<'_, '_>,
        effective: &Csr,
        inside: &[u32],
        defaults: &[u32],
    ) {
        let group_of = &self.group_of;
        let keep = world.rules.keep_nesting && world.abilities.nest;
        let nesting = keep.then(|| flow.kept_nesting(group_of));
        let direct = nesting
            .as_ref()
            .map(|(targets, _)| flow.direct(targets, effective.len()));
        let source = direct.as_ref().unwrap_or(effective);
        self.roster.member_of = Csr::collect(inside.len(), |emit| {
            for (user, &candidate) in inside.iter().enumerate() {
                for &group in source.row(candidate as usize).iter().chain(defaults) {
                    let group = group_of[group as usize];
                    if group != NONE {
                        emit(user as u32, group);
                    }
                }
            }
        });
        if let Some((_, children)) = nesting {
            let pairs: Vec<(u32, u32)> = children
                .iter()
                .map(|it| (group_of[it.0 as usize], group_of[it.1 as usize]))
                .filter(|it| it.0 != NONE && it.1 != NONE && it.0 != it.1)
                .collect();
            self.roster.children = Csr::from_pairs(self.roster.groups.len(), &pairs);
        }
    }
}

/// By group name, whether something of it or of a group below it could not be read.
fn uncertain(snapshots: &[Option<Snapshot<'_>>], groups: usize, world: &World<'_>) -> Vec<bool> {
    let mut unsure = vec![false; groups];
    for snapshot in snapshots.iter().flatten() {
        for &key in &snapshot.uncertain {
            unsure[key as usize] = true;
        }
    }
    if world.rules.memberships == Memberships::Aggregate
        && unsure.iter().any(|it| *it)
        && let Some(parents) = merged_parents(snapshots, groups)
    {
        let above = nest::closure(&parents, |_| true);
        for group in 0..groups {
            if unsure[group] {
                above
                    .row(group)
                    .iter()
                    .for_each(|&it| unsure[it as usize] = true);
            }
        }
    }
    unsure
}

fn known_groups(snapshots: &[Option<Snapshot<'_>>], groups: usize) -> Vec<bool> {
    let mut known = vec![false; groups];
    for snapshot in snapshots.iter().flatten() {
        let unknown = snapshot.uncertain.iter();
        let keys = snapshot.group_key.iter().filter(|it| **it != NONE);
        keys.chain(unknown)
            .for_each(|&it| known[it as usize] = true);
    }
    known
}

fn sources<'a>(world: &World<'a>, snapshots: &[Option<Snapshot<'a>>]) -> Vec<Source<'a>> {
    static EMPTY: std::sync::LazyLock<crate::model::Records> =
        std::sync::LazyLock::new(Default::default);
    let records = snapshots
        .iter()
        .map(|it| it.as_ref().map_or(&*EMPTY, |it| it.records));
    let of = |(it, records): (&crate::reconcile::world::DirectoryInput<'a>, _)| Source {
        id: it.id,
        name: it.name,
        records,
    };
    world.directories.iter().zip(records).map(of).collect()
}

/// Sorts by text, then by another, with the first sixteen bytes at hand, which spares most of the look-ups.
fn sort_by_text<'t, T: Copy>(
    rows: &mut Vec<T>,
    text: impl Fn(&T) -> &'t str,
    other: impl Fn(&T) -> &'t str,
) {
    let head = |it: &str| {
        let mut bytes = [0u8; 16];
        let n = it.len().min(16);
        bytes[..n].copy_from_slice(&it.as_bytes()[..n]);
        u128::from_be_bytes(bytes)
    };
    let mut keyed: Vec<(u128, T)> = rows.iter().map(|it| (head(text(it)), *it)).collect();
    let by_text = |a: &T, b: &T| text(a).cmp(text(b)).then_with(|| other(a).cmp(other(b)));
    keyed.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| by_text(&a.1, &b.1)));
    rows.clear();
    rows.extend(keyed.into_iter().map(|it| it.1));
}
