//! The control socket: what can be asked of a running daemon, and who may ask.
//! A daemon over fake jobs listens on a real socket in a folder of the test's own.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use usersyncd::daemon::{
    ControlFault, ControlSocket, Exit, PassOutcome, PassReport, Reply, Request, Signal, Subject,
    ask,
};
use usersyncd::events::Counts;
use usersyncd::text::Span;

use crate::support::daemon::{TestDaemon, settle, until};
use crate::support::jobs::{FakeJobs, pushed};

#[tokio::test]
async fn the_daemon_runs_the_pass_that_is_asked_for_and_answers_with_its_report() {
    let daemon = start().await;
    let counts = Counts {
        accounts_created: 7,
        changes_held: 1,
        ..Counts::default()
    };
    daemon.jobs.push_gives("wiki", pushed(counts));
    let report = sync_now(&daemon.control).await;
    assert_eq!(report.trigger, "control");
    assert_eq!(report.outcome, PassOutcome::Partial);
    assert_eq!(report.outcome.exit(), Exit::Partial);
    assert_eq!(report.counts.accounts_created, 7);
    assert_eq!(daemon.finished(), ["start", "control"]);
    assert_eq!(
        daemon.log.named("control.request")[0]["request"],
        "sync_now"
    );
}

#[tokio::test]
async fn each_who_asks_is_answered_although_the_work_is_done_once() {
    let daemon = start().await;
    daemon.jobs.hold("people");
    let ask = || {
        let control = daemon.control.clone();
        tokio::spawn(async move { sync_now(&control).await })
    };
    let mut asked = vec![ask()];
    until("the first one is served", || {
        daemon.jobs.count("read people") == 2
    })
    .await;
    asked.extend([ask(), ask(), ask()]);
    until("all are heard", || {
        daemon.log.named("control.request").len() == 4
    })
    .await;
    settle().await;
    daemon.jobs.release("people");
    for answer in asked {
        assert_eq!(answer.await.unwrap().outcome, PassOutcome::InSync);
    }
    assert_eq!(daemon.jobs.count("read people"), 1 + 2);
    assert_eq!(daemon.finished().len(), 1 + 4);
}

#[tokio::test]
async fn the_socket_is_for_its_owner_alone() {
    let daemon = start().await;
    let mode = std::fs::metadata(&daemon.control).unwrap().permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
}

#[tokio::test]
async fn what_is_not_understood_is_refused_with_a_reason() {
    let daemon = start().await;
    for request in [
        "{\"reboot\":{}}\n",
        "{\"sync_now\":{\"fast\":true}}\n",
        "hello\n",
    ] {
        let reply = say(&daemon.control, request).await;
        let Ok(Reply::Refused { reason }) = serde_json::from_str(&reply) else {
            panic!("{request}: {reply}");
        };
        assert!(
            reason.starts_with("the request is not understood: "),
            "{reason}"
        );
    }
    assert_eq!(daemon.finished(), ["start"]);
}

#[tokio::test]
async fn what_was_approved_is_gone_to_at_once_and_nothing_else_is_done() {
    let daemon = start().await;
    let approved = async |of| {
        let request = Request::Approved { of };
        ask(&daemon.control, &request).await.unwrap()
    };
    let application = approved(Subject::Application("wiki".to_owned())).await;
    assert!(matches!(application, Reply::Finished(_)), "{application:?}");
    assert_eq!(daemon.jobs.count("read people"), 1);
    assert_eq!(daemon.jobs.count("push wiki"), 2);
    // The read that is approved is the next one.
    let directory = approved(Subject::Directory("people".to_owned())).await;
    assert!(matches!(directory, Reply::Finished(_)), "{directory:?}");
    assert_eq!(daemon.jobs.count("read people"), 2);
    assert_eq!(daemon.jobs.count("push wiki"), 3);
    for of in [
        Subject::Application("people".to_owned()),
        Subject::Directory("wiki".to_owned()),
    ] {
        let Reply::Refused { reason } = approved(of).await else {
            panic!("it is not there");
        };
        assert!(reason.contains("reload"), "{reason}");
    }
    assert_eq!(
        daemon.finished(),
        ["start", "approval wiki", "approval people"]
    );
}

#[tokio::test]
async fn who_says_nothing_is_sent_away() {
    let daemon = start().await;
    let mut silent = UnixStream::connect(&daemon.control).await.unwrap();
    settle().await;
    daemon.pass(Span::seconds(10)).await;
    let mut answer = String::new();
    silent.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "");
}

#[tokio::test]
async fn who_waits_for_an_answer_when_the_daemon_stops_still_gets_it() {
    let daemon = start().await;
    daemon.jobs.hold("wiki");
    let asked = tokio::spawn({
        let control = daemon.control.clone();
        async move { sync_now(&control).await }
    });
    until("the change has begun", || {
        daemon.jobs.count("change wiki") == 4
    })
    .await;
    daemon.signal(Signal::Stop).await;
    daemon.jobs.release("wiki");
    assert_eq!(asked.await.unwrap().counts.applications_pushed, 1);
    let control = daemon.control.clone();
    assert_eq!(daemon.exit().await.0, Exit::Ok);
    assert!(!control.exists(), "the socket is gone");
}

#[tokio::test]
async fn where_nobody_listens_the_asker_learns_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db.sock");
    let fault = ask(&path, &Request::SyncNow {}).await.unwrap_err();
    assert!(matches!(fault, ControlFault::Silent { .. }), "{fault}");
    // What a killed daemon leaves behind.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let fault = ask(&path, &Request::SyncNow {}).await.unwrap_err();
    assert!(matches!(fault, ControlFault::Silent { .. }), "{fault}");
}

#[tokio::test]
async fn a_socket_that_a_killed_daemon_left_behind_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    ControlSocket::bind(&path).await.unwrap();
}

#[tokio::test]
async fn a_socket_on_which_somebody_listens_is_left_alone() {
    let daemon = start().await;
    let fault = ControlSocket::bind(&daemon.control).await.unwrap_err();
    assert!(matches!(fault, ControlFault::InUse { .. }), "{fault}");
    assert_eq!(sync_now(&daemon.control).await.outcome, PassOutcome::InSync);
}

#[tokio::test]
async fn a_path_that_is_too_long_for_an_address_works_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("d".repeat(120));
    std::fs::create_dir(&deep).unwrap();
    let path = deep.join("state.db.sock");
    let socket = ControlSocket::bind(&path).await.unwrap();
    assert!(path.exists());
    let fault = ControlSocket::bind(&path).await.unwrap_err();
    assert!(matches!(fault, ControlFault::InUse { .. }), "{fault}");
    drop(socket);
    assert!(!path.exists());
}

#[tokio::test]
async fn a_name_that_is_too_long_for_an_address_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s".repeat(120));
    let fault = ControlSocket::bind(&path).await.unwrap_err();
    assert!(matches!(fault, ControlFault::TooLong { .. }), "{fault}");
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_named() {
    let path = PathBuf::from("/proc/state.db.sock");
    let fault = ControlSocket::bind(&path).await.unwrap_err();
    let expect = "making the control socket /proc/state.db.sock; its folder must be writable";
    assert_eq!(fault.to_string(), expect);
}

async fn start() -> TestDaemon {
    let jobs = FakeJobs::new(&[("people", "@yearly")], &[("wiki", &["people"])]);
    TestDaemon::start(jobs).await
}

async fn sync_now(path: &Path) -> PassReport {
    match ask(path, &Request::SyncNow {}).await.unwrap() {
        Reply::Finished(report) => *report,
        Reply::Refused { reason } => panic!("{reason}"),
    }
}

async fn say(path: &Path, line: &str) -> String {
    let mut stream = UnixStream::connect(path).await.unwrap();
    stream.write_all(line.as_bytes()).await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    reply
}
