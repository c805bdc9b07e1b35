//! Which record an account's link names.

use std::collections::BTreeMap;

use crate::model::{NONE, RecordRef, StrId};
use crate::reconcile::lookup::Index;
use crate::reconcile::snapshot::Snapshot;
use crate::reconcile::world::World;

/// By account place, the record that its link or its external id names. Most accounts bear the name of their record, so that
/// one is looked at first; ids are indexed only where a name has led nowhere.
pub(crate) fn linked_records(
    world: &World<'_>,
    snapshots: &[Option<Snapshot<'_>>],
    account_key: &[u32],
    names: usize,
) -> Vec<Option<RecordRef>> {
    let holding = world.holding;
    let by_name: Vec<Vec<u32>> = snapshots
        .iter()
        .map(|snapshot| {
            let keys = snapshot.as_ref().map_or(&[][..], |it| &it.user_key);
            let mut by_name = vec![NONE; names];
            for (record, &key) in (0u32..).zip(keys) {
                by_name[key as usize] = record;
            }
            by_name
        })
        .collect();
    let mut by_id: Vec<Option<Index<'_>>> = world.directories.iter().map(|_| None).collect();
    let place_of = |id: &str| world.directories.iter().position(|it| it.id == id);
    let place_named = |name: &str| world.directories.iter().position(|it| it.name == name);
    let mut places: BTreeMap<StrId, Option<usize>> = BTreeMap::new();
    let mut find = |place: Option<usize>, id: &str, key: u32| {
        let place = place?;
        let records = world.directories[place].records?;
        let named = by_name[place][key as usize];
        let is_it = |it: u32| it != NONE && records.text(records.users[it as usize].id) == id;
        let record = if is_it(named) {
            named
        } else {
            let index = by_id[place].get_or_insert_with(|| Index::user_ids(records));
            index.find(id)?
        };
        Some(RecordRef {
            directory: place as u16,
            record,
        })
    };
    holding
        .accounts
        .iter()
        .zip(account_key)
        .map(|(account, &key)| match &account.link {
            _ if !account.exists => None,
            Some(link) => {
                let place = *places
                    .entry(link.directory)
                    .or_insert_with(|| place_of(holding.text(link.directory)));
                find(place, holding.text(link.user_id), key)
            }
            None if account.seen.external_id.is_empty() => None,
            None => find(
                place_named(holding.text(account.seen.directory)),
                holding.text(account.seen.external_id),
                key,
            ),
        })
        .collect()
}

/// The value of the directory's `person_key` attribute on a record; empty where there is none.
pub(crate) fn person_value<'a>(world: &World<'a>, at: RecordRef) -> &'a str {
    let directory = &world.directories[at.directory as usize];
    match (&directory.rules.person_key, directory.records) {
        (Some(name), Some(records)) => records.extra_values(at.record, name).next().unwrap_or(""),
        _ => "",
    }
}
