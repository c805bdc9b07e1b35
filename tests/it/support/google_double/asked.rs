//! A request, read as far as it is one.

use std::collections::BTreeMap;

use hyper::http::request::Parts;

use super::Seen;
use super::answer::Answer;

/// What is asked for; keys as they stand in the path, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Token,
    Users,
    User(String),
    Groups,
    Group(String),
    Members(String),
    Member(String, String),
    /// Of whom, and of which application.
    Activities(String, String),
    Unknown,
}

#[derive(Debug)]
pub(super) struct Asked {
    pub(super) call: Call,
    pub(super) method: String,
    /// Path and query, as sent.
    pub(super) target: String,
    pub(super) query: BTreeMap<String, String>,
    pub(super) bearer: Option<String>,
    pub(super) body: String,
}

impl Asked {
    pub(super) fn new(head: &Parts, body: &[u8]) -> Asked {
        let header = head.headers.get("authorization");
        let bearer = header.and_then(|it| it.to_str().ok()?.strip_prefix("Bearer "));
        let target = head.uri.path_and_query().map_or("", |it| it.as_str());
        let query = head.uri.query().unwrap_or_default();
        let query = url::form_urlencoded::parse(query.as_bytes());
        Asked {
            call: call(head.method.as_str(), head.uri.path()),
            method: head.method.to_string(),
            target: target.to_owned(),
            query: query.into_owned().collect(),
            bearer: bearer.map(str::to_owned),
            body: String::from_utf8_lossy(body).into_owned(),
        }
    }

    /// The name in the description of the API, `token`, or method and path.
    pub(super) fn operation(&self) -> String {
        let name = match self.call {
            Call::Token => "token",
            Call::Users => "directory.users.list",
            Call::User(_) => "directory.users.get",
            Call::Groups => "directory.groups.list",
            Call::Group(_) => "directory.groups.get",
            Call::Members(_) => "directory.members.list",
            Call::Member(..) => "directory.members.get",
            Call::Activities(..) => "reports.activities.list",
            Call::Unknown => return format!("{} {}", self.method, self.path()),
        };
        name.to_owned()
    }

    pub(super) fn seen(&self) -> Seen {
        let query = self.target.split_once('?').map_or("", |it| it.1);
        Seen {
            operation: self.operation(),
            path: self.path().to_owned(),
            query: query.to_owned(),
            body: self.body.clone(),
        }
    }

    pub(super) fn is_for_token(&self) -> bool {
        self.call == Call::Token
    }

    /// A parameter that is given and not empty.
    pub(super) fn is(&self, name: &str) -> Option<&str> {
        let value = self.query.get(name).map(String::as_str);
        value.filter(|it| !it.is_empty())
    }

    /// How many objects a page has.
    pub(super) fn size(&self, default: usize, limit: usize) -> Result<usize, Answer> {
        let Some(text) = self.is("maxResults") else {
            return Ok(default);
        };
        let size = text.parse().ok().filter(|it| (1..=limit).contains(it));
        size.ok_or_else(|| Answer::invalid("maxResults"))
    }

    fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

fn call(method: &str, path: &str) -> Call {
    let segments: Vec<String> = path.split('/').skip(1).map(decoded).collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match (method, &segments[..]) {
        ("POST", ["token"]) => Call::Token,
        ("GET", ["admin", "directory", "v1", rest @ ..]) => directory(rest),
        #[rustfmt::skip]
        ("GET", ["admin", "reports", "v1", "activity", "users", user, "applications", application]) => {
            Call::Activities((*user).to_owned(), (*application).to_owned())
        },
        _ => Call::Unknown,
    }
}

fn directory(rest: &[&str]) -> Call {
    match *rest {
        ["users"] => Call::Users,
        ["users", user] => Call::User(user.to_owned()),
        ["groups"] => Call::Groups,
        ["groups", group] => Call::Group(group.to_owned()),
        ["groups", group, "members"] => Call::Members(group.to_owned()),
        ["groups", group, "members", member] => Call::Member(group.to_owned(), member.to_owned()),
        _ => Call::Unknown,
    }
}

/// What stands in a path: without percent signs, and with a plus as it is.
pub(super) fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let pair = after.get(..2).and_then(|it| std::str::from_utf8(it).ok());
        let coded = pair.and_then(|it| u8::from_str_radix(it, 16).ok());
        match (first, coded) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
