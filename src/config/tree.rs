//! The configuration file as a tree whose every node knows its place.
//!
//! Reading straight into types would end at the first fault, since that is how serde works. Here YAML is read first, as far
//! as it is YAML at all, and what is meant is read from the tree afterwards, as often as it takes to find every fault.

use std::cell::Cell;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::options::NonFiniteFloatPolicy;
use serde_yaml::{DuplicateKeyPolicy, Location, Spanned};

use super::problem::{Place, Problem, Severity};

/// Larger files are no configuration.
pub(super) const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Lists and mappings within one another.
const DEPTH_MAX: usize = 32;
/// Values in one file, what aliases repeat counted each time.
const NODES_MAX: usize = 200_000;
/// Values that aliases may repeat.
const REPEATED_MAX: usize = 20_000;

/// A value and where it stands.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) value: Value,
    fate: Cell<Fate>,
}

/// Whether a node counts in what is read from the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It does.
    Kept,
    /// It is at fault, and its problem is known.
    Faulty,
    /// It stands under a key that nobody knows, and that is known.
    UnknownKey,
}

#[derive(Debug)]
pub(super) enum Value {
    Nothing,
    Scalar(Scalar),
    List(Vec<Node>),
    Mapping(Vec<Entry>),
}

/// A single value: how it was written, and what YAML takes it for.
#[derive(Debug)]
pub(super) struct Scalar {
    pub(super) text: String,
    pub(super) guess: Guess,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Guess {
    Text,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
}

/// One key of a mapping with its value.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_place: Place,
    pub(super) node: Node,
}

impl Node {
    /// Leaves the node out from here on.
    pub(super) fn drop_as(&self, fate: Fate) {
        self.fate.set(fate);
    }

    pub(super) fn fate(&self) -> Fate {
        self.fate.get()
    }

    pub(super) fn is_kept(&self) -> bool {
        self.fate() == Fate::Kept
    }

    /// Whether nothing in it was left out.
    pub(super) fn is_whole(&self) -> bool {
        let mut entries = self.entries().iter();
        let mut items = self.items().iter();
        self.is_kept() && entries.all(|it| it.node.is_whole()) && items.all(Node::is_whole)
    }

    /// The entries of a mapping, dropped ones too; none if it is something else.
    pub(super) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list, dropped ones too; none if it is something else.
    pub(super) fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|it| it.key == key)
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(scalar) => Some(&scalar.text),
            _ => None,
        }
    }
}

/// Reads YAML. Keys that stand twice are reported in `problems`, and the first one counts.
///
/// # Errors
/// The problem for which the text is not YAML, or more of it than anybody writes.
pub(super) fn parse(
    text: &str,
    file: &str,
    problems: &mut Vec<Problem>,
) -> Result<Node, Box<Problem>> {
    let options = serde_yaml::options! {
        budget: serde_yaml::budget! { max_depth: DEPTH_MAX, max_nodes: NODES_MAX },
        alias_limits: serde_yaml::alias_limits! { max_total_replayed_events: REPEATED_MAX },
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        strict_booleans: true,
        with_snippet: false,
    };
    let raw: Spanned<Raw> = serde_yaml::from_str_with_options(text, options)
        .map_err(|fault| Box::new(not_yaml(file, &fault)))?;
    let mut planter = Planter {
        text,
        file,
        problems,
    };
    Ok(planter.node(raw, &mut Vec::new()))
}

fn not_yaml(file: &str, fault: &serde_yaml::Error) -> Problem {
    let formatter = serde_yaml::UserMessageFormatter;
    let what = fault.without_snippet().render_with_formatter(&formatter);
    // The place is said in our own way, once.
    let what = what.split(" at line ").next().unwrap_or(&what);
    Problem {
        place: fault.location().map(place),
        ..Problem::of_file(file, what.to_owned(), hint(what).map(str::to_owned))
    }
}

/// What mends the usual mistakes, by the parser's words for them.
fn hint(what: &str) -> Option<&'static str> {
    const HINTS: [(&str, &str); 9] = [
        (
            "unknown value",
            "put quotes around a value that begins with `*`: `schedule: \"*/15 * * * *\"`",
        ),
        (
            "anchor or alias",
            "put quotes around a value that begins with `*` or `&`: `schedule: \"* * * * *\"`",
        ),
        (
            "unexpected character",
            "put quotes around a value that begins with `@`, `%` or a backquote: `schedule: \"@hourly\"`",
        ),
        ("a tab", "YAML is indented with blanks, never with tabs"),
        (
            "mapping values are not allowed",
            "look at the line above, too: `key: value` needs a blank behind its colon, a value with `: ` in it needs quotes",
        ),
        (
            "quoted scalar",
            "a quote that was opened here or above is not closed",
        ),
        (
            "'-' indicator",
            "what belongs to one item of a list stands in one column",
        ),
        (
            "illegal placement of ':'",
            "look at the lines above, too: a `[` or `{` is not closed",
        ),
        ("multiple found", "take the `---` out"),
    ];
    let found = HINTS.iter().find(|it| what.contains(it.0));
    found.map(|it| it.1)
}

fn place(location: Location) -> Place {
    Place {
        line: location.line(),
        column: location.column(),
    }
}

/// What the YAML reader gives, before the spelling of numbers is looked up in the text.
enum Raw {
    Nothing,
    Text(String),
    Other(Guess),
    List(Vec<Spanned<Raw>>),
    Mapping(Vec<(Spanned<String>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Raw, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Nothing)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Other(Guess::Bool(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Other(Guess::Unsigned(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Other(Guess::Signed(value)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Other(Guess::Float(value)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Mapping(entries))
    }
}

/// Makes the tree of what was read.
struct Planter<'a> {
    text: &'a str,
    file: &'a str,
    problems: &'a mut Vec<Problem>,
}

impl Planter<'_> {
    fn node(&mut self, raw: Spanned<Raw>, path: &mut Vec<String>) -> Node {
        let value = match raw.value {
            Raw::Nothing => Value::Nothing,
            Raw::Text(text) => Value::Scalar(Scalar {
                text,
                guess: Guess::Text,
            }),
            Raw::Other(guess) => Value::Scalar(Scalar {
                text: self.spelling(&raw.defined, guess),
                guess,
            }),
            Raw::List(items) => {
                let items = items.into_iter().map(|it| self.node(it, path));
                Value::List(items.collect())
            }
            Raw::Mapping(entries) => Value::Mapping(self.entries(entries, path)),
        };
        Node {
            place: place(raw.defined),
            value,
            fate: Cell::new(Fate::Kept),
        }
    }

    fn entries(
        &mut self,
        raw: Vec<(Spanned<String>, Spanned<Raw>)>,
        path: &mut Vec<String>,
    ) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::with_capacity(raw.len());
        for (key, value) in raw {
            let key_place = place(key.defined);
            path.push(key.value);
            let node = self.node(value, path);
            let joined = path.join(".");
            let key = path.pop().unwrap_or_default();
            match entries.iter().find(|it| it.key == key) {
                Some(first) => self.problems.push(Problem {
                    severity: Severity::Error,
                    file: self.file.to_owned(),
                    place: Some(key_place),
                    path: joined,
                    what: format!(
                        "the key stands twice; first in line {}",
                        first.key_place.line
                    ),
                    hint: Some("put both into one, or take one away".to_owned()),
                }),
                None => entries.push(Entry {
                    key,
                    key_place,
                    node,
                }),
            }
        }
        entries
    }

    /// A number as it was written: `007` is a fine username.
    fn spelling(&self, location: &Location, guess: Guess) -> String {
        let span = location.span();
        let bytes = span.byte_offset().zip(span.byte_len());
        let written = bytes.and_then(|(from, length)| {
            let from = usize::try_from(from).ok()?;
            self.text.get(from..from + usize::try_from(length).ok()?)
        });
        match (written, guess) {
            (Some(written), _) => written.to_owned(),
            (None, Guess::Bool(value)) => value.to_string(),
            (None, Guess::Unsigned(value)) => value.to_string(),
            (None, Guess::Signed(value)) => value.to_string(),
            (None, Guess::Float(value)) => value.to_string(),
            (None, Guess::Text) => String::new(),
        }
    }
}
