//! Users of different usernames with one mail: reported always, since no directory can say whether they are one person.

use std::hash::{BuildHasher, RandomState};

use crate::model::{Notice, NoticeKind, RecordRef, StrId};
use crate::reconcile::context::Context;
use crate::reconcile::snapshot::Standing;
use crate::text;

/// One notice for each mail that stands on users of different persons, naming the records.
pub(crate) fn duplicates(context: &Context<'_, '_>) -> Vec<Notice> {
    let hasher = RandomState::new();
    let mut found: Vec<(u64, u32, RecordRef)> = Vec::new();
    for (place, snapshot) in context.snapshots.iter().enumerate() {
        let Some(snapshot) = snapshot else { continue };
        for (record, user) in snapshot.records.users.iter().enumerate() {
            if user.email != StrId::EMPTY && snapshot.standing[record] == Standing::Valid {
                let at = RecordRef {
                    directory: place as u16,
                    record: record as u32,
                };
                let hash = hasher.hash_one(text::fold(snapshot.records.text(user.email)));
                found.push((hash, context.resolution.person(snapshot, at), at));
            }
        }
    }
    found.sort_unstable();
    let mut notices = Vec::new();
    for same in found.chunk_by(|a, b| a.0 == b.0) {
        if same[0].1 == same[same.len() - 1].1 {
            continue;
        }
        let mut names: Vec<String> = same.iter().map(|it| record_name(context, it.2)).collect();
        names.sort();
        names.dedup();
        notices.push(Notice {
            kind: NoticeKind::DuplicateMail,
            subject: listed(&names),
            detail: "these users have one mail address; `people` or `link_by_email` can tie them"
                .to_owned(),
        });
    }
    notices
}

fn record_name(context: &Context<'_, '_>, at: RecordRef) -> String {
    let source = context.roster().sources[at.directory as usize];
    let user = &source.records.users[at.record as usize];
    format!("{}@{}", source.records.text(user.key), source.name)
}

/// The first ten names, and how many more there are.
fn listed(names: &[String]) -> String {
    match names.len() {
        0..=10 => names.join(", "),
        n => format!("{} and {} more", names[..10].join(", "), n - 10),
    }
}
