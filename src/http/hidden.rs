//! What must not be seen, and yet comes back: some servers show a whole request in the page that says why they refuse it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};

use super::{Login, Request};

/// What stands where something was hidden.
const MASK: &[u8] = b"***";
/// What is shorter than this, in bytes, is not looked for: it stands in any text.
const LENGTH_MIN: usize = 4;

/// The parts of a request that no error may show.
pub(super) struct Hidden(Vec<SecretString>);

impl Hidden {
    /// The password, as it is and as it was sent; the query, since it holds names; the body, since it may hold a password.
    pub(super) fn of(request: &Request<'_>) -> Hidden {
        let mut parts = Vec::new();
        match request.login {
            None => {}
            Some(Login::Basic(name, password)) => {
                let password = password.expose_secret();
                parts.push(STANDARD.encode(format!("{name}:{password}")));
                parts.push(password.to_owned());
            }
            Some(Login::Bearer(token)) => parts.push(token.expose_secret().to_owned()),
        }
        parts.extend(request.url.query().map(str::to_owned));
        let body = request.body.as_ref();
        parts.extend(body.map(|it| String::from_utf8_lossy(&it.bytes).into_owned()));
        parts.retain(|it| it.len() >= LENGTH_MIN);
        Hidden(parts.into_iter().map(SecretString::from).collect())
    }

    /// The text with a mask in place of each of these parts.
    pub(super) fn mask(&self, text: Vec<u8>) -> Vec<u8> {
        let parts = self.0.iter().map(|it| it.expose_secret().as_bytes());
        parts.fold(text, replace)
    }
}

fn replace(text: Vec<u8>, part: &[u8]) -> Vec<u8> {
    let mut masked = Vec::new();
    let mut rest = text.as_slice();
    while let Some(at) = rest.windows(part.len()).position(|it| it == part) {
        masked.extend_from_slice(&rest[..at]);
        masked.extend_from_slice(MASK);
        rest = &rest[at + part.len()..];
    }
    if masked.is_empty() {
        return text;
    }
    masked.extend_from_slice(rest);
    masked
}

#[cfg(test)]
mod tests {
    use reqwest::Method;

    use super::super::{Again, Body};
    use super::*;

    #[test]
    fn every_part_is_masked_wherever_it_stands() {
        let password = SecretString::from("hunter2");
        let request = Request {
            operation: "add a user",
            method: Method::POST,
            again: Again::Reads,
            url: "http://x/user?username=anna".parse().unwrap(),
            login: Some(Login::Basic("app", &password)),
            accept: "application/json",
            body: Some(Body {
                content_type: "application/json",
                bytes: b"{\"value\":\"s3cret\"}".to_vec(),
                is_secret: false,
            }),
            limit: 0,
        };
        let check = |text: &str, expect: &str| {
            let masked = Hidden::of(&request).mask(text.as_bytes().to_vec());
            assert_eq!(String::from_utf8(masked).unwrap(), expect);
        };
        check("hunter2", "***");
        check("a hunter2 b hunter2", "a *** b ***");
        check(
            "Authorization: Basic YXBwOmh1bnRlcjI=",
            "Authorization: Basic ***",
        );
        check("/user?username=anna", "/user?***");
        check("got {\"value\":\"s3cret\"}!", "got ***!");
        check("nothing of it", "nothing of it");
        check("", "");
    }

    #[test]
    fn what_is_too_short_to_be_told_from_any_text_is_not_looked_for() {
        let password = SecretString::from("a");
        let request = Request {
            operation: "x",
            method: Method::GET,
            again: Again::Reads,
            url: "http://x/".parse().unwrap(),
            login: Some(Login::Basic("", &password)),
            accept: "",
            body: None,
            limit: 0,
        };
        let masked = Hidden::of(&request).mask(b"a man".to_vec());
        assert_eq!(masked, b"a man");
    }
}
