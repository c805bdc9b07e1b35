//! Planning without writing: for dry runs, and for every question about what would be done and why.
//!
//! A survey works on one consistent state of the store. A dry run reads the directories first and lays what they answered
//! over that state; `explain` and its like take the state as it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::model::{Holding, Memory, Plan, Refusal};
use crate::reconcile::{self, Context, Standing};
use crate::store::{DirectoryState, Reader, StoreError};
use crate::sync::load::{self, Loaded, Pinned, present_holding};
use crate::sync::parts::ApplicationPart;
use crate::sync::read::Fetched;

/// Everything that a plan for one application is made from, with nothing written.
#[derive(Debug)]
pub struct Survey {
    pinned: Vec<Pinned>,
    holding: Arc<Holding>,
    memory: Memory,
    now: Timestamp,
}

/// Why no survey could be made.
#[derive(Debug, thiserror::Error)]
pub enum SurveyFault {
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The application could not be listed.
    #[error(transparent)]
    Application(#[from] Refusal),
}

/// Surveys an application. With `fetched` (by the ids of directory entries) those reads are taken as if they were committed,
/// and the application is listed when a push would list it; without, nothing outside is asked.
///
/// # Errors
/// [`SurveyFault`] when the store or the application does not answer.
pub async fn survey(
    part: &ApplicationPart,
    store: Option<&Reader>,
    fetched: Option<&BTreeMap<String, Fetched>>,
    now: Timestamp,
) -> Result<Survey, SurveyFault> {
    let mut loaded = match store {
        Some(store) => {
            let mut snapshot = store.snapshot().await?;
            let state = snapshot.application(&part.id).await?.unwrap_or_default();
            let pinned = load::pin(&mut snapshot, part, now).await?;
            load::load_all(&mut snapshot, part, state, pinned, now).await?
        }
        None => Loaded {
            pinned: part
                .directories
                .iter()
                .map(|it| Pinned::of(it, &DirectoryState::default(), now))
                .collect(),
            ..Loaded::default()
        },
    };
    let holding = match fetched {
        Some(fetched) => {
            loaded
                .pinned
                .iter_mut()
                .for_each(|it| lay_over(it, fetched));
            present_holding(part, &loaded, now).await?.holding
        }
        None => loaded.remembered.unwrap_or_default(),
    };
    Ok(Survey {
        pinned: loaded.pinned,
        holding,
        memory: loaded.memory,
        now,
    })
}

impl Survey {
    /// Makes the plan and hands it, with everything it was derived from, to `look`.
    pub fn plan<R>(
        &self,
        part: &ApplicationPart,
        look: impl FnOnce(&Context<'_, '_>, &Plan) -> R,
    ) -> R {
        let abilities = part.application.abilities();
        let world = load::world(
            &part.rules,
            abilities,
            &self.pinned,
            &self.holding,
            &self.memory,
            self.now,
        );
        let (context, plan) = reconcile::plan(&world);
        look(&context, &plan)
    }

    /// What the application holds.
    pub fn holding(&self) -> &Holding {
        &self.holding
    }
}

/// Takes a read as if it were committed.
fn lay_over(pinned: &mut Pinned, fetched: &BTreeMap<String, Fetched>) {
    let Some(fetched) = fetched.get(&pinned.part.id) else {
        return;
    };
    if let Some(records) = fetched.serving() {
        pinned.records = Some(records);
    }
    pinned.standing = if fetched.is_accepted() {
        Standing::Fresh
    } else {
        Standing::Stale
    };
    if fetched.is_accepted() {
        pinned.previous_read_at = pinned.read_at;
        pinned.read_at = fetched.at;
    }
}
