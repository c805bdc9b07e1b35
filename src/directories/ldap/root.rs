//! What a server says of itself: the root DSE (RFC 4512, section 5.1).
//!
//! How a server is read is decided from this and from nothing else: which controls it offers, whose product it is, and,
//! at Active Directory, which domain controller answers. A server that hides its root DSE offers nothing.

use ldap3::Scope;

use super::api::{Query, Session};
use super::convert::Entry;
use super::limits::Limits;
use crate::directories::ReadError;
use crate::wire::ldap::gather::Attributes as _;

/// RFC 2696: entries in pages.
pub(super) const PAGED_RESULTS: &str = "1.2.840.113556.1.4.319";
/// MS-ADTS 3.1.1.3.4.1.14: deleted objects are shown.
pub(super) const SHOW_DELETED: &str = "1.2.840.113556.1.4.417";
/// MS-ADTS 3.1.1.3.4.3.1: the server is an Active Directory.
const ACTIVE_DIRECTORY: &str = "1.2.840.113556.1.4.800";

/// What is asked. Operational attributes come only when they are named.
const ATTRIBUTES: [&str; 8] = [
    "objectclass",
    "supportedcontrol",
    "supportedcapabilities",
    "supportedextension",
    "vendorname",
    "namingcontexts",
    "dsservicename",
    "highestcommittedusn",
];

/// What a server says of itself; empty where it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RootDse {
    /// The controls that it takes, by OID.
    pub controls: Vec<String>,
    /// The extended operations that it takes, by OID.
    pub extensions: Vec<String>,
    /// The tops of the trees that it holds, as spelled.
    pub naming_contexts: Vec<String>,
    /// Whose product it is.
    pub vendor: Vendor,
    /// It is Samba, which shows what was deleted by rights of its own.
    pub is_samba: bool,
    /// The DN of the settings of the domain controller that answers.
    pub ds_service_name: String,
    /// The number of its last change.
    pub highest_committed_usn: Option<u64>,
}

/// Whose product a server is, as far as it matters here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Vendor {
    /// OpenLDAP's slapd.
    OpenLdap,
    /// 389 Directory Server, also under `FreeIPA`.
    Ds389,
    /// Active Directory or Samba.
    ActiveDirectory,
    /// Anything else, or a server that does not say.
    #[default]
    Other,
}

impl RootDse {
    /// Whether a control may be sent.
    pub(super) fn offers(&self, control: &str) -> bool {
        self.controls.iter().any(|it| it == control)
    }

    /// Whether pages may be asked for: they are offered, or the server hides what it offers, as most do that offer them.
    pub(super) fn takes_pages(&self) -> bool {
        self.controls.is_empty() || self.offers(PAGED_RESULTS)
    }

    fn take(&mut self, entry: &Entry<'_>) {
        let all = |name: &str| -> Vec<String> {
            let values = entry.values(name).map(String::from_utf8_lossy);
            values.map(|it| it.trim().to_owned()).collect()
        };
        let first = |name: &str| all(name).into_iter().next().unwrap_or_default();
        let has =
            |name: &str, value: &str| all(name).iter().any(|it| it.eq_ignore_ascii_case(value));
        self.vendor = if has("objectclass", "OpenLDAProotDSE") {
            Vendor::OpenLdap
        } else if has("supportedcapabilities", ACTIVE_DIRECTORY) {
            Vendor::ActiveDirectory
        } else if first("vendorname").starts_with("389") {
            Vendor::Ds389
        } else {
            Vendor::Other
        };
        self.is_samba = first("vendorname").starts_with("Samba");
        self.controls = all("supportedcontrol");
        self.extensions = all("supportedextension");
        self.naming_contexts = all("namingcontexts");
        self.ds_service_name = first("dsservicename");
        self.highest_committed_usn = first("highestcommittedusn").parse().ok();
    }
}

impl Session {
    /// Asks the server what it is. One that hides it, or refuses to say it, offers nothing; that is no failure.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`]: the connection failed.
    pub(super) async fn root(&mut self) -> Result<RootDse, ReadError> {
        let query = Query {
            subject: "what the server offers",
            base: String::new(),
            scope: Scope::Base,
            filter: "(objectClass=*)".to_owned(),
            attributes: ATTRIBUTES.map(str::to_owned).to_vec(),
            page_size: 1,
        };
        let mut root = RootDse::default();
        match self
            .search_unpaged(&query, &Limits::default(), |entry| root.take(entry))
            .await
        {
            Ok(_) => Ok(root),
            Err(failure @ ReadError::Unavailable(_)) => Err(failure),
            Err(_) => Ok(RootDse::default()),
        }
    }
}
