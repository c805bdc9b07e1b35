//! `history [USERNAME]`: what was done, the newest first.

use serde_json::{Value, json};

use crate::cli::args::{Args, Format};
use crate::cli::setup::Setup;
use crate::cli::{Fault, out};
use crate::daemon::Exit;
use crate::model::Subject;
use crate::store::{HistoryFilter, HistoryRow, Part};

/// What was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    /// An account or group.
    pub(crate) name: Option<&'a str>,
    /// An application, by the name of its entry.
    pub(crate) application: Option<&'a str>,
    /// At most so many lines.
    pub(crate) limit: u32,
}

/// Prints the history.
pub(crate) async fn run(args: &Args, asked: Asked<'_>, format: Format) -> Result<Exit, Fault> {
    let setup = Setup::load_to_ask(args)?;
    let part = asked.application.map(|it| setup.application(it));
    let filter = HistoryFilter {
        application: part.transpose()?.map(|it| it.id.as_str()),
        name: asked.name,
        limit: asked.limit,
    };
    let rows = setup.ask(async |store| match store {
        None => Ok(Vec::new()),
        Some(store) => Ok(store.snapshot().await?.history(filter).await?),
    });
    let rows = rows.await?;
    match format {
        Format::Json => out::json(&Value::Array(rows.iter().map(row).collect()))?,
        Format::Text if rows.is_empty() => out::answer("Nothing was done yet.")?,
        Format::Text => {
            let lines: Vec<String> = rows.iter().map(line).collect();
            out::answer(&lines.join("\n"))?;
        }
    }
    Ok(Exit::Ok)
}

fn part(it: &HistoryRow) -> &'static str {
    match it.part {
        Part::Subject => "subject",
        Part::Given => "given",
        Part::Taken => "taken",
    }
}

fn line(it: &HistoryRow) -> String {
    let entry = &it.entry;
    let what = match it.part {
        Part::Subject if entry.text.starts_with("members:") => {
            format!("group {}: {}", entry.name, entry.text)
        }
        Part::Subject => entry.text.clone(),
        Part::Given => format!("joined group {}", entry.name),
        Part::Taken => format!("left group {}", entry.name),
    };
    format!("{} {}: {what}", entry.at, it.application)
}

fn row(it: &HistoryRow) -> Value {
    let entry = &it.entry;
    json!({
        "at": entry.at.to_string(),
        "application": it.application,
        "subject": match entry.subject { Subject::Account(_) => "user", Subject::Group(_) => "group" },
        "name": entry.name,
        "text": entry.text,
        "reason": entry.reason,
        "part": part(it),
    })
}
