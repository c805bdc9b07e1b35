//! The real program over a folder of its own: one file directory, one SQLite application, and whatever a test adds.

use std::io::{BufRead as _, BufReader};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tempfile::TempDir;

use super::wait;

/// A folder with a configuration. Dropping it removes everything.
pub(crate) struct Home {
    folder: TempDir,
}

/// A daemon that runs in a home. Dropping it kills it; so does the end of the test's thread.
pub(crate) struct Process {
    child: Child,
    log: Arc<Mutex<Vec<Value>>>,
    notify: UnixDatagram,
}

impl Home {
    /// People in a file, read by `schedule` (six fields: every second, and so on), and an application over them.
    pub(crate) fn new(schedule: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("home-").tempdir().unwrap();
        let home = Self { folder };
        let people = "users: [{ username: anna, groups: [staff] }, { username: bert }]\n";
        home.write("people.yaml", people);
        home.write("config.yaml", &configuration(schedule));
        home
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        std::fs::write(self.path().join(file), text).unwrap();
    }

    /// Adds another application of the same kind.
    pub(crate) fn add_application(&self, name: &str, directory: &str) {
        let text = std::fs::read_to_string(self.path().join("config.yaml")).unwrap();
        let entry = application(name, directory);
        self.write(
            "config.yaml",
            &text.replace("applications:\n", &format!("applications:\n{entry}")),
        );
    }

    /// Adds to the end of a file.
    pub(crate) fn append(&self, file: &str, text: &str) {
        let path = self.path().join(file);
        let text = std::fs::read_to_string(&path).unwrap() + text;
        std::fs::write(path, text).unwrap();
    }

    /// Runs a command line to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.program(args).output().unwrap()
    }

    /// Starts the daemon, which is to show a sign of life every two seconds, and waits until it is ready.
    pub(crate) fn daemon(&self) -> Process {
        let socket = self.path().join("notify");
        let notify = UnixDatagram::bind(&socket).unwrap();
        notify.set_nonblocking(true).unwrap();
        let mut child = self
            .program(&["--log-format", "json", "--log-level", "debug"])
            .env("NOTIFY_SOCKET", socket)
            .env("WATCHDOG_USEC", "2000000")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (lines, heard) = (child.stderr.take().unwrap(), Arc::clone(&log));
        std::thread::spawn(move || hear(lines, &heard));
        let process = Process { child, log, notify };
        process.wait_for("daemon.ready", 1);
        process
    }

    fn program(&self, args: &[&str]) -> Command {
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", env!("CARGO_BIN_EXE_usersyncd")])
            .args(["--config", "config.yaml"])
            .args(args)
            .current_dir(self.path())
            .env_remove("RUST_LOG")
            .stdin(Stdio::null());
        command
    }
}

impl Process {
    /// Sends a signal by its name: `TERM`, `HUP`, `USR1`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
    }

    /// All events of one name so far.
    pub(crate) fn named(&self, name: &str) -> Vec<Value> {
        let log = self.log.lock().unwrap();
        let named = log.iter().filter(|event| event["event"] == name);
        named.cloned().collect()
    }

    /// Waits until there are so many events of one name.
    pub(crate) fn wait_for(&self, name: &str, count: usize) -> Vec<Value> {
        wait::until(name, || {
            let named = self.named(name);
            (named.len() >= count).then_some(named)
        })
    }

    /// Waits until a pass of one trigger is over.
    pub(crate) fn wait_for_pass(&self, trigger: &str) -> Value {
        wait::until(trigger, || {
            let mut finished = self.named("pass.finished").into_iter();
            finished.find(|event| event["trigger"] == trigger)
        })
    }

    /// The next thing that the service manager is told, in lines.
    pub(crate) fn told(&self) -> String {
        let mut buffer = [0; 4096];
        let bytes = wait::until("a notification", || self.notify.recv(&mut buffer).ok());
        String::from_utf8(buffer[..bytes].to_vec()).unwrap()
    }

    /// Waits for the end.
    pub(crate) fn end(&mut self) -> ExitStatus {
        wait::until("the daemon ends", || self.child.try_wait().unwrap())
    }

    /// Sends SIGTERM and waits for the end.
    pub(crate) fn terminate(&mut self) -> ExitStatus {
        self.signal("TERM");
        self.end()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended already needs none.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[expect(
    clippy::print_stderr,
    reason = "what is said before the log begins is for whoever reads the output of a failed test"
)]
fn hear(lines: ChildStderr, heard: &Mutex<Vec<Value>>) {
    for line in BufReader::new(lines).lines() {
        let line = line.unwrap();
        match serde_json::from_str(&line) {
            Ok(event) => heard.lock().unwrap().push(event),
            Err(_) => eprintln!("{line}"),
        }
    }
}

fn configuration(schedule: &str) -> String {
    let application = application("reporting", "people");
    format!(
        r#"state: sqlite://state.db
schedule: "{schedule}"
applications:
{application}directories:
  - name: people
    file: {{ path: people.yaml }}
"#
    )
}

fn application(name: &str, directory: &str) -> String {
    format!(
        r#"  - name: {name}
    directories: [{directory}]
    first_pass: apply
    sql: {{ url: "sqlite://{name}.db", create_tables: true }}
"#
    )
}
