//! Finding the record that a link names, and counting mails, without sorting a million strings.

use std::cell::OnceCell;
use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

use crate::model::{Holding, Records};
use crate::text;

/// User records by stable id.
#[derive(Debug, Default)]
pub(crate) struct ById {
    table: HashTable<u32>,
    hasher: RandomState,
}

impl ById {
    /// Indexes the users of a directory.
    pub(crate) fn users(records: &Records) -> Self {
        ById::of(records.users.len(), |index| {
            records.text(records.users[index as usize].id)
        })
    }

    /// The user with an id.
    pub(crate) fn user(&self, records: &Records, id: &str) -> Option<u32> {
        self.find(id, |index| records.text(records.users[index as usize].id))
    }

    fn of<'a>(count: usize, id: impl Fn(u32) -> &'a str) -> Self {
        let hasher = RandomState::new();
        let mut table = HashTable::with_capacity(count);
        for index in 0..count as u32 {
            let hash = hasher.hash_one(id(index));
            table.insert_unique(hash, index, |&other| hasher.hash_one(id(other)));
        }
        ById { table, hasher }
    }

    fn find<'a>(&self, wanted: &str, id: impl Fn(u32) -> &'a str) -> Option<u32> {
        self.table
            .find(self.hasher.hash_one(wanted), |&index| id(index) == wanted)
            .copied()
    }
}

/// How often each folded mail occurs among some records or accounts; made only when somebody asks.
#[derive(Debug, Default)]
pub(crate) struct Mails {
    hasher: RandomState,
    sorted: OnceCell<Vec<u64>>,
}

impl Mails {
    /// Whether a folded mail occurs exactly once. `all` yields every mail, folded or not.
    pub(crate) fn is_unique<'a, I>(&self, mail: &str, all: impl FnOnce() -> I) -> bool
    where
        I: Iterator<Item = &'a str>,
    {
        self.count(mail, all) == 1
    }

    /// How often a folded mail occurs.
    pub(crate) fn count<'a, I>(&self, mail: &str, all: impl FnOnce() -> I) -> usize
    where
        I: Iterator<Item = &'a str>,
    {
        let sorted = self.sorted.get_or_init(|| {
            let mails = all().filter(|it| !it.is_empty());
            let mut hashes: Vec<u64> = mails
                .map(|it| self.hasher.hash_one(text::fold(it)))
                .collect();
            hashes.sort_unstable();
            hashes
        });
        let hash = self.hasher.hash_one(mail.to_owned());
        sorted.partition_point(|it| *it <= hash) - sorted.partition_point(|it| *it < hash)
    }
}

/// The mails of all users of a directory.
pub(crate) fn user_mails(records: &Records) -> impl Iterator<Item = &str> {
    records.users.iter().map(|it| records.text(it.email))
}

/// The mails that links remember.
pub(crate) fn link_mails(holding: &Holding) -> impl Iterator<Item = &str> {
    let linked = holding
        .accounts
        .iter()
        .filter(|it| it.exists)
        .filter_map(|it| it.link.as_ref());
    linked.map(|it| holding.text(it.mail))
}
