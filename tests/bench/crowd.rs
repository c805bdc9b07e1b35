//! Crowd on both sides: a large set served and polled, users looked up while passes run, and accounts made in a Crowd.

mod creates;
mod look_ups;
mod polls;
mod site;

use std::path::Path;

use crate::load::Load;
use crate::report::Report;

const SEED: u64 = 20_261_124;

/// Measures `users` users with a twentieth of groups and five times the memberships; a tenth of them is created in a Crowd.
pub(crate) fn run(users: u32, report: &mut Report) {
    println!(
        "crowd: {users} users, {} groups, {} memberships",
        users / 20,
        users * 5
    );
    let folder = tempfile::tempdir().expect("a temporary folder");
    site::prepare(&load(users), folder.path());
    served(folder.path(), users, report);
    creates::run(&load(users), users / 10, report);
}

/// What is done in a process of its own, so that its costs are its alone: `crowd-read` and `crowd-look-ups`, each with the
/// server's URL and the number of users. Says whether it is one of those.
pub(crate) fn aside(arguments: &[String]) -> bool {
    let [what, url, users] = arguments else {
        return false;
    };
    let users = || users.parse().expect("a number of users");
    match what.as_str() {
        polls::READ => polls::read_all(url, users()),
        look_ups::LOOK_UPS => look_ups::look_up_all(url, &load(users())),
        _ => return false,
    }
    true
}

fn served(folder: &Path, users: u32, report: &mut Report) {
    polls::run(folder, users, report);
    look_ups::run(folder, users, report);
}

fn load(users: u32) -> Load {
    Load::new(users, users / 20, users * 5, SEED)
}
