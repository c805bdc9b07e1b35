//! `status [--unlinked]`: how everything stands, and which accounts are linked to nobody.

mod planned;

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::cli::args::{Args, Format};
use crate::cli::held::{self, Reasons};
use crate::cli::run::summary;
use crate::cli::setup::Setup;
use crate::cli::{Fault, out, refused};
use crate::clock::Timestamp;
use crate::daemon::Exit;
use crate::events::Counts;
use crate::reconcile::Standing;
use crate::reconcile::reads::Loss;
use crate::store::{Held, HeldSet, PassRow, Reader, SetOf, Snapshot};
use crate::sync::{self, ApplicationPart, DirectoryPart};
use crate::text::counted;

/// So many held or waiting items are shown of each kind in text; JSON shows all.
const SHOWN_MAX: usize = 20;

/// So many of the last passes are shown.
const PASSES_SHOWN: u32 = 10;

/// Prints how everything stands.
pub(crate) async fn run(args: &Args, unlinked: bool, format: Format) -> Result<Exit, Fault> {
    let setup = Setup::load_to_ask(args)?;
    setup
        .ask(async |store| match store {
            Some(store) => answer(&setup, store, unlinked, format).await,
            None => Err(Fault::nothing_read()),
        })
        .await
}

async fn answer(
    setup: &Setup,
    store: &Reader,
    unlinked: bool,
    format: Format,
) -> Result<Exit, Fault> {
    let now = setup.clock.now();
    let mut snapshot = store.snapshot().await?;
    let sets = snapshot.held_sets().await?;
    let mut directories = Vec::new();
    for part in &setup.parts.directories {
        directories.push(directory(&mut snapshot, part, &sets, now).await?);
    }
    let mut applications = Vec::new();
    let mut refusals = Vec::new();
    for part in &setup.parts.applications {
        let mut answer = application(&mut snapshot, part, &sets, unlinked).await?;
        planned::put_in(&mut answer, &mut snapshot, part, store, now).await?;
        let known = snapshot.refused(&part.id).await?;
        answer["refused"] = known.iter().map(refused::value).collect();
        let lines = known.iter().map(|it| refused::line(it, now));
        refusals.push(lines.collect::<Vec<_>>());
        applications.push(answer);
    }
    let passes = snapshot.passes(PASSES_SHOWN).await?;
    match format {
        Format::Json => out::json(&json!({
            "passes": passes.iter().map(pass_value).collect::<Vec<_>>(),
            "directories": directories,
            "applications": applications,
        }))?,
        Format::Text => {
            // Of those before the last one only what went wrong is news.
            let shown = passes.iter().enumerate();
            let shown = shown.filter(|it| it.0 == 0 || it.1.is_cut_off());
            let shown: String = shown.map(|it| pass_line(it.1)).collect();
            out::answer(&(shown + &text(&directories, &applications, &refusals)))?;
        }
    }
    Ok(Exit::Ok)
}

fn pass_value(row: &PassRow) -> Value {
    json!({
        "number": row.number,
        "trigger": row.trigger,
        "started_at": row.started_at.to_string(),
        "finished_at": row.finished_at.map(|it| it.to_string()),
        "outcome": row.outcome,
        "counts": counts(row),
    })
}

fn pass_line(row: &PassRow) -> String {
    let PassRow {
        number,
        started_at,
        trigger,
        ..
    } = row;
    let came = match (&row.outcome, row.finished_at) {
        (Some(outcome), Some(at)) => format!("ended {at}, {}", summary(outcome, &counts(row), 0)),
        (Some(_), None) => format!("began {started_at}, was cut off: its process died"),
        (None, _) => format!("began {started_at}, was cut off or still runs"),
    };
    format!("pass {number} ({trigger}): {came}\n")
}

/// The numbers of a pass that is over.
fn counts(row: &PassRow) -> Counts {
    let counts = row.counts.as_deref();
    let counts = counts.and_then(|it| serde_json::from_str(it).ok());
    counts.unwrap_or_default()
}

async fn directory(
    snapshot: &mut Snapshot,
    part: &DirectoryPart,
    sets: &[HeldSet],
    now: Timestamp,
) -> Result<Value, Fault> {
    let state = snapshot.directory(&part.id).await?.unwrap_or_default();
    let fresh = sync::standing(part, &state, now) == Standing::Fresh;
    let failure = state
        .attempt
        .as_ref()
        .and_then(|it| it.failure.as_ref())
        .map(|it| it.1.clone());
    let set = sets
        .iter()
        .find(|it| it.of == SetOf::Directory(part.id.clone()));
    Ok(json!({
        "name": part.name,
        "enabled": part.directory.is_some(),
        "state": if state.read_at.is_none() { "never read" } else if fresh { "fresh" } else { "stale" },
        "read_at": state.read_at.map(|it| it.to_string()),
        "users": state.tally.users,
        "groups": state.tally.groups,
        "memberships": state.tally.memberships,
        "rejected": state.tally.rejected,
        "unknown": state.tally.unknown,
        "failure": failure,
        "suspect": set.map(|it| json!({ "approve": it.id, "seen_at": it.seen_at.to_string(), "loss": loss(it) })),
    }))
}

/// What a suspect read lost, in words.
fn loss(set: &HeldSet) -> Option<String> {
    let summary = set.summary.as_deref()?;
    let loss = serde_json::from_str::<Loss>(summary);
    Some(loss.map_or_else(|_| summary.to_owned(), |it| it.to_string()))
}

async fn application(
    snapshot: &mut Snapshot,
    part: &ApplicationPart,
    sets: &[HeldSet],
    unlinked: bool,
) -> Result<Value, Fault> {
    let state = snapshot.application(&part.id).await?.unwrap_or_default();
    let known = snapshot.held(&part.id).await?;
    let own = sets
        .iter()
        .filter(|it| it.of == SetOf::Application(part.id.clone()));
    let reasons = held::reasons(&known);
    let held: Vec<Value> = own.map(|set| held_value(set, &known, &reasons)).collect();
    let waiting: Vec<Value> = known
        .waiting
        .iter()
        .map(|it| json!({ "subject": it.what.subject, "change": it.what.change, "reason": it.what.reason }))
        .collect();
    let refused = snapshot.refused(&part.id).await?;
    let mut answer = json!({
        "name": part.name,
        "pushed_at": state.pushed_at.map(|it| it.to_string()),
        "failure": state.failure.as_ref().map(|it| it.text.clone()),
        "held": held,
        "waiting": waiting,
        "changes_refused": refused.len(),
    });
    if unlinked {
        let holding = snapshot.holding(&part.id).await?.unwrap_or_default();
        let strangers = (0u32..).zip(&holding.accounts);
        let strangers =
            strangers.filter(|it| it.1.exists && it.1.seen.active && it.1.link.is_none());
        let mut names: Vec<&str> = strangers.map(|it| holding.account_name(it.0)).collect();
        names.sort_unstable();
        answer["unlinked"] = json!(names);
    }
    Ok(answer)
}

/// What an application holds for one reason.
fn held_value(set: &HeldSet, known: &Held, reasons: &Reasons<'_>) -> Value {
    let items = known.held.iter().map(|it| (&it.what, it.first_seen_at));
    let items = items.filter(|it| it.0.reason.word() == set.reason);
    let items: Vec<Value> = items
        .map(|(it, since)| {
            json!({
                "subject": it.subject,
                "change": it.change,
                "detail": it.detail,
                "since": since.to_string(),
                "instead": it.reason.instead(&it.change),
                "also_held_for": held::besides(reasons, &it.subject, &set.reason),
            })
        })
        .collect();
    json!({
        "approve": held::approve_id(set, known),
        "reason": set.reason,
        "changes": set.changes,
        "items": items,
    })
}

/// `refusals` has the lines of each application about what it refuses.
fn text(directories: &[Value], applications: &[Value], refusals: &[Vec<String>]) -> String {
    let mut out = String::new();
    for it in directories {
        directory_text(&mut out, it);
    }
    for (it, refused) in applications.iter().zip(refusals) {
        application_text(&mut out, it, refused);
    }
    out
}

fn directory_text(out: &mut String, it: &Value) {
    let off = if it["enabled"] == json!(false) {
        ", disabled"
    } else {
        ""
    };
    let _ = writeln!(
        out,
        "directory {}: {}{off}, last complete read {}, {}, {}, {}, {} rejected",
        word(it, "name"),
        word(it, "state"),
        word(it, "read_at"),
        number(it, "users", "user"),
        number(it, "groups", "group"),
        number(it, "memberships", "membership"),
        it["rejected"],
    );
    if it["unknown"].as_u64().is_some_and(|it| it > 0) {
        let _ = writeln!(
            out,
            "  the present state of {} could not be read: nothing is taken from anybody for it",
            number(it, "unknown", "record"),
        );
    }
    if it["failure"].is_string() {
        let _ = writeln!(out, "  last read failed: {}", word(it, "failure"));
    }
    if it["suspect"].is_object() {
        let _ = writeln!(
            out,
            "  a suspect read is kept aside since {}: {} (approve {})",
            word(&it["suspect"], "seen_at"),
            word(&it["suspect"], "loss"),
            word(&it["suspect"], "approve"),
        );
    }
}

fn application_text(out: &mut String, it: &Value, refused: &[String]) {
    let _ = writeln!(
        out,
        "application {}: last successful push {}",
        word(it, "name"),
        word(it, "pushed_at")
    );
    if it["unknown"].as_u64().is_some_and(|it| it > 0) {
        let _ = writeln!(
            out,
            "  the present state of {} could not be read: nothing is taken from anybody for it",
            number(it, "unknown", "record"),
        );
    }
    if it["failure"].is_string() {
        let _ = writeln!(out, "  last push failed: {}", word(it, "failure"));
    }
    for set in it["held"].as_array().into_iter().flatten() {
        let _ = writeln!(
            out,
            "  held for {}: {}; {}",
            word(set, "reason"),
            number(set, "changes", "change"),
            release(set),
        );
        list(out, &set["items"], |it| {
            format!(
                "{}: {} ({}){}",
                word(it, "subject"),
                word(it, "change"),
                word(it, "detail"),
                besides(it),
            )
        });
    }
    if it["changes_refused"] != json!(0) {
        let count = number(it, "changes_refused", "change");
        let _ = writeln!(out, "  refused by the application: {count}");
        list(out, &json!(refused), |it| {
            it.as_str().unwrap_or_default().to_owned()
        });
    }
    for block in it["removals_blocked"].as_array().into_iter().flatten() {
        let (subject, detail) = (word(block, "subject"), word(block, "detail"));
        let _ = writeln!(out, "  removals are blocked: {subject}: {detail}");
    }
    let frozen = it["frozen"].as_array().map_or(0, Vec::len);
    if frozen > 0 {
        let _ = writeln!(out, "  frozen: {}", counted(frozen as u64, "account"));
        list(out, &it["frozen"], |it| {
            format!(
                "{}: {} ({})",
                word(it, "account"),
                word(it, "reason"),
                word(it, "detail")
            )
        });
    }
    let waiting = it["waiting"].as_array().map_or(0, Vec::len);
    if waiting > 0 {
        let _ = writeln!(out, "  waiting: {}", counted(waiting as u64, "change"));
        list(out, &it["waiting"], |it| {
            format!(
                "{}: {} ({})",
                word(it, "subject"),
                word(it, "change"),
                word(it, "reason")
            )
        });
    }
    if let Some(names) = it["unlinked"].as_array() {
        let _ = writeln!(
            out,
            "  active accounts that are linked to nobody: {}",
            names.len()
        );
        for name in names {
            let _ = writeln!(out, "    {}", name.as_str().unwrap_or_default());
        }
    }
}

fn word(it: &Value, key: &str) -> String {
    match &it[key] {
        Value::Null => "never".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What releases a set, or how much of it.
fn release(set: &Value) -> String {
    let Some(id) = set["approve"].as_str() else {
        return "no approval releases this".to_owned();
    };
    let items = set["items"].as_array().map_or(&[][..], Vec::as_slice);
    let stuck = items.iter().filter(|it| it["instead"].is_string()).count();
    let some = if stuck == 0 {
        String::new()
    } else {
        format!("{} of them ", items.len() - stuck)
    };
    format!("release {some}with `usersyncd approve {id}`")
}

/// What must be done about a held change instead of approving it, and for what else it is held.
fn besides(item: &Value) -> String {
    let mut words = String::new();
    if let Some(instead) = item["instead"].as_str() {
        let _ = write!(words, "; instead: {instead}");
    }
    let others = item["also_held_for"].as_array().into_iter().flatten();
    let others: Vec<&str> = others.filter_map(Value::as_str).collect();
    if !others.is_empty() {
        let _ = write!(words, "; also held for {}", others.join(", "));
    }
    words
}

fn number(it: &Value, key: &str, noun: &str) -> String {
    counted(it[key].as_u64().unwrap_or_default(), noun)
}

fn list(out: &mut String, items: &Value, line: impl Fn(&Value) -> String) {
    let items = items.as_array().map_or(&[][..], Vec::as_slice);
    for it in items.iter().take(SHOWN_MAX) {
        let _ = writeln!(out, "    {}", line(it));
    }
    if items.len() > SHOWN_MAX {
        let _ = writeln!(
            out,
            "    and {} more (`--format json` shows all)",
            items.len() - SHOWN_MAX
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reconcile::reads::Part;

    #[test]
    fn what_a_suspect_read_lost_is_said_in_words() {
        let lost = Loss {
            users: Part {
                lost: 12,
                of: 40,
                limit: Some(8),
            },
            ..Loss::default()
        };
        let set = HeldSet {
            id: "sr-0".to_owned(),
            of: SetOf::Directory("office".to_owned()),
            reason: "suspect_read".to_owned(),
            seen_at: Timestamp(0),
            changes: 0,
            summary: serde_json::to_string(&lost).ok(),
        };
        let words = "12 of 40 users lost (at most 8)";
        assert_eq!(loss(&set).as_deref(), Some(words));
    }
}
