//! A site whose people are served as a Crowd: a large file of them, and a small one that changes often.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::load::Load;

/// The client, and its secret.
pub(super) const CLIENT: &str = "wiki";
pub(super) const SECRET: &str = "cl1ent secret";

const PEOPLE: &str = "people.ldif";
const EXTRA: &str = "extra.json";

/// Writes the load and has a first pass take it, so that a daemon finds everything done.
pub(super) fn prepare(load: &Load, folder: &Path) {
    let people = File::create(folder.join(PEOPLE)).expect("a new file");
    let mut people = BufWriter::new(people);
    load.write_ldif(&mut people)
        .and_then(|()| people.flush())
        .expect("the load is written");
    extra(folder, 0);
    fs::write(folder.join("config.yaml"), configuration(folder)).expect("a new file");
    assert!(pass(folder).success(), "the first pass takes everything");
}

/// Changes the one person of the small file, and makes the large one look as if it had changed.
pub(super) fn touch(folder: &Path, round: usize) {
    extra(folder, round);
    let people = File::options().append(true).open(folder.join(PEOPLE));
    let people = people.expect("our own file");
    let changed = people.metadata().and_then(|it| it.modified());
    let later = changed.expect("a time") + Duration::from_secs(1);
    people.set_modified(later).expect("our own file");
}

/// A pass over everything, by the daemon if one runs.
pub(super) fn pass(folder: &Path) -> ExitStatus {
    Command::new(env!("CARGO_BIN_EXE_usersyncd"))
        .arg("--config")
        .arg(folder.join("config.yaml"))
        .args(["--sync-now", "--log-format", "json"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("the program starts")
}

fn extra(folder: &Path, round: usize) {
    let text = format!(
        r#"{{"users": [{{"username": "extra", "display_name": "Extra {round}", "email": "extra@load.test"}}]}}"#
    );
    let new = folder.join("new");
    fs::write(&new, text).expect("a new file");
    fs::rename(new, folder.join(EXTRA)).expect("our own file");
}

/// Groups in groups are served as such, so that there are as many memberships as the load has. No pass is due by itself.
fn configuration(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        r#"state: "sqlite://{folder}/state.db"
schedule: "@yearly"
serve: {{ listen: "127.0.0.1:0" }}
directories:
  - name: people
    file: {{ path: {PEOPLE} }}
  - name: extra
    file: {{ path: {EXTRA} }}
applications:
  - name: atlassian
    directories: [people, extra]
    first_pass: apply
    memberships: aggregate
    nested_groups: keep
    crowd_server:
      clients: [{{ name: {CLIENT}, secret: "{SECRET}", addresses: [127.0.0.1] }}]
"#
    )
}
