//! The key file of a service account, and what is signed with it: the assertion that Google gives a token for (RFC 7523, and
//! Google's page "Using OAuth 2.0 for Server to Server Applications").
//!
//! The files that Google's consoles give look alike, and most of them are not this one, so each is told by name.

use std::fmt;

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde_json::Value;
use thiserror::Error;
use url::Url;

use crate::clock::Timestamp;
use crate::http::HttpUrl;

/// How long an assertion counts, in seconds: as long as Google takes any.
const ASSERTION_LIFE: i64 = 3600;

/// A service account with its private key.
pub(super) struct ServiceAccountKey {
    client_email: String,
    private_key: EncodingKey,
    private_key_id: String,
    /// As it is written in the file.
    audience: String,
    token_url: Url,
}

/// Why a key file is none that can be used. No text holds anything of the file but names of its members.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum KeyFault {
    /// It is something else.
    #[error(
        "it is no JSON (line {line}, column {column}): put the file there that the Google Cloud console gives for a service \
         account under Keys > Add key > Create new key > JSON"
    )]
    NotJson {
        /// Where JSON ends, counted from 1.
        line: usize,
        /// The same within the line.
        column: usize,
    },
    /// `installed` or `web`.
    #[error(
        "it is the file of an OAuth client ID, with which people log in: make a service account, and for it a key of the type JSON"
    )]
    OauthClient,
    /// `authorized_user`.
    #[error(
        "it is the login of a person, as gcloud keeps it: make a service account, and for it a key of the type JSON"
    )]
    Person,
    /// `external_account`.
    #[error(
        "it is the configuration of a workload identity federation and holds no key: make for the service account a key of the \
         type JSON"
    )]
    Federation,
    /// Something that Google will have thought of later.
    #[error(
        "its `type` is not `service_account`: make a service account, and for it a key of the type JSON"
    )]
    OtherType,
    /// A member that cannot be done without.
    #[error(
        "`{0}` is missing in it, or no text: put the whole file there as Google gave it, or make a new key"
    )]
    Missing(&'static str),
    /// Nothing can be signed with it.
    #[error(
        "its `private_key` is no RSA key in PEM (`-----BEGIN PRIVATE KEY-----`): put the file there as Google gave it, with each \
         end of a line in it written as `\\n`, or make a new key"
    )]
    PrivateKey,
    /// No URL, or none of HTTP.
    #[error(
        "its `token_uri` is no address of HTTP: Google writes `https://oauth2.googleapis.com/token` there"
    )]
    TokenUri,
    /// There is a name or a password in it.
    #[error("its `token_uri` holds a name or a password: leave them out")]
    TokenUriLogin,
    /// Not over TLS.
    #[error(
        "its `token_uri` begins with `http://`, so what asks for a token would be readable for everybody on the way: Google \
         writes `https://oauth2.googleapis.com/token` there; `insecure: true` allows it"
    )]
    TokenUriPlain,
    /// It would ask in its own name.
    #[error(
        "`subject` is the service account itself: write the address of an administrator, in whose name it asks, or leave \
         `subject` out"
    )]
    OwnSubject,
}

/// What an assertion says.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<&'a str>,
    scope: String,
    aud: &'a str,
    iat: i64,
    exp: i64,
}

impl ServiceAccountKey {
    /// Reads a key file. `plain_token` allows a `token_uri` without TLS.
    ///
    /// # Errors
    /// [`KeyFault`].
    pub(super) fn read(file: &SecretString, plain_token: bool) -> Result<Self, KeyFault> {
        let file: Value =
            serde_json::from_str(file.expose_secret()).map_err(|it| KeyFault::NotJson {
                line: it.line(),
                column: it.column(),
            })?;
        if file.get("installed").is_some() || file.get("web").is_some() {
            return Err(KeyFault::OauthClient);
        }
        match member(&file, "type")? {
            "service_account" => {}
            "authorized_user" => return Err(KeyFault::Person),
            "external_account" => return Err(KeyFault::Federation),
            _ => return Err(KeyFault::OtherType),
        }
        // It is not sent, but nobody could authorise an account without it.
        member(&file, "client_id")?;
        let private_key = member(&file, "private_key")?.as_bytes();
        let private_key = EncodingKey::from_rsa_pem(private_key);
        let audience = member(&file, "token_uri")?;
        Ok(ServiceAccountKey {
            client_email: member(&file, "client_email")?.to_owned(),
            private_key: private_key.map_err(|_| KeyFault::PrivateKey)?,
            private_key_id: member(&file, "private_key_id")?.to_owned(),
            audience: audience.to_owned(),
            token_url: token_url(audience, plain_token)?,
        })
    }

    /// Where a token is asked for.
    pub(super) fn token_url(&self) -> &Url {
        &self.token_url
    }

    /// Signs that the account asks for these scopes, at this moment and in the name of `subject`, if there is one.
    ///
    /// # Errors
    /// [`KeyFault::OwnSubject`], and [`KeyFault::PrivateKey`] for a key that cannot sign.
    pub(super) fn assertion(
        &self,
        subject: Option<&str>,
        scopes: &[&str],
        now: Timestamp,
    ) -> Result<SecretString, KeyFault> {
        if subject.is_some_and(|it| it.eq_ignore_ascii_case(&self.client_email)) {
            return Err(KeyFault::OwnSubject);
        }
        let claims = Claims {
            iss: &self.client_email,
            sub: subject,
            scope: scopes.join(" "),
            aud: &self.audience,
            iat: now.0,
            exp: now.0.saturating_add(ASSERTION_LIFE),
        };
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(self.private_key_id.clone());
        let assertion = encode(&header, &claims, &self.private_key);
        let assertion = assertion.map_err(|_| KeyFault::PrivateKey)?;
        Ok(SecretString::from(assertion))
    }
}

/// Nothing of it.
impl fmt::Debug for ServiceAccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceAccountKey").finish_non_exhaustive()
    }
}

/// A text of the file that is there and not empty.
fn member<'a>(file: &'a Value, name: &'static str) -> Result<&'a str, KeyFault> {
    let text = file.get(name).and_then(Value::as_str);
    text.filter(|it| !it.is_empty())
        .ok_or(KeyFault::Missing(name))
}

fn token_url(text: &str, plain_token: bool) -> Result<Url, KeyFault> {
    let url: HttpUrl = text.parse().map_err(|_| KeyFault::TokenUri)?;
    if url.has_login() {
        return Err(KeyFault::TokenUriLogin);
    }
    if url.is_plain() && !plain_token {
        return Err(KeyFault::TokenUriPlain);
    }
    Ok(url.into_url())
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::OnceLock;

    use jsonwebtoken::{DecodingKey, Validation, decode};
    use rcgen::KeyPair;
    use serde_json::json;

    use super::*;

    pub(in super::super) const ACCOUNT: &str = "reader@project.iam.gserviceaccount.com";
    const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";

    /// A key for all tests, since making one takes its time.
    fn pair() -> &'static KeyPair {
        static PAIR: OnceLock<KeyPair> = OnceLock::new();
        PAIR.get_or_init(|| KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap())
    }

    /// A key file as Google gives it.
    pub(in super::super) fn key_file(token_uri: &str) -> Value {
        json!({
            "type": "service_account",
            "project_id": "project",
            "private_key_id": "0123abcd",
            "private_key": pair().serialize_pem(),
            "client_email": ACCOUNT,
            "client_id": "104711",
            "token_uri": token_uri,
            "universe_domain": "googleapis.com",
        })
    }

    /// What an assertion says, if the test key signed it.
    pub(in super::super) fn claims(assertion: &str) -> Value {
        let key = DecodingKey::from_rsa_pem(pair().public_key_pem().as_bytes()).unwrap();
        let mut validation = Validation::new(Algorithm::RS256);
        validation.validate_aud = false;
        validation.validate_exp = false;
        decode(assertion, &key, &validation).unwrap().claims
    }

    fn read(file: &Value) -> Result<ServiceAccountKey, KeyFault> {
        ServiceAccountKey::read(&SecretString::from(file.to_string()), false)
    }

    #[test]
    fn an_assertion_says_who_asks_for_what_in_whose_name_and_until_when() {
        fn check(subject: Option<&str>) {
            let key = read(&key_file(TOKEN_URI)).unwrap();
            assert_eq!(key.token_url().as_str(), TOKEN_URI);
            let signed = key.assertion(subject, &["a", "b"], Timestamp(1_000));
            let signed = signed.unwrap();
            let signed = signed.expose_secret();
            let mut expect = json!({
                "iss": ACCOUNT, "scope": "a b", "aud": TOKEN_URI, "iat": 1_000, "exp": 4_600,
            });
            if let Some(subject) = subject {
                expect["sub"] = subject.into();
            }
            assert_eq!(claims(signed), expect);
            let header = jsonwebtoken::decode_header(signed).unwrap();
            assert_eq!(header.kid.as_deref(), Some("0123abcd"));
            assert_eq!(header.typ.as_deref(), Some("JWT"));
            assert!(!signed.contains('='), "segments are not padded");
        }
        check(Some("admin@example.com"));
        check(None);
    }

    #[test]
    fn a_file_that_is_no_key_file_is_told_by_what_it_is() {
        fn check(file: &str, expect: &KeyFault) {
            let found = ServiceAccountKey::read(&SecretString::from(file), false);
            assert_eq!(&found.unwrap_err(), expect, "{file}");
        }
        let (line, column) = (1, 1);
        check(
            "-----BEGIN PRIVATE KEY-----",
            &KeyFault::NotJson { line, column: 2 },
        );
        check("\u{feff}{}", &KeyFault::NotJson { line, column });
        check(r#"{"installed": {}}"#, &KeyFault::OauthClient);
        check(r#"{"web": {}}"#, &KeyFault::OauthClient);
        check(r#"{"type": "authorized_user"}"#, &KeyFault::Person);
        check(r#"{"type": "external_account"}"#, &KeyFault::Federation);
        check(r#"{"type": "gdch_service_account"}"#, &KeyFault::OtherType);
        for file in ["{}", "[]", "7", r#"{"type": 7}"#] {
            check(file, &KeyFault::Missing("type"));
        }
    }

    #[test]
    fn a_key_file_that_lacks_something_says_what() {
        for name in [
            "client_id",
            "private_key",
            "token_uri",
            "client_email",
            "private_key_id",
        ] {
            for bad in [Value::Null, "".into(), 7.into()] {
                let mut file = key_file(TOKEN_URI);
                file[name] = bad;
                assert_eq!(read(&file).unwrap_err(), KeyFault::Missing(name));
            }
        }
    }

    #[test]
    fn a_private_key_that_cannot_sign_is_refused() {
        let elliptic = KeyPair::generate().unwrap().serialize_pem();
        let pem = pair().serialize_pem();
        for bad in ["none", &pem[..200], &elliptic] {
            let mut file = key_file(TOKEN_URI);
            file["private_key"] = bad.into();
            assert_eq!(read(&file).unwrap_err(), KeyFault::PrivateKey);
        }
        let mut file = key_file(TOKEN_URI);
        file["private_key"] = pair().public_key_pem().into();
        let signed = read(&file).and_then(|it| it.assertion(None, &[], Timestamp(0)));
        assert_eq!(signed.unwrap_err(), KeyFault::PrivateKey);
    }

    #[test]
    fn a_token_is_asked_for_over_tls_unless_it_is_allowed_without() {
        fn check(token_uri: &str, plain_token: bool, expect: Option<&KeyFault>) {
            let file = SecretString::from(key_file(token_uri).to_string());
            let found = ServiceAccountKey::read(&file, plain_token).err();
            assert_eq!(found.as_ref(), expect, "{token_uri}");
        }
        let plain = "http://127.0.0.1:80/token";
        check(plain, true, None);
        check(plain, false, Some(&KeyFault::TokenUriPlain));
        check("https://127.0.0.1/token", true, None);
        check("nowhere", true, Some(&KeyFault::TokenUri));
        check("ftp://h/token", true, Some(&KeyFault::TokenUri));
        let login = "https://u:pw@h/token";
        check(login, false, Some(&KeyFault::TokenUriLogin));
    }

    #[test]
    fn a_service_account_does_not_ask_in_its_own_name() {
        let key = read(&key_file(TOKEN_URI)).unwrap();
        for subject in [ACCOUNT, &ACCOUNT.to_uppercase()] {
            let signed = key.assertion(Some(subject), &[], Timestamp(0));
            assert_eq!(signed.unwrap_err(), KeyFault::OwnSubject);
        }
    }

    #[test]
    fn nothing_of_a_key_is_shown() {
        let key = read(&key_file(TOKEN_URI)).unwrap();
        assert_eq!(format!("{key:?}"), "ServiceAccountKey { .. }");
        let mut file = key_file("https://hunter2:pw@h/");
        let fault = read(&file).unwrap_err();
        assert!(!fault.to_string().contains("hunter"), "{fault}");
        file["type"] = "hunter2".into();
        let fault = read(&file).unwrap_err();
        assert!(!format!("{fault} {fault:?}").contains("hunter"), "{fault}");
    }
}
