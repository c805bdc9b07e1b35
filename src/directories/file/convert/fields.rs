//! The fields of one user or group, each asked for its own kind of value.
//!
//! Reading goes on behind the first fault: whatever else a bad record tells, its id above all, is needed to know whom it
//! concerns.

use std::collections::BTreeSet;

use super::given::Given;
use super::{Form, GROUP_FIELDS, USER_FIELDS, near};
use crate::model::Kind;
use crate::text::name_key;

/// A user as far as it was read.
#[derive(Debug, Default)]
pub(super) struct User {
    pub(super) usernames: Vec<String>,
    pub(super) display_name: String,
    pub(super) given_name: String,
    pub(super) family_name: String,
    pub(super) email: String,
    pub(super) id: String,
    pub(super) active: Option<bool>,
    pub(super) kind: Option<Kind>,
    pub(super) groups: Vec<String>,
    pub(super) further: Vec<(String, Vec<String>)>,
    pub(super) fault: Option<String>,
}

/// A group's own record as far as it was read.
#[derive(Debug, Default)]
pub(super) struct Described {
    pub(super) names: Vec<String>,
    pub(super) id: String,
    pub(super) description: String,
    pub(super) users: Vec<String>,
    pub(super) groups: Vec<String>,
    pub(super) fault: Option<String>,
}

impl User {
    pub(super) fn read(fields: Vec<(String, Given)>, form: &Form) -> Self {
        let mut user = User::default();
        user.fault = read_each(fields, |field, given| user.set(field, given, form));
        user
    }

    fn set(&mut self, field: &str, given: Given, form: &Form) -> Result<(), String> {
        match field {
            "username" => take_name(&mut self.usernames, given)?,
            "display_name" => self.display_name = given.text()?,
            "given_name" => self.given_name = given.text()?,
            "family_name" => self.family_name = given.text()?,
            "email" => self.email = given.text()?,
            "id" => self.id = given.id()?,
            "active" => self.active = given.flag()?,
            "kind" => self.kind = kind(&given.text()?)?,
            "groups" => self.groups = sound_names(given)?,
            _ if form.further.iter().any(|it| it == field) => {
                let values = given.values()?;
                self.further.push((field.to_owned(), values));
            }
            _ if form.allowed.contains(field) => {}
            _ => {
                let hint = near(field, &USER_FIELDS)
                    .unwrap_or("; name it under `attributes` to allow it".to_owned());
                return Err(format!("is not a field of a user{hint}"));
            }
        }
        Ok(())
    }
}

impl Described {
    pub(super) fn read(fields: Vec<(String, Given)>) -> Self {
        let mut group = Described::default();
        group.fault = read_each(fields, |field, given| group.set(field, given));
        group
    }

    fn set(&mut self, field: &str, given: Given) -> Result<(), String> {
        match field {
            "name" => take_name(&mut self.names, given)?,
            "id" => self.id = given.id()?,
            "description" => self.description = given.text()?,
            "users" => self.users = sound_names(given)?,
            "groups" => self.groups = sound_names(given)?,
            _ => {
                let hint = near(field, &GROUP_FIELDS).unwrap_or_default();
                return Err(format!("is not a field of a group{hint}"));
            }
        }
        Ok(())
    }
}

/// Reads every field and says what is wrong first. A field that stands twice is read twice: a second username is one more
/// that is unknown.
fn read_each(
    fields: Vec<(String, Given)>,
    mut read: impl FnMut(&str, Given) -> Result<(), String>,
) -> Option<String> {
    let mut fault = None;
    let mut seen = BTreeSet::new();
    for (field, given) in fields {
        let why = read(&field, given).err();
        let twice = (!seen.insert(field.clone())).then(|| "stands twice".to_owned());
        let why = why.or(twice).map(|why| format!("`{field}` {why}"));
        fault = fault.or(why);
    }
    fault
}

/// Adds a name, an empty one where it cannot be told. A number shows nobody's name: `0x1F` and `+31` come out as 31, which may
/// well be somebody else's.
fn take_name(names: &mut Vec<String>, given: Given) -> Result<(), &'static str> {
    let name = match given {
        Given::Nothing => return Ok(()),
        other => other.text(),
    };
    let empty = name.as_ref().is_ok_and(String::is_empty);
    if !empty {
        names.push(name.clone().unwrap_or_default());
    }
    name.map(drop)
}

/// The names of a list, each of which somebody may bear.
fn sound_names(given: Given) -> Result<Vec<String>, String> {
    let names = given.texts()?;
    match names.iter().find_map(|it| name_key(it).err()) {
        Some(fault) => Err(format!("holds a name that is none: {fault}")),
        None => Ok(names),
    }
}

fn kind(text: &str) -> Result<Option<Kind>, &'static str> {
    match text {
        "" => Ok(None),
        "person" => Ok(Some(Kind::Person)),
        "service" => Ok(Some(Kind::Service)),
        "customer" => Ok(Some(Kind::Customer)),
        _ => Err("must be `person`, `service` or `customer`"),
    }
}

/// The keys of the names a record gives, and why it must be rejected, if it must. A name with blanks around it is no name,
/// yet it shows whose record this is; of a name that has no key at all the key is empty, since it may be anybody's.
pub(super) fn keys(
    field: &str,
    names: &[String],
    fault: Option<&str>,
) -> (Vec<String>, Option<String>) {
    let mut keys = Vec::new();
    let mut fault = fault.map(str::to_owned);
    for name in names {
        let key = name_key(name).or_else(|why| {
            fault.get_or_insert(format!("`{field}`: {why}"));
            name_key(name.trim())
        });
        let key = key.unwrap_or_default();
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    if names.is_empty() {
        fault.get_or_insert(format!("`{field}` is missing"));
    }
    (keys, fault)
}
