//! What the double holds. Everything may be changed by hand; what takes more than one step stands in `changes`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;
use usersyncd::clock::{Clock, SystemClock};

use super::{ADMIN, AUDIT_SCOPE, GROUP_SCOPE, USER_SCOPE};

/// One user.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) primary_email: String,
    pub(crate) aliases: Vec<String>,
    pub(crate) non_editable_aliases: Vec<String>,
    pub(crate) given_name: String,
    pub(crate) family_name: String,
    /// Both names, where it is `None`.
    pub(crate) full_name: Option<String>,
    pub(crate) display_name: Option<String>,
    /// The key is left out where it is `None`.
    pub(crate) suspended: Option<bool>,
    /// The key is left out where it is `None`.
    pub(crate) archived: Option<bool>,
    pub(crate) org_unit_path: String,
    pub(crate) is_admin: bool,
    pub(crate) is_delegated_admin: bool,
    /// Schema to field to value. Shown by projection only.
    pub(crate) custom_schemas: BTreeMap<String, Value>,
    /// Keys of the answer as they stand, instead of or besides the above.
    pub(crate) raw: BTreeMap<String, Value>,
    /// Keys that the answer lacks.
    pub(crate) omit: BTreeSet<String>,
}

/// One group.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Group {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) aliases: Vec<String>,
    pub(crate) non_editable_aliases: Vec<String>,
    /// In the order in which they are shown.
    pub(crate) members: Vec<Member>,
    /// Keys of the answer as they stand, instead of or besides the above.
    pub(crate) raw: BTreeMap<String, Value>,
    /// Keys that the answer lacks.
    pub(crate) omit: BTreeSet<String>,
}

/// One direct member of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) id: String,
    /// The key is left out where it is `None`.
    pub(crate) email: Option<String>,
    pub(crate) role: String,
    /// `USER`, `GROUP` or `CUSTOMER`; the key is `type`.
    pub(crate) kind: String,
    /// The key is left out where it is `None`.
    pub(crate) status: Option<String>,
}

/// Somebody of another organisation: a user or a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Foreign {
    pub(crate) email: String,
    /// `USER` or `GROUP`.
    pub(crate) kind: &'static str,
}

/// One entry of a log.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Activity {
    /// Seconds since the epoch.
    pub(crate) time: i64,
    pub(crate) unique: i64,
    pub(crate) application: String,
    /// As they are shown: `[{"type": …, "name": …, "parameters": [{"name": …, "value": …}]}]`.
    pub(crate) events: Value,
}

/// Everything that the double holds.
pub(crate) struct State {
    /// The server's time. It judges assertions and lets access tokens expire.
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) customer: String,
    pub(crate) domains: BTreeSet<String>,
    /// Who may be impersonated and read everything; they need not be users.
    pub(crate) admins: BTreeSet<String>,
    /// The scopes that are authorised for the service account.
    pub(crate) scopes: BTreeSet<String>,
    /// How long an access token that is given out from now on is good, in seconds.
    pub(crate) token_life: i64,
    /// By id.
    pub(crate) users: BTreeMap<String, User>,
    /// By id.
    pub(crate) groups: BTreeMap<String, Group>,
    /// Users that were removed, by id.
    pub(crate) deleted: BTreeMap<String, User>,
    /// By id.
    pub(crate) foreign: BTreeMap<String, Foreign>,
    pub(crate) activities: Vec<Activity>,
    /// By address of any kind, in lower case.
    pub(super) addresses: BTreeMap<String, Who>,
    pub(super) made: u64,
    stale: bool,
}

/// Somebody, by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Who {
    User(String),
    Group(String),
    Foreign(String),
}

/// The form by which addresses are compared.
pub(super) fn lower(address: &str) -> String {
    address.to_lowercase()
}

/// What stands after the `@`.
pub(super) fn domain_of(address: &str) -> &str {
    address.rsplit('@').next().unwrap_or_default()
}

impl State {
    pub(super) fn new() -> State {
        State {
            clock: Arc::new(SystemClock::new()),
            customer: "C03az79cb".to_owned(),
            domains: BTreeSet::from(["example.com".to_owned()]),
            admins: BTreeSet::from([ADMIN.to_owned()]),
            scopes: [USER_SCOPE, GROUP_SCOPE, AUDIT_SCOPE]
                .map(str::to_owned)
                .into(),
            token_life: 3600,
            users: BTreeMap::new(),
            groups: BTreeMap::new(),
            deleted: BTreeMap::new(),
            foreign: BTreeMap::new(),
            activities: Vec::new(),
            addresses: BTreeMap::new(),
            made: 0,
            stale: false,
        }
    }

    /// Seconds since the epoch.
    pub(super) fn now(&self) -> i64 {
        self.clock.now().0
    }

    /// Whom an id or an address of any kind means; after changes by hand only once it is settled.
    pub(super) fn find(&self, key: &str) -> Option<Who> {
        let is = |who: fn(String) -> Who| Some(who(key.to_owned()));
        if self.users.contains_key(key) {
            return is(Who::User);
        }
        if self.groups.contains_key(key) {
            return is(Who::Group);
        }
        if self.foreign.contains_key(key) {
            return is(Who::Foreign);
        }
        self.addresses.get(&lower(key)).cloned()
    }

    /// Somebody may have changed an address by hand.
    pub(super) fn touched(&mut self) {
        self.stale = true;
    }

    /// Learns the addresses anew if that is needed.
    pub(super) fn settle(&mut self) {
        if !std::mem::take(&mut self.stale) {
            return;
        }
        self.addresses.clear();
        let addresses = &mut self.addresses;
        for (id, group) in &self.groups {
            for address in group.addresses() {
                addresses.insert(lower(address), Who::Group(id.clone()));
            }
        }
        for (id, user) in &self.users {
            for address in user.addresses() {
                addresses.insert(lower(address), Who::User(id.clone()));
            }
        }
        for (id, foreign) in &self.foreign {
            addresses.insert(lower(&foreign.email), Who::Foreign(id.clone()));
        }
    }
}

impl User {
    /// The primary address first.
    pub(super) fn addresses(&self) -> impl Iterator<Item = &String> {
        let others = self.aliases.iter().chain(&self.non_editable_aliases);
        std::iter::once(&self.primary_email).chain(others)
    }
}

impl Group {
    /// The group's own address first.
    pub(super) fn addresses(&self) -> impl Iterator<Item = &String> {
        let others = self.aliases.iter().chain(&self.non_editable_aliases);
        std::iter::once(&self.email).chain(others)
    }
}
