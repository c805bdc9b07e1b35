//! The applications whose own directories are filled: one trait, one folder each.
//!
//! Every folder has the same rooms: `mod.rs` (the trait), `config.rs` (what a user writes), `api.rs` (calls, no policy) and
//! `convert.rs` (pure: model to wire and back).
//!
//! # The obligations of an application
//!
//! The contract suite (`tests/it/contract.rs`) holds every connector, fakes included, to these.
//!
//! * **A1** `accounts` lists everything, inactive accounts too, or it is an error.
//! * **A2** Applying a change twice is applying it once.
//! * **A3** The user's stable id is stored as external id where the product can.
//! * **A4** Every answer is classified as a [`Refusal`](crate::model::Refusal).
//! * **A5** Nothing is touched that the change does not name.
//! * **A6** A call may be dropped at any await; what it did is found again by the next listing.
//! * **A7** `abilities().batch` says how many changes one call takes; [`Batch::Whole`](crate::model::Batch::Whole) means that
//!   all of them happen or none.

pub mod crowd;
pub mod crowd_server;
pub mod sql;

use std::fmt;

use futures_util::future::BoxFuture;

use crate::model::{Abilities, Change, Finding, Holding, Observed, Outcome, Refusal, View};

/// A product whose own directory is filled.
pub trait Application: Send + Sync + fmt::Debug {
    /// Its name in the configuration.
    fn name(&self) -> &str;

    /// What it is able to do. Constant for one configuration.
    fn abilities(&self) -> &Abilities;

    /// Asks the application what an administrator wants to know before the first push.
    fn check(&self) -> BoxFuture<'_, Vec<Finding>>;

    /// Lists every account, group and membership. `last` is what it was last seen to hold: the answer of an application whose
    /// set is kept by this daemon, so that there is nobody to ask.
    ///
    /// # Errors
    /// [`Refusal`] when the listing is not complete, whatever the cause.
    fn accounts<'a>(&'a self, last: &'a Holding) -> BoxFuture<'a, Result<Observed, Refusal>>;

    /// Makes the changes, in order, and says of each what became of it: as many outcomes as changes. Changes without an
    /// effect outside (adoption, memberships that become ours) are among them and are [`Outcome::Done`] at once.
    fn apply<'a>(&'a self, changes: &'a [Change], view: View<'a>) -> BoxFuture<'a, Vec<Outcome>>;
}
