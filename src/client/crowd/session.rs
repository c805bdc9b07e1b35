//! One call after another: what is sent, and which answers are answers.

use secrecy::SecretString;
use url::Url;

use super::{Crowd, CrowdFault};
use crate::http::{Again, Answer, Body, Login, Method, Request, Stream};
use crate::wire::crowd::JsonFault;
use crate::wire::percent;

/// The longest answer about one entity, in bytes.
const ONE_MAX: u64 = 4 << 20;
/// The longest page of a list, in bytes.
pub(super) const PAGE_MAX: u64 = 256 << 20;

const JSON: &str = "application/json";

/// A user by what the caller knows of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who<'a> {
    /// By username.
    Name(&'a str),
    /// By the id that stays.
    Key(&'a str),
}

impl<'a> Who<'a> {
    /// The name and the value of the query's parameter.
    pub fn parameter(self) -> (&'static str, &'a str) {
        match self {
            Who::Name(name) => ("username", name),
            Who::Key(key) => ("key", key),
        }
    }
}

/// A client that has its password. Clones share connections and pace.
#[derive(Clone, Debug)]
pub struct Session {
    pub(super) crowd: Crowd,
    pub(super) password: SecretString,
}

/// The parameters of a query, in order.
pub(super) type Query<'q> = [(&'q str, &'q str)];

impl Session {
    /// Asks for what is the same for every application and tells nothing about anybody: whether the server lets us in.
    ///
    /// # Errors
    /// [`CrowdFault`].
    pub async fn probe(&self) -> Result<(), CrowdFault> {
        let operation = "ask for the cookie configuration";
        self.get(operation, "/config/cookie", &[]).await.map(drop)
    }

    /// Tells a fault of one request from one of every request: what may be either is settled by a [`Session::probe`].
    ///
    /// # Errors
    /// The fault that it was, or [`CrowdFault::Alone`].
    pub async fn settle<T>(&self, done: Result<T, CrowdFault>) -> Result<T, CrowdFault> {
        let fault = match done {
            Ok(it) => return Ok(it),
            Err(fault) => fault,
        };
        match fault.alone() {
            Some(alone) if self.probe().await.is_ok() => Err(alone),
            _ => Err(fault),
        }
    }

    /// A user as the server shows it with all attributes, in JSON; `None` where there is none.
    ///
    /// # Errors
    /// [`CrowdFault`].
    pub async fn user(&self, who: Who<'_>) -> Result<Option<Vec<u8>>, CrowdFault> {
        let query = [who.parameter(), ("expand", "attributes")];
        let answer = self.get("look up a user", "/user", &query).await;
        there(answer, "USER_NOT_FOUND")
    }

    /// A group as the server shows it with all attributes, in JSON; `None` where there is none.
    ///
    /// # Errors
    /// [`CrowdFault`].
    pub async fn group(&self, name: &str) -> Result<Option<Vec<u8>>, CrowdFault> {
        let query = [("groupname", name), ("expand", "attributes")];
        let answer = self.get("look up a group", "/group", &query).await;
        there(answer, "GROUP_NOT_FOUND")
    }

    /// Asks for something in JSON and takes the body of a success.
    ///
    /// # Errors
    /// [`CrowdFault`].
    pub async fn get(
        &self,
        operation: &str,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Vec<u8>, CrowdFault> {
        let answer = self.ask(operation, Method::GET, path, query, None, ONE_MAX);
        Ok(answer.await?.body)
    }

    /// Sends a body of JSON (nothing where it is `None`) and takes the body of a success. It is sent once.
    ///
    /// # Errors
    /// [`CrowdFault`].
    pub async fn send(
        &self,
        operation: &str,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Result<Vec<u8>, CrowdFault> {
        let answer = self.ask(operation, method, path, query, body, ONE_MAX);
        Ok(answer.await?.body)
    }

    pub(super) async fn ask(
        &self,
        operation: &str,
        method: Method,
        path: &str,
        query: &Query<'_>,
        body: Option<Vec<u8>>,
        limit: u64,
    ) -> Result<Answer, CrowdFault> {
        let mut request = self.request(operation, method, path, query, JSON, limit);
        let is_secret = holds_password(&request.method, path);
        request.body = body.map(|bytes| Body {
            content_type: JSON,
            bytes,
            is_secret,
        });
        let answer = self.crowd.0.http.ask(request).await?;
        if answer.status.is_success() {
            return Ok(answer);
        }
        Err(CrowdFault::of(operation, &answer))
    }

    /// Asks for something that is too long to be kept.
    pub(super) async fn open(
        &self,
        operation: &str,
        path: &str,
        accept: &'static str,
        limit: u64,
    ) -> Result<Stream, CrowdFault> {
        let request = self.request(operation, Method::GET, path, &[], accept, limit);
        let stream = self.crowd.0.http.open(request).await?;
        if stream.status.is_success() {
            return Ok(stream);
        }
        let answer = stream.whole().await?;
        Err(CrowdFault::of(operation, &answer))
    }

    fn request<'r>(
        &'r self,
        operation: &'r str,
        method: Method,
        path: &str,
        query: &Query<'_>,
        accept: &'static str,
        limit: u64,
    ) -> Request<'r> {
        Request {
            operation,
            method,
            again: Again::Reads,
            url: url(&self.crowd.0.base, path, query),
            login: Some(Login::Basic(&self.crowd.0.application, &self.password)),
            accept,
            body: None,
            limit,
        }
    }
}

/// `None` where the server says, with this reason, that there is none.
fn there(answer: Result<Vec<u8>, CrowdFault>, reason: &str) -> Result<Option<Vec<u8>>, CrowdFault> {
    match answer {
        Ok(body) => Ok(Some(body)),
        Err(fault) if fault.is_not_there() && fault.reason() == reason => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// Whether the body of a request holds a password: one that is tried, changed, or given to a new user.
fn holds_password(method: &Method, path: &str) -> bool {
    match path {
        "/authentication" | "/user/password" => true,
        "/user" => *method == Method::POST,
        _ => false,
    }
}

/// An answer that makes no sense.
pub(super) fn unreadable(operation: &str, fault: &JsonFault) -> CrowdFault {
    CrowdFault::Unreadable(format!("{operation}: {fault}"))
}

fn url(base: &Url, path: &str, query: &Query<'_>) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}{path}", base.path()));
    let query = percent::query(query);
    url.set_query((!query.is_empty()).then_some(&query));
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_their_way_through_the_query() {
        let base = Url::parse("https://h/crowd/rest/usermanagement/1").unwrap();
        let name = "a+b & c/d%e\"f'ü#?=";
        let url = url(
            &base,
            "/user",
            &[("username", name), ("expand", "attributes")],
        );
        let read: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        assert_eq!(read[0], ("username".to_owned(), name.to_owned()));
        assert_eq!(read[1].1, "attributes");
        assert!(!url.as_str().contains('+'), "{url}");
        assert_eq!(url.path(), "/crowd/rest/usermanagement/1/user");
    }
}
