//! The core: what directories said and what an application holds, to a plan. Pure: no time, no chance, no waiting, no log.
//!
//! [`snapshot`] (what the records of one directory mean) → [`resolve`] (who wins a username) → [`scope`] (the roster) →
//! [`matching`] (which account is whose) → drafts of accounts, groups and members → `guard` and `seats` (what must wait for a
//! person) → [`Plan`]. [`explain`] walks the same values; it is no second implementation.
//!
//! # Laws
//!
//! What every plan must obey. `audit` looks at each plan of a debug build; `tests/it/laws.rs` holds all of them over many
//! thousands of small worlds, and `tests/mutants` shows that it would see them broken:
//! *settle* (apply, plan again at the same time: no changes, the same held), *prefix* (stop anywhere, go on: the same end),
//! *order* (shuffled records change nothing), *ownership* (only adoption names an unlinked account), *ignorance* (unknown
//! removes nobody), *limits*, *one* (one account step an account), *ability*, *everybody* (each record is accounted for),
//! *delta = complete*, *explain = resolve*, *one owner*, *clock* (no step before its clock).

mod accounts;
mod advance;
mod audit;
mod blocks;
mod context;
pub mod explain;
mod fates;
mod flow;
mod groups;
mod guard;
mod interrupted;
mod locate;
mod lookup;
pub mod loops;
mod mails;
pub mod matching;
mod members;
mod nest;
mod plan;
pub mod reads;
mod recall;
mod renames;
pub mod resolve;
pub mod rules;
pub mod scope;
mod seats;
mod show;
pub mod snapshot;
#[cfg(test)]
mod tests;
mod ties;
mod why_left;
mod world;

pub use advance::{advance, intent_of};
pub use audit::{Flaw, audit};
pub use context::Context;
pub use explain::{Explanation, explain};
pub use fates::{Fate, Fates, ScopeRule, fates};
pub use interrupted::interrupted;
pub use recall::recall;
pub use show::{show, show_change};
pub use why_left::{FrozenAccount, frozen};
pub use world::{DirectoryInput, Standing, World};

use crate::model::Plan;

/// Derives everything from a world and makes the plan. The context tells afterwards how it came about.
pub fn plan<'w, 'a>(world: &'w World<'a>) -> (Context<'w, 'a>, Plan) {
    let mut context = Context::of(world);
    let plan = plan::make(&mut context);
    (context, plan)
}
