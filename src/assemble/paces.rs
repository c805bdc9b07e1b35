//! One pace for each customer of Google, however many directories read of it: its quota is one.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::clock::Clock;
use crate::config::{Config, DirectoryType};
use crate::directories::google::{self, GoogleConfig};
use crate::pace::Pace;

/// The paces by customer.
pub(super) struct Paces {
    /// The fewest questions a minute that an enabled directory of the customer allows.
    queries_per_minute: BTreeMap<String, u32>,
    made: BTreeMap<String, Arc<Pace>>,
}

impl Paces {
    pub(super) fn new(config: &Config) -> Paces {
        let mut queries_per_minute = BTreeMap::new();
        for entry in config.directories.iter().filter(|it| it.enabled) {
            if let Some(DirectoryType::Google(google)) = entry.connector() {
                let own = google.queries_per_minute;
                let fewest = queries_per_minute.entry(google.tenant()).or_insert(own);
                *fewest = own.min(*fewest);
            }
        }
        Paces {
            queries_per_minute,
            made: BTreeMap::new(),
        }
    }

    /// The pace of the customer that this directory reads.
    pub(super) fn of(&mut self, config: &GoogleConfig, clock: &Arc<dyn Clock>) -> Arc<Pace> {
        let tenant = config.tenant();
        let fewest = self.queries_per_minute.get(&tenant).copied();
        let fewest = fewest.unwrap_or(config.queries_per_minute);
        let made = self.made.entry(tenant);
        Arc::clone(made.or_insert_with(|| google::pace(fewest, Arc::clone(clock))))
    }
}
