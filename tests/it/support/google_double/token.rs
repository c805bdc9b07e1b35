//! The token endpoint, and what a token is good for (sections 2.1 and 2.2 of the reference; \[K\] is background knowledge that it
//! lacks).

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Value, json};

use super::answer::Answer;
use super::asked::{Asked, Call};
use super::inside::Inside;
use super::keys;
use super::state::{State, Who};
use super::{AUDIT_SCOPE, CLIENT_EMAIL, GROUP_SCOPE, MEMBER_SCOPE, USER_SCOPE};

/// Google reads segments with padding too.
pub(super) const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// What Google's own client says, wherever it asks.
const AUDIENCE: &str = "https://oauth2.googleapis.com/token";
/// How far an assertion's clock may be off, in seconds \[K\].
const DRIFT: i64 = 300;
/// How long an assertion may live, in seconds.
const LIFE: i64 = 3600;

/// What an access token stands for.
#[derive(Clone, Debug)]
pub(super) struct Granted {
    /// Seconds since the epoch.
    expires: i64,
    /// Who is impersonated.
    subject: Option<String>,
    scopes: BTreeSet<String>,
}

/// Answers a request for a token.
pub(super) fn answer(asked: &Asked, inside: &mut Inside) -> Answer {
    match grant(asked, &inside.state, &inside.token_uri) {
        Err(refusal) => refusal,
        Ok(granted) => {
            let token = format!("ya29.{}", inside.seen.len());
            inside.granted.insert(token.clone(), granted);
            let life = inside.state.token_life - 1;
            let body = json!({ "access_token": token, "expires_in": life, "token_type": "Bearer" });
            Answer::of(200, &body)
        }
    }
}

/// Whether whoever asks may do so; a refusal otherwise.
pub(super) fn admit(asked: &Asked, inside: &Inside) -> Result<(), Answer> {
    let Some(token) = &asked.bearer else {
        let text = "Login Required.";
        return Err(Answer::refusal(401, "required", text));
    };
    let state = &inside.state;
    let granted = inside.granted.get(token);
    let Some(granted) = granted.filter(|it| state.now() < it.expires) else {
        return Err(Answer::refusal(401, "authError", "Invalid Credentials"));
    };
    let accepted = accepted(&asked.call);
    if !accepted.iter().any(|it| granted.scopes.contains(*it)) {
        let text = "Request had insufficient authentication scopes.";
        return Err(Answer::refusal(403, "insufficientPermissions", text));
    }
    // A role may be assigned to the service account itself.
    let actor = granted.subject.as_deref().unwrap_or(CLIENT_EMAIL);
    if state.admins.contains(actor) {
        Ok(())
    } else if granted.subject.as_deref() == Some(CLIENT_EMAIL) {
        Err(Answer::refusal(404, "notFound", "Domain not found."))
    } else {
        Err(Answer::forbidden())
    }
}

/// The scopes of which a call needs one; those that write are not given to anybody here.
fn accepted(call: &Call) -> &'static [&'static str] {
    match call {
        Call::Users | Call::User(_) => &[USER_SCOPE],
        Call::Groups | Call::Group(_) => &[GROUP_SCOPE],
        Call::Members(_) | Call::Member(..) => &[GROUP_SCOPE, MEMBER_SCOPE],
        Call::Activities(..) => &[AUDIT_SCOPE],
        Call::Token | Call::Unknown => &[USER_SCOPE, GROUP_SCOPE, MEMBER_SCOPE, AUDIT_SCOPE],
    }
}

fn grant(asked: &Asked, state: &State, token_uri: &str) -> Result<Granted, Answer> {
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(asked.body.as_bytes())
        .into_owned()
        .collect();
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    if field("grant_type") != GRANT {
        let text = format!("Invalid grant_type: {}", field("grant_type"));
        return Err(Answer::no_token(400, "unsupported_grant_type", &text));
    }
    let claims = verified(field("assertion"))?;
    let text = |name: &str| claims[name].as_str().unwrap_or_default();
    if ![AUDIENCE, token_uri].contains(&text("aud")) {
        return Err(invalid_grant("Invalid JWT: Failed audience check."));
    }
    check_times(&claims, state.now())?;
    let subject = claims.get("sub").and_then(Value::as_str);
    check_subject(subject, state)?;
    let scopes = scopes(text("scope"))?;
    // What is authorised counts for delegation alone.
    if subject.is_some() {
        check_authorised(&scopes, &state.scopes)?;
    }
    Ok(Granted {
        expires: state.now() + state.token_life,
        subject: subject.map(str::to_owned),
        scopes,
    })
}

/// The claims of an assertion that the service account has signed.
fn verified(assertion: &str) -> Result<Value, Answer> {
    let malformed = || invalid_grant("Invalid JWT: Failed to parse the assertion.");
    let (message, signature) = assertion.rsplit_once('.').ok_or_else(malformed)?;
    let (header, claims) = message.split_once('.').ok_or_else(malformed)?;
    let segment = |text: &str| {
        let bytes = LENIENT.decode(text).ok()?;
        serde_json::from_slice::<Value>(&bytes).ok()
    };
    let header = segment(header).ok_or_else(malformed)?;
    let claims = segment(claims).ok_or_else(malformed)?;
    if header["alg"] != "RS256" || header["typ"] != "JWT" {
        return Err(malformed());
    }
    if claims["iss"] != CLIENT_EMAIL {
        let text = "Invalid JWT: No valid verifier found for issuer.";
        return Err(invalid_grant(text));
    }
    if !keys::valid().has_signed(message, signature.trim_end_matches('=')) {
        return Err(invalid_grant("Invalid JWT Signature."));
    }
    Ok(claims)
}

fn check_times(claims: &Value, now: i64) -> Result<(), Answer> {
    let moment = |name: &str| claims[name].as_i64();
    let good = moment("iat")
        .zip(moment("exp"))
        .is_some_and(|(iat, exp)| (iat - now).abs() <= DRIFT && now < exp && exp <= iat + LIFE);
    if good {
        return Ok(());
    }
    let text = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp \
                values in the JWT claim.";
    Err(invalid_grant(text))
}

/// Whoever is impersonated must be there, and not suspended \[K\]; what may be read then is asked later.
fn check_subject(subject: Option<&str>, state: &State) -> Result<(), Answer> {
    let Some(subject) = subject else {
        return Ok(());
    };
    if state.admins.contains(subject) || subject == CLIENT_EMAIL {
        return Ok(());
    }
    if !subject.contains('@') {
        return Err(invalid_grant("Not a valid email"));
    }
    match state.find(subject) {
        Some(Who::User(id)) if state.users[&id].suspended != Some(true) => Ok(()),
        _ => Err(invalid_grant("Invalid email or User ID")),
    }
}

/// The scopes that are asked for, between spaces.
fn scopes(text: &str) -> Result<BTreeSet<String>, Answer> {
    let scopes: BTreeSet<String> = text.split(' ').map(str::to_owned).collect();
    let prefix = "https://www.googleapis.com/auth/";
    let is_one = |it: &String| it.starts_with(prefix) && !it.contains(',');
    if scopes.iter().all(is_one) {
        return Ok(scopes);
    }
    let text = "Invalid OAuth scope or ID token audience provided.";
    Err(Answer::no_token(400, "invalid_scope", text))
}

/// One scope that is not authorised fails the whole request.
fn check_authorised(asked: &BTreeSet<String>, given: &BTreeSet<String>) -> Result<(), Answer> {
    if asked.is_subset(given) {
        return Ok(());
    }
    let text = if given.is_empty() {
        "Unauthorized client or scope in request."
    } else {
        "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested."
    };
    Err(Answer::no_token(401, "unauthorized_client", text))
}

fn invalid_grant(text: &str) -> Answer {
    Answer::no_token(400, "invalid_grant", text)
}
