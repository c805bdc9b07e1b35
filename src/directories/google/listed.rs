//! Who is in the lists, and under which id, alias or address.

use hashbrown::HashMap;

use crate::text;

/// What was listed of one kind: users, or groups.
#[derive(Debug, Default)]
pub(super) struct Listed {
    ids: Vec<String>,
    /// Where an id stands.
    by_id: HashMap<String, u32>,
    /// Who has this folded alias; nobody where several have it.
    by_alias: HashMap<String, Option<u32>>,
    /// Who has this folded primary address; nobody where several have it.
    by_address: HashMap<String, Option<u32>>,
}

impl Listed {
    /// Takes in what was listed.
    pub(super) fn add(&mut self, id: &str, address: &str, aliases: &[String]) {
        if id.is_empty() {
            return;
        }
        let next = self.ids.len() as u32;
        let at = *self.by_id.entry(id.to_owned()).or_insert(next);
        if at == next {
            self.ids.push(id.to_owned());
        }
        note(&mut self.by_address, address, at);
        for alias in aliases {
            note(&mut self.by_alias, alias, at);
        }
    }

    /// Whether it was listed.
    pub(super) fn has(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }

    /// Every id, in the order in which they were listed.
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.ids.iter().map(String::as_str)
    }

    /// Who a member is: whoever has the id, else the address as an alias, else as the primary one.
    pub(super) fn find(&self, id: &str, address: &str) -> Option<&str> {
        let by_address = || {
            let address = text::folded(address);
            let known = self.by_alias.get(&*address);
            *known.or_else(|| self.by_address.get(&*address))?
        };
        let at = self.by_id.get(id).copied().or_else(by_address)?;
        Some(&self.ids[at as usize])
    }
}

fn note(places: &mut HashMap<String, Option<u32>>, address: &str, at: u32) {
    if address.is_empty() {
        return;
    }
    let found = places.entry(text::fold(address)).or_insert(Some(at));
    if *found != Some(at) {
        *found = None;
    }
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
