//! What no single value can tell: names, what lists what, targets, secrets, options that contradict one another.
//!
//! Values that were reported already are gone from what was read. What others said of them is looked up in the tree, which
//! still has them, so that one fault makes one problem.

mod applications;
mod attributes;
mod entries;
mod lists;
mod secrets;
mod serve;
mod targets;
mod times;

use std::path::Path;

use super::Written;
use super::application::ApplicationEntry;
use super::directory::DirectoryEntry;
use super::problem::nearest;
use super::read::SecretPlace;
use super::spot::{Report, Spot};
use super::tree::{Node, Value};
use crate::text::fold;

/// What was read, each entry with its place.
struct Draft<'w, 't> {
    written: &'w Written,
    root: Spot<'t>,
    base_dir: &'w Path,
    directories: Vec<(&'w DirectoryEntry, Spot<'t>)>,
    applications: Vec<(&'w ApplicationEntry, Spot<'t>)>,
    /// The names of all directories as spelled, of those at fault too; `None` when not even a list could be read.
    directory_names: Option<Vec<&'t str>>,
}

/// Reports everything that is wrong between the values.
pub(super) fn check(
    written: &Written,
    root: &Node,
    secrets: &[SecretPlace<'_>],
    base_dir: &Path,
    report: &mut Report,
) {
    let draft = Draft::new(written, root, base_dir);
    check_state(&draft, report);
    entries::check(&draft, report);
    attributes::check(&draft, report);
    lists::check(&draft, report);
    targets::check(&draft, report);
    applications::check(&draft, report);
    serve::check(&draft, report);
    times::check(&draft, report);
    secrets::check(secrets, base_dir, report);
}

impl<'w, 't> Draft<'w, 't> {
    fn new(written: &'w Written, root: &'t Node, base_dir: &'w Path) -> Draft<'w, 't> {
        let root = Spot::root(root);
        let directories = root.key("directories");
        let applications = root.key("applications").items();
        let names = match directories.node.map(|it| &it.value) {
            None => Some(Vec::new()),
            Some(Value::List(items)) => {
                let names = items.iter().filter_map(|it| it.entry("name")?.node.text());
                Some(names.collect())
            }
            Some(_) => None,
        };
        Draft {
            written,
            base_dir,
            directories: written
                .directories
                .iter()
                .zip(directories.items())
                .collect(),
            applications: written.applications.iter().zip(applications).collect(),
            directory_names: names,
            root,
        }
    }

    /// Reports a name that no directory has.
    fn check_directory_name(&self, name: &str, spot: &Spot<'_>, report: &mut Report) -> bool {
        let Some(names) = &self.directory_names else {
            return true;
        };
        let known = names.iter().any(|it| fold(it) == fold(name));
        if !known {
            let meant = nearest(name, names.iter().copied());
            let hint = meant.map(|it| format!("did you mean `{it}`?"));
            let hint = hint
                .as_deref()
                .unwrap_or("add it to `directories`, or take it off the list");
            report.error(spot, format!("there is no directory `{name}`"), Some(hint));
        }
        known
    }
}

fn check_state(draft: &Draft<'_, '_>, report: &mut Report) {
    if draft.written.state.is_none() && draft.root.key("state").is_whole() {
        let hint =
            "say where to remember what was done: `state: sqlite:///var/lib/usersyncd/state.db`";
        report.error(&draft.root, "`state` is missing", Some(hint));
    }
}
