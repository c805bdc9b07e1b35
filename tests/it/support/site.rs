//! A small site for the real program: a configuration, files of people and the database of an application in a temporary
//! folder, and every run of `usersyncd` in it with what it printed and how it ended.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use usersyncd::clock::{Clock as _, SystemClock};

use super::wait;

/// The program.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_usersyncd");

/// Everything is done on the first sight of it, and nothing is too much.
pub(crate) const AT_ONCE: &str = "first_pass: apply
grace: 0s
limits: { removals: 100%, deactivations: 100%, additions: 100% }";

/// A person as a line of a YAML file.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) mail: String,
    pub(crate) active: bool,
    pub(crate) groups: Vec<String>,
}

/// A person of a name, whose id and mail are made of it.
pub(crate) fn person(name: &str) -> Person {
    Person {
        name: name.to_owned(),
        id: format!("id-{name}"),
        mail: format!("{name}@example.com"),
        active: true,
        groups: Vec::new(),
    }
}

/// `p01`, `p02` and so on, all of one group.
pub(crate) fn crowd(count: usize, group: &str) -> Vec<Person> {
    let people = (1..=count).map(|it| person(&format!("p{it:02}")).within(&[group]));
    people.collect()
}

impl Person {
    pub(crate) fn within(mut self, groups: &[&str]) -> Person {
        self.groups = groups.iter().map(|&it| it.to_owned()).collect();
        self
    }

    pub(crate) fn with_id(mut self, id: &str) -> Person {
        id.clone_into(&mut self.id);
        self
    }

    pub(crate) fn with_mail(mut self, mail: &str) -> Person {
        mail.clone_into(&mut self.mail);
        self
    }

    pub(crate) fn inactive(mut self) -> Person {
        self.active = false;
        self
    }

    fn line(&self) -> String {
        let Person {
            name,
            id,
            mail,
            active,
            groups,
        } = self;
        format!(
            "  - {{ username: {name:?}, id: {id:?}, display_name: {name:?}, email: {mail:?}, active: {active}, groups: {groups:?} }}\n"
        )
    }
}

/// A file of people, one a line behind the first.
pub(crate) fn yaml(people: &[Person]) -> String {
    let lines: String = people.iter().map(Person::line).collect();
    format!("users:\n{lines}")
}

/// Waits until the clock shows another second.
pub(crate) fn next_second() {
    let clock = SystemClock::new();
    let now = clock.now();
    wait::until("the next second", || (clock.now() != now).then_some(()));
}

/// A folder to run in, with a folder of logs beside it.
pub(crate) struct Site {
    folder: TempDir,
    logs: TempDir,
    runs: AtomicU32,
}

impl Site {
    /// An empty folder.
    pub(crate) fn empty() -> Site {
        Site {
            folder: tempfile::tempdir().unwrap(),
            logs: tempfile::tempdir().unwrap(),
            runs: AtomicU32::new(0),
        }
    }

    /// The directory `office` in `office.yaml` and the application `wiki` in `wiki.db`, with further options of the
    /// application, one a line.
    pub(crate) fn new(people: &[Person], options: &str) -> Site {
        let site = Site::empty();
        site.configure(options);
        site.people(people);
        site
    }

    /// Writes the configuration of [`Site::new`].
    pub(crate) fn configure(&self, options: &str) {
        self.configure_with("", options);
    }

    /// The same, with further options of the directory.
    pub(crate) fn configure_with(&self, directory: &str, application: &str) {
        let indented = |text: &str| -> String {
            let lines = text.lines().map(|line| format!("    {line}\n"));
            lines.collect()
        };
        let text = format!(
            "state: sqlite:state.db\n\
             directories:\n  - name: office\n{}    file: {{ path: office.yaml }}\n\
             applications:\n  - name: wiki\n    directories: [office]\n{}    sql: {{ url: \"sqlite:wiki.db\", create_tables: true }}\n",
            indented(directory),
            indented(application),
        );
        self.write("config.yaml", &text);
    }

    /// Writes the people of the directory `office`.
    pub(crate) fn people(&self, people: &[Person]) {
        self.write("office.yaml", &yaml(people));
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts a file in place, whole from the first moment.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let new = self.logs.path().join("new");
        fs::write(&new, text).unwrap();
        fs::rename(new, self.path(name)).unwrap();
    }

    /// Every file of the folder with its content, to be compared.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let files = fs::read_dir(self.folder.path()).unwrap().map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, fs::read(entry.path()).unwrap_or_default())
        });
        files.collect()
    }

    /// The program, to be run in the folder, with the log as JSON. It does not outlive the test.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", PROGRAM, "--config"])
            .arg(self.path("config.yaml"))
            .args(["--log-format", "json"])
            .args(args)
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        for name in [
            "RUST_LOG",
            "NOTIFY_SOCKET",
            "WATCHDOG_USEC",
            "CREDENTIALS_DIRECTORY",
            "USERSYNCD_CONFIG",
            "USERSYNCD_FAILPOINT",
        ] {
            command.env_remove(name);
        }
        command
    }

    /// Starts a command, its output in files, so that no pipe can fill up.
    pub(crate) fn start(&self, mut command: Command) -> Running {
        let number = self.runs.fetch_add(1, Ordering::Relaxed);
        let out = self.logs.path().join(format!("{number}.out"));
        let err = self.logs.path().join(format!("{number}.err"));
        command
            .stdout(File::create(&out).unwrap())
            .stderr(File::create(&err).unwrap());
        Running {
            child: command.spawn().unwrap(),
            out,
            err,
        }
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Run {
        self.start(self.command(args)).end()
    }

    /// Runs one pass.
    pub(crate) fn sync(&self) -> Run {
        self.run(&["--sync-now"])
    }

    /// Starts the daemon and waits until its first pass is over.
    pub(crate) fn daemon(&self) -> Running {
        let daemon = self.start(self.command(&[]));
        daemon.wait_for("pass.finished");
        daemon
    }

    /// The rows of a query, their columns separated by bars; of nothing if there is no such database.
    pub(crate) fn rows(&self, database: &str, query: &str) -> Vec<String> {
        if !self.path(database).exists() {
            return Vec::new();
        }
        let runtime = runtime();
        runtime.block_on(async {
            let mut connection = connect(&self.path(database), false).await;
            let rows = sqlx::query(AssertSqlSafe(query.to_owned()));
            let rows = rows.fetch_all(&mut connection).await.unwrap();
            connection.close().await.unwrap();
            let cell = |row: &sqlx::sqlite::SqliteRow, at: usize| {
                let text = row.try_get_unchecked::<Option<String>, _>(at).unwrap();
                text.unwrap_or_else(|| "null".to_owned())
            };
            let row = |row: &sqlx::sqlite::SqliteRow| {
                let cells: Vec<String> = (0..row.len()).map(|at| cell(row, at)).collect();
                cells.join("|")
            };
            rows.iter().map(row).collect()
        })
    }

    /// Runs statements as another program would, in a database that is made if it is missing.
    pub(crate) fn execute(&self, database: &str, script: &str) {
        runtime().block_on(async {
            let mut connection = connect(&self.path(database), true).await;
            let script = AssertSqlSafe(script.to_owned());
            sqlx::raw_sql(script)
                .execute(&mut connection)
                .await
                .unwrap();
            connection.close().await.unwrap();
        });
    }

    /// Locks a database until the value is dropped.
    pub(crate) fn lock(&self, database: &str) -> Lock {
        let runtime = runtime();
        let connection = runtime.block_on(async {
            let mut connection = connect(&self.path(database), false).await;
            let lock = sqlx::raw_sql("BEGIN EXCLUSIVE");
            lock.execute(&mut connection).await.unwrap();
            connection
        });
        Lock {
            _connection: connection,
            _runtime: runtime,
        }
    }

    /// The accounts of the application: name and whether it is switched on.
    pub(crate) fn accounts(&self) -> Vec<String> {
        let query = "SELECT username, active FROM users ORDER BY username";
        self.rows("wiki.db", query)
    }

    /// Who is in which group of the application.
    pub(crate) fn members(&self) -> Vec<String> {
        let query = "SELECT group_name, username FROM memberships ORDER BY group_name, username";
        self.rows("wiki.db", query)
    }

    /// How many intents are open.
    pub(crate) fn open_intents(&self) -> usize {
        self.rows("state.db", "SELECT number FROM intent").len()
    }

    /// The ids of what is held, with reasons, as `status` shows them.
    pub(crate) fn held(&self) -> Vec<(String, String)> {
        let status = self.status();
        let sets = status["applications"][0]["held"].as_array().unwrap();
        let text = |it: &Value| it.as_str().unwrap().to_owned();
        let sets = sets
            .iter()
            .map(|it| (text(&it["reason"]), text(&it["approve"])));
        sets.collect()
    }

    /// What `status` says.
    pub(crate) fn status(&self) -> Value {
        let run = self.run(&["status", "--format", "json"]);
        serde_json::from_str(&run.ended(0).out).unwrap()
    }

    /// Approves the one set that is held.
    pub(crate) fn approve(&self) -> Run {
        let held = self.held();
        assert_eq!(held.len(), 1, "{held:?}");
        self.run(&["approve", &held[0].1]).ended(0)
    }
}

fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap()
}

async fn connect(path: &Path, create: bool) -> SqliteConnection {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(create);
    options.connect().await.unwrap()
}

/// A database that nobody else can use.
pub(crate) struct Lock {
    _connection: SqliteConnection,
    _runtime: Runtime,
}

/// A process of the program. It is killed when this is dropped.
pub(crate) struct Running {
    child: Child,
    out: PathBuf,
    err: PathBuf,
}

impl Running {
    /// Waits for its end.
    pub(crate) fn end(mut self) -> Run {
        let child = &mut self.child;
        let status = wait::until("the end of the program", || child.try_wait().unwrap());
        Run {
            code: status.code(),
            out: fs::read_to_string(&self.out).unwrap(),
            err: fs::read_to_string(&self.err).unwrap(),
        }
    }

    /// Sends a signal by its name: `TERM`, `HUP`.
    pub(crate) fn signal(&self, name: &str) {
        let kill = Command::new("sh")
            .arg("-c")
            .arg(format!("kill -{name} {}", self.child.id()))
            .status();
        assert!(kill.unwrap().success());
    }

    /// Ends the daemon as its service manager would.
    pub(crate) fn stop(self) -> Run {
        self.signal("TERM");
        self.end()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The events that it logged so far.
    pub(crate) fn events(&self) -> Vec<Value> {
        events(&fs::read_to_string(&self.err).unwrap())
    }

    /// Waits until an event of a name was logged.
    pub(crate) fn wait_for(&self, name: &str) -> Value {
        self.wait_for_nth(name, 0)
    }

    /// Waits until an event of a name was logged once more than so many times.
    pub(crate) fn wait_for_nth(&self, name: &str, nth: usize) -> Value {
        wait::until(name, || {
            let mut events = self.events().into_iter();
            events.by_ref().filter(|it| it["event"] == name).nth(nth)
        })
    }

    /// Waits until an event of a name with a value was logged.
    pub(crate) fn wait_for_value(&self, name: &str, field: &str, value: &str) -> Value {
        wait::until(name, || {
            let mut events = self.events().into_iter();
            events.find(|it| it["event"] == name && it[field] == value)
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already, mostly.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a run printed and how it ended.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    /// `None` when a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    /// Asserts with which code it ended.
    #[track_caller]
    pub(crate) fn ended(self, code: i32) -> Run {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.err);
        self
    }

    /// The events of the log.
    pub(crate) fn events(&self) -> Vec<Value> {
        events(&self.err)
    }

    /// The events of a name.
    pub(crate) fn named(&self, name: &str) -> Vec<Value> {
        let mut events = self.events();
        events.retain(|it| it["event"] == name);
        events
    }

    /// The one event of a name.
    #[track_caller]
    pub(crate) fn one(&self, name: &str) -> Value {
        let mut events = self.named(name);
        assert_eq!(events.len(), 1, "{name}: {}", self.err);
        events.remove(0)
    }

    /// What it printed to standard error besides the log.
    pub(crate) fn complaints(&self) -> String {
        let lines = self.err.lines().filter(|it| !it.starts_with('{'));
        lines.collect::<Vec<_>>().join("\n")
    }
}

fn events(log: &str) -> Vec<Value> {
    let lines = log.lines().filter(|it| it.starts_with('{'));
    // The last line may be half written.
    let events = lines.filter_map(|it| serde_json::from_str(it).ok());
    events.collect()
}
