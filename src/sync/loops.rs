//! The report of a possible loop, made once: by the read in which a record appears.

use std::sync::Arc;

use crate::events;
use crate::model::{Lineage, Records};
use crate::reconcile::loops;
use crate::store::{Store, StoreError};
use crate::sync::parts::{ApplicationPart, DirectoryPart};

/// Compares what appeared in a directory (its new records, and how they came out of the old ones where that is known) with what was made in the applications. Nothing is looked up when nothing appeared.
///
/// # Errors
/// [`StoreError`] when the store cannot be read.
pub(crate) async fn tell(
    part: &DirectoryPart,
    applications: &[Arc<ApplicationPart>],
    store: &Store,
    old: &Records,
    new: (&Records, Option<&Lineage>),
) -> Result<(), StoreError> {
    let appeared = tokio::task::block_in_place(|| loops::appeared(old, new, &part.rules));
    if appeared.is_empty() {
        return Ok(());
    }
    let made = store.snapshot().await?.made_accounts(&appeared).await?;
    for it in loops::suspected(&part.id, &appeared, &made) {
        // Nothing is written to an application that the configuration no longer has.
        let application = applications.iter().find(|at| at.id == it.application);
        if let Some(application) = application {
            events::loop_suspected(&part.name, &application.name, it.count, &it.users);
        }
    }
    Ok(())
}
