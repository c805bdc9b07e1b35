//! Globs over username and group keys.
//!
//! Names are no paths: `*` crosses every character, `/` is a letter like any other, and `?` is one Unicode
//! character. (Path globbers match bytes, so that their `?` misses `ü`.) Patterns are folded exactly like
//! names, hence case and Unicode form never matter.
//!
//! Most patterns in a configuration are plain names, and one question is asked for every user, so plain
//! names are kept in a sorted list and only the rest becomes one automaton.

use std::fmt::Write as _;
use std::iter::Peekable;
use std::str::Chars;

use regex::Regex;
use thiserror::Error;

use super::fold;

/// A set of globs: a key matches when it matches one of them. The default set matches nothing.
#[derive(Debug, Clone, Default)]
pub struct Globs {
    /// Folded and unescaped patterns without metacharacters, sorted.
    literals: Vec<String>,
    /// One of the patterns is `*`.
    everything: bool,
    /// All other patterns as alternatives.
    others: Option<Regex>,
}

/// A pattern that is no glob.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{pattern}` is not a glob: {fault}")]
pub struct BadGlob {
    /// The pattern as it was written.
    pub pattern: String,
    /// What is wrong with it.
    pub fault: GlobFault,
}

/// What is wrong with a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum GlobFault {
    /// An empty pattern would match nobody.
    #[error("it is empty")]
    Empty,
    /// `[` without `]`.
    #[error("`[` is never closed; write `\\[` for the character itself")]
    UnclosedClass,
    /// `{` without `}`.
    #[error("`{{` is never closed; write `\\{{` for the character itself")]
    UnclosedAlternatives,
    /// `}` without `{`.
    #[error("`}}` was never opened; write `\\}}` for the character itself")]
    UnopenedAlternatives,
    /// `\` as the last character.
    #[error("nothing follows the last `\\`; write `\\\\` for the character itself")]
    DanglingEscape,
    /// A range in `[..]` that goes backwards.
    #[error("the range `{from}-{to}` in `[..]` goes backwards")]
    BackwardRange {
        /// The first character written.
        from: char,
        /// The last character written.
        to: char,
    },
    /// The pattern, or all patterns together, make too large an automaton.
    #[error("it is too large, alone or together with its neighbours")]
    TooLarge,
}

impl Globs {
    /// Reads patterns with `*` (any characters, none included), `?` (one character), `[a-z]` and `[!a-z]`
    /// (one character of a set, or not of it), `{a,b}` (alternatives) and `\` (takes the next character as
    /// it is).
    ///
    /// # Errors
    /// [`BadGlob`] for the first pattern that cannot be read.
    pub fn new<S: AsRef<str>>(patterns: &[S]) -> Result<Globs, BadGlob> {
        let mut globs = Globs::default();
        let mut alternatives = Vec::new();
        for pattern in patterns {
            let pattern = pattern.as_ref();
            let parsed = parse(&fold(pattern)).map_err(|fault| bad(pattern, fault))?;
            match parsed {
                Pattern::Literal(literal) => globs.literals.push(literal),
                Pattern::Everything => globs.everything = true,
                Pattern::Other(regex) => alternatives.push(regex),
            }
        }
        globs.literals.sort_unstable();
        globs.literals.dedup();
        if !alternatives.is_empty() {
            let regex = format!(r"\A(?s:{})\z", alternatives.join("|"));
            let regex = Regex::new(&regex).map_err(|_| {
                // Only size is left to go wrong, and the longest pattern is the likeliest cause.
                let longest = patterns.iter().map(AsRef::as_ref).max_by_key(|it| it.len());
                bad(longest.unwrap_or_default(), GlobFault::TooLarge)
            })?;
            globs.others = Some(regex);
        }
        Ok(globs)
    }

    /// Whether a folded key (see [`super::name_key`]) matches one of the patterns.
    pub fn is_match(&self, key: &str) -> bool {
        self.everything
            || self
                .literals
                .binary_search_by(|literal| literal.as_str().cmp(key))
                .is_ok()
            || self.others.as_ref().is_some_and(|it| it.is_match(key))
    }

    /// Whether there is no pattern, so that nothing matches.
    pub fn is_empty(&self) -> bool {
        self.literals.is_empty() && !self.everything && self.others.is_none()
    }

    /// The patterns without metacharacters, folded and unescaped, sorted, each once: the keys that the
    /// configuration names literally.
    pub fn literals(&self) -> impl Iterator<Item = &str> {
        self.literals.iter().map(String::as_str)
    }
}

/// A pattern once read.
enum Pattern {
    Literal(String),
    Everything,
    Other(String),
}

fn bad(pattern: &str, fault: GlobFault) -> BadGlob {
    BadGlob {
        pattern: pattern.to_owned(),
        fault,
    }
}

fn parse(pattern: &str) -> Result<Pattern, GlobFault> {
    if pattern.is_empty() {
        return Err(GlobFault::Empty);
    }
    if pattern.chars().all(|c| c == '*') {
        return Ok(Pattern::Everything);
    }
    let mut chars = pattern.chars().peekable();
    let mut literal = Some(String::new());
    let mut regex = String::new();
    let mut depth = 0_usize;
    while let Some(c) = chars.next() {
        let meta = match c {
            '*' => ".*",
            '?' => ".",
            '{' => "(?:",
            ',' if depth > 0 => "|",
            '}' => ")",
            '[' => {
                push_class(&mut regex, &mut chars)?;
                literal = None;
                continue;
            }
            _ => {
                let c = match c {
                    '\\' => chars.next().ok_or(GlobFault::DanglingEscape)?,
                    c => c,
                };
                push_char(&mut regex, c);
                if let Some(literal) = &mut literal {
                    literal.push(c);
                }
                continue;
            }
        };
        depth = match c {
            '{' => depth + 1,
            '}' => depth
                .checked_sub(1)
                .ok_or(GlobFault::UnopenedAlternatives)?,
            _ => depth,
        };
        regex.push_str(meta);
        literal = None;
    }
    if depth > 0 {
        return Err(GlobFault::UnclosedAlternatives);
    }
    Ok(literal.map_or(Pattern::Other(regex), Pattern::Literal))
}

/// Reads the rest of a class, its `[` being read. A `]` in the first place stands for itself, and so does a
/// `-` in the first or last place.
fn push_class(regex: &mut String, chars: &mut Peekable<Chars<'_>>) -> Result<(), GlobFault> {
    regex.push('[');
    if chars.next_if(|&c| c == '!' || c == '^').is_some() {
        regex.push('^');
    }
    let mut first = true;
    loop {
        let from = match chars.next().ok_or(GlobFault::UnclosedClass)? {
            ']' if !first => break,
            '\\' => chars.next().ok_or(GlobFault::UnclosedClass)?,
            c => c,
        };
        first = false;
        push_char(regex, from);
        if chars.peek() != Some(&'-') {
            continue;
        }
        let mut ahead = chars.clone();
        ahead.next();
        let to = match ahead.next().ok_or(GlobFault::UnclosedClass)? {
            // The `-` stands in the last place: the next round takes it for itself.
            ']' => continue,
            '\\' => ahead.next().ok_or(GlobFault::UnclosedClass)?,
            c => c,
        };
        *chars = ahead;
        if from > to {
            return Err(GlobFault::BackwardRange { from, to });
        }
        regex.push('-');
        push_char(regex, to);
    }
    regex.push(']');
    Ok(())
}

/// Writes one character by its number, which means the same everywhere in a regular expression.
fn push_char(regex: &mut String, c: char) {
    // Writing into a `String` cannot fail.
    let _ = write!(regex, r"\x{{{:x}}}", u32::from(c));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn globs(patterns: &[&str]) -> Globs {
        Globs::new(patterns).unwrap()
    }

    #[test]
    fn a_glob_means_what_a_shell_user_expects() {
        fn check(pattern: &str, matching: &[&str], other: &[&str]) {
            let globs = globs(&[pattern]);
            for key in matching {
                assert!(globs.is_match(key), "`{pattern}` must match {key:?}");
            }
            for key in other {
                assert!(!globs.is_match(key), "`{pattern}` must not match {key:?}");
            }
        }
        check("alice", &["alice"], &["alice2", "xalice", "", "al"]);
        check("*", &["", "a", "a/b\n"], &[]);
        check("***", &["", "a"], &[]);
        check("bot-*", &["bot-", "bot-x"], &["bot", "robot-x"]);
        check("*@example.com", &["a@example.com"], &["a@example.com.org"]);
        check("a*c", &["ac", "a\nc"], &["a", "c"]);
        check("a*b*c", &["abc", "axbxc", "abbcc"], &["ab", "acb"]);
        check("j?rgen", &["jürgen", "jorgen"], &["jrgen", "juergen"]);
        check("?", &["a", "ü", "😀"], &["", "ab"]);
        check("[a-c]x", &["ax", "cx"], &["dx", "x", "-x"]);
        check("[!a-c]x", &["dx", "üx"], &["ax", "x"]);
        check("[^a]", &["b", "ü"], &["a"]);
        check("[äöü]", &["ä", "ö"], &["a", "äö"]);
        check("[à-ü]", &["é"], &["e"]);
        check("[]a]", &["]", "a"], &["b"]);
        check("[!]a]", &["b"], &["]", "a"]);
        check("[a-]", &["a", "-"], &["b"]);
        check("[-a]", &["a", "-"], &["b"]);
        check(r"[a\]b]", &["a", "]", "b"], &["\\", "ab]"]);
        check(r"[\--/]", &["-", ".", "/"], &["0"]);
        check("{a,b}c", &["ac", "bc"], &["c", "a,bc", "abc"]);
        check("{a,{b,c}d}", &["a", "bd", "cd"], &["b", "ad"]);
        check("x{,y}", &["x", "xy"], &["y"]);
        check("{a*,?b}", &["a", "axx", "xb"], &["xxb"]);
        check("a,b", &["a,b"], &["a", "b"]);
        check("a]b-c!", &["a]b-c!"], &[]);
        check(r"\*\?\[\{\}\\\a", &[r"*?[{}\a"], &["x"]);
        check(r"\**", &["*", "*x"], &["x"]);
        check("a.b(c)+$^|", &["a.b(c)+$^|"], &["axb(c)+$^|"]);
        check("*.x", &["a.x", ".x", "a/b.x"], &["ax"]);
    }

    #[test]
    fn a_slash_has_no_meaning_of_its_own() {
        let globs = globs(&["corp/*/x", "**/y"]);
        assert!(globs.is_match("corp/a/b/x"));
        assert!(!globs.is_match("corp/x"));
        assert!(globs.is_match("a/b/y"));
        assert!(!globs.is_match("y"));
    }

    #[test]
    fn patterns_are_folded_like_names() {
        let globs = globs(&["J\u{dc}RGEN", "BOT-*", "[A-C]x"]);
        assert!(globs.is_match(&fold("Ju\u{308}rgen")));
        assert!(globs.is_match("bot-1"));
        assert!(globs.is_match("bx"));
    }

    #[test]
    fn one_matching_pattern_is_enough() {
        let globs = globs(&["alice", "bob", "x*", "?y"]);
        for key in ["alice", "bob", "x", "xyz", "ay"] {
            assert!(globs.is_match(key), "{key}");
        }
        // An alternative is anchored on both sides, not only the first and the last.
        for key in ["alicex", "ax", "ayy", "bobx"] {
            assert!(!globs.is_match(key), "{key}");
        }
    }

    #[test]
    fn no_pattern_matches_nothing() {
        assert!(Globs::default().is_empty());
        assert!(globs(&[]).is_empty());
        assert!(!globs(&[]).is_match(""));
        assert!(!globs(&["*"]).is_empty());
        assert!(!globs(&["a"]).is_empty());
        assert!(!globs(&["a*"]).is_empty());
    }

    #[test]
    fn literals_are_the_names_that_stand_in_the_configuration() {
        fn check(patterns: &[&str], expect: &[&str]) {
            let globs = globs(patterns);
            assert_eq!(globs.literals().collect::<Vec<_>>(), expect);
        }
        check(&["Zoe", "*", "alice", "ALICE", "b*"], &["alice", "zoe"]);
        check(&[r"a\*b", r"\{x\}"], &["a*b", "{x}"]);
        check(&["[a]", "{a}", "a?"], &[]);
    }

    #[test]
    fn a_bad_pattern_is_refused_with_the_reason() {
        fn check(pattern: &str, expect: &str) {
            let fault = Globs::new(&["ok", pattern]).unwrap_err();
            assert_eq!(fault.to_string(), expect);
        }
        check("", "`` is not a glob: it is empty");
        let hint = "is never closed; write";
        for pattern in ["[", "A[b", "[]", "[!]", "[a-", r"[\", r"[a-\"] {
            check(
                pattern,
                &format!("`{pattern}` is not a glob: `[` {hint} `\\[` for the character itself"),
            );
        }
        for pattern in ["{", "{a,b", "{{a}"] {
            check(
                pattern,
                &format!("`{pattern}` is not a glob: `{{` {hint} `\\{{` for the character itself"),
            );
        }
        check(
            "a}",
            "`a}` is not a glob: `}` was never opened; write `\\}` for the character itself",
        );
        check(
            "a\\",
            "`a\\` is not a glob: nothing follows the last `\\`; write `\\\\` for the character itself",
        );
        check(
            "[z-a]",
            "`[z-a]` is not a glob: the range `z-a` in `[..]` goes backwards",
        );
    }

    #[test]
    fn a_pattern_that_would_eat_the_memory_is_refused() {
        let nested = format!("{}a{}", "{".repeat(10_000), "}".repeat(10_000));
        let fault = Globs::new(&["x*", &nested]).unwrap_err();
        assert_eq!(fault.fault, GlobFault::TooLarge);
        assert_eq!(fault.pattern, nested);
    }

    proptest! {
        #[test]
        fn any_pattern_is_read_or_refused(pattern in r"[\[\]{}*?\\!,a-c^-]{0,12}") {
            let _ = Globs::new(&[pattern]);
        }

        #[test]
        fn an_escaped_name_matches_itself_only(name in any::<String>(), other in any::<String>()) {
            let (key, other) = (fold(&name), fold(&other));
            prop_assume!(!key.is_empty());
            let pattern: String = key.chars().flat_map(|c| ['\\', c]).collect();
            // Folding sees a backslash between the letters, so a letter may lack its neighbour's influence.
            prop_assume!(fold(&pattern) == pattern);
            let globs = Globs::new(&[&pattern]).unwrap();
            prop_assert!(globs.is_match(&key));
            prop_assert_eq!(globs.is_match(&other), key == other);
        }

        #[test]
        fn stars_and_question_marks_agree_with_the_obvious_matcher(
            pattern in "[ab*?]{0,7}",
            key in "[ab]{0,7}",
        ) {
            prop_assume!(!pattern.is_empty());
            let globs = Globs::new(&[&pattern, "zzz*"]).unwrap();
            prop_assert_eq!(globs.is_match(&key), obvious(pattern.as_bytes(), key.as_bytes()));
        }
    }

    fn obvious(pattern: &[u8], key: &[u8]) -> bool {
        match (pattern, key) {
            ([], []) => true,
            ([b'*', rest @ ..], _) => {
                obvious(rest, key) || !key.is_empty() && obvious(pattern, &key[1..])
            }
            ([b'?', rest @ ..], [_, key @ ..]) => obvious(rest, key),
            ([p, rest @ ..], [k, key @ ..]) => p == k && obvious(rest, key),
            _ => false,
        }
    }
}
