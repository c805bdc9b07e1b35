//! `approve ID [--only NAME…]`: a person releases what is held.

use crate::assemble;
use crate::cli::args::Args;
use crate::cli::setup::Setup;
use crate::cli::{Fault, out};
use crate::daemon::Exit;
use crate::events;
use crate::store::{ApprovalFault, ApprovedSet, Store};
use crate::text;

/// So many of the approved changes are shown.
const SHOWN_MAX: usize = 20;

/// Approves a set, or a part of it. The next pass does what is still wanted.
pub(crate) async fn run(args: &Args, id: &str, only: &[String]) -> Result<Exit, Fault> {
    let setup = Setup::load_to_ask(args)?;
    // A store that is not there holds nothing, and an approval makes none.
    if setup.ask(async |store| Ok(store.is_none())).await? {
        return Err(ApprovalFault::NoSuchSet { id: id.to_owned() }.into());
    }
    let store = Store::open(&assemble::store_url(&setup.config)).await?;
    let only: Vec<String> = only.iter().map(|it| text::fold(it)).collect();
    let approved = store.approve(id, &only, setup.clock.now()).await;
    store.close().await;
    tell(&approved?);
    Ok(Exit::Ok)
}

fn tell(approved: &ApprovedSet) {
    for (subject, change) in approved.changes.iter().take(SHOWN_MAX) {
        out::answer(&format!("{subject}: {change}"));
    }
    if approved.changes.len() > SHOWN_MAX {
        let more = approved.changes.len() - SHOWN_MAX;
        out::answer(&format!("and {more} more"));
    }
    let what = if approved.changes.is_empty() {
        "a read of this directory that loses no more than was shown".to_owned()
    } else {
        format!("{} changes", approved.changes.len())
    };
    out::answer(&format!(
        "Approved until {}: {what}. The next pass does what is still wanted of it; `usersyncd --sync-now` runs one.",
        approved.expires_at
    ));
}

impl From<ApprovalFault> for Fault {
    fn from(fault: ApprovalFault) -> Fault {
        let exit = match fault {
            ApprovalFault::Store(_) => Exit::Failed,
            ApprovalFault::NoSuchSet { .. }
            | ApprovalFault::NoSuchName { .. }
            | ApprovalFault::WholeOnly { .. } => Exit::Usage,
        };
        Fault::new(exit, events::chain(&fault))
    }
}
