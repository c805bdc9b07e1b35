//! Directories and applications as entries: names, ids, connectors and what these say of their own options.

use std::collections::{BTreeMap, BTreeSet};

use super::super::application::APPLICATION_TYPES;
use super::super::connectors::{self, OptionProblem};
use super::super::directory::DIRECTORY_TYPES;
use super::super::names::EntryName;
use super::super::problem::list;
use super::super::spot::{Report, Spot};
use super::super::tree::{Fate, Node, Value};
use super::Draft;

/// What directories and applications have in common here.
struct Named<'a, 't> {
    spot: &'a Spot<'t>,
    name: &'a EntryName,
    id: &'a EntryName,
    renamed_from: Option<&'a EntryName>,
    /// What the connector says of its options.
    problems: Vec<OptionProblem>,
    warnings: Vec<OptionProblem>,
}

pub(super) fn check(draft: &Draft<'_, '_>, report: &mut Report) {
    let directories = draft.directories.iter().map(|(it, spot)| Named {
        spot,
        name: &it.name,
        id: it.id(),
        renamed_from: it.renamed_from.as_ref(),
        problems: connectors::directory_problems(it),
        warnings: connectors::directory_warnings(it),
    });
    let applications = draft.applications.iter().map(|(it, spot)| Named {
        spot,
        name: &it.name,
        id: it.id(),
        renamed_from: it.renamed_from.as_ref(),
        problems: connectors::application_problems(it),
        warnings: connectors::application_warnings(it),
    });
    check_entries(
        "directories",
        &directories.collect::<Vec<_>>(),
        &DIRECTORY_TYPES,
        draft,
        report,
    );
    check_entries(
        "applications",
        &applications.collect::<Vec<_>>(),
        &APPLICATION_TYPES,
        draft,
        report,
    );
}

fn check_entries(
    key: &str,
    entries: &[Named<'_, '_>],
    types: &[&'static str],
    draft: &Draft<'_, '_>,
    report: &mut Report,
) {
    let spot = draft.root.key(key);
    if entries.is_empty() && spot.is_whole() {
        let hint = "config.example.yaml shows some";
        report.error(&spot, format!("there are no {key}"), Some(hint));
    }
    check_names(entries, report);
    for entry in entries {
        check_renamed_from(entry, entries, report);
        check_connector(entry.spot, types, report);
        for (path, text) in &entry.problems {
            let option = option(entry.spot, types, path);
            // What is said of a value half of which was left out may not be true of the whole.
            if option.is_whole() {
                report.error(&option, text, None);
            }
        }
        for (path, text) in &entry.warnings {
            report.warning(&option(entry.spot, types, path), text, None);
        }
    }
}

fn check_names(entries: &[Named<'_, '_>], report: &mut Report) {
    let mut names = BTreeMap::new();
    let mut ids = BTreeSet::new();
    for entry in entries {
        let Named { spot, name, id, .. } = entry;
        if let Some(first) = names.insert(name, name) {
            let what = format!("there is an entry `{first}` already");
            let hint = "names are compared without regard to case";
            report.error(&spot.key("name"), what, Some(hint));
        } else if !ids.insert(id) {
            let what = format!("another entry has the id `{id}`");
            let hint = "the id is what the store knows an entry by; it is the name where not given";
            report.error(&spot.key("id"), what, Some(hint));
        }
    }
}

fn check_renamed_from(entry: &Named<'_, '_>, entries: &[Named<'_, '_>], report: &mut Report) {
    let Some(old) = entry.renamed_from else {
        return;
    };
    if entries.iter().any(|it| it.id == old) {
        let what = format!("an entry has the id `{old}` today");
        let hint = "it takes over what is remembered under an id that is no longer used; leave it out otherwise";
        report.error(&entry.spot.key("renamed_from"), what, Some(hint));
    }
}

fn check_connector(spot: &Spot<'_>, types: &[&'static str], report: &mut Report) {
    let Some(node) = spot.node else { return };
    let is_written = |it: &&str| node.entry(it).is_some();
    let written: Vec<&str> = types.iter().copied().filter(is_written).collect();
    let is_unknown = |node: &Node| node.fate() == Fate::UnknownKey;
    match written[..] {
        [] if node.entries().iter().any(|it| is_unknown(&it.node)) => {}
        [] => {
            let hint = format!(
                "add one of {} with its options",
                list(types.iter().copied())
            );
            report.error(spot, "nothing says what it is", Some(&hint));
        }
        [one] => {
            if matches!(spot.key(one).node.map(|it| &it.value), Some(Value::Nothing)) {
                report.error(
                    &spot.at_key(one),
                    "it is empty",
                    Some("docs/options.md has its options"),
                );
            }
        }
        [first, ..] => {
            for second in &written[1..] {
                let what = format!("it is a `{first}` already");
                report.error(&spot.at_key(second), what, Some("make two entries of it"));
            }
        }
    }
}

/// The place of a connector's option: keys, and numbers of items, with dots between them.
fn option<'t>(spot: &Spot<'t>, types: &[&'static str], path: &str) -> Spot<'t> {
    let connector = types.iter().find(|it| spot.key(it).node.is_some());
    let steps = path.split('.').filter(|it| !it.is_empty());
    let steps = connector.into_iter().copied().chain(steps);
    steps.fold(spot.clone(), |spot, step| match step.parse::<usize>() {
        Ok(number) => spot.items().into_iter().nth(number).unwrap_or(spot),
        Err(_) => spot.key(step),
    })
}
