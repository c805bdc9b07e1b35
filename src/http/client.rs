//! Sending: one request after another at the server's pace, each as often as it may be.

use std::fmt;
use std::future::{Future, ready};
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderName, LOCATION, RETRY_AFTER};
use reqwest::{Client, Method, Proxy, Response, redirect, retry};
use rustls::ClientConfig;
use secrecy::ExposeSecret as _;
use url::Url;

use super::excerpt;
use super::fault::{self, HttpError, HttpSetupError};
use super::hidden::Hidden;
use super::repeat::{self, Said};
use super::stream::Origin;
use super::{Again, Answer, Login, Request, Settings, Stream, place};
use crate::clock::Clock;
use crate::pace::{Leave, Pace};
use crate::trust;

/// How long a connection may be idle and still be used again for a read. Servers close theirs after five seconds or more.
const READ_IDLE_MAX: Duration = Duration::from_secs(4);
/// The same for a write. A server that closes the connection at the very moment at which a write is sent on it leaves open
/// whether that was done, which costs a listing; a handshake for each write would cost more.
const WRITE_IDLE_MAX: Duration = Duration::from_secs(1);

/// The client of one server. Clones share connections and pace.
#[derive(Clone)]
pub struct Http {
    inner: Arc<Inner>,
}

struct Inner {
    /// Its connections are used again: a read that meets a dead one is repeated.
    reads: Client,
    /// Its connections are used again for a moment only: a write that meets a dead one is not repeated.
    writes: Client,
    pace: Arc<Pace>,
    timeout: Duration,
    clock: Arc<dyn Clock>,
}

impl Http {
    /// Prepares a client; nobody is asked yet.
    ///
    /// # Errors
    /// [`HttpSetupError`]: the file of certificates is missing or is none, or the proxy's URL is none of a proxy.
    pub fn new(settings: Settings, clock: Arc<dyn Clock>) -> Result<Http, HttpSetupError> {
        let Settings {
            ca,
            proxy,
            timeout,
            pace,
        } = settings;
        let mut tls = (*trust::client_config(ca.as_deref())?).clone();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let proxy = proxy.map(through).transpose()?;
        let client = |idle_max| {
            let (tls, proxy) = (tls.clone(), proxy.clone());
            // The library's errors show URLs.
            client(tls, proxy, timeout, (pace.in_flight(), idle_max))
                .map_err(|error| HttpSetupError::Library(error.without_url()))
        };
        let inner = Inner {
            reads: client(READ_IDLE_MAX)?,
            writes: client(WRITE_IDLE_MAX)?,
            pace,
            timeout,
            clock,
        };
        Ok(Http {
            inner: Arc::new(inner),
        })
    }

    /// Sends a request and takes the whole answer. Dropping the future ends the connection.
    ///
    /// # Errors
    /// [`HttpError`], but not [`HttpError::Status`]: an answer of any status is an answer, unless it is a redirect.
    pub async fn ask(&self, request: Request<'_>) -> Result<Answer, HttpError> {
        let again = request.again;
        let finish = |stream: Stream| async move {
            let answer = stream.whole().await?;
            let is_busy = match again {
                Again::Reads => false,
                Again::Patiently { is_busy, .. } => is_busy(&answer),
            };
            Ok((answer, is_busy))
        };
        self.repeated(&request, finish).await
    }

    /// Sends a request and returns as soon as an answer has begun. What fails after that is not repeated.
    ///
    /// # Errors
    /// As [`Http::ask`].
    pub async fn open(&self, request: Request<'_>) -> Result<Stream, HttpError> {
        let finish = |stream| ready(Ok((stream, false)));
        self.repeated(&request, finish).await
    }

    /// Sends a request as often as it may be, until it has an end that stays. `finish` makes of an answer what is wanted of it,
    /// and says whether it asks for patience in the service's own words.
    async fn repeated<T, F>(
        &self,
        request: &Request<'_>,
        finish: impl Fn(Stream) -> F,
    ) -> Result<T, HttpError>
    where
        F: Future<Output = Result<(T, bool), HttpError>>,
    {
        let mut times = 0;
        loop {
            times += 1;
            let (mut said, end) = match self.send(request).await {
                Ok(stream) => (Some(stream.said), finish(stream).await),
                Err(error) => (None, Err(error)),
            };
            let is_busy = matches!(end, Ok((_, true)));
            if let Some(said) = &mut said {
                said.passing |= is_busy;
            }
            let again = repeat::wait(request, times, said, end.as_ref().err());
            let end = end.map(|it| it.0);
            let Some(wait) = again else {
                return end;
            };
            // An answer that is not used gives its place to others meanwhile.
            drop(end);
            if is_busy {
                self.inner.pace.hold(wait);
            }
            self.inner.clock.sleep(wait).await;
        }
    }

    /// Sends a request once, in its turn, and waits for the beginning of the answer.
    async fn send(&self, request: &Request<'_>) -> Result<Stream, HttpError> {
        let leave = self.inner.pace.leave().await;
        let asked = format!("{} {}", request.method, place(&request.url));
        let origin = Origin {
            what: format!("{}: {asked}", request.operation),
            asked,
            hidden: Hidden::of(request),
            is_secret: request.body.as_ref().is_some_and(|it| it.is_secret),
            timeout: self.inner.timeout,
            clock: Arc::clone(&self.inner.clock),
        };
        let response = self.response(request, &origin.what).await?;
        let status = response.status();
        if status.is_redirection() {
            return Err(redirected(&origin.what, &request.url, &response));
        }
        let retry_after = header(&response, &RETRY_AFTER);
        let said = Said::by(status, retry_after.as_deref(), self.inner.clock.now());
        if let Some(wait) = said.asked() {
            self.inner.pace.hold(wait.min(repeat::ASKED_WAIT_MAX));
        }
        Ok(stream(request, response, said, origin, leave))
    }

    /// Waits for the beginning of the answer.
    async fn response(&self, request: &Request<'_>, what: &str) -> Result<Response, HttpError> {
        let client = if request.method == Method::GET {
            &self.inner.reads
        } else {
            &self.inner.writes
        };
        let mut builder = client
            .request(request.method.clone(), request.url.clone())
            .header(ACCEPT, request.accept);
        builder = match request.login {
            None => builder,
            Some(Login::Basic(name, password)) => {
                builder.basic_auth(name, Some(password.expose_secret()))
            }
            Some(Login::Bearer(token)) => builder.bearer_auth(token.expose_secret()),
        };
        if let Some(body) = &request.body {
            builder = builder
                .header(CONTENT_TYPE, body.content_type)
                .body(body.bytes.clone());
        }
        // Connecting alone ends after one time-out, so that what lasts for two was sent.
        let both = self.inner.timeout * 2;
        tokio::select! {
            biased;
            response = builder.send() => response.map_err(|error| fault::failed(what, error)),
            () = self.inner.clock.sleep(both) => Err(fault::silent(what, both)),
        }
    }
}

/// No secrets: they come with the requests, and the proxy's with the settings.
impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http")
            .field("pace", &self.inner.pace)
            .field("timeout", &self.inner.timeout)
            .finish_non_exhaustive()
    }
}

/// A client that keeps so many idle connections for so long.
fn client(
    tls: ClientConfig,
    proxy: Option<Proxy>,
    timeout: Duration,
    (idle, idle_max): (usize, Duration),
) -> Result<Client, reqwest::Error> {
    let builder = Client::builder()
        .user_agent(concat!("usersyncd/", env!("CARGO_PKG_VERSION")))
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .redirect(redirect::Policy::none())
        .referer(false)
        .retry(retry::never())
        .connect_timeout(timeout)
        .pool_idle_timeout(idle_max)
        .pool_max_idle_per_host(idle);
    match proxy {
        Some(proxy) => builder.proxy(proxy),
        None => builder,
    }
    .build()
}

/// Everything through this proxy. Others than HTTP proxies are refused here, since the library would go without them.
fn through(proxy: Url) -> Result<Proxy, HttpSetupError> {
    let is_http = matches!(proxy.scheme(), "http" | "https") && proxy.has_host();
    if !is_http {
        return Err(HttpSetupError::Proxy);
    }
    Proxy::all(proxy).map_err(|_| HttpSetupError::Proxy)
}

fn stream(
    request: &Request<'_>,
    response: Response,
    said: Said,
    origin: Origin,
    leave: Leave,
) -> Stream {
    Stream {
        status: response.status(),
        content_type: header(&response, &CONTENT_TYPE).unwrap_or_default(),
        said,
        response,
        origin,
        limit: request.limit,
        taken: 0,
        _leave: leave,
    }
}

fn header(response: &Response, name: &HeaderName) -> Option<String> {
    let value = response.headers().get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

fn redirected(what: &str, asked: &Url, response: &Response) -> HttpError {
    let status = response.status();
    let to = header(response, &LOCATION).and_then(|it| asked.join(&it).ok());
    let to = to.map_or_else(|| "nowhere".to_owned(), |it| excerpt::line(&place(&it)));
    HttpError::Redirected(format!(
        "{what} was answered with {status}, which leads to {to}; redirects are not followed: the URL must be that under \
         which the service itself answers, and no login may stand in front of it"
    ))
}
