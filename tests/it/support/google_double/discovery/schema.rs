//! Values and masks against the schemas of a document.

use serde_json::Value;

use super::super::mask::Mask;

/// All schemas of a document, by name.
#[derive(Clone, Copy)]
pub(super) struct Schemas<'a>(pub(super) &'a Value);

impl<'a> Schemas<'a> {
    /// What is wrong with a value that stands at `at`.
    pub(super) fn faults(self, schema: &'a Value, value: &Value, at: &str) -> Vec<String> {
        let schema = self.resolved(schema);
        let fault = |what: &str| vec![format!("{at} is {what}")];
        match (schema["type"].as_str().unwrap_or_default(), value) {
            ("any", _) | ("boolean", Value::Bool(_)) => Vec::new(),
            ("string", Value::String(text)) => match string_fault(schema, text) {
                Some(what) => fault(what),
                None => Vec::new(),
            },
            ("integer", Value::Number(number)) => {
                let fits = match schema["format"].as_str() {
                    Some("uint32") => number.as_u64().is_some_and(|it| u32::try_from(it).is_ok()),
                    _ => number.as_i64().is_some_and(|it| i32::try_from(it).is_ok()),
                };
                if fits { Vec::new() } else { fault("too large") }
            }
            ("array", Value::Array(items)) => {
                let items = items.iter().enumerate();
                let faults = items
                    .flat_map(|(n, it)| self.faults(&schema["items"], it, &format!("{at}[{n}]")));
                faults.collect()
            }
            ("object", Value::Object(fields)) => {
                let faults = fields.iter().flat_map(|(name, value)| {
                    let at = format!("{at}.{name}");
                    match field(schema, name) {
                        None => vec![format!("{at} is no field")],
                        Some(schema) => self.faults(schema, value, &at),
                    }
                });
                faults.collect()
            }
            (wanted, _) => fault(&format!("{value}, which is no {wanted}")),
        }
    }

    /// Which fields a mask names that there are not.
    pub(super) fn mask_faults(self, schema: &'a Value, mask: &Mask, at: &str) -> Vec<String> {
        let Mask::Only(fields) = mask else {
            return Vec::new();
        };
        let mut schema = self.resolved(schema);
        while schema["type"] == "array" {
            schema = self.resolved(&schema["items"]);
        }
        if schema["type"] == "any" {
            return Vec::new();
        }
        let faults = fields.iter().flat_map(|(name, inner)| {
            let at = format!("{at}.{name}");
            match field(schema, name) {
                Some(schema) => self.mask_faults(schema, inner, &at),
                None if name == "*" => Vec::new(),
                None => vec![format!("{at} is no field")],
            }
        });
        faults.collect()
    }

    fn resolved(self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            None => schema,
            Some(name) => &self.0[name],
        }
    }
}

fn field<'a>(schema: &'a Value, name: &str) -> Option<&'a Value> {
    schema["properties"]
        .get(name)
        .or(schema.get("additionalProperties"))
}

/// What a text is instead of what it should be.
fn string_fault(schema: &Value, text: &str) -> Option<&'static str> {
    match schema["format"].as_str() {
        Some("int64") if text.parse::<i64>().is_err() => Some("no number"),
        Some("date-time") if chrono::DateTime::parse_from_rfc3339(text).is_err() => {
            Some("no moment")
        }
        _ => None,
    }
}
