//! Who lists whom. An entry at fault is there nevertheless, so the names are taken from the tree.

use std::collections::BTreeSet;

use super::super::spot::{Report, Spot};
use super::super::tree::{Node, Value};
use super::Draft;
use crate::text::fold;

pub(super) fn check(draft: &Draft<'_, '_>, report: &mut Report) {
    for (application, spot) in &draft.applications {
        let list = spot.key("directories");
        if application.directories.is_empty() && list.is_whole() {
            let names = draft
                .directory_names
                .as_deref()
                .unwrap_or_default()
                .join(", ");
            let hint =
                format!("list what fills it, the most important first: `directories: [{names}]`");
            report.error(&list, "it lists no directory", Some(&hint));
        }
        let mut seen = BTreeSet::new();
        for (name, item) in application.directories.iter().zip(list.items()) {
            let known = draft.check_directory_name(name.as_str(), &item, report);
            if known && !seen.insert(name) {
                report.error(&item, format!("`{name}` is listed already"), None);
            }
        }
    }
    let Some(listed) = listed(&draft.root) else {
        return;
    };
    for (directory, spot) in &draft.directories {
        if directory.enabled && !listed.contains(&fold(directory.name.as_str())) {
            let hint = "add it to the `directories` of an application, or write `enabled: false`";
            report.error(spot, "no application lists it", Some(hint));
        }
    }
}

/// The folded names that some application lists; `None` when a list cannot be read.
fn listed(root: &Spot<'_>) -> Option<BTreeSet<String>> {
    let applications = root.key("applications");
    if !applications.node.is_none_or(Node::is_kept) {
        return None;
    }
    let mut listed = BTreeSet::new();
    for application in applications.node.map_or(&[][..], Node::items) {
        match application.entry("directories").map(|it| &it.node.value) {
            Some(Value::List(list)) => {
                listed.extend(list.iter().filter_map(Node::text).map(fold));
            }
            None if application.is_kept() => {}
            _ => return None,
        }
    }
    Some(listed)
}
