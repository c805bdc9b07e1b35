//! The members of groups, by name or by username, whole or in parts.

use super::identity::VALUE_BYTES_MAX;
use super::{Attributes, Gatherer};
use crate::text::name_key;
use crate::wire::ldap::dn;
use crate::wire::ldap::ranges::{Cut, Misfit, Rest, VERSION};

impl Gatherer<'_> {
    /// What is missing of groups whose members came in part. Who can ask for the rest hands the answers to
    /// [`Gatherer::rest`]; a group of which something is still missing at the end is unknown.
    pub fn cuts(&self) -> Vec<Cut> {
        self.cuts.values().cloned().collect()
    }

    /// Takes the answer to [`Cut::asked`], and tells what is missing then; `None` when nothing is, or nothing more can be had,
    /// since the answer does not fit or the group has changed meanwhile.
    pub fn rest(&mut self, cut: &Cut, entry: &impl Attributes) -> Option<Cut> {
        let part = entry.part(&cut.attribute)?;
        if !cut.version.is_empty() && version(entry) != cut.version {
            return None;
        }
        let rest = part.follow(cut.next).ok()?;
        self.take_members(cut.group, &cut.attribute, part.values.into_iter());
        let key = (cut.group, cut.attribute.clone());
        match rest {
            Rest::Nothing => {
                self.cuts.remove(&key);
                None
            }
            Rest::From(next) => {
                let cut = Cut {
                    next,
                    ..cut.clone()
                };
                self.cuts.insert(key, cut.clone());
                Some(cut)
            }
        }
    }

    /// Takes the members of a group, and notes what is missing where only a part came.
    pub(super) fn members(&mut self, group: u32, entry: &impl Attributes) {
        let mapping = self.mapping;
        for name in mapping
            .groups
            .members
            .iter()
            .chain(mapping.groups.member_names.iter())
        {
            self.take_members(group, name, entry.values(name));
            let part = entry.has_parts().then(|| entry.part(name));
            let Some(part) = part.flatten() else {
                continue;
            };
            let rest = part.follow(0);
            self.take_members(group, name, part.values.into_iter());
            match rest {
                Ok(Rest::Nothing) => {}
                Ok(Rest::From(next)) => {
                    let cut = Cut {
                        group,
                        dn: String::from_utf8_lossy(entry.dn()).into_owned(),
                        attribute: name.to_owned(),
                        next,
                        version: version(entry).to_vec(),
                    };
                    self.cuts.insert((group, name.to_owned()), cut);
                }
                Err(Misfit) => self.unread_member(group),
            }
        }
    }

    /// Takes members of a group, by handle or by username as the attribute has it.
    fn take_members<'v>(
        &mut self,
        group: u32,
        attribute: &str,
        values: impl Iterator<Item = &'v [u8]>,
    ) {
        let by_name = self.mapping.groups.member_names.has(attribute.as_bytes());
        for value in values {
            let text = std::str::from_utf8(value).ok();
            let text = text.filter(|it| it.len() <= VALUE_BYTES_MAX);
            if by_name {
                self.names_members = true;
                match text.and_then(|it| name_key(it).ok()) {
                    Some(key) => self.named.push((group, self.pool.add(&key))),
                    None => self.unread_member(group),
                }
                continue;
            }
            match text.and_then(|it| dn::normalise(without_uid(it)).ok()) {
                // Classes that demand a member are satisfied with the empty name, which is nobody's.
                Some(handle) if handle.is_empty() => {}
                Some(handle) => self.builder.member(group, None, &handle),
                None => self.unread_member(group),
            }
        }
    }

    fn unread_member(&mut self, group: u32) {
        self.builder.group_is_unknown(group);
        self.odd.unread_members += 1;
    }
}

fn version(entry: &impl Attributes) -> &[u8] {
    entry.values(VERSION).next().unwrap_or_default()
}

/// A value of the syntax "name and optional UID" (RFC 4517, section 3.3.21) without its UID: `cn=a,dc=x#'0101'B`.
fn without_uid(value: &str) -> &str {
    match value.strip_suffix("'B").and_then(|it| it.rsplit_once("#'")) {
        Some((name, bits)) if bits.bytes().all(|bit| matches!(bit, b'0' | b'1')) => name,
        _ => value,
    }
}
