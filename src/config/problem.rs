//! What is wrong with a configuration, said so that an administrator can put it right without asking.

use std::fmt;

pub(super) use crate::text::nearest;

/// At most so many problems are shown: whoever has more has the wrong file.
pub(super) const PROBLEMS_MAX: usize = 100;

/// Whether the configuration can be used in spite of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The configuration is not used.
    Error,
    /// It works, and it is unwise.
    Warning,
}

/// A place in the configuration file, both numbers counted from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: u64,
    /// The column.
    pub column: u64,
}

/// One thing that is wrong, with its place, its cause and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Error or warning.
    pub severity: Severity,
    /// The configuration file as it was named.
    pub file: String,
    /// Where; `None` when it is the file as a whole.
    pub place: Option<Place>,
    /// The path of the option, entries by their name: `directories.corporate.ldap.urls`. Empty for the file as a whole.
    pub path: String,
    /// What is wrong.
    pub what: String,
    /// What to do, where that is not plain already.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem with the file as a whole.
    pub(super) fn of_file(file: &str, what: String, hint: Option<String>) -> Problem {
        Problem {
            severity: Severity::Error,
            file: file.to_owned(),
            place: None,
            path: String::new(),
            what,
            hint,
        }
    }
}

/// `config.yaml:14:7: directories.corporate.ldap.urls: what is wrong`, and the hint on a line of its own.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(Place { line, column }) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        f.write_str(": ")?;
        if self.severity == Severity::Warning {
            f.write_str("warning: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", tame(&self.path))?;
        }
        f.write_str(&tame(&self.what))?;
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {}", tame(hint)),
            None => Ok(()),
        }
    }
}

/// The text with control characters spelled out: it quotes the file and is shown on a terminal.
fn tame(text: &str) -> String {
    let mut tame = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            tame.extend(c.escape_unicode());
        } else {
            tame.push(c);
        }
    }
    tame
}

/// Words as a sentence lists them: `a`, `b`.
pub(super) fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(|it| format!("`{it}`")).collect();
    words.join(", ")
}
