//! The program as a daemon: what it has logged, and what it costs.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::measure;
use crate::wait;

const PROGRAM: &str = env!("CARGO_BIN_EXE_usersyncd");

/// A daemon that is killed with this.
pub(crate) struct Daemon {
    process: Child,
    log: PathBuf,
}

impl Daemon {
    /// Starts the daemon of `config.yaml` in a folder.
    pub(crate) fn start(folder: &Path) -> Daemon {
        Daemon::spawn(Command::new(PROGRAM), folder)
    }

    /// The same, with one core for all of it.
    pub(crate) fn start_on_core(core: u32, folder: &Path) -> Daemon {
        let mut command = Command::new("taskset");
        command.args(["-c", &core.to_string(), PROGRAM]);
        Daemon::spawn(command, folder)
    }

    fn spawn(mut command: Command, folder: &Path) -> Daemon {
        let log = folder.join("log");
        let process = command
            .arg("--config")
            .arg(folder.join("config.yaml"))
            .args(["--log-format", "json"])
            .stdout(Stdio::null())
            .stderr(File::create(&log).expect("a new file"))
            .spawn()
            .expect("the daemon starts");
        Daemon { process, log }
    }

    /// How many lines of its log hold a text.
    pub(crate) fn count(&self, what: &str) -> usize {
        self.log()
            .lines()
            .filter(|line| line.contains(what))
            .count()
    }

    pub(crate) fn passes(&self) -> usize {
        self.count("\"pass.finished\"")
    }

    pub(crate) fn wait_for_passes(&self, count: usize) {
        for next in self.passes()..count {
            wait::until("the next pass", || (self.passes() > next).then_some(()));
        }
    }

    /// Where it serves, as a URL.
    pub(crate) fn url(&self) -> String {
        wait::until("the listener", || {
            let log = self.log();
            let line = log.lines().find(|it| it.contains("\"serve.started\""))?;
            let event: Value = serde_json::from_str(line).ok()?;
            Some(format!("http://{}", event["address"].as_str()?))
        })
    }

    /// CPU time of all threads that live, as the kernel's scheduler counts it.
    pub(crate) fn cpu(&self) -> Duration {
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

    /// The largest resident set since it was last forgotten, in bytes.
    pub(crate) fn peak(&self) -> u64 {
        measure::peak_of(&self.process.id().to_string())
    }

    /// The peak becomes what is resident now: proc(5), `clear_refs`.
    pub(crate) fn forget_peak(&self) {
        let file = format!("/proc/{}/clear_refs", self.process.id());
        fs::write(file, "5").expect("a process of our own");
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).expect("its log")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        measure::stop(&mut self.process);
    }
}
