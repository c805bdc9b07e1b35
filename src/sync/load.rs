//! What a push works on, loaded from one consistent state of the store, and made into a world.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::model::{Abilities, Holding, Memory, Records};
use crate::reconcile::rules::ApplicationRules;
use crate::reconcile::{DirectoryInput, Standing, World};
use crate::store::{DirectoryState, Slot, Snapshot, StoreError};
use crate::sync::parts::{ApplicationPart, DirectoryPart};

/// The records of one listed directory as they are pinned for a push.
#[derive(Clone, Debug)]
pub(crate) struct Pinned {
    pub(crate) part: Arc<DirectoryPart>,
    pub(crate) revision: u64,
    /// `None` when the directory was never read completely.
    pub(crate) records: Option<Arc<Records>>,
    pub(crate) standing: Standing,
    pub(crate) read_at: Timestamp,
    pub(crate) previous_read_at: Timestamp,
}

impl Pinned {
    /// A listed directory as its state says, without its records yet.
    pub(crate) fn of(part: &Arc<DirectoryPart>, state: &DirectoryState, now: Timestamp) -> Self {
        Pinned {
            part: Arc::clone(part),
            revision: state.revision,
            records: None,
            standing: standing(part, state, now),
            read_at: state.read_at.unwrap_or_default(),
            previous_read_at: state.previous_read_at.unwrap_or_default(),
        }
    }
}

/// Whether the accepted records of a directory are the present ones: the last read was complete, accepted, recent, and made
/// under the present configuration.
pub fn standing(part: &DirectoryPart, state: &DirectoryState, now: Timestamp) -> Standing {
    let answered = state
        .attempt
        .as_ref()
        .is_some_and(|it| it.failure.is_none());
    let recent = state
        .read_at
        .is_some_and(|it| now.0 - it.0 <= part.stale_after.as_seconds());
    let fresh = part.directory.is_some()
        && answered
        && recent
        && state.suspect.is_none()
        && state.basis == part.basis;
    if fresh {
        Standing::Fresh
    } else {
        Standing::Stale
    }
}

/// Loads the accepted records of every listed directory that was ever read.
pub(crate) async fn records(
    snapshot: &mut Snapshot,
    pinned: &mut [Pinned],
) -> Result<(), StoreError> {
    for it in pinned {
        let stored = snapshot.records(&it.part.id, Slot::Accepted).await?;
        it.records = stored.map(|it| Arc::new(it.records));
    }
    Ok(())
}

/// The states of the listed directories.
pub(crate) async fn pin(
    snapshot: &mut Snapshot,
    part: &ApplicationPart,
    now: Timestamp,
) -> Result<Vec<Pinned>, StoreError> {
    let mut pinned = Vec::with_capacity(part.directories.len());
    for directory in &part.directories {
        let state = snapshot.directory(&directory.id).await?.unwrap_or_default();
        pinned.push(Pinned::of(directory, &state, now));
    }
    Ok(pinned)
}

/// The world that a plan is made from.
pub(crate) fn world<'a>(
    rules: &'a ApplicationRules,
    abilities: &'a Abilities,
    pinned: &'a [Pinned],
    holding: &'a Holding,
    memory: &'a Memory,
    now: Timestamp,
) -> World<'a> {
    let directory = |it: &'a Pinned| DirectoryInput {
        id: &it.part.id,
        name: &it.part.name,
        rules: &it.part.rules,
        records: it.records.as_deref(),
        standing: it.standing,
        read_at: it.read_at,
        previous_read_at: it.previous_read_at,
    };
    let directories = pinned.iter().map(directory).collect();
    World {
        rules,
        abilities,
        directories,
        holding,
        memory,
        now,
    }
}
