//! What one application holds, as last seen, and which of it is ours.
//!
//! An application answers with an [`Observed`]: accounts, groups, members. Together with what is remembered (links, clocks,
//! owned memberships) that becomes a [`Holding`], the one value that plans are made against. Accounts and groups are named by
//! their place in it; a plan that creates some appends places, so that one number names an account before and after.

use crate::clock::Timestamp;
use crate::model::{NONE, Pool, StrId};

/// An account exactly as the application shows it. Strings are numbers of the pool beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObservedAccount {
    /// The application's own id of the account, unchanged by a rename; the name where it has none.
    pub remote_id: StrId,
    /// The account's name as the application spells it.
    pub name: StrId,
    /// Display name; empty where the application holds none.
    pub display_name: StrId,
    /// Given name.
    pub given_name: StrId,
    /// Family name.
    pub family_name: StrId,
    /// Mail address.
    pub email: StrId,
    /// The winning directory's name, where the application holds it.
    pub directory: StrId,
    /// The stable id of the user it was made for, where the application holds it.
    pub external_id: StrId,
    /// Whether the account is switched on.
    pub active: bool,
}

impl ObservedAccount {
    /// Whether the application names the account by its name alone, so that a rename changes the id.
    pub fn name_is_id(&self, pool: &Pool) -> bool {
        pool.get(self.remote_id) == pool.get(self.name)
    }
}

/// A group exactly as the application shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObservedGroup {
    /// The application's own id of the group; the name where it has none.
    pub remote_id: StrId,
    /// The group's name as the application spells it.
    pub name: StrId,
    /// What the group is for.
    pub description: StrId,
}

impl ObservedGroup {
    /// Whether the application names the group by its name alone, so that a rename changes the id.
    pub fn name_is_id(&self, pool: &Pool) -> bool {
        pool.get(self.remote_id) == pool.get(self.name)
    }
}

/// Everything that an application answered to one complete listing.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// The text of everything below.
    pub pool: Pool,
    /// All accounts, inactive ones too.
    pub accounts: Vec<ObservedAccount>,
    /// All groups.
    pub groups: Vec<ObservedGroup>,
    /// `(group, account)` by index, in any order.
    pub members: Vec<(u32, u32)>,
    /// `(parent group, child group)` by index, in any order.
    pub children: Vec<(u32, u32)>,
}

impl Observed {
    /// What a listing would answer if everything still was as it was last seen.
    pub fn of(holding: &Holding) -> Observed {
        let account_now = renumbered(holding.accounts.iter().map(|it| it.exists));
        let group_now = renumbered(holding.groups.iter().map(|it| it.exists));
        let mut observed = Observed {
            pool: holding.pool.clone(),
            ..Observed::default()
        };
        let accounts = holding.accounts.iter().filter(|it| it.exists);
        observed.accounts = accounts.map(|it| it.seen.clone()).collect();
        for (place, group) in holding.groups.iter().enumerate() {
            if !group.exists {
                continue;
            }
            let number = group_now[place];
            let now = |of: &Membership, numbers: &[u32]| (number, numbers[of.place() as usize]);
            let members = group.members.iter().map(|it| now(it, &account_now));
            observed.members.extend(members.filter(|it| it.1 != NONE));
            let children = group.children.iter().map(|it| now(it, &group_now));
            observed.children.extend(children.filter(|it| it.1 != NONE));
            observed.groups.push(group.seen.clone());
        }
        observed
    }
}

/// The number of each one that is there among those that are; [`NONE`] for the others.
fn renumbered(there: impl Iterator<Item = bool>) -> Vec<u32> {
    let mut next = 0;
    let number = |is_there: bool| {
        let number = if is_there { next } else { NONE };
        next += u32::from(is_there);
        number
    };
    there.map(number).collect()
}

/// How an account or group came to be ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Made here.
    Created,
    /// Found there and taken over.
    Adopted,
}

/// The remembered tie between an account and the user record it was made for or adopted for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The directory entry's id, as a number of the holding's pool.
    pub directory: StrId,
    /// The record's stable id in that directory.
    pub user_id: StrId,
    /// Made here or adopted.
    pub origin: Origin,
    /// The account was switched off (or created inactive) from here, so it may be switched on from here.
    pub off_by_us: bool,
    /// The user's folded mail when last pushed: proof of being the same person. Empty for none.
    pub mail: StrId,
    /// The user's `person_key` value when last pushed: proof of being the same person. Empty for none.
    pub person: StrId,
    /// The user was one of several tied usernames when last pushed.
    pub tied: bool,
    /// Made here, and the application was not listed since: which groups the product gave it by itself is not known yet.
    pub unlisted: bool,
    /// When the user was first found missing from the roster.
    pub absent_since: Option<Timestamp>,
    /// How long the clock of that absence has run, in seconds; it stops while a directory is stale.
    pub absent_for: i64,
    /// When the account was handled as having left (deactivated, stripped or kept).
    pub left_at: Option<Timestamp>,
}

/// An account with its link, if it is ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// As last seen.
    pub seen: ObservedAccount,
    /// Ours if there is one.
    pub link: Option<Link>,
    /// `false` for a place whose account is not (or no longer) there.
    pub exists: bool,
}

/// The remembered tie between an application's group and a directory's group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupLink {
    /// The directory entry's id, as a number of the holding's pool.
    pub directory: StrId,
    /// The record's stable id in that directory.
    pub group_id: StrId,
    /// Made here or adopted.
    pub origin: Origin,
    /// When the group was first found missing from the roster.
    pub absent_since: Option<Timestamp>,
    /// How long the clock of that absence has run, in seconds.
    pub absent_for: i64,
    /// When the group was handled as having left (its memberships made here were taken).
    pub left_at: Option<Timestamp>,
}

/// A group with its link, if it is ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppGroup {
    /// As last seen.
    pub seen: ObservedGroup,
    /// Ours if there is one.
    pub link: Option<GroupLink>,
    /// `false` for a place whose group is not (or no longer) there.
    pub exists: bool,
    /// The accounts that are members, sorted by place.
    pub members: Vec<Membership>,
    /// The groups that are members, sorted by place.
    pub children: Vec<Membership>,
}

/// A member by place, and whether the membership is ours: made or adopted here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Membership(u32);

impl Membership {
    /// A membership of the member at a place.
    pub fn new(place: u32, ours: bool) -> Self {
        debug_assert!(place < u32::MAX / 2);
        Membership(place << 1 | u32::from(ours))
    }

    /// The member's place.
    pub fn place(self) -> u32 {
        self.0 >> 1
    }

    /// Whether it was made or adopted here, so that it may be taken here.
    pub fn ours(self) -> bool {
        self.0 & 1 == 1
    }
}

/// Everything one application holds and what of it is ours.
#[derive(Clone, Debug, Default)]
pub struct Holding {
    /// The text of everything below.
    pub pool: Pool,
    /// Accounts by place.
    pub accounts: Vec<Account>,
    /// Groups by place, with their members.
    pub groups: Vec<AppGroup>,
}

impl Holding {
    /// The string of a number.
    pub fn text(&self, id: StrId) -> &str {
        self.pool.get(id)
    }

    /// The name of the account at a place.
    pub fn account_name(&self, place: u32) -> &str {
        self.text(self.accounts[place as usize].seen.name)
    }

    /// The name of the group at a place.
    pub fn group_name(&self, place: u32) -> &str {
        self.text(self.groups[place as usize].seen.name)
    }

    /// Whether something was made here that the product may have given groups since.
    pub fn is_unlisted(&self) -> bool {
        let unlisted = |it: &Account| it.link.as_ref().is_some_and(|it| it.unlisted);
        self.accounts.iter().any(unlisted)
    }

    /// How many accounts are linked, there and switched on: the base of the limits.
    pub fn active_linked(&self) -> u64 {
        let ours = |it: &&Account| it.exists && it.seen.active && it.link.is_some();
        self.accounts.iter().filter(ours).count() as u64
    }
}
