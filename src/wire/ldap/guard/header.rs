//! The beginning of an element of BER (X.690): its tag and how long its content is.
//!
//! LDAP allows only a part of BER (RFC 4511, section 5.1): lengths are definite. Tags above 30, which take several bytes,
//! are nowhere in LDAP.

use super::GuardFault;

/// A tag of one byte, the form of the length, and the four bytes of a length that is written out.
pub(super) const HEADER_MAX: usize = 6;
/// How deep the elements of a value may lie in one another. The deepest value that is known takes three.
const VALUE_DEPTH_MAX: usize = 16;

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

    /// Whether elements are the content.
    pub(super) fn is_constructed(self) -> bool {
        is_constructed(self.tag)
    }
}

/// Whether an element of this tag holds others.
pub(super) fn is_constructed(tag: u8) -> bool {
    tag & 0x20 != 0
}

/// Whether the bytes are exactly one element of BER that is well-formed and not deep. To be asked before the value of a
/// control or of an intermediate answer is given to a parser that calls itself for every level: to the guard of a
/// connection such a value is a string.
pub fn is_sound_value(bytes: &[u8]) -> bool {
    // Where each of the open elements ends.
    let mut ends = [0_usize; VALUE_DEPTH_MAX];
    let (mut depth, mut at, mut end) = (0, 0, bytes.len());
    loop {
        let Ok(Some(header)) = Header::read(&bytes[at..end]) else {
            return false;
        };
        at += usize::from(header.size);
        let length = header.length as usize;
        if length > end - at || (depth == 0 && length < end - at) {
            return false;
        }
        if header.is_constructed() {
            if depth == VALUE_DEPTH_MAX {
                return false;
            }
            ends[depth] = end;
            depth += 1;
            end = at + length;
        } else {
            at += length;
        }
        while at == end {
            if depth == 0 {
                return true;
            }
            depth -= 1;
            end = ends[depth];
        }
    }
}

#[cfg(test)]
mod tests {
    use ldap3::asn1::parse_tag;
    use proptest::prelude::*;

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

    #[test]
    fn a_value_is_sound_when_it_is_one_whole_element_and_not_deep() {
        fn nested(depth: usize) -> Vec<u8> {
            (0..depth).fold(Vec::new(), |inner, _| {
                [&[0x30, inner.len() as u8], inner.as_slice()].concat()
            })
        }
        for sound in [
            nested(1),
            nested(16),
            vec![0x04, 0],
            vec![0x30, 4, 0x30, 0, 0x02, 0],
        ] {
            assert!(is_sound_value(&sound), "{sound:?}");
        }
        for unsound in [
            nested(17),
            vec![],
            vec![0x30],
            vec![0x30, 1, 0],
            vec![0x04, 0, 0],
            vec![0x30, 2, 0x04, 1],
            vec![0x30, 3, 0x04, 2, 0],
            vec![0x30, 2, 0x30, 1, 0x04, 0],
        ] {
            assert!(!is_sound_value(&unsound), "{unsound:?}");
        }
    }

    proptest! {
        #[test]
        fn a_sound_value_is_parsed_wholly(bytes in prop::collection::vec(
            prop_oneof![Just(0x30_u8), Just(0x04), 0_u8..8, any::<u8>()], 0..24)
        ) {
            let parsed = is_sound_value(&bytes).then(|| parse_tag(&bytes));
            prop_assert!(parsed.is_none_or(|it| it.is_ok_and(|it| it.0.is_empty())));
        }
    }
}
