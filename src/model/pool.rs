//! Strings that live once and are named by number.
//!
//! A million records hold some eight million strings; as owned `String`s they would cost more in headers and heap blocks than
//! in text. A [`Pool`] is one text and a list of ends. An [`Interner`] is a pool that also finds a string again, for the few
//! columns (keys, handles, group names) by which records are joined.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

/// The number of a string in the [`Pool`] that made it. Meaningless in any other pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct StrId(pub u32);

impl StrId {
    /// The empty string, in every pool.
    pub const EMPTY: StrId = StrId(0);

    /// Whether this is the empty string.
    pub fn is_empty(self) -> bool {
        self == StrId::EMPTY
    }
}

/// An append-only list of strings in one allocation. At most 4 GiB of text.
#[derive(Clone, Debug)]
pub struct Pool {
    text: String,
    ends: Vec<u32>,
}

impl Default for Pool {
    fn default() -> Self {
        Pool {
            text: String::new(),
            ends: vec![0],
        }
    }
}

impl Pool {
    /// Appends a string and returns its number; the empty string is always [`StrId::EMPTY`].
    pub fn add(&mut self, text: &str) -> StrId {
        if text.is_empty() {
            return StrId::EMPTY;
        }
        self.text.push_str(text);
        assert!(
            u32::try_from(self.text.len()).is_ok(),
            "a pool holds at most 4 GiB of text"
        );
        self.ends.push(self.text.len() as u32);
        StrId(self.ends.len() as u32 - 1)
    }

    /// The string of a number that this pool gave out.
    pub fn get(&self, id: StrId) -> &str {
        let at = id.0 as usize;
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.text[start as usize..self.ends[at] as usize]
    }

    /// How many strings the pool holds, the empty one included.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether nothing was added yet.
    pub fn is_empty(&self) -> bool {
        self.ends.len() == 1
    }

    /// Gives unused capacity back, once a set is complete.
    pub fn shrink(&mut self) {
        self.text.shrink_to_fit();
        self.ends.shrink_to_fit();
    }
}

/// A pool that gives equal strings the same number.
#[derive(Clone, Debug, Default)]
pub struct Interner {
    pool: Pool,
    /// Numbers beside the hashes of their strings, so that a table that grows need not read them again.
    table: HashTable<(u32, u32)>,
    hasher: RandomState,
}

impl Interner {
    /// The number of a string, new or known.
    pub fn intern(&mut self, text: &str) -> StrId {
        if text.is_empty() {
            return StrId::EMPTY;
        }
        let short = self.short_hash(text);
        let Interner { pool, table, .. } = self;
        let same = |it: &(u32, u32)| it.1 == short && pool.get(StrId(it.0)) == text;
        if let Some(&(known, _)) = table.find(spread(short), same) {
            return StrId(known);
        }
        let id = pool.add(text);
        table.insert_unique(spread(short), (id.0, short), |it| spread(it.1));
        id
    }

    /// The number of a string that was interned before.
    pub fn find(&self, text: &str) -> Option<StrId> {
        if text.is_empty() {
            return Some(StrId::EMPTY);
        }
        let short = self.short_hash(text);
        let same = |it: &(u32, u32)| it.1 == short && self.pool.get(StrId(it.0)) == text;
        let (found, _) = self.table.find(spread(short), same)?;
        Some(StrId(*found))
    }

    /// Makes room for so many more strings.
    pub fn reserve(&mut self, more: usize) {
        self.table.reserve(more, |it| spread(it.1));
    }

    fn short_hash(&self, text: &str) -> u32 {
        self.hasher.hash_one(text) as u32
    }

    /// The string of a number.
    pub fn get(&self, id: StrId) -> &str {
        self.pool.get(id)
    }

    /// How many numbers were given out, that of the empty string included.
    pub fn len(&self) -> usize {
        self.pool.len()
    }

    /// Whether nothing was interned yet.
    pub fn is_empty(&self) -> bool {
        self.pool.is_empty()
    }
}

/// A short hash over all bits, of which a table uses the highest and the lowest.
fn spread(short: u32) -> u64 {
    u64::from(short).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_come_back_by_number() {
        let mut pool = Pool::default();
        let anna = pool.add("anna");
        let none = pool.add("");
        let again = pool.add("anna");
        assert_eq!((pool.get(anna), pool.get(none)), ("anna", ""));
        assert_ne!(anna, again);
    }

    #[test]
    fn equal_strings_are_interned_once() {
        let mut names = Interner::default();
        let anna = names.intern("anna");
        assert_ne!(names.intern("ben"), anna);
        assert_eq!(names.intern("anna"), anna);
        assert_eq!(names.find("anna"), Some(anna));
        assert_eq!(names.find("carl"), None);
        assert_eq!(names.find(""), Some(StrId::EMPTY));
    }
}
