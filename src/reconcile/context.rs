//! Everything that was derived from a world before changes are drafted, in one place.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    Abilities, Account, HoldKey, HoldReason, Holding, NONE, Notice, Plan, RecordKind, RecordRef,
    Roster, StrId, View, Withheld,
};
use crate::reconcile::blocks;
use crate::reconcile::matching::{self, AccountState, Doubt, Freeze, Matcher, Matching, UserState};
use crate::reconcile::resolve::Resolution;
use crate::reconcile::rules::ApplicationRules;
use crate::reconcile::scope::{Position, Scope};
use crate::reconcile::snapshot::{Names, Snapshot, Standing};
use crate::reconcile::world::{self, World};
use crate::text;

/// A world and what was derived from it.
#[derive(Debug)]
pub struct Context<'w, 'a> {
    /// What the plan is made from.
    pub world: &'w World<'a>,
    /// The listed directories, as this application takes them; `None` where one was never read.
    pub snapshots: Vec<Option<Snapshot<'a>>>,
    /// Numbers of usernames and group names.
    pub names: Names,
    /// Who wins.
    pub resolution: Resolution,
    /// What the application should hold.
    pub scope: Scope<'a>,
    /// By account place, the record that its link names.
    pub linked: Vec<Option<RecordRef>>,
    /// Which account is whose.
    pub matching: Matching,
    /// Why removals by absence are blocked; empty when they are not.
    pub blocks: Vec<Notice>,
}

impl<'w, 'a> Context<'w, 'a> {
    /// Derives everything up to the matching of users and accounts.
    pub fn of(world: &'w World<'a>) -> Self {
        let mut names = Names::default();
        let users = world
            .directories
            .iter()
            .filter_map(|it| it.records)
            .map(|it| it.users.len());
        names.users.reserve(users.sum());
        let mut snapshots: Vec<Option<Snapshot<'a>>> = world
            .directories
            .iter()
            .map(|directory| {
                let ids = LinkedIds::new(world.holding, directory.id);
                let records = directory.records?;
                let linked = |kind, id: &str| ids.has(kind, id);
                Some(Snapshot::derive(
                    records,
                    directory.rules,
                    &mut names,
                    &linked,
                ))
            })
            .collect();
        let account_key: Vec<u32> = (0u32..)
            .zip(&world.holding.accounts)
            .map(|(place, _)| {
                names
                    .users
                    .intern(&text::folded(world.holding.account_name(place)))
                    .0
            })
            .collect();
        name_unnamed(world, &mut snapshots, &account_key);
        let linked = matching::linked_records(world, &snapshots, &account_key, names.users.len());
        let barred = barred(world, &snapshots, &linked, &account_key);
        let resolution = Resolution::of(world, &snapshots, &mut names, &barred);
        let named = tied_names(&names, &resolution, &snapshots, &linked, &account_key);
        let linked_name = |person: u32| {
            named
                .binary_search_by_key(&person, |it| it.0)
                .ok()
                .map(|at| named[at].1)
        };
        let scope = Scope::of(world, &snapshots, &resolution, &mut names, &linked_name);
        let matching = Matcher::run(
            world,
            &snapshots,
            &resolution,
            &scope,
            &names,
            &linked,
            account_key,
        );
        let blocks = blocks::of(world, &snapshots, &scope, &names);
        Context {
            world,
            snapshots,
            names,
            resolution,
            scope,
            linked,
            matching,
            blocks,
        }
    }

    /// The application's rules.
    pub fn rules(&self) -> &'a ApplicationRules {
        self.world.rules
    }

    /// What the application is able to do.
    pub fn abilities(&self) -> &'a Abilities {
        self.world.abilities
    }

    /// What the application holds.
    pub fn holding(&self) -> &'a Holding {
        self.world.holding
    }

    /// What it should hold.
    pub fn roster(&self) -> &Roster<'a> {
        &self.scope.roster
    }

    /// A plan that was made of it, together with what its numbers mean.
    pub fn view<'v>(&'v self, plan: &'v Plan) -> View<'v> {
        View {
            plan,
            roster: self.roster(),
            holding: self.holding(),
        }
    }

    /// The folded name of the account at a place.
    pub fn account_key(&self, place: u32) -> &str {
        self.names
            .users
            .get(StrId(self.matching.account_key[place as usize]))
    }

    /// Whether the user of the name of the account at a place is unknown.
    pub(crate) fn name_is_frozen(&self, place: u32) -> bool {
        let key = self.matching.account_key[place as usize];
        self.resolution.name_frozen_by(key).is_some()
    }

    /// The folded name that the account at a place has once the plan was made: by it an account is named where something about
    /// it is held, so that a rename made at the same time does not make that another held change.
    pub fn pushed_key(&self, place: u32) -> &str {
        match self.matching.accounts[place as usize] {
            AccountState::Wanted(user) => self.roster().key(user),
            _ => self.account_key(place),
        }
    }

    /// The record to which the account at a place is linked for a user: the winner's, unless that is another account's already.
    /// Only tied usernames can have two accounts.
    pub fn link_record(&self, place: u32, user: u32) -> RecordRef {
        let it = &self.roster().users[user as usize];
        let own = self.linked.get(place as usize).copied().flatten();
        let accounts = self.holding().accounts.iter().zip(&self.linked);
        let mut others = (0u32..).zip(accounts).filter(|other| other.0 != place);
        // One that gets another record in the same plan gives this one up.
        let gives_up = |place: u32| match self.matching.accounts[place as usize] {
            AccountState::Wanted(other) => {
                let other = &self.roster().users[other as usize];
                !other.tied && other.record != it.record
            }
            _ => false,
        };
        let is_linked = |(place, (account, at)): (u32, (&Account, &Option<RecordRef>))| {
            account.link.is_some() && *at == Some(it.record) && !gives_up(place)
        };
        match own {
            Some(own) if it.tied && others.any(is_linked) => own,
            _ => it.record,
        }
    }

    /// What an approval must name for a change of an account.
    pub fn hold_key(&self, key: &str, change: &str, reason: HoldReason) -> HoldKey {
        HoldKey {
            subject: format!("user {key}"),
            change: change.to_owned(),
            reason,
        }
    }

    /// Whether a person approved it.
    pub fn approved(&self, key: &HoldKey) -> bool {
        self.world.memory.approved.contains(key)
    }

    /// Whether a removal or absence must be held because the configuration changed: now, or when it was first seen. What was
    /// seen before the change (`seen_before`) goes on waiting.
    pub fn held_by_configuration(&self, subject: &str, change: &str, seen_before: bool) -> bool {
        if !self.world.memory.basis_changed && self.world.memory.held.is_empty() {
            return false;
        }
        let key = HoldKey {
            subject: subject.to_owned(),
            change: change.to_owned(),
            reason: HoldReason::ConfigurationChanged,
        };
        let memory = self.world.memory;
        let is_new = memory.basis_changed && !seen_before;
        (is_new || memory.held.contains_key(&key)) && !self.approved(&key)
    }

    /// What a doubt is about, in words.
    pub fn doubt(&self, doubt: Doubt) -> String {
        let name = |place: u16| self.world.directories[place as usize].name;
        match doubt {
            Doubt::Unread(place) => format!("directory {} was never read completely", name(place)),
            Doubt::Stale(place) => format!("directory {} is stale", name(place)),
            Doubt::Scope => "a group of users.members_of could not be read".to_owned(),
            Doubt::Frozen => {
                "an account of this name is kept as it is until its own user is known".to_owned()
            }
        }
    }

    /// Whether the user of a linked account is known to be gone, by its id and by its name, or to be out of scope.
    pub(crate) fn user_left(&self, place: u32) -> bool {
        let holding = self.holding();
        let Some(link) = &holding.accounts[place as usize].link else {
            return false;
        };
        let directories = self.world.directories.iter().zip(&self.snapshots);
        let mut of_link = directories.filter(|it| it.0.id == holding.text(link.directory));
        let id = holding.text(link.user_id);
        let unknown = of_link.any(|(_, snapshot)| match snapshot {
            None => true,
            Some(snapshot) => snapshot.rejected_ids.binary_search(&id).is_ok(),
        });
        let is_there = |person: u32| match self.scope.position[person as usize] {
            Position::In(_) | Position::Frozen | Position::Unsure | Position::Kind => true,
            Position::Nobody | Position::NotIncluded | Position::Excluded | Position::NotMember => {
                false
            }
        };
        let by_id = self.linked[place as usize].and_then(|at| {
            let snapshot = self.snapshots[at.directory as usize].as_ref()?;
            let skipped = snapshot.standing[at.record as usize] == Standing::Skipped;
            (!skipped).then(|| self.resolution.person(snapshot, at))
        });
        let by_name = self.matching.account_key[place as usize];
        !unknown && !by_id.is_some_and(is_there) && !is_there(by_name)
    }

    /// Whether the record that the group at a place is linked to was rejected, or its directory was never read, so that nothing
    /// is known of it.
    pub fn group_is_unknown(&self, place: u32) -> bool {
        let Some(link) = &self.holding().groups[place as usize].link else {
            return false;
        };
        let directory = self.holding().text(link.directory);
        let directories = self.world.directories.iter().zip(&self.snapshots);
        let mut of_it = directories.filter(|it| it.0.id == directory);
        of_it.any(|(_, snapshot)| {
            let id = self.holding().text(link.group_id);
            let rejected = |it: &Snapshot<'_>| it.rejected_group_ids.binary_search(&id).is_ok();
            snapshot.as_ref().is_none_or(rejected)
        })
    }

    /// A listed directory with a group whose name could not be read: any group that is missing may be that one.
    pub fn nameless_group_in(&self) -> Option<&'a str> {
        let mut directories = self.world.directories.iter().zip(&self.snapshots);
        let nameless = |it: &Snapshot<'_>| it.nameless_group;
        let found = directories.find(|it| it.1.as_ref().is_some_and(nameless));
        found.map(|it| it.0.name)
    }

    /// Whether memberships of the user of an account may be taken for being absent from its directories. A group whose name
    /// could not be read may be any of those that it misses.
    pub fn memberships_are_certain(&self, at: RecordRef) -> bool {
        let aggregate = self.rules().memberships == crate::reconcile::rules::Memberships::Aggregate;
        if aggregate {
            return self.world.all_fresh() && self.nameless_group_in().is_none();
        }
        let directory = &self.world.directories[at.directory as usize];
        let snapshot = &self.snapshots[at.directory as usize];
        directory.standing == world::Standing::Fresh
            && !snapshot.as_ref().is_some_and(|it| it.nameless_group)
            && self.world.unread().all(|it| it > at.directory as usize)
    }

    /// Adds a held change.
    pub fn hold(&mut self, subject: String, change: String, reason: HoldReason, detail: String) {
        self.matching.held.push(Withheld {
            subject,
            change,
            reason,
            detail,
        });
    }

    /// Freezes an account whose rename is held, and holds its user back.
    pub fn freeze(&mut self, place: u32, reason: HoldReason) {
        if let AccountState::Wanted(user) = self.matching.accounts[place as usize] {
            self.matching.users[user as usize] = UserState::Held(reason);
        }
        self.matching.accounts[place as usize] = AccountState::Frozen(Freeze::RenameHeld);
    }
}

/// The ids of one directory that accounts and groups are linked to, looked at only when a directory has two records of one
/// name.
struct LinkedIds<'a> {
    holding: &'a Holding,
    directory: &'a str,
    ids: std::cell::OnceCell<BTreeSet<(RecordKind, &'a str)>>,
}

impl<'a> LinkedIds<'a> {
    fn new(holding: &'a Holding, directory: &'a str) -> Self {
        LinkedIds {
            holding,
            directory,
            ids: std::cell::OnceCell::new(),
        }
    }

    fn has(&self, kind: RecordKind, id: &str) -> bool {
        self.ids.get_or_init(|| self.all()).contains(&(kind, id))
    }

    fn all(&self) -> BTreeSet<(RecordKind, &'a str)> {
        let accounts = self.holding.accounts.iter().filter(|it| it.exists);
        let accounts = accounts.filter_map(|it| it.link.as_ref());
        let accounts = accounts.map(|it| (RecordKind::User, it.directory, it.user_id));
        let groups = self.holding.groups.iter().filter(|it| it.exists);
        let groups = groups.filter_map(|it| it.link.as_ref());
        let groups = groups.map(|it| (RecordKind::Group, it.directory, it.group_id));
        accounts
            .chain(groups)
            .filter(|it| self.holding.text(it.1) == self.directory)
            .map(|it| (it.0, self.holding.text(it.2)))
            .collect()
    }
}

/// Gives rejected records without a name that of the account that was made for them.
fn name_unnamed(world: &World<'_>, snapshots: &mut [Option<Snapshot<'_>>], account_key: &[u32]) {
    let holding = world.holding;
    for (directory, snapshot) in world.directories.iter().zip(snapshots) {
        let Some(snapshot) = snapshot.as_mut().filter(|it| !it.unnamed_ids.is_empty()) else {
            continue;
        };
        for (account, &key) in holding.accounts.iter().zip(account_key) {
            let link = account.link.as_ref().filter(|_| account.exists);
            let link = link.filter(|it| holding.text(it.directory) == directory.id);
            if let Some(link) = link {
                snapshot.name_unnamed(holding.text(link.user_id), key);
            }
        }
    }
}

/// Usernames that an authoritative directory once won: no lower directory may. One whose user goes by another username now was
/// given up, which is neither absence nor inactivity.
fn barred(
    world: &World<'_>,
    snapshots: &[Option<Snapshot<'_>>],
    linked: &[Option<RecordRef>],
    account_key: &[u32],
) -> Vec<(u32, u16)> {
    if !world.directories.iter().any(|it| it.rules.authoritative) {
        return Vec::new();
    }
    let place = |id: &str| {
        world
            .directories
            .iter()
            .position(|it| it.id == id && it.rules.authoritative)
    };
    let renamed = |at: RecordRef, key: u32| {
        snapshots[at.directory as usize].as_ref().is_some_and(|it| {
            let record = at.record as usize;
            it.standing[record] == Standing::Valid && it.user_key[record] != key
        })
    };
    let holding = world.holding;
    let accounts = holding.accounts.iter().zip(account_key).zip(linked);
    accounts
        .filter_map(|((account, &key), at)| {
            let link = account.link.as_ref().filter(|_| account.exists)?;
            let given_up = !link.tied && at.is_some_and(|at| renamed(at, key));
            let place = place(holding.text(link.directory)).filter(|_| !given_up)?;
            Some((key, place as u16))
        })
        .collect()
}

/// For each tied person, the record whose name an account already bears, sorted by person.
fn tied_names(
    names: &Names,
    resolution: &Resolution,
    snapshots: &[Option<Snapshot<'_>>],
    linked: &[Option<RecordRef>],
    account_key: &[u32],
) -> Vec<(u32, RecordRef)> {
    if resolution.ties.is_empty() {
        return Vec::new();
    }
    let is_tied = |person: u32| resolution.tied.get(person as usize) == Some(&true);
    let person_of = |at: RecordRef| {
        let snapshot = snapshots[at.directory as usize].as_ref()?;
        let valid = snapshot.standing[at.record as usize] == Standing::Valid;
        let person = resolution.person(snapshot, at);
        (valid && is_tied(person)).then_some(person)
    };
    // By person and username: the link may name another record of the person than the account's name does.
    let mut by_name: BTreeMap<(u32, u32), RecordRef> = BTreeMap::new();
    for (place, snapshot) in snapshots.iter().enumerate() {
        let Some(snapshot) = snapshot else { continue };
        for (record, &key) in snapshot.user_key.iter().enumerate() {
            let at = RecordRef {
                directory: place as u16,
                record: record as u32,
            };
            if let Some(person) = person_of(at) {
                by_name.entry((person, key)).or_insert(at);
            }
        }
    }
    let linked = linked.iter().zip(account_key);
    // Of several accounts: one that bears a username of the person before one that is only linked to it, then one that bears the
    // person's own, then by name.
    let mut named: Vec<(u32, (bool, bool, &str), RecordRef)> = linked
        .filter_map(|(at, key)| {
            let at = (*at)?;
            let person = person_of(at)?;
            let by_name_of = |key: u32| by_name.get(&(person, key));
            let by_name = by_name_of(*key);
            let rank = (
                by_name.is_none(),
                *key != person,
                names.users.get(StrId(*key)),
            );
            // The highest record of a username says how it is spelled.
            let snapshot = snapshots[at.directory as usize].as_ref()?;
            let linked = by_name_of(snapshot.user_key[at.record as usize]);
            Some((person, rank, *by_name.or(linked).unwrap_or(&at)))
        })
        .collect();
    named.sort_unstable();
    named.dedup_by_key(|it| it.0);
    named.into_iter().map(|it| (it.0, it.2)).collect()
}

/// The place of a roster user's account, if it has one.
pub(crate) fn place_of(state: UserState) -> u32 {
    match state {
        UserState::Account(place, _) => place,
        _ => NONE,
    }
}
