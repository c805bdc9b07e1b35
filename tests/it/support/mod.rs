//! What several tests share. Each server is a file of its own.

pub(crate) mod daemon;
pub(crate) mod jobs;
pub(crate) mod ldap_script;
pub(crate) mod log;
pub(crate) mod relay;
pub(crate) mod site;
pub(crate) mod slapd;
pub(crate) mod wait;
