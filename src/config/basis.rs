//! Digests of what decides who has an account and what it is a member of: the *basis*.
//!
//! When it changes, people may seem to leave who only fell out of another filter, so removals are held (design, section
//! 4.8). Hence a digest is made of the meaning and not of the text, and leaves out what decides only when and how much:
//! schedules, limits, clocks, secrets, addresses of servers.

use serde::Serialize;

use super::application::{ApplicationEntry, Memberships, NestedGroups, UserScope};
use super::connectors;
use super::directory::{Classify, DirectoryEntry, DirectoryGroups, DirectoryUsers, Kind};
use super::names::EntryName;
use super::values::{GlobList, TrustMail};
use crate::text::fold;

/// What of a directory decides whom it has.
#[derive(Serialize)]
struct DirectoryBasis<'a> {
    id: String,
    connector: String,
    classify: &'a Classify,
    users: &'a DirectoryUsers,
    groups: &'a DirectoryGroups,
    trust_mail: &'a TrustMail,
    person_key: Option<&'a str>,
    authoritative: bool,
}

/// What of an application decides who is in it.
#[derive(Serialize)]
struct ApplicationBasis<'a> {
    directories: Vec<String>,
    memberships: Memberships,
    inactive_falls_through: bool,
    nested_groups: NestedGroups,
    kinds: Vec<Kind>,
    users: &'a UserScope,
    groups_include: &'a GlobList,
    groups_exclude: &'a GlobList,
    groups_exact: &'a GlobList,
    rename: Vec<(&'a str, &'a str)>,
    people: Vec<(&'a str, Vec<(&'a str, String)>)>,
    link_by_email: bool,
    default_groups: Vec<&'a str>,
}

/// The basis of an application as 32 hexadecimal digits. `directories` are all of the configuration; those that the
/// application lists count, in its order.
pub fn basis(application: &ApplicationEntry, directories: &[DirectoryEntry]) -> String {
    let find = |name: &EntryName| directories.iter().find(|it| it.name == *name);
    let id = |name: &EntryName| fold(find(name).map_or(name, DirectoryEntry::id).as_str());
    let listed = application.directories.iter();
    let mut kinds = application.kinds.clone();
    kinds.sort_unstable();
    kinds.dedup();
    let mut default_groups: Vec<&str> = application
        .default_groups
        .iter()
        .map(|it| it.key.as_str())
        .collect();
    default_groups.sort_unstable();
    let people = application.people.iter().map(|(name, records)| {
        let records = records.iter();
        let mut records: Vec<_> = records
            .map(|it| (it.user.key.as_str(), id(&it.directory)))
            .collect();
        records.sort_unstable();
        (name.key.as_str(), records)
    });
    let mut people: Vec<_> = people.collect();
    people.sort_unstable();
    let groups = &application.groups;
    let rename = groups.rename.iter();
    let mut rename: Vec<_> = rename
        .map(|(from, to)| (from.key.as_str(), to.key.as_str()))
        .collect();
    rename.sort_unstable();
    digest(&ApplicationBasis {
        directories: listed.filter_map(find).map(directory_basis).collect(),
        memberships: application.memberships(),
        inactive_falls_through: application.inactive_falls_through,
        nested_groups: application.nested_groups,
        kinds,
        users: &application.users,
        groups_include: &groups.include,
        groups_exclude: &groups.exclude,
        groups_exact: &groups.exact,
        rename,
        people,
        link_by_email: application.link_by_email,
        default_groups,
    })
}

/// The basis of a directory as 32 hexadecimal digits.
pub fn directory_basis(directory: &DirectoryEntry) -> String {
    digest(&DirectoryBasis {
        id: fold(directory.id().as_str()),
        connector: connectors::basis(directory),
        classify: &directory.classify,
        users: &directory.users,
        groups: &directory.groups,
        trust_mail: &directory.trust_mail,
        person_key: directory.person_key.as_deref(),
        authoritative: directory.authoritative,
    })
}

/// Everything that a plan for an application may follow, as 32 hexadecimal digits: when it changes, a plan is due.
pub fn rules(application: &ApplicationEntry, directories: &[DirectoryEntry]) -> String {
    let listed = |it: &&DirectoryEntry| application.directories.contains(&it.name);
    let listed: Vec<_> = directories.iter().filter(listed).collect();
    digest(&format!("{application:?} {listed:?}"))
}

/// FNV-1a with 128 bits: stable between versions, and nobody gains by a collision of their own configuration.
fn digest(basis: &impl Serialize) -> String {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let text = serde_json::to_vec(basis).expect("strings, numbers and lists are always JSON");
    let hash = text.iter().fold(OFFSET, |hash, &byte| {
        (hash ^ u128::from(byte)).wrapping_mul(PRIME)
    });
    format!("{hash:032x}")
}
