//! What holds for every transaction of the store: all of it or nothing, whatever ends it.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use crate::model::{Holding, Intent};
use crate::store::testing::{at, commit, holding, lines, places, read, records, store};
use crate::store::{ApplicationState, Slot, Store, StoreError};

/// Polls a future so many times, with the others of the process running in between, and drops it. Whether it ended.
async fn dropped_after(polls: usize, work: impl Future) -> bool {
    let mut work = pin!(work);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..polls {
        if let Poll::Ready(_) = work.as_mut().poll(&mut context) {
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
async fn an_intent_is_there_for_whoever_opens_the_store_next() {
    let (folder, store) = store().await;
    let intent = Intent { steps: Vec::new() };
    let number = store.save_intent("wiki", &intent).await.unwrap();
    // The process dies here: nothing is closed.
    let next = Store::open(&crate::store::testing::url(&folder))
        .await
        .unwrap();
    let mut snapshot = next.snapshot().await.unwrap();
    let open = snapshot.open_intents("wiki").await.unwrap();
    assert_eq!(open, [(number, intent)]);
    drop(snapshot);
    next.close_intents("wiki", &[number]).await.unwrap();
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
