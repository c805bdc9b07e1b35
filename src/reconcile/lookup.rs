//! Finding the record that a link names, and counting mails, without sorting a million strings.

use std::cell::OnceCell;
use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

use crate::model::{Records, StrId};
use crate::text;

/// The places of one sort of records by one of their texts. Of records with one text the first is found.
#[derive(Debug)]
pub(crate) struct Index<'a> {
    records: &'a Records,
    column: fn(&Records, u32) -> StrId,
    table: HashTable<u32>,
    hasher: RandomState,
}

impl<'a> Index<'a> {
    /// Users by stable id.
    pub(crate) fn user_ids(records: &'a Records) -> Self {
        let id = |records: &Records, it: u32| records.users[it as usize].id;
        Index::of(records, records.users.len(), id)
    }

    /// Users by folded username.
    pub(crate) fn user_keys(records: &'a Records) -> Self {
        let key = |records: &Records, it: u32| records.users[it as usize].key;
        Index::of(records, records.users.len(), key)
    }

    /// Groups by stable id.
    pub(crate) fn group_ids(records: &'a Records) -> Self {
        let id = |records: &Records, it: u32| records.groups[it as usize].id;
        Index::of(records, records.groups.len(), id)
    }

    /// Groups by folded name.
    pub(crate) fn group_keys(records: &'a Records) -> Self {
        let key = |records: &Records, it: u32| records.groups[it as usize].key;
        Index::of(records, records.groups.len(), key)
    }

    /// The place of the record with a text.
    pub(crate) fn find(&self, wanted: &str) -> Option<u32> {
        let hash = self.hasher.hash_one(wanted);
        let is_it = |&it: &u32| self.text(it) == wanted;
        self.table.find(hash, is_it).copied()
    }

    fn of(records: &'a Records, count: usize, column: fn(&Records, u32) -> StrId) -> Self {
        let hasher = RandomState::new();
        let mut table = HashTable::with_capacity(count);
        let text = |it: u32| records.text(column(records, it));
        for place in 0..count as u32 {
            let hash = hasher.hash_one(text(place));
            let same = |&other: &u32| text(other) == text(place);
            table
                .entry(hash, same, |&other| hasher.hash_one(text(other)))
                .or_insert(place);
        }
        Index {
            records,
            column,
            table,
            hasher,
        }
    }

    fn text(&self, place: u32) -> &'a str {
        self.records.text((self.column)(self.records, place))
    }
}

/// Which of some records or accounts bear a folded mail; made only when somebody asks.
#[derive(Debug, Default)]
pub(crate) struct Mails {
    hasher: RandomState,
    sorted: OnceCell<Vec<(u64, u32)>>,
}

impl Mails {
    /// Whether a folded mail occurs exactly once. `all` yields every mail, folded or not.
    pub(crate) fn is_unique<'a, I>(&self, mail: &str, all: impl FnOnce() -> I) -> bool
    where
        I: Iterator<Item = &'a str>,
    {
        self.bearers(mail, all).count() == 1
    }

    /// The places at which a folded mail occurs.
    pub(crate) fn bearers<'a, I>(
        &self,
        mail: &str,
        all: impl FnOnce() -> I,
    ) -> impl Iterator<Item = u32> + '_
    where
        I: Iterator<Item = &'a str>,
    {
        let sorted = self.sorted.get_or_init(|| {
            let mails = all().zip(0u32..).filter(|it| !it.0.is_empty());
            let mut hashes: Vec<(u64, u32)> = mails
                .map(|it| (self.hasher.hash_one(text::fold(it.0)), it.1))
                .collect();
            hashes.sort_unstable();
            hashes
        });
        let hash = self.hasher.hash_one(mail.to_owned());
        let from = sorted.partition_point(|it| it.0 < hash);
        let same = sorted[from..].iter().take_while(move |it| it.0 == hash);
        same.map(|it| it.1)
    }
}

/// The mails of all users of a directory.
pub(crate) fn user_mails(records: &Records) -> impl Iterator<Item = &str> {
    records.users.iter().map(|it| records.text(it.email))
}
