//! What a client sends: small JSON bodies; and what a server reads of them, in JSON and XML.

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};

use super::entity::{Group, User};
use super::json::{JsonFault, Loose, parse_object};
use super::xml::{Element, Limits, XmlFault};

/// Why a body that a client sent is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadBody {
    /// It is no JSON, or says something else.
    #[error(transparent)]
    Json(#[from] JsonFault),
    /// It is no XML, or says something else.
    #[error(transparent)]
    Xml(#[from] XmlFault),
}

/// The whole user for a creation or an update, which replaces everything: a field that is not sent is emptied. A creation
/// carries a password; an update must not. Attributes travel apart.
pub fn user(user: &User, password: Option<&str>) -> Vec<u8> {
    let mut body = json!({
        "name": user.name,
        "first-name": user.first_name,
        "last-name": user.last_name,
        "display-name": user.display_name,
        "email": user.email,
        "active": user.active.unwrap_or(true),
    });
    if let (Some(password), Some(body)) = (password, body.as_object_mut()) {
        body.insert("password".to_owned(), json!({ "value": password }));
    }
    bytes(&body)
}

/// The whole group for a creation or an update.
pub fn group(group: &Group) -> Vec<u8> {
    bytes(&json!({
        "name": group.name,
        "description": group.description,
        "type": "GROUP",
        "active": group.active.unwrap_or(true),
    }))
}

/// `{"name": …}`: the member or group that a membership is made with.
pub fn name(name: &str) -> Vec<u8> {
    bytes(&json!({ "name": name }))
}

/// `{"new-name": …}`: what a user is renamed to.
pub fn new_name(name: &str) -> Vec<u8> {
    bytes(&json!({ "new-name": name }))
}

/// `{"value": …}`: a password.
pub fn password(password: &str) -> Vec<u8> {
    bytes(&json!({ "value": password }))
}

/// Reads a password: `{"value": …}` or `<password><value>…</value></password>`, whichever it is.
///
/// # Errors
/// [`BadBody`]; it quotes nothing.
pub fn read_password(body: &[u8]) -> Result<SecretString, BadBody> {
    let is_xml = body.iter().find(|it| !it.is_ascii_whitespace()) == Some(&b'<');
    let text = if is_xml {
        let root = Element::parse(body, Limits::SMALL)?;
        let value = root.child("value").filter(|_| root.name == "password");
        value.ok_or(XmlFault::Lacks("a password"))?.text.clone()
    } else {
        let raw: Raw = parse_object(body)?;
        match raw.value {
            Loose::Text(text) => text,
            _ => return Err(JsonFault::Lacks("a password").into()),
        }
    };
    Ok(text.into())
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Raw {
    value: Loose,
}

fn bytes(body: &Value) -> Vec<u8> {
    body.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::super::json::{read_group, read_user};
    use super::*;

    #[test]
    fn a_server_reads_what_a_client_sends() {
        let ada = User {
            name: "ada".to_owned(),
            email: "\"a\"@x".to_owned(),
            active: Some(false),
            ..User::default()
        };
        assert_eq!(read_user(&user(&ada, None)), Ok(ada.clone()));
        let staff = Group {
            name: "staff".to_owned(),
            active: Some(true),
            ..Group::default()
        };
        assert_eq!(read_group(&group(&staff)), Ok(staff));
        let created: Value = serde_json::from_slice(&user(&ada, Some("p"))).unwrap();
        assert_eq!(created["password"]["value"], "p");
        assert_eq!(name("x\""), br#"{"name":"x\""}"#);
        assert_eq!(new_name("x"), br#"{"new-name":"x"}"#);
    }

    #[test]
    fn a_password_is_read_in_both_formats() {
        fn check(body: &[u8], expect: Option<&str>) {
            let read = read_password(body).ok();
            assert_eq!(read.as_ref().map(ExposeSecret::expose_secret), expect);
        }
        check(&password("p\"<&>"), Some("p\"<&>"));
        check(br#"{"value":""}"#, Some(""));
        check(
            b"<?xml version='1.0'?><password><value> p&amp;q </value></password>",
            Some(" p&q "),
        );
        check(b"<password><value/></password>", Some(""));
        check(b"<password/>", None);
        check(b"<other><value>p</value></other>", None);
        check(b"{}", None);
        check(br#"{"value":7}"#, None);
        check(b"{", None);
        check(b"p", None);
    }
}
