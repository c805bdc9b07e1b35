//! Crowd's resources, answered from an image.

mod authentication;
mod entities;
mod lists;
mod memberships;
mod search;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;

use super::clients::Login;
use super::image::Image;
use super::query::{Page, Query};
use super::readings::{Gone, Readings};
use super::reply::{Answer, Refusal, Reply};
use super::route::{Depth, Resource};
use crate::wire::crowd::{Format, Writer};

pub(super) use self::authentication::{Verifier, authenticate};
pub(super) use self::search::{Searches, search};
pub(super) use self::tokens::{events, token};

/// A question about one image.
pub(super) struct Question<'a> {
    pub(super) image: Arc<Image>,
    pub(super) query: Query<'a>,
    /// The body of the request and what it is, if it has one.
    pub(super) sent: Option<(Format, &'a [u8])>,
    pub(super) pages: Pages<'a>,
    pub(super) reply: Reply,
}

/// Who reads which lists page by page.
pub(super) struct Pages<'a> {
    pub(super) readings: &'a Readings,
    pub(super) login: &'a Login,
    pub(super) path: &'a str,
    /// Monotonic time.
    pub(super) now: Duration,
}

impl Question<'_> {
    /// Goes on in the image in which the list was begun, if this asks for a further page of one.
    pub(super) fn go_on(&mut self) -> Result<(), Refusal> {
        // A page that makes no sense is refused where it would be cut out: whoever asks for one name only needs none.
        let Some(page) = self.query.page().ok().filter(|it| it.start > 0) else {
            return Ok(());
        };
        let Pages { readings, now, .. } = self.pages;
        let begun = readings.go_on(&self.list_name(), page, now);
        let begun = begun.map_err(|Gone| {
            Refusal::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "OPERATION_FAILED",
                "The set has changed several times since this list was begun: read it from its beginning.",
            )
        })?;
        if let Some(image) = begun {
            self.image = image;
        }
        Ok(())
    }

    /// Notes that this page was cut out of a list so long, if it is the first and others follow.
    fn begin(&self, page: Page, length: usize) {
        if page.begins(length) {
            let Pages { readings, now, .. } = self.pages;
            readings.begin(self.list_name(), page, &self.image, now);
        }
    }

    /// Whose list, and which: everything that is asked but for the page.
    fn list_name(&self) -> String {
        let Pages { login, path, .. } = self.pages;
        let Login { name, entry } = login;
        let query = self.query.but_for_page();
        let sent = String::from_utf8_lossy(self.body());
        format!("{entry}\0{name}\0{path}?{query}\0{sent}")
    }

    /// The body of the request, empty if it has none.
    fn body(&self) -> &[u8] {
        self.sent.map_or(&[], |(_, body)| body)
    }

    /// Answers everything that only needs the image.
    pub(super) fn answer(&self, resource: Resource<'_>) -> Result<Answer, Refusal> {
        match resource {
            Resource::User => self.user(),
            Resource::UserAttribute => self.user_attributes(),
            Resource::Group => self.group(),
            Resource::GroupAttribute => self.group_attributes(),
            Resource::UserGroups(depth) => self.groups_of_user(depth),
            Resource::GroupUsers(depth) => self.users_in_group(depth),
            Resource::ChildGroups(depth) => self.groups_in_group(depth),
            Resource::ParentGroups(depth) => self.groups_above_group(depth),
            Resource::Memberships => Ok(self.memberships()),
            Resource::Search
            | Resource::Token
            | Resource::Events(_)
            | Resource::Cookie
            | Resource::Authentication
            | Resource::Change(_) => Err(Refusal::new(
                StatusCode::NOT_FOUND,
                "ILLEGAL_ARGUMENT",
                "Nothing is here.",
            )),
        }
    }

    /// The user that the parameter `username`, or `key`, names.
    fn asked_user(&self) -> Result<u32, Refusal> {
        let (name, found) = match (self.query.get("username"), self.query.get("key")) {
            (None, Some(key)) => (key, self.image.find_key(key)),
            _ => {
                let name = self.query.must("username")?;
                (name, self.image.find_user(name))
            }
        };
        found.ok_or_else(|| Refusal::no_user(name))
    }

    /// The group that the parameter `groupname` names.
    fn asked_group(&self) -> Result<u32, Refusal> {
        let name = self.query.must("groupname")?;
        let found = self.image.find_group(name);
        found.ok_or_else(|| Refusal::no_group(name))
    }
}

/// How Crowd's cookie for single sign-on is called. There is none here, but clients ask before anything else.
pub(super) fn cookie(writer: &Writer<'_>, out: &mut Vec<u8>) {
    let text: &[u8] = match writer.format {
        Format::Json => br#"{"domain":"","name":"crowd.token_key","secure":false}"#,
        Format::Xml => {
            b"<cookie-config><domain/><name>crowd.token_key</name><secure>false</secure></cookie-config>"
        }
    };
    writer.prologue(out);
    out.extend(text);
}

impl Depth {
    /// Either the direct ones or all.
    fn choose<'a>(
        self,
        direct: impl FnOnce() -> &'a [u32],
        nested: impl FnOnce() -> Vec<u32>,
    ) -> Vec<u32> {
        match self {
            Depth::Direct => direct().to_vec(),
            Depth::Nested => nested(),
        }
    }
}
