//! What is never touched: by the configuration's globs, by the application's own administrators, by the daemon's own login.

use std::collections::BTreeSet;

use crate::model::Abilities;
use crate::reconcile::world::World;
use crate::text;

/// The accounts that are never touched.
pub(crate) fn protected_accounts(world: &World<'_>) -> Vec<bool> {
    let (rules, abilities, holding) = (world.rules, world.abilities, world.holding);
    let none = rules.protect_users.is_empty() && abilities.own_account.is_none();
    let by_name = |place: usize| {
        let key = text::fold(holding.account_name(place as u32));
        is_protected_name(world, &key)
    };
    let mut protected: Vec<bool> = (0..holding.accounts.len())
        .map(|place| !none && by_name(place))
        .collect();
    for group in admin_groups(world) {
        for member in &holding.groups[group].members {
            protected[member.place() as usize] = true;
        }
    }
    protected
}

/// The built-in administrators' groups and the groups in them, whose members are administrators just so.
fn admin_groups(world: &World<'_>) -> BTreeSet<usize> {
    let holding = world.holding;
    let is_admin = |place: &usize| {
        let group = &holding.groups[*place];
        let key = text::fold(holding.text(group.seen.name));
        group.exists && is_admin_group(world.rules.protect_defaults, world.abilities, &key)
    };
    let mut open: Vec<usize> = (0..holding.groups.len()).filter(is_admin).collect();
    let mut found = BTreeSet::new();
    while let Some(group) = open.pop() {
        if found.insert(group) {
            let children = &holding.groups[group].children;
            open.extend(children.iter().map(|it| it.place() as usize));
        }
    }
    found
}

/// Whether an account of this folded name is never touched, and never made.
pub(crate) fn is_protected_name(world: &World<'_>, key: &str) -> bool {
    world.rules.protect_users.is_match(key) || world.abilities.own_account.as_deref() == Some(key)
}

/// Whether a folded group name is that of a built-in administrators' group.
pub(crate) fn is_admin_group(defaults: bool, abilities: &Abilities, key: &str) -> bool {
    defaults && abilities.admin_groups.iter().any(|it| it == key)
}
