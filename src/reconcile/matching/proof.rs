//! An account changes its record only to the same person: what proves that, and what happens without proof.

use super::{AccountState, Doubt, Freeze, Matcher, UserState, person_value};
use crate::model::{HoldReason, Reason, RecordRef};
use crate::reconcile::lookup::user_mails;
use crate::reconcile::scope::Position;
use crate::reconcile::snapshot::Standing;
use crate::reconcile::world;
use crate::text;

impl Matcher<'_, '_> {
    /// An account linked to another record bears the name: it is this user's only if both are the same person.
    pub(super) fn relink(&mut self, user: u32, place: u32, by_mail: bool) -> UserState {
        let record = self.scope.roster.users[user as usize].record;
        if let Some(doubt) = self.unread_above(user) {
            self.out.accounts[place as usize] = AccountState::Unsure(doubt);
            return UserState::Unsure(doubt);
        }
        let source = &self.world.directories[record.directory as usize];
        let Some(link) = &self.world.holding.accounts[place as usize].link else {
            return UserState::New;
        };
        if source.standing != world::Standing::Fresh
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
        {
            return UserState::Account(place, Some(Reason::SamePerson));
        }
        if self.approved(user, "relink", HoldReason::IdentityConflict) {
            return UserState::Account(place, Some(Reason::Approved));
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
    pub(super) fn same_person(&self, place: u32, at: RecordRef) -> bool {
        if self.world.rules.trust_usernames {
            return true;
        }
        let person = person_value(self.world, at);
        let link = self.world.holding.accounts[place as usize].link.as_ref();
        !person.is_empty() && link.is_some_and(|it| self.world.holding.text(it.person) == person)
    }

    /// Whether an equal mail proves it: one that is nobody else's in any listed directory, nor among the accounts that do not
    /// get their mail from there. It proves nothing between two records of a directory that gives addresses anew.
    pub(super) fn same_mail(&self, place: u32, at: RecordRef) -> bool {
        let holding = self.world.holding;
        let Some(link) = &holding.accounts[place as usize].link else {
            return false;
        };
        let source = &self.world.directories[at.directory as usize];
        if source.rules.mail_is_name && holding.text(link.directory) == source.id {
            return false;
        }
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
    pub(super) fn is_anothers(&self, mail: &str, place: u32, at: RecordRef) -> bool {
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
    pub(super) fn follow_renames(&mut self) {
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
            self.out.accounts[place] = AccountState::Frozen(Freeze::RenameHeld);
        }
    }

    /// The roster user of a higher directory whose username the user of an account was renamed to.
    pub(super) fn renamed_onto(&self, place: usize) -> Option<u32> {
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
}
