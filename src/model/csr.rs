//! Compressed rows: one list of numbers for each index, in two allocations.

/// For each of `len()` rows, a slice of numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Csr {
    starts: Vec<u32>,
    items: Vec<u32>,
}

impl Default for Csr {
    fn default() -> Self {
        Csr::empty(0)
    }
}

impl Csr {
    /// `rows` empty rows.
    pub fn empty(rows: usize) -> Self {
        Csr {
            starts: vec![0; rows + 1],
            items: Vec::new(),
        }
    }

    /// Rows from `(row, item)` pairs in any order; each row comes out sorted, without repetitions.
    pub fn from_pairs(rows: usize, pairs: &[(u32, u32)]) -> Self {
        Csr::collect(rows, |emit| {
            for &(row, item) in pairs {
                emit(row, item);
            }
        })
    }

    /// Rows from a function that emits every `(row, item)` pair. It is called twice, to count and to fill, so that no list
    /// of pairs need exist; it must emit the same pairs both times. Each row comes out sorted, without repetitions.
    pub fn collect(rows: usize, each: impl Fn(&mut dyn FnMut(u32, u32))) -> Self {
        let mut starts = vec![0u32; rows + 1];
        each(&mut |row, _| starts[row as usize + 1] += 1);
        for row in 0..rows {
            starts[row + 1] += starts[row];
        }
        let mut items = vec![0u32; starts[rows] as usize];
        let mut next = starts.clone();
        each(&mut |row, item| {
            let at = &mut next[row as usize];
            items[*at as usize] = item;
            *at += 1;
        });
        let mut rows_of = Csr { starts, items };
        rows_of.sort_and_dedup();
        rows_of
    }

    /// Appends a row, which must be sorted and without repetitions.
    pub fn push_row(&mut self, items: impl Iterator<Item = u32>) {
        self.items.extend(items);
        self.starts.push(self.items.len() as u32);
    }

    /// The numbers of one row.
    pub fn row(&self, row: usize) -> &[u32] {
        &self.items[self.starts[row] as usize..self.starts[row + 1] as usize]
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many numbers all rows hold together.
    pub fn items(&self) -> usize {
        self.items.len()
    }

    /// Every `(row, item)` pair, in order.
    pub fn pairs(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        (0..self.len()).flat_map(|row| self.row(row).iter().map(move |&item| (row as u32, item)))
    }

    /// The same pairs the other way round: for each item below `items`, the rows that hold it.
    #[must_use]
    pub fn transpose(&self, items: usize) -> Self {
        Csr::collect(items, |emit| {
            for (row, item) in self.pairs() {
                emit(item, row);
            }
        })
    }

    fn sort_and_dedup(&mut self) {
        let mut kept = 0usize;
        let mut start = 0usize;
        for row in 0..self.len() {
            let end = self.starts[row + 1] as usize;
            if !self.items[start..end].is_sorted() {
                self.items[start..end].sort_unstable();
            }
            self.starts[row] = kept as u32;
            let mut last = None;
            for at in start..end {
                let item = self.items[at];
                if last != Some(item) {
                    self.items[kept] = item;
                    kept += 1;
                    last = Some(item);
                }
            }
            start = end;
        }
        let rows = self.len();
        self.starts[rows] = kept as u32;
        self.items.truncate(kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sorted_and_without_repetitions() {
        let rows = Csr::from_pairs(3, &[(2, 5), (0, 9), (2, 1), (2, 5), (0, 3)]);
        assert_eq!(rows.row(0), [3, 9]);
        assert!(rows.row(1).is_empty());
        assert_eq!(rows.row(2), [1, 5]);
        assert_eq!(rows.items(), 4);
    }

    #[test]
    fn transposing_twice_changes_nothing() {
        let rows = Csr::from_pairs(3, &[(0, 1), (0, 2), (1, 2), (2, 0)]);
        assert_eq!(rows.transpose(3).row(2), [0, 1]);
        assert_eq!(rows.transpose(3).transpose(3), rows);
    }
}
