//! Everything that needs a server, a process or the sources: one binary, one file a subject.

#![expect(
    clippy::unwrap_used,
    reason = "a test whose surroundings fail should panic where they do"
)]

mod architecture;
mod cli;
mod config;
mod contract;
mod control;
mod crash;
mod crowd_application;
mod crowd_clients;
mod crowd_directory;
mod crowd_double;
mod crowd_service;
mod daemon;
mod docs;
mod engine;
mod events;
mod exit_codes;
mod figures;
mod file_directory;
mod google_directory;
mod google_double;
mod google_login;
mod google_service;
mod http_client;
mod laws;
mod ldap_authentication;
mod ldap_delta;
mod ldap_directory;
mod ldap_service;
mod process;
mod samba;
mod samba_directory;
mod serve;
mod slapd;
mod sql_application;
mod support;
mod systemd;
