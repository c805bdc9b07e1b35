//! Which account is whose: roster users to accounts by stable id, then by pushed name, then by mail where that is allowed.
//!
//! An account changes its record only to the same person. Whoever cannot be proven to be that person is held, and the account
//! counts as left. Nothing here touches an account that is neither linked nor adopted.

mod holds;
mod left;
mod links;
mod mail;
mod proof;
mod protection;
mod ties;

use std::collections::BTreeMap;

use crate::model::{FreezeReason, HoldReason, NONE, Reason, RecordRef, Withheld};
use crate::reconcile::lookup::Mails;
use crate::reconcile::resolve::Resolution;
use crate::reconcile::scope::{Position, Scope};
use crate::reconcile::snapshot::{Names, Snapshot, Standing};
use crate::reconcile::world::World;

pub(crate) use links::{linked_records, person_value};
use protection::protected_accounts;
pub(crate) use protection::{is_admin_group, is_protected_name};

/// What an account of the application is to this plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountState {
    /// Not there.
    Missing,
    /// Not ours.
    Unlinked,
    /// Never touched.
    Protected,
    /// Nothing changes on it.
    Frozen(Freeze),
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

/// Why nothing changes on an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Freeze {
    /// The record of its user in the directory at this place is unknown.
    Unknown(u16),
    /// Its own rename is held.
    RenameHeld,
    /// The rename of the account at this place onto its name is held, and it has no user of its own.
    NameWanted(u32),
    /// Two users would be pushed under one name, and it is the account of one of them.
    Ambiguous,
}

impl Freeze {
    /// The reason without what is particular to the account.
    pub fn reason(self) -> FreezeReason {
        match self {
            Freeze::Unknown(_) => FreezeReason::Unknown,
            Freeze::RenameHeld => FreezeReason::RenameHeld,
            Freeze::NameWanted(_) => FreezeReason::NameWanted,
            Freeze::Ambiguous => FreezeReason::Ambiguous,
        }
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

    /// The number of the folded name that a roster user is pushed under.
    fn name_of(&self, user: u32) -> u32 {
        let named = self.scope.roster.users[user as usize].named;
        self.snapshots[named.directory as usize]
            .as_ref()
            .map_or(0, |it| it.user_key[named.record as usize])
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

    fn settle(&mut self, user: u32, state: UserState) {
        self.out.users[user as usize] = state;
        if let UserState::Account(place, _) = state {
            self.out.accounts[place as usize] = AccountState::Wanted(user);
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
            AccountState::Frozen(_) => UserState::Unsure(Doubt::Frozen),
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
}
