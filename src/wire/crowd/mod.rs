//! The Crowd REST API (`/rest/usermanagement/1`) without a server: what its JSON and XML say, and how they are written.
//!
//! Reading is tolerant where servers are known to differ (both spellings of the list of attributes, `active` as a text) and
//! strict where tolerance would lose somebody: a list without its member, an XML document without its end, are errors. A
//! single record that makes no sense is an error of its own and leaves the others alone. XML from outside is bounded in
//! depth, knows no entities but the five of XML itself, and no document types.

pub mod body;
pub mod entity;
pub mod error;
pub mod events;
pub mod json;
pub mod membership;
pub mod restriction;
pub mod write;
pub mod xml;

pub use self::body::BadBody;
pub use self::entity::{Attribute, BadRecord, Group, User};
pub use self::error::ErrorBody;
pub use self::events::{Event, Events, EventsFault, Named};
pub use self::json::JsonFault;
pub use self::membership::{Membership, MembershipReader};
pub use self::restriction::{BadRestriction, Restriction, Searched};
pub use self::write::{Detail, Format, Kind, Writer};
pub use self::xml::XmlFault;
