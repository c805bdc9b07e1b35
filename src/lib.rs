//! usersyncd: ordered user directories in, every application's own accounts out.
//!
//! The map of the crate, from the leaves to the top. Imports go down this list only; `tests/it/architecture.rs` holds it.
//!
//! * [`events`]: what the log says, one function an event.
//! * [`progress`]: how far the running jobs are.
//! * [`model`]: the nouns that everything speaks.
//! * [`wire`]: protocol types, before they mean anything.
//! * [`secret`]: where a secret lies, and how it is read.
//! * [`directories`]: the sources that are polled.
//! * [`applications`]: the targets that are filled.
//! * [`store`]: what is remembered between passes.
//! * [`daemon`]: what is done when: schedules, passes, start and stop.

pub mod applications;
pub mod clock;
pub mod daemon;
pub mod directories;
pub mod events;
pub mod model;
pub mod reconcile;
pub mod progress;
pub mod schedule;
pub mod secret;
pub mod store;
pub mod text;
pub mod wire;
