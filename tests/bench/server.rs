//! A real LDAP server with a large company on it, and the directory that reads it.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::sync::Arc;

use usersyncd::clock::SystemClock;
use usersyncd::directories::ldap::{LdapConfig, LdapDirectory};
use usersyncd::secret::SecretRef;

use crate::load::Load;
use crate::slapd::{PASSWORD, READER, SUFFIX, Slapd};

/// Starts a server that holds the load.
pub(crate) fn serve(load: &Load, folder: &Path) -> Slapd {
    let ldif = folder.join("load.ldif");
    let mut out = BufWriter::new(File::create(&ldif).expect("a new file"));
    load.write_ldif(&mut out)
        .and_then(|()| out.flush())
        .expect("the load is written");
    let slapd = Slapd::start_with(&ldif);
    fs::remove_file(ldif).expect("our own file");
    slapd
}

/// The options by which a server is read.
pub(crate) fn options(url: &str) -> String {
    format!(
        r#"urls: ["{url}"]
insecure: true
schema: openldap
bind: {{ dn: "{READER}", password: "{PASSWORD}" }}
users: {{ base: "ou=people,{SUFFIX}", filter: "(objectClass=inetOrgPerson)" }}
groups: {{ base: "ou=groups,{SUFFIX}" }}"#
    )
}

/// The directory that reads a server over TCP.
pub(crate) fn directory(slapd: &Slapd) -> LdapDirectory {
    let config: LdapConfig = serde_yaml::from_str(&options(&slapd.url())).expect("options");
    let password = Some(SecretRef::literal(PASSWORD));
    let clock = Arc::new(SystemClock::new());
    LdapDirectory::new("people", &config, password, Vec::new(), clock).expect("a directory")
}
