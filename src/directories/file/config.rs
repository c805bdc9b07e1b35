//! What a user writes under `file:`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::wire::ldap::mapping::Mapping;

/// The options of a file directory.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FileConfig {
    /// The file; relative to the folder of the configuration file.
    pub path: PathBuf,
    /// How it is written, where the end of its name does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// LDIF only: which attributes mean what, where it differs from OpenLDAP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<Mapping>,
    /// YAML, JSON and CSV only: further fields or columns that the file may have. Any other unknown one is refused, since it
    /// may be a known one misspelled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<String>,
}

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// `users` and `groups` as YAML.
    Yaml,
    /// The same as JSON.
    Json,
    /// One user a row.
    Csv,
    /// LDAP entries as text, RFC 2849.
    Ldif,
}

/// Why the options do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileFault {
    /// Neither `format` nor the name of the file says how it is written.
    #[error(
        "the name of the file does not say how it is written; add `format: yaml`, `json`, `csv` or `ldif`"
    )]
    UnknownFormat,
    /// An option means nothing for files of this format.
    #[error("`{0}` means nothing for a file of this format")]
    Needless(&'static str),
    /// A further field has the name of one that is known anyway, or stands twice.
    #[error("`attributes` names `{0}`, which is known already")]
    KnownAttribute(String),
}

impl FileConfig {
    /// How the file is written: as `format` says, else as the end of its name does (`.yaml`, `.yml`, `.json`, `.csv`,
    /// `.ldif`).
    ///
    /// # Errors
    /// [`FileFault::UnknownFormat`].
    pub fn format(&self) -> Result<Format, FileFault> {
        if let Some(format) = self.format {
            return Ok(format);
        }
        let extension = self
            .path
            .extension()
            .map(|it| it.to_string_lossy().to_ascii_lowercase());
        match extension.as_deref() {
            Some("yaml" | "yml") => Ok(Format::Yaml),
            Some("json") => Ok(Format::Json),
            Some("csv") => Ok(Format::Csv),
            Some("ldif") => Ok(Format::Ldif),
            _ => Err(FileFault::UnknownFormat),
        }
    }

    /// Everything in which the options do not fit together.
    pub fn faults(&self) -> Vec<FileFault> {
        let format = match self.format() {
            Ok(format) => format,
            Err(fault) => return vec![fault],
        };
        let mut faults = Vec::new();
        if self.mapping.is_some() && format != Format::Ldif {
            faults.push(FileFault::Needless("mapping"));
        }
        if !self.attributes.is_empty() && format == Format::Ldif {
            faults.push(FileFault::Needless("attributes"));
        }
        let mut known: BTreeSet<&str> = super::convert::USER_FIELDS.into_iter().collect();
        for name in &self.attributes {
            if !known.insert(name) {
                faults.push(FileFault::KnownAttribute(name.clone()));
            }
        }
        faults
    }

    /// Where the file is, seen from the folder of the configuration file.
    pub fn path_from(&self, folder: &Path) -> PathBuf {
        folder.join(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> FileConfig {
        serde_yaml::from_str(text).unwrap()
    }

    #[test]
    fn the_end_of_the_name_says_how_a_file_is_written() {
        for (text, expect) in [
            ("path: a.yaml", Ok(Format::Yaml)),
            ("path: /x/a.YML", Ok(Format::Yaml)),
            ("path: a.json", Ok(Format::Json)),
            ("path: a.csv", Ok(Format::Csv)),
            ("path: a.ldif", Ok(Format::Ldif)),
            ("{ path: a.txt, format: csv }", Ok(Format::Csv)),
            ("{ path: a.csv, format: ldif }", Ok(Format::Ldif)),
            ("path: a.txt", Err(FileFault::UnknownFormat)),
            ("path: yaml", Err(FileFault::UnknownFormat)),
        ] {
            assert_eq!(read(text).format(), expect, "{text}");
        }
    }

    #[test]
    fn options_that_do_not_fit_are_told() {
        for (text, expect) in [
            ("path: a.yaml", vec![]),
            ("{ path: a.yaml, attributes: [phone] }", vec![]),
            (
                "{ path: a.ldif, mapping: { users: { username: cn } } }",
                vec![],
            ),
            (
                "{ path: a.txt, mapping: {} }",
                vec![FileFault::UnknownFormat],
            ),
            (
                "{ path: a.csv, mapping: {} }",
                vec![FileFault::Needless("mapping")],
            ),
            (
                "{ path: a.ldif, attributes: [phone] }",
                vec![FileFault::Needless("attributes")],
            ),
            (
                "{ path: a.csv, attributes: [email, phone, phone] }",
                vec![
                    FileFault::KnownAttribute("email".into()),
                    FileFault::KnownAttribute("phone".into()),
                ],
            ),
        ] {
            assert_eq!(read(text).faults(), expect, "{text}");
        }
    }

    #[test]
    fn unknown_options_are_refused() {
        let fault = serde_yaml::from_str::<FileConfig>("{ path: a.csv, formt: csv }").unwrap_err();
        assert!(fault.to_string().contains("formt"), "{fault}");
    }

    #[test]
    fn a_path_is_seen_from_the_folder_of_the_configuration() {
        assert_eq!(
            read("path: a.csv").path_from(Path::new("/etc/x")),
            Path::new("/etc/x/a.csv")
        );
        assert_eq!(
            read("path: /a.csv").path_from(Path::new("/etc/x")),
            Path::new("/a.csv")
        );
    }
}
