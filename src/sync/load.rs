//! What a push works on, loaded from one consistent state of the store, and made into a world.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::model::{Abilities, Holding, Intent, Memory, Observed, Records, Refusal, Window};
use crate::reconcile::rules::ApplicationRules;
use crate::reconcile::{DirectoryInput, Standing, World, recall};
use crate::store::{ApplicationState, DirectoryState, Refused, Slot, Snapshot, StoreError};
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
    if part.directory.is_none() {
        return Standing::Disabled;
    }
    let answered = state
        .attempt
        .as_ref()
        .is_some_and(|it| it.failure.is_none());
    let recent = state
        .read_at
        .is_some_and(|it| now.0 - it.0 <= part.stale_after.as_seconds());
    let fresh = answered && recent && state.suspect.is_none() && state.basis == part.basis;
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
        it.records = stored.map(|it| it.records);
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

/// Everything that was loaded for one push.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    pub(crate) state: ApplicationState,
    pub(crate) pinned: Vec<Pinned>,
    pub(crate) remembered: Option<Arc<Holding>>,
    pub(crate) intents: Vec<(i64, Intent)>,
    pub(crate) refused: Vec<Refused>,
    pub(crate) memory: Memory,
    pub(crate) first_plan_approved: bool,
}

/// What an application holds now.
pub(crate) struct Present {
    pub(crate) holding: Arc<Holding>,
    /// It was listed for this push.
    pub(crate) listed: bool,
}

/// Whether everything that the application holds is to be listed anew.
pub(crate) fn listing_is_due(
    part: &ApplicationPart,
    state: &ApplicationState,
    now: Timestamp,
) -> bool {
    state
        .reread_at
        .is_none_or(|it| now.0 - it.0 >= part.reread.as_seconds() || it > now)
}

/// Loads everything that a plan for an application needs from one state of the store.
pub(crate) async fn load_all(
    snapshot: &mut Snapshot,
    part: &ApplicationPart,
    state: ApplicationState,
    mut pinned: Vec<Pinned>,
    now: Timestamp,
) -> Result<Loaded, StoreError> {
    records(snapshot, &mut pinned).await?;
    let remembered = snapshot.holding(&part.id).await?.map(Arc::new);
    let intents = snapshot.open_intents(&part.id).await?;
    let refused = snapshot.refused(&part.id).await?;
    let approved = snapshot.approved(&part.id, now).await?;
    let held = snapshot.held(&part.id).await?;
    let window = window(snapshot, part, &state, now).await?;
    let memory = Memory {
        first_applied_at: state.first_applied_at,
        planned_at: state.planned_at,
        basis_changed: !state.basis.is_empty() && state.basis != part.basis,
        window,
        approved: approved.keys,
        held: held.since(),
    };
    let first_plan_approved = approved.first_plan;
    Ok(Loaded {
        state,
        pinned,
        remembered,
        intents,
        refused,
        memory,
        first_plan_approved,
    })
}

/// What was done since the window of the limits opened.
pub(crate) async fn window(
    snapshot: &mut Snapshot,
    part: &ApplicationPart,
    state: &ApplicationState,
    now: Timestamp,
) -> Result<Window, StoreError> {
    let opened = state
        .first_applied_at
        // What the first plan itself did, in the second in which it ended, does not count.
        .map(|first| Timestamp((first.0 + 1).max(now.0 - part.window.as_seconds())));
    match opened {
        Some(since) => snapshot.window(&part.id, since).await,
        None => Ok(Window::default()),
    }
}

/// What the application holds: as last seen, or listed anew when that is due, unknown, or in doubt.
pub(crate) async fn present_holding(
    part: &ApplicationPart,
    loaded: &Loaded,
    now: Timestamp,
) -> Result<Present, Refusal> {
    let surprised = !loaded.intents.is_empty() || loaded.state.failure.is_some();
    match &loaded.remembered {
        Some(remembered) if !surprised && !listing_is_due(part, &loaded.state, now) => {
            Ok(Present {
                holding: Arc::clone(remembered),
                listed: false,
            })
        }
        remembered => {
            let empty = Holding::default();
            let known = remembered.as_deref().unwrap_or(&empty);
            let observed: Observed = part.application.accounts(known).await?;
            let intents: Vec<Intent> = loaded.intents.iter().map(|it| it.1.clone()).collect();
            let holding = tokio::task::block_in_place(|| recall(known, &observed, &intents));
            Ok(Present {
                holding: Arc::new(holding),
                listed: true,
            })
        }
    }
}
