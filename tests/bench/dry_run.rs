//! What a small site notices: a whole dry run over three file directories whose people overlap.

use std::fmt::Write as _;
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::process::Command;

use crate::load::{Load, Member, User};
use crate::measure::{self, Cost};
use crate::report::{self, Report, megabytes};

const SEED: u64 = 10_500;
const ROUNDS: usize = 5;

/// Measures `users` users with a twentieth of groups.
pub(crate) fn run(users: u32, report: &mut Report) {
    println!(
        "dry-run: {users} users, {} groups in three files; {ROUNDS} rounds",
        users / 20
    );
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_files(
        &Load::new(users, users / 20, users * 5, SEED),
        folder.path(),
    );
    let costs: Vec<Cost> = (0..ROUNDS).map(|_| dry_run(folder.path())).collect();
    let median = report::runs("usersyncd, dry run", &costs);
    report.limit("CPU time, s", median.cpu.as_secs_f64(), 0.3);
    report.limit("peak memory, MB", megabytes(median.peak), 60.0);
}

fn dry_run(folder: &Path) -> Cost {
    let mut usersyncd = Command::new(env!("CARGO_BIN_EXE_usersyncd"));
    usersyncd
        .arg("--config")
        .arg(folder.join("config.yaml"))
        .args(["--sync-now", "--dry-run"]);
    measure::run(&mut usersyncd)
}

/// Each file holds two fifths of the users, so that neighbours share a tenth, and all groups.
fn write_files(load: &Load, folder: &Path) {
    let memberships = memberships(load);
    let part = |from: u32, to: u32| load.users * from / 10..load.users * to / 10;
    let write = |name: &str, text: String| fs::write(folder.join(name), text).expect("a new file");
    write("head-office.yaml", yaml(load, part(0, 4), &memberships));
    write("branches.csv", csv(load, part(3, 7), &memberships));
    write("contractors.yaml", yaml(load, part(6, 10), &memberships));
    write("config.yaml", configuration(folder));
}

/// The names of the groups of each user.
fn memberships(load: &Load) -> Vec<Vec<String>> {
    let mut groups_of = vec![Vec::new(); load.users as usize];
    for group in load.groups() {
        for member in load.members(group.number) {
            if let Member::User(user) = member {
                groups_of[user as usize].push(group.name.clone());
            }
        }
    }
    groups_of
}

/// Text in double quotes, as JSON and so as YAML.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn yaml(load: &Load, users: Range<u32>, groups_of: &[Vec<String>]) -> String {
    let mut text = "users:\n".to_owned();
    for user in users.map(|number| load.user(number)) {
        let User {
            username,
            given_name,
            family_name,
            id,
            ..
        } = &user;
        let name = quoted(&user.display_name());
        let _ = writeln!(
            text,
            "  - username: {username}\n    id: {id}\n    display_name: {name}"
        );
        let _ = writeln!(
            text,
            "    given_name: {}\n    family_name: {}",
            quoted(given_name),
            quoted(family_name)
        );
        if let Some(mail) = &user.mail {
            let _ = writeln!(text, "    email: {mail}");
        }
        let _ = writeln!(
            text,
            "    groups: [{}]",
            groups_of[user.number as usize].join(", ")
        );
    }
    text.push_str("groups:\n");
    for group in load.groups() {
        let _ = writeln!(
            text,
            "  - name: {}\n    description: {}",
            group.name,
            quoted(&group.description)
        );
    }
    text
}

fn csv(load: &Load, users: Range<u32>, groups_of: &[Vec<String>]) -> String {
    let mut text = "username,display_name,given_name,family_name,email,id,groups\n".to_owned();
    for user in users.map(|number| load.user(number)) {
        let User {
            username,
            given_name,
            family_name,
            id,
            ..
        } = &user;
        let (name, mail) = (
            user.display_name(),
            user.mail.as_deref().unwrap_or_default(),
        );
        let groups = groups_of[user.number as usize].join(";");
        let _ = writeln!(
            text,
            "{username},{name},{given_name},{family_name},{mail},{id},{groups}"
        );
    }
    text
}

fn configuration(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        r#"state: "sqlite://{folder}/state.db"
directories:
  - name: head-office
    file: {{ path: head-office.yaml }}
  - name: branches
    file: {{ path: branches.csv }}
  - name: contractors
    file: {{ path: contractors.yaml }}
applications:
  - name: reporting
    directories: [head-office, branches, contractors]
    first_pass: apply
    sql: {{ url: "sqlite://{folder}/reporting.db", create_tables: true }}
"#
    )
}
