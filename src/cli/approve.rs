//! `approve ID [--only NAME…]`: a person releases what is held.

use std::collections::BTreeSet;

use crate::assemble;
use crate::cli::args::Args;
use crate::cli::held;
use crate::cli::run::{report_line, socket_path, store_path};
use crate::cli::setup::Setup;
use crate::cli::{Fault, out};
use crate::clock::Timestamp;
use crate::daemon::{self, ControlFault, Exit, Reply, Request, Subject};
use crate::events;
use crate::store::{ApprovalFault, ApprovedSet, Held, HeldSet, SetOf, Store};
use crate::text;

/// So many of the approved changes are shown, and as many of those that stay held.
const SHOWN_MAX: usize = 20;

/// Approves a set, or a part of it. A daemon that runs does at once what is still wanted, else the next pass does.
pub(crate) async fn run(args: &Args, id: &str, only: &[String]) -> Result<Exit, Fault> {
    let setup = Setup::load_to_ask(args)?;
    // A store that is not there holds nothing, and an approval makes none.
    if setup.ask(async |store| Ok(store.is_none())).await? {
        return Err(ApprovalFault::NoSuchSet { id: id.to_owned() }.into());
    }
    let store = Store::open(&assemble::store_url(&setup.config)).await?;
    let only: Vec<String> = only.iter().map(|it| text::fold(it)).collect();
    let told = approve(&store, id, &only, setup.clock.now()).await;
    store.close().await;
    let approved = told?;
    out::answer(&carried_out(&setup, &approved).await?)?;
    Ok(Exit::Ok)
}

/// Approves, and tells what that releases and what it does not.
async fn approve(
    store: &Store,
    id: &str,
    only: &[String],
    now: Timestamp,
) -> Result<ApprovedSet, Fault> {
    let approved = store.approve(id, only, now).await?;
    let mut snapshot = store.snapshot().await?;
    let (mut known, mut sets) = (Held::default(), Vec::new());
    if let SetOf::Application(id) = &approved.set.of {
        known = snapshot.held(id).await?;
        sets = snapshot.held_sets().await?;
        sets.retain(|it| it.of == approved.set.of && it.reason != approved.set.reason);
    }
    tell(&approved, &known, &sets)?;
    Ok(approved)
}

/// Has the daemon carry out what was approved, and says what came of it. The approval stands in any case.
async fn carried_out(setup: &Setup, approved: &ApprovedSet) -> Result<String, Fault> {
    const LATER: &str = "The next pass does what is still wanted of it";
    let Some(of) = subject(setup, &approved.set.of) else {
        return Ok(format!("{LATER}."));
    };
    let socket = socket_path(&store_path(&setup.config)?);
    Ok(
        match daemon::ask(&socket, &Request::Approved { of }).await {
            Ok(Reply::Finished(report)) => {
                let came = report_line(&report);
                format!("The daemon went to it: {came}")
            }
            Ok(Reply::Refused { reason }) => {
                format!("{LATER}; the daemon did not go to it: {reason}")
            }
            Err(ControlFault::Silent { .. }) => {
                format!("{LATER}; `usersyncd --sync-now` runs one.")
            }
            Err(fault) => format!("{LATER}: {}", events::chain(&fault)),
        },
    )
}

/// The name of the entry that an id belongs to, if it is enabled.
fn subject(setup: &Setup, of: &SetOf) -> Option<Subject> {
    match of {
        SetOf::Directory(id) => {
            let mut parts = setup.parts.directories.iter();
            let part = parts.find(|it| it.id == *id && it.directory.is_some())?;
            Some(Subject::Directory(part.name.clone()))
        }
        SetOf::Application(id) => {
            let mut parts = setup.parts.applications.iter();
            let part = parts.find(|it| it.id == *id)?;
            Some(Subject::Application(part.name.clone()))
        }
    }
}

/// `others` are the sets that the same application holds for other reasons.
fn tell(approved: &ApprovedSet, known: &Held, others: &[HeldSet]) -> Result<(), Fault> {
    let reasons = held::reasons(known);
    let besides = |subject: &str| held::besides(&reasons, subject, &approved.set.reason);
    list(&approved.changes, |(subject, change)| {
        let also = besides(subject);
        let also = if also.is_empty() {
            String::new()
        } else {
            format!(" (also held for {})", also.join(", "))
        };
        format!("{subject}: {change}{also}")
    })?;
    list(&approved.beyond, |(subject, change, instead)| {
        format!("{subject}: {change} stays held, since no approval releases it: {instead}")
    })?;
    let subjects = approved.changes.iter().map(|it| it.0.as_str());
    let also: BTreeSet<&str> = subjects.flat_map(besides).collect();
    for set in others.iter().filter(|it| also.contains(it.reason.as_str())) {
        if let Some(id) = held::approve_id(set, known) {
            let reason = &set.reason;
            out::answer(&format!(
                "Some of it stays held for {reason}: approve that, too, with `usersyncd approve {id}`, if it is right."
            ))?;
        }
    }
    let what = if approved.changes.is_empty() {
        "a read of this directory that loses no more than was shown".to_owned()
    } else {
        text::counted(approved.changes.len() as u64, "change")
    };
    out::answer(&format!("Approved until {}: {what}.", approved.expires_at))
}

fn list<T>(items: &[T], line: impl Fn(&T) -> String) -> Result<(), Fault> {
    for it in items.iter().take(SHOWN_MAX) {
        out::answer(&line(it))?;
    }
    if items.len() > SHOWN_MAX {
        out::answer(&format!("and {} more", items.len() - SHOWN_MAX))?;
    }
    Ok(())
}

impl From<ApprovalFault> for Fault {
    fn from(fault: ApprovalFault) -> Fault {
        let exit = match fault {
            ApprovalFault::Store(_) => Exit::Failed,
            ApprovalFault::NoSuchSet { .. }
            | ApprovalFault::NoSuchName { .. }
            | ApprovalFault::NothingToRelease { .. }
            | ApprovalFault::WholeOnly { .. } => Exit::Usage,
        };
        Fault::new(exit, events::chain(&fault))
    }
}
