//! From where a read may go on: what the server gave us for that, and under which questions.
//!
//! OpenLDAP ties a cookie to nothing: it answers another search with it as readily, and wrongly. So the cursor carries
//! everything that it was made under, in plain text, and serves no other question, login or server.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// What the next read needs to know of the last one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cursor {
    /// The questions and the login that it was made under.
    pub basis: String,
    /// The server that gave it, as its URL.
    pub server: String,
    /// When the first account expires that had not expired yet: the server tells of no change then. Seconds since 1970.
    pub expires: Option<i64>,
    /// A group named members by username: whom that means can be told only with all users at hand.
    pub names_members: bool,
    /// Where the server goes on.
    pub place: Place,
}

/// What the server gave us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Place {
    /// Content synchronisation (RFC 4533).
    Syncrepl(Cookies),
    /// Active Directory's `DirSync`: one cookie for the domain.
    DirSync(Octets),
    /// Active Directory's change numbers, which each domain controller counts for itself.
    Usn(Usn),
}

/// How far content synchronisation is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cookies {
    /// For each of the searches, in their order.
    pub each: Vec<Octets>,
    /// Units and the like, which records stand below, by ids of 16 bytes one after the other. A server names what left a base by its id alone,
    /// be it gone or moved elsewhere, and names ids that mean nothing here too; of one of these, what stands below left too.
    pub places: Octets,
    /// They all tell how far one database is, whatever is searched: where one search finds that nothing at all has changed,
    /// the others with the same cookie would find it too.
    pub of_one_database: bool,
}

/// Up to which change of which domain controller everything is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Usn {
    /// The DN of the domain controller's settings (`dsServiceName`).
    pub service: String,
    /// Its database: another one after it was restored from a backup (`invocationId`).
    pub invocation: Octets,
    /// The last change that is known.
    pub highest: u64,
}

/// Bytes that mean something to the server alone; base64 in the cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Octets(pub Vec<u8>);

impl Cursor {
    /// Reads what [`Cursor::write`] wrote.
    ///
    /// # Errors
    /// Why it does not serve: it is none, or it was made under another basis.
    pub(super) fn read(text: &str, basis: &str) -> Result<Cursor, &'static str> {
        let cursor: Cursor =
            serde_json::from_str(text).map_err(|_| "the last read was made by another version")?;
        if cursor.basis != basis {
            return Err("the configuration or the login has changed since the last read");
        }
        Ok(cursor)
    }

    /// The cursor as text.
    pub(super) fn write(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }

    /// Whether an account has expired since.
    pub(super) fn has_expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|it| it <= now.0)
    }
}

impl From<Octets> for String {
    fn from(octets: Octets) -> String {
        STANDARD.encode(octets.0)
    }
}

impl TryFrom<String> for Octets {
    type Error = base64::DecodeError;

    fn try_from(text: String) -> Result<Octets, base64::DecodeError> {
        STANDARD.decode(text).map(Octets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(place: Place) -> Cursor {
        Cursor {
            basis: "users below dc=x".to_owned(),
            server: "ldaps://a".to_owned(),
            expires: Some(10),
            names_members: false,
            place,
        }
    }

    fn cookies(each: Vec<Octets>) -> Cookies {
        Cookies {
            each,
            places: Octets(Vec::new()),
            of_one_database: true,
        }
    }

    #[test]
    fn what_was_written_is_read() {
        let octets = |text: &str| Octets(text.as_bytes().to_vec());
        for place in [
            Place::Syncrepl(cookies(vec![octets("rid=000,csn=1"), octets("\u{0}")])),
            Place::DirSync(octets("MSDS")),
            Place::Usn(Usn {
                service: "CN=x".to_owned(),
                invocation: octets("i"),
                highest: 7,
            }),
        ] {
            let cursor = cursor(place);
            let text = cursor.write().unwrap();
            assert_eq!(Cursor::read(&text, &cursor.basis), Ok(cursor));
        }
    }

    #[test]
    fn a_cursor_of_another_basis_does_not_serve() {
        let text = cursor(Place::Syncrepl(cookies(Vec::new())))
            .write()
            .unwrap();
        assert!(
            Cursor::read(&text, "groups")
                .unwrap_err()
                .contains("configuration")
        );
        assert!(
            Cursor::read("rid=000", "groups")
                .unwrap_err()
                .contains("another version")
        );
    }

    #[test]
    fn an_account_expires_at_its_second() {
        let cursor = cursor(Place::Syncrepl(cookies(Vec::new())));
        let at = |second| cursor.has_expired(Timestamp(second));
        assert_eq!([at(9), at(10), at(11)], [false, true, true]);
    }
}
