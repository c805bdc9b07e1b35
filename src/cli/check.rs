//! `check [--connect]`: every problem of the configuration at once; with `--connect` everything outside is asked, too.

mod logins;

use serde_json::json;

use crate::cli::args::{Args, Format};
use crate::cli::{Fault, out, setup};
use crate::clock::SystemClock;
use crate::config::{self, Problem, Severity};
use crate::daemon::Exit;
use crate::model::Finding;

/// Checks, prints, and says how the process ends.
pub(crate) async fn run(args: &Args, connect: bool, format: Format) -> Result<Exit, Fault> {
    let (problems, config) = match config::load(&args.config) {
        Ok(loaded) => (loaded.warnings, Some(loaded.config)),
        Err(problems) => (problems, None),
    };
    let mut findings = Vec::new();
    let mut good = config.is_some();
    if let Some(config) = config {
        let clock: std::sync::Arc<dyn crate::clock::Clock> =
            std::sync::Arc::new(SystemClock::new());
        let parts = setup::connect(&config, &clock)?;
        if connect {
            for part in &parts.directories {
                if let Some(directory) = &part.directory {
                    findings.push((
                        format!("directories.{}", part.name),
                        directory.check().await,
                    ));
                }
            }
            for part in &parts.applications {
                let mut found = part.application.check().await;
                found.extend(logins::findings(&config, part).await?);
                findings.push((format!("applications.{}", part.name), found));
            }
        }
        good = findings.iter().flat_map(|it| &it.1).all(|it| it.good);
    }
    match format {
        Format::Text => out::answer(&text(&problems, &findings, good))?,
        Format::Json => out::json(&json!({
            "good": good,
            "problems": problems.iter().map(problem).collect::<Vec<_>>(),
            "findings": findings.iter().map(|(of, all)| json!({
                "of": of,
                "findings": all.iter().map(|it| json!({"item": it.item, "text": it.text, "good": it.good})).collect::<Vec<_>>(),
            })).collect::<Vec<_>>(),
        }))?,
    }
    let rejected = problems.iter().any(|it| it.severity == Severity::Error);
    Ok(match (rejected, good) {
        (true, _) => Exit::Config,
        (false, true) => Exit::Ok,
        (false, false) => Exit::Partial,
    })
}

fn text(problems: &[Problem], findings: &[(String, Vec<Finding>)], good: bool) -> String {
    let mut lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    for (of, all) in findings {
        for it in all {
            let mark = if it.good { "ok  " } else { "FAIL" };
            lines.push(format!("{mark} {of} {}: {}", it.item, it.text));
        }
    }
    if good {
        lines.push("The configuration is good.".to_owned());
    }
    lines.join("\n")
}

fn problem(it: &Problem) -> serde_json::Value {
    json!({
        "severity": match it.severity { Severity::Error => "error", Severity::Warning => "warning" },
        "file": it.file,
        "line": it.place.map(|it| it.line),
        "column": it.place.map(|it| it.column),
        "path": it.path,
        "what": it.what,
        "hint": it.hint,
    })
}
