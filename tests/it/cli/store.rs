//! A store that cannot be used: an error that says what to do, code 1, and nothing half remembered.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::support::site::{AT_ONCE, PROGRAM, Run, Site, crowd, person};

fn settled() -> Site {
    let site = Site::new(&crowd(5, "staff"), AT_ONCE);
    site.sync().ended(0);
    site
}

/// Every command that needs the store for more than reading ends with 1 and says `hint`; nothing in the folder changes.
#[track_caller]
fn check(site: &Site, hint: &str) {
    let before = site.files();
    for args in [&["--sync-now"][..], &[]] {
        let run = site.run(args).ended(1);
        assert!(run.complaints().contains(hint), "{}", run.err);
        assert!(run.complaints().contains("state.db"), "{}", run.err);
    }
    let mut after = site.files();
    // The lock file is all that a try may leave.
    after.remove("state.db.lock");
    let mut before = before;
    before.remove("state.db.lock");
    assert_eq!(
        after.keys().collect::<Vec<_>>(),
        before.keys().collect::<Vec<_>>()
    );
    assert!(after == before, "something was written");
}

#[test]
fn a_folder_that_is_missing_is_named() {
    let site = settled();
    let config = fs::read_to_string(site.path("config.yaml")).unwrap();
    let config = config.replace("sqlite:state.db", "sqlite:missing/state.db");
    site.write("config.yaml", &config);
    check(&site, "does not exist; create it, or correct `state`");
}

#[test]
fn the_last_pass_is_told_and_one_that_was_cut_off_too() {
    let site = Site::new(&crowd(3, "staff"), AT_ONCE);
    site.sync().ended(0);
    let status = |expect: &[&str]| {
        let text = site.run(&["status"]).ended(0).out;
        let passes: Vec<&str> = text.lines().filter(|it| it.starts_with("pass ")).collect();
        assert_eq!(passes.len(), expect.len(), "{text}");
        for (line, expect) in passes.iter().zip(expect) {
            assert!(line.starts_with(expect), "{text}");
        }
    };
    status(&["pass 1 (once): ended 20"]);
    let passes = &site.status()["passes"];
    assert_eq!(passes[0]["outcome"], "applied");
    assert_eq!(passes[0]["counts"]["accounts_created"], 3);
    // A pass that has to wait for the application is killed.
    site.people(&crowd(4, "staff"));
    let lock = site.lock("wiki.db");
    let run = site.start(site.command(&["--sync-now"]));
    run.wait_for("directory.read");
    run.signal("KILL");
    run.end();
    status(&["pass 2 (once): began 20"]);
    let text = site.run(&["status"]).ended(0).out;
    assert!(text.contains("Z, was cut off or still runs\n"), "{text}");
    assert!(site.status()["passes"][0]["outcome"].is_null());
    drop(lock);
    // The next one has seen it.
    let daemon = site.daemon();
    status(&["pass 3 (start): ended 20", "pass 2 (once): began 20"]);
    assert_eq!(site.status()["passes"][1]["outcome"], "cut_off");
    assert_eq!(daemon.wait_for("pass.finished")["pass"], 3);
    daemon.stop().ended(0);
}

#[test]
fn a_read_only_store_is_refused() {
    let site = settled();
    site.people(&crowd(6, "staff"));
    fs::set_permissions(site.path("state.db"), Permissions::from_mode(0o400)).unwrap();
    check(&site, "write access");
    fs::set_permissions(site.path("state.db"), Permissions::from_mode(0o600)).unwrap();
    site.sync().ended(0);
    assert_eq!(site.accounts().len(), 6);
}

#[test]
fn a_newer_store_is_refused_by_everybody() {
    let site = settled();
    site.people(&crowd(6, "staff"));
    site.execute(
        "state.db",
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'later', true, x'00', 0)",
    );
    check(&site, "newer usersyncd");
    for args in [
        &["status"][..],
        &["history"],
        &["explain", "p01"],
        &["--sync-now", "--dry-run"],
        &["approve", "abcdef"],
    ] {
        let run = site.run(args).ended(1);
        assert!(run.complaints().contains("newer usersyncd"), "{}", run.err);
    }
    assert_eq!(site.accounts().len(), 5);
}

#[test]
fn a_store_that_is_none_is_refused_and_left_alone() {
    let site = Site::new(&crowd(5, "staff"), AT_ONCE);
    site.write("state.db", &"users: [anna]\n".repeat(1000));
    check(&site, "no store of usersyncd");
}

#[test]
fn a_folder_that_is_missing_is_not_made() {
    let site = Site::new(&crowd(5, "staff"), AT_ONCE);
    let config = fs::read_to_string(site.path("config.yaml")).unwrap();
    site.write(
        "config.yaml",
        &config.replace("sqlite:state.db", "sqlite:missing/state.db"),
    );
    check(&site, "missing");
    assert!(!site.path("missing").exists());
}

/// Runs a pass in which no file may grow beyond so many KiB.
fn limited(site: &Site, kibibytes: u32) -> Run {
    let mut command = Command::new("bash");
    // A write beyond the limit then fails instead of killing the process.
    let script = format!("trap '' XFSZ; ulimit -f {kibibytes}; exec \"$@\"");
    let pass = site.command(&["--sync-now"]);
    command
        .args(["-c", &script, "bash"])
        .arg(pass.get_program())
        .args(pass.get_args())
        .current_dir(site.path("."));
    site.start(command).end()
}

/// However early the space ends, what was begun is finished once there is some, and nothing is made twice.
#[test]
fn a_pass_that_ran_out_of_space_is_finished_by_the_next_one() {
    let reference = {
        let site = Site::new(&crowd(40, "staff"), AT_ONCE);
        site.sync().ended(0);
        (site.accounts(), site.members())
    };
    let (mut failed, mut least) = (0, None);
    for kibibytes in (4..).step_by(20) {
        let site = Site::new(&crowd(40, "staff"), AT_ONCE);
        let run = limited(&site, kibibytes);
        if run.code == Some(0) {
            least = Some(kibibytes);
            break;
        }
        failed += 1;
        let run = run.ended(1);
        assert!(
            run.err.contains("state.db") || run.err.contains("wiki.db"),
            "{}",
            run.err
        );
        site.sync().ended(0);
        assert_eq!(
            (site.accounts(), site.members()),
            reference,
            "{kibibytes} KiB"
        );
        assert_eq!(site.open_intents(), 0, "{kibibytes} KiB");
        let run = site.sync().ended(0);
        assert_eq!(run.one("pass.finished")["outcome"], "in_sync");
        let strangers = "SELECT name FROM account WHERE origin IS NOT 'created'";
        assert!(
            site.rows("state.db", strangers).is_empty(),
            "{kibibytes} KiB"
        );
    }
    assert!(
        failed > 5,
        "only {failed} passes failed; {least:?} KiB were enough"
    );
}

/// A real disk that is full, in a name space of its own, where mounting is allowed.
#[test]
fn a_full_disk_is_named_and_the_pass_goes_on_when_there_is_space() {
    let site = Site::new(&crowd(40, "staff"), AT_ONCE);
    let config = fs::read_to_string(site.path("config.yaml")).unwrap();
    site.write(
        "config.yaml",
        &config.replace("sqlite:state.db", "sqlite:disk/state.db"),
    );
    fs::create_dir(site.path("disk")).unwrap();
    let script = "mount -t tmpfs -o size=4m none disk || exit 99
        head -c 4032K /dev/zero > disk/filler
        \"$@\"; echo \"full $?\"
        rm disk/filler
        \"$@\"; echo \"freed $?\"
        \"$@\"; echo \"again $?\"";
    let mut command = Command::new("unshare");
    let mapped: &[&str] = if is_root() { &[] } else { &["--map-root-user"] };
    command
        .arg("--mount")
        .args(mapped)
        .args([
            "sh",
            "-c",
            script,
            "sh",
            PROGRAM,
            "--log-format",
            "json",
            "--config",
            "config.yaml",
            "--sync-now",
        ])
        .current_dir(site.path("."));
    let run = site.start(command).end();
    if run.code == Some(99) || run.err.contains("unshare failed") {
        // Nothing may be mounted here; the limits above have shown the same.
        return;
    }
    assert!(run.out.contains("full 1\n"), "{}\n{}", run.out, run.err);
    assert!(run.out.contains("freed 0\n"), "{}\n{}", run.out, run.err);
    assert!(run.out.contains("again 0\n"), "{}\n{}", run.out, run.err);
    assert!(
        run.err.contains("there is no space left for the store"),
        "{}",
        run.err
    );
    assert_eq!(site.accounts().len(), 40);
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout == b"0\n"
}

#[test]
fn a_store_that_was_lost_is_built_again_and_its_first_plan_is_held() {
    let site = Site::new(&crowd(5, "staff"), "grace: 0s");
    site.sync().ended(0);
    fs::remove_file(site.path("state.db")).unwrap();
    let mut people = crowd(5, "staff");
    people.remove(4);
    people.push(person("zoe"));
    site.people(&people);
    site.sync().ended(3);
    assert_eq!(site.held()[0].0, "first_plan");
    assert_eq!(site.accounts().len(), 5);
    site.approve();
    site.sync().ended(0);
    let accounts = site.accounts();
    assert!(accounts.contains(&"zoe|1".to_owned()), "{accounts:?}");
    // Nobody knows any more that this one was ours.
    assert!(accounts.contains(&"p05|1".to_owned()), "{accounts:?}");
    site.sync().ended(0);
}
