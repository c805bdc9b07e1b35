//! Users of different usernames with one mail: reported always, since no directory can say whether they are one person.

use std::hash::{BuildHasher, RandomState};

use crate::model::{Notice, NoticeKind, RecordRef, StrId};
use crate::reconcile::context::Context;
use crate::reconcile::snapshot::Standing;
use crate::text;

/// One notice for each mail that stands on users of different persons, naming the records.
pub(crate) fn duplicates(context: &Context<'_, '_>) -> Vec<Notice> {
    let hasher = RandomState::new();
    let mut records: Vec<RecordRef> = Vec::new();
    // Hash, person and place in `records`, as one number each: a million of them sort quickly.
    let mut found: Vec<u128> = Vec::new();
    for (place, snapshot) in context.snapshots.iter().enumerate() {
        let Some(snapshot) = snapshot else { continue };
        for (record, user) in snapshot.records.users.iter().enumerate() {
            if user.email != StrId::EMPTY && snapshot.standing[record] == Standing::Valid {
                let at = RecordRef {
                    directory: place as u16,
                    record: record as u32,
                };
                let hash = hasher.hash_one(&*text::folded(snapshot.records.text(user.email)));
                let person = context.resolution.person(snapshot, at);
                let at_number = records.len() as u128;
                found.push(u128::from(hash) << 64 | u128::from(person) << 32 | at_number);
                records.push(at);
            }
        }
    }
    found.sort_unstable();
    let mut notices = Vec::new();
    for same in found.chunk_by(|a, b| a >> 64 == b >> 64) {
        if same[0] >> 32 == same[same.len() - 1] >> 32 {
            continue;
        }
        let record = |it: &u128| records[(it & u128::from(u32::MAX)) as usize];
        let mut names: Vec<String> = same
            .iter()
            .map(|it| record_name(context, record(it)))
            .collect();
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
pub(crate) fn listed(names: &[String]) -> String {
    match names.len() {
        0..=10 => names.join(", "),
        n => format!("{} and {} more", names[..10].join(", "), n - 10),
    }
}
