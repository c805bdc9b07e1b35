//! What can be said of an application, whatever its type. The type's own options stand under one key named after it.

use serde::{Deserialize, Serialize};

use super::defaults;
use super::directory::Kind;
use super::names::{EntryName, Identity, Name};
use super::values::{GlobList, pairs, span_or_never};
use crate::applications::crowd::config::CrowdConfig;
use crate::applications::crowd_server::config::CrowdServerConfig;
use crate::applications::sql::config::SqlConfig;
use crate::text::{Percent, Span};

/// One application.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplicationEntry {
    /// How it is called here and in the log.
    pub name: EntryName,
    /// Its identity in the store; the name where not given. With it, an application may be renamed.
    pub id: Option<EntryName>,
    /// The id that it had before: what is remembered under that is taken over.
    pub renamed_from: Option<EntryName>,
    /// Whether it is filled.
    #[serde(default = "defaults::enabled")]
    pub enabled: bool,
    /// Names of directories in priority order: the first that has a username wins.
    #[serde(default)]
    pub directories: Vec<EntryName>,
    /// Whether plans are applied or only shown.
    #[serde(default)]
    pub mode: Mode,
    /// What becomes of the first plan for an application that holds accounts already.
    #[serde(default)]
    pub first_pass: FirstPass,
    /// Whose memberships a user gets; see [`ApplicationEntry::memberships`].
    #[serde(rename = "memberships")]
    pub(super) memberships_written: Option<Memberships>,
    /// An inactive user in a higher directory gives way to an active one in a lower.
    #[serde(default)]
    pub inactive_falls_through: bool,
    /// What becomes of groups in groups.
    #[serde(default)]
    pub nested_groups: NestedGroups,
    /// What sorts of users are taken.
    #[serde(default = "defaults::kinds")]
    pub kinds: Vec<Kind>,
    /// Which users are chosen.
    #[serde(default)]
    pub users: UserScope,
    /// Which groups are chosen, and what they are called.
    #[serde(default)]
    pub groups: GroupScope,
    /// Persons with several usernames, tied by hand: the name and the records that are this person.
    #[serde(default, deserialize_with = "pairs")]
    pub people: Vec<(Name, Vec<Identity>)>,
    /// Ties users of different usernames by mail, among the directories that `trust_mail`.
    #[serde(default)]
    pub link_by_email: bool,
    /// How an existing account is recognised as a user's.
    #[serde(default = "defaults::adopt")]
    pub adopt: Vec<AdoptBy>,
    /// An equal username proves an equal person.
    #[serde(default)]
    pub trust_usernames: bool,
    /// How long a user must be gone before the account follows.
    #[serde(default = "defaults::grace")]
    pub grace: Span,
    /// What becomes of the account of a user who left.
    #[serde(default)]
    pub on_leave: OnLeave,
    /// How long after that it is deleted; `None` is never.
    #[serde(default, deserialize_with = "span_or_never")]
    pub delete_after: Option<Span>,
    /// Whether groups that left are deleted once they are empty.
    #[serde(default)]
    pub delete_groups: bool,
    /// How much may change before a person is asked.
    #[serde(default)]
    pub limits: Limits,
    /// How many may hold a licence.
    #[serde(default)]
    pub seats: Vec<Seats>,
    /// Whom nothing is done to.
    #[serde(default)]
    pub protect: Protect,
    /// Groups of the application that every chosen user is given.
    #[serde(default)]
    pub default_groups: Vec<Name>,
    /// How long plans are made against what was last seen before everything is listed again.
    #[serde(default = "defaults::reread")]
    pub reread: Span,
    /// How old the last successful push may grow before an operator must look.
    #[serde(default = "defaults::stale_after")]
    pub stale_after: Span,
    /// Tables of a database.
    pub sql: Option<SqlConfig>,
    /// A Crowd that is filled.
    pub crowd: Option<CrowdConfig>,
    /// Kept here and served to others as a Crowd.
    pub crowd_server: Option<CrowdServerConfig>,
}

/// The connector of an application with its own options.
#[derive(Clone, Copy, Debug)]
pub enum ApplicationType<'a> {
    /// Tables of a database.
    Sql(&'a SqlConfig),
    /// A Crowd that is filled.
    Crowd(&'a CrowdConfig),
    /// Kept here and served to others as a Crowd.
    CrowdServer(&'a CrowdServerConfig),
}

/// Whether plans are applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// They are.
    #[default]
    Apply,
    /// They are shown, and nothing is written.
    Plan,
}

/// What becomes of the first plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FirstPass {
    /// It is held until somebody approves it.
    #[default]
    Approve,
    /// It is applied.
    Apply,
}

/// Whose memberships a user gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Memberships {
    /// Those of the winning directory.
    First,
    /// Those of every listed directory that has the username.
    Aggregate,
}

/// What becomes of groups in groups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NestedGroups {
    /// Members of a group become members of the groups above it.
    #[default]
    Flatten,
    /// Groups are put into groups.
    Keep,
}

/// How an existing account is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdoptBy {
    /// By its name.
    Username,
    /// By its mail, if that is unique on both sides.
    Mail,
}

/// What becomes of the account of a user who left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnLeave {
    /// It is switched off and keeps its memberships.
    #[default]
    Deactivate,
    /// It is switched off and loses its memberships.
    Strip,
    /// Nothing.
    Keep,
}

/// Which users are chosen, after everything is resolved.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct UserScope {
    /// Usernames that are chosen; every one where nothing is listed.
    #[serde(default)]
    pub include: GlobList,
    /// Usernames of those that are not.
    #[serde(default)]
    pub exclude: GlobList,
    /// Only members of these groups, through other groups too; no such condition where nothing is listed.
    #[serde(default)]
    pub members_of: GlobList,
}

/// Which groups are chosen, and what they are called.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupScope {
    /// Groups that are chosen; every one where nothing is listed.
    #[serde(default)]
    pub include: GlobList,
    /// Groups of those that are not.
    #[serde(default)]
    pub exclude: GlobList,
    /// What groups are called in the application, by what they are called in the directories.
    #[serde(default, deserialize_with = "pairs")]
    pub rename: Vec<(Name, Name)>,
    /// Groups of the application that lose every member whom no directory gives them, whoever put it there.
    #[serde(default)]
    pub exact: GlobList,
}

/// How much may change within the window before the class of changes is held.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// The window.
    pub window: Span,
    /// Accounts deactivated, stripped or deleted by absence, or losing a membership.
    pub removals: Percent,
    /// Accounts switched off because their user is.
    pub deactivations: Percent,
    /// Accounts created or switched on.
    pub additions: Percent,
}

/// A number of licences.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seats {
    /// Groups of the application whose active members need one; every active account where none is listed.
    #[serde(default)]
    pub groups: Vec<Name>,
    /// How many there are.
    pub max: u32,
}

/// Whom nothing is done to.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Protect {
    /// Accounts by name.
    #[serde(default)]
    pub users: GlobList,
    /// Groups by name, with their present members.
    #[serde(default)]
    pub groups: GlobList,
    /// The built-in administrators' groups of the application's type, with their present members.
    #[serde(default = "defaults::protect_defaults")]
    pub defaults: bool,
}

impl ApplicationEntry {
    /// Its identity in the store.
    pub fn id(&self) -> &EntryName {
        self.id.as_ref().unwrap_or(&self.name)
    }

    /// Its connector; there is exactly one in every entry that was loaded.
    pub fn connector(&self) -> Option<ApplicationType<'_>> {
        let sql = self.sql.as_ref().map(ApplicationType::Sql);
        let crowd = self.crowd.as_ref().map(ApplicationType::Crowd);
        let served = self.crowd_server.as_ref();
        sql.or(crowd).or(served.map(ApplicationType::CrowdServer))
    }

    /// Whose memberships a user gets: as written, else by the type of the application.
    pub fn memberships(&self) -> Memberships {
        match (self.memberships_written, self.connector()) {
            (Some(written), _) => written,
            (None, _) => Memberships::First,
        }
    }
}

/// The keys of the connectors, as [`ApplicationEntry`] has them.
pub(super) const APPLICATION_TYPES: [&str; 3] = ["sql", "crowd", "crowd_server"];

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            window: defaults::window(),
            removals: defaults::removals(),
            deactivations: defaults::deactivations(),
            additions: defaults::additions(),
        }
    }
}

impl Default for Protect {
    fn default() -> Protect {
        Protect {
            users: GlobList::default(),
            groups: GlobList::default(),
            defaults: defaults::protect_defaults(),
        }
    }
}
