//! The differences between the images of one entry, as far back as they are worth keeping.

use std::collections::VecDeque;
use std::sync::Arc;

use super::difference::Difference;

/// The most differences that are kept. Clients poll every hour, pushes come every few minutes at most.
const STEPS_MAX: usize = 500;
/// The most changes that all of them hold together: some megabytes. Whoever is further behind reads everything.
const CHANGES_MAX: usize = 50_000;

/// Differences in the order in which they came about, each with the digest of what was served before it.
#[derive(Debug, Default)]
pub(super) struct Log {
    steps: VecDeque<(String, Arc<Difference>)>,
    changes: usize,
}

impl Log {
    /// Adds what changed from the image with that digest to the one published now.
    pub(super) fn add(&mut self, before: &str, difference: Difference) {
        if difference.changes() == 0 {
            return;
        }
        self.changes += difference.changes();
        self.steps
            .push_back((before.to_owned(), Arc::new(difference)));
        while self.steps.len() > STEPS_MAX || self.changes > CHANGES_MAX {
            let gone = self.steps.pop_front();
            self.changes -= gone.map_or(0, |(_, it)| it.changes());
        }
    }

    /// Everything that came after the image with that digest; `None` if it is not known. A digest that was served twice is
    /// taken where it stood last: that is the shorter way to the same end.
    pub(super) fn since(&self, digest: &str) -> Option<Vec<Arc<Difference>>> {
        let at = self
            .steps
            .iter()
            .rposition(|(before, _)| before == digest)?;
        Some(self.steps.range(at..).map(|(_, it)| it.clone()).collect())
    }
}
