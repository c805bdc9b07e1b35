//! A product in memory that does what it is told, by name and by its own ids, and refuses what a real one would refuse.
//!
//! It never looks at what a plan believes: a name that is taken is taken, an account that is not there has no memberships.

use std::collections::{BTreeMap, BTreeSet};

use usersyncd::model::{
    Abilities, Change, NameRules, Observed, ObservedAccount, ObservedGroup, Refusal, Step, Subject,
    View, WantedAccount, What,
};
use usersyncd::text::fold;

/// How the product names what it holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Ids {
    /// By numbers of its own.
    #[default]
    Numbers,
    /// By its name alone: a rename changes the id.
    Names,
    /// By ids of its own that look like other accounts' names.
    Misleading,
}

/// One account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FakeAccount {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) display_name: String,
    pub(crate) given_name: String,
    pub(crate) family_name: String,
    pub(crate) email: String,
    pub(crate) directory: String,
    pub(crate) external_id: String,
    pub(crate) active: bool,
}

/// One group, with its members by number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FakeGroup {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) members: BTreeSet<u32>,
    pub(crate) children: BTreeSet<u32>,
}

/// What the product holds. Numbers are never used twice.
#[derive(Clone, Debug, Default)]
pub(crate) struct FakeServer {
    pub(crate) abilities: Abilities,
    pub(crate) ids: Ids,
    pub(crate) accounts: BTreeMap<u32, FakeAccount>,
    pub(crate) groups: BTreeMap<u32, FakeGroup>,
    /// The group that the product puts every account into that is made by a plan.
    pub(crate) default_group: Option<String>,
    next: u32,
    /// Ids that renames of a plan in hand have changed, by place and old id: the plan goes on naming the old ones.
    renamed_accounts: BTreeMap<(u32, String), String>,
    renamed_groups: BTreeMap<(u32, String), String>,
}

/// How much of a change is made before the connection breaks: so many of its parts.
pub(crate) const ALL: usize = usize::MAX;

impl FakeServer {
    /// An empty product.
    pub(crate) fn new(abilities: Abilities, ids: Ids) -> Self {
        FakeServer {
            abilities,
            ids,
            ..FakeServer::default()
        }
    }

    /// A complete listing.
    pub(crate) fn observe(&mut self) -> Observed {
        self.renamed_accounts.clear();
        self.renamed_groups.clear();
        let mut observed = Observed::default();
        for it in self.accounts.values() {
            let mut text = |value: &str| observed.pool.add(value);
            let account = ObservedAccount {
                remote_id: text(&it.id),
                name: text(&it.name),
                display_name: text(&it.display_name),
                given_name: text(&it.given_name),
                family_name: text(&it.family_name),
                email: text(&it.email),
                directory: text(&it.directory),
                external_id: text(&it.external_id),
                active: it.active,
            };
            observed.accounts.push(account);
        }
        let account_at: Vec<u32> = self.accounts.keys().copied().collect();
        let group_at: Vec<u32> = self.groups.keys().copied().collect();
        let index = |list: &[u32], number: &u32| list.binary_search(number).unwrap() as u32;
        for (at, it) in (0u32..).zip(self.groups.values()) {
            let mut text = |value: &str| observed.pool.add(value);
            let group = ObservedGroup {
                remote_id: text(&it.id),
                name: text(&it.name),
                description: text(&it.description),
            };
            observed.groups.push(group);
            let members = it.members.iter().map(|it| (at, index(&account_at, it)));
            observed.members.extend(members);
            let children = it.children.iter().map(|it| (at, index(&group_at, it)));
            observed.children.extend(children);
        }
        observed
    }

    /// Makes the first so many parts of a change ([`ALL`] for the whole of it) and tells the id that it led to.
    pub(crate) fn make(
        &mut self,
        change: &Change,
        view: View<'_>,
        parts: usize,
    ) -> Result<Option<String>, Refusal> {
        match (change.step, change.subject) {
            (Step::Create, Subject::Account(_)) => self.create_account(change, view),
            (Step::Update, Subject::Account(place)) => {
                self.update_account(change, view, place, parts)
            }
            (Step::Delete, Subject::Account(place)) => self.delete_account(view, place),
            (Step::Create, Subject::Group(_)) => self.create_group(change, view),
            (Step::Update, Subject::Group(place)) => self.update_group(change, view, place, parts),
            (Step::Delete, Subject::Group(place)) => self.delete_group(view, place),
            (Step::Members, Subject::Group(place)) => {
                self.change_members(change, view, place, parts)
            }
            (Step::Children, Subject::Group(place)) => {
                self.change_children(change, view, place, parts)
            }
            (Step::Members | Step::Children, Subject::Account(_)) => {
                Err(refused("an account has no members"))
            }
        }
    }

    /// Makes an account by hand; `None` where the name is taken.
    pub(crate) fn add_account(&mut self, name: &str) -> Option<u32> {
        if self.account_named(name).is_some() {
            return None;
        }
        let number = self.next;
        self.next += 1;
        let name = self.stored(name);
        let id = self.id_of(number, &name);
        let account = FakeAccount {
            id,
            name,
            active: true,
            ..FakeAccount::default()
        };
        self.accounts.insert(number, account);
        Some(number)
    }

    /// Makes a group by hand; `None` where the name is taken.
    pub(crate) fn add_group(&mut self, name: &str) -> Option<u32> {
        if self.group_named(name).is_some() {
            return None;
        }
        let number = self.next;
        self.next += 1;
        let name = self.stored(name);
        let id = self.id_of(number, &name);
        let group = FakeGroup {
            id,
            name,
            ..FakeGroup::default()
        };
        self.groups.insert(number, group);
        Some(number)
    }

    /// Deletes an account with its memberships.
    pub(crate) fn remove_account(&mut self, number: u32) {
        self.accounts.remove(&number);
        for group in self.groups.values_mut() {
            group.members.remove(&number);
        }
    }

    /// Deletes a group with its memberships.
    pub(crate) fn remove_group(&mut self, number: u32) {
        self.groups.remove(&number);
        for group in self.groups.values_mut() {
            group.children.remove(&number);
        }
    }

    /// The account of a name, in whatever spelling.
    pub(crate) fn account_named(&self, name: &str) -> Option<u32> {
        let key = fold(name);
        let found = self.accounts.iter().find(|it| fold(&it.1.name) == key);
        found.map(|it| *it.0)
    }

    /// The group of a name, in whatever spelling.
    pub(crate) fn group_named(&self, name: &str) -> Option<u32> {
        let key = fold(name);
        let found = self.groups.iter().find(|it| fold(&it.1.name) == key);
        found.map(|it| *it.0)
    }

    /// Gives an account another name by hand, unless that is taken.
    pub(crate) fn rename_account(&mut self, number: u32, name: &str) -> Result<(), Refusal> {
        if self.account_named(name).is_some_and(|it| it != number) {
            return Err(refused("the name is taken"));
        }
        let name = self.stored(name);
        let by_name = self.ids == Ids::Names;
        let account = self.accounts.get_mut(&number).ok_or_else(gone)?;
        if by_name {
            account.id.clone_from(&name);
        }
        account.name = name;
        Ok(())
    }

    fn stored(&self, name: &str) -> String {
        match self.abilities.names {
            NameRules::Folded => name.to_owned(),
            NameRules::LowerCased => fold(name),
        }
    }

    fn id_of(&self, number: u32, name: &str) -> String {
        const MISLEADING: [&str; 6] = ["ilker", "anna", "jürgen", "strasse", "straße", "n01"];
        match self.ids {
            Ids::Numbers => (1000 + number).to_string(),
            Ids::Names => name.to_owned(),
            Ids::Misleading => match MISLEADING.get(number as usize) {
                Some(id) => (*id).to_owned(),
                None => format!("n{number:02}"),
            },
        }
    }

    /// The account that a plan means by a place.
    fn account(&self, view: View<'_>, place: u32) -> Result<u32, Refusal> {
        let Some(known) = view.holding.accounts.get(place as usize) else {
            let name = view.account_name(place);
            return self.account_named(name).ok_or_else(gone);
        };
        let id = view.holding.text(known.seen.remote_id).to_owned();
        let id = self
            .renamed_accounts
            .get(&(place, id.clone()))
            .unwrap_or(&id);
        let found = self.accounts.iter().find(|it| it.1.id == *id);
        found.map(|it| *it.0).ok_or_else(gone)
    }

    fn group(&self, view: View<'_>, place: u32) -> Result<u32, Refusal> {
        let Some(known) = view.holding.groups.get(place as usize) else {
            let name = view.group_name(place);
            return self.group_named(name).ok_or_else(gone);
        };
        let id = view.holding.text(known.seen.remote_id).to_owned();
        let id = self.renamed_groups.get(&(place, id.clone())).unwrap_or(&id);
        let found = self.groups.iter().find(|it| it.1.id == *id);
        found.map(|it| *it.0).ok_or_else(gone)
    }

    fn create_account(
        &mut self,
        change: &Change,
        view: View<'_>,
    ) -> Result<Option<String>, Refusal> {
        let wanted = view.wanted_account(change).ok_or_else(nobody)?;
        if !wanted.active && !self.abilities.deactivate {
            return Err(refused("an account cannot be inactive"));
        }
        let number = self.add_account(wanted.name).ok_or_else(taken)?;
        let can = self.abilities.fields;
        if let Some(account) = self.accounts.get_mut(&number) {
            account.active = wanted.active;
            for ((field, value, _), can) in fields(account, &wanted).into_iter().zip(can_hold(can))
            {
                if can {
                    value.clone_into(field);
                }
            }
        }
        let group = self.default_group.as_deref();
        let group = group.and_then(|it| self.group_named(it));
        if let Some(group) = group.and_then(|it| self.groups.get_mut(&it)) {
            group.members.insert(number);
        }
        Ok(self.accounts.get(&number).map(|it| it.id.clone()))
    }

    fn update_account(
        &mut self,
        change: &Change,
        view: View<'_>,
        place: u32,
        parts: usize,
    ) -> Result<Option<String>, Refusal> {
        let number = self.account(view, place)?;
        let what = change.what;
        let mut left = parts;
        let mut part = |wanted: bool| {
            let now = wanted && left > 0;
            left -= usize::from(now);
            now
        };
        let mut id = None;
        if part(what.has(What::RENAME) || what.has(What::SPELLING)) {
            if what.has(What::RENAME) && !self.abilities.rename_accounts {
                return Err(refused("accounts cannot be renamed"));
            }
            let wanted = view.wanted_account(change).ok_or_else(nobody)?;
            let old = self.accounts[&number].id.clone();
            self.rename_account(number, wanted.name)?;
            let new = self.accounts[&number].id.clone();
            self.renamed_accounts.remove(&(place, new.clone()));
            self.renamed_accounts.insert((place, old), new.clone());
            id = Some(new);
        }
        let can = can_hold(self.abilities.fields);
        if let Some(wanted) = view.wanted_account(change) {
            let account = self.accounts.get_mut(&number).ok_or_else(gone)?;
            for ((field, value, bit), can) in fields(account, &wanted).into_iter().zip(can) {
                if part(what.has(bit)) {
                    if !can {
                        return Err(refused("there is no such field"));
                    }
                    value.clone_into(field);
                }
            }
        }
        if part(what.has(What::ACTIVATE) || what.has(What::DEACTIVATE)) {
            if !self.abilities.deactivate {
                return Err(refused("accounts cannot be switched"));
            }
            let account = self.accounts.get_mut(&number).ok_or_else(gone)?;
            account.active = what.has(What::ACTIVATE);
        }
        Ok(id)
    }

    fn delete_account(&mut self, view: View<'_>, place: u32) -> Result<Option<String>, Refusal> {
        if !self.abilities.delete_accounts {
            return Err(refused("accounts cannot be deleted"));
        }
        let number = self.account(view, place)?;
        self.remove_account(number);
        Ok(None)
    }

    fn create_group(&mut self, change: &Change, view: View<'_>) -> Result<Option<String>, Refusal> {
        let wanted = view.wanted_group(change).ok_or_else(nobody)?;
        let describes = self.abilities.describe_groups;
        let number = self.add_group(wanted.name).ok_or_else(taken)?;
        let group = self.groups.get_mut(&number).ok_or_else(gone)?;
        if describes {
            wanted.description.clone_into(&mut group.description);
        }
        Ok(Some(group.id.clone()))
    }

    fn update_group(
        &mut self,
        change: &Change,
        view: View<'_>,
        place: u32,
        parts: usize,
    ) -> Result<Option<String>, Refusal> {
        let number = self.group(view, place)?;
        let what = change.what;
        let mut id = None;
        let renames = what.has(What::RENAME) || what.has(What::SPELLING);
        if renames && parts > 0 {
            if !self.abilities.rename_groups {
                return Err(refused("groups cannot be renamed"));
            }
            let wanted = view.wanted_group(change).ok_or_else(nobody)?;
            if self.group_named(wanted.name).is_some_and(|it| it != number) {
                return Err(taken());
            }
            let name = self.stored(wanted.name);
            let by_name = self.ids == Ids::Names;
            let group = self.groups.get_mut(&number).ok_or_else(gone)?;
            let old = group.id.clone();
            if by_name {
                group.id.clone_from(&name);
            }
            group.name = name;
            let new = group.id.clone();
            self.renamed_groups.remove(&(place, new.clone()));
            self.renamed_groups.insert((place, old), new.clone());
            id = Some(new);
        }
        if what.has(What::DESCRIPTION) && parts > usize::from(renames) {
            if !self.abilities.describe_groups {
                return Err(refused("groups cannot be described"));
            }
            let wanted = view.wanted_group(change).ok_or_else(nobody)?;
            let group = self.groups.get_mut(&number).ok_or_else(gone)?;
            wanted.description.clone_into(&mut group.description);
        }
        Ok(id)
    }

    fn delete_group(&mut self, view: View<'_>, place: u32) -> Result<Option<String>, Refusal> {
        if !self.abilities.delete_groups {
            return Err(refused("groups cannot be deleted"));
        }
        let number = self.group(view, place)?;
        self.remove_group(number);
        Ok(None)
    }

    fn change_members(
        &mut self,
        change: &Change,
        view: View<'_>,
        place: u32,
        parts: usize,
    ) -> Result<Option<String>, Refusal> {
        let number = self.group(view, place)?;
        let given = view.plan.given(change).iter();
        let given: Vec<u32> = given
            .map(|it| self.account(view, *it))
            .collect::<Result<_, _>>()?;
        let taken = view.plan.taken(change).iter();
        // Taking from somebody who is gone is done already.
        let taken: Vec<u32> = taken
            .filter_map(|it| self.account(view, *it).ok())
            .collect();
        let group = self.groups.get_mut(&number).ok_or_else(gone)?;
        move_members(&mut group.members, &given, &taken, parts);
        Ok(None)
    }

    fn change_children(
        &mut self,
        change: &Change,
        view: View<'_>,
        place: u32,
        parts: usize,
    ) -> Result<Option<String>, Refusal> {
        if !self.abilities.nest {
            return Err(refused("groups cannot be nested"));
        }
        let number = self.group(view, place)?;
        let given = view.plan.given(change).iter();
        let given: Vec<u32> = given
            .map(|it| self.group(view, *it))
            .collect::<Result<_, _>>()?;
        let taken = view.plan.taken(change).iter();
        let taken: Vec<u32> = taken.filter_map(|it| self.group(view, *it).ok()).collect();
        let group = self.groups.get_mut(&number).ok_or_else(gone)?;
        move_members(&mut group.children, &given, &taken, parts);
        Ok(None)
    }
}

fn move_members(members: &mut BTreeSet<u32>, given: &[u32], taken: &[u32], parts: usize) {
    for it in given.iter().take(parts) {
        members.insert(*it);
    }
    for it in taken.iter().take(parts.saturating_sub(given.len())) {
        members.remove(it);
    }
}

/// The text fields of an account, what they should be, and the part of an update that says so.
fn fields<'a>(
    account: &'a mut FakeAccount,
    wanted: &WantedAccount<'a>,
) -> [(&'a mut String, &'a str, What); 6] {
    [
        (
            &mut account.display_name,
            wanted.display_name,
            What::DISPLAY_NAME,
        ),
        (&mut account.given_name, wanted.given_name, What::GIVEN_NAME),
        (
            &mut account.family_name,
            wanted.family_name,
            What::FAMILY_NAME,
        ),
        (&mut account.email, wanted.email, What::EMAIL),
        (&mut account.directory, wanted.directory, What::DIRECTORY),
        (
            &mut account.external_id,
            wanted.external_id,
            What::EXTERNAL_ID,
        ),
    ]
}

/// Which of those fields the product can hold, in the same order.
fn can_hold(it: usersyncd::model::Fields) -> [bool; 6] {
    [
        it.display_name,
        it.given_name,
        it.family_name,
        it.email,
        it.directory,
        it.external_id,
    ]
}

fn refused(why: &str) -> Refusal {
    Refusal::Refused(why.to_owned())
}

fn taken() -> Refusal {
    refused("the name is taken")
}

fn gone() -> Refusal {
    Refusal::Stale("it is not there".to_owned())
}

fn nobody() -> Refusal {
    refused("nobody is wanted there")
}
