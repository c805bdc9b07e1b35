//! Answers, and the forms in which Google refuses: the envelope of its APIs, and that of the token endpoint.

use hyper::body::Bytes;
use serde_json::{Value, json};

/// What goes out.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Bytes,
}

impl Answer {
    pub(super) fn json(status: u16, body: Bytes) -> Answer {
        Answer {
            status,
            content_type: "application/json; charset=UTF-8",
            headers: Vec::new(),
            body,
        }
    }

    pub(super) fn of(status: u16, body: &Value) -> Answer {
        Answer::json(status, Bytes::from(body.to_string()))
    }

    /// A page for people, as Google's front ends and proxies answer.
    pub(super) fn html(status: u16) -> Answer {
        let body = format!(
            "<!DOCTYPE html>\n<html lang=en>\n<title>Error {status}</title>\n<p><b>{status}.</b> That’s an error.\n"
        );
        Answer {
            content_type: "text/html; charset=UTF-8",
            ..Answer::json(status, Bytes::from(body))
        }
    }

    pub(super) fn with(mut self, header: &'static str, value: String) -> Answer {
        self.headers.push((header, value));
        self
    }

    /// The envelope of errors; the domain follows from the reason.
    pub(super) fn refusal(status: u16, reason: &str, message: &str) -> Answer {
        let domain = match reason {
            "userRateLimitExceeded"
            | "quotaExceeded"
            | "rateLimitExceeded"
            | "accessNotConfigured" => "usageLimits",
            _ => "global",
        };
        let word = match status {
            400 => "INVALID_ARGUMENT",
            401 => "UNAUTHENTICATED",
            403 => "PERMISSION_DENIED",
            404 => "NOT_FOUND",
            429 => "RESOURCE_EXHAUSTED",
            501 => "UNIMPLEMENTED",
            _ => "INTERNAL",
        };
        let error = json!({ "message": message, "domain": domain, "reason": reason });
        let error =
            json!({ "code": status, "message": message, "errors": [error], "status": word });
        Answer::of(status, &json!({ "error": error }))
    }

    /// What is said of objects of somebody else, and to those who are no administrators.
    pub(super) fn forbidden() -> Answer {
        let text = "Not Authorized to access this resource/api";
        Answer::refusal(403, "forbidden", text)
    }

    /// What is said of objects that are not there.
    pub(super) fn not_found(key: &str) -> Answer {
        let text = format!("Resource Not Found: {key}");
        Answer::refusal(404, "notFound", &text)
    }

    /// What is said of parameters that make no sense.
    pub(super) fn invalid(what: &str) -> Answer {
        Answer::refusal(400, "invalid", &format!("Invalid Input: {what}"))
    }

    /// What this double does not know; it rather says so than answer something else.
    pub(super) fn unknown_here(what: &str) -> Answer {
        let text = format!("the double does not know {what}");
        Answer::refusal(501, "notImplemented", &text)
    }

    /// The token endpoint's form of a refusal.
    pub(super) fn no_token(status: u16, error: &str, description: &str) -> Answer {
        let body = json!({ "error": error, "error_description": description });
        Answer::of(status, &body)
    }
}
