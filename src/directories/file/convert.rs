//! The text of a file becomes records. Pure: no file is touched here.
//!
//! Errors are sentences about the file without its name, for the caller to put the path before them. They, and the reasons of
//! rejected records, name lines and fields, never values.

mod csv;
mod fields;
mod given;
mod ldif;
mod people;
mod yaml;

use std::collections::BTreeSet;

use super::config::{FileConfig, Format};
use crate::clock::Timestamp;
use crate::model::Records;
use crate::wire::ldap::mapping::Mapping;

/// The fields of a user in YAML and JSON, and the columns of CSV.
pub(super) const USER_FIELDS: [&str; 9] = [
    "username",
    "display_name",
    "given_name",
    "family_name",
    "email",
    "active",
    "id",
    "kind",
    "groups",
];

/// The fields of a group in YAML and JSON.
const GROUP_FIELDS: [&str; 5] = ["name", "id", "description", "users", "groups"];

/// How a file is to be understood.
#[derive(Clone, Debug)]
pub(super) struct Form {
    format: Format,
    /// The name of the file without its folder, by which records are told.
    file: String,
    mapping: Mapping,
    /// The further attributes of users that are kept.
    further: Vec<String>,
    /// The further fields of users that may stand there, kept or not.
    allowed: BTreeSet<String>,
}

/// What a file says.
#[derive(Debug)]
pub(super) struct Converted {
    pub(super) records: Records,
    /// What is odd about it: counts, never values.
    pub(super) notes: Vec<String>,
    /// The moment from which on the same text says something else, since an account expires then.
    pub(super) true_until: Option<Timestamp>,
}

impl Form {
    pub(super) fn new(format: Format, config: &FileConfig, further: &[String]) -> Self {
        let file = config.path.file_name().unwrap_or_default();
        Form {
            format,
            file: file.to_string_lossy().into_owned(),
            mapping: config
                .mapping
                .clone()
                .unwrap_or_default()
                .over(Mapping::openldap()),
            further: further.to_vec(),
            allowed: config.attributes.iter().chain(further).cloned().collect(),
        }
    }

    /// How an administrator finds what stands on a line.
    fn label(&self, line: u64) -> String {
        format!("{}:{line}", self.file)
    }
}

/// Reads the text of a file. `now` is the moment at which accounts are expired or not.
///
/// # Errors
/// Why the text is not a whole file of its format.
pub(super) fn convert(text: &str, form: &Form, now: Timestamp) -> Result<Converted, String> {
    // Editors on Windows put a byte order mark there.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err("it holds nothing but blanks".to_owned());
    }
    if !text.ends_with('\n') && !ends_by_itself(text, form.format) {
        let why =
            "the last line does not end in a newline: the file was cut, or is still being written";
        return Err(why.to_owned());
    }
    match form.format {
        Format::Yaml | Format::Json => yaml::convert(text, form),
        Format::Csv => csv::convert(text, form),
        Format::Ldif => ldif::convert(text, form, now),
    }
}

/// Whether the parser sees where the text must end, so that a cut cannot go unnoticed.
fn ends_by_itself(text: &str, format: Format) -> bool {
    matches!(format, Format::Yaml | Format::Json) && text.trim_start().starts_with('{')
}

/// A hint at the known name that was probably meant.
fn near(name: &str, known: &[&str]) -> Option<String> {
    let name = name.to_lowercase();
    let distances = known
        .iter()
        .map(|it| (strsim::damerau_levenshtein(&name, it), it));
    let (distance, near) = distances.min_by_key(|it| it.0)?;
    (distance <= 3 && distance < near.len()).then(|| format!("; did you mean `{near}`?"))
}

#[cfg(test)]
mod tests;
