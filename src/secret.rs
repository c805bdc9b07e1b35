//! Secrets by reference: the configuration says where a secret lies, and it is read when it is needed.
//!
//! A configuration file is copied, mailed and put under version control; a secret must not travel with it. What is read
//! lives in a [`SecretString`], which shows itself to nobody, and [`SecretRef`] never shows a literal either.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use thiserror::Error;

/// The name under which a [`SecretRef`] announces itself to a deserializer, so that `check` finds every secret of a
/// configuration, whatever connector it belongs to.
pub const SECRET_REF: &str = "SecretRef";

/// The directory that systemd makes for the credentials of a unit (`LoadCredential=`, systemd.exec(5)).
const CREDENTIALS_DIRECTORY: &str = "CREDENTIALS_DIRECTORY";
/// The longest secret that is read, in bytes: a service account's key file is three thousand.
const SECRET_BYTES_MAX: u64 = 64 * 1024;
/// How a reference may be written, for messages.
const FORMS: &str = "`{ credential: NAME }`, `{ file: PATH }` or `{ env: NAME }`";

/// Where a secret lies: `{ credential: NAME }`, `{ file: PATH }`, `{ env: NAME }`, or the secret itself as a text.
#[derive(Clone)]
pub struct SecretRef(Source);

#[derive(Clone)]
enum Source {
    Literal(SecretString),
    Credential(String),
    File(PathBuf),
    Env(String),
}

/// Whether a password of a user may be tried anywhere. An empty one would log nobody in, and that is a success to LDAP servers
/// (RFC 4513, section 5.1.2); behind a NUL some servers see nothing. Neither is anybody's password.
pub fn may_be_tried(password: &SecretString) -> bool {
    let password = password.expose_secret();
    !password.is_empty() && !password.contains('\0')
}

/// Why a secret cannot be had. No variant holds the secret.
#[derive(Debug, Error)]
pub enum SecretFault {
    /// The daemon was not started by systemd, or without credentials.
    #[error(
        "credential `{name}`: ${CREDENTIALS_DIRECTORY} is not set; start it as a service whose unit has \
         `LoadCredential={name}:PATH`, or write `{{ file: PATH }}`"
    )]
    NoCredentials {
        /// The credential.
        name: String,
    },
    /// The environment lacks the variable.
    #[error("environment variable `{name}` is not set")]
    NotSet {
        /// The variable.
        name: String,
    },
    /// The file is missing, or we may not read it.
    #[error("{subject}: cannot read {}; it must be readable for the daemon's user", path.display())]
    Unreadable {
        /// What was looked for.
        subject: String,
        /// Where.
        path: PathBuf,
        /// Why not.
        #[source]
        cause: io::Error,
    },
    /// There is nothing in it but perhaps an end of line.
    #[error("{subject} is empty")]
    Empty {
        /// What was read.
        subject: String,
    },
    /// It is not UTF-8.
    #[error("{subject} is not UTF-8 text")]
    NotText {
        /// What was read.
        subject: String,
    },
    /// It is longer than any secret.
    #[error("{subject} is longer than {SECRET_BYTES_MAX} bytes: is it the right file?")]
    TooLong {
        /// What was read.
        subject: String,
    },
}

impl SecretRef {
    /// A secret that stands in the configuration itself.
    pub fn literal(secret: impl Into<SecretString>) -> SecretRef {
        SecretRef(Source::Literal(secret.into()))
    }

    /// A secret that is the content of a file.
    pub fn file(path: impl Into<PathBuf>) -> SecretRef {
        SecretRef(Source::File(path.into()))
    }

    /// Whether the secret itself stands in the configuration.
    pub fn is_literal(&self) -> bool {
        matches!(self.0, Source::Literal(_))
    }

    /// The same secret; a relative file is taken from `base_dir`, the folder of the configuration file.
    #[must_use]
    pub fn under(&self, base_dir: &Path) -> SecretRef {
        match &self.0 {
            Source::File(path) => SecretRef(Source::File(base_dir.join(path))),
            _ => self.clone(),
        }
    }

    /// Reads the secret. Relative files lie under `base_dir`, the folder of the configuration file. One end of line at the
    /// end is taken off, since every editor puts one there. It is never empty.
    ///
    /// # Errors
    /// [`SecretFault`] when there is no secret, with what to do about it.
    pub fn resolve(&self, base_dir: &Path) -> Result<SecretString, SecretFault> {
        self.resolve_in(base_dir, &|name| std::env::var_os(name))
    }

    /// As [`SecretRef::resolve`], of a secret that is [under](SecretRef::under) its folder already.
    ///
    /// # Errors
    /// As [`SecretRef::resolve`].
    pub fn read(&self) -> Result<SecretString, SecretFault> {
        self.resolve(Path::new(""))
    }

    /// As [`SecretRef::resolve`], with the environment as an argument.
    fn resolve_in(
        &self,
        base_dir: &Path,
        env: &dyn Fn(&str) -> Option<OsString>,
    ) -> Result<SecretString, SecretFault> {
        let bytes = match &self.0 {
            Source::Literal(secret) => secret.expose_secret().as_bytes().to_vec(),
            Source::Credential(name) => {
                let Some(folder) = env(CREDENTIALS_DIRECTORY) else {
                    return Err(SecretFault::NoCredentials { name: name.clone() });
                };
                self.bytes_of(&Path::new(&folder).join(name))?
            }
            Source::File(path) => self.bytes_of(&base_dir.join(path))?,
            Source::Env(name) => match env(name) {
                Some(value) => value.into_encoded_bytes(),
                None => return Err(SecretFault::NotSet { name: name.clone() }),
            },
        };
        self.text(bytes)
    }

    fn bytes_of(&self, path: &Path) -> Result<Vec<u8>, SecretFault> {
        let mut bytes = Vec::new();
        File::open(path)
            .and_then(|file| file.take(SECRET_BYTES_MAX + 1).read_to_end(&mut bytes))
            .map_err(|cause| SecretFault::Unreadable {
                subject: self.to_string(),
                path: path.to_owned(),
                cause,
            })?;
        Ok(bytes)
    }

    fn text(&self, bytes: Vec<u8>) -> Result<SecretString, SecretFault> {
        let subject = || self.to_string();
        if bytes.len() as u64 > SECRET_BYTES_MAX {
            return Err(SecretFault::TooLong { subject: subject() });
        }
        let text =
            String::from_utf8(bytes).map_err(|_| SecretFault::NotText { subject: subject() })?;
        let line = text.strip_suffix('\n').unwrap_or(&text);
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.is_empty() {
            return Err(SecretFault::Empty { subject: subject() });
        }
        Ok(SecretString::from(line))
    }
}

/// Where the secret lies, never the secret.
impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Literal(_) => f.write_str("a secret written out"),
            Source::Credential(name) => write!(f, "credential `{name}`"),
            Source::File(path) => write!(f, "file `{}`", path.display()),
            Source::Env(name) => write!(f, "environment variable `{name}`"),
        }
    }
}

/// As it is displayed: a literal stays hidden.
impl fmt::Debug for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretRef({self})")
    }
}

impl<'de> Deserialize<'de> for SecretRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SecretRef, D::Error> {
        deserializer.deserialize_newtype_struct(SECRET_REF, SecretVisitor)
    }
}

/// Never repeats what it was given: a misplaced value may be the secret.
struct SecretVisitor;

impl<'de> Visitor<'de> for SecretVisitor {
    type Value = SecretRef;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a secret as {FORMS}")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<SecretRef, D::Error> {
        inner.deserialize_any(self)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<SecretRef, E> {
        if text.is_empty() {
            return Err(E::custom(format_args!(
                "the secret is empty: write {FORMS}"
            )));
        }
        Ok(SecretRef::literal(text))
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<SecretRef, E> {
        Err(quotes_needed())
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<SecretRef, E> {
        Err(quotes_needed())
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<SecretRef, E> {
        Err(quotes_needed())
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<SecretRef, E> {
        Err(quotes_needed())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SecretRef, A::Error> {
        const KEYS: &[&str] = &["credential", "file", "env"];
        let Some(key) = map.next_key::<String>()? else {
            return Err(A::Error::custom(format_args!(
                "nothing says where the secret lies: write {FORMS}"
            )));
        };
        if !KEYS.contains(&key.as_str()) {
            return Err(A::Error::unknown_field(&key, KEYS));
        }
        let value = map.next_value::<String>()?;
        if map.next_key::<String>()?.is_some() {
            return Err(A::Error::custom(format_args!(
                "a secret lies in one place: write {FORMS}"
            )));
        }
        if value.is_empty() {
            return Err(A::Error::custom(format_args!("`{key}` is empty")));
        }
        let source = match key.as_str() {
            "credential" if value.contains('/') || value.starts_with('.') => {
                return Err(A::Error::custom(
                    "a credential has the name of `LoadCredential=`, which is no path; for a path write `{ file: PATH }`",
                ));
            }
            "credential" => Source::Credential(value),
            "file" => Source::File(value.into()),
            _ => Source::Env(value),
        };
        Ok(SecretRef(source))
    }
}

fn quotes_needed<E: serde::de::Error>() -> E {
    E::custom("a secret of digits, or `true` and the like, needs quotes around it")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(yaml: &str) -> SecretRef {
        serde_yaml::from_str(yaml).unwrap()
    }

    fn resolve(secret: &SecretRef, folder: &Path) -> Result<String, String> {
        let env = |name: &str| match name {
            CREDENTIALS_DIRECTORY => Some(folder.join("credentials").into_os_string()),
            "LDAP_PASSWORD" => Some("from the environment\n".into()),
            "NOTHING" => Some(OsString::new()),
            _ => None,
        };
        let secret = secret.resolve_in(folder, &env);
        secret
            .map(|it| it.expose_secret().to_owned())
            .map_err(|it| it.to_string())
    }

    #[test]
    fn secrets_are_read_from_where_they_lie() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("credentials")).unwrap();
        std::fs::write(folder.path().join("credentials/ldap"), "from systemd\r\n").unwrap();
        std::fs::write(folder.path().join("ldap.txt"), " from a file \n\n").unwrap();
        let check = |yaml: &str, expect: &str| {
            let found = resolve(&read(yaml), folder.path());
            assert_eq!(found.as_deref(), Ok(expect), "{yaml}");
        };
        check("{ credential: ldap }", "from systemd");
        check("{ file: ldap.txt }", " from a file \n");
        check("{ env: LDAP_PASSWORD }", "from the environment");
        check("written out", "written out");
        check("\"4711\"", "4711");
        let anchored = read("{ file: ldap.txt }").under(folder.path()).read();
        let anchored = anchored.unwrap();
        assert_eq!(anchored.expose_secret(), " from a file \n");
        let absolute = format!("{{ file: {} }}", folder.path().join("ldap.txt").display());
        check(&absolute, " from a file \n");
    }

    #[test]
    fn a_secret_that_cannot_be_had_says_why_and_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("empty"), "\n").unwrap();
        std::fs::write(folder.path().join("binary"), [0xff, 0xfe]).unwrap();
        std::fs::write(folder.path().join("large"), "x".repeat(64 * 1024 + 1)).unwrap();
        let check = |yaml: &str, expect: &str| {
            let fault = resolve(&read(yaml), folder.path()).unwrap_err();
            assert!(fault.contains(expect), "{yaml}: {fault}");
        };
        check("{ file: empty }", "file `empty` is empty");
        check("{ file: binary }", "is not UTF-8");
        check("{ file: large }", "longer than 65536 bytes");
        check("{ file: missing }", "must be readable");
        check("{ credential: missing }", "must be readable");
        check(
            "{ env: MISSING }",
            "environment variable `MISSING` is not set",
        );
        check("{ env: NOTHING }", "is empty");
        let empty = SecretRef::literal("").read().unwrap_err().to_string();
        assert_eq!(empty, "a secret written out is empty");
        let without = read("{ credential: ldap }").resolve_in(folder.path(), &|_| None);
        let fault = without.unwrap_err().to_string();
        assert!(fault.contains("`LoadCredential=ldap:PATH`"), "{fault}");
    }

    #[test]
    fn what_says_not_where_the_secret_lies_is_refused_and_never_repeated() {
        fn check(yaml: &str, expect: &str) {
            let fault = serde_yaml::from_str::<SecretRef>(yaml).unwrap_err();
            let fault = fault.without_snippet().to_string();
            assert!(fault.contains(expect), "{yaml}: {fault}");
            assert!(!fault.contains("hunter2"), "{yaml}: {fault}");
        }
        check("\"\"", "the secret is empty");
        check("4711", "quotes");
        check("-1", "quotes");
        check("1.5", "quotes");
        check("true", "quotes");
        check("{}", "nothing says where");
        check("{ password: hunter2 }", "unknown field `password`");
        check("{ file: a, env: B }", "one place");
        check("{ file: \"\" }", "`file` is empty");
        check("{ credential: ../hunter }", "no path");
        check("[hunter2]", "a secret as");
    }

    #[test]
    fn a_secret_never_shows_itself() {
        for secret in [read("hunter2"), SecretRef::literal("hunter2")] {
            assert!(secret.is_literal());
            assert_eq!(format!("{secret:?}"), "SecretRef(a secret written out)");
            assert_eq!(secret.to_string(), "a secret written out");
        }
        let file = SecretRef::file("/etc/secret");
        assert!(!file.is_literal());
        assert_eq!(file.to_string(), "file `/etc/secret`");
    }
    #[test]
    fn nothing_that_could_be_taken_for_no_password_is_tried() {
        let may_be_tried = |text: &str| may_be_tried(&SecretString::from(text));
        assert!(!may_be_tried("") && !may_be_tried("\0") && !may_be_tried("a\0b"));
        assert!(may_be_tried(" ") && may_be_tried("pässword"));
    }
}
