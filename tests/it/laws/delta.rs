//! *delta = complete*: what has changed, merged into what was known, is what a complete read shows; twice is once. What the
//! guard of small deltas lets pass, the whole guard accepts.

use std::collections::BTreeSet;

use usersyncd::model::{Lineage, RecordKind, Records};
use usersyncd::reconcile::reads::{Largest, ReadRules, Verdict, judge, loses_little};
use usersyncd::text::Percent;

use super::source::RawDirectory;
use super::town::Accepted;
use super::verdict::{Broken, ensure};

const LAW: &str = "delta = complete";

/// Reads a directory again: by what has changed where a directory could tell, else completely.
pub(crate) fn read(old: &Accepted, new: &RawDirectory, how: u64) -> Result<Records, Broken> {
    let complete = new.records(how);
    if how.is_multiple_of(2) || !can_tell(&old.raw, new) {
        return Ok(complete);
    }
    let delta = new.since(&old.raw);
    let Ok((merged, lineage)) = old.records.merge(&delta) else {
        // A gap asks for a complete read.
        return Ok(complete);
    };
    if let Some(lineage) = lineage {
        harmless(&old.records, &merged, &lineage, how)?;
    }
    let (left, right) = (facts(&merged), facts(&complete));
    ensure(LAW, left == right, || {
        let only = |one: &BTreeSet<String>, other: &BTreeSet<String>| {
            one.difference(other).cloned().collect::<Vec<_>>()
        };
        format!(
            "only merged: {:?}; only complete: {:?}; by {delta:?}",
            only(&left, &right),
            only(&right, &left)
        )
    })?;
    let twice = merged.merge(&delta).map(|it| facts(&it.0));
    ensure(LAW, twice.as_ref().is_ok_and(|it| *it == left), || {
        format!("taken twice: {twice:?}, once: {left:?}")
    })?;
    Ok(merged)
}

/// What is found harmless at a glance is accepted in full.
fn harmless(old: &Records, new: &Records, lineage: &Lineage, how: u64) -> Result<(), Broken> {
    let shrink_limit = Percent::whole([20, 0, 50, 100][(how / 2 % 4) as usize]);
    let rules = ReadRules { shrink_limit };
    let largest = Largest {
        users: old.tally().users + how / 8 % 3,
        memberships: old.tally().memberships + how / 8 % 3,
    };
    let little = loses_little(&rules, largest, old, new, lineage);
    let verdict = judge(&rules, largest, Some(old), new, None);
    ensure(LAW, !little || verdict == Verdict::Accept, || {
        format!("found harmless: {verdict:?}")
    })
}

/// Whether a directory could tell its changes by id at all: ids are ids, and nothing without one came or went.
fn can_tell(old: &RawDirectory, new: &RawDirectory) -> bool {
    let sound = |it: &RawDirectory| {
        let ids: BTreeSet<&str> = it.users.iter().map(|it| it.id.as_str()).collect();
        ids.len() == it.users.len() && !ids.contains("") && it.nameless == 0
    };
    sound(old) && sound(new)
}

/// Everything that records say, whatever their order.
fn facts(records: &Records) -> BTreeSet<String> {
    let text = |id| records.text(id);
    let mut facts = BTreeSet::new();
    for (at, it) in (0u32..).zip(&records.users) {
        let texts = [
            it.id,
            it.username,
            it.key,
            it.display_name,
            it.given_name,
            it.family_name,
            it.email,
            it.handle,
        ];
        let texts = texts.map(text);
        let extra: Vec<&str> = records.extra_names(at).collect();
        let values: Vec<&str> = ["nr", "kind"]
            .iter()
            .flat_map(|name| records.extra_values(at, name))
            .collect();
        let (status, kind, unknown) = (it.status, it.kind, it.unknown);
        facts.insert(format!(
            "user {texts:?} {extra:?} {values:?} {status:?} {kind:?} {unknown}"
        ));
    }
    for it in &records.groups {
        let texts = [it.id, it.name, it.key, it.description, it.handle].map(text);
        facts.insert(format!("group {texts:?} {}", it.unknown));
    }
    for (group, user) in records.members.pairs() {
        let group = text(records.groups[group as usize].id);
        let user = text(records.users[user as usize].id);
        facts.insert(format!("member {group} {user}"));
    }
    for (group, child) in records.children.pairs() {
        let group = text(records.groups[group as usize].id);
        let child = text(records.groups[child as usize].id);
        facts.insert(format!("child {group} {child}"));
    }
    for it in &records.references {
        let group = text(records.groups[it.group as usize].id);
        facts.insert(format!("reference {group} {}", text(it.handle)));
    }
    for it in &records.rejected {
        let texts = [it.id, it.key, it.handle].map(text);
        let user = it.what == RecordKind::User;
        facts.insert(format!("rejected {user} {texts:?}"));
    }
    facts
}
