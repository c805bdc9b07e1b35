//! Which account is whose: roster users to accounts by stable id, then by pushed name, then by mail where that is allowed.
//!
//! An account changes its record only to the same person. Whoever cannot be proven to be that person is held, and the account
//! counts as left. Nothing here touches an account that is neither linked nor adopted.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Abilities, HoldKey, HoldReason, NONE, Reason, RecordRef, StrId, Withheld};
use crate::reconcile::lookup::{Index, Mails, user_mails};
use crate::reconcile::resolve::{Choice, Resolution};
use crate::reconcile::scope::{Position, Scope};
use crate::reconcile::snapshot::{Names, Snapshot, Standing};
use crate::reconcile::world::{self, World};
use crate::text;

/// What an account of the application is to this plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountState {
    /// Not there.
    Missing,
    /// Not ours.
    Unlinked,
    /// Never touched.
    Protected,
    /// Nothing changes: its user is unknown, or a rename of it or onto its name is held.
    Frozen,
    /// The account of this roster user.
    Wanted(u32),
    /// Ours, and no roster user is its person any more.
    Left(Reason),
    /// Its user is of a kind that the application does not take: it keeps the account and loses the memberships.
    OutOfKind,
    /// Its user is tied to another username, or a tie ended: held.
    Tied,
    /// Its user may be in scope or elsewhere; what would tell could not be read. The text says what.
    Unsure(Doubt),
}

impl AccountState {
    /// Whether it is the account of a roster user.
    pub fn is_wanted(self) -> bool {
        matches!(self, AccountState::Wanted(_))
    }
}

/// Why something is not done although nobody need act on the change itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doubt {
    /// The directory at this place was never read completely.
    Unread(u16),
    /// The directory at this place is stale.
    Stale(u16),
    /// A group of `members_of` could not be read.
    Scope,
    /// The account of the same name is kept as it is, because its own user is unknown.
    Frozen,
}

/// What a roster user is to this plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserState {
    /// It gets a new account.
    New,
    /// It has this account, for this reason if the link is new.
    Account(u32, Option<Reason>),
    /// Its account is held back.
    Held(HoldReason),
    /// Its account is protected.
    Protected,
    /// It would surface below a directory that was not read.
    Unsure(Doubt),
    /// It is inactive, has no account, and the application cannot hold inactive ones.
    NotCreated,
}

/// Roster users and accounts, joined.
#[derive(Debug, Default)]
pub struct Matching {
    /// By place.
    pub accounts: Vec<AccountState>,
    /// By roster user.
    pub users: Vec<UserState>,
    /// What needs a person.
    pub held: Vec<Withheld<HoldReason>>,
    /// By place, the number of the account's folded name.
    pub account_key: Vec<u32>,
}

/// What is looked up while matching.
pub(crate) struct Matcher<'w, 'a> {
    world: &'w World<'a>,
    snapshots: &'w [Option<Snapshot<'a>>],
    resolution: &'w Resolution,
    scope: &'w Scope<'a>,
    names: &'w Names,
    /// By place, the record its link (or its external id) names.
    linked: &'w [Option<RecordRef>],
    link_mails: Mails,
    user_mails: Vec<Mails>,
    roster_mails: Mails,
    account_mails: Mails,
    out: Matching,
    /// By username number, the first account of that folded name; the others stand in `more`.
    first_of_name: Vec<u32>,
    more: BTreeMap<u32, Vec<u32>>,
    /// Folded mails of accounts that nobody may be created beside: unlinked ones and frozen ones.
    claimed: BTreeMap<String, Vec<u32>>,
}

/// By account place, the record that its link or its external id names. Most accounts bear the name of their record, so that
/// one is looked at first; ids are indexed only where a name has led nowhere.
pub(crate) fn linked_records(
    world: &World<'_>,
    snapshots: &[Option<Snapshot<'_>>],
    account_key: &[u32],
    names: usize,
) -> Vec<Option<RecordRef>> {
    let holding = world.holding;
    let by_name: Vec<Vec<u32>> = snapshots
        .iter()
        .map(|snapshot| {
            let keys = snapshot.as_ref().map_or(&[][..], |it| &it.user_key);
            let mut by_name = vec![NONE; names];
            for (record, &key) in (0u32..).zip(keys) {
                by_name[key as usize] = record;
            }
            by_name
        })
        .collect();
    let mut by_id: Vec<Option<Index<'_>>> = world.directories.iter().map(|_| None).collect();
    let place_of = |id: &str| world.directories.iter().position(|it| it.id == id);
    let place_named = |name: &str| world.directories.iter().position(|it| it.name == name);
    let mut places: BTreeMap<StrId, Option<usize>> = BTreeMap::new();
    let mut find = |place: Option<usize>, id: &str, key: u32| {
        let place = place?;
        let records = world.directories[place].records?;
        let named = by_name[place][key as usize];
        let is_it = |it: u32| it != NONE && records.text(records.users[it as usize].id) == id;
        let record = if is_it(named) {
            named
        } else {
            let index = by_id[place].get_or_insert_with(|| Index::user_ids(records));
            index.find(id)?
        };
        Some(RecordRef {
            directory: place as u16,
            record,
        })
    };
    holding
        .accounts
        .iter()
        .zip(account_key)
        .map(|(account, &key)| match &account.link {
            _ if !account.exists => None,
            Some(link) => {
                let place = *places
                    .entry(link.directory)
                    .or_insert_with(|| place_of(holding.text(link.directory)));
                find(place, holding.text(link.user_id), key)
            }
            None if account.seen.external_id.is_empty() => None,
            None => find(
                place_named(holding.text(account.seen.directory)),
                holding.text(account.seen.external_id),
                key,
            ),
        })
        .collect()
}

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

impl<'w, 'a> Matcher<'w, 'a> {
    pub(crate) fn run(
        world: &'w World<'a>,
        snapshots: &'w [Option<Snapshot<'a>>],
        resolution: &'w Resolution,
        scope: &'w Scope<'a>,
        names: &'w Names,
        linked: &'w [Option<RecordRef>],
        account_key: Vec<u32>,
    ) -> Matching {
        let protected = protected_accounts(world);
        let state = |(account, protected): (&crate::model::Account, &bool)| match account {
            it if !it.exists => AccountState::Missing,
            _ if *protected => AccountState::Protected,
            it if it.link.is_none() => AccountState::Unlinked,
            _ => AccountState::Left(Reason::Absent),
        };
        let accounts = world
            .holding
            .accounts
            .iter()
            .zip(&protected)
            .map(state)
            .collect();
        let mut matcher = Matcher {
            world,
            snapshots,
            resolution,
            scope,
            names,
            linked,
            link_mails: Mails::default(),
            user_mails: world.directories.iter().map(|_| Mails::default()).collect(),
            roster_mails: Mails::default(),
            account_mails: Mails::default(),
            out: Matching {
                accounts,
                users: vec![UserState::New; scope.roster.users.len()],
                held: Vec::new(),
                account_key,
            },
            first_of_name: vec![NONE; names.users.len()],
            more: BTreeMap::new(),
            claimed: BTreeMap::new(),
        };
        matcher.index_names();
        matcher.match_by_id();
        matcher.hold_twins();
        matcher.match_by_name();
        matcher.follow_renames();
        matcher.match_by_mail();
        matcher.settle_the_rest();
        matcher.out
    }

    fn index_names(&mut self) {
        for (place, &key) in self.out.account_key.iter().enumerate() {
            if self.out.accounts[place] == AccountState::Missing {
                continue;
            }
            let first = &mut self.first_of_name[key as usize];
            if *first == NONE {
                *first = place as u32;
            } else {
                self.more.entry(key).or_default().push(place as u32);
            }
        }
    }

    /// First the accounts whose link (or external id) names the winning record, or a record of the same tied person.
    fn match_by_id(&mut self) {
        for place in 0..self.out.accounts.len() {
            let state = self.out.accounts[place];
            if state == AccountState::Missing {
                continue;
            }
            if matches!(state, AccountState::Left(_))
                && let Some(state) = self.state_without_user(place)
            {
                self.out.accounts[place] = state;
                continue;
            }
            let Some(at) = self.linked[place] else {
                continue;
            };
            let Some(snapshot) = &self.snapshots[at.directory as usize] else {
                continue;
            };
            let person = self.resolution.person(snapshot, at);
            let Position::In(user) = self.scope.position[person as usize] else {
                continue;
            };
            let wanted = &self.scope.roster.users[user as usize];
            let (tied, valid) = (
                wanted.tied,
                snapshot.standing[at.record as usize] == Standing::Valid,
            );
            let ours = matches!(state, AccountState::Left(_));
            if wanted.record == at && !tied && ours && self.ends_a_tie(place, user) {
                self.hold_end_of_tie(place as u32, user);
            } else if wanted.record == at || (tied && valid) {
                self.assign_by_id(place as u32, user);
            }
        }
    }

    /// Whether an account that several usernames shared would be renamed because they no longer do.
    fn ends_a_tie(&self, place: usize, user: u32) -> bool {
        let link = self.world.holding.accounts[place].link.as_ref();
        let renamed = self.out.account_key[place] != self.name_of(user);
        let change = format!("rename to {}", self.scope.roster.key(user));
        renamed
            && link.is_some_and(|it| it.tied)
            && !self.approved_of_account(place as u32, &change, HoldReason::Tie)
    }

    fn hold_end_of_tie(&mut self, place: u32, user: u32) {
        let change = format!("rename to {}", self.scope.roster.key(user));
        let detail = "it is the account of several usernames that are no longer tied";
        self.hold_account(place, &change, HoldReason::Tie, detail);
        self.out.accounts[place as usize] = AccountState::Tied;
        self.out.users[user as usize] = UserState::Held(HoldReason::Tie);
    }

    /// The number of the folded name that a roster user is pushed under.
    fn name_of(&self, user: u32) -> u32 {
        let named = self.scope.roster.users[user as usize].named;
        self.snapshots[named.directory as usize]
            .as_ref()
            .map_or(0, |it| it.user_key[named.record as usize])
    }

    /// The state of a linked account whose user is not to be looked for: unknown, or in a directory that was never read.
    fn state_without_user(&self, place: usize) -> Option<AccountState> {
        let link = self.world.holding.accounts[place].link.as_ref()?;
        let (directory, id) = (
            self.world.holding.text(link.directory),
            self.world.holding.text(link.user_id),
        );
        let listed = self
            .world
            .directories
            .iter()
            .position(|it| it.id == directory);
        if let Some(directory) = listed {
            let Some(snapshot) = &self.snapshots[directory] else {
                return Some(AccountState::Unsure(Doubt::Unread(directory as u16)));
            };
            let key = self.out.account_key[place];
            let may_be_rejected = self.linked[place].is_none()
                && (snapshot.ousted_keys.contains(&key)
                    || snapshot.rejected_keys.binary_search(&key).is_ok());
            if snapshot.rejected_ids.binary_search(&id).is_ok() || may_be_rejected {
                return Some(AccountState::Frozen);
            }
        }
        if let Some(at) = self.linked[place]
            && let Some(snapshot) = &self.snapshots[at.directory as usize]
        {
            let standing = snapshot.standing[at.record as usize];
            if matches!(standing, Standing::Unknown | Standing::Duplicate) {
                return Some(AccountState::Frozen);
            }
            let person = self.resolution.person(snapshot, at) as usize;
            if standing == Standing::Valid {
                return (self.scope.position[person] == Position::Frozen)
                    .then_some(AccountState::Frozen);
            }
        }
        self.name_is_frozen(place).then_some(AccountState::Frozen)
    }

    /// Whether the user of the account's name is unknown.
    fn name_is_frozen(&self, place: usize) -> bool {
        self.resolution.is_frozen(self.out.account_key[place])
    }

    fn assign_by_id(&mut self, place: u32, user: u32) {
        let linked = self.world.holding.accounts[place as usize].link.is_some();
        if self.out.accounts[place as usize] == AccountState::Protected {
            // Whoever has a protected account, under whatever name, gets no other one.
            if linked && self.out.users[user as usize] == UserState::New {
                self.out.users[user as usize] = UserState::Protected;
            }
            return;
        }
        let how = if linked { None } else { Some(Reason::SameId) };
        match self.out.users[user as usize] {
            UserState::New => {
                self.out.users[user as usize] = UserState::Account(place, how);
                self.out.accounts[place as usize] = AccountState::Wanted(user);
            }
            UserState::Account(other, other_how) => {
                // Of two accounts of one user, the linked one counts, and of two linked ones the one that bears the name.
                let rank = |how: Option<Reason>, place: u32| {
                    let named = self.out.account_key[place as usize] == self.name_of(user);
                    (how.is_some(), !named)
                };
                let better = rank(how, place) < rank(other_how, other);
                let loser = if better { other } else { place };
                if better {
                    self.out.users[user as usize] = UserState::Account(place, how);
                    self.out.accounts[place as usize] = AccountState::Wanted(user);
                }
                let was_linked = self.world.holding.accounts[loser as usize].link.is_some();
                self.out.accounts[loser as usize] = if was_linked {
                    self.hold_tie(loser as usize)
                } else {
                    AccountState::Unlinked
                };
            }
            _ => {}
        }
    }

    /// Two users that would be pushed under one name: only ties can bring that about.
    fn hold_twins(&mut self) {
        let roster = &self.scope.roster;
        let users = roster.users.len() as u32;
        for user in 0..users {
            let beside = [user.checked_sub(1), Some(user + 1).filter(|it| *it < users)];
            let twin = |other: &u32| roster.key(*other) == roster.key(user);
            if !beside.iter().flatten().any(twin) {
                continue;
            }
            if let UserState::Account(place, _) = self.out.users[user as usize] {
                let linked = self.world.holding.accounts[place as usize].link.is_some();
                self.out.accounts[place as usize] = if linked {
                    AccountState::Frozen
                } else {
                    AccountState::Unlinked
                };
            }
            let detail = "two users of the roster would be pushed under this name";
            self.hold(user, "create", HoldReason::Ambiguous, detail.to_owned());
        }
    }

    /// Then, for every user still without an account, the account of the same pushed name. Who needs a mail for proof comes
    /// last: by then it is known which accounts have another mail after this plan.
    fn match_by_name(&mut self) {
        for by_mail in [false, true] {
            for user in 0..self.scope.roster.users.len() as u32 {
                if self.out.users[user as usize] == UserState::New {
                    let state = self.find_account(user, by_mail);
                    self.settle(user, state);
                }
            }
        }
    }

    /// Then, for every user still without an account, the account of the same mail; whoever has none is new.
    fn match_by_mail(&mut self) {
        self.claim_mails();
        for user in 0..self.scope.roster.users.len() as u32 {
            if self.out.users[user as usize] == UserState::New {
                let state = self.without_account(user);
                self.settle(user, state);
            }
        }
    }

    fn settle(&mut self, user: u32, state: UserState) {
        self.out.users[user as usize] = state;
        if let UserState::Account(place, _) = state {
            self.out.accounts[place as usize] = AccountState::Wanted(user);
        }
    }

    fn claim_mails(&mut self) {
        for (place, state) in self.out.accounts.iter().enumerate() {
            let account = &self.world.holding.accounts[place];
            let seen = account.seen.email;
            let mail = match state {
                AccountState::Unlinked | AccountState::Frozen => seen,
                // One of several usernames may be gone, and the others must not get an account beside it.
                AccountState::Left(_) => match &account.link {
                    Some(link) if link.tied => link.mail,
                    _ => continue,
                },
                // Nobody's account is not less so for being protected.
                AccountState::Protected if account.link.is_none() => seen,
                _ => continue,
            };
            let mail = self.world.holding.text(mail);
            if !mail.is_empty() {
                let same = self.claimed.entry(text::fold(mail)).or_default();
                same.push(place as u32);
            }
        }
    }

    /// The account of a user's pushed name; [`UserState::New`] where there is none, or where it is to be renamed away.
    fn find_account(&mut self, user: u32, by_mail: bool) -> UserState {
        if is_protected_name(self.world, self.scope.roster.key(user)) {
            return UserState::Protected;
        }
        let key = self.name_of(user);
        let place = self.first_of_name[key as usize];
        // One that is renamed away leaves the name free, or its rename is held: decided with the renames.
        let is_free = place == NONE
            || (self.out.accounts[place as usize].is_wanted() && !self.more.contains_key(&key));
        if is_free {
            return match self.account_of_tied(user) {
                Some(place) => self.relink(user, place, by_mail),
                None => UserState::New,
            };
        }
        if let Some(others) = self.more.get(&key) {
            let detail = format!(
                "{} accounts of the application have this name in different spelling",
                others.len() + 1
            );
            return self.hold(user, "adopt", HoldReason::Ambiguous, detail);
        }
        match self.out.accounts[place as usize] {
            AccountState::Protected => UserState::Protected,
            AccountState::Unlinked => self.adopt(user, place),
            AccountState::Frozen => UserState::Unsure(Doubt::Frozen),
            AccountState::Unsure(doubt) => UserState::Unsure(doubt),
            AccountState::Tied => {
                let detail = "an account of this name is kept as it is until its own user is known"
                    .to_owned();
                self.hold(user, "create", HoldReason::NameTaken, detail)
            }
            AccountState::Left(_) | AccountState::OutOfKind => self.relink(user, place, by_mail),
            AccountState::Wanted(_) | AccountState::Missing => UserState::New,
        }
    }

    /// A directory above a user's that was never read, and so may have the username.
    fn unread_above(&self, user: u32) -> Option<Doubt> {
        let record = self.scope.roster.users[user as usize].record;
        let mut unread = self.world.unread();
        let above = unread.find(|it| *it < record.directory as usize)?;
        Some(Doubt::Unread(above as u16))
    }

    /// The account of a tied user under another of its usernames, whose own record is gone.
    fn account_of_tied(&self, user: u32) -> Option<u32> {
        if !self.scope.roster.users[user as usize].tied {
            return None;
        }
        let person = self.scope.persons[user as usize];
        let others = self.resolution.ties.names_of(person);
        let mut places = others
            .chain([person])
            .map(|key| self.first_of_name[key as usize]);
        places.find(|&place| {
            let free = |place: usize| matches!(self.out.accounts[place], AccountState::Left(_));
            place != NONE && free(place as usize) && self.was_tied(place as usize)
        })
    }

    fn adopt(&mut self, user: u32, place: u32) -> UserState {
        if let Some(doubt) = self.unread_above(user) {
            return UserState::Unsure(doubt);
        }
        if self.world.rules.adopt_by_name {
            return UserState::Account(place, Some(Reason::SameName));
        }
        if self.approved(user, "adopt", HoldReason::NameTaken) {
            return UserState::Account(place, Some(Reason::SameName));
        }
        let detail = "an account of this name exists and `adopt` does not take it over".to_owned();
        self.hold(user, "adopt", HoldReason::NameTaken, detail)
    }

    fn without_account(&mut self, user: u32) -> UserState {
        if let Some(doubt) = self.unread_above(user) {
            return UserState::Unsure(doubt);
        }
        let wanted = self.scope.roster.account(user);
        if !self.claimed.is_empty()
            && !wanted.email.is_empty()
            && let mail = text::fold(wanted.email)
            && let Some(places) = self.claimed.get(&mail)
        {
            if self.may_adopt_by_mail(places, &mail) {
                return UserState::Account(places[0], Some(Reason::SameMail));
            }
            if !self.approved(user, "create", HoldReason::MailTaken) {
                let name = self.world.holding.account_name(places[0]);
                let detail = format!("the account {name} bears the same mail address");
                return self.hold(user, "create", HoldReason::MailTaken, detail);
            }
        }
        if !wanted.active && !self.world.abilities.deactivate {
            return UserState::NotCreated;
        }
        UserState::New
    }

    /// Whether a mail proves that the one account that claims it is the user's: it stands once in the roster and once in the
    /// application, linked accounts counted.
    fn may_adopt_by_mail(&self, places: &[u32], mail: &str) -> bool {
        let (roster, holding) = (&self.scope.roster, self.world.holding);
        let wanted = || (0..roster.users.len() as u32).map(|it| roster.account(it).email);
        // Accounts that get their mail from the roster are counted there.
        let states = self.out.accounts.iter().zip(&holding.accounts);
        let held = || {
            let left = states.filter(|it| it.1.exists && !matches!(it.0, AccountState::Wanted(_)));
            left.map(|it| holding.text(it.1.seen.email))
        };
        let place = places[0] as usize;
        self.world.rules.adopt_by_mail
            && self.world.unread().next().is_none()
            && self.out.accounts[place] == AccountState::Unlinked
            && !self.name_is_frozen(place)
            && holding.accounts[place].seen.active
            && self.roster_mails.is_unique(mail, wanted)
            && self.account_mails.is_unique(mail, held)
    }

    /// An account linked to another record bears the name: it is this user's only if both are the same person.
    fn relink(&mut self, user: u32, place: u32, by_mail: bool) -> UserState {
        let record = self.scope.roster.users[user as usize].record;
        if let Some(doubt) = self.unread_above(user) {
            self.out.accounts[place as usize] = AccountState::Unsure(doubt);
            return UserState::Unsure(doubt);
        }
        let source = &self.world.directories[record.directory as usize];
        let Some(link) = &self.world.holding.accounts[place as usize].link else {
            return UserState::New;
        };
        if source.standing == world::Standing::Stale
            && self.world.holding.text(link.directory) != source.id
        {
            self.out.accounts[place as usize] =
                AccountState::Unsure(Doubt::Stale(record.directory));
            return UserState::Unsure(Doubt::Stale(record.directory));
        }
        let still_tied =
            self.scope.roster.users[user as usize].tied && self.was_tied(place as usize);
        if still_tied
            || self.same_person(place, record)
            || (by_mail && self.same_mail(place, record))
            || self.approved(user, "relink", HoldReason::IdentityConflict)
        {
            return UserState::Account(place, Some(Reason::SamePerson));
        }
        // Where its own user goes by another name now, the name becomes free or the rename is held: decided with the renames.
        if !by_mail || self.renamed_onto(place as usize).is_some() {
            return UserState::New;
        }
        let detail = format!(
            "the account was made for the record {} of directory {}; nothing proves that the record {} of directory {} is the same person",
            self.world.holding.text(link.user_id),
            self.world.holding.text(link.directory),
            self.scope.roster.account(user).external_id,
            source.id,
        );
        self.hold(user, "relink", HoldReason::IdentityConflict, detail)
    }

    /// Whether the account at a place and a record are proven to be one person's by name or by number.
    fn same_person(&self, place: u32, at: RecordRef) -> bool {
        if self.world.rules.trust_usernames {
            return true;
        }
        let person = person_value(self.world, at);
        let link = self.world.holding.accounts[place as usize].link.as_ref();
        !person.is_empty() && link.is_some_and(|it| self.world.holding.text(it.person) == person)
    }

    /// Whether an equal mail proves it: one that is nobody else's in any listed directory, nor among the accounts that do not
    /// get their mail from there.
    fn same_mail(&self, place: u32, at: RecordRef) -> bool {
        let holding = self.world.holding;
        let Some(link) = &holding.accounts[place as usize].link else {
            return false;
        };
        let records = self.scope.roster.sources[at.directory as usize].records;
        let mail = text::fold(records.text(self.scope.roster.record(at).email));
        // A directory that was never read may have it on somebody else.
        let unread = self.world.unread().next().is_some();
        if unread || mail.is_empty() || holding.text(link.mail) != mail {
            return false;
        }
        let states = self.out.accounts.iter().zip(&holding.accounts);
        let left = || {
            states
                .filter(|it| it.1.exists && !matches!(it.0, AccountState::Wanted(_)))
                .filter_map(|it| it.1.link.as_ref())
                .map(|it| holding.text(it.mail))
        };
        self.link_mails.is_unique(&mail, left) && !self.is_anothers(&mail, place, at)
    }

    /// Whether a listed directory has a mail on anybody but the person of a record and the record that an account is linked to.
    fn is_anothers(&self, mail: &str, place: u32, at: RecordRef) -> bool {
        let person = |it: RecordRef| {
            let snapshot = self.snapshots[it.directory as usize].as_ref();
            snapshot.map(|snapshot| self.resolution.person(snapshot, it))
        };
        let another = |it: RecordRef| {
            let own = it == at || self.linked[place as usize] == Some(it);
            !own && person(it) != person(at)
        };
        let mut directories = self.snapshots.iter().enumerate();
        directories.any(|(directory, snapshot)| {
            let Some(snapshot) = snapshot else {
                return false;
            };
            let all = || user_mails(snapshot.records);
            self.user_mails[directory].bearers(mail, all).any(|record| {
                let skipped = snapshot.standing[record as usize] == Standing::Skipped;
                let directory = directory as u16;
                !skipped && another(RecordRef { directory, record })
            })
        })
    }

    /// Accounts whose user was renamed to a username that a higher directory has: the user there gets the account if it has
    /// none and is proven to be the same person. Else the rename is held.
    fn follow_renames(&mut self) {
        for place in 0..self.out.accounts.len() {
            let Some(user) = self.renamed_onto(place) else {
                continue;
            };
            let record = self.scope.roster.users[user as usize].record;
            let proven =
                self.same_person(place as u32, record) || self.same_mail(place as u32, record);
            if proven && self.out.users[user as usize] == UserState::New {
                let state = UserState::Account(place as u32, Some(Reason::SamePerson));
                self.settle(user, state);
                continue;
            }
            let directory = self.world.directories[record.directory as usize].name;
            let change = format!("rename to {}", self.scope.roster.key(user));
            let detail = format!(
                "directory {directory} has a user of the new name, who has another account or is not proven to be the same person"
            );
            self.hold_account(place as u32, &change, HoldReason::NameTaken, &detail);
            self.out.accounts[place] = AccountState::Frozen;
        }
    }

    /// The roster user of a higher directory whose username the user of an account was renamed to.
    fn renamed_onto(&self, place: usize) -> Option<u32> {
        if !matches!(self.out.accounts[place], AccountState::Left(_)) || self.has_left(place) {
            return None;
        }
        let at = self.linked[place]?;
        let snapshot = self.snapshots[at.directory as usize].as_ref()?;
        let key = snapshot.user_key[at.record as usize];
        let valid = snapshot.standing[at.record as usize] == Standing::Valid;
        let person = self.resolution.person(snapshot, at);
        match self.scope.position[person as usize] {
            Position::In(user) if valid && key == person => {
                (key != self.out.account_key[place]).then_some(user)
            }
            _ => None,
        }
    }

    fn has_left(&self, place: usize) -> bool {
        let link = self.world.holding.accounts[place].link.as_ref();
        link.is_some_and(|it| it.left_at.is_some())
    }

    /// What is left over: linked accounts that are nobody's in the roster.
    fn settle_the_rest(&mut self) {
        for place in 0..self.out.accounts.len() {
            if !matches!(self.out.accounts[place], AccountState::Left(_)) {
                continue;
            }
            let state = self.state_of_the_rest(place);
            self.out.accounts[place] = match state {
                AccountState::Tied => self.hold_tie(place),
                state => state,
            };
        }
    }

    /// Nobody leaves because a tie appears or ends, unless a person says so.
    fn hold_tie(&mut self, place: usize) -> AccountState {
        let name = self.names.users.get(StrId(self.out.account_key[place]));
        let held = Withheld {
            subject: format!("user {name}"),
            change: "leave".to_owned(),
            reason: HoldReason::Tie,
            detail: "its username is tied to another one, or a tie that it was part of ended"
                .to_owned(),
        };
        if self.has_left(place) || self.world.memory.approved.contains(&held.key()) {
            return AccountState::Left(Reason::Absent);
        }
        self.out.held.push(held);
        AccountState::Tied
    }

    fn state_of_the_rest(&mut self, place: usize) -> AccountState {
        if self.name_is_frozen(place) {
            return AccountState::Frozen;
        }
        let was_tied = self.was_tied(place);
        let valid = self.linked[place].and_then(|at| {
            let snapshot = self.snapshots[at.directory as usize].as_ref()?;
            let valid = snapshot.standing[at.record as usize] == Standing::Valid;
            let key = snapshot.user_key[at.record as usize];
            valid.then(|| (at, self.resolution.person(snapshot, at), key))
        });
        match valid {
            Some((_, person, key)) if person != key => AccountState::Tied,
            Some((at, person, _)) => match self.scope.position[person as usize] {
                Position::Kind if self.resolution.choice[person as usize] == Choice::Won(at) => {
                    AccountState::OutOfKind
                }
                Position::Unsure => AccountState::Unsure(Doubt::Scope),
                Position::Frozen => AccountState::Frozen,
                Position::NotIncluded | Position::Excluded | Position::NotMember => {
                    AccountState::Left(Reason::OutOfScope)
                }
                _ if was_tied => AccountState::Tied,
                // Its user has a name that an authoritative directory keeps: present, but nobody in the roster.
                Position::Nobody => {
                    let key = self.names.users.get(StrId(person));
                    let change = format!("rename to {key}");
                    let detail =
                        "an authoritative directory once gave the new name to somebody else";
                    self.hold_account(place as u32, &change, HoldReason::NameTaken, detail);
                    AccountState::Frozen
                }
                _ => AccountState::Left(Reason::Absent),
            },
            None if was_tied => AccountState::Tied,
            None => AccountState::Left(Reason::Absent),
        }
    }

    fn was_tied(&self, place: usize) -> bool {
        let link = self.world.holding.accounts[place].link.as_ref();
        link.is_some_and(|it| it.tied)
    }

    fn key_of(&self, user: u32, change: &str, reason: HoldReason) -> HoldKey {
        HoldKey {
            subject: format!("user {}", self.scope.roster.key(user)),
            change: change.to_owned(),
            reason,
        }
    }

    fn approved(&self, user: u32, change: &str, reason: HoldReason) -> bool {
        self.world
            .memory
            .approved
            .contains(&self.key_of(user, change, reason))
    }

    fn account_hold(&self, place: u32, change: &str, reason: HoldReason) -> HoldKey {
        let name = StrId(self.out.account_key[place as usize]);
        HoldKey {
            subject: format!("user {}", self.names.users.get(name)),
            change: change.to_owned(),
            reason,
        }
    }

    fn approved_of_account(&self, place: u32, change: &str, reason: HoldReason) -> bool {
        let key = self.account_hold(place, change, reason);
        self.world.memory.approved.contains(&key)
    }

    fn hold_account(&mut self, place: u32, change: &str, reason: HoldReason, detail: &str) {
        let HoldKey {
            subject,
            change,
            reason,
        } = self.account_hold(place, change, reason);
        self.out.held.push(Withheld {
            subject,
            change,
            reason,
            detail: detail.to_owned(),
        });
    }

    fn hold(&mut self, user: u32, change: &str, reason: HoldReason, detail: String) -> UserState {
        let HoldKey {
            subject,
            change,
            reason,
        } = self.key_of(user, change, reason);
        self.out.held.push(Withheld {
            subject,
            change,
            reason,
            detail,
        });
        self.out.users[user as usize] = UserState::Held(reason);
        UserState::Held(reason)
    }
}

/// The value of the directory's `person_key` attribute on a record; empty where there is none.
pub(crate) fn person_value<'a>(world: &World<'a>, at: RecordRef) -> &'a str {
    let directory = &world.directories[at.directory as usize];
    match (&directory.rules.person_key, directory.records) {
        (Some(name), Some(records)) => records.extra_values(at.record, name).next().unwrap_or(""),
        _ => "",
    }
}
