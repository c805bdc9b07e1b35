//! Whom a search looks for: Crowd's query language, and the same as JSON and as XML.
//!
//! All three become one tree, bounded in depth and number, since strangers write them. Text is compared folded, as names are.

mod cql;
mod tree;

use std::borrow::Cow;

use super::entity::{Attribute, Group, User};
use super::json::JsonFault;
use super::xml::XmlFault;
use crate::text;

/// The most restrictions within one another.
const DEPTH_MAX: usize = 32;
/// The most restrictions altogether.
const COUNT_MAX: usize = 1_000;
/// The longest text that is read, in bytes.
const LENGTH_MAX: usize = 64 * 1024;

/// Whom a search looks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Restriction {
    /// Everybody.
    All,
    /// Whoever every one of these fits.
    And(Vec<Restriction>),
    /// Whoever one of these fits.
    Or(Vec<Restriction>),
    /// Whoever has a value of this property that matches.
    Property {
        /// `name`, `email`, `firstName`, `lastName`, `displayName`, `description`, `active`, a date, or a further attribute.
        property: String,
        /// How it is compared.
        mode: Match,
        /// With what; folded.
        value: String,
    },
}

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// It is the same.
    Exactly,
    /// It begins so.
    StartsWith,
    /// It ends so.
    EndsWith,
    /// It holds it.
    Contains,
    /// It is less, or an earlier date.
    LessThan,
    /// It is greater, or a later date.
    GreaterThan,
}

/// Why a restriction is refused. The texts quote nothing but words of the language.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRestriction {
    /// It is no JSON.
    #[error(transparent)]
    Json(#[from] JsonFault),
    /// It is no XML.
    #[error(transparent)]
    Xml(#[from] XmlFault),
    /// It is a restriction of no known kind, or lacks something.
    #[error("the restriction {0}")]
    Senseless(&'static str),
    /// The query breaks the rules of the language.
    #[error("the query makes no sense at byte {at}: {what}")]
    Query {
        /// Where, in bytes from its beginning.
        at: usize,
        /// What is wrong there.
        what: &'static str,
    },
    /// It is too large.
    #[error(
        "the restriction is too large: at most {DEPTH_MAX} within one another, {COUNT_MAX} and {LENGTH_MAX} bytes in all"
    )]
    TooLarge,
}

/// Whatever a search finds.
pub trait Searched {
    /// The values of a property, by the name that queries use: `name`, `firstName`, or that of a further attribute. A flag is
    /// `true` or `false`. Empty for what is not known.
    fn values<'a>(&'a self, property: &str) -> Vec<Cow<'a, str>>;
}

impl Restriction {
    /// Reads Crowd's query language: `firstName = "A*" and (email = *@x or active = false)`. An empty query means everybody.
    ///
    /// # Errors
    /// [`BadRestriction`].
    pub fn from_cql(query: &str) -> Result<Restriction, BadRestriction> {
        check_length(query.len())?;
        cql::read(query)
    }

    /// Reads a restriction as JSON.
    ///
    /// # Errors
    /// [`BadRestriction`].
    pub fn from_json(body: &[u8]) -> Result<Restriction, BadRestriction> {
        check_length(body.len())?;
        tree::from_json(body)
    }

    /// Reads a restriction as XML.
    ///
    /// # Errors
    /// [`BadRestriction`].
    pub fn from_xml(body: &[u8]) -> Result<Restriction, BadRestriction> {
        check_length(body.len())?;
        tree::from_xml(body)
    }

    /// Whether it asks for a property anywhere.
    pub fn asks_for(&self, wanted: &str) -> bool {
        match self {
            Restriction::All => false,
            Restriction::And(some) | Restriction::Or(some) => {
                some.iter().any(|it| it.asks_for(wanted))
            }
            Restriction::Property { property, .. } => property.eq_ignore_ascii_case(wanted),
        }
    }

    /// Whether it fits somebody.
    pub fn matches(&self, who: &impl Searched) -> bool {
        match self {
            Restriction::All => true,
            Restriction::And(all) => all.iter().all(|it| it.matches(who)),
            Restriction::Or(any) => any.iter().any(|it| it.matches(who)),
            Restriction::Property {
                property,
                mode,
                value,
            } => {
                let values = who.values(property);
                values.iter().any(|it| mode.fits(&text::folded(it), value))
            }
        }
    }
}

impl Match {
    fn fits(self, has: &str, wanted: &str) -> bool {
        match self {
            Match::Exactly => has == wanted,
            Match::StartsWith => has.starts_with(wanted),
            Match::EndsWith => has.ends_with(wanted),
            Match::Contains => has.contains(wanted),
            Match::LessThan => has < wanted,
            Match::GreaterThan => has > wanted,
        }
    }
}

impl Searched for User {
    fn values<'a>(&'a self, property: &str) -> Vec<Cow<'a, str>> {
        let field = match property {
            "name" => &self.name,
            "email" => &self.email,
            "firstName" => &self.first_name,
            "lastName" => &self.last_name,
            "displayName" => &self.display_name,
            "active" => return flag(self.active),
            other => return attribute(&self.attributes, other),
        };
        vec![Cow::Borrowed(field)]
    }
}

impl Searched for Group {
    fn values<'a>(&'a self, property: &str) -> Vec<Cow<'a, str>> {
        let field = match property {
            "name" => &self.name,
            "description" => &self.description,
            "active" => return flag(self.active),
            other => return attribute(&self.attributes, other),
        };
        vec![Cow::Borrowed(field)]
    }
}

fn flag(active: Option<bool>) -> Vec<Cow<'static, str>> {
    let text = |active| Cow::Borrowed(if active { "true" } else { "false" });
    active.map(text).into_iter().collect()
}

fn attribute<'a>(attributes: &'a [Attribute], name: &str) -> Vec<Cow<'a, str>> {
    let named = attributes.iter().filter(|it| it.0 == name);
    named
        .flat_map(|it| &it.1)
        .map(|it| Cow::Borrowed(it.as_str()))
        .collect()
}

fn check_length(length: usize) -> Result<(), BadRestriction> {
    if length > LENGTH_MAX {
        return Err(BadRestriction::TooLarge);
    }
    Ok(())
}

/// Counts what is read, so that it stays bounded.
#[derive(Debug, Default)]
struct Bounds {
    depth: usize,
    count: usize,
}

impl Bounds {
    fn enter(&mut self) -> Result<(), BadRestriction> {
        self.depth += 1;
        self.count += 1;
        if self.depth > DEPTH_MAX || self.count > COUNT_MAX {
            return Err(BadRestriction::TooLarge);
        }
        Ok(())
    }

    fn leave(&mut self) {
        self.depth -= 1;
    }
}

#[cfg(test)]
mod tests;
