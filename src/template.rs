//! Texts with placeholders that an administrator writes and a record fills: `{local}`, `{given_name} {family_name}`.
//!
//! A placeholder is the name of a field in braces, by itself or as a path with dots. `{{` and `}}` are the braces themselves.
//! Nothing else has a meaning: no blanks within the braces, no defaults, no functions. Which fields there are is known to
//! whoever fills the template, who asks for [`Template::fields`] once, when the configuration is checked.
//!
//! A field without a value fills no template. Half a username is somebody's name, too, and mostly somebody else's.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use thiserror::Error;

/// A text with placeholders.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Template {
    /// Never two texts beside one another, so that equal templates have equal parts.
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// Stands for itself.
    Text(String),
    /// Stands for the value of the field of this name.
    Field(String),
}

/// Why a text is no template. Places are counted in characters, from 1.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadTemplate {
    /// There is nothing in it.
    #[error("the template is empty: write a field in braces, like `{{local}}`")]
    Empty,
    /// A `{` that no `}` follows.
    #[error(
        "the `{{` at character {place} is never closed: write `}}` behind the name of the field, or `{{{{` for the character itself"
    )]
    Unclosed {
        /// Where the brace stands.
        place: usize,
    },
    /// A `}` without its `{`.
    #[error(
        "the `}}` at character {place} was never opened: write `{{` before the name of the field, or `}}}}` for the character itself"
    )]
    Unopened {
        /// Where the brace stands.
        place: usize,
    },
    /// Braces without a name in them.
    #[error(
        "nothing stands in the braces at character {place}: write the name of a field, like `{{local}}`"
    )]
    NoName {
        /// Where the opening brace stands.
        place: usize,
    },
    /// What stands in braces is no name of a field.
    #[error(
        "`{name}` in the braces at character {place} is no field: write its name without blanks, and one dot between two names"
    )]
    BadName {
        /// Where the opening brace stands.
        place: usize,
        /// What stands in the braces.
        name: String,
    },
}

/// A field that a template needs has no value. The values of others are not shown.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{field}` has no value")]
pub struct Missing {
    /// The field.
    pub field: String,
}

impl Template {
    /// The names of the fields, in the order of the text; one that stands twice is there twice.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Field(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// The text with the value of each field in its place. A value is never read as a template itself.
    ///
    /// # Errors
    /// [`Missing`] for the first field that `value_of` has no value for, or an empty one.
    pub fn fill<'v>(
        &self,
        value_of: impl Fn(&str) -> Option<Cow<'v, str>>,
    ) -> Result<String, Missing> {
        let mut filled = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Field(name) => {
                    let value = value_of(name).filter(|it| !it.is_empty());
                    let missing = || Missing {
                        field: name.clone(),
                    };
                    filled.push_str(&value.ok_or_else(missing)?);
                }
            }
        }
        Ok(filled)
    }
}

impl FromStr for Template {
    type Err = BadTemplate;

    fn from_str(text: &str) -> Result<Template, BadTemplate> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let place = text[..text.len() - rest.len() + at].chars().count() + 1;
            let brace = &rest[at..=at];
            literal.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            if let Some(behind) = rest.strip_prefix(brace) {
                literal.push_str(brace);
                rest = behind;
                continue;
            }
            if brace == "}" {
                return Err(BadTemplate::Unopened { place });
            }
            let end = rest.find(['{', '}']);
            let end = end.filter(|&it| rest[it..].starts_with('}'));
            let (name, behind) = rest.split_at(end.ok_or(BadTemplate::Unclosed { place })?);
            if !literal.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut literal)));
            }
            parts.push(Part::Field(field_name(name, place)?));
            rest = &behind[1..];
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Text(literal));
        }
        if parts.is_empty() {
            return Err(BadTemplate::Empty);
        }
        Ok(Template { parts })
    }
}

impl TryFrom<String> for Template {
    type Error = BadTemplate;

    fn try_from(text: String) -> Result<Template, BadTemplate> {
        text.parse()
    }
}

/// As it is written: reading this gives the same template.
impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                Part::Text(text) => f.write_str(&text.replace('{', "{{").replace('}', "}}"))?,
                Part::Field(name) => write!(f, "{{{name}}}")?,
            }
        }
        Ok(())
    }
}

/// The name that stands in the braces whose first one is at `place`.
fn field_name(name: &str, place: usize) -> Result<String, BadTemplate> {
    if name.is_empty() {
        return Err(BadTemplate::NoName { place });
    }
    let odd = |c: char| c.is_whitespace() || c.is_control();
    if name.contains(odd) || name.split('.').any(str::is_empty) {
        let name = name.to_owned();
        return Err(BadTemplate::BadName { place, name });
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn template(text: &str) -> Template {
        text.parse().unwrap()
    }

    /// The fields have their own names as values, in capitals; `none` has none, and that of `empty` is empty.
    fn fill(text: &str) -> Result<String, Missing> {
        template(text).fill(|name| match name {
            "none" => None,
            "empty" => Some("".into()),
            "braces" => Some("{local}".into()),
            name => Some(name.to_uppercase().into()),
        })
    }

    #[test]
    fn placeholders_give_way_to_values() {
        fn check(text: &str, expect: &str) {
            assert_eq!(fill(text).as_deref(), Ok(expect), "{text}");
        }
        check("{local}", "LOCAL");
        check("{local}@{domain}", "LOCAL@DOMAIN");
        check("{a}{a}", "AA");
        check("x-{schemas.Employee.login}-ü", "x-SCHEMAS.EMPLOYEE.LOGIN-ü");
        check("plain", "plain");
        check("{{local}}", "{local}");
        check("{{{local}}}", "{LOCAL}");
        check("{{}}{{", "{}{");
        check("a b", "a b");
        check("{braces}", "{local}");
    }

    #[test]
    fn a_field_without_a_value_fills_nothing() {
        fn check(text: &str, expect: &str) {
            let missing = fill(text).unwrap_err();
            assert_eq!(missing.field, expect, "{text}");
        }
        check("x{none}", "none");
        check("{local}{empty}", "empty");
        check("{empty}{none}", "empty");
    }

    #[test]
    fn the_fields_are_told_in_their_order() {
        let template = template("{b}{{x}}{a}-{b}");
        assert_eq!(template.fields().collect::<Vec<_>>(), ["b", "a", "b"]);
    }

    #[test]
    fn what_is_no_template_is_refused_at_its_place() {
        fn check(text: &str, expect: &str) {
            let fault = text.parse::<Template>().unwrap_err().to_string();
            assert!(fault.contains(expect), "{text}: {fault}");
        }
        check("", "is empty");
        check("ü{local", "`{` at character 2 is never closed");
        check("{a}{b{c}", "`{` at character 4 is never closed");
        check("{", "`{` at character 1 is never closed");
        check("{local}}", "`}` at character 8 was never opened");
        check("}", "`}` at character 1 was never opened");
        check("a{}", "braces at character 2");
        check("{ local }", "` local ` in the braces at character 1");
        check("x{a..b}", "`a..b` in the braces at character 2");
        check("{.a}", "`.a`");
        check("{a.}", "`a.`");
        check("{a\u{1b}}", "no field");
    }

    #[test]
    fn the_configuration_has_it_as_a_text() {
        let read: Template = serde_yaml::from_str("\"{local}\"").unwrap();
        assert_eq!(read, template("{local}"));
        let fault = serde_yaml::from_str::<Template>("\"{local\"").unwrap_err();
        assert!(fault.to_string().contains("at character 1"), "{fault}");
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_as_the_same(text in "[ab.{} ü]{0,12}") {
            if let Ok(template) = text.parse::<Template>() {
                prop_assert_eq!(template.to_string().parse(), Ok(template));
            }
        }
    }
}
