use std::cell::Cell;
use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::subsequence;

use super::*;
use crate::model::{Edge, Kind, NewGroup, NewUser, RecordsBuilder, Status};

/// A user by the numbers of its id, name and handle, and whatever else may differ.
type AnyUser = (u8, u8, u8, u8);
/// A group likewise, and its members by kind and handle.
type AnyGroup = (u8, u8, u8, Vec<(Option<RecordKind>, u8)>);

fn any_kind() -> impl Strategy<Value = Option<RecordKind>> {
    prop_oneof![
        Just(None),
        Just(Some(RecordKind::User)),
        Just(Some(RecordKind::Group)),
    ]
}

/// Up to so many users and groups. Most bear the handle of their id, some another one, which may be another record's too.
fn any_records(
    (users, groups, rejected): (usize, usize, u8),
    shared: bool,
) -> impl Strategy<Value = Records> {
    let ids = |count: usize| subsequence((0u8..8).collect::<Vec<_>>(), 0..=count);
    let handle = || prop_oneof![4 => Just(None), 1 => (0u8..24).prop_map(Some)];
    let users = ids(users).prop_flat_map(move |ids| {
        let user = (0u8..12, handle(), 0u8..6);
        let fields = proptest::collection::vec(user, ids.len());
        (Just(ids), fields)
    });
    let groups = ids(groups).prop_flat_map(move |ids| {
        let members = proptest::collection::vec((any_kind(), 0u8..26), 0..5);
        let group = (0u8..10, handle(), members);
        let fields = proptest::collection::vec(group, ids.len());
        (Just(ids), fields)
    });
    let all = (users, groups, 0..=rejected);
    all.prop_map(
        move |((ids, fields), (group_ids, group_fields), rejected)| {
            let users = ids.iter().zip(fields);
            let users = users.map(|(id, it)| (*id, it.0, it.1.unwrap_or(*id), it.2));
            let named = |all: Vec<(Option<RecordKind>, u8)>| {
                let kind = |it: Option<RecordKind>| it.filter(|_| !shared);
                all.into_iter().map(|it| (kind(it.0), it.1)).collect()
            };
            let groups = group_ids.iter().zip(group_fields);
            let groups = groups.map(|(id, it)| (*id, it.0, it.1.unwrap_or(*id + 12), named(it.2)));
            built(
                &users.collect::<Vec<_>>(),
                &groups.collect::<Vec<_>>(),
                rejected,
            )
        },
    )
}

fn built(users: &[AnyUser], groups: &[AnyGroup], rejected: u8) -> Records {
    let mut builder = RecordsBuilder::default();
    for &(id, name, handle, more) in users {
        let (id, handle) = (format!("u{id}"), handle_of(handle));
        let shoe = more.to_string();
        builder.user(&NewUser {
            id: &id,
            username: &format!("Name{name}"),
            email: &format!("{}@x", more / 2),
            handle: &handle,
            status: if more == 3 {
                Status::Unknown
            } else {
                Status::Active
            },
            kind: (more == 4).then_some(Kind::Service),
            unknown: more == 5,
            extra: if more % 2 == 0 {
                vec![("shoe", vec![&shoe])]
            } else {
                Vec::new()
            },
            ..NewUser::default()
        });
    }
    for (id, name, handle, members) in groups {
        let added = builder.group(&NewGroup {
            id: &format!("g{id}"),
            name: &format!("group{name}"),
            description: if name % 2 == 0 { "even" } else { "" },
            handle: &handle_of(*handle),
            unknown: *name == 7,
            ..NewGroup::default()
        });
        for (kind, handle) in members {
            builder.member(added.unwrap(), *kind, &handle_of(*handle));
        }
    }
    for number in 0..rejected {
        let (id, key) = (format!("u{}", number + 5), format!("name{number}"));
        builder.reject(
            RecordKind::User,
            &id,
            &key,
            &format!("h{}", number + 10),
            "line",
            "bad",
        );
    }
    builder.finish()
}

fn handle_of(number: u8) -> String {
    if number == 25 {
        String::new()
    } else {
        format!("h{number}")
    }
}

/// Old records and a delta. Where users and groups share their handles, no membership says which of them it names.
fn any_step() -> impl Strategy<Value = (Records, Delta)> {
    any::<bool>().prop_flat_map(|shared| (any_records((7, 5, 1), shared), any_delta(shared)))
}

prop_compose! {
    fn any_delta(shared_handles: bool)(
        upsert in any_records((3, 2, 0), shared_handles),
        gone in proptest::collection::vec((0u8..8, any::<bool>()), 0..3),
        edges in proptest::collection::vec((0u8..8, any_kind(), 0u8..26, any::<bool>()), 0..3),
        fill in any::<u8>(),
        moves_follow in any::<bool>(),
        speaks_of_members in any::<bool>(),
    ) -> Delta {
        let ids = upsert.groups.iter().map(|it| upsert.text(it.id).to_owned());
        let mut filled: Vec<String> = ids.collect();
        let mut number = 0;
        filled.retain(|_| {
            number += 1;
            fill >> (number % 8) & 1 == 1
        });
        filled.sort();
        let gone = gone.into_iter().map(|(id, user)| if user {
            (RecordKind::User, format!("u{id}"))
        } else {
            (RecordKind::Group, format!("g{id}"))
        });
        let members = edges.into_iter().filter(|_| speaks_of_members).map(|it| Edge {
            group: format!("g{}", it.0),
            kind: it.1.filter(|_| !shared_handles),
            handle: handle_of(it.2),
            added: it.3,
        });
        Delta {
            gone: gone.collect(),
            members: members.collect(),
            filled,
            shared_handles,
            moves_follow,
            upsert,
            ..Delta::default()
        }
    }
}

/// Everything that records say, whatever their order.
fn facts(records: &Records) -> BTreeSet<String> {
    let text = |id| records.text(id);
    let group_of = |it: u32| text(records.groups[it as usize].id);
    let mut facts = BTreeSet::new();
    for at in 0..records.users.len() {
        assert!(facts.insert(user_fact(records, at)), "twice");
    }
    for at in 0..records.groups.len() {
        assert!(facts.insert(group_fact(records, at)), "twice");
    }
    for (group, user) in records.members.pairs() {
        let user = text(records.users[user as usize].id);
        facts.insert(format!("member {} {user}", group_of(group)));
    }
    for (group, child) in records.children.pairs() {
        facts.insert(format!("child {} {}", group_of(group), group_of(child)));
    }
    for it in &records.references {
        let fact = format!(
            "loose {} {:?} {}",
            group_of(it.group),
            it.kind,
            text(it.handle)
        );
        assert!(facts.insert(fact), "twice");
    }
    for it in &records.rejected {
        let texts = [it.id, it.key, it.handle, it.label, it.reason].map(text);
        facts.insert(format!("rejected {:?} {texts:?}", it.what));
    }
    assert!(records.extra.is_sorted_by_key(|it| it.0));
    assert_eq!(records.members.len(), records.groups.len());
    assert_eq!(records.children.len(), records.groups.len());
    facts
}

fn user_fact(records: &Records, at: usize) -> String {
    let it = &records.users[at];
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
    let texts = texts.map(|it| records.text(it));
    let extra = records.extra_of(at as u32);
    let extra: Vec<_> = extra
        .map(|it| (records.text(it.1), records.text(it.2)))
        .collect();
    format!(
        "user {texts:?} {:?} {:?} {} {extra:?}",
        it.status, it.kind, it.unknown
    )
}

fn group_fact(records: &Records, at: usize) -> String {
    let it = &records.groups[at];
    let texts = [it.id, it.name, it.key, it.description, it.handle];
    format!(
        "group {:?} {}",
        texts.map(|it| records.text(it)),
        it.unknown
    )
}

/// The members of a group, by text.
fn members(records: &Records, group: usize) -> BTreeSet<String> {
    let of_group = format!(" {} ", records.text(records.groups[group].id));
    let named = |it: &String| it.contains(&of_group) && !it.starts_with(['u', 'g']);
    facts(records).into_iter().filter(named).collect()
}

/// A lineage is right when it pairs what is one, and names everything that differs.
fn check_lineage(old: &Records, new: &Records, lineage: &Lineage) {
    let id = |records: &Records, it: u32| records.text(records.users[it as usize].id).to_owned();
    let known: BTreeSet<_> = (0..old.users.len() as u32).map(|it| id(old, it)).collect();
    for (at, &was) in (0u32..).zip(&lineage.users) {
        let differs = if was == NONE {
            assert!(!known.contains(&id(new, at)));
            true
        } else {
            assert_eq!(id(new, at), id(old, was));
            user_fact(old, was as usize) != user_fact(new, at as usize)
        };
        assert_eq!(lineage.changed_users.contains(&at), differs);
    }
    for (at, &was) in lineage.groups.iter().enumerate() {
        let differs = was == NONE || group_fact(old, was as usize) != group_fact(new, at);
        assert_eq!(lineage.changed_groups.contains(&(at as u32)), differs);
        let same = was != NONE && members(old, was as usize) == members(new, at);
        assert!(same || lineage.refilled.contains(&(at as u32)));
    }
    let stay = lineage.users.iter().filter(|it| **it != NONE).count();
    assert_eq!(stay + lineage.gone_users.len(), old.users.len());
    let stay = lineage.groups.iter().filter(|it| **it != NONE).count();
    assert_eq!(stay + lineage.gone_groups.len(), old.groups.len());
    assert_eq!(lineage.references.len(), new.references.len());
    for (it, &was) in new.references.iter().zip(&lineage.references) {
        let said = |records: &Records, it: &Reference| {
            let group = records
                .text(records.groups[it.group as usize].id)
                .to_owned();
            (group, it.kind, records.text(it.handle).to_owned())
        };
        let known = old
            .references
            .iter()
            .position(|old_one| said(old, old_one) == said(new, it));
        assert_eq!(known.map_or(NONE, |it| it as u32), was);
    }
}

#[test]
fn the_quick_way_leads_where_the_slow_one_does() {
    let (tried, quick) = (Cell::new(0), Cell::new(0));
    let config = ProptestConfig {
        cases: 16 * ProptestConfig::default().cases,
        ..ProptestConfig::default()
    };
    proptest!(config, |((old, delta) in any_step())| {
        tried.set(tried.get() + 1);
        if let Some((new, lineage)) = old.patched(&delta) {
            quick.set(quick.get() + 1);
            let slow = old.merged(&delta).unwrap();
            prop_assert_eq!(facts(&new), facts(&slow));
            check_lineage(&old, &new, &lineage);
            // Taken twice it is taken once.
            if let Some((twice, _)) = new.patched(&delta) {
                prop_assert_eq!(facts(&twice), facts(&new.merged(&delta).unwrap()));
            }
        }
    });
    let (tried, quick) = (tried.get(), quick.get());
    assert!(
        quick * 5 > tried,
        "only {quick} of {tried} went the quick way"
    );
}
