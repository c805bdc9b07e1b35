//! What a push does, statement by statement: pure, from what is sent to texts and their parameters.
//!
//! Nobody sees the middle of a transaction, so rows of one kind go together whatever stood between them in the plan. The
//! kinds keep the plan's order: groups before accounts before members before deletions, and within a kind names are freed
//! before they are used. Deletions come last for a reason of their own: a database may give the id of the last row that
//! was deleted to the next one that is made, and what other tables still keep under that id would go to a stranger.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::applications::sql::config::Scalar;
use crate::applications::sql::convert::{Cell, Sent, Values, Work, cell, renames};
use crate::applications::sql::layout::{Edge, Entity, Field, Layout, Side};
use crate::applications::sql::statements::{self, Schema};
use crate::model::What;
use crate::text;

/// At most so many rows are in the parameter of one statement.
const ROWS_MAX: usize = 1_000;
/// At most so many pairs are in the parameter of one statement.
const PAIRS_MAX: usize = 10_000;

/// One statement for many rows, run once for each parameter.
#[derive(Debug)]
pub(super) struct Phase<'a> {
    pub(super) sql: String,
    /// The table whose rows are changed, where it must be as many as the parameter has.
    pub(super) counted: Option<&'a str>,
    rows: Rows<'a>,
}

/// A JSON array for one statement, and how many rows it has.
#[derive(Debug)]
pub(super) struct Parameter {
    pub(super) json: String,
    pub(super) rows: u64,
}

#[derive(Clone, Debug)]
enum Rows<'a> {
    /// Columns of rows, behind the present name where the row is there already.
    Cells {
        entity: &'a Entity,
        fields: Vec<&'a Field>,
        rows: Vec<NamedValues<'a>>,
    },
    Names(Vec<&'a str>),
    /// Groups with members, none with more than [`PAIRS_MAX`].
    Pairs {
        groups: Vec<GroupMembers<'a>>,
        fixed: &'a [(String, Scalar)],
    },
}

/// The present name of a row that is there, and what it should hold.
type NamedValues<'a> = (Option<&'a str>, &'a Values<'a>);
/// A group and members of it.
type GroupMembers<'a> = (&'a str, &'a [&'a str]);

impl Phase<'_> {
    /// The parameters, one after the other, so that only one of them is in memory.
    pub(super) fn parameters(
        &self,
    ) -> Box<dyn Iterator<Item = serde_json::Result<Parameter>> + Send + '_> {
        match &self.rows {
            Rows::Cells {
                entity,
                fields,
                rows,
            } => Box::new(rows.chunks(ROWS_MAX).map(|rows| {
                let cells = rows.iter().map(|row| row_cells(entity, fields, row));
                parameter(&cells.collect::<Vec<_>>())
            })),
            Rows::Names(names) => Box::new(names.chunks(ROWS_MAX).map(parameter)),
            Rows::Pairs { groups, fixed } => Box::new(portions(groups).map(|groups| {
                let fixed = fixed.iter().map(|(_, value)| PairsCell::Fixed(value));
                let cells = std::iter::once(PairsCell::Groups(groups)).chain(fixed);
                parameter(&cells.collect::<Vec<_>>())
            })),
        }
    }
}

fn row_cells<'a>(
    entity: &'a Entity,
    fields: &[&'a Field],
    &(now, values): &NamedValues<'a>,
) -> Vec<Cell<'a>> {
    let fields = fields.iter().map(|field| cell(field, entity, values));
    now.map(Cell::Text).into_iter().chain(fields).collect()
}

/// The first cell of a parameter of pairs, and the further ones.
#[derive(Serialize)]
#[serde(untagged)]
enum PairsCell<'a> {
    #[serde(serialize_with = "as_object")]
    Groups(&'a [GroupMembers<'a>]),
    Fixed(&'a Scalar),
}

fn as_object<S: Serializer>(groups: &[GroupMembers<'_>], to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(groups.iter().copied())
}

/// The statements for everything that is sent, in the order in which they run.
pub(super) fn phases<'a>(
    layout: &'a Layout,
    schema: &Schema,
    sent: &'a [Sent<'a>],
) -> Vec<Phase<'a>> {
    let mut phases = Vec::new();
    for side in [Side::Groups, Side::Accounts] {
        if let Some(entity) = layout.entity(side) {
            let works = || sent.iter().filter(|it| it.side == side).map(|it| &it.work);
            rename(&mut phases, layout, schema, side, works());
            create(&mut phases, entity, schema, works());
            update(&mut phases, entity, schema, works());
        }
    }
    for side in [Side::Accounts, Side::Groups] {
        give_and_take(&mut phases, layout, schema, side, sent);
    }
    for side in [Side::Accounts, Side::Groups] {
        delete(&mut phases, layout, schema, side, sent);
    }
    phases
}

/// The renamings, a round for each link of a chain of names: a round only uses names that earlier rounds have freed.
fn rename<'a>(
    phases: &mut Vec<Phase<'a>>,
    layout: &'a Layout,
    schema: &Schema,
    side: Side,
    works: impl Iterator<Item = &'a Work<'a>>,
) {
    let Some(entity) = layout.entity(side) else {
        return;
    };
    let mut freed: BTreeMap<String, usize> = BTreeMap::new();
    let mut rounds: BTreeMap<(usize, What), Vec<NamedValues<'_>>> = BTreeMap::new();
    for work in works {
        if let Work::Update { row, what, values } = work
            && renames(*what)
        {
            let round = freed.get(&text::fold(values.name)).map_or(0, |it| it + 1);
            freed.insert(text::fold(row.name), round);
            let rows = rounds.entry((round, *what)).or_default();
            rows.push((Some(row.name), values));
        }
    }
    for ((_, what), rows) in rounds {
        let update = changing(entity, schema, what, rows);
        let cells = entity.changed(what).len() + 1;
        let rows = update.rows.clone();
        phases.push(update);
        for (edge, column) in references_by_name(layout, schema, side) {
            phases.push(Phase {
                sql: statements::follow(edge, column, cells),
                counted: None,
                rows: rows.clone(),
            });
        }
    }
}

fn create<'a>(
    phases: &mut Vec<Phase<'a>>,
    entity: &'a Entity,
    schema: &Schema,
    works: impl Iterator<Item = &'a Work<'a>>,
) {
    let rows: Vec<_> = works
        .filter_map(|work| match work {
            Work::Create(values) => Some((None, values)),
            _ => None,
        })
        .collect();
    if !rows.is_empty() {
        phases.push(Phase {
            sql: statements::create(entity, schema),
            counted: Some(&entity.table),
            rows: Rows::Cells {
                entity,
                fields: entity.columns.iter().map(|it| &it.1).collect(),
                rows,
            },
        });
    }
}

/// The updates that leave the name alone, a statement for each set of parts.
fn update<'a>(
    phases: &mut Vec<Phase<'a>>,
    entity: &'a Entity,
    schema: &Schema,
    works: impl Iterator<Item = &'a Work<'a>>,
) {
    let mut sets: BTreeMap<What, Vec<NamedValues<'_>>> = BTreeMap::new();
    for work in works {
        if let Work::Update { row, what, values } = work
            && !renames(*what)
        {
            sets.entry(*what)
                .or_default()
                .push((Some(row.name), values));
        }
    }
    for (what, rows) in sets {
        phases.push(changing(entity, schema, what, rows));
    }
}

fn changing<'a>(
    entity: &'a Entity,
    schema: &Schema,
    what: What,
    rows: Vec<NamedValues<'a>>,
) -> Phase<'a> {
    let columns = entity.changed(what);
    Phase {
        sql: statements::update(entity, &columns, schema),
        counted: Some(&entity.table),
        rows: Rows::Cells {
            entity,
            fields: columns.iter().map(|it| &it.1).collect(),
            rows,
        },
    }
}

fn give_and_take<'a>(
    phases: &mut Vec<Phase<'a>>,
    layout: &'a Layout,
    schema: &Schema,
    side: Side,
    sent: &'a [Sent<'a>],
) {
    let (Some(edge), Some(groups), Some(members)) =
        (layout.edge(side), &layout.groups, layout.entity(side))
    else {
        return;
    };
    let (mut given, mut taken) = (Vec::new(), Vec::new());
    for it in sent.iter().filter(|it| it.side == side) {
        if let Work::Members { group, give, take } = &it.work {
            given.extend(give.chunks(PAIRS_MAX).map(|members| (*group, members)));
            taken.extend(take.chunks(PAIRS_MAX).map(|members| (*group, members)));
        }
    }
    if !taken.is_empty() {
        phases.push(Phase {
            sql: statements::take(edge, groups, members),
            counted: None,
            rows: Rows::Pairs {
                groups: taken,
                fixed: &[],
            },
        });
    }
    if !given.is_empty() {
        phases.push(Phase {
            sql: statements::give(edge, groups, members, schema),
            counted: None,
            rows: Rows::Pairs {
                groups: given,
                fixed: &edge.fixed,
            },
        });
    }
}

fn delete<'a>(
    phases: &mut Vec<Phase<'a>>,
    layout: &'a Layout,
    schema: &Schema,
    side: Side,
    sent: &'a [Sent<'a>],
) {
    let Some(entity) = layout.entity(side) else {
        return;
    };
    let deleted = sent.iter().filter(|it| it.side == side);
    let names: Vec<&str> = deleted
        .filter_map(|it| match &it.work {
            Work::Delete(row) => Some(row.name),
            _ => None,
        })
        .collect();
    if names.is_empty() {
        return;
    }
    for (edge, column) in references(layout, schema, side) {
        phases.push(Phase {
            sql: statements::forget(edge, column, entity),
            counted: None,
            rows: Rows::Names(names.clone()),
        });
    }
    phases.push(Phase {
        sql: statements::delete(entity),
        counted: None,
        rows: Rows::Names(names),
    });
}

/// The columns that refer to rows of one side, in tables that are there.
fn references<'a>(layout: &'a Layout, schema: &Schema, side: Side) -> Vec<(&'a Edge, &'a str)> {
    let users = layout.memberships.iter();
    let users = users.map(|it| (Side::Accounts, it, it.member.as_str()));
    let groups = layout.memberships.iter().chain(&layout.nesting);
    let groups = groups.map(|it| (Side::Groups, it, it.group.as_str()));
    let nested = layout.nesting.iter();
    let nested = nested.map(|it| (Side::Groups, it, it.member.as_str()));
    users
        .chain(groups)
        .chain(nested)
        .filter(|(of, edge, _)| *of == side && schema.has(&edge.table))
        .map(|(_, edge, column)| (edge, column))
        .collect()
}

/// As [`references`], where they refer by name and so have to follow it.
fn references_by_name<'a>(
    layout: &'a Layout,
    schema: &Schema,
    side: Side,
) -> Vec<(&'a Edge, &'a str)> {
    match layout.entity(side) {
        Some(entity) if entity.id.is_none() => references(layout, schema, side),
        _ => Vec::new(),
    }
}

/// Groups in portions of about [`PAIRS_MAX`] pairs.
fn portions<'s, 'a>(
    groups: &'s [GroupMembers<'a>],
) -> impl Iterator<Item = &'s [GroupMembers<'a>]> {
    let mut rest = groups;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut pairs = 0;
        let full = rest.iter().position(|(_, members)| {
            pairs += members.len();
            pairs > PAIRS_MAX
        });
        // A single group is never too much: it was cut to size before.
        let (portion, after) = rest.split_at(full.unwrap_or(rest.len()).max(1));
        rest = after;
        Some(portion)
    })
}

fn parameter<T: Serialize>(rows: &[T]) -> serde_json::Result<Parameter> {
    Ok(Parameter {
        rows: rows.len() as u64,
        json: serde_json::to_string(rows)?,
    })
}

#[cfg(test)]
mod tests;
