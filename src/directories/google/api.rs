//! One call after another: what is sent, and which answers are answers. No policy.
//!
//! Every call is a read, so it is repeated where Google asks for patience, which it does with 403 as well as with 429 and
//! 5xx. A token that is taken no more is replaced once.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use url::Url;

use super::fault::GoogleFault;
use super::refusal::{Kind, Refusal, Said};
use super::token::{self, Grant, Token, Tokens};
use crate::http::{Again, Answer, Http, Login, Method, Request, StatusCode};
use crate::wire::percent;

/// Reads users.
pub(super) const USERS: &str = "https://www.googleapis.com/auth/admin.directory.user.readonly";
/// Reads groups and who is in them.
pub(super) const GROUPS: &str = "https://www.googleapis.com/auth/admin.directory.group.readonly";
/// Reads who changed what.
pub(super) const ACTIVITY: &str = "https://www.googleapis.com/auth/admin.reports.audit.readonly";

/// The longest page that is taken, in bytes.
const PAGE_MAX: u64 = 64 << 20;
/// What to do about a refusal of which nothing is known.
const UNKNOWN: &str = "check the role of `subject`, or without one that of the service account, the Admin SDK API of its \
                       project, and `customer` and `domains`";
/// How often something is asked where the answer asks for patience.
const TIMES_MAX: u32 = 6;

/// The API with its token. Clones share both.
#[derive(Clone)]
pub(super) struct Api(Arc<Inner>);

struct Inner {
    http: Http,
    root: Url,
    tokens: Tokens,
}

/// The calls of one read.
#[derive(Debug)]
pub(super) struct Calls {
    api: Api,
    requests: AtomicU64,
}

/// What is asked for, and so what a refusal concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    /// A list: everything.
    List,
    /// One object, or what belongs to it.
    One,
}

impl Api {
    /// Prepares a client of the API at `root` (`https://admin.googleapis.com/`), whose tokens are had by this grant; nobody is
    /// asked yet, and no key is read.
    pub(super) fn new(root: Url, grant: Grant) -> Api {
        Api(Arc::new(Inner {
            http: grant.http.clone(),
            root,
            tokens: Tokens::new(grant),
        }))
    }

    /// What one read asks through.
    pub(super) fn calls(&self) -> Calls {
        Calls {
            api: self.clone(),
            requests: AtomicU64::new(0),
        }
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api")
            .field("root", &self.0.root.as_str())
            .finish_non_exhaustive()
    }
}

impl Calls {
    /// Asks for a token, if there is none that still lasts, and for nothing else.
    ///
    /// # Errors
    /// [`GoogleFault`].
    pub(super) async fn login(&self) -> Result<(), GoogleFault> {
        self.api.0.tokens.token().await.map(drop)
    }

    /// A page of a list, in JSON. Each segment of `path` is encoded by itself.
    ///
    /// # Errors
    /// [`GoogleFault`], never [`GoogleFault::Refused`]: who may not read a list may not read the directory.
    pub(super) async fn list(
        &self,
        operation: &str,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Vec<u8>, GoogleFault> {
        self.ask(operation, path, query, Target::List).await
    }

    /// One object, or a page of what belongs to one object, in JSON. Each segment of `path` is encoded by itself; errors show
    /// it, so that objects are to be named by ID and not by address.
    ///
    /// # Errors
    /// [`GoogleFault`]: [`GoogleFault::Refused`] where everything else can still be read.
    pub(super) async fn one(
        &self,
        operation: &str,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Vec<u8>, GoogleFault> {
        self.ask(operation, path, query, Target::One).await
    }

    /// How many calls of the API were made. Tokens do not count, nor does what HTTP repeats of itself.
    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    async fn ask(
        &self,
        operation: &str,
        path: &[&str],
        query: &[(&str, &str)],
        target: Target,
    ) -> Result<Vec<u8>, GoogleFault> {
        let Some(url) = url(&self.api.0.root, path, query) else {
            return Err(GoogleFault::Unreadable(format!(
                "{operation}: an ID that Google gave is empty or a dot, and can stand in no address"
            )));
        };
        let tokens = &self.api.0.tokens;
        let mut token = tokens.token().await?;
        let mut answer = self.send(operation, &url, &token).await?;
        if answer.status == StatusCode::UNAUTHORIZED {
            tokens.forget(&token).await;
            token = tokens.token().await?;
            answer = self.send(operation, &url, &token).await?;
        }
        if answer.status == StatusCode::UNAUTHORIZED {
            tokens.forget(&token).await;
        }
        if answer.status.is_success() {
            return Ok(answer.body);
        }
        Err(fault(operation, &answer, target))
    }

    async fn send(&self, operation: &str, url: &Url, token: &Token) -> Result<Answer, GoogleFault> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let request = Request {
            operation,
            method: Method::GET,
            again: Again::Patiently {
                times: TIMES_MAX,
                is_busy,
            },
            url: url.clone(),
            login: Some(Login::Bearer(&token.secret)),
            accept: "application/json",
            body: None,
            limit: PAGE_MAX,
        };
        Ok(self.api.0.http.ask(request).await?)
    }
}

/// Whether an answer asks for patience in other words than HTTP's own.
fn is_busy(answer: &Answer) -> bool {
    match answer.status {
        // What HTTP asks patience for is named here too, so that everybody waits and not this one alone.
        StatusCode::REQUEST_TIMEOUT
        | StatusCode::INTERNAL_SERVER_ERROR
        | StatusCode::TOO_MANY_REQUESTS
        | StatusCode::SERVICE_UNAVAILABLE => true,
        StatusCode::FORBIDDEN => {
            let said = Said::by_api(&answer.body).unwrap_or_default();
            Refusal::of_api(&said).is_some_and(|it| it.kind == Kind::Throttled)
        }
        _ => false,
    }
}

/// What an answer means that reports no success.
fn fault(operation: &str, answer: &Answer, target: Target) -> GoogleFault {
    let status = answer.status;
    let what = format!("{operation}: {} was answered with {status}", answer.asked);
    let said = match Said::by_api(&answer.body) {
        Some(said) => said,
        None if status == StatusCode::UNAUTHORIZED => Said::default(),
        None => return strange(operation, answer),
    };
    let refusal = match Refusal::of_api(&said) {
        // Whatever it says, it is the token that it does not take.
        None if status == StatusCode::UNAUTHORIZED => Refusal::of_api(&Said::unauthorised()),
        known => known,
    };
    let text = refusal.map_or_else(
        || format!("{what}, {}; {UNKNOWN}", said.shown()),
        |it| it.text(&what, &said),
    );
    match (refusal.map(|it| it.kind), status.as_u16()) {
        (Some(Kind::Throttled | Kind::Spent), _) => GoogleFault::Busy(text),
        _ if token::is_passing(status) => GoogleFault::Busy(format!(
            "{what}, {}; it is asked again at the next read",
            said.shown()
        )),
        (Some(Kind::Login), _) | (_, 401) => GoogleFault::Login(text),
        (_, 400) if said.is_of_page() => GoogleFault::Cut(format!(
            "{what}, {}: the list cannot be gone on with; the next read begins it anew",
            said.shown()
        )),
        // A key that Google does not take for one is of one object too.
        (Some(Kind::Setup), 403 | 404) => GoogleFault::Setup(text),
        (_, 400 | 403 | 404 | 409 | 410 | 412) if target == Target::One => GoogleFault::Refused {
            status: status.as_u16(),
            text: format!("{what}, {}", said.shown()),
            reason: said.word,
        },
        (Some(Kind::Rights), _) | (_, 403) => GoogleFault::Login(text),
        _ => GoogleFault::Setup(text),
    }
}

/// What is none of Google's answers, or not in its language.
fn strange(operation: &str, answer: &Answer) -> GoogleFault {
    let text = answer.refused(operation);
    if token::is_passing(answer.status) {
        return GoogleFault::Busy(format!("{text}; it is asked again at the next read"));
    }
    GoogleFault::Setup(format!(
        "{text}; it is not Google's API that answers so: check `url`, and that `proxy` lets it through"
    ))
}

/// `None` where a segment would be none.
fn url(root: &Url, path: &[&str], query: &[(&str, &str)]) -> Option<Url> {
    if path.iter().any(|it| ["", ".", ".."].contains(it)) {
        return None;
    }
    let mut url = root.clone();
    url.path_segments_mut().ok()?.pop_if_empty().extend(path);
    let query = percent::query(query);
    url.set_query((!query.is_empty()).then_some(&query));
    Some(url)
}

#[cfg(test)]
mod tests;
