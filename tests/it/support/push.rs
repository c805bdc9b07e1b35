//! Plans written by hand against what an application holds, so that a test says what is asked and not how it came to that.

use std::ops::Range;

use usersyncd::applications::Application;
use usersyncd::model::{
    Account, AppGroup, Batch, Change, Holding, Kind, Membership, NONE, NewGroup, NewUser, Observed,
    Outcome, Plan, Reason, RecordRef, Records, RecordsBuilder, Refusal, Roster, RosterGroup,
    RosterUser, Source, Status, Step, Subject, View, What,
};

/// A user of the one directory: username, display name, mail. The id is `id-` and the username in lower case.
pub(crate) type Person<'a> = (&'a str, &'a str, &'a str);

/// What the one directory holds. A display name that ends in `(off)` belongs to an inactive user.
pub(crate) fn directory(people: &[Person<'_>], groups: &[&str]) -> Records {
    let mut builder = RecordsBuilder::default();
    for &(username, display_name, email) in people {
        // A name in capitals is another person's record, or the two would be one.
        let shouted = username.chars().all(char::is_uppercase);
        let id = if shouted {
            username.to_owned()
        } else {
            username.to_lowercase()
        };
        builder.user(&NewUser {
            id: &format!("id-{id}"),
            username,
            display_name,
            given_name: display_name.split(' ').next().unwrap(),
            email,
            status: if display_name.ends_with("(off)") {
                Status::Inactive
            } else {
                Status::Active
            },
            ..NewUser::default()
        });
    }
    for name in groups {
        builder.group(&NewGroup {
            id: name,
            name,
            description: &format!("All of {name}"),
            ..NewGroup::default()
        });
    }
    builder.finish()
}

/// A plan in the making: the directory on one side, what the application holds on the other.
pub(crate) struct Push<'a> {
    roster: Roster<'a>,
    holding: Holding,
    plan: Plan,
}

impl<'a> Push<'a> {
    /// Against what the application holds now.
    pub(crate) async fn now(application: &dyn Application, records: &'a Records) -> Push<'a> {
        Push::against(
            application.accounts(&Holding::default()).await.unwrap(),
            records,
        )
    }

    /// Against what was listed at some time.
    pub(crate) fn against(observed: Observed, records: &'a Records) -> Push<'a> {
        Push {
            roster: roster(records),
            holding: holding(observed),
            plan: Plan::default(),
        }
    }

    pub(crate) fn create(mut self, username: &str) -> Self {
        let wanted = self.user(username);
        let place = self.holding.accounts.len() + self.plan.new_accounts.len();
        self.plan.new_accounts.push(wanted);
        self.step(
            Subject::Account(place as u32),
            wanted,
            Step::Create,
            What::default(),
        )
    }

    /// Creates everybody the directory has; the places are those of the directory if nobody is there yet.
    pub(crate) fn create_all(mut self) -> Self {
        let start = self.holding.accounts.len() as u32;
        for user in 0..self.roster.users.len() as u32 {
            self.plan.new_accounts.push(user);
            let subject = Subject::Account(start + user);
            self = self.step(subject, user, Step::Create, What::default());
        }
        self
    }

    /// Gives members by place.
    pub(crate) fn members_by_place(self, group: &str, give: Range<u32>) -> Self {
        let places = [give.collect(), Vec::new(), Vec::new()];
        self.edges(group, Step::Members, &places)
    }

    pub(crate) fn create_group(mut self, name: &str) -> Self {
        let wanted = self.wanted_group(name);
        let place = self.holding.groups.len() + self.plan.new_groups.len();
        self.plan.new_groups.push(wanted);
        self.step(
            Subject::Group(place as u32),
            wanted,
            Step::Create,
            What::default(),
        )
    }

    /// Updates the account of a name to what the directory says of a user.
    pub(crate) fn update(self, account: &str, username: &str, what: What) -> Self {
        let (place, wanted) = (self.account(account), self.user(username));
        self.step(Subject::Account(place), wanted, Step::Update, what)
    }

    /// Updates the account of a name whose user has left.
    pub(crate) fn leave(self, account: &str, what: What) -> Self {
        let place = self.account(account);
        self.step(Subject::Account(place), NONE, Step::Update, what)
    }

    pub(crate) fn update_group(self, group: &str, name: &str, what: What) -> Self {
        let (place, wanted) = (self.group(group), self.wanted_group(name));
        self.step(Subject::Group(place), wanted, Step::Update, what)
    }

    pub(crate) fn delete(self, account: &str) -> Self {
        let place = self.account(account);
        self.step(Subject::Account(place), NONE, Step::Delete, What::default())
    }

    pub(crate) fn delete_group(self, group: &str) -> Self {
        let place = self.group(group);
        self.step(Subject::Group(place), NONE, Step::Delete, What::default())
    }

    /// Gives, owns and takes members by the names that the accounts have before the plan.
    pub(crate) fn members(self, group: &str, give: &[&str], own: &[&str], take: &[&str]) -> Self {
        let places = [give, own, take].map(|names| self.accounts(names));
        self.edges(group, Step::Members, &places)
    }

    pub(crate) fn children(self, group: &str, give: &[&str], take: &[&str]) -> Self {
        let places = [give, &[], take].map(|it| it.iter().map(|name| self.group(name)).collect());
        self.edges(group, Step::Children, &places)
    }

    pub(crate) async fn send(&self, application: &dyn Application) -> Vec<Outcome> {
        let outcomes = application.apply(&self.plan.changes, self.view()).await;
        assert_eq!(outcomes.len(), self.plan.changes.len());
        outcomes
    }

    /// Sends it in calls of as many changes as the application takes at once.
    pub(crate) async fn send_in_portions(&self, application: &dyn Application) -> Vec<Outcome> {
        let size = match application.abilities().batch {
            Batch::One => 1,
            Batch::Many(most) => most as usize,
            Batch::Whole => usize::MAX,
        };
        let mut outcomes = Vec::new();
        for changes in self.plan.changes.chunks(size) {
            let portion = application.apply(changes, self.view()).await;
            assert_eq!(portion.len(), changes.len());
            outcomes.extend(portion);
        }
        outcomes
    }

    /// Sends it and sees to it that everything was done.
    pub(crate) async fn succeed(&self, application: &dyn Application) {
        for outcome in self.send(application).await {
            assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
        }
    }

    fn edges(mut self, group: &str, step: Step, places: &[Vec<u32>; 3]) -> Self {
        let start = self.plan.members.len() as u32;
        let [give, own, take] = places.each_ref().map(|it| it.len() as u32);
        self.plan.members.extend(places.concat());
        let subject = Subject::Group(self.group(group));
        let wanted = self.find_wanted_group(group);
        let mut push = self.step(subject, wanted, step, What::default());
        let change = push.plan.changes.last_mut().unwrap();
        (change.start, change.give, change.own, change.take) = (start, give, own, take);
        push
    }

    fn step(mut self, subject: Subject, wanted: u32, step: Step, what: What) -> Self {
        self.plan.changes.push(Change {
            subject,
            wanted,
            step,
            reason: Reason::Differs,
            what,
            start: 0,
            give: 0,
            own: 0,
            take: 0,
        });
        self
    }

    fn view(&self) -> View<'_> {
        View {
            plan: &self.plan,
            roster: &self.roster,
            holding: &self.holding,
        }
    }

    fn account(&self, name: &str) -> u32 {
        let places = self.holding.accounts.len() + self.plan.new_accounts.len();
        let is_it = |&place: &u32| self.view().account_name(place) == name;
        (0..places as u32)
            .find(is_it)
            .unwrap_or_else(|| panic!("no account {name}"))
    }

    fn accounts(&self, names: &[&str]) -> Vec<u32> {
        names.iter().map(|name| self.account(name)).collect()
    }

    fn group(&self, name: &str) -> u32 {
        let places = self.holding.groups.len() + self.plan.new_groups.len();
        let is_it = |&place: &u32| self.view().group_name(place) == name;
        (0..places as u32)
            .find(is_it)
            .unwrap_or_else(|| panic!("no group {name}"))
    }

    fn user(&self, username: &str) -> u32 {
        let users = 0..self.roster.users.len() as u32;
        users
            .clone()
            .find(|&it| self.roster.name(it) == username)
            .unwrap()
    }

    fn wanted_group(&self, name: &str) -> u32 {
        let wanted = self.find_wanted_group(name);
        assert_ne!(wanted, NONE, "no group {name}");
        wanted
    }

    fn find_wanted_group(&self, name: &str) -> u32 {
        let found = self.roster.groups.iter().position(|it| it.name == name);
        found.map_or(NONE, |it| it as u32)
    }
}

/// The kind of a refusal, its text, and which change got it; all others must have been skipped.
pub(crate) fn refused(outcomes: &[Outcome], at: usize) -> (&'static str, String) {
    for (place, outcome) in outcomes.iter().enumerate() {
        let skipped = matches!(outcome, Outcome::Skipped);
        assert!(skipped || place == at, "{place}: {outcome:?}");
    }
    let Outcome::Failed(refusal) = &outcomes[at] else {
        panic!("{at}: {:?}", outcomes[at]);
    };
    (kind(refusal), refusal.to_string())
}

pub(crate) fn kind(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Transient(_) => "transient",
        Refusal::Refused(_) => "refused",
        Refusal::Stale(_) => "stale",
        Refusal::Unauthorised(_) => "unauthorised",
        Refusal::Unavailable(_) => "unavailable",
    }
}

fn roster(records: &Records) -> Roster<'_> {
    let users = records.users.iter().enumerate().map(|(at, user)| {
        let record = RecordRef {
            directory: 0,
            record: at as u32,
        };
        RosterUser {
            record,
            named: record,
            active: Roster::is_active(user),
            kind: Kind::Person,
            tied: false,
            keeps_memberships: false,
        }
    });
    let groups = records
        .groups
        .iter()
        .enumerate()
        .map(|(at, group)| RosterGroup {
            record: Some(RecordRef {
                directory: 0,
                record: at as u32,
            }),
            name: records.text(group.name).to_owned(),
            key: records.text(group.key).to_owned(),
            uncertain: false,
        });
    Roster {
        sources: vec![Source {
            id: "corporate",
            name: "corporate",
            records,
        }],
        users: users.collect(),
        groups: groups.collect(),
        ..Roster::default()
    }
}

fn holding(observed: Observed) -> Holding {
    let accounts = observed.accounts.into_iter().map(|seen| Account {
        seen,
        link: None,
        exists: true,
    });
    let groups = observed.groups.into_iter().map(|seen| AppGroup {
        seen,
        link: None,
        exists: true,
        members: Vec::new(),
        children: Vec::new(),
    });
    let mut holding = Holding {
        pool: observed.pool,
        accounts: accounts.collect(),
        groups: groups.collect(),
    };
    for (group, account) in observed.members {
        let members = &mut holding.groups[group as usize].members;
        members.push(Membership::new(account, false));
    }
    holding
}
