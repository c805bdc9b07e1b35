//! A daemon that polls a large LDAP directory every second, and finds nothing new: how much CPU time each poll costs it, all
//! of it: connecting, binding, asking, the pass around the read, and looking whether the application is due.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::load::Load;
use crate::measure;
use crate::report::Report;
use crate::server;
use crate::slapd::Slapd;
use crate::wait;

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

/// A daemon that is killed with this.
struct Daemon {
    process: Child,
    log: std::path::PathBuf,
}

impl Daemon {
    fn start(folder: &Path) -> Daemon {
        let log = folder.join("log");
        let process = Command::new(env!("CARGO_BIN_EXE_usersyncd"))
            .arg("--config")
            .arg(folder.join("config.yaml"))
            .args(["--log-format", "json"])
            .stdout(Stdio::null())
            .stderr(File::create(&log).expect("a new file"))
            .spawn()
            .expect("the daemon starts");
        Daemon { process, log }
    }

    fn count(&self, what: &str) -> usize {
        let log = fs::read_to_string(&self.log).expect("its log");
        log.lines().filter(|line| line.contains(what)).count()
    }

    fn passes(&self) -> usize {
        self.count("\"pass.finished\"")
    }

    fn wait_for_passes(&self, count: usize) {
        for next in self.passes()..count {
            wait::until("the next poll", || (self.passes() > next).then_some(()));
        }
    }

    /// CPU time of all threads that live, as the kernel's scheduler counts it.
    fn cpu(&self) -> Duration {
        let tasks = format!("/proc/{}/task", self.process.id());
        let tasks = fs::read_dir(tasks).expect("the daemon runs");
        let spent = tasks.map(|task| {
            let task = task.expect("a thread").path().join("schedstat");
            // A thread that has just ended spends nothing more.
            let text = fs::read_to_string(task).unwrap_or_default();
            let first = text.split_whitespace().next();
            first.and_then(|it| it.parse::<u64>().ok()).unwrap_or(0)
        });
        Duration::from_nanos(spent.sum())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        measure::stop(&mut self.process);
    }
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
