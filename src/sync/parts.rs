//! What the jobs work with: every directory and application of the configuration, compiled and connected.

use std::sync::Arc;

use crate::applications::Application;
use crate::directories::Directory;
use crate::reconcile::rules::{ApplicationRules, DirectoryRules};
use crate::text::{Percent, Span};

/// A directory of the configuration.
#[derive(Clone, Debug)]
pub struct DirectoryPart {
    /// The entry's id: its identity in the store.
    pub id: String,
    /// The entry's name, as in events.
    pub name: String,
    /// The connector; `None` when the entry is disabled.
    pub directory: Option<Arc<dyn Directory>>,
    /// Digest of the connector's configuration: records read under another one are not the present ones.
    pub basis: String,
    /// What comes before resolution.
    pub rules: DirectoryRules,
    /// The share whose loss makes a read suspect.
    pub shrink_limit: Percent,
    /// The window in which that share is counted.
    pub window: Span,
    /// A complete read is asked for at least this often.
    pub reread: Span,
    /// Records older than this are stale.
    pub stale_after: Span,
}

/// An application of the configuration.
#[derive(Clone, Debug)]
pub struct ApplicationPart {
    /// The entry's id: its identity in the store.
    pub id: String,
    /// The entry's name, as in events.
    pub name: String,
    /// The connector.
    pub application: Arc<dyn Application>,
    /// Everything a plan follows.
    pub rules: ApplicationRules,
    /// The listed directories, highest first.
    pub directories: Vec<Arc<DirectoryPart>>,
    /// Digest of what the roster means: its change holds removals.
    pub basis: String,
    /// Digest of everything that a plan may follow: its change makes a push due.
    pub configured: String,
    /// Plans are made and not applied.
    pub plan_only: bool,
    /// Everything that the application holds is listed anew at least this often.
    pub reread: Span,
    /// Without a successful push for this long it is stale.
    pub stale_after: Span,
    /// The window of the limits.
    pub window: Span,
}
