//! `explain USERNAME`: why a person has, or lacks, an account.

use serde_json::{Map, Value};

use crate::cli::args::{Args, Format};
use crate::cli::setup::Setup;
use crate::cli::{Fault, out};
use crate::daemon::Exit;
use crate::events;
use crate::reconcile::explain;
use crate::sync::survey::survey;

/// Explains one username for every application, or for one.
pub(crate) async fn run(
    args: &Args,
    username: &str,
    application: Option<&str>,
    format: Format,
) -> Result<Exit, Fault> {
    let setup = Setup::load(args)?;
    let Some(store) = setup.reader().await? else {
        return Err(Fault::new(
            Exit::Failed,
            "nothing was read yet: run `usersyncd --sync-now` first",
        ));
    };
    let chosen = |name: &str| application.is_none_or(|it| it == name);
    let mut answers = Map::new();
    for part in setup
        .parts
        .applications
        .iter()
        .filter(|it| chosen(&it.name))
    {
        let surveyed = survey(part, Some(&store), None, setup.clock.now()).await;
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
    if !setup.parts.applications.iter().any(|it| chosen(&it.name)) {
        return Err(Fault::new(
            Exit::Usage,
            "the configuration names no such application",
        ));
    }
    if format == Format::Json {
        out::json(&Value::Object(answers));
    }
    Ok(Exit::Ok)
}
