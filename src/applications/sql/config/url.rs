//! Where a database is.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Deserialize;
use thiserror::Error;

/// Where the database is. Today that is always a SQLite file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct DatabaseUrl {
    pub(super) path: PathBuf,
}

/// A text that names no database that can be used. The text itself is in no error, since it may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadDatabaseUrl {
    /// There is no scheme.
    #[error("this is no database URL: write it like `sqlite:///var/lib/app/users.db`")]
    NoScheme,
    /// A database of another kind.
    #[error(
        "`{scheme}:` databases are not supported: only SQLite is, as `sqlite:///var/lib/app/users.db`"
    )]
    Scheme {
        /// The kind that was asked for.
        scheme: String,
    },
    /// There is no path, or the database would live in memory only.
    #[error("the URL names no file: write it like `sqlite:///var/lib/app/users.db`")]
    NoFile,
    /// There are options behind the path.
    #[error("options behind a `?` are not supported in a SQLite URL: leave them out")]
    Options,
}

impl DatabaseUrl {
    /// The path of the SQLite file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl FromStr for DatabaseUrl {
    type Err = BadDatabaseUrl;

    fn from_str(text: &str) -> Result<DatabaseUrl, BadDatabaseUrl> {
        let (scheme, rest) = text.split_once(':').ok_or(BadDatabaseUrl::NoScheme)?;
        if scheme != "sqlite" {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '+' || c == '-';
            if scheme.is_empty() || !scheme.chars().all(plain) {
                return Err(BadDatabaseUrl::NoScheme);
            }
            return Err(BadDatabaseUrl::Scheme {
                scheme: scheme.to_owned(),
            });
        }
        let path = rest.strip_prefix("//").unwrap_or(rest);
        if path.contains('?') {
            return Err(BadDatabaseUrl::Options);
        }
        if path.is_empty() || path.ends_with('/') || path.starts_with(":memory:") {
            return Err(BadDatabaseUrl::NoFile);
        }
        Ok(DatabaseUrl { path: path.into() })
    }
}

impl TryFrom<String> for DatabaseUrl {
    type Error = BadDatabaseUrl;

    fn try_from(text: String) -> Result<DatabaseUrl, BadDatabaseUrl> {
        text.parse()
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sqlite:{}", self.path.display())
    }
}
