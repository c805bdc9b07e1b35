//! Users without an account of their name: an account of their mail may be theirs, and somebody's in any case.

use super::{AccountState, Matcher, UserState};
use crate::model::{HoldReason, Reason};
use crate::text;

impl Matcher<'_, '_> {
    /// Then, for every user still without an account, the account of the same mail; whoever has none is new.
    pub(super) fn match_by_mail(&mut self) {
        self.claim_mails();
        for user in 0..self.scope.roster.users.len() as u32 {
            if self.out.users[user as usize] == UserState::New {
                let state = self.without_account(user);
                self.settle(user, state);
            }
        }
    }

    pub(super) fn claim_mails(&mut self) {
        for (place, state) in self.out.accounts.iter().enumerate() {
            let account = &self.world.holding.accounts[place];
            let seen = account.seen.email;
            let mail = match state {
                AccountState::Unlinked | AccountState::Frozen(_) => seen,
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

    pub(super) fn without_account(&mut self, user: u32) -> UserState {
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
    pub(super) fn may_adopt_by_mail(&self, places: &[u32], mail: &str) -> bool {
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
}
