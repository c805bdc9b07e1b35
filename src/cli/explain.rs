//! `explain USERNAME`: why a person has, or lacks, an account.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::cli::args::{Args, Format};
use crate::cli::setup::Setup;
use crate::cli::{Fault, out};
use crate::daemon::Exit;
use crate::events;
use crate::reconcile::explain;
use crate::store::Reader;
use crate::sync::ApplicationPart;
use crate::sync::survey::survey;

/// Explains one username for every application, or for one.
pub(crate) async fn run(
    args: &Args,
    username: &str,
    application: Option<&str>,
    format: Format,
) -> Result<Exit, Fault> {
    let setup = Setup::load_to_ask(args)?;
    let parts = match application {
        Some(name) => std::slice::from_ref(setup.application(name)?),
        None => &setup.parts.applications,
    };
    setup
        .ask(async |store| match store {
            Some(store) => answer(&setup, parts, store, username, format).await,
            None => Err(Fault::nothing_read()),
        })
        .await
}

async fn answer(
    setup: &Setup,
    parts: &[Arc<ApplicationPart>],
    store: &Reader,
    username: &str,
    format: Format,
) -> Result<Exit, Fault> {
    let mut answers = Map::new();
    for part in parts {
        let surveyed = survey(part, Some(store), None, setup.clock.now()).await;
        let surveyed = surveyed.map_err(|it| Fault::new(Exit::Failed, events::chain(&it)))?;
        let explanation = surveyed.plan(part, |context, plan| explain(context, plan, username));
        match format {
            Format::Text => out::answer(&format!("application {}\n{explanation}", part.name)),
            Format::Json => {
                let value = serde_json::to_value(&explanation).unwrap_or_default();
                answers.insert(part.name.clone(), value);
            }
        }
    }
    if format == Format::Json {
        out::json(&Value::Object(answers));
    }
    Ok(Exit::Ok)
}
