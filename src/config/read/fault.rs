//! What serde complains about, in the words of somebody who writes YAML.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

use super::super::problem::{list, nearest};
use super::Spot;

/// Keys that later versions have: who writes one of them means it.
const LATER: [&str; 6] = [
    "attributes",
    "bitbucket",
    "confluence",
    "invite",
    "jira",
    "scim",
];
/// More known keys than this help nobody in a message.
const LISTED_MAX: usize = 12;

/// A value that cannot be read.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) what: String,
    pub(super) hint: Option<String>,
    /// Where; filled in by the innermost value that can be dropped.
    pub(super) spot: Option<Spot>,
    /// The key whose absence is the fault.
    pub(super) missing: Option<&'static str>,
    /// It follows from what was reported before.
    pub(super) known_already: bool,
}

impl Fault {
    fn new(what: String, hint: Option<String>) -> Fault {
        Fault {
            what,
            hint,
            spot: None,
            missing: None,
            known_already: false,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Fault {
        Fault::new(message.to_string(), None)
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Fault {
        let expected = in_yaml(&expected.to_string());
        let hint = match found {
            Unexpected::Unit => Some("give it a value, or leave the key out".to_owned()),
            _ if expected.starts_with("a list") && !matches!(found, Unexpected::Map) => {
                Some("put it in brackets: `[…]`".to_owned())
            }
            Unexpected::Bool(_) | Unexpected::Unsigned(_) | Unexpected::Signed(_)
                if expected == "a text" =>
            {
                Some("put it in quotes".to_owned())
            }
            _ => None,
        };
        Fault::new(
            format!("expected {expected}, found {}", kind_of(found)),
            hint,
        )
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Fault {
        let expected = in_yaml(&expected.to_string());
        Fault::new(
            format!("expected {expected}, found {}", kind_of(found)),
            None,
        )
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Fault {
        let expected = in_yaml(&expected.to_string());
        Fault::new(format!("expected {expected}, found {length} items"), None)
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Fault {
        let words = expected.iter().copied();
        let hint = nearest(variant, words.clone()).map(|it| format!("did you mean `{it}`?"));
        Fault::new(format!("`{variant}` is none of {}", list(words)), hint)
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Fault {
        let words = expected.iter().copied();
        let hint = match nearest(field, words.clone()) {
            _ if LATER.contains(&field) => "this version does not have it".to_owned(),
            Some(word) => format!("did you mean `{word}`?"),
            None if expected.len() <= LISTED_MAX => format!("known here: {}", list(words)),
            None => "docs/options.md lists what is known here".to_owned(),
        };
        Fault::new(format!("unknown key `{field}`"), Some(hint))
    }

    fn missing_field(field: &'static str) -> Fault {
        Fault {
            missing: Some(field),
            ..Fault::new(format!("`{field}` is missing"), None)
        }
    }

    fn duplicate_field(field: &'static str) -> Fault {
        Fault::new(format!("`{field}` stands twice"), None)
    }
}

/// What was found. Texts are not repeated: one in the wrong place may be a secret.
fn kind_of(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Unit | Unexpected::Option => "nothing".to_owned(),
        Unexpected::Bool(value) => format!("`{value}`"),
        Unexpected::Unsigned(value) => format!("`{value}`"),
        Unexpected::Signed(value) => format!("`{value}`"),
        Unexpected::Float(value) => format!("`{value}`"),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map | Unexpected::StructVariant => "a mapping".to_owned(),
        Unexpected::Str(_) | Unexpected::Char(_) | Unexpected::Bytes(_) => "a text".to_owned(),
        _ => "something else".to_owned(),
    }
}

/// What serde's own types say that they expect, in the words of YAML.
fn in_yaml(expected: &str) -> String {
    let words = match expected {
        "a map" => "a mapping",
        "a sequence" => "a list",
        "a string" | "path string" => "a text",
        "a boolean" => "`true` or `false`",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, not negative",
        "i8" | "i16" | "i32" | "i64" => "a whole number",
        _ if expected.starts_with("struct ") => "a mapping",
        _ if expected.starts_with("enum ") || expected == "variant identifier" => "one word",
        other => other,
    };
    words.to_owned()
}
