//! From the model to the tables, without any database: what a plan sends, with every value it needs.

use serde::Serialize;

use crate::applications::sql::config::Scalar;
use crate::applications::sql::layout::{Entity, Field, Layout, Side};
use crate::model::{Change, NONE, Step, Subject, View, WantedAccount, WantedGroup, What};
use crate::text;

/// A change that has something to send.
#[derive(Debug)]
pub(super) struct Sent<'a> {
    /// The place of the change in what was given.
    pub(super) at: usize,
    pub(super) side: Side,
    pub(super) work: Work<'a>,
}

/// What is sent of a change.
#[derive(Debug)]
pub(super) enum Work<'a> {
    /// Make a row.
    Create(Values<'a>),
    /// Change the columns of `what`.
    Update {
        row: RowName<'a>,
        what: What,
        values: Values<'a>,
    },
    /// Delete a row and the pairs that refer to it.
    Delete(RowName<'a>),
    /// Make and delete pairs of a group; the side is that of the members. All by the names after the plan.
    Members {
        group: &'a str,
        give: Vec<&'a str>,
        take: Vec<&'a str>,
    },
}

/// A row as it was last seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowName<'a> {
    pub(super) name: &'a str,
    /// What the database gave it as id; empty where it is not known.
    pub(super) id: &'a str,
}

/// What the columns of a row should hold. What the side has not is empty.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Values<'a> {
    pub(super) name: &'a str,
    pub(super) display_name: &'a str,
    pub(super) given_name: &'a str,
    pub(super) family_name: &'a str,
    pub(super) email: &'a str,
    pub(super) directory: &'a str,
    pub(super) external_id: &'a str,
    pub(super) description: &'a str,
    pub(super) active: bool,
}

impl<'a> Values<'a> {
    fn of_account(wanted: &WantedAccount<'a>) -> Values<'a> {
        let WantedAccount {
            name,
            display_name,
            given_name,
            family_name,
            email,
            directory,
            directory_id: _,
            external_id,
            active,
        } = *wanted;
        Values {
            name,
            display_name,
            given_name,
            family_name,
            email,
            directory,
            external_id,
            description: "",
            active,
        }
    }

    fn of_group(wanted: &WantedGroup<'a>) -> Values<'a> {
        let WantedGroup {
            name,
            description,
            directory_id: _,
            external_id: _,
        } = *wanted;
        Values {
            name,
            description,
            ..Values::default()
        }
    }
}

/// What the changes have to send. A change that is only remembered, or whose parts no column holds, is not among them.
pub(super) fn sent<'a>(layout: &Layout, changes: &[Change], view: View<'a>) -> Vec<Sent<'a>> {
    let names = NewNames::of(changes);
    let works = changes.iter().enumerate();
    works
        .filter_map(|(at, change)| {
            let (side, work) = work(layout, change, view, &names)?;
            Some(Sent { at, side, work })
        })
        .collect()
}

fn work<'a>(
    layout: &Layout,
    change: &Change,
    view: View<'a>,
    names: &NewNames,
) -> Option<(Side, Work<'a>)> {
    let side = match change.subject {
        Subject::Account(_) => Side::Accounts,
        Subject::Group(_) => Side::Groups,
    };
    let work = match change.step {
        Step::Create => Work::Create(values(change, view)?),
        Step::Update => {
            let what = sent_parts(change);
            if layout.entity(side)?.changed(what).is_empty() {
                return None;
            }
            let mut values = values(change, view)?;
            // The switch is what the change says: the roster may want it on while somebody else has switched it off.
            values.active = what.has(What::ACTIVATE);
            let row = row(change.subject, view);
            Work::Update { row, what, values }
        }
        Step::Delete => Work::Delete(row(change.subject, view)),
        Step::Members => return members(Side::Accounts, change, view, names),
        Step::Children => return members(Side::Groups, change, view, names),
    };
    Some((side, work))
}

/// The parts of an update that are written. Where nobody is wanted there is no value but the switch.
fn sent_parts(change: &Change) -> What {
    let switch = What::ACTIVATE.with(What::DEACTIVATE);
    match change.wanted {
        NONE => What(change.what.0 & switch.0),
        _ => change.what.without(What::REMEMBERED),
    }
}

/// The wanted values. An update without a wanted user or group (its user has left) only switches the account off, for
/// which no value is needed.
fn values<'a>(change: &Change, view: View<'a>) -> Option<Values<'a>> {
    if change.wanted == NONE {
        return (change.step == Step::Update).then(Values::default);
    }
    match change.subject {
        Subject::Account(_) => view
            .wanted_account(change)
            .map(|it| Values::of_account(&it)),
        Subject::Group(_) => view.wanted_group(change).map(|it| Values::of_group(&it)),
    }
}

fn row(subject: Subject, view: View<'_>) -> RowName<'_> {
    let holding = view.holding;
    match subject {
        Subject::Account(place) => RowName {
            name: view.account_name(place),
            id: holding
                .accounts
                .get(place as usize)
                .map_or("", |it| holding.text(it.seen.remote_id)),
        },
        Subject::Group(place) => RowName {
            name: view.group_name(place),
            id: holding
                .groups
                .get(place as usize)
                .map_or("", |it| holding.text(it.seen.remote_id)),
        },
    }
}

fn members<'a>(
    side: Side,
    change: &Change,
    view: View<'a>,
    names: &NewNames,
) -> Option<(Side, Work<'a>)> {
    let Subject::Group(group) = change.subject else {
        return None;
    };
    let name = |&place: &u32| match side {
        Side::Accounts => names.account(place, view),
        Side::Groups => names.group(place, view),
    };
    let give: Vec<&str> = view.plan.given(change).iter().map(name).collect();
    let take: Vec<&str> = view.plan.taken(change).iter().map(name).collect();
    let group = names.group(group, view);
    let work = Work::Members { group, give, take };
    (change.give + change.take > 0).then_some((side, work))
}

/// The places whose name a plan gives or changes, each with the roster's user or group, sorted by place.
struct NewNames {
    accounts: Vec<(u32, u32)>,
    groups: Vec<(u32, u32)>,
}

impl NewNames {
    fn of(changes: &[Change]) -> NewNames {
        let mut names = NewNames {
            accounts: Vec::new(),
            groups: Vec::new(),
        };
        for change in changes {
            let named = match change.step {
                Step::Create => true,
                Step::Update => change.what.has(What::RENAME) || change.what.has(What::SPELLING),
                Step::Members | Step::Children | Step::Delete => false,
            };
            if named && change.wanted != NONE {
                match change.subject {
                    Subject::Account(place) => names.accounts.push((place, change.wanted)),
                    Subject::Group(place) => names.groups.push((place, change.wanted)),
                }
            }
        }
        names.accounts.sort_unstable();
        names.groups.sort_unstable();
        names
    }

    fn account<'a>(&self, place: u32, view: View<'a>) -> &'a str {
        view.account_name_after(place, &self.accounts)
    }

    fn group<'a>(&self, place: u32, view: View<'a>) -> &'a str {
        match self.groups.binary_search_by_key(&place, |it| it.0) {
            Ok(at) => &view.roster.groups[self.groups[at].1 as usize].name,
            Err(_) => view.group_name(place),
        }
    }
}

/// A cell of a parameter.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Cell<'a> {
    Text(&'a str),
    Owned(String),
    Scalar(&'a Scalar),
}

/// What stands in a column.
pub(super) fn cell<'a>(field: &'a Field, entity: &'a Entity, values: &Values<'a>) -> Cell<'a> {
    let text = match field {
        Field::Name => values.name,
        Field::DisplayName => values.display_name,
        Field::GivenName => values.given_name,
        Field::FamilyName => values.family_name,
        Field::Email => values.email,
        Field::Directory => values.directory,
        Field::ExternalId => values.external_id,
        Field::Description => values.description,
        Field::LowerName => return Cell::Owned(text::fold(values.name)),
        Field::Fixed(value) => return Cell::Scalar(value),
        Field::Active => match &entity.active {
            Some(active) if values.active => return Cell::Scalar(&active.on),
            Some(active) => return Cell::Scalar(&active.off),
            None => "",
        },
    };
    Cell::Text(text)
}
