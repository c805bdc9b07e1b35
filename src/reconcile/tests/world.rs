//! A small company in memory: directories that can be edited, and one application that takes every change.

use std::fmt::Write as _;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::clock::Timestamp;
use crate::model::{
    Abilities, Account, AppGroup, Change, Class, Fields, HoldKey, HoldReason, Holding, Kind, Link,
    Memory, NONE, NewGroup, NewUser, Observed, ObservedAccount, ObservedGroup, Origin, Outcome,
    Plan, Reason, RecordKind, RecordRef, Records, RecordsBuilder, Status, Step, Subject, What,
    Window, Withheld,
};
use crate::reconcile::rules::{ApplicationRules, DirectoryRules};
use crate::reconcile::{
    Context, DirectoryInput, Explanation, Standing, World, advance, explain, fates, plan, recall,
    show,
};
use crate::text::{Globs, Percent, Span};

const START: Timestamp = Timestamp(1_800_000_000);

/// Directories, an application and what is remembered of it.
pub(super) struct Company {
    pub(super) directories: Vec<Directory>,
    pub(super) rules: ApplicationRules,
    pub(super) abilities: Abilities,
    pub(super) holding: Holding,
    pub(super) memory: Memory,
    pub(super) now: Timestamp,
}

/// A directory as a test writes it down.
pub(super) struct Directory {
    name: &'static str,
    pub(super) rules: DirectoryRules,
    users: Vec<User>,
    groups: Vec<Group>,
    rejected: Vec<(RecordKind, &'static str, &'static str)>,
    unread: bool,
    standing: Standing,
    read_at: Timestamp,
    previous_read_at: Timestamp,
}

/// A user record. Its id is its username unless said otherwise.
#[derive(Clone)]
pub(super) struct User {
    username: String,
    id: String,
    display_name: String,
    mail: String,
    status: Status,
    kind: Option<Kind>,
    unknown: bool,
    extra: Vec<(&'static str, &'static str)>,
}

/// A group record. Its id is its name unless said otherwise.
#[derive(Clone)]
pub(super) struct Group {
    name: String,
    id: String,
    description: String,
    members: Vec<String>,
    groups: Vec<String>,
    unknown: bool,
}

/// An application that can do everything, empty, whose first plan was applied long ago, and whose shares are switched off.
pub(super) fn company() -> Company {
    let mut rules = ApplicationRules::default();
    rules.limits.removals = Percent::HUNDRED;
    rules.limits.deactivations = Percent::HUNDRED;
    rules.limits.additions = Percent::HUNDRED;
    let abilities = Abilities {
        fields: Fields {
            display_name: true,
            email: true,
            ..Fields::default()
        },
        deactivate: true,
        delete_accounts: true,
        rename_accounts: true,
        groups: true,
        describe_groups: true,
        rename_groups: true,
        delete_groups: true,
        nest: true,
        admin_groups: vec!["administrators".to_owned()],
        own_account: Some("daemon".to_owned()),
        ..Abilities::default()
    };
    let memory = Memory {
        first_applied_at: Some(Timestamp(0)),
        planned_at: Some(START),
        ..Memory::default()
    };
    Company {
        directories: Vec::new(),
        rules,
        abilities,
        holding: Holding::default(),
        memory,
        now: START,
    }
}

pub(super) fn globs(patterns: &[&str]) -> Globs {
    Globs::new(patterns).unwrap()
}

impl Company {
    pub(super) fn directory(
        mut self,
        name: &'static str,
        fill: impl FnOnce(&mut Directory),
    ) -> Self {
        let mut directory = Directory {
            name,
            rules: DirectoryRules::default(),
            users: Vec::new(),
            groups: Vec::new(),
            rejected: Vec::new(),
            unread: false,
            standing: Standing::Fresh,
            read_at: START,
            previous_read_at: Timestamp(START.0 - 900),
        };
        fill(&mut directory);
        self.directories.push(directory);
        self
    }

    pub(super) fn rules(mut self, edit: impl FnOnce(&mut ApplicationRules)) -> Self {
        edit(&mut self.rules);
        self
    }

    pub(super) fn abilities(mut self, edit: impl FnOnce(&mut Abilities)) -> Self {
        edit(&mut self.abilities);
        self
    }

    /// Pushes once, long ago, so that everything is there and linked.
    pub(super) fn pushed(mut self) -> Self {
        self.push();
        self.memory.window = Window::default();
        self
    }

    /// An account that somebody else made.
    pub(super) fn account(mut self, name: &str, edit: impl FnOnce(&mut Account)) -> Self {
        self.add_account(name, edit);
        self
    }

    pub(super) fn add_account(&mut self, name: &str, edit: impl FnOnce(&mut Account)) {
        let name = self.holding.pool.add(name);
        let seen = ObservedAccount {
            remote_id: name,
            name,
            active: true,
            ..ObservedAccount::default()
        };
        let mut account = Account {
            seen,
            link: None,
            exists: true,
        };
        edit(&mut account);
        self.holding.accounts.push(account);
    }

    /// An account with a mail address that somebody else made.
    pub(super) fn account_with_mail(mut self, name: &str, mail: &str) -> Self {
        let mail = self.holding.pool.add(mail);
        self.account(name, |it| it.seen.email = mail)
    }

    /// A group that somebody else made, with members that are not ours.
    pub(super) fn group(mut self, name: &str, members: &[&str]) -> Self {
        let name = self.holding.pool.add(name);
        let seen = ObservedGroup {
            remote_id: name,
            name,
            ..ObservedGroup::default()
        };
        let mut members: Vec<_> = members
            .iter()
            .map(|it| crate::model::Membership::new(self.place(it), false))
            .collect();
        members.sort();
        self.holding.groups.push(AppGroup {
            seen,
            link: None,
            exists: true,
            members,
            children: Vec::new(),
        });
        self
    }

    /// Somebody else puts an account into a group.
    pub(super) fn give_by_hand(&mut self, group: &str, account: &str) {
        let place = self.place(account);
        let group = self.group_place(group);
        let members = &mut self.holding.groups[group].members;
        members.push(crate::model::Membership::new(place, false));
        members.sort();
    }

    /// The application is listed, with what somebody else or the product itself has put into groups since.
    pub(super) fn list(&mut self) {
        let holding = &self.holding;
        let mut observed = Observed {
            pool: holding.pool.clone(),
            accounts: holding.accounts.iter().map(|it| it.seen.clone()).collect(),
            groups: holding.groups.iter().map(|it| it.seen.clone()).collect(),
            ..Observed::default()
        };
        for (at, group) in (0u32..).zip(&holding.groups) {
            let members = group.members.iter().map(|it| (at, it.place()));
            observed.members.extend(members);
        }
        self.holding = recall(holding, &observed, &[]);
    }

    /// Takes a directory's content, lets it be edited, and counts as a complete read.
    pub(super) fn edit(&mut self, name: &str, edit: impl FnOnce(&mut Directory)) {
        let now = self.now;
        let directory = self.directories.iter_mut().find(|it| it.name == name);
        let directory = directory.unwrap();
        edit(directory);
        directory.previous_read_at = directory.read_at;
        directory.read_at = now;
    }

    /// Lets time pass in steps of an hour, with a complete read of every directory and a push in each.
    pub(super) fn hours(&mut self, hours: u32) {
        for _ in 0..hours {
            self.skip(Span::hours(1));
            self.read();
            self.push();
        }
    }

    /// Lets time pass with nothing done.
    pub(super) fn skip(&mut self, span: Span) {
        self.now = self.now.plus(span);
    }

    /// Reads every directory that can be read.
    pub(super) fn read(&mut self) {
        for it in &mut self.directories {
            if it.standing == Standing::Fresh {
                it.previous_read_at = it.read_at;
                it.read_at = self.now;
            }
        }
    }

    /// Makes a plan and looks at it.
    pub(super) fn look<T>(&self, look: impl FnOnce(&Context<'_, '_>, &Plan) -> T) -> T {
        let records: Vec<Records> = self.directories.iter().map(Directory::records).collect();
        let directories = self.directories.iter().zip(&records);
        let world = World {
            rules: &self.rules,
            abilities: &self.abilities,
            directories: directories.map(|(it, records)| it.input(records)).collect(),
            holding: &self.holding,
            memory: &self.memory,
            now: self.now,
        };
        let (context, plan) = plan(&world);
        check_counts(&context, &plan);
        check_approvals(&world, &plan);
        look(&context, &plan)
    }

    /// Makes a plan, does all of it, and remembers what a push remembers. Returns the plan as text.
    pub(super) fn push(&mut self) -> String {
        let now = self.now;
        let (holding, text, held, classes, fresh) = self.look(|context, plan| {
            let outcomes = vec![Outcome::Done { remote_id: None }; plan.changes.len()];
            let classes: Vec<(Subject, Option<Class>)> = plan
                .changes
                .iter()
                .map(|it| (it.subject, class(it)))
                .collect();
            let taken = plan.changes.iter().flat_map(|it| plan.taken(it));
            let taken: Vec<u32> = taken.copied().collect();
            let held: Vec<HoldKey> = plan.held.iter().map(Withheld::key).collect();
            let holding = advance(context, plan, &outcomes);
            let text = text(context, plan);
            (holding, text, held, (classes, taken), !plan.blocked)
        });
        self.holding = holding;
        let window = &mut self.memory.window;
        for (subject, class) in classes.0 {
            let Subject::Account(place) = subject else {
                continue;
            };
            match class {
                Some(Class::Addition) => {
                    window.added.insert(place);
                    window.active_delta += 1;
                }
                Some(Class::Removal) => {
                    window.removed.insert(place);
                    window.active_delta -= 1;
                }
                Some(Class::Deactivation) => {
                    window.deactivated.insert(place);
                    window.active_delta -= 1;
                }
                None => {}
            }
        }
        window.removed.extend(classes.1);
        let before = std::mem::take(&mut self.memory.held);
        self.memory.held = held
            .into_iter()
            .map(|it| (before.get(&it).copied().unwrap_or(now), it))
            .map(|(since, it)| (it, since))
            .collect();
        self.memory.planned_at = Some(now);
        if fresh {
            self.memory.basis_changed = false;
        }
        self.memory.first_applied_at.get_or_insert(now);
        text
    }

    /// The plan as text.
    pub(super) fn plan(&self) -> String {
        self.look(text)
    }

    /// The plan must be these lines.
    #[track_caller]
    pub(super) fn plans(&self, lines: &[&str]) {
        let text = self.plan();
        let found: Vec<&str> = text.lines().collect();
        assert_eq!(found, lines, "\n{text}");
    }

    /// The plan must be these lines, and is made so.
    #[track_caller]
    pub(super) fn pushes(&mut self, lines: &[&str]) {
        self.plans(lines);
        self.push();
    }

    /// The plan neither changes nor holds anything.
    #[track_caller]
    pub(super) fn keeps_still(&self) {
        let (changes, held) = self.look(|_, plan| (plan.changes.len(), plan.held.len()));
        assert!(changes + held == 0, "\n{}", self.plan());
    }

    /// One line of the plan must begin so.
    #[track_caller]
    pub(super) fn says(&self, start: &str) {
        let text = self.plan();
        assert!(text.lines().any(|it| it.starts_with(start)), "\n{text}");
    }

    /// No line of the plan may contain this.
    #[track_caller]
    pub(super) fn never_says(&self, part: &str) {
        let text = self.plan();
        assert!(!text.contains(part), "\n{text}");
    }

    /// The roster: every user with winning directory and effective groups.
    #[track_caller]
    pub(super) fn roster_is(&self, lines: &[&str]) {
        let found = self.look(|context, _| roster(context));
        assert_eq!(found, lines);
    }

    /// The account of a name: `active` or `inactive`, and its groups, those that are not ours in brackets.
    #[track_caller]
    pub(super) fn holds(&self, name: &str, expected: &str) {
        let place = self.place(name);
        let account = &self.holding.accounts[place as usize];
        let mut found = if account.seen.active {
            "active"
        } else {
            "inactive"
        }
        .to_owned();
        let mut groups: Vec<String> = Vec::new();
        for group in self.holding.groups.iter().filter(|it| it.exists) {
            let name = self.holding.text(group.seen.name);
            let member = group.members.iter().find(|it| it.place() == place);
            groups.extend(member.map(|it| {
                if it.ours() {
                    name.to_owned()
                } else {
                    format!("({name})")
                }
            }));
        }
        groups.sort();
        for group in groups {
            let _ = write!(found, " {group}");
        }
        assert_eq!(found, expected);
    }

    /// Every user record of a directory with its fate.
    pub(super) fn fate(&self, directory: &str, username: &str) -> &'static str {
        self.look(|context, plan| {
            let places = context.world.directories.iter();
            let at = places.clone().position(|it| it.name == directory).unwrap();
            let records = context.world.directories[at].records.unwrap();
            let mut users = records.users.iter();
            let record = users.position(|it| records.text(it.username) == username);
            let at = RecordRef {
                directory: at as u16,
                record: record.unwrap() as u32,
            };
            fates(context, plan).of(at).word()
        })
    }

    pub(super) fn explain(&self, username: &str) -> Explanation {
        self.look(|context, plan| explain(context, plan, username))
    }

    /// Approves what is held under this subject and reason, as it is held now.
    #[track_caller]
    pub(super) fn approve(&mut self, subject: &str, reason: HoldReason) {
        let keys = self.look(|_, plan| {
            let held = plan.held.iter().map(Withheld::key);
            let wanted = held.filter(|it| it.subject == subject && it.reason == reason);
            wanted.collect::<Vec<_>>()
        });
        assert!(!keys.is_empty(), "nothing is held: \n{}", self.plan());
        self.memory.approved.extend(keys);
    }

    /// Approves everything that is held now.
    pub(super) fn approve_all(&mut self) {
        let keys = self.look(|_, plan| {
            let held = plan.held.iter().map(Withheld::key);
            held.collect::<Vec<_>>()
        });
        self.memory.approved.extend(keys);
    }

    /// The place of the account of a name.
    #[track_caller]
    pub(super) fn place(&self, name: &str) -> u32 {
        let named = |it: &u32| self.holding.account_name(*it) == name;
        let there = |it: &u32| self.holding.accounts[*it as usize].exists;
        let mut places = 0..self.holding.accounts.len() as u32;
        places.find(|it| there(it) && named(it)).expect(name)
    }

    #[track_caller]
    fn group_place(&self, name: &str) -> usize {
        let named = |it: &usize| self.holding.group_name(*it as u32) == name;
        let mut places = 0..self.holding.groups.len();
        places.find(named).expect(name)
    }

    /// The account of a name.
    #[track_caller]
    pub(super) fn seen(&mut self, name: &str) -> &mut ObservedAccount {
        let place = self.place(name);
        &mut self.holding.accounts[place as usize].seen
    }

    /// The link of the account of a name.
    #[track_caller]
    pub(super) fn link(&mut self, name: &str) -> &mut Link {
        let place = self.place(name);
        self.holding.accounts[place as usize].link.as_mut().unwrap()
    }

    /// Whether the account was made here.
    #[track_caller]
    pub(super) fn is_created(&mut self, name: &str) -> bool {
        self.link(name).origin == Origin::Created
    }
}

impl Directory {
    pub(super) fn user(&mut self, username: &str) -> &mut User {
        self.users.push(User {
            username: username.to_owned(),
            id: username.to_owned(),
            display_name: String::new(),
            mail: String::new(),
            status: Status::Active,
            kind: None,
            unknown: false,
            extra: Vec::new(),
        });
        self.users.last_mut().unwrap()
    }

    pub(super) fn users<S: AsRef<str>>(&mut self, usernames: impl IntoIterator<Item = S>) {
        for it in usernames {
            self.user(it.as_ref());
        }
    }

    pub(super) fn group(&mut self, name: &str, members: &[&str]) -> &mut Group {
        self.groups.push(Group {
            name: name.to_owned(),
            id: name.to_owned(),
            description: String::new(),
            members: members.iter().map(|it| (*it).to_owned()).collect(),
            groups: Vec::new(),
            unknown: false,
        });
        self.groups.last_mut().unwrap()
    }

    #[track_caller]
    pub(super) fn the(&mut self, username: &str) -> &mut User {
        let mut users = self.users.iter_mut();
        users.find(|it| it.username == username).unwrap()
    }

    #[track_caller]
    pub(super) fn the_group(&mut self, name: &str) -> &mut Group {
        let mut groups = self.groups.iter_mut();
        groups.find(|it| it.name == name).unwrap()
    }

    /// The user is gone, from groups too.
    pub(super) fn without(&mut self, username: &str) {
        self.users.retain(|it| it.username != username);
    }

    pub(super) fn without_group(&mut self, name: &str) {
        self.groups.retain(|it| it.name != name);
    }

    /// A user record that could not be taken.
    pub(super) fn rejected(&mut self, id: &'static str, key: &'static str) {
        self.rejected.push((RecordKind::User, id, key));
    }

    /// A group record that could not be taken.
    pub(super) fn rejected_group(&mut self, id: &'static str, key: &'static str) {
        self.rejected.push((RecordKind::Group, id, key));
    }

    pub(super) fn unread(&mut self) {
        self.unread = true;
    }

    pub(super) fn stale(&mut self) {
        self.standing = Standing::Stale;
    }

    pub(super) fn fresh(&mut self) {
        self.standing = Standing::Fresh;
        self.unread = false;
    }

    fn records(&self) -> Records {
        let mut builder = RecordsBuilder::default();
        for it in &self.users {
            builder.user(&NewUser {
                id: &it.id,
                username: &it.username,
                display_name: &it.display_name,
                email: &it.mail,
                handle: &it.username,
                status: it.status,
                kind: it.kind,
                unknown: it.unknown,
                extra: it.extra.iter().map(|it| (it.0, vec![it.1])).collect(),
                ..NewUser::default()
            });
        }
        for it in &self.groups {
            let number = builder.group(&NewGroup {
                id: &it.id,
                name: &it.name,
                description: &it.description,
                handle: &it.name,
                unknown: it.unknown,
                ..NewGroup::default()
            });
            let Some(number) = number else { continue };
            for member in &it.members {
                builder.member(number, Some(RecordKind::User), member);
            }
            for group in &it.groups {
                builder.member(number, Some(RecordKind::Group), group);
            }
        }
        for (what, id, key) in &self.rejected {
            builder.reject(*what, id, key, key, id, "it is broken");
        }
        builder.finish()
    }

    fn input<'a>(&'a self, records: &'a Records) -> DirectoryInput<'a> {
        DirectoryInput {
            id: self.name,
            name: self.name,
            rules: &self.rules,
            records: (!self.unread).then_some(records),
            standing: self.standing,
            read_at: self.read_at,
            previous_read_at: self.previous_read_at,
        }
    }
}

impl User {
    pub(super) fn id(&mut self, id: &str) -> &mut Self {
        id.clone_into(&mut self.id);
        self
    }

    /// Another username; the id stays.
    pub(super) fn renamed(&mut self, username: &str) -> &mut Self {
        username.clone_into(&mut self.username);
        self
    }

    pub(super) fn display_name(&mut self, name: &str) -> &mut Self {
        name.clone_into(&mut self.display_name);
        self
    }

    pub(super) fn mail(&mut self, mail: &str) -> &mut Self {
        mail.clone_into(&mut self.mail);
        self
    }

    pub(super) fn inactive(&mut self) -> &mut Self {
        self.status = Status::Inactive;
        self
    }

    pub(super) fn active(&mut self) -> &mut Self {
        self.status = Status::Active;
        self
    }

    pub(super) fn kind(&mut self, kind: Kind) -> &mut Self {
        self.kind = Some(kind);
        self
    }

    pub(super) fn unknown(&mut self) -> &mut Self {
        self.unknown = true;
        self
    }

    pub(super) fn status(&mut self, status: Status) -> &mut Self {
        self.status = status;
        self
    }

    pub(super) fn extra(&mut self, name: &'static str, value: &'static str) -> &mut Self {
        self.extra.push((name, value));
        self
    }
}

impl Group {
    pub(super) fn id(&mut self, id: &str) -> &mut Self {
        id.clone_into(&mut self.id);
        self
    }

    pub(super) fn renamed(&mut self, name: &str) -> &mut Self {
        name.clone_into(&mut self.name);
        self
    }

    pub(super) fn description(&mut self, text: &str) -> &mut Self {
        text.clone_into(&mut self.description);
        self
    }

    pub(super) fn members(&mut self, members: &[&str]) -> &mut Self {
        self.members = members.iter().map(|it| (*it).to_owned()).collect();
        self
    }

    /// Groups that are its members.
    pub(super) fn groups(&mut self, groups: &[&str]) -> &mut Self {
        self.groups = groups.iter().map(|it| (*it).to_owned()).collect();
        self
    }

    pub(super) fn unknown(&mut self) -> &mut Self {
        self.unknown = true;
        self
    }
}

/// The class under which a change counts in the window.
fn class(change: &Change) -> Option<Class> {
    match (change.subject, change.step, change.reason) {
        (Subject::Group(_), ..) => None,
        (_, Step::Create, _) => Some(Class::Addition),
        (_, Step::Delete, _) => Some(Class::Removal),
        _ if change.what.has(What::LEAVE) => Some(Class::Removal),
        (_, _, Reason::Inactive) => Some(Class::Deactivation),
        _ if change.what.has(What::ACTIVATE) => Some(Class::Addition),
        _ => None,
    }
}

/// The plan as it is shown, but for directory and id of new accounts, which would make every line longer.
fn text(context: &Context<'_, '_>, plan: &Plan) -> String {
    let shown = show(context.view(plan));
    let without = |found: &Captures<'_>| match (&found[1], found.get(2)) {
        (before, Some(_)) => format!("{before}inactive"),
        (_, None) => String::new(),
    };
    NOISE.replace_all(&shown, without).into_owned()
}

static NOISE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(, |: )directory "[^"]*", external_id "[^"]*"(, inactive)?"#).unwrap()
});

fn roster(context: &Context<'_, '_>) -> Vec<String> {
    let roster = context.roster();
    let users = (0u32..).zip(&roster.users);
    let line = |(user, it): (u32, &crate::model::RosterUser)| {
        let active = if it.active { "" } else { " (inactive)" };
        let account = roster.account(user);
        let mut line = format!("{}{active}@{}:", account.name, account.directory);
        for &group in roster.member_of.row(user as usize) {
            let _ = write!(line, " {}", roster.groups[group as usize].name);
        }
        line
    };
    users.map(line).collect()
}

/// Holds in every world: each record has one fate, and each roster user without an account is created or withheld.
fn check_counts(context: &Context<'_, '_>, plan: &Plan) {
    let fates = fates(context, plan);
    let counted: u64 = fates.counts().values().sum();
    let records = context.world.directories.iter().filter_map(|it| it.records);
    let users = |it: &Records| {
        let rejected = it.rejected.iter();
        it.users.len() + rejected.filter(|it| it.what == RecordKind::User).count()
    };
    let all: usize = records.map(users).sum();
    assert_eq!(counted, all as u64);
    for change in &plan.changes {
        assert!(change.wanted != NONE || change.step != Step::Create);
    }
}

/// Holds in every world: approving what no approval releases changes nothing, and approving the rest leaves none of it held.
fn check_approvals(world: &World<'_>, before: &Plan) {
    let all = before.held.iter().map(Withheld::key);
    let (releasable, stuck): (Vec<HoldKey>, Vec<_>) =
        all.partition(|it| it.reason.instead(&it.change).is_none());
    let held_after = |approved: &[HoldKey]| {
        let mut memory = world.memory.clone();
        memory.approved.extend(approved.iter().cloned());
        let world = World {
            memory: &memory,
            ..world.clone()
        };
        let after = plan(&world).1;
        after.held.iter().map(Withheld::key).collect::<Vec<_>>()
    };
    if !stuck.is_empty() {
        let same: Vec<HoldKey> = before.held.iter().map(Withheld::key).collect();
        assert_eq!(held_after(&stuck), same, "approving {stuck:?}");
    }
    if !releasable.is_empty() {
        let after = held_after(&releasable);
        let kept: Vec<&HoldKey> = releasable.iter().filter(|it| after.contains(it)).collect();
        assert!(kept.is_empty(), "approved and held: {kept:?}");
    }
}
