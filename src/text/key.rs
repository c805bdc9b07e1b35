//! The key under which a username or a group name is compared.
//!
//! Two directories seldom agree on the spelling of one name: one says `Jürgen` with a composed letter, the
//! other `jürgen` with a combining mark. The key makes them equal; the spelling itself is kept elsewhere,
//! because it is what applications are shown.

use std::borrow::Cow;

use thiserror::Error;
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// The most bytes that a name, and its key, may have: what the narrowest common user tables hold.
pub const NAME_BYTES_MAX: usize = 255;

/// Why a name cannot be the name of a user or of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NameFault {
    /// There is no name at all.
    #[error("the name is empty")]
    Empty,
    /// The name or its key is longer than [`NAME_BYTES_MAX`].
    #[error("the name takes {bytes} bytes, more than {NAME_BYTES_MAX}")]
    TooLong {
        /// Length of the longer of name and key, in bytes of UTF-8.
        bytes: usize,
    },
    /// The name holds a control character, a line separator or a paragraph separator.
    #[error("the name holds a control character or a line break")]
    ControlCharacter,
    /// The name begins or ends with Unicode white space.
    #[error("the name begins or ends with white space")]
    SurroundingWhitespace,
}

/// Folds a text for comparison: Unicode form NFC, then lower case by the Unicode default mapping, without
/// the rules of any one language.
///
/// Folding twice gives what folding once gives. Lower-casing can leave a sequence that has a composed form
/// (`J` with caron has none, `ǰ` is one letter), hence the second composition.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    compose(compose(text.to_owned()).to_lowercase())
}

/// As [`fold`], without a copy where the text is folded already.
pub fn folded(text: &str) -> Cow<'_, str> {
    if text
        .bytes()
        .all(|it| it.is_ascii() && !it.is_ascii_uppercase())
    {
        return Cow::Borrowed(text);
    }
    Cow::Owned(fold(text))
}

/// The key of a username or of a group name (design, section 2.1).
///
/// # Errors
/// A [`NameFault`] when nobody may bear that name. The name itself is in no error, so that the text may be
/// logged.
pub fn name_key(name: &str) -> Result<String, NameFault> {
    if name.is_empty() {
        return Err(NameFault::Empty);
    }
    // Folding reads the whole text, so what is absurdly long is refused before.
    check_length(name)?;
    if name.chars().any(breaks_a_line) {
        return Err(NameFault::ControlCharacter);
    }
    if name.trim() != name {
        return Err(NameFault::SurroundingWhitespace);
    }
    let key = fold(name);
    check_length(&key)?;
    Ok(key)
}

fn compose(text: String) -> String {
    if is_nfc(&text) {
        return text;
    }
    text.nfc().collect()
}

fn check_length(text: &str) -> Result<(), NameFault> {
    let bytes = text.len();
    if bytes > NAME_BYTES_MAX {
        return Err(NameFault::TooLong { bytes });
    }
    Ok(())
}

/// U+2028 and U+2029 are no controls in Unicode's own table, but they end a line like one.
fn breaks_a_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spellings_of_one_name_have_one_key() {
        fn check(name: &str, expect: &str) {
            assert_eq!(fold(name), expect, "fold({name:?})");
        }
        check("Alice", "alice");
        check("J\u{dc}RGEN", "jürgen");
        check("JU\u{308}RGEN", "jürgen");
        check("\u{212a}elvin", "kelvin");
        check("\u{212b}se", "åse");
        check("STRASSE", "strasse");
        check("Straße", "straße");
        check("ΟΔΟΣ", "οδος");
        check("J\u{30c}", "\u{1f0}");
        // No language's own rule: a Turkish dotted capital keeps its dot, a plain one gets none.
        check("İ", "i\u{307}");
        check("I", "i");
        check("", "");
    }

    #[test]
    fn folding_any_single_character_twice_changes_nothing() {
        for c in '\0'..=char::MAX {
            let once = fold(&c.to_string());
            assert_eq!(fold(&once), once, "{c:?}");
        }
    }

    #[test]
    fn names_that_nobody_may_bear_are_rejected_with_the_reason() {
        fn check(name: &str, expect: NameFault) {
            assert_eq!(name_key(name), Err(expect), "{name:?}");
        }
        check("", NameFault::Empty);
        check(" ", NameFault::SurroundingWhitespace);
        check("alice ", NameFault::SurroundingWhitespace);
        check("\u{3000}alice", NameFault::SurroundingWhitespace);
        check("alice\u{a0}", NameFault::SurroundingWhitespace);
        check("\talice", NameFault::ControlCharacter);
        check("a\0b", NameFault::ControlCharacter);
        check("a\nb", NameFault::ControlCharacter);
        check("a\u{85}b", NameFault::ControlCharacter);
        check("a\u{2028}b", NameFault::ControlCharacter);
        check("a\u{2029}b", NameFault::ControlCharacter);
        check(&"a".repeat(256), NameFault::TooLong { bytes: 256 });
        check(&"ü".repeat(128), NameFault::TooLong { bytes: 256 });
    }

    #[test]
    fn a_key_that_grows_beyond_the_limit_is_rejected() {
        // U+023A takes two bytes, its lower case U+2C65 three.
        assert_eq!(name_key(&"Ⱥ".repeat(85)).map(|key| key.len()), Ok(255));
        assert_eq!(
            name_key(&"Ⱥ".repeat(86)),
            Err(NameFault::TooLong { bytes: 258 })
        );
    }

    #[test]
    fn ordinary_names_are_accepted() {
        fn check(name: &str, expect: &str) {
            assert_eq!(name_key(name).as_deref(), Ok(expect), "{name:?}");
        }
        check("Alice Smith", "alice smith");
        check(
            "CORP\\alice@example.com/x\"'",
            "corp\\alice@example.com/x\"'",
        );
        // Format characters are part of some scripts' spelling, so they stay.
        check("می\u{200c}خواهم", "می\u{200c}خواهم");
        check(&"a".repeat(255), &"a".repeat(255));
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(text in any_spelling()) {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }

        #[test]
        fn the_decomposed_spelling_has_the_same_key(text in any_spelling()) {
            let decomposed: String = text.nfd().collect();
            prop_assert_eq!(fold(&decomposed), fold(&text));
        }

        #[test]
        fn a_key_is_a_name_with_itself_as_key(text in any_spelling()) {
            if let Ok(key) = name_key(&text) {
                prop_assert_eq!(name_key(&key), Ok(key));
            }
        }
    }

    /// Mostly letters that compose, change their length or depend on their neighbours when folded.
    fn any_spelling() -> impl Strategy<Value = String> {
        let letter = prop_oneof![
            proptest::sample::select("aAiIjJkKsSσΣςÜüİıßẞǅﬁΐΩK가ᄀ".chars().collect::<Vec<_>>()),
            proptest::sample::select(
                "\u{300}\u{307}\u{308}\u{30c}\u{323}\u{345}\u{1161}"
                    .chars()
                    .collect::<Vec<_>>()
            ),
            any::<char>(),
        ];
        proptest::collection::vec(letter, 0..8).prop_map(String::from_iter)
    }
}
