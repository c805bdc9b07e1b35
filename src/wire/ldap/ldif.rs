//! LDIF content: entries as text (RFC 2849), read one record at a time.
//!
//! A bad record never stops the rest: each record is an entry or a fault, and a fault keeps what could be read of its
//! record, so that its owner becomes *unknown* rather than absent. Only what makes the whole file doubtful stops the
//! reading: another version, or a last line without its newline. RFC 2849 demands a newline after every line, so a
//! file without the last one was cut, or is still being written. A file that is cut *between* two lines reads as a
//! whole one, unless the line that is missing leaves its record unfinished; see [`Broken::ends_file`].
//!
//! URLs (`attribute:< file:///…`) are refused: a directory file must not make this daemon open other files. Of the
//! change records only `changetype: add` is accepted, since it alone states an entry.

use std::borrow::Cow;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// One entry: a name and its attributes. A server's answer has the same shape.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entry {
    /// The distinguished name as written; empty if a broken record has none that can be read.
    pub dn: String,
    /// Attribute descriptions in lower case, options included (`cn;lang-de`), each once, with their values in order.
    pub attributes: Vec<(String, Vec<Vec<u8>>)>,
    /// The line on which the record starts, counted from 1.
    pub line: usize,
}

/// A record that is no entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// What is wrong, and where.
    pub fault: LdifFault,
    /// What could be read of the record: every line of it that is sound.
    pub known: Entry,
    /// Where the record stands in the bytes that were given, for showing it as it came.
    pub span: Range<usize>,
    /// Whether the last line of the file is sound but unfinished, as it is where a file was cut between two lines: base64
    /// that lacks its end, an attribute without its value, or a name without attributes.
    pub ends_file: bool,
}

/// What is wrong on one line. It repeats no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {cause}")]
pub struct LdifFault {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub cause: LdifCause,
}

/// What is wrong with a line or a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LdifCause {
    /// The file states a version other than 1.
    #[error("the file says that it is of another LDIF version than 1")]
    Version,
    /// The last line has no newline.
    #[error("the last line does not end in a newline: the file was cut, or is still being written")]
    Cut,
    /// A record does not begin with its name.
    #[error("a record must begin with `dn:`")]
    MissingDn,
    /// A record names itself twice; mostly the empty line between two records is missing.
    #[error("a second `dn:` in one record; records are parted by an empty line")]
    SecondDn,
    /// The name of a record is not UTF-8.
    #[error("the `dn` is not valid UTF-8")]
    DnText,
    /// A record has a name and nothing else.
    #[error("the record has no attributes")]
    Empty,
    /// A line has no colon, or none after a name of letters, digits, hyphens, dots and semicolons.
    #[error("the line does not have the form `attribute: value`")]
    Form,
    /// A line goes on from nothing.
    #[error("the line begins with a blank, which continues the line before it, but there is none")]
    Continuation,
    /// The value after `::` is not base64.
    #[error("the value of `{0}` is not valid base64")]
    Base64(String),
    /// The value is to be fetched from somewhere else.
    #[error("the value of `{0}` is a URL (`:<`), which is not followed; write the value itself")]
    Url(String),
    /// The record describes a change rather than an entry.
    #[error("a change record; only entries and `changetype: add` are accepted")]
    Change,
    /// The record has more than [`ATTRIBUTES_MAX`] different attributes.
    #[error("the record has more than {ATTRIBUTES_MAX} different attributes")]
    TooManyAttributes,
}

/// How many different attributes one record may have; real ones have some dozens.
pub const ATTRIBUTES_MAX: usize = 1_000;

/// The records of a file, in order. Made by [`parse`].
#[derive(Debug)]
pub struct Records<'a> {
    lines: Lines<'a>,
}

/// Reads LDIF content. Nothing at all is a file without records.
///
/// # Errors
/// [`LdifCause::Version`] and [`LdifCause::Cut`], which make the whole file worthless.
pub fn parse(bytes: &[u8]) -> Result<Records<'_>, LdifFault> {
    if !bytes.is_empty() && !bytes.ends_with(b"\n") {
        let line = bytes.split(|byte| *byte == b'\n').count();
        return Err(LdifFault {
            line,
            cause: LdifCause::Cut,
        });
    }
    let mut lines = Lines::new(bytes);
    lines.skip_gap();
    let mut ahead = lines.clone();
    if let Some(line) = ahead.logical()
        && let Ok((name, given)) = split(&line.text)
        && name == "version"
    {
        if given != Given::Text(b"1") {
            return Err(LdifFault {
                line: line.number,
                cause: LdifCause::Version,
            });
        }
        lines = ahead;
    }
    Ok(Records { lines })
}

impl Iterator for Records<'_> {
    type Item = Result<Entry, Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        self.lines.skip_gap();
        let start = self.lines.at;
        let first = self.lines.logical()?;
        let mut known = Entry {
            line: first.number,
            ..Entry::default()
        };
        let mut fault = known
            .read_name(&first.text)
            .err()
            .map(|cause| self.fault(first.number, cause));
        while let Some(line) = self.lines.logical() {
            if let Err(cause) = known.read(&line.text) {
                fault.get_or_insert_with(|| self.fault(line.number, cause));
            }
        }
        if fault.is_none() && known.attributes.is_empty() {
            fault = Some(self.fault(known.line, LdifCause::Empty));
        }
        let span = start..self.lines.at;
        Some(match fault {
            None => Ok(known),
            Some((fault, ends_file)) => Err(Broken {
                fault,
                known,
                span,
                ends_file,
            }),
        })
    }
}

impl Records<'_> {
    /// A fault on the line that was just read, and whether a cut file shows it: nothing follows, and what stands there would
    /// be sound if it went on.
    fn fault(&self, line: usize, cause: LdifCause) -> (LdifFault, bool) {
        let unfinished = matches!(
            cause,
            LdifCause::Base64(_) | LdifCause::DnText | LdifCause::Empty | LdifCause::Form
        );
        let ends_file = unfinished && self.lines.current.is_none();
        (LdifFault { line, cause }, ends_file)
    }
}

impl Entry {
    /// The values of an attribute, in order; none if the entry lacks it. The name is in lower case, with its options.
    pub fn values(&self, name: &str) -> &[Vec<u8>] {
        self.attributes
            .iter()
            .find(|(known, _)| known == name)
            .map_or(&[], |(_, values)| values)
    }

    /// The first value of an attribute, if there is one and it is UTF-8.
    pub fn first_text(&self, name: &str) -> Option<&str> {
        self.values(name)
            .first()
            .and_then(|value| std::str::from_utf8(value).ok())
    }

    /// Takes in the first line of a record, which must be its name.
    fn read_name(&mut self, line: &[u8]) -> Result<(), LdifCause> {
        let (name, given) = split(line)?;
        if name != "dn" {
            // The line is kept all the same: it may be what tells whose record this is.
            self.read(line)?;
            return Err(LdifCause::MissingDn);
        }
        self.dn = String::from_utf8(given.octets(&name)?).map_err(|_| LdifCause::DnText)?;
        Ok(())
    }

    /// Takes in any further line.
    fn read(&mut self, line: &[u8]) -> Result<(), LdifCause> {
        let (name, given) = split(line)?;
        let value = given.octets(&name)?;
        match name.as_str() {
            "dn" => Err(LdifCause::SecondDn),
            "changetype" if value.eq_ignore_ascii_case(b"add") => Ok(()),
            "changetype" | "control" => Err(LdifCause::Change),
            _ => self.add(name, value),
        }
    }

    fn add(&mut self, name: String, value: Vec<u8>) -> Result<(), LdifCause> {
        // The values of one attribute mostly stand together, so the search begins at the end.
        if let Some((_, values)) = self
            .attributes
            .iter_mut()
            .rev()
            .find(|(known, _)| *known == name)
        {
            values.push(value);
        } else if self.attributes.len() < ATTRIBUTES_MAX {
            self.attributes.push((name, vec![value]));
        } else {
            return Err(LdifCause::TooManyAttributes);
        }
        Ok(())
    }
}

/// The value of one line in the form in which it was given.
#[derive(Debug, PartialEq, Eq)]
enum Given<'a> {
    Text(&'a [u8]),
    Base64(&'a [u8]),
    Url,
}

impl Given<'_> {
    fn octets(&self, name: &str) -> Result<Vec<u8>, LdifCause> {
        match self {
            Self::Text(text) => Ok(text.to_vec()),
            Self::Base64(text) => STANDARD
                .decode(text)
                .map_err(|_| LdifCause::Base64(name.to_owned())),
            Self::Url => Err(LdifCause::Url(name.to_owned())),
        }
    }
}

/// Parts a line into the attribute description, in lower case, and its value.
fn split(line: &[u8]) -> Result<(String, Given<'_>), LdifCause> {
    if line.starts_with(b" ") {
        return Err(LdifCause::Continuation);
    }
    let colon = line
        .iter()
        .position(|byte| *byte == b':')
        .ok_or(LdifCause::Form)?;
    let (name, rest) = (&line[..colon], &line[colon + 1..]);
    // RFC 4512 knows no underscore, some servers do.
    let legal =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b';' | b'_');
    // Active Directory's option `range=0-1499`, or `range=1500-*`, departs from it too.
    let options = name.iter().position(|byte| *byte == b';');
    let (_, options) = name.split_at(options.unwrap_or(name.len()));
    let in_range = |byte: &u8| legal(byte) || matches!(byte, b'=' | b'*');
    let kind = &name[..name.len() - options.len()];
    if kind.is_empty() || !kind.iter().all(legal) || !options.iter().all(in_range) {
        return Err(LdifCause::Form);
    }
    let given = match rest.first() {
        Some(b':') => Given::Base64(rest[1..].trim_ascii()),
        Some(b'<') => Given::Url,
        _ => Given::Text(trim_blanks(rest)),
    };
    Ok((String::from_utf8_lossy(name).to_ascii_lowercase(), given))
}

/// Takes off the blanks that may part a colon from its value; blanks at the end belong to the value.
fn trim_blanks(text: &[u8]) -> &[u8] {
    let start = text
        .iter()
        .position(|byte| *byte != b' ')
        .unwrap_or(text.len());
    &text[start..]
}

/// One line as it is meant: with the lines that continue it.
#[derive(Debug)]
struct Logical<'a> {
    number: usize,
    text: Cow<'a, [u8]>,
}

/// The lines of a file, comments left out.
#[derive(Debug, Clone)]
struct Lines<'a> {
    bytes: &'a [u8],
    /// Where the current line starts.
    at: usize,
    /// The number of the current line, from 1.
    number: usize,
    /// The current line without its end, or nothing at the end of the file.
    current: Option<&'a [u8]>,
}

impl<'a> Lines<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            number: 1,
            current: line_at(bytes, 0),
        }
    }

    /// Skips what stands between records: empty lines and comments.
    fn skip_gap(&mut self) {
        while let Some(line) = self.current {
            if line.starts_with(b"#") {
                self.advance();
                self.skip_continuations();
            } else if line.is_empty() {
                self.advance();
            } else {
                return;
            }
        }
    }

    /// The next line of this record, or nothing where an empty line or the file ends it.
    fn logical(&mut self) -> Option<Logical<'a>> {
        while self.current?.starts_with(b"#") {
            self.advance();
            self.skip_continuations();
        }
        let line = self.current.filter(|line| !line.is_empty())?;
        let mut logical = Logical {
            number: self.number,
            text: Cow::Borrowed(line),
        };
        self.advance();
        while let Some(more) = self.current.and_then(|line| line.strip_prefix(b" ")) {
            logical.text.to_mut().extend_from_slice(more);
            self.advance();
        }
        Some(logical)
    }

    fn skip_continuations(&mut self) {
        while self.current.is_some_and(|line| line.starts_with(b" ")) {
            self.advance();
        }
    }

    fn advance(&mut self) {
        let rest = &self.bytes[self.at..];
        self.at += rest
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(rest.len(), |end| end + 1);
        self.number += 1;
        self.current = line_at(self.bytes, self.at);
    }
}

/// The line that starts at `at`, without its end.
fn line_at(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let line = bytes
        .get(at..)
        .filter(|rest| !rest.is_empty())?
        .split(|byte| *byte == b'\n')
        .next()?;
    Some(line.strip_suffix(b"\r").unwrap_or(line))
}

#[cfg(test)]
mod tests;
