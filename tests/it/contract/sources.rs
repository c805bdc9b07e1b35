//! The worlds of the directories, and who can change them.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use tempfile::TempDir;
use usersyncd::clock::{ManualClock, SystemClock, Timestamp};
use usersyncd::directories::Directory;
use usersyncd::directories::file::FileDirectory;
use usersyncd::directories::file::config::FileConfig;
use usersyncd::directories::ldap::{LdapConfig, LdapDirectory};
use usersyncd::secret::SecretRef;

use super::broken::{BrokenDirectory, DirectoryFlaw};
use super::directories::{Administrator, Cut, World, company};
use crate::support::company::{Company, State, person_id, team_id};
use crate::support::fake_directory::{FakeDirectory, Fault};
use crate::support::relay::Tap;
use crate::support::slapd::{PASSWORD, READER, SUFFIX, Slapd};

/// Far ahead of the times of files, so that they are settled.
const LATER: Timestamp = Timestamp(1 << 40);

/// So many bytes reach into the first answer with entries.
const HALF_AN_ANSWER: usize = 600;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Yaml,
    Csv,
    Ldif,
}

/// A file in a folder.
pub(super) struct FileSource {
    format: Format,
    company: Company,
    folder: TempDir,
}

/// A server, with a relay before it.
pub(super) struct SlapdSource {
    server: Slapd,
    tap: Tap,
}

/// A directory in memory, broken or not.
pub(super) struct FakeSource {
    fake: FakeDirectory,
    flaw: Option<DirectoryFlaw>,
}

impl FileSource {
    pub(super) fn world(format: Format) -> World {
        let source = FileSource {
            format,
            company: company(),
            folder: tempfile::tempdir().unwrap(),
        };
        source.publish();
        World {
            directory: source.directory(&[]),
            administrator: Box::new(source),
        }
    }

    fn directory(&self, further: &[String]) -> Box<dyn Directory> {
        let options = format!("path: {}", self.name());
        let config: FileConfig = serde_yaml::from_str(&options).unwrap();
        let clock = Arc::new(ManualClock::new(LATER));
        let folder = self.folder.path();
        Box::new(FileDirectory::new("people", &config, folder, further, clock).unwrap())
    }

    fn name(&self) -> &'static str {
        match self.format {
            Format::Yaml => "people.yaml",
            Format::Csv => "people.csv",
            Format::Ldif => "people.ldif",
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join(self.name())
    }

    fn text(&self) -> String {
        match self.format {
            Format::Yaml => yaml(&self.company),
            Format::Csv => csv(&self.company),
            Format::Ldif => ldif(&self.company, true),
        }
    }

    /// Puts a new file in the place of the old one.
    fn publish(&self) {
        let new = self.folder.path().join("new");
        fs::write(&new, self.text()).unwrap();
        fs::rename(new, self.path()).unwrap();
    }
}

impl Administrator for FileSource {
    fn add_user(&mut self, username: &str) {
        self.company.add(username);
        self.publish();
    }

    fn rename_user(&mut self, username: &str, new: &str) {
        self.company.rename(username, new);
        self.publish();
    }

    fn remove_user(&mut self, username: &str) {
        self.company.remove(username);
        self.publish();
    }

    fn rename_group(&mut self, name: &str, new: &str) -> bool {
        self.company.rename_team(name, new);
        self.publish();
        self.format != Format::Csv
    }

    fn spoil(&mut self, username: &str) {
        self.company.person(username).state = State::Bad;
        self.publish();
    }

    fn cut(&mut self, cut: Cut) {
        fs::remove_file(self.path()).unwrap();
        if cut == Cut::Half {
            let text = self.text();
            fs::write(self.path(), text[..text.len() / 2].trim_end()).unwrap();
        }
    }

    fn restore(&mut self) {
        self.publish();
    }

    fn under_other_options(&self) -> Option<Box<dyn Directory>> {
        Some(self.directory(&["shoe_size".to_owned()]))
    }
}

impl SlapdSource {
    pub(super) async fn world() -> World {
        let server = Slapd::start(&ldif(&company(), false));
        let address = server.url().trim_start_matches("ldap://").parse().unwrap();
        let tap = Tap::start(address).await;
        let source = SlapdSource { server, tap };
        World {
            directory: source.directory(&[]),
            administrator: Box::new(source),
        }
    }

    fn directory(&self, further: &[String]) -> Box<dyn Directory> {
        let options = format!(
            "urls: [\"ldap://{}\"]\nschema: openldap\ninsecure: true\n\
             bind: {{ dn: \"{READER}\", password: {{ env: UNUSED }} }}\n\
             users: {{ base: \"ou=people,{SUFFIX}\" }}\ngroups: {{ base: \"ou=groups,{SUFFIX}\" }}\n",
            self.tap.address()
        );
        let config: LdapConfig = serde_yaml::from_str(&options).unwrap();
        let password = Some(SecretRef::literal(PASSWORD));
        let clock = Arc::new(SystemClock::new());
        let directory = LdapDirectory::new("corporate", &config, password, further.to_vec(), clock);
        Box::new(directory.unwrap())
    }

    fn rename(&self, dn: &str, new: &str) {
        self.server.modify(&format!(
            "dn: {dn}\nchangetype: modrdn\nnewrdn: {new}\ndeleteoldrdn: 1\n"
        ));
    }
}

impl Administrator for SlapdSource {
    fn add_user(&mut self, username: &str) {
        let mut ldif = String::new();
        write_person(&mut ldif, "changetype: add\n", username, username);
        self.server.modify(&ldif);
    }

    fn rename_user(&mut self, username: &str, new: &str) {
        self.rename(&person_dn(username), &format!("uid={new}"));
    }

    fn remove_user(&mut self, username: &str) {
        let dn = person_dn(username);
        self.server
            .modify(&format!("dn: {dn}\nchangetype: delete\n"));
    }

    fn rename_group(&mut self, name: &str, new: &str) -> bool {
        self.rename(&team_dn(name), &format!("cn={new}"));
        true
    }

    fn spoil(&mut self, username: &str) {
        let dn = person_dn(username);
        self.server.modify(&format!(
            "dn: {dn}\nchangetype: modify\nadd: uid\nuid: {username}-too\n"
        ));
    }

    fn cut(&mut self, cut: Cut) {
        match cut {
            Cut::Gone => self.server.stop(),
            Cut::Half => self.tap.break_after(HALF_AN_ANSWER),
        }
    }

    fn restore(&mut self) {
        if !self.server.runs() {
            self.server.start_again();
        }
        self.tap.break_after(usize::MAX);
    }

    fn asked(&self) -> Option<usize> {
        Some(self.tap.connections())
    }

    fn under_other_options(&self) -> Option<Box<dyn Directory>> {
        Some(self.directory(&["shoeSize".to_owned()]))
    }
}

impl FakeSource {
    pub(super) fn world(flaw: Option<DirectoryFlaw>) -> World {
        let source = FakeSource {
            fake: FakeDirectory::new(company()).with_deltas(),
            flaw,
        };
        World {
            directory: source.directory(source.fake.clone()),
            administrator: Box::new(source),
        }
    }

    fn directory(&self, fake: FakeDirectory) -> Box<dyn Directory> {
        match self.flaw {
            None => Box::new(fake),
            Some(flaw) => Box::new(BrokenDirectory::new(fake, flaw)),
        }
    }
}

impl Administrator for FakeSource {
    fn add_user(&mut self, username: &str) {
        self.fake.change(|it| it.add(username));
    }

    fn rename_user(&mut self, username: &str, new: &str) {
        self.fake.change(|it| it.rename(username, new));
    }

    fn remove_user(&mut self, username: &str) {
        self.fake.change(|it| it.remove(username));
    }

    fn rename_group(&mut self, name: &str, new: &str) -> bool {
        self.fake.change(|it| it.rename_team(name, new));
        true
    }

    fn spoil(&mut self, username: &str) {
        self.fake
            .change(|it| it.person(username).state = State::Bad);
    }

    fn hide(&mut self, username: &str) -> bool {
        self.fake
            .change(|it| it.person(username).state = State::Unreadable);
        true
    }

    fn cut(&mut self, cut: Cut) {
        self.fake.cut(Some(match cut {
            Cut::Gone => Fault::Unavailable,
            Cut::Half => Fault::Incomplete,
        }));
    }

    fn restore(&mut self) {
        self.fake.cut(None);
    }

    fn asked(&self) -> Option<usize> {
        Some(self.fake.reads())
    }

    fn under_other_options(&self) -> Option<Box<dyn Directory>> {
        Some(self.directory(self.fake.with_options("other")))
    }
}

fn yaml(company: &Company) -> String {
    let mut text = "users:\n".to_owned();
    for (number, it) in &company.people {
        let active = match it.state {
            State::Bad => "maybe",
            _ => "true",
        };
        let (id, username, email) = (person_id(*number), &it.username, &it.email);
        let _ = writeln!(
            text,
            "- {{ username: {username:?}, id: {id}, email: {email:?}, active: {active} }}"
        );
    }
    text += "groups:\n";
    for (number, it) in &company.teams {
        let members = it.members.iter().map(|it| &company.people[it].username);
        let members: Vec<&String> = members.collect();
        let (id, name) = (team_id(*number), &it.name);
        let _ = writeln!(text, "- {{ name: {name:?}, id: {id}, users: {members:?} }}");
    }
    text
}

fn csv(company: &Company) -> String {
    let mut text = "id,username,email,active,groups\n".to_owned();
    for (number, it) in &company.people {
        let active = if it.state == State::Bad { "maybe" } else { "" };
        let teams = company.teams.values();
        let teams = teams.filter(|it| it.members.contains(number));
        let teams: Vec<&str> = teams.map(|it| it.name.as_str()).collect();
        let (id, username, email) = (person_id(*number), &it.username, &it.email);
        let _ = writeln!(text, "{id},{username},{email},{active},{}", teams.join(";"));
    }
    text
}

/// With ids of its own, or with those that a server gives.
fn ldif(company: &Company, ids: bool) -> String {
    let mut text = String::new();
    let id = |id: String| {
        if ids {
            format!("entryUUID: {id}\n")
        } else {
            String::new()
        }
    };
    for (number, it) in &company.people {
        let mut more = id(person_id(*number));
        if it.state == State::Bad {
            let _ = writeln!(more, "uid: {}-too", it.username);
        }
        write_person(&mut text, "", &it.username, &it.email);
        text.truncate(text.trim_end().len());
        let _ = write!(text, "\n{more}\n");
    }
    for (number, it) in &company.teams {
        let (dn, name, id) = (team_dn(&it.name), &it.name, id(team_id(*number)));
        let _ = write!(
            text,
            "dn: {dn}\nobjectClass: groupOfNames\ncn: {name}\n{id}"
        );
        for member in &it.members {
            let _ = writeln!(
                text,
                "member: {}",
                person_dn(&company.people[member].username)
            );
        }
        text.push('\n');
    }
    text
}

fn write_person(text: &mut String, change: &str, username: &str, email: &str) {
    let dn = person_dn(username);
    let _ = write!(
        text,
        "dn: {dn}\n{change}objectClass: inetOrgPerson\nuid: {username}\ncn: {username}\nsn: {username}\nmail: {email}\n\n"
    );
}

fn person_dn(username: &str) -> String {
    format!("uid={username},ou=people,{SUFFIX}")
}

fn team_dn(name: &str) -> String {
    format!("cn={name},ou=groups,{SUFFIX}")
}
