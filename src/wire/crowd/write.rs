//! Writing users, groups and errors as Crowd does, in JSON and in XML.
//!
//! Everything is appended to bytes, one entity at a time, so that a long list need never stand in memory as a whole:
//! [`Writer::begin`], each entity with [`Writer::next`] between two, [`Writer::end`].

use serde::Serialize;

use super::entity::{Attribute, Group, User};
use super::error::ErrorBody;
use super::xml::write_text;
use crate::wire::percent::encoded;

/// How every XML document begins.
pub(super) const PROLOGUE: &[u8] = b"<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>";

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `application/json`.
    Json,
    /// `application/xml`, which servers answer unless asked for JSON.
    Xml,
}

/// How much of an entity is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Its name, as in a list that was not expanded.
    Name,
    /// Its fields.
    Fields,
    /// Its fields and further attributes (`expand=attributes`).
    Attributes,
}

/// What a list holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Users.
    Users,
    /// Groups.
    Groups,
}

/// Writes in one format.
#[derive(Clone, Copy, Debug)]
pub struct Writer<'a> {
    /// In which.
    pub format: Format,
    /// What links begin with: the URL of the API, without a slash at its end.
    pub base: &'a str,
}

impl Format {
    /// The media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Format::Json => "application/json",
            Format::Xml => "application/xml",
        }
    }
}

impl Kind {
    fn plural(self) -> &'static str {
        match self {
            Kind::Users => "users",
            Kind::Groups => "groups",
        }
    }

    fn singular(self) -> &'static str {
        match self {
            Kind::Users => "user",
            Kind::Groups => "group",
        }
    }
}

impl Writer<'_> {
    /// Writes what a document begins with; nothing in JSON.
    pub fn prologue(&self, out: &mut Vec<u8>) {
        if self.format == Format::Xml {
            out.extend(PROLOGUE);
        }
    }

    /// Begins a list, after the prologue.
    pub fn begin(&self, kind: Kind, out: &mut Vec<u8>) {
        let (one, all) = (kind.singular(), kind.plural());
        let begin = match self.format {
            Format::Json => format!("{{\"expand\":\"{one}\",\"{all}\":["),
            Format::Xml => format!("<{all} expand=\"{one}\">"),
        };
        out.extend(begin.into_bytes());
    }

    /// Writes what stands between two entities of a list.
    pub fn next(&self, out: &mut Vec<u8>) {
        if self.format == Format::Json {
            out.push(b',');
        }
    }

    /// Ends a list.
    pub fn end(&self, kind: Kind, out: &mut Vec<u8>) {
        match self.format {
            Format::Json => out.extend(b"]}"),
            Format::Xml => out.extend(format!("</{}>", kind.plural()).into_bytes()),
        }
    }

    /// Writes a user.
    pub fn user(&self, user: &User, detail: Detail, out: &mut Vec<u8>) {
        match self.format {
            Format::Json => json(&UserBody::of(user, detail, self.base), out),
            Format::Xml => self.user_xml(user, detail, out),
        }
    }

    /// Writes a group.
    pub fn group(&self, group: &Group, detail: Detail, out: &mut Vec<u8>) {
        match self.format {
            Format::Json => json(&GroupBody::of(group, detail, self.base), out),
            Format::Xml => self.group_xml(group, detail, out),
        }
    }

    /// Writes further attributes alone; `of` is the link of the entity's attributes below the base.
    pub fn attributes(&self, of: &str, attributes: &[Attribute], out: &mut Vec<u8>) {
        let href = format!("{}/{of}", self.base);
        match self.format {
            Format::Json => json(&attributes_body(href, attributes), out),
            Format::Xml => xml_attributes(&href, attributes, out),
        }
    }

    /// Writes an error.
    pub fn error(&self, error: &ErrorBody, out: &mut Vec<u8>) {
        let ErrorBody { reason, message } = error;
        match self.format {
            Format::Json => json(
                &serde_json::json!({ "reason": reason, "message": message }),
                out,
            ),
            Format::Xml => {
                out.extend(b"<error>");
                element("reason", reason, out);
                element("message", message, out);
                out.extend(b"</error>");
            }
        }
    }

    fn user_xml(&self, user: &User, detail: Detail, out: &mut Vec<u8>) {
        let link = user_link(self.base, "user", &user.name);
        open("user", &user.name, detail, out);
        xml_link("self", &link, out);
        if detail != Detail::Name {
            element("first-name", &user.first_name, out);
            element("last-name", &user.last_name, out);
            element("display-name", &user.display_name, out);
            element("email", &user.email, out);
            out.extend(b"<password>");
            xml_link(
                "edit",
                &user_link(self.base, "user/password", &user.name),
                out,
            );
            out.extend(b"</password>");
            element_of_flag(user.active, out);
            if !user.key.is_empty() {
                element("key", &user.key, out);
            }
            let href = user_link(self.base, "user/attribute", &user.name);
            xml_attributes(&href, shown(&user.attributes, detail), out);
        }
        out.extend(b"</user>");
    }

    fn group_xml(&self, group: &Group, detail: Detail, out: &mut Vec<u8>) {
        let link = group_link(self.base, "group", &group.name);
        open("group", &group.name, detail, out);
        xml_link("self", &link, out);
        if detail != Detail::Name {
            element("description", &group.description, out);
            element("type", "GROUP", out);
            element_of_flag(group.active, out);
            let href = group_link(self.base, "group/attribute", &group.name);
            xml_attributes(&href, shown(&group.attributes, detail), out);
        }
        out.extend(b"</group>");
    }
}

#[derive(Serialize)]
struct Link {
    rel: &'static str,
    href: String,
}

#[derive(Serialize)]
struct Linked {
    link: Link,
}

#[derive(Serialize)]
struct Attributes<'a> {
    link: Link,
    attributes: Vec<OneAttribute<'a>>,
}

#[derive(Serialize)]
struct OneAttribute<'a> {
    name: &'a str,
    values: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct UserFields<'a> {
    first_name: &'a str,
    last_name: &'a str,
    display_name: &'a str,
    email: &'a str,
    password: Linked,
    #[serde(skip_serializing_if = "Option::is_none")]
    active: Option<bool>,
    #[serde(skip_serializing_if = "str::is_empty")]
    key: &'a str,
    attributes: Attributes<'a>,
}

#[derive(Serialize)]
struct UserBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    expand: Option<&'static str>,
    link: Link,
    name: &'a str,
    #[serde(flatten)]
    fields: Option<UserFields<'a>>,
}

#[derive(Serialize)]
struct GroupFields<'a> {
    description: &'a str,
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    active: Option<bool>,
    attributes: Attributes<'a>,
}

#[derive(Serialize)]
struct GroupBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    expand: Option<&'static str>,
    link: Link,
    name: &'a str,
    #[serde(flatten)]
    fields: Option<GroupFields<'a>>,
}

impl<'a> UserBody<'a> {
    fn of(user: &'a User, detail: Detail, base: &str) -> Self {
        let name = &user.name;
        let fields = (detail != Detail::Name).then(|| UserFields {
            first_name: &user.first_name,
            last_name: &user.last_name,
            display_name: &user.display_name,
            email: &user.email,
            password: Linked {
                link: Link {
                    rel: "edit",
                    href: user_link(base, "user/password", name),
                },
            },
            active: user.active,
            key: &user.key,
            attributes: attributes_body(
                user_link(base, "user/attribute", name),
                shown(&user.attributes, detail),
            ),
        });
        UserBody {
            expand: fields.is_some().then_some("attributes"),
            link: Link {
                rel: "self",
                href: user_link(base, "user", name),
            },
            name,
            fields,
        }
    }
}

impl<'a> GroupBody<'a> {
    fn of(group: &'a Group, detail: Detail, base: &str) -> Self {
        let name = &group.name;
        let fields = (detail != Detail::Name).then(|| GroupFields {
            description: &group.description,
            r#type: "GROUP",
            active: group.active,
            attributes: attributes_body(
                group_link(base, "group/attribute", name),
                shown(&group.attributes, detail),
            ),
        });
        GroupBody {
            expand: fields.is_some().then_some("attributes"),
            link: Link {
                rel: "self",
                href: group_link(base, "group", name),
            },
            name,
            fields,
        }
    }
}

fn attributes_body(href: String, attributes: &[Attribute]) -> Attributes<'_> {
    Attributes {
        link: Link { rel: "self", href },
        attributes: attributes
            .iter()
            .map(|(name, values)| OneAttribute { name, values })
            .collect(),
    }
}

fn shown(attributes: &[Attribute], detail: Detail) -> &[Attribute] {
    match detail {
        Detail::Attributes => attributes,
        Detail::Name | Detail::Fields => &[],
    }
}

fn user_link(base: &str, path: &str, name: &str) -> String {
    format!("{base}/{path}?username={}", encoded(name))
}

fn group_link(base: &str, path: &str, name: &str) -> String {
    format!("{base}/{path}?groupname={}", encoded(name))
}

/// Appends JSON. Writing text and maps with text keys into memory cannot fail.
pub(super) fn json(value: &impl Serialize, out: &mut Vec<u8>) {
    let written = value.serialize(&mut serde_json::Serializer::new(out));
    debug_assert!(written.is_ok(), "{written:?}");
}

fn open(tag: &str, name: &str, detail: Detail, out: &mut Vec<u8>) {
    out.push(b'<');
    out.extend(tag.as_bytes());
    out.extend(b" name=\"");
    write_text(name, out);
    out.push(b'"');
    if detail != Detail::Name {
        out.extend(b" expand=\"attributes\"");
    }
    out.push(b'>');
}

fn xml_link(rel: &str, href: &str, out: &mut Vec<u8>) {
    out.extend(b"<link href=\"");
    write_text(href, out);
    out.extend(b"\" rel=\"");
    out.extend(rel.as_bytes());
    out.extend(b"\"/>");
}

pub(super) fn element(tag: &str, text: &str, out: &mut Vec<u8>) {
    out.push(b'<');
    out.extend(tag.as_bytes());
    out.push(b'>');
    write_text(text, out);
    out.extend(b"</");
    out.extend(tag.as_bytes());
    out.push(b'>');
}

fn element_of_flag(active: Option<bool>, out: &mut Vec<u8>) {
    if let Some(active) = active {
        element("active", if active { "true" } else { "false" }, out);
    }
}

fn xml_attributes(href: &str, attributes: &[Attribute], out: &mut Vec<u8>) {
    out.extend(b"<attributes>");
    xml_link("self", href, out);
    for (name, values) in attributes {
        out.extend(b"<attribute name=\"");
        write_text(name, out);
        out.extend(b"\"><values>");
        values.iter().for_each(|it| element("value", it, out));
        out.extend(b"</values></attribute>");
    }
    out.extend(b"</attributes>");
}

#[cfg(test)]
mod tests {
    use super::super::json::{read_group, read_groups, read_user, read_users};
    use super::super::xml::{Element, Limits};
    use super::*;

    const BASE: &str = "http://h/crowd/rest/usermanagement/1";

    fn ada() -> User {
        User {
            name: "a+b & c%ä".to_owned(),
            first_name: "Ada".to_owned(),
            last_name: "<L>".to_owned(),
            display_name: "\"A\"".to_owned(),
            email: "a@x".to_owned(),
            active: Some(false),
            key: "1:2".to_owned(),
            attributes: vec![("n".to_owned(), vec!["v".to_owned(), "w".to_owned()])],
        }
    }

    fn staff() -> Group {
        Group {
            name: "s t".to_owned(),
            description: "d".to_owned(),
            active: Some(true),
            attributes: vec![("n".to_owned(), vec![])],
        }
    }

    fn writer(format: Format) -> Writer<'static> {
        Writer { format, base: BASE }
    }

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out);
        out
    }

    #[test]
    fn what_is_written_in_json_is_read_again() {
        let writer = writer(Format::Json);
        let user = written(|out| writer.user(&ada(), Detail::Attributes, out));
        assert_eq!(read_user(&user), Ok(ada()));
        let fields = written(|out| writer.user(&ada(), Detail::Fields, out));
        assert_eq!(
            read_user(&fields).unwrap(),
            User {
                attributes: vec![],
                ..ada()
            }
        );
        let name = written(|out| writer.user(&ada(), Detail::Name, out));
        let only_name = User {
            name: ada().name,
            ..User::default()
        };
        assert_eq!(read_user(&name), Ok(only_name));
        let group = written(|out| writer.group(&staff(), Detail::Attributes, out));
        assert_eq!(read_group(&group), Ok(staff()));
        let attributes =
            written(|out| writer.attributes("user/attribute?username=a", &ada().attributes, out));
        let of_somebody = [br#"{"name":"a","attributes":"#, &*attributes, b"}"].concat();
        assert_eq!(
            read_user(&of_somebody).unwrap().attributes,
            ada().attributes
        );
        let error = ErrorBody::new("X", "m");
        assert_eq!(
            ErrorBody::read(&written(|out| writer.error(&error, out))),
            Some(error)
        );
    }

    #[test]
    fn a_list_is_written_piece_by_piece() {
        let writer = writer(Format::Json);
        let users = written(|out| {
            writer.prologue(out);
            writer.begin(Kind::Users, out);
            writer.user(&ada(), Detail::Fields, out);
            writer.next(out);
            writer.user(&ada(), Detail::Name, out);
            writer.end(Kind::Users, out);
        });
        assert_eq!(read_users(&users).unwrap().len(), 2);
        let none = written(|out| {
            writer.begin(Kind::Groups, out);
            writer.end(Kind::Groups, out);
        });
        assert_eq!(none, br#"{"expand":"group","groups":[]}"#);
        assert_eq!(read_groups(&none), Ok(vec![]));
    }

    #[test]
    fn xml_says_the_same() {
        let writer = writer(Format::Xml);
        let document = written(|out| {
            writer.prologue(out);
            writer.begin(Kind::Users, out);
            writer.user(&ada(), Detail::Attributes, out);
            writer.next(out);
            writer.user(&ada(), Detail::Name, out);
            writer.end(Kind::Users, out);
        });
        let tree = Element::parse(&document, Limits::SMALL).unwrap();
        assert_eq!(
            (tree.name.as_str(), tree.attribute("expand")),
            ("users", Some("user"))
        );
        let [full, name] = &tree.children[..] else {
            panic!("{tree:?}");
        };
        let text = |child: &str| full.child(child).map(|it| it.text.clone());
        assert_eq!(full.attribute("name"), Some("a+b & c%ä"));
        assert_eq!(text("last-name").as_deref(), Some("<L>"));
        assert_eq!(text("active").as_deref(), Some("false"));
        assert_eq!(text("key").as_deref(), Some("1:2"));
        let attribute = full
            .child("attributes")
            .unwrap()
            .child("attribute")
            .unwrap();
        assert_eq!(attribute.child("values").unwrap().children.len(), 2);
        assert_eq!(name.children.len(), 1, "a link");
        let group = written(|out| writer.group(&staff(), Detail::Fields, out));
        let group = Element::parse(&group, Limits::SMALL).unwrap();
        assert_eq!(group.child("type").unwrap().text, "GROUP");
        let error = ErrorBody::new("X", "<m>");
        assert_eq!(
            ErrorBody::read(&written(|out| writer.error(&error, out))),
            Some(error)
        );
    }

    #[test]
    fn links_lead_to_the_name() {
        let writer = writer(Format::Json);
        let user = written(|out| writer.user(&ada(), Detail::Name, out));
        let user: serde_json::Value = serde_json::from_slice(&user).unwrap();
        let href = user["link"]["href"].as_str().unwrap();
        assert_eq!(
            href,
            format!("{BASE}/user?username=a%2Bb%20%26%20c%25%C3%A4")
        );
    }
}
