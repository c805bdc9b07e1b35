//! usersyncd: ordered user directories in, every application's own accounts out.
//!
//! The map of the crate, from the leaves to the top. Imports go down this list only; `tests/it/architecture.rs` holds it.
//!
//! * [`model`]: the nouns that everything speaks.
//! * [`wire`]: protocol types, before they mean anything.
//! * [`secret`]: where a secret lies, and how it is read.
//! * [`directories`]: the sources that are polled.
//! * [`applications`]: the targets that are filled.
//! * [`config`]: the configuration file, and every problem in it at once.

pub mod applications;
pub mod clock;
pub mod config;
pub mod directories;
pub mod model;
pub mod reconcile;
pub mod schedule;
pub mod secret;
pub mod text;
pub mod wire;
