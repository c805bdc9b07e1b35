//! The calls on the database: opening it, listing it, running statements. No policy.

use std::path::Path;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _, Sqlite, Transaction};

use crate::applications::sql::dialect;
use crate::applications::sql::fault::Fault;
use crate::applications::sql::layout::{Entity, Layout, Side};
use crate::applications::sql::listing::Listing;
use crate::applications::sql::phases::Phase;
use crate::applications::sql::present::{Present, PresentRows};
use crate::applications::sql::statements::{self, Schema};

/// How long a lock of another program is waited for: longer than any ordinary write of an application takes.
const LOCK_WAIT: Duration = Duration::from_secs(3);

/// What a connection may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Nothing is written, whatever the statement.
    Read,
    /// An existing file is written.
    Write,
    /// A missing file is made.
    Create,
}

/// Opens the database.
pub(super) async fn open(path: &Path, access: Access) -> Result<SqliteConnection, Fault> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(access == Access::Create)
        .busy_timeout(LOCK_WAIT)
        .foreign_keys(true)
        .disable_statement_logging();
    // A connection that is read-only from the start could not clean up after a writer that was killed.
    let options = match access {
        Access::Read => options.pragma("query_only", "ON"),
        Access::Write | Access::Create => options,
    };
    Ok(options.connect().await?)
}

/// Begins a transaction that writes.
pub(super) async fn begin(
    connection: &mut SqliteConnection,
) -> Result<Transaction<'_, Sqlite>, Fault> {
    Ok(connection.begin_with(dialect::BEGIN_WRITE).await?)
}

/// Runs a statement and says how many rows it changed.
pub(super) async fn run(
    connection: &mut SqliteConnection,
    sql: &str,
    parameter: Option<String>,
) -> Result<u64, Fault> {
    let query = sqlx::query(AssertSqlSafe(sql.to_owned()));
    let query = match parameter {
        Some(json) => query.bind(json),
        None => query,
    };
    Ok(query.execute(connection).await?.rows_affected())
}

/// Runs a phase, parameter by parameter.
pub(super) async fn run_phase(
    connection: &mut SqliteConnection,
    phase: &Phase<'_>,
) -> Result<(), Fault> {
    for parameter in phase.parameters() {
        let parameter = parameter?;
        let changed = run(connection, &phase.sql, Some(parameter.json)).await?;
        if let Some(table) = phase.counted
            && changed != parameter.rows
        {
            return Err(Fault::Count {
                table: table.to_owned(),
                meant: parameter.rows,
                changed,
            });
        }
    }
    Ok(())
}

/// Makes the default tables that are missing.
pub(super) async fn create_tables(
    connection: &mut SqliteConnection,
    nesting: bool,
) -> Result<(), Fault> {
    for table in dialect::CREATE_TABLES {
        run(connection, table, None).await?;
    }
    if nesting {
        run(connection, dialect::CREATE_NESTING, None).await?;
    }
    Ok(())
}

/// How many rows refer to something that is not there, in the whole database.
pub(super) async fn broken_references(connection: &mut SqliteConnection) -> Result<i64, Fault> {
    let row = sqlx::query(dialect::BROKEN_REFERENCES)
        .fetch_one(connection)
        .await?;
    Ok(row.try_get(0)?)
}

/// Which of the tables and columns that the layout names are there, and the tables' keys.
pub(super) async fn schema(
    connection: &mut SqliteConnection,
    layout: &Layout,
) -> Result<Schema, Fault> {
    let tables: Vec<&str> = layout.needed().into_iter().map(|it| it.0).collect();
    let tables = serde_json::to_string(&tables)?;
    let columns = sqlx::query(dialect::COLUMNS).bind(tables.as_str());
    let columns = columns.fetch_one(&mut *connection).await?;
    let columns: Vec<(String, String, i64, i64)> = serde_json::from_str(columns.try_get(0)?)?;
    let keys = sqlx::query(dialect::KEYS).bind(tables.as_str());
    let keys = keys.fetch_one(&mut *connection).await?;
    let keys: Vec<(String, Vec<String>)> = serde_json::from_str(keys.try_get(0)?)?;
    let mut schema = Schema::default();
    for (table, column, nullable, numbered) in columns {
        let table = schema.tables.entry(table.to_ascii_lowercase()).or_default();
        table.numbered = numbered != 0;
        table
            .columns
            .insert(column.to_ascii_lowercase(), nullable != 0);
    }
    for (table, columns) in keys {
        let table = schema.tables.entry(table.to_ascii_lowercase()).or_default();
        let columns = columns.iter().map(|it| it.to_ascii_lowercase());
        table.keys.push(columns.collect());
    }
    Ok(schema)
}

/// Lists everything in one transaction. A table that is not there has no rows.
pub(super) async fn observe(
    connection: &mut SqliteConnection,
    layout: &Layout,
    schema: &Schema,
) -> Result<Listing, Fault> {
    let mut transaction = connection.begin().await?;
    let mut listing = Listing::default();
    let users = &layout.users;
    if schema.has(&users.table) {
        let sql = statements::list_accounts(users, schema);
        answers(&mut transaction, sql, |it| listing.add_accounts(it, users)).await?;
    }
    if let Some(groups) = &layout.groups
        && schema.has(&groups.table)
    {
        let sql = statements::list_groups(groups, schema);
        answers(&mut transaction, sql, |it| listing.add_groups(it, groups)).await?;
    }
    for side in [Side::Accounts, Side::Groups] {
        if let Some(edge) = layout.edge(side)
            && schema.has(&edge.table)
        {
            let sql = statements::list_pairs(edge);
            answers(&mut transaction, sql, |it| listing.add_pairs(it, side)).await?;
        }
    }
    transaction.rollback().await?;
    Ok(listing)
}

/// Lists the names of all rows.
pub(super) async fn present(
    connection: &mut SqliteConnection,
    layout: &Layout,
    schema: &Schema,
) -> Result<PresentRows, Fault> {
    let mut present = PresentRows::default();
    for side in [Side::Accounts, Side::Groups] {
        if let Some(entity) = layout.entity(side) {
            let names: &mut Present = present.side(side);
            let sql = statements::list_names(entity, schema);
            answers(connection, sql, |it| names.add(it)).await?;
        }
    }
    Ok(present)
}

/// The references of rows by name, in no particular order: `(reference, name)`.
pub(super) async fn references(
    connection: &mut SqliteConnection,
    entity: &Entity,
    names: &[&str],
) -> Result<Vec<(String, String)>, Fault> {
    let row = sqlx::query(AssertSqlSafe(statements::list_named(entity)))
        .bind(serde_json::to_string(names)?)
        .fetch_one(connection)
        .await?;
    Ok(serde_json::from_str(row.try_get(0)?)?)
}

async fn answers(
    connection: &mut SqliteConnection,
    sql: String,
    mut take: impl FnMut(&str) -> serde_json::Result<()>,
) -> Result<(), Fault> {
    let mut rows = sqlx::query(AssertSqlSafe(sql)).fetch(connection);
    while let Some(row) = rows.try_next().await? {
        take(row.try_get(0)?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::applications::sql::config::SqlConfig;

    #[tokio::test]
    async fn a_key_is_known_if_it_holds_for_all_rows_and_byte_by_byte() {
        let keys = [
            ("PRIMARY KEY (group_name, username)", true),
            ("UNIQUE (username, group_name)", true),
            ("UNIQUE (username)", false),
            ("UNIQUE (group_name, username COLLATE NOCASE)", false),
            ("CHECK (group_name <> username)", false),
        ];
        for (key, expect) in keys {
            let columns = format!("group_name TEXT, username TEXT, {key}");
            assert_eq!(keeps_pairs_single(&columns, "").await, expect, "{key}");
        }
        let some =
            "CREATE UNIQUE INDEX i ON memberships (group_name, username) WHERE username > 'b'";
        let columns = "group_name TEXT, username TEXT";
        assert!(!keeps_pairs_single(columns, some).await);
    }

    /// Whether pairs are known to be single in a table of these columns.
    async fn keeps_pairs_single(columns: &str, then: &str) -> bool {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let mut connection = open(&path, Access::Create).await.unwrap();
        let table = format!("CREATE TABLE memberships ({columns})");
        for sql in [table.as_str(), then]
            .into_iter()
            .filter(|it| !it.is_empty())
        {
            run(&mut connection, sql, None).await.unwrap();
        }
        let config: SqlConfig = serde_yaml::from_str("url: sqlite:a.db").unwrap();
        let layout = Layout::new(config);
        let schema = schema(&mut connection, &layout).await.unwrap();
        let pair = ["group_name", "username"].map(str::to_owned).into();
        schema.tables["memberships"].keys.contains(&pair)
    }
}
