//! The real program from outside: what it is given, what it answers, what it leaves behind, and with which code it ends.
//!
//! Each test has a folder of its own with a configuration, files of people and the database of an application.

mod answers;
mod approvals;
mod beside;
mod configuration;
mod credentials;
mod daemon;
mod doubt;
mod entries;
mod log;
mod loops;
mod outages;
mod steps;
mod store;
