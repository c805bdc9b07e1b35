//! The beginning of an element of BER (X.690): its tag and how long its content is.
//!
//! LDAP allows only a part of BER (RFC 4511, section 5.1): lengths are definite. Tags above 30, which take several bytes,
//! are nowhere in LDAP.

use super::GuardFault;

/// A tag of one byte, the form of the length, and the four bytes of a length that is written out.
pub(super) const HEADER_MAX: usize = 6;
/// Tag and length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Class, form and number in one byte.
    pub tag: u8,
    /// How many bytes of content follow.
    pub length: u32,
    /// How many bytes the header itself takes.
    pub size: u8,
}

impl Header {
    /// Reads the header that the bytes begin with; none while it is not all there.
    pub(super) fn read(bytes: &[u8]) -> Result<Option<Self>, GuardFault> {
        let [tag, rest @ ..] = bytes else {
            return Ok(None);
        };
        if tag & 0x1f == 0x1f {
            return Err(GuardFault::LongTag);
        }
        let [first, rest @ ..] = rest else {
            return Ok(None);
        };
        if *first < 0x80 {
            return Ok(Some(Header {
                tag: *tag,
                length: u32::from(*first),
                size: 2,
            }));
        }
        let digits = usize::from(first & 0x7f);
        if !(1..=4).contains(&digits) {
            return Err(GuardFault::LengthForm);
        }
        let length = rest.get(..digits);
        let append = |length: u32, digit: &u8| length << 8 | u32::from(*digit);
        Ok(length.map(|it| Header {
            tag: *tag,
            length: it.iter().fold(0, append),
            size: 2 + digits as u8,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_when_it_is_all_there() {
        let header = |tag, length, size| Ok(Some(Header { tag, length, size }));
        assert_eq!(Header::read(&[]), Ok(None));
        assert_eq!(Header::read(&[0x30]), Ok(None));
        assert_eq!(Header::read(&[0x04, 0x7f]), header(0x04, 127, 2));
        assert_eq!(Header::read(&[0x04, 0x82, 1]), Ok(None));
        assert_eq!(Header::read(&[0x04, 0x82, 1, 2, 9]), header(0x04, 258, 4));
        let most = [0x30, 0x84, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(Header::read(&most), header(0x30, u32::MAX, 6));
    }

    #[test]
    fn other_forms_are_refused_at_once() {
        assert_eq!(Header::read(&[0x3f]), Err(GuardFault::LongTag));
        assert_eq!(Header::read(&[0x30, 0x80]), Err(GuardFault::LengthForm));
        assert_eq!(Header::read(&[0x30, 0x85]), Err(GuardFault::LengthForm));
        assert_eq!(Header::read(&[0x30, 0xff]), Err(GuardFault::LengthForm));
    }
}
