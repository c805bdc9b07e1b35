//! XML from outside, read into a small tree; and text written into XML.
//!
//! A document that declares a type, or names an entity that XML itself does not know, is refused: nothing is ever expanded.
//! Depth and size are bounded, since the reader keeps the whole tree.

use quick_xml::XmlVersion;
use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};
use quick_xml::reader::Reader;

/// Why XML is not what was asked for. The texts quote no values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum XmlFault {
    /// It ends before its root does.
    #[error("the XML ends before its last element is closed: it was cut on the way")]
    Cut,
    /// It is no XML.
    #[error("this is no XML: {0}")]
    NotXml(&'static str),
    /// It is another document than was asked for.
    #[error("the XML is a `{0}` and not what was asked for")]
    WrongRoot(String),
    /// It uses what is refused on principle.
    #[error("the XML {0}, which is refused")]
    Refused(&'static str),
    /// Something is missing in it.
    #[error("the XML lacks {0}")]
    Lacks(&'static str),
}

/// How large a tree may become.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Elements within elements.
    pub depth: usize,
    /// Elements altogether.
    pub elements: usize,
}

impl Limits {
    /// For what people send: errors, passwords, restrictions.
    pub const SMALL: Limits = Limits {
        depth: 64,
        elements: 10_000,
    };
    /// For what a server lists.
    pub const LARGE: Limits = Limits {
        depth: 64,
        elements: 5_000_000,
    };
}

/// An element with all that is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// Its name, without a prefix.
    pub name: String,
    /// Names and values, in their order.
    pub attributes: Vec<(String, String)>,
    /// All its text, without that of its children.
    pub text: String,
    /// The elements in it, in their order.
    pub children: Vec<Element>,
}

impl Element {
    /// Reads a whole document.
    ///
    /// # Errors
    /// [`XmlFault`] where it is no XML, is not whole, is too large, or uses what is refused.
    pub fn parse(document: &[u8], limits: Limits) -> Result<Element, XmlFault> {
        let mut reader = Reader::from_str(as_text(document)?);
        let mut tree = Tree::default();
        let mut elements = 0;
        loop {
            let event = reader.read_event();
            match event.map_err(|fault| not_xml(&fault))? {
                Event::Start(tag) => {
                    elements += 1;
                    tree.open(Element::of(&tag)?)?;
                }
                Event::Empty(tag) => {
                    elements += 1;
                    tree.open(Element::of(&tag)?)?;
                    tree.close();
                }
                Event::End(_) => tree.close(),
                Event::Text(text) => tree.text(&text.xml10_content())?,
                Event::CData(text) => tree.text(&text.xml10_content())?,
                Event::GeneralRef(reference) => {
                    let meant = resolved(&reference)?;
                    tree.text(meant.encode_utf8(&mut [0; 4]))?;
                }
                Event::Decl(declaration) => check_encoding(&declaration)?,
                Event::DocType(_) => return Err(XmlFault::Refused("declares a document type")),
                Event::Comment(_) | Event::PI(_) => {}
                Event::Eof => return tree.root(),
            }
            if tree.open.len() > limits.depth {
                return Err(XmlFault::Refused(
                    "has elements too deep within one another",
                ));
            }
            if elements > limits.elements {
                return Err(XmlFault::Refused("has too many elements"));
            }
        }
    }

    /// The first child of a name.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|it| it.name == name)
    }

    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let mut attributes = self.attributes.iter();
        attributes.find(|it| it.0 == name).map(|it| it.1.as_str())
    }

    fn of(tag: &BytesStart<'_>) -> Result<Element, XmlFault> {
        let mut element = Element {
            name: tag.local_name().as_ref().to_owned(),
            ..Element::default()
        };
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|_| XmlFault::NotXml("a tag is broken"))?;
            let value = attribute_value(&attribute)?;
            // Names of schemas are no content (Namespaces in XML 1.0, section 3).
            if attribute.key.as_namespace_binding().is_some() {
                continue;
            }
            let name = attribute.key.local_name().as_ref().to_owned();
            element.attributes.push((name, value));
        }
        Ok(element)
    }
}

#[derive(Default)]
struct Tree {
    open: Vec<Element>,
    root: Option<Element>,
}

impl Tree {
    fn open(&mut self, element: Element) -> Result<(), XmlFault> {
        if self.root.is_some() {
            return Err(XmlFault::NotXml("something follows its last element"));
        }
        self.open.push(element);
        Ok(())
    }

    fn close(&mut self) {
        let Some(element) = self.open.pop() else {
            return;
        };
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
    }

    fn text(&mut self, text: &str) -> Result<(), XmlFault> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(XmlFault::NotXml("text stands outside of its elements")),
        }
        Ok(())
    }

    fn root(self) -> Result<Element, XmlFault> {
        match self.root {
            Some(root) => Ok(root),
            None if self.open.is_empty() => Err(XmlFault::NotXml("it is empty")),
            None => Err(XmlFault::Cut),
        }
    }
}

/// The document as text; UTF-8 is the one encoding that is read.
pub(super) fn as_text(document: &[u8]) -> Result<&str, XmlFault> {
    let document = document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document);
    std::str::from_utf8(document).map_err(|_| XmlFault::NotXml("it is not UTF-8"))
}

/// What a broken document is called.
pub(super) fn not_xml(fault: &quick_xml::Error) -> XmlFault {
    match fault {
        quick_xml::Error::Syntax(_) => XmlFault::Cut,
        quick_xml::Error::IllFormed(_) => XmlFault::NotXml("its tags do not match"),
        _ => XmlFault::NotXml("a tag is broken"),
    }
}

/// Refuses encodings that are not read.
pub(super) fn check_encoding(declaration: &BytesDecl<'_>) -> Result<(), XmlFault> {
    let Some(encoding) = declaration.encoding() else {
        return Ok(());
    };
    let encoding = encoding.map_err(|_| XmlFault::NotXml("its declaration is broken"))?;
    let known = ["utf-8", "utf8", "us-ascii"];
    if known.iter().any(|it| encoding.eq_ignore_ascii_case(it)) {
        return Ok(());
    }
    Err(XmlFault::Refused("has another encoding than UTF-8"))
}

/// The value of an attribute with its references resolved.
pub(super) fn attribute_value(
    attribute: &quick_xml::events::attributes::Attribute<'_>,
) -> Result<String, XmlFault> {
    let value = attribute.normalized_value(XmlVersion::Implicit1_0);
    let value = value.map_err(|_| XmlFault::Refused("uses an entity that XML does not know"))?;
    Ok(value.into_owned())
}

fn resolved(reference: &BytesRef<'_>) -> Result<char, XmlFault> {
    let char_reference = reference.resolve_char_ref();
    let char_reference = char_reference.map_err(|_| XmlFault::NotXml("a reference is broken"))?;
    if let Some(meant) = char_reference {
        return Ok(meant);
    }
    match reference.borrow().into_inner().as_ref() {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => Err(XmlFault::Refused("uses an entity that XML does not know")),
    }
}

/// Writes text, fit for content and for attribute values. Characters that XML cannot hold (control characters) become U+FFFD:
/// one of them would make the whole document unreadable.
pub(super) fn write_text(text: &str, out: &mut Vec<u8>) {
    for it in text.chars() {
        match it {
            '&' => out.extend(b"&amp;"),
            '<' => out.extend(b"&lt;"),
            '>' => out.extend(b"&gt;"),
            '"' => out.extend(b"&quot;"),
            '\'' => out.extend(b"&apos;"),
            '\t' => out.extend(b"&#9;"),
            '\n' => out.extend(b"&#10;"),
            '\r' => out.extend(b"&#13;"),
            '\u{0}'..'\u{20}' | '\u{fffe}' | '\u{ffff}' => out.extend("\u{fffd}".as_bytes()),
            _ => out.extend(it.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(document: &str) -> Result<Element, XmlFault> {
        Element::parse(document.as_bytes(), Limits::SMALL)
    }

    #[test]
    fn a_document_becomes_a_tree() {
        let text = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<!-- c --><a x='1' y=\"&lt;&#228;\">t&amp;<b/><n:c>ü<![CDATA[<&]]></n:c>u</a>\n";
        let tree = parse(text).unwrap();
        assert_eq!((tree.name.as_str(), tree.text.as_str()), ("a", "t&u"));
        assert_eq!(tree.attribute("y"), Some("<ä"));
        assert_eq!(tree.attribute("z"), None);
        assert_eq!(tree.child("c").unwrap().text, "ü<&");
        assert_eq!(tree.children.len(), 2);
    }

    #[test]
    fn what_is_not_a_whole_document_is_refused() {
        fn check(document: &str, expect: &str) {
            let fault = parse(document).unwrap_err().to_string();
            assert!(fault.contains(expect), "{document}: {fault}");
        }
        check("", "empty");
        check("text", "outside");
        check("<a>", "cut");
        check("<a><b/>", "cut");
        check("<a", "cut");
        check("<a></b>", "do not match");
        check("<a/><b/>", "follows");
        check("<a/>text", "outside");
        check("<a x='1' x='2'/>", "broken");
        check("<a>&#0;</a>", "broken");
        check("<a>&", "");
    }

    #[test]
    fn nothing_is_expanded() {
        fn check(document: &str, expect: &str) {
            let fault = parse(document).unwrap_err().to_string();
            assert!(fault.contains(expect), "{document}: {fault}");
        }
        check("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "document type");
        check(
            "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
            "document type",
        );
        check("<a>&b;</a>", "entity");
        check("<a x='&b;'/>", "entity");
        check("<?xml version='1.0' encoding='UTF-16'?><a/>", "encoding");
        let deep = "<a>".repeat(70) + &"</a>".repeat(70);
        check(&deep, "deep");
        let wide = format!("<a>{}</a>", "<b/>".repeat(10_001));
        check(&wide, "too many");
    }

    #[test]
    fn what_is_written_is_read_again() {
        for text in ["a", "<&>\"'", "ä\u{1f600}", "a\tb\nc\rd", " a "] {
            let mut out = b"<a x='".to_vec();
            write_text(text, &mut out);
            out.extend(b"'>");
            write_text(text, &mut out);
            out.extend(b"</a>");
            let tree = Element::parse(&out, Limits::SMALL).unwrap();
            assert_eq!(tree.attribute("x"), Some(text));
            assert_eq!(tree.text, text);
        }
        let mut out = Vec::new();
        write_text("a\u{0}\u{1b}b", &mut out);
        assert_eq!(out, "a\u{fffd}\u{fffd}b".as_bytes());
    }
}
