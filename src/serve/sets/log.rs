//! The differences between the images of one entry, as far back as they are worth keeping.

use std::collections::VecDeque;
use std::sync::Arc;

use super::difference::Difference;

/// The most differences that are kept. Clients poll every hour, pushes come every few minutes at most.
const STEPS_MAX: usize = 500;
/// The most changes that all of them hold together: some megabytes. Whoever is further behind reads everything.
const CHANGES_MAX: usize = 50_000;

/// Differences in the order in which they came about, each with the token of what was served before it.
#[derive(Debug, Default)]
pub(super) struct Log {
    steps: VecDeque<(String, Arc<Difference>)>,
    changes: usize,
}

impl Log {
    /// Adds what changed from what that token stands for to what is published now.
    pub(super) fn add(&mut self, before: String, difference: Difference) {
        self.changes += difference.changes();
        self.steps.push_back((before, Arc::new(difference)));
        while self.steps.len() > STEPS_MAX || self.changes > CHANGES_MAX {
            let gone = self.steps.pop_front();
            self.changes -= gone.map_or(0, |(_, it)| it.changes());
        }
    }

    /// Everything that came after what that token stands for; `None` if it is not known.
    pub(super) fn since(&self, token: &str) -> Option<Vec<Arc<Difference>>> {
        let at = self.steps.iter().position(|(before, _)| before == token)?;
        Some(self.steps.range(at..).map(|(_, it)| it.clone()).collect())
    }
}
