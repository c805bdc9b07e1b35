//! `explain USERNAME`: why a person has, or lacks, an account.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::cli::args::{Args, Format};
use crate::cli::setup::Setup;
use crate::cli::{Fault, out, refused};
use crate::daemon::Exit;
use crate::events;
use crate::reconcile::{Explanation, explain};
use crate::store::{Reader, Refused};
use crate::sync::ApplicationPart;
use crate::sync::survey::survey;
use crate::text;

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
    let now = setup.clock.now();
    for part in parts {
        let refused = store.snapshot().await?.refused(&part.id).await?;
        let surveyed = survey(part, Some(store), None, now).await;
        let surveyed = surveyed.map_err(|it| Fault::new(Exit::Failed, events::chain(&it)))?;
        let explanation = surveyed.plan(part, |context, plan| explain(context, plan, username));
        let refused = of_user(&refused, &explanation);
        match format {
            Format::Text => {
                let mut text = format!("application {}\n{explanation}", part.name);
                for it in refused {
                    let _ = writeln!(text, "refused  {}", refused::line(it, now));
                }
                out::answer(&text)?;
            }
            Format::Json => {
                let mut value = serde_json::to_value(&explanation).unwrap_or_default();
                value["refused"] = refused.into_iter().map(refused::value).collect();
                answers.insert(part.name.clone(), value);
            }
        }
    }
    if format == Format::Json {
        out::json(&Value::Object(answers))?;
    }
    Ok(Exit::Ok)
}

/// What the application refuses of an explained user: under the username, the name that is pushed, or that of an account.
fn of_user<'r>(refused: &'r [Refused], explanation: &Explanation) -> Vec<&'r Refused> {
    let pushed = explanation.users.iter().map(|it| it.pushed_as.as_str());
    let accounts = explanation.accounts.iter().map(|it| it.name.as_str());
    let names = pushed
        .chain(accounts)
        .chain([explanation.username.as_str()]);
    let subjects: BTreeSet<String> = names.map(|it| format!("user {}", text::fold(it))).collect();
    let own = refused.iter().filter(|it| subjects.contains(&it.subject));
    own.collect()
}
