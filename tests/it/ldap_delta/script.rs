//! What happens to a server, as numbers: the same seed is the same script, whatever the server.

use std::fmt;

/// One thing that happens. What its numbers pick depends on what is there at that moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    AddPerson,
    DeletePerson,
    /// Deleted and made again under the same name: another person.
    RecreatePerson,
    RenamePerson,
    /// To another unit, out of the base, or back into it.
    MovePerson,
    Username,
    /// No username, or two.
    Usernames,
    Mail,
    Names,
    /// A further attribute that the configuration names.
    Number,
    Status,
    /// Out of the filter, or back into it.
    Filter,
    RenameUnit,
    /// Another primary group, where there are such.
    Primary,
    AddTeam,
    DeleteTeam,
    RecreateTeam,
    RenameTeam,
    MoveTeam,
    Describe,
    Empty,
    AddMembers,
    RemoveMembers,
    /// Two groups that are members of one another.
    Ring,
    Restart,
    Nothing,
}

/// How often what happens.
const WEIGHTS: [(Kind, u32); 26] = [
    (Kind::AddPerson, 6),
    (Kind::DeletePerson, 6),
    (Kind::RecreatePerson, 3),
    (Kind::RenamePerson, 7),
    (Kind::MovePerson, 7),
    (Kind::Username, 6),
    (Kind::Usernames, 5),
    (Kind::Mail, 5),
    (Kind::Names, 6),
    (Kind::Number, 3),
    (Kind::Status, 5),
    (Kind::Filter, 6),
    (Kind::RenameUnit, 3),
    (Kind::Primary, 4),
    (Kind::AddTeam, 3),
    (Kind::DeleteTeam, 3),
    (Kind::RecreateTeam, 2),
    (Kind::RenameTeam, 5),
    (Kind::MoveTeam, 4),
    (Kind::Describe, 3),
    (Kind::Empty, 3),
    (Kind::AddMembers, 12),
    (Kind::RemoveMembers, 9),
    (Kind::Ring, 4),
    (Kind::Restart, 2),
    (Kind::Nothing, 3),
];

/// The most that happens between two reads.
const EDITS: u64 = 5;

/// One thing that happens, and numbers that pick to whom and what.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Edit {
    pub(crate) kind: Kind,
    pub(crate) a: usize,
    pub(crate) b: usize,
    pub(crate) c: usize,
}

/// What happens, round by round; after each the server is read.
pub(crate) struct Script {
    random: Random,
    left: usize,
}

impl Script {
    /// So many rounds from a seed.
    pub(crate) fn new(seed: u64, rounds: usize) -> Script {
        Script {
            random: Random(seed),
            left: rounds,
        }
    }
}

impl Iterator for Script {
    type Item = Vec<Edit>;

    fn next(&mut self) -> Option<Vec<Edit>> {
        self.left = self.left.checked_sub(1)?;
        let count = 1 + self.random.below(EDITS);
        Some((0..count).map(|_| self.random.edit()).collect())
    }
}

impl fmt::Debug for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Edit { kind, a, b, c } = self;
        write!(f, "{kind:?}({a},{b},{c})")
    }
}

/// A simple generator (`SplitMix64`).
struct Random(u64);

impl Random {
    fn edit(&mut self) -> Edit {
        let total: u32 = WEIGHTS.iter().map(|it| it.1).sum();
        let mut at = self.below(total.into()) as u32;
        let mut kind = Kind::Nothing;
        for (each, weight) in WEIGHTS {
            if at < weight {
                kind = each;
                break;
            }
            at -= weight;
        }
        let mut number = || self.below(256) as usize;
        Edit {
            kind,
            a: number(),
            b: number(),
            c: number(),
        }
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % end
    }
}
