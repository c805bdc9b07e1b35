//! A company on a real LDAP server, synchronised into a SQLite database: `usersyncd` against `ldapsearch`, which reads
//! the same entries and attributes and throws them away. The runs take turns, so that a busy moment hits all kinds.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use tokio::runtime::Runtime;
use usersyncd::directories::ldap::LdapDirectory;
use usersyncd::directories::{Directory as _, Since, What};

use crate::load::Load;
use crate::measure::{self, Cost};
use crate::report::{self, Report, megabytes};
use crate::server;
use crate::slapd::{PASSWORD, READER, SUFFIX, Slapd};

const SEED: u64 = 20_261_121;
const ROUNDS: usize = 5;

/// Measures `users` users, with a twentieth of groups and five times the memberships.
pub(crate) fn run(users: u32, report: &mut Report) {
    let load = Load::new(users, users / 20, users * 5, SEED);
    println!(
        "ldap: {users} users, {} groups, {} memberships; {ROUNDS} rounds",
        users / 20,
        users * 5
    );
    let folder = tempfile::tempdir().expect("a temporary folder");
    let slapd = server::serve(&load, folder.path());

    let directory = server::directory(&slapd);
    let (mut searches, mut reads) = (Vec::new(), Vec::new());
    let (mut firsts, mut repeats) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let fresh = folder.path().join(round.to_string());
        fs::create_dir(&fresh).expect("a new folder");
        fs::write(fresh.join("config.yaml"), configuration(&slapd, &fresh)).expect("a new file");
        searches.push(ldapsearch(&slapd));
        reads.push(read(&directory));
        firsts.push(sync(&fresh));
        repeats.push(sync(&fresh));
        fs::remove_dir_all(&fresh).expect("our own folder");
    }

    let search = report::runs("ldapsearch, paged", &searches);
    let search = search.wall.as_secs_f64();
    let read = report::runs("complete read, guarded", &reads);
    let first = report::runs("usersyncd, first sync", &firsts);
    let repeat = report::runs("usersyncd, no change", &repeats);
    report.limit(
        "complete read / ldapsearch",
        read.wall.as_secs_f64() / search,
        1.35,
    );
    report.limit(
        "first sync / ldapsearch",
        first.wall.as_secs_f64() / search,
        4.0,
    );
    report.limit(
        "no change / ldapsearch",
        repeat.wall.as_secs_f64() / search,
        1.5,
    );
    report.limit(
        "peak memory, MB",
        megabytes(first.peak.max(repeat.peak)),
        250.0,
    );
}

/// One complete read, in this process: what it takes to have the records.
fn read(directory: &LdapDirectory) -> Cost {
    let runtime = Runtime::new().expect("a runtime");
    let cpu = measure::own_cpu();
    let begun = measure::now();
    let read = runtime.block_on(directory.read(Since::default()));
    let wall = begun.elapsed();
    let What::Complete(records) = read.expect("a read").what else {
        panic!("everything was asked for");
    };
    assert!(!records.users.is_empty(), "there are users");
    Cost {
        wall,
        cpu: measure::own_cpu().saturating_sub(cpu),
        peak: measure::own_peak(),
    }
}

/// Users, then groups, with the attributes that the `openldap` preset asks for.
fn ldapsearch(slapd: &Slapd) -> Cost {
    let search = |base: &str, filter: &str, attributes: &[&str]| {
        let mut client = Command::new("ldapsearch");
        client.args(["-x", "-LLL", "-o", "ldif-wrap=no", "-E", "pr=1000/noprompt"]);
        client.args(["-H", &slapd.url(), "-D", READER, "-w", PASSWORD]);
        measure::run(
            client
                .args(["-b", &format!("{base},{SUFFIX}"), filter])
                .args(attributes),
        )
    };
    let user = [
        "entryUUID",
        "uid",
        "displayName",
        "cn",
        "givenName",
        "sn",
        "mail",
        "shadowExpire",
        "pwdAccountLockedTime",
        "entryCSN",
    ];
    let users = search("ou=people", "(objectClass=inetOrgPerson)", &user);
    users.then(search(
        "ou=groups",
        "(objectClass=groupOfNames)",
        &["entryUUID", "cn", "description", "member", "entryCSN"],
    ))
}

fn sync(folder: &Path) -> Cost {
    let mut usersyncd = Command::new(env!("CARGO_BIN_EXE_usersyncd"));
    let log = File::create(folder.join("log")).expect("a new file");
    usersyncd
        .arg("--config")
        .arg(folder.join("config.yaml"))
        .arg("--sync-now")
        .stderr(log);
    measure::run(&mut usersyncd)
}

fn configuration(slapd: &Slapd, folder: &Path) -> String {
    let options = server::options(&slapd.url()).replace('\n', "\n      ");
    let folder = folder.display();
    format!(
        r#"state: "sqlite://{folder}/state.db"
directories:
  - name: corporate
    ldap:
      {options}
applications:
  - name: reporting
    directories: [corporate]
    first_pass: apply
    sql: {{ url: "sqlite://{folder}/reporting.db", create_tables: true }}
"#
    )
}
