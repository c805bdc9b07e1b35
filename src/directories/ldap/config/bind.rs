//! Who asks: what a user writes under `bind:`.

use serde::de::{Deserialize, Deserializer, Error as _};

use crate::secret::SecretRef;

/// The account that reads.
#[derive(Clone, Debug)]
pub enum Bind {
    /// A name and a password: `{ dn: "cn=reader,dc=example,dc=com", password: … }`.
    Simple {
        /// Its distinguished name, or whatever else the server takes for one.
        dn: String,
        /// Its password.
        password: SecretRef,
    },
    /// Whoever the operating system says that this process is: `{ sasl: external }` (RFC 4422, appendix A).
    External,
}

/// Parts that do not make a login.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadBind {
    /// Two ways at once.
    #[error("`sasl` does not go with `dn` and `password`: leave one out")]
    Both,
    /// Another mechanism.
    #[error("the SASL mechanism `{0}` is not supported: write `external`, or `dn` and `password`")]
    Mechanism(String),
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    dn: Option<String>,
    password: Option<SecretRef>,
    sasl: Option<String>,
}

impl Bind {
    /// The password, if one is needed.
    pub fn password(&self) -> Option<&SecretRef> {
        match self {
            Bind::Simple { password, .. } => Some(password),
            Bind::External => None,
        }
    }
}

impl<'de> Deserialize<'de> for Bind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Written { dn, password, sasl } = Written::deserialize(deserializer)?;
        match (sasl, dn, password) {
            (None, Some(dn), Some(password)) => Ok(Bind::Simple { dn, password }),
            // Said in this way, it is not said again of one that was wrong and was left out for that.
            (None, Some(_), None) => Err(D::Error::missing_field("password")),
            (None, None, _) => Err(D::Error::missing_field("dn")),
            (Some(sasl), None, None) if sasl.eq_ignore_ascii_case("external") => Ok(Bind::External),
            (Some(sasl), None, None) => Err(D::Error::custom(BadBind::Mechanism(sasl))),
            (Some(_), _, _) => Err(D::Error::custom(BadBind::Both)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Bind, String> {
        serde_yaml::from_str(text).map_err(|fault| fault.to_string())
    }

    #[test]
    fn a_login_is_a_name_with_a_password_or_the_system_s_word() {
        let simple = read("{ dn: 'cn=reader', password: { env: X } }").unwrap();
        assert!(matches!(&simple, Bind::Simple { dn, .. } if dn == "cn=reader"));
        assert!(simple.password().is_some());
        for text in ["{ sasl: external }", "{ sasl: EXTERNAL }"] {
            let external = read(text).unwrap();
            assert!(matches!(external, Bind::External));
            assert!(external.password().is_none());
        }
    }

    #[test]
    fn anything_else_says_what_is_missing() {
        fn check(text: &str, expect: &str) {
            let fault = read(text).unwrap_err();
            assert!(fault.contains(expect), "{text}: {fault}");
        }
        check("{}", "missing field `dn`");
        check("{ password: { env: X } }", "missing field `dn`");
        check("{ dn: 'cn=reader' }", "missing field `password`");
        check("{ sasl: gssapi }", "`gssapi` is not supported");
        check("{ sasl: external, dn: 'cn=reader' }", "leave one out");
        check("{ dm: x }", "unknown field `dm`");
    }
}
