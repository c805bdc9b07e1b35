//! Which of Crowd's resources a request is about, and what may be done with it.

use hyper::Method;

/// Where the API begins, with or without the context path that Crowd has by default.
const ROOT: &str = "/rest/usermanagement/";
const CONTEXT: &str = "/crowd";
/// The version that is spoken, by its number and as whatever is newest.
const VERSIONS: [&str; 2] = ["1", "latest"];

/// A request's path, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path<'a> {
    /// The part of the path that links begin with: `/crowd/rest/usermanagement/1`.
    pub(super) base: &'a str,
    /// What is meant; `None` for what Crowd has not, or we do not serve.
    pub(super) resource: Option<Resource<'a>>,
}

/// A resource of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resource<'a> {
    /// One user.
    User,
    /// The attributes of one user.
    UserAttribute,
    /// The groups of a user.
    UserGroups(Depth),
    /// One group.
    Group,
    /// The attributes of one group.
    GroupAttribute,
    /// The users in a group.
    GroupUsers(Depth),
    /// The groups in a group.
    ChildGroups(Depth),
    /// The groups that a group is in.
    ParentGroups(Depth),
    /// All memberships.
    Memberships,
    /// Users or groups that fit a restriction.
    Search,
    /// The present event token.
    Token,
    /// What happened since an event token.
    Events(&'a str),
    /// How Crowd's cookie is called.
    Cookie,
    /// Whether a password is a user's.
    Authentication,
    /// Something that only changes users; the methods for it.
    Change(&'static [&'static str]),
}

/// How far memberships reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// Members only.
    Direct,
    /// Members of members, too.
    Nested,
}

/// What may be done with a resource by a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// It is answered.
    Served,
    /// It would change something, which no client may.
    Write,
    /// Crowd knows no such method for it; these are.
    Unknown(&'static [&'static str]),
}

impl<'a> Path<'a> {
    /// Takes a path apart; `None` if it lies outside of the API.
    pub(super) fn of(path: &'a str) -> Option<Path<'a>> {
        let inside = path.strip_prefix(CONTEXT).unwrap_or(path);
        let below = inside.strip_prefix(ROOT)?;
        let (version, rest) = below.split_once('/').unwrap_or((below, ""));
        if !VERSIONS.contains(&version) {
            return None;
        }
        let base = path.len() - below.len() + version.len();
        Some(Path {
            base: &path[..base],
            resource: Resource::of(rest.strip_suffix('/').unwrap_or(rest)),
        })
    }
}

impl<'a> Resource<'a> {
    fn of(path: &'a str) -> Option<Resource<'a>> {
        let resource = match path {
            "user" => Resource::User,
            "user/attribute" => Resource::UserAttribute,
            "user/group/direct" => Resource::UserGroups(Depth::Direct),
            "user/group/nested" => Resource::UserGroups(Depth::Nested),
            "group" => Resource::Group,
            "group/attribute" => Resource::GroupAttribute,
            "group/user/direct" => Resource::GroupUsers(Depth::Direct),
            "group/user/nested" => Resource::GroupUsers(Depth::Nested),
            "group/child-group/direct" => Resource::ChildGroups(Depth::Direct),
            "group/child-group/nested" => Resource::ChildGroups(Depth::Nested),
            "group/parent-group/direct" => Resource::ParentGroups(Depth::Direct),
            "group/parent-group/nested" => Resource::ParentGroups(Depth::Nested),
            "group/membership" => Resource::Memberships,
            "search" => Resource::Search,
            "event" => Resource::Token,
            "config/cookie" => Resource::Cookie,
            "authentication" => Resource::Authentication,
            "user/rename" | "user/mail/password" | "user/mail/usernames" => {
                Resource::Change(&["POST"])
            }
            "user/password" => Resource::Change(&["PUT", "DELETE"]),
            "user/expire-all-passwords" => Resource::Change(&["POST", "PUT"]),
            "session" => Resource::Change(&["POST", "DELETE"]),
            _ => {
                let token = path.strip_prefix("event/")?;
                return (!token.contains('/')).then_some(Resource::Events(token));
            }
        };
        Some(resource)
    }

    /// Whether it is read page by page.
    pub(super) fn is_list(self) -> bool {
        matches!(
            self,
            Resource::Search
                | Resource::UserGroups(_)
                | Resource::GroupUsers(_)
                | Resource::ChildGroups(_)
                | Resource::ParentGroups(_)
        )
    }

    /// What may be done with it by this method.
    pub(super) fn access(self, method: &Method) -> Access {
        let (reads, writes) = self.methods();
        let method = match method.as_str() {
            "HEAD" => "GET",
            method => method,
        };
        if reads.contains(&method) {
            Access::Served
        } else if writes.contains(&method) {
            Access::Write
        } else {
            Access::Unknown(if reads.is_empty() { writes } else { reads })
        }
    }

    /// The methods that read, and those that Crowd has for writing.
    fn methods(self) -> (&'static [&'static str], &'static [&'static str]) {
        const READ: &[&str] = &["GET"];
        match self {
            Resource::User | Resource::Group => (READ, &["POST", "PUT", "DELETE"]),
            Resource::UserAttribute | Resource::GroupAttribute => {
                (READ, &["POST", "PUT", "DELETE"])
            }
            Resource::UserGroups(Depth::Direct)
            | Resource::GroupUsers(Depth::Direct)
            | Resource::ChildGroups(Depth::Direct)
            | Resource::ParentGroups(Depth::Direct) => (READ, &["POST", "DELETE"]),
            Resource::UserGroups(Depth::Nested)
            | Resource::GroupUsers(Depth::Nested)
            | Resource::ChildGroups(Depth::Nested)
            | Resource::ParentGroups(Depth::Nested)
            | Resource::Memberships
            | Resource::Token
            | Resource::Events(_)
            | Resource::Cookie => (READ, &[]),
            Resource::Search => (&["GET", "POST"], &[]),
            Resource::Authentication => (&["POST"], &[]),
            Resource::Change(methods) => (&[], methods),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_is_found_with_or_without_a_context_path() {
        fn check(path: &str, expect: Option<(&str, Option<Resource<'_>>)>) {
            let found = Path::of(path).map(|it| (it.base, it.resource));
            assert_eq!(found, expect, "{path}");
        }
        let user = Some(Resource::User);
        check(
            "/rest/usermanagement/1/user",
            Some(("/rest/usermanagement/1", user)),
        );
        check(
            "/crowd/rest/usermanagement/latest/user/",
            Some(("/crowd/rest/usermanagement/latest", user)),
        );
        check(
            "/rest/usermanagement/1/event/ab",
            Some(("/rest/usermanagement/1", Some(Resource::Events("ab")))),
        );
        check(
            "/rest/usermanagement/1/event/a/b",
            Some(("/rest/usermanagement/1", None)),
        );
        check(
            "/rest/usermanagement/1/users",
            Some(("/rest/usermanagement/1", None)),
        );
        check(
            "/rest/usermanagement/1/USER",
            Some(("/rest/usermanagement/1", None)),
        );
        check(
            "/rest/usermanagement/1",
            Some(("/rest/usermanagement/1", None)),
        );
        check("/rest/usermanagement/2/user", None);
        check("/rest/usermanagement/", None);
        check("/jira/rest/usermanagement/1/user", None);
        check("/", None);
        check("", None);
    }

    #[test]
    fn a_method_reads_writes_or_is_none() {
        fn check(resource: Resource<'_>, method: &str, expect: Access) {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            assert_eq!(resource.access(&method), expect, "{resource:?} {method}");
        }
        check(Resource::User, "GET", Access::Served);
        check(Resource::User, "HEAD", Access::Served);
        check(Resource::User, "PUT", Access::Write);
        check(Resource::User, "PATCH", Access::Unknown(&["GET"]));
        check(Resource::Search, "POST", Access::Served);
        check(Resource::Authentication, "GET", Access::Unknown(&["POST"]));
        check(Resource::GroupUsers(Depth::Direct), "POST", Access::Write);
        check(
            Resource::GroupUsers(Depth::Nested),
            "POST",
            Access::Unknown(&["GET"]),
        );
        check(Resource::Change(&["POST"]), "POST", Access::Write);
        check(
            Resource::Change(&["POST"]),
            "GET",
            Access::Unknown(&["POST"]),
        );
    }
}
