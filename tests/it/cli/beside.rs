//! Two processes on one store: one works, the other says who does, or has it do the work.

use std::fs;

use crate::support::site::{AT_ONCE, Site, crowd};
use crate::support::wait;

#[test]
fn a_pass_beside_a_daemon_is_run_by_it() {
    let site = Site::new(&crowd(3, "staff"), AT_ONCE);
    let daemon = site.daemon();
    site.people(&crowd(4, "staff"));
    let run = site.sync().ended(0);
    assert!(run.out.starts_with("applied: "), "{}", run.out);
    assert!(run.named("pass.finished").is_empty(), "the daemon logs it");
    daemon.wait_for_value("pass.finished", "trigger", "control");
    assert_eq!(site.accounts().len(), 4);
    let run = site.sync().ended(0);
    assert!(run.out.starts_with("in_sync: "), "{}", run.out);
    // The code is that of the pass.
    fs::remove_file(site.path("office.yaml")).unwrap();
    let run = site.sync().ended(3);
    assert!(run.out.starts_with("partial: "), "{}", run.out);
    fs::write(site.path("wiki.db"), "no database at all\n".repeat(300)).unwrap();
    site.people(&crowd(5, "staff"));
    let run = site.sync().ended(1);
    assert!(run.out.starts_with("failed: "), "{}", run.out);
    daemon.stop().ended(0);
}

#[test]
fn a_pass_beside_a_daemon_that_only_begins_waits_for_it() {
    let site = Site::new(&crowd(3, "staff"), AT_ONCE);
    for _ in 0..3 {
        let daemon = site.start(site.command(&[]));
        wait::until("the lock", || {
            let text = fs::read_to_string(site.path("state.db.lock")).unwrap_or_default();
            text.starts_with("daemon").then_some(())
        });
        site.sync().ended(0);
        daemon.stop().ended(0);
    }
}

#[test]
fn a_pass_beside_a_pass_is_refused() {
    let site = Site::new(&crowd(3, "staff"), AT_ONCE);
    site.sync().ended(0);
    site.people(&crowd(4, "staff"));
    // The first one waits for the application while the second one comes.
    let lock = site.lock("wiki.db");
    let first = site.start(site.command(&["--sync-now"]));
    first.wait_for("directory.read");
    for args in [&["--sync-now"][..], &[]] {
        let second = site.run(args).ended(75);
        let holder = format!("process {}", first.id());
        assert!(second.complaints().contains(&holder), "{}", second.err);
        assert!(second.complaints().contains("--sync-now"), "{}", second.err);
    }
    drop(lock);
    first.end();
    site.sync().ended(0);
    assert_eq!(site.accounts().len(), 4);
}
