//! What a user writes under `ldap:`.

mod account;
mod bases;
mod bind;
mod schema;

use std::path::{Path, PathBuf};

use ldap3::parse_filter;
use serde::Deserialize;

pub use self::bases::Bases;
pub use self::bind::{BadBind, Bind};
pub use self::schema::{BadSchema, Schema};

use super::url::LdapUrl;
use crate::text::Span;
use crate::wire::ldap::mapping::{GroupAttributes, Mapping, UserAttributes};
use crate::wire::ldap::status::ActiveRule;

/// The largest page that may be asked for. Pages beyond 1,000 are not faster, and many servers refuse them.
const PAGE_SIZE_MAX: u32 = 100_000;

/// An LDAP directory.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LdapConfig {
    /// The servers of this one directory, tried in order: `ldaps://ldap1.example.com`.
    pub urls: Vec<LdapUrl>,
    /// Which product answers. It gives the default of every filter and attribute.
    pub schema: Schema,
    /// Who asks; without it, nobody in particular does (an anonymous session).
    pub bind: Option<Bind>,
    /// A PEM file with the certificate of the authority that signed the servers' certificates, trusted beside those of the
    /// system. A relative path is seen from the folder of the configuration file, see [`LdapConfig::anchored`].
    pub ca: Option<PathBuf>,
    /// Begins TLS on an `ldap://` connection before anything else is said (RFC 4511, section 4.14).
    #[serde(default)]
    pub starttls: bool,
    /// Sends the bind password over `ldap://`, where everybody on the way can read it.
    #[serde(default)]
    pub insecure: bool,
    /// Where the users stand.
    pub users: Users,
    /// Where the groups stand; without it, none are read.
    pub groups: Option<Groups>,
    /// How many entries a page may hold.
    #[serde(default = "page_size_default")]
    pub page_size: u32,
    /// Asks for what has changed where the server offers that. Without it every read is a complete one.
    #[serde(default = "incremental_default")]
    pub incremental: bool,
    /// How long the server may be silent: while connecting, after a question, and between two entries.
    #[serde(default = "timeout_default")]
    pub timeout: Span,
}

/// Where the users stand and what says what about them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Users {
    /// The entry below which they stand, at any depth, or several.
    pub base: Bases,
    /// Which of the entries are users (RFC 4515), where it is not those of the schema.
    pub filter: Option<String>,
    /// Attribute names that differ from those of the schema.
    #[serde(default)]
    pub attributes: UserAttributes,
    /// Who is active, where it is not the schema's attributes that say it.
    pub active: Option<ActiveRule>,
}

/// Where the groups stand and what says what about them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Groups {
    /// The entry below which they stand, at any depth, or several.
    pub base: Bases,
    /// Which of the entries are groups (RFC 4515), where it is not those of the schema.
    pub filter: Option<String>,
    /// Attribute names that differ from those of the schema.
    #[serde(default)]
    pub attributes: GroupAttributes,
}

/// Something in the block that is well-formed and cannot work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LdapProblem {
    /// The option, as a path below `ldap`: `users.filter`.
    pub path: &'static str,
    /// What is wrong, and what to write.
    pub text: String,
}

impl LdapConfig {
    /// Everything that cannot work, without asking a server.
    pub fn problems(&self) -> Vec<LdapProblem> {
        let mut found = Vec::new();
        let mut add = |path, text: String| found.push(LdapProblem { path, text });
        if self.urls.is_empty() {
            add("urls", "name at least one server".to_owned());
        }
        self.check_login(&mut add);
        for fault in self.users.base.faults() {
            add("users.base", fault);
        }
        check_filter("users.filter", &self.users_filter(), &mut add);
        if let Some(groups) = &self.groups {
            for fault in groups.base.faults() {
                add("groups.base", fault);
            }
            check_filter("groups.filter", &self.groups_filter(), &mut add);
        }
        if let Some(active) = &self.users.active {
            check_active(active, &mut add);
        }
        let mapping = self.mapping();
        check_names("users.attributes", mapping.users.names(), &mut add);
        check_names("groups.attributes", mapping.groups.names(), &mut add);
        if !(1..=PAGE_SIZE_MAX).contains(&self.page_size) {
            let text = format!("write a number from 1 to {PAGE_SIZE_MAX}; 1000 suits every server");
            add("page_size", text);
        }
        if self.timeout.is_zero() {
            add(
                "timeout",
                "no server answers in no time: write `60s`".to_owned(),
            );
        }
        found
    }

    fn check_login(&self, add: &mut impl FnMut(&'static str, String)) {
        let other = self.urls.iter().find(|url| !url.is_plain());
        if let (Some(url), true) = (other, self.starttls) {
            let text =
                format!("it begins TLS on `ldap://`, and means nothing for {url}: leave one out");
            add("starttls", text);
        }
        if let Some(Bind::Simple { dn, .. }) = &self.bind
            && let Some(fault) = account::fault(dn, self.schema)
        {
            add("bind.dn", fault);
        }
        let remote = self.urls.iter().find(|url| !url.is_socket());
        if let (Some(url), Some(Bind::External)) = (remote, &self.bind) {
            let text = format!(
                "{url} cannot know who this process is: write the server's socket under `urls`, or `dn` and `password`"
            );
            add("bind.sasl", text);
        }
        if let (Some(url), false) = (self.exposed(), self.insecure) {
            let text = format!(
                "the bind password would go to {url} readable for everybody on the way: use `ldaps://` or \
                 `starttls: true`, or accept that with `insecure: true`"
            );
            add("urls", text);
        }
    }

    /// A server to which a password goes in plain text.
    fn exposed(&self) -> Option<&LdapUrl> {
        let password = self.bind.as_ref().and_then(Bind::password);
        let mut urls = self.urls.iter();
        let plain = urls.find(|url| url.is_plain() && !self.starttls);
        password.and(plain)
    }

    /// The place that is read, in one spelling for all ways of writing it: the servers and the bases.
    pub fn target(&self) -> String {
        let urls: Vec<String> = self.urls.iter().map(ToString::to_string).collect();
        let groups = self.groups.as_ref();
        let groups = groups.map(|it| it.base.one_spelling().join(" "));
        format!(
            "{} users {} groups {}",
            urls.join(" "),
            self.users.base.one_spelling().join(" "),
            groups.as_deref().unwrap_or("-")
        )
    }

    /// What works and is unwise.
    pub fn warnings(&self) -> Vec<LdapProblem> {
        let mut found = Vec::new();
        if let (Some(url), true) = (self.exposed(), self.insecure) {
            found.push(LdapProblem {
                path: "insecure",
                text: format!("the bind password goes to {url} readable for everybody on the way"),
            });
        }
        found
    }

    /// The same options with relative paths seen from the folder of the configuration file.
    #[must_use]
    pub fn anchored(mut self, folder: &Path) -> Self {
        self.ca = self.ca.map(|ca| folder.join(ca));
        self
    }

    /// Everything that decides which records are read and what stands in them, whichever server answers.
    pub fn basis(&self) -> String {
        let mapping = self.mapping();
        let users = (
            self.users.base.one_spelling(),
            self.users_filter(),
            &mapping.users,
        );
        let groups = self.groups.as_ref().map(|it| {
            (
                it.base.one_spelling(),
                self.groups_filter(),
                &mapping.groups,
            )
        });
        let status = (&mapping.active, &mapping.status, mapping.primary_groups);
        serde_json::json!({ "users": users, "groups": groups, "status": status }).to_string()
    }

    /// Which attribute says what: the schema's names, except where others are given.
    pub fn mapping(&self) -> Mapping {
        let groups = self.groups.as_ref().map(|it| it.attributes.clone());
        let given = Mapping {
            users: self.users.attributes.clone(),
            groups: groups.unwrap_or_default(),
            active: self.users.active.clone(),
            ..Mapping::default()
        };
        given.over(self.schema.preset().mapping)
    }

    /// Which entries are users.
    pub fn users_filter(&self) -> String {
        let given = self.users.filter.as_deref();
        given
            .unwrap_or(self.schema.preset().users_filter)
            .to_owned()
    }

    /// Which entries are groups.
    pub fn groups_filter(&self) -> String {
        let given = self.groups.as_ref().and_then(|it| it.filter.as_deref());
        given
            .unwrap_or(self.schema.preset().groups_filter)
            .to_owned()
    }
}

fn page_size_default() -> u32 {
    1_000
}

fn incremental_default() -> bool {
    true
}

fn timeout_default() -> Span {
    Span::seconds(60)
}

fn check_filter(path: &'static str, text: &str, add: &mut impl FnMut(&'static str, String)) {
    if parse_filter(text).is_err() {
        let text =
            format!("`{text}` is no filter: write it as in RFC 4515, like `(objectClass=person)`");
        add(path, text);
    }
}

fn check_active(active: &ActiveRule, add: &mut impl FnMut(&'static str, String)) {
    check_names("users.active", [active.attribute.as_str()], add);
    if active.values.is_empty() {
        let text = "name the values of those who are active: `values: [\"TRUE\"]`";
        add("users.active", text.to_owned());
    }
}

/// Attribute descriptions without options: names, or numeric OIDs (RFC 4512, section 2.5).
fn check_names<'a>(
    path: &'static str,
    names: impl IntoIterator<Item = &'a str>,
    add: &mut impl FnMut(&'static str, String),
) {
    for name in names {
        let sound = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
        if name.is_empty() || !name.bytes().all(sound) {
            add(path, format!("`{name}` is no attribute name"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::ldap::mapping::Names;

    const SMALLEST: &str =
        "urls: ['ldaps://LDAP.example.com']\nschema: openldap\nusers: { base: 'ou=people,dc=x' }\n";

    fn read(text: &str) -> Result<LdapConfig, String> {
        serde_yaml::from_str(text).map_err(|fault| fault.to_string())
    }

    #[test]
    fn the_schema_gives_what_is_not_written() {
        let config = read(SMALLEST).unwrap();
        assert_eq!(config.problems(), []);
        assert_eq!(config.mapping(), Mapping::openldap());
        assert_eq!(config.users_filter(), "(objectClass=inetOrgPerson)");
        assert_eq!((config.page_size, config.timeout.as_seconds()), (1_000, 60));
        assert!(!config.insecure && config.bind.is_none() && config.groups.is_none());
        assert!(config.incremental);
    }

    #[test]
    fn what_is_written_goes_before_the_schema() {
        let more = "groups: { base: 'ou=groups,dc=x', filter: '(cn=a*)', attributes: { members: member } }\n";
        let text = SMALLEST.replace("dc=x' }", "dc=x', attributes: { username: userid } }") + more;
        let config = read(&text).unwrap();
        assert_eq!(config.problems(), []);
        let mapping = config.mapping();
        assert_eq!(mapping.users.username, Names::of(&["userid"]));
        assert_eq!(mapping.users.email, Mapping::openldap().users.email);
        assert_eq!(mapping.groups.members, Names::of(&["member"]));
        assert_eq!(config.groups_filter(), "(cn=a*)");
    }

    #[test]
    fn what_does_not_fit_is_refused_with_its_reason() {
        fn check(from: &str, to: &str, expect: &str) {
            let fault = read(&SMALLEST.replace(from, to)).unwrap_err();
            assert!(fault.contains(expect), "{to}: {fault}");
        }
        check("openldap", "exchange", "`exchange` is no schema");
        check("schema: openldap\n", "", "missing field `schema`");
        check("ldaps://", "https://", "must begin with `ldaps://`");
        check("base:", "bas:", "unknown field `bas`");
    }

    #[test]
    fn everything_that_cannot_work_is_said_at_once() {
        let text = "urls: ['ldaps://a', 'ldap://b']\nschema: openldap\nbind: { dn: 'reader', password: { env: X } }\n\
                    users: { base: '', filter: 'uid=*)', attributes: { email: 'mail;lang-de' } }\n\
                    groups: { base: 'ou', filter: '' }\npage_size: 0\ntimeout: 0s\n";
        let paths: Vec<&str> = read(text)
            .unwrap()
            .problems()
            .iter()
            .map(|it| it.path)
            .collect();
        assert_eq!(
            paths,
            [
                "bind.dn",
                "urls",
                "users.base",
                "users.filter",
                "groups.base",
                "groups.filter",
                "users.attributes",
                "page_size",
                "timeout"
            ]
        );
        let none = read(&SMALLEST.replace("'ldaps://LDAP.example.com'", "")).unwrap();
        assert_eq!(none.problems().first().map(|it| it.path), Some("urls"));
    }

    #[test]
    fn a_password_in_plain_text_must_be_asked_for() {
        let plain = SMALLEST.replace("ldaps", "ldap");
        assert_eq!(read(&plain).unwrap().problems(), [], "there is no password");
        let bind = plain.clone() + "bind: { dn: 'cn=reader', password: { env: X } }\n";
        assert_eq!(read(&bind).unwrap().problems().len(), 1);
        let asked = read(&(bind + "insecure: true\n")).unwrap();
        assert_eq!(asked.problems(), []);
        assert_eq!(asked.warnings().len(), 1);
        assert_eq!(read(&plain).unwrap().warnings(), []);
    }

    #[test]
    fn what_nobody_else_can_read_needs_no_leave() {
        let bind = SMALLEST.to_owned() + "bind: { dn: 'cn=reader', password: { env: X } }\n";
        let secured = bind.replace("ldaps", "ldap") + "starttls: true\n";
        assert_eq!(read(&secured).unwrap().problems(), []);
        let socket = bind.replace("ldaps://LDAP.example.com", "ldapi://%2Frun%2Fldapi");
        assert_eq!(read(&socket).unwrap().problems(), []);
        // Asking for what is not needed is no reason to warn either.
        let asked = read(&(socket + "insecure: true\n")).unwrap();
        assert_eq!((asked.problems(), asked.warnings()), (vec![], vec![]));
    }

    #[test]
    fn what_does_not_go_with_a_server_is_said() {
        let path = |text: &str| -> Vec<&str> {
            let config = read(text).unwrap();
            config.problems().iter().map(|it| it.path).collect()
        };
        let socket = SMALLEST.replace("ldaps://LDAP.example.com", "ldapi://%2Frun%2Fldapi");
        assert_eq!(
            path(&(SMALLEST.to_owned() + "starttls: true\n")),
            ["starttls"]
        );
        assert_eq!(path(&(socket.clone() + "starttls: true\n")), ["starttls"]);
        assert_eq!(path(&(socket + "bind: { sasl: external }\n")), [""; 0]);
        let remote = SMALLEST.to_owned() + "bind: { sasl: external }\n";
        assert_eq!(path(&remote), ["bind.sasl"]);
        assert_eq!(path(&remote.replace("ldaps", "ldap")), ["bind.sasl"]);
    }

    #[test]
    fn one_place_has_one_target_however_it_is_written() {
        let other = SMALLEST
            .replace("LDAP.example.com", "ldap.example.com:636/")
            .replace("ou=people,dc=x", "OU=People, DC=X");
        let target = read(SMALLEST).unwrap().target();
        assert_eq!(read(&other).unwrap().target(), target);
        assert_eq!(
            target,
            "ldaps://ldap.example.com:636 users ou=people,dc=x groups -"
        );
        let elsewhere = SMALLEST.replace("dc=x", "dc=y");
        assert_ne!(read(&elsewhere).unwrap().target(), target);
    }

    #[test]
    fn the_authority_is_seen_from_the_folder_of_the_configuration() {
        let ca = |path: &str| {
            let config = read(&format!("{SMALLEST}ca: {path}\n")).unwrap();
            config.anchored(Path::new("/etc/x")).ca
        };
        assert_eq!(ca("ca.pem"), Some(PathBuf::from("/etc/x/ca.pem")));
        assert_eq!(ca("/ca.pem"), Some(PathBuf::from("/ca.pem")));
    }

    #[test]
    fn the_basis_is_what_decides_on_the_records_and_not_the_server() {
        let basis = |text: &str| read(text).unwrap().basis();
        let same = SMALLEST
            .replace("LDAP.example.com", "other")
            .replace("ou=people", "OU=People")
            + "page_size: 7\n";
        assert_eq!(basis(&same), basis(SMALLEST));
        for other in [
            SMALLEST.replace("dc=x' }", "dc=x', attributes: { id: uidNumber } }"),
            SMALLEST.replace("dc=x' }", "dc=x', filter: '(uid=*)' }"),
            SMALLEST.to_owned() + "groups: { base: 'dc=x' }\n",
        ] {
            assert_ne!(basis(&other), basis(SMALLEST), "{other}");
        }
    }
}
