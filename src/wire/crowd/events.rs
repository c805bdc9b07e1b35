//! What `/event` and `/event/{token}` say: a token, and what has changed since one.
//!
//! The envelope is known; how the single events nest is not, and no two accounts of it agree. So they are read by their fields,
//! whatever stands around them and however they are spelled, for one purpose alone: to know which users and groups to ask for
//! anew. What an event says of them is not used. An event that names nobody is told as unknown, and is the caller's to judge:
//! taken for nothing, it could hide every change that a server tells.

mod read;
mod write;

pub use self::read::EventsFault;
pub use self::write::{Change, Operation, write_events};

/// An answer to `/event` or `/event/{token}`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Events {
    /// From where to ask next; opaque. Empty where the server gave none.
    pub token: String,
    /// Whether the server says that changes can be told at all; `None` where it does not say.
    pub available: Option<bool>,
    /// What changed, in its order.
    pub events: Vec<Event>,
    /// What kinds of events were not understood.
    pub unknown: Vec<String>,
}

/// Who an event concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// This user came, went or changed.
    User(Named),
    /// This group came, went or changed.
    Group(Named),
    /// Memberships of this user changed.
    UserMembership {
        /// The user.
        user: Named,
        /// Groups that it came into or left.
        groups: Vec<Named>,
    },
    /// Child groups of groups changed.
    GroupMembership {
        /// A group.
        group: Named,
        /// Groups in which it is, was, or came to be.
        parents: Vec<Named>,
        /// Groups that are, were, or came to be in it.
        children: Vec<Named>,
    },
}

/// A user or a group as an event names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// Its key; empty where the event has none, and of groups.
    pub key: String,
}

impl Events {
    /// Reads JSON or XML, whichever it is.
    ///
    /// # Errors
    /// [`EventsFault`]: it is neither, or something else.
    pub fn read(body: &[u8]) -> Result<Events, EventsFault> {
        read::read(body, false)
    }

    /// Reads an answer that tells changes: in JSON there must be the list of them, since a list that stands elsewhere would be
    /// taken for no change at all.
    ///
    /// # Errors
    /// [`EventsFault`]; [`EventsFault::NoList`] where the list is missing.
    pub fn read_changes(body: &[u8]) -> Result<Events, EventsFault> {
        read::read(body, true)
    }
}
