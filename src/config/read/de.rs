//! The deserializer over the tree. It knows where it is, so that a fault knows too.

use std::cell::RefCell;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::super::problem::nearest;
use super::super::tree::{Entry, Fate, Guess, Node, Scalar, Value};
use super::SecretPlace;
use super::fault::Fault;
use super::trail::Trail;
use crate::secret::SECRET_REF;

type Secrets<'t> = RefCell<Vec<SecretPlace<'t>>>;

/// Reads one value of the tree.
pub(super) struct Reader<'t, 'a> {
    node: &'t Node,
    trail: &'a Trail<'a>,
    secrets: &'a Secrets<'t>,
}

impl<'t, 'a> Reader<'t, 'a> {
    pub(super) fn new(node: &'t Node, trail: &'a Trail<'a>, secrets: &'a Secrets<'t>) -> Self {
        Reader {
            node,
            trail,
            secrets,
        }
    }

    fn unexpected(&self, visitor: &dyn serde::de::Expected) -> Fault {
        let found = match &self.node.value {
            Value::Nothing => Unexpected::Unit,
            Value::List(_) => Unexpected::Seq,
            Value::Mapping(_) => Unexpected::Map,
            Value::Scalar(Scalar { text, guess }) => match *guess {
                Guess::Text => Unexpected::Str(text),
                Guess::Bool(value) => Unexpected::Bool(value),
                Guess::Unsigned(value) => Unexpected::Unsigned(value),
                Guess::Signed(value) => Unexpected::Signed(value),
                Guess::Float(value) => Unexpected::Float(value),
            },
        };
        Fault::invalid_type(found, visitor)
    }

    /// Notes the place of a secret, once in all rounds.
    fn note_secret(&self) {
        let mut secrets = self.secrets.borrow_mut();
        if !secrets.iter().any(|it| std::ptr::eq(it.node, self.node)) {
            secrets.push(SecretPlace {
                path: self.trail.to_string(),
                node: self.node,
                wanted: self.trail.is_wanted(),
            });
        }
    }

    /// Any single value may stand where a text is wanted: a user may well be called `007`.
    fn text<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.node.value {
            Value::Scalar(scalar) => visitor.visit_borrowed_str(&scalar.text),
            _ => Err(self.unexpected(&visitor)),
        }
    }

    fn seq<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Fault> {
        let Value::List(items) = &self.node.value else {
            return Err(self.unexpected(&visitor));
        };
        visitor.visit_seq(Items {
            rest: items.iter().enumerate(),
            reader: self,
        })
    }

    fn map<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Fault> {
        let Value::Mapping(entries) = &self.node.value else {
            return Err(self.unexpected(&visitor));
        };
        visitor.visit_map(Entries {
            rest: entries.iter(),
            current: None,
            reader: self,
        })
    }
}

impl<'t> Deserializer<'t> for Reader<'t, '_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.node.value {
            Value::Nothing => visitor.visit_unit(),
            Value::List(_) => self.seq(visitor),
            Value::Mapping(_) => self.map(visitor),
            Value::Scalar(Scalar { text, guess }) => match *guess {
                Guess::Text => visitor.visit_borrowed_str(text),
                Guess::Bool(value) => visitor.visit_bool(value),
                Guess::Unsigned(value) => visitor.visit_u64(value),
                Guess::Signed(value) => visitor.visit_i64(value),
                Guess::Float(value) => visitor.visit_f64(value),
            },
        }
    }

    fn deserialize_str<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.text(visitor)
    }

    fn deserialize_string<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.text(visitor)
    }

    fn deserialize_identifier<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.text(visitor)
    }

    fn deserialize_option<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.node.value {
            Value::Nothing => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'t>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        if name == SECRET_REF {
            self.note_secret();
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.seq(visitor)
    }

    fn deserialize_map<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.map(visitor)
    }

    fn deserialize_struct<V: Visitor<'t>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.map(visitor)
    }

    /// A word is a plain variant; `{ word: value }` is one that holds something.
    fn deserialize_enum<V: Visitor<'t>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match &self.node.value {
            Value::Scalar(scalar) => {
                visitor.visit_enum(StrDeserializer::<Fault>::new(&scalar.text))
            }
            Value::Mapping(entries) if entries.len() == 1 => visitor.visit_enum(Variant {
                entry: &entries[0],
                reader: self,
            }),
            _ => Err(self.unexpected(&visitor)),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        <W: Visitor<'t>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct
    }
}

/// The items of a list that are still to be read.
struct Items<'t, 'a> {
    rest: std::iter::Enumerate<std::slice::Iter<'t, Node>>,
    reader: Reader<'t, 'a>,
}

impl<'t> SeqAccess<'t> for Items<'t, '_> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'t>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Fault> {
        let Some((index, node)) = self.rest.find(|(_, node)| node.is_kept()) else {
            return Ok(None);
        };
        let trail = Trail::Item(self.reader.trail, index, node);
        let value = seed.deserialize(Reader::new(node, &trail, self.reader.secrets));
        value
            .map(Some)
            .map_err(|fault| drop_value(fault, node, &trail))
    }
}

/// The entries of a mapping that are still to be read.
struct Entries<'t, 'a> {
    rest: std::slice::Iter<'t, Entry>,
    current: Option<&'t Entry>,
    reader: Reader<'t, 'a>,
}

impl<'t> MapAccess<'t> for Entries<'t, '_> {
    type Error = Fault;

    fn next_key_seed<S: DeserializeSeed<'t>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Fault> {
        self.current = self.rest.find(|entry| entry.node.is_kept());
        let Some(entry) = self.current else {
            return Ok(None);
        };
        let key: StrDeserializer<'_, Fault> = entry.key.as_str().into_deserializer();
        seed.deserialize(key).map(Some).map_err(|mut fault| {
            entry.node.drop_as(Fate::UnknownKey);
            let trail = Trail::Key(self.reader.trail, &entry.key);
            fault.spot = Some((entry.key_place, trail.to_string()));
            fault
        })
    }

    fn next_value_seed<S: DeserializeSeed<'t>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        let Some(entry) = self.current else {
            return Err(Fault::custom("a value was asked for before its key"));
        };
        let trail = Trail::Key(self.reader.trail, &entry.key);
        let value = seed.deserialize(Reader::new(&entry.node, &trail, self.reader.secrets));
        value.map_err(|fault| drop_value(fault, &entry.node, &trail))
    }
}

/// `{ word: value }` as a variant of an enum.
struct Variant<'t, 'a> {
    entry: &'t Entry,
    reader: Reader<'t, 'a>,
}

impl<'t, 'a> EnumAccess<'t> for Variant<'t, 'a> {
    type Error = Fault;
    type Variant = Variant<'t, 'a>;

    fn variant_seed<S: DeserializeSeed<'t>>(self, seed: S) -> Result<(S::Value, Self), Fault> {
        let word: StrDeserializer<'_, Fault> = self.entry.key.as_str().into_deserializer();
        Ok((seed.deserialize(word)?, self))
    }
}

impl<'t> VariantAccess<'t> for Variant<'t, '_> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        Err(Fault::custom(format_args!(
            "`{}` takes no value: write the word alone",
            self.entry.key
        )))
    }

    fn newtype_variant_seed<S: DeserializeSeed<'t>>(self, seed: S) -> Result<S::Value, Fault> {
        let trail = Trail::Key(self.reader.trail, &self.entry.key);
        seed.deserialize(Reader::new(&self.entry.node, &trail, self.reader.secrets))
    }

    fn tuple_variant<V: Visitor<'t>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        let trail = Trail::Key(self.reader.trail, &self.entry.key);
        Reader::new(&self.entry.node, &trail, self.reader.secrets).seq(visitor)
    }

    fn struct_variant<V: Visitor<'t>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let trail = Trail::Key(self.reader.trail, &self.entry.key);
        Reader::new(&self.entry.node, &trail, self.reader.secrets).map(visitor)
    }
}

/// Says where the fault lies, unless a value further in said so, and drops the value there.
fn drop_value(mut fault: Fault, node: &Node, trail: &Trail<'_>) -> Fault {
    if fault.spot.is_none() {
        node.drop_as(Fate::Faulty);
        fault.known_already = fault.missing.is_some_and(|key| was_dropped(node, key));
        fault.spot = Some((node.place, trail.to_string()));
    }
    fault
}

/// Whether a key is missing only because it was reported before, perhaps under a slip of the pen.
fn was_dropped(node: &Node, key: &str) -> bool {
    let mut dropped = node.entries().iter().filter(|it| !it.node.is_kept());
    dropped.any(|it| nearest(&it.key, [key]).is_some())
}
