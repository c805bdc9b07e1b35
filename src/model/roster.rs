//! The merged set that one application should hold, and the view through which a plan's numbers become names and values.

use crate::model::{Change, Csr, Holding, Kind, NONE, Plan, Records, Status, Subject, UserRecord};

/// One listed directory as a source of roster entries.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The directory entry's id, by which links name it.
    pub id: &'a str,
    /// The directory's present name.
    pub name: &'a str,
    /// Its accepted records.
    pub records: &'a Records,
}

/// A record by directory (place in the application's list) and index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordRef {
    /// Place of the directory in the application's list.
    pub directory: u16,
    /// Index into its users or groups.
    pub record: u32,
}

/// One user that the application should hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterUser {
    /// The winning record, from which all attributes come.
    pub record: RecordRef,
    /// The record whose username is pushed: the winner, unless usernames are tied.
    pub named: RecordRef,
    /// Whether the user may log in.
    pub active: bool,
    /// What sort of user it is.
    pub kind: Kind,
    /// The username is one of several tied ones.
    pub tied: bool,
    /// Some membership of the user could not be read: none is taken.
    pub keeps_memberships: bool,
}

/// One group that the application should hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterGroup {
    /// The record of the highest directory that has the group; `None` for a group that only the configuration names.
    pub record: Option<RecordRef>,
    /// The name as pushed.
    pub name: String,
    /// The folded name as pushed.
    pub key: String,
    /// What could not be read of it or of a group below it: it takes no membership away.
    pub uncertain: bool,
}

/// The merged set that one application should hold.
#[derive(Clone, Debug, Default)]
pub struct Roster<'a> {
    /// The listed directories, highest first.
    pub sources: Vec<Source<'a>>,
    /// The users, sorted by folded pushed name.
    pub users: Vec<RosterUser>,
    /// The groups, sorted by folded pushed name.
    pub groups: Vec<RosterGroup>,
    /// For each user, the effective groups.
    pub member_of: Csr,
    /// For each group, the groups that are its members; empty when nesting is flattened.
    pub children: Csr,
    /// Whether the application stores every name in lower case.
    pub lower_cased: bool,
}

impl<'a> Roster<'a> {
    /// The record behind a reference.
    pub fn record(&self, at: RecordRef) -> &'a UserRecord {
        &self.sources[at.directory as usize].records.users[at.record as usize]
    }

    /// The folded name of a user, as pushed.
    pub fn key(&self, user: u32) -> &'a str {
        let at = self.users[user as usize].named;
        let source = self.sources[at.directory as usize];
        source.records.text(self.record(at).key)
    }

    /// The name of a user, as pushed.
    pub fn name(&self, user: u32) -> &'a str {
        if self.lower_cased {
            return self.key(user);
        }
        let at = self.users[user as usize].named;
        let source = self.sources[at.directory as usize];
        source.records.text(self.record(at).username)
    }

    /// The directory entry's id and the stable id of a user record, as links name it.
    pub fn id_of(&self, at: RecordRef) -> (&'a str, &'a str) {
        let source = self.sources[at.directory as usize];
        (source.id, source.records.text(self.record(at).id))
    }

    /// What the account of a user should hold.
    pub fn account(&self, user: u32) -> WantedAccount<'a> {
        let it = &self.users[user as usize];
        let source = self.sources[it.record.directory as usize];
        let record = self.record(it.record);
        let text = |id| source.records.text(id);
        WantedAccount {
            name: self.name(user),
            display_name: text(record.display_name),
            given_name: text(record.given_name),
            family_name: text(record.family_name),
            email: text(record.email),
            directory: source.name,
            directory_id: source.id,
            external_id: text(record.id),
            active: it.active,
        }
    }

    /// What a group should hold.
    pub fn group(&self, group: u32) -> WantedGroup<'_> {
        let it = &self.groups[group as usize];
        let (directory_id, id, description) = match it.record {
            None => ("", "", ""),
            Some(at) => {
                let source = self.sources[at.directory as usize];
                let record = &source.records.groups[at.record as usize];
                let text = |id| source.records.text(id);
                (source.id, text(record.id), text(record.description))
            }
        };
        WantedGroup {
            name: &it.name,
            description,
            directory_id,
            external_id: id,
        }
    }

    /// Whether a record says that its user may log in.
    pub fn is_active(record: &UserRecord) -> bool {
        record.status == Status::Active
    }
}

/// What an account should hold: the winner's values, ready to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WantedAccount<'a> {
    /// The name as pushed.
    pub name: &'a str,
    /// Display name.
    pub display_name: &'a str,
    /// Given name.
    pub given_name: &'a str,
    /// Family name.
    pub family_name: &'a str,
    /// Mail address.
    pub email: &'a str,
    /// The winning directory's name.
    pub directory: &'a str,
    /// The winning directory entry's id, for the link.
    pub directory_id: &'a str,
    /// The record's stable id.
    pub external_id: &'a str,
    /// Whether the user may log in.
    pub active: bool,
}

/// What a group should hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WantedGroup<'a> {
    /// The name as pushed.
    pub name: &'a str,
    /// What the group is for.
    pub description: &'a str,
    /// The directory entry's id, for the link; empty for a group that only the configuration names.
    pub directory_id: &'a str,
    /// The record's stable id.
    pub external_id: &'a str,
}

/// A plan together with what its numbers mean. An application gets this beside the changes it shall apply.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// What should be there.
    pub roster: &'a Roster<'a>,
    /// What is there, as last seen.
    pub holding: &'a Holding,
}

impl<'a> View<'a> {
    /// The name that the account at a place has before the plan; for a new one, the name it is created with.
    pub fn account_name(&self, place: u32) -> &'a str {
        let known = self.holding.accounts.len() as u32;
        if place < known {
            return self.holding.account_name(place);
        }
        self.roster
            .name(self.plan.new_accounts[(place - known) as usize])
    }

    /// The name that the group at a place has before the plan; for a new one, the name it is created with.
    pub fn group_name(&self, place: u32) -> &'a str {
        let known = self.holding.groups.len() as u32;
        if place < known {
            return self.holding.group_name(place);
        }
        let group = self.plan.new_groups[(place - known) as usize];
        &self.roster.groups[group as usize].name
    }

    /// The values that the account of a change should have; `None` where no user is wanted there.
    pub fn wanted_account(&self, change: &Change) -> Option<WantedAccount<'a>> {
        let account = matches!(change.subject, Subject::Account(_)) && change.wanted != NONE;
        account.then(|| self.roster.account(change.wanted))
    }

    /// The values that the group of a change should have; `None` where no group is wanted there.
    pub fn wanted_group(&self, change: &Change) -> Option<WantedGroup<'a>> {
        let group = matches!(change.subject, Subject::Group(_)) && change.wanted != NONE;
        group.then(|| self.roster.group(change.wanted))
    }
}
