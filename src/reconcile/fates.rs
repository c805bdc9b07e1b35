//! What becomes of every user record: the law *everybody*.
//!
//! A record that is in no list and in no count is a person without an account and without an explanation. Each user record of
//! each listed directory therefore has exactly one [`Fate`] per application, read off the values that the plan was made from.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};

use crate::model::{NONE, Plan, RecordKind, RecordRef, Subject};
use crate::reconcile::context::Context;
use crate::reconcile::matching::UserState;
use crate::reconcile::resolve::Choice;
use crate::reconcile::scope::Position;
use crate::reconcile::snapshot::{Snapshot, Standing};

/// What becomes of a user record in one application. Where several could be said, the first of these is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It could not be taken, or another record of its directory has the same username.
    Rejected,
    /// A rule keeps it out.
    OutOfScope(ScopeRule),
    /// Its username may belong to a record that is unknown: nothing changes.
    Frozen,
    /// A directory of higher priority wins its username.
    Shadowed,
    /// Its person goes by another username.
    Tied,
    /// Its account is never touched.
    Protected,
    /// The plan changes its account or its memberships.
    Changed,
    /// What shall happen needs a person.
    Held,
    /// What shall happen needs time, or something must be read first.
    Waiting,
    /// It is inactive and has no account, and the application cannot hold inactive ones.
    NotCreated,
    /// Its account is as it should be.
    Unchanged,
}

/// The rule that keeps a user out of an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ScopeRule {
    /// The directory's `users.skip`.
    Skip,
    /// `kinds`.
    Kind,
    /// `users.include`.
    Include,
    /// `users.exclude`.
    Exclude,
    /// `users.members_of`.
    MembersOf,
}

/// The fates of all user records of all listed directories.
#[derive(Clone, Debug, Default)]
pub struct Fates {
    /// By directory (place in the application's list) and user record.
    records: Vec<Vec<Fate>>,
    /// By directory, how many user records could not be taken at all.
    rejected: Vec<u64>,
}

/// Reads the fates off a plan and the context that it was made in.
pub fn fates(context: &Context<'_, '_>, plan: &Plan) -> Fates {
    let touched = Touched::of(context, plan);
    let mut fates = Fates::default();
    for (place, snapshot) in context.snapshots.iter().enumerate() {
        let Some(snapshot) = snapshot else {
            fates.records.push(Vec::new());
            fates.rejected.push(0);
            continue;
        };
        let of = |record| {
            let directory = place as u16;
            fate(context, &touched, snapshot, RecordRef { directory, record })
        };
        let records = 0..snapshot.records.users.len() as u32;
        fates.records.push(records.map(of).collect());
        let rejected = snapshot.records.rejected.iter();
        let users = rejected.filter(|it| it.what == RecordKind::User).count();
        fates.rejected.push(users as u64);
    }
    fates
}

impl Fates {
    /// The fate of one record.
    pub fn of(&self, at: RecordRef) -> Fate {
        self.records[at.directory as usize][at.record as usize]
    }

    /// How many records have each fate, by its word; those that could not be taken at all are among the rejected.
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        let mut counts = BTreeMap::new();
        for fate in self.records.iter().flatten() {
            *counts.entry(fate.word()).or_default() += 1;
        }
        let rejected: u64 = self.rejected.iter().sum();
        if rejected > 0 {
            *counts.entry(Fate::Rejected.word()).or_default() += rejected;
        }
        counts
    }
}

impl Fate {
    /// The stable word for it.
    pub fn word(self) -> &'static str {
        match self {
            Fate::Rejected => "rejected",
            Fate::OutOfScope(ScopeRule::Skip) => "out_of_scope.skip",
            Fate::OutOfScope(ScopeRule::Kind) => "out_of_scope.kind",
            Fate::OutOfScope(ScopeRule::Include) => "out_of_scope.include",
            Fate::OutOfScope(ScopeRule::Exclude) => "out_of_scope.exclude",
            Fate::OutOfScope(ScopeRule::MembersOf) => "out_of_scope.members_of",
            Fate::Frozen => "frozen",
            Fate::Shadowed => "shadowed",
            Fate::Tied => "tied",
            Fate::Protected => "protected",
            Fate::Changed => "changed",
            Fate::Held => "held",
            Fate::Waiting => "waiting",
            Fate::NotCreated => "not_created",
            Fate::Unchanged => "unchanged",
        }
    }
}

impl Serialize for Fate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

fn fate(
    context: &Context<'_, '_>,
    touched: &Touched<'_>,
    snapshot: &Snapshot<'_>,
    at: RecordRef,
) -> Fate {
    match snapshot.standing[at.record as usize] {
        Standing::Skipped => return Fate::OutOfScope(ScopeRule::Skip),
        Standing::Duplicate | Standing::Ousted => return Fate::Rejected,
        Standing::Unknown | Standing::Valid => {}
    }
    let person = context.resolution.person(snapshot, at);
    match context.resolution.choice[person as usize] {
        Choice::Won(winner) if winner == at => fate_of_winner(context, touched, person, at),
        Choice::Won(winner) if username(context, winner) != username(context, at) => Fate::Tied,
        Choice::Frozen(_) => Fate::Frozen,
        // Nobody wins a username that an authoritative directory once won and no longer has.
        Choice::Won(_) | Choice::Nobody => Fate::Shadowed,
    }
}

fn username(context: &Context<'_, '_>, at: RecordRef) -> u32 {
    let snapshot = context.snapshots[at.directory as usize].as_ref();
    snapshot.map_or(NONE, |it| it.user_key[at.record as usize])
}

fn fate_of_winner(
    context: &Context<'_, '_>,
    touched: &Touched<'_>,
    person: u32,
    at: RecordRef,
) -> Fate {
    let rule = match context.scope.position[person as usize] {
        Position::In(user) => return fate_in_roster(context, touched, user),
        Position::Kind => ScopeRule::Kind,
        Position::NotIncluded => ScopeRule::Include,
        Position::Excluded => ScopeRule::Exclude,
        Position::NotMember | Position::Unsure => ScopeRule::MembersOf,
        Position::Nobody | Position::Frozen => return Fate::Frozen,
    };
    // An account that it had before the rule kept it out has a fate of its own.
    let account = touched.account_of.get(&at).copied().unwrap_or(NONE);
    touched
        .fate(context, account)
        .unwrap_or(Fate::OutOfScope(rule))
}

fn fate_in_roster(context: &Context<'_, '_>, touched: &Touched<'_>, user: u32) -> Fate {
    match context.matching.users[user as usize] {
        UserState::Protected => Fate::Protected,
        UserState::NotCreated => Fate::NotCreated,
        UserState::Unsure(_) => Fate::Waiting,
        UserState::Account(place, _) => touched.fate(context, place).unwrap_or(Fate::Unchanged),
        UserState::New if touched.created[user as usize] => Fate::Changed,
        // A new one that is not created was taken out of the plan by a guard.
        UserState::Held(_) | UserState::New => Fate::Held,
    }
}

/// What a plan touches, holds and lets wait.
struct Touched<'p> {
    /// By account place.
    changed: Vec<bool>,
    /// By roster user.
    created: Vec<bool>,
    /// Folded names of users about whom something is held.
    held: BTreeSet<&'p str>,
    /// Folded names of users about whom something waits.
    waiting: BTreeSet<&'p str>,
    /// For records that win and are out of scope, the account that is linked to them.
    account_of: BTreeMap<RecordRef, u32>,
}

impl<'p> Touched<'p> {
    fn of(context: &Context<'_, '_>, plan: &'p Plan) -> Self {
        let known = context.holding().accounts.len();
        let mut changed = vec![false; known + plan.new_accounts.len()];
        for change in &plan.changes {
            if let Subject::Account(place) = change.subject {
                changed[place as usize] = true;
            }
        }
        for places in plan.member_places() {
            for &place in places {
                changed[place as usize] = true;
            }
        }
        let mut created = vec![false; context.roster().users.len()];
        for &user in &plan.new_accounts {
            created[user as usize] = true;
        }
        let held = plan.held.iter().map(|it| it.subject.as_str());
        let waiting = plan.waiting.iter().map(|it| it.subject.as_str());
        let user = |it: &'p str| it.strip_prefix("user ");
        let linked = (0u32..).zip(&context.linked);
        let account_of = linked
            .filter(|it| !context.matching.accounts[it.0 as usize].is_wanted())
            .filter(|it| context.holding().accounts[it.0 as usize].link.is_some())
            .filter_map(|(place, at)| Some(((*at)?, place)));
        Touched {
            changed,
            created,
            held: held.filter_map(user).collect(),
            waiting: waiting.filter_map(user).collect(),
            account_of: account_of.collect(),
        }
    }

    /// What becomes of the account at a place, if anything.
    fn fate(&self, context: &Context<'_, '_>, place: u32) -> Option<Fate> {
        if place == NONE {
            return None;
        }
        let key = context.account_key(place);
        if self.changed[place as usize] {
            Some(Fate::Changed)
        } else if self.held.contains(key) {
            Some(Fate::Held)
        } else if self.waiting.contains(key) {
            Some(Fate::Waiting)
        } else {
            None
        }
    }
}
