//! How much one search may bring before it is taken for a server that never ends.

/// The most that one search may bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// Entries.
    pub entries: u64,
    /// Bytes of names and values.
    pub bytes: u64,
    /// Pages.
    pub pages: u64,
    /// Pages in a row without any entry. A few are ordinary where the server filters after cutting pages.
    pub empty_pages: u64,
}

/// What is left of the [`Limits`].
#[derive(Debug)]
pub(super) struct Budget {
    limits: Limits,
    entries: u64,
    bytes: u64,
    pages: u64,
    empty_pages: u64,
}

/// A limit was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Over {
    #[error("more than {0} entries; narrow `base` or `filter`")]
    Entries(u64),
    #[error("more than {0} bytes of names and values; narrow `base`, `filter` or `attributes`")]
    Bytes(u64),
    #[error("more than {0} pages; raise `page_size`, or the server sends pages without end")]
    Pages(u64),
    #[error("{0} pages in a row without an entry: the server sends pages without end")]
    EmptyPages(u64),
}

impl Default for Limits {
    /// Room for a million users with five million memberships.
    fn default() -> Self {
        Limits {
            entries: 5_000_000,
            bytes: 2 << 30,
            pages: 100_000,
            empty_pages: 100,
        }
    }
}

impl Budget {
    pub(super) fn new(limits: Limits) -> Self {
        Budget {
            limits,
            entries: 0,
            bytes: 0,
            pages: 0,
            empty_pages: 0,
        }
    }

    /// Counts so many entries of so many bytes together.
    pub(super) fn entries(&mut self, entries: u64, bytes: usize) -> Result<(), Over> {
        self.entries += entries;
        self.bytes += bytes as u64;
        if self.entries > self.limits.entries {
            return Err(Over::Entries(self.limits.entries));
        }
        if self.bytes > self.limits.bytes {
            return Err(Over::Bytes(self.limits.bytes));
        }
        Ok(())
    }

    /// Counts a page of so many entries that another one follows.
    pub(super) fn page(&mut self, entries: u64) -> Result<(), Over> {
        self.pages += 1;
        self.empty_pages = if entries == 0 {
            self.empty_pages + 1
        } else {
            0
        };
        if self.pages >= self.limits.pages {
            return Err(Over::Pages(self.limits.pages));
        }
        if self.empty_pages >= self.limits.empty_pages {
            return Err(Over::EmptyPages(self.limits.empty_pages));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Limits = Limits {
        entries: 3,
        bytes: 10,
        pages: 4,
        empty_pages: 2,
    };

    #[test]
    fn the_entry_beyond_a_limit_is_refused() {
        let mut budget = Budget::new(SMALL);
        assert_eq!([1, 1, 1].map(|bytes| budget.entries(1, bytes)), [Ok(()); 3]);
        assert_eq!(budget.entries(1, 1), Err(Over::Entries(3)));

        let mut budget = Budget::new(SMALL);
        assert_eq!(budget.entries(3, 3), Ok(()));
        assert_eq!(budget.entries(2, 0), Err(Over::Entries(3)));

        let mut budget = Budget::new(SMALL);
        assert_eq!(budget.entries(1, 10), Ok(()));
        assert_eq!(budget.entries(1, 1), Err(Over::Bytes(10)));
    }

    #[test]
    fn pages_without_end_are_refused() {
        let mut budget = Budget::new(SMALL);
        assert_eq!([1, 1, 1].map(|entries| budget.page(entries)), [Ok(()); 3]);
        assert_eq!(budget.page(1), Err(Over::Pages(4)));

        let mut budget = Budget::new(SMALL);
        assert_eq!([0, 1, 0].map(|entries| budget.page(entries)), [Ok(()); 3]);
        assert_eq!(
            budget.page(0),
            Err(Over::Pages(4)),
            "the page limit comes first"
        );

        let mut budget = Budget::new(SMALL);
        assert_eq!(budget.page(0), Ok(()));
        assert_eq!(budget.page(0), Err(Over::EmptyPages(2)));
    }
}
