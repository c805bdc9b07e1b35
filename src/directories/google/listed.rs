//! Who is in the lists, and under which id, alias or address.

use hashbrown::{HashMap, HashSet};

use crate::text;

/// What was listed of one kind: users, or groups.
#[derive(Debug, Default)]
pub(super) struct Listed {
    ids: HashSet<String>,
    /// The id that has this folded alias; nothing where several have it.
    by_alias: HashMap<String, Option<String>>,
    /// The id that has this folded primary address; nothing where several have it.
    by_address: HashMap<String, Option<String>>,
}

impl Listed {
    /// Takes in what was listed.
    pub(super) fn add(&mut self, id: &str, address: &str, aliases: &[String]) {
        if id.is_empty() {
            return;
        }
        self.ids.insert(id.to_owned());
        note(&mut self.by_address, address, id);
        for alias in aliases {
            note(&mut self.by_alias, alias, id);
        }
    }

    /// Whether it was listed.
    pub(super) fn has(&self, id: &str) -> bool {
        self.ids.contains(id)
    }

    /// Every id, in no order.
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.ids.iter().map(String::as_str)
    }

    /// Who a member is: whoever has the id, else the address as an alias, else as the primary one.
    pub(super) fn find(&self, id: &str, address: &str) -> Option<&str> {
        if let Some(id) = self.ids.get(id) {
            return Some(id);
        }
        let address = text::folded(address);
        let address: &str = &address;
        let known = self.by_alias.get(address);
        known.or_else(|| self.by_address.get(address))?.as_deref()
    }
}

fn note(ids: &mut HashMap<String, Option<String>>, address: &str, id: &str) {
    if address.is_empty() {
        return;
    }
    let found = ids.entry(text::fold(address));
    found
        .and_modify(|it| {
            if it.as_deref() != Some(id) {
                *it = None;
            }
        })
        .or_insert_with(|| Some(id.to_owned()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_found_by_id_then_alias_then_address() {
        let mut listed = Listed::default();
        listed.add("1", "Anna@x.example", &["a@x.example".to_owned()]);
        // Whose alias is another one's address.
        listed.add("2", "ben@x.example", &["anna@x.example".to_owned()]);
        listed.add("3", "", &["shared@x.example".to_owned()]);
        listed.add("4", "dora@x.example", &["Shared@x.example".to_owned()]);
        let check = |id: &str, address: &str, expect: Option<&str>| {
            assert_eq!(listed.find(id, address), expect, "{id} {address}");
        };
        check("1", "ben@x.example", Some("1"));
        check("9", "A@X.example", Some("1"));
        check("9", "ANNA@x.example", Some("2"));
        check("", "ben@x.example", Some("2"));
        check("9", "shared@x.example", None);
        check("9", "", None);
        assert!(listed.has("3") && !listed.has("9"));
        assert_eq!(listed.ids().count(), 4);
    }
}
