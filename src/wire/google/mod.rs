//! What Google's Directory API and Reports API answer, before it means anything.
//!
//! Many members of a user are of any type, keys of empty lists are left out, and a number is a text. So every record is read
//! as the object that it is and asked for what is wanted: one odd value is that value missing, and the page around it stays.
//!
//! Source: the discovery documents `admin:directory_v1` and `admin:reports_v1`.

mod object;

use serde::Deserialize;
use serde_json::{Map, Value};

pub use self::object::Object;

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The records; `None` where the answer has no such list, as is so of one that is empty.
    pub items: Option<Vec<T>>,
    /// What asks for the next page; `None` on the last one.
    pub next: Option<String>,
}

/// A user, `admin#directory#user`. Texts are empty where there is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// Never changes, and never comes back.
    pub id: String,
    /// The address that the user is known by at the moment.
    pub primary_email: String,
    /// `name.fullName`.
    pub full_name: String,
    /// `name.givenName`.
    pub given_name: String,
    /// `name.familyName`.
    pub family_name: String,
    /// Switched off by an administrator or by Google; `None` where the answer does not say.
    pub suspended: Option<bool>,
    /// Switched off and kept for the record; `None` where the answer does not say.
    pub archived: Option<bool>,
    /// `aliases` and `nonEditableAliases`.
    pub aliases: Vec<String>,
    /// It was deleted, and could be restored still.
    pub is_deleted: bool,
    /// Everything that was answered of the user.
    pub object: Object,
}

/// A group, `admin#directory#group`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// Never changes.
    pub id: String,
    /// Its address at the moment.
    pub email: String,
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// `aliases` and `nonEditableAliases`.
    pub aliases: Vec<String>,
    /// How many users are its direct members (`directMembersCount`); groups in it do not count.
    pub direct_users: Option<u64>,
}

/// What a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberKind {
    /// A user.
    User,
    /// A group.
    Group,
    /// Everybody of the customer.
    Customer,
    /// The answer does not say, or says something else.
    Other,
}

/// A direct member of a group, `admin#directory#member`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The id of the user, the group or the customer.
    pub id: String,
    /// The address under which it was put in; it may be an alias.
    pub email: String,
    /// What it is.
    pub kind: MemberKind,
}

/// Something that happened, `admin#reports#activity`: every text in its events' parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activity {
    /// Ids, addresses, and whatever else the events name.
    pub texts: Vec<String>,
}

/// Why a body is not what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GoogleJsonFault {
    /// It is no JSON, or it ends too early.
    #[error("the answer is no JSON, or was cut: {0}")]
    NotJson(String),
    /// It is JSON and something else than was asked for.
    #[error("the answer is JSON and no {0}")]
    Not(&'static str),
}

/// Reads a page of `users`.
///
/// # Errors
/// [`GoogleJsonFault`].
pub fn read_users(body: &[u8]) -> Result<Page<User>, GoogleJsonFault> {
    page(body, "users", User::from)
}

/// Reads a page of `groups`.
///
/// # Errors
/// [`GoogleJsonFault`].
pub fn read_groups(body: &[u8]) -> Result<Page<Group>, GoogleJsonFault> {
    page(body, "groups", Group::from)
}

/// Reads a page of `members`.
///
/// # Errors
/// [`GoogleJsonFault`].
pub fn read_members(body: &[u8]) -> Result<Page<Member>, GoogleJsonFault> {
    page(body, "members", Member::from)
}

/// Reads a page of activities.
///
/// # Errors
/// [`GoogleJsonFault`].
pub fn read_activities(body: &[u8]) -> Result<Page<Activity>, GoogleJsonFault> {
    page(body, "items", Activity::from)
}

/// Reads one user.
///
/// # Errors
/// [`GoogleJsonFault`].
pub fn read_user(body: &[u8]) -> Result<User, GoogleJsonFault> {
    let object: Object = parse(body)?;
    let user = User::from(object);
    if user.id.is_empty() {
        return Err(GoogleJsonFault::Not("user"));
    }
    Ok(user)
}

/// Reads one group.
///
/// # Errors
/// [`GoogleJsonFault`].
pub fn read_group(body: &[u8]) -> Result<Group, GoogleJsonFault> {
    let object: Object = parse(body)?;
    let group = Group::from(object);
    if group.id.is_empty() {
        return Err(GoogleJsonFault::Not("group"));
    }
    Ok(group)
}

impl From<Object> for User {
    fn from(object: Object) -> User {
        let name = |part: &str| object.text_in("name", part).to_owned();
        User {
            id: id(&object),
            primary_email: object.text("primaryEmail").to_owned(),
            full_name: name("fullName"),
            given_name: name("givenName"),
            family_name: name("familyName"),
            suspended: object.flag("suspended"),
            archived: object.flag("archived"),
            aliases: aliases(&object),
            is_deleted: !object.text("deletionTime").is_empty(),
            object,
        }
    }
}

impl From<Object> for Group {
    fn from(object: Object) -> Group {
        Group {
            id: id(&object),
            email: object.text("email").to_owned(),
            name: object.text("name").to_owned(),
            description: object.text("description").to_owned(),
            aliases: aliases(&object),
            direct_users: object.text("directMembersCount").parse().ok(),
        }
    }
}

impl From<Object> for Member {
    fn from(object: Object) -> Member {
        Member {
            id: id(&object),
            email: object.text("email").to_owned(),
            kind: match object.text("type") {
                "USER" => MemberKind::User,
                "GROUP" => MemberKind::Group,
                "CUSTOMER" => MemberKind::Customer,
                _ => MemberKind::Other,
            },
        }
    }
}

impl From<Object> for Activity {
    fn from(object: Object) -> Activity {
        let texts = object.values("events.parameters.value").into_iter();
        let lists = object.values("events.parameters.multiValue");
        Activity {
            texts: texts.chain(lists).collect(),
        }
    }
}

/// An id that can stand in a path.
fn id(object: &Object) -> String {
    match object.text("id") {
        "." | ".." => String::new(),
        id => id.to_owned(),
    }
}

fn aliases(object: &Object) -> Vec<String> {
    let both = ["aliases", "nonEditableAliases"].into_iter();
    both.flat_map(|it| object.values(it)).collect()
}

/// Reads a page whose records stand under `key`. What is no object there is a record without anything.
fn page<T>(
    body: &[u8],
    key: &'static str,
    read: fn(Object) -> T,
) -> Result<Page<T>, GoogleJsonFault> {
    let mut page: Map<String, Value> = parse(body)?;
    if page.contains_key("error") {
        return Err(GoogleJsonFault::Not("page, though it reports success"));
    }
    let next = match page.remove("nextPageToken") {
        None | Some(Value::Null) => None,
        Some(Value::String(token)) => Some(token),
        Some(_) => return Err(GoogleJsonFault::Not("page")),
    };
    let items = match page.remove(key) {
        None | Some(Value::Null) => None,
        Some(Value::Array(items)) => {
            Some(items.into_iter().map(|it| read(Object::of(it))).collect())
        }
        Some(_) => return Err(GoogleJsonFault::Not("list")),
    };
    Ok(Page {
        items,
        next: next.filter(|it| !it.is_empty()),
    })
}

fn parse<'b, T: Deserialize<'b>>(body: &'b [u8]) -> Result<T, GoogleJsonFault> {
    serde_json::from_slice(body).map_err(|it| {
        if it.is_data() {
            GoogleJsonFault::Not("object of the kind that was asked for")
        } else {
            // Its own words name the place, not the content.
            GoogleJsonFault::NotJson(it.to_string())
        }
    })
}

#[cfg(test)]
mod tests;
