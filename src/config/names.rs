//! Names: of entries, of users and groups, and of one record in one directory.

use std::cmp::Ordering;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _};

use crate::text::{NameFault, fold, name_key};

/// The longest name of an entry, in characters.
const ENTRY_NAME_MAX: usize = 64;

/// The name or the id of a directory or an application: letters, digits, `.`, `_` and `-`, at most 64. It stands in log
/// lines, in the store and in the directory column of applications. Compared without regard to case.
#[derive(Clone, Debug)]
pub struct EntryName(String);

/// A username or a group name, as it is spelled and as it is compared.
#[derive(Clone, Debug)]
pub struct Name {
    /// As it was written.
    pub spelled: String,
    /// Folded, as users and groups are compared.
    pub key: String,
}

/// A user record by hand: `name@directory`, the last `@` being the one that counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    /// The username there.
    pub user: Name,
    /// The name of the directory.
    pub directory: EntryName,
}

impl EntryName {
    /// The name as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Ord for EntryName {
    fn cmp(&self, other: &EntryName) -> Ordering {
        fold(&self.0).cmp(&fold(&other.0))
    }
}

impl PartialOrd for EntryName {
    fn partial_cmp(&self, other: &EntryName) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for EntryName {
    fn eq(&self, other: &EntryName) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for EntryName {}

impl<'de> Deserialize<'de> for EntryName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<EntryName, D::Error> {
        entry_name(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

fn entry_name(name: String) -> Result<EntryName, String> {
    let odd = |c: &char| !(c.is_alphanumeric() || "._-".contains(*c));
    if name.is_empty() {
        return Err("the name is empty".to_owned());
    }
    if let Some(odd) = name.chars().find(odd) {
        return Err(format!(
            "{odd:?} cannot stand in this name: letters, digits, `.`, `_` and `-` can"
        ));
    }
    let length = name.chars().count();
    if length > ENTRY_NAME_MAX {
        return Err(format!(
            "the name has {length} characters, more than {ENTRY_NAME_MAX}"
        ));
    }
    Ok(EntryName(name))
}

impl Name {
    fn new(spelled: String) -> Result<Name, NameFault> {
        let key = name_key(&spelled)?;
        Ok(Name { spelled, key })
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Name) -> Ordering {
        self.key.cmp(&other.key)
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Name) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Name) -> bool {
        self.key == other.key
    }
}

impl Eq for Name {}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Name, D::Error> {
        Name::new(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.user.spelled, self.directory)
    }
}

impl<'de> Deserialize<'de> for Identity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Identity, D::Error> {
        let text = String::deserialize(deserializer)?;
        let Some((user, directory)) = text.rsplit_once('@') else {
            return Err(D::Error::custom(
                "it names no directory: write `USERNAME@DIRECTORY`",
            ));
        };
        Ok(Identity {
            user: Name::new(user.to_owned()).map_err(D::Error::custom)?,
            directory: entry_name(directory.to_owned()).map_err(D::Error::custom)?,
        })
    }
}
