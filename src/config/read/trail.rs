//! Where the reader is.

use std::fmt;

use super::super::tree::{Guess, Node, Scalar, Value};

/// The way from the root to a value, kept on the stack.
pub(super) enum Trail<'a> {
    Root,
    Key(&'a Trail<'a>, &'a str),
    Item(&'a Trail<'a>, usize, &'a Node),
}

impl Trail<'_> {
    /// Whether no entry on the way is switched off.
    pub(super) fn is_wanted(&self) -> bool {
        match self {
            Trail::Root => true,
            Trail::Key(parent, _) => parent.is_wanted(),
            Trail::Item(parent, _, node) => is_enabled(node) && parent.is_wanted(),
        }
    }
}

/// Whether an entry says nothing of being switched off.
fn is_enabled(node: &Node) -> bool {
    let enabled = node.entry("enabled").map(|it| &it.node.value);
    !matches!(
        enabled,
        Some(Value::Scalar(Scalar {
            guess: Guess::Bool(false),
            ..
        }))
    )
}

/// `directories.corporate.ldap.urls.#2`: an item that has a name is called by it, others are counted from 1.
impl fmt::Display for Trail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parent = match self {
            Trail::Root => return Ok(()),
            Trail::Key(parent, _) | Trail::Item(parent, _, _) => parent,
        };
        if !matches!(parent, Trail::Root) {
            write!(f, "{parent}.")?;
        }
        match self {
            Trail::Key(_, key) => f.write_str(key),
            Trail::Item(_, index, node) => f.write_str(&item_name(node, *index)),
            Trail::Root => Ok(()),
        }
    }
}

/// How a path calls an item of a list.
pub(in super::super) fn item_name(node: &Node, index: usize) -> String {
    let name = node.entry("name").and_then(|it| it.node.text());
    match name {
        Some(name) if !name.is_empty() => name.to_owned(),
        _ => format!("#{}", index + 1),
    }
}
