//! The administrator's way through LDAP, with the real program against real servers: going live, changes, outages and
//! doubts. Whatever a server does, nobody is removed for it.

mod changes;
mod doubts;
mod going_live;
mod outages;

use std::net::SocketAddr;
use std::process::Command;

use tokio::runtime::Runtime;

use crate::support::relay::Tap;
use crate::support::samba::{self, Samba};
use crate::support::site::{AT_ONCE, Run, Site};
use crate::support::slapd::{self, Slapd};

/// How a server is asked, and how people are written there.
struct Place {
    schema: &'static str,
    reader: &'static str,
    password: &'static str,
    people: String,
    groups: String,
}

impl Place {
    fn slapd() -> Place {
        Place {
            schema: "openldap",
            reader: slapd::READER,
            password: slapd::PASSWORD,
            people: format!("ou=people,{}", slapd::SUFFIX),
            groups: format!("ou=groups,{}", slapd::SUFFIX),
        }
    }

    /// In a unit of its own.
    fn samba(server: &Samba, unit: &str) -> Place {
        let unit = server.unit(unit);
        Place {
            schema: "active-directory",
            reader: samba::SYNCER,
            password: samba::PASSWORD,
            people: format!("OU=people,{unit}"),
            groups: format!("OU=groups,{unit}"),
        }
    }

    fn is_active_directory(&self) -> bool {
        self.schema == "active-directory"
    }

    /// The DN of a person.
    fn person(&self, name: &str) -> String {
        let attribute = if self.is_active_directory() {
            "CN"
        } else {
            "uid"
        };
        format!("{attribute}={name},{}", self.people)
    }

    /// The change that adds a person.
    fn add(&self, name: &str) -> String {
        let what = if self.is_active_directory() {
            format!("objectClass: user\nsAMAccountName: {name}\nuserAccountControl: 512\n")
        } else {
            format!("objectClass: inetOrgPerson\nuid: {name}\ncn: {name}\n")
        };
        let dn = self.person(name);
        format!(
            "dn: {dn}\nchangetype: add\n{what}sn: {name}\ndisplayName: {name}\nmail: {name}@example.com\n\n"
        )
    }

    /// The change that deletes a person.
    fn delete(&self, name: &str) -> String {
        format!("dn: {}\nchangetype: delete\n\n", self.person(name))
    }

    /// The change that gives a person another name.
    fn call(&self, name: &str, display_name: &str) -> String {
        let dn = self.person(name);
        format!(
            "dn: {dn}\nchangetype: modify\nreplace: displayName\ndisplayName: {display_name}\n\n"
        )
    }

    /// The change that adds a group of people.
    fn group(&self, name: &str, members: &[String]) -> String {
        let groups = &self.groups;
        let members = members
            .iter()
            .map(|it| format!("member: {}\n", self.person(it)));
        let members: String = members.collect();
        let what = if self.is_active_directory() {
            format!("objectClass: group\nsAMAccountName: {name}\n")
        } else {
            "objectClass: groupOfNames\n".to_owned()
        };
        format!("dn: CN={name},{groups}\nchangetype: add\n{what}{members}\n")
    }

    /// The `ldap:` block over a server, with further lines.
    fn block(&self, url: &str, more: &str) -> String {
        let Place {
            schema,
            reader,
            password: _,
            people,
            groups,
        } = self;
        format!(
            "urls: ['{url}']\nschema: {schema}\ninsecure: true\n\
             bind: {{ dn: '{reader}', password: {{ file: password }} }}\n\
             users: {{ base: '{people}' }}\ngroups: {{ base: '{groups}' }}\n{more}\n"
        )
    }
}

/// `PREFIX000`, `PREFIX001` and so on.
fn names(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|it| format!("{prefix}{it:03}")).collect()
}

/// A site over one directory that is read through a relay, and does at once what it can.
struct Town {
    place: Place,
    site: Site,
    tap: Tap,
    _runtime: Runtime,
}

impl Town {
    /// Reads the server at `address`.
    fn new(place: Place, address: SocketAddr) -> Town {
        let runtime = Runtime::new().unwrap();
        let tap = runtime.block_on(Tap::start(address));
        let town = Town {
            place,
            site: Site::empty(),
            tap,
            _runtime: runtime,
        };
        town.site.write("password", town.place.password);
        town.configure("", "");
        town
    }

    fn url(&self) -> String {
        format!("ldap://{}", self.tap.address())
    }

    /// Writes the configuration with further lines of the directory and of its `ldap:` block.
    fn configure(&self, directory: &str, ldap: &str) {
        self.configure_as(directory, &self.place.block(&self.url(), ldap));
    }

    /// The same with another block.
    fn configure_as(&self, directory: &str, block: &str) {
        let text = format!(
            "state: sqlite:state.db\ndirectories:\n  - name: corporate\n{}    ldap:\n{}\
             applications:\n  - name: wiki\n    directories: [corporate]\n{}    \
             sql: {{ url: \"sqlite:wiki.db\", create_tables: true }}\n",
            indented(4, directory),
            indented(6, block),
            indented(4, AT_ONCE),
        );
        self.site.write("config.yaml", &text);
    }

    /// One pass that ends with 0. Gives what it says of the read: `whole`, and its notes.
    #[track_caller]
    fn read(&self) -> (bool, String) {
        let read = self.site.sync().ended(0).one("directory.read");
        let notes = read["notes"].as_str().unwrap_or_default();
        (read["whole"].as_bool().unwrap(), notes.to_owned())
    }

    /// One pass that changes nothing in the application and ends with 3.
    #[track_caller]
    fn keeps(&self, event: &str) -> Run {
        let before = self.accounts();
        let run = self.site.sync().ended(3);
        run.one(event);
        assert_eq!(run.one("pass.finished")["outcome"], "partial");
        assert_eq!(self.accounts(), before);
        run
    }

    /// Everything in the application: accounts with their names, and memberships.
    fn accounts(&self) -> (Vec<String>, Vec<String>) {
        let query = "SELECT username, display_name, active FROM users ORDER BY username";
        (self.site.rows("wiki.db", query), self.site.members())
    }
}

fn indented(by: usize, text: &str) -> String {
    let lines = text.lines().filter(|it| !it.is_empty());
    let indented = lines.map(|it| format!("{}{it}\n", " ".repeat(by)));
    indented.collect()
}

fn address(server: &Slapd) -> SocketAddr {
    server.url().trim_start_matches("ldap://").parse().unwrap()
}

fn signal(pid: u32, name: &str) {
    let status = Command::new("kill")
        .args([&format!("-{name}"), &pid.to_string()])
        .status();
    assert!(status.unwrap().success());
}
