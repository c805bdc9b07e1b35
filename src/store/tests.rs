//! What holds for every transaction of the store: all of it or nothing, whatever ends it.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use crate::clock::{Clock as _, SystemClock};
use crate::model::{
    AppGroup, Class, HistoryEntry, Holding, Intent, Membership, NewGroup, NewUser, ObservedGroup,
    Records, RecordsBuilder, StrId, Subject,
};
use crate::store::testing::{
    add_account, at, commit, holding, lines, places, read, records, rows_written, store,
};
use crate::store::{ApplicationState, Slot, Store, StoreError};

/// Polls a future so many times, with the others of the process running in between, and drops it. Whether it ended.
async fn dropped_after(polls: usize, work: impl Future) -> bool {
    let mut work = pin!(work);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..polls {
        if work.as_mut().poll(&mut context).is_ready() {
            return true;
        }
        // The connection's thread goes on by itself.
        tokio::task::spawn_blocking(|| ()).await.unwrap();
    }
    false
}

async fn holding_of(store: &Store) -> Option<Holding> {
    let mut snapshot = store.snapshot().await.unwrap();
    snapshot.holding("wiki").await.unwrap()
}

async fn state_of(store: &Store) -> ApplicationState {
    let mut snapshot = store.snapshot().await.unwrap();
    let state = snapshot.application("wiki").await.unwrap();
    state.unwrap_or_default()
}

#[tokio::test]
async fn a_push_that_is_dropped_anywhere_leaves_the_old_state_or_the_new_one() {
    let (_folder, store) = store().await;
    let names: Vec<String> = (0..500).map(|it| format!("user{it}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (old, new) = (holding(&names), holding(&names[1..]));
    let mut polls = 1;
    let mut dropped = 0;
    loop {
        let state = state_of(&store).await;
        store
            .commit_push("wiki", commit(None, &old, &state))
            .await
            .unwrap();
        let state = state_of(&store).await;
        let push = store.commit_push("wiki", commit(None, &new, &state));
        let ended = dropped_after(polls, push).await;
        // Whatever the writer's connection had been told by then is done before this is answered.
        rows_written(&store).await;
        let now = places(&holding_of(&store).await.unwrap());
        let is_new = now[1] == places(&new)[1];
        let expect = if is_new { &new } else { &old };
        assert_eq!(now[..499], places(expect)[..499], "after {polls} polls");
        assert_eq!(now[500..], places(expect)[places(expect).len() - 1..]);
        assert!(is_new || !ended, "what was reported done is done");
        if ended {
            break;
        }
        dropped += 1;
        polls += 1;
    }
    assert!(dropped > 3, "the push was never dropped in the middle");
}

#[tokio::test]
async fn a_full_disk_leaves_nothing_half_remembered() {
    let (_folder, store) = store().await;
    let few = records(&["u1"], &[]);
    store.accept("hr", None, &few, read(at(0))).await.unwrap();
    let pages: i64 = sqlx::query_scalar("PRAGMA page_count")
        .fetch_one(&store.writer)
        .await
        .unwrap();
    let limit = format!("PRAGMA max_page_count = {}", pages + 2);
    let limit = sqlx::query(sqlx::AssertSqlSafe(limit));
    limit.execute(&store.writer).await.unwrap();

    let ids: Vec<String> = (0..2_000).map(|it| format!("user{it}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let many = records(&ids, &[("staff", &ids)]);
    let fault = store
        .accept("hr", None, &many, read(at(1)))
        .await
        .unwrap_err();
    assert!(matches!(fault, StoreError::Full { .. }), "{fault}");
    let text = fault.to_string();
    assert!(text.contains("no space left"), "{text}");
    assert!(text.contains(&store.path().display().to_string()), "{text}");

    let holding = holding(&ids);
    let state = ApplicationState::default();
    let fault = store
        .commit_push("wiki", commit(None, &holding, &state))
        .await;
    assert!(matches!(fault.unwrap_err(), StoreError::Full { .. }));

    let mut snapshot = store.snapshot().await.unwrap();
    let state = snapshot.directory("hr").await.unwrap().unwrap();
    assert_eq!((state.read_at, state.revision), (Some(at(0)), 1));
    let kept = snapshot
        .records("hr", Slot::Accepted)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(lines(&kept.records), lines(&few));
    assert!(snapshot.application("wiki").await.unwrap().is_none());
    assert!(snapshot.holding("wiki").await.unwrap().is_none());

    // Once there is space again the store goes on.
    let limit = sqlx::query("PRAGMA max_page_count = 100000");
    limit.execute(&store.writer).await.unwrap();
    store.accept("hr", None, &many, read(at(2))).await.unwrap();
}

#[tokio::test]
async fn a_store_that_another_process_keeps_locked_says_so() {
    let (folder, store) = store().await;
    let other = Store::open(&crate::store::testing::url(&folder))
        .await
        .unwrap();
    let holding_on = other.write("holding on").await.unwrap();
    let impatient = sqlx::query("PRAGMA busy_timeout = 1");
    impatient.execute(&store.writer).await.unwrap();
    let fault = store.begin_pass(1, "schedule", at(0)).await.unwrap_err();
    assert!(matches!(fault, StoreError::Busy { .. }), "{fault}");
    // Reading goes on.
    assert!(
        store
            .snapshot()
            .await
            .unwrap()
            .passes(1)
            .await
            .unwrap()
            .is_empty()
    );
    drop(holding_on);
    rows_written(&other).await;
    store.begin_pass(1, "schedule", at(0)).await.unwrap();
}

#[tokio::test]
async fn an_intent_is_there_for_whoever_opens_the_store_next() {
    let (folder, store) = store().await;
    let intent = Intent { steps: Vec::new() };
    let intents = [intent.clone()].into_iter();
    let numbers = store.save_intents("wiki", intents).await.unwrap();
    // The process dies here: nothing is closed.
    let next = Store::open(&crate::store::testing::url(&folder))
        .await
        .unwrap();
    let mut snapshot = next.snapshot().await.unwrap();
    let open = snapshot.open_intents("wiki").await.unwrap();
    assert_eq!(open, [(numbers[0], intent)]);
    drop(snapshot);
    next.close_intents("wiki", &numbers).await.unwrap();
    let mut snapshot = store.snapshot().await.unwrap();
    assert!(snapshot.open_intents("wiki").await.unwrap().is_empty());
}

#[test]
fn work_of_the_store_may_move_between_threads() {
    fn is_send<T: Send>(_: &T) {}
    fn never_run(store: &Store, holding: &Holding, state: &ApplicationState) {
        is_send(&store.commit_push("wiki", commit(None, holding, state)));
        is_send(&store.accept("hr", None, &records(&[], &[]), read(at(0))));
        is_send(&store.approve("x", &[], at(0)));
        is_send(&async {
            let mut snapshot = store.snapshot().await.unwrap();
            snapshot.records("hr", Slot::Accepted).await.unwrap();
            snapshot.holding("wiki").await.unwrap();
        });
    }
    let _ = never_run;
}

/// Users, groups and memberships of the measured world: a tenth of what the project is measured with.
const WORLD: [u32; 3] = [10_000, 500, 50_000];

#[tokio::test]
#[expect(
    clippy::print_stdout,
    reason = "figures to look at; nothing depends on them"
)]
async fn figures_of_a_first_read_and_a_first_push_are_printed() {
    let size = std::env::var("USERSYNCD_STORE_WORLD").map_or(1, |it| it.parse().unwrap());
    let [users, groups, memberships] = WORLD.map(|it| it * size);
    let clock = SystemClock::new();
    let (_folder, store) = store().await;
    let records = world(users, groups, memberships);
    let mut last = clock.monotonic();
    let mut print = |what: &str| {
        let now = clock.monotonic();
        println!(
            "{users} users, {memberships} memberships: {what} {:?}",
            now.abs_diff(last)
        );
        last = clock.monotonic();
    };
    print("world made");
    store
        .accept("hr", None, &records, read(at(0)))
        .await
        .unwrap();
    print("first read accepted");
    let mut snapshot = store.snapshot().await.unwrap();
    let stored = snapshot
        .records("hr", Slot::Accepted)
        .await
        .unwrap()
        .unwrap();
    print("records loaded");
    store
        .accept("hr", Some(&stored), &records, read(at(1)))
        .await
        .unwrap();
    print("unchanged read accepted");
    let holding = holding_like(&records);
    let history = history_like(&holding);
    print("holding made");
    let state = ApplicationState::default();
    let mut push = commit(None, &holding, &state);
    push.history = Box::new(history.into_iter());
    store.commit_push("wiki", push).await.unwrap();
    print("first push committed");
    drop(snapshot);
    let before = holding_of(&store).await.unwrap();
    print("holding loaded");
    let state = state_of(&store).await;
    store
        .commit_push("wiki", commit(Some(&before), &holding, &state))
        .await
        .unwrap();
    print("unchanged push committed");
}

/// Records of realistic length, with memberships spread evenly.
fn world(users: u32, groups: u32, memberships: u32) -> Records {
    let mut builder = RecordsBuilder::default();
    let handle = |user: u32| format!("uid=user{user},ou=people,dc=example,dc=com");
    for user in 0..users {
        builder.user(&NewUser {
            id: &format!("{user:08x}-1111-2222-3333-{user:012x}"),
            username: &format!("user{user}"),
            display_name: &format!("Given{user} Family{user}"),
            given_name: &format!("Given{user}"),
            family_name: &format!("Family{user}"),
            email: &format!("user{user}@example.com"),
            handle: &handle(user),
            ..NewUser::default()
        });
    }
    for group in 0..groups {
        let name = format!("group{group}");
        let group = builder.group(&NewGroup {
            id: &name,
            name: &name,
            handle: &name,
            ..NewGroup::default()
        });
        for member in 0..memberships / groups {
            let user = (group.unwrap() * 7_919 + member * 131) % users;
            builder.member(group.unwrap(), None, &handle(user));
        }
    }
    builder.finish()
}

/// What an application holds after it got all of these records.
fn holding_like(records: &Records) -> Holding {
    let mut holding = Holding::default();
    for user in &records.users {
        add_account(&mut holding, records.text(user.username));
        let account = holding.accounts.last_mut().unwrap();
        account.seen.display_name = holding.pool.add(records.text(user.display_name));
        account.seen.email = holding.pool.add(records.text(user.email));
        account.seen.external_id = holding.pool.add(records.text(user.id));
    }
    for (index, group) in records.groups.iter().enumerate() {
        let name = holding.pool.add(records.text(group.name));
        let members = records.members.row(index).iter();
        holding.groups.push(AppGroup {
            seen: ObservedGroup {
                remote_id: name,
                name,
                description: StrId::EMPTY,
            },
            link: None,
            exists: true,
            members: members.map(|it| Membership::new(*it, true)).collect(),
            children: Vec::new(),
        });
    }
    holding
}

/// The history of having made all of it.
fn history_like(holding: &Holding) -> Vec<HistoryEntry> {
    let entry = |subject, name: &str, given| HistoryEntry {
        at: at(0),
        subject,
        name: name.to_owned(),
        text: format!("create {name}"),
        reason: "new".to_owned(),
        class: Some(Class::Addition),
        active_delta: 1,
        given,
        taken: Vec::new(),
    };
    let accounts = 0..holding.accounts.len() as u32;
    let accounts =
        accounts.map(|it| entry(Subject::Account(it), holding.account_name(it), Vec::new()));
    let groups = 0..holding.groups.len() as u32;
    let groups = groups.map(|it| {
        let members = holding.groups[it as usize].members.iter();
        let given = members.map(|it| it.place()).collect();
        entry(Subject::Group(it), holding.group_name(it), given)
    });
    accounts.chain(groups).collect()
}
