//! What an explanation is as a value, and as text for people.

use std::fmt;

use serde::Serialize;

/// Everything that one application's plan says about one username.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The folded username that was asked for.
    pub username: String,
    /// Every listed directory, highest first, with what it has of the username.
    pub directories: Vec<DirectoryView>,
    /// The persons who go by the username, mostly one.
    pub users: Vec<PersonView>,
    /// What the application holds under the username, or for one of its records.
    pub accounts: Vec<AccountView>,
    /// The changes that the plan makes, one line each.
    pub changes: Vec<String>,
    /// What needs a person.
    pub held: Vec<WithheldView>,
    /// What needs time, or a read.
    pub waiting: Vec<WithheldView>,
}

/// One listed directory and what it has of a username.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DirectoryView {
    /// Its name.
    pub directory: String,
    /// `fresh`, `stale` or `never read`.
    pub state: &'static str,
    /// Its records of the username, and those tied to it.
    pub records: Vec<RecordView>,
}

/// One user record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecordView {
    /// The username as spelled.
    pub username: String,
    /// The stable id.
    pub id: String,
    /// `active`, `inactive`, `unknown` or `rejected`.
    pub status: &'static str,
    /// `person`, `service` or `customer`; empty for a rejected record.
    pub kind: &'static str,
    /// Whether its attributes are the ones that count.
    pub wins: bool,
    /// The stable word for what becomes of it.
    pub fate: &'static str,
    /// Why it does not win; for a rejected record, why it was rejected. Empty otherwise.
    pub why: String,
}

/// Who goes by a username, and with which groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PersonView {
    /// The folded name of the person; several usernames may be tied to it.
    pub username: String,
    /// The name as pushed; empty for who is not in the roster.
    pub pushed_as: String,
    /// The winning directory; empty when nobody wins.
    pub directory: String,
    /// Why that one wins, or why none does.
    pub why: String,
    /// Whether, and by which rule, it is in the roster.
    pub scope: &'static str,
    /// Effective groups, with the path that gave each.
    pub groups: Vec<GroupView>,
}

/// An effective group and how it came about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GroupView {
    /// The name as pushed; empty when `groups.include/exclude` do not choose it.
    pub pushed_as: String,
    /// From the group that names the user to this one; empty for a group of `default_groups`.
    pub path: Vec<StepView>,
}

/// One group on a path, and the directory that says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepView {
    /// The folded name of the group.
    pub group: String,
    /// The directory in which it holds the user, or the group before it.
    pub directory: String,
}

/// An account that the application holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccountView {
    /// Its name as the application spells it.
    pub name: String,
    /// Whether it is switched on.
    pub active: bool,
    /// The directory entry and record id that it is linked to; `None` when it is not ours.
    pub linked_to: Option<(String, String)>,
    /// What it is to the plan.
    pub state: String,
    /// Its groups, with whether the membership was made or taken over here.
    pub groups: Vec<(String, bool)>,
}

/// Something that is known and not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WithheldView {
    /// Whom it is about.
    pub subject: String,
    /// What would be done.
    pub change: String,
    /// Why it is not.
    pub reason: String,
    /// What an administrator needs to know to decide.
    pub detail: String,
    /// What must be done, where approving it has no effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instead: Option<&'static str>,
}

/// For people: directories, then who that is, then what the application holds and what happens to it.
impl fmt::Display for Explanation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for it in &self.directories {
            it.fmt(out)?;
        }
        for it in &self.users {
            it.fmt(out)?;
        }
        if self.users.is_empty() {
            let unheard_of = self.directories.iter().all(|it| it.records.is_empty());
            let none = if unheard_of {
                "no listed directory has"
            } else {
                "no record gives the application"
            };
            writeln!(out, "{none} {}", self.username)?;
        }
        for it in &self.accounts {
            it.fmt(out)?;
        }
        if self.accounts.is_empty() {
            writeln!(out, "no account")?;
        }
        for it in &self.changes {
            writeln!(out, "{it}")?;
        }
        for (word, list) in [("held", &self.held), ("waiting", &self.waiting)] {
            for it in list {
                let colon = if it.detail.is_empty() { "" } else { ": " };
                let WithheldView {
                    subject,
                    change,
                    reason,
                    detail,
                    instead,
                } = it;
                writeln!(
                    out,
                    "{word:8} {subject}: {change} ({reason}{colon}{detail})"
                )?;
                if let Some(instead) = instead {
                    writeln!(out, "         no approval releases it: {instead}")?;
                }
            }
        }
        Ok(())
    }
}

impl fmt::Display for DirectoryView {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            "fresh" => String::new(),
            state => format!(" ({state})"),
        };
        if self.records.is_empty() {
            return writeln!(out, "directory {}{state}: no such user", self.directory);
        }
        for it in &self.records {
            let RecordView {
                username,
                id,
                status,
                kind,
                wins,
                fate,
                why,
            } = it;
            let name = &self.directory;
            let mut words: Vec<&str> =
                [*status, *kind, if *wins { "wins" } else { "" }, *fate, why]
                    .into_iter()
                    .filter(|it| !it.is_empty())
                    .collect();
            // A rejected record has the same word for its status and its fate.
            words.dedup();
            let words = words.join(", ");
            writeln!(
                out,
                "directory {name}{state}: {username} (id {id}): {words}"
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for PersonView {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.pushed_as.is_empty() {
            &self.username
        } else {
            &self.pushed_as
        };
        writeln!(out, "user {name}: {}; {}", self.why, self.scope)?;
        for group in &self.groups {
            let path: Vec<String> = group
                .path
                .iter()
                .map(|it| format!("{}@{}", it.group, it.directory))
                .collect();
            let path = match path.as_slice() {
                [] => "default_groups".to_owned(),
                path => path.join(" -> "),
            };
            match group.pushed_as.as_str() {
                "" => writeln!(out, "  group not pushed: {path}")?,
                pushed => writeln!(out, "  group {pushed}: {path}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for AccountView {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let active = if self.active { "active" } else { "inactive" };
        let link = match &self.linked_to {
            Some((directory, id)) => format!("linked to id {id} of directory {directory}"),
            None => "not linked".to_owned(),
        };
        writeln!(
            out,
            "account {}: {active}, {link}; {}",
            self.name, self.state
        )?;
        for (group, ours) in &self.groups {
            let whose = if *ours { "" } else { " (given by others)" };
            writeln!(out, "  member of {group}{whose}")?;
        }
        Ok(())
    }
}
