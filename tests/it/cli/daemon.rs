//! The daemon over real files: what its schedule picks up, what it leaves behind, what a new configuration changes.

use std::fs;

use crate::support::site::{AT_ONCE, Running, Site, crowd};
use crate::support::wait;

#[test]
fn a_signal_ends_the_daemon_cleanly() {
    for signal in ["TERM", "INT"] {
        let site = Site::new(&crowd(3, "staff"), AT_ONCE);
        let daemon = site.daemon();
        assert!(site.path("state.db.sock").exists());
        daemon.signal(signal);
        let run = daemon.end().ended(0);
        assert_eq!(run.one("daemon.stopping")["cause"], "signal");
        assert_eq!(run.one("daemon.stopped")["clean"], true);
        let left: Vec<String> = site.files().into_keys().collect();
        let expect = [
            "config.yaml",
            "office.yaml",
            "state.db",
            "state.db.lock",
            "wiki.db",
        ];
        assert_eq!(left, expect, "no socket and no journal stays behind");
        assert_eq!(site.open_intents(), 0);
    }
}

#[test]
fn a_changed_file_is_picked_up_by_the_schedule() {
    let site = Site::new(&crowd(3, "staff"), AT_ONCE);
    site.configure_with("schedule: \"* * * * * *\"", AT_ONCE);
    let daemon = site.daemon();
    site.people(&crowd(4, "staff"));
    let created = |daemon: &Running| {
        wait::until("the account of the fourth", || {
            let events = daemon.events();
            let mut finished = events.iter().filter(|it| it["event"] == "pass.finished");
            finished
                .any(|it| it["trigger"] == "tick office" && it["accounts_created"] == 1)
                .then_some(())
        });
    };
    created(&daemon);
    assert_eq!(site.accounts().len(), 4);
    // A file that goes away and comes back does no harm in between.
    fs::rename(site.path("office.yaml"), site.path("away.yaml")).unwrap();
    daemon.wait_for("directory.failed");
    fs::rename(site.path("away.yaml"), site.path("office.yaml")).unwrap();
    let failed = daemon.events().len();
    wait::until("a pass in sync", || {
        let events = daemon.events();
        let mut later = events[failed..].iter();
        later.any(|it| it["outcome"] == "in_sync").then_some(())
    });
    assert_eq!(site.accounts().len(), 4);
    let run = daemon.stop().ended(0);
    let (started, finished) = (run.named("pass.started"), run.named("pass.finished"));
    assert_eq!(started.len(), finished.len());
}

#[test]
fn a_bad_configuration_is_rejected_and_the_old_one_goes_on() {
    let site = Site::new(&crowd(3, "staff"), AT_ONCE);
    let good = fs::read_to_string(site.path("config.yaml")).unwrap();
    let daemon = site.daemon();
    site.write("config.yaml", &good.replace("grace:", "graze:"));
    daemon.signal("HUP");
    let rejected = daemon.wait_for("config.rejected");
    let problem = rejected["problem"].as_str().unwrap();
    assert!(problem.contains("graze"), "{problem}");
    // Another store needs another start.
    site.write("config.yaml", &good.replace("state.db", "other.db"));
    daemon.signal("HUP");
    let rejected = daemon.wait_for_nth("config.rejected", 1);
    assert!(rejected["problem"].as_str().unwrap().contains("restart"));
    site.people(&crowd(4, "staff"));
    daemon.signal("USR1");
    daemon.wait_for_value("pass.finished", "trigger", "signal");
    assert_eq!(site.accounts().len(), 4);
    // A good one is taken, and a pass is run under it.
    site.write(
        "config.yaml",
        &good.replace("[office]", "[office]\n    users: { exclude: [p05] }"),
    );
    site.people(&crowd(5, "staff"));
    daemon.signal("HUP");
    daemon.wait_for("config.reloaded");
    daemon.wait_for_value("pass.finished", "trigger", "reload");
    assert_eq!(site.accounts().len(), 4);
    let run = daemon.stop().ended(0);
    assert!(run.named("config.reloaded").len() == 1);
    assert!(!site.path("other.db").exists());
}

#[test]
fn a_clock_of_an_application_falls_due_by_itself() {
    // Nothing but the clock of the absence wants a push; reads go on by their schedule.
    let options = AT_ONCE.replace("grace: 0s", "grace: 2s");
    let site = Site::new(&crowd(8, "staff"), &options);
    site.configure_with("schedule: \"* * * * * *\"", &options);
    let daemon = site.daemon();
    site.people(&crowd(7, "staff"));
    wait::until("the eighth is switched off", || {
        let accounts = site.accounts();
        accounts.contains(&"p08|0".to_owned()).then_some(())
    });
    let run = daemon.stop().ended(0);
    assert!(!run.named("change.waiting").is_empty());
}
