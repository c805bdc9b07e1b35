//! What reads and pushes count, added up over a pass.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// Numbers of one read, one push, or one pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Directories whose accepted records became others.
    pub directories_changed: u64,
    /// Directories that answered what they had answered before.
    pub directories_unchanged: u64,
    /// Directories whose answer lies aside until approved or mended.
    pub directories_suspect: u64,
    /// Directories that could not be read completely.
    pub directories_failed: u64,
    /// Records that were rejected, in the reads counted here.
    pub records_rejected: u64,
    /// Records whose present state could not be read, in the reads counted here.
    pub records_unknown: u64,
    /// Applications that were pushed.
    pub applications_pushed: u64,
    /// Applications for which nothing was due.
    pub applications_not_due: u64,
    /// Applications that could not be processed.
    pub applications_failed: u64,
    /// Accounts made.
    pub accounts_created: u64,
    /// Accounts whose fields, name, link or state were changed otherwise than counted below.
    pub accounts_updated: u64,
    /// Accounts switched off.
    pub accounts_deactivated: u64,
    /// Accounts deleted.
    pub accounts_deleted: u64,
    /// Groups made, changed or deleted.
    pub groups_changed: u64,
    /// Memberships given.
    pub memberships_given: u64,
    /// Memberships taken.
    pub memberships_taken: u64,
    /// Changes that an application refused.
    pub changes_refused: u64,
    /// Changes that failed otherwise and are tried again.
    pub changes_failed: u64,
    /// Changes that need a person.
    pub changes_held: u64,
    /// Changes whose clock runs.
    pub changes_waiting: u64,
    /// Accounts on which nothing may change, because something about their user is unknown.
    pub accounts_frozen: u64,
    /// Applications whose removals are blocked.
    pub removals_blocked: u64,
}

impl Counts {
    /// Only what was done, without what stands open.
    #[must_use]
    pub fn done(&self) -> Counts {
        Counts {
            accounts_created: self.accounts_created,
            accounts_updated: self.accounts_updated,
            accounts_deactivated: self.accounts_deactivated,
            accounts_deleted: self.accounts_deleted,
            groups_changed: self.groups_changed,
            memberships_given: self.memberships_given,
            memberships_taken: self.memberships_taken,
            ..Counts::default()
        }
    }

    /// How many steps were made.
    pub fn applied(&self) -> u64 {
        self.accounts_created
            + self.accounts_updated
            + self.accounts_deactivated
            + self.accounts_deleted
            + self.groups_changed
            + self.memberships_given
            + self.memberships_taken
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        // Taken apart field by field, so that a new number cannot be forgotten.
        let Counts {
            directories_changed,
            directories_unchanged,
            directories_suspect,
            directories_failed,
            records_rejected,
            records_unknown,
            applications_pushed,
            applications_not_due,
            applications_failed,
            accounts_created,
            accounts_updated,
            accounts_deactivated,
            accounts_deleted,
            groups_changed,
            memberships_given,
            memberships_taken,
            changes_refused,
            changes_failed,
            changes_held,
            changes_waiting,
            accounts_frozen,
            removals_blocked,
        } = other;
        self.directories_changed += directories_changed;
        self.directories_unchanged += directories_unchanged;
        self.directories_suspect += directories_suspect;
        self.directories_failed += directories_failed;
        self.records_rejected += records_rejected;
        self.records_unknown += records_unknown;
        self.applications_pushed += applications_pushed;
        self.applications_not_due += applications_not_due;
        self.applications_failed += applications_failed;
        self.accounts_created += accounts_created;
        self.accounts_updated += accounts_updated;
        self.accounts_deactivated += accounts_deactivated;
        self.accounts_deleted += accounts_deleted;
        self.groups_changed += groups_changed;
        self.memberships_given += memberships_given;
        self.memberships_taken += memberships_taken;
        self.changes_refused += changes_refused;
        self.changes_failed += changes_failed;
        self.changes_held += changes_held;
        self.changes_waiting += changes_waiting;
        self.accounts_frozen += accounts_frozen;
        self.removals_blocked += removals_blocked;
    }
}
