//! The modules are those of the table below, and use one another only as it says. All of `src` is parsed, and each path
//! that names a module is looked up: in imports, in code, and inside of macros and attributes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

mod edges;
mod planted;

use edges::{Edge, Source, Target};

/// Which module may use which, in the design's words; what was found to be missing there stands in brackets.
const TABLE: &[(&str, &str)] = &[
    ("text", "–"),
    ("clock secret events progress failpoint trust", "text"),
    ("template schedule pace", "leaves above"),
    ("http", "leaves above"),
    ("model", "text [clock's Timestamp]"),
    ("wire", "text, model [clock's Timestamp]"),
    ("reconcile", "model, text, template [clock's Timestamp]"),
    ("client", "model, text, wire, http, pace, secret, clock"),
    (
        "directories",
        "model, text, template, wire, client, http, pace, secret, clock [trust]",
    ),
    ("applications", "the same"),
    ("store", "model, text, clock [failpoint]"),
    (
        "config",
        "connectors' config types, schedule, secret, text, template [serve's config types]",
    ),
    (
        "sync",
        "reconcile, store, the traits, model, events, progress, pace, clock [text, failpoint]",
    ),
    (
        "serve",
        "model, wire, clock, secret, events, traits that it declares itself; not store [text]",
    ),
    ("daemon", "sync, serve, schedule, clock, events, progress"),
    ("assemble", "all above"),
    ("cli main", "all but connectors' insides"),
];

/// The modules whose folders are connectors: each of these is a module of its own, closed to the others.
const TRAITS: [&str; 2] = ["directories", "applications"];
/// What stands in every connector's folder.
const ROOMS: [&str; 4] = ["mod.rs", "config.rs", "api.rs", "convert.rs"];
/// The modules that decide, and the only crates that they may name. (Unicode is reached through `text`.)
const PURE: [&str; 2] = ["model", "reconcile"];
const PURE_CRATES: [&str; 6] = ["alloc", "core", "hashbrown", "serde", "std", "thiserror"];

#[test]
fn every_use_of_a_module_follows_the_table() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let faults = faults(&root.join("src"), &crates(&root.join("Cargo.toml")));
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

/// Compares the sources in `src` with the table and answers in sentences, sorted.
fn faults(src: &Path, crates: &BTreeSet<String>) -> Vec<String> {
    let sources = edges::read(src, crates);
    let table = Table::new(&sources);
    let mut faults = table.missing_rooms(&sources);
    for source in &sources {
        faults.extend(table.faults(source));
    }
    faults.sort();
    faults.dedup();
    faults
}

/// The table, made ready for questions.
struct Table {
    grants: BTreeMap<&'static str, Vec<Grant>>,
    /// `directories::ldap` and the like, as the folders are.
    connectors: BTreeSet<String>,
}

/// One phrase of the right column.
#[derive(Clone, Copy)]
enum Grant {
    Module(&'static str),
    ConnectorConfigs,
    ConnectorInsides,
    /// What a user writes under `serve:`.
    ServeConfig,
    /// A moment is a value; the clock that tells the present one is not for those who decide.
    Timestamp,
}

impl Table {
    fn new(sources: &[Source]) -> Self {
        let mut grants = BTreeMap::new();
        let mut above = Vec::new();
        let mut previous = Vec::new();
        for (modules, may_use) in TABLE {
            let phrases = may_use.split([',', ';', '[', ']']).map(str::trim);
            let row: Vec<Grant> = phrases
                .flat_map(|phrase| phrase_grants(phrase, &above, &previous))
                .collect();
            for module in modules.split(' ') {
                grants.insert(module, row.clone());
                above.push(module);
            }
            previous = row;
        }
        Self {
            grants,
            connectors: sources.iter().filter_map(connector).collect(),
        }
    }

    /// The module of the table, or the connector, that a path lies in; empty for the crate itself.
    fn module(&self, path: &[String]) -> String {
        let connector = path.iter().take(2).cloned().collect::<Vec<_>>().join("::");
        if self.connectors.contains(&connector) {
            connector
        } else {
            path.first().cloned().unwrap_or_default()
        }
    }

    fn faults(&self, source: &Source) -> Vec<String> {
        let own = self.module(&source.module);
        if !own.is_empty() && !self.grants.contains_key(top(&own)) {
            return vec![format!(
                "{}: the table lacks the module `{own}`",
                source.file
            )];
        }
        let fault = |edge: &Edge| {
            Some(format!(
                "{}: {} (`{}`)",
                source.file,
                self.fault(&own, edge)?,
                edge.written
            ))
        };
        source.edges.iter().filter_map(fault).collect()
    }

    /// What is wrong with one use of one module or crate in the module `own`.
    fn fault(&self, own: &str, edge: &Edge) -> Option<String> {
        let path = match &edge.target {
            Target::Crate(name) => {
                let wrong = PURE.contains(&own) && !PURE_CRATES.contains(&name.as_str());
                return wrong
                    .then(|| format!("`{own}` is pure and must not name the crate `{name}`"));
            }
            Target::Module(path) => path,
        };
        if path.last().is_some_and(|last| last == "*") && glob_spans_modules(own, path) {
            return Some("a glob hides which module is used".to_owned());
        }
        let other = self.module(path);
        if other == own {
            return None;
        }
        if !self.grants.contains_key(top(&other)) {
            return Some(format!("the table lacks the module `{other}`"));
        }
        let name = if own.is_empty() { "lib" } else { own };
        (!self.allows(own, &other, path)).then(|| format!("`{name}` must not use `{other}`"))
    }

    /// Whether `own` may use what stands at `path`, in the module `other`.
    fn allows(&self, own: &str, other: &str, path: &[String]) -> bool {
        let connector = self.connectors.contains(other);
        let implements = self.connectors.contains(own) && top(own) == other;
        let granted = |grant: &Grant| match grant {
            Grant::Module(module) => *module == other,
            Grant::ConnectorConfigs => {
                connector && path.get(2).is_some_and(|room| room == "config")
            }
            Grant::ConnectorInsides => connector,
            Grant::ServeConfig => path.starts_with(&["serve", "config"].map(str::to_owned)),
            Grant::Timestamp => path.starts_with(&["clock", "Timestamp"].map(str::to_owned)),
        };
        implements
            || self
                .grants
                .get(top(own))
                .is_some_and(|grants| grants.iter().any(granted))
    }

    /// Connectors look alike, so that one knows where to look.
    fn missing_rooms(&self, sources: &[Source]) -> Vec<String> {
        let files: BTreeSet<&str> = sources.iter().map(|source| source.file.as_str()).collect();
        let mut faults = Vec::new();
        for connector in &self.connectors {
            let folder = format!("src/{}", connector.replace("::", "/"));
            let missing = ROOMS
                .iter()
                .map(|room| format!("{folder}/{room}"))
                .filter(|file| !files.contains(file.as_str()));
            faults.extend(missing.map(|file| format!("{file}: missing; every connector has it")));
        }
        faults
    }
}

/// Whether a glob, of which the path's last name is the star, brings names of more than one module into `own`.
fn glob_spans_modules(own: &str, path: &[String]) -> bool {
    let holder = path[..path.len() - 1].join("::");
    holder.is_empty() || (TRAITS.contains(&holder.as_str()) && own != holder)
}

/// What one phrase of the table grants.
fn phrase_grants(phrase: &'static str, above: &[&'static str], previous: &[Grant]) -> Vec<Grant> {
    let modules =
        |names: &[&'static str]| names.iter().copied().map(Grant::Module).collect::<Vec<_>>();
    match phrase {
        "" | "–" | "traits that it declares itself" | "not store" => Vec::new(),
        "leaves above" => modules(above),
        "the same" => previous.to_vec(),
        "the traits" => modules(&TRAITS),
        "clock's Timestamp" => vec![Grant::Timestamp],
        "connectors' config types" => vec![Grant::ConnectorConfigs],
        "serve's config types" => vec![Grant::ServeConfig],
        "all above" => [modules(above), vec![Grant::ConnectorInsides]].concat(),
        "all but connectors' insides" => {
            [modules(&all_modules()), vec![Grant::ConnectorConfigs]].concat()
        }
        name if above.contains(&name) => vec![Grant::Module(name)],
        other => {
            panic!("the table says `{other}`, which is neither a module above nor a known phrase")
        }
    }
}

fn all_modules() -> Vec<&'static str> {
    TABLE
        .iter()
        .flat_map(|(modules, _)| modules.split(' '))
        .collect()
}

/// The connector that a file belongs to, which is one as soon as it lies in a folder of its own.
fn connector(source: &Source) -> Option<String> {
    let parts: Vec<&str> = source.file.split('/').collect();
    match parts[..] {
        ["src", holder, folder, _, ..] if TRAITS.contains(&holder) => {
            Some(format!("{holder}::{folder}"))
        }
        _ => None,
    }
}

/// `directories` of `directories::ldap`.
fn top(module: &str) -> &str {
    module.split("::").next().unwrap_or(module)
}

/// The names by which the manifest's dependencies, and those of every program, are used in code.
fn crates(manifest: &Path) -> BTreeSet<String> {
    let manifest = std::fs::read_to_string(manifest).unwrap();
    let lines = manifest
        .lines()
        .skip_while(|line| *line != "[dependencies]")
        .skip(1);
    let names = lines
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split_once(" ="));
    let names = names.map(|(name, _)| name.replace('-', "_"));
    names
        .chain(["std", "core", "alloc"].map(str::to_owned))
        .collect()
}
