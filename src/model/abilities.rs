//! What an application is able to do, so that a plan never asks for more.

/// The account fields that an application can hold; one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    /// Holds a display name.
    pub display_name: bool,
    /// Holds a given name.
    pub given_name: bool,
    /// Holds a family name.
    pub family_name: bool,
    /// Holds a mail address.
    pub email: bool,
    /// Holds the name of the winning directory.
    pub directory: bool,
    /// Holds the stable id of the user.
    pub external_id: bool,
}

/// How an application compares names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NameRules {
    /// Names that fold to one key (NFC, lower case) are one name.
    #[default]
    Folded,
    /// As [`NameRules::Folded`], and the application stores every name in lower case.
    LowerCased,
}

/// How many changes an application takes at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Batch {
    /// One change a call.
    #[default]
    One,
    /// Up to so many changes a call.
    Many(u32),
    /// A whole plan in one transaction: all of it happens, or nothing does.
    Whole,
}

/// What an application is able to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Abilities {
    /// Fields that an account can hold.
    pub fields: Fields,
    /// Accounts can be switched off and on.
    pub deactivate: bool,
    /// Accounts can be deleted.
    pub delete_accounts: bool,
    /// Accounts can be renamed with everything they own.
    pub rename_accounts: bool,
    /// There are groups.
    pub groups: bool,
    /// Groups can be described.
    pub describe_groups: bool,
    /// Groups can be renamed with their members.
    pub rename_groups: bool,
    /// Groups can be deleted.
    pub delete_groups: bool,
    /// Groups can be members of groups.
    pub nest: bool,
    /// A new account may find itself in groups that nobody asked for: the product puts it there.
    pub gives_groups: bool,
    /// Its set is kept here and served from here: other programs poll it and hold accounts made of it, which nobody can list.
    pub served: bool,
    /// How names are compared.
    pub names: NameRules,
    /// How many changes are taken at once.
    pub batch: Batch,
    /// Folded names of the built-in administrators' groups: protected, with their present members.
    pub admin_groups: Vec<String>,
    /// The folded name of the account that the daemon itself logs in with.
    pub own_account: Option<String>,
}
