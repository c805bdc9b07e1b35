//! Values that are bytes and not text, as the text by which they are known.
//!
//! Whether a value is such bytes is told by the *name* of its attribute and never by its content: the sixteen bytes of an
//! `objectGUID` may happen to be sound UTF-8, and an id that is text for one user and bytes for the next is no id.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Bytes of a GUID or UUID.
const GUID_BYTES: usize = 16;
/// Bytes of a security identifier before its parts.
const SID_HEAD: usize = 8;
/// The parts of a security identifier at most (MS-DTYP 2.4.2).
const SID_PARTS_MAX: usize = 15;

/// Why a value is not what the syntax of its attribute demands. It does not repeat the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadValue {
    /// It should be text.
    #[error("is not valid UTF-8")]
    Text,
    /// It should be a GUID.
    #[error("is not 16 bytes long, as a GUID is")]
    Guid,
    /// It should be a security identifier.
    #[error("is not a security identifier")]
    Sid,
}

/// A value as text. `name` is the attribute's, in lower case.
///
/// * `objectGUID` (Active Directory) as Microsoft prints it: the first three fields are little-endian (MS-DTYP 2.3.4.2).
/// * `GUID` (eDirectory) in the order of its bytes.
/// * `objectSid` as `S-1-5-21-…` (MS-DTYP 2.4.2.1).
/// * `entryUUID` and `ipaUniqueID` in lower case, since a UUID knows no case (RFC 4530).
/// * Everything else, `nsUniqueId` too, as it is.
///
/// # Errors
/// [`BadValue`].
pub fn text<'v>(name: &str, value: &'v [u8]) -> Result<Cow<'v, str>, BadValue> {
    match name {
        "objectguid" => microsoft_guid(value).map(Cow::Owned),
        "guid" => guid(value).map(Cow::Owned),
        "objectsid" => sid(value).map(Cow::Owned),
        "entryuuid" | "ipauniqueid" => plain(value).map(lower),
        _ => plain(value).map(Cow::Borrowed),
    }
}

/// The text of a value ([`text`]) as a filter asks for it (RFC 4515, section 3): bytes that are no text are written as
/// backslashes and digits. `None` where no value of this attribute has that text. Active Directory takes a security identifier as
/// it is printed.
pub fn assertion(name: &str, text: &str) -> Option<String> {
    match name {
        "objectguid" => guid_bytes(text).map(|it| escaped(&microsoft_order(it))),
        "guid" => guid_bytes(text).map(|it| escaped(&it)),
        _ => Some(ldap3::ldap_escape(text).into_owned()),
    }
}

/// A security identifier as `S-1-5-21-…`.
///
/// # Errors
/// [`BadValue::Sid`].
pub fn sid(value: &[u8]) -> Result<String, BadValue> {
    let (head, parts) = value.split_first_chunk::<SID_HEAD>().ok_or(BadValue::Sid)?;
    let (parts, rest) = parts.as_chunks::<4>();
    let [revision, count, ..] = *head;
    let whole = rest.is_empty() && parts.len() == usize::from(count);
    if revision != 1 || !whole || parts.len() > SID_PARTS_MAX {
        return Err(BadValue::Sid);
    }
    // The last six bytes.
    let authority = u64::from_be_bytes(*head) & 0xffff_ffff_ffff;
    let mut text = format!("S-1-{authority}");
    for part in parts {
        let _ = write!(text, "-{}", u32::from_le_bytes(*part));
    }
    Ok(text)
}

fn microsoft_guid(value: &[u8]) -> Result<String, BadValue> {
    let bytes = <[u8; GUID_BYTES]>::try_from(value).map_err(|_| BadValue::Guid)?;
    guid(&microsoft_order(bytes))
}

/// From the order in which Microsoft stores a GUID to that in which it is printed, and back.
fn microsoft_order(mut bytes: [u8; GUID_BYTES]) -> [u8; GUID_BYTES] {
    bytes[..4].reverse();
    bytes[4..6].reverse();
    bytes[6..8].reverse();
    bytes
}

/// The bytes of a GUID in the order in which it is printed; `None` unless it is printed as [`guid`] does it.
fn guid_bytes(text: &str) -> Option<[u8; GUID_BYTES]> {
    let digits: String = text.split('-').collect();
    let number = u128::from_str_radix(&digits, 16).ok()?;
    let bytes = number.to_be_bytes();
    (guid(&bytes).ok()? == text).then_some(bytes)
}

fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(3 * bytes.len());
    for byte in bytes {
        let _ = write!(text, "\\{byte:02x}");
    }
    text
}

fn guid(value: &[u8]) -> Result<String, BadValue> {
    if value.len() != GUID_BYTES {
        return Err(BadValue::Guid);
    }
    let mut text = String::with_capacity(36);
    for (at, byte) in value.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

fn plain(value: &[u8]) -> Result<&str, BadValue> {
    std::str::from_utf8(value).map_err(|_| BadValue::Text)
}

fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, value: &[u8], expect: Result<&str, BadValue>) {
        let told = text(name, value);
        assert_eq!(told.as_deref().map_err(|it| *it), expect, "{name}");
    }

    #[test]
    fn an_object_guid_is_a_guid_even_where_its_bytes_are_text() {
        let binary = b"\xf7\x4e\x00\x9c\x5a\x77\x4d\x41\xaf\x24\x00\x01\x02\x03\x04\xff";
        let as_text = b"0123456789abcdef";
        assert!(std::str::from_utf8(as_text).is_ok());
        check(
            "objectguid",
            binary,
            Ok("9c004ef7-775a-414d-af24-0001020304ff"),
        );
        check(
            "objectguid",
            as_text,
            Ok("33323130-3534-3736-3839-616263646566"),
        );
        check("guid", as_text, Ok("30313233-3435-3637-3839-616263646566"));
        // The same bytes under a name of text are text.
        check("uid", as_text, Ok("0123456789abcdef"));
    }

    #[test]
    fn a_guid_of_another_length_is_none() {
        for value in [
            &b""[..],
            b"short",
            &[0; 15],
            &[0; 17],
            b"9c004ef7-775a-414d-af24-0001020304ff",
        ] {
            check("objectguid", value, Err(BadValue::Guid));
            check("guid", value, Err(BadValue::Guid));
        }
    }

    #[test]
    fn a_security_identifier_is_printed_as_microsoft_does() {
        let administrators = [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0];
        check("objectsid", &administrators, Ok("S-1-5-32-544"));
        check("objectsid", &[1, 0, 0, 0, 0, 1, 0, 0], Ok("S-1-65536"));
        for broken in [
            &b""[..],
            &administrators[..15],
            &administrators[..12],
            &[2, 0, 0, 0, 0, 0, 0, 5],
            b"S-1-5-32-544",
        ] {
            check("objectsid", broken, Err(BadValue::Sid));
        }
    }

    #[test]
    fn what_a_value_is_known_by_finds_it_again() {
        fn check(name: &str, text: &str, expect: Option<&str>) {
            assert_eq!(assertion(name, text).as_deref(), expect, "{name} {text}");
        }
        let guid = "9c004ef7-775a-414d-af24-0001020304ff";
        let stored = r"\f7\4e\00\9c\5a\77\4d\41\af\24\00\01\02\03\04\ff";
        check("objectguid", guid, Some(stored));
        let stored = r"\9c\00\4e\f7\77\5a\41\4d\af\24\00\01\02\03\04\ff";
        check("guid", guid, Some(stored));
        // Of no value it is the text: an id of other days, under another attribute.
        for other in [
            "",
            "ada",
            &guid[1..],
            "9c004ef7775a414daf240001020304ff",
            "+c004ef7-775a-414d-af24-0001020304ff",
        ] {
            check("objectguid", other, None);
        }
        check("objectguid", &guid.to_uppercase(), None);
        check("entryuuid", guid, Some(guid));
        check("objectsid", "S-1-5-32-544", Some("S-1-5-32-544"));
        check("uid", "a*)(uid=\\\0b", Some(r"a\2a\29\28uid=\5c\00b"));
    }

    #[test]
    fn a_uuid_knows_no_case_and_other_ids_are_kept() {
        check("entryuuid", b"5C2F-a", Ok("5c2f-a"));
        check("ipauniqueid", b"5C2F-a", Ok("5c2f-a"));
        check("nsuniqueid", b"3AC5F7E0-a", Ok("3AC5F7E0-a"));
        check("entryuuid", b"\xe9", Err(BadValue::Text));
        check("mail", b"\xe9", Err(BadValue::Text));
    }
}
