//! Who we are at the server, whose product it is, and how it lets itself be read.

use std::fmt::Write as _;

use super::{Finding, RootDse, Session, good};
use crate::directories::ldap::config::Schema;
use crate::directories::ldap::cursor::Place;
use crate::directories::ldap::read::{Login, Reader};
use crate::directories::ldap::root::{PAGED_RESULTS, Vendor};

/// RFC 4532: who the server takes us for.
const WHO_AM_I: &str = "1.3.6.1.4.1.4203.1.11.3";

/// As whom we are logged in, in our own words and in the server's.
pub(super) async fn login(session: &mut Session, reader: &Reader, root: &RootDse) -> Finding {
    let mut text = match &reader.login {
        Some(Login::Simple { dn, .. }) => format!("logged in as `{dn}`"),
        Some(Login::External) => "logged in as who runs this, by SASL EXTERNAL".to_owned(),
        None => "nobody logs in (no `bind`): only what is public is seen".to_owned(),
    };
    let offered = root.extensions.iter().any(|it| it == WHO_AM_I);
    // Who does not answer that is no worse a server.
    if offered && let Ok(name) = session.who_am_i().await {
        let name = if name.is_empty() { "anonymous" } else { &name };
        let _ = write!(text, ", known there as `{name}`");
    }
    good("bind", text)
}

/// Whether the server is what `schema` says, and how it lets itself be read.
pub(super) fn offers(reader: &Reader, root: &RootDse) -> Vec<Finding> {
    vec![product(reader.schema, root.vendor), pages(root)]
}

fn product(schema: Schema, vendor: Vendor) -> Finding {
    let written = schema.word();
    let (name, fitting): (&str, &[Schema]) = match vendor {
        Vendor::OpenLdap => ("OpenLDAP", &[Schema::OpenLdap]),
        Vendor::Ds389 => (
            "389 Directory Server, or FreeIPA on it",
            &[Schema::Ds389, Schema::FreeIpa],
        ),
        Vendor::ActiveDirectory => ("Active Directory", &[Schema::ActiveDirectory]),
        Vendor::Other => {
            let text = format!("it does not say whose product it is; `schema: {written}` is used");
            return good("server", text);
        }
    };
    if fitting.contains(&schema) {
        return good("server", format!("{name}, as `schema: {written}` expects"));
    }
    let better: Vec<&str> = fitting.iter().map(|it| it.word()).collect();
    Finding {
        item: "server".to_owned(),
        text: format!(
            "it is {name}, and `schema: {written}` is made for another: its filters, ids and statuses will not be found. \
             Write `schema: {}`",
            better.join("` or `schema: ")
        ),
        good: false,
    }
}

fn pages(root: &RootDse) -> Finding {
    let text = if root.offers(PAGED_RESULTS) {
        "answers come in pages"
    } else if root.controls.is_empty() {
        "it hides what it offers (its root DSE), so pages are asked for untold"
    } else {
        "it offers no pages (control 1.2.840.113556.1.4.319): everything must fit into one answer, within its size limit"
    };
    good("pages", text)
}

/// How a poll learns what has changed, from a place where a read can be gone on from.
pub(super) fn changes(incremental: bool, place: Option<&Place>) -> &'static str {
    match place {
        Some(Place::Syncrepl(_)) => "polls read only what has changed (syncrepl, RFC 4533)",
        Some(Place::DirSync(_)) => "polls read only what has changed: by DirSync",
        Some(Place::Usn(_)) => {
            "polls read only what has changed: by uSNChanged, since this login lacks the right `Replicating Directory Changes`"
        }
        None if incremental => {
            "every poll reads everything: the server says of no product that tells changes (OpenLDAP, 389 Directory Server, Active \
             Directory)"
        }
        None => "every poll reads everything, as `incremental: false` wants it",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directories::ldap::cursor::Octets;
    use crate::wire::ldap::sync::SYNC_REQUEST;

    #[test]
    fn a_schema_of_another_product_is_recognised() {
        fn check(schema: Schema, vendor: Vendor, expect: Option<&str>) {
            let found = product(schema, vendor);
            assert_eq!(found.good, expect.is_none(), "{}", found.text);
            let expect = expect.unwrap_or_default();
            assert!(found.text.ends_with(expect), "{}", found.text);
        }
        use Schema::{ActiveDirectory, Ds389, FreeIpa, OpenLdap};
        check(OpenLdap, Vendor::OpenLdap, None);
        check(ActiveDirectory, Vendor::ActiveDirectory, None);
        check(Ds389, Vendor::Ds389, None);
        check(FreeIpa, Vendor::Ds389, None);
        check(ActiveDirectory, Vendor::Other, None);
        let better = "Write `schema: active-directory`";
        check(OpenLdap, Vendor::ActiveDirectory, Some(better));
        let better = "Write `schema: 389ds` or `schema: freeipa`";
        check(OpenLdap, Vendor::Ds389, Some(better));
        let better = "Write `schema: openldap`";
        check(FreeIpa, Vendor::OpenLdap, Some(better));
    }

    #[test]
    fn what_is_offered_says_how_it_is_read() {
        fn check(controls: &[&str], expect: &str) {
            let root = RootDse {
                controls: controls.iter().map(|it| (*it).to_owned()).collect(),
                ..RootDse::default()
            };
            let found = pages(&root).text;
            assert!(found.contains(expect), "{found}");
        }
        check(&[PAGED_RESULTS, SYNC_REQUEST], "in pages");
        check(&[SYNC_REQUEST], "offers no pages");
        check(&[], "hides what it offers");
    }

    #[test]
    fn how_changes_are_learnt_is_said() {
        let octets = Octets(Vec::new());
        let dir_sync = changes(true, Some(&Place::DirSync(octets)));
        assert!(dir_sync.ends_with("by DirSync"), "{dir_sync}");
        let other = changes(true, None);
        assert!(other.contains("of no product"), "{other}");
        let unwanted = changes(false, None);
        assert!(unwanted.contains("`incremental: false`"), "{unwanted}");
    }
}
