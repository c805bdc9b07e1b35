//! Whether the tables are as the layout needs them.

use crate::applications::sql::layout::Layout;
use crate::applications::sql::statements::Schema;
use crate::model::Refusal;

/// Says of every table what lacks, if something does: whole tables and single columns, all at once. The default table
/// for groups in groups may lack as long as no group is put into another.
///
/// # Errors
/// [`Refusal::Unavailable`], since without them nothing at all can be done.
pub(super) fn complete(layout: &Layout, schema: &Schema, nesting: bool) -> Result<(), Refusal> {
    let faults = lacking(layout, schema, |table| {
        !nesting && layout.default && is_nesting(layout, table)
    });
    refuse(&faults, layout)
}

/// As [`complete`], where tables may lack altogether because the next push makes them.
///
/// # Errors
/// As [`complete`].
pub(super) fn fitting(layout: &Layout, schema: &Schema) -> Result<(), Refusal> {
    refuse(&lacking(layout, schema, |_| true), layout)
}

fn lacking(layout: &Layout, schema: &Schema, may_lack: impl Fn(&str) -> bool) -> Vec<String> {
    let mut faults = Vec::new();
    for (table, columns) in layout.needed() {
        if !schema.has(table) {
            if !may_lack(table) {
                faults.push(format!("there is no table `{table}`"));
            }
            continue;
        }
        let columns = columns.iter().filter(|it| !schema.has_column(table, it));
        let columns: Vec<String> = columns.map(|it| format!("`{it}`")).collect();
        if !columns.is_empty() {
            faults.push(format!("table `{table}` lacks {}", columns.join(", ")));
        }
    }
    faults
}

fn refuse(faults: &[String], layout: &Layout) -> Result<(), Refusal> {
    if faults.is_empty() {
        return Ok(());
    }
    let remedy = if layout.default {
        "let `create_tables: true` make the default tables in a database that has none of those names, or name the \
         existing ones under `tables`"
    } else {
        "correct the names under `tables`"
    };
    Err(Refusal::Unavailable(format!(
        "{}: {remedy}",
        faults.join("; ")
    )))
}

fn is_nesting(layout: &Layout, table: &str) -> bool {
    layout.nesting.as_ref().is_some_and(|it| it.table == table)
}
