//! The Workspace that holds the load, and what a read of it may ask.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::json;

use crate::google_double::{ADMIN, GoogleDouble, State};
use crate::load::{Load, Member};

/// How many users and how many groups or members Google gives on a page.
const USERS_PAGE: u64 = 500;
const GROUPS_PAGE: u64 = 200;

/// Where whoever asks finds the options of the directory, and where the bare reader finds what to ask.
const OPTIONS: &str = "options.yaml";
const ASKED: &str = "asked";

/// The lists, by their names in Google's description of the API.
const USERS: &str = "directory.users.list";
const GROUPS: &str = "directory.groups.list";
const MEMBERS: &str = "directory.members.list";
const REPORTS: &str = "reports.activities.list";

/// How many pages there are of what.
#[derive(Debug)]
pub(super) struct Requests {
    users: u64,
    groups: u64,
    members: u64,
}

impl Requests {
    pub(super) fn of(load: &Load) -> Requests {
        let pages = |count: usize, page: u64| (count as u64).div_ceil(page).max(1);
        let members = load.groups().map(|it| load.members(it.number).count());
        Requests {
            users: pages(load.users().count(), USERS_PAGE),
            groups: pages(load.groups().count(), GROUPS_PAGE),
            members: members.map(|it| pages(it, GROUPS_PAGE)).sum(),
        }
    }

    /// Of a complete read.
    pub(super) fn all(&self) -> u64 {
        self.lists() + self.members
    }

    /// Without the members.
    pub(super) fn lists(&self) -> u64 {
        self.users + self.groups
    }
}

/// How many groups have more members than a page takes.
pub(super) fn long(load: &Load) -> usize {
    let is_long = |group: u32| load.members(group).count() as u64 > GROUPS_PAGE;
    load.groups().filter(|it| is_long(it.number)).count()
}

/// The options that [`Tenant::start`] has left in a folder.
pub(super) fn options(folder: &Path) -> String {
    fs::read_to_string(folder.join(OPTIONS)).expect("our own file")
}

/// What [`Tenant::write_asked`] has left in a folder: where to ask for a token, with which body, and the addresses that are asked
/// with it.
pub(super) fn asked(folder: &Path) -> Vec<String> {
    let text = fs::read_to_string(folder.join(ASKED)).expect("our own file");
    text.lines().map(str::to_owned).collect()
}

pub(super) struct Tenant {
    double: GoogleDouble,
    pub(super) requests: Requests,
}

impl Tenant {
    /// Starts one that holds the load, and leaves in the folder how it is asked.
    pub(super) fn start(load: &Load, folder: &Path) -> Tenant {
        let double = GoogleDouble::start_without_checks();
        double.with(|state| fill(state, load));
        let options = format!(
            "url: '{}'\nkey: {}\nsubject: {ADMIN}\ninsecure: true\n",
            double.url(),
            json!(double.key())
        );
        fs::write(folder.join(OPTIONS), options).expect("a new file");
        Tenant {
            double,
            requests: Requests::of(load),
        }
    }

    /// Counts requests from nothing again.
    pub(super) fn forget(&self) {
        self.double.forget_requests();
    }

    /// Leaves in the folder what was asked since the last [`Tenant::forget`], which is forgotten.
    pub(super) fn write_asked(&self, folder: &Path) {
        let url = self.double.url();
        let mut text = String::new();
        for seen in self.double.requests() {
            if seen.operation == "token" {
                let _ = writeln!(text, "{url}token\n{}", seen.body);
            } else {
                let path = seen.path.trim_start_matches('/');
                let _ = writeln!(text, "{url}{path}?{}", seen.query);
            }
        }
        fs::write(folder.join(ASKED), text).expect("our own file");
        self.forget();
    }

    /// What was asked is one complete read, page by page, and nothing besides.
    pub(super) fn assert_complete(&self) {
        let Requests {
            users,
            groups,
            members,
        } = self.requests;
        self.assert_asked(1, [users, groups, members, 0]);
    }

    /// What was asked is a complete read each for two clients, after each so many polls without the members, and of the second
    /// client's polls two reports each.
    pub(super) fn assert_polls(&self, polls: u64) {
        let Requests {
            users,
            groups,
            members,
        } = self.requests;
        let lists = 2 * (polls + 1);
        let expect = [lists * users, lists * groups, 2 * members, 2 * polls];
        self.assert_asked(2, expect);
    }

    fn assert_asked(&self, tokens: u64, lists: [u64; 4]) {
        let count = |it: &str| self.double.count(it) as u64;
        let asked = [USERS, GROUPS, MEMBERS, REPORTS].map(count);
        assert_eq!(asked, lists, "pages of users, groups, members and reports");
        assert_eq!(count("token"), tokens, "tokens");
        let all = self.double.requests().len() as u64;
        assert_eq!(all, tokens + lists.iter().sum::<u64>(), "requests in all");
    }
}

fn fill(state: &mut State, load: &Load) {
    let mut users = Vec::new();
    for user in load.users() {
        let id = state.add_user(&format!("{}@load.test", user.username));
        let made = state.user(&id);
        user.given_name.clone_into(&mut made.given_name);
        user.family_name.clone_into(&mut made.family_name);
        users.push(id);
    }
    let mut groups = Vec::new();
    for group in load.groups() {
        let id = state.add_group(&format!("{}@load.test", group.name));
        state.group(&id).description = group.description;
        groups.push(id);
    }
    for (number, group) in (0..).zip(&groups) {
        for member in load.members(number) {
            let member = match member {
                Member::User(number) => &users[number as usize],
                Member::Group(number) => &groups[number as usize],
            };
            state.add_member(group, member);
        }
    }
}
