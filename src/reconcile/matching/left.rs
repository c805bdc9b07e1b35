//! Accounts that are nobody's in the roster: unknown, out of scope, of another kind, tied, or left.

use super::{AccountState, Doubt, Freeze, Matcher};
use crate::model::{HoldReason, Reason, StrId};
use crate::reconcile::resolve::Choice;
use crate::reconcile::scope::Position;
use crate::reconcile::snapshot::Standing;

impl Matcher<'_, '_> {
    /// The state of a linked account whose user is not to be looked for: unknown, or in a directory that was never read.
    pub(super) fn state_without_user(&self, place: usize) -> Option<AccountState> {
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
                return Some(unknown_in(directory as u16));
            }
        }
        if let Some(at) = self.linked[place]
            && let Some(snapshot) = &self.snapshots[at.directory as usize]
        {
            let standing = snapshot.standing[at.record as usize];
            if matches!(standing, Standing::Unknown | Standing::Duplicate) {
                return Some(unknown_in(at.directory));
            }
            if standing == Standing::Valid {
                return self.frozen_as(self.resolution.person(snapshot, at));
            }
        }
        self.frozen_by_name(place)
    }

    /// The state of the account of a person whose winning record is unknown.
    fn frozen_as(&self, person: u32) -> Option<AccountState> {
        self.resolution.frozen_by(person).map(unknown_in)
    }

    /// The state of an account the user of whose name is unknown.
    fn frozen_by_name(&self, place: usize) -> Option<AccountState> {
        let key = self.out.account_key[place];
        self.resolution.name_frozen_by(key).map(unknown_in)
    }

    /// Whether the user of the account's name is unknown.
    pub(super) fn name_is_frozen(&self, place: usize) -> bool {
        self.frozen_by_name(place).is_some()
    }

    /// What is left over: linked accounts that are nobody's in the roster.
    pub(super) fn settle_the_rest(&mut self) {
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

    pub(super) fn state_of_the_rest(&mut self, place: usize) -> AccountState {
        if let Some(state) = self.frozen_by_name(place) {
            return state;
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
                Position::Frozen => {
                    let directory = self.resolution.frozen_by(person).unwrap_or(at.directory);
                    unknown_in(directory)
                }
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
                    AccountState::Frozen(Freeze::RenameHeld)
                }
                _ => AccountState::Left(Reason::Absent),
            },
            None if was_tied => AccountState::Tied,
            None => AccountState::Left(Reason::Absent),
        }
    }

    pub(super) fn has_left(&self, place: usize) -> bool {
        let link = self.world.holding.accounts[place].link.as_ref();
        link.is_some_and(|it| it.left_at.is_some())
    }
}

/// What an account is whose user the directory at a place could not show.
fn unknown_in(directory: u16) -> AccountState {
    AccountState::Frozen(Freeze::Unknown(directory))
}
