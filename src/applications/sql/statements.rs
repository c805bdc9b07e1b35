//! The text of every statement that writes. Pure: tables in, text out.
//!
//! Each takes one parameter and does many rows. Rows are named by their names, never by a number that the database gave.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::applications::sql::dialect::{self, list, quoted};
use crate::applications::sql::layout::{Edge, Entity, Field};

/// The tables that are there, by name in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Schema {
    pub(super) tables: BTreeMap<String, Table>,
}

/// A table that is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Table {
    /// The database numbers the rows.
    pub(super) numbered: bool,
    /// The columns by name in lower case, and whether each may be null.
    pub(super) columns: BTreeMap<String, bool>,
    /// Columns, by name in lower case, in which no two rows are equal.
    pub(super) keys: Vec<BTreeSet<String>>,
}

impl Schema {
    /// Whether the table is there.
    pub(super) fn has(&self, table: &str) -> bool {
        self.table(table).is_some()
    }

    fn table(&self, table: &str) -> Option<&Table> {
        self.tables.get(&table.to_ascii_lowercase())
    }

    fn is_numbered(&self, table: &str) -> bool {
        self.table(table).is_some_and(|it| it.numbered)
    }

    /// Whether the column of the table is there.
    pub(super) fn has_column(&self, table: &str, column: &str) -> bool {
        self.nullable(table, column).is_some()
    }

    /// Whether the table itself sees to it that no pair stands in it twice.
    fn has_single_pairs(&self, edge: &Edge) -> bool {
        let pair = [&edge.group, &edge.member].map(|it| it.to_ascii_lowercase());
        let table = self.table(&edge.table);
        table.is_some_and(|it| it.keys.contains(&pair.into()))
    }

    fn nullable(&self, table: &str, column: &str) -> Option<bool> {
        let columns = &self.table(table)?.columns;
        columns.get(&column.to_ascii_lowercase()).copied()
    }

    /// What is written into a column from a cell. An empty field is no value where the column takes that, so that a
    /// column whose values are unique does not mind two people without a mail.
    fn written(&self, table: &str, column: &str, field: &Field, cell: usize) -> String {
        let verbatim = matches!(
            field,
            Field::Name | Field::LowerName | Field::Active | Field::Fixed(_)
        );
        if !verbatim && self.nullable(table, column) == Some(true) {
            return format!("nullif(pushed.c{cell}, '')");
        }
        format!("pushed.c{cell}")
    }
}

/// Lists accounts: reference, name, display name, given name, family name, mail, directory, external id, switch.
pub(super) fn list_accounts(users: &Entity, schema: &Schema) -> String {
    let fields = [
        Field::Name,
        Field::DisplayName,
        Field::GivenName,
        Field::FamilyName,
        Field::Email,
        Field::Directory,
        Field::ExternalId,
        Field::Active,
    ];
    let cells = fields.iter().map(|field| shown(users, field));
    let cells: Vec<String> = std::iter::once(reference(users)).chain(cells).collect();
    dialect::listing(&users.table, schema.is_numbered(&users.table), &cells)
}

/// Lists groups: reference, name, description.
pub(super) fn list_groups(groups: &Entity, schema: &Schema) -> String {
    let cells = [
        reference(groups),
        shown(groups, &Field::Name),
        shown(groups, &Field::Description),
    ];
    dialect::listing(&groups.table, schema.is_numbered(&groups.table), &cells)
}

/// Lists rows: reference, name.
pub(super) fn list_names(entity: &Entity, schema: &Schema) -> String {
    let cells = [reference(entity), shown(entity, &Field::Name)];
    dialect::listing(&entity.table, schema.is_numbered(&entity.table), &cells)
}

/// Lists the rows that the parameter names: reference, name.
pub(super) fn list_named(entity: &Entity) -> String {
    let cells = [reference(entity), shown(entity, &Field::Name)];
    dialect::listing_named(&entity.table, &entity.key, &cells)
}

/// Lists pairs by group.
pub(super) fn list_pairs(edge: &Edge) -> String {
    dialect::listing_pairs(&edge.table, &edge.group, &edge.member)
}

/// Changes nothing, and fails where changing is not allowed.
pub(super) fn touch(entity: &Entity) -> String {
    let (table, key) = (quoted(&entity.table), quoted(&entity.key));
    format!("UPDATE {table} SET {key} = {key} WHERE FALSE")
}

fn reference(entity: &Entity) -> String {
    dialect::text(&quoted(entity.reference()))
}

fn shown(entity: &Entity, field: &Field) -> String {
    let column = entity.column(field);
    column.map_or("''".to_owned(), |it| dialect::text(&quoted(it)))
}

/// Makes rows. Cells: the columns in order.
pub(super) fn create(entity: &Entity, schema: &Schema) -> String {
    let table = &entity.table;
    let columns = || entity.columns.iter().enumerate();
    format!(
        "{}INSERT INTO {} ({}) SELECT {} FROM pushed",
        dialect::rows(entity.columns.len()),
        quoted(table),
        list(columns(), |(_, (column, _))| quoted(column)),
        list(columns(), |(cell, (column, field))| schema
            .written(table, column, field, cell)),
    )
}

/// Changes columns of rows. Cells: the present name, then the columns in order.
pub(super) fn update(entity: &Entity, columns: &[&(String, Field)], schema: &Schema) -> String {
    let table = &entity.table;
    let set = list(columns.iter().enumerate(), |(at, (column, field))| {
        let value = schema.written(table, column, field, at + 1);
        format!("{} = {value}", quoted(column))
    });
    let (table, key) = (quoted(table), quoted(&entity.key));
    let rows = dialect::rows(columns.len() + 1);
    format!("{rows}UPDATE {table} SET {set} FROM pushed WHERE {table}.{key} = pushed.c0")
}

/// Lets references follow new names. Cells: the old name, the new name, then what else the renaming carries.
///
/// Tables of pairs seldom have an index on each end. Written like this, such a table is read through once a statement;
/// as a join it would be read through once for every name.
pub(super) fn follow(edge: &Edge, column: &str, cells: usize) -> String {
    let (table, column) = (quoted(&edge.table), quoted(column));
    let rows = dialect::rows(cells);
    format!(
        "{rows}UPDATE {table} SET {column} = (SELECT c1 FROM pushed WHERE c0 = {table}.{column}) \
         WHERE {column} IN (SELECT c0 FROM pushed)"
    )
}

/// Deletes rows by name.
pub(super) fn delete(entity: &Entity) -> String {
    format!(
        "{}DELETE FROM {} WHERE {} IN (SELECT c0 FROM pushed)",
        dialect::names(),
        quoted(&entity.table),
        quoted(&entity.key),
    )
}

/// Deletes the pairs whose `column` refers to rows that are named.
pub(super) fn forget(edge: &Edge, column: &str, entity: &Entity) -> String {
    format!(
        "{}DELETE FROM {} WHERE {} IN (SELECT t.{} FROM pushed CROSS JOIN {} AS t WHERE t.{} = pushed.c0)",
        dialect::names(),
        quoted(&edge.table),
        quoted(column),
        quoted(entity.reference()),
        quoted(&entity.table),
        quoted(&entity.key),
    )
}

/// Makes pairs that are not there yet. Rows as of [`dialect::pairs`] with the fixed values as further cells.
///
/// Asking for each pair whether it is there takes as long as making it, so that a table that sees to it itself is left to it.
pub(super) fn give(edge: &Edge, groups: &Entity, members: &Entity, schema: &Schema) -> String {
    let Ends {
        group,
        member,
        from,
        on,
    } = ends(groups, members);
    let fixed = || edge.fixed.iter().enumerate();
    let (group_column, member_column) = (quoted(&edge.group), quoted(&edge.member));
    let columns = [&group_column, &member_column]
        .map(String::clone)
        .into_iter();
    let columns = columns.chain(fixed().map(|(_, (column, _))| quoted(column)));
    let values = [&group, &member].map(String::clone).into_iter();
    let values = values.chain(fixed().map(|(at, _)| format!("pushed.c{}", at + 2)));
    let table = quoted(&edge.table);
    let once = if schema.has_single_pairs(edge) {
        format!("TRUE ON CONFLICT ({group_column}, {member_column}) DO NOTHING")
    } else {
        format!(
            "NOT EXISTS (SELECT 1 FROM {table} AS e WHERE e.{group_column} = {group} AND e.{member_column} = {member})"
        )
    };
    format!(
        "{}INSERT INTO {table} ({}) SELECT {} FROM {from} WHERE {on}{once}",
        dialect::pairs(edge.fixed.len()),
        list(columns, |it| it),
        list(values, |it| it),
    )
}

/// Deletes pairs. Rows as of [`dialect::pairs`] without further cells.
pub(super) fn take(edge: &Edge, groups: &Entity, members: &Entity) -> String {
    let Ends {
        group,
        member,
        from,
        on,
    } = ends(groups, members);
    format!(
        "{}DELETE FROM {} WHERE ({}, {}) IN (SELECT {group}, {member} FROM {from} WHERE {on}TRUE)",
        dialect::pairs(0),
        quoted(&edge.table),
        quoted(&edge.group),
        quoted(&edge.member),
    )
}

/// How the references of pairs that are given by name are found.
struct Ends {
    group: String,
    member: String,
    /// The tables to look in.
    from: String,
    /// The conditions, each followed by `AND`.
    on: String,
}

/// A reference that is the name itself needs no look-up: that both rows are there was seen before, in the same
/// transaction.
fn ends(groups: &Entity, members: &Entity) -> Ends {
    let mut from = "pushed".to_owned();
    let mut on = String::new();
    let mut reference = |entity: &Entity, alias: &str, cell: &str| {
        let Some(id) = &entity.id else {
            return format!("pushed.{cell}");
        };
        let _ = write!(from, " CROSS JOIN {} AS {alias}", quoted(&entity.table));
        let _ = write!(on, "{alias}.{} = pushed.{cell} AND ", quoted(&entity.key));
        format!("{alias}.{}", quoted(id))
    };
    Ends {
        group: reference(groups, "g", "c0"),
        member: reference(members, "m", "c1"),
        from,
        on,
    }
}

#[cfg(test)]
mod tests;
