//! Start, stop, reload, and what the service manager hears of it.

use super::*;

#[tokio::test]
async fn the_first_signal_finishes_the_change_in_hand() {
    let jobs = one();
    jobs.hold("wiki");
    let daemon = TestDaemon::start(jobs.clone()).await;
    assert_eq!(jobs.count("change wiki"), 1);
    daemon.signal(Signal::Stop).await;
    assert!(!daemon.has_ended());
    jobs.release("wiki");
    let (exit, log) = daemon.exit().await;
    assert_eq!(exit, Exit::Ok);
    assert_eq!(jobs.count("change wiki ended"), 1);
    assert_eq!(
        jobs.count("change wiki"),
        1,
        "of {CHANGES}, no further one is begun"
    );
    let stopped = &log.named("daemon.stopped")[0];
    assert_eq!(
        (&stopped["clean"], &stopped["exit_code"]),
        (&true.into(), &0.into())
    );
    assert_eq!(triggers(&log, "pass.finished"), ["start"]);
}

#[tokio::test]
async fn the_second_signal_stops_at_once() {
    let jobs = one();
    jobs.hold("wiki");
    let daemon = TestDaemon::start(jobs.clone()).await;
    daemon.signal(Signal::Stop).await;
    daemon.signal(Signal::Stop).await;
    assert_eq!(jobs.count("push wiki ended"), 1, "it is dropped");
    assert_eq!(jobs.count("change wiki ended"), 0);
    let (exit, log) = daemon.exit().await;
    assert_eq!(exit, Exit::Ok);
    assert_eq!(log.named("daemon.stopped")[0]["clean"], false);
}

#[tokio::test]
async fn a_minute_after_the_first_signal_the_daemon_stops_and_fails() {
    let jobs = one();
    jobs.hold("wiki");
    let daemon = TestDaemon::start(jobs).await;
    daemon.signal(Signal::Stop).await;
    daemon.pass(Span::seconds(59)).await;
    assert!(!daemon.has_ended());
    daemon.pass(Span::seconds(1)).await;
    let (exit, log) = daemon.exit().await;
    assert_eq!(exit, Exit::Failed);
    assert_eq!(log.named("daemon.stopped")[0]["clean"], false);
}

#[tokio::test]
async fn a_hanging_read_does_not_delay_the_stop() {
    let jobs = two();
    jobs.hold("quarter");
    let daemon = TestDaemon::start(jobs.clone()).await;
    daemon.signal(Signal::Stop).await;
    let (exit, log) = daemon.exit().await;
    assert_eq!(exit, Exit::Ok);
    assert_eq!(jobs.count("read quarter ended"), 1);
    assert_eq!(jobs.count("push wiki"), 0, "no push is begun");
    let finished = &log.named("pass.finished")[0];
    assert_eq!(
        (&finished["trigger"], &finished["outcome"]),
        (&"start".into(), &"stopped".into())
    );
}

#[tokio::test]
async fn an_idle_daemon_stops_at_once() {
    let daemon = TestDaemon::start(two()).await;
    daemon.signal(Signal::Stop).await;
    let (exit, log) = daemon.exit().await;
    assert_eq!(exit, Exit::Ok);
    let names: Vec<_> = log
        .events()
        .iter()
        .map(|it| it["event"].to_string())
        .collect();
    assert_eq!(names.last().unwrap(), "\"daemon.stopped\"");
}

#[tokio::test]
async fn a_daemon_of_which_a_part_dies_ends_and_fails() {
    let daemon = TestDaemon::start(one()).await;
    daemon.jobs.panic_once("ages");
    daemon.signal(Signal::SyncNow).await;
    let (exit, log) = daemon.exit().await;
    assert_eq!(exit, Exit::Failed);
    assert_eq!(log.named("daemon.died")[0]["task"], "pass");
    assert_eq!(log.named("daemon.stopped")[0]["exit_code"], 1);
}

#[tokio::test]
async fn a_bad_configuration_is_refused_and_the_old_one_stays_in_force() {
    let daemon = TestDaemon::start(one()).await;
    daemon.told();
    daemon.signal(Signal::Reload).await;
    let rejected = &daemon.log.named("config.rejected")[0];
    assert_eq!(rejected["problem"], "config.yaml:1:1: no good");
    let told = daemon.told();
    assert_eq!(told[0], "RELOADING=1");
    assert!(told[1].starts_with("MONOTONIC_USEC="), "{told:?}");
    assert_eq!(told[2], "READY=1");
    daemon.pass(Span::minutes(1)).await;
    assert_eq!(daemon.finished(), ["start", "tick people"]);
}

#[tokio::test]
async fn a_good_configuration_takes_over_when_the_change_in_hand_is_finished() {
    let old = one();
    old.hold("wiki");
    let daemon = TestDaemon::start(old.clone()).await;
    let new = two();
    *daemon.reload_gives.lock().unwrap() = Some(new.clone());
    daemon.signal(Signal::Reload).await;
    assert!(new.log().is_empty(), "the old one still works");
    old.release("wiki");
    settle().await;
    assert_eq!(old.count("change wiki ended"), 1);
    assert_eq!(daemon.finished(), ["start", "reload"]);
    let reloaded = &daemon.log.named("config.reloaded")[0];
    assert_eq!(
        (&reloaded["directories"], &reloaded["applications"]),
        (&2.into(), &2.into())
    );
    daemon.pass(Span::minutes(1)).await;
    assert_eq!(daemon.finished(), ["start", "reload", "tick minute"]);
    assert_eq!(old.count("read people"), 1, "its schedule is gone");
    daemon.signal(Signal::Stop).await;
    assert_eq!(daemon.exit().await.0, Exit::Ok);
}

#[tokio::test]
async fn a_stop_during_a_change_of_configuration_wins() {
    let old = one();
    old.hold("wiki");
    let daemon = TestDaemon::start(old.clone()).await;
    let new = two();
    *daemon.reload_gives.lock().unwrap() = Some(new.clone());
    daemon.signal(Signal::Reload).await;
    daemon.signal(Signal::Stop).await;
    old.release("wiki");
    assert_eq!(daemon.exit().await.0, Exit::Ok);
    assert!(new.log().is_empty());
}

#[tokio::test]
async fn the_service_manager_hears_of_start_work_and_stop_in_this_order() {
    let jobs = one();
    jobs.hold("people");
    let daemon = TestDaemon::start(jobs.clone()).await;
    let told = without_watchdog(daemon.told());
    assert_eq!(told[0], "READY=1");
    assert_eq!(
        told[1],
        "STATUS=Waiting; the next read is at 2026-11-22T00:01:00Z"
    );
    assert_eq!(told[2..], ["STATUS=read people"]);
    jobs.hold("wiki");
    jobs.release("people");
    settle().await;
    daemon.pass(Span::seconds(1)).await;
    assert_eq!(without_watchdog(daemon.told()), ["STATUS=push wiki 0 of 3"]);
    jobs.release("wiki");
    settle().await;
    daemon.pass(Span::seconds(1)).await;
    let told = without_watchdog(daemon.told());
    assert_eq!(
        told.last().unwrap(),
        "STATUS=Waiting; pass 1 (start) ended in_sync"
    );
    daemon.signal(Signal::Stop).await;
    assert_eq!(without_watchdog(daemon.told()), ["STOPPING=1"]);
}

#[tokio::test]
async fn the_watchdog_hears_of_a_daemon_that_waits() {
    let daemon = TestDaemon::start(two()).await;
    daemon.told();
    daemon.pass(Span::minutes(5)).await;
    assert_eq!(watchdogs(&daemon.told()), 4);
}

#[tokio::test]
async fn the_watchdog_hears_nothing_of_a_push_that_hangs() {
    let daemon = TestDaemon::start(two()).await;
    daemon.jobs.hold("wiki");
    daemon.signal(Signal::SyncNow).await;
    daemon.pass(Span::minutes(5)).await;
    daemon.told();
    daemon.pass(Span::minutes(20)).await;
    assert!(daemon.jobs.count("read minute") > 20, "the others go on");
    assert_eq!(watchdogs(&daemon.told()), 0);
    daemon.jobs.release("wiki");
    daemon.pass(Span::minutes(5)).await;
    assert_eq!(watchdogs(&daemon.told()), 4);
}

#[tokio::test]
async fn the_watchdog_does_not_mind_a_directory_that_hangs() {
    let daemon = TestDaemon::start(two()).await;
    daemon.jobs.hold("quarter");
    daemon.signal(Signal::SyncNow).await;
    daemon.told();
    daemon.pass(Span::minutes(5)).await;
    assert_eq!(watchdogs(&daemon.told()), 4);
}

#[tokio::test]
async fn a_long_job_is_told_every_ten_seconds() {
    let daemon = TestDaemon::start(one()).await;
    daemon.jobs.hold("wiki");
    daemon.signal(Signal::SyncNow).await;
    daemon.pass(Span::seconds(35)).await;
    let progress = daemon.log.named("pass.progress");
    assert_eq!(progress.len(), 3);
    assert_eq!(progress[0]["job"], "push wiki");
    assert_eq!(
        (&progress[0]["done"], &progress[0]["total"]),
        (&0.into(), &3.into())
    );
    assert_eq!(progress[2]["duration_ms"], 30_000);
}

fn watchdogs(told: &[String]) -> usize {
    told.iter().filter(|it| *it == "WATCHDOG=1").count()
}

fn without_watchdog(told: Vec<String>) -> Vec<String> {
    told.into_iter().filter(|it| it != "WATCHDOG=1").collect()
}
