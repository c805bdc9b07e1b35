//! Crowd's query language: comparisons joined by `and` and `or`, with parentheses. `and` binds closer.
//!
//! Values stand bare or in quotes, where a backslash takes the next character as it is. A star at the beginning or the end of a
//! value stands for anything.

use super::{BadRestriction, Bounds, Match, Restriction};
use crate::text;

pub(super) fn read(query: &str) -> Result<Restriction, BadRestriction> {
    let mut reader = Reader {
        query,
        at: 0,
        bounds: Bounds::default(),
    };
    reader.skip_space();
    if reader.rest().is_empty() {
        return Ok(Restriction::All);
    }
    let restriction = reader.any_of()?;
    if reader.rest().is_empty() {
        return Ok(restriction);
    }
    Err(reader.fault("expected `and`, `or`, or the end"))
}

struct Reader<'a> {
    query: &'a str,
    at: usize,
    bounds: Bounds,
}

/// A value and whether a star stood at its ends.
#[derive(Default)]
struct Pattern {
    text: String,
    star_before: bool,
    star_after: bool,
}

impl<'a> Reader<'a> {
    fn any_of(&mut self) -> Result<Restriction, BadRestriction> {
        let mut any = vec![self.all_of()?];
        while self.word("or") {
            any.push(self.all_of()?);
        }
        Ok(joined(any, Restriction::Or))
    }

    fn all_of(&mut self) -> Result<Restriction, BadRestriction> {
        let mut all = vec![self.one()?];
        while self.word("and") {
            all.push(self.one()?);
        }
        Ok(joined(all, Restriction::And))
    }

    fn one(&mut self) -> Result<Restriction, BadRestriction> {
        self.bounds.enter()?;
        let one = if self.sign('(') {
            let inner = self.any_of()?;
            if !self.sign(')') {
                return Err(self.fault("expected `)`"));
            }
            inner
        } else {
            self.comparison()?
        };
        self.bounds.leave();
        Ok(one)
    }

    fn comparison(&mut self) -> Result<Restriction, BadRestriction> {
        let property = self.property()?;
        let sign = ['=', '<', '>'].into_iter().find(|it| self.sign(*it));
        let sign = sign.ok_or_else(|| self.fault("expected `=`, `<` or `>`"))?;
        let pattern = self.value()?;
        let mode = match (sign, pattern.star_before, pattern.star_after) {
            ('=', false, false) => Match::Exactly,
            ('=', false, true) => Match::StartsWith,
            ('=', true, false) => Match::EndsWith,
            ('=', true, true) => Match::Contains,
            ('<', false, false) => Match::LessThan,
            ('>', false, false) => Match::GreaterThan,
            _ => return Err(self.fault("a star means something after `=` only")),
        };
        Ok(Restriction::Property {
            property,
            mode,
            value: text::fold(&pattern.text),
        })
    }

    fn property(&mut self) -> Result<String, BadRestriction> {
        let of_name = |it: char| it.is_alphanumeric() || matches!(it, '.' | '_' | '-');
        let rest = self.rest();
        let length = rest.find(|it| !of_name(it)).unwrap_or(rest.len());
        if length == 0 {
            return Err(self.fault("expected the name of a property"));
        }
        self.at += length;
        self.skip_space();
        Ok(rest[..length].to_owned())
    }

    fn value(&mut self) -> Result<Pattern, BadRestriction> {
        let quote = self
            .rest()
            .chars()
            .next()
            .filter(|it| matches!(it, '"' | '\''));
        let pattern = match quote {
            Some(quote) => self.quoted(quote)?,
            None => self.bare()?,
        };
        self.skip_space();
        Ok(pattern)
    }

    fn quoted(&mut self, quote: char) -> Result<Pattern, BadRestriction> {
        let mut pattern = Pattern::default();
        self.at += 1;
        let mut chars = self.rest().chars();
        loop {
            match chars.next() {
                None => return Err(self.fault("the quotes are not closed")),
                Some(it) if it == quote => break,
                Some('\\') => match chars.next() {
                    Some(it) => self.literal(&mut pattern, it)?,
                    None => return Err(self.fault("the quotes are not closed")),
                },
                Some(it) => self.character(&mut pattern, it)?,
            }
        }
        self.at = self.query.len() - chars.as_str().len();
        Ok(pattern)
    }

    fn bare(&mut self) -> Result<Pattern, BadRestriction> {
        let rest = self.rest();
        let ends =
            |it: char| it.is_whitespace() || matches!(it, '(' | ')' | '"' | '\'' | '=' | '<' | '>');
        let length = rest.find(ends).unwrap_or(rest.len());
        if length == 0 {
            return Err(self.fault("expected a value"));
        }
        let mut pattern = Pattern::default();
        for it in rest[..length].chars() {
            self.character(&mut pattern, it)?;
        }
        self.at += length;
        Ok(pattern)
    }

    fn character(&self, pattern: &mut Pattern, it: char) -> Result<(), BadRestriction> {
        match it {
            '*' if pattern.text.is_empty() && !pattern.star_before => pattern.star_before = true,
            '*' => pattern.star_after = true,
            _ => self.literal(pattern, it)?,
        }
        Ok(())
    }

    fn literal(&self, pattern: &mut Pattern, it: char) -> Result<(), BadRestriction> {
        if pattern.star_after {
            return Err(
                self.fault("a star may stand at the beginning and at the end of a value only")
            );
        }
        pattern.text.push(it);
        Ok(())
    }

    /// Whether this sign comes next; then it is passed.
    fn sign(&mut self, sign: char) -> bool {
        let comes = self.rest().starts_with(sign);
        if comes {
            self.at += sign.len_utf8();
            self.skip_space();
        }
        comes
    }

    /// Whether this word comes next, in any case; then it is passed.
    fn word(&mut self, word: &str) -> bool {
        let rest = self.rest();
        let comes = rest
            .get(..word.len())
            .is_some_and(|it| it.eq_ignore_ascii_case(word));
        let ends = || rest[word.len()..].starts_with(|it: char| it.is_whitespace() || it == '(');
        let comes = comes && ends();
        if comes {
            self.at += word.len();
            self.skip_space();
        }
        comes
    }

    fn rest(&self) -> &'a str {
        &self.query[self.at..]
    }

    fn skip_space(&mut self) {
        self.at = self.query.len() - self.rest().trim_start().len();
    }

    fn fault(&self, what: &'static str) -> BadRestriction {
        BadRestriction::Query { at: self.at, what }
    }
}

fn joined(mut parts: Vec<Restriction>, join: fn(Vec<Restriction>) -> Restriction) -> Restriction {
    match parts.len() {
        1 => parts.remove(0),
        _ => join(parts),
    }
}
