//! A database in a temporary folder.

use std::path::PathBuf;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection as _, Row as _};
use tempfile::TempDir;
use usersyncd::applications::sql::{SqlApplication, SqlConfig};

pub(crate) use crate::support::push::{Push, directory, kind, refused};

/// A database file that ends with the test.
pub(crate) struct Database {
    folder: TempDir,
}

impl Database {
    /// A file that is not there yet.
    pub(crate) fn none() -> Database {
        Database {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// A file with tables and rows.
    pub(crate) async fn with(script: &str) -> Database {
        let database = Database::none();
        database.run(script).await;
        database
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("app.db")
    }

    /// An application on the file, with further options in YAML.
    pub(crate) fn application(&self, options: &str) -> SqlApplication {
        let yaml = format!("url: sqlite:{}\n{options}", self.path().display());
        let config: SqlConfig = serde_yaml::from_str(&yaml).unwrap();
        SqlApplication::new("reporting", config).unwrap()
    }

    /// A connection of another program.
    pub(crate) async fn connection(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new()
            .filename(self.path())
            .create_if_missing(true)
            .foreign_keys(true);
        SqliteConnection::connect_with(&options).await.unwrap()
    }

    /// Runs statements as another program.
    pub(crate) async fn run(&self, script: &str) {
        let mut connection = self.connection().await;
        let script = AssertSqlSafe(script.to_owned());
        sqlx::raw_sql(script)
            .execute(&mut connection)
            .await
            .unwrap();
        connection.close().await.unwrap();
    }

    /// The rows of a query, the columns with `|` between them.
    pub(crate) async fn rows(&self, query: &str) -> Vec<String> {
        let mut connection = self.connection().await;
        let rows = rows(&mut connection, query).await;
        connection.close().await.unwrap();
        rows
    }

    /// Every row of every table with the type of every value, and every definition, at one moment.
    pub(crate) async fn dump(&self) -> Vec<String> {
        let mut connection = self.connection().await;
        let mut moment = connection.begin().await.unwrap();
        let definitions = "SELECT type, name, sql FROM sqlite_schema ORDER BY name";
        let mut dump = rows(&mut moment, definitions).await;
        let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
        for name in rows(&mut moment, tables).await {
            dump.extend(table(&mut moment, &name).await);
        }
        moment.rollback().await.unwrap();
        connection.close().await.unwrap();
        dump
    }

    /// Every row of one table with the type of every value.
    pub(crate) async fn table(&self, name: &str) -> Vec<String> {
        let mut connection = self.connection().await;
        let rows = table(&mut connection, name).await;
        connection.close().await.unwrap();
        rows
    }
}

async fn rows(connection: &mut SqliteConnection, query: &str) -> Vec<String> {
    let query = AssertSqlSafe(query.to_owned());
    let rows = sqlx::query(query).fetch_all(connection).await.unwrap();
    let text = |row: sqlx::sqlite::SqliteRow| {
        let cells = (0..row.len()).map(|at| row.get_unchecked::<Option<String>, _>(at));
        let cells: Vec<String> = cells.map(|it| it.unwrap_or("NULL".into())).collect();
        cells.join("|")
    };
    rows.into_iter().map(text).collect()
}

async fn table(connection: &mut SqliteConnection, name: &str) -> Vec<String> {
    let columns = format!("SELECT name FROM pragma_table_info('{name}') ORDER BY cid");
    let columns = rows(connection, &columns).await;
    let cells: Vec<String> = columns
        .iter()
        .map(|it| format!("quote(\"{it}\")"))
        .collect();
    let query = format!(
        "SELECT '{name}', {} FROM \"{name}\" ORDER BY {}",
        cells.join(", "),
        (2..cells.len() + 2)
            .map(|it| it.to_string())
            .collect::<Vec<_>>()
            .join(", ")
    );
    rows(connection, &query).await
}
