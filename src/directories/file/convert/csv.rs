//! CSV (RFC 4180): a header, then one user a row.

use csv::{ReaderBuilder, StringRecord};

use super::given::Given;
use super::people::People;
use super::{Converted, Form, USER_FIELDS, near};

/// What parts the groups of a user.
const GROUP_SEPARATOR: char = ';';

/// Reads a header and its rows.
pub(super) fn convert(text: &str, form: &Form) -> Result<Converted, String> {
    let mut people = People::new(form);
    let mut reader = ReaderBuilder::new()
        .flexible(true)
        .from_reader(text.as_bytes());
    let header = reader.headers().map_err(|fault| fault.to_string())?;
    let columns = columns(header, form)?;
    let end = text.trim_end_matches(['\r', '\n']).len() as u64;
    let mut row = StringRecord::new();
    while reader
        .read_record(&mut row)
        .map_err(|fault| fault.to_string())?
    {
        let line = row.position().map_or(0, csv::Position::line);
        if let Some(column) = row.iter().position(|cell| cell.contains(['\r', '\n'])) {
            let column = columns
                .get(column)
                .map_or("a further column", String::as_str);
            return Err(format!(
                "line {line}: a line break stands in `{column}`; a quote is open there, which swallows the rows behind it"
            ));
        }
        let last = reader.position().byte() >= end;
        if row.len() < columns.len() && last {
            return Err(format!(
                "line {line}: the last row has {} columns, the header {}: the file was cut",
                row.len(),
                columns.len(),
            ));
        }
        take(&mut people, line, &columns, &row);
    }
    Ok(people.finish())
}

/// The names of the columns, each of them known and none twice.
fn columns(header: &StringRecord, form: &Form) -> Result<Vec<String>, String> {
    let columns: Vec<String> = header.iter().map(|it| it.trim().to_owned()).collect();
    for (index, column) in columns.iter().enumerate() {
        if !USER_FIELDS.contains(&column.as_str()) && !form.allowed.contains(column) {
            let hint = near(column, &USER_FIELDS).unwrap_or_else(|| {
                "; columns are parted by commas, a further one must be named under `attributes`"
                    .to_owned()
            });
            return Err(format!("line 1: unknown column `{column}`{hint}"));
        }
        if columns[..index].contains(column) {
            return Err(format!("line 1: the column `{column}` stands twice"));
        }
    }
    if !columns.iter().any(|it| it == "username") {
        return Err("line 1: the column `username` is missing".to_owned());
    }
    Ok(columns)
}

/// Takes a row as a user. In a row of another width nobody can say which cell belongs to which column: a comma that was not
/// quoted shifts every cell behind it. So nothing of such a row is believed, its username least of all.
fn take(people: &mut People<'_>, line: u64, columns: &[String], row: &StringRecord) {
    if row.len() != columns.len() {
        let reason = format!(
            "the row has {} columns, the header {}",
            row.len(),
            columns.len()
        );
        return people.unreadable_user(line, &reason);
    }
    let cell = |(column, cell): (&String, &str)| {
        let given = if column == "groups" {
            let names = cell
                .split(GROUP_SEPARATOR)
                .map(str::trim)
                .filter(|it| !it.is_empty());
            Given::List(names.map(|it| Given::Text(it.to_owned())).collect())
        } else {
            Given::Text(cell.to_owned())
        };
        (column.clone(), given)
    };
    let fields = columns.iter().zip(row).map(cell).collect();
    people.user(line, Given::Fields(fields));
}
