//! What of the present plan keeps a pass from doing everything. Nobody remembers that: it is planned anew from what the store
//! has, which takes a moment.

use serde_json::{Value, json};

use crate::cli::Fault;
use crate::clock::Timestamp;
use crate::daemon::Exit;
use crate::events;
use crate::model::{Notice, NoticeKind};
use crate::reconcile;
use crate::store::{Reader, Snapshot};
use crate::sync::ApplicationPart;
use crate::sync::survey::survey;

/// Puts into the answer for an application the accounts on which nothing changes, and what blocks removals, each with why.
/// After a push that left nothing open there are none.
pub(super) async fn put_in(
    answer: &mut Value,
    snapshot: &mut Snapshot,
    part: &ApplicationPart,
    store: &Reader,
    now: Timestamp,
) -> Result<(), Fault> {
    answer["frozen"] = json!([]);
    answer["removals_blocked"] = json!([]);
    let state = snapshot.application(&part.id).await?.unwrap_or_default();
    let all_enabled = part.directories.iter().all(|it| it.directory.is_some());
    let nothing_open = !state.pinned.is_empty() && state.failure.is_none() && all_enabled;
    if nothing_open || state.push == 0 {
        return Ok(());
    }
    let surveyed = survey(part, Some(store), None, now).await;
    let surveyed = surveyed.map_err(|it| Fault::new(Exit::Failed, events::chain(&it)))?;
    let (frozen, blocked) = surveyed.plan(part, |context, plan| {
        let blocked = plan.notices.iter().filter(|it| blocks(it));
        let blocked = blocked.map(|it| json!({ "subject": it.subject, "detail": it.detail }));
        (reconcile::frozen(context), blocked.collect())
    });
    let frozen = frozen
        .iter()
        .map(|it| json!({ "account": it.name, "reason": it.reason.word(), "detail": it.detail }));
    answer["frozen"] = Value::Array(frozen.collect());
    answer["removals_blocked"] = Value::Array(blocked);
    Ok(())
}

fn blocks(notice: &Notice) -> bool {
    match notice.kind {
        NoticeKind::NamedGroupMissing | NoticeKind::RemovalsBlocked => true,
        NoticeKind::ProtectedLeft | NoticeKind::AccessRemains | NoticeKind::DuplicateMail => false,
    }
}
