//! Distinguished names: read as RFC 4514 writes them, and brought to one spelling.
//!
//! A group names its members by DN, and every writer spells a DN in its own way: OpenLDAP answers
//! `cn=Doe\2C Jane` for what Active Directory writes as `CN=Doe\, Jane`, and a member value keeps the case and the
//! blanks of whoever wrote it. Members are therefore found by the *normal form*, never by the text as received.
//!
//! The normal form follows RFC 4518 as far as names of people and groups need it: attribute types in lower case and
//! by their short names, values folded as usernames are, runs of white space squeezed to one blank and trimmed, multi-valued
//! RDNs sorted, special characters escaped in one way. The schema of the server is not consulted, so values are
//! compared without regard to case even where an attribute is case-sensitive; two entries that differ in nothing else
//! have one normal form, and the reader of the records has to notice that.

mod reader;

use std::fmt;

use self::reader::{Reader, is_name};
use crate::text::fold;

/// A distinguished name in its normal form. Two spellings of one name are equal; it prints as [`normalise`] does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dn {
    rdns: Vec<Rdn>,
}

/// One level of a name: its type and value pairs, sorted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rdn {
    /// At least one pair; more than one in a multi-valued RDN such as `cn=Ann+uid=7`.
    pub pairs: Vec<Pair>,
}

/// One `type=value` of an RDN.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    /// The attribute type: a lower-case name, or a numeric OID if RFC 4514 has no name for it.
    pub kind: String,
    /// The value, folded.
    pub value: Value,
}

/// The value of one pair.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// Text, folded and with its white space squeezed.
    Text(String),
    /// Bytes that are not UTF-8, as they came.
    Octets(Vec<u8>),
    /// The BER encoding of a value of unknown syntax: the lower-case hexadecimal digits after `#`.
    Ber(String),
}

/// Why a text is not a distinguished name. It does not repeat the text, which may hold a person's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a distinguished name, at byte {at}: {cause}")]
pub struct DnFault {
    /// Offset in bytes from the start of the text.
    pub at: usize,
    /// What is wrong there.
    pub cause: DnCause,
}

/// What is wrong with a text that should be a distinguished name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DnCause {
    /// Neither a name (letters, digits, hyphens) nor a numeric OID stands where an attribute type must.
    #[error("an attribute type must stand here, such as `cn` or `2.5.4.3`")]
    Type,
    /// The attribute type is not followed by `=`.
    #[error("`=` must follow the attribute type")]
    Equals,
    /// A character that RFC 4514 reserves stands alone in a value.
    #[error("`{0}` must be written with a backslash before it")]
    Unescaped(char),
    /// A backslash is followed by neither a reserved character nor two hexadecimal digits.
    #[error("a backslash must stand before a reserved character or before two hexadecimal digits")]
    Escape,
    /// `#` is not followed by pairs of hexadecimal digits up to the end of the value.
    #[error("`#` must be followed by pairs of hexadecimal digits alone")]
    Ber,
}

/// Brings a distinguished name to its normal form, the text by which group entries and user entries find each other.
///
/// The normal form is itself a valid RFC 4514 text and normalising it again changes nothing. Names of plain ASCII take
/// a short way, because a large directory asks for this some 100,000 times a read.
///
/// # Errors
/// The place and the reason where the text departs from RFC 4514.
pub fn normalise(dn: &str) -> Result<String, DnFault> {
    match normalise_plain(dn) {
        Some(normal) => Ok(normal),
        None => Dn::parse(dn).map(|dn| dn.to_string()),
    }
}

impl Dn {
    /// Reads one name; the empty text is the root of the tree, which has no level at all.
    ///
    /// Beyond RFC 4514 it accepts blanks around separators, an `OID.` before a numeric type (RFC 2253) and the long
    /// names of RFC 4519 (`commonName` is `cn`), and takes a bare `<` or `>` for itself. Quoted values and `;` as a
    /// separator (RFC 1779) are refused, since they could be read in two ways.
    ///
    /// # Errors
    /// The place and the reason where the text departs from that.
    pub fn parse(text: &str) -> Result<Self, DnFault> {
        let rdns = Reader::new(text).rdns()?;
        Ok(Self { rdns })
    }

    /// The levels, the entry's own first and the root's last.
    pub fn rdns(&self) -> &[Rdn] {
        &self.rdns
    }

    /// Whether this entry is `base` or stands anywhere below it: the subtree scope of a search.
    pub fn is_under(&self, base: &Dn) -> bool {
        self.rdns.ends_with(&base.rdns)
    }
}

impl Value {
    fn of(octets: Vec<u8>) -> Self {
        match String::from_utf8(octets) {
            Ok(text) => Self::Text(prepare(&text)),
            Err(not_text) => Self::Octets(not_text.into_bytes()),
        }
    }
}

impl fmt::Display for Dn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, rdn) in self.rdns.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { "," })?;
            write!(f, "{rdn}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Rdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, pair) in self.pairs.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { "+" })?;
            write!(f, "{}={}", pair.kind, pair.value)?;
        }
        Ok(())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write_text(f, text),
            Self::Octets(octets) => write_octets(f, octets),
            Self::Ber(digits) => write!(f, "#{digits}"),
        }
    }
}

fn write_text(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    for (index, letter) in text.char_indices() {
        match letter {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => write!(f, "\\{letter}")?,
            '#' if index == 0 => f.write_str("\\#")?,
            _ if letter.is_control() => {
                write_octets(f, letter.encode_utf8(&mut [0; 4]).as_bytes())?;
            }
            _ => write!(f, "{letter}")?,
        }
    }
    Ok(())
}

fn write_octets(f: &mut fmt::Formatter<'_>, octets: &[u8]) -> fmt::Result {
    octets
        .iter()
        .try_for_each(|octet| write!(f, "\\{octet:02x}"))
}

/// The short way of [`normalise`] for names without escapes, multi-valued RDNs, long type names and letters beyond
/// ASCII. `None` means that the text must be parsed, not that it is wrong.
fn normalise_plain(dn: &str) -> Option<String> {
    let mut normal = String::with_capacity(dn.len());
    for rdn in dn.split(',') {
        let (kind, value) = rdn.split_once('=')?;
        let (kind, value) = (kind.trim_matches(' '), value.trim_matches(' '));
        if !is_short_type(kind) || !is_plain_value(value) {
            return None;
        }
        if !normal.is_empty() {
            normal.push(',');
        }
        normal.push_str(kind);
        normal.push('=');
        normal.push_str(value);
    }
    normal.make_ascii_lowercase();
    Some(normal)
}

/// Whether a type is a name that stands for nothing but itself: the long names that the parser
/// knows are all longer.
fn is_short_type(kind: &str) -> bool {
    kind.len() <= 5 && is_name(kind.as_bytes())
}

fn is_plain_value(value: &str) -> bool {
    let bytes = value.as_bytes();
    let plain = |byte: &u8| {
        matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'+' | b';' | b'<' | b'>' | b'\\')
    };
    bytes.first() != Some(&b'#')
        && bytes.iter().all(plain)
        && !bytes.windows(2).any(|pair| pair == b"  ")
}

/// Folds a value as usernames are folded and squeezes its white space.
fn prepare(value: &str) -> String {
    fold(value).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
