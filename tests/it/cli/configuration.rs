//! A configuration that is no good: everything about it at once, code 78, and nothing touched.

use crate::support::site::{AT_ONCE, Site, crowd};

/// Each of the eight mistakes that a configuration is most often rejected for, in one file.
const MISTAKES: &str = r#"state: sqlite:state.db
directories:
  - name: office
    schedule: "61 * * * *"
    file: { path: office.yaml }
  - name: Office
    file: { path: lab.yaml }
  - name: nobody
    file: { path: nobody.yaml }
  - name: far
    colour: blue
    ldap:
      urls: ["ldaps://ldap.example.com"]
      schema: openldap
      bind: { dn: "cn=reader", password: { env: NO_SUCH_VARIABLE } }
      users: { base: "dc=example" }
applications:
  - name: wiki
    directories: [office, Office, far, nowhere]
    sql: { url: "sqlite:wiki.db", create_tables: true }
  - name: other
    directories: [office]
    sql: { url: "sqlite:./wiki.db", create_tables: true }
"#;

/// What is said of each, in the order of the file.
const SAID: [&str; 8] = [
    "config.yaml:4:15: directories.office.schedule: ",
    "config.yaml:6:11: directories.Office.name: there is an entry `office` already",
    "config.yaml:8:5: directories.nobody: no application lists it",
    "config.yaml:11:5: directories.far.colour: unknown key `colour`",
    "config.yaml:15:42: directories.far.ldap.bind.password: environment variable `NO_SUCH_VARIABLE` is not set",
    "config.yaml:19:40: applications.wiki.directories.#4: there is no directory `nowhere`",
    "config.yaml:21:5: applications.other: it writes what application `wiki` writes",
    "the configuration is rejected: 8 problems; nothing was touched",
];

#[test]
fn every_mistake_of_a_configuration_is_told_at_once_and_nothing_is_touched() {
    let site = Site::new(&crowd(3, "staff"), AT_ONCE);
    site.write("config.yaml", MISTAKES);
    let before = site.files();
    for args in [
        &["--sync-now"][..],
        &["--sync-now", "--dry-run"],
        &[],
        &["status"],
        &["history"],
        &["explain", "p01"],
        &["approve", "abc"],
    ] {
        let run = site.run(args).ended(78);
        let mut rest = run.complaints();
        for said in SAID {
            let at = rest.find(said);
            let at = at.unwrap_or_else(|| panic!("{args:?}: {said}\n{}", run.complaints()));
            rest = rest[at + said.len()..].to_owned();
        }
        assert_eq!(run.out, "", "{args:?}");
        assert_eq!(site.files(), before, "{args:?}");
    }
    let check = site.run(&["check"]).ended(78);
    assert!(check.out.contains(SAID[6]), "{}", check.out);
    assert_eq!(site.files(), before);
}

#[test]
fn a_configuration_that_is_no_yaml_is_answered_with_the_place() {
    let site = Site::new(&crowd(3, "staff"), AT_ONCE);
    site.write("config.yaml", "state: sqlite:state.db\ndirectories: [\n");
    let run = site.sync().ended(78);
    assert!(run.complaints().contains("config.yaml:"), "{}", run.err);
    assert!(!site.path("state.db").exists());
}

#[test]
fn a_configuration_that_is_not_there_is_named() {
    let site = Site::empty();
    let run = site.sync().ended(78);
    assert!(run.complaints().contains("config.yaml"), "{}", run.err);
    assert!(site.files().is_empty());
}

#[test]
fn a_command_line_that_is_wrong_ends_with_2() {
    let site = Site::new(&crowd(3, "staff"), AT_ONCE);
    for args in [
        &["--dry-run"][..],
        &["--sync-now", "--exit-changes"],
        &["--sync-now", "status"],
        &["explain"],
        &["no-such-command"],
        &["explain", "p01", "--application", "nowhere"],
        &["history", "--application", "nowhere"],
        &["approve", "abcdef"],
    ] {
        site.run(args).ended(2);
    }
    assert!(!site.path("state.db").exists());
}

#[test]
fn a_good_configuration_and_all_that_it_names_are_checked() {
    let site = Site::new(&crowd(3, "staff"), AT_ONCE);
    let before = site.files();
    let check = site.run(&["check"]).ended(0);
    assert_eq!(check.out, "The configuration is good.\n");
    site.run(&["check", "--connect"]).ended(0);
    assert_eq!(site.files(), before);
    std::fs::remove_file(site.path("office.yaml")).unwrap();
    let check = site.run(&["check", "--connect"]).ended(3);
    assert!(
        check.out.contains("FAIL directories.office"),
        "{}",
        check.out
    );
}
