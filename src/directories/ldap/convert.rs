//! A search answer as an entry. What an entry means stands in [`crate::wire::ldap::gather`], which LDIF files share.
//!
//! ldap3's own `SearchEntry` builds two hashed maps an entry and panics at a name that is not UTF-8. This is a view into
//! the decoded message: nothing is copied before it is known to be wanted, and what is text is decided by who reads it.

use ldap3::asn1::{PL, StructureTag};

use crate::wire::ldap::gather::Attributes;
use crate::wire::ldap::ranges::{self, Part};

/// A search result entry (RFC 4511, section 4.5.2) whose shape was checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    dn: &'a [u8],
    attributes: &'a [StructureTag],
}

impl<'a> Entry<'a> {
    /// Takes a decoded message for an entry; `None` when it does not have the shape of one.
    pub(super) fn of(message: &'a StructureTag) -> Option<Self> {
        let [dn, attributes] = parts(message)? else {
            return None;
        };
        let attributes = parts(attributes)?;
        let sound = |values: &[StructureTag]| values.iter().all(|it| octets(it).is_some());
        let sound = attributes
            .iter()
            .all(|it| attribute(it).is_some_and(|it| sound(it.1)));
        sound.then_some(Entry {
            dn: octets(dn)?,
            attributes,
        })
    }

    /// The first value of an attribute, by its name in lower case.
    pub(super) fn attribute(&self, name: &str) -> Option<&'a [u8]> {
        let mut attributes = self.attributes.iter().filter_map(attribute);
        let named = attributes.find(|it| it.0.eq_ignore_ascii_case(name.as_bytes()))?;
        named.1.first().and_then(octets)
    }

    /// How many bytes of names and values the entry holds.
    pub(super) fn size(&self) -> usize {
        let values = self.attributes.iter().filter_map(attribute).map(|it| {
            let values = it.1.iter().filter_map(octets).map(<[u8]>::len);
            it.0.len() + values.sum::<usize>()
        });
        self.dn.len() + values.sum::<usize>()
    }
}

impl Attributes for Entry<'_> {
    fn dn(&self) -> &[u8] {
        self.dn
    }

    fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.attributes
            .iter()
            .filter_map(attribute)
            .filter(move |it| it.0.eq_ignore_ascii_case(name.as_bytes()))
            .flat_map(|it| it.1)
            .filter_map(octets)
    }

    fn has_parts(&self) -> bool {
        let mut attributes = self.attributes.iter().filter_map(attribute);
        attributes.any(|it| ranges::may_describe(it.0))
    }

    fn part(&self, name: &str) -> Option<Part<'_>> {
        let mut attributes = self.attributes.iter().filter_map(attribute);
        let (range, values) =
            attributes.find_map(|it| Some((ranges::described(it.0, name)?, it.1)))?;
        Some(Part {
            range,
            values: values.iter().filter_map(octets).collect(),
        })
    }
}

/// The name and the value of an intermediate message (RFC 4511, section 4.13), empty where they are left away; `None` when it
/// does not have the shape of one.
pub(super) fn intermediate(message: &StructureTag) -> Option<(&[u8], &[u8])> {
    let parts = parts(message)?;
    let content = |id| match parts.iter().find(|it| it.id == id) {
        Some(part) => octets(part),
        None => Some(&[][..]),
    };
    Some((content(0)?, content(1)?))
}

/// The description and the values of an attribute, if it has the shape of one.
fn attribute(tag: &StructureTag) -> Option<(&[u8], &[StructureTag])> {
    let [description, values] = parts(tag)? else {
        return None;
    };
    Some((octets(description)?, parts(values)?))
}

fn parts(tag: &StructureTag) -> Option<&[StructureTag]> {
    match &tag.payload {
        PL::C(parts) => Some(parts),
        PL::P(_) => None,
    }
}

fn octets(tag: &StructureTag) -> Option<&[u8]> {
    match &tag.payload {
        PL::P(octets) => Some(octets),
        PL::C(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use ldap3::asn1::TagClass;

    use super::*;
    use crate::wire::ldap::ranges::Range;

    fn text(octets: &[u8]) -> StructureTag {
        tag(PL::P(octets.to_vec()))
    }

    fn list(parts: Vec<StructureTag>) -> StructureTag {
        tag(PL::C(parts))
    }

    fn tag(payload: PL) -> StructureTag {
        StructureTag {
            class: TagClass::Universal,
            id: 0,
            payload,
        }
    }

    fn attribute(name: &str, values: &[&[u8]]) -> StructureTag {
        let values = values.iter().map(|it| text(it)).collect();
        list(vec![text(name.as_bytes()), list(values)])
    }

    fn message(attributes: Vec<StructureTag>) -> StructureTag {
        list(vec![text(b"uid=a"), list(attributes)])
    }

    #[test]
    fn values_are_found_by_the_name_alone() {
        let message = message(vec![
            attribute("CN", &[b"a", b"\xff"]),
            attribute("cn;lang-de", &[b"b"]),
            attribute("cnx", &[b"c"]),
        ]);
        let entry = Entry::of(&message).unwrap();
        let values = |name| entry.values(name).collect::<Vec<_>>();
        assert_eq!(entry.dn(), b"uid=a");
        assert_eq!(values("cn"), [&b"a"[..], b"\xff"]);
        assert_eq!(values("sn"), [] as [&[u8]; 0]);
        assert_eq!(entry.size(), 5 + 2 + 2 + 10 + 1 + 3 + 1);
    }

    #[test]
    fn a_part_of_the_values_is_known_by_its_range() {
        let message = message(vec![
            attribute("member", &[]),
            attribute("Member;range=0-1", &[b"a", b"b"]),
        ]);
        let entry = Entry::of(&message).unwrap();
        assert!(entry.has_parts());
        assert_eq!(entry.values("member").count(), 0);
        let part = entry.part("member").unwrap();
        assert_eq!(part.values, [b"a", b"b"]);
        assert_eq!(
            part.range,
            Some(Range {
                first: 0,
                last: Some(1)
            })
        );
        assert_eq!(entry.part("members"), None);
    }

    #[test]
    fn what_has_not_the_shape_of_an_entry_is_none() {
        let attribute = || attribute("cn", &[b"a"]);
        assert!(Entry::of(&message(vec![attribute()])).is_some());
        for broken in [
            text(b"x"),
            list(vec![]),
            list(vec![text(b"uid=a")]),
            list(vec![text(b"uid=a"), text(b"")]),
            list(vec![list(vec![]), list(vec![])]),
            list(vec![text(b"uid=a"), list(vec![]), list(vec![])]),
            message(vec![text(b"cn")]),
            message(vec![list(vec![text(b"cn")])]),
            message(vec![list(vec![text(b"cn"), text(b"a")])]),
            message(vec![list(vec![list(vec![]), list(vec![])])]),
            message(vec![
                attribute(),
                list(vec![text(b"cn"), list(vec![list(vec![])])]),
            ]),
        ] {
            assert!(Entry::of(&broken).is_none(), "{broken:?}");
        }
    }
}
