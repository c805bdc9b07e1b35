//! A world that lives: directories that are edited and read, an application that is pushed to and meddled with, and time.
//!
//! What the jobs remember between two pushes is kept here in the same way, so that plans meet links, clocks and windows as
//! they come about.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use usersyncd::clock::Timestamp;
use usersyncd::model::{
    Change, Class, HistoryEntry, HoldKey, Holding, Kind, Memory, Outcome, Plan, Records, Status,
    Step, Subject, What, Window, Withheld,
};
use usersyncd::reconcile::{Context, DirectoryInput, Standing, World};

use super::alphabet::{self, CROWD};
use super::delta;
use super::guards;
use super::push;
use super::script::{Event, SETTINGS, Script};
use super::settings::{DIRECTORIES, Settings, changeable};
use super::source::RawDirectory;
use super::verdict::Broken;
use crate::support::fake_server::FakeServer;

/// How long the window of the limits is, and how long an approval lasts.
pub(crate) const DAY: i64 = 24 * 3600;

/// A directory with what was read of it.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    /// As it is.
    pub(crate) raw: RawDirectory,
    /// As it was when last read completely.
    pub(crate) accepted: Option<Rc<Accepted>>,
    pub(crate) standing: Standing,
    pub(crate) read_at: Timestamp,
    pub(crate) previous_read_at: Timestamp,
}

/// A complete read.
#[derive(Clone, Debug)]
pub(crate) struct Accepted {
    pub(crate) raw: RawDirectory,
    pub(crate) records: Records,
}

/// A whole world.
#[derive(Clone, Debug)]
pub(crate) struct Town {
    pub(crate) now: Timestamp,
    pub(crate) settings: Rc<Settings>,
    bytes: [u8; SETTINGS],
    pub(crate) sources: Vec<Source>,
    pub(crate) server: FakeServer,
    /// What is remembered of the application.
    pub(crate) holding: Holding,
    /// Somebody else changed the application since it was last listed.
    pub(crate) meddled: bool,
    pub(crate) first_applied_at: Option<Timestamp>,
    pub(crate) planned_at: Option<Timestamp>,
    pub(crate) basis_changed: bool,
    pub(crate) history: Vec<HistoryEntry>,
    pub(crate) held: BTreeMap<HoldKey, Timestamp>,
    pub(crate) approved: BTreeMap<HoldKey, Timestamp>,
    /// How many active linked accounts there were after each push.
    pub(crate) bases: Vec<(Timestamp, u64)>,
    /// When somebody else last switched an account, or deleted one.
    pub(crate) switched_by_hand: Option<Timestamp>,
    /// By account, since when and for how many plans it has been missing.
    pub(crate) missing: Rc<BTreeMap<Subject, Missing>>,
    /// The clock went back, so that moments cannot be compared.
    pub(crate) went_back_at: Option<Timestamp>,
}

/// How long an account or a group has been missing, as the world itself has seen it.
#[derive(Clone, Debug)]
pub(crate) struct Missing {
    /// The plan that first found it missing.
    pub(crate) since: Timestamp,
    /// How many plans since have found it missing.
    pub(crate) plans: u32,
    /// How often each directory was read completely since.
    pub(crate) reads: [u32; DIRECTORIES],
    /// The clock went back in between.
    pub(crate) unclear: bool,
}

impl Town {
    /// An empty world.
    pub(crate) fn new(script: &Script) -> Town {
        let settings = Rc::new(Settings::of(&script.settings));
        let names = [("d0", "corp"), ("d1", "hr"), ("d2", "ext")];
        let mut server = FakeServer::new(settings.abilities.clone(), settings.ids);
        if settings.abilities.gives_groups {
            server.default_group = Some("crew".to_owned());
        }
        let source = |(at, it): (usize, (&'static str, &'static str))| Source {
            id: it.0,
            name: it.1,
            raw: RawDirectory::new(settings.by_name[at]),
            accepted: None,
            standing: Standing::Fresh,
            read_at: Timestamp(0),
            previous_read_at: Timestamp(0),
        };
        Town {
            now: Timestamp(1_000_000_000),
            bytes: script.settings,
            sources: names.into_iter().enumerate().map(source).collect(),
            server,
            settings,
            holding: Holding::default(),
            meddled: true,
            first_applied_at: None,
            planned_at: None,
            basis_changed: false,
            history: Vec::new(),
            held: BTreeMap::new(),
            approved: BTreeMap::new(),
            bases: Vec::new(),
            switched_by_hand: None,
            missing: Rc::default(),
            went_back_at: None,
        }
    }

    /// Lives a script to its end, and a last pass after it.
    pub(crate) fn live(script: &Script) -> Result<Town, Broken> {
        let mut town = Town::new(script);
        for event in &script.events {
            town.happen(*event)?;
        }
        town.happen([0; 4])?;
        Ok(town)
    }

    fn happen(&mut self, [what, one, two, three]: Event) -> Result<(), Broken> {
        match what {
            0..48 => self.pass(one, two, three),
            48..58 => {
                self.approve(one);
                Ok(())
            }
            58..64 => {
                self.reconfigure(one, two);
                Ok(())
            }
            64..84 => {
                self.meddle(one, two, three);
                Ok(())
            }
            _ => {
                self.edit(what - 84, one, two, three);
                Ok(())
            }
        }
    }

    /// Time passes, directories are read unless they fail, and the application is pushed to.
    fn pass(&mut self, fails: u8, time: u8, how: u8) -> Result<(), Broken> {
        const HOUR: i64 = 3600;
        let step = [
            13 * HOUR,
            900,
            25 * HOUR,
            HOUR,
            13 * HOUR,
            25 * HOUR,
            0,
            49 * HOUR,
            13 * HOUR,
            900,
            25 * HOUR,
            -2 * HOUR,
            13 * HOUR,
            -30 * DAY,
            400 * DAY,
            25 * HOUR,
        ][time as usize % 16];
        self.now = Timestamp(self.now.0 + step);
        if step < 0 {
            self.went_back_at = Some(self.now);
            let missing = Rc::make_mut(&mut self.missing);
            missing.values_mut().for_each(|it| it.unclear = true);
        }
        for at in 0..DIRECTORIES {
            if fails % 3 == 2 && fails >> (3 + at) & 1 == 1 {
                self.sources[at].standing = Standing::Stale;
            } else {
                self.read(at, fails.wrapping_mul(31).wrapping_add(how))?;
            }
        }
        push::push(self, how)
    }

    fn read(&mut self, at: usize, how: u8) -> Result<(), Broken> {
        let now = self.now;
        let source = &mut self.sources[at];
        let records = match &source.accepted {
            Some(old) => {
                let records = delta::read(old, &source.raw, u64::from(how))?;
                guards::guards(old, &source.raw, &records, how)?;
                records
            }
            None => source.raw.records(u64::from(how)),
        };
        source.accepted = Some(Rc::new(Accepted {
            raw: source.raw.clone(),
            records,
        }));
        source.standing = Standing::Fresh;
        source.previous_read_at = source.read_at;
        source.read_at = now;
        let missing = Rc::make_mut(&mut self.missing);
        missing.values_mut().for_each(|it| it.reads[at] += 1);
        Ok(())
    }

    fn approve(&mut self, which: u8) {
        for (at, key) in self.held.keys().enumerate() {
            if which.is_multiple_of(4) || (usize::from(which) >> (2 + at % 6)) & 1 == 1 {
                self.approved.insert(key.clone(), self.now);
            }
        }
    }

    fn reconfigure(&mut self, which: u8, value: u8) {
        self.bytes[changeable(which)] = value;
        let by_name = self.settings.by_name.clone();
        self.settings = Rc::new(Settings {
            by_name,
            ..Settings::of(&self.bytes)
        });
        self.basis_changed = true;
    }

    /// Somebody else works on the application.
    fn meddle(&mut self, one: u8, two: u8, three: u8) {
        self.meddled = true;
        let accounts: Vec<u32> = self.server.accounts.keys().copied().collect();
        let groups: Vec<u32> = self.server.groups.keys().copied().collect();
        let account = (!accounts.is_empty()).then(|| accounts[two as usize % accounts.len()]);
        let group = (!groups.is_empty()).then(|| groups[three as usize % groups.len()]);
        match one % 12 {
            0..3 => {
                let (name, key) = alphabet::username(two);
                if key.is_some()
                    && let Some(number) = self.server.add_account(name)
                    && self.settings.abilities.fields.email
                    && let Some(it) = self.server.accounts.get_mut(&number)
                {
                    alphabet::mail(three).0.clone_into(&mut it.email);
                }
            }
            3 => {
                self.server.add_group(alphabet::group(two).0);
            }
            4 => {
                account
                    .iter()
                    .for_each(|it| self.server.remove_account(*it));
                self.switched_by_hand = Some(self.now);
            }
            5 | 6 if self.settings.abilities.deactivate => {
                let it = account.and_then(|it| self.server.accounts.get_mut(&it));
                if let Some(it) = it {
                    it.active = three.is_multiple_of(3);
                }
                self.switched_by_hand = Some(self.now);
            }
            7 => {
                if let (Some(number), (name, Some(_))) = (account, alphabet::username(three)) {
                    // Where the name is the id, another name is another account to us.
                    let _ = self.server.rename_account(number, name);
                }
                self.switched_by_hand = Some(self.now);
            }
            8 => group.iter().for_each(|it| self.server.remove_group(*it)),
            _ => {
                let it = group.and_then(|it| self.server.groups.get_mut(&it));
                if let (Some(group), Some(account)) = (it, account)
                    && !group.members.remove(&account)
                {
                    group.members.insert(account);
                }
            }
        }
    }

    /// A directory's own administrator works.
    fn edit(&mut self, what: u8, one: u8, two: u8, three: u8) {
        let at = what as usize % DIRECTORIES;
        let raw = &mut self.sources[at].raw;
        let user = (!raw.users.is_empty()).then(|| two as usize % raw.users.len());
        let group = (!raw.groups.is_empty()).then(|| three as usize % raw.groups.len());
        match (one % 32, user, group) {
            (0..7, _, _) => raw.add_user(alphabet::username(two), three, one),
            (7..9, _, _) => raw.add_group(alphabet::group(two), three),
            (9..15, Some(user), Some(group)) => {
                let number = raw.users[user].number;
                raw.groups[group].members.insert(number);
            }
            (15, Some(user), Some(group)) => {
                let number = raw.users[user].number;
                raw.groups[group].members.remove(&number);
            }
            (16 | 17, _, Some(group)) => {
                let child = raw.groups[two as usize % raw.groups.len()].number;
                if !raw.groups[group].children.remove(&child) {
                    raw.groups[group].children.insert(child);
                }
            }
            (18 | 19, Some(user), _) => {
                raw.users.remove(user);
            }
            (20, Some(user), _) => raw.users[user].name = alphabet::username(three),
            (21, Some(user), _) => {
                raw.users[user].status = [
                    Status::Inactive,
                    Status::Active,
                    Status::Inactive,
                    Status::Unknown,
                ][three as usize % 4];
            }
            (22, Some(user), _) => raw.users[user].unknown ^= true,
            (23, Some(user), _) => match three % 4 {
                0 => raw.users[user].id.clear(),
                1 => raw.give_new_id(user),
                2 => raw.users[user].person = three / 4 % 4,
                _ => raw.users[user].mail = alphabet::mail(three / 4),
            },
            (24, Some(user), _) => match three % 5 {
                0 => raw.users[user].kind = Some(Kind::Service),
                1 => raw.users[user].kind = Some(Kind::Customer),
                2 => raw.users[user].kind = None,
                3 => raw.users[user].bot ^= true,
                _ => raw.users[user].display = three / 5 % 3,
            },
            (25, Some(user), _) => {
                let other = three as usize % raw.users.len();
                let name = raw.users[user].name;
                raw.users[user].name = raw.users[other].name;
                raw.users[other].name = name;
            }
            (26, Some(user), _) => self.move_user(at, user, three),
            (27, _, Some(group)) => match two % 4 {
                0 => raw.groups[group].unknown ^= true,
                1 => raw.groups[group].note = two / 4 % 3,
                2 => raw.groups[group].name = (" ", None),
                _ => {
                    let (name, key) = alphabet::group(two / 4);
                    raw.groups[group].name = (name, Some(key));
                }
            },
            (28, _, Some(group)) => {
                raw.groups.remove(group);
            }
            (29, _, _) => raw.nameless = two % 4 / 3,
            (30, _, _) if two.is_multiple_of(16) => crowd(raw, three),
            (30, Some(user), _) => {
                // A second entry of the same name, or of the same id as well.
                let mut twin = raw.users[user].clone();
                raw.add_user(twin.name, three, 0);
                if two % 4 == 1
                    && let Some(last) = raw.users.last_mut()
                {
                    twin.number = last.number;
                    twin.display = three % 3;
                    *last = twin;
                }
            }
            _ => {}
        }
    }

    /// Somebody goes from one directory to another.
    fn move_user(&mut self, from: usize, user: usize, how: u8) {
        let it = self.sources[from].raw.users.remove(user);
        let to = &mut self.sources[how as usize % DIRECTORIES].raw;
        to.add_user(it.name, 0, 0);
        if let Some(new) = to.users.last_mut() {
            new.mail = it.mail;
            new.person = it.person;
            new.status = it.status;
        }
    }

    /// What a plan needs to remember.
    pub(crate) fn memory(&self) -> Memory {
        Memory {
            first_applied_at: self.first_applied_at,
            planned_at: self.planned_at,
            basis_changed: self.basis_changed,
            window: self.window(),
            approved: self.approvals(),
            held: self.held.clone(),
        }
    }

    /// What is approved by now.
    pub(crate) fn approvals(&self) -> BTreeSet<HoldKey> {
        let fresh = |it: &(&HoldKey, &Timestamp)| (self.now.0 - it.1.0).abs() < DAY;
        let keys = self.approved.iter().filter(fresh);
        keys.map(|it| it.0.clone()).collect()
    }

    /// When the window of the limits opened. A first plan that lies ahead, since the clock went back, opened none.
    pub(crate) fn window_opened(&self) -> Option<Timestamp> {
        let first = self.first_applied_at?;
        let opened = self.now.0 - DAY;
        let ahead = first > self.now;
        Some(Timestamp(if ahead { opened } else { first.0.max(opened) }))
    }

    /// What was done within the window.
    fn window(&self) -> Window {
        let mut window = Window::default();
        if let Some(opened) = self.window_opened() {
            let within = self.history.iter().filter(|it| it.at > opened);
            within.for_each(|it| window.count(it));
        }
        window
    }

    /// The world of a plan. `records` are those of each directory.
    pub(crate) fn world<'a>(
        &'a self,
        records: &'a [Option<&'a Records>],
        holding: &'a Holding,
        memory: &'a Memory,
    ) -> World<'a> {
        let directories = self.settings.listed.iter().map(|&at| {
            let source = &self.sources[at];
            DirectoryInput {
                id: source.id,
                name: source.name,
                rules: &self.settings.sources[at],
                records: records[at],
                standing: source.standing,
                read_at: source.read_at,
                previous_read_at: source.previous_read_at,
            }
        });
        World {
            rules: &self.settings.rules,
            abilities: &self.settings.abilities,
            directories: directories.collect(),
            holding,
            memory,
            now: self.now,
        }
    }

    /// The accepted records of every directory.
    pub(crate) fn records(&self) -> Vec<Option<&Records>> {
        self.sources
            .iter()
            .map(|it| it.accepted.as_ref().map(|it| &it.records))
            .collect()
    }

    /// Remembers what became of a plan.
    pub(crate) fn remember(
        &mut self,
        context: &Context<'_, '_>,
        plan: &Plan,
        outcomes: &[Outcome],
        after: Holding,
    ) {
        let now = self.now;
        for (change, outcome) in plan.changes.iter().zip(outcomes) {
            if matches!(outcome, Outcome::Done { .. }) {
                let of_accounts = change.step == Step::Members;
                let members = |list: &[u32]| {
                    if of_accounts {
                        list.to_vec()
                    } else {
                        Vec::new()
                    }
                };
                self.history.push(HistoryEntry {
                    at: now,
                    subject: change.subject,
                    name: String::new(),
                    text: String::new(),
                    reason: String::new(),
                    class: class_of(change),
                    given: members(plan.given(change)),
                    taken: members(plan.taken(change)),
                    active_delta: active_delta(context, change),
                });
            }
        }
        self.planned_at = Some(now);
        // Held for another reason is held all the same.
        let since = |key: &HoldKey| {
            let same = self.held.iter();
            let same = same.filter(|it| it.0.subject == key.subject && it.0.change == key.change);
            same.map(|it| *it.1).min().unwrap_or(now)
        };
        let keys = plan.held.iter().map(Withheld::key);
        self.held = keys.map(|it| (it.clone(), since(&it))).collect();
        let failed = |it: &Outcome| !matches!(it, Outcome::Done { .. });
        if outcomes.iter().any(failed) {
            self.meddled = true;
        } else {
            let listed = self.settings.listed.iter().map(|it| &self.sources[*it]);
            if listed
                .clone()
                .all(|it| it.standing == Standing::Fresh && it.accepted.is_some())
            {
                self.basis_changed = false;
            }
            let first = usersyncd::model::HoldReason::FirstPlan;
            if self.first_applied_at.is_none() && !plan.held.iter().any(|it| it.reason == first) {
                self.first_applied_at = Some(now);
            }
        }
        self.bases.push((now, after.active_linked()));
        self.holding = after;
    }
}

/// The class under which a change counts.
pub(crate) fn class_of(change: &Change) -> Option<Class> {
    if matches!(change.subject, Subject::Group(_)) {
        return None;
    }
    match change.step {
        Step::Create => Some(Class::Addition),
        Step::Delete => Some(Class::Removal),
        _ if change.what.has(What::LEAVE) => Some(Class::Removal),
        _ if change.what.has(What::DEACTIVATE) => Some(Class::Deactivation),
        _ if change.what.has(What::ACTIVATE) => Some(Class::Addition),
        _ => None,
    }
}

fn active_delta(context: &Context<'_, '_>, change: &Change) -> i8 {
    let Subject::Account(place) = change.subject else {
        return 0;
    };
    let before = context.holding().accounts.get(place as usize);
    let seen = before.is_some_and(|it| it.exists && it.seen.active);
    let was = seen && before.is_some_and(|it| it.link.is_some());
    let is = match change.step {
        Step::Create => {
            context.roster().account(change.wanted).active || !context.abilities().deactivate
        }
        Step::Delete => false,
        _ if change.what.has(What::DEACTIVATE) => false,
        _ if change.what.has(What::ACTIVATE) => true,
        _ => seen,
    };
    i8::from(is) - i8::from(was)
}

/// Many people come, or all of them go.
fn crowd(raw: &mut RawDirectory, how: u8) {
    let is_there = |name: &str| name.starts_with('n');
    if raw.users.iter().any(|it| is_there(it.name.0)) {
        let keep = how as usize % 3 * CROWD / 3;
        let mut seen = 0;
        raw.users.retain(|it| {
            seen += usize::from(is_there(it.name.0));
            !is_there(it.name.0) || seen <= keep
        });
        return;
    }
    for at in 0..CROWD {
        raw.add_user(alphabet::of_crowd(at), 0, 0);
        let number = raw.users.last().map(|it| it.number);
        if let Some(group) = raw.groups.first_mut() {
            group.members.extend(number);
        }
    }
}
