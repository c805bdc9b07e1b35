//! The architecture test sees what it should see: sources planted in a temporary folder, and the faults found in them.

use super::faults;

const CONFIG: (&str, &str) = ("directories/ldap/config.rs", "pub struct Ldap;");

#[test]
fn uses_that_the_table_has_are_accepted() {
    accept(&[(
        "sync/mod.rs",
        "use crate::{directories::Read, store::{self, Store}, model}; fn f() { store::open() }",
    )]);
    accept(&[
        ("main.rs", "fn main() { usersyncd::cli::main() }"),
        ("cli.rs", "use crate::assemble::parts;"),
    ]);
    accept(&[
        (
            "text/mod.rs",
            "mod key; pub use key::Key; use self::key as k;",
        ),
        ("text/key.rs", "use super::*;"),
    ]);
    check(
        &[
            ("config.rs", "use crate::directories::ldap::config::Ldap;"),
            CONFIG,
        ],
        &ldap_lacks(&["api", "convert", "mod"]),
    );
}

#[test]
fn a_wrong_use_is_found_wherever_it_stands() {
    for (text, written) in [
        ("use crate::store::Store;", "crate::store::Store"),
        (
            "use crate::{text::Key, store::{records::{Row}}};",
            "crate::store::records::Row",
        ),
        ("use super::store as rows;", "super::store"),
        ("use crate::store::*;", "crate::store::*"),
        ("fn f() { use crate::store; }", "crate::store"),
        (
            "fn f() -> crate::store::Store { g() }",
            "crate::store::Store",
        ),
        (
            "fn f() { print(format!(\"{}\", g(crate::store::NAME))) }",
            "crate::store::NAME",
        ),
        ("fn f() { crate::store::note!(1) }", "crate::store::note"),
        (
            "mod inner { use super::super::store::Store; }",
            "super::super::store::Store",
        ),
        (
            "#[serde(with = \"crate::store::json\")] struct S;",
            "crate::store::json",
        ),
        (
            "#[derive(Debug, crate::store::Row)] struct S;",
            "crate::store::Row",
        ),
        (
            "#[cfg(not(test))] mod inner { use crate::store::Store; }",
            "crate::store::Store",
        ),
    ] {
        check(
            &[("model/mod.rs", text)],
            &[&format!(
                "src/model/mod.rs: `model` must not use `store` (`{written}`)"
            )],
        );
    }
}

#[test]
fn what_only_tests_use_does_not_count() {
    accept(&[(
        "model/mod.rs",
        "#[cfg(test)] mod tests { use crate::store::Store; }",
    )]);
    accept(&[
        ("model/mod.rs", "#[cfg(test)] mod tests;"),
        ("model/tests.rs", "use crate::store::Store;"),
    ]);
    accept(&[(
        "model/mod.rs",
        "impl S { #[cfg(test)] fn f() { crate::store::open() } }",
    )]);
}

#[test]
fn a_module_that_the_table_lacks_is_a_fault() {
    check(
        &[("misc.rs", "")],
        &["src/misc.rs: the table lacks the module `misc`"],
    );
    check(
        &[("cli.rs", "use crate::misc::all;")],
        &["src/cli.rs: the table lacks the module `misc` (`crate::misc::all`)"],
    );
    check(
        &[("cli.rs", "use crate::*;")],
        &["src/cli.rs: a glob hides which module is used (`crate::*`)"],
    );
    check(
        &[
            ("lib.rs", "pub mod text; pub use text::Key;"),
            ("text.rs", ""),
        ],
        &["src/lib.rs: `lib` must not use `text` (`text::Key`)"],
    );
}

#[test]
fn connectors_are_closed_to_each_other_and_have_the_same_rooms() {
    let ldap = |text| {
        [
            CONFIG,
            ("directories/mod.rs", "pub mod ldap; pub trait Directory {}"),
            ("directories/ldap/mod.rs", text),
        ]
    };
    let with = |faults: &[&str]| {
        let mut all: Vec<String> = faults
            .iter()
            .map(|fault| format!("src/directories/ldap/mod.rs: {fault}"))
            .collect();
        all.extend(ldap_lacks(&["api", "convert"]));
        all.sort();
        all
    };
    check(
        &ldap(
            "use crate::{wire::ldap::Dn, directories::Directory}; use super::Read; use config::Ldap;",
        ),
        &with(&[]),
    );
    check(
        &ldap("use crate::store::Store;"),
        &with(&["`directories::ldap` must not use `store` (`crate::store::Store`)"]),
    );
    check(
        &ldap("use crate::events;"),
        &with(&["`directories::ldap` must not use `events` (`crate::events`)"]),
    );
    check(
        &ldap("use super::*;"),
        &with(&["a glob hides which module is used (`super::*`)"]),
    );
    let neighbour = ("directories/file/mod.rs", "use super::ldap::config::Ldap;");
    let faults = found(&[&ldap("")[..], &[neighbour]].concat());
    let wrong = "src/directories/file/mod.rs: `directories::file` must not use `directories::ldap` (`super::ldap::config::Ldap`)";
    assert!(faults.iter().any(|fault| fault == wrong), "{faults:?}");
    let trait_uses_it = [
        CONFIG,
        (
            "directories/mod.rs",
            "pub mod ldap; fn f() { ldap::open() }",
        ),
    ];
    let wrong =
        "src/directories/mod.rs: `directories` must not use `directories::ldap` (`ldap::open`)";
    assert!(found(&trait_uses_it).iter().any(|fault| fault == wrong));
}

#[test]
fn the_configuration_sees_connectors_configurations_only() {
    let wrong = "src/config.rs: `config` must not use `directories::ldap` (`crate::directories::ldap::api`)";
    let mut expect = ldap_lacks(&["api", "convert", "mod"]);
    expect.insert(0, wrong.to_owned());
    check(
        &[
            (
                "config.rs",
                "use crate::directories::ldap::{config::Ldap, api};",
            ),
            CONFIG,
        ],
        &expect,
    );
}

#[test]
fn what_decides_knows_moments_but_no_clock() {
    accept(&[(
        "model/mod.rs",
        "use crate::clock::Timestamp; fn f() { Timestamp::from(1) }",
    )]);
    let wrong = "src/reconcile.rs: `reconcile` must not use `clock` (`crate::clock::Clock`)";
    check(
        &[("reconcile.rs", "use crate::clock::{Clock, Timestamp};")],
        &[wrong],
    );
}

#[test]
fn what_decides_names_few_crates() {
    let wrong = "src/reconcile/mod.rs: `reconcile` is pure and must not name the crate `tokio` (`tokio::time`)";
    check(
        &[(
            "reconcile/mod.rs",
            "use serde::Serialize; use std::fmt; use tokio::time; fn f() -> fmt::Result {}",
        )],
        &[wrong],
    );
    let wrong =
        "src/model/mod.rs: `model` is pure and must not name the crate `tokio` (`tokio::join`)";
    check(
        &[("model/mod.rs", "fn f() { tokio::join!(a, b) }")],
        &[wrong],
    );
}

#[track_caller]
fn accept(files: &[(&str, &str)]) {
    check(files, &[""; 0]);
}

#[track_caller]
fn check(files: &[(&str, &str)], expect: &[impl AsRef<str>]) {
    let expect: Vec<&str> = expect.iter().map(AsRef::as_ref).collect();
    assert_eq!(found(files), expect, "{files:?}");
}

fn found(files: &[(&str, &str)]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let src = folder.path().join("src");
    for (name, text) in files {
        let path = src.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    faults(&src, &["std", "serde", "tokio"].map(str::to_owned).into())
}

fn ldap_lacks(rooms: &[&str]) -> Vec<String> {
    let line = |room| format!("src/directories/ldap/{room}.rs: missing; every connector has it");
    rooms.iter().map(line).collect()
}
