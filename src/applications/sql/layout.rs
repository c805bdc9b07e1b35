//! The tables as statements need them: what was written in the configuration, taken for what it means.
//!
//! Accounts and groups are both rows with a name, memberships and nesting are both pairs of references, so there are two
//! shapes of table and every statement is written once for both uses of its shape.

use std::collections::BTreeMap;

use crate::applications::sql::config::{
    ActiveColumn, GroupsTable, Scalar, SqlConfig, Tables, UsersTable,
};
use crate::model::{Abilities, Batch, Fields, NameRules, What};

/// What stands in a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// The name of the account or group, as pushed.
    Name,
    /// The name in lower case.
    LowerName,
    DisplayName,
    GivenName,
    FamilyName,
    Email,
    /// The winning directory's name.
    Directory,
    ExternalId,
    /// What a group is for.
    Description,
    /// Whether the account is switched on.
    Active,
    /// The same value for every row, written only when the row is made.
    Fixed(Scalar),
}

/// A table of accounts or of groups.
#[derive(Clone, Debug)]
pub(super) struct Entity {
    pub(super) table: String,
    /// The column of the name.
    pub(super) key: String,
    /// The column that the database fills and by which other tables refer to a row.
    pub(super) id: Option<String>,
    /// All columns that are written, the one of the name first.
    pub(super) columns: Vec<(String, Field)>,
    /// How the switch is written.
    pub(super) active: Option<ActiveColumn>,
}

/// A table of pairs: which row is in which group.
#[derive(Clone, Debug)]
pub(super) struct Edge {
    pub(super) table: String,
    /// The column that refers to the group that contains.
    pub(super) group: String,
    /// The column that refers to what is contained.
    pub(super) member: String,
    /// Values for every row, written only when the row is made.
    pub(super) fixed: Vec<(String, Scalar)>,
}

/// All tables of one application.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) users: Entity,
    pub(super) groups: Option<Entity>,
    /// Users in groups.
    pub(super) memberships: Option<Edge>,
    /// Groups in groups.
    pub(super) nesting: Option<Edge>,
    /// The default tables, of which the one for nesting exists only where groups are nested.
    pub(super) default: bool,
}

/// Whose rows, by table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    Groups,
    Accounts,
}

impl Field {
    /// The part of an update that changes the field; `None` for what no update changes.
    fn part(&self, what: What) -> Option<What> {
        let part = match self {
            Field::Name if what.has(What::RENAME) => What::RENAME,
            Field::Name => What::SPELLING,
            Field::LowerName => What::RENAME,
            Field::DisplayName => What::DISPLAY_NAME,
            Field::GivenName => What::GIVEN_NAME,
            Field::FamilyName => What::FAMILY_NAME,
            Field::Email => What::EMAIL,
            Field::Directory => What::DIRECTORY,
            Field::ExternalId => What::EXTERNAL_ID,
            Field::Description => What::DESCRIPTION,
            Field::Active if what.has(What::ACTIVATE) => What::ACTIVATE,
            Field::Active => What::DEACTIVATE,
            Field::Fixed(_) => return None,
        };
        Some(part)
    }
}

impl Entity {
    /// The column by which other tables refer to a row.
    pub(super) fn reference(&self) -> &str {
        self.id.as_ref().unwrap_or(&self.key)
    }

    /// The columns that an update of these parts writes.
    pub(super) fn changed(&self, what: What) -> Vec<&(String, Field)> {
        let named = |field: &Field| field.part(what).is_some_and(|part| what.has(part));
        self.columns.iter().filter(|it| named(&it.1)).collect()
    }

    /// The column of a field, if there is one.
    pub(super) fn column(&self, field: &Field) -> Option<&str> {
        let found = self.columns.iter().find(|it| it.1 == *field);
        found.map(|it| it.0.as_str())
    }

    fn of_users(users: UsersTable) -> Entity {
        let named = [
            (Some(users.key.clone()), Field::Name),
            (users.lower_key, Field::LowerName),
            (users.columns.display_name, Field::DisplayName),
            (users.columns.given_name, Field::GivenName),
            (users.columns.family_name, Field::FamilyName),
            (users.columns.email, Field::Email),
            (users.columns.directory, Field::Directory),
            (users.columns.external_id, Field::ExternalId),
            (
                users.active.as_ref().map(|it| it.column.clone()),
                Field::Active,
            ),
        ];
        Entity {
            table: users.table,
            key: users.key,
            id: users.id,
            columns: columns(named, users.fixed),
            active: users.active,
        }
    }

    fn of_groups(groups: GroupsTable) -> Entity {
        let named = [
            (Some(groups.key.clone()), Field::Name),
            (groups.description, Field::Description),
        ];
        Entity {
            table: groups.table,
            key: groups.key,
            id: groups.id,
            columns: columns(named, groups.fixed),
            active: None,
        }
    }
}

impl Layout {
    /// The tables that the options mean.
    pub(super) fn new(config: SqlConfig) -> Layout {
        let default = config.tables.is_none();
        let tables: Tables = config.tables.unwrap_or_default();
        Layout {
            users: Entity::of_users(tables.users),
            groups: tables.groups.map(Entity::of_groups),
            memberships: tables.memberships.map(|it| Edge {
                table: it.table,
                group: it.group,
                member: it.user,
                fixed: it.fixed.into_iter().collect(),
            }),
            nesting: tables.group_memberships.map(|it| Edge {
                table: it.table,
                group: it.parent,
                member: it.child,
                fixed: it.fixed.into_iter().collect(),
            }),
            default,
        }
    }

    /// The table of one side's rows.
    pub(super) fn entity(&self, side: Side) -> Option<&Entity> {
        match side {
            Side::Accounts => Some(&self.users),
            Side::Groups => self.groups.as_ref(),
        }
    }

    /// The table that says which rows of one side are in which group.
    pub(super) fn edge(&self, members: Side) -> Option<&Edge> {
        match members {
            Side::Accounts => self.memberships.as_ref(),
            Side::Groups => self.nesting.as_ref(),
        }
    }

    /// What these tables can hold.
    pub(super) fn abilities(&self) -> Abilities {
        let holds = |field: Field| self.users.column(&field).is_some();
        let groups = self.groups.as_ref();
        Abilities {
            served: false,
            fields: Fields {
                display_name: holds(Field::DisplayName),
                given_name: holds(Field::GivenName),
                family_name: holds(Field::FamilyName),
                email: holds(Field::Email),
                directory: holds(Field::Directory),
                external_id: holds(Field::ExternalId),
            },
            deactivate: holds(Field::Active),
            delete_accounts: true,
            rename_accounts: true,
            groups: groups.is_some(),
            describe_groups: groups.is_some_and(|it| it.column(&Field::Description).is_some()),
            rename_groups: groups.is_some(),
            delete_groups: groups.is_some(),
            nest: self.nesting.is_some(),
            gives_groups: false,
            names: NameRules::Folded,
            batch: Batch::Whole,
            admin_groups: Vec::new(),
            own_account: None,
        }
    }

    /// Every table with every column that is read or written.
    pub(super) fn needed(&self) -> Vec<(&str, Vec<&str>)> {
        let entities = std::iter::once(&self.users).chain(&self.groups);
        let entities = entities.map(|it| {
            let written = it.columns.iter().map(|column| column.0.as_str());
            (it.table.as_str(), written.chain(it.id.as_deref()).collect())
        });
        let edges = self.memberships.iter().chain(&self.nesting).map(|it| {
            let fixed = it.fixed.iter().map(|column| column.0.as_str());
            let ends = [it.group.as_str(), it.member.as_str()];
            (it.table.as_str(), ends.into_iter().chain(fixed).collect())
        });
        entities.chain(edges).collect()
    }
}

fn columns<const N: usize>(
    named: [(Option<String>, Field); N],
    fixed: BTreeMap<String, Scalar>,
) -> Vec<(String, Field)> {
    let named = named
        .into_iter()
        .filter_map(|(column, field)| Some((column?, field)));
    let fixed = fixed
        .into_iter()
        .map(|(column, value)| (column, Field::Fixed(value)));
    named.chain(fixed).collect()
}
