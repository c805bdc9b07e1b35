//! What went wrong, said as the caller will act on it.
//!
//! The result codes are SQLite's (<https://www.sqlite.org/rescode.html>): the low byte is the kind, the rest its detail. Its
//! messages name tables and columns and no values, so they may be shown.

use std::fmt;

use crate::applications::sql::layout::{Layout, Side};
use crate::model::Refusal;
use crate::text::counted;

/// Why a call on the database did not end well.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// The database or its driver answered with an error.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// The database answered with something that is no listing.
    #[error("the answer cannot be read")]
    Answer(#[from] serde_json::Error),
    /// A statement changed another number of rows than it named.
    #[error("table `{table}`: {} changed where {meant} were meant", counted(*changed, "row"))]
    Count {
        /// The table.
        table: String,
        /// How many rows were named.
        meant: u64,
        /// How many were changed.
        changed: u64,
    },
    /// Everything was done, and in the end rows refer to what is not there.
    #[error("FOREIGN KEY constraint failed")]
    References,
    /// What was found before anything was sent.
    #[error(transparent)]
    Refusal(#[from] Refusal),
}

const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const CONSTRAINT: i32 = 19;
const CONSTRAINT_FOREIGN_KEY: i32 = 787;
const CONSTRAINT_NOT_NULL: i32 = 1299;
const CONSTRAINT_PRIMARY_KEY: i32 = 1555;
const CONSTRAINT_UNIQUE: i32 = 2067;

impl Fault {
    /// Whether rows would refer to what is not there.
    pub(super) fn is_about_references(&self) -> bool {
        match self {
            Fault::References => true,
            Fault::Database(error) => code(error) == Some(CONSTRAINT_FOREIGN_KEY),
            _ => false,
        }
    }

    /// The fault in the words of the caller; `layout` tells which constraints are about names.
    pub(super) fn refusal(self, layout: &Layout) -> Refusal {
        match self {
            Fault::Refusal(refusal) => refusal,
            Fault::References => broken_references(),
            Fault::Count { .. } => Refusal::Stale(self.to_string()),
            // Its own text may quote a value.
            Fault::Answer(_) => unreadable(&"it is no listing"),
            Fault::Database(error) => match (code(&error), error.as_database_error()) {
                (Some(code), Some(cause)) => of_code(code, cause.message(), layout),
                _ => of_driver(&error),
            },
        }
    }
}

/// SQLite's extended result code.
fn code(error: &sqlx::Error) -> Option<i32> {
    error.as_database_error()?.code()?.parse().ok()
}

fn of_driver(error: &sqlx::Error) -> Refusal {
    match error {
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => unreadable(error),
        _ => Refusal::Unavailable(format!("the database cannot be used: {error}")),
    }
}

fn unreadable(cause: &dyn fmt::Display) -> Refusal {
    Refusal::Unavailable(format!(
        "the database gave an answer that cannot be read, perhaps for a text that is not UTF-8: {cause}"
    ))
}

fn of_code(code: i32, message: &str, layout: &Layout) -> Refusal {
    const UNAVAILABLE: [(i32, &str); 9] = [
        (BUSY, "another program keeps the database locked"),
        (LOCKED, "another program keeps the database locked"),
        (7, "there is no memory left"),
        (
            8,
            "the database is read-only: allow the daemon to write the file and its folder",
        ),
        (10, "the file cannot be read or written"),
        (11, "the file is damaged"),
        (13, "the disk is full"),
        (
            14,
            "the file cannot be opened: look at the path and the rights of its folder",
        ),
        (26, "the file is no SQLite database"),
    ];
    let kind = code & 0xff;
    if kind == CONSTRAINT {
        return of_constraint(code, message, layout);
    }
    if kind == 3 || kind == 23 {
        return Refusal::Unauthorised(format!("the database does not allow it: {message}"));
    }
    match UNAVAILABLE.iter().find(|it| it.0 == kind) {
        Some((_, text)) => Refusal::Unavailable(format!("{text} ({message})")),
        None => Refusal::Refused(format!("the database refuses it: {message}")),
    }
}

fn of_constraint(code: i32, message: &str, layout: &Layout) -> Refusal {
    // "NOT NULL constraint failed: users.password", "UNIQUE constraint failed: users.name, users.domain"
    let columns = message.split_once(": ").map_or("", |it| it.1);
    let first = columns.split(", ").next().unwrap_or_default();
    let place = first.rsplit_once('.');
    match (code, place) {
        (CONSTRAINT_NOT_NULL, Some((table, column))) => Refusal::Refused(format!(
            "table `{table}`: the column `{column}` must have a value and is given none: name it under `{}`",
            fixed_option(layout, table)
        )),
        (CONSTRAINT_UNIQUE | CONSTRAINT_PRIMARY_KEY, Some((table, _))) => {
            if is_about_a_name(layout, table, columns) {
                return Refusal::Stale(format!("table `{table}` has a row of that name by now"));
            }
            Refusal::Refused(format!(
                "table `{table}`: another row has the same value already, and the table wants it to be unique: {columns}"
            ))
        }
        (CONSTRAINT_FOREIGN_KEY, _) => broken_references(),
        _ => Refusal::Refused(format!("the tables do not accept it: {message}")),
    }
}

fn broken_references() -> Refusal {
    Refusal::Refused(
        "rows of another table refer to this one, and the database does not let them (FOREIGN KEY constraint failed): \
         remove them there, or let the table follow with ON UPDATE and ON DELETE"
            .to_owned(),
    )
}

/// Whether the unique columns are those of a row's name.
fn is_about_a_name(layout: &Layout, table: &str, columns: &str) -> bool {
    let sides = [Side::Accounts, Side::Groups].into_iter();
    sides.filter_map(|side| layout.entity(side)).any(|entity| {
        let names = columns.split(", ").filter_map(|it| it.rsplit_once('.'));
        let mut names = names.map(|(_, column)| column);
        entity.table.eq_ignore_ascii_case(table)
            && names.any(|it| it.eq_ignore_ascii_case(&entity.key))
    })
}

/// The option that gives a table's further columns their values.
fn fixed_option(layout: &Layout, table: &str) -> String {
    let entities = [(Side::Accounts, "users"), (Side::Groups, "groups")];
    let entities = entities.into_iter().filter_map(|(side, block)| {
        let entity = layout.entity(side)?;
        Some((entity.table.as_str(), block))
    });
    let edges = [
        (Side::Accounts, "memberships"),
        (Side::Groups, "group_memberships"),
    ];
    let edges = edges.into_iter().filter_map(|(side, block)| {
        let edge = layout.edge(side)?;
        Some((edge.table.as_str(), block))
    });
    let mut blocks = entities.chain(edges);
    match blocks.find(|it| it.0.eq_ignore_ascii_case(table)) {
        Some((_, block)) => format!("tables.{block}.fixed"),
        None => "tables.*.fixed".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_result_code_has_a_class_and_a_cause() {
        check(
            5,
            "database is locked",
            "unavailable",
            "keeps the database locked",
        );
        check(
            517,
            "database is locked",
            "unavailable",
            "keeps the database locked",
        );
        check(
            1032,
            "attempt to write a readonly database",
            "unavailable",
            "read-only",
        );
        check(
            13,
            "database or disk is full",
            "unavailable",
            "disk is full",
        );
        check(
            14,
            "unable to open database file",
            "unavailable",
            "cannot be opened",
        );
        check(
            26,
            "file is not a database",
            "unavailable",
            "no SQLite database",
        );
        check(23, "not authorized", "unauthorised", "not authorized");
        check(1, "no such table: main.log", "refused", "no such table");
    }

    #[test]
    fn a_constraint_names_table_and_column_and_remedy() {
        let unique = "UNIQUE constraint failed: ";
        check(1555, &format!("{unique}people.login"), "stale", "by now");
        check(
            2067,
            &format!("{unique}people.login, people.domain"),
            "stale",
            "by now",
        );
        check(2067, &format!("{unique}teams.name"), "stale", "by now");
        check(
            2067,
            &format!("{unique}people.email"),
            "refused",
            "people.email",
        );
        check(
            2067,
            &format!("{unique}other.login"),
            "refused",
            "other.login",
        );
        check(
            2067,
            &format!("{unique}index 'people_lower'"),
            "refused",
            "people_lower",
        );
        let null = "NOT NULL constraint failed: ";
        check(
            1299,
            &format!("{null}people.password"),
            "refused",
            "`tables.users.fixed`",
        );
        check(
            1299,
            &format!("{null}in_team.since"),
            "refused",
            "`tables.memberships.fixed`",
        );
        check(
            1299,
            &format!("{null}audit.who"),
            "refused",
            "`audit`: the column `who`",
        );
        check(
            787,
            "FOREIGN KEY constraint failed",
            "refused",
            "refer to this one",
        );
        check(275, "CHECK constraint failed: login", "refused", "CHECK");
        check(1811, "read the manual", "refused", "read the manual");
    }

    fn check(code: i32, message: &str, class: &str, part: &str) {
        let config = serde_yaml::from_str(
            "url: sqlite:a.db
tables:
  users: { table: people, key: login }
  groups: { table: teams, key: name }
  memberships: { table: in_team, group: team, user: person }",
        );
        let layout = Layout::new(config.unwrap());
        let refusal = of_code(code, message, &layout);
        let found = match &refusal {
            Refusal::Transient(_) => "transient",
            Refusal::Refused(_) => "refused",
            Refusal::Stale(_) => "stale",
            Refusal::Unauthorised(_) => "unauthorised",
            Refusal::Unavailable(_) => "unavailable",
        };
        assert_eq!(found, class, "{code} {message}");
        assert!(refusal.to_string().contains(part), "{refusal}");
    }
}
