//! One object of Google's, as it came.

use serde::Deserialize;
use serde_json::{Map, Value};

/// An object whose members are asked for by name. What is missing or of another type than was asked for is not there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Object(Map<String, Value>);

impl Object {
    /// A value as the object that it should be; anything else is an object without members.
    pub fn of(value: Value) -> Object {
        match value {
            Value::Object(map) => Object(map),
            _ => Object::default(),
        }
    }

    /// A text; empty where there is none.
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// A text in an object in this one; empty where there is none.
    pub fn text_in(&self, outer: &str, name: &str) -> &str {
        let inner = self.0.get(outer).and_then(|it| it.get(name));
        inner.and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether something is so, where the object says it.
    pub fn flag(&self, name: &str) -> Option<bool> {
        self.0.get(name).and_then(Value::as_bool)
    }

    /// Every value at a path of names with dots between them, as text; those of lists one by one. Of an object at the end of
    /// the path its `value` counts, since that is how Google keeps what there may be several of: `externalIds`,
    /// `customSchemas.Employee.number`.
    pub fn values(&self, path: &str) -> Vec<String> {
        let mut names = path.split('.');
        let mut found: Vec<&Value> = names
            .next()
            .and_then(|it| self.0.get(it))
            .into_iter()
            .flat_map(each)
            .collect();
        for name in names {
            let inner = found.into_iter().filter_map(|it| it.get(name));
            found = inner.flat_map(each).collect();
        }
        found.into_iter().filter_map(shown).collect()
    }
}

/// The items of a list, or the one thing that is no list.
fn each(value: &Value) -> impl Iterator<Item = &Value> {
    let items: &[Value] = match value {
        Value::Array(items) => items,
        one => std::slice::from_ref(one),
    };
    items.iter()
}

fn shown(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Object(map) => map
            .get("value")
            .filter(|it| !it.is_object())
            .and_then(shown),
        Value::Null | Value::Array(_) => None,
    }
}
