//! Protocol types: what a foreign format or protocol says, before it means anything.
//!
//! Nothing in here opens a file or a socket and nothing decides; connectors read bytes and use these modules to
//! understand them. It stands apart from the connectors because several of them share it: LDAP entries come from a
//! server as well as from an LDIF file, and Crowd's entities are read where it is polled and written where it is served.

pub mod crowd;
pub mod google;
pub mod ldap;
pub mod percent;
