//! A Crowd as an application: accounts and groups are made over the REST API of `/rest/usermanagement/1`, in the first directory
//! that our application there may write.
//!
//! Each change is a request or two. Several are under way at once, and where two would get in each other's way, one waits. An
//! update replaces the whole entity on the server, so it is read first and everything is sent back that is not to change. An
//! answer that was lost leaves open whether the change was made: it is [`Refusal::Transient`], its intent stays open, and the
//! next push looks first. Where the server shows a key it is the account's id, which stays when the account is renamed.
//!
//! The user's stable id is not stored there: whether a search shows attributes is not known of every server, and an id that is
//! written and not listed would be written for ever.

mod accounts;
mod api;
pub mod config;
mod convert;
mod groups;
mod listing;
mod names;
mod push;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

pub use self::config::CrowdConfig;
pub use crate::client::crowd::options::{CrowdProblem, CrowdSetupError};

use self::api::Api;
use self::names::Names;
use self::push::Push;
use crate::applications::Application;
use crate::client::crowd::{Crowd, Settings};
use crate::clock::Clock;
use crate::model::{
    Abilities, Batch, Change, Fields, Finding, Holding, NameRules, Observed, Outcome, Refusal, View,
};
use crate::pace::Rate;
use crate::secret::SecretRef;

/// How many changes a call takes for each request that may be under way: enough that the last of one call keep nobody waiting
/// for long, and few enough that a stop need not wait for long.
const CHANGES_PER_REQUEST: u32 = 8;

/// The groups by which Crowd, Jira, Confluence, Bitbucket and Bamboo let their administrators in, as they are set up.
const ADMIN_GROUPS: [&str; 8] = [
    "bamboo-admin",
    "bitbucket-administrators",
    "confluence-administrators",
    "crowd-administrators",
    "jira-administrators",
    "jira-system-administrators",
    "stash-administrators",
    "system-administrators",
];

/// An application that is a Crowd.
pub struct CrowdApplication {
    name: String,
    crowd: Crowd,
    in_flight: usize,
    abilities: Abilities,
    names: Names,
}

impl CrowdApplication {
    /// Prepares an application without asking a server. `password` is [`CrowdConfig::password`], under the folder of its
    /// configuration; it is read anew for every listing and every call.
    ///
    /// # Errors
    /// [`CrowdSetupError`]: an option that cannot work (the first of [`CrowdConfig::problems`]), a certificate file that is
    /// none.
    pub fn new(
        name: impl Into<String>,
        config: &CrowdConfig,
        password: SecretRef,
        clock: Arc<dyn Clock>,
    ) -> Result<CrowdApplication, CrowdSetupError> {
        if let Some(problem) = config.problems().into_iter().next() {
            return Err(CrowdSetupError::Option(problem));
        }
        let settings = Settings {
            url: config.url.clone(),
            application: config.application.clone(),
            password,
            ca: config.ca.clone(),
            proxy: config.proxy.clone(),
            timeout: config.timeout.as_std(),
            page_size: config.page_size,
            in_flight: config.in_flight,
            rate: config.requests_per_second.map(|it| Rate {
                count: it,
                per: Duration::from_secs(1),
                burst: it,
            }),
        };
        Ok(CrowdApplication {
            name: name.into(),
            crowd: Crowd::new(settings, clock)?,
            in_flight: config.in_flight as usize,
            abilities: abilities(config.in_flight),
            names: Names::default(),
        })
    }

    async fn observe(&self) -> Result<Observed, Refusal> {
        self.names.forget();
        let session = self.crowd.session().map_err(|it| convert::refusal(&it))?;
        Ok(listing::list(&session).await?.observed)
    }

    async fn findings(&self) -> Vec<Finding> {
        let one = |item: &str, text: String, good: bool| Finding {
            item: item.to_owned(),
            text,
            good,
        };
        let session = match self.crowd.session() {
            Ok(session) => session,
            Err(fault) => return vec![one("application", fault.to_string(), false)],
        };
        if let Err(fault) = session.probe().await {
            return vec![one("application", fault.to_string(), false)];
        }
        let text = "the server lets us in; what it lets us change shows at the first push";
        let mut findings = vec![one("application", text.to_owned(), true)];
        match listing::list(&session).await {
            Ok(listing) => {
                let sentences = listing.sentences().into_iter();
                findings.extend(sentences.map(|(item, text)| one(item, text, true)));
            }
            Err(refusal) => findings.push(one("listing", refusal.to_string(), false)),
        }
        findings
    }

    async fn make(&self, changes: &[Change], view: View<'_>) -> Vec<Outcome> {
        let api = match self.crowd.session() {
            Ok(session) => Api::new(session),
            Err(fault) => {
                let mut outcomes = vec![Outcome::Skipped; changes.len()];
                if let Some(first) = outcomes.first_mut() {
                    *first = Outcome::Failed(convert::refusal(&fault));
                }
                return outcomes;
            }
        };
        self.names.begin(view.holding);
        let push = Push {
            api: &api,
            changes,
            view,
            names: &self.names,
            in_flight: self.in_flight,
        };
        push.run().await
    }
}

impl Application for CrowdApplication {
    fn name(&self) -> &str {
        &self.name
    }

    fn abilities(&self) -> &Abilities {
        &self.abilities
    }

    fn check(&self) -> BoxFuture<'_, Vec<Finding>> {
        Box::pin(self.findings())
    }

    fn accounts<'a>(&'a self, _last: &'a Holding) -> BoxFuture<'a, Result<Observed, Refusal>> {
        Box::pin(self.observe())
    }

    fn apply<'a>(&'a self, changes: &'a [Change], view: View<'a>) -> BoxFuture<'a, Vec<Outcome>> {
        Box::pin(self.make(changes, view))
    }
}

impl fmt::Debug for CrowdApplication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CrowdApplication")
            .field("name", &self.name)
            .field("crowd", &self.crowd)
            .finish_non_exhaustive()
    }
}

fn abilities(in_flight: u32) -> Abilities {
    Abilities {
        fields: Fields {
            display_name: true,
            given_name: true,
            family_name: true,
            email: true,
            directory: false,
            external_id: false,
        },
        deactivate: true,
        delete_accounts: true,
        rename_accounts: true,
        groups: true,
        describe_groups: true,
        rename_groups: false,
        delete_groups: true,
        nest: true,
        gives_groups: true,
        served: false,
        names: NameRules::Folded,
        batch: Batch::Many(in_flight * CHANGES_PER_REQUEST),
        admin_groups: ADMIN_GROUPS.map(str::to_owned).to_vec(),
        own_account: None,
    }
}
