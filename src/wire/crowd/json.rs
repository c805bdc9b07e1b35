//! Reading users and groups from JSON.
//!
//! Every member of a record is read as whatever it is and judged afterwards: so one record with a number for a name is one bad
//! record, and the list around it stays. A list that lacks its member is no empty list.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::entity::{Attribute, BadRecord, Group, User};

/// Why a body is not what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonFault {
    /// It is no JSON, or it ends too early.
    #[error("the answer is no JSON, or was cut: {0}")]
    NotJson(String),
    /// It is JSON and something else than was asked for.
    #[error("the answer lacks {0}")]
    Lacks(&'static str),
    /// The one record that was asked for makes no sense.
    #[error("the answer makes no sense: {0}")]
    BadRecord(String),
}

/// Reads `{"users": […]}`, expanded or not.
///
/// # Errors
/// [`JsonFault`]: it is no JSON, or has no such list. A user that makes no sense is an error in the list.
pub fn read_users(body: &[u8]) -> Result<Vec<Result<User, BadRecord>>, JsonFault> {
    let list: Users = parse_object(body)?;
    let users = list.users.into_list();
    let users = users.ok_or(JsonFault::Lacks("a list of users"))?;
    Ok(users.into_iter().map(Loose::into_user).collect())
}

/// Reads `{"groups": […]}`, expanded or not.
///
/// # Errors
/// [`JsonFault`]: it is no JSON, or has no such list. A group that makes no sense is an error in the list.
pub fn read_groups(body: &[u8]) -> Result<Vec<Result<Group, BadRecord>>, JsonFault> {
    let list: Groups = parse_object(body)?;
    let groups = list.groups.into_list();
    let groups = groups.ok_or(JsonFault::Lacks("a list of groups"))?;
    Ok(groups.into_iter().map(Loose::into_group).collect())
}

/// Reads one user.
///
/// # Errors
/// [`JsonFault`]: it is no JSON, or no sensible user.
pub fn read_user(body: &[u8]) -> Result<User, JsonFault> {
    let user: Loose<RawUser> = parse(body)?;
    user.into_user()
        .map_err(|it| JsonFault::BadRecord(it.reason))
}

/// Reads one group.
///
/// # Errors
/// [`JsonFault`]: it is no JSON, or no sensible group.
pub fn read_group(body: &[u8]) -> Result<Group, JsonFault> {
    let group: Loose<RawGroup> = parse(body)?;
    group
        .into_group()
        .map_err(|it| JsonFault::BadRecord(it.reason))
}

pub(super) fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, JsonFault> {
    // The position is kept and the text is not: it may quote values.
    serde_json::from_slice(body).map_err(|it| {
        let what = if it.is_eof() {
            "it ends"
        } else {
            "it goes wrong"
        };
        JsonFault::NotJson(format!(
            "{what} at line {}, column {}",
            it.line(),
            it.column()
        ))
    })
}

/// Reads an object; a list would be taken for one whose members come in order.
pub(super) fn parse_object<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, JsonFault> {
    let object: Loose<T> = parse(body)?;
    object.into_object().ok_or(JsonFault::Lacks("an object"))
}

/// Whatever stands for a value: `O` is what an object is read as, `E` what each element of a list is.
#[derive(Clone, Debug, Default)]
pub(super) enum Loose<O = IgnoredAny, E = IgnoredAny> {
    /// Nothing, or `null`.
    #[default]
    Absent,
    Text(String),
    Flag(bool),
    Number,
    List(Vec<E>),
    Object(O),
}

impl<O, E> Loose<O, E> {
    /// The text; empty where there is nothing.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn into_text(self) -> Result<String, &'static str> {
        match self {
            Loose::Absent => Ok(String::new()),
            Loose::Text(text) => Ok(text),
            Loose::Flag(_) | Loose::Number | Loose::List(_) | Loose::Object(_) => {
                Err("is not a text")
            }
        }
    }

    /// The flag, also where it is written as a text.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn into_flag(self) -> Result<Option<bool>, &'static str> {
        match self {
            Loose::Absent => Ok(None),
            Loose::Flag(flag) => Ok(Some(flag)),
            Loose::Text(text) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Loose::Text(text) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Loose::Text(_) | Loose::Number | Loose::List(_) | Loose::Object(_) => {
                Err("is neither true nor false")
            }
        }
    }

    pub(super) fn into_list(self) -> Option<Vec<E>> {
        match self {
            Loose::List(list) => Some(list),
            Loose::Absent | Loose::Text(_) | Loose::Flag(_) | Loose::Number | Loose::Object(_) => {
                None
            }
        }
    }

    pub(super) fn into_object(self) -> Option<O> {
        match self {
            Loose::Object(object) => Some(object),
            Loose::Absent | Loose::Text(_) | Loose::Flag(_) | Loose::Number | Loose::List(_) => {
                None
            }
        }
    }
}

impl<'de, O: Deserialize<'de>, E: Deserialize<'de>> Deserialize<'de> for Loose<O, E> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LooseVisitor(PhantomData))
    }
}

struct LooseVisitor<O, E>(PhantomData<(O, E)>);

impl<'de, O: Deserialize<'de>, E: Deserialize<'de>> Visitor<'de> for LooseVisitor<O, E> {
    type Value = Loose<O, E>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<X>(self) -> Result<Self::Value, X> {
        Ok(Loose::Absent)
    }

    fn visit_bool<X>(self, flag: bool) -> Result<Self::Value, X> {
        Ok(Loose::Flag(flag))
    }

    fn visit_i64<X>(self, _: i64) -> Result<Self::Value, X> {
        Ok(Loose::Number)
    }

    fn visit_u64<X>(self, _: u64) -> Result<Self::Value, X> {
        Ok(Loose::Number)
    }

    fn visit_f64<X>(self, _: f64) -> Result<Self::Value, X> {
        Ok(Loose::Number)
    }

    fn visit_str<X>(self, text: &str) -> Result<Self::Value, X> {
        Ok(Loose::Text(text.to_owned()))
    }

    fn visit_string<X>(self, text: String) -> Result<Self::Value, X> {
        Ok(Loose::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = list.next_element()? {
            elements.push(element);
        }
        Ok(Loose::List(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        O::deserialize(MapAccessDeserializer::new(map)).map(Loose::Object)
    }
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Users {
    users: Loose<IgnoredAny, Loose<RawUser>>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Groups {
    groups: Loose<IgnoredAny, Loose<RawGroup>>,
}

/// A user, its members as they come.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct RawUser {
    name: Loose,
    first_name: Loose,
    last_name: Loose,
    display_name: Loose,
    email: Loose,
    active: Loose,
    key: Loose,
    attributes: Loose<RawAttributes, Loose<RawAttribute>>,
}

/// A group, its members as they come.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct RawGroup {
    name: Loose,
    description: Loose,
    active: Loose,
    attributes: Loose<RawAttributes, Loose<RawAttribute>>,
}

/// Both spellings: servers write `attributes`, the reference of Crowd 6 shows `attribute`.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(default)]
struct RawAttributes {
    attributes: Loose<IgnoredAny, Loose<RawAttribute>>,
    attribute: Loose<IgnoredAny, Loose<RawAttribute>>,
}

#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(default)]
struct RawAttribute {
    name: Loose,
    values: Loose<IgnoredAny, Loose>,
}

impl Loose<RawUser> {
    /// The user, if it makes sense.
    pub(super) fn into_user(self) -> Result<User, BadRecord> {
        let raw = self.into_object().ok_or_else(no_object)?;
        let mut bad = BadRecord::default();
        let user = User {
            name: bad.text("name", raw.name),
            first_name: bad.text("first-name", raw.first_name),
            last_name: bad.text("last-name", raw.last_name),
            display_name: bad.text("display-name", raw.display_name),
            email: bad.text("email", raw.email),
            active: bad.flag(raw.active),
            key: bad.text("key", raw.key),
            attributes: bad.attributes(raw.attributes),
        };
        let (name, key) = (user.name.clone(), user.key.clone());
        bad.unless_good(user, name, key)
    }
}

impl Loose<RawGroup> {
    /// The group, if it makes sense.
    pub(super) fn into_group(self) -> Result<Group, BadRecord> {
        let raw = self.into_object().ok_or_else(no_object)?;
        let mut bad = BadRecord::default();
        let group = Group {
            name: bad.text("name", raw.name),
            description: bad.text("description", raw.description),
            active: bad.flag(raw.active),
            attributes: bad.attributes(raw.attributes),
        };
        let name = group.name.clone();
        bad.unless_good(group, name, String::new())
    }
}

fn no_object() -> BadRecord {
    BadRecord {
        reason: "it is no object".to_owned(),
        ..BadRecord::default()
    }
}

impl BadRecord {
    fn text(&mut self, member: &str, value: Loose) -> String {
        let text = value.into_text();
        text.unwrap_or_else(|fault| {
            self.note(&format!("`{member}` {fault}"));
            String::new()
        })
    }

    fn flag(&mut self, value: Loose) -> Option<bool> {
        let flag = value.into_flag();
        flag.unwrap_or_else(|fault| {
            self.note(&format!("`active` {fault}"));
            None
        })
    }

    fn attributes(&mut self, value: Loose<RawAttributes, Loose<RawAttribute>>) -> Vec<Attribute> {
        let attributes = match value {
            Loose::Absent => Ok(Vec::new()),
            Loose::Object(both) => both.into_attributes(),
            Loose::List(list) => list.into_iter().map(Loose::into_attribute).collect(),
            Loose::Text(_) | Loose::Flag(_) | Loose::Number => Err("`attributes` is no list"),
        };
        attributes.unwrap_or_else(|fault| {
            self.note(fault);
            Vec::new()
        })
    }

    /// The first fault is told: the others often follow from it.
    fn note(&mut self, fault: &str) {
        if self.reason.is_empty() {
            fault.clone_into(&mut self.reason);
        }
    }

    fn unless_good<T>(mut self, good: T, name: String, key: String) -> Result<T, BadRecord> {
        if name.is_empty() {
            self.note("it has no name");
        }
        if self.reason.is_empty() {
            return Ok(good);
        }
        self.name = name;
        self.key = key;
        Err(self)
    }
}

impl RawAttributes {
    fn into_attributes(self) -> Result<Vec<Attribute>, &'static str> {
        let mut all = Vec::new();
        for list in [self.attributes, self.attribute] {
            match list {
                Loose::Absent => {}
                Loose::List(list) => all.extend(list),
                Loose::Text(_) | Loose::Flag(_) | Loose::Number | Loose::Object(_) => {
                    return Err("`attributes` holds no list");
                }
            }
        }
        all.into_iter().map(Loose::into_attribute).collect()
    }
}

impl Loose<RawAttribute> {
    fn into_attribute(self) -> Result<Attribute, &'static str> {
        let raw = self.into_object().ok_or("an attribute is no object")?;
        let name = raw.name.into_text().unwrap_or_default();
        if name.is_empty() {
            return Err("an attribute has no name");
        }
        let values = match raw.values {
            Loose::Absent => Vec::new(),
            Loose::List(list) => list,
            Loose::Text(text) => vec![Loose::Text(text)],
            Loose::Flag(_) | Loose::Number | Loose::Object(_) => {
                return Err("the values of an attribute are no list");
            }
        };
        let values: Result<Vec<String>, _> = values.into_iter().map(Loose::into_text).collect();
        let values = values.map_err(|_| "a value of an attribute is not a text")?;
        Ok((name, values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(json: &str) -> Result<User, BadRecord> {
        let body = format!(r#"{{"expand":"user","users":[{json}]}}"#);
        read_users(body.as_bytes()).unwrap().remove(0)
    }

    #[test]
    fn a_user_of_a_real_server_is_read() {
        let json = r#"{"expand":"attributes","link":{"rel":"self","href":"http://h/user?username=ada"},
            "name":"ada","first-name":"Ada","last-name":"Lovelace","display-name":"Ada L","email":"a@x",
            "active":true,"key":"32769:ab-cd","password":{"link":{"rel":"edit","href":"x"}},
            "attributes":{"link":{},"attributes":[{"name":"badge","values":["1","2"]}]}}"#;
        let expect = User {
            name: "ada".to_owned(),
            first_name: "Ada".to_owned(),
            last_name: "Lovelace".to_owned(),
            display_name: "Ada L".to_owned(),
            email: "a@x".to_owned(),
            active: Some(true),
            key: "32769:ab-cd".to_owned(),
            attributes: vec![("badge".to_owned(), vec!["1".to_owned(), "2".to_owned()])],
        };
        assert_eq!(user(json), Ok(expect.clone()));
        assert_eq!(read_user(json.as_bytes()), Ok(expect));
    }

    #[test]
    fn what_servers_write_differently_means_the_same() {
        fn check(json: &str, expect: impl Fn(&User) -> bool) {
            assert!(expect(&user(json).unwrap()), "{json}");
        }
        check(r#"{"name":"a","active":"false"}"#, |it| {
            it.active == Some(false)
        });
        check(r#"{"name":"a","active":"TRUE"}"#, |it| {
            it.active == Some(true)
        });
        check(r#"{"name":"a","active":null}"#, |it| it.active.is_none());
        check(r#"{"link":{},"name":"a"}"#, |it| {
            *it == User {
                name: "a".to_owned(),
                ..User::default()
            }
        });
        let badge = |it: &User| it.attributes == [("b".to_owned(), vec!["1".to_owned()])];
        check(
            r#"{"name":"a","attributes":{"attribute":[{"name":"b","values":["1"]}]}}"#,
            badge,
        );
        check(
            r#"{"name":"a","attributes":[{"name":"b","values":["1"]}]}"#,
            badge,
        );
        check(
            r#"{"name":"a","attributes":{"attributes":[{"name":"b","values":"1"}]}}"#,
            badge,
        );
        check(r#"{"name":"a","attributes":{"link":{}}}"#, |it| {
            it.attributes.is_empty()
        });
    }

    #[test]
    fn a_wrong_type_is_the_fault_of_its_record_alone() {
        fn check(json: &str, expect: &str) {
            let body = format!(r#"{{"users":[{{"name":"before"}},{json},{{"name":"after"}}]}}"#);
            let users = read_users(body.as_bytes()).unwrap();
            assert_eq!(users.iter().filter(|it| it.is_ok()).count(), 2, "{json}");
            let fault = users[1].as_ref().unwrap_err();
            assert!(fault.reason.contains(expect), "{json}: {}", fault.reason);
        }
        check(r#"{"name":7,"key":"k"}"#, "`name` is not a text");
        check(r#"{"name":["a"]}"#, "`name`");
        check(r#"{"name":""}"#, "no name");
        check("{}", "no name");
        check(r#"{"name":"a","email":{"x":1}}"#, "`email`");
        check(r#"{"name":"a","key":1.5}"#, "`key`");
        check(r#"{"name":"a","active":"yes"}"#, "`active`");
        check(r#"{"name":"a","active":1}"#, "`active`");
        check(r#"{"name":"a","attributes":7}"#, "`attributes`");
        check(r#"{"name":"a","attributes":{"attributes":{}}}"#, "no list");
        check(r#"{"name":"a","attributes":[{"values":["1"]}]}"#, "no name");
        check(
            r#"{"name":"a","attributes":[{"name":"b","values":[1]}]}"#,
            "not a text",
        );
        check(r#""a""#, "no object");
        check("null", "no object");
    }

    #[test]
    fn a_bad_record_tells_who_it_is() {
        let bad = user(r#"{"name":"ada","key":"k","email":1}"#).unwrap_err();
        assert_eq!((bad.name.as_str(), bad.key.as_str()), ("ada", "k"));
    }

    #[test]
    fn what_is_no_list_is_never_an_empty_one() {
        for body in [
            "{}",
            r#"{"users":null}"#,
            r#"{"users":{"name":"a"}}"#,
            r#"{"groups":[]}"#,
        ] {
            let fault = read_users(body.as_bytes()).unwrap_err();
            assert_eq!(fault, JsonFault::Lacks("a list of users"), "{body}");
        }
        for body in [
            "",
            "<users/>",
            r#"{"users":["#,
            r#"{"users":[{"name":"a"}]"#,
        ] {
            let fault = read_users(body.as_bytes()).unwrap_err();
            assert!(matches!(fault, JsonFault::NotJson(_)), "{body}: {fault}");
        }
        for body in ["[]", "7", r#"[[{"name":"a"}]]"#] {
            let fault = read_users(body.as_bytes()).unwrap_err();
            assert_eq!(fault, JsonFault::Lacks("an object"), "{body}");
        }
        assert_eq!(read_users(br#"{"expand":"user","users":[]}"#), Ok(vec![]));
    }

    #[test]
    fn groups_are_read_like_users() {
        let body = br#"{"expand":"group","groups":[
            {"name":"staff","description":"All","type":"GROUP","active":true},{"name":{}}]}"#;
        let groups = read_groups(body).unwrap();
        let staff = groups[0].as_ref().unwrap();
        assert_eq!(
            (staff.name.as_str(), staff.description.as_str()),
            ("staff", "All")
        );
        assert_eq!(staff.active, Some(true));
        assert!(groups[1].is_err());
        assert_eq!(
            read_groups(b"{}"),
            Err(JsonFault::Lacks("a list of groups"))
        );
        assert!(read_group(br#"{"name":"x"}"#).is_ok());
    }

    #[test]
    fn faults_quote_no_values() {
        let fault = read_users(br#"{"users":[{"name":"secret" "x"}]}"#).unwrap_err();
        assert!(!fault.to_string().contains("secret"), "{fault}");
    }
}
