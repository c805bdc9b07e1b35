//! What an administrator writes about an SQL application, and what is wrong with it.

mod names;
mod url;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use self::url::{BadDatabaseUrl, DatabaseUrl};

/// The options of an SQL application.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SqlConfig {
    /// The database: `sqlite:///var/lib/app/users.db`. A relative path counts from the configuration file.
    pub url: DatabaseUrl,
    /// Makes the default tables at the first push, and the database file with them.
    #[serde(default)]
    pub create_tables: bool,
    /// Tables that exist already; without it the default tables are used.
    pub tables: Option<Tables>,
}

/// Existing tables: which column holds what. What is not named here is never written.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tables {
    /// The table of users.
    pub users: UsersTable,
    /// The table of groups; without it only users are pushed.
    pub groups: Option<GroupsTable>,
    /// The table that says which user is in which group. Goes together with `groups`.
    pub memberships: Option<MembershipsTable>,
    /// The table that says which group is in which group.
    pub group_memberships: Option<GroupMembershipsTable>,
}

/// A table of users.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsersTable {
    /// The name of the table.
    pub table: String,
    /// The column of the username.
    pub key: String,
    /// The column by which the other tables refer to a user, filled by the database; without it they refer to the username.
    pub id: Option<String>,
    /// A column that repeats the username in lower case.
    pub lower_key: Option<String>,
    /// The columns of the fields.
    #[serde(default)]
    pub columns: UserColumns,
    /// The column that switches a user on and off; without it nobody is deactivated.
    pub active: Option<ActiveColumn>,
    /// What further columns are given when a user is made.
    #[serde(default)]
    pub fixed: BTreeMap<String, Scalar>,
}

/// The columns of a user's fields. A field without a column is not pushed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserColumns {
    /// The name people see.
    pub display_name: Option<String>,
    /// First name.
    pub given_name: Option<String>,
    /// Last name.
    pub family_name: Option<String>,
    /// Mail address.
    pub email: Option<String>,
    /// Name of the directory that the user comes from.
    pub directory: Option<String>,
    /// Stable id of the user in that directory.
    pub external_id: Option<String>,
}

/// A column that switches a user on and off.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActiveColumn {
    /// The name of the column.
    pub column: String,
    /// What stands there for a user who may log in.
    #[serde(default = "one")]
    pub on: Scalar,
    /// What stands there for a user who may not.
    #[serde(default = "zero")]
    pub off: Scalar,
}

/// A table of groups.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupsTable {
    /// The name of the table.
    pub table: String,
    /// The column of the group's name.
    pub key: String,
    /// The column by which the other tables refer to a group, filled by the database; without it they refer to the name.
    pub id: Option<String>,
    /// The column of the description.
    pub description: Option<String>,
    /// What further columns are given when a group is made.
    #[serde(default)]
    pub fixed: BTreeMap<String, Scalar>,
}

/// A table that says which user is in which group.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MembershipsTable {
    /// The name of the table.
    pub table: String,
    /// The column that refers to the group.
    pub group: String,
    /// The column that refers to the user.
    pub user: String,
    /// What further columns are given when a membership is made.
    #[serde(default)]
    pub fixed: BTreeMap<String, Scalar>,
}

/// A table that says which group is in which group.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupMembershipsTable {
    /// The name of the table.
    pub table: String,
    /// The column that refers to the group that contains.
    pub parent: String,
    /// The column that refers to the group that is contained.
    pub child: String,
    /// What further columns are given when a membership is made.
    #[serde(default)]
    pub fixed: BTreeMap<String, Scalar>,
}

/// A value that stands in a column as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "a text, a whole number, or `true` or `false`, was expected"
)]
pub enum Scalar {
    /// `true` or `false`; SQLite holds them as 1 and 0.
    Truth(bool),
    /// A whole number.
    Number(i64),
    /// A text.
    Text(String),
}

/// One thing that is wrong with the options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlProblem {
    /// The option, counted from the application's `sql` block: `tables.users.key`.
    pub path: String,
    /// What is wrong and what to do.
    pub text: String,
}

impl SqlConfig {
    /// Everything that is wrong with the options beyond their types, without asking the database.
    pub fn problems(&self) -> Vec<SqlProblem> {
        let mut problems = Vec::new();
        let mut add = |path: &str, text: &str| {
            problems.push(SqlProblem {
                path: path.to_owned(),
                text: text.to_owned(),
            });
        };
        let Some(tables) = &self.tables else {
            return problems;
        };
        if self.create_tables {
            add(
                "create_tables",
                "makes the default tables, so it does not go with `tables`: leave one of them out",
            );
        }
        if tables.groups.is_some() != tables.memberships.is_some() {
            add(
                "tables",
                "`groups` and `memberships` go together: name both or none",
            );
        }
        if tables.group_memberships.is_some() && tables.groups.is_none() {
            add(
                "tables.group_memberships",
                "there is no table of groups: add `groups` and `memberships`",
            );
        }
        if let Some(active) = &tables.users.active
            && active.on.text() == active.off.text()
        {
            add(
                "tables.users.active",
                "`on` and `off` are the same value: nobody could be told apart by it",
            );
        }
        problems.extend(names::problems(tables));
        problems
    }

    /// The canonical text of what is filled, so that two applications on one target can be told: the file and the table
    /// of users. Links in the path are followed where the file or its folder exists.
    pub fn target(&self) -> String {
        let table = match &self.tables {
            Some(tables) => tables.users.table.to_lowercase(),
            None => "users".to_owned(),
        };
        let path = canonical(self.url.path());
        format!("sqlite:{}#{table}", path.display())
    }

    /// The same options with a relative path of the database counted from a folder.
    #[must_use]
    pub fn anchored(mut self, folder: &Path) -> SqlConfig {
        self.url.path = folder.join(self.url.path());
        self
    }
}

impl Scalar {
    /// The value as the database shows it as text.
    pub fn text(&self) -> String {
        match self {
            Scalar::Truth(truth) => i64::from(*truth).to_string(),
            Scalar::Number(number) => number.to_string(),
            Scalar::Text(text) => text.clone(),
        }
    }
}

impl Default for Tables {
    /// The default tables.
    fn default() -> Tables {
        let column = |name: &str| Some(name.to_owned());
        Tables {
            users: UsersTable {
                table: "users".into(),
                key: "username".into(),
                id: None,
                lower_key: None,
                columns: UserColumns {
                    display_name: column("display_name"),
                    given_name: column("given_name"),
                    family_name: column("family_name"),
                    email: column("email"),
                    directory: column("directory"),
                    external_id: column("external_id"),
                },
                active: Some(ActiveColumn {
                    column: "active".into(),
                    on: one(),
                    off: zero(),
                }),
                fixed: BTreeMap::new(),
            },
            groups: Some(GroupsTable {
                table: "groups".into(),
                key: "name".into(),
                id: None,
                description: column("description"),
                fixed: BTreeMap::new(),
            }),
            memberships: Some(MembershipsTable {
                table: "memberships".into(),
                group: "group_name".into(),
                user: "username".into(),
                fixed: BTreeMap::new(),
            }),
            group_memberships: Some(GroupMembershipsTable {
                table: "group_memberships".into(),
                parent: "parent".into(),
                child: "child".into(),
                fixed: BTreeMap::new(),
            }),
        }
    }
}

/// The absolute path with links followed as far as the file, or at least its folder, exists.
fn canonical(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    if let Ok(real) = absolute.canonicalize() {
        return real;
    }
    match (
        absolute.parent().map(Path::canonicalize),
        absolute.file_name(),
    ) {
        (Some(Ok(folder)), Some(file)) => folder.join(file),
        _ => absolute,
    }
}

fn one() -> Scalar {
    Scalar::Number(1)
}

fn zero() -> Scalar {
    Scalar::Number(0)
}

#[cfg(test)]
mod tests;
