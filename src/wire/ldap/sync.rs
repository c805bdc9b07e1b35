//! What servers say of changes: the content synchronisation of RFC 4533 (OpenLDAP, 389 Directory Server) and the `DirSync`
//! control of Active Directory ([MS-ADTS] 3.1.1.3.4.1.3), as values of controls and of intermediate messages.

use super::ber::{self, NotBer, Reader};

/// The control on a search: tell what changed since the cookie (RFC 4533, section 2.2).
pub const SYNC_REQUEST: &str = "1.3.6.1.4.1.4203.1.9.1.1";
/// The control on an entry (RFC 4533, section 2.3).
pub const SYNC_STATE: &str = "1.3.6.1.4.1.4203.1.9.1.2";
/// The control at the end (RFC 4533, section 2.4).
pub const SYNC_DONE: &str = "1.3.6.1.4.1.4203.1.9.1.3";
/// The intermediate message (RFC 4533, section 2.5).
pub const SYNC_INFO: &str = "1.3.6.1.4.1.4203.1.9.1.4";
/// The control on a search of Active Directory, and at its end: objects that changed since the cookie.
pub const DIR_SYNC: &str = "1.2.840.113556.1.4.841";

/// `refreshOnly`: tell, and be done.
const REFRESH_ONLY: i64 = 1;
/// Of multi-valued attributes that are links, only the values that changed (`LDAP_DIRSYNC_INCREMENTAL_VALUES`).
const INCREMENTAL_VALUES: i64 = -0x8000_0000;
/// How many bytes of attributes one answer may hold.
const DIR_SYNC_BYTES: i64 = 1 << 20;

/// An entry's stable id as content synchronisation names it.
pub type SyncUuid = [u8; 16];

/// How many bytes an id takes among others, with its tag and its length.
pub const SYNC_UUID_BYTES: usize = 18;

/// What the control on an entry says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncState {
    /// Whether it came or is gone.
    pub state: EntryState,
    /// Which entry it is.
    pub uuid: SyncUuid,
}

/// What happened to an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryState {
    /// It is as it was; none of its attributes come.
    Present,
    /// It is new or has changed; all attributes come.
    Changed,
    /// It is gone; none of its attributes come.
    Gone,
}

/// What the control at the end says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncDone {
    /// Where the next search goes on; none where nothing changed.
    pub cookie: Option<Vec<u8>>,
    /// Whether what is gone was named, rather than what is there.
    pub refresh_deletes: bool,
}

/// What an intermediate message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyncInfo {
    /// A cookie, and nothing else.
    NewCookie(Vec<u8>),
    /// What is gone has been named.
    RefreshDelete {
        /// Where a later search may go on.
        cookie: Option<Vec<u8>>,
    },
    /// What is there has been named.
    RefreshPresent {
        /// Where a later search may go on.
        cookie: Option<Vec<u8>>,
    },
    /// Entries that are gone, or that are there as they were.
    IdSet {
        /// Where a later search may go on.
        cookie: Option<Vec<u8>>,
        /// They are gone; else they are there.
        gone: bool,
        /// Which entries.
        uuids: Vec<SyncUuid>,
    },
}

/// What the `DirSync` control at the end says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirSyncDone {
    /// More is to be had with the cookie at once.
    pub more: bool,
    /// Where the next search goes on.
    pub cookie: Vec<u8>,
}

/// The value of a request for what changed since the cookie; everything without one.
pub fn sync_request(cookie: Option<&[u8]>) -> Vec<u8> {
    let mut parts = ber::write_integer(ber::ENUMERATED, REFRESH_ONLY);
    if let Some(cookie) = cookie {
        parts.extend(ber::write(ber::OCTETS, cookie));
    }
    ber::write(ber::SEQUENCE, &parts)
}

/// The value of a request to Active Directory for the objects that changed since the cookie; all of them if it is empty.
pub fn dir_sync_request(cookie: &[u8]) -> Vec<u8> {
    let parts = [
        ber::write_integer(ber::INTEGER, INCREMENTAL_VALUES),
        ber::write_integer(ber::INTEGER, DIR_SYNC_BYTES),
        ber::write(ber::OCTETS, cookie),
    ];
    ber::write(ber::SEQUENCE, &parts.concat())
}

impl SyncState {
    /// Reads the control's value.
    ///
    /// # Errors
    /// It is not one.
    pub fn read(value: &[u8]) -> Result<Self, NotBer> {
        let mut parts = sequence(value)?;
        let state = match ber::integer(parts.expect(ber::ENUMERATED)?)? {
            0 => EntryState::Present,
            1 | 2 => EntryState::Changed,
            3 => EntryState::Gone,
            _ => return Err(NotBer),
        };
        let uuid = uuid(parts.expect(ber::OCTETS)?)?;
        Ok(SyncState { state, uuid })
    }
}

impl SyncDone {
    /// Reads the control's value.
    ///
    /// # Errors
    /// It is not one.
    pub fn read(value: &[u8]) -> Result<Self, NotBer> {
        let mut parts = sequence(value)?;
        Ok(SyncDone {
            cookie: parts.optional(ber::OCTETS)?.map(<[u8]>::to_vec),
            refresh_deletes: parts.optional(ber::BOOLEAN)?.is_some_and(ber::boolean),
        })
    }
}

impl SyncInfo {
    /// Reads the value of an intermediate message named [`SYNC_INFO`].
    ///
    /// # Errors
    /// It is not one.
    pub fn read(value: &[u8]) -> Result<Self, NotBer> {
        let (tag, content) = Reader::new(value).any()?;
        let mut parts = Reader::new(content);
        match tag {
            0x80 => Ok(SyncInfo::NewCookie(content.to_vec())),
            0xa1 => Ok(SyncInfo::RefreshDelete {
                cookie: cookie(&mut parts)?,
            }),
            0xa2 => Ok(SyncInfo::RefreshPresent {
                cookie: cookie(&mut parts)?,
            }),
            0xa3 => {
                let cookie = cookie(&mut parts)?;
                let gone = parts.optional(ber::BOOLEAN)?.is_some_and(ber::boolean);
                let mut set = Reader::new(parts.expect(ber::SET)?);
                let mut uuids = Vec::new();
                while !set.is_at_end() {
                    uuids.push(uuid(set.expect(ber::OCTETS)?)?);
                }
                Ok(SyncInfo::IdSet {
                    cookie,
                    gone,
                    uuids,
                })
            }
            _ => Err(NotBer),
        }
    }
}

impl DirSyncDone {
    /// Reads the control's value.
    ///
    /// # Errors
    /// It is not one.
    pub fn read(value: &[u8]) -> Result<Self, NotBer> {
        let mut parts = sequence(value)?;
        let more = ber::integer(parts.expect(ber::INTEGER)?)? != 0;
        parts.expect(ber::INTEGER)?;
        let cookie = parts.expect(ber::OCTETS)?.to_vec();
        Ok(DirSyncDone { more, cookie })
    }
}

/// The cookie of a paged result (RFC 2696), empty after the last page.
///
/// # Errors
/// It is not the value of that control.
pub fn paging_cookie(value: &[u8]) -> Result<Vec<u8>, NotBer> {
    let mut parts = sequence(value)?;
    parts.expect(ber::INTEGER)?;
    Ok(parts.expect(ber::OCTETS)?.to_vec())
}

/// A stable id as OpenLDAP writes it in `entryUUID` (RFC 4530).
pub fn entry_uuid(uuid: &SyncUuid) -> String {
    let hex = hex(uuid);
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    parts.join("-")
}

/// A stable id as 389 Directory Server writes it in `nsUniqueId`.
pub fn ns_unique_id(uuid: &SyncUuid) -> String {
    let hex = hex(uuid);
    [&hex[..8], &hex[8..16], &hex[16..24], &hex[24..]].join("-")
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn sequence(value: &[u8]) -> Result<Reader<'_>, NotBer> {
    Reader::new(value).expect(ber::SEQUENCE).map(Reader::new)
}

fn cookie(parts: &mut Reader<'_>) -> Result<Option<Vec<u8>>, NotBer> {
    Ok(parts.optional(ber::OCTETS)?.map(<[u8]>::to_vec))
}

fn uuid(content: &[u8]) -> Result<SyncUuid, NotBer> {
    content.try_into().map_err(|_| NotBer)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const UUID: SyncUuid = [
        0x66, 0x44, 0x60, 0x01, 0x1d, 0xd2, 0x11, 0xb2, 0x99, 0x99, 0xa8, 0x12, 0x00, 0x00, 0x00,
        0x0f,
    ];

    fn octets(content: &[u8]) -> Vec<u8> {
        ber::write(ber::OCTETS, content)
    }

    fn truth(is: bool) -> Vec<u8> {
        ber::write(ber::BOOLEAN, &[if is { 0xff } else { 0 }])
    }

    fn list(parts: &[Vec<u8>]) -> Vec<u8> {
        ber::write(ber::SEQUENCE, &parts.concat())
    }

    #[test]
    fn requests_are_as_the_documents_write_them() {
        assert_eq!(sync_request(None), b"\x30\x03\x0a\x01\x01");
        assert_eq!(
            sync_request(Some(b"rid")),
            b"\x30\x08\x0a\x01\x01\x04\x03rid"
        );
        assert_eq!(
            dir_sync_request(b""),
            b"\x30\x0d\x02\x04\x80\x00\x00\x00\x02\x03\x10\x00\x00\x04\x00"
        );
    }

    #[test]
    fn the_state_of_an_entry_is_read() {
        let read = |state| {
            SyncState::read(&list(&[
                ber::write_integer(ber::ENUMERATED, state),
                octets(&UUID),
            ]))
        };
        let state = |number| read(number).map(|it| it.state);
        assert_eq!(state(0), Ok(EntryState::Present));
        assert_eq!(
            (state(1), state(2)),
            (Ok(EntryState::Changed), Ok(EntryState::Changed))
        );
        assert_eq!(state(3), Ok(EntryState::Gone));
        assert_eq!(state(4), Err(NotBer));
        assert_eq!(read(1).map(|it| it.uuid), Ok(UUID));
        let short = list(&[ber::write_integer(ber::ENUMERATED, 1), octets(&UUID[1..])]);
        assert_eq!(SyncState::read(&short), Err(NotBer));
    }

    #[test]
    fn an_end_may_leave_everything_away() {
        let read = |parts: &[Vec<u8>]| SyncDone::read(&list(parts));
        assert_eq!(read(&[]), Ok(SyncDone::default()));
        let done = SyncDone {
            cookie: Some(b"c".to_vec()),
            refresh_deletes: true,
        };
        assert_eq!(read(&[octets(b"c"), truth(true)]), Ok(done));
        assert_eq!(SyncDone::read(b""), Err(NotBer));
    }

    #[test]
    fn intermediate_messages_are_told_apart() {
        let read = |tag, parts: &[Vec<u8>]| SyncInfo::read(&ber::write(tag, &parts.concat()));
        assert_eq!(
            SyncInfo::read(&ber::write(0x80, b"c")),
            Ok(SyncInfo::NewCookie(b"c".to_vec()))
        );
        assert_eq!(
            read(0xa1, &[]),
            Ok(SyncInfo::RefreshDelete { cookie: None })
        );
        let cookie = Some(b"c".to_vec());
        assert_eq!(
            read(0xa2, &[octets(b"c"), truth(true)]),
            Ok(SyncInfo::RefreshPresent { cookie })
        );
        let set = ber::write(ber::SET, &[octets(&UUID), octets(&UUID)].concat());
        let ids = |gone| SyncInfo::IdSet {
            cookie: None,
            gone,
            uuids: vec![UUID, UUID],
        };
        assert_eq!(read(0xa3, std::slice::from_ref(&set)), Ok(ids(false)));
        assert_eq!(read(0xa3, &[truth(true), set]), Ok(ids(true)));
        assert_eq!(read(0xa3, &[]), Err(NotBer));
        assert_eq!(read(0xa4, &[]), Err(NotBer));
    }

    #[test]
    fn cookies_are_found_at_the_end() {
        let number = |it| ber::write_integer(ber::INTEGER, it);
        let done = DirSyncDone::read(&list(&[number(1), number(0), octets(b"c")]));
        assert_eq!(
            done,
            Ok(DirSyncDone {
                more: true,
                cookie: b"c".to_vec()
            })
        );
        assert_eq!(
            paging_cookie(&list(&[number(0), octets(b"c")])),
            Ok(b"c".to_vec())
        );
        assert_eq!(paging_cookie(&list(&[number(0)])), Err(NotBer));
    }

    #[test]
    fn an_id_is_written_as_its_product_writes_it() {
        assert_eq!(entry_uuid(&UUID), "66446001-1dd2-11b2-9999-a8120000000f");
        assert_eq!(ns_unique_id(&UUID), "66446001-1dd211b2-9999a812-0000000f");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = (SyncState::read(&bytes), SyncDone::read(&bytes), SyncInfo::read(&bytes));
            let _ = (DirSyncDone::read(&bytes), paging_cookie(&bytes));
        }
    }
}
