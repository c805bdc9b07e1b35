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
    let names = Names::after(changes, view);
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
    names: &Names<'a>,
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
    names: &Names<'a>,
) -> Option<(Side, Work<'a>)> {
    let Subject::Group(group) = change.subject else {
        return None;
    };
    let of_side = match side {
        Side::Accounts => &names.accounts,
        Side::Groups => &names.groups,
    };
    let name = |&place: &u32| of_side[place as usize];
    let give: Vec<&str> = view.plan.given(change).iter().map(name).collect();
    let take: Vec<&str> = view.plan.taken(change).iter().map(name).collect();
    let group = names.groups[group as usize];
    let work = Work::Members { group, give, take };
    (change.give + change.take > 0).then_some((side, work))
}

/// The names that accounts and groups have once the plan's steps were made, by place.
struct Names<'a> {
    accounts: Vec<&'a str>,
    groups: Vec<&'a str>,
}

impl<'a> Names<'a> {
    fn after(changes: &[Change], view: View<'a>) -> Names<'a> {
        let View {
            plan,
            roster,
            holding,
        } = view;
        let accounts = (holding.accounts.len() + plan.new_accounts.len()) as u32;
        let groups = (holding.groups.len() + plan.new_groups.len()) as u32;
        let mut names = Names {
            accounts: (0..accounts).map(|it| view.account_name(it)).collect(),
            groups: (0..groups).map(|it| view.group_name(it)).collect(),
        };
        let named = |it: &&Change| match it.step {
            Step::Create => true,
            Step::Update => renames(it.what),
            Step::Members | Step::Children | Step::Delete => false,
        };
        for change in changes.iter().filter(named).filter(|it| it.wanted != NONE) {
            match change.subject {
                Subject::Account(place) => {
                    names.accounts[place as usize] = roster.name(change.wanted);
                }
                Subject::Group(place) => {
                    names.groups[place as usize] = &roster.groups[change.wanted as usize].name;
                }
            }
        }
        names
    }
}

/// Whether the name changes, be it in spelling only.
pub(super) fn renames(what: What) -> bool {
    what.has(What::RENAME) || what.has(What::SPELLING)
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
