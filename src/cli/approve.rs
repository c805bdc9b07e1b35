//! `approve ID [--only NAME…]`: a person releases what is held.

use crate::assemble;
use crate::cli::args::Args;
use crate::cli::setup::Setup;
use crate::cli::{Fault, out};
use crate::daemon::Exit;
use crate::events;
use crate::store::Store;
use crate::text;

/// Approves a set, or a part of it. The next pass does what is still wanted.
pub(crate) async fn run(args: &Args, id: &str, only: &[String]) -> Result<Exit, Fault> {
    let setup = Setup::load(args)?;
    let store = Store::open(&assemble::store_url(&setup.config)).await?;
    let only: Vec<String> = only.iter().map(|it| text::fold(it)).collect();
    let approved = store.approve(id, &only, setup.clock.now()).await;
    let approved = approved.map_err(|it| Fault::new(Exit::Usage, events::chain(&it)))?;
    for (subject, change) in approved.changes.iter().take(20) {
        out::answer(&format!("{subject}: {change}"));
    }
    if approved.changes.len() > 20 {
        out::answer(&format!("and {} more", approved.changes.len() - 20));
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
    store.close().await;
    Ok(Exit::Ok)
}
