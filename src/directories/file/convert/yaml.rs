//! YAML and JSON, which is YAML: `users` and `groups`, each a list of mappings.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_yaml::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};
use serde_yaml::{Options, Spanned, UserMessageFormatter};

use super::given::Given;
use super::people::People;
use super::{Converted, Form, near};

/// Values that aliases may repeat; an alias bomb ends here.
const REPEATED_MAX: usize = 10_000_000;

/// Lists and mappings within one another; a user's group list is the fourth.
const DEPTH_MAX: usize = 16;

const DOCUMENT_KEYS: [&str; 2] = ["users", "groups"];

/// Reads a document, record by record, so that a large file is in memory once.
pub(super) fn convert(text: &str, form: &Form) -> Result<Converted, String> {
    let mut people = People::new(form);
    let read = serde_yaml::with_deserializer_from_str_with_options(text, options(), |document| {
        Document(&mut people).deserialize(document)
    });
    match read {
        Ok(()) => Ok(people.finish()),
        Err(fault) => Err(describe(&fault)),
    }
}

/// What is wrong and where, on one line and without the snippet, which would show values.
fn describe(fault: &serde_yaml::Error) -> String {
    let text = fault
        .without_snippet()
        .render_with_formatter(&UserMessageFormatter);
    // The place is said in our own way, once; the rest in the words of who writes such a file.
    let text = text.split(" at line ").next().unwrap_or(&text);
    let text = match text {
        "expected sequence start" => "a list must stand here",
        "expected mapping start" => "a mapping must stand here",
        other => other,
    };
    match fault.location() {
        Some(place) => format!("line {}: {text}", place.line()),
        None => text.to_owned(),
    }
}

/// The file is the administrator's own and its size is limited already, so only what grows without bound when it is read
/// is limited here.
fn options() -> Options {
    serde_yaml::options! {
        budget: serde_yaml::budget! {
            max_depth: DEPTH_MAX,
            max_events: usize::MAX,
            max_nodes: usize::MAX,
            max_total_scalar_bytes: usize::MAX,
            max_aliases: usize::MAX,
            max_anchors: usize::MAX,
            max_merge_keys: usize::MAX,
            max_recorded_anchor_events: REPEATED_MAX,
            enforce_alias_anchor_ratio: false,
        },
        alias_limits: serde_yaml::alias_limits! { max_total_replayed_events: REPEATED_MAX },
        // A user with two usernames is a bad record, not a bad file.
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        // `no` is a username before it is a truth value.
        strict_booleans: true,
        with_snippet: false,
    }
}

/// The whole document.
struct Document<'p, 'f>(&'p mut People<'f>);

/// The list behind one key of the document.
struct List<'p, 'f> {
    people: &'p mut People<'f>,
    take: fn(&mut People<'f>, u64, Given),
}

impl<'de> DeserializeSeed<'de> for Document<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Document<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping with `users` and `groups`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = Vec::new();
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            let line = key.referenced.line();
            let key = key.value;
            let take = match key.as_str() {
                "users" => People::user,
                "groups" => People::group,
                _ => {
                    let hint = near(&key, &DOCUMENT_KEYS).unwrap_or_default();
                    let why = format!("line {line}: unknown key `{key}`{hint}");
                    return Err(A::Error::custom(why));
                }
            };
            if seen.contains(&key) {
                return Err(A::Error::custom(format!(
                    "line {line}: `{key}` stands twice"
                )));
            }
            map.next_value_seed(List {
                people: self.0,
                take,
            })?;
            seen.push(key);
        }
        if !seen.iter().any(|key| key == "users") {
            return Err(A::Error::custom(
                "`users` is missing; where there are none, write `users: []`",
            ));
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for List<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(record) = list.next_element::<Spanned<Given>>()? {
            (self.take)(self.people, record.referenced.line(), record.value);
        }
        Ok(())
    }
}
