//! The primary groups of Active Directory, which are in no `member` list.
//!
//! A user names its primary group, nearly always *Domain Users*, by `primaryGroupID`: the last part of a security identifier
//! whose other parts are those of the user's own (MS-ADTS 3.1.1.4.5.18). The group's `objectSid` is that identifier.

use super::gather::Attributes;
use super::ids;
use crate::model::{Pool, StrId};

/// The attribute by which users name the group, and the one that names users and groups.
pub const ATTRIBUTES: [&str; 2] = [GROUP_ID, SID];
const GROUP_ID: &str = "primarygroupid";
/// The attribute that names a group.
pub const SID: &str = "objectsid";

/// What a user says of its primary group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Primary {
    /// Its security identifier.
    Group(String),
    /// The server shows nothing, or not all that is needed.
    NotShown,
    /// What it shows makes no sense.
    Unreadable,
}

/// Primary groups as they are found, users and groups in any order.
#[derive(Debug, Default)]
pub struct Primaries {
    pool: Pool,
    /// Handle and the identifier of the primary group.
    users: Vec<(StrId, StrId)>,
    /// Identifier and number.
    groups: Vec<(StrId, u32)>,
}

/// The primary group that a user names.
pub fn of_user(entry: &impl Attributes) -> Primary {
    let one = |name| entry.values(name).next();
    let (Some(number), Some(sid)) = (one(GROUP_ID), one(SID)) else {
        return Primary::NotShown;
    };
    let number = std::str::from_utf8(number).ok();
    let number = number.and_then(|it| it.trim().parse::<u32>().ok());
    let sid = ids::sid(sid).ok();
    let domain = sid.as_deref().and_then(|it| it.rsplit_once('-'));
    match (number, domain) {
        (Some(number), Some((domain, _))) => Primary::Group(format!("{domain}-{number}")),
        _ => Primary::Unreadable,
    }
}

impl Primaries {
    /// Notes the primary group of a user.
    pub fn user(&mut self, handle: &str, group: &str) {
        self.users
            .push((self.pool.add(handle), self.pool.add(group)));
    }

    /// Notes the identifier of a group. One that cannot be read is nobody's primary group.
    pub fn group(&mut self, number: u32, entry: &impl Attributes) {
        let sid = entry.values(SID).next().and_then(|it| ids::sid(it).ok());
        if let Some(sid) = sid {
            self.groups.push((self.pool.add(&sid), number));
        }
    }

    /// Hands every membership to `each`: the group's number and the user's handle. Users whose group was not read are left out.
    pub fn each(mut self, mut each: impl FnMut(u32, &str)) {
        let pool = &self.pool;
        self.groups
            .sort_by(|left, right| pool.get(left.0).cmp(pool.get(right.0)));
        for (handle, group) in &self.users {
            let sid = pool.get(*group);
            let from = self.groups.partition_point(|it| pool.get(it.0) < sid);
            let named = self.groups[from..].iter();
            for (_, number) in named.take_while(|it| pool.get(it.0) == sid) {
                each(*number, pool.get(*handle));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fake(Vec<(&'static str, Vec<u8>)>);

    impl Attributes for Fake {
        fn dn(&self) -> &[u8] {
            b"cn=a"
        }

        fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
            let named = self.0.iter().filter(move |it| it.0 == name);
            named.map(|it| it.1.as_slice())
        }
    }

    /// `S-1-5-21-7-RID`.
    fn sid(rid: u32) -> Vec<u8> {
        let mut bytes = vec![1, 3, 0, 0, 0, 0, 0, 5];
        for part in [21, 7, rid] {
            bytes.extend(part.to_le_bytes());
        }
        bytes
    }

    fn user(number: &[u8], sid: Vec<u8>) -> Fake {
        Fake(vec![(GROUP_ID, number.to_vec()), (SID, sid)])
    }

    #[test]
    fn a_user_names_its_primary_group_in_its_own_domain() {
        let group = Primary::Group("S-1-5-21-7-513".to_owned());
        assert_eq!(of_user(&user(b"513", sid(1_104))), group);
        assert_eq!(of_user(&user(b"x", sid(1_104))), Primary::Unreadable);
        assert_eq!(of_user(&user(b"-1", sid(1_104))), Primary::Unreadable);
        assert_eq!(of_user(&user(b"513", vec![1])), Primary::Unreadable);
        assert_eq!(of_user(&Fake(vec![(SID, sid(7))])), Primary::NotShown);
        assert_eq!(of_user(&Fake(vec![])), Primary::NotShown);
    }

    #[test]
    fn a_user_is_a_member_of_the_group_if_that_was_read() {
        let mut primaries = Primaries::default();
        primaries.user("cn=ann", "S-1-5-21-7-513");
        primaries.user("cn=ben", "S-1-5-21-7-514");
        primaries.user("cn=cid", "S-1-5-21-8-513");
        primaries.user("cn=dan", "S-1-5-21-7-513");
        primaries.group(4, &Fake(vec![(SID, sid(513))]));
        primaries.group(5, &Fake(vec![(SID, sid(515))]));
        primaries.group(6, &Fake(vec![]));
        let mut pairs = Vec::new();
        primaries.each(|group, handle| pairs.push(format!("{group} {handle}")));
        assert_eq!(pairs, ["4 cn=ann", "4 cn=dan"]);
    }
}
