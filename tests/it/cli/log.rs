//! The log of three canonical passes, line by line, and that each trigger ends with exactly one `pass.finished`.

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::site::{Run, Site, crowd, person, yaml};

/// The lines in an order of their own, since two directories are read at once. Times and ids are made alike.
fn log(run: &Run) -> String {
    let mut lines: Vec<String> = run.events().iter().map(line).collect();
    let reads =
        |it: &String| it.contains("event\":\"directory.") || it.contains("event\":\"record.");
    let from = lines.iter().position(&reads).unwrap_or_default();
    let count = lines.iter().filter(|it| reads(it)).count();
    lines[from..from + count].sort();
    lines.join("\n")
}

fn line(event: &Value) -> String {
    let mut event = event.clone();
    let fields = event.as_object_mut().unwrap();
    assert!(fields.remove("timestamp").is_some());
    assert_eq!(fields.remove("target").unwrap(), "usersyncd");
    for name in ["duration_ms", "approve"] {
        if let Some(field) = fields.get_mut(name) {
            *field = Value::from(format!("[{name}]"));
        }
    }
    if let Some(Value::String(text)) = fields.get_mut("message")
        && let Some(at) = text.find("usersyncd approve ")
    {
        let id = at + "usersyncd approve ".len();
        let end = text[id..].find('`').unwrap() + id;
        text.replace_range(id..end, "[approve]");
    }
    event.to_string()
}

#[test]
fn the_log_of_three_canonical_passes() {
    insta::with_settings!({
        filters => vec![
            (r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", "[time]"),
            (r"(office|lab|wiki)=\d", "$1=[seconds]"),
        ],
        omit_expression => true,
    }, {
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
    grace: 0s
    sql: { url: \"sqlite:wiki.db\", create_tables: true }
";
        site.write("config.yaml", config);
        let people = crowd(12, "staff");
        site.write("office.yaml", &yaml(&people));
        site.write("lab.yaml", &yaml(&[person("zoe").within(&["lab"])]));
        assert_snapshot!("log_first_sync", log(&site.sync().ended(0)));
        assert_snapshot!("log_no_change", log(&site.sync().ended(0)));
        // Three leave, one changes, and a record of the other directory is malformed.
        let mut people = people[3..].to_vec();
        people[0].mail = "new@example.com".to_owned();
        site.write("office.yaml", &yaml(&people));
        let bad = yaml(&[person("zoe").within(&["lab"]), person("")]);
        site.write("lab.yaml", &bad);
        assert_snapshot!("log_partial", log(&site.sync().ended(3)));
    });
}

#[test]
fn every_trigger_of_a_daemon_ends_with_one_line() {
    let site = Site::new(&crowd(3, "staff"), "first_pass: apply");
    let daemon = site.daemon();
    site.sync().ended(0);
    daemon.signal("USR1");
    daemon.wait_for_value("pass.finished", "trigger", "signal");
    daemon.signal("HUP");
    daemon.wait_for_value("pass.finished", "trigger", "reload");
    let run = daemon.stop().ended(0);
    let of = |name: &str| -> Vec<(Value, Value)> {
        let events = run.named(name).into_iter();
        let mut of: Vec<_> = events
            .map(|mut it| (it["pass"].take(), it["trigger"].take()))
            .collect();
        of.sort_by_key(|it| it.0.as_u64());
        of
    };
    let started = of("pass.started");
    assert_eq!(started, of("pass.finished"));
    let triggers: Vec<&Value> = started.iter().map(|it| &it.1).collect();
    assert_eq!(triggers, ["start", "control", "signal", "reload"]);
}

#[test]
fn no_name_of_a_person_and_no_mail_is_logged() {
    let mut people = crowd(12, "staff");
    people[3].mail = "secret@example.com".to_owned();
    people.push(person("twin").with_mail("secret@example.com"));
    let site = Site::new(&people, "first_pass: apply\ngrace: 0s");
    let first = site.sync();
    people[4].mail = "p01@example.com".to_owned();
    people.truncate(6);
    site.people(&people);
    let second = site.run(&["--sync-now", "--log-level", "trace"]);
    for run in [first, second] {
        assert!(!run.err.contains("@example.com"), "{}", run.err);
    }
}

#[test]
fn the_log_is_text_where_it_is_asked_for() {
    let site = Site::new(&crowd(3, "staff"), "first_pass: apply");
    let run = site.run(&["--sync-now", "--log-level", "warn"]).ended(0);
    assert_eq!(run.err, "");
    site.people(&crowd(4, "staff"));
    let mut command = site.command(&["--sync-now"]);
    command.args(["--log-level", "info"]);
    let args: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
    let args = args.iter().map(|it| {
        if it == "json" {
            "text".as_ref()
        } else {
            it.as_os_str()
        }
    });
    let mut text = std::process::Command::new(command.get_program());
    text.args(args).current_dir(site.path("."));
    let run = site.start(text).end().ended(0);
    assert!(
        run.err.contains("INFO The directory office was read"),
        "{}",
        run.err
    );
    assert!(!run.err.contains('\u{1b}'), "no colours in a file");
}
