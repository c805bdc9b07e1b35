//! The daemon: what is done when, and how it starts, stops and changes its configuration.
//!
//! One loop (`life`) takes everything that happens, one thing at a time: signals, requests, schedules, the end of passes,
//! and tasks that died. It never does work itself, so it is never busy. Work is done by the workers of one *generation*,
//! which belongs to one configuration; what a trigger starts is a *pass*.
//!
//! Absent by design: no job is given any input, none is retried (the next trigger is the retry), and nothing here knows what
//! a directory or an application is. The work lies behind [`Jobs`].

mod control;
mod exit;
mod generation;
mod jobs;
mod life;
mod notify;
mod pass;
mod report;
mod signals;
mod status;
mod wait;
mod watchdog;
mod worker;
mod workers;

pub use self::control::{ControlFault, ControlSocket, Reply, Request, ask};
pub use self::exit::Exit;
pub use self::jobs::{
    Age, ApplicationJob, DirectoryJob, Jobs, PushEnd, PushOutcome, ReadEnd, ReadOutcome, Subject,
};
pub use self::life::{Daemon, Reload};
pub use self::notify::Notifier;
pub use self::pass::run_once;
pub use self::report::{PassOutcome, PassReport, ReportedAge};
pub use self::signals::{Signal, signals};
