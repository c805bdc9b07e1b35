//! What may happen to groups.

use std::fmt::Write as _;

use super::{Name, PERMISSIVE, Sort, Team, World};
use crate::ldap_delta::script::Kind;
use crate::ldap_delta::server::Groups;

impl World {
    pub(super) fn edit_team(&mut self, kind: Kind, at: usize, b: usize, c: usize) {
        match kind {
            Kind::DeleteTeam => self.delete_team(at),
            Kind::RecreateTeam => self.recreate_team(at),
            Kind::RenameTeam => self.rename_team(at, b),
            Kind::MoveTeam => self.move_team(at),
            Kind::Describe => {
                let texts = [&[][..], &["what for"], &["else"]];
                let dn = self.team_dn(at);
                self.replace(&dn, "description", texts[b % 3]);
            }
            Kind::Empty => self.empty(at),
            Kind::AddMembers => {
                let members = self.members(at, b, 1 + c % 3);
                self.add_members(at, &members);
            }
            Kind::RemoveMembers => self.remove_members(at, b, 1 + c % 4),
            Kind::Ring => {
                let other = b % self.teams.len();
                for (one, other) in [(at, other), (other, at)] {
                    if one != other && self.teams[one].sort != Sort::Usernames {
                        let members = [self.team_dn(other)];
                        self.add_members(one, &members);
                    }
                }
            }
            _ => unreachable!("{kind:?} is about people"),
        }
    }

    pub(super) fn add_team(&mut self, style: usize) {
        let number = self.number();
        let sort = match style % 5 {
            _ if self.server.is_samba() => Sort::Names,
            0 => Sort::UniqueNames,
            1 if self.groups == Groups::Mixed => Sort::Usernames,
            _ => Sort::Names,
        };
        self.teams.push(Team {
            number,
            name: Name("cn", format!("Team {number}")),
            inside: true,
            sort,
        });
        self.put_team(self.teams.len() - 1);
    }

    fn put_team(&mut self, at: usize) {
        let Team {
            number, name, sort, ..
        } = &self.teams[at];
        let kind = match sort {
            _ if self.server.is_samba() => {
                format!("group\nsAMAccountName: {}-t{number}", self.mark)
            }
            Sort::Names => format!("groupOfNames\nmember: {}", self.nobody()),
            Sort::UniqueNames => format!("groupOfUniqueNames\nuniqueMember: {}", self.nobody()),
            Sort::Usernames => format!("posixGroup\ngidNumber: {number}"),
        };
        let entry = format!("changetype: add\ncn: {}\nobjectClass: {kind}\n", name.1);
        let dn = self.team_dn(at);
        self.change(&dn, &entry);
    }

    fn delete_team(&mut self, at: usize) {
        if !self.is_primary(at) {
            let dn = self.team_dn(at);
            self.change(&dn, "changetype: delete\n");
            self.teams.remove(at);
        }
    }

    fn recreate_team(&mut self, at: usize) {
        if !self.is_primary(at) {
            let dn = self.team_dn(at);
            self.change(&dn, "changetype: delete\n");
            self.teams[at].number = self.number();
            self.put_team(at);
        }
    }

    fn rename_team(&mut self, at: usize, b: usize) {
        let number = self.number();
        let dn = self.team_dn(at);
        if self.server.is_samba() && b.is_multiple_of(2) {
            return self.replace(
                &dn,
                "sAMAccountName",
                &[&format!("{}-t{number}", self.mark)],
            );
        }
        self.teams[at].name = Name("cn", format!("Team+{number}"));
        let rdn = self.teams[at].name.rdn();
        let rename = format!("changetype: modrdn\nnewrdn: {rdn}\ndeleteoldrdn: 1\n");
        self.change(&dn, &rename);
    }

    fn move_team(&mut self, at: usize) {
        let dn = self.team_dn(at);
        self.teams[at].inside = !self.teams[at].inside;
        let to = self.team_place(self.teams[at].inside);
        let rdn = self.teams[at].name.rdn();
        self.change(
            &dn,
            &format!("changetype: modrdn\nnewrdn: {rdn}\ndeleteoldrdn: 1\nnewsuperior: {to}\n"),
        );
    }

    /// Takes all members, but for one that is nobody where there must be one.
    fn empty(&mut self, at: usize) {
        let nobody = self.nobody();
        let must = !self.server.is_samba() && self.teams[at].sort != Sort::Usernames;
        let members = [nobody.as_str()];
        let members = if must { &members[..] } else { &[] };
        let dn = self.team_dn(at);
        self.replace(&dn, self.teams[at].sort.attribute(), members);
    }

    pub(super) fn add_members(&mut self, at: usize, members: &[String]) {
        let present = if self.server.is_samba() {
            // It refuses to be given a member again, whatever it is allowed to permit.
            self.members_of(at)
        } else {
            Vec::new()
        };
        let is_new = |it: &&String| !present.iter().any(|other| other.eq_ignore_ascii_case(it));
        let members: Vec<String> = members.iter().filter(is_new).cloned().collect();
        self.edit_members(at, "add", &members);
    }

    fn edit_members(&mut self, at: usize, how: &str, members: &[String]) {
        let attribute = self.teams[at].sort.attribute();
        let dn = self.team_dn(at);
        let mut change = format!("{PERMISSIVE}changetype: modify\n");
        for member in members {
            let _ = writeln!(change, "{how}: {attribute}\n{attribute}: {member}\n-");
        }
        if !members.is_empty() {
            self.change(&dn, &change);
        }
    }

    /// The members that a group has on the server.
    fn members_of(&mut self, at: usize) -> Vec<String> {
        self.flush();
        let attribute = self.teams[at].sort.attribute();
        self.server.values(&self.team_dn(at), attribute)
    }

    /// Takes some members, and first adds one that is nobody where there must be one.
    fn remove_members(&mut self, at: usize, pick: usize, count: usize) {
        let nobody = self.nobody();
        let mut members = self.members_of(at);
        members.retain(|it| *it != nobody);
        members.sort();
        if members.is_empty() {
            return;
        }
        let first = pick % members.len();
        members.rotate_left(first);
        members.truncate(count);
        if !self.server.is_samba() && self.teams[at].sort != Sort::Usernames {
            self.add_members(at, &[nobody]);
        }
        self.edit_members(at, "delete", &members);
    }

    /// Some that may be members of a group: people and groups, in the bases and out of them, and some who are not there.
    pub(super) fn members(&self, team: usize, pick: usize, count: usize) -> Vec<String> {
        let number = self.teams[team].number;
        let mut members = Vec::new();
        for pick in (0..count).map(|it| pick + it * 3) {
            let person = &self.people[pick % self.people.len()];
            let group = pick % self.teams.len();
            match (self.teams[team].sort, pick % 10) {
                (Sort::Usernames, 0) => members.push("stranger".to_owned()),
                (Sort::Usernames, 1) => members.push(person.username.to_uppercase()),
                (Sort::Usernames, _) => members.push(person.username.clone()),
                (_, 0 | 1) if group != team => members.push(self.team_dn(group)),
                (_, 2) if !self.server.is_samba() => members.push(self.nobody()),
                (_, 3) if !self.server.is_samba() => {
                    let dn = self.person_dn(pick % self.people.len());
                    members.push(dn.replace("ou=people", "OU = People"));
                }
                // The primary group is not given twice.
                _ if person.primary == Some(number) => {}
                _ => members.push(self.person_dn(pick % self.people.len())),
            }
        }
        members.sort();
        members.dedup();
        members
    }

    /// Whether it is the primary group of somebody, and so cannot go.
    fn is_primary(&self, at: usize) -> bool {
        let number = Some(self.teams[at].number);
        self.people.iter().any(|it| it.primary == number)
    }
}
