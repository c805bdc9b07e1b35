//! The sets that are served from here: what of the store others may see.

use crate::model::Holding;
use crate::store::{Store, StoreError};
use crate::sync::parts::ApplicationPart;

/// The committed set of an application that is served from here; `None` for others, and until its first plan has passed: before
/// that, what is there may be a part of the set, and whoever polls it would take that for all of it.
///
/// # Errors
/// [`StoreError`] when the store cannot be read.
pub async fn committed(
    part: &ApplicationPart,
    store: &Store,
) -> Result<Option<Holding>, StoreError> {
    if !part.application.abilities().served {
        return Ok(None);
    }
    let mut snapshot = store.snapshot().await?;
    let state = snapshot.application(&part.id).await?.unwrap_or_default();
    if state.first_applied_at.is_none() {
        return Ok(None);
    }
    snapshot.holding(&part.id).await
}
