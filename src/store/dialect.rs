//! What differs between the databases that a store can live in.
//!
//! Every statement of the store is one text for all of them. It is written in what SQLite and PostgreSQL have in common:
//! numbered parameters (`$1`), `INSERT ... ON CONFLICT DO UPDATE`, row values, `RETURNING`, `CAST(x AS BIGINT)`, aggregates
//! whose order does not matter, sums and counts cast to the type that is read. Three words in capitals stand for what they
//! call differently, and [`statement`] puts the database's own words in their place:
//!
//! | word | meaning | SQLite | PostgreSQL |
//! |---|---|---|---|
//! | `EACH($1)` | the elements of a JSON array of numbers or texts, in the column `value` | `json_each` | `json_array_elements_text` |
//! | `TUPLE(a, b)` | a JSON array of these values | `json_array` | `json_build_array` |
//! | `GATHER(x)` | one JSON array of all rows' values | `json_group_array` | `json_agg` |
//!
//! Large sets go in by [`Insert`] with a row of parameters for each row, which both databases take fastest of all ordinary
//! ways, and come out by [`gather`] as one JSON text for each thousand rows. Lists of numbers go in as one JSON parameter,
//! memberships among them: both ends of one are one number.

use serde::de::DeserializeOwned;
use sqlx::{AssertSqlSafe, ColumnIndex, Row as _};

use crate::clock::Timestamp;

/// The database of this build.
pub(super) type Db = sqlx::Sqlite;
/// One connection to it.
pub(super) type Connection = sqlx::SqliteConnection;
/// A set of connections.
pub(super) type Connections = sqlx::SqlitePool;
/// One row of an answer.
pub(super) type Row = sqlx::sqlite::SqliteRow;
/// A statement with its parameters.
pub(super) type Statement = sqlx::query::Query<'static, Db, sqlx::sqlite::SqliteArguments>;

/// The words that differ, and what this database calls them.
const WORDS: [(&str, &str); 3] = [
    ("EACH(", "json_each("),
    ("TUPLE(", "json_array("),
    ("GATHER(", "json_group_array("),
];

/// Parameters of one statement. SQLite takes 32,766, PostgreSQL 65,535; more rows at a time are no faster from here on.
const PARAMETERS: usize = 4_000;

/// Numbers or names in one JSON parameter, about a megabyte.
pub(super) const LISTED: usize = 50_000;

/// A statement in the words of this database.
pub(super) fn statement(text: &'static str) -> Statement {
    if !WORDS.iter().any(|(word, _)| text.contains(word)) {
        return sqlx::query(text);
    }
    let mut own = text.to_owned();
    for (word, meaning) in WORDS {
        own = own.replace(word, meaning);
    }
    sqlx::query(AssertSqlSafe(own))
}

/// A statement that inserts many rows, each a row of parameters.
pub(super) struct Insert {
    /// `INSERT INTO table (columns) VALUES`.
    pub(super) into: &'static str,
    /// How many columns a row has.
    pub(super) width: usize,
    /// What happens to a row that is there: `ON CONFLICT ...`, or nothing.
    pub(super) conflict: &'static str,
}

impl Insert {
    /// Inserts one row for each item. `bind` binds the item's values in the order of the columns.
    pub(super) async fn rows<T>(
        &self,
        db: &mut Connection,
        items: impl IntoIterator<Item = T, IntoIter: Send>,
        bind: impl Fn(Statement, T) -> Statement + Sync,
    ) -> sqlx::Result<()> {
        let mut items = items.into_iter();
        let mut bound = self.bound(&mut items, &bind);
        while !bound.is_empty() {
            // The database works on a thread of its own: it takes these rows while the next ones are bound.
            let next = async { self.bound(&mut items, &bind) };
            let (done, next) = tokio::join!(run(db, bound), next);
            done?;
            bound = next;
        }
        Ok(())
    }

    /// Statements for the next items, none after the last. They have three lengths only, so that they stay prepared: full,
    /// a sixteenth, one.
    fn bound<T>(
        &self,
        items: &mut impl Iterator<Item = T>,
        bind: &impl Fn(Statement, T) -> Statement,
    ) -> Vec<Statement> {
        let full = (PARAMETERS / self.width).max(16);
        let items: Vec<T> = items.take(full).collect();
        let mut items = items.into_iter();
        let mut bound = Vec::new();
        for length in [full, full / 16, 1] {
            while items.len() >= length {
                let insert = sqlx::query(AssertSqlSafe(self.text(length)));
                bound.push(items.by_ref().take(length).fold(insert, bind));
            }
        }
        bound
    }

    /// The statement for so many rows. SQLite looks a numbered parameter up by its name, slowly; these have none.
    fn text(&self, rows: usize) -> String {
        let row = format!("({})", vec!["?"; self.width].join(","));
        let rows = vec![row; rows].join(",");
        format!("{} {rows} {}", self.into, self.conflict)
    }
}

async fn run(db: &mut Connection, statements: Vec<Statement>) -> sqlx::Result<()> {
    for statement in statements {
        statement.execute(&mut *db).await?;
    }
    Ok(())
}

/// Runs a statement over a list of numbers: `$1` and so on are the owner's numbers, the parameter after them is the list.
pub(super) async fn for_listed(
    db: &mut Connection,
    text: &'static str,
    owner: &[i64],
    numbers: &[i64],
) -> sqlx::Result<()> {
    for some in numbers.chunks(LISTED) {
        let mut statement = statement(text);
        for number in owner {
            statement = statement.bind(*number);
        }
        statement.bind(json(some)?).execute(&mut *db).await?;
    }
    Ok(())
}

/// A large set, read in pages. The parameters of both statements begin with those that tell whose rows are meant.
pub(super) struct Pages {
    /// The first serial after the one in the last parameter, or null.
    pub(super) next: &'static str,
    /// The rows from the serial in the last parameter but one to below that in the last, as one JSON array.
    pub(super) page: &'static str,
}

/// Serials of one page.
const PAGE: i64 = 1_000;

/// Reads a large set in pages. `bind` binds the parameters that tell whose rows are meant.
pub(super) async fn gather(
    db: &mut Connection,
    pages: &Pages,
    bind: impl Fn(Statement) -> Statement,
    mut take: impl FnMut(&str) -> sqlx::Result<()>,
) -> sqlx::Result<()> {
    let mut after = -1_i64;
    loop {
        let next = bind(statement(pages.next)).bind(after);
        let next = next.fetch_one(&mut *db).await?;
        let Some(start) = next.try_get::<Option<i64>, _>(0)? else {
            return Ok(());
        };
        let end = start.saturating_add(PAGE);
        let page = bind(statement(pages.page)).bind(start).bind(end);
        take(page.fetch_one(&mut *db).await?.try_get(0)?)?;
        after = end - 1;
    }
}

/// Both ends of a membership as one number, which sorts by group first. In statements: `value >> 32`, `value & 4294967295`.
pub(super) fn edge(group: u32, target: u32) -> i64 {
    i64::from(group) << 32 | i64::from(target)
}

/// A time, or none, from a column of a row.
pub(super) fn time(row: &Row, column: &str) -> sqlx::Result<Option<Timestamp>> {
    Ok(row.try_get::<Option<i64>, _>(column)?.map(Timestamp))
}

/// A count from a column of a row.
pub(super) fn count(row: &Row, column: impl ColumnIndex<Row>) -> sqlx::Result<u64> {
    u64::try_from(row.try_get::<i64, _>(column)?).map_err(garbled)
}

/// A count as databases have it.
pub(super) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A value as JSON text.
pub(super) fn json<T: serde::Serialize + ?Sized>(value: &T) -> sqlx::Result<String> {
    serde_json::to_string(value).map_err(|cause| sqlx::Error::Encode(Box::new(cause)))
}

/// The value of a JSON text that the store wrote.
pub(super) fn of_json<T: DeserializeOwned>(text: &str) -> sqlx::Result<T> {
    serde_json::from_str(text).map_err(garbled)
}

/// The error for a value that the store cannot have written.
pub(super) fn garbled(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> sqlx::Error {
    sqlx::Error::Decode(cause.into())
}
