//! Between the model and the wire, and from what went wrong to what follows from it. Nothing here asks anybody.

use serde_json::{Map, Value, json};

use crate::client::crowd::CrowdFault;
use crate::model::{Refusal, WantedAccount, WantedGroup, What};
use crate::text;
use crate::wire::crowd::{Group, JsonFault, User, body, json as wire};

/// Fields of an entity that are the server's own: links, and how to ask for more.
const NOT_OURS: [&str; 3] = ["link", "expand", "password"];

/// A user or group as the server showed it, with all that is foreign to us: an update replaces everything, so that what is not
/// sent back is lost.
#[derive(Clone, Debug)]
pub(super) struct Known<T> {
    /// As far as we understand it.
    pub(super) read: T,
    fields: Map<String, Value>,
}

impl<T> Known<T> {
    /// Whether a replacement would switch it off because the server did not show that it is on.
    pub(super) fn lacks_switch(&self) -> bool {
        self.fields.get("active").is_none_or(Value::is_null)
    }
}

impl Known<User> {
    pub(super) fn user(body: &[u8]) -> Result<Known<User>, JsonFault> {
        let read = wire::read_user(body)?;
        let fields = object(body)?;
        Ok(Known { read, fields })
    }

    /// Brings the fields that `what` names to what is wanted, and says whether that changes anything.
    pub(super) fn set(&mut self, wanted: Option<&WantedAccount<'_>>, what: What) -> bool {
        let before = self.fields.clone();
        if let Some(wanted) = wanted {
            let texts = [
                (What::DISPLAY_NAME, "display-name", wanted.display_name),
                (What::GIVEN_NAME, "first-name", wanted.given_name),
                (What::FAMILY_NAME, "last-name", wanted.family_name),
                (What::EMAIL, "email", wanted.email),
            ];
            for (bit, field, value) in texts {
                if what.has(bit) {
                    self.fields.insert(field.to_owned(), json!(value));
                }
            }
        }
        let switches = what.has(What::ACTIVATE) || what.has(What::DEACTIVATE);
        let active = what.has(What::ACTIVATE);
        if switches && self.read.active != Some(active) {
            self.fields.insert("active".to_owned(), json!(active));
        }
        before != self.fields
    }

    /// What replaces the user under its present name.
    pub(super) fn replacement(&self, name: &str) -> Value {
        replacement(&self.fields, name)
    }

    /// The server's own id of the account, or its name where the server has no other.
    pub(super) fn id(&self) -> &str {
        id_of(&self.read)
    }
}

impl Known<Group> {
    pub(super) fn group(body: &[u8]) -> Result<Known<Group>, JsonFault> {
        let read = wire::read_group(body)?;
        let fields = object(body)?;
        Ok(Known { read, fields })
    }

    /// Describes the group as wanted, and says whether that changes anything.
    pub(super) fn describe(&mut self, wanted: &WantedGroup<'_>) -> bool {
        let changes = self.read.description != wanted.description;
        let value = json!(wanted.description);
        self.fields.insert("description".to_owned(), value);
        changes
    }

    /// What replaces the group.
    pub(super) fn replacement(&self) -> Value {
        let mut fields = self.fields.clone();
        fields.insert("type".to_owned(), json!("GROUP"));
        replacement(&fields, &self.read.name)
    }
}

/// The id by which an account is found again: the key stays when it is renamed; older servers have none.
pub(super) fn id_of(user: &User) -> &str {
    if user.key.is_empty() {
        &user.name
    } else {
        &user.key
    }
}

/// The body that makes an account, with a password that nobody will ever know.
pub(super) fn new_user(wanted: &WantedAccount<'_>, password: &str) -> Vec<u8> {
    let user = User {
        name: wanted.name.to_owned(),
        first_name: wanted.given_name.to_owned(),
        last_name: wanted.family_name.to_owned(),
        display_name: wanted.display_name.to_owned(),
        email: wanted.email.to_owned(),
        active: Some(wanted.active),
        ..User::default()
    };
    body::user(&user, Some(password))
}

/// The body that makes a group.
pub(super) fn new_group(wanted: &WantedGroup<'_>) -> Vec<u8> {
    body::group(&Group {
        name: wanted.name.to_owned(),
        description: wanted.description.to_owned(),
        active: Some(true),
        ..Group::default()
    })
}

/// Whether an account may be the one that was just made: it has the name, and each text that was sent, in whatever case. A
/// server that says `made` of an account that was there before shows that one's texts.
pub(super) fn may_be_made(shown: &User, wanted: &WantedAccount<'_>) -> bool {
    let texts = [
        (&shown.display_name, wanted.display_name),
        (&shown.first_name, wanted.given_name),
        (&shown.last_name, wanted.family_name),
        (&shown.email, wanted.email),
    ];
    text::fold(&shown.name) == text::fold(wanted.name) && texts.iter().all(|it| agrees(it.0, it.1))
}

/// As [`may_be_made`], of a group.
pub(super) fn may_be_made_group(shown: &Group, wanted: &WantedGroup<'_>) -> bool {
    text::fold(&shown.name) == text::fold(wanted.name)
        && agrees(&shown.description, wanted.description)
}

fn agrees(shown: &str, sent: &str) -> bool {
    sent.is_empty() || text::fold(shown.trim()) == text::fold(sent.trim())
}

fn object(body: &[u8]) -> Result<Map<String, Value>, JsonFault> {
    serde_json::from_slice(body).map_err(|_| JsonFault::Lacks("an object"))
}

/// Attributes go back under the one name that every server takes.
fn replacement(fields: &Map<String, Value>, name: &str) -> Value {
    let mut fields = fields.clone();
    fields.retain(|field, _| !NOT_OURS.contains(&field.as_str()));
    fields.insert("name".to_owned(), json!(name));
    if let Some(attributes) = fields.remove("attributes") {
        let list = attributes.get("attributes").or(attributes.get("attribute"));
        let list = list.and_then(Value::as_array).into_iter().flatten();
        let plain = |it: &Value| json!({ "name": it["name"], "values": it["values"] });
        let list: Vec<Value> = list.map(plain).collect();
        fields.insert("attributes".to_owned(), json!({ "attributes": list }));
    }
    Value::Object(fields)
}

/// What follows from a fault wherever nothing more is known. The reason counts before the status: older servers answer 500
/// with a sound reason.
pub(super) fn refusal(fault: &CrowdFault) -> Refusal {
    let text = fault.to_string();
    match fault {
        CrowdFault::Unreachable(_)
        | CrowdFault::Astray(_)
        | CrowdFault::Busy { status: 503, .. } => Refusal::Unavailable(text),
        CrowdFault::Password(_) | CrowdFault::Address(_) => Refusal::Unauthorised(text),
        CrowdFault::Alone(_) => Refusal::Refused(text),
        CrowdFault::Cut(_)
        | CrowdFault::Moved(_)
        | CrowdFault::Unreadable(_)
        | CrowdFault::Busy { .. } => Refusal::Transient(text),
        fault if fault.says_not_found() => Refusal::Stale(text),
        // Not even the API is there.
        CrowdFault::Refused { status: 404, .. } => Refusal::Unavailable(text),
        CrowdFault::Refused { status, reason, .. } => {
            if *status < 500 || REFUSING.contains(&reason.as_str()) {
                Refusal::Refused(text)
            } else {
                Refusal::Transient(text)
            }
        }
    }
}

/// Reasons that are about the change and will be the same the next time.
const REFUSING: [&str; 11] = [
    "APPLICATION_ACCESS_DENIED",
    "APPLICATION_PERMISSION_DENIED",
    "ILLEGAL_ARGUMENT",
    "INVALID_CREDENTIAL",
    "INVALID_EMAIL",
    "INVALID_GROUP",
    "INVALID_MEMBERSHIP",
    "INVALID_USER",
    "NESTED_GROUPS_NOT_SUPPORTED",
    "PERMISSION_DENIED",
    "UNSUPPORTED_OPERATION",
];

/// Whether the server says that a membership is there already.
pub(super) fn is_there(fault: &CrowdFault) -> bool {
    fault.reason() == "MEMBERSHIP_ALREADY_EXISTS"
        || matches!(fault, CrowdFault::Refused { status: 409, .. })
}

/// Whether what was asked for may be done, although the answer does not say so.
pub(super) fn may_be_done(fault: &CrowdFault) -> bool {
    match fault {
        CrowdFault::Unreachable(_)
        | CrowdFault::Password(_)
        | CrowdFault::Address(_)
        | CrowdFault::Alone(_) => false,
        CrowdFault::Busy { status, .. } | CrowdFault::Refused { status, .. } => *status >= 500,
        CrowdFault::Cut(_)
        | CrowdFault::Astray(_)
        | CrowdFault::Moved(_)
        | CrowdFault::Unreadable(_) => true,
    }
}

/// Whether what was asked for may be refused because something of that name is there.
pub(super) fn may_be_taken(fault: &CrowdFault) -> bool {
    matches!(fault, CrowdFault::Refused { status, .. } if !matches!(status, 403 | 404))
        && !fault.says_not_found()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOWN: &str = r#"{
        "expand": "attributes", "link": {"href": "x"}, "name": "Anna", "first-name": "A", "last-name": "L",
        "display-name": "Anna L", "email": "a@x", "active": "true", "key": "1:2", "created-date": 7,
        "password": {"link": {"href": "y"}},
        "attributes": {"link": {}, "attribute": [{"link": {}, "name": "n", "values": ["v", "w"]}]}
    }"#;

    fn wanted() -> WantedAccount<'static> {
        WantedAccount {
            name: "anna",
            display_name: "Anna Lee",
            given_name: "Anna",
            family_name: "Lee",
            email: "anna@x",
            directory: "d",
            directory_id: "d",
            external_id: "e",
            active: true,
        }
    }

    #[test]
    fn an_update_sends_everything_back_but_what_it_changes() {
        let mut known = Known::user(SHOWN.as_bytes()).unwrap();
        let what = What::EMAIL.with(What::DEACTIVATE);
        assert!(known.set(Some(&wanted()), what));
        let expect = json!({
            "name": "Anna", "first-name": "A", "last-name": "L", "display-name": "Anna L", "email": "anna@x",
            "active": false, "key": "1:2", "created-date": 7,
            "attributes": {"attributes": [{"name": "n", "values": ["v", "w"]}]},
        });
        assert_eq!(known.replacement("Anna"), expect);
        assert_eq!(known.id(), "1:2");
    }

    #[test]
    fn what_is_as_wanted_is_not_sent() {
        let mut known = Known::user(SHOWN.as_bytes()).unwrap();
        assert!(!known.set(None, What::ACTIVATE));
        let same = WantedAccount {
            display_name: "Anna L",
            ..wanted()
        };
        assert!(!known.set(Some(&same), What::DISPLAY_NAME));
        assert!(known.set(None, What::DEACTIVATE));
    }

    #[test]
    fn every_fault_says_what_follows() {
        fn check(status: u16, reason: &str, expect: &str) {
            let text = String::new();
            let fault = match status {
                429 | 502 | 503 | 504 => CrowdFault::Busy { status, text },
                _ => CrowdFault::Refused {
                    status,
                    reason: reason.to_owned(),
                    text,
                },
            };
            let found = match refusal(&fault) {
                Refusal::Transient(_) => "transient",
                Refusal::Refused(_) => "refused",
                Refusal::Stale(_) => "stale",
                Refusal::Unauthorised(_) => "unauthorised",
                Refusal::Unavailable(_) => "unavailable",
            };
            assert_eq!(found, expect, "{status} {reason}");
        }
        check(400, "INVALID_USER", "refused");
        check(400, "", "refused");
        check(400, "USER_NOT_FOUND", "stale");
        check(403, "APPLICATION_PERMISSION_DENIED", "refused");
        check(404, "GROUP_NOT_FOUND", "stale");
        check(404, "", "unavailable");
        check(500, "", "transient");
        check(500, "OPERATION_FAILED", "transient");
        check(500, "INVALID_EMAIL", "refused");
        check(500, "USER_NOT_FOUND", "stale");
        check(429, "", "transient");
        check(502, "", "transient");
        check(503, "", "unavailable");
    }

    #[test]
    fn an_account_that_bears_other_texts_was_not_made_here() {
        fn check(change: impl FnOnce(&mut User), expect: bool) {
            let wanted = wanted();
            let mut user = User {
                name: "Anna".to_owned(),
                display_name: "Anna Lee ".to_owned(),
                first_name: "Anna".to_owned(),
                last_name: "LEE".to_owned(),
                email: "Anna@x".to_owned(),
                ..User::default()
            };
            change(&mut user);
            assert_eq!(may_be_made(&user, &wanted), expect, "{user:?}");
        }
        check(|_| {}, true);
        check(|it| "anni".clone_into(&mut it.name), false);
        check(|it| "anna@y".clone_into(&mut it.email), false);
        check(|it| it.display_name.clear(), false);
    }
}
