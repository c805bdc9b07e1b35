//! `--sync-now --dry-run`: the same reads and the same plan, and nothing is written anywhere.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::join_all;

use crate::cli::args::Args;
use crate::cli::setup::Setup;
use crate::cli::{Fault, out};
use crate::daemon::Exit;
use crate::events;
use crate::model::Tally;
use crate::progress::{Job, Progress};
use crate::reconcile;
use crate::store::{Reader, Slot};
use crate::sync::read::{self, Answer, Fetched, Kept};
use crate::sync::survey::survey;
use crate::sync::{self, DirectoryPart};
use crate::text::counted;

/// Prints what a pass would do.
pub(crate) async fn run(args: &Args) -> Result<Exit, Fault> {
    let setup = Setup::load(args)?;
    setup
        .ask(async |store| rehearse(args, &setup, store).await)
        .await
}

async fn rehearse(args: &Args, setup: &Setup, store: Option<&Reader>) -> Result<Exit, Fault> {
    let progress = Progress::new();
    let directories = setup.parts.directories.iter();
    let reads = directories.map(|part| fetch(setup, part, store, &progress));
    let mut fetched = BTreeMap::new();
    for read in join_all(reads).await {
        if let Some((id, read)) = read? {
            fetched.insert(id, read);
        }
    }
    let mut partial = fetched.values().any(|it| !it.is_accepted());
    let mut changes = 0;
    let mut processed = 0;
    for part in &setup.parts.applications {
        let surveyed = match survey(part, store, Some(&fetched), setup.clock.now()).await {
            Ok(surveyed) => surveyed,
            Err(fault) => {
                partial = true;
                out::answer(&format!(
                    "application {}: cannot be planned: {}",
                    part.name,
                    events::chain(&fault)
                ))?;
                continue;
            }
        };
        processed += 1;
        let (text, steps, open) = surveyed.plan(part, |context, plan| {
            let view = context.view(plan);
            let open = !plan.held.is_empty()
                || !plan.doubled.is_empty()
                || !plan.frozen.is_empty()
                || sync::is_blocked(part, plan);
            (reconcile::show(view), plan.changes.len(), open)
        });
        changes += steps;
        partial |= open;
        let planned = counted(steps as u64, "change");
        out::answer(&format!("application {}: {planned}", part.name))?;
        if !text.is_empty() {
            out::answer(&text)?;
        }
    }
    let in_doubt = fetched.values().any(is_in_doubt);
    Ok(if processed == 0 && !setup.parts.applications.is_empty() {
        Exit::Failed
    } else if partial || in_doubt {
        Exit::Partial
    } else if args.exit_changes && changes > 0 {
        Exit::Changes
    } else {
        Exit::Ok
    })
}

async fn fetch(
    setup: &Setup,
    part: &Arc<DirectoryPart>,
    store: Option<&Reader>,
    progress: &Arc<Progress>,
) -> Result<Option<(String, Fetched)>, Fault> {
    let Some(directory) = &part.directory else {
        return Ok(None);
    };
    let work = progress.begin(Job::Read(part.name.clone()), setup.clock.monotonic());
    let (clock, kept) = (setup.clock.as_ref(), Kept::for_one_pass());
    let fetched = read::fetch(part, directory, store, clock, &work, &kept).await?;
    match &fetched.answer {
        Answer::Failed { failure, text } => events::directory_failed(&part.name, *failure, text),
        Answer::Suspect { loss, .. } => {
            out::answer(&format!("directory {}: suspect: {loss}", part.name))?;
        }
        Answer::Unchanged { .. } | Answer::Accepted { .. } => {}
    }
    let mut serving = fetched.serving();
    if let (None, Some(store)) = (&serving, store)
        && is_in_doubt(&fetched)
    {
        let mut snapshot = store.snapshot().await?;
        let stored = snapshot.records(&part.id, Slot::Accepted).await?;
        serving = stored.map(|it| it.records);
    }
    if let Some(records) = serving {
        for it in records.rejected_once() {
            events::record_rejected(&part.name, records.text(it.label), records.text(it.reason));
        }
        let (users, groups) = records.unknown();
        if users + groups > 0 {
            events::records_unknown(&part.name, users, groups);
        }
    }
    Ok(Some((part.id.clone(), fetched)))
}

/// Whether some of the records that serve are rejected or unknown.
fn is_in_doubt(fetched: &Fetched) -> bool {
    let serving = fetched.serving();
    let Tally {
        rejected, unknown, ..
    } = serving.map_or(fetched.state.tally, |it| it.tally());
    rejected + unknown > 0
}
