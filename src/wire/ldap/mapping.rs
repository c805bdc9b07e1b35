//! Which attributes of an entry mean what.
//!
//! One mapping serves an LDAP server and an LDIF file alike, so that an export of a server and the server itself give the
//! same records. What a user writes is laid over a preset; a preset is a guess about a product, never about a site.

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde::{Deserialize as DeriveDeserialize, Serialize};

use super::gather::Attributes;
use super::presets::Preset;
use super::status::{self, ActiveRule, StatusRule, Verdict};
use super::{primary, ranges};
use crate::clock::Timestamp;
use crate::model::RecordKind;

/// Which entries are users and groups, and which of their attributes mean what.
#[derive(Debug, Clone, PartialEq, Eq, Default, DeriveDeserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mapping {
    /// The attributes of users.
    pub users: UserAttributes,
    /// The attributes of groups.
    pub groups: GroupAttributes,
    /// The object classes by which an entry is a user, where no search says it.
    pub user_classes: Names,
    /// The object classes by which an entry is a group and no user.
    pub group_classes: Names,
    /// The site's own rule of who is active; it goes before those of the product.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<ActiveRule>,
    /// How the product says who is active.
    #[serde(skip)]
    pub status: Vec<StatusRule>,
    /// Whether users name a primary group that does not list them as members.
    #[serde(skip)]
    pub primary_groups: bool,
}

/// Which attributes of a user mean what.
#[derive(Debug, Clone, PartialEq, Eq, Default, DeriveDeserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct UserAttributes {
    /// The username. A user with two is rejected.
    pub username: Names,
    /// The name people see.
    pub display_name: Names,
    /// First name.
    pub given_name: Names,
    /// Last name.
    pub family_name: Names,
    /// Mail address.
    pub email: Names,
    /// The stable id. An entry without one is known by its normalised DN.
    pub id: Names,
}

/// Which attributes of a group mean what.
#[derive(Debug, Clone, PartialEq, Eq, Default, DeriveDeserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct GroupAttributes {
    /// The name. A group with two is rejected.
    pub name: Names,
    /// What the group is for.
    pub description: Names,
    /// Members by DN, users and groups; the values of all these attributes are united.
    pub members: Names,
    /// Members by username; the values of all these attributes are united.
    pub member_names: Names,
    /// The stable id. An entry without one is known by its normalised DN.
    pub id: Names,
}

/// Attribute or class names in lower case. Where one value is wanted, the first name that has a value counts. Written as one
/// name or as a list; the empty list leaves the choice to the preset.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct Names(Vec<String>);

impl Mapping {
    /// OpenLDAP with its usual schemas, which LDIF files are taken to follow.
    pub fn openldap() -> Mapping {
        Preset::openldap().mapping
    }

    /// This mapping, and the preset's choice wherever this one leaves it open.
    #[must_use]
    pub fn over(self, preset: Mapping) -> Mapping {
        let Mapping {
            users,
            groups,
            user_classes,
            group_classes,
            active,
            status,
            primary_groups,
        } = self;
        Mapping {
            users: users.over(preset.users),
            groups: groups.over(preset.groups),
            user_classes: user_classes.or(preset.user_classes),
            group_classes: group_classes.or(preset.group_classes),
            active: active.or(preset.active),
            status: if status.is_empty() {
                preset.status
            } else {
                status
            },
            primary_groups: primary_groups || preset.primary_groups,
        }
    }

    /// Every attribute of users that is read, in lower case, for asking a server for no more than that.
    pub fn user_attributes(&self) -> impl Iterator<Item = &str> {
        let primary = primary::ATTRIBUTES.iter().copied();
        self.users
            .names()
            .chain(self.status_attributes())
            .chain(primary.filter(|_| self.primary_groups))
    }

    /// Every attribute of groups that is read, in lower case.
    pub fn group_attributes(&self) -> impl Iterator<Item = &str> {
        let active_directory = [primary::SID, ranges::VERSION].into_iter();
        let further = active_directory.filter(|_| self.primary_groups);
        self.groups.names().chain(further)
    }

    /// The attributes that say who is active.
    pub fn status_attributes(&self) -> impl Iterator<Item = &str> {
        let own = self.active.as_ref().map(|it| it.attribute.as_str());
        let product = self.status.iter().map(|it| it.attribute());
        own.into_iter()
            .chain(product.filter(move |_| own.is_none()))
    }

    /// What an entry says of its user at a moment: by the site's own rule, or else by those of the product.
    pub fn verdict(&self, entry: &impl Attributes, now: Timestamp) -> Verdict {
        match &self.active {
            Some(rule) => Verdict {
                status: rule.status(entry),
                expires: None,
            },
            None => status::verdict(&self.status, entry, now),
        }
    }

    /// Whether an entry of these object classes is a user or a group; an entry that could be both is a user.
    pub fn kind<'a>(&self, classes: impl Iterator<Item = &'a [u8]>) -> Option<RecordKind> {
        let mut group = None;
        for class in classes {
            if self.user_classes.has(class) {
                return Some(RecordKind::User);
            }
            if self.group_classes.has(class) {
                group = Some(RecordKind::Group);
            }
        }
        group
    }
}

impl UserAttributes {
    /// These attributes, and the preset's choice wherever they leave it open.
    #[must_use]
    pub fn over(self, preset: UserAttributes) -> UserAttributes {
        let UserAttributes {
            username,
            display_name,
            given_name,
            family_name,
            email,
            id,
        } = self;
        UserAttributes {
            username: username.or(preset.username),
            display_name: display_name.or(preset.display_name),
            given_name: given_name.or(preset.given_name),
            family_name: family_name.or(preset.family_name),
            email: email.or(preset.email),
            id: id.or(preset.id),
        }
    }

    /// Every attribute that is read, for asking a server for no more than that.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let UserAttributes {
            username,
            display_name,
            given_name,
            family_name,
            email,
            id,
        } = self;
        [username, display_name, given_name, family_name, email, id]
            .into_iter()
            .flat_map(Names::iter)
    }
}

impl GroupAttributes {
    /// These attributes, and the preset's choice wherever they leave it open.
    #[must_use]
    pub fn over(self, preset: GroupAttributes) -> GroupAttributes {
        let GroupAttributes {
            name,
            description,
            members,
            member_names,
            id,
        } = self;
        GroupAttributes {
            name: name.or(preset.name),
            description: description.or(preset.description),
            members: members.or(preset.members),
            member_names: member_names.or(preset.member_names),
            id: id.or(preset.id),
        }
    }

    /// Every attribute that is read, for asking a server for no more than that.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let GroupAttributes {
            name,
            description,
            members,
            member_names,
            id,
        } = self;
        [name, description, members, member_names, id]
            .into_iter()
            .flat_map(Names::iter)
    }
}

impl Names {
    /// These names, in lower case.
    pub fn of(names: &[&str]) -> Names {
        Names(names.iter().map(|it| it.to_ascii_lowercase()).collect())
    }

    /// The names in order of preference.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether the choice is left open.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn or(self, preset: Names) -> Names {
        if self.is_empty() { preset } else { self }
    }

    /// Whether a name, in any case, is one of these.
    pub fn has(&self, name: &[u8]) -> bool {
        self.0
            .iter()
            .any(|it| it.as_bytes().eq_ignore_ascii_case(name))
    }
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NamesVisitor)
    }
}

/// Takes one name or a list. Written by hand because an untagged enum would lose the place of a fault.
struct NamesVisitor;

impl<'de> Visitor<'de> for NamesVisitor {
    type Value = Names;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a name or a list of names")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Names, E> {
        if name.is_empty() {
            return Err(E::custom("a name must not be empty"));
        }
        Ok(Names::of(&[name]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Names, A::Error> {
        let mut names = Vec::new();
        while let Some(Names(name)) = list.next_element()? {
            names.extend(name);
        }
        Ok(Names(names))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Mapping, String> {
        serde_yaml::from_str(text).map_err(|fault| fault.to_string())
    }

    #[test]
    fn what_is_written_is_laid_over_the_preset() {
        let mapping = read(
            "users: { username: sAMAccountName, display_name: [name, cn] }\ngroup_classes: group\n",
        )
        .unwrap()
        .over(Mapping::openldap());
        let preset = Mapping::openldap();
        assert_eq!(mapping.users.username, Names::of(&["samaccountname"]));
        assert_eq!(mapping.users.display_name, Names::of(&["name", "cn"]));
        assert_eq!(mapping.users.email, preset.users.email);
        assert_eq!(mapping.groups, preset.groups);
        assert_eq!(mapping.user_classes, preset.user_classes);
        assert_eq!(mapping.group_classes, Names::of(&["group"]));
        assert_eq!(Mapping::default().over(preset.clone()), preset);
    }

    #[test]
    fn unknown_and_empty_names_are_refused() {
        for (text, expect) in [
            ("users: { user: uid }", "unknown field"),
            ("users: { username: '' }", "must not be empty"),
            ("users: { username: {} }", "a name or a list of names"),
        ] {
            let fault = read(text).unwrap_err();
            assert!(fault.contains(expect), "{text}: {fault}");
        }
    }

    #[test]
    fn the_object_class_tells_users_from_groups() {
        let kind =
            |classes: &[&str]| Mapping::openldap().kind(classes.iter().map(|it| it.as_bytes()));
        assert_eq!(kind(&["top", "INETORGPERSON"]), Some(RecordKind::User));
        assert_eq!(kind(&["top", "groupOfNames"]), Some(RecordKind::Group));
        assert_eq!(kind(&["posixGroup", "account"]), Some(RecordKind::User));
        assert_eq!(kind(&["organizationalUnit"]), None);
        assert_eq!(kind(&[]), None);
    }

    #[test]
    fn a_server_is_asked_for_what_is_read() {
        let mapping = Mapping::openldap();
        let asked: Vec<&str> = mapping.user_attributes().collect();
        assert_eq!(
            asked,
            [
                "uid",
                "displayname",
                "cn",
                "givenname",
                "sn",
                "mail",
                "entryuuid",
                "shadowexpire",
                "pwdaccountlockedtime"
            ]
        );
        let asked: Vec<&str> = mapping.group_attributes().collect();
        assert_eq!(
            asked,
            [
                "cn",
                "description",
                "member",
                "uniquemember",
                "memberuid",
                "entryuuid"
            ]
        );
    }
}
