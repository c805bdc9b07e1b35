//! Who asks: what a user writes under `bind:`.

use serde::Deserialize;

use crate::secret::SecretRef;

/// The account that reads.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Written")]
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
    /// Half of a login.
    #[error("a login is `dn` and `password`, or `sasl: external`; `{0}` is missing")]
    Missing(&'static str),
    /// Another mechanism.
    #[error("the SASL mechanism `{0}` is not supported: write `external`, or `dn` and `password`")]
    Mechanism(String),
}

#[derive(Deserialize)]
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

impl TryFrom<Written> for Bind {
    type Error = BadBind;

    fn try_from(written: Written) -> Result<Self, BadBind> {
        let Written { dn, password, sasl } = written;
        match (sasl, dn, password) {
            (None, Some(dn), Some(password)) => Ok(Bind::Simple { dn, password }),
            (None, Some(_), None) => Err(BadBind::Missing("password")),
            (None, None, _) => Err(BadBind::Missing("dn")),
            (Some(sasl), None, None) if sasl.eq_ignore_ascii_case("external") => Ok(Bind::External),
            (Some(sasl), None, None) => Err(BadBind::Mechanism(sasl)),
            (Some(_), _, _) => Err(BadBind::Both),
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
        check("{}", "`dn` is missing");
        check("{ password: { env: X } }", "`dn` is missing");
        check("{ dn: 'cn=reader' }", "`password` is missing");
        check("{ sasl: gssapi }", "`gssapi` is not supported");
        check("{ sasl: external, dn: 'cn=reader' }", "leave one out");
        check("{ dm: x }", "unknown field `dm`");
    }
}
