//! LDAP without a server: names (RFC 4514) and entries as text (RFC 2849).

pub mod dn;
pub mod ldif;
