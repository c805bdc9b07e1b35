//! Why a change needs a person, what an approval of it names, and what no approval releases.
//!
//! What an approval releases is decided in `reconcile`, where a held change is looked up among those that
//! were approved. [`HoldReason::instead`] says the same for everybody who offers an approval; a test of the plans holds both
//! together.

/// Why a change needs a person. Each has a stable word, which the documentation explains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HoldReason {
    /// The first plan for an application that already holds accounts.
    FirstPlan,
    /// More removals than the limit allows.
    RemovalsLimit,
    /// More deactivations than the limit allows.
    DeactivationsLimit,
    /// More additions than the limit allows.
    AdditionsLimit,
    /// One group would lose more than half and at least 20 of its members.
    GroupLimit,
    /// No seat is free.
    Seats,
    /// First seen after the configuration changed.
    ConfigurationChanged,
    /// The username is linked to an account, but nothing proves it is the same person.
    IdentityConflict,
    /// The account was switched off by somebody else.
    OffInApplication,
    /// An unlinked account bears the mail of the user to be created.
    MailTaken,
    /// The name is taken by an account or group that may not be adopted.
    NameTaken,
    /// The new name of a rename exists in a lower directory.
    NameInLowerDirectory,
    /// Renames that form a ring.
    RenameRing,
    /// The application cannot rename.
    RenameUnsupported,
    /// Whoever polls the set takes a group of another name for another group.
    GroupRename,
    /// Two users share one pushed name, or one user matches two accounts.
    Ambiguous,
    /// The user is tied to another username, or a tie ended.
    Tie,
}

impl HoldReason {
    /// The stable word for it.
    pub fn word(self) -> &'static str {
        match self {
            HoldReason::FirstPlan => "first_plan",
            HoldReason::RemovalsLimit => "removals_limit",
            HoldReason::DeactivationsLimit => "deactivations_limit",
            HoldReason::AdditionsLimit => "additions_limit",
            HoldReason::GroupLimit => "group_limit",
            HoldReason::Seats => "seats",
            HoldReason::ConfigurationChanged => "configuration_changed",
            HoldReason::IdentityConflict => "identity_conflict",
            HoldReason::OffInApplication => "off_in_application",
            HoldReason::MailTaken => "mail_taken",
            HoldReason::NameTaken => "name_taken",
            HoldReason::NameInLowerDirectory => "name_in_lower_directory",
            HoldReason::RenameRing => "rename_ring",
            HoldReason::RenameUnsupported => "rename_unsupported",
            HoldReason::GroupRename => "group_rename",
            HoldReason::Ambiguous => "ambiguous",
            HoldReason::Tie => "tie",
        }
    }

    /// What must be done instead, where approving a change that is held for this reason has no effect; `None` where an approval
    /// releases it. `change` is named as in [`HoldKey::change`]. Whatever offers an approval asks here first.
    pub fn instead(self, change: &str) -> Option<&'static str> {
        const RING: &str =
            "in the directory, give one of them a third name, run a pass, then give the final name";
        const UNSUPPORTED: &str =
            "rename it in the application by hand, or take the new name back in the directory";
        const AMBIGUOUS: &str =
            "leave one of that name in the application, or correct `people`; the detail says which";
        const CREATE: &str = "resolve what keeps the name taken; this follows";
        const TAKEN: &str =
            "free the new name where the detail says it is taken, or take it back in the directory";
        const KEPT: &str =
            "resolve the rename onto its name; until then switch it off in the application by hand";
        match self {
            HoldReason::RenameRing => Some(RING),
            HoldReason::RenameUnsupported | HoldReason::NameInLowerDirectory
                if change == "leave" =>
            {
                Some(KEPT)
            }
            HoldReason::RenameUnsupported => Some(UNSUPPORTED),
            HoldReason::Ambiguous => Some(AMBIGUOUS),
            HoldReason::NameTaken => match change {
                "adopt" => None,
                "create" => Some(CREATE),
                "leave" => Some(KEPT),
                _ => Some(TAKEN),
            },
            HoldReason::FirstPlan
            | HoldReason::RemovalsLimit
            | HoldReason::DeactivationsLimit
            | HoldReason::AdditionsLimit
            | HoldReason::GroupLimit
            | HoldReason::Seats
            | HoldReason::ConfigurationChanged
            | HoldReason::IdentityConflict
            | HoldReason::OffInApplication
            | HoldReason::MailTaken
            | HoldReason::NameInLowerDirectory
            | HoldReason::GroupRename
            | HoldReason::Tie => None,
        }
    }

    /// The reason of a stable word.
    pub fn of_word(word: &str) -> Option<HoldReason> {
        [
            HoldReason::FirstPlan,
            HoldReason::RemovalsLimit,
            HoldReason::DeactivationsLimit,
            HoldReason::AdditionsLimit,
            HoldReason::GroupLimit,
            HoldReason::Seats,
            HoldReason::ConfigurationChanged,
            HoldReason::IdentityConflict,
            HoldReason::OffInApplication,
            HoldReason::MailTaken,
            HoldReason::NameTaken,
            HoldReason::NameInLowerDirectory,
            HoldReason::RenameRing,
            HoldReason::RenameUnsupported,
            HoldReason::GroupRename,
            HoldReason::Ambiguous,
            HoldReason::Tie,
        ]
        .into_iter()
        .find(|it| it.word() == word)
    }
}

/// What an approval names: a subject, a change, and the reason for which it is held.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HoldKey {
    /// `user anna` or `group staff`, by folded pushed name.
    pub subject: String,
    /// What would be done: `create`, `deactivate`, `rename to berta`, `leave staff`.
    pub change: String,
    /// Why it is held.
    pub reason: HoldReason,
}

/// A change that is known and not made: held for a person, or waiting for a clock or for certainty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Withheld<R> {
    /// `user anna` or `group staff`, by folded pushed name.
    pub subject: String,
    /// What would be done.
    pub change: String,
    /// Why it is not.
    pub reason: R,
    /// What an administrator needs to know to decide: the records and accounts concerned.
    pub detail: String,
}

impl Withheld<HoldReason> {
    /// What an approval of it names.
    pub fn key(&self) -> HoldKey {
        HoldKey {
            subject: self.subject.clone(),
            change: self.change.clone(),
            reason: self.reason,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_approval_releases_names_another_remedy() {
        let check = |reason: HoldReason, change: &str, releasable: bool| {
            let instead = reason.instead(change);
            assert_eq!(instead.is_none(), releasable, "{reason:?}: {change}");
        };
        check(HoldReason::FirstPlan, "rename to berta", true);
        check(HoldReason::RemovalsLimit, "leave", true);
        check(HoldReason::Seats, "rename to staff", true);
        check(HoldReason::IdentityConflict, "relink", true);
        check(HoldReason::OffInApplication, "activate", true);
        check(HoldReason::MailTaken, "create", true);
        check(HoldReason::Tie, "leave", true);
        check(HoldReason::Tie, "rename to berta", true);
        check(HoldReason::NameTaken, "adopt", true);
        check(HoldReason::NameTaken, "create", false);
        check(HoldReason::NameTaken, "leave", false);
        check(HoldReason::NameTaken, "rename to berta", false);
        check(HoldReason::NameInLowerDirectory, "rename to berta", true);
        check(HoldReason::NameInLowerDirectory, "leave", false);
        check(HoldReason::RenameRing, "rename to berta", false);
        check(HoldReason::RenameUnsupported, "rename to berta", false);
        check(HoldReason::RenameUnsupported, "leave", false);
        check(HoldReason::Ambiguous, "adopt", false);
        check(HoldReason::Ambiguous, "create", false);
    }

    #[test]
    fn every_reason_is_found_by_its_word() {
        for word in ["first_plan", "name_taken", "tie"] {
            assert_eq!(HoldReason::of_word(word).map(HoldReason::word), Some(word));
        }
        assert_eq!(HoldReason::of_word("suspect_read"), None);
    }
}
