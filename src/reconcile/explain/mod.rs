//! Why a person has, or lacks, an account: the values that a plan was made from, looked at for one username.
//!
//! Nothing is decided here a second time: winners, positions, memberships and fates are read off the [`Context`] and the
//! [`Plan`], and paths are walked over the same edges as the closures.

use std::collections::BTreeSet;

mod view;

use crate::model::{Kind, NONE, Plan, RecordKind, RecordRef, Status, StrId, Subject};
use crate::reconcile::context::Context;
use crate::reconcile::fates::{Fates, fates};
use crate::reconcile::flow::Flow;
use crate::reconcile::matching::AccountState;
use crate::reconcile::resolve::Choice;
use crate::reconcile::scope::Position;
use crate::reconcile::show::show_change;
use crate::reconcile::snapshot::{Snapshot, Standing};
use crate::reconcile::why_left::{username_of, why_frozen, why_left};
use crate::reconcile::world;
use crate::text;

pub use view::{
    AccountView, DirectoryView, Explanation, GroupView, PersonView, RecordView, StepView,
    WithheldView,
};

/// Explains a username, in any spelling, out of a plan and the context that it was made in.
pub fn explain(context: &Context<'_, '_>, plan: &Plan, username: &str) -> Explanation {
    let of = Asked::of(context, plan, username);
    let directories = 0..context.snapshots.len();
    let persons = of.persons.iter().filter(|it| of.is_worth_a_word(**it));
    Explanation {
        directories: directories.map(|it| of.directory(it)).collect(),
        users: persons.map(|it| of.person(*it)).collect(),
        accounts: of.accounts.iter().map(|it| of.account(*it)).collect(),
        changes: of.changes(),
        held: of.held(),
        waiting: of.waiting(),
        username: of.username,
    }
}

/// What a question is about.
struct Asked<'c, 'w, 'a> {
    context: &'c Context<'w, 'a>,
    plan: &'c Plan,
    fates: Fates,
    username: String,
    /// Persons who go by the username.
    persons: BTreeSet<u32>,
    records: Vec<RecordRef>,
    /// Places in the holding.
    accounts: BTreeSet<u32>,
}

impl<'c, 'w, 'a> Asked<'c, 'w, 'a> {
    fn of(context: &'c Context<'w, 'a>, plan: &'c Plan, username: &str) -> Self {
        let username = text::fold(username);
        let number = context.names.users.find(&username).map_or(NONE, |it| it.0);
        let mut asked = Asked {
            context,
            plan,
            fates: fates(context, plan),
            username,
            persons: BTreeSet::new(),
            records: Vec::new(),
            accounts: BTreeSet::new(),
        };
        if number == NONE {
            return asked;
        }
        asked.persons.insert(number);
        let places = 0..context.snapshots.len() as u16;
        let tied = places.map(|it| context.resolution.ties.person(it, number));
        asked.persons.extend(tied);
        asked.find_records(number);
        asked.find_accounts(number);
        asked
    }

    fn find_records(&mut self, number: u32) {
        for (place, snapshot) in self.context.snapshots.iter().enumerate() {
            let Some(snapshot) = snapshot else { continue };
            for (record, &key) in snapshot.user_key.iter().enumerate() {
                let at = RecordRef {
                    directory: place as u16,
                    record: record as u32,
                };
                let person = self.context.resolution.person(snapshot, at);
                if key == number || self.persons.contains(&person) {
                    self.records.push(at);
                }
            }
        }
    }

    fn find_accounts(&mut self, number: u32) {
        let matching = &self.context.matching;
        for place in 0..matching.accounts.len() {
            let concerned = match matching.accounts[place] {
                AccountState::Missing => false,
                _ if matching.account_key[place] == number => true,
                AccountState::Wanted(user) => {
                    let person = self.context.scope.persons[user as usize];
                    self.persons.contains(&person)
                }
                _ => {
                    let linked = self.context.linked[place];
                    linked.is_some_and(|it| self.records.contains(&it))
                }
            };
            if concerned {
                self.accounts.insert(place as u32);
            }
        }
    }

    fn directory(&self, place: usize) -> DirectoryView {
        let directory = &self.context.world.directories[place];
        let of_it = |it: &&RecordRef| usize::from(it.directory) == place;
        let mut records: Vec<RecordView> = Vec::new();
        let state = match &self.context.snapshots[place] {
            None => "never read",
            Some(snapshot) => {
                let valid = self.records.iter().filter(of_it);
                records.extend(valid.map(|it| self.record(snapshot, *it)));
                records.extend(self.rejected(snapshot));
                match directory.standing {
                    world::Standing::Fresh => "fresh",
                    world::Standing::Stale => "stale",
                    world::Standing::Disabled => "disabled",
                }
            }
        };
        records.sort_by(|a, b| (&a.username, &a.id).cmp(&(&b.username, &b.id)));
        DirectoryView {
            directory: directory.name.to_owned(),
            state,
            records,
        }
    }

    fn record(&self, snapshot: &Snapshot<'_>, at: RecordRef) -> RecordView {
        let user = &snapshot.records.users[at.record as usize];
        let person = self.context.resolution.person(snapshot, at);
        let choice = self.context.resolution.choice[person as usize];
        let wins = choice == Choice::Won(at);
        let why = match (snapshot.standing[at.record as usize], choice) {
            (Standing::Skipped, _) => "the directory's users.skip names it".to_owned(),
            (Standing::Duplicate, _) => {
                "the directory has another record of this username".to_owned()
            }
            (Standing::Ousted, _) => {
                "the directory has another record of this username, to which an account is linked"
                    .to_owned()
            }
            (Standing::Unknown, _) => "its state could not be read".to_owned(),
            (Standing::Valid, _) if wins => String::new(),
            (Standing::Valid, Choice::Won(winner))
                if username_of(self.context, winner) != username_of(self.context, at) =>
            {
                let name = username_of(self.context, winner).unwrap_or_default();
                format!("it is tied to {name}, and {}", self.why(person))
            }
            (Standing::Valid, _) => self.why(person),
        };
        RecordView {
            username: snapshot.records.text(user.username).to_owned(),
            id: snapshot.records.text(user.id).to_owned(),
            status: match user.status {
                Status::Active => "active",
                Status::Inactive => "inactive",
                Status::Unknown => "unknown",
            },
            kind: match snapshot.kind[at.record as usize] {
                Kind::Person => "person",
                Kind::Service => "service",
                Kind::Customer => "customer",
            },
            wins,
            fate: self.fates.of(at).word(),
            why,
        }
    }

    /// Rejected records of the username, or with an id that one of its accounts is linked to.
    fn rejected<'s>(&'s self, snapshot: &'s Snapshot<'_>) -> impl Iterator<Item = RecordView> + 's {
        let records = snapshot.records;
        let linked = |id: StrId| {
            let id = records.text(id);
            self.accounts.iter().any(|place| {
                let account = &self.context.holding().accounts[*place as usize];
                let link = account.link.as_ref();
                link.is_some_and(|it| self.context.holding().text(it.user_id) == id)
            })
        };
        let users = records.rejected.iter();
        users
            .filter(|it| it.what == RecordKind::User)
            .filter(move |it| records.text(it.key) == self.username || linked(it.id))
            .map(move |it| RecordView {
                username: records.text(it.key).to_owned(),
                id: records.text(it.id).to_owned(),
                status: "rejected",
                kind: "",
                wins: false,
                fate: "rejected",
                why: records.text(it.reason).to_owned(),
            })
    }

    /// Which directory wins a person and why, or why none does.
    fn why(&self, person: u32) -> String {
        let name = |place: u16| self.context.world.directories[place as usize].name;
        match self.context.resolution.choice[person as usize] {
            Choice::Won(at) if self.context.rules().inactive_falls_through => format!(
                "directory {} is the first that has it active, or the first that has it at all",
                name(at.directory)
            ),
            Choice::Won(at) => format!("directory {} is the first that has it", name(at.directory)),
            Choice::Frozen(place) => format!(
                "directory {} may have it, but its record is unknown: nothing changes",
                name(place)
            ),
            Choice::Nobody => match self.context.resolution.barred_by(person) {
                Some(place) => format!(
                    "directory {} is authoritative, once won it and no longer has it",
                    name(place)
                ),
                None => "no listed directory has it".to_owned(),
            },
        }
    }

    /// A name that only the configuration or an account bears is no person.
    fn is_worth_a_word(&self, person: u32) -> bool {
        self.context.resolution.choice[person as usize] != Choice::Nobody
            || self.context.resolution.barred_by(person).is_some()
    }

    fn person(&self, person: u32) -> PersonView {
        let context = self.context;
        let position = context.scope.position[person as usize];
        let (mut directory, mut groups) = (String::new(), Vec::new());
        if let Choice::Won(at) = context.resolution.choice[person as usize] {
            context.world.directories[at.directory as usize]
                .name
                .clone_into(&mut directory);
            groups = self.groups(person, at);
        }
        let mut pushed_as = String::new();
        if let Position::In(user) = position {
            context.roster().name(user).clone_into(&mut pushed_as);
        }
        PersonView {
            username: context.names.users.get(StrId(person)).to_owned(),
            pushed_as,
            directory,
            why: self.why(person),
            scope: position.words(),
            groups,
        }
    }

    fn groups(&self, person: u32, winner: RecordRef) -> Vec<GroupView> {
        let context = self.context;
        let groups = context.names.groups.len();
        let flow = Flow::of(
            context.world,
            &context.snapshots,
            &context.resolution,
            &[(person, winner)],
            groups,
        );
        let pushed_as = |group: u32| match context.scope.group_of[group as usize] {
            NONE => String::new(),
            it => context.roster().groups[it as usize].name.clone(),
        };
        let name = |group: u32| context.names.groups.get(StrId(group)).to_owned();
        let step = |&(group, place): &(u32, usize)| StepView {
            group: name(group),
            directory: context.world.directories[place].name.to_owned(),
        };
        let mut found: Vec<GroupView> = flow
            .paths()
            .iter()
            .map(|(group, path)| GroupView {
                pushed_as: pushed_as(*group),
                path: path.iter().map(step).collect(),
            })
            .collect();
        let by_default = context.rules().default_groups.iter().map(|it| {
            let group = context.names.groups.find(&text::fold(it));
            GroupView {
                pushed_as: group.map_or_else(String::new, |it| pushed_as(it.0)),
                path: Vec::new(),
            }
        });
        found.extend(by_default);
        found.sort_by(|a, b| {
            let last = |it: &GroupView| it.path.last().map(|it| it.group.clone());
            (last(a), &a.pushed_as).cmp(&(last(b), &b.pushed_as))
        });
        found
    }

    fn account(&self, place: u32) -> AccountView {
        let holding = self.context.holding();
        let account = &holding.accounts[place as usize];
        let mut groups: Vec<(String, bool)> = Vec::new();
        for group in holding.groups.iter().filter(|it| it.exists) {
            let member = group.members.iter().find(|it| it.place() == place);
            groups.extend(member.map(|it| (holding.text(group.seen.name).to_owned(), it.ours())));
        }
        groups.sort();
        let text = |id: StrId| holding.text(id).to_owned();
        AccountView {
            name: text(account.seen.name),
            active: account.seen.active,
            linked_to: account
                .link
                .as_ref()
                .map(|it| (text(it.directory), text(it.user_id))),
            state: self.account_state(place),
            groups,
        }
    }

    fn account_state(&self, place: u32) -> String {
        match self.context.matching.accounts[place as usize] {
            AccountState::Missing => "it is gone".to_owned(),
            AccountState::Unlinked => "it is nobody's: no directory explains it".to_owned(),
            AccountState::Protected => "it is protected".to_owned(),
            AccountState::Frozen(why) => why_frozen(self.context, place, why),
            AccountState::Wanted(user) => {
                format!("it is the account of {}", self.context.roster().key(user))
            }
            AccountState::Left(_) => why_left(self.context, place),
            AccountState::OutOfKind => "its user is of a kind that is not taken".to_owned(),
            AccountState::Tied => "its username is tied to another one, or a tie ended".to_owned(),
            AccountState::Unsure(doubt) => self.context.doubt(doubt),
        }
    }

    fn changes(&self) -> Vec<String> {
        let view = self.context.view(self.plan);
        let known = self.context.holding().accounts.len() as u32;
        let concerned = |place: u32| match place.checked_sub(known) {
            None => self.accounts.contains(&place),
            Some(new) => {
                let user = self.plan.new_accounts[new as usize];
                let person = self.context.scope.persons[user as usize];
                self.persons.contains(&person)
            }
        };
        let mut lines = Vec::new();
        for change in &self.plan.changes {
            match change.subject {
                Subject::Account(place) if concerned(place) => {
                    lines.push(show_change(view, change));
                }
                Subject::Group(group) if change.step == crate::model::Step::Members => {
                    let parts = [
                        ("join", self.plan.given(change)),
                        ("own the membership in", self.plan.owned(change)),
                        ("leave", self.plan.taken(change)),
                    ];
                    for (word, places) in parts {
                        for &place in places.iter().filter(|it| concerned(**it)) {
                            let (name, group) = (view.account_name(place), view.group_name(group));
                            lines.push(format!("members  user {name}: {word} {group}"));
                        }
                    }
                }
                Subject::Account(_) | Subject::Group(_) => {}
            }
        }
        lines
    }

    /// The subjects under which something about the username is withheld.
    fn subjects(&self) -> BTreeSet<String> {
        let accounts = self.accounts.iter().map(|it| self.context.account_key(*it));
        let persons = self.persons.iter();
        let names = persons.map(|it| self.context.names.users.get(StrId(*it)));
        let names = names.chain(accounts).chain([self.username.as_str()]);
        names.map(|it| format!("user {it}")).collect()
    }

    fn held(&self) -> Vec<WithheldView> {
        let subjects = self.subjects();
        let held = self.plan.held.iter();
        held.filter(|it| subjects.contains(&it.subject))
            .map(|it| WithheldView {
                subject: it.subject.clone(),
                change: it.change.clone(),
                reason: it.reason.word().to_owned(),
                detail: it.detail.clone(),
                instead: it.reason.instead(&it.change),
            })
            .collect()
    }

    fn waiting(&self) -> Vec<WithheldView> {
        let subjects = self.subjects();
        let waiting = self.plan.waiting.iter();
        waiting
            .filter(|it| subjects.contains(&it.subject))
            .map(|it| WithheldView {
                subject: it.subject.clone(),
                change: it.change.clone(),
                reason: it.reason.clone(),
                detail: it.detail.clone(),
                instead: None,
            })
            .collect()
    }
}
