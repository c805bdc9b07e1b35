//! The generated company of the measurements is the one that was asked for, and a real server takes it.

use std::collections::BTreeSet;
use std::process::Command;

#[path = "../bench/load.rs"]
mod load;

use crate::support::slapd::{PASSWORD, READER, SUFFIX, Slapd};
use load::{Load, Member};

#[test]
fn a_load_has_the_size_that_was_asked_for() {
    for (users, groups, memberships) in [(10, 4, 7), (1_000, 50, 5_000), (3_000, 200, 9_999)] {
        let load = Load::new(users, groups, memberships, 1);
        assert_eq!(load.users().count() as u32, users);
        assert_eq!(load.groups().count() as u32, groups);
        let members: Vec<(u32, Member)> = (0..groups)
            .flat_map(|group| load.members(group).map(move |member| (group, member)))
            .collect();
        assert_eq!(members.len() as u32, memberships);
        let distinct: BTreeSet<_> = members.iter().collect();
        assert_eq!(distinct.len(), members.len(), "nobody is in a group twice");
        let ids: BTreeSet<String> = load
            .users()
            .map(|user| user.id)
            .chain(load.groups().map(|group| group.id))
            .collect();
        assert_eq!(ids.len() as u32, users + groups);
    }
}

#[test]
fn the_last_three_groups_form_a_ring_and_no_others_do() {
    let load = Load::new(100, 200, 1_000, 1);
    let held = |group| {
        load.members(group).find_map(|member| {
            if let Member::Group(it) = member {
                Some(it)
            } else {
                None
            }
        })
    };
    assert_eq!([197, 198, 199].map(held), [Some(198), Some(199), Some(197)]);
    let others: Vec<(u32, u32)> = (0..197)
        .filter_map(|group| Some((group, held(group)?)))
        .collect();
    assert_eq!(others.len(), 4, "one in fifty");
    assert!(others.iter().all(|(group, held)| group < held));
}

#[test]
fn the_seed_decides_who_is_where() {
    let ldif = |seed| {
        let mut text = Vec::new();
        Load::new(100, 10, 300, seed).write_ldif(&mut text).unwrap();
        text
    };
    assert_eq!(ldif(1), ldif(1));
    assert_ne!(ldif(1), ldif(2));
}

#[test]
fn a_server_takes_the_whole_load() {
    let load = Load::new(2_000, 100, 10_000, 1);
    let mut ldif = Vec::new();
    load.write_ldif(&mut ldif).unwrap();
    let slapd = Slapd::start(&String::from_utf8(ldif).unwrap());
    let count = |filter: &str, attribute: &str| {
        let output = Command::new("ldapsearch")
            .args([
                "-x",
                "-LLL",
                "-o",
                "ldif-wrap=no",
                "-E",
                "pr=1000/noprompt",
                "-H",
                &slapd.url(),
            ])
            .args([
                "-D", READER, "-w", PASSWORD, "-b", SUFFIX, filter, attribute,
            ])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines()
            .filter(|line| line.starts_with(attribute))
            .count()
    };
    assert_eq!(count("(objectClass=inetOrgPerson)", "uid"), 2_000);
    assert_eq!(count("(objectClass=inetOrgPerson)", "mail"), 1_980);
    assert_eq!(count("(objectClass=groupOfNames)", "cn"), 100);
    assert_eq!(count("(objectClass=groupOfNames)", "member"), 10_000);
}
