//! The world of a domain controller: a unit in the domain that the tests share.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use usersyncd::clock::SystemClock;
use usersyncd::directories::Directory;
use usersyncd::directories::ldap::{LdapConfig, LdapDirectory};
use usersyncd::secret::SecretRef;

use super::directories::{Administrator, Cut, World, company};
use crate::support::relay::Tap;
use crate::support::samba::{PASSWORD, SYNCER, Samba};

/// So many bytes are less than any read takes, also one that finds nothing new.
const HALF_AN_ANSWER: usize = 1_000;

/// A unit, with a relay before its server.
pub(super) struct SambaSource {
    server: &'static Samba,
    unit: String,
    tap: Tap,
}

impl SambaSource {
    pub(super) async fn world() -> World {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let server = Samba::shared();
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let unit = server.unit(&format!("contract{number}"));
        let address = SocketAddr::new(server.ip().into(), 389);
        let tap = Tap::start(address).await;
        let source = SambaSource { server, unit, tap };
        let mut changes = String::new();
        let company = company();
        for person in company.people.values() {
            source.write_person(&mut changes, &person.username);
        }
        for team in company.teams.values() {
            let members = team.members.iter().map(|it| &company.people[it].username);
            let dn = source.team(&team.name);
            let _ = write!(changes, "dn: {dn}\nchangetype: add\nobjectClass: group\n");
            for member in members {
                let _ = writeln!(changes, "member: {}", source.person(member));
            }
            changes.push('\n');
        }
        server.modify(&changes);
        World {
            directory: source.directory(&[]),
            administrator: Box::new(source),
        }
    }

    /// Names that are used once in a whole domain do not serve here, since many such worlds stand in it.
    fn directory(&self, further: &[String]) -> Box<dyn Directory> {
        let unit = &self.unit;
        let options = format!(
            "urls: [\"ldap://{}\"]\nschema: active-directory\ninsecure: true\n\
             bind: {{ dn: \"{SYNCER}\", password: {{ env: UNUSED }} }}\n\
             users: {{ base: \"OU=people,{unit}\", attributes: {{ username: uid }} }}\n\
             groups: {{ base: \"OU=groups,{unit}\", attributes: {{ name: cn }} }}\n",
            self.tap.address()
        );
        let config: LdapConfig = serde_yaml::from_str(&options).unwrap();
        let password = Some(SecretRef::literal(PASSWORD));
        let clock = Arc::new(SystemClock::new());
        let directory = LdapDirectory::new("domain", &config, password, further.to_vec(), clock);
        Box::new(directory.unwrap())
    }

    fn person(&self, username: &str) -> String {
        format!("CN={username},OU=people,{}", self.unit)
    }

    fn team(&self, name: &str) -> String {
        format!("CN={name},OU=groups,{}", self.unit)
    }

    fn write_person(&self, changes: &mut String, username: &str) {
        let dn = self.person(username);
        let _ = write!(
            changes,
            "dn: {dn}\nchangetype: add\nobjectClass: user\nuid: {username}\nmail: {username}@example.com\n\
             userAccountControl: 512\n\n"
        );
    }

    fn change(&self, dn: &str, change: &str) {
        self.server
            .modify(&format!("dn: {dn}\nchangetype: {change}\n"));
    }

    fn rename(&self, dn: &str, new: &str) {
        self.change(dn, &format!("modrdn\nnewrdn: CN={new}\ndeleteoldrdn: 1"));
    }
}

impl Administrator for SambaSource {
    fn add_user(&mut self, username: &str) {
        let mut changes = String::new();
        self.write_person(&mut changes, username);
        self.server.modify(&changes);
    }

    fn rename_user(&mut self, username: &str, new: &str) {
        self.rename(&self.person(username), new);
        self.change(
            &self.person(new),
            &format!("modify\nreplace: uid\nuid: {new}"),
        );
    }

    fn remove_user(&mut self, username: &str) {
        self.change(&self.person(username), "delete");
    }

    fn rename_group(&mut self, name: &str, new: &str) -> bool {
        self.rename(&self.team(name), new);
        true
    }

    fn spoil(&mut self, username: &str) {
        let change = format!("modify\nadd: uid\nuid: {username}-too");
        self.change(&self.person(username), &change);
    }

    /// The server is not stopped: others use it.
    fn cut(&mut self, cut: Cut) {
        self.tap.break_after(match cut {
            Cut::Gone => 0,
            Cut::Half => HALF_AN_ANSWER,
        });
    }

    fn restore(&mut self) {
        self.tap.break_after(usize::MAX);
    }

    fn asked(&self) -> Option<usize> {
        Some(self.tap.connections())
    }

    fn under_other_options(&self) -> Option<Box<dyn Directory>> {
        Some(self.directory(&["shoeSize".to_owned()]))
    }
}
