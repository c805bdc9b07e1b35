//! The world of the directory behind Crowd's REST API: a Crowd in memory.

use std::cell::Cell;

use usersyncd::directories::Directory;

use super::directories::{Administrator, Cut, World, company};
use crate::crowd_directory::with_password;
use crate::support::crowd_double::{CrowdDouble, Fault, PASSWORD, Rules};

/// So many bytes are less than the first page of users.
const HALF_A_PAGE: usize = 300;

/// A Crowd in memory, and how often it was asked.
pub(super) struct CrowdSource {
    double: CrowdDouble,
    asked: Cell<usize>,
    gone: bool,
}

impl CrowdSource {
    pub(super) fn world(rules: Rules) -> World {
        let double = CrowdDouble::start(rules);
        let company = company();
        double.with(|it| {
            for person in company.people.values() {
                it.add_user(&person.username)
                    .email
                    .clone_from(&person.email);
            }
            for team in company.teams.values() {
                it.add_group(&team.name);
                for member in &team.members {
                    it.add_member(&team.name, &company.people[member].username);
                }
            }
        });
        let source = CrowdSource {
            double,
            asked: Cell::new(0),
            gone: false,
        };
        World {
            directory: source.directory(&[]),
            administrator: Box::new(source),
        }
    }

    fn directory(&self, extra: &[&str]) -> Box<dyn Directory> {
        Box::new(with_password(&self.double, "", PASSWORD, extra))
    }
}

impl Administrator for CrowdSource {
    fn add_user(&mut self, username: &str) {
        self.double
            .with(|it| drop(it.add_user(username).name.clone()));
    }

    fn rename_user(&mut self, username: &str, new: &str) {
        let rules = Rules::default();
        self.double
            .with(|it| it.rename_user(username, new, &rules))
            .unwrap();
    }

    fn remove_user(&mut self, username: &str) {
        self.double.with(|it| it.delete_user(username)).unwrap();
    }

    /// Another group with the same members: groups cannot be renamed.
    fn rename_group(&mut self, name: &str, new: &str) -> bool {
        self.double.with(|it| {
            let members = it.groups[name].members.clone();
            it.delete_group(name).unwrap();
            it.add_group(new);
            members.iter().for_each(|member| it.add_member(new, member));
        });
        false
    }

    fn spoil(&mut self, username: &str) {
        self.double.with(|it| {
            let user = it.users.get_mut(username).unwrap();
            user.foreign
                .insert("email".to_owned(), serde_json::json!(7));
            it.touched_user(username);
        });
    }

    fn cut(&mut self, cut: Cut) {
        match cut {
            Cut::Gone => {
                self.double.cut();
                self.gone = true;
            }
            Cut::Half => self.double.fail_always("*", Fault::CutBody(HALF_A_PAGE)),
        }
    }

    fn restore(&mut self) {
        self.double.mend();
        if std::mem::take(&mut self.gone) {
            self.double.restore();
        }
    }

    fn asked(&self) -> Option<usize> {
        let asked = self.asked.get() + self.double.take_requests().len();
        self.asked.set(asked);
        Some(asked)
    }

    fn under_other_options(&self) -> Option<Box<dyn Directory>> {
        Some(self.directory(&["badge"]))
    }
}
