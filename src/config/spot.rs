//! Places for what is checked after reading: a path through the tree, down to where it ends.

use super::problem::{Place, Problem, Severity};
use super::read::item_name;
use super::tree::Node;

/// A place in the file with its path. Where an option is not written, the place is that of what should hold it.
#[derive(Clone, Debug)]
pub(super) struct Spot<'t> {
    pub(super) node: Option<&'t Node>,
    place: Place,
    pub(super) path: String,
}

/// Where problems are collected.
pub(super) struct Report {
    pub(super) file: String,
    pub(super) problems: Vec<Problem>,
    /// Secrets that cannot be read, which only those need to know who would use them.
    pub(super) secrets: Vec<Problem>,
}

impl<'t> Spot<'t> {
    pub(super) fn root(node: &'t Node) -> Spot<'t> {
        Spot {
            node: Some(node),
            place: node.place,
            path: String::new(),
        }
    }

    /// Whether something was written there and nothing of it was left out, or nothing was written at all: what is missing
    /// there was not reported before.
    pub(super) fn is_whole(&self) -> bool {
        self.node.is_none_or(Node::is_whole)
    }

    pub(super) fn of(node: &'t Node, path: &str) -> Spot<'t> {
        Spot {
            path: path.to_owned(),
            ..Spot::root(node)
        }
    }

    /// The value of a key.
    pub(super) fn key(&self, key: &str) -> Spot<'t> {
        let entry = self.node.and_then(|it| it.entry(key));
        Spot {
            node: entry.map(|it| &it.node),
            place: entry.map_or(self.place, |it| it.node.place),
            path: self.below(key),
        }
    }

    /// The same, but placed on the key itself.
    pub(super) fn at_key(&self, key: &str) -> Spot<'t> {
        let entry = self.node.and_then(|it| it.entry(key));
        Spot {
            place: entry.map_or(self.place, |it| it.key_place),
            ..self.key(key)
        }
    }

    /// The items of a list as they were read: dropped ones are not among them.
    pub(super) fn items(&self) -> Vec<Spot<'t>> {
        let items = self.node.map_or(&[][..], Node::items).iter().enumerate();
        let kept = items.filter(|(_, node)| node.is_kept());
        kept.map(|(index, node)| Spot::of(node, &self.below(&item_name(node, index))))
            .collect()
    }

    /// The keys of a mapping as they were read, placed on the keys themselves.
    pub(super) fn keys(&self) -> Vec<(&'t str, Spot<'t>)> {
        let entries = self.node.map_or(&[][..], Node::entries).iter();
        let kept = entries.filter(|it| it.node.is_kept());
        kept.map(|it| (it.key.as_str(), self.at_key(&it.key)))
            .collect()
    }

    fn below(&self, step: &str) -> String {
        if self.path.is_empty() {
            step.to_owned()
        } else {
            format!("{}.{step}", self.path)
        }
    }
}

impl Report {
    pub(super) fn error(&mut self, spot: &Spot<'_>, what: impl Into<String>, hint: Option<&str>) {
        self.add(Severity::Error, spot, what.into(), hint);
    }

    pub(super) fn warning(&mut self, spot: &Spot<'_>, what: impl Into<String>, hint: Option<&str>) {
        self.add(Severity::Warning, spot, what.into(), hint);
    }

    pub(super) fn secret(&mut self, spot: &Spot<'_>, what: String) {
        let problem = self.problem(Severity::Error, spot, what, None);
        self.secrets.push(problem);
    }

    fn add(&mut self, severity: Severity, spot: &Spot<'_>, what: String, hint: Option<&str>) {
        let problem = self.problem(severity, spot, what, hint);
        self.problems.push(problem);
    }

    fn problem(
        &self,
        severity: Severity,
        spot: &Spot<'_>,
        what: String,
        hint: Option<&str>,
    ) -> Problem {
        Problem {
            severity,
            file: self.file.clone(),
            place: Some(spot.place),
            path: spot.path.clone(),
            what,
            hint: hint.map(str::to_owned),
        }
    }
}
