//! The document of `/group/membership`: every group with its direct users and child groups, in one stream.
//!
//! It is large and slow, and proxies cut it. So it is read as it arrives, nothing of it is kept, and it counts only once its root
//! was closed: [`MembershipReader::finish`] says whether it was.

pub mod pieces;

use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use super::xml::{XmlFault, as_text, attribute_value, check_encoding, not_xml};

/// The longest tag, comment or text between two tags, in bytes.
const PIECE_MAX: usize = 64 * 1024;

/// Elements within elements; the document itself needs four.
const DEPTH_MAX: usize = 32;

/// Passed over, members would be lost.
const UNKNOWN: XmlFault = XmlFault::Refused("tells of members by elements that are not known");

/// What the stream tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Membership<'a> {
    /// A group: what follows are its members, until the next group.
    Group(&'a str),
    /// A direct user of the group before.
    User(&'a str),
    /// A child group of the group before.
    Child(&'a str),
}

/// Reads the document piece by piece, wherever it was cut into pieces.
#[derive(Clone, Debug, Default)]
pub struct MembershipReader {
    /// What came and is not read yet: the beginning of a tag.
    rest: Vec<u8>,
    open: Vec<Open>,
    closed: bool,
}

/// An element that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Open {
    Memberships,
    Membership,
    Users,
    Groups,
    User,
    Group,
    /// One that means nothing to us, where only users and groups should be: it must be empty.
    Unknown(String),
    /// One that means nothing to us, within what was told already.
    Other(String),
}

impl MembershipReader {
    /// A reader at the beginning of a document.
    pub fn new() -> Self {
        MembershipReader::default()
    }

    /// Takes the next bytes and tells what they say.
    ///
    /// # Errors
    /// [`XmlFault`]: this is not such a document. Nothing that was told before counts then.
    pub fn feed(
        &mut self,
        bytes: &[u8],
        mut each: impl FnMut(Membership<'_>),
    ) -> Result<(), XmlFault> {
        let mut rest = std::mem::take(&mut self.rest);
        rest.extend_from_slice(bytes);
        let whole = whole_pieces(&rest)?;
        self.pieces(as_text(&rest[..whole])?, &mut each)?;
        rest.drain(..whole);
        if rest.len() > PIECE_MAX {
            return Err(XmlFault::NotXml("a tag does not end"));
        }
        self.rest = rest;
        Ok(())
    }

    /// Says whether the document was whole. Without that nothing of it counts.
    ///
    /// # Errors
    /// [`XmlFault::Cut`] where its root was not closed.
    pub fn finish(self) -> Result<(), XmlFault> {
        if !self.closed {
            return Err(XmlFault::Cut);
        }
        if self.rest.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        Err(XmlFault::NotXml("something follows its last element"))
    }

    /// Reads whole tags and texts.
    fn pieces(
        &mut self,
        text: &str,
        each: &mut impl FnMut(Membership<'_>),
    ) -> Result<(), XmlFault> {
        let mut reader = Reader::from_str(text);
        let config = reader.config_mut();
        // The pieces before and after have the other halves; `close` compares the names.
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        loop {
            match reader.read_event().map_err(|fault| not_xml(&fault))? {
                Event::Start(tag) => self.open(&tag, each)?,
                Event::Empty(tag) => {
                    self.open(&tag, each)?;
                    self.open.pop();
                    self.closed = self.open.is_empty();
                }
                Event::End(tag) => self.close(tag.name().as_ref())?,
                Event::Text(text) if text.xml10_content().trim().is_empty() => {}
                Event::Text(_) | Event::CData(_) | Event::GeneralRef(_) => {
                    return Err(XmlFault::NotXml("text stands between its elements"));
                }
                Event::Decl(declaration) => check_encoding(&declaration)?,
                Event::DocType(_) => return Err(XmlFault::Refused("declares a document type")),
                Event::Comment(_) | Event::PI(_) => {}
                Event::Eof => return Ok(()),
            }
        }
    }

    fn open(
        &mut self,
        tag: &BytesStart<'_>,
        each: &mut impl FnMut(Membership<'_>),
    ) -> Result<(), XmlFault> {
        if self.closed {
            return Err(XmlFault::NotXml("something follows its last element"));
        }
        if self.open.len() >= DEPTH_MAX {
            return Err(XmlFault::Refused(
                "has elements too deep within one another",
            ));
        }
        let name = tag.name();
        let open = match (self.open.last(), name.as_ref()) {
            (None, "memberships") => Open::Memberships,
            (None, other) => return Err(XmlFault::WrongRoot(other.chars().take(40).collect())),
            (Some(Open::Memberships), "membership") => {
                let group = attribute(tag, "group")?;
                let group = group.ok_or(XmlFault::Lacks("the name of a group"))?;
                each(Membership::Group(&group));
                Open::Membership
            }
            (Some(Open::Membership), "users") => Open::Users,
            (Some(Open::Membership), "groups") => Open::Groups,
            (Some(Open::Users), "user") => {
                let user = attribute(tag, "name")?;
                let user = user.ok_or(XmlFault::Lacks("the name of a user"))?;
                each(Membership::User(&user));
                Open::User
            }
            (Some(Open::Groups), "group") => {
                let child = attribute(tag, "name")?;
                let child = child.ok_or(XmlFault::Lacks("the name of a child group"))?;
                each(Membership::Child(&child));
                Open::Group
            }
            (Some(Open::Unknown(_)), _) => return Err(UNKNOWN),
            (Some(Open::User | Open::Group | Open::Other(_)), other) => {
                Open::Other(other.to_owned())
            }
            (Some(_), other) => {
                // A link, say. Anything with a name would be a member who is passed over.
                if attribute(tag, "name")?.is_some() || attribute(tag, "group")?.is_some() {
                    return Err(UNKNOWN);
                }
                Open::Unknown(other.to_owned())
            }
        };
        self.open.push(open);
        Ok(())
    }

    fn close(&mut self, name: &str) -> Result<(), XmlFault> {
        let open = self.open.pop();
        let is_open = open.is_some_and(|it| it.name() == name);
        if !is_open {
            return Err(XmlFault::NotXml("its tags do not match"));
        }
        self.closed = self.open.is_empty();
        Ok(())
    }
}

impl Open {
    fn name(&self) -> &str {
        match self {
            Open::Memberships => "memberships",
            Open::Membership => "membership",
            Open::Users => "users",
            Open::Groups => "groups",
            Open::User => "user",
            Open::Group => "group",
            Open::Unknown(name) | Open::Other(name) => name,
        }
    }
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Result<Option<String>, XmlFault> {
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|_| XmlFault::NotXml("a tag is broken"))?;
        if attribute.key.as_ref() == name {
            return attribute_value(&attribute).map(Some);
        }
    }
    Ok(None)
}

/// How many of the bytes are whole tags, comments and the text before them.
fn whole_pieces(bytes: &[u8]) -> Result<usize, XmlFault> {
    let mut whole = 0;
    while let Some(begin) = find(&bytes[whole..], b"<") {
        let markup = &bytes[whole + begin..];
        // It may hold tags of its own, so its end is not looked for.
        if markup.starts_with(b"<!D") {
            return Err(XmlFault::Refused("declares a document type"));
        }
        let Some(length) = markup_length(markup) else {
            break;
        };
        whole += begin + length;
    }
    Ok(whole)
}

/// How long the tag, comment or instruction is that begins here; `None` where its end has not come yet.
fn markup_length(markup: &[u8]) -> Option<usize> {
    let ends_with = |end: &[u8], from: usize| {
        let rest = markup.get(from..)?;
        Some(from + find(rest, end)? + end.len())
    };
    // What begins like these may still become one of them.
    if markup.len() < 9 && b"<![CDATA[".starts_with(markup) {
        return None;
    }
    if markup.starts_with(b"<!--") {
        return ends_with(b"-->", 4);
    }
    if markup.starts_with(b"<![CDATA[") {
        return ends_with(b"]]>", 9);
    }
    if markup.starts_with(b"<?") {
        return ends_with(b"?>", 2);
    }
    let mut quote = None;
    for (at, &byte) in markup.iter().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(at + 1),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    if let [byte] = what {
        return bytes.iter().position(|it| it == byte);
    }
    bytes.windows(what.len()).position(|it| it == what)
}

/// Begins the document.
pub fn begin(out: &mut Vec<u8>) {
    out.extend(super::write::PROLOGUE);
    out.extend(b"<memberships>");
}

/// Ends the document.
pub fn end(out: &mut Vec<u8>) {
    out.extend(b"</memberships>");
}

#[cfg(test)]
mod tests;
