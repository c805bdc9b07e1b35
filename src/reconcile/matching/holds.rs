//! What is held is named by a subject, a change and a reason, and so are approvals.

use super::{Matcher, UserState};
use crate::model::{HoldKey, HoldReason, StrId, Withheld};

impl Matcher<'_, '_> {
    pub(super) fn key_of(&self, user: u32, change: &str, reason: HoldReason) -> HoldKey {
        HoldKey {
            subject: format!("user {}", self.scope.roster.key(user)),
            change: change.to_owned(),
            reason,
        }
    }

    pub(super) fn approved(&self, user: u32, change: &str, reason: HoldReason) -> bool {
        self.world
            .memory
            .approved
            .contains(&self.key_of(user, change, reason))
    }

    pub(super) fn account_hold(&self, place: u32, change: &str, reason: HoldReason) -> HoldKey {
        let name = StrId(self.out.account_key[place as usize]);
        HoldKey {
            subject: format!("user {}", self.names.users.get(name)),
            change: change.to_owned(),
            reason,
        }
    }

    pub(super) fn approved_of_account(&self, place: u32, change: &str, reason: HoldReason) -> bool {
        let key = self.account_hold(place, change, reason);
        self.world.memory.approved.contains(&key)
    }

    pub(super) fn hold_account(
        &mut self,
        place: u32,
        change: &str,
        reason: HoldReason,
        detail: &str,
    ) {
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

    pub(super) fn hold(
        &mut self,
        user: u32,
        change: &str,
        reason: HoldReason,
        detail: String,
    ) -> UserState {
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
