//! The lists, page by page, and single objects. A list is whole or an error.

use std::collections::BTreeSet;

use super::api::Calls;
use super::fault::GoogleFault;
use super::selection::Selection;
use crate::wire::google::{
    self, Activity, GoogleJsonFault, Group, Member, Page, User, read_activities, read_groups,
    read_members, read_users,
};

/// The largest pages that Google gives of users, of groups and members, and of activities.
const USERS_MAX: &str = "500";
const GROUPS_AND_MEMBERS_MAX: &str = "200";
const ACTIVITIES_MAX: &str = "1000";
/// No list has as many pages as this: a token that leads in a ring ends here at the latest.
const PAGES_MAX: usize = 20_000;

/// What is asked of a group.
const GROUP_FIELDS: &str =
    "id,email,name,description,aliases,nonEditableAliases,directMembersCount";

const USERS: [&str; 4] = ["admin", "directory", "v1", "users"];
const GROUPS: [&str; 4] = ["admin", "directory", "v1", "groups"];

/// Which fields of a user are asked for.
#[derive(Clone, Debug)]
pub(super) struct UserFields {
    /// Members of the user object, separated by commas.
    fields: String,
    /// Custom schemas, separated by commas; nothing where none is wanted.
    schemas: String,
}

impl UserFields {
    /// The usual fields and those that begin these paths.
    pub(super) fn with<'a>(paths: impl Iterator<Item = &'a str>) -> UserFields {
        let mut fields: BTreeSet<&str> =
            "id,primaryEmail,name,suspended,archived,aliases,nonEditableAliases"
                .split(',')
                .collect();
        let mut schemas = BTreeSet::new();
        for path in paths {
            let mut names = path.split('.');
            let first = names.next().unwrap_or_default();
            fields.insert(first);
            if first == "customSchemas" {
                schemas.extend(names.next());
            }
        }
        let joined = |it: BTreeSet<&str>| it.into_iter().collect::<Vec<_>>().join(",");
        UserFields {
            fields: joined(fields),
            schemas: joined(schemas),
        }
    }
}

/// Hands in every user of a selection.
///
/// # Errors
/// [`GoogleFault`].
pub(super) async fn users(
    calls: &Calls,
    selection: &Selection,
    fields: &UserFields,
    mut each: impl FnMut(User),
) -> Result<(), GoogleFault> {
    let mask = format!("nextPageToken,users({})", fields.fields);
    for parameter in selection.parameters() {
        let operation = of("list users", parameter);
        let mut query = vec![parameter, ("maxResults", USERS_MAX), ("fields", &mask)];
        if !fields.schemas.is_empty() {
            query.push(("projection", "custom"));
            query.push(("customFieldMask", &fields.schemas));
        }
        let list = List {
            operation: &operation,
            path: &USERS,
            query: &query,
            read: read_users,
        };
        list.walk(calls, true, &mut each).await?;
    }
    Ok(())
}

/// Hands in every group of a selection.
///
/// # Errors
/// [`GoogleFault`].
pub(super) async fn groups(
    calls: &Calls,
    selection: &Selection,
    mut each: impl FnMut(Group),
) -> Result<(), GoogleFault> {
    let mask = format!("nextPageToken,groups({GROUP_FIELDS})");
    for parameter in selection.parameters() {
        let operation = of("list groups", parameter);
        let query = [
            parameter,
            ("maxResults", GROUPS_AND_MEMBERS_MAX),
            ("fields", &mask),
        ];
        let list = List {
            operation: &operation,
            path: &GROUPS,
            query: &query,
            read: read_groups,
        };
        list.walk(calls, true, &mut each).await?;
    }
    Ok(())
}

/// All direct members of a group.
///
/// # Errors
/// [`GoogleFault`]; [`GoogleFault::Refused`] where it is about this group alone.
pub(super) async fn members(calls: &Calls, group: &str) -> Result<Vec<Member>, GoogleFault> {
    let path = [&GROUPS[..], &[group, "members"]].concat();
    let list = List {
        operation: "list members",
        path: &path,
        query: &[
            ("maxResults", GROUPS_AND_MEMBERS_MAX),
            ("fields", "nextPageToken,members(id,email,type)"),
        ],
        read: read_members,
    };
    let mut all = Vec::new();
    list.walk(calls, false, &mut |it| all.push(it)).await?;
    Ok(all)
}

/// What happened in an application of the audit log since a moment (RFC 3339).
///
/// # Errors
/// [`GoogleFault`].
pub(super) async fn activities(
    calls: &Calls,
    application: &str,
    since: &str,
) -> Result<Vec<Activity>, GoogleFault> {
    let path = [
        "admin",
        "reports",
        "v1",
        "activity",
        "users",
        "all",
        "applications",
        application,
    ];
    let list = List {
        operation: "list activities",
        path: &path,
        query: &[
            ("startTime", since),
            ("maxResults", ACTIVITIES_MAX),
            (
                "fields",
                "nextPageToken,items(events(parameters(name,value,multiValue)))",
            ),
        ],
        read: read_activities,
    };
    let mut all = Vec::new();
    list.walk(calls, true, &mut |it| all.push(it)).await?;
    Ok(all)
}

/// A user by its id.
///
/// # Errors
/// [`GoogleFault`].
pub(super) async fn user(calls: &Calls, id: &str) -> Result<User, GoogleFault> {
    let operation = "look up a user";
    let path = [&USERS[..], &[id]].concat();
    let query = [("fields", "id,primaryEmail,deletionTime")];
    let body = calls.one(operation, &path, &query).await?;
    google::read_user(&body).map_err(|it| unreadable(operation, &it))
}

/// A group by its id.
///
/// # Errors
/// [`GoogleFault`].
pub(super) async fn group(calls: &Calls, id: &str) -> Result<Group, GoogleFault> {
    let operation = "look up a group";
    let path = [&GROUPS[..], &[id]].concat();
    let query = [("fields", GROUP_FIELDS)];
    let body = calls.one(operation, &path, &query).await?;
    google::read_group(&body).map_err(|it| unreadable(operation, &it))
}

/// Whether somebody is a direct member of a group, both by id.
///
/// # Errors
/// [`GoogleFault`]; [`GoogleFault::Refused`] where it cannot be said of this member.
pub(super) async fn is_member(
    calls: &Calls,
    group: &str,
    member: &str,
) -> Result<bool, GoogleFault> {
    let path = [&GROUPS[..], &[group, "members", member]].concat();
    let answer = calls
        .one("look up a member", &path, &[("fields", "id")])
        .await;
    match answer {
        Ok(_) => Ok(true),
        Err(fault) if fault.is_not_there() => Ok(false),
        Err(fault) => Err(fault),
    }
}

/// A list, and how its pages are asked for.
struct List<'a, T> {
    operation: &'a str,
    path: &'a [&'a str],
    query: &'a [(&'a str, &'a str)],
    read: fn(&[u8]) -> Result<Page<T>, GoogleJsonFault>,
}

impl<T> List<'_, T> {
    /// Asks for one page after the other. `about_all`: who may not see this list may see none of its kind.
    async fn walk(
        &self,
        calls: &Calls,
        about_all: bool,
        each: &mut impl FnMut(T),
    ) -> Result<(), GoogleFault> {
        let operation = self.operation;
        let mut seen = BTreeSet::new();
        let mut next: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let mut query = self.query.to_vec();
            query.extend(next.as_deref().map(|it| ("pageToken", it)));
            let body = if about_all {
                calls.list(operation, self.path, &query).await?
            } else {
                calls.one(operation, self.path, &query).await?
            };
            let page = (self.read)(&body).map_err(|it| unreadable(operation, &it))?;
            page.items.into_iter().flatten().for_each(&mut *each);
            let Some(token) = page.next else {
                return Ok(());
            };
            if !seen.insert(token.clone()) {
                return Err(GoogleFault::Unreadable(format!(
                    "{operation}: a page leads back to one that was read before, so the list has no end; nothing of it is \
                     taken, and the next poll asks again"
                )));
            }
            next = Some(token);
        }
        Err(GoogleFault::Unreadable(format!(
            "{operation}: there are more than {PAGES_MAX} pages, and no list is that long; nothing of it is taken"
        )))
    }
}

/// An operation with the domain that it is about, of which there may be several.
fn of(operation: &str, (name, value): (&str, &str)) -> String {
    match name {
        "domain" => format!("{operation} of {value}"),
        _ => operation.to_owned(),
    }
}

fn unreadable(operation: &str, fault: &GoogleJsonFault) -> GoogleFault {
    GoogleFault::Unreadable(format!("{operation}: {fault}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_of_a_user_is_what_the_configuration_needs() {
        let usual = UserFields::with(std::iter::empty());
        assert_eq!(
            usual.fields,
            "aliases,archived,id,name,nonEditableAliases,primaryEmail,suspended"
        );
        assert_eq!(usual.schemas, "");
        let paths = [
            "customSchemas.Employee.login",
            "orgUnitPath",
            "customSchemas.A.b",
            "aliases",
        ];
        let more = UserFields::with(paths.into_iter());
        assert!(more.fields.contains("customSchemas,id,"), "{}", more.fields);
        assert!(more.fields.contains("orgUnitPath"), "{}", more.fields);
        assert_eq!(more.schemas, "A,Employee");
    }
}
