//! Ten changes of a large directory, from the poll to the committed records, as a daemon sees them that has read before:
//! `fetch` and `commit` against a real LDAP server, and against a directory in memory, which shows the engine's own share.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use usersyncd::clock::SystemClock;
use usersyncd::directories::{Directory, Read, ReadError, Since, What};
use usersyncd::model::{Delta, Finding, NewGroup, NewUser, RecordKind, Records, RecordsBuilder};
use usersyncd::progress::{Job, Progress};
use usersyncd::reconcile::rules::DirectoryRules;
use usersyncd::store::Store;
use usersyncd::sync::read::{self, Answer, Kept};
use usersyncd::sync::{self, DirectoryPart};
use usersyncd::text::{Percent, Span};

use crate::load::{GROUPS, Load, Member, PEOPLE};
use crate::measure;
use crate::report::{Report, megabytes};
use crate::server;

const SEED: u64 = 20_261_122;
const ROUNDS: u32 = 15;
/// From the poll to the committed records, in milliseconds.
const LIMIT: f64 = 20.0;

/// Measures ten changes of `users` users with a twentieth of groups and five times the memberships.
pub(crate) fn run(users: u32, report: &mut Report) {
    let load = Load::new(users, users / 20, users * 5, SEED);
    println!("delta: 10 changes of {users} users; {ROUNDS} rounds");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let memory: Arc<dyn Directory> = Arc::new(InMemory::new(load));
    let times = runtime.block_on(rounds(&memory, |_| ()));
    tell("in memory", &times, report);

    let load = Load::new(users, users / 20, users * 5, SEED);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let slapd = server::serve(&load, folder.path());
    let real: Arc<dyn Directory> = Arc::new(server::directory(&slapd));
    let times = runtime.block_on(rounds(&real, |round| slapd.modify(&changes(&load, round))));
    tell("slapd", &times, report);
}

/// How long each round took, and how much memory it added to the peak.
struct Times {
    rounds: Vec<Duration>,
    grown: u64,
    by_changes: bool,
}

fn tell(what: &str, times: &Times, report: &mut Report) {
    let mut sorted = times.rounds.clone();
    sorted.sort();
    let milliseconds = |it: Duration| it.as_secs_f64() * 1e3;
    let median = milliseconds(sorted[sorted.len() / 2]);
    println!(
        "  {what}: {median:.2} ms ({:.2} to {:.2}), memory of all rounds {:.1} MB",
        milliseconds(sorted[0]),
        milliseconds(sorted[sorted.len() - 1]),
        megabytes(times.grown),
    );
    if !times.by_changes {
        println!("  {what}: it answers completely, not with changes");
    }
    report.limit(&format!("{what}, ms to committed records"), median, LIMIT);
}

/// Reads once completely, then after each change. The first round is not counted: in it the daemon learns that the directory
/// tells its changes, and loads its records to keep them.
async fn rounds(directory: &Arc<dyn Directory>, change: impl Fn(u32)) -> Times {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite://{}", folder.path().join("state.db").display());
    let store = Store::open(&url).await.expect("a store");
    let (part, clock) = (part(directory), SystemClock::new());
    let mut kept = Kept::for_many_passes();
    let mut times = Times {
        rounds: Vec::new(),
        grown: 0,
        by_changes: true,
    };
    let mut before = 0;
    for round in 0..=ROUNDS + 1 {
        if round > 0 {
            change(round);
        }
        let begun = measure::now();
        let work = Progress::new().begin(Job::Read("people".to_owned()), begun.elapsed());
        let reader = Some(store.reader());
        let fetched = read::fetch(&part, directory, reader, &clock, &work, &kept);
        let fetched = fetched.await.expect("the store answers");
        let fetched_in = begun.elapsed();
        let by_changes = matches!(fetched.answer, Answer::Accepted { whole: false, .. });
        let ended = read::commit(&part, &[], &store, fetched, &mut kept).await;
        let ended = ended.expect("the store is written");
        assert!(matches!(ended, sync::Read::Changed { .. }), "{ended:?}");
        let took = begun.elapsed();
        if std::env::var_os("FIGURES_EACH").is_some() {
            println!("    round {round}: fetched in {fetched_in:?}, all in {took:?}");
        }
        if round == 1 {
            before = measure::own_peak();
        }
        if round > 1 {
            times.by_changes &= by_changes;
            times.rounds.push(took);
        }
    }
    times.grown = measure::own_peak() - before;
    times
}

pub(crate) fn part(directory: &Arc<dyn Directory>) -> DirectoryPart {
    DirectoryPart {
        id: "people".to_owned(),
        name: "people".to_owned(),
        directory: Some(Arc::clone(directory)),
        basis: "basis".to_owned(),
        rules: DirectoryRules::default(),
        shrink_limit: Percent::whole(20),
        window: Span::hours(24),
        reread: Span::hours(24),
        stale_after: Span::hours(24),
    }
}

/// Ten changes as LDIF: four people get another name, two come, two go, two groups get or lose a member.
fn changes(load: &Load, round: u32) -> String {
    let mut text = String::new();
    let place = |number: u32| (round * 97 + number * 1_009) % load.users;
    for number in 0..4 {
        let dn = load.user_dn(place(number));
        let _ = writeln!(
            text,
            "dn: {dn}\nchangetype: modify\nreplace: displayName\ndisplayName: Name {round}\n"
        );
    }
    for number in 0..2 {
        let name = format!("new{round}x{number}");
        let _ = writeln!(
            text,
            "dn: uid={name},{PEOPLE}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: {name}\ncn: {name}\nsn: {name}\n"
        );
        if round > 1 {
            let gone = format!("new{}x{number}", round - 1);
            let _ = writeln!(text, "dn: uid={gone},{PEOPLE}\nchangetype: delete\n");
        }
        let group = load.group(load.users / 20 - 10 - number).name;
        let verb = if round.is_multiple_of(2) {
            "add"
        } else {
            "delete"
        };
        if round > 1 {
            let _ = writeln!(
                text,
                "dn: cn={group},{GROUPS}\nchangetype: modify\n{verb}: member\nmember: {}\n",
                load.user_dn(load.users - 1 - number)
            );
        }
    }
    text
}

/// A directory in memory that tells its changes as syncrepl does: users and groups whole.
#[derive(Debug)]
struct InMemory {
    load: Load,
}

impl InMemory {
    fn new(load: Load) -> Self {
        InMemory { load }
    }

    fn records(&self) -> Records {
        let mut builder = RecordsBuilder::default();
        for number in 0..self.load.users {
            self.user(&mut builder, number, None);
        }
        for group in self.load.groups() {
            self.group(&mut builder, group.number, &[]);
        }
        builder.finish()
    }

    fn user(&self, builder: &mut RecordsBuilder, number: u32, name: Option<&str>) {
        let user = self.load.user(number);
        builder.user(&NewUser {
            id: &user.id,
            username: &user.username,
            display_name: name.unwrap_or(&user.display_name()),
            given_name: user.given_name,
            family_name: user.family_name,
            email: user.mail.as_deref().unwrap_or_default(),
            handle: &self.load.user_dn(number).to_lowercase(),
            ..NewUser::default()
        });
    }

    fn group(&self, builder: &mut RecordsBuilder, number: u32, more: &[u32]) {
        let group = self.load.group(number);
        let added = builder.group(&NewGroup {
            id: &group.id,
            name: &group.name,
            description: &group.description,
            handle: &format!("cn={},{GROUPS}", group.name),
            ..NewGroup::default()
        });
        let added = added.expect("a sound group");
        let more = more.iter().map(|it| Member::User(*it));
        for member in self.load.members(number).chain(more) {
            let handle = match member {
                Member::User(user) => self.load.user_dn(user).to_lowercase(),
                Member::Group(group) => format!("cn={},{GROUPS}", self.load.group(group).name),
            };
            builder.member(added, None, &handle);
        }
    }

    fn delta(&self, round: u32) -> Delta {
        let mut builder = RecordsBuilder::default();
        for number in 0..4 {
            let place = (round * 97 + number * 1_009) % self.load.users;
            self.user(&mut builder, place, Some(&format!("Name {round}")));
        }
        let mut gone = Vec::new();
        for number in 0..2 {
            let name = |round: u32| format!("new{round}x{number}");
            let (name, gone_name) = (name(round), name(round.saturating_sub(1)));
            builder.user(&NewUser {
                id: &name,
                username: &name,
                handle: &format!("uid={name},{PEOPLE}"),
                ..NewUser::default()
            });
            gone.push((RecordKind::User, gone_name));
        }
        let mut filled = Vec::new();
        for number in 0..2 {
            let group = self.load.users / 20 - 10 - number;
            self.group(&mut builder, group, &[round]);
            filled.push(self.load.group(group).id);
        }
        filled.sort();
        Delta {
            upsert: builder.finish(),
            gone,
            filled,
            shared_handles: true,
            ..Delta::default()
        }
    }
}

impl Directory for InMemory {
    fn name(&self) -> &'static str {
        "people"
    }

    fn check(&self) -> BoxFuture<'_, Vec<Finding>> {
        Box::pin(async { Vec::new() })
    }

    fn read(&self, since: Since) -> BoxFuture<'_, Result<Read, ReadError>> {
        let round = since.cursor.and_then(|it| it.parse::<u32>().ok());
        let what = match round {
            None => What::Complete(self.records()),
            Some(round) => What::Delta(self.delta(round)),
        };
        let cursor = Some((round.unwrap_or(0) + 1).to_string());
        Box::pin(async move {
            Ok(Read {
                what,
                cursor,
                notes: Vec::new(),
                requests: None,
            })
        })
    }
}
