//! The sets of applications served over HTTP, so that products attach them as their Crowd.
//!
//! The protocol is that of Crowd's `/rest/usermanagement/1`, reading and authentication only. What is served is an [`Image`]
//! of what was last committed for an entry; it is swapped whole ([`Sets::publish`]), and one request sees one image to its
//! end. Until an entry has an image, its clients are told that the service is unavailable: an empty or partial answer would
//! have them remove people. Nothing here decides who is in a set, and nothing here reads the store.

pub mod attempts;
pub mod config;

mod accept;
mod body;
mod caller;
mod clients;
mod connection;
mod crowd;
mod desk;
mod doors;
mod image;
mod keyed;
mod passwords;
mod query;
mod readings;
mod reply;
mod route;
mod server;
mod sets;
mod settings;
mod tls;
mod turns;
mod windows;

pub use image::{Image, Origin, ServedGroup, ServedUser};
pub use passwords::Passwords;
pub use server::{Handle, ServeFault, Server};
pub use sets::Sets;
pub use settings::{Client, Settings};
