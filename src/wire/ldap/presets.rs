//! What is usual with each product: a guess about the product, never about a site, over which a site lays what differs.

use super::mapping::{GroupAttributes, Mapping, Names, UserAttributes};
use super::status::StatusRule;

/// What is usual with one product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preset {
    /// Which attributes mean what.
    pub mapping: Mapping,
    /// Which entries are users (RFC 4515).
    pub users_filter: &'static str,
    /// Which entries are groups (RFC 4515).
    pub groups_filter: &'static str,
}

const STANDARD_GROUPS: &str =
    "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=posixGroup))";

impl Preset {
    /// `OpenLDAP` with its usual schemas: core, cosine, inetorgperson, nis and dyngroup.
    pub fn openldap() -> Preset {
        Preset {
            mapping: Mapping {
                users: users("uid", "entryUUID"),
                groups: groups("cn", "entryUUID"),
                user_classes: Names::of(&["inetOrgPerson", "posixAccount", "person", "account"]),
                group_classes: Names::of(&[
                    "groupOfNames",
                    "groupOfUniqueNames",
                    "posixGroup",
                    "groupOfEntries",
                ]),
                status: vec![StatusRule::ShadowExpire, StatusRule::PwdAccountLockedTime],
                ..Mapping::default()
            },
            users_filter: "(objectClass=inetOrgPerson)",
            groups_filter: STANDARD_GROUPS,
        }
    }

    /// Active Directory, and Samba as its domain controller. Computers are users too, but no persons.
    pub fn active_directory() -> Preset {
        Preset {
            mapping: Mapping {
                users: users("sAMAccountName", "objectGUID"),
                groups: GroupAttributes {
                    members: Names::of(&["member"]),
                    member_names: Names::default(),
                    ..groups("sAMAccountName", "objectGUID")
                },
                user_classes: Names::of(&["user"]),
                group_classes: Names::of(&["group"]),
                status: vec![StatusRule::UserAccountControl, StatusRule::AccountExpires],
                primary_groups: true,
                ..Mapping::default()
            },
            users_filter: "(&(objectCategory=person)(objectClass=user))",
            groups_filter: "(objectClass=group)",
        }
    }

    /// 389 Directory Server. Its own tools make users that are `nsPerson` and not `inetOrgPerson`.
    pub fn ds389() -> Preset {
        Preset {
            mapping: Mapping {
                users: users("uid", "nsUniqueId"),
                groups: groups("cn", "nsUniqueId"),
                user_classes: Names::of(&["inetOrgPerson", "nsPerson", "person", "account"]),
                group_classes: Names::of(&["groupOfNames", "groupOfUniqueNames", "posixGroup"]),
                status: vec![StatusRule::NsAccountLock, StatusRule::ShadowExpire],
                ..Mapping::default()
            },
            users_filter: "(|(objectClass=inetOrgPerson)(objectClass=nsPerson))",
            groups_filter: STANDARD_GROUPS,
        }
    }

    /// `FreeIPA`. The private group that each user has is no `ipaUserGroup`.
    pub fn freeipa() -> Preset {
        Preset {
            mapping: Mapping {
                users: users("uid", "ipaUniqueID"),
                groups: GroupAttributes {
                    members: Names::of(&["member"]),
                    member_names: Names::default(),
                    ..groups("cn", "ipaUniqueID")
                },
                user_classes: Names::of(&["posixAccount", "inetOrgPerson"]),
                group_classes: Names::of(&["ipaUserGroup"]),
                status: vec![
                    StatusRule::NsAccountLock,
                    StatusRule::KrbPrincipalExpiration,
                ],
                ..Mapping::default()
            },
            users_filter: "(&(objectClass=person)(objectClass=posixAccount))",
            groups_filter: "(objectClass=ipaUserGroup)",
        }
    }
}

/// The attributes of users that all products share.
fn users(username: &str, id: &str) -> UserAttributes {
    UserAttributes {
        username: Names::of(&[username]),
        display_name: Names::of(&["displayName", "cn"]),
        given_name: Names::of(&["givenName"]),
        family_name: Names::of(&["sn"]),
        email: Names::of(&["mail"]),
        id: Names::of(&[id]),
    }
}

/// The attributes of groups of products that know every standard class of groups.
fn groups(name: &str, id: &str) -> GroupAttributes {
    GroupAttributes {
        name: Names::of(&[name]),
        description: Names::of(&["description"]),
        members: Names::of(&["member", "uniqueMember"]),
        member_names: Names::of(&["memberUid"]),
        id: Names::of(&[id]),
    }
}
