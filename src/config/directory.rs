//! What can be said of a directory, whatever its type. The type's own options stand under one key named after it.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::defaults;
use super::names::EntryName;
use super::values::{CronLine, GlobList, TrustMail};
use crate::directories::crowd::config::CrowdConfig;
use crate::directories::file::config::FileConfig;
use crate::directories::google::config::GoogleConfig;
use crate::directories::ldap::config::LdapConfig;
use crate::text::{Percent, Span};

/// One directory.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DirectoryEntry {
    /// How it is called here, in the log and in the directory column of applications.
    pub name: EntryName,
    /// Its identity in the store; the name where not given. With it, a directory may be renamed.
    pub id: Option<EntryName>,
    /// The id that it had before: what is remembered under that is taken over.
    pub renamed_from: Option<EntryName>,
    /// Whether it is read. What was read before goes on counting.
    #[serde(default = "defaults::enabled")]
    pub enabled: bool,
    /// When it is read, where that differs from the default of the file.
    pub schedule: Option<CronLine>,
    /// How much of it may vanish within the window before a read becomes suspect.
    #[serde(default = "defaults::shrink_limit")]
    pub shrink_limit: Percent,
    /// The window over which losses are counted.
    #[serde(default = "defaults::window")]
    pub window: Span,
    /// How long changes alone may be asked for before everything is read again.
    #[serde(default = "defaults::reread")]
    pub reread: Span,
    /// How old the last complete read may grow before an operator must look.
    #[serde(default = "defaults::stale_after")]
    pub stale_after: Span,
    /// How long one read may take.
    #[serde(default = "defaults::read_timeout")]
    pub read_timeout: Span,
    /// Which users are bots or customers.
    #[serde(default)]
    pub classify: Classify,
    /// Which users are taken.
    #[serde(default)]
    pub users: DirectoryUsers,
    /// Which groups are taken.
    #[serde(default)]
    pub groups: DirectoryGroups,
    /// Whether its mail addresses may tie users of different usernames.
    #[serde(default)]
    pub trust_mail: TrustMail,
    /// The attribute that tells persons apart for good, such as an employee number.
    pub person_key: Option<String>,
    /// A username that it once won never falls to a lower directory by absence or inactivity.
    #[serde(default)]
    pub authoritative: bool,
    /// A file.
    pub file: Option<FileConfig>,
    /// An LDAP server.
    pub ldap: Option<LdapConfig>,
    /// Jira's user server, or a Crowd.
    pub crowd: Option<CrowdConfig>,
    /// Google Workspace.
    pub google: Option<GoogleConfig>,
}

/// The connector of a directory with its own options.
#[derive(Clone, Copy, Debug)]
pub enum DirectoryType<'a> {
    /// A file.
    File(&'a FileConfig),
    /// An LDAP server.
    Ldap(&'a LdapConfig),
    /// Jira's user server, or a Crowd.
    Crowd(&'a CrowdConfig),
    /// Google Workspace.
    Google(&'a GoogleConfig),
}

/// Which users of a directory are taken, before anything is resolved.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DirectoryUsers {
    /// Usernames that are passed over as if they were not there.
    #[serde(default)]
    pub skip: GlobList,
}

/// Which groups of a directory are taken, before anything is resolved.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DirectoryGroups {
    /// The groups that are taken; every group where nothing is listed.
    #[serde(default)]
    pub include: GlobList,
    /// The groups of those that are not.
    #[serde(default)]
    pub exclude: GlobList,
    /// The groups that this directory may give members to; every group where nothing is listed.
    #[serde(default)]
    pub may_fill: GlobList,
}

/// What sort of user somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A human being of the organisation.
    Person,
    /// A bot or another technical account.
    Service,
    /// A customer who only uses a portal.
    Customer,
}

/// Rules that say what sort of user somebody is, asked in this order. Whom none of them fits is what the directory itself
/// says, else a person.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Classify {
    /// Who is a person in spite of the rules below.
    #[serde(default, deserialize_with = "kind_rule")]
    pub person: KindRule,
    /// Who is a bot.
    #[serde(default, deserialize_with = "kind_rule")]
    pub service: KindRule,
    /// Who is a customer.
    #[serde(default, deserialize_with = "kind_rule")]
    pub customer: KindRule,
}

/// Fits whoever fits one of its parts. A plain list is `users`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct KindRule {
    /// Usernames.
    pub users: GlobList,
    /// Members of these groups, through other groups too.
    pub groups: GlobList,
    /// Members of no group at all.
    pub no_group: bool,
    /// Bearers of an attribute with one of these values, spelled like this.
    pub attribute: BTreeMap<String, Vec<String>>,
}

impl DirectoryEntry {
    /// Its identity in the store.
    pub fn id(&self) -> &EntryName {
        self.id.as_ref().unwrap_or(&self.name)
    }

    /// The attributes beyond the usual ones that some option names, sorted, each once.
    pub fn further_attributes(&self) -> Vec<&str> {
        let Classify {
            person,
            service,
            customer,
        } = &self.classify;
        let rules = [person, service, customer].into_iter();
        let mut names: Vec<&str> = rules
            .flat_map(|it| it.attribute.keys())
            .map(String::as_str)
            .collect();
        names.extend(self.person_key.as_deref());
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Its connector; there is exactly one in every entry that was loaded.
    pub fn connector(&self) -> Option<DirectoryType<'_>> {
        let DirectoryEntry {
            file,
            ldap,
            crowd,
            google,
            ..
        } = self;
        let file = file.as_ref().map(DirectoryType::File);
        file.or(ldap.as_ref().map(DirectoryType::Ldap))
            .or(crowd.as_ref().map(DirectoryType::Crowd))
            .or(google.as_ref().map(DirectoryType::Google))
    }
}

/// The keys of the connectors, as [`DirectoryEntry`] has them.
pub(super) const DIRECTORY_TYPES: [&str; 4] = ["file", "ldap", "crowd", "google"];

/// Reads a rule, a plain list being its usernames.
fn kind_rule<'de, D: Deserializer<'de>>(deserializer: D) -> Result<KindRule, D::Error> {
    deserializer.deserialize_any(KindRuleVisitor)
}

struct KindRuleVisitor;

impl<'de> Visitor<'de> for KindRuleVisitor {
    type Value = KindRule;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a list of usernames, or a mapping of `users`, `groups`, `no_group` and `attribute`",
        )
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<KindRule, A::Error> {
        Ok(KindRule {
            users: GlobList::deserialize(SeqAccessDeserializer::new(seq))?,
            ..KindRule::default()
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<KindRule, A::Error> {
        KindRule::deserialize(MapAccessDeserializer::new(map))
    }
}
