//! What a user writes under `google:`.

mod attribute;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use self::attribute::bad_attribute;

use crate::http::{HttpSetupError, HttpUrl};
use crate::secret::SecretRef;
use crate::template::Template;
use crate::text::{Globs, Span, fold, nearest};

/// The name that Google takes for the customer of whoever asks (Directory API, `users.list`, `customer`).
const MY_CUSTOMER: &str = "my_customer";
/// Where every service account has its address.
const SERVICE_ACCOUNTS: &str = "gserviceaccount.com";
/// The fields of a user that a username may be made of, beside those of custom schemas.
const USERNAME_FIELDS: [&str; 3] = ["local", "domain", "address"];
/// The fields of a group that its name may be made of.
const GROUP_NAME_FIELDS: [&str; 4] = ["local", "domain", "address", "name"];
/// Members may be this old.
const MEMBERS_EVERY_MAX: Span = Span::hours(1);
/// The most questions a minute that may be asked for.
const QUERIES_MAX: u32 = 10_000;
/// What Google allows a user of a project in a minute, unless it was raised (Directory API, "Limits and quotas").
const QUERIES_OF_GOOGLE: u32 = 2_400;

/// A Google Workspace (or Cloud Identity) whose users and groups are polled.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoogleConfig {
    /// The key of a service account, as the JSON file that Google makes.
    pub key: SecretRef,
    /// The administrator in whose name the service account asks (domain-wide delegation). Without one it asks in its own.
    pub subject: Option<String>,
    /// The customer whose users and groups are read, by id (`C03az79cb`), where it is not that of whoever asks.
    pub customer: Option<String>,
    /// Instead of a customer: users and groups of these domains only.
    #[serde(default)]
    pub domains: Vec<String>,
    /// Globs over the folded addresses of groups: those whose members are read. Every group, where nothing is listed.
    #[serde(default)]
    pub groups: Vec<String>,
    /// What of a user is the username.
    #[serde(default = "local_part")]
    pub username: Template,
    /// What of a group is its name.
    #[serde(default = "local_part")]
    pub group_name: Template,
    /// How old the members of a group may become before they are read again without a cause. No time at all: each poll
    /// reads the members of every group.
    #[serde(default)]
    pub members_every: Span,
    /// Asks the log of the administration which groups have changed, between two reads of all members. A hint, never the record.
    #[serde(default)]
    pub activity: bool,
    /// How many questions Google gets in a minute, of all directories of one [`tenant`](GoogleConfig::tenant) together.
    #[serde(default = "queries_per_minute_default")]
    pub queries_per_minute: u32,
    /// Where the API is.
    #[serde(default = "url_default")]
    pub url: HttpUrl,
    /// A PEM file with the certificate of an authority that is trusted beside those of the system. A relative path is seen
    /// from the folder of the configuration file, see [`GoogleConfig::anchored`].
    pub ca: Option<PathBuf>,
    /// The HTTP proxy to go through: `http://proxy.example.com:3128`.
    pub proxy: Option<HttpUrl>,
    /// Sends tokens, or what they are asked for with, over `http://`, where everybody on the way can read them.
    #[serde(default)]
    pub insecure: bool,
    /// How long Google may be silent.
    #[serde(default = "timeout_default")]
    pub timeout: Span,
}

/// Something in the block that is well-formed and cannot work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoogleProblem {
    /// The option, as a path below `google`, items by their number from 0: `groups.1`.
    pub path: String,
    /// What is wrong, and what to write.
    pub text: String,
}

/// Why the connector cannot be set up from its configuration.
#[derive(Debug, thiserror::Error)]
pub enum GoogleSetupError {
    /// An option cannot work.
    #[error("{}: {}", .0.path, .0.text)]
    Option(GoogleProblem),
    /// The certificates or the proxy cannot be used.
    #[error(transparent)]
    Http(#[from] HttpSetupError),
}

impl GoogleConfig {
    /// Everything that cannot work, without asking Google.
    pub fn problems(&self) -> Vec<GoogleProblem> {
        let mut found = Vec::new();
        let mut add = |path: &str, text: String| found.push(problem(path, text));
        self.check_scope(&mut add);
        self.check_server(&mut add);
        let custom = Some("customSchemas.SCHEMA.FIELD");
        check_template(
            "username",
            &self.username,
            &USERNAME_FIELDS,
            custom,
            &mut add,
        );
        check_template(
            "group_name",
            &self.group_name,
            &GROUP_NAME_FIELDS,
            None,
            &mut add,
        );
        if self.members_every > MEMBERS_EVERY_MAX {
            let text = format!(
                "members may be as old as {MEMBERS_EVERY_MAX} at most: somebody who was taken out of a group keeps its rights so long"
            );
            add("members_every", text);
        }
        if !(1..=QUERIES_MAX).contains(&self.queries_per_minute) {
            let text = format!(
                "write a number from 1 to {QUERIES_MAX}; 1200 is half of what Google allows"
            );
            add("queries_per_minute", text);
        }
        found
    }

    /// What works and is unwise.
    pub fn warnings(&self) -> Vec<GoogleProblem> {
        let mut found = Vec::new();
        let mut add = |path: &str, text: String| found.push(problem(path, text));
        for (index, glob) in self.groups.iter().enumerate() {
            if !glob.contains(['@', '*']) && Globs::new(&[glob]).is_ok() {
                let text = format!(
                    "`{glob}` is the address of no group: write it whole, like `{glob}@example.com`, or `{glob}@*` for every domain"
                );
                add(&format!("groups.{index}"), text);
            }
        }
        if self.activity && self.members_every.is_zero() {
            let text = "it means nothing here: each poll reads the members of every group, unless `members_every` is longer than `0s`";
            add("activity", text.to_owned());
        }
        if (QUERIES_OF_GOOGLE + 1..=QUERIES_MAX).contains(&self.queries_per_minute) {
            let text = format!(
                "Google allows {QUERIES_OF_GOOGLE} in a minute unless the project's quota was raised, and turns away what is beyond it"
            );
            add("queries_per_minute", text);
        }
        if self.url.is_plain() && self.insecure {
            let text = format!(
                "the token goes to {} readable for everybody on the way",
                self.url
            );
            add("insecure", text);
        }
        found
    }

    /// Everything that decides which records are read and what stands in them. Several spellings of one meaning are one.
    pub fn basis(&self) -> String {
        let groups: BTreeSet<String> = self.groups.iter().map(|it| fold(it)).collect();
        let basis = serde_json::json!({
            "url": self.url.to_string(),
            "subject": self.subject.as_deref().map(fold),
            "customer": self.customer_id(),
            "domains": self.folded_domains(),
            "groups": groups,
            "username": self.username.to_string(),
            "group_name": self.group_name.to_string(),
        });
        format!("google {basis}")
    }

    /// The customer that is asked for, where there are no `domains`.
    pub fn customer_id(&self) -> &str {
        self.customer.as_deref().unwrap_or(MY_CUSTOMER)
    }

    /// The domains that are asked for, folded, each once, in one order.
    pub fn folded_domains(&self) -> Vec<String> {
        let domains: BTreeSet<String> = self.domains.iter().map(|it| fold(it)).collect();
        domains.into_iter().collect()
    }

    /// Whose quota is spent by asking, in words: whoever spends the same one shares a pace. It is the customer where one is
    /// written, else the domain of the subject, else the place of the key.
    pub fn tenant(&self) -> String {
        let customer = self.customer_id();
        if customer != MY_CUSTOMER {
            return format!("customer {customer}");
        }
        let subject = self.subject.as_deref();
        match subject.and_then(|it| it.rsplit_once('@')) {
            Some((_, domain)) => format!("domain {}", fold(domain)),
            None => format!("key {}", self.key),
        }
    }

    /// The same options with relative paths seen from the folder of the configuration file.
    #[must_use]
    pub fn anchored(mut self, folder: &Path) -> Self {
        self.ca = self.ca.map(|ca| folder.join(ca));
        self.key = self.key.under(folder);
        self
    }

    /// Whose users and groups are read, and in whose name.
    fn check_scope(&self, add: &mut impl FnMut(&str, String)) {
        if let Some(fault) = self.subject.as_deref().and_then(subject_fault) {
            add("subject", fault.to_owned());
        }
        let customer = self.customer.as_deref();
        let odd = |c: char| !c.is_ascii_alphanumeric() && c != '_';
        if customer.is_some_and(|it| it.is_empty() || it.contains(odd)) {
            let text = "this is no customer's id: write the one under Account > Account settings of the Admin console, like \
                        `C03az79cb`; domains stand under `domains`";
            add("customer", text.to_owned());
        }
        if customer.is_some() && !self.domains.is_empty() {
            let text = "a customer has all of its domains: write either `customer` or `domains`";
            add("domains", text.to_owned());
        }
        for (index, domain) in self.domains.iter().enumerate() {
            if !is_domain(domain) {
                let text = format!(
                    "`{domain}` is no domain: write it like `example.com`, each one by itself"
                );
                add(&format!("domains.{index}"), text);
            }
        }
        for (index, glob) in self.groups.iter().enumerate() {
            if let Err(fault) = Globs::new(&[glob]) {
                add(&format!("groups.{index}"), fault.to_string());
            }
        }
    }

    /// How Google is reached.
    fn check_server(&self, add: &mut impl FnMut(&str, String)) {
        if self.url.has_login() {
            let text = "leave name and password out of the address: who asks is whose `key` it is";
            add("url", text.to_owned());
        }
        if self.url.is_plain() && !self.insecure {
            let text = format!(
                "the token would go to {} readable for everybody on the way: use `https://`, or accept that with \
                 `insecure: true`",
                self.url
            );
            add("url", text);
        }
        if self.timeout.is_zero() {
            let text = "no server answers in no time: write `60s`";
            add("timeout", text.to_owned());
        }
    }
}

fn problem(path: &str, text: String) -> GoogleProblem {
    GoogleProblem {
        path: path.to_owned(),
        text,
    }
}

/// What is wrong with the administrator. The address itself is not repeated, since it is a person's.
fn subject_fault(subject: &str) -> Option<&'static str> {
    let is_local = |it: &str| !it.is_empty() && !it.contains(|c: char| c == '@' || is_odd(c));
    let parts = subject.rsplit_once('@');
    let Some((_, domain)) = parts.filter(|it| is_local(it.0) && is_domain(it.1)) else {
        return Some(
            "this is no address: write the primary address of an administrator, like `admin@example.com`",
        );
    };
    let domain = fold(domain);
    let below = domain.strip_suffix(SERVICE_ACCOUNTS);
    if below.is_some_and(|it| it.is_empty() || it.ends_with('.')) {
        return Some(
            "this is a service account, which cannot be its own subject: write the primary address of an administrator, or \
             give the service account a role of its own and leave `subject` out",
        );
    }
    None
}

/// Whether a text may be a domain. A customer's id, which has no dot, is none.
fn is_domain(text: &str) -> bool {
    let labels = text.split('.');
    let odd = |c: char| c == '@' || c == '*' || is_odd(c);
    labels.clone().count() > 1 && labels.clone().all(|it| !it.is_empty() && !it.contains(odd))
}

fn is_odd(c: char) -> bool {
    c.is_whitespace() || c.is_control()
}

/// Checks that a name is made of fields that there are, and that one of them tells records apart.
fn check_template(
    path: &str,
    template: &Template,
    known: &[&'static str],
    custom: Option<&'static str>,
    add: &mut impl FnMut(&str, String),
) {
    let mut tells_apart = false;
    for field in template.fields() {
        tells_apart |= field != "domain";
        if known.contains(&field) || (custom.is_some() && attribute::is_custom(field)) {
            continue;
        }
        let known = known.iter().copied().chain(custom);
        let hint = match nearest(field, known.clone()) {
            Some(meant) => format!("did you mean `{{{meant}}}`?"),
            None => {
                let known: Vec<String> = known.map(|it| format!("`{{{it}}}`")).collect();
                format!("there are {}", known.join(", "))
            }
        };
        add(path, format!("there is no field `{{{field}}}`: {hint}"));
    }
    if !tells_apart {
        let text = "all of a domain would have one name: write a field between single braces that tells them apart, like \
                    `{local}`";
        add(path, text.to_owned());
    }
}

fn local_part() -> Template {
    let template = "{local}".parse();
    template.expect("a template that the tests read as well")
}

fn queries_per_minute_default() -> u32 {
    1_200
}

fn url_default() -> HttpUrl {
    let url = "https://admin.googleapis.com".parse();
    url.expect("an address that the tests read as well")
}

fn timeout_default() -> Span {
    Span::seconds(60)
}

#[cfg(test)]
mod tests;
