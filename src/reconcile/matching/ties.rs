//! Accounts of tied usernames: nobody leaves, and nobody gets another name, because a tie appears or ends.

use super::{AccountState, Freeze, Matcher, UserState};
use crate::model::{HoldReason, NONE, Reason, StrId, Withheld};

impl Matcher<'_, '_> {
    /// Whether an account that several usernames shared would be renamed because they no longer do.
    pub(super) fn ends_a_tie(&self, place: usize, user: u32) -> bool {
        let link = self.world.holding.accounts[place].link.as_ref();
        let renamed = self.out.account_key[place] != self.name_of(user);
        let change = format!("rename to {}", self.scope.roster.key(user));
        renamed
            && link.is_some_and(|it| it.tied)
            && !self.approved_of_account(place as u32, &change, HoldReason::Tie)
    }

    pub(super) fn hold_end_of_tie(&mut self, place: u32, user: u32) {
        let change = format!("rename to {}", self.scope.roster.key(user));
        let detail = "it is the account of several usernames that are no longer tied";
        self.hold_account(place, &change, HoldReason::Tie, detail);
        self.out.accounts[place as usize] = AccountState::Tied;
        self.out.users[user as usize] = UserState::Held(HoldReason::Tie);
    }

    /// Two users that would be pushed under one name: only ties can bring that about.
    pub(super) fn hold_twins(&mut self) {
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
                    AccountState::Frozen(Freeze::Ambiguous)
                } else {
                    AccountState::Unlinked
                };
            }
            let detail = "two users of the roster would be pushed under this name";
            self.hold(user, "create", HoldReason::Ambiguous, detail.to_owned());
        }
    }

    /// The account of a tied user under another of its usernames, whose own record is gone.
    pub(super) fn account_of_tied(&self, user: u32) -> Option<u32> {
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

    /// Nobody leaves because a tie appears or ends, unless a person says so.
    pub(super) fn hold_tie(&mut self, place: usize) -> AccountState {
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

    pub(super) fn was_tied(&self, place: usize) -> bool {
        let link = self.world.holding.accounts[place].link.as_ref();
        link.is_some_and(|it| it.tied)
    }
}
