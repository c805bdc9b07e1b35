//! Who an entry is, and the texts that stand in it.

use std::borrow::Cow;

use super::Attributes;
use crate::text::name_key;
use crate::wire::ldap::dn;
use crate::wire::ldap::ids;
use crate::wire::ldap::mapping::Names;

/// The most bytes of one value that becomes part of a record. Names and descriptions are far shorter; what is longer is a
/// mistake, such as a picture in the wrong attribute, and would be carried through every later step.
pub(super) const VALUE_BYTES_MAX: usize = 65_536;

/// Who an entry is, as far as it can be read.
pub(super) struct Identity {
    pub(super) id: String,
    pub(super) handle: String,
    /// The usernames or group names, as spelled.
    pub(super) names: Vec<String>,
    /// The keys of those names, each once.
    pub(super) keys: Vec<String>,
    /// Why it cannot be taken.
    pub(super) fault: Option<String>,
}

impl Identity {
    /// Reads an entry of which the attributes `id` and `name` say who it is.
    pub(super) fn of(entry: &impl Attributes, id: &Names, name: &Names) -> Identity {
        let mut fault = None;
        let mut failed = |why| _ = fault.get_or_insert(why);
        let handle = handle(entry.dn()).unwrap_or_else(|why| {
            failed(why);
            String::new()
        });
        let id = first_text(entry, id).unwrap_or_else(|why| {
            failed(why);
            String::new()
        });
        let mut named = name.iter().map(|it| texts(entry, it));
        let names = named.find(|it| it.as_ref().map_or(true, |it| !it.is_empty()));
        let names = names.unwrap_or(Ok(Vec::new())).unwrap_or_else(|why| {
            failed(why);
            Vec::new()
        });
        let what = name.iter().next().unwrap_or("name");
        match names.len() {
            0 => failed(format!("`{what}` is missing")),
            1 => {}
            count => failed(format!("`{what}` has {count} values; one is needed")),
        }
        let mut keys = Vec::new();
        for name in &names {
            // A name with blanks around it is no name, yet it shows whose record this is.
            let key = name_key(name).or_else(|why| {
                failed(format!("`{what}`: {why}"));
                name_key(name.trim())
            });
            keys.extend(key.ok().filter(|it| !keys.contains(it)));
        }
        Identity {
            id: if id.is_empty() { handle.clone() } else { id },
            handle,
            names,
            keys,
            fault,
        }
    }

    /// Notes why the entry cannot be taken; the first reason counts.
    pub(super) fn fail(&mut self, why: String) {
        self.fault.get_or_insert(why);
    }
}

/// The id by which the record of an entry is known, where the attributes `names` hold it; `None` where the entry shows none that
/// can be read.
pub fn id(entry: &impl Attributes, names: &Names) -> Option<String> {
    let id = first_text(entry, names).ok()?;
    (!id.is_empty()).then_some(id)
}

/// The first value of the first attribute that has more than blanks there, trimmed; empty if there is none.
pub(super) fn first_text(entry: &impl Attributes, names: &Names) -> Result<String, String> {
    for name in names.iter() {
        let Some(value) = entry.values(name).next() else {
            continue;
        };
        let value = text(name, value)?;
        let value = value.trim();
        if !value.is_empty() {
            return Ok(value.to_owned());
        }
    }
    Ok(String::new())
}

/// All values of one attribute.
pub(super) fn texts(entry: &impl Attributes, name: &str) -> Result<Vec<String>, String> {
    entry
        .values(name)
        .map(|value| text(name, value).map(Cow::into_owned))
        .collect()
}

fn handle(name: &[u8]) -> Result<String, String> {
    let name = std::str::from_utf8(name).map_err(|_| "the `dn` is not valid UTF-8".to_owned())?;
    dn::normalise(name).map_err(|fault| format!("`dn`: {fault}"))
}

fn text<'v>(name: &str, value: &'v [u8]) -> Result<Cow<'v, str>, String> {
    if value.len() > VALUE_BYTES_MAX {
        return Err(format!(
            "`{name}` has a value of {} bytes, more than {VALUE_BYTES_MAX}",
            value.len()
        ));
    }
    ids::text(name, value).map_err(|why| format!("`{name}` {why}"))
}
