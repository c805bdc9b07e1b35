//! The `fields` parameter: which parts of an answer are wanted. `a,b(c,d/e),f/*`.

use std::collections::BTreeMap;

use serde_json::Value;

/// What is wanted of a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Mask {
    #[default]
    All,
    Only(BTreeMap<String, Mask>),
}

impl Mask {
    /// Reads one; what is wrong with it otherwise.
    pub(super) fn read(text: &str) -> Result<Mask, String> {
        let mut reader = Reader { rest: text };
        let mask = reader.list()?;
        if reader.rest.is_empty() {
            Ok(mask)
        } else {
            Err(format!("`{}` does not belong here", reader.rest))
        }
    }

    /// What is wanted of a field; nothing if that is `None`.
    pub(super) fn of(&self, field: &str) -> Option<&Mask> {
        match self {
            Mask::All => Some(&Mask::All),
            Mask::Only(fields) => fields.get(field).or(fields.get("*")),
        }
    }

    /// A value without what is not wanted. A mask goes through lists.
    pub(super) fn cut(&self, value: Value) -> Value {
        match (self, value) {
            (Mask::All, value) => value,
            (mask, Value::Array(items)) => {
                Value::Array(items.into_iter().map(|it| mask.cut(it)).collect())
            }
            (mask, Value::Object(fields)) => {
                let wanted = fields.into_iter().filter_map(|(name, value)| {
                    let inner = mask.of(&name)?;
                    Some((name, inner.cut(value)))
                });
                Value::Object(wanted.collect())
            }
            (Mask::Only(_), value) => value,
        }
    }

    fn join(&mut self, other: Mask) {
        match (&mut *self, other) {
            (Mask::Only(own), Mask::Only(others)) => {
                for (name, mask) in others {
                    match own.get_mut(&name) {
                        Some(it) => it.join(mask),
                        None => {
                            own.insert(name, mask);
                        }
                    }
                }
            }
            _ => *self = Mask::All,
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn list(&mut self) -> Result<Mask, String> {
        let mut mask = Mask::Only(BTreeMap::new());
        loop {
            mask.join(self.item()?);
            if !self.skip(',') {
                return Ok(mask);
            }
        }
    }

    fn item(&mut self) -> Result<Mask, String> {
        let end = self.rest.find([',', '(', ')', '/']);
        let (name, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        if name.is_empty() {
            return Err(format!("a name is missing before `{rest}`"));
        }
        self.rest = rest;
        let inner = if self.skip('/') {
            self.item()?
        } else if self.skip('(') {
            let list = self.list()?;
            if !self.skip(')') {
                return Err("a bracket is not closed".to_owned());
            }
            list
        } else {
            Mask::All
        };
        Ok(Mask::Only(BTreeMap::from([(name.to_owned(), inner)])))
    }

    fn skip(&mut self, one: char) -> bool {
        let rest = self.rest.strip_prefix(one);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }
}
