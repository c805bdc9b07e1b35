//! The real program: signals, the service manager, the control socket and exit codes, as a shell and systemd see them.

use std::net::TcpListener;
use std::process::Output;

use usersyncd::daemon::Exit;
use usersyncd::store::{Claim, Role};

use crate::support::process::Home;

/// So seldom that no tick comes during a test.
const NEVER: &str = "@yearly";

#[test]
fn the_daemon_tells_of_its_life_and_ends_well_by_sigterm() {
    let home = Home::new(NEVER);
    let mut daemon = home.daemon();
    daemon.wait_for_pass("start");
    let ready = daemon.told();
    assert!(
        ready.starts_with("READY=1\nSTATUS=Waiting; the next read is at "),
        "{ready}"
    );
    assert_eq!(daemon.terminate().code(), Some(0));
    while daemon.told() != "STOPPING=1\n" {}
    let order = [
        "daemon.started",
        "daemon.ready",
        "daemon.stopping",
        "daemon.stopped",
    ];
    for event in order {
        assert_eq!(daemon.wait_for(event, 1).len(), 1, "{event}");
    }
    assert!(!home.path().join("state.db.sock").exists());
}

#[test]
fn the_watchdog_is_fed_while_the_daemon_waits() {
    let home = Home::new(NEVER);
    let daemon = home.daemon();
    let mut fed = 0;
    while fed < 4 {
        fed += usize::from(daemon.told() == "WATCHDOG=1\n");
    }
}

#[test]
fn sigusr1_and_ticks_read_and_push() {
    let home = Home::new("* * * * * *");
    let mut daemon = home.daemon();
    daemon.wait_for_pass("tick people");
    home.append("people.yaml", "groups: [{ name: late, users: [bert] }]\n");
    daemon.signal("USR1");
    daemon.wait_for_pass("signal");
    let applied = daemon.wait_for("change.applied", 1);
    assert!(
        applied.iter().any(|event| event["subject"] == "group late"),
        "{applied:?}"
    );
    assert_eq!(daemon.terminate().code(), Some(0));
}

#[test]
fn sighup_takes_a_good_configuration_and_refuses_a_bad_one() {
    let home = Home::new(NEVER);
    let mut daemon = home.daemon();
    daemon.wait_for_pass("start");
    home.append("config.yaml", "    classify: { service: [\"bot-*\"] }\n");
    daemon.signal("HUP");
    daemon.wait_for_pass("reload");
    home.append("config.yaml", "nonsense: true\n");
    daemon.signal("HUP");
    let rejected = daemon.wait_for("config.rejected", 1);
    let problem = rejected[0]["problem"].as_str().unwrap();
    assert!(
        problem.starts_with("config.yaml:12:1: nonsense: "),
        "{problem}"
    );
    daemon.signal("USR1");
    daemon.wait_for_pass("signal");
    assert_eq!(daemon.terminate().code(), Some(0));
}

#[test]
fn one_pass_beside_a_daemon_is_run_by_the_daemon() {
    let home = Home::new(NEVER);
    let daemon = home.daemon();
    daemon.wait_for_pass("start");
    ends(&home.run(&["--sync-now"]), Exit::Ok);
    daemon.wait_for_pass("control");
    // What the daemon cannot do, the asker hears of.
    home.write("people.yaml", "users: [");
    ends(&home.run(&["--sync-now"]), Exit::Partial);
}

#[test]
fn a_second_daemon_names_the_first_one_and_ends() {
    let home = Home::new(NEVER);
    let daemon = home.daemon();
    let second = home.run(&[]);
    ends(&second, Exit::Busy);
    let text = String::from_utf8(second.stderr).unwrap();
    let pid = daemon.named("daemon.started")[0]["pid"].to_string();
    assert!(text.contains(&format!("process {pid}")), "{text}");
}

#[test]
fn one_pass_beside_another_one_names_it_and_ends() {
    let home = Home::new(NEVER);
    let state = home.path().join("state.db");
    let _claim = Claim::take(&state, Role::Once, "the pass of the test").unwrap();
    let second = home.run(&["--sync-now"]);
    ends(&second, Exit::Busy);
    let text = String::from_utf8(second.stderr).unwrap();
    assert!(text.contains("the pass of the test"), "{text}");
}

#[test]
fn a_killed_daemon_leaves_nothing_that_hinders_the_next_one() {
    let home = Home::new(NEVER);
    let mut daemon = home.daemon();
    daemon.wait_for_pass("start");
    daemon.signal("KILL");
    assert_eq!(daemon.end().code(), None);
    assert!(home.path().join("state.db.sock").exists());
    std::fs::remove_file(home.path().join("notify")).unwrap();
    let mut next = home.daemon();
    next.wait_for_pass("start");
    assert_eq!(next.terminate().code(), Some(0));
}

#[test]
fn a_directory_that_never_answers_delays_neither_the_others_nor_the_stop() {
    let home = Home::new("* * * * * *");
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    home.append("config.yaml", &hanging(silent.local_addr().unwrap().port()));
    home.add_application("slow", "silent");
    let mut daemon = home.daemon();
    let (_connection, _) = silent.accept().unwrap();
    daemon.wait_for_pass("tick people");
    assert!(
        daemon.named("directory.failed").is_empty(),
        "it still hangs"
    );
    assert_eq!(daemon.terminate().code(), Some(0));
    let stopped = daemon.wait_for_pass("start");
    assert_eq!(stopped["outcome"], "stopped");
}

#[test]
fn a_wrong_configuration_is_78_and_touches_nothing() {
    let home = Home::new("every now and then");
    for args in [&[][..], &["--sync-now"], &["check"]] {
        let output = home.run(args);
        ends(&output, Exit::Config);
        // `check` was asked for the problems; for the others they are a complaint.
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(text.contains("config.yaml:2:"), "{text}");
    }
    assert!(!home.path().join("state.db").exists());
}

#[test]
fn a_wrong_command_line_is_2() {
    let home = Home::new(NEVER);
    for args in [
        &["--dry-run"][..],
        &["--sync-now", "--exit-changes"],
        &["approve"],
        &["reboot"],
    ] {
        ends(&home.run(args), Exit::Usage);
    }
}

fn hanging(port: u16) -> String {
    format!(
        r#"  - name: silent
    ldap:
      urls: ["ldap://127.0.0.1:{port}"]
      schema: openldap
      users: {{ base: "ou=people,dc=load,dc=test" }}
      groups: {{ base: "ou=groups,dc=load,dc=test" }}
"#
    )
}

fn ends(output: &Output, exit: Exit) {
    let code = Some(i32::from(exit.code()));
    assert_eq!(output.status.code(), code, "{output:?}");
}
