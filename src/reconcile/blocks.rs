//! Why nothing is removed by absence: directories that prove nothing, and groups that the configuration names in vain.

use std::collections::BTreeSet;

use crate::model::{Notice, NoticeKind, RecordKind, Records, Rejected, StrId};
use crate::reconcile::scope::Scope;
use crate::reconcile::snapshot::{Names, Snapshot};
use crate::reconcile::world::{self, World};

/// Why removals by absence are blocked: directories that prove nothing, and groups that the configuration names and no listed
/// directory has.
pub(crate) fn of(
    world: &World<'_>,
    snapshots: &[Option<Snapshot<'_>>],
    scope: &Scope<'_>,
    names: &Names,
) -> Vec<Notice> {
    let mut blocks = nameless(world, snapshots);
    for directory in &world.directories {
        let why = match (directory.records, directory.standing) {
            (_, world::Standing::Disabled) => {
                "it is disabled: enable it, or remove it from the application's `directories`"
            }
            (None, _) => "it was never read completely",
            (Some(_), world::Standing::Stale) => "it is stale: the last accepted records serve",
            (Some(_), world::Standing::Fresh) => continue,
        };
        blocks.push(Notice {
            kind: NoticeKind::RemovalsBlocked,
            subject: format!("directory {}", directory.name),
            detail: why.to_owned(),
        });
    }
    let rules = world.rules;
    let known = |name: &str| {
        let number = names.groups.find(name);
        number.is_some_and(|it| scope.known.get(it.0 as usize) == Some(&true))
    };
    // A group that is pushed under this name is named, too.
    let groups = &scope.roster.groups;
    let pushed = |name: &str| {
        groups
            .binary_search_by(|it| it.key.as_str().cmp(name))
            .is_ok()
    };
    // Kinds are told by all groups of a directory, whichever of them it gives.
    let told = |name: &str| {
        world
            .directories
            .iter()
            .any(|it| has_group(it.records, name))
    };

    let scoped = rules.members_of.literals();
    let renamed = rules.rename_groups.iter().map(|it| it.0.as_str());
    let missing = scoped.chain(renamed).filter(|it| !known(it));
    let exact = rules.exact.literals();
    let missing = missing.chain(exact.filter(|it| !known(it) && !pushed(it)));
    let classify = world.directories.iter().flat_map(|it| &it.rules.classify);
    let classify = classify.flat_map(|it| it.1.groups.literals());
    let missing: BTreeSet<&str> = missing.chain(classify.filter(|it| !told(it))).collect();
    blocks.extend(missing.into_iter().map(|name| Notice {
        kind: NoticeKind::NamedGroupMissing,
        subject: format!("group {name}"),
        detail: "the configuration names it and no listed directory has it".to_owned(),
    }));
    blocks
}

/// Whether some group of a directory has a folded name, be it only a rejected one.
fn has_group(records: Option<&Records>, name: &str) -> bool {
    records.is_some_and(|records| {
        let named = |it: StrId| records.text(it) == name;
        let rejected = |it: &Rejected| it.what == RecordKind::Group && named(it.key);
        records.groups.iter().any(|it| named(it.key)) || records.rejected.iter().any(rejected)
    })
}

/// Directories with rejected records of which nothing is known: whoever, or whichever group, is absent there may be one of them.
fn nameless(world: &World<'_>, snapshots: &[Option<Snapshot<'_>>]) -> Vec<Notice> {
    let directories = world.directories.iter().zip(snapshots);
    let count = |it: &Option<Snapshot<'_>>| it.as_ref().map_or(0, |it| it.nameless);
    directories
        .filter(|it| count(it.1) > 0)
        .map(|(directory, snapshot)| Notice {
            kind: NoticeKind::RemovalsBlocked,
            subject: format!("directory {}", directory.name),
            detail: format!(
                "{} of its records were rejected and show neither a name nor an id, so nothing's absence is proven",
                count(snapshot)
            ),
        })
        .collect()
}
