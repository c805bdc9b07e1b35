//! LDIF: entries of an LDAP directory as text, understood as a server's answer is.

use super::{Converted, Form};
use crate::clock::Timestamp;
use crate::model::RecordKind;
use crate::text::counted;
use crate::wire::ldap::gather::Gatherer;
use crate::wire::ldap::ldif;

/// Reads entries and sorts them by object class.
pub(super) fn convert(text: &str, form: &Form, now: Timestamp) -> Result<Converted, String> {
    let mut gatherer = Gatherer::new(&form.mapping, &form.further, now);
    let mut neither: u64 = 0;
    for record in ldif::parse(text.as_bytes()).map_err(|fault| fault.to_string())? {
        match record {
            Ok(entry) => {
                let label = form.label(entry.line as u64);
                let kinds = gatherer.kinds(&entry);
                neither += u64::from(kinds.is_empty());
                for kind in kinds {
                    match kind {
                        RecordKind::User => gatherer.user(&entry, &label),
                        RecordKind::Group => gatherer.group(&entry, &label),
                    }
                }
            }
            Err(broken) if broken.ends_file => {
                return Err(format!(
                    "{}; nothing stands behind it: the file may be cut",
                    broken.fault
                ));
            }
            Err(broken) => {
                let label = form.label(broken.known.line as u64);
                gatherer.broken(&broken.known, &label, &broken.fault.to_string());
            }
        }
    }
    let mut notes = Vec::new();
    if neither > 0 {
        notes.push(format!(
            "neither users nor groups by their object classes: {}",
            counted(neither, "entry")
        ));
    }
    notes.extend(gatherer.oddities().notes());
    Ok(Converted {
        true_until: gatherer.next_expiry(),
        records: gatherer.finish(),
        notes,
    })
}
