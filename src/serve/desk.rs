//! Where requests come in: who asks, what for, and whether anything can be said at all.

use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::header::HOST;
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, Request, StatusCode};
use secrecy::zeroize::Zeroizing;

use super::accept;
use super::clients::{Checks, Clients, Denied, Login};
use super::crowd::{self, Pages, Question, Searches, Verifier};
use super::query::Query;
use super::readings::Readings;
use super::reply::{Answer, Refusal, Reply, plain, wrong_method};
use super::route::{Access, Path, Resource};
use super::sets::Sets;
use crate::clock::Clock;
use crate::wire::crowd::Format;

/// The largest body of a request, in bytes: a search, or a password.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// How long a body may take.
const BODY_MAX: Duration = Duration::from_secs(10);

/// What all connections share.
pub(super) struct Desk {
    pub(super) sets: Arc<Sets>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) checks: Checks,
    pub(super) verifier: Arc<Verifier>,
    pub(super) searches: Searches,
    pub(super) readings: Readings,
    pub(super) clients: RwLock<Arc<Clients>>,
}

/// Over what a request came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wire {
    pub(super) peer: IpAddr,
    /// Whether it is encrypted here.
    pub(super) tls: bool,
}

impl Desk {
    pub(super) fn clients(&self) -> Arc<Clients> {
        let clients = self.clients.read();
        clients.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Answers a request; `known` is called once its sender has logged in.
    pub(super) async fn answer(
        &self,
        wire: Wire,
        request: Request<Incoming>,
        known: impl FnOnce(),
    ) -> Answer {
        let (head, body) = request.into_parts();
        let mut body = Some(body);
        let answer = self.decide(wire, &head, &mut body, known).await;
        if let Some(unread) = body {
            self.pass_over(unread).await;
        }
        answer
    }

    /// Answers a request, and takes its body if that matters.
    async fn decide(
        &self,
        wire: Wire,
        head: &Parts,
        body: &mut Option<Incoming>,
        known: impl FnOnce(),
    ) -> Answer {
        let Some(path) = Path::of(head.uri.path()) else {
            let text = "Crowd's API is at /rest/usermanagement/1.";
            return plain(StatusCode::NOT_FOUND, text);
        };
        let clients = self.clients();
        let login = clients.login(wire.peer, &head.headers, &self.checks).await;
        let offered = offered(path.resource);
        let format = accept::format(&head.headers, offered);
        let reply = Reply {
            format: format.unwrap_or(Format::Xml),
            base: base(wire, &head.headers, path.base),
        };
        let login = match login {
            Ok(login) => login,
            Err(denied) => return turned_away(&denied, &reply),
        };
        known();
        let Some(_) = format else {
            return plain(
                StatusCode::NOT_ACCEPTABLE,
                "Accept application/xml or application/json.",
            );
        };
        let asked = Asked {
            head,
            resource: path.resource,
            login,
            reply: reply.clone(),
        };
        self.reply(asked, body).await.unwrap_or_else(|it| match it {
            Instead::Refusal(refusal) => reply.refusal(refusal),
            Instead::Answer(answer) => *answer,
        })
    }

    async fn reply(
        &self,
        asked: Asked<'_>,
        body: &mut Option<Incoming>,
    ) -> Result<Answer, Instead> {
        let Asked {
            head,
            resource,
            login,
            reply,
        } = asked;
        let method = &head.method;
        if resource == Some(Resource::Cookie)
            && resource.is_some_and(|it| it.access(method) == Access::Served)
        {
            return Ok(reply.whole(crowd::cookie));
        }
        let image = self.sets.image(&login.entry).ok_or_else(nothing_yet)?;
        let resource = served(resource, method)?;
        let sent = if method == Method::POST {
            Some(self.body(&head.headers, body).await?)
        } else {
            None
        };
        let mut question = Question {
            image,
            query: Query::read(head.uri.query()),
            sent: sent
                .as_ref()
                .map(|(format, body)| (*format, body.as_slice())),
            pages: Pages {
                readings: &self.readings,
                login: &login,
                path: head.uri.path(),
                now: self.clock.monotonic(),
            },
            reply,
        };
        if resource.is_list() {
            question.go_on()?;
        }
        let answer = match resource {
            Resource::Authentication => crowd::authenticate(&question, &self.verifier).await,
            Resource::Search => crowd::search(&question, &self.searches).await,
            Resource::Token => match self.sets.token(&login.entry) {
                Some(token) => Ok(crowd::token(&token, &question.reply)),
                None => Err(nothing_yet()),
            },
            Resource::Events(token) => match self.sets.since(&login.entry, token) {
                Some(since) => crowd::events(since, &question.reply),
                // Withdrawn in this very moment.
                None => Err(nothing_yet()),
            },
            resource => question.answer(resource),
        };
        Ok(answer?)
    }

    /// The whole body of a request, and what it is.
    async fn body(
        &self,
        headers: &HeaderMap,
        body: &mut Option<Incoming>,
    ) -> Result<(Format, Zeroizing<Vec<u8>>), Instead> {
        let format = accept::body_format(headers).ok_or_else(|| {
            let text = "Send application/json or application/xml.";
            Instead::from(plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, text))
        })?;
        let too_large = || {
            let text = format!("A body has at most {BODY_BYTES_MAX} bytes.");
            Instead::from(plain(StatusCode::PAYLOAD_TOO_LARGE, &text))
        };
        let Some(body) = body.take() else {
            return Ok((format, Zeroizing::default()));
        };
        if body.size_hint().lower() > BODY_BYTES_MAX as u64 {
            return Err(too_large());
        }
        let read = tokio::select! {
            read = Limited::new(body, BODY_BYTES_MAX).collect() => read,
            () = self.clock.sleep(BODY_MAX) => {
                let text = "The body took too long.";
                return Err(Instead::from(plain(StatusCode::REQUEST_TIMEOUT, text)));
            }
        };
        let read = read.map_err(|_| too_large())?;
        Ok((format, Vec::from(read.to_bytes()).into()))
    }

    /// Reads a body that does not matter. Closing the connection while the client still sends it would take the answer away
    /// from the client, who learns nothing but that the connection broke. What is too long or takes too long is not waited for.
    async fn pass_over(&self, body: Incoming) {
        if body.size_hint().lower() > BODY_BYTES_MAX as u64 {
            return;
        }
        tokio::select! {
            _ = Limited::new(body, BODY_BYTES_MAX).collect() => {}
            () = self.clock.sleep(BODY_MAX) => {}
        }
    }
}

/// What a client is told that must wait.
fn nothing_yet() -> Refusal {
    Refusal::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "OPERATION_FAILED",
        "The set of this application is not complete yet, or waits for an approval: see `usersyncd status`.",
    )
}

/// A request of an application.
struct Asked<'a> {
    head: &'a Parts,
    resource: Option<Resource<'a>>,
    login: Login,
    reply: Reply,
}

/// The resource, if it is there and this method reads it.
fn served<'a>(resource: Option<Resource<'a>>, method: &Method) -> Result<Resource<'a>, Instead> {
    let Some(resource) = resource else {
        let text = "There is no such resource.";
        return Err(Instead::from(plain(StatusCode::NOT_FOUND, text)));
    };
    match resource.access(method) {
        Access::Served => Ok(resource),
        Access::Write => Err(Instead::Refusal(Refusal::new(
            StatusCode::FORBIDDEN,
            "APPLICATION_PERMISSION_DENIED",
            "This Crowd is read only: users and groups are changed in the directories that it is made of.",
        ))),
        Access::Unknown(known) => Err(Instead::from(wrong_method(known))),
    }
}

/// What a request gets instead of what it asked for.
enum Instead {
    /// An error in Crowd's words.
    Refusal(Refusal),
    /// An error of HTTP.
    Answer(Box<Answer>),
}

impl From<Answer> for Instead {
    fn from(answer: Answer) -> Self {
        Instead::Answer(Box::new(answer))
    }
}

impl From<Refusal> for Instead {
    fn from(refusal: Refusal) -> Self {
        Instead::Refusal(refusal)
    }
}

/// The formats in which a resource is there, the one that clients without a wish get first.
fn offered(resource: Option<Resource<'_>>) -> &'static [Format] {
    match resource {
        Some(Resource::Memberships) => &[Format::Xml],
        _ => &[Format::Xml, Format::Json],
    }
}

fn turned_away(denied: &Denied, reply: &Reply) -> Answer {
    match denied {
        Denied::Wrong => plain(
            StatusCode::UNAUTHORIZED,
            "Application failed to authenticate",
        ),
        Denied::TooOften => plain(
            StatusCode::TOO_MANY_REQUESTS,
            "Too many wrong application passwords came from this address",
        ),
        Denied::Address { name, address } => {
            let who = name.as_deref().unwrap_or("any application");
            let from = address.map_or_else(|| "an unknown address".to_owned(), |it| it.to_string());
            reply.refusal(Refusal::new(
                StatusCode::FORBIDDEN,
                "APPLICATION_ACCESS_DENIED",
                format!("Client with address {from} is forbidden from making requests as {who}: see `addresses`"),
            ))
        }
    }
}

/// What links begin with, as the client sees us.
fn base(wire: Wire, headers: &HeaderMap, path: &str) -> String {
    let host = headers.get(HOST).and_then(|it| it.to_str().ok());
    let host = host.filter(|it| is_host(it)).unwrap_or("localhost");
    let scheme = if wire.tls { "https" } else { "http" };
    format!("{scheme}://{host}{path}")
}

/// Whether a text may stand for a host in a URL: nothing in it ends the host.
fn is_host(text: &str) -> bool {
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    !text.is_empty() && text.len() <= 255 && text.bytes().all(sound)
}
