//! The little of BER (X.690) that values of controls need: tag, length, value.
//!
//! The library's own parser takes any depth by recursion, and what a control carries is an octet string into which the
//! [guard](super::guard) of the connection does not look. So these values are read one level at a time, by what is expected
//! there, and written by hand.

/// `SEQUENCE`.
pub const SEQUENCE: u8 = 0x30;
/// `SET`.
pub const SET: u8 = 0x31;
/// `OCTET STRING`.
pub const OCTETS: u8 = 0x04;
/// `BOOLEAN`.
pub const BOOLEAN: u8 = 0x01;
/// `INTEGER`.
pub const INTEGER: u8 = 0x02;
/// `ENUMERATED`.
pub const ENUMERATED: u8 = 0x0a;

/// The bytes are not what was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not encoded as it must be")]
pub struct NotBer;

/// Reads values one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Begins before the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Reader(bytes)
    }

    /// Whether nothing follows.
    pub fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }

    /// The tag of what follows.
    pub fn tag(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// The content of what follows, which must have this tag.
    ///
    /// # Errors
    /// It has another one, or is cut off.
    pub fn expect(&mut self, tag: u8) -> Result<&'a [u8], NotBer> {
        let (found, content) = self.any()?;
        if found == tag {
            Ok(content)
        } else {
            Err(NotBer)
        }
    }

    /// The content of what follows if it has this tag; it is left where it is otherwise.
    ///
    /// # Errors
    /// It is cut off.
    pub fn optional(&mut self, tag: u8) -> Result<Option<&'a [u8]>, NotBer> {
        if self.tag() == Some(tag) {
            return self.expect(tag).map(Some);
        }
        Ok(None)
    }

    /// Tag and content of what follows. Tags of more than one byte do not occur in LDAP.
    ///
    /// # Errors
    /// It is cut off, or its length is indefinite or beyond four bytes.
    pub fn any(&mut self) -> Result<(u8, &'a [u8]), NotBer> {
        let [tag, first, rest @ ..] = self.0 else {
            return Err(NotBer);
        };
        let (length, rest) = match *first {
            short @ 0..=0x7f => (usize::from(short), rest),
            long @ 0x81..=0x84 => {
                let (digits, rest) = rest
                    .split_at_checked(usize::from(long & 0x7f))
                    .ok_or(NotBer)?;
                let length = digits.iter().fold(0, |sum, &it| sum << 8 | usize::from(it));
                (length, rest)
            }
            _ => return Err(NotBer),
        };
        let (content, rest) = rest.split_at_checked(length).ok_or(NotBer)?;
        self.0 = rest;
        Ok((*tag, content))
    }
}

/// A content as a boolean: anything but nought is true.
pub fn boolean(content: &[u8]) -> bool {
    content.iter().any(|it| *it != 0)
}

/// A content as an integer of up to eight bytes, in two's complement.
///
/// # Errors
/// It is empty or longer.
pub fn integer(content: &[u8]) -> Result<i64, NotBer> {
    let first = *content.first().ok_or(NotBer)?;
    if content.len() > 8 {
        return Err(NotBer);
    }
    let sign = if first & 0x80 == 0 { 0 } else { -1 };
    Ok(content
        .iter()
        .fold(sign, |sum, &it| sum << 8 | i64::from(it)))
}

/// Writes one value.
pub fn write(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    match content.len() {
        short @ 0..=0x7f => bytes.push(short as u8),
        long => {
            let digits = (long as u32).to_be_bytes();
            bytes.push(0x84);
            bytes.extend(digits);
        }
    }
    bytes.extend(content);
    bytes
}

/// Writes an integer in as few bytes as it needs.
pub fn write_integer(tag: u8, number: i64) -> Vec<u8> {
    let digits = number.to_be_bytes();
    let needed = (1..8).find(|&count| {
        let from = 8 - count;
        integer(&digits[from..]) == Ok(number)
    });
    write(tag, &digits[8 - needed.unwrap_or(8)..])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_cut_off_or_of_no_definite_length_is_refused() {
        for bytes in [
            &b""[..],
            b"\x04",
            b"\x04\x02a",
            b"\x04\x80ab\x00\x00",
            b"\x04\x85\x00\x00\x00\x00\x01a",
            b"\x04\x84\xff\xff\xff\xffa",
            b"\x04\x82\x01",
        ] {
            assert_eq!(Reader::new(bytes).any(), Err(NotBer), "{bytes:?}");
        }
        assert_eq!(integer(b""), Err(NotBer));
        assert_eq!(integer(&[0; 9]), Err(NotBer));
    }

    #[test]
    fn what_is_optional_is_left_where_it_is() {
        let bytes = [write(OCTETS, b"a"), write(BOOLEAN, &[0xff])].concat();
        let mut reader = Reader::new(&bytes);
        assert_eq!(reader.optional(BOOLEAN), Ok(None));
        assert_eq!(reader.optional(OCTETS), Ok(Some(&b"a"[..])));
        assert_eq!(reader.expect(OCTETS), Err(NotBer));
        assert!(reader.is_at_end());
        assert!(boolean(&[0xff]) && !boolean(&[0]));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(tag in any::<u8>(), content in prop::collection::vec(any::<u8>(), 0..300)) {
            let bytes = write(tag, &content);
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(reader.any(), Ok((tag, content.as_slice())));
            prop_assert!(reader.is_at_end());
        }

        #[test]
        fn integers_are_read_as_they_were_written(number in any::<i64>(), shift in 0..64) {
            let number = number >> shift;
            let bytes = write_integer(INTEGER, number);
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(integer(reader.expect(INTEGER).unwrap()), Ok(number));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let mut reader = Reader::new(&bytes);
            while let Ok((_, content)) = reader.any() {
                let _ = integer(content);
            }
        }
    }
}
