//! Sending: one request after another at the server's pace, each as often as it may be.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderName, LOCATION, RETRY_AFTER};
use reqwest::{Client, Method, Proxy, Response, redirect, retry};
use secrecy::ExposeSecret as _;
use url::Url;

use super::fault::{self, HttpError, HttpSetupError};
use super::{Answer, Request, Settings, Stream, excerpt, repeat};
use crate::clock::Clock;
use crate::pace::{Leave, Pace};
use crate::trust;

/// How long a connection may be idle and still be used again. Servers close theirs after five seconds and more.
const IDLE_MAX: Duration = Duration::from_secs(4);

/// The client of one server. Clones share connections and pace.
#[derive(Clone)]
pub struct Http {
    inner: Arc<Inner>,
}

struct Inner {
    /// Its connections are used again: a read that meets a dead one is repeated.
    reads: Client,
    /// Each of its requests has a connection of its own.
    writes: Client,
    pace: Pace,
    timeout: Duration,
    clock: Arc<dyn Clock>,
}

impl Http {
    /// Prepares a client; nobody is asked yet.
    ///
    /// # Errors
    /// [`HttpSetupError`]: the file of certificates is missing or is none, or the proxy's URL is none.
    pub fn new(settings: Settings, clock: Arc<dyn Clock>) -> Result<Http, HttpSetupError> {
        let Settings {
            ca,
            proxy,
            timeout,
            rate,
            in_flight,
        } = settings;
        let mut tls = (*trust::client_config(ca.as_deref())?).clone();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let client = |idle: usize| {
            let mut builder = Client::builder()
                .user_agent(concat!("usersyncd/", env!("CARGO_PKG_VERSION")))
                .tls_backend_preconfigured(tls.clone())
                .no_proxy()
                .redirect(redirect::Policy::none())
                .referer(false)
                .retry(retry::never())
                .connect_timeout(timeout)
                .pool_idle_timeout(IDLE_MAX)
                .pool_max_idle_per_host(idle);
            if let Some(proxy) = &proxy {
                let proxy = Proxy::all(proxy.clone()).map_err(HttpSetupError::Proxy)?;
                builder = builder.proxy(proxy);
            }
            builder.build().map_err(HttpSetupError::Library)
        };
        let inner = Inner {
            reads: client(in_flight.max(1))?,
            writes: client(0)?,
            pace: Pace::new(rate, in_flight, Arc::clone(&clock)),
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
    /// [`HttpError`], but [`HttpError::Status`]: an answer of any status is an answer, except for a redirect.
    pub async fn ask(&self, request: Request<'_>) -> Result<Answer, HttpError> {
        let mut times = 0;
        loop {
            times += 1;
            let (end, asked_wait) = match self.send(&request).await {
                Ok((stream, asked_wait)) => (stream.whole().await, asked_wait),
                Err(error) => (Err(error), None),
            };
            if !repeat::is_due(&request.method, times, |it: &Answer| it.status, &end) {
                return end;
            }
            if !self.wait(times, asked_wait).await {
                return end;
            }
        }
    }

    /// Sends a request and returns as soon as an answer has begun. What fails after that is not repeated.
    ///
    /// # Errors
    /// As [`Http::ask`].
    pub async fn open(&self, request: Request<'_>) -> Result<Stream, HttpError> {
        let mut times = 0;
        loop {
            times += 1;
            let (end, asked_wait) = match self.send(&request).await {
                Ok((stream, asked_wait)) => (Ok(stream), asked_wait),
                Err(error) => (Err(error), None),
            };
            if !repeat::is_due(&request.method, times, |it: &Stream| it.status, &end) {
                return end;
            }
            if !self.wait(times, asked_wait).await {
                return end;
            }
        }
    }

    /// Waits before a request is sent again; not, if the server wants to be left alone for longer than anybody would wait.
    async fn wait(&self, times: u32, asked: Option<Duration>) -> bool {
        let wait = asked.unwrap_or_else(|| repeat::back_off(times));
        if wait > repeat::ASKED_WAIT_MAX {
            return false;
        }
        self.inner.clock.sleep(wait).await;
        true
    }

    /// Sends a request once, in its turn, and waits for the beginning of the answer; with it comes how long the server
    /// wants to be left alone.
    async fn send(&self, request: &Request<'_>) -> Result<(Stream, Option<Duration>), HttpError> {
        let leave = self.inner.pace.leave().await;
        let asked = asked(request);
        let what = format!("{}: {asked}", request.operation);
        let response = self.response(request, &what).await?;
        let asked_wait = header(&response, &RETRY_AFTER)
            .and_then(|it| repeat::asked_wait(&it, self.inner.clock.now()));
        if let Some(wait) = asked_wait {
            self.inner.pace.hold(wait.min(repeat::ASKED_WAIT_MAX));
        }
        if response.status().is_redirection() {
            return Err(redirected(&what, &request.url, &response));
        }
        let stream = self.stream(request, response, what, asked, leave);
        let html = excerpt::is_html(&stream.content_type, b"");
        if stream.status.is_success() && html {
            return Err(stream.html(b""));
        }
        let length = stream.response.content_length().unwrap_or(0);
        if stream.status.is_success() && length > request.limit {
            return Err(stream.too_large());
        }
        Ok((stream, asked_wait))
    }

    /// Waits for the beginning of the answer.
    async fn response(&self, request: &Request<'_>, what: &str) -> Result<Response, HttpError> {
        let client = match request.method {
            Method::GET => &self.inner.reads,
            _ => &self.inner.writes,
        };
        let mut builder = client
            .request(request.method.clone(), request.url.clone())
            .header(ACCEPT, request.accept);
        if let Some((name, password)) = request.login {
            builder = builder.basic_auth(name, Some(password.expose_secret()));
        }
        if let Some(body) = &request.body {
            builder = builder
                .header(CONTENT_TYPE, body.content_type)
                .body(body.bytes.clone());
        }
        // Connecting alone ends after one time-out: what lasts for two was sent.
        let both = self.inner.timeout * 2;
        tokio::select! {
            biased;
            response = builder.send() => response.map_err(|error| fault::failed(what, &error)),
            () = self.inner.clock.sleep(both) => Err(fault::silent(what, both)),
        }
    }

    fn stream(
        &self,
        request: &Request<'_>,
        response: Response,
        what: String,
        asked: String,
        leave: Leave,
    ) -> Stream {
        Stream {
            status: response.status(),
            content_type: header(&response, &CONTENT_TYPE).unwrap_or_default(),
            response,
            what,
            asked,
            limit: request.limit,
            taken: 0,
            timeout: self.inner.timeout,
            clock: Arc::clone(&self.inner.clock),
            _leave: leave,
        }
    }
}

/// No secrets: they come with the requests.
impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http")
            .field("pace", &self.inner.pace)
            .field("timeout", &self.inner.timeout)
            .finish_non_exhaustive()
    }
}

/// `GET https://crowd.example.com/rest/search`: without the query, which holds names.
fn asked(request: &Request<'_>) -> String {
    format!("{} {}", request.method, place(&request.url))
}

fn place(url: &Url) -> String {
    let port = url.port().map(|it| format!(":{it}")).unwrap_or_default();
    let host = url.host_str().unwrap_or_default();
    format!("{}://{host}{port}{}", url.scheme(), url.path())
}

fn header(response: &Response, name: &HeaderName) -> Option<String> {
    let value = response.headers().get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

fn redirected(what: &str, asked: &Url, response: &Response) -> HttpError {
    let status = response.status();
    let to = header(response, &LOCATION).and_then(|it| asked.join(&it).ok());
    let to = to.map_or_else(|| "nowhere".to_owned(), |it| place(&it));
    HttpError::Redirected(format!(
        "{what} was answered with {status}, which leads to {to}; redirects are not followed: write the address in which \
         the service itself answers as the URL"
    ))
}
