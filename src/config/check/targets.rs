//! Nothing is written twice, and nothing that is written is read (design, section 4.12).

use std::collections::BTreeMap;

use super::super::State;
use super::super::connectors;
use super::super::spot::{Report, Spot};
use super::Draft;

const HINT: &str = "what one writes must be neither written nor read by another";

pub(super) fn check(draft: &Draft<'_, '_>, report: &mut Report) {
    let mut error = |spot: &Spot<'_>, what: String| report.error(spot, what, Some(HINT));
    let state = draft.written.state.clone().map(|state| {
        let State::Sqlite(path) = state.under(draft.base_dir);
        connectors::one_spelling(&path)
    });
    let mut sources = BTreeMap::new();
    let polled = draft.directories.iter();
    let polled = polled.filter_map(|(it, _)| Some((connectors::source(it)?, &it.name)));
    let polled: BTreeMap<String, _> = polled.collect();
    for (directory, spot) in &draft.directories {
        let Some(source) = connectors::source_file(directory, draft.base_dir) else {
            continue;
        };
        if state.as_ref() == Some(&source) {
            error(spot, "it reads what the daemon keeps as `state`".to_owned());
        }
        sources.insert(source, &directory.name);
    }
    let mut targets = BTreeMap::new();
    for (application, spot) in &draft.applications {
        let file = connectors::target_file(application, draft.base_dir);
        if file.is_some() && file == state {
            error(
                spot,
                "it writes where the daemon keeps its `state`".to_owned(),
            );
        }
        if let Some(directory) = file.and_then(|file| sources.get(&file)) {
            error(
                spot,
                format!("it writes what directory `{directory}` reads"),
            );
        }
        let Some(target) = connectors::target(application, draft.base_dir) else {
            continue;
        };
        if let Some(directory) = polled.get(&target) {
            error(
                spot,
                format!("it writes what directory `{directory}` reads"),
            );
        }
        let first = *targets.entry(target).or_insert(&application.name);
        if first != &application.name {
            error(spot, format!("it writes what application `{first}` writes"));
        }
    }
}
