//! Restrictions as JSON and as XML, which say the same things.

use serde_json::Value;

use super::{BadRestriction, Bounds, Match, Restriction};
use crate::text;
use crate::wire::crowd::json;
use crate::wire::crowd::xml::{Element, Limits};

pub(super) fn from_json(body: &[u8]) -> Result<Restriction, BadRestriction> {
    of_value(&json::parse(body)?, &mut Bounds::default())
}

pub(super) fn from_xml(body: &[u8]) -> Result<Restriction, BadRestriction> {
    of_element(
        &Element::parse(body, Limits::SMALL)?,
        &mut Bounds::default(),
    )
}

fn of_value(value: &Value, bounds: &mut Bounds) -> Result<Restriction, BadRestriction> {
    bounds.enter()?;
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let kind = text("restriction-type");
    let restriction = match kind.ok_or(BadRestriction::Senseless("has no `restriction-type`"))? {
        "null-search-restriction" => Restriction::All,
        "boolean-search-restriction" => {
            let parts = value.get("restrictions").and_then(Value::as_array);
            let parts = parts.ok_or(BadRestriction::Senseless("has no `restrictions`"))?;
            let parts = parts.iter().map(|it| of_value(it, bounds));
            join(text("boolean-logic"), parts.collect::<Result<_, _>>()?)?
        }
        "property-search-restriction" => {
            let name = value.get("property").and_then(|it| it.get("name"));
            let value = match value.get("value") {
                Some(Value::String(text)) => Some(text.clone()),
                Some(it @ (Value::Bool(_) | Value::Number(_))) => Some(it.to_string()),
                _ => None,
            };
            property(name.and_then(Value::as_str), text("match-mode"), value)?
        }
        _ => {
            return Err(BadRestriction::Senseless(
                "is of an unknown `restriction-type`",
            ));
        }
    };
    bounds.leave();
    Ok(restriction)
}

fn of_element(element: &Element, bounds: &mut Bounds) -> Result<Restriction, BadRestriction> {
    bounds.enter()?;
    let text = |name: &str| element.child(name).map(|it| it.text.as_str());
    let restriction = match element.name.as_str() {
        "null-search-restriction" => Restriction::All,
        "boolean-search-restriction" => {
            let parts = element.child("restrictions");
            let parts = parts.ok_or(BadRestriction::Senseless("has no `restrictions`"))?;
            let parts = parts.children.iter().map(|it| of_element(it, bounds));
            let logic = element.attribute("boolean-logic").or(text("boolean-logic"));
            join(logic, parts.collect::<Result<_, _>>()?)?
        }
        "property-search-restriction" => {
            let name = element.child("property").and_then(|it| it.child("name"));
            let name = name.map(|it| it.text.trim());
            property(name, text("match-mode"), text("value").map(str::to_owned))?
        }
        _ => {
            return Err(BadRestriction::Senseless(
                "is an element of an unknown name",
            ));
        }
    };
    bounds.leave();
    Ok(restriction)
}

fn join(logic: Option<&str>, parts: Vec<Restriction>) -> Result<Restriction, BadRestriction> {
    // Nothing to fit would be everybody to one reader and nobody to another.
    if parts.is_empty() {
        return Err(BadRestriction::Senseless("joins nothing"));
    }
    match logic.map(str::trim) {
        Some(it) if it.eq_ignore_ascii_case("and") => Ok(Restriction::And(parts)),
        Some(it) if it.eq_ignore_ascii_case("or") => Ok(Restriction::Or(parts)),
        _ => Err(BadRestriction::Senseless(
            "has a `boolean-logic` that is neither `and` nor `or`",
        )),
    }
}

fn property(
    name: Option<&str>,
    mode: Option<&str>,
    value: Option<String>,
) -> Result<Restriction, BadRestriction> {
    let name = name.filter(|it| !it.is_empty());
    let mode = match mode.map(str::trim) {
        Some("EXACTLY_MATCHES") => Match::Exactly,
        Some("STARTS_WITH") => Match::StartsWith,
        Some("ENDS_WITH") => Match::EndsWith,
        Some("CONTAINS") => Match::Contains,
        Some("LESS_THAN") => Match::LessThan,
        Some("GREATER_THAN") => Match::GreaterThan,
        _ => return Err(BadRestriction::Senseless("has an unknown `match-mode`")),
    };
    Ok(Restriction::Property {
        property: name
            .ok_or(BadRestriction::Senseless("names no property"))?
            .to_owned(),
        mode,
        value: text::fold(&value.ok_or(BadRestriction::Senseless("has no value"))?),
    })
}
