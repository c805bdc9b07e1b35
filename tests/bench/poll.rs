//! A daemon that polls a large LDAP directory every second, and finds nothing new: how much CPU time each poll costs it, all
//! of it: connecting, binding, asking, the pass around the read, and looking whether the application is due.

use std::fs;
use std::path::Path;

use crate::daemon::Daemon;
use crate::load::Load;
use crate::report::Report;
use crate::server;
use crate::slapd::Slapd;

const SEED: u64 = 20_261_123;
/// So many polls are looked at, one a second.
const POLLS: usize = 30;
/// CPU time of one poll, in milliseconds.
const LIMIT: f64 = 2.0;

/// Measures polls of `users` users with a twentieth of groups and five times the memberships.
pub(crate) fn run(users: u32, report: &mut Report) {
    let load = Load::new(users, users / 20, users * 5, SEED);
    println!("poll: {users} users, no change; {POLLS} polls, one a second");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let slapd = server::serve(&load, folder.path());
    let config = configuration(&slapd, folder.path());
    fs::write(folder.path().join("config.yaml"), config).expect("a new file");
    let daemon = Daemon::start(folder.path());
    // The first pass reads everything; the polls after it have settled.
    daemon.wait_for_passes(4);
    let (passes, cpu) = (daemon.passes(), daemon.cpu());
    daemon.wait_for_passes(passes + POLLS);
    let (polls, cpu) = (daemon.passes() - passes, daemon.cpu().saturating_sub(cpu));
    let each = cpu.as_secs_f64() * 1e3 / f64::from(u32::try_from(polls).expect("few"));
    println!(
        "  {polls} polls, {} changed",
        daemon.count("directories_changed\":1")
    );
    report.limit("CPU of one poll, ms", each, LIMIT);
}

/// Over the server's socket.
fn configuration(slapd: &Slapd, folder: &Path) -> String {
    let options = server::options(&slapd.ldapi_url()).replace('\n', "\n      ");
    let folder = folder.display();
    format!(
        r#"state: "sqlite://{folder}/state.db"
schedule: "* * * * * *"
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
