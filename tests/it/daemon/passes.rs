//! What one trigger starts, and how it is accounted for.

use tokio_util::sync::CancellationToken;
use usersyncd::clock::ManualClock;
use usersyncd::daemon::{Age, PassOutcome, PassReport, PushEnd, ReadEnd, Subject, run_once};
use usersyncd::progress::Progress;

use super::*;
use crate::support::log::Log;

#[tokio::test]
async fn an_application_waits_for_its_own_directories_only() {
    let jobs = FakeJobs::new(
        &[("a", "@yearly"), ("b", "@yearly")],
        &[("both", &["a", "b"]), ("only-a", &["a"])],
    );
    jobs.hold("b");
    let daemon = TestDaemon::start(jobs).await;
    assert_eq!(daemon.jobs.count("push only-a ended"), 1);
    assert_eq!(daemon.jobs.count("push both"), 0);
    daemon.jobs.release("b");
    settle().await;
    assert_eq!(daemon.jobs.count("push both"), 1);
}

#[tokio::test]
async fn every_trigger_has_one_pass_that_starts_once_and_ends_once() {
    let daemon = TestDaemon::start(two()).await;
    daemon.jobs.hold("wiki");
    daemon.signal(Signal::SyncNow).await;
    daemon.signal(Signal::SyncNow).await;
    daemon.signal(Signal::SyncNow).await;
    daemon.pass(Span::minutes(2)).await;
    daemon.jobs.release("wiki");
    settle().await;
    let expect = [
        "signal",
        "signal",
        "signal",
        "start",
        "tick minute",
        "tick minute",
    ];
    assert_eq!(sorted(triggers(&daemon.log, "pass.started")), expect);
    assert_eq!(sorted(daemon.finished()), expect);
    let mut numbers: Vec<_> = daemon.log.named("pass.finished").into_iter().collect();
    numbers.sort_by_key(|event| event["pass"].as_u64());
    numbers.dedup_by_key(|event| event["pass"].as_u64());
    assert_eq!(numbers.len(), expect.len());
}

#[tokio::test]
async fn the_signal_makes_everything_due() {
    let daemon = TestDaemon::start(two()).await;
    daemon.signal(Signal::SyncNow).await;
    assert_eq!(daemon.finished(), ["start", "signal"]);
    for what in ["read quarter", "read minute", "push wiki", "push chat"] {
        assert_eq!(daemon.jobs.count(what), 2, "{what}");
    }
}

#[tokio::test]
async fn a_pass_tells_what_it_counted() {
    let jobs = one();
    jobs.read_gives("people", ReadEnd::Changed, 2);
    let counts = Counts {
        accounts_created: 3,
        memberships_given: 4,
        changes_held: 5,
        ..Counts::default()
    };
    jobs.push_gives("wiki", pushed(counts));
    let daemon = TestDaemon::start(jobs).await;
    let finished = &daemon.log.named("pass.finished")[0];
    let expect = [
        ("directories_changed", 1),
        ("directories_unchanged", 0),
        ("records_rejected", 2),
        ("applications_pushed", 1),
        ("accounts_created", 3),
        ("memberships_given", 4),
        ("changes_held", 5),
    ];
    for (field, count) in expect {
        assert_eq!(finished[field], count, "{field}");
    }
    assert_eq!(finished["outcome"], "partial");
    assert_eq!(finished["level"], "WARN");
}

#[tokio::test]
async fn every_pass_tells_the_age_of_everything() {
    let jobs = two();
    jobs.ages_are(vec![
        age(Subject::Directory("quarter".into()), Some(60), false),
        age(Subject::Directory("minute".into()), None, true),
        age(Subject::Application("wiki".into()), Some(90_000), true),
    ]);
    let daemon = TestDaemon::start(jobs).await;
    let finished = &daemon.log.named("pass.finished")[0];
    assert_eq!(finished["read_ages"], "quarter=60 minute=never");
    assert_eq!(finished["push_ages"], "wiki=90000");
    assert_eq!(
        (&finished["stale"], &finished["outcome"]),
        (&2.into(), &"partial".into())
    );
    assert_eq!(
        daemon.log.named("directory.stale")[0]["directory"],
        "minute"
    );
    let stale = &daemon.log.named("application.stale")[0];
    assert_eq!(
        (&stale["age_seconds"], &stale["level"]),
        (&90_000.into(), &"ERROR".into())
    );
}

#[tokio::test]
async fn the_outcome_of_one_pass_decides_the_exit_code() {
    let counts = Counts::default;
    let cases = [
        (
            "nothing to do",
            ReadEnd::Unchanged,
            0,
            PushEnd::NotDue,
            counts(),
            PassOutcome::InSync,
        ),
        (
            "all done",
            ReadEnd::Changed,
            0,
            PushEnd::Pushed,
            made(1),
            PassOutcome::Applied,
        ),
        (
            "a failed read",
            ReadEnd::Failed,
            0,
            PushEnd::Pushed,
            made(1),
            PassOutcome::Partial,
        ),
        (
            "a suspect read",
            ReadEnd::Suspect,
            0,
            PushEnd::NotDue,
            counts(),
            PassOutcome::Partial,
        ),
        (
            "a rejected record",
            ReadEnd::Changed,
            1,
            PushEnd::NotDue,
            counts(),
            PassOutcome::Partial,
        ),
        (
            "held",
            ReadEnd::Changed,
            0,
            PushEnd::NotDue,
            held(1),
            PassOutcome::Partial,
        ),
        (
            "waiting",
            ReadEnd::Changed,
            0,
            PushEnd::Pushed,
            waiting(1),
            PassOutcome::InSync,
        ),
        (
            "no application",
            ReadEnd::Changed,
            0,
            PushEnd::Failed,
            counts(),
            PassOutcome::Failed,
        ),
        (
            "store at the read",
            ReadEnd::StoreFailed,
            0,
            PushEnd::NotDue,
            counts(),
            PassOutcome::Failed,
        ),
        (
            "store at the push",
            ReadEnd::Changed,
            0,
            PushEnd::StoreFailed,
            counts(),
            PassOutcome::Failed,
        ),
    ];
    for (what, end, rejected, push, counts, expect) in cases {
        let jobs = one();
        jobs.read_gives("people", end, rejected);
        jobs.push_gives(
            "wiki",
            PushOutcome {
                end: push,
                ..pushed(counts)
            },
        );
        let (report, log) = once(jobs, &CancellationToken::new()).await;
        assert_eq!(report.outcome, expect, "{what}");
        assert_eq!(log.named("pass.finished").len(), 1, "{what}");
    }
}

#[tokio::test]
async fn one_application_of_two_that_fails_makes_the_pass_partial() {
    let jobs = two();
    jobs.push_gives(
        "wiki",
        PushOutcome {
            end: PushEnd::Failed,
            ..pushed(Counts::default())
        },
    );
    let (report, _log) = once(jobs, &CancellationToken::new()).await;
    assert_eq!(report.outcome, PassOutcome::Partial);
    assert_eq!(report.outcome.exit(), Exit::Partial);
}

#[tokio::test]
async fn one_pass_that_is_stopped_finishes_the_change_in_hand() {
    let jobs = one();
    jobs.hold("wiki");
    let stop = CancellationToken::new();
    let running = tokio::spawn({
        let (jobs, stop) = (Arc::clone(&jobs), stop.clone());
        async move { once(jobs, &stop).await.0 }
    });
    until("the change has begun", || jobs.count("change wiki") == 1).await;
    stop.cancel();
    jobs.release("wiki");
    let report = running.await.unwrap();
    assert_eq!(jobs.count("change wiki ended"), 1);
    // Its push was answered, so nothing of the pass is missing; what the push left undone, it tells itself.
    assert_eq!(report.counts.applications_pushed, 1);
}

#[tokio::test]
async fn one_pass_that_is_stopped_before_its_push_says_so() {
    let jobs = one();
    jobs.hold("people");
    let stop = CancellationToken::new();
    let running = tokio::spawn({
        let (jobs, stop) = (Arc::clone(&jobs), stop.clone());
        async move { once(jobs, &stop).await.0 }
    });
    until("the read has begun", || jobs.count("read people") == 1).await;
    stop.cancel();
    let report = running.await.unwrap();
    assert_eq!(report.outcome, PassOutcome::Stopped);
    assert_eq!(jobs.log(), ["read people", "read people ended"]);
}

#[tokio::test]
async fn one_long_pass_tells_of_its_progress() {
    let jobs = one();
    jobs.hold("wiki");
    let log = Log::catch();
    let clock = Arc::new(ManualClock::new(START));
    let running = tokio::spawn({
        let (clock, jobs) = (Arc::clone(&clock), Arc::clone(&jobs));
        async move { run_once(clock, Progress::new(), jobs, &CancellationToken::new()).await }
    });
    until("the change has begun", || jobs.count("change wiki") == 1).await;
    for _ in 0..11 {
        clock.advance(Span::seconds(1));
        settle().await;
    }
    assert_eq!(log.named("pass.progress")[0]["job"], "push wiki");
    jobs.release("wiki");
    assert_eq!(running.await.unwrap().outcome, PassOutcome::InSync);
}

async fn once(jobs: Arc<FakeJobs>, stop: &CancellationToken) -> (PassReport, Log) {
    let log = Log::catch();
    let clock = Arc::new(ManualClock::new(START));
    let report = run_once(clock, Progress::new(), jobs, stop).await;
    (report, log)
}

fn age(subject: Subject, seconds: Option<i64>, stale: bool) -> Age {
    let last = seconds.map(|seconds| Timestamp(START.0 - seconds));
    Age {
        subject,
        last,
        stale,
    }
}

fn made(accounts_created: u64) -> Counts {
    Counts {
        accounts_created,
        ..Counts::default()
    }
}

fn held(changes_held: u64) -> Counts {
    Counts {
        changes_held,
        ..Counts::default()
    }
}

fn waiting(changes_waiting: u64) -> Counts {
    Counts {
        changes_waiting,
        ..Counts::default()
    }
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}
