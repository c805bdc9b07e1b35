//! Secrets that only the service has: who asks at a prompt can do without them, who reads and pushes cannot.

use std::fs;

use crate::support::site::{AT_ONCE, Running, Site, crowd, yaml};

/// Beside the people of a file, an LDAP server that nobody answers for, whose password only the service knows.
fn site() -> Site {
    let site = Site::empty();
    let options = AT_ONCE.replace('\n', "\n    ");
    let config = format!(
        "state: sqlite:state.db
directories:
  - name: office
    file: {{ path: office.yaml }}
  - name: corporate
    ldap:
      urls: [\"ldap://127.0.0.1:1\"]
      insecure: true
      schema: openldap
      bind: {{ dn: \"cn=reader\", password: {{ credential: ldap }} }}
      users: {{ base: \"dc=example\" }}
applications:
  - name: wiki
    directories: [office, corporate]
    {options}
    sql: {{ url: \"sqlite:wiki.db\", create_tables: true }}
"
    );
    site.write("config.yaml", &config);
    site.write("office.yaml", &yaml(&crowd(2, "staff")));
    fs::create_dir(site.path("credentials")).unwrap();
    fs::write(site.path("credentials/ldap"), "secret").unwrap();
    site
}

/// Starts the program as the service manager does, with its credentials.
fn as_service(site: &Site, args: &[&str]) -> Running {
    let mut command = site.command(args);
    command.env("CREDENTIALS_DIRECTORY", site.path("credentials"));
    site.start(command)
}

#[test]
fn the_store_is_asked_without_the_secrets_of_the_service() {
    let site = site();
    as_service(&site, &["--sync-now"]).end().ended(3);
    site.run(&["status"]).ended(0);
    site.run(&["explain", "p01"]).ended(0);
    site.run(&["history"]).ended(0);
    let run = site.run(&["approve", "0000"]).ended(2);
    assert!(run.complaints().contains("nothing is held"), "{}", run.err);
}

#[test]
fn whoever_reads_and_pushes_is_told_of_every_missing_secret() {
    let site = site();
    let before = site.files();
    for args in [
        &["check"][..],
        &["--sync-now"],
        &["--sync-now", "--dry-run"],
        &[],
    ] {
        let run = site.run(args).ended(78);
        let said = run.out.clone() + &run.complaints();
        let place =
            "config.yaml:10:42: directories.corporate.ldap.bind.password: credential `ldap`";
        assert!(said.contains(place), "{args:?}: {said}");
    }
    assert!(site.files() == before, "nothing was touched");
    as_service(&site, &["check"]).end().ended(0);
}

#[test]
fn the_daemon_runs_a_pass_for_who_lacks_its_secrets() {
    let site = site();
    let daemon = as_service(&site, &[]);
    daemon.wait_for("pass.finished");
    site.write("office.yaml", &yaml(&crowd(3, "staff")));
    let run = site.sync().ended(3);
    assert!(run.out.starts_with("partial: "), "{}{}", run.out, run.err);
    assert_eq!(site.accounts().len(), 3);
    daemon.stop().ended(0);
}
