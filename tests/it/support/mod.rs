//! What several tests share. Each server is a file of its own.

pub(crate) mod certificates;
pub(crate) mod company;
pub(crate) mod configured_slapd;
pub(crate) mod crowd_double;
pub(crate) mod daemon;
pub(crate) mod fake_application;
pub(crate) mod fake_directory;
pub(crate) mod fake_server;
pub(crate) mod google_double;
pub(crate) mod http_script;
pub(crate) mod jobs;
pub(crate) mod ldap_script;
pub(crate) mod ldap_tools;
pub(crate) mod leaping_clock;
pub(crate) mod line;
pub(crate) mod log;
pub(crate) mod process;
pub(crate) mod push;
pub(crate) mod raw;
pub(crate) mod relay;
pub(crate) mod samba;
pub(crate) mod serving;
pub(crate) mod site;
pub(crate) mod slapd;
pub(crate) mod tls_script;
pub(crate) mod wait;
