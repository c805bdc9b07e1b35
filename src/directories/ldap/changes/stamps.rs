//! Whether a login is told of changes at all.
//!
//! OpenLDAP finds what has changed by a filter on `entryCSN`, which it evaluates with the rights of who asks. Who may not read
//! that attribute is told what was deleted and of nothing else, as if nothing had changed. So a complete read asks for the
//! attribute too, and what does not show it is a reason to go on reading completely.

use std::sync::atomic::{AtomicU64, Ordering};

use super::super::api::Query;
use super::super::convert::Entry;
use super::super::cursor::Place;
use super::super::root::Vendor;
use super::NO_ATTRIBUTES;
use crate::wire::ldap::gather::Attributes as _;

/// When an entry was last changed, as OpenLDAP writes it.
const ENTRY_CSN: &str = "entrycsn";

/// Counts the entries whose changes the server would not tell.
#[derive(Debug, Default)]
pub(in crate::directories::ldap) struct Stamps {
    wanted: bool,
    missing: AtomicU64,
}

impl Stamps {
    /// Of a server of this product, if the next read is to go on from there.
    pub(in crate::directories::ldap) fn needed_by(place: Option<&Place>, vendor: Vendor) -> Stamps {
        match (place, vendor) {
            (Some(Place::Syncrepl(_)), vendor) => Stamps::of(vendor),
            _ => Stamps::default(),
        }
    }

    /// Of a server of this product, of which changes are asked for.
    pub(in crate::directories::ldap) fn of(vendor: Vendor) -> Stamps {
        Stamps {
            wanted: vendor == Vendor::OpenLdap,
            ..Stamps::default()
        }
    }

    /// The question that asks for what is needed here too.
    pub(in crate::directories::ldap) fn asked(&self, query: &Query) -> Query {
        let mut query = query.clone();
        if self.wanted {
            query
                .attributes
                .retain(|it| it != ENTRY_CSN && it != NO_ATTRIBUTES);
            query.attributes.push(ENTRY_CSN.to_owned());
        }
        query
    }

    /// Looks at an entry that came.
    pub(in crate::directories::ldap) fn take(&self, entry: &Entry<'_>) {
        if self.wanted && entry.values(ENTRY_CSN).next().is_none() {
            self.missing.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether changes of everything that came are told.
    ///
    /// # Errors
    /// Why they are not, and what to do.
    pub(in crate::directories::ldap) fn result(&self) -> Result<(), String> {
        match self.missing.load(Ordering::Relaxed) {
            0 => Ok(()),
            missing => Err(format!(
                "of {missing} entries (users, groups or what they stand below) this login may not read `entryCSN`, and OpenLDAP \
                 tells it of no change of them: give it the right to read that attribute"
            )),
        }
    }
}
