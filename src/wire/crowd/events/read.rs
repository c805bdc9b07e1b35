//! Reading events by their fields.
//!
//! JSON and XML are brought into one small tree first, with names folded: `childUser`, `child-user` and `child_user` are one.

use serde_json::Value;

use super::{Event, Events, Named};
use crate::wire::crowd::json::{self, JsonFault};
use crate::wire::crowd::xml::{Element, Limits, XmlFault};

/// Why an answer is none about events.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventsFault {
    /// It is no JSON.
    #[error(transparent)]
    Json(#[from] JsonFault),
    /// It is no XML, or was cut.
    #[error(transparent)]
    Xml(#[from] XmlFault),
    /// It is something else.
    #[error("the answer has neither a token nor events")]
    Other,
    /// It has events elsewhere, or none at all.
    #[error("the answer has no list `events`")]
    NoList,
    /// An event of a known kind names nobody.
    #[error("an event of the kind `{0}` does not say whom it is about")]
    Nobody(String),
}

/// The fields of the whole, folded.
const TOKEN: &str = "neweventtoken";
const AVAILABLE: &str = "incrementalsynchronisationavailable";

/// A field with what is in it.
#[derive(Debug, Default)]
struct Node {
    /// Folded: without case, `-` and `_`.
    name: String,
    text: String,
    parts: Vec<Node>,
}

/// `with_list`: JSON must have its list of events, even an empty one. Of XML every element is an event.
pub(super) fn read(body: &[u8], with_list: bool) -> Result<Events, EventsFault> {
    let is_xml = body
        .iter()
        .find(|it| !it.is_ascii_whitespace())
        .is_some_and(|it| matches!(it, b'<' | 0xef));
    let root = if is_xml {
        let mut root = Element::parse(body, Limits::LARGE)?;
        // Attributes are no events: names of schemas are among them.
        root.attributes
            .retain(|it| matches!(folded(&it.0).as_str(), TOKEN | AVAILABLE));
        if root.name != "events" {
            return Err(XmlFault::WrongRoot(root.name.chars().take(40).collect()).into());
        }
        Node::of_element(root)
    } else {
        let value: Value = json::parse(body)?;
        if with_list && !value.get("events").is_some_and(Value::is_array) {
            return Err(EventsFault::NoList);
        }
        Node::of_value(String::new(), value)
    };
    let token = root.text_of(TOKEN);
    let available = root.text_of(AVAILABLE);
    if token.is_none() && available.is_none() {
        return Err(EventsFault::Other);
    }
    let mut read = Events {
        token: token.unwrap_or_default().to_owned(),
        available: available.and_then(flag),
        ..Events::default()
    };
    for part in &root.parts {
        match part.name.as_str() {
            TOKEN | AVAILABLE | "expand" | "link" => {}
            "events" => part.parts.iter().try_for_each(|it| read.take(it))?,
            _ if is_xml => read.take(part)?,
            // What else JSON says of the whole is no matter, but for what may hold events.
            _ if part.parts.is_empty() => {}
            other => read.unknown.push(other.to_owned()),
        }
    }
    Ok(read)
}

impl Events {
    fn take(&mut self, node: &Node) -> Result<(), EventsFault> {
        let inner = node.unwrapped();
        let kind = node.kind(inner);
        match inner.event(kind) {
            Some(event) if event.names_everybody() => self.events.push(event),
            Some(_) => return Err(EventsFault::Nobody(kind.to_owned())),
            None => self.unknown.push(kind.to_owned()),
        }
        Ok(())
    }
}

impl Event {
    fn names_everybody(&self) -> bool {
        let has_name = |it: &Named| !it.name.is_empty();
        match self {
            Event::User(user) => has_name(user) || !user.key.is_empty(),
            Event::Group(group) => has_name(group),
            Event::UserMembership { user, groups } => has_name(user) && groups.iter().all(has_name),
            Event::GroupMembership {
                group,
                parents,
                children,
            } => has_name(group) && parents.iter().chain(children).all(has_name),
        }
    }
}

impl Node {
    fn of_element(element: Element) -> Node {
        let attributes = element.attributes.into_iter();
        let attributes = attributes.map(|(name, text)| Node {
            name: folded(&name),
            text,
            parts: Vec::new(),
        });
        let children = element.children.into_iter().map(Node::of_element);
        Node {
            name: folded(&element.name),
            text: element.text.trim().to_owned(),
            parts: attributes.chain(children).collect(),
        }
    }

    fn of_value(name: String, value: Value) -> Node {
        let (text, parts) = match value {
            Value::Null => (String::new(), Vec::new()),
            Value::Bool(flag) => (flag.to_string(), Vec::new()),
            Value::Number(number) => (number.to_string(), Vec::new()),
            Value::String(text) => (text, Vec::new()),
            Value::Array(list) => {
                let list = list.into_iter();
                let parts = list.map(|it| Node::of_value(String::new(), it));
                (String::new(), parts.collect())
            }
            Value::Object(map) => {
                let map = map.into_iter();
                let parts = map.map(|(name, it)| Node::of_value(folded(&name), it));
                (String::new(), parts.collect())
            }
        };
        Node { name, text, parts }
    }

    fn part(&self, name: &str) -> Option<&Node> {
        self.parts.iter().find(|it| it.name == name)
    }

    fn text_of(&self, name: &str) -> Option<&str> {
        let text = self.part(name).map(|it| it.text.as_str());
        text.filter(|it| !it.is_empty())
    }

    /// The event itself where it is wrapped into an object that names its kind.
    fn unwrapped(&self) -> &Node {
        match &self.parts[..] {
            [only] if self.name.is_empty() && !only.parts.is_empty() && !only.is_field() => only,
            _ => self,
        }
    }

    fn is_field(&self) -> bool {
        matches!(
            self.name.as_str(),
            "user" | "group" | "childuser" | "parentgroups" | "childgroups"
        )
    }

    /// How the kind of event is called.
    fn kind<'a>(&'a self, inner: &'a Node) -> &'a str {
        let named = [inner.name.as_str(), self.name.as_str()];
        let named = named.into_iter().find(|it| !it.is_empty());
        let typed = || inner.text_of("type").or_else(|| inner.text_of("kind"));
        named.or_else(typed).unwrap_or("event")
    }

    fn event(&self, kind: &str) -> Option<Event> {
        let is_membership = folded(kind).contains("membership");
        let groups = |field| self.part(field).map(Node::all_named).unwrap_or_default();
        if let Some(user) = self.part("childuser") {
            return Some(Event::UserMembership {
                user: user.named(),
                groups: groups("parentgroups"),
            });
        }
        let has_relatives =
            self.part("parentgroups").is_some() || self.part("childgroups").is_some();
        match (self.part("group"), self.part("user")) {
            (Some(group), None) if is_membership || has_relatives => Some(Event::GroupMembership {
                group: group.named(),
                parents: groups("parentgroups"),
                children: groups("childgroups"),
            }),
            (Some(group), None) => Some(Event::Group(group.named())),
            (None, Some(user)) if !is_membership => Some(Event::User(user.named())),
            _ => None,
        }
    }

    /// A user or group: by its fields, or by its text alone.
    fn named(&self) -> Named {
        let text = Some(self.text.as_str()).filter(|_| self.parts.is_empty());
        let name = self.text_of("name").or(text);
        Named {
            name: name.unwrap_or_default().to_owned(),
            key: self.text_of("key").unwrap_or_default().to_owned(),
        }
    }

    /// All that are named in a list, however deep it lies. A part that names nobody is told as nobody.
    fn all_named(&self) -> Vec<Named> {
        let is_one =
            self.part("name").is_some() || (self.parts.is_empty() && !self.text.is_empty());
        if is_one {
            return vec![self.named()];
        }
        let parts = self
            .parts
            .iter()
            .filter(|it| !matches!(it.name.as_str(), "link" | "expand"));
        parts.flat_map(Node::all_named).collect()
    }
}

fn folded(name: &str) -> String {
    let letters = name.chars().filter(|it| !matches!(it, '-' | '_'));
    letters.collect::<String>().to_ascii_lowercase()
}

fn flag(text: &str) -> Option<bool> {
    match text {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, key: &str) -> Named {
        Named {
            name: name.to_owned(),
            key: key.to_owned(),
        }
    }

    fn ada() -> Named {
        named("ada", "1:2")
    }

    fn all() -> Vec<Event> {
        vec![
            Event::User(ada()),
            Event::Group(named("staff", "")),
            Event::UserMembership {
                user: named("ada", ""),
                groups: vec![named("a", ""), named("b", "")],
            },
            Event::GroupMembership {
                group: named("a", ""),
                parents: vec![],
                children: vec![named("c", "")],
            },
        ]
    }

    #[test]
    fn events_are_read_however_they_nest() {
        let documents = [
            r#"<events newEventToken="t:1" incrementalSynchronisationAvailable="true">
                <userEvent><operation>UPDATED</operation><user name="ada" expand="attributes"><link href="x"/><key>1:2</key></user></userEvent>
                <groupEvent><group name="staff"/></groupEvent>
                <userMembershipEvent><childUser name="ada"/><parentGroups><group name="a"/><group name="b"/></parentGroups></userMembershipEvent>
                <groupMembershipEvent><group name="a"/><parentGroups/><childGroups><group name="c"/></childGroups></groupMembershipEvent>
            </events>"#,
            r#"<events newEventToken="t:1" incrementalSynchronisationAvailable="true"><events>
                <user-event operation="UPDATED"><user><name>ada</name><key>1:2</key></user></user-event>
                <group-event><group><name>staff</name></group></group-event>
                <user-membership><child-user name="ada"/><parent-groups><groups><group name="a"/><group name="b"/></groups></parent-groups></user-membership>
                <group-membership><group name="a"/><child-groups><group name="c"/></child-groups></group-membership>
            </events></events>"#,
            r#"{"newEventToken":"t:1","incrementalSynchronisationAvailable":true,"events":[
                {"type":"userEvent","operation":"UPDATED","user":{"name":"ada","key":"1:2","active":true}},
                {"operation":"CREATED","group":{"name":"staff"},"storedAttributes":{}},
                {"childUser":{"name":"ada"},"parentGroups":{"groups":[{"name":"a"},{"name":"b"}]},"absolute":false},
                {"group":{"name":"a"},"parentGroups":[],"childGroups":[{"name":"c"}]}]}"#,
            r#"{"newEventToken":"t:1","incrementalSynchronisationAvailable":"true","events":[
                {"userEvent":{"user":{"name":"ada","key":"1:2"}}},
                {"groupEvent":{"group":{"name":"staff"}}},
                {"userMembershipEvent":{"childUser":"ada","parentGroups":["a","b"]}},
                {"groupMembershipEvent":{"group":{"name":"a"},"childGroups":["c"]}}]}"#,
        ];
        for document in documents {
            let expect = Events {
                token: "t:1".to_owned(),
                available: Some(true),
                events: all(),
                unknown: vec![],
            };
            assert_eq!(Events::read(document.as_bytes()), Ok(expect), "{document}");
        }
    }

    #[test]
    fn a_token_alone_is_an_answer() {
        fn check(document: &str, token: &str, available: Option<bool>) {
            let read = Events::read(document.as_bytes()).unwrap();
            assert_eq!((read.token.as_str(), read.available), (token, available));
            assert!(read.events.is_empty() && read.unknown.is_empty());
        }
        check(r#"{"newEventToken":"1"}"#, "1", None);
        check(
            r#"{"newEventToken":17,"incrementalSynchronisationAvailable":false}"#,
            "17",
            Some(false),
        );
        check(
            r#"{"incrementalSynchronisationAvailable":false,"events":[]}"#,
            "",
            Some(false),
        );
        check(
            r#"<events newEventToken="1" incrementalSynchronisationAvailable="false"/>"#,
            "1",
            Some(false),
        );
        check(
            r#"<events newEventToken="1" incrementalSynchronisationAvailable="maybe"/>"#,
            "1",
            None,
        );
    }

    #[test]
    fn what_is_not_understood_is_told() {
        fn check(document: &str, expect: &[&str]) {
            let read = Events::read(document.as_bytes()).unwrap();
            assert_eq!(read.unknown, expect, "{document}");
            assert!(read.events.is_empty());
        }
        check(
            r#"<events newEventToken="1"><aliasEvent><application>x</application></aliasEvent></events>"#,
            &["aliasevent"],
        );
        check(
            r#"{"newEventToken":"1","events":[{"aliasEvent":{"alias":"x"}},7]}"#,
            &["aliasevent", "event"],
        );
        check(
            r#"<events newEventToken="1"><userEvent/></events>"#,
            &["userevent"],
        );
        check(
            r#"<events newEventToken="1"><membershipEvent><user name="a"/></membershipEvent></events>"#,
            &["membershipevent"],
        );
    }

    #[test]
    fn names_of_schemas_are_no_events() {
        for document in [
            r#"<events xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns="urn:x" newEventToken="1" xsi:schemaLocation="y"/>"#,
            r#"<events newEventToken="1"><events xmlns:xsi="urn:x"/></events>"#,
        ] {
            let read = Events::read(document.as_bytes()).unwrap();
            assert!(
                read.events.is_empty() && read.unknown.is_empty(),
                "{read:?}"
            );
        }
        let typed = r#"<events xmlns:xsi="urn:x" newEventToken="1"><event xsi:type="userEvent"><user xmlns="urn:y" name="ada"><key>1:2</key></user></event></events>"#;
        let read = Events::read(typed.as_bytes()).unwrap();
        assert_eq!(
            (read.events, read.unknown),
            (vec![Event::User(ada())], vec![])
        );
    }

    #[test]
    fn changes_in_json_are_in_their_list() {
        for document in [
            r#"{"newEventToken":"1"}"#,
            r#"{"newEventToken":"1","events":null}"#,
            r#"{"newEventToken":"1","events":"x"}"#,
            r#"{"newEventToken":"1","event":[{"user":{"name":"ada"}}]}"#,
            r#"{"newEventToken":"1","events":{"userEvent":[{"user":{"name":"ada"}}]}}"#,
        ] {
            let read = Events::read_changes(document.as_bytes());
            assert_eq!(read, Err(EventsFault::NoList), "{document}");
        }
        let beside = br#"{"newEventToken":"1","events":[],"userEvents":[{"user":{"name":"ada"}}]}"#;
        assert_eq!(
            Events::read_changes(beside).unwrap().unknown,
            ["userevents"]
        );
        for document in [
            &br#"{"newEventToken":"1","events":[]}"#[..],
            br#"<events newEventToken="1"/>"#,
        ] {
            let read = Events::read_changes(document).unwrap();
            assert!(read.events.is_empty() && read.unknown.is_empty());
        }
    }

    #[test]
    fn an_answer_that_is_none_is_a_fault() {
        fn check(document: &str, expect: &str) {
            let fault = Events::read(document.as_bytes()).unwrap_err().to_string();
            assert!(fault.contains(expect), "{document}: {fault}");
        }
        check("", "no JSON");
        check("{}", "neither");
        check("[]", "neither");
        check("<events/>", "neither");
        check("<html/>", "`html`");
        check("<events newEventToken='1'><userEvent>", "cut");
        check(r#"{"newEventToken":"1","events":["#, "no JSON");
        check(
            "<events newEventToken='1'><userEvent><user/></userEvent></events>",
            "whom",
        );
        check(
            r#"{"newEventToken":"1","events":[{"childUser":{"name":"a"},"parentGroups":[{"name":""}]}]}"#,
            "whom",
        );
    }
}
