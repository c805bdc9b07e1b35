//! The servers on which the law is held: how they are changed, how they name things, and how they are read.

use std::sync::Arc;

use usersyncd::clock::{ManualClock, Timestamp};
use usersyncd::directories::ldap::{LdapConfig, LdapDirectory};
use usersyncd::secret::SecretRef;

use super::world::World;
use crate::support::ldap_tools;
use crate::support::samba::{self, Samba};
use crate::support::slapd::{self, SUFFIX, SessionLog, Slapd};

/// The further attribute of users that is read.
pub(crate) const NUMBER: &str = "employeeNumber";

/// In 2023: after what expired in these worlds, and before what will.
const NOW: Timestamp = Timestamp(1_700_000_000);

/// The attribute by which a user of the OpenLDAP server is switched off.
pub(crate) const ACTIVE: &str = "carLicense";

/// A server with a place of its own for one world.
pub(crate) enum Server {
    /// An OpenLDAP server.
    Slapd(Slapd),
    /// A unit of a domain controller that others use too.
    Samba(&'static Samba),
}

/// In which attribute of a domain controller the username stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Usernames {
    /// In `uid`, of which an entry may have none or two.
    Uid,
    /// Where it usually stands; there is always exactly one.
    Account,
}

/// How groups name their members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Groups {
    /// All by DN.
    ByDn,
    /// Some by username, so that a change of a user may concern any of them.
    Mixed,
}

impl Server {
    /// An OpenLDAP server with or without a session log, and the directory that reads it.
    pub(crate) fn slapd(log: SessionLog, groups: Groups) -> (World, LdapDirectory) {
        let server = Slapd::start_logging("", log);
        let options = format!(
            "urls: [{:?}]\nschema: openldap\ninsecure: true\n\
             bind: {{ dn: {:?}, password: {{ env: UNUSED }} }}\n\
             users: {{ base: 'ou=people,{SUFFIX}', filter: '(&(objectClass=inetOrgPerson)(employeeType=staff))', \
             active: {{ attribute: {ACTIVE}, values: ['yes'] }} }}\n\
             groups: {{ base: 'ou=groups,{SUFFIX}' }}\n",
            server.url(),
            slapd::READER
        );
        let directory = directory(&options, slapd::PASSWORD);
        let world = World::new(
            Server::Slapd(server),
            SUFFIX.to_owned(),
            Usernames::Uid,
            groups,
        );
        (world, directory)
    }

    /// A unit of this name in the domain that the tests share, and the directory in which that account reads it.
    pub(crate) fn samba(name: &str, reader: &str, usernames: Usernames) -> (World, LdapDirectory) {
        let server = Samba::shared();
        let unit = server.unit(name);
        let username = match usernames {
            Usernames::Uid => "uid",
            Usernames::Account => "sAMAccountName",
        };
        let options = format!(
            "urls: [{:?}]\nschema: active-directory\ninsecure: true\n\
             bind: {{ dn: {:?}, password: {{ env: UNUSED }} }}\n\
             users: {{ base: 'ou=people,{unit}', filter: '(&(objectClass=user)(employeeType=staff))', \
             attributes: {{ username: {username} }} }}\n\
             groups: {{ base: 'ou=groups,{unit}' }}\n",
            server.url(),
            reader
        );
        let directory = directory(&options, samba::PASSWORD);
        (
            World::new(Server::Samba(server), unit, usernames, Groups::ByDn),
            directory,
        )
    }

    /// Whether it is a domain controller.
    pub(crate) fn is_samba(&self) -> bool {
        matches!(self, Server::Samba(_))
    }

    /// Applies LDIF change records.
    pub(crate) fn modify(&self, changes: &str) {
        match self {
            Server::Slapd(server) => server.modify(changes),
            Server::Samba(server) => server.modify(changes),
        }
    }

    /// The values of an attribute of an entry.
    pub(crate) fn values(&self, entry: &str, attribute: &str) -> Vec<String> {
        let (url, login) = match self {
            Server::Slapd(server) => (server.url(), (slapd::ADMIN, slapd::PASSWORD)),
            Server::Samba(server) => (server.url(), (samba::ADMIN, samba::PASSWORD)),
        };
        ldap_tools::values(&url, login, entry, attribute)
    }

    /// Kills it and starts it again, where it is nobody else's.
    pub(crate) fn restart(&mut self) {
        if let Server::Slapd(server) = self {
            server.stop();
            server.start_again();
        }
    }
}

fn directory(options: &str, password: &str) -> LdapDirectory {
    let config: LdapConfig = serde_yaml::from_str(options).unwrap();
    let password = Some(SecretRef::literal(password));
    let clock = Arc::new(ManualClock::new(NOW));
    LdapDirectory::new(
        "corporate",
        &config,
        password,
        vec![NUMBER.to_owned()],
        clock,
    )
    .unwrap()
}
