//! Finding, creating and opening the store's file, and refusing what cannot be a store.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::pool::PoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

use crate::store::dialect::Connections;
use crate::store::error::folder_of;
use crate::store::{Reader, Store, StoreError};

static MIGRATIONS: Migrator = sqlx::migrate!("src/store/migrations/sqlite");

/// How long a statement waits for another process to give the file's lock back.
const BUSY_FOR: Duration = Duration::from_secs(10);

/// How long a task waits for a connection of this process.
const CONNECTION_WITHIN: Duration = Duration::from_mins(5);

/// Snapshots at the same time. Each is a thread, made when it is first needed.
const READERS: u32 = 16;

/// What the journal keeps of the disk after a large transaction, in bytes.
const JOURNAL_KEEPS: &str = "67108864";

/// Bytes of a page of a new file. A first push writes some hundred thousand rows; large pages cost it a sixth less.
const PAGE: u32 = 16_384;

/// What the writer keeps in memory of the pages that it works on, in KiB, as SQLite counts it.
const WRITER_KEEPS: &str = "-8000";

/// Who can read the file: it holds names and mail addresses.
const MODE: u32 = 0o600;

const OPENING: &str = "opening it";

/// The file that `state` in the configuration names.
///
/// # Errors
/// [`StoreError::Location`] when it is no `sqlite:///PATH`.
pub fn location(url: &str) -> Result<PathBuf, StoreError> {
    let Some((scheme, rest)) = url.split_once(':') else {
        return Err(no_location(url, "it has no scheme"));
    };
    if scheme != "sqlite" {
        // The rest may hold a password.
        let scheme = format!("{scheme}:...");
        return Err(no_location(&scheme, "only `sqlite` is known"));
    }
    let path = rest.strip_prefix("//").unwrap_or(rest);
    let fault = match path {
        "" => "it has no path",
        ":memory:" => "a store in memory would forget everything",
        _ if path.contains(['?', '#']) => "its path takes no options",
        _ if path.ends_with('/') => "it names a folder",
        _ => return Ok(PathBuf::from(path)),
    };
    Err(no_location(url, fault))
}

impl Store {
    /// Opens the store that a `sqlite:///PATH` names, creates it if it is missing, and brings it up to date.
    ///
    /// A new file can be read by its owner alone (mode 0600). Its folder must be there.
    ///
    /// # Errors
    /// [`StoreError`] when there is no folder, when file or folder cannot be written, when the file is damaged, no store, or
    /// of a newer program, when the disk is full, or when another process holds the file's lock for ten seconds.
    pub async fn open(url: &str) -> Result<Store, StoreError> {
        let path = location(url)?;
        make_ready(&path)?;
        let options = options(&path)
            .page_size(PAGE)
            .journal_mode(SqliteJournalMode::Wal)
            .pragma("journal_size_limit", JOURNAL_KEEPS);
        let writing = options.clone().pragma("cache_size", WRITER_KEEPS);
        let writer = connect(&path, writing, 1).await?;
        if let Err(fault) = bring_up_to_date(&path, &writer).await {
            // A store that is refused is left as it was found, without an empty journal beside it.
            writer.close().await;
            return Err(fault);
        }
        let connections = connect(&path, options.read_only(true), READERS).await?;
        let path = Arc::from(path);
        let take_overs = Arc::default();
        let reader = Reader {
            connections,
            path,
            take_overs,
        };
        Ok(Store { writer, reader })
    }

    /// Opens a store for those who only ask, beside a daemon that writes it. Nothing is created: a store that is missing, or
    /// that was created and never filled, is `None`.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be read, is damaged, no store, or of a newer or older program.
    pub async fn open_for_reading(url: &str) -> Result<Option<Reader>, StoreError> {
        let path = location(url)?;
        if !look(&path)? {
            return Ok(None);
        }
        // What is laid over it for one snapshot never gets to a disk.
        let options = options(&path).pragma("temp_store", "MEMORY");
        // Reading a file without a journal makes an empty one for as long as it lasts, and only a connection that could
        // write removes it again at its end. A journal that is there belongs to whoever writes.
        let options = if fs::exists(journal_of(&path)).unwrap_or(true) {
            options.read_only(true)
        } else {
            options.pragma("query_only", "ON")
        };
        let connections = connect(&path, options, READERS).await?;
        match version(&path, &connections)
            .await
            .and_then(|it| fitting(&path, it))
        {
            Ok(true) => {
                let path = Arc::from(path);
                let take_overs = Arc::default();
                Ok(Some(Reader {
                    connections,
                    path,
                    take_overs,
                }))
            }
            refused => {
                connections.close().await;
                refused.map(|_| None)
            }
        }
    }
}

/// Creates the file if it is missing, and refuses what no permission of the system would stop root from writing.
///
/// A file that is there is not opened here: closing it again would drop the locks that SQLite holds on it in this process.
fn make_ready(path: &Path) -> Result<(), StoreError> {
    let folder = folder_of(path);
    match fs::metadata(&folder) {
        Ok(found) if !found.is_dir() => return Err(no_folder(path, folder)),
        Ok(found) if found.permissions().readonly() => {
            let path = path.to_owned();
            let cause = None;
            return Err(StoreError::FolderReadOnly {
                path,
                folder,
                cause,
            });
        }
        Ok(_) => {}
        Err(cause) if is_missing(&cause) => return Err(no_folder(path, folder)),
        Err(cause) => return Err(StoreError::of_system(path, cause)),
    }
    if look(path)? {
        let readonly = fs::metadata(path).is_ok_and(|it| it.permissions().readonly());
        let path = path.to_owned();
        let cause = None;
        return if readonly {
            Err(StoreError::ReadOnly { path, cause })
        } else {
            Ok(())
        };
    }
    let mut new = OpenOptions::new();
    match new.write(true).create_new(true).mode(MODE).open(path) {
        Ok(_) => Ok(()),
        // Another process was quicker.
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(cause) => Err(StoreError::of_system(path, cause)),
    }
}

/// Where SQLite keeps what is not folded into the file yet.
fn journal_of(path: &Path) -> PathBuf {
    let mut journal = path.as_os_str().to_owned();
    journal.push("-wal");
    PathBuf::from(journal)
}

/// Whether the file is there.
fn look(path: &Path) -> Result<bool, StoreError> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => {
            let url = format!("sqlite://{}", path.display());
            Err(no_location(&url, "it names a folder"))
        }
        Ok(_) => Ok(true),
        Err(cause) if is_missing(&cause) => Ok(false),
        Err(cause) => Err(StoreError::Unreachable {
            path: path.to_owned(),
            cause: cause.into(),
        }),
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_FOR)
        // A log of statements would show values.
        .disable_statement_logging()
}

async fn connect(
    path: &Path,
    options: SqliteConnectOptions,
    connections: u32,
) -> Result<Connections, StoreError> {
    PoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(CONNECTION_WITHIN)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options)
        .await
        .map_err(|cause| StoreError::of(path, OPENING, cause))
}

/// Runs the migrations that are missing, once it is sure that the file is a store and can be written.
async fn bring_up_to_date(path: &Path, writer: &Connections) -> Result<(), StoreError> {
    let fault = |cause| StoreError::of(path, OPENING, cause);
    version(path, writer).await?;
    // A file without write permission is opened all the same; only a transaction that writes finds out.
    let trial = writer.begin_with("BEGIN IMMEDIATE").await.map_err(fault)?;
    trial.rollback().await.map_err(fault)?;
    match MIGRATIONS.run(writer).await {
        Ok(()) => Ok(()),
        Err(MigrateError::VersionMissing(version)) => Err(StoreError::Newer {
            path: path.to_owned(),
            version,
            known: newest(),
        }),
        Err(MigrateError::Execute(cause) | MigrateError::ExecuteMigration(cause, _)) => {
            Err(fault(cause))
        }
        Err(cause) => Err(StoreError::Damaged {
            path: path.to_owned(),
            doing: OPENING,
            cause: cause.into(),
        }),
    }
}

/// The layout that the file has; `None` for an empty one. A database of another program is refused, not filled with tables.
async fn version(path: &Path, connections: &Connections) -> Result<Option<i64>, StoreError> {
    let answer = async {
        let tables = "SELECT COUNT(*), COALESCE(SUM(name = '_sqlx_migrations'), 0) FROM sqlite_master WHERE type = 'table'";
        let (tables, own): (i64, i64) = sqlx::query_as(tables).fetch_one(connections).await?;
        if own == 0 {
            return Ok((tables, None));
        }
        let newest = "SELECT MAX(version) FROM _sqlx_migrations WHERE success";
        let version: Option<i64> = sqlx::query_scalar(newest).fetch_one(connections).await?;
        Ok::<_, sqlx::Error>((0, version))
    };
    match answer.await {
        Ok((0, version)) => Ok(version),
        Ok(_) => Err(StoreError::Damaged {
            path: path.to_owned(),
            doing: OPENING,
            cause: "it holds the tables of another program".into(),
        }),
        Err(cause) => Err(StoreError::of(path, OPENING, cause)),
    }
}

/// Whether a file holds anything; its layout must be the one that is known.
fn fitting(path: &Path, version: Option<i64>) -> Result<bool, StoreError> {
    let known = newest();
    let path = path.to_owned();
    match version {
        None => Ok(false),
        Some(version) if version < known => Err(StoreError::Older { path }),
        Some(version) if version > known => Err(StoreError::Newer {
            path,
            version,
            known,
        }),
        Some(_) => Ok(true),
    }
}

fn newest() -> i64 {
    MIGRATIONS.iter().map(|it| it.version).max().unwrap_or(0)
}

fn is_missing(cause: &io::Error) -> bool {
    use io::ErrorKind::{NotADirectory, NotFound};
    matches!(cause.kind(), NotFound | NotADirectory)
}

fn no_folder(path: &Path, folder: PathBuf) -> StoreError {
    StoreError::NoFolder {
        path: path.to_owned(),
        folder,
    }
}

fn no_location(url: &str, fault: &'static str) -> StoreError {
    let url = url.to_owned();
    StoreError::Location { url, fault }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;
    use std::os::unix::fs::PermissionsExt as _;

    use sqlx::Connection as _;
    use tempfile::TempDir;

    use super::*;
    use crate::store::testing::{at, read, records, store, url};

    #[test]
    fn a_url_names_a_file() {
        fn check(url: &str, expect: &str) {
            assert_eq!(location(url).unwrap(), Path::new(expect), "{url}");
        }
        check("sqlite:///var/lib/x/state.db", "/var/lib/x/state.db");
        check("sqlite:state.db", "state.db");
        check("sqlite:///with space%20/ü.db", "/with space%20/ü.db");
    }

    #[test]
    fn a_url_that_names_no_file_is_refused_with_a_hint_and_without_its_password() {
        fn check(url: &str, fault: &str) {
            let text = location(url).unwrap_err().to_string();
            assert!(text.contains(fault), "{url}: {text}");
            assert!(
                text.contains("sqlite:///var/lib/usersyncd/state.db"),
                "{text}"
            );
            assert!(!text.contains("secret"), "{text}");
        }
        check("", "no scheme");
        check("/var/lib/state.db", "no scheme");
        check("postgres://me:secret@host/db", "only `sqlite` is known");
        check("sqlite:", "no path");
        check("sqlite://", "no path");
        check("sqlite::memory:", "forget everything");
        check("sqlite:///var/lib/", "names a folder");
        check("sqlite:///state.db?mode=ro", "takes no options");
    }

    #[tokio::test]
    async fn a_new_store_can_be_read_by_its_owner_alone() {
        let (folder, store) = store().await;
        assert_eq!(store.path(), folder.path().join("state.db"));
        let mode = fs::metadata(store.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let journal = fs::metadata(folder.path().join("state.db-wal")).unwrap();
        assert_eq!(journal.permissions().mode() & 0o777, 0o600);
    }

    #[tokio::test]
    async fn what_was_written_is_there_after_the_store_is_opened_again() {
        let (folder, store) = store().await;
        let none = records(&["u1"], &[]);
        store.accept("hr", None, &none, read(at(0))).await.unwrap();
        store.close().await;
        let store = Store::open(&url(&folder)).await.unwrap();
        let mut snapshot = store.snapshot().await.unwrap();
        let state = snapshot.directory("hr").await.unwrap().unwrap();
        assert_eq!(state.read_at, Some(at(0)));
    }

    #[tokio::test]
    async fn a_reader_beside_a_writer_sees_one_state() {
        let (folder, store) = store().await;
        let reader = Store::open_for_reading(&url(&folder)).await.unwrap();
        let mut before = reader.unwrap().snapshot().await.unwrap();
        let some = records(&["u1"], &[]);
        store.accept("hr", None, &some, read(at(0))).await.unwrap();
        assert!(before.directory("hr").await.unwrap().is_none());
        let mut after = store.snapshot().await.unwrap();
        assert!(after.directory("hr").await.unwrap().is_some());
    }

    #[tokio::test]
    async fn what_a_killed_writer_committed_is_seen_by_a_reader() {
        let (folder, store) = store().await;
        let some = records(&["u1"], &[]);
        store.accept("hr", None, &some, read(at(0))).await.unwrap();
        // The files as a process leaves them that dies now: the journal is not folded in, its index is lost.
        let dead = tempfile::tempdir().unwrap();
        for name in ["state.db", "state.db-wal"] {
            fs::copy(folder.path().join(name), dead.path().join(name)).unwrap();
        }
        let reader = Store::open_for_reading(&url(&dead)).await.unwrap().unwrap();
        let mut snapshot = reader.snapshot().await.unwrap();
        assert!(snapshot.directory("hr").await.unwrap().is_some());
    }

    #[tokio::test]
    async fn a_store_that_is_not_there_answers_nothing_and_is_not_created() {
        let folder = tempfile::tempdir().unwrap();
        assert!(
            Store::open_for_reading(&url(&folder))
                .await
                .unwrap()
                .is_none()
        );
        assert!(!folder.path().join("state.db").exists());
        fs::write(folder.path().join("state.db"), "").unwrap();
        assert!(
            Store::open_for_reading(&url(&folder))
                .await
                .unwrap()
                .is_none()
        );
    }

    /// Checks that a store cannot be opened, and that the error says what to do.
    async fn check(folder: &TempDir, hint: &str) -> StoreError {
        let fault = Store::open(&url(folder)).await.unwrap_err();
        let text = fault.to_string();
        assert!(text.contains(hint), "{text}");
        assert!(
            text.contains(&folder.path().display().to_string()),
            "{text}"
        );
        fault
    }

    #[tokio::test]
    async fn a_missing_folder_is_not_created() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("missing");
        let url = format!("sqlite://{}/state.db", path.display());
        let fault = Store::open(&url).await.unwrap_err();
        assert!(matches!(fault, StoreError::NoFolder { .. }), "{fault}");
        assert!(fault.to_string().contains("create it"), "{fault}");
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_read_only_file_is_refused() {
        let (folder, store) = store().await;
        let path = store.path().to_owned();
        store.close().await;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        let fault = check(&folder, "write access").await;
        assert!(matches!(fault, StoreError::ReadOnly { .. }), "{fault}");
    }

    #[tokio::test]
    async fn a_read_only_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mode = |mode| fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode));
        mode(0o500).unwrap();
        let fault = check(&folder, "write access").await;
        mode(0o700).unwrap();
        assert!(
            matches!(fault, StoreError::FolderReadOnly { .. }),
            "{fault}"
        );
    }

    #[tokio::test]
    async fn a_file_that_is_no_store_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        let text = "users: [anna]\n".repeat(1_000);
        fs::write(&path, &text).unwrap();
        let fault = check(&folder, "no store of usersyncd").await;
        assert!(matches!(fault, StoreError::Damaged { .. }), "{fault}");
        assert!(fault.source().is_some());
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }

    #[tokio::test]
    async fn a_damaged_store_is_refused_or_found_out_when_it_is_read() {
        let (folder, store) = store().await;
        let path = store.path().to_owned();
        store.close().await;
        let mut bytes = fs::read(&path).unwrap();
        bytes[4_096..].fill(0xa5);
        fs::write(&path, bytes).unwrap();
        let fault = check(&folder, "damaged").await;
        assert!(matches!(fault, StoreError::Damaged { .. }), "{fault}");
    }

    /// Runs statements on the file of a store that nobody has open.
    async fn meddle(path: &Path, text: &'static str) {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true);
        let mut db = sqlx::SqliteConnection::connect_with(&options)
            .await
            .unwrap();
        sqlx::raw_sql(text).execute(&mut db).await.unwrap();
        db.close().await.unwrap();
    }

    #[tokio::test]
    async fn the_database_of_another_program_is_refused_and_gets_no_tables() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        meddle(&path, "CREATE TABLE oc_users (uid TEXT)").await;
        let fault = check(&folder, "no store of usersyncd").await;
        assert!(matches!(fault, StoreError::Damaged { .. }), "{fault}");
        meddle(&path, "CREATE TABLE directory (free TEXT)").await;
    }

    #[tokio::test]
    async fn a_newer_store_is_refused_by_writers_and_readers() {
        let (folder, store) = store().await;
        let path = store.path().to_owned();
        store.close().await;
        let newer =
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
            VALUES (9999, 'later', true, x'00', 0)";
        meddle(&path, newer).await;
        let fault = check(&folder, "run the newer program").await;
        let newer = |it: &StoreError| matches!(it, StoreError::Newer { version: 9999, .. });
        assert!(newer(&fault), "{fault}");
        let fault = Store::open_for_reading(&url(&folder)).await.unwrap_err();
        assert!(newer(&fault), "{fault}");
    }

    #[tokio::test]
    async fn an_older_store_is_left_to_the_daemon_by_readers() {
        let (folder, store) = store().await;
        let path = store.path().to_owned();
        store.close().await;
        meddle(&path, "UPDATE _sqlx_migrations SET version = 0").await;
        let fault = Store::open_for_reading(&url(&folder)).await.unwrap_err();
        assert!(matches!(fault, StoreError::Older { .. }), "{fault}");
    }
}
