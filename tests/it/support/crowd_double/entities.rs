//! What the double holds, as JSON and as XML, and what it takes; written by hand, so that no fault of the product's own reading
//! and writing hides here.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::rules::{ChildEvents, Rules};
use super::state::{Event, Group, State, User};

type Attributes = BTreeMap<String, Vec<String>>;

/// Something to be shown, which each form writes its own way.
pub(super) enum Shown<'a> {
    User(&'a User, Expand),
    Group(&'a Group, Expand),
    Users(Vec<&'a User>, Expand),
    Groups(Vec<&'a Group>, Expand),
    Attributes(&'a Attributes),
    Error(&'a str, &'a str),
    Cookie,
    Token(String, Option<bool>),
    Events(&'a State, &'a [Event], Option<bool>),
}

/// Which parts were asked for with `expand` \[C S3\].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Expand {
    pub(super) entities: bool,
    pub(super) attributes: bool,
}

impl Shown<'_> {
    pub(super) fn json(&self, rules: &Rules) -> String {
        let value = match self {
            Shown::User(it, expand) => user_json(it, *expand, rules),
            Shown::Group(it, expand) => group_json(it, *expand, rules),
            Shown::Users(list, expand) => {
                let users = list.iter().map(|it| {
                    if expand.entities {
                        return user_json(it, *expand, rules);
                    }
                    json!({ "link": link("user?username", &it.name), "name": it.name })
                });
                json!({ "expand": "user", "users": users.collect::<Vec<_>>() })
            }
            Shown::Groups(list, expand) => {
                let groups = list.iter().map(|it| {
                    if expand.entities {
                        return group_json(it, *expand, rules);
                    }
                    json!({ "link": link("group?groupname", &it.name), "name": it.name })
                });
                json!({ "expand": "group", "groups": groups.collect::<Vec<_>>() })
            }
            Shown::Attributes(it) => attributes_json(it, true, rules),
            Shown::Error(reason, message) => json!({ "reason": reason, "message": message }),
            Shown::Cookie => json!({ "domain": "", "name": "crowd.token_key", "secure": false }),
            Shown::Token(token, available) => envelope_json(token, *available, None),
            Shown::Events(state, events, available) => {
                let list = events.iter().map(|it| event_json(it, rules)).collect();
                envelope_json(&state.token(), *available, Some(list))
            }
        };
        value.to_string()
    }

    pub(super) fn xml(&self, rules: &Rules) -> String {
        let mut out = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#.to_owned();
        match self {
            Shown::User(it, expand) => user_xml(&mut out, it, Some(*expand), rules),
            Shown::Group(it, expand) => group_xml(&mut out, it, Some(*expand)),
            Shown::Users(list, expand) => {
                out.push_str(r#"<users expand="user">"#);
                let full = expand.entities.then_some(*expand);
                list.iter().for_each(|it| user_xml(&mut out, it, full, rules));
                out.push_str("</users>");
            }
            Shown::Groups(list, expand) => {
                out.push_str(r#"<groups expand="group">"#);
                let full = expand.entities.then_some(*expand);
                list.iter().for_each(|it| group_xml(&mut out, it, full));
                out.push_str("</groups>");
            }
            Shown::Attributes(it) => attributes_xml(&mut out, it, true),
            Shown::Error(reason, message) => {
                let (reason, message) = (xml(reason), xml(message));
                let _ = write!(
                    out,
                    "<error><reason>{reason}</reason><message>{message}</message></error>"
                );
            }
            Shown::Cookie => out.push_str(
                "<cookie-config><domain></domain><name>crowd.token_key</name><secure>false</secure></cookie-config>",
            ),
            Shown::Token(token, available) => envelope_xml(&mut out, token, *available, &[], rules),
            Shown::Events(state, events, available) => {
                envelope_xml(&mut out, &state.token(), *available, events, rules);
            }
        }
        out
    }
}

/// All direct memberships \[CC\].
pub(super) fn memberships_xml(state: &State) -> String {
    let mut out = r#"<?xml version="1.0" encoding="UTF-8"?><memberships>"#.to_owned();
    for group in state.groups.values() {
        let _ = write!(out, r#"<membership group="{}"><users>"#, xml(&group.name));
        for user in group.members.iter().filter_map(|it| state.users.get(it)) {
            let _ = write!(out, r#"<user name="{}"/>"#, xml(&user.name));
        }
        out.push_str("</users><groups>");
        for child in group.children.iter().filter_map(|it| state.groups.get(it)) {
            let _ = write!(out, r#"<group name="{}"/>"#, xml(&child.name));
        }
        out.push_str("</groups></membership>");
    }
    out.push_str("</memberships>");
    out
}

fn link(path: &str, name: &str) -> Value {
    let name: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
    json!({ "rel": "self", "href": format!("http://crowd.example.com/{path}={name}") })
}

fn user_json(it: &User, expand: Expand, rules: &Rules) -> Value {
    let active = if rules.active_as_text {
        json!(it.active.to_string())
    } else {
        json!(it.active)
    };
    let mut value = json!({
        "expand": "attributes",
        "link": link("user?username", &it.name),
        "name": it.name,
        "first-name": it.first_name,
        "last-name": it.last_name,
        "display-name": it.display_name,
        "email": it.email,
        "active": active,
        "password": { "link": link("user/password?username", &it.name) },
        "attributes": attributes_json(&it.attributes, expand.attributes, rules),
    });
    let fields = value.as_object_mut().unwrap();
    if rules.keys {
        fields.insert("key".to_owned(), json!(it.key));
    }
    fields.extend(it.foreign.clone());
    value
}

fn group_json(it: &Group, expand: Expand, rules: &Rules) -> Value {
    let mut value = json!({
        "expand": "attributes",
        "link": link("group?groupname", &it.name),
        "name": it.name,
        "description": it.description,
        "type": "GROUP",
        "active": it.active,
        "attributes": attributes_json(&it.attributes, expand.attributes, rules),
    });
    value.as_object_mut().unwrap().extend(it.foreign.clone());
    value
}

fn attributes_json(it: &Attributes, shown: bool, rules: &Rules) -> Value {
    let list = it.iter().filter(|_| shown);
    let list: Vec<Value> = list
        .map(|it| json!({ "name": it.0, "values": it.1 }))
        .collect();
    json!({ "link": link("user/attribute?username", ""), rules.attribute_list: list })
}

fn envelope_json(token: &str, available: Option<bool>, events: Option<Vec<Value>>) -> Value {
    let mut value = json!({ "newEventToken": token });
    let fields = value.as_object_mut().unwrap();
    if let Some(available) = available {
        let name = "incrementalSynchronisationAvailable".to_owned();
        fields.insert(name, json!(available));
    }
    fields.extend(events.map(|it| ("events".to_owned(), json!(it))));
    value
}

/// How events are nested in JSON is \[?\]: each under the name of its kind.
fn event_json(event: &Event, rules: &Rules) -> Value {
    let all = Expand {
        entities: true,
        attributes: true,
    };
    match event {
        Event::User(operation, it) => {
            json!({ "userEvent": { "operation": operation, "user": user_json(it, all, rules) } })
        }
        Event::Group(operation, it) => {
            json!({ "groupEvent": { "operation": operation, "group": group_json(it, all, rules) } })
        }
        Event::Member(operation, user, group) => json!({ "userMembershipEvent": {
            "operation": operation,
            "childUser": { "name": user },
            "parentGroups": { "groups": [{ "name": group }] },
        } }),
        Event::Child(operation, parent, child) => match rules.child_events {
            ChildEvents::ByParent => json!({ "groupMembershipEvent": {
                "operation": operation,
                "group": { "name": parent },
                "childGroups": { "groups": [{ "name": child }] },
            } }),
            ChildEvents::ByChild => json!({ "groupMembershipEvent": {
                "operation": operation,
                "group": { "name": child },
                "parentGroups": { "groups": [{ "name": parent }] },
            } }),
        },
    }
}

fn user_xml(out: &mut String, it: &User, expand: Option<Expand>, rules: &Rules) {
    let _ = write!(out, r#"<user name="{}""#, xml(&it.name));
    let Some(expand) = expand else {
        out.push_str("/>");
        return;
    };
    let _ = write!(
        out,
        r#" expand="attributes"><first-name>{}</first-name><last-name>{}</last-name><display-name>{}</display-name><email>{}</email><active>{}</active>"#,
        xml(&it.first_name),
        xml(&it.last_name),
        xml(&it.display_name),
        xml(&it.email),
        it.active,
    );
    if rules.keys {
        let _ = write!(out, "<key>{}</key>", xml(&it.key));
    }
    attributes_xml(out, &it.attributes, expand.attributes);
    out.push_str("</user>");
}

fn group_xml(out: &mut String, it: &Group, expand: Option<Expand>) {
    let _ = write!(out, r#"<group name="{}""#, xml(&it.name));
    let Some(expand) = expand else {
        out.push_str("/>");
        return;
    };
    let _ = write!(
        out,
        r#" expand="attributes"><type>GROUP</type><description>{}</description><active>{}</active>"#,
        xml(&it.description),
        it.active,
    );
    attributes_xml(out, &it.attributes, expand.attributes);
    out.push_str("</group>");
}

fn attributes_xml(out: &mut String, it: &Attributes, shown: bool) {
    out.push_str("<attributes>");
    for (name, values) in it.iter().filter(|_| shown) {
        let _ = write!(out, r#"<attribute name="{}"><values>"#, xml(name));
        for value in values {
            let _ = write!(out, "<value>{}</value>", xml(value));
        }
        out.push_str("</values></attribute>");
    }
    out.push_str("</attributes>");
}

/// The attributes of the root are \[CC S11, S12\], the elements inside of it \[?\].
fn envelope_xml(
    out: &mut String,
    token: &str,
    available: Option<bool>,
    events: &[Event],
    rules: &Rules,
) {
    let _ = write!(out, r#"<events newEventToken="{}""#, xml(token));
    if let Some(available) = available {
        let _ = write!(out, r#" incrementalSynchronisationAvailable="{available}""#);
    }
    out.push('>');
    events.iter().for_each(|it| event_xml(out, it, rules));
    out.push_str("</events>");
}

fn event_xml(out: &mut String, event: &Event, rules: &Rules) {
    let all = Some(Expand {
        entities: true,
        attributes: true,
    });
    let begin = |out: &mut String, kind: &str, operation: &str| {
        let _ = write!(out, "<{kind}><operation>{operation}</operation>");
    };
    match event {
        Event::User(operation, it) => {
            begin(out, "userEvent", operation);
            user_xml(out, it, all, rules);
            out.push_str("</userEvent>");
        }
        Event::Group(operation, it) => {
            begin(out, "groupEvent", operation);
            group_xml(out, it, all);
            out.push_str("</groupEvent>");
        }
        Event::Member(operation, user, group) => {
            begin(out, "userMembershipEvent", operation);
            let (user, group) = (xml(user), xml(group));
            let _ = write!(
                out,
                r#"<childUser name="{user}"/><parentGroups><group name="{group}"/></parentGroups></userMembershipEvent>"#,
            );
        }
        Event::Child(operation, parent, child) => {
            begin(out, "groupMembershipEvent", operation);
            let (parent, child) = (xml(parent), xml(child));
            let _ = match rules.child_events {
                ChildEvents::ByParent => write!(
                    out,
                    r#"<group name="{parent}"/><childGroups><group name="{child}"/></childGroups>"#,
                ),
                ChildEvents::ByChild => write!(
                    out,
                    r#"<group name="{child}"/><parentGroups><group name="{parent}"/></parentGroups>"#,
                ),
            };
            out.push_str("</groupMembershipEvent>");
        }
    }
}

/// A text inside of XML.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// The fields of a user that this product knows; the rest is taken as it is.
const USER_FIELDS: [&str; 11] = [
    "name",
    "first-name",
    "last-name",
    "display-name",
    "email",
    "active",
    "key",
    "password",
    "attributes",
    "link",
    "expand",
];
const GROUP_FIELDS: [&str; 7] = [
    "name",
    "description",
    "type",
    "active",
    "attributes",
    "link",
    "expand",
];

/// A user as a body describes it; what is wrong, if it does not.
pub(super) fn user_of(body: &Value) -> Result<User, String> {
    let fields = body.as_object().ok_or("the body is no object")?;
    let password = fields.get("password").and_then(|it| it.get("value"));
    Ok(User {
        name: text(fields, "name")?,
        first_name: text(fields, "first-name")?,
        last_name: text(fields, "last-name")?,
        display_name: text(fields, "display-name")?,
        email: text(fields, "email")?,
        active: active(fields)?,
        password: password.and_then(Value::as_str).map(str::to_owned),
        attributes: attributes_of(fields.get("attributes")),
        foreign: foreign(fields, &USER_FIELDS),
        ..User::default()
    })
}

/// A group as a body describes it. `type` must be `GROUP` \[CC S4, S5\].
pub(super) fn group_of(body: &Value) -> Result<Group, String> {
    let fields = body.as_object().ok_or("the body is no object")?;
    if text(fields, "type")? != "GROUP" {
        return Err("the type of a group is GROUP".to_owned());
    }
    Ok(Group {
        name: text(fields, "name")?,
        description: text(fields, "description")?,
        active: active(fields)?,
        attributes: attributes_of(fields.get("attributes")),
        foreign: foreign(fields, &GROUP_FIELDS),
        ..Group::default()
    })
}

/// Both spellings of the list are taken.
pub(super) fn attributes_of(value: Option<&Value>) -> Attributes {
    let list = value.and_then(|it| it.get("attributes").or(it.get("attribute")));
    let list = list.and_then(Value::as_array).into_iter().flatten();
    let one = |it: &Value| {
        let values = it.get("values")?.as_array()?.iter();
        let values = values.filter_map(Value::as_str).map(str::to_owned);
        Some((it.get("name")?.as_str()?.to_owned(), values.collect()))
    };
    list.filter_map(one).collect()
}

fn text(fields: &Map<String, Value>, name: &str) -> Result<String, String> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(it)) => Ok(it.clone()),
        Some(_) => Err(format!("{name} is no text")),
    }
}

/// A text is taken, too \[C KB\]; what is left out is off, as every field that is left out is empty.
fn active(fields: &Map<String, Value>) -> Result<bool, String> {
    match fields.get("active") {
        None => Ok(false),
        Some(Value::Bool(it)) => Ok(*it),
        Some(Value::String(it)) => Ok(it == "true"),
        Some(_) => Err("active is neither true nor false".to_owned()),
    }
}

fn foreign(fields: &Map<String, Value>, known: &[&str]) -> BTreeMap<String, Value> {
    let others = fields.iter().filter(|it| !known.contains(&it.0.as_str()));
    others.map(|it| (it.0.clone(), it.1.clone())).collect()
}
