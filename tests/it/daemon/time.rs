//! Schedules and clocks.

use super::*;

#[tokio::test]
async fn the_start_is_a_pass_over_everything() {
    let daemon = TestDaemon::start(two()).await;
    assert_eq!(daemon.finished(), ["start"]);
    for what in ["read quarter", "read minute", "push wiki", "push chat"] {
        assert_eq!(daemon.jobs.count(what), 1, "{what}");
    }
}

#[tokio::test]
async fn a_tick_reads_its_directory_and_pushes_who_lists_it() {
    let daemon = TestDaemon::start(two()).await;
    daemon.pass(Span::seconds(59)).await;
    assert_eq!(daemon.finished(), ["start"]);
    daemon.pass(Span::seconds(1)).await;
    assert_eq!(daemon.finished(), ["start", "tick minute"]);
    assert_eq!(daemon.jobs.count("read minute"), 2);
    assert_eq!(daemon.jobs.count("push chat"), 2);
    assert_eq!(daemon.jobs.count("read quarter"), 1);
    assert_eq!(daemon.jobs.count("push wiki"), 1);
}

#[tokio::test]
async fn a_hanging_directory_delays_nobody_else() {
    let jobs = two();
    jobs.hold("quarter");
    let daemon = TestDaemon::start(jobs).await;
    daemon.pass(Span::minutes(5)).await;
    assert_eq!(daemon.finished(), ["tick minute"; 5]);
    assert_eq!(daemon.jobs.count("push chat"), 6);
    assert_eq!(daemon.jobs.count("push wiki"), 0);
}

#[tokio::test]
async fn a_read_is_dropped_at_its_time_limit_and_tried_again_at_the_next_tick() {
    let jobs = two();
    jobs.hold("quarter");
    let daemon = TestDaemon::start(jobs).await;
    daemon.leap(read_timeout()).await;
    assert_eq!(daemon.jobs.count("read quarter ended"), 1);
    let failed = daemon.log.named("directory.failed");
    assert_eq!(failed[0]["kind"], "timed_out");
    assert_eq!(failed[0]["directory"], "quarter");
    let error = failed[0]["error"].as_str().unwrap();
    for option in ["`read_timeout`", "`queries_per_minute`"] {
        assert!(error.contains(option), "{error}");
    }
    // The application is pushed nevertheless, from the last records.
    assert_eq!(daemon.jobs.count("push wiki"), 1);
    assert!(daemon.finished().contains(&"start".to_owned()));

    daemon.jobs.release("quarter");
    daemon.pass(Span::minutes(5)).await;
    assert_eq!(daemon.jobs.count("read quarter ended"), 2);
    assert_eq!(daemon.log.named("directory.failed").len(), 1);
}

#[tokio::test]
async fn a_read_that_panics_fails_alone() {
    let jobs = two();
    jobs.panic_once("quarter");
    let daemon = TestDaemon::start(jobs).await;
    let failed = daemon.log.named("directory.failed");
    assert_eq!(failed[0]["kind"], "panicked");
    assert_eq!(failed[0]["level"], "ERROR");
    assert_eq!(daemon.log.named("pass.finished")[0]["outcome"], "partial");
    daemon.leap(Span::minutes(15)).await;
    assert_eq!(daemon.jobs.count("read quarter"), 2);
}

#[tokio::test]
async fn a_push_that_panics_fails_alone() {
    let jobs = two();
    jobs.panic_once("wiki");
    let daemon = TestDaemon::start(jobs).await;
    let failed = daemon.log.named("application.failed");
    assert_eq!(failed[0]["kind"], "panicked");
    assert_eq!(daemon.jobs.count("push chat"), 1);
    daemon.leap(Span::minutes(15)).await;
    assert_eq!(daemon.jobs.count("push wiki"), 2);
}

#[tokio::test]
async fn ticks_that_come_during_a_read_melt_into_one_after_it() {
    let daemon = TestDaemon::start(one()).await;
    daemon.jobs.hold("people");
    daemon.pass(Span::minutes(5)).await;
    assert_eq!(daemon.jobs.count("read people"), 2);
    daemon.jobs.release("people");
    settle().await;
    assert_eq!(daemon.jobs.count("read people"), 3);
    assert_eq!(daemon.finished(), ["start", "tick people", "tick people"]);
    daemon.pass(Span::minutes(1)).await;
    assert_eq!(daemon.jobs.count("read people"), 4);
}

#[tokio::test]
async fn ticks_that_come_during_a_push_melt_into_one_push_after_it() {
    let daemon = TestDaemon::start(one()).await;
    daemon.jobs.hold("wiki");
    daemon.pass(Span::minutes(5)).await;
    assert_eq!(daemon.jobs.count("read people"), 6, "reads go on");
    assert_eq!(daemon.jobs.count("push wiki"), 2);
    // The tick whose push runs, and the one whose push comes next, are open; the others have left it to that one.
    assert_eq!(daemon.finished().len(), 1 + 3);
    assert_eq!(daemon.log.named("pass.finished")[3]["outcome"], "joined");
    daemon.jobs.release("wiki");
    settle().await;
    assert_eq!(daemon.jobs.count("push wiki"), 3);
    assert_eq!(daemon.finished().len(), 1 + 5);
}

#[tokio::test]
async fn a_machine_that_slept_reads_once() {
    let daemon = TestDaemon::start(one()).await;
    daemon.leap(Span::hours(24)).await;
    assert_eq!(daemon.jobs.count("read people"), 2);
    daemon.pass(Span::minutes(1)).await;
    assert_eq!(daemon.jobs.count("read people"), 3);
}

#[tokio::test]
async fn a_clock_that_is_put_forward_makes_what_it_passes_due_once() {
    let daemon = TestDaemon::start(two()).await;
    daemon.clock.set(Timestamp(START.0 + 7 * 24 * 3_600 + 10));
    daemon.pass(Span::seconds(30)).await;
    assert_eq!(daemon.jobs.count("read quarter"), 2);
    assert_eq!(daemon.jobs.count("read minute"), 2);
}

#[tokio::test]
async fn a_clock_that_is_put_back_silences_nobody() {
    let daemon = TestDaemon::start(one()).await;
    daemon.pass(Span::minutes(2)).await;
    assert_eq!(daemon.jobs.count("read people"), 3);
    daemon.clock.set(Timestamp(START.0 - 7 * 24 * 3_600));
    daemon.pass(Span::minutes(3)).await;
    assert_eq!(daemon.jobs.count("read people"), 6);
}

#[tokio::test]
async fn a_clock_that_is_put_back_a_little_gives_no_tick_twice() {
    let daemon = TestDaemon::start(one()).await;
    daemon.pass(Span::minutes(1)).await;
    assert_eq!(daemon.jobs.count("read people"), 2);
    // Seen half a minute later, when the clock shows 45 seconds and the tick of the minute is behind it.
    daemon.clock.set(Timestamp(START.0 + 15));
    daemon.pass(Span::seconds(60)).await;
    assert_eq!(daemon.jobs.count("read people"), 2);
    daemon.pass(Span::seconds(60)).await;
    assert_eq!(daemon.jobs.count("read people"), 3);
}

#[tokio::test]
async fn a_week_has_672_quarters_of_an_hour() {
    let jobs = FakeJobs::new(&[("people", "*/15 * * * *")], &[("wiki", &["people"])]);
    let daemon = TestDaemon::start(jobs).await;
    for tick in 1..=672 {
        daemon.clock.advance(Span::minutes(15));
        let pushed = || daemon.jobs.count("push wiki ended") == 1 + tick;
        until("the application is pushed", pushed).await;
    }
    settle().await;
    assert_eq!(daemon.jobs.count("read people"), 1 + 672);
    assert_eq!(daemon.jobs.count("push wiki"), 1 + 672);
    assert_eq!(daemon.finished().len(), 1 + 672);
}

#[tokio::test]
async fn a_clock_that_falls_due_pushes_its_application_alone() {
    let jobs = FakeJobs::new(
        &[("people", "@yearly")],
        &[("wiki", &["people"]), ("chat", &["people"])],
    );
    let due_at = Some(START.plus(Span::hours(24)));
    let counts = Counts {
        changes_waiting: 1,
        ..Counts::default()
    };
    let waiting = PushOutcome {
        due_at,
        ..pushed(counts)
    };
    jobs.push_gives("wiki", waiting);
    let daemon = TestDaemon::start(jobs).await;
    daemon.jobs.push_gives("wiki", pushed(Counts::default()));
    daemon.leap(Span::seconds(24 * 3_600 - 1)).await;
    assert_eq!(daemon.finished(), ["start"]);
    daemon.leap(Span::seconds(1)).await;
    assert_eq!(daemon.finished(), ["start", "due wiki"]);
    assert_eq!(daemon.jobs.count("push wiki"), 2);
    assert_eq!(daemon.jobs.count("push chat"), 1);
    assert_eq!(daemon.jobs.count("read people"), 1);
    daemon.leap(Span::hours(24)).await;
    assert_eq!(daemon.finished(), ["start", "due wiki"]);
}

#[tokio::test]
async fn a_clock_that_stays_due_does_not_spin() {
    let jobs = FakeJobs::new(&[("people", "@yearly")], &[("wiki", &["people"])]);
    let due = PushOutcome {
        due_at: Some(START),
        ..pushed(Counts::default())
    };
    jobs.push_gives("wiki", due);
    let daemon = TestDaemon::start(jobs).await;
    daemon.pass(Span::minutes(5)).await;
    assert_eq!(daemon.jobs.count("push wiki"), 1 + 1 + 5);
}
