//! What is told of a read beside its records, and what is no record at all.

use super::Attributes;

/// What an operator is told of a read beside its records: counts, never values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Oddities {
    /// Members that could not be read; each made its group unknown.
    pub unread_members: u64,
    /// Users whose status could not be read; the one that was last seen goes on counting.
    pub unread_statuses: u64,
    /// Users whose primary group could not be read; they are unknown.
    pub unread_primaries: u64,
}

impl Oddities {
    /// A sentence for each that there is.
    pub fn notes(&self) -> Vec<String> {
        let Oddities {
            unread_members,
            unread_statuses,
            unread_primaries,
        } = *self;
        let all = [
            (
                unread_members,
                "members that could not be read, so that their groups take no membership away",
            ),
            (
                unread_statuses,
                "users who do not show whether they are active, so that it stays as it was last seen",
            ),
            (
                unread_primaries,
                "users whose primary group could not be read, so that nothing changes for them",
            ),
        ];
        let some = all.iter().filter(|it| it.0 > 0);
        some.map(|(count, what)| format!("{what}: {count}"))
            .collect()
    }
}

/// Whether an entry is what is left of a deleted one: servers show these to those who ask for them (MS-ADTS 3.1.1.5.5), and
/// 389 Directory Server to those whose filter does.
pub fn is_tombstone(entry: &impl Attributes) -> bool {
    let says = |name, value: &[u8]| {
        entry
            .values(name)
            .any(|it| it.trim_ascii().eq_ignore_ascii_case(value))
    };
    says("isdeleted", b"TRUE") || says("objectclass", b"nsTombstone") || is_deleted_name(entry.dn())
}

/// Whether the entry's own level of a name ends in the mark of Active Directory's deleted objects: a line break and `DEL:`.
fn is_deleted_name(name: &[u8]) -> bool {
    const WRITTEN: &[u8] = b"\\0adel:";
    name.contains(&b'\\')
        && name
            .windows(WRITTEN.len())
            .any(|it| it.eq_ignore_ascii_case(WRITTEN))
}
