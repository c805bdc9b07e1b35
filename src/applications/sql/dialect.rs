//! Where SQLite's own words are. Statements are put together elsewhere from these; a further database is a further set.
//!
//! Every statement takes at most one parameter, a JSON array, and every listing answers with JSON texts: a row a call
//! costs far more in the driver than in the database.

/// So many rows of a table come as one JSON text.
const ROWS_PER_ANSWER: u32 = 1_000;

/// An identifier in quotes.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A column as text, empty for nothing.
pub(super) fn text(column: &str) -> String {
    format!("ifnull(CAST({column} AS TEXT), '')")
}

/// The head of a statement that reads rows `pushed(c0, c1, ..)` from a parameter `[[cell, ..], ..]`.
///
/// They are materialised so that the planner can give them an index: against the bare table function it may otherwise
/// scan all rows again for every row of the table that they are joined with. A row comes out of `jsonb_each` in the
/// database's own form, so that it is not made a text and parsed again for every cell.
pub(super) fn rows(cells: usize) -> String {
    let mut head = String::from("WITH pushed(");
    head += &list(0..cells, |cell| format!("c{cell}"));
    head += ") AS MATERIALIZED (SELECT ";
    head += &list(0..cells, |cell| format!("value ->> {cell}"));
    head += " FROM jsonb_each(?1)) ";
    head
}

/// As [`rows`] with one cell, from a parameter `["name", ..]`.
pub(super) fn names() -> String {
    "WITH pushed(c0) AS MATERIALIZED (SELECT value FROM json_each(?1)) ".to_owned()
}

/// As [`rows`], one row for every member, from a parameter `[{"group": ["member", ..]}, cell, ..]`: `c0` is the group,
/// `c1` the member, then the further cells, which are the same for all.
///
/// The group is a key since taking it out of an array would parse all its members again for each of them.
pub(super) fn pairs(further: usize) -> String {
    let names = list(0..further + 2, |cell| format!("c{cell}"));
    let values = ["e.key", "m.value"].map(str::to_owned).into_iter();
    let values = values.chain((1..=further).map(|at| format!("?1 ->> {at}")));
    format!(
        "WITH pushed({names}) AS MATERIALIZED (SELECT {} \
         FROM jsonb_each(?1, '$[0]') AS e CROSS JOIN json_each(e.value) AS m) ",
        list(values, |it| it),
    )
}

/// A listing of a whole table, each answer a JSON array of rows, each row an array of the cells.
///
/// A table that numbers its rows is cut into portions by those numbers; any other must be counted through, at twice the
/// cost.
pub(super) fn listing(table: &str, numbered: bool, cells: &[String]) -> String {
    let number = if numbered {
        "rowid"
    } else {
        "row_number() OVER ()"
    };
    format!(
        "SELECT '[' || group_concat(j, ',') || ']' \
         FROM (SELECT json_array({}) AS j, {number} / {ROWS_PER_ANSWER} AS n FROM {}) GROUP BY n",
        cells.join(", "),
        quoted(table),
    )
}

/// A listing of the rows that a parameter names by the column `key`, as one JSON array of rows.
pub(super) fn listing_named(table: &str, key: &str, cells: &[String]) -> String {
    format!(
        "{}SELECT json_group_array(json_array({})) FROM pushed CROSS JOIN {} AS t WHERE t.{} = pushed.c0",
        names(),
        cells.join(", "),
        quoted(table),
        quoted(key),
    )
}

/// A listing of a table of pairs, an answer for every group: `["group", ["member", ..]]`.
pub(super) fn listing_pairs(table: &str, group: &str, member: &str) -> String {
    let (group, member) = (quoted(group), quoted(member));
    format!(
        "SELECT json_array({}, json_group_array({})) FROM {} GROUP BY {group}",
        text(&group),
        text(&member),
        quoted(table),
    )
}

/// The columns of the tables that the parameter names: `[["table", "column", may it be null, are rows numbered], ..]`.
pub(super) const COLUMNS: &str = "SELECT json_group_array(json_array(t.value, c.name, c.\"notnull\" = 0, l.wr = 0)) \
     FROM json_each(?1) AS t CROSS JOIN pragma_table_list(t.value) AS l CROSS JOIN pragma_table_info(t.value) AS c \
     WHERE l.schema = 'main'";

/// The keys of the tables that the parameter names: `[["table", ["column", ..]], ..]`. Those that compare otherwise than
/// byte by byte, or that hold for some rows only, are left out.
pub(super) const KEYS: &str = "SELECT json_group_array(json_array(t, json(c))) FROM (
        SELECT t.value AS t, json_group_array(c.name) AS c FROM json_each(?1) AS t
        CROSS JOIN pragma_index_list(t.value) AS i CROSS JOIN pragma_index_xinfo(i.name) AS c
        WHERE i.\"unique\" AND NOT i.partial AND c.key
        GROUP BY t.value, i.name HAVING min(c.coll = 'BINARY' AND c.name IS NOT NULL)
    )";

/// How many rows refer to something that is not there.
pub(super) const BROKEN_REFERENCES: &str = "SELECT count(*) FROM pragma_foreign_key_check";

/// Checks references at the commit instead of at each statement, until then.
pub(super) const REFERENCES_LATE: &str = "PRAGMA defer_foreign_keys = ON";

/// Begins a transaction that writes. It waits here, and only here, until nobody else writes.
pub(super) const BEGIN_WRITE: &str = "BEGIN IMMEDIATE";

/// Makes the default tables where they are missing.
pub(super) const CREATE_TABLES: [&str; 3] = [
    "CREATE TABLE IF NOT EXISTS \"users\" (
        \"username\" TEXT NOT NULL PRIMARY KEY,
        \"display_name\" TEXT NOT NULL DEFAULT '',
        \"given_name\" TEXT NOT NULL DEFAULT '',
        \"family_name\" TEXT NOT NULL DEFAULT '',
        \"email\" TEXT NOT NULL DEFAULT '',
        \"active\" INTEGER NOT NULL DEFAULT 1,
        \"directory\" TEXT NOT NULL DEFAULT '',
        \"external_id\" TEXT NOT NULL DEFAULT ''
    )",
    "CREATE TABLE IF NOT EXISTS \"groups\" (
        \"name\" TEXT NOT NULL PRIMARY KEY,
        \"description\" TEXT NOT NULL DEFAULT ''
    )",
    "CREATE TABLE IF NOT EXISTS \"memberships\" (
        \"group_name\" TEXT NOT NULL,
        \"username\" TEXT NOT NULL,
        PRIMARY KEY (\"group_name\", \"username\")
    ) WITHOUT ROWID",
];

/// Makes the default table for groups in groups where it is missing.
pub(super) const CREATE_NESTING: &str = "CREATE TABLE IF NOT EXISTS \"group_memberships\" (
        \"parent\" TEXT NOT NULL,
        \"child\" TEXT NOT NULL,
        PRIMARY KEY (\"parent\", \"child\")
    ) WITHOUT ROWID";

/// Items with commas between them.
pub(super) fn list<T>(items: impl IntoIterator<Item = T>, each: impl Fn(T) -> String) -> String {
    let items: Vec<String> = items.into_iter().map(each).collect();
    items.join(", ")
}
