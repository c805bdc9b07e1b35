//! Users and groups as Crowd tells them.

/// A user. What the server does not tell is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// The username as spelled.
    pub name: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// The name people see.
    pub display_name: String,
    /// Mail address.
    pub email: String,
    /// Whether the user may log in; `None` where the server does not tell, as in a list that was not expanded.
    pub active: Option<bool>,
    /// The id that stays through renames; opaque. Servers of older versions have none.
    pub key: String,
    /// Further attributes; only where they were asked for.
    pub attributes: Vec<Attribute>,
}

/// A group. What the server does not tell is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// The name as spelled; it is the group's id as well.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Whether it counts; `None` where the server does not tell.
    pub active: Option<bool>,
    /// Further attributes; only where they were asked for.
    pub attributes: Vec<Attribute>,
}

/// A further attribute of a user or a group: its name and its values, each of at most 255 characters.
pub type Attribute = (String, Vec<String>);

/// A record that makes no sense, with what is known of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct BadRecord {
    /// Its name, where it is a text.
    pub name: String,
    /// Its key, where it is a text; always empty of groups.
    pub key: String,
    /// What is wrong, without values.
    pub reason: String,
}
