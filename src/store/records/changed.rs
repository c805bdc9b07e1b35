//! Bringing the rows of one directory up to date where it is known what changed: nothing else is compared.

use std::sync::Arc;

use crate::model::{Lineage, NONE, RecordKind, Records};
use crate::store::StoredRecords;
use crate::store::dialect::{Connection, edge};
use crate::store::records::diff::Step;
use crate::store::records::write::{put_groups, put_members, put_references, put_users};
use crate::store::records::{Place, Rows};

/// Records that came out of stored ones.
#[derive(Clone, Copy, Debug)]
pub struct Changed<'a> {
    /// The records.
    pub records: &'a Arc<Records>,
    /// How they came out of the stored ones.
    pub lineage: &'a Lineage,
}

/// Makes the rows of a slot those of changed records. Answers whether anything differed, and the rows as they are now.
pub(in crate::store) async fn change(
    db: &mut Connection,
    place: Place,
    old: &StoredRecords,
    new: Changed<'_>,
) -> sqlx::Result<(bool, Rows)> {
    let Changed { records, lineage } = new;
    let rows = &old.rows;
    let gone_references = gone(&lineage.references, old.records.references.len());
    let users = step(
        &rows.users,
        &lineage.users,
        &lineage.changed_users,
        &lineage.gone_users,
    );
    let groups = step(
        &rows.groups,
        &lineage.groups,
        &lineage.changed_groups,
        &lineage.gone_groups,
    );
    let came: Vec<u32> = (0u32..)
        .zip(&lineage.references)
        .filter(|it| *it.1 == NONE)
        .map(|it| it.0)
        .collect();
    let loose = step(
        &rows.references,
        &lineage.references,
        &came,
        &gone_references,
    );
    let mut changed = false;
    for step in [&users, &groups, &loose] {
        changed |= !step.put.is_empty() || !step.gone.is_empty();
    }
    put_users(db, place, records, &users).await?;
    put_groups(db, place, records, &groups).await?;
    put_references(db, place, records, &loose, &groups.serials).await?;
    let now = Rows {
        users: users.serials,
        groups: groups.serials,
        references: loose.serials,
        rejected: rows.rejected.clone(),
    };
    for kind in [RecordKind::User, RecordKind::Group] {
        let (was, is) = edges(kind, old, records, &now, lineage);
        changed |= put_members(db, place, kind, &was, &is).await?;
    }
    Ok((changed, now))
}

/// Records that stay keep their serial; those that came get serials that no row had.
fn step(rows: &[u32], origins: &[u32], changed: &[u32], gone: &[u32]) -> Step {
    let mut free = rows.iter().max().map_or(0, |it| it + 1);
    let serial = |was: &u32| match *was {
        NONE => {
            free += 1;
            free - 1
        }
        was => rows[was as usize],
    };
    Step {
        serials: origins.iter().map(serial).collect(),
        put: changed.to_vec(),
        gone: gone.iter().map(|it| rows[*it as usize].into()).collect(),
    }
}

/// The old places that nothing comes from, of so many.
fn gone(origins: &[u32], count: usize) -> Vec<u32> {
    let mut stays = vec![false; count];
    let stay = origins.iter().filter(|it| **it != NONE);
    stay.for_each(|it| stays[*it as usize] = true);
    (0..count as u32)
        .filter(|it| !stays[*it as usize])
        .collect()
}

/// The memberships of one kind that the groups whose members may be others had and have, as pairs of serials, sorted.
fn edges(
    kind: RecordKind,
    old: &StoredRecords,
    new: &Records,
    now: &Rows,
    lineage: &Lineage,
) -> (Vec<i64>, Vec<i64>) {
    let (had, have, targets_had, targets_have) = match kind {
        RecordKind::User => (
            &old.records.members,
            &new.members,
            &old.rows.users,
            &now.users,
        ),
        RecordKind::Group => (
            &old.records.children,
            &new.children,
            &old.rows.groups,
            &now.groups,
        ),
    };
    let (mut was, mut is) = (Vec::new(), Vec::new());
    let refilled = lineage.refilled.iter();
    let before = refilled.map(|it| lineage.groups[*it as usize]);
    for group in before
        .filter(|it| *it != NONE)
        .chain(lineage.gone_groups.iter().copied())
    {
        let serial = old.rows.groups[group as usize];
        let row = had.row(group as usize).iter();
        was.extend(row.map(|it| edge(serial, targets_had[*it as usize])));
    }
    for &group in &lineage.refilled {
        let serial = now.groups[group as usize];
        let row = have.row(group as usize).iter();
        is.extend(row.map(|it| edge(serial, targets_have[*it as usize])));
    }
    was.sort_unstable();
    is.sort_unstable();
    (was, is)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::model::Delta;
    use crate::store::testing::{any_records, at, lines, read, records, rows_written, store};
    use crate::store::{Slot, Store, StoreError};

    async fn stored(store: &Store, directory: &str) -> StoredRecords {
        let mut snapshot = store.snapshot().await.unwrap();
        let stored = snapshot.records(directory, Slot::Accepted).await.unwrap();
        stored.unwrap()
    }

    /// Takes the first of the old users and groups away where the new ones do not have them, and puts the new ones in.
    fn delta(old: &Records, upsert: &Records) -> Delta {
        let ids = |records: &Records, kind| -> Vec<String> {
            let text = |it| records.text(it).to_owned();
            match kind {
                RecordKind::User => records.users.iter().map(|it| text(it.id)).collect(),
                RecordKind::Group => records.groups.iter().map(|it| text(it.id)).collect(),
            }
        };
        let mut delta = Delta {
            upsert: upsert.clone(),
            filled: ids(upsert, RecordKind::Group),
            moves_follow: upsert.users.len().is_multiple_of(2),
            ..Delta::default()
        };
        delta.upsert.rejected.clear();
        delta.filled.sort();
        for kind in [RecordKind::User, RecordKind::Group] {
            let fresh = ids(upsert, kind);
            let first = ids(old, kind).into_iter().next();
            let gone = first.filter(|it| !fresh.contains(it));
            delta.gone.extend(gone.map(|it| (kind, it)));
        }
        delta
    }

    #[test]
    fn rows_of_known_changes_are_those_that_a_comparison_would_write() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let (_folder, store) = runtime.block_on(store());
        let (cases, quick) = (Cell::new(0), Cell::new(0));
        let config = ProptestConfig::with_cases(160);
        proptest!(config, |(first in any_records(), steps in vec(any_records(), 1..5))| {
            let case = cases.replace(cases.get() + 1);
            let directory = format!("directory {case}");
            runtime.block_on(async {
                let mut first = first.clone();
                first.rejected.clear();
                store.accept(&directory, None, &first, read(at(case))).await.unwrap();
                let mut old = stored(&store, &directory).await;
                for step in &steps {
                    let delta = delta(&old.records, step);
                    let Ok((new, Some(lineage))) = old.records.merge(&delta) else { continue };
                    quick.set(quick.get() + 1);
                    let new = Arc::new(new);
                    let changed = Changed { records: &new, lineage: &lineage };
                    let accept = store.accept_changed(&directory, &old, changed, read(at(case)));
                    let kept = accept.await.unwrap();
                    let now = stored(&store, &directory).await;
                    assert_eq!(lines(&now.records), lines(&new));
                    assert_eq!(now.revision, kept.revision);
                    let same = lines(&old.records) == lines(&new);
                    assert_eq!(kept.revision == old.revision, same);
                    // Goes on with what was kept, without loading.
                    old = kept;
                }
            });
        });
        assert!(
            quick.get() * 2 > cases.get(),
            "{} of {} cases",
            quick.get(),
            cases.get()
        );
    }

    #[tokio::test]
    async fn only_what_changed_is_written() {
        let (_folder, store) = store().await;
        let users: Vec<String> = (0..200).map(|it| format!("u{it}")).collect();
        let users: Vec<&str> = users.iter().map(String::as_str).collect();
        let first = records(&users, &[("staff", &users), ("few", &["u1"])]);
        store.accept("hr", None, &first, read(at(0))).await.unwrap();
        let old = stored(&store, "hr").await;
        let mut delta = delta(&old.records, &records(&["new"], &[("few", &["u1", "new"])]));
        delta.gone.retain(|it| it.0 == RecordKind::User);
        delta.moves_follow = true;
        let (new, lineage) = old.records.merge(&delta).unwrap();
        let (new, lineage) = (Arc::new(new), lineage.unwrap());
        let changed = Changed {
            records: &new,
            lineage: &lineage,
        };
        let before = rows_written(&store).await;
        let accept = store.accept_changed("hr", &old, changed, read(at(1)));
        let kept = accept.await.unwrap();
        assert_eq!(kept.revision, old.revision + 1);
        // A user comes and one goes, a membership comes and one goes; the directory.
        assert_eq!(rows_written(&store).await - before, 5);
        assert_eq!(lines(&stored(&store, "hr").await.records), lines(&new));
        let accept = store.accept_changed("hr", &old, changed, read(at(2)));
        let fault = accept.await.unwrap_err();
        assert!(matches!(fault, StoreError::Overtaken { .. }));
    }
}
