//! How objects are shown. Only what is wanted is made.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde_json::{Map, Value, json};
use usersyncd::clock::Timestamp;

use super::asked::Asked;
use super::mask::Mask;
use super::state::{Activity, Group, Member, State, User};

/// Which custom schemas of a user are shown.
#[derive(Clone, Debug)]
pub(super) enum Projection {
    Basic,
    Custom(Vec<String>),
    Full,
}

impl Projection {
    /// What is asked for; `None` where custom schemas are and none is named.
    pub(super) fn of(asked: &Asked) -> Option<Projection> {
        let projection = match asked.is("projection") {
            Some("full") => Projection::Full,
            Some("custom") => {
                let names = asked.is("customFieldMask")?;
                Projection::Custom(names.split(',').map(str::to_owned).collect())
            }
            _ => Projection::Basic,
        };
        Some(projection)
    }

    fn shows(&self, schema: &str) -> bool {
        match self {
            Projection::Basic => false,
            Projection::Custom(names) => names.iter().any(|it| it == schema),
            Projection::Full => true,
        }
    }
}

/// An object that is being made, of the wanted fields alone.
struct Object<'a> {
    mask: &'a Mask,
    fields: Map<String, Value>,
}

impl<'a> Object<'a> {
    fn new(mask: &'a Mask, kind: &str, id: &str) -> Object<'a> {
        let mut object = Object {
            mask,
            fields: Map::new(),
        };
        object.put("kind", || kind.into());
        object.put("id", || id.into());
        object
    }

    fn put(&mut self, name: &str, value: impl FnOnce() -> Value) {
        if let Some(mask) = self.mask.of(name) {
            self.fields.insert(name.to_owned(), mask.cut(value()));
        }
    }

    /// A key that is left out where there is nothing.
    fn put_some(&mut self, name: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.put(name, || value.into());
        }
    }

    /// Empty collections have no key.
    fn put_list(&mut self, name: &str, list: &[String]) {
        if !list.is_empty() {
            self.put(name, || list.into());
        }
    }
}

/// A user, whether there or deleted.
pub(super) fn user(user: &User, state: &State, projection: &Projection, mask: &Mask) -> Value {
    let mut object = Object::new(mask, "admin#directory#user", &user.id);
    object.put("etag", || etag(user));
    object.put("primaryEmail", || user.primary_email.as_str().into());
    object.put("name", || name(user));
    object.put("isAdmin", || user.is_admin.into());
    object.put("isDelegatedAdmin", || user.is_delegated_admin.into());
    object.put("creationTime", || "2024-02-29T12:00:00.000Z".into());
    object.put_some("suspended", user.suspended);
    if user.suspended == Some(true) {
        object.put("suspensionReason", || "ADMIN".into());
    }
    object.put_some("archived", user.archived);
    object.put("emails", || emails(user));
    object.put_list("aliases", &user.aliases);
    object.put_list("nonEditableAliases", &user.non_editable_aliases);
    object.put("customerId", || state.customer.as_str().into());
    object.put("orgUnitPath", || user.org_unit_path.as_str().into());
    object.put("includeInGlobalAddressList", || true.into());
    object.put("isMailboxSetup", || true.into());
    let schemas = user.custom_schemas.iter();
    let schemas: Map<String, Value> = schemas
        .filter(|it| projection.shows(it.0))
        .map(|(name, fields)| (name.clone(), fields.clone()))
        .collect();
    if !schemas.is_empty() {
        object.put("customSchemas", || schemas.into());
    }
    for (name, value) in &user.raw {
        object.put(name, || value.clone());
    }
    object.fields.retain(|it, _| !user.omit.contains(it));
    Value::Object(object.fields)
}

/// A deleted user: little more than who it was.
pub(super) fn deleted(user: &User, mask: &Mask) -> Value {
    let mut object = Object::new(mask, "admin#directory#user", &user.id);
    object.put("etag", || etag(user));
    object.put("primaryEmail", || user.primary_email.as_str().into());
    object.put("deletionTime", || "2026-11-01T00:00:00.000Z".into());
    Value::Object(object.fields)
}

/// A group. Whether its tag moves with its members is not known; here it does not.
pub(super) fn group(group: &Group, mask: &Mask) -> Value {
    let mut object = Object::new(mask, "admin#directory#group", &group.id);
    object.put("etag", || {
        etag((&group.email, &group.name, &group.description))
    });
    object.put("email", || group.email.as_str().into());
    object.put("name", || group.name.as_str().into());
    object.put("directMembersCount", || {
        let users = group.members.iter().filter(|it| it.kind == "USER");
        users.count().to_string().into()
    });
    object.put("description", || group.description.as_str().into());
    object.put("adminCreated", || true.into());
    object.put_list("aliases", &group.aliases);
    object.put_list("nonEditableAliases", &group.non_editable_aliases);
    for (name, value) in &group.raw {
        object.put(name, || value.clone());
    }
    object.fields.retain(|it, _| !group.omit.contains(it));
    Value::Object(object.fields)
}

pub(super) fn member(member: &Member, mask: &Mask) -> Value {
    let mut object = Object::new(mask, "admin#directory#member", &member.id);
    object.put("etag", || etag(member));
    object.put_some("email", member.email.as_deref());
    object.put("role", || member.role.as_str().into());
    object.put("type", || member.kind.as_str().into());
    object.put_some("status", member.status.as_deref());
    Value::Object(object.fields)
}

pub(super) fn activity(activity: &Activity, state: &State, mask: &Mask) -> Value {
    let shown = json!({
        "kind": "admin#reports#activity",
        "etag": etag(activity),
        "id": {
            "time": Timestamp(activity.time).to_string().replace('Z', ".000Z"),
            "uniqueQualifier": activity.unique.to_string(),
            "applicationName": activity.application,
            "customerId": state.customer,
        },
        "actor": { "callerType": "USER", "email": super::ADMIN },
        "events": activity.events,
    });
    mask.cut(shown)
}

fn name(user: &User) -> Value {
    let (given, family) = (&user.given_name, &user.family_name);
    let full = user.full_name.clone();
    let full = full.unwrap_or_else(|| format!("{given} {family}").trim().to_owned());
    let mut name = json!({ "givenName": given, "familyName": family, "fullName": full });
    if let Some(display) = &user.display_name {
        name["displayName"] = display.as_str().into();
    }
    name
}

fn emails(user: &User) -> Value {
    let email = |(at, address): (usize, &String)| match at {
        0 => json!({ "address": address, "primary": true }),
        _ => json!({ "address": address }),
    };
    user.addresses().enumerate().map(email).collect()
}

fn etag(of: impl std::fmt::Debug) -> Value {
    let mut hasher = DefaultHasher::new();
    format!("{of:?}").hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish()).into()
}
