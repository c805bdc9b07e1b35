//! What is answered while the daemon runs, as text and as JSON, and the help. Times, ids and processes are made alike.

use std::fs::File;

use insta::assert_snapshot;

use crate::support::site::{Site, crowd, person, yaml};

/// A shadowed user, a mask, a nested group, a stranger, somebody who waits, and something that is held.
fn company() -> Site {
    let site = Site::empty();
    let config = "state: sqlite:state.db
directories:
  - name: office
    file: { path: office.yaml }
  - name: lab
    file: { path: lab.yaml }
applications:
  - name: wiki
    directories: [office, lab]
    first_pass: apply
    grace: 24h
    sql: { url: \"sqlite:wiki.db\", create_tables: true }
";
    site.write("config.yaml", config);
    let mut office = crowd(6, "staff");
    office.push(person("Anna").with_id("o-1").within(&["platform"]));
    office.push(person("carla").with_id("o-2").inactive());
    let groups = "groups:\n  - { name: engineering, groups: [platform] }\n";
    site.write("office.yaml", &(yaml(&office) + groups));
    let lab = [
        person("anna")
            .with_id("l-1")
            .with_mail("a.berg@example.com"),
        person("carla").with_id("l-2").within(&["lab"]),
        person("dora").with_id("l-3").within(&["lab"]),
    ];
    site.write("lab.yaml", &yaml(&lab));
    site.sync().ended(0);
    site.execute(
        "wiki.db",
        "INSERT INTO users (username) VALUES ('stranger'); UPDATE users SET active = 0 WHERE username = 'dora'",
    );
    // Somebody leaves, and somebody switched dora off, which a listing will show.
    site.write("office.yaml", &(yaml(&office[1..]) + groups));
    site.execute("state.db", "UPDATE application SET reread_at = 0");
    site
}

fn answer(site: &Site, args: &[&str]) -> String {
    site.run(args).ended(0).out
}

/// Makes alike what differs from run to run.
fn alike(test: impl FnOnce()) {
    insta::with_settings!({
        filters => vec![
            (r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", "[time]"),
            (r"\b[a-z]+-[0-9a-f]{8}\b", "[id]"),
        ],
        omit_expression => true,
    }, { test() });
}

#[test]
fn questions_are_answered_while_the_daemon_runs() {
    let site = company();
    let daemon = site.daemon();
    alike(|| {
        assert_snapshot!("status", answer(&site, &["status", "--unlinked"]));
        let status = &["status", "--unlinked", "--format", "json"];
        assert_snapshot!("status_json", answer(&site, status));
        for name in ["ANNA", "carla", "dora", "p01", "stranger", "nobody"] {
            let text = answer(&site, &["explain", name]);
            assert_snapshot!(format!("explain_{}", name.to_lowercase()), text);
        }
        let explain = &[
            "explain",
            "anna",
            "--application",
            "wiki",
            "--format",
            "json",
        ];
        assert_snapshot!("explain_json", answer(&site, explain));
        assert_snapshot!("history", answer(&site, &["history", "--limit", "4"]));
        assert_snapshot!("history_of_a_user", answer(&site, &["history", "Anna"]));
        assert_snapshot!("history_of_a_group", answer(&site, &["history", "lab"]));
        let history = &[
            "history",
            "anna",
            "--application",
            "wiki",
            "--format",
            "json",
        ];
        assert_snapshot!("history_json", answer(&site, history));
    });
    daemon.stop().ended(0);
}

#[test]
fn before_the_first_pass_there_is_nothing_to_tell() {
    let site = Site::new(&crowd(2, "staff"), "");
    let before = site.files();
    for args in [&["status"][..], &["explain", "p01"]] {
        let run = site.run(args).ended(1);
        assert!(run.complaints().contains("--sync-now"), "{}", run.err);
    }
    assert_eq!(answer(&site, &["history"]), "Nothing was done yet.\n");
    assert!(site.files() == before);
}

#[test]
fn the_help_shows_every_command_and_option() {
    let site = Site::empty();
    let commands = ["check", "explain", "status", "history", "approve"];
    let mut help = vec![answer(&site, &["--help"])];
    for command in commands {
        help.push(answer(&site, &[command, "--help"]));
    }
    alike(|| assert_snapshot!("help", help.join("\n-----\n\n")));
    assert_eq!(
        answer(&site, &["--version"]),
        format!("usersyncd {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn an_answer_that_cannot_be_written_is_a_failure() {
    let site = company();
    for args in [&["status"][..], &["explain", "anna", "--format", "json"]] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let ended = site.command(args).stdout(full).output().unwrap();
        assert_eq!(ended.status.code(), Some(1), "{args:?}");
        let told = String::from_utf8(ended.stderr).unwrap();
        assert!(told.contains("the answer cannot be written"), "{told}");
    }
}
