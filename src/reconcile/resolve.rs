//! For each person, the directory that wins: the first listed one that has the username.

use crate::model::{RecordRef, Roster, StrId};
use crate::reconcile::rules::Memberships;
use crate::reconcile::snapshot::{Names, Snapshot, Standing};
use crate::reconcile::ties::Ties;
use crate::reconcile::world::World;

/// Who wins a username.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// No listed directory has it.
    Nobody,
    /// This record.
    Won(RecordRef),
    /// The directory at this place may have it, but its record is unknown: nothing changes and nobody else surfaces.
    Frozen(u16),
}

/// Who wins each username.
#[derive(Debug, Default)]
pub struct Resolution {
    /// By person, which is the number of a username.
    pub choice: Vec<Choice>,
    /// Which usernames belong to another's person.
    pub ties: Ties,
    /// By person: a record that would give memberships is unknown, so none is taken.
    pub keeps_memberships: Vec<bool>,
    /// By person: more than one username. Empty when nobody is tied.
    pub tied: Vec<bool>,
    /// By person: the place of the authoritative directory that once won the username, below which nobody may. Empty when
    /// no directory is authoritative.
    floor: Vec<u16>,
}

impl Resolution {
    /// Resolves every username over the snapshots, highest directory first. `barred` names for a username the authoritative
    /// directory that once won it: no lower one may.
    pub(crate) fn of(
        world: &World<'_>,
        snapshots: &[Option<Snapshot<'_>>],
        names: &mut Names,
        barred: &[(u32, u16)],
    ) -> Self {
        let ties = Ties::of(world, snapshots, names);
        let persons = names.users.len();
        let mut resolution = Resolution {
            choice: vec![Choice::Nobody; persons],
            keeps_memberships: vec![false; persons],
            tied: Vec::new(),
            floor: vec![u16::MAX; if barred.is_empty() { 0 } else { persons }],
            ties,
        };
        if !resolution.ties.is_empty() {
            resolution.tied = vec![false; persons];
            for person in resolution.ties.tied() {
                resolution.tied[person as usize] = true;
            }
        }
        for &(person, place) in barred {
            let floor = &mut resolution.floor[person as usize];
            *floor = place.min(*floor);
        }
        for (place, snapshot) in snapshots.iter().enumerate() {
            if let Some(snapshot) = snapshot {
                resolution.take_directory(world, place as u16, snapshot, names);
            }
        }
        resolution
    }

    /// The person behind a user record.
    pub fn person(&self, snapshot: &Snapshot<'_>, at: RecordRef) -> u32 {
        self.ties
            .person(at.directory, snapshot.user_key[at.record as usize])
    }

    /// The place of the authoritative directory that once won a person's username, if one did: no lower one may.
    pub fn barred_by(&self, person: u32) -> Option<u16> {
        let floor = self.floor.get(person as usize).copied();
        floor.filter(|it| *it != u16::MAX)
    }

    fn take_directory(
        &mut self,
        world: &World<'_>,
        place: u16,
        snapshot: &Snapshot<'_>,
        names: &Names,
    ) {
        let falls = world.rules.inactive_falls_through;
        let barred = |resolution: &Resolution, person: u32| {
            resolution.barred_by(person).is_some_and(|it| it < place)
        };
        let is_active = |at: RecordRef| {
            let records = world.directories[at.directory as usize].records;
            records.is_some_and(|it| Roster::is_active(&it.users[at.record as usize]))
        };
        let authoritative =
            |at: RecordRef| world.directories[at.directory as usize].rules.authoritative;
        let gives_way = |at: RecordRef| falls && !is_active(at) && !authoritative(at);
        // What is unknown comes first: of several usernames of one person, which one wins must not depend on their order.
        let unknown =
            |it: &(&u32, &Standing)| matches!(it.1, Standing::Unknown | Standing::Duplicate);
        let keys = snapshot.user_key.iter().zip(&snapshot.standing);
        let unknown = keys.filter(unknown).map(|it| it.0);
        for &key in unknown.chain(&snapshot.rejected_keys) {
            let person = self.ties.person(place, key);
            let open = match self.choice[person as usize] {
                Choice::Nobody => true,
                Choice::Frozen(_) => false,
                Choice::Won(at) => gives_way(at),
            };
            self.freeze(world, person, place, open && !barred(self, person));
        }
        // Tied usernames of one directory: the person's own name first, then by name.
        let rank = |it: RecordRef, person: u32| {
            let key = snapshot.user_key[it.record as usize];
            let inactive = falls && !is_active(it);
            (inactive, key != person, names.users.get(StrId(key)))
        };
        for (record, &key) in (0u32..).zip(&snapshot.user_key) {
            let person = self.ties.person(place, key);
            if snapshot.standing[record as usize] != Standing::Valid || barred(self, person) {
                continue;
            }
            let at = RecordRef {
                directory: place,
                record,
            };
            let wins = match self.choice[person as usize] {
                Choice::Nobody => true,
                Choice::Frozen(_) => false,
                Choice::Won(other) if other.directory == place => {
                    rank(at, person) < rank(other, person)
                }
                Choice::Won(other) => gives_way(other) && is_active(at),
            };
            if wins {
                self.choice[person as usize] = Choice::Won(at);
            }
        }
    }

    /// The place of the directory whose unknown record would win a username, if that is why nobody knows who wins it.
    pub(crate) fn frozen_by(&self, key: u32) -> Option<u16> {
        match self.choice.get(key as usize) {
            Some(&Choice::Frozen(place)) => Some(place),
            _ => None,
        }
    }

    /// The same for a name as accounts bear it, which by a tie may stand for another username of the person.
    pub(crate) fn name_frozen_by(&self, key: u32) -> Option<u16> {
        let mut tied = self.ties.persons_of(key);
        self.frozen_by(key)
            .or_else(|| tied.find_map(|it| self.frozen_by(it)))
    }

    /// An unknown record freezes a username that it would win, or that would fall through to it; below the winner it only
    /// keeps the memberships that it may have given.
    fn freeze(&mut self, world: &World<'_>, person: u32, place: u16, would_win: bool) {
        self.keeps_memberships[person as usize] |=
            world.rules.memberships == Memberships::Aggregate;
        if would_win {
            self.choice[person as usize] = Choice::Frozen(place);
        }
    }
}
