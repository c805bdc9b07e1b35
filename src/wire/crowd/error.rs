//! The body of an answer that refuses: `{"reason": …, "message": …}` or `<error><reason/><message/></error>`.
//!
//! Not every refusal has one: a wrong application password often gets plain text, an address that is not allowed gets a web
//! page. So reading gives `None` for anything else, and callers decide by the status then.

use serde::Deserialize;

use super::json::{Loose, parse_object};
use super::xml::{Element, Limits};

/// Why a request was refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorBody {
    /// A word of an open set, like `USER_NOT_FOUND`.
    pub reason: String,
    /// For people; may hold names.
    pub message: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Raw {
    reason: Loose,
    message: Loose,
}

impl ErrorBody {
    /// An error with this reason and message.
    pub fn new(reason: &str, message: &str) -> Self {
        ErrorBody {
            reason: reason.to_owned(),
            message: message.to_owned(),
        }
    }

    /// Reads JSON or XML, whichever it is; `None` where it is neither, or names no reason.
    pub fn read(body: &[u8]) -> Option<ErrorBody> {
        let first = body.iter().find(|it| !it.is_ascii_whitespace())?;
        let read = match first {
            b'{' => ErrorBody::read_json(body),
            b'<' | 0xef => ErrorBody::read_xml(body),
            _ => None,
        };
        read.filter(|it| !it.reason.is_empty())
    }

    fn read_json(body: &[u8]) -> Option<ErrorBody> {
        let Raw { reason, message } = parse_object(body).ok()?;
        Some(ErrorBody {
            reason: reason.into_text().ok()?,
            message: message.into_text().unwrap_or_default(),
        })
    }

    fn read_xml(body: &[u8]) -> Option<ErrorBody> {
        let root = Element::parse(body, Limits::SMALL).ok()?;
        let text = |name: &str| root.child(name).map(|it| it.text.trim().to_owned());
        (root.name == "error").then_some(ErrorBody {
            reason: text("reason")?,
            message: text("message").unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_read_in_both_formats_and_nothing_else_is_one() {
        fn check(body: &str, expect: Option<(&str, &str)>) {
            let expect = expect.map(|it| ErrorBody::new(it.0, it.1));
            assert_eq!(ErrorBody::read(body.as_bytes()), expect, "{body}");
        }
        let both = Some(("USER_NOT_FOUND", "who?"));
        check(r#"{"reason":"USER_NOT_FOUND","message":"who?"}"#, both);
        check(
            "<?xml version=\"1.0\"?>\n<error><reason>USER_NOT_FOUND</reason><message>who?</message></error>",
            both,
        );
        check(
            r#" {"reason":"X","message":null,"more":[1]}"#,
            Some(("X", "")),
        );
        check("<error><reason> X\n</reason></error>", Some(("X", "")));
        check("<html><head><title>Forbidden</title></head></html>", None);
        check("<error><message>m</message></error>", None);
        check(r#"{"message":"m"}"#, None);
        check(r#"{"reason":7}"#, None);
        check("Application failed to authenticate", None);
        check("", None);
    }
}
