//! usersyncd: ordered user directories in, every application's own accounts out.
//!
//! One pass: [`daemon`] starts a read for each directory. [`sync`] asks the connector in [`directories`], has [`reconcile`] judge
//! the answer, and commits it to the [`store`]. Then it starts a push for each application. [`sync`] takes what was committed, has
//! [`reconcile`] make a plan of it, writes down what will be sent, hands the plan to the connector in [`applications`], and
//! commits what became of it. Only [`reconcile`] decides, and it reads and writes nothing; a dry run and `explain` make the same
//! plan and leave it at that.
//!
//! The map of the crate, from the leaves to the top. Imports go down this list only; `tests/it/architecture.rs` holds it.
//!
//! * [`text`]: names and how they are folded, globs, spans of time, percents.
//! * [`clock`], [`secret`], [`events`], [`progress`]: time as an argument; where a secret lies; one function a log event; how
//!   far the running jobs are.
//! * `failpoint`: where a test may stop the process dead.
//! * [`template`]: texts with placeholders, filled from a record.
//! * [`schedule`]: cron lines as wall clocks show the time.
//! * [`trust`], [`pace`], [`http`]: which servers are believed; how fast they are asked; the one HTTP client.
//! * [`model`]: the nouns that everything speaks.
//! * [`wire`]: protocol types, before they mean anything.
//! * [`reconcile`]: the core; pure. What directories said and what an application holds, to a plan.
//! * [`client`]: how services are asked that more than one connector speaks to.
//! * [`directories`]: the sources that are polled.
//! * [`applications`]: the targets that are filled.
//! * [`store`]: what is remembered between passes.
//! * [`config`]: the configuration file, and every problem in it at once.
//! * [`sync`]: the jobs: reading a directory, pushing an application.
//! * [`serve`]: the set of an application served over HTTP, as a Crowd.
//! * [`daemon`]: what is done when; how it starts, stops and reloads.
//! * [`assemble`]: from the configuration to running parts.
//! * [`cli`]: what is typed, what is printed, and with which code the process ends.

pub mod applications;
pub mod assemble;
pub mod cli;
pub mod client;
pub mod clock;
pub mod config;
pub mod daemon;
pub mod directories;
pub mod events;
mod failpoint;
pub mod http;
pub mod model;
pub mod pace;
pub mod progress;
pub mod reconcile;
pub mod schedule;
pub mod secret;
pub mod serve;
pub mod store;
pub mod sync;
pub mod template;
pub mod text;
pub mod trust;
pub mod wire;
