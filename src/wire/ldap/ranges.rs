//! Values that come in parts.
//!
//! Active Directory gives the first 1,500 values of an attribute and says so in its name, `member;range=0-1499`; the rest is
//! asked for by such names until one ends in `*` (MS-ADTS 3.1.1.3.1.3.3). A group of which a part is missing would look like one
//! that has lost members, so whatever is not exactly the part that was expected makes the group unknown.

/// The attribute of Active Directory that tells whether an entry changed between two parts: then a value may have moved up from
/// the part that is still missing into one that was taken, and would be in neither.
pub const VERSION: &str = "usnchanged";

/// A part of an attribute's values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<'a> {
    /// Which part; none if the name of the attribute does not say it in the one form that is known.
    pub range: Option<Range>,
    /// Its values.
    pub values: Vec<&'a [u8]>,
}

/// Which part of the values it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The first value, counted from 0.
    pub first: u64,
    /// The last value of a part that more follow; none in the last part.
    pub last: Option<u64>,
}

/// An attribute of a group of which more values must be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// The group, by its number among the records.
    pub group: u32,
    /// Its name on the server, as it came.
    pub dn: String,
    /// The attribute, in lower case.
    pub attribute: String,
    /// The first value that is missing.
    pub next: u64,
    /// The entry's [`VERSION`] when the first part came; empty where it shows none.
    pub version: Vec<u8>,
}

/// What a part leaves to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// The values from this one on are missing.
    From(u64),
    /// Nothing is missing.
    Nothing,
}

/// The part does not fit behind those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Misfit;

impl Cut {
    /// The attributes by which the missing values are asked for: `member;range=1500-*`, and the version if there is one.
    pub fn asked(&self) -> Vec<String> {
        let values = format!("{};range={}-*", self.attribute, self.next);
        let version = Some(VERSION.to_owned()).filter(|_| !self.version.is_empty());
        [values].into_iter().chain(version).collect()
    }
}

impl Part<'_> {
    /// What is missing after this part, if it is the one that begins with the value `expected` and holds as many values as it
    /// says.
    ///
    /// # Errors
    /// [`Misfit`].
    pub fn follow(&self, expected: u64) -> Result<Rest, Misfit> {
        let Range { first, last } = self.range.ok_or(Misfit)?;
        if first != expected {
            return Err(Misfit);
        }
        let Some(last) = last else {
            return Ok(Rest::Nothing);
        };
        let held = self.values.len() as u64;
        // A part that holds nothing would be asked for without end.
        if held == 0 || first.checked_add(held - 1) != Some(last) {
            return Err(Misfit);
        }
        last.checked_add(1).map(Rest::From).ok_or(Misfit)
    }
}

/// Whether a description may speak of a part: it has options.
pub fn may_describe(description: &[u8]) -> bool {
    description.contains(&b';')
}

/// Which part of the attribute `name` (lower case) a description speaks of; `None` if of no part of it.
pub fn described(description: &[u8], name: &str) -> Option<Option<Range>> {
    let mut parts = description.split(|byte| *byte == b';');
    let named = parts.next()?.eq_ignore_ascii_case(name.as_bytes());
    let options: Vec<&[u8]> = parts.collect();
    let ranged = |it: &&[u8]| it.to_ascii_lowercase().starts_with(b"range=");
    if !named || !options.iter().any(ranged) {
        return None;
    }
    match options.as_slice() {
        [only] => Some(range(&only["range=".len()..])),
        _ => Some(None),
    }
}

/// Reads `0-1499` or `1500-*`.
fn range(text: &[u8]) -> Option<Range> {
    let (first, last) = std::str::from_utf8(text).ok()?.split_once('-')?;
    let number = |text: &str| -> Option<u64> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| digits)
    };
    let first = number(first)?;
    let last = match last {
        "*" => None,
        last => Some(number(last).filter(|it| *it >= first)?),
    };
    Some(Range { first, last })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_known_by_the_name_of_its_attribute() {
        let slice = |first, last| Some(Some(Range { first, last }));
        for (description, expect) in [
            ("member;range=0-1499", slice(0, Some(1_499))),
            ("Member;Range=1500-*", slice(1_500, None)),
            ("member;range=7-7", slice(7, Some(7))),
            ("member", None),
            ("member;binary", None),
            ("members;range=0-1", None),
            ("member;range=", Some(None)),
            ("member;range=1", Some(None)),
            ("member;range=2-1", Some(None)),
            ("member;range=+0-1", Some(None)),
            ("member;range=0-99999999999999999999", Some(None)),
            ("member;lang-de;range=0-1", Some(None)),
            ("member;range=0-1;range=2-3", Some(None)),
        ] {
            assert_eq!(
                described(description.as_bytes(), "member"),
                expect,
                "{description}"
            );
        }
    }

    #[test]
    fn a_part_must_follow_the_one_before_it_and_hold_what_it_says() {
        let check = |range: Option<(u64, Option<u64>)>, held: usize, expected, expect| {
            let part = Part {
                range: range.map(|(first, last)| Range { first, last }),
                values: vec![&b"x"[..]; held],
            };
            assert_eq!(part.follow(expected), expect, "{range:?} {held}");
        };
        check(Some((0, Some(2))), 3, 0, Ok(Rest::From(3)));
        check(Some((3, None)), 5, 3, Ok(Rest::Nothing));
        check(Some((3, None)), 0, 3, Ok(Rest::Nothing));
        check(Some((0, Some(2))), 2, 0, Err(Misfit));
        check(Some((0, Some(2))), 3, 1, Err(Misfit));
        check(Some((4, None)), 1, 3, Err(Misfit));
        check(Some((3, Some(2))), 0, 3, Err(Misfit));
        check(Some((0, Some(u64::MAX))), 0, 0, Err(Misfit));
        check(None, 3, 0, Err(Misfit));
    }

    #[test]
    fn the_rest_is_asked_for_by_name() {
        let cut = Cut {
            group: 0,
            dn: "cn=a".to_owned(),
            attribute: "member".to_owned(),
            next: 1_500,
            version: Vec::new(),
        };
        assert_eq!(cut.asked(), ["member;range=1500-*"]);
        let version = b"7".to_vec();
        let cut = Cut { version, ..cut };
        assert_eq!(cut.asked(), ["member;range=1500-*", "usnchanged"]);
    }
}
