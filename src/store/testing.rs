//! Stores in a temporary folder, small worlds to fill them with, and views by which worlds are compared.

use proptest::collection::vec;
use proptest::prelude::*;
use tempfile::TempDir;

use crate::clock::Timestamp;
use crate::model::{
    Account, AppGroup, GroupLink, HoldReason, Holding, Kind, Link, Membership, NewGroup, NewUser,
    ObservedAccount, ObservedGroup, Origin, Pool, RecordKind, Records, RecordsBuilder, Status,
    StrId, Withheld,
};
use crate::store::{AcceptedRead, ApplicationState, PushCommit, Store};

/// A moment from which tests count.
pub(super) const NOON: Timestamp = Timestamp(1_795_262_400);

/// So many seconds after noon.
pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp(NOON.0 + seconds)
}

/// The URL of a store in a folder.
pub(super) fn url(folder: &TempDir) -> String {
    format!("sqlite://{}", folder.path().join("state.db").display())
}

/// An empty store and the folder that holds it.
pub(super) async fn store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&url(&folder)).await.unwrap();
    (folder, store)
}

/// Rows that this process has written so far.
pub(super) async fn rows_written(store: &Store) -> i64 {
    sqlx::query_scalar("SELECT total_changes()")
        .fetch_one(&store.writer)
        .await
        .unwrap()
}

/// An accepted read at a moment, with a window of a day.
pub(super) fn read(at: Timestamp) -> AcceptedRead<'static> {
    AcceptedRead {
        whole: true,
        at,
        cursor: Some("cursor"),
        basis: "basis",
        window_from: Timestamp(at.0 - 86_400),
        approved: false,
    }
}

/// Users by id, named after it, and groups of `(id, members)`, made of users or groups.
pub(super) fn records(users: &[&str], groups: &[(&str, &[&str])]) -> Records {
    let mut builder = RecordsBuilder::default();
    for id in users {
        let display_name = format!("The {id}");
        builder.user(&NewUser {
            id,
            username: id,
            handle: id,
            display_name: &display_name,
            ..NewUser::default()
        });
    }
    for (id, members) in groups {
        let group = NewGroup {
            id,
            name: id,
            handle: id,
            ..NewGroup::default()
        };
        let group = builder.group(&group).unwrap();
        for member in *members {
            builder.member(group, None, member);
        }
    }
    builder.finish()
}

/// Everything that records say, in lines that do not depend on order or numbers.
pub(super) fn lines(records: &Records) -> Vec<String> {
    let text = |id: StrId| records.text(id);
    let mut lines = Vec::new();
    let user = |index: u32| {
        let it = &records.users[index as usize];
        let texts = [
            it.id,
            it.username,
            it.key,
            it.display_name,
            it.given_name,
            it.family_name,
            it.email,
            it.handle,
        ];
        let from = records.extra.iter().filter(|extra| extra.0 == index);
        let extra: Vec<_> = from.map(|it| (text(it.1), text(it.2))).collect();
        let texts = texts.map(text);
        format!(
            "user {texts:?} {:?} {:?} {} {extra:?}",
            it.status, it.kind, it.unknown
        )
    };
    let group = |index: u32| {
        let it = &records.groups[index as usize];
        let texts = [it.id, it.name, it.key, it.description, it.handle].map(text);
        format!("group {texts:?} {}", it.unknown)
    };
    lines.extend((0..records.users.len() as u32).map(user));
    lines.extend((0..records.groups.len() as u32).map(group));
    for (of, member) in records.members.pairs() {
        lines.push(format!("{} has {}", group(of), user(member)));
    }
    for (of, child) in records.children.pairs() {
        lines.push(format!("{} has {}", group(of), group(child)));
    }
    for it in &records.references {
        let (kind, handle) = (it.kind, text(it.handle));
        lines.push(format!("{} names {kind:?} {handle:?}", group(it.group)));
    }
    for it in &records.rejected {
        let texts = [it.id, it.key, it.handle, it.label, it.reason].map(text);
        lines.push(format!("rejected {:?} {texts:?}", it.what));
    }
    lines.sort();
    lines
}

/// A text with what JSON, SQL and UTF-8 make trouble with.
fn any_text() -> impl Strategy<Value = String> {
    proptest::sample::select(vec![
        "",
        "a",
        "Anna",
        "anna",
        "b",
        "Jürgen",
        "x\"y",
        "it's",
        "back\\slash",
        "tab\there",
        "a,b",
        "\u{1f600}",
        "[1,2]",
        "null",
        "line\nbreak",
        "nul\0byte",
        "$1",
        "?",
    ])
    .prop_map(str::to_owned)
}

/// A user: id, the other texts, small numbers for the rest, further attributes.
type AnyUser = (String, [String; 7], (u8, u8, bool), Vec<(String, String)>);
/// A group: id, name, description, unknown, members with kinds.
type AnyGroup = (String, [String; 3], bool, Vec<(u8, String)>);

fn any_user() -> impl Strategy<Value = AnyUser> {
    let texts = [(); 7].map(|()| any_text());
    let extra = vec((any_text(), any_text()), 0..3);
    let small = (0..3_u8, 0..4_u8, any::<bool>());
    (any_text(), texts, small, extra)
}

fn any_group() -> impl Strategy<Value = AnyGroup> {
    let texts = [(); 3].map(|()| any_text());
    let members = vec((0..3_u8, any_text()), 0..5);
    (any_text(), texts, any::<bool>(), members)
}

/// Records from a small alphabet: repeated ids, rejected names, members that nothing answers to.
pub(super) fn any_records() -> impl Strategy<Value = Records> {
    (vec(any_user(), 0..8), vec(any_group(), 0..5)).prop_map(|(users, groups)| {
        let mut builder = RecordsBuilder::default();
        for user in &users {
            add_user(&mut builder, user);
        }
        for (id, [name, description, handle], unknown, members) in &groups {
            let group = NewGroup {
                id,
                name,
                description,
                handle,
                unknown: *unknown,
                label: "",
            };
            let Some(group) = builder.group(&group) else {
                continue;
            };
            for (kind, handle) in members {
                let kinds = [None, Some(RecordKind::User), Some(RecordKind::Group)];
                builder.member(group, kinds[usize::from(*kind)], handle);
            }
        }
        builder.finish()
    })
}

fn add_user(builder: &mut RecordsBuilder, user: &AnyUser) {
    let (id, texts, (status, kind, unknown), extra) = user;
    let [
        username,
        display_name,
        given_name,
        family_name,
        email,
        handle,
        label,
    ] = texts;
    let statuses = [Status::Active, Status::Inactive, Status::Unknown];
    let kinds = [
        None,
        Some(Kind::Person),
        Some(Kind::Service),
        Some(Kind::Customer),
    ];
    let extra = extra
        .iter()
        .map(|(name, value)| (name.as_str(), vec![value.as_str()]));
    builder.user(&NewUser {
        id,
        username,
        display_name,
        given_name,
        family_name,
        email,
        handle,
        status: statuses[usize::from(*status)],
        kind: kinds[usize::from(*kind)],
        unknown: *unknown,
        label,
        extra: extra.collect(),
    });
}

/// A holding with linked, active accounts and one group of them all, ours.
pub(super) fn holding(names: &[&str]) -> Holding {
    let mut all = Holding::default();
    for name in names {
        add_account(&mut all, name);
    }
    let members = (0..names.len() as u32).map(|it| Membership::new(it, true));
    let group = all.pool.add("staff");
    all.groups.push(AppGroup {
        seen: ObservedGroup {
            remote_id: group,
            name: group,
            description: StrId::EMPTY,
        },
        link: None,
        exists: true,
        members: members.collect(),
        children: Vec::new(),
    });
    all
}

/// Adds a linked, active account.
pub(super) fn add_account(holding: &mut Holding, name: &str) {
    let name = holding.pool.add(name);
    let directory = holding.pool.add("corporate");
    holding.accounts.push(Account {
        seen: ObservedAccount {
            remote_id: name,
            name,
            active: true,
            ..ObservedAccount::default()
        },
        link: Some(Link {
            directory,
            user_id: name,
            origin: Origin::Created,
            off_by_us: false,
            mail: StrId::EMPTY,
            person: StrId::EMPTY,
            tied: false,
            unlisted: false,
            absent_since: None,
            absent_for: 0,
            left_at: None,
        }),
        exists: true,
    });
}

/// A commit of a holding and nothing else.
pub(super) fn commit<'a>(
    before: Option<&'a Holding>,
    after: &'a Holding,
    state: &'a ApplicationState,
) -> PushCommit<'a> {
    PushCommit {
        at: NOON,
        before,
        after,
        state,
        close_intents: &[],
        history: Box::new(std::iter::empty()),
        held: &[],
        waiting: &[],
        refused: &[],
    }
}

/// A held change.
pub(super) fn held(subject: &str, change: &str, reason: HoldReason) -> Withheld<HoldReason> {
    Withheld {
        subject: subject.to_owned(),
        change: change.to_owned(),
        reason,
        detail: "because".to_owned(),
    }
}

/// Everything that a holding says, place by place.
pub(super) fn places(holding: &Holding) -> Vec<String> {
    let text = |id: StrId| holding.text(id);
    let accounts = holding.accounts.iter().map(|it| {
        if !it.exists && it.link.is_none() {
            return "nothing".to_owned();
        }
        let seen = &it.seen;
        let texts = [
            seen.remote_id,
            seen.name,
            seen.display_name,
            seen.given_name,
            seen.family_name,
            seen.email,
            seen.directory,
            seen.external_id,
        ];
        let link = it.link.as_ref().map(|it| {
            let texts = [it.directory, it.user_id, it.mail, it.person].map(text);
            let times = (it.absent_since, it.absent_for, it.left_at);
            format!(
                "{texts:?} {:?} {} {} {} {times:?}",
                it.origin, it.off_by_us, it.tied, it.unlisted
            )
        });
        format!(
            "{:?} {} {} {link:?}",
            texts.map(text),
            seen.active,
            it.exists
        )
    });
    let groups = holding.groups.iter().map(|it| {
        if !it.exists && it.link.is_none() {
            return "nothing".to_owned();
        }
        let texts = [it.seen.remote_id, it.seen.name, it.seen.description].map(text);
        let link = it.link.as_ref().map(|it| {
            let texts = [it.directory, it.group_id].map(text);
            let times = (it.absent_since, it.absent_for, it.left_at);
            format!("{texts:?} {:?} {times:?}", it.origin)
        });
        let members = (&it.members, &it.children);
        format!("{texts:?} {} {link:?} {members:?}", it.exists)
    });
    accounts.chain(groups).collect()
}

/// An account: texts, flags, times, and a number that is odd for a linked one.
type AnyAccount = ([String; 12], [bool; 5], [Option<i64>; 2], u8);
/// A group: texts, there, linked, members and children with whether they are ours.
type AnyAppGroup = ([String; 5], [bool; 2], [Vec<(u32, bool)>; 2]);

fn any_account() -> impl Strategy<Value = AnyAccount> {
    let texts = [(); 12].map(|()| any_text());
    let times = [(); 2].map(|()| proptest::option::of(any::<i64>()));
    let flags = [(); 5].map(|()| any::<bool>());
    (texts, flags, times, 0..4_u8)
}

fn any_app_group() -> impl Strategy<Value = AnyAppGroup> {
    let texts = [(); 5].map(|()| any_text());
    let flags = [(); 2].map(|()| any::<bool>());
    let members = [(); 2].map(|()| vec((0..6_u32, any::<bool>()), 0..6));
    (texts, flags, members)
}

/// A holding with so many places at least.
pub(super) fn any_holding(accounts: usize, groups: usize) -> impl Strategy<Value = Holding> {
    let accounts = vec(any_account(), accounts..accounts + 4);
    let groups = vec(any_app_group(), groups..groups + 3);
    (accounts, groups).prop_map(|(accounts, groups)| {
        let mut pool = Pool::default();
        let accounts = accounts
            .iter()
            .map(|it| account_of(&mut pool, it))
            .collect();
        let groups = groups.iter().map(|it| group_of(&mut pool, it)).collect();
        Holding {
            pool,
            accounts,
            groups,
        }
    })
}

fn account_of(pool: &mut Pool, it: &AnyAccount) -> Account {
    let (texts, [active, exists, off_by_us, tied, unlisted], [since, left], number) = it;
    let texts = texts.each_ref().map(|it| pool.add(it));
    let seen = ObservedAccount {
        remote_id: texts[0],
        name: texts[1],
        display_name: texts[2],
        given_name: texts[3],
        family_name: texts[4],
        email: texts[5],
        directory: texts[6],
        external_id: texts[7],
        active: *active,
    };
    let origins = [Origin::Created, Origin::Adopted];
    let link = Link {
        directory: texts[8],
        user_id: texts[9],
        origin: origins[usize::from(number / 2)],
        off_by_us: *off_by_us,
        mail: texts[10],
        person: texts[11],
        tied: *tied,
        unlisted: *unlisted,
        absent_since: since.map(Timestamp),
        absent_for: i64::from(*number),
        left_at: left.map(Timestamp),
    };
    Account {
        seen,
        link: (number % 2 == 1).then_some(link),
        exists: *exists,
    }
}

fn group_of(pool: &mut Pool, it: &AnyAppGroup) -> AppGroup {
    let (texts, [exists, linked], members) = it;
    let texts = texts.each_ref().map(|it| pool.add(it));
    let [members, children] = members.each_ref().map(|list| {
        let mut list: Vec<_> = list.iter().map(|it| Membership::new(it.0, it.1)).collect();
        list.sort_unstable();
        list.dedup_by_key(|it| it.place());
        list
    });
    let link = GroupLink {
        directory: texts[3],
        group_id: texts[4],
        origin: Origin::Adopted,
        absent_since: Some(NOON),
        absent_for: 7,
        left_at: None,
    };
    AppGroup {
        seen: ObservedGroup {
            remote_id: texts[0],
            name: texts[1],
            description: texts[2],
        },
        link: linked.then_some(link),
        exists: *exists,
        members,
        children,
    }
}
