//! Users and groups of Google as records, and records of before as they were.
//!
//! The id is the handle too: who a member is was found out by id, alias or address before.

use std::borrow::Cow;

use crate::model::{NewGroup, NewUser, RecordKind, Records, RecordsBuilder, Status};
use crate::template::Template;
use crate::text;
use crate::wire::google::{Group, User};

/// How records are named, and which further attributes they carry.
#[derive(Clone, Debug)]
pub(super) struct Naming {
    /// Makes a username.
    pub username: Template,
    /// Makes a group's name.
    pub group_name: Template,
    /// Paths of further attributes in the user object.
    pub extra: Vec<String>,
}

impl Naming {
    /// Hands in a user, or rejects it where no username can be made.
    pub(super) fn add_user(&self, user: &User, builder: &mut RecordsBuilder) {
        let username = match self.username_of(user) {
            Ok(username) => username,
            Err(reason) => {
                let label = label(&user.id);
                return builder.reject(RecordKind::User, &user.id, "", &user.id, label, &reason);
            }
        };
        let values: Vec<Vec<String>> = self.extra.iter().map(|it| user.object.values(it)).collect();
        let extra = self.extra.iter().zip(&values);
        let extra = extra.map(|(name, values)| {
            let values = values.iter().map(String::as_str);
            (name.as_str(), values.collect())
        });
        builder.user(&NewUser {
            id: &user.id,
            username: &username,
            display_name: &user.full_name,
            given_name: &user.given_name,
            family_name: &user.family_name,
            email: &user.primary_email,
            handle: &user.id,
            status: status(user),
            label: label(&user.id),
            extra: extra.collect(),
            ..NewUser::default()
        });
    }

    /// Hands in a group and gives its number, or rejects it where no name can be made.
    pub(super) fn add_group(&self, group: &Group, builder: &mut RecordsBuilder) -> Option<u32> {
        let label = label(&group.id);
        match self.name_of(&group.email, &group.name) {
            Ok(name) => builder.group(&NewGroup {
                id: &group.id,
                name: &name,
                description: &group.description,
                handle: &group.id,
                label,
                unknown: false,
            }),
            Err(reason) => {
                builder.reject(RecordKind::Group, &group.id, "", &group.id, label, &reason);
                None
            }
        }
    }

    /// Notes that nothing fits a pattern of the configuration: whatever group had that name is unknown.
    pub(super) fn reject_pattern(&self, pattern: &str, builder: &mut RecordsBuilder) {
        let name = self.name_of(pattern, "");
        let key = text::fold(name.as_deref().unwrap_or(pattern));
        let label = format!("`groups`: {pattern}");
        let reason = "no group has such an address; correct it under `groups` in the configuration, or take it out there";
        builder.reject(RecordKind::Group, "", &key, "", &label, reason);
    }

    fn username_of(&self, user: &User) -> Result<String, String> {
        if user.primary_email.is_empty() {
            return Err("it has no primary address".to_owned());
        }
        let filled = self.username.fill(|field| {
            let of_address = of_address(&user.primary_email, field);
            of_address.or_else(|| user.object.values(field).into_iter().next().map(Cow::Owned))
        });
        filled.map_err(|it| format!("`username` is {}, and {it}", self.username))
    }

    fn name_of(&self, address: &str, name: &str) -> Result<String, String> {
        if address.is_empty() {
            return Err("it has no address".to_owned());
        }
        let filled = self.group_name.fill(|field| match field {
            "name" => Some(Cow::Borrowed(name)),
            field => of_address(address, field),
        });
        filled.map_err(|it| format!("`group_name` is {}, and {it}", self.group_name))
    }
}

/// Hands in a user as it was last seen, since nobody can say what it is now.
pub(super) fn keep_user(records: &Records, at: u32, builder: &mut RecordsBuilder) {
    builder.user(&NewUser {
        unknown: true,
        ..records.raw_user(at)
    });
}

/// Hands in a group as it was last seen, without its members, since nobody can say what it is now.
pub(super) fn keep_group(records: &Records, at: u32, builder: &mut RecordsBuilder) -> Option<u32> {
    builder.group(&NewGroup {
        unknown: true,
        ..records.raw_group(at)
    })
}

/// What the flags say together. One that is missing says nothing, and then neither do both.
fn status(user: &User) -> Status {
    match (user.suspended, user.archived) {
        (Some(true), _) | (_, Some(true)) => Status::Inactive,
        (Some(false), Some(false)) => Status::Active,
        _ => Status::Unknown,
    }
}

/// The part of an address that a template names.
fn of_address<'a>(address: &'a str, field: &str) -> Option<Cow<'a, str>> {
    // An address in quotes may hold more than one.
    let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
    let part = match field {
        "local" => local,
        "domain" => domain,
        "address" => address,
        _ => return None,
    };
    Some(Cow::Borrowed(part))
}

fn label(id: &str) -> &str {
    if id.is_empty() { "without an id" } else { id }
}

#[cfg(test)]
mod tests;
