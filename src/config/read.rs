//! From the tree to types, past every fault.
//!
//! serde ends at the first fault. So the smallest value that is at fault is reported and dropped from the tree, and the
//! reading begins anew without it, until it succeeds: an option at fault takes its default, an item at fault leaves its
//! list, and a mapping that lacks what it must have is left out as a whole. Each round drops at least one value, hence it
//! ends. Who then checks the result must not complain about what is missing only because it was dropped.

mod de;
mod fault;
mod trail;

use std::cell::RefCell;

use serde::Deserialize;

use self::de::Reader;
use self::trail::Trail;
use super::problem::{PROBLEMS_MAX, Place, Problem, Severity};
use super::tree::Node;
use crate::secret::SecretRef;

pub(super) use self::trail::item_name;

/// A secret that the configuration names, as the tree has it.
pub(super) struct SecretPlace<'t> {
    /// Its path as people read it.
    pub(super) path: String,
    pub(super) node: &'t Node,
    /// Whether its entry is enabled.
    pub(super) wanted: bool,
}

impl SecretPlace<'_> {
    /// The reference itself.
    pub(super) fn reference(&self) -> Option<SecretRef> {
        let secrets = RefCell::new(Vec::new());
        SecretRef::deserialize(Reader::new(self.node, &Trail::Root, &secrets)).ok()
    }
}

/// Reads a `T` from the tree and reports everything that had to be dropped on the way. `None` when the root itself is at
/// fault, or when there is no end of problems.
pub(super) fn read<'t, T: Deserialize<'t>>(
    root: &'t Node,
    file: &str,
    problems: &mut Vec<Problem>,
) -> Option<(T, Vec<SecretPlace<'t>>)> {
    let secrets = RefCell::new(Vec::new());
    loop {
        let fault = match T::deserialize(Reader::new(root, &Trail::Root, &secrets)) {
            Ok(read) => return Some((read, secrets.into_inner())),
            Err(fault) => fault,
        };
        let at_root = fault.spot.is_none();
        if !fault.known_already {
            let (place, path) = fault.spot.unwrap_or((root.place, String::new()));
            problems.push(Problem {
                severity: Severity::Error,
                file: file.to_owned(),
                place: Some(place),
                path,
                what: fault.what,
                hint: fault.hint,
            });
        }
        if at_root || problems.len() >= PROBLEMS_MAX {
            return None;
        }
    }
}

/// Where a fault lies: its place and its path.
type Spot = (Place, String);
