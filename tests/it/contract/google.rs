//! The world of the directory behind Google's Directory API: a Google Workspace in memory.
//!
//! Nobody hides: a user who is in no list is asked for only where the last records are known, which no obligation hands in.

use std::sync::Arc;

use usersyncd::clock::{Clock as _, SystemClock};
use usersyncd::directories::Directory;

use super::directories::{Administrator, Cut, World, company};
use crate::google_directory::{PATIENT, at};
use crate::support::google_double::{Fault, GoogleDouble};
use crate::support::leaping_clock::{FOR_EVER, LeapingClock};

/// A Google Workspace in memory.
pub(super) struct GoogleSource {
    double: GoogleDouble,
    gone: bool,
}

impl GoogleSource {
    pub(super) fn world() -> World {
        let double = GoogleDouble::start();
        let company = company();
        double.with(|it| {
            for person in company.people.values() {
                it.add_user(&address(&person.username));
            }
            for team in company.teams.values() {
                it.add_group(&address(&team.name));
                for member in &team.members {
                    let member = &company.people[member].username;
                    it.add_member(&address(&team.name), &address(member));
                }
            }
        });
        let source = GoogleSource {
            double,
            gone: false,
        };
        World {
            directory: source.directory(""),
            administrator: Box::new(source),
        }
    }

    /// It waits for nothing, so that what is asked again is asked at once.
    fn directory(&self, options: &str) -> Box<dyn Directory> {
        let clock = Arc::new(LeapingClock::new(SystemClock::new().now()));
        let options = format!("{PATIENT}\n{options}");
        let directory = at(&self.double, &options, &[], clock);
        Box::new(directory.with_read_timeout(FOR_EVER))
    }
}

fn address(name: &str) -> String {
    format!("{name}@example.com")
}

impl Administrator for GoogleSource {
    fn add_user(&mut self, username: &str) {
        self.double.with(|it| it.add_user(&address(username)));
    }

    fn rename_user(&mut self, username: &str, new: &str) {
        self.double
            .with(|it| it.rename(&address(username), &address(new)));
    }

    fn remove_user(&mut self, username: &str) {
        self.double.with(|it| it.remove(&address(username)));
    }

    fn rename_group(&mut self, name: &str, new: &str) -> bool {
        self.rename_user(name, new);
        true
    }

    /// The user is in the list twice, under two addresses, as who is renamed between two pages may be.
    fn spoil(&mut self, username: &str) {
        let twin = address(&format!("twin-of-{username}"));
        self.double.with(|it| {
            let id = it.user(&address(username)).id.clone();
            it.add_user(&twin);
            it.user(&twin).raw.insert("id".to_owned(), id.into());
        });
    }

    fn cut(&mut self, cut: Cut) {
        match cut {
            Cut::Gone => {
                self.double.cut();
                self.gone = true;
            }
            Cut::Half => {
                self.double
                    .fault_times("directory.users.list", usize::MAX, Fault::Cut);
            }
        }
    }

    fn restore(&mut self) {
        self.double.mend();
        if std::mem::take(&mut self.gone) {
            self.double.restore();
        }
    }

    fn asked(&self) -> Option<usize> {
        Some(self.double.requests().len())
    }

    fn under_other_options(&self) -> Option<Box<dyn Directory>> {
        Some(self.directory("group_name: '{address}'"))
    }
}
