//! What the tables hold at the moment of a push, by name, and whether the plan still fits it.
//!
//! A plan may rest on a listing that is hours old. Inside the transaction that writes, the names are read once more: a row
//! that is gone, a row that now has another id, and a name that is taken by now, be it in another spelling, are found here,
//! before anything is written and without relying on the constraints that the tables happen to have.

use crate::applications::sql::convert::{RowName, Sent, Work, renames};
use crate::applications::sql::layout::{Layout, Side};
use crate::applications::sql::listing::Text;
use crate::model::{Interner, Refusal, StrId};
use crate::text;

/// The names of one table.
#[derive(Debug, Default)]
pub(super) struct Present {
    names: Interner,
    /// By number of the name: how many rows have it, and the reference of the last of them.
    rows: Vec<(u32, StrId)>,
    folded: Interner,
    /// By number of the folded name: how many rows have a name that folds to it.
    taken: Vec<u32>,
}

impl Present {
    /// Takes an answer of rows of reference and name.
    pub(super) fn add(&mut self, answer: &str) -> serde_json::Result<()> {
        for [reference, name] in serde_json::from_str::<Vec<[Text<'_>; 2]>>(answer)? {
            self.insert(&name.0, &reference.0);
        }
        Ok(())
    }

    fn insert(&mut self, name: &str, reference: &str) {
        let reference = self.names.intern(reference);
        let name_id = self.names.intern(name);
        let row = slot(&mut self.rows, name_id);
        *row = (row.0 + 1, reference);
        let folded = self.folded.intern(&text::fold(name));
        *slot(&mut self.taken, folded) += 1;
    }

    fn remove(&mut self, name: &str) {
        if let Some(id) = self.names.find(name) {
            slot(&mut self.rows, id).0 -= 1;
        }
        if let Some(id) = self.folded.find(&text::fold(name)) {
            *slot(&mut self.taken, id) -= 1;
        }
    }

    /// How many rows have exactly this name, and the reference of one of them.
    fn rows(&self, name: &str) -> (u32, &str) {
        let found = self.names.find(name);
        match found.and_then(|id| self.rows.get(id.0 as usize)) {
            Some(&(count, reference)) => (count, self.names.get(reference)),
            None => (0, ""),
        }
    }

    fn has(&self, name: &str) -> bool {
        self.rows(name).0 > 0
    }

    fn is_taken(&self, name: &str) -> bool {
        let found = self.folded.find(&text::fold(name));
        found
            .and_then(|id| self.taken.get(id.0 as usize))
            .is_some_and(|&count| count > 0)
    }
}

/// The names of all tables.
#[derive(Debug, Default)]
pub(super) struct PresentRows {
    pub(super) accounts: Present,
    pub(super) groups: Present,
}

impl PresentRows {
    /// The names of one side.
    pub(super) fn side(&mut self, side: Side) -> &mut Present {
        match side {
            Side::Accounts => &mut self.accounts,
            Side::Groups => &mut self.groups,
        }
    }

    /// Goes through everything that is sent in the order in which it will run. The first that does not fit what is
    /// there, by its place in `sent`, and why.
    pub(super) fn first_misfit(
        &mut self,
        layout: &Layout,
        sent: &[Sent<'_>],
    ) -> Option<(usize, Refusal)> {
        let mut order: Vec<usize> = (0..sent.len()).collect();
        order.sort_by_key(|&at| rank(&sent[at]));
        order.into_iter().find_map(|at| {
            let fits = self.fit(layout, &sent[at]);
            fits.err().map(|refusal| (at, refusal))
        })
    }

    fn fit(&mut self, layout: &Layout, sent: &Sent<'_>) -> Result<(), Refusal> {
        let side = sent.side;
        let Some(entity) = layout.entity(side) else {
            return Err(no_table("groups"));
        };
        match &sent.work {
            Work::Create(values) => self.side(side).claim(values.name, &entity.table),
            Work::Update { row, what, values } => {
                let with_id = entity.id.is_some();
                self.side(side).find(row, with_id, &entity.table)?;
                if !renames(*what) {
                    return Ok(());
                }
                let (_, reference) = self.side(side).rows(row.name);
                let reference = reference.to_owned();
                self.side(side).remove(row.name);
                self.side(side).claim(values.name, &entity.table)?;
                self.side(side).set_reference(values.name, &reference);
                Ok(())
            }
            Work::Delete(row) => {
                // What is gone already is as it should be.
                if !self.side(side).has(row.name) {
                    return Ok(());
                }
                let with_id = entity.id.is_some();
                self.side(side).find(row, with_id, &entity.table)
            }
            Work::Members { group, give, .. } => self.members(layout, side, group, give),
        }
    }

    fn members(
        &mut self,
        layout: &Layout,
        side: Side,
        group: &str,
        give: &[&str],
    ) -> Result<(), Refusal> {
        let (Some(edge), Some(groups)) = (layout.edge(side), &layout.groups) else {
            return Err(no_table("memberships"));
        };
        if !give.is_empty() && !self.groups.has(group) {
            return Err(Refusal::Stale(format!(
                "table `{}`: the group that members are to be given to is not there (any more)",
                groups.table
            )));
        }
        if give.iter().all(|name| self.side(side).has(name)) {
            return Ok(());
        }
        Err(Refusal::Stale(format!(
            "table `{}`: a member that is to be given to the group is not there (any more)",
            edge.table
        )))
    }
}

impl Present {
    /// A new row takes a name.
    fn claim(&mut self, name: &str, table: &str) -> Result<(), Refusal> {
        if self.is_taken(name) {
            return Err(Refusal::Stale(format!(
                "table `{table}` has a row of that name by now, perhaps in another spelling"
            )));
        }
        self.insert(name, "");
        Ok(())
    }

    /// The row that is to be changed is there, once, and still the same one.
    fn find(&self, row: &RowName<'_>, with_id: bool, table: &str) -> Result<(), Refusal> {
        let (count, reference) = self.rows(row.name);
        if count > 1 {
            return Err(Refusal::Refused(format!(
                "table `{table}` has {count} rows of that very name: which of them is meant cannot be told, \
                 so leave only one"
            )));
        }
        if count == 0 {
            return Err(Refusal::Stale(format!(
                "table `{table}`: the row is not there (any more)"
            )));
        }
        if with_id && !row.id.is_empty() && row.id != reference {
            return Err(Refusal::Stale(format!(
                "table `{table}`: the name belongs to another row by now"
            )));
        }
        Ok(())
    }

    fn set_reference(&mut self, name: &str, reference: &str) {
        let reference = self.names.intern(reference);
        let name = self.names.intern(name);
        slot(&mut self.rows, name).1 = reference;
    }
}

/// The order in which works run: groups before accounts, and of each names freed before names used.
fn rank(sent: &Sent<'_>) -> (u8, Side) {
    let rank = match &sent.work {
        Work::Update { what, .. } if renames(*what) => 0,
        Work::Create(_) => 1,
        Work::Update { .. } => 2,
        Work::Members { .. } => 3,
        Work::Delete(_) => 4,
    };
    (rank, sent.side)
}

fn no_table(what: &str) -> Refusal {
    Refusal::Refused(format!(
        "no table holds {what}: name one under `tables.{what}`"
    ))
}

fn slot<T: Clone + Default>(slots: &mut Vec<T>, id: StrId) -> &mut T {
    let at = id.0 as usize;
    if at >= slots.len() {
        slots.resize(at + 1, T::default());
    }
    &mut slots[at]
}
