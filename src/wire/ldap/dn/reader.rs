//! The parser behind [`Dn::parse`](super::Dn::parse): one pass over the bytes of a name, no look-ahead beyond one byte.

use super::{DnCause, DnFault, Pair, Rdn, Value};

/// The types that RFC 4514 section 3 names, as (short name, long name in lower case, OID).
const TYPE_NAMES: [(&str, &str, &str); 9] = [
    ("cn", "commonname", "2.5.4.3"),
    ("l", "localityname", "2.5.4.7"),
    ("st", "stateorprovincename", "2.5.4.8"),
    ("o", "organizationname", "2.5.4.10"),
    ("ou", "organizationalunitname", "2.5.4.11"),
    ("c", "countryname", "2.5.4.6"),
    ("street", "streetaddress", "2.5.4.9"),
    ("dc", "domaincomponent", "0.9.2342.19200300.100.1.25"),
    ("uid", "userid", "0.9.2342.19200300.100.1.1"),
];

/// One place in the text of a name.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            bytes: text.as_bytes(),
            at: 0,
        }
    }

    /// All levels, up to the end of the text.
    pub(super) fn rdns(&mut self) -> Result<Vec<Rdn>, DnFault> {
        self.skip_blanks();
        if self.peek().is_none() {
            return Ok(Vec::new());
        }
        let mut rdns = vec![self.rdn()?];
        while self.take(b',') {
            rdns.push(self.rdn()?);
        }
        Ok(rdns)
    }

    fn rdn(&mut self) -> Result<Rdn, DnFault> {
        let mut pairs = vec![self.pair()?];
        while self.take(b'+') {
            pairs.push(self.pair()?);
        }
        pairs.sort();
        Ok(Rdn { pairs })
    }

    fn pair(&mut self) -> Result<Pair, DnFault> {
        let kind = self.kind()?;
        self.skip_blanks();
        if !self.take(b'=') {
            return Err(self.fault(DnCause::Equals));
        }
        self.skip_blanks();
        let value = if self.take(b'#') {
            self.ber()?
        } else {
            self.value()?
        };
        Ok(Pair { kind, value })
    }

    fn kind(&mut self) -> Result<String, DnFault> {
        self.skip_blanks();
        let start = self.at;
        while self
            .peek()
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
        {
            self.at += 1;
        }
        let kind = self.bytes[start..self.at].to_ascii_lowercase();
        let kind = kind.strip_prefix(b"oid.").unwrap_or(&kind);
        if !is_name(kind) && !is_oid(kind) {
            return Err(DnFault {
                at: start,
                cause: DnCause::Type,
            });
        }
        let kind = String::from_utf8_lossy(kind);
        let known = TYPE_NAMES
            .iter()
            .find(|(_, long, oid)| kind == *long || kind == *oid);
        Ok(known.map_or_else(|| kind.to_string(), |(short, _, _)| (*short).to_owned()))
    }

    /// The digits after `#`, up to the end of the value.
    fn ber(&mut self) -> Result<Value, DnFault> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_hexdigit()) {
            self.at += 1;
        }
        let digits = self.bytes[start..self.at].to_ascii_lowercase();
        self.skip_blanks();
        let ends = matches!(self.peek(), None | Some(b',' | b'+'));
        if !ends || digits.is_empty() || !digits.len().is_multiple_of(2) {
            return Err(DnFault {
                at: start,
                cause: DnCause::Ber,
            });
        }
        Ok(Value::Ber(String::from_utf8_lossy(&digits).into_owned()))
    }

    fn value(&mut self) -> Result<Value, DnFault> {
        let mut octets = Vec::new();
        // How many octets belong to the value: blanks before a separator do not, unless they are escaped.
        let mut kept = 0;
        while let Some(byte) = self.peek() {
            match byte {
                b',' | b'+' => break,
                b'"' | b';' | 0 => {
                    return Err(self.fault(DnCause::Unescaped(char::from(byte))));
                }
                b'\\' => octets.push(self.escaped()?),
                _ => {
                    octets.push(byte);
                    self.at += 1;
                }
            }
            if byte != b' ' {
                kept = octets.len();
            }
        }
        octets.truncate(kept);
        Ok(Value::of(octets))
    }

    /// One octet behind a backslash.
    fn escaped(&mut self) -> Result<u8, DnFault> {
        let fault = self.fault(DnCause::Escape);
        self.at += 1;
        let first = self.peek().ok_or_else(|| fault.clone())?;
        self.at += 1;
        if matches!(
            first,
            b' ' | b'"' | b'#' | b'+' | b',' | b';' | b'<' | b'=' | b'>' | b'\\'
        ) {
            return Ok(first);
        }
        let second = self.peek().ok_or_else(|| fault.clone())?;
        self.at += 1;
        let digit = |byte| char::from(byte).to_digit(16);
        match (digit(first), digit(second)) {
            (Some(high), Some(low)) => Ok((high * 16 + low) as u8),
            _ => Err(fault),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn take(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn skip_blanks(&mut self) {
        while self.take(b' ') {}
    }

    fn fault(&self, cause: DnCause) -> DnFault {
        DnFault { at: self.at, cause }
    }
}

/// A descriptor of RFC 4512: a letter, then letters, digits and hyphens.
pub(super) fn is_name(kind: &[u8]) -> bool {
    kind.first().is_some_and(u8::is_ascii_alphabetic)
        && kind
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
}

/// A numeric OID: numbers joined by dots.
fn is_oid(kind: &[u8]) -> bool {
    kind.split(|byte| *byte == b'.')
        .all(|part| !part.is_empty() && part.iter().all(u8::is_ascii_digit))
}
