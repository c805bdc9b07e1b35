//! The names of tables and columns that were written: none empty, none with two meanings.

use std::collections::{BTreeMap, BTreeSet};

use crate::applications::sql::config::{Scalar, SqlProblem, Tables, UserColumns, UsersTable};

/// A block with its table and its columns, each column with the option that names it.
struct Block<'a> {
    option: &'static str,
    table: &'a str,
    columns: Vec<(String, &'a str)>,
}

/// Names that cannot be names, tables named twice, and columns of one table named twice.
pub(super) fn problems(tables: &Tables) -> Vec<SqlProblem> {
    let mut problems = Vec::new();
    let mut names = BTreeSet::new();
    for Block {
        option: block,
        table,
        columns,
    } in blocks(tables)
    {
        let path = format!("tables.{block}");
        let mut add = |option: &str, text: String| {
            problems.push(SqlProblem {
                path: format!("{path}.{option}"),
                text,
            });
        };
        if let Some(text) = name_fault(table) {
            add("table", text.to_owned());
        } else if !names.insert(table.to_ascii_lowercase()) {
            add(
                "table",
                format!("the table `{table}` has a meaning already"),
            );
        }
        let mut seen = BTreeSet::new();
        for (option, column) in columns {
            if let Some(text) = name_fault(column) {
                add(&option, text.to_owned());
            } else if !seen.insert(column.to_ascii_lowercase()) {
                add(
                    &option,
                    format!("the column `{column}` has a meaning already"),
                );
            }
        }
    }
    problems
}

fn blocks(tables: &Tables) -> Vec<Block<'_>> {
    let mut blocks = vec![Block {
        option: "users",
        table: &tables.users.table,
        columns: user_columns(&tables.users),
    }];
    if let Some(it) = &tables.groups {
        let mut columns = named([
            ("key", Some(&it.key)),
            ("id", it.id.as_ref()),
            ("description", it.description.as_ref()),
        ]);
        columns.extend(fixed_columns(&it.fixed));
        blocks.push(Block {
            option: "groups",
            table: &it.table,
            columns,
        });
    }
    if let Some(it) = &tables.memberships {
        let mut columns = named([("group", Some(&it.group)), ("user", Some(&it.user))]);
        columns.extend(fixed_columns(&it.fixed));
        blocks.push(Block {
            option: "memberships",
            table: &it.table,
            columns,
        });
    }
    if let Some(it) = &tables.group_memberships {
        let mut columns = named([("parent", Some(&it.parent)), ("child", Some(&it.child))]);
        columns.extend(fixed_columns(&it.fixed));
        blocks.push(Block {
            option: "group_memberships",
            table: &it.table,
            columns,
        });
    }
    blocks
}

fn user_columns(users: &UsersTable) -> Vec<(String, &str)> {
    let UserColumns {
        display_name,
        given_name,
        family_name,
        email,
        directory,
        external_id,
    } = &users.columns;
    let mut columns = named([
        ("key", Some(&users.key)),
        ("id", users.id.as_ref()),
        ("lower_key", users.lower_key.as_ref()),
        ("columns.display_name", display_name.as_ref()),
        ("columns.given_name", given_name.as_ref()),
        ("columns.family_name", family_name.as_ref()),
        ("columns.email", email.as_ref()),
        ("columns.directory", directory.as_ref()),
        ("columns.external_id", external_id.as_ref()),
        ("active.column", users.active.as_ref().map(|it| &it.column)),
    ]);
    columns.extend(fixed_columns(&users.fixed));
    columns
}

/// The columns among some options that are set.
fn named<'a, const N: usize>(options: [(&str, Option<&'a String>); N]) -> Vec<(String, &'a str)> {
    options
        .into_iter()
        .filter_map(|(option, column)| Some((option.to_owned(), column?.as_str())))
        .collect()
}

fn fixed_columns(fixed: &BTreeMap<String, Scalar>) -> impl Iterator<Item = (String, &str)> {
    fixed
        .keys()
        .map(|column| (format!("fixed.{column}"), column.as_str()))
}

fn name_fault(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        return Some("the name is empty");
    }
    name.contains('\0')
        .then_some("the name holds a control character")
}
