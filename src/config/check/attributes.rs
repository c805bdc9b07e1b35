//! Further attributes that rules name, where the connector knows which ones there are.

use super::super::connectors;
use super::super::directory::DirectoryEntry;
use super::super::spot::{Report, Spot};
use super::Draft;

/// The rules of `classify`.
const RULES: [&str; 3] = ["person", "service", "customer"];

pub(super) fn check(draft: &Draft<'_, '_>, report: &mut Report) {
    for (directory, spot) in &draft.directories {
        if let Some(name) = &directory.person_key {
            check_name(directory, name, &spot.key("person_key"), report);
        }
        for rule in RULES {
            let attributes = spot.key("classify").key(rule).key("attribute");
            for (name, key) in attributes.keys() {
                check_name(directory, name, &key, report);
            }
        }
    }
}

fn check_name(directory: &DirectoryEntry, name: &str, spot: &Spot<'_>, report: &mut Report) {
    if let Some(fault) = connectors::bad_attribute(directory, name) {
        report.error(spot, fault, None);
    }
}
