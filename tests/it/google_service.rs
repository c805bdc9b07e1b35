//! The administrator's way through Google Workspace, with the real program against the Google Workspace in memory: who gets
//! which account, what partial and odd answers do (nothing), what a check says, and what a poll costs.

mod check;
mod completeness;
mod configuration;
mod cost;
mod identity;
mod refusals;
mod status;

use serde_json::Value;

use crate::support::google_double::{ADMIN, Fault, GoogleDouble};
use crate::support::site::{AT_ONCE, Run, Site};

const USERS: &str = "directory.users.list";
const GROUPS: &str = "directory.groups.list";
const MEMBERS: &str = "directory.members.list";

/// The API is not enabled in the project of the service account.
fn not_enabled() -> Fault {
    let text = "Admin SDK API has not been used in project 117 before or it is disabled.";
    let error = serde_json::json!({ "reason": "accessNotConfigured", "message": text, "domain": "usageLimits" });
    Fault::Answer(
        403,
        serde_json::json!({ "error": { "code": 403, "message": text, "errors": [error] } }),
    )
}

/// Answers that lack much are no matter of the guard here, only of the connector.
const UNGUARDED: &str = "shrink_limit: 100%";

/// A Google Workspace, and a site over one directory that reads it and one application that gets everything at once.
struct Town {
    double: GoogleDouble,
    site: Site,
}

impl Town {
    /// One that holds nobody.
    fn empty() -> Town {
        let town = Town {
            double: GoogleDouble::start(),
            site: Site::empty(),
        };
        town.site.write("key.json", &town.double.key());
        town.configure("", "");
        town
    }

    /// Anna, Ben, Carl and Dora; `eng` with the first two, `support` with Carl, `all` with Dora and everybody in `eng`.
    fn new() -> Town {
        let town = Town::empty();
        town.double.with(|it| {
            for user in ["anna", "ben", "carl", "dora"] {
                it.add_user(&address(user));
            }
            for (group, members) in [
                ("eng", &["anna", "ben"][..]),
                ("support", &["carl"]),
                ("all", &["eng", "dora"]),
            ] {
                it.add_group(&address(group));
                for member in members {
                    it.add_member(&address(group), &address(member));
                }
            }
        });
        town
    }

    /// The same, with all of it in the application.
    fn settled() -> Town {
        let town = Town::new();
        town.passes("applied");
        assert_eq!(town.accounts(), ["anna|1", "ben|1", "carl|1", "dora|1"]);
        assert_eq!(town.members(), MEMBERSHIPS);
        town
    }

    /// Writes the configuration with further options of the directory and of its `google:` block, one a line.
    fn configure(&self, directory: &str, google: &str) {
        let entry = self.entry("workspace", directory, google);
        self.site
            .write("config.yaml", &configuration(&entry, "workspace"));
    }

    /// An entry of a directory.
    fn entry(&self, name: &str, directory: &str, google: &str) -> String {
        let url = self.double.url();
        let subject = if google.contains("subject:") {
            String::new()
        } else {
            format!("subject: {ADMIN}\n")
        };
        let google =
            format!("url: '{url}'\nkey: {{ file: key.json }}\ninsecure: true\n{subject}{google}");
        format!(
            "  - name: {name}\n{}    google:\n{}",
            indented(4, directory),
            indented(6, &google)
        )
    }

    /// One pass with this outcome, which ends with 0.
    #[track_caller]
    fn passes(&self, outcome: &str) -> Run {
        let run = self
            .site
            .run(&["--sync-now", "--log-level", "debug"])
            .ended(0);
        assert_eq!(run.one("pass.finished")["outcome"], outcome, "{}", run.err);
        run
    }

    /// One pass that is partial and ends with 3.
    #[track_caller]
    fn is_partial(&self) -> Run {
        let run = self.site.sync().ended(3);
        assert_eq!(run.one("pass.finished")["outcome"], "partial");
        run
    }

    /// One pass that is partial and after which the application holds what it held before. Gives its event of this name.
    #[track_caller]
    fn keeps(&self, event: &str) -> Value {
        let before = self.tables();
        let event = self.is_partial().one(event);
        assert_eq!(self.tables(), before);
        event
    }

    /// Usernames, and whether they are switched on.
    fn accounts(&self) -> Vec<String> {
        self.site.accounts()
    }

    fn members(&self) -> Vec<String> {
        self.site.members()
    }

    /// Everything in the application.
    fn tables(&self) -> [Vec<String>; 3] {
        let users = "SELECT username, display_name, given_name, family_name, email, active, external_id FROM users ORDER BY 1";
        let groups = "SELECT name FROM groups ORDER BY 1";
        [
            self.site.rows("wiki.db", users),
            self.site.rows("wiki.db", groups),
            self.members(),
        ]
    }

    /// Which reasons something is held for.
    fn held(&self) -> Vec<String> {
        let held = self.site.held();
        held.into_iter().map(|it| it.0).collect()
    }

    /// Google's id of a user or group.
    fn id(&self, name: &str) -> String {
        let address = address(name);
        self.double.with(|it| {
            if it.users.values().any(|it| it.primary_email == address) {
                it.user(&address).id.clone()
            } else {
                it.group(&address).id.clone()
            }
        })
    }
}

/// The memberships of [`Town::new`].
const MEMBERSHIPS: [&str; 6] = [
    "all|anna",
    "all|ben",
    "all|dora",
    "eng|anna",
    "eng|ben",
    "support|carl",
];

fn configuration(directories: &str, listed: &str) -> String {
    format!(
        "state: sqlite:state.db\ndirectories:\n{directories}applications:\n  - name: wiki\n    directories: [{listed}]\n{}    \
         sql: {{ url: \"sqlite:wiki.db\", create_tables: true }}\n",
        indented(4, AT_ONCE)
    )
}

fn indented(by: usize, text: &str) -> String {
    let lines = text.lines().filter(|it| !it.is_empty());
    let indented = lines.map(|it| format!("{}{it}\n", " ".repeat(by)));
    indented.collect()
}

fn address(name: &str) -> String {
    if name.contains('@') {
        name.to_owned()
    } else {
        format!("{name}@example.com")
    }
}
