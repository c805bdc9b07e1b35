//! The token endpoint, and what its tokens are good for.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::{Value, json};
use usersyncd::clock::{Clock as _, ManualClock, SystemClock};
use usersyncd::text::Span;

use super::{Caller, ask_token, caller, claims, send, signed};
use crate::support::google_double::{ADMIN, CLIENT_EMAIL, CLIENT_ID, GROUP_SCOPE, GoogleDouble};

const GROUPS: &str = "groups?customer=my_customer";

#[test]
fn an_assertion_in_order_gets_a_token() {
    let double = GoogleDouble::start();
    let file: Value = serde_json::from_str(&double.key()).unwrap();
    assert_eq!(file["client_id"], CLIENT_ID);
    assert_eq!(file["token_uri"], format!("{}token", double.url()));
    for audience in [
        format!("{}token", double.url()),
        "https://oauth2.googleapis.com/token".to_owned(),
    ] {
        let mut claims = claims(&double);
        claims["aud"] = audience.into();
        let came = ask_token(&double, &signed(&double.key(), &claims)).json();
        assert_eq!(
            (&came["token_type"], &came["expires_in"]),
            (&json!("Bearer"), &json!(3599))
        );
        let token = came["access_token"].as_str().map(str::to_owned);
        let caller = Caller {
            double: &double,
            token,
        };
        assert_eq!(caller.directory(GROUPS).status, 200);
    }
    let seen = double.requests();
    assert_eq!(
        (seen[0].operation.as_str(), &seen[0].claims()["iss"]),
        ("token", &json!(CLIENT_EMAIL))
    );
    assert_eq!(double.count("token"), 2);
}

#[test]
fn segments_may_be_padded() {
    let double = GoogleDouble::start();
    let file: Value = serde_json::from_str(&double.key()).unwrap();
    let key = EncodingKey::from_rsa_pem(file["private_key"].as_str().unwrap().as_bytes()).unwrap();
    let header = URL_SAFE.encode(r#"{"alg":"RS256","typ":"JWT"}"#);
    // Two of three lengths need padding.
    for more in ["", "x", "xx"] {
        let mut claims = claims(&double);
        claims["more"] = more.into();
        let message = format!("{header}.{}", URL_SAFE.encode(claims.to_string()));
        let signature = crypto::sign(message.as_bytes(), &key, Algorithm::RS256).unwrap();
        let came = ask_token(&double, &format!("{message}.{signature}=="));
        assert_eq!(came.status, 200, "{message}: {}", came.body);
    }
}

/// What is answered to claims with one field changed (or taken out, by `null`).
fn check(double: &GoogleDouble, field: &str, value: impl Into<Value>, expect: (u16, &str, &str)) {
    let value = value.into();
    let mut claims = claims(double);
    claims[field] = value.clone();
    if value.is_null() {
        claims.as_object_mut().unwrap().remove(field);
    }
    let came = ask_token(double, &signed(&double.key(), &claims));
    let text = |key: &str| came.json()[key].as_str().unwrap().to_owned();
    let (error, description) = (text("error"), text("error_description"));
    let good = came.status == expect.0 && error == expect.1 && description.contains(expect.2);
    assert!(good, "{field} {value}: {came:?}");
}

#[test]
fn an_assertion_that_is_not_in_order_is_refused_by_its_reason() {
    let double = GoogleDouble::start();
    let now = SystemClock::new().now().0;
    double.with(|state| {
        state.add_user("gone@example.com");
        state.suspend("gone@example.com");
    });
    let grant = |text: &'static str| (400, "invalid_grant", text);
    check(
        &double,
        "iss",
        "other@example.com",
        grant("No valid verifier found for issuer"),
    );
    check(
        &double,
        "aud",
        "https://example.com/token",
        grant("audience"),
    );
    check(
        &double,
        "iat",
        now - 7200,
        grant("short-lived token (60 minutes)"),
    );
    check(
        &double,
        "iat",
        now + 7200,
        grant("short-lived token (60 minutes)"),
    );
    check(
        &double,
        "iat",
        Value::Null,
        grant("short-lived token (60 minutes)"),
    );
    check(
        &double,
        "exp",
        now + 5000,
        grant("short-lived token (60 minutes)"),
    );
    check(
        &double,
        "exp",
        now - 1,
        grant("short-lived token (60 minutes)"),
    );
    check(
        &double,
        "sub",
        "nobody@example.com",
        grant("Invalid email or User ID"),
    );
    check(
        &double,
        "sub",
        "gone@example.com",
        grant("Invalid email or User ID"),
    );
    check(&double, "sub", "nobody", grant("Not a valid email"));
    let scope =
        format!("{GROUP_SCOPE} https://www.googleapis.com/auth/admin.directory.orgunit.readonly");
    let scopes = (
        401,
        "unauthorized_client",
        "not authorized for any of the scopes",
    );
    check(&double, "scope", scope, scopes);
    let comma = format!("{GROUP_SCOPE},{GROUP_SCOPE}");
    check(&double, "scope", comma, (400, "invalid_scope", ""));
    check(&double, "scope", "", (400, "invalid_scope", ""));
    double.with(|state| state.scopes.clear());
    let client = (
        401,
        "unauthorized_client",
        "Unauthorized client or scope in request.",
    );
    check(&double, "kid", "x", client);
}

#[test]
fn a_key_that_is_not_known_signs_nothing() {
    let double = GoogleDouble::start();
    let refused = |assertion: &str, expect: &str| {
        let came = ask_token(&double, assertion);
        let body = came.json();
        assert_eq!(
            (came.status, &body["error"]),
            (400, &json!("invalid_grant"))
        );
        let text = body["error_description"].as_str().unwrap();
        assert!(text.contains(expect), "{text}");
    };
    refused(
        &signed(&double.other_key(), &claims(&double)),
        "Invalid JWT Signature.",
    );
    let good = signed(&double.key(), &claims(&double));
    let (message, _) = good.rsplit_once('.').unwrap();
    refused(&format!("{message}."), "Invalid JWT Signature.");
    refused("no assertion", "Failed to parse");
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
    refused(
        &format!("{none}.{}.", good.split('.').nth(1).unwrap()),
        "Failed to parse",
    );
    let other = send(&double, "POST /token HTTP/1.1\r\n", "grant_type=password");
    assert_eq!(
        (other.status, &other.json()["error"]),
        (400, &json!("unsupported_grant_type"))
    );
}

#[test]
fn a_token_is_good_for_its_life_and_for_nobody_else() {
    let double = GoogleDouble::start();
    let clock = Arc::new(ManualClock::new(SystemClock::new().now()));
    let own = Arc::clone(&clock);
    double.with(|state| {
        state.clock = own;
        state.token_life = 60;
    });
    let caller = caller(&double);
    clock.advance(Span::seconds(59));
    assert_eq!(caller.directory(GROUPS).status, 200);
    clock.advance(Span::seconds(1));
    let expired = (401, "authError".to_owned());
    assert_eq!(caller.directory(GROUPS).refusal(), expired);
    for (token, reason) in [(None, "required"), (Some("made up"), "authError")] {
        let caller = Caller {
            double: &double,
            token: token.map(str::to_owned),
        };
        assert_eq!(caller.directory(GROUPS).refusal(), (401, reason.to_owned()));
    }
}

#[test]
fn only_an_administrator_may_read() {
    let double = GoogleDouble::start();
    double.with(|state| state.add_user("a@example.com"));
    let ask = |subject: Option<&str>| {
        let mut claims = claims(&double);
        match subject {
            Some(subject) => claims["sub"] = subject.into(),
            None => _ = claims.as_object_mut().unwrap().remove("sub"),
        }
        let came = ask_token(&double, &signed(&double.key(), &claims)).json();
        let token = came["access_token"].as_str().map(str::to_owned);
        let double = &double;
        Caller { double, token }.directory(GROUPS)
    };
    assert_eq!(ask(Some(ADMIN)).status, 200);
    let forbidden = (403, "forbidden".to_owned());
    assert_eq!(ask(Some("a@example.com")).refusal(), forbidden);
    assert_eq!(ask(None).refusal(), forbidden);
    // The service account impersonates itself.
    assert_eq!(
        ask(Some(CLIENT_EMAIL)).refusal(),
        (404, "notFound".to_owned())
    );
    double.with(|state| {
        state.admins.insert("a@example.com".to_owned());
        state.admins.insert(CLIENT_EMAIL.to_owned());
        state.scopes.clear();
    });
    // It has a role itself, for which nothing need be delegated.
    assert_eq!(ask(None).status, 200);
    double.with(|state| state.scopes.insert(GROUP_SCOPE.to_owned()));
}
