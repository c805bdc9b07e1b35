//! The token with which everything is asked: had for an assertion (RFC 7523), kept while it lasts, and not asked for again
//! where Google has refused it for good.
//!
//! What is wrong with an account, a key or a delegation is mended by people, in minutes at the soonest. So a refusal is
//! remembered, and answered from memory, until the key is another one or ten minutes have passed. A failure of the line or of
//! Google itself is not a refusal.

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use tokio::sync::Mutex;
use url::form_urlencoded::Serializer;

use super::fault::GoogleFault;
use super::key::ServiceAccountKey;
use super::refusal::{Refusal, Said};
use crate::clock::Clock;
use crate::http::{Again, Answer, Body, Http, Method, Request, StatusCode};
use crate::secret::SecretRef;

const OPERATION: &str = "ask for a token";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// How often a token is asked for where the answer asks for patience.
const TIMES_MAX: u32 = 6;
/// The longest answer that is taken, in bytes. A token has less than two thousand.
const ANSWER_MAX: u64 = 1 << 20;
/// How long before its end a token is used no more. One that lasts less than twice as long is used for half of its time.
const SPARE: Duration = Duration::from_mins(5);
/// How long a token lasts that does not say so.
const LIFE: Duration = Duration::from_hours(1);
/// How long a refusal is remembered.
const REFUSED: Duration = Duration::from_mins(10);
/// What OAuth and Google call a fault of the server's own, where it has another status than such a fault.
const PASSING: [&str; 3] = [
    "internal_failure",
    "server_error",
    "temporarily_unavailable",
];
/// The refusals in which an administrator compares scopes.
const OF_SCOPES: [&str; 3] = ["unauthorized_client", "access_denied", "invalid_scope"];

/// For whom and for what a token is asked for.
pub(super) struct Grant {
    /// Everything goes through it, the calls of the API too.
    pub(super) http: Http,
    /// The key file of the service account; it is read anew for every token.
    pub(super) key: SecretRef,
    /// The person in whose name is asked (domain-wide delegation); without one the service account asks in its own.
    pub(super) subject: Option<String>,
    /// What may be read. One that is not authorised fails all.
    pub(super) scopes: Vec<&'static str>,
    /// Whether a token may be asked for where everybody on the way can read it.
    pub(super) plain_token: bool,
    /// What tells when a token was made and how long it lasts.
    pub(super) clock: Arc<dyn Clock>,
}

/// Has a token, or gets one.
pub(super) struct Tokens {
    grant: Grant,
    /// It is locked while a token is asked for, so that many who need one ask once.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<Arc<Token>>,
    refused: Option<Refused>,
}

/// A token.
pub(super) struct Token {
    pub(super) secret: SecretString,
    /// In monotonic time.
    until: Duration,
}

/// That Google will have nothing to do with a key.
struct Refused {
    /// The content of the key file.
    key: SecretString,
    fault: GoogleFault,
    /// In monotonic time.
    until: Duration,
}

impl Tokens {
    pub(super) fn new(grant: Grant) -> Tokens {
        Tokens {
            grant,
            state: Mutex::default(),
        }
    }

    /// A token that lasts for a while.
    ///
    /// # Errors
    /// [`GoogleFault`]; [`GoogleFault::Login`] is told from memory if it was told a short while ago.
    pub(super) async fn token(&self) -> Result<Arc<Token>, GoogleFault> {
        let mut state = self.state.lock().await;
        let now = self.grant.clock.monotonic();
        if let Some(token) = state.token.as_ref().filter(|it| now < it.until) {
            return Ok(Arc::clone(token));
        }
        let key = self.grant.key.read();
        let key = key.map_err(|it| GoogleFault::Key(format!("{OPERATION}: `key`: {it}")))?;
        if let Some(refused) = state.refused.as_ref().filter(|it| it.holds(&key, now)) {
            return Err(refused.fault.clone());
        }
        *state = State::default();
        match self.grant.ask(&key, now).await {
            Ok(token) => {
                let token = Arc::new(token);
                state.token = Some(Arc::clone(&token));
                Ok(token)
            }
            Err(fault) => {
                if matches!(fault, GoogleFault::Login(_)) {
                    state.refused = Some(Refused {
                        key,
                        fault: fault.clone(),
                        until: now.saturating_add(REFUSED),
                    });
                }
                Err(fault)
            }
        }
    }

    /// Does without this token from now on, since the API does not take it. One that was had meanwhile stays.
    pub(super) async fn forget(&self, token: &Arc<Token>) {
        let mut state = self.state.lock().await;
        if state
            .token
            .as_ref()
            .is_some_and(|it| Arc::ptr_eq(it, token))
        {
            state.token = None;
        }
    }
}

impl Refused {
    fn holds(&self, key: &SecretString, now: Duration) -> bool {
        now < self.until && key.expose_secret() == self.key.expose_secret()
    }
}

impl Grant {
    async fn ask(&self, key: &SecretString, now: Duration) -> Result<Token, GoogleFault> {
        let subject = self.subject.as_deref();
        let key = ServiceAccountKey::read(key, self.plain_token).and_then(|key| {
            let assertion = key.assertion(subject, &self.scopes, self.clock.now())?;
            Ok((key, assertion))
        });
        let (key, assertion) =
            key.map_err(|it| GoogleFault::Key(format!("{OPERATION}: `key`, {}: {it}", self.key)))?;
        let body = Serializer::new(String::new())
            .append_pair("grant_type", GRANT)
            .append_pair("assertion", assertion.expose_secret())
            .finish();
        let request = Request {
            operation: OPERATION,
            method: Method::POST,
            // A token that nobody uses does nothing.
            again: Again::Patiently {
                times: TIMES_MAX,
                is_busy,
            },
            url: key.token_url().clone(),
            login: None,
            accept: "application/json",
            body: Some(Body {
                content_type: "application/x-www-form-urlencoded",
                bytes: body.into_bytes(),
                is_secret: true,
            }),
            limit: ANSWER_MAX,
        };
        let answer = self.http.ask(request).await?;
        let (secret, life) = granted(&answer).ok_or_else(|| self.fault(&answer))?;
        Ok(Token {
            secret,
            until: now.saturating_add(life.saturating_sub(SPARE.min(life / 2))),
        })
    }

    /// What an answer means that brings no token.
    fn fault(&self, answer: &Answer) -> GoogleFault {
        let said = Said::by_token(&answer.body);
        let what = format!(
            "{OPERATION}: {} was answered with {}",
            answer.asked, answer.status
        );
        if is_busy(answer) || is_passing(answer.status) {
            let said = said.unwrap_or_default().shown();
            return GoogleFault::Busy(format!(
                "{what}, {said}; it is asked again at the next read"
            ));
        }
        let Some(said) = said else {
            return strange(answer, &what);
        };
        let scopes = if OF_SCOPES.contains(&said.word.as_str()) {
            format!(
                "; the scopes that are asked for are {}",
                self.scopes.join(",")
            )
        } else {
            String::new()
        };
        let text = match Refusal::of_token(&said) {
            Some(refusal) => refusal.text(&what, &said),
            None => format!(
                "{what}, {}; check the key, `subject` and the domain-wide delegation",
                said.shown()
            ),
        };
        GoogleFault::Login(text + &scopes)
    }
}

/// What is none of Google's answers.
fn strange(answer: &Answer, what: &str) -> GoogleFault {
    if answer.status.is_success() {
        return GoogleFault::Unreadable(format!(
            "{what}, which brings no token; see that `token_uri` in the key file is Google's"
        ));
    }
    GoogleFault::Setup(format!(
        "{what}, and not in the words of a token service; see that `token_uri` in the key file is Google's, and that `proxy` lets \
         it through"
    ))
}

/// The token of an answer, and how long it lasts.
fn granted(answer: &Answer) -> Option<(SecretString, Duration)> {
    if !answer.status.is_success() {
        return None;
    }
    let body: Value = serde_json::from_slice(&answer.body).ok()?;
    let token = body.get("access_token")?.as_str()?;
    // Anything else could not be sent.
    if token.is_empty() || !token.bytes().all(|it| it.is_ascii_graphic()) {
        return None;
    }
    let life = body.get("expires_in").and_then(Value::as_u64);
    let life = life.map_or(LIFE, Duration::from_secs);
    Some((SecretString::from(token), life))
}

/// Whether an answer asks for patience in other words than HTTP's own.
fn is_busy(answer: &Answer) -> bool {
    let is_said = || {
        Said::by_token(&answer.body).is_some_and(|it| {
            PASSING.contains(&it.word.as_str()) || PASSING.contains(&it.message.as_str())
        })
    };
    matches!(
        answer.status,
        StatusCode::REQUEST_TIMEOUT | StatusCode::INTERNAL_SERVER_ERROR
    ) || (!answer.status.is_success() && is_said())
}

/// Whether a status alone says that it may be another one soon.
pub(super) fn is_passing(status: StatusCode) -> bool {
    status.is_server_error()
        || matches!(
            status,
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS
        )
}
