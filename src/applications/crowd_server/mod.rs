//! An application that is kept here and served to others as a Crowd: its set is its own rows in the store.
//!
//! There is no product behind it. A plan is made, guarded and committed as for any other application, and what is committed
//! *is* the set that is served; so a mass removal is held here, before any product hears of it. Hence a
//! change needs nothing but its commit, and a listing is what was last seen.

mod api;
pub mod config;
mod convert;

use futures_util::future::BoxFuture;

use crate::applications::Application;
use crate::model::{
    Abilities, Batch, Change, Fields, Finding, Holding, NameRules, Observed, Outcome, Refusal, View,
};
use crate::text::counted;

pub use self::config::{CrowdClient, CrowdServerConfig, CrowdServerProblem};

/// An application whose set is kept here.
#[derive(Debug)]
pub struct CrowdServerApplication {
    name: String,
    clients: usize,
    abilities: Abilities,
}

impl CrowdServerApplication {
    /// An application of a name. Who may ask for its set is no concern of its own.
    pub fn new(name: impl Into<String>, config: &CrowdServerConfig) -> CrowdServerApplication {
        CrowdServerApplication {
            name: name.into(),
            clients: config.clients.len(),
            abilities: abilities(),
        }
    }
}

fn abilities() -> Abilities {
    Abilities {
        fields: Fields {
            display_name: true,
            given_name: true,
            family_name: true,
            email: true,
            directory: true,
            external_id: true,
        },
        deactivate: true,
        delete_accounts: true,
        rename_accounts: true,
        groups: true,
        describe_groups: true,
        rename_groups: true,
        delete_groups: true,
        nest: true,
        gives_groups: false,
        served: true,
        names: NameRules::Folded,
        batch: Batch::Whole,
        admin_groups: Vec::new(),
        own_account: None,
    }
}

impl Application for CrowdServerApplication {
    fn name(&self) -> &str {
        &self.name
    }

    fn abilities(&self) -> &Abilities {
        &self.abilities
    }

    fn check(&self) -> BoxFuture<'_, Vec<Finding>> {
        let finding = Finding {
            item: "clients".to_owned(),
            text: format!(
                "{} may ask for this set",
                counted(self.clients as u64, "program")
            ),
            good: true,
        };
        Box::pin(async move { vec![finding] })
    }

    fn accounts<'a>(&'a self, last: &'a Holding) -> BoxFuture<'a, Result<Observed, Refusal>> {
        Box::pin(async move { Ok(Observed::of(last)) })
    }

    fn apply<'a>(&'a self, changes: &'a [Change], view: View<'a>) -> BoxFuture<'a, Vec<Outcome>> {
        Box::pin(async move { api::outcomes(changes, view) })
    }
}
