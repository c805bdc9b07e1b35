//! A value as it was given, before anybody asks whether it is of the right kind.
//!
//! A user with one field of the wrong type must not spoil the others, and serde ends at the first fault. So a record is first
//! taken as what it is and then asked for what is wanted.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// One value of YAML or JSON.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Given {
    Nothing,
    Flag(bool),
    /// A whole number, in decimal digits.
    Number(String),
    /// A number that is not whole, whose digits cannot be had.
    Fraction,
    Text(String),
    List(Vec<Given>),
    /// The fields in order, repeated ones too.
    Fields(Vec<(String, Given)>),
}

impl Given {
    /// The text, empty where there is nothing. Numbers are refused: `007` and `1e3` would come out as another text than was
    /// written.
    pub(super) fn text(self) -> Result<String, &'static str> {
        match self {
            Given::Nothing => Ok(String::new()),
            Given::Text(text) => Ok(text),
            Given::Number(_) | Given::Fraction => {
                Err("must be text, not a number; put it in quotes")
            }
            Given::Flag(_) => Err("must be text, not true or false; put it in quotes"),
            Given::List(_) | Given::Fields(_) => Err("must be text, not a list or a mapping"),
        }
    }

    /// The text of an id, which may well be a number: it is compared and never shown.
    pub(super) fn id(self) -> Result<String, &'static str> {
        match self {
            Given::Number(digits) => Ok(digits),
            other => other.text(),
        }
    }

    /// The texts of a list, empty where there is nothing.
    pub(super) fn texts(self) -> Result<Vec<String>, &'static str> {
        match self {
            Given::Nothing => Ok(Vec::new()),
            Given::List(items) => items
                .into_iter()
                .map(|it| match it.text() {
                    Ok(text) if !text.is_empty() => Ok(text),
                    Ok(_) => Err("must not hold empty items"),
                    Err(_) => Err("must be a list of texts; put numbers in quotes"),
                })
                .collect(),
            _ => Err("must be a list"),
        }
    }

    /// Yes or no; nothing where there is nothing.
    pub(super) fn flag(self) -> Result<Option<bool>, &'static str> {
        match self {
            Given::Nothing => Ok(None),
            Given::Flag(flag) => Ok(Some(flag)),
            Given::Text(text) => match text.to_ascii_lowercase().as_str() {
                "" => Ok(None),
                "true" | "yes" | "on" | "1" => Ok(Some(true)),
                "false" | "no" | "off" | "0" => Ok(Some(false)),
                _ => Err("must be true or false"),
            },
            _ => Err("must be true or false"),
        }
    }

    /// The values of a field that has no declared type: one scalar or a list of them.
    pub(super) fn values(self) -> Result<Vec<String>, &'static str> {
        match self {
            Given::Nothing => Ok(Vec::new()),
            Given::Flag(flag) => Ok(vec![flag.to_string()]),
            Given::Text(text) if text.is_empty() => Ok(Vec::new()),
            Given::Text(text) | Given::Number(text) => Ok(vec![text]),
            Given::List(items) => {
                let values: Result<Vec<_>, _> = items.into_iter().map(Given::values).collect();
                Ok(values?.concat())
            }
            Given::Fraction => Err("is not a whole number; put it in quotes"),
            Given::Fields(_) => Err("must not be a mapping"),
        }
    }
}

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(GivenVisitor)
    }
}

struct GivenVisitor;

impl<'de> Visitor<'de> for GivenVisitor {
    type Value = Given;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Given, E> {
        Ok(Given::Nothing)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Given, E> {
        Ok(Given::Flag(flag))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Given, E> {
        Ok(Given::Number(number.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Given, E> {
        Ok(Given::Number(number.to_string()))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Given, E> {
        Ok(Given::Fraction)
    }

    fn visit_str<E>(self, text: &str) -> Result<Given, E> {
        Ok(Given::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Given, E> {
        Ok(Given::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Given, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Given::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Given, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Given::Fields(fields))
    }
}
