//! The products whose usual schemas are known.

use serde::Deserialize;

use crate::wire::ldap::presets::Preset;

/// The product whose usual schema gives the defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Schema {
    /// OpenLDAP with the schemas cosine, inetOrgPerson and nis; written `openldap`.
    OpenLdap,
    /// Active Directory, and Samba as its domain controller; written `active-directory`.
    ActiveDirectory,
    /// 389 Directory Server; written `389ds`.
    Ds389,
    /// `FreeIPA`; written `freeipa`.
    FreeIpa,
}

/// A word that is no schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no schema; write `openldap`, `active-directory`, `389ds` or `freeipa`")]
pub struct BadSchema(String);

impl Schema {
    /// All of them.
    pub const ALL: [Schema; 4] = [
        Schema::OpenLdap,
        Schema::ActiveDirectory,
        Schema::Ds389,
        Schema::FreeIpa,
    ];

    /// How it is written.
    pub fn word(self) -> &'static str {
        match self {
            Schema::OpenLdap => "openldap",
            Schema::ActiveDirectory => "active-directory",
            Schema::Ds389 => "389ds",
            Schema::FreeIpa => "freeipa",
        }
    }

    /// What is usual with it.
    pub fn preset(self) -> Preset {
        match self {
            Schema::OpenLdap => Preset::openldap(),
            Schema::ActiveDirectory => Preset::active_directory(),
            Schema::Ds389 => Preset::ds389(),
            Schema::FreeIpa => Preset::freeipa(),
        }
    }
}

impl TryFrom<String> for Schema {
    type Error = BadSchema;

    fn try_from(text: String) -> Result<Self, BadSchema> {
        let found = Schema::ALL.into_iter().find(|it| it.word() == text);
        found.ok_or(BadSchema(text))
    }
}
