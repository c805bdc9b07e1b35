//! Writing events. The names of the elements are those of the public documentation's four kinds of event; that real clients
//! expect just these is unconfirmed, which is why a caller may say instead that changes cannot be told.

use serde_json::{Map, Value, json};

use crate::wire::crowd::entity::{Group, User};
use crate::wire::crowd::write::{self, Detail, Format, Writer, element};
use crate::wire::crowd::xml::write_text;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// It came.
    Created,
    /// It changed.
    Updated,
    /// It went.
    Deleted,
}

/// To whom it happened.
#[derive(Clone, Copy, Debug)]
pub enum Change<'a> {
    /// A user.
    User(&'a User),
    /// A group.
    Group(&'a Group),
    /// A user came into these groups, or left them.
    UserMembership {
        /// The user's name.
        user: &'a str,
        /// The groups' names.
        groups: &'a [String],
    },
    /// Groups came into a group, or left it.
    GroupMembership {
        /// The name of the group.
        group: &'a str,
        /// The names of the groups in it.
        children: &'a [String],
    },
}

impl Operation {
    fn word(self) -> &'static str {
        match self {
            Operation::Created => "CREATED",
            Operation::Updated => "UPDATED",
            Operation::Deleted => "DELETED",
        }
    }
}

impl Change<'_> {
    fn kind(&self) -> &'static str {
        match self {
            Change::User(_) => "userEvent",
            Change::Group(_) => "groupEvent",
            Change::UserMembership { .. } => "userMembershipEvent",
            Change::GroupMembership { .. } => "groupMembershipEvent",
        }
    }
}

/// Writes a whole answer. `available` is false where clients are to read everything instead.
pub fn write_events<'a>(
    writer: &Writer<'_>,
    token: &str,
    available: bool,
    changes: impl Iterator<Item = (Operation, Change<'a>)>,
    out: &mut Vec<u8>,
) {
    match writer.format {
        Format::Json => {
            let events: Vec<Value> = changes.map(|it| value(writer, it.0, it.1)).collect();
            let body = json!({
                "newEventToken": token,
                "incrementalSynchronisationAvailable": available,
                "events": events,
            });
            write::json(&body, out);
        }
        Format::Xml => {
            writer.prologue(out);
            out.extend(b"<events newEventToken=\"");
            write_text(token, out);
            let available = format!("\" incrementalSynchronisationAvailable=\"{available}\">");
            out.extend(available.into_bytes());
            for (operation, change) in changes {
                xml(writer, operation, change, out);
            }
            out.extend(b"</events>");
        }
    }
}

fn value(writer: &Writer<'_>, operation: Operation, change: Change<'_>) -> Value {
    let mut event = Map::new();
    let mut put = |name: &str, it: Value| event.insert(name.to_owned(), it);
    put("type", change.kind().into());
    put("operation", operation.word().into());
    let names = |names: &[String]| names.iter().map(|it| json!({ "name": it })).collect();
    let entity = |write: &dyn Fn(&mut Vec<u8>)| {
        let mut out = Vec::new();
        write(&mut out);
        serde_json::from_slice(&out).unwrap_or_default()
    };
    match change {
        Change::User(user) => {
            put(
                "user",
                entity(&|out| writer.user(user, Detail::Fields, out)),
            );
        }
        Change::Group(group) => {
            put(
                "group",
                entity(&|out| writer.group(group, Detail::Fields, out)),
            );
        }
        Change::UserMembership { user, groups } => {
            put("childUser", json!({ "name": user }));
            put("parentGroups", names(groups));
        }
        Change::GroupMembership { group, children } => {
            put("group", json!({ "name": group }));
            put("parentGroups", json!([]));
            put("childGroups", names(children));
        }
    }
    Value::Object(event)
}

fn xml(writer: &Writer<'_>, operation: Operation, change: Change<'_>, out: &mut Vec<u8>) {
    let kind = change.kind();
    out.extend(format!("<{kind}>").into_bytes());
    element("operation", operation.word(), out);
    match change {
        Change::User(user) => writer.user(user, Detail::Fields, out),
        Change::Group(group) => writer.group(group, Detail::Fields, out),
        Change::UserMembership { user, groups } => {
            named("childUser", user, out);
            list("parentGroups", groups, out);
        }
        Change::GroupMembership { group, children } => {
            named("group", group, out);
            list("parentGroups", &[], out);
            list("childGroups", children, out);
        }
    }
    out.extend(format!("</{kind}>").into_bytes());
}

fn named(tag: &str, name: &str, out: &mut Vec<u8>) {
    out.extend(format!("<{tag} name=\"").into_bytes());
    write_text(name, out);
    out.extend(b"\"/>");
}

fn list(tag: &str, names: &[String], out: &mut Vec<u8>) {
    out.extend(format!("<{tag}>").into_bytes());
    names.iter().for_each(|it| named("group", it, out));
    out.extend(format!("</{tag}>").into_bytes());
}

#[cfg(test)]
mod tests {
    use super::super::{Event, Events, Named};
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let named = |name: &str, key: &str| Named {
            name: name.to_owned(),
            key: key.to_owned(),
        };
        let ada = User {
            name: "ada <&>".to_owned(),
            key: "1:2".to_owned(),
            ..User::default()
        };
        let staff = Group {
            name: "staff".to_owned(),
            ..Group::default()
        };
        let groups = ["a".to_owned(), "b & c".to_owned()];
        let changes = [
            (Operation::Created, Change::User(&ada)),
            (Operation::Deleted, Change::Group(&staff)),
            (
                Operation::Updated,
                Change::UserMembership {
                    user: "ada <&>",
                    groups: &groups,
                },
            ),
            (
                Operation::Created,
                Change::GroupMembership {
                    group: "staff",
                    children: &groups,
                },
            ),
        ];
        for format in [Format::Json, Format::Xml] {
            let base = "http://h";
            let mut out = Vec::new();
            let writer = Writer { format, base };
            write_events(&writer, "t<1>", true, changes.into_iter(), &mut out);
            let read = Events::read(&out).unwrap();
            assert_eq!((read.token.as_str(), read.available), ("t<1>", Some(true)));
            let both = || vec![named("a", ""), named("b & c", "")];
            let expect = [
                Event::User(named("ada <&>", "1:2")),
                Event::Group(named("staff", "")),
                Event::UserMembership {
                    user: named("ada <&>", ""),
                    groups: both(),
                },
                Event::GroupMembership {
                    group: named("staff", ""),
                    parents: vec![],
                    children: both(),
                },
            ];
            assert_eq!(read.events, expect, "{format:?}");
            assert!(read.unknown.is_empty());
        }
    }
}
