//! LDAP without a server: names (RFC 4514), entries as text (RFC 2849), what entries mean, and what
//! servers say of changes.

pub mod ber;
pub mod computed;
pub mod dn;
pub mod filter;
pub mod gather;
pub mod guard;
pub mod ids;
pub mod ldif;
pub mod mapping;
pub mod policy;
pub mod presets;
pub mod primary;
pub mod ranges;
pub mod status;
pub mod sync;
