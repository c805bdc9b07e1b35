//! Records as printed text, and how two of them differ.

use std::collections::BTreeMap;

use usersyncd::model::{RecordKind, Records};

use super::server::NUMBER;

/// A record: what it is, and its stable id.
pub(crate) type Which = (RecordKind, String);

/// Everything that records say, a line each, whatever their order.
pub(crate) fn facts(records: &Records) -> Vec<String> {
    let mut facts: Vec<String> = by_record(records).into_values().flatten().collect();
    facts.sort();
    facts
}

/// Whether a line says that a group names what is no record. Where memberships are links between objects, groups tell of no
/// change when such an object is renamed or deleted, and nobody is a member by it.
pub(crate) fn is_loose(fact: &str) -> bool {
    fact.starts_with(LOOSE)
}

const LOOSE: &str = "reference";

/// The same by record. What a group's members are is said of the group.
pub(crate) fn by_record(records: &Records) -> BTreeMap<Which, Vec<String>> {
    let text = |id| records.text(id);
    let mut facts: BTreeMap<Which, Vec<String>> = BTreeMap::new();
    let mut say = |kind, id, fact| {
        let facts = facts.entry((kind, text(id).to_owned())).or_default();
        facts.push(fact);
    };
    for (at, it) in (0u32..).zip(&records.users) {
        let names = [it.username, it.key, it.display_name, it.given_name];
        let more = [it.family_name, it.email, it.handle];
        let numbers: Vec<&str> = records.extra_values(at, NUMBER).collect();
        let (names, more) = (names.map(text), more.map(text));
        let (id, status, kind, unknown) = (text(it.id), it.status, it.kind, it.unknown);
        let rest = format!("{numbers:?} {status:?} {kind:?} unknown={unknown}");
        let fact = format!("user {id} {names:?} {more:?} {rest}");
        say(RecordKind::User, it.id, fact);
    }
    for it in &records.groups {
        let fields = [it.id, it.name, it.key, it.description, it.handle].map(text);
        let fact = format!("group {fields:?} unknown={}", it.unknown);
        say(RecordKind::Group, it.id, fact);
    }
    for (at, what, member) in edges(records) {
        let group = &records.groups[at as usize];
        let fact = format!("{what} [{}] of [{member}]", text(group.handle));
        say(RecordKind::Group, group.id, fact);
    }
    for it in &records.rejected {
        let fields = [it.id, it.key, it.handle, it.label, it.reason].map(text);
        say(it.what, it.id, format!("rejected {:?} {fields:?}", it.what));
    }
    for facts in facts.values_mut() {
        facts.sort();
    }
    facts
}

/// The members of all groups: a group's place, what is named, and its handle.
fn edges(records: &Records) -> impl Iterator<Item = (u32, String, &str)> {
    let user = |at: u32| records.text(records.users[at as usize].handle);
    let group = |at: u32| records.text(records.groups[at as usize].handle);
    let users = records.members.pairs();
    let users = users.map(move |it| (it.0, "member".to_owned(), user(it.1)));
    let groups = records.children.pairs();
    let groups = groups.map(move |it| (it.0, "child".to_owned(), group(it.1)));
    let others = records.references.iter().map(|it| {
        let what = format!("{LOOSE} {:?}", it.kind);
        (it.group, what, records.text(it.handle))
    });
    users.chain(groups).chain(others)
}

/// The lines of one but not of the other, marked with `-` and `+`; empty if they say the same.
pub(crate) fn difference(merged: &[String], complete: &[String]) -> String {
    let only = |mark: &str, one: &[String], other: &[String]| {
        let mut other = other.to_vec();
        let mut lines = String::new();
        for line in one {
            match other.iter().position(|it| it == line) {
                Some(at) => drop(other.swap_remove(at)),
                None => lines.extend([mark, line, "\n"]),
            }
        }
        lines
    };
    only("- ", merged, complete) + &only("+ ", complete, merged)
}
