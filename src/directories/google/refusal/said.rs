//! What Google said, in whichever of its languages.

use serde_json::Value;

/// The longest text of Google's that is shown, in characters.
const SHOWN_MAX: usize = 200;
/// The longest word of it. What is longer is no word.
const WORD_MAX: usize = 60;

/// What Google said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Said {
    /// The word of the protocol; empty where there is none.
    pub(in super::super) word: String,
    /// What stands beside it, for people.
    pub(in super::super) message: String,
}

impl Said {
    /// What the answer to a request for a token says; `None` where it does not speak OAuth.
    pub(in super::super) fn by_token(body: &[u8]) -> Option<Said> {
        let body: Value = serde_json::from_slice(body).ok()?;
        let word = word(body.get("error")?)?;
        let message = text(body.get("error_description"));
        Some(Said { word, message })
    }

    /// What an answer of the API says; `None` where it does not speak Google's language, as proxies do not.
    pub(in super::super) fn by_api(body: &[u8]) -> Option<Said> {
        let body: Value = serde_json::from_slice(body).ok()?;
        let error = body.get("error")?.as_object()?;
        let reasons = |list: &str| -> Option<String> {
            let items = error.get(list)?.as_array()?;
            items.iter().find_map(|it| word(it.get("reason")?))
        };
        let status = error.get("status").and_then(word);
        let known = reasons("details").and_then(|it| old_word(&it));
        let word = known
            .map(str::to_owned)
            .or_else(|| reasons("errors"))
            .or(status)
            .or_else(|| reasons("details"))
            .unwrap_or_default();
        Some(Said {
            word: old_word(&word).map_or(word, str::to_owned),
            message: text(error.get("message")),
        })
    }

    /// What an answer means that is 401, in the word for it.
    pub(in super::super) fn unauthorised() -> Said {
        Said {
            word: "authError".to_owned(),
            message: String::new(),
        }
    }

    /// Whether it is about the token with which the next page of a list is asked for, which does not last for ever.
    pub(in super::super) fn is_of_page(&self) -> bool {
        let message = self.message.to_lowercase();
        message.contains("pagetoken") || message.contains("page token")
    }

    /// All of it, for an error's text: one line without anybody's address and without anything that may be a token.
    pub(in super::super) fn shown(&self) -> String {
        let message = shown(&self.message);
        match (self.word.as_str(), message.as_str()) {
            ("", "") => "without a word".to_owned(),
            ("", message) => format!("saying: {message}"),
            (word, "") => format!("saying `{word}`"),
            (word, message) => format!("saying `{word}` ({message})"),
        }
    }
}

/// The word of the API's first form for one of its second, and for another of its first that means the same.
fn old_word(word: &str) -> Option<&'static str> {
    Some(match word {
        "SERVICE_DISABLED" => "accessNotConfigured",
        "ACCESS_TOKEN_SCOPE_INSUFFICIENT" => "insufficientPermissions",
        "RATE_LIMIT_EXCEEDED" | "RESOURCE_EXHAUSTED" => "rateLimitExceeded",
        "PERMISSION_DENIED" => "forbidden",
        "NOT_FOUND" => "notFound",
        "INVALID_ARGUMENT" | "invalid" => "badRequest",
        "UNAUTHENTICATED" | "required" => "authError",
        _ => return None,
    })
}

/// A word of a protocol; anything else that stands in its place is not shown and means nothing.
fn word(value: &Value) -> Option<String> {
    let word = value.as_str()?;
    let is_word = !word.is_empty()
        && word.len() <= WORD_MAX
        && word
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || it == b'_');
    is_word.then(|| word.to_owned())
}

fn text(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn shown(message: &str) -> String {
    let words = message.split(|it: char| it.is_whitespace() || it.is_control());
    let words = words.filter(|it| !it.is_empty()).map(|it| {
        let is_hidden = it.contains('@') || it.contains("eyJ") || it.len() > WORD_MAX;
        if is_hidden { "***" } else { it }
    });
    let line = words.collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_the_envelope_say_the_same() {
        fn check(body: &str, word: &str, message: &str) {
            let said = Said::by_api(body.as_bytes()).unwrap();
            assert_eq!(
                (said.word.as_str(), said.message.as_str()),
                (word, message),
                "{body}"
            );
        }
        check(
            r#"{"error":{"code":403,"message":"m","errors":[{"message":"m","domain":"usageLimits","reason":"quotaExceeded"}]}}"#,
            "quotaExceeded",
            "m",
        );
        check(
            r#"{"error":{"code":403,"message":"m","status":"PERMISSION_DENIED"}}"#,
            "forbidden",
            "m",
        );
        check(
            r#"{"error":{"code":403,"message":"m","status":"PERMISSION_DENIED","details":[{"@type":"t"},{"reason":"SERVICE_DISABLED"}]}}"#,
            "accessNotConfigured",
            "m",
        );
        check(
            r#"{"error":{"code":403,"errors":[{"reason":"quotaExceeded"}],"status":"PERMISSION_DENIED"}}"#,
            "quotaExceeded",
            "",
        );
        // The more particular of two counts.
        check(
            r#"{"error":{"errors":[{"reason":"forbidden"}],"details":[{"reason":"ACCESS_TOKEN_SCOPE_INSUFFICIENT"}]}}"#,
            "insufficientPermissions",
            "",
        );
        check(
            r#"{"error":{"errors":[{"reason":"forbidden"}],"details":[{"reason":"NEW"}]}}"#,
            "forbidden",
            "",
        );
        check(r#"{"error":{"details":[{"reason":"NEW"}]}}"#, "NEW", "");
        check(
            r#"{"error":{"errors":[{"reason":"required"}]}}"#,
            "authError",
            "",
        );
        check(r#"{"error":{"errors":[{"reason":"a b"}]}}"#, "", "");
        for body in ["", "<html>", "{}", r#"{"error":"invalid_grant"}"#, "[]"] {
            assert_eq!(Said::by_api(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn googles_words_are_shown_on_one_line_without_addresses_and_tokens() {
        fn check(word: &str, message: &str, expect: &str) {
            let said = Said {
                word: word.to_owned(),
                message: message.to_owned(),
            };
            assert_eq!(said.shown(), expect);
        }
        check("", "", "without a word");
        check("", "a\nb", "saying: a b");
        check("forbidden", "", "saying `forbidden`");
        check(
            "x",
            " for anna@example.com, now",
            "saying `x` (for *** now)",
        );
        check("x", "of eyJhbGciOi.x", "saying `x` (of ***)");
        let long = "y".repeat(61);
        check("x", &long, "saying `x` (***)");
        let many = "y ".repeat(150);
        check("", &many, &format!("saying: {}…", &many[..200]));
    }
}
