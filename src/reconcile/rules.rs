//! The compiled rules of a directory and of an application: what the configuration means, in types that need no checking.

use crate::model::Kind;
use crate::text::{Globs, Percent, Span};

/// What belongs to a directory and comes before resolution.
#[derive(Clone, Debug, Default)]
pub struct DirectoryRules {
    /// Which users are of which kind; the first rule that fits says so, in the order person, service, customer.
    pub classify: Vec<(Kind, KindRule)>,
    /// Usernames that the directory is taken not to have.
    pub skip_users: Globs,
    /// Groups that are taken; empty for all.
    pub include_groups: Globs,
    /// Groups that are not.
    pub exclude_groups: Globs,
    /// Groups that the directory may give members to; empty for all.
    pub may_fill: Globs,
    /// Whose mail addresses prove who somebody is.
    pub trust_mail: TrustMail,
    /// The further attribute that names the person behind a record.
    pub person_key: Option<String>,
    /// Mail addresses are names here, which somebody else may get, while ids stay with their persons: between two records of
    /// this directory an equal address proves nothing.
    pub mail_is_name: bool,
    /// A username that this directory once won never falls to a lower one by absence or inactivity.
    pub authoritative: bool,
}

/// Mail addresses of which a directory knows the owner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TrustMail {
    /// None.
    #[default]
    Never,
    /// All.
    Always,
    /// Those of these domains, in lower case.
    Domains(Vec<String>),
}

/// When a user is of a kind: any one of these.
#[derive(Clone, Debug, Default)]
pub struct KindRule {
    /// The folded username matches.
    pub users: Globs,
    /// It is, directly or through groups, in a group that matches.
    pub groups: Globs,
    /// A further attribute has one of these values.
    pub attributes: Vec<(String, Vec<String>)>,
    /// It is in no group at all.
    pub no_group: bool,
}

/// Whose groups count for a username that several directories have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Memberships {
    /// Those of the winning directory.
    #[default]
    First,
    /// Those of all listed directories.
    Aggregate,
}

/// What becomes of an account whose user left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnLeave {
    /// It is switched off and keeps its memberships.
    #[default]
    Deactivate,
    /// It is switched off and loses the memberships made here.
    Strip,
    /// Nothing.
    Keep,
}

/// How many active accounts there may be.
#[derive(Clone, Debug)]
pub struct Seats {
    /// Folded pushed names of the groups whose active members count together; empty for all active accounts.
    pub groups: Vec<String>,
    /// How many.
    pub max: u64,
}

/// The limits on what may happen within a window.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Share of accounts that may be removed.
    pub removals: Percent,
    /// Share of accounts that may be switched off because their user is inactive; at least 5.
    pub deactivations: Percent,
    /// Share of accounts that may be added; at least 50.
    pub additions: Percent,
}

/// What belongs to an application.
#[derive(Clone, Debug)]
pub struct ApplicationRules {
    /// Whose groups count.
    pub memberships: Memberships,
    /// An inactive user in a higher directory gives way to an active one in a lower.
    pub inactive_falls_through: bool,
    /// Groups stay members of groups; else every user gets the closure.
    pub keep_nesting: bool,
    /// The kinds of users that are taken.
    pub kinds: Vec<Kind>,
    /// Usernames that are taken; empty for all.
    pub include_users: Globs,
    /// Usernames that are not.
    pub exclude_users: Globs,
    /// Groups whose members are taken; empty for everybody.
    pub members_of: Globs,
    /// Groups that are pushed; empty for all.
    pub include_groups: Globs,
    /// Groups that are not.
    pub exclude_groups: Globs,
    /// Folded names and the names they are pushed under.
    pub rename_groups: Vec<(String, String)>,
    /// Groups whose members are exactly those of the roster.
    pub exact: Globs,
    /// Groups that everybody gets, by name.
    pub default_groups: Vec<String>,
    /// Usernames that are one person: the folded name, and folded `(name, directory entry id)`.
    pub people: Vec<(String, Vec<(String, String)>)>,
    /// Usernames with one trusted mail are one person.
    pub link_by_email: bool,
    /// Accounts of the same pushed name are taken over.
    pub adopt_by_name: bool,
    /// Accounts of the same mail are taken over.
    pub adopt_by_mail: bool,
    /// An equal username proves the same person.
    pub trust_usernames: bool,
    /// How long an absence must last.
    pub grace: Span,
    /// What becomes of an account whose user left.
    pub on_leave: OnLeave,
    /// How long after that an account made here is deleted.
    pub delete_after: Option<Span>,
    /// Groups that left are deleted.
    pub delete_groups: bool,
    /// What may happen within a window.
    pub limits: Limits,
    /// How many active accounts there may be.
    pub seats: Vec<Seats>,
    /// Usernames that are never touched.
    pub protect_users: Globs,
    /// Groups that are never touched.
    pub protect_groups: Globs,
    /// The built-in administrators' groups and their members are never touched.
    pub protect_defaults: bool,
    /// The first plan for an application that holds accounts waits for a person.
    pub approve_first: bool,
}

impl Default for ApplicationRules {
    fn default() -> Self {
        ApplicationRules {
            memberships: Memberships::First,
            inactive_falls_through: false,
            keep_nesting: false,
            kinds: vec![Kind::Person],
            include_users: Globs::default(),
            exclude_users: Globs::default(),
            members_of: Globs::default(),
            include_groups: Globs::default(),
            exclude_groups: Globs::default(),
            rename_groups: Vec::new(),
            exact: Globs::default(),
            default_groups: Vec::new(),
            people: Vec::new(),
            link_by_email: false,
            adopt_by_name: true,
            adopt_by_mail: false,
            trust_usernames: false,
            grace: Span::hours(24),
            on_leave: OnLeave::Deactivate,
            delete_after: None,
            delete_groups: false,
            limits: Limits {
                removals: Percent::whole(10),
                deactivations: Percent::whole(20),
                additions: Percent::whole(10),
            },
            seats: Vec::new(),
            protect_users: Globs::default(),
            protect_groups: Globs::default(),
            protect_defaults: true,
            approve_first: true,
        }
    }
}

/// Whether a folded name is chosen by a pair of lists, the first of which means everything when empty.
pub(crate) fn chosen(include: &Globs, exclude: &Globs, key: &str) -> bool {
    (include.is_empty() || include.is_match(key)) && !exclude.is_match(key)
}
