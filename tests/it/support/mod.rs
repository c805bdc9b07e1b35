//! What several tests share. Each server is a file of its own.

pub(crate) mod slapd;
pub(crate) mod wait;
