//! Crowd's resources, answered from an image.

mod authentication;
mod entities;
mod lists;
mod memberships;
mod search;
mod tokens;

use std::sync::Arc;

use hyper::StatusCode;

use super::image::Image;
use super::query::Query;
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
    pub(super) reply: Reply,
}

impl Question<'_> {
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

    /// How long the list is, at most, whose page is asked for; `None` where no list is asked for.
    pub(super) fn length(&self, resource: Resource<'_>) -> Option<usize> {
        let image = &self.image;
        let tests = [
            "username",
            "groupname",
            "child-groupname",
            "parent-groupname",
        ];
        let named = tests.iter().filter(|it| self.query.get(it).is_some());
        let of_group = || image.find_group(self.query.get("groupname")?);
        match resource {
            Resource::Search => Some(image.users().max(image.groups()) as usize),
            // Two names ask whether one is in the other.
            _ if named.count() > 1 => None,
            Resource::GroupUsers(depth) => {
                let group = of_group()?;
                Some(
                    depth
                        .choose(|| image.members(group), || image.nested_members(group))
                        .len(),
                )
            }
            Resource::ChildGroups(depth) => {
                let group = of_group()?;
                Some(
                    depth
                        .choose(|| image.children(group), || image.nested_children(group))
                        .len(),
                )
            }
            Resource::ParentGroups(depth) => {
                let group = of_group()?;
                Some(
                    depth
                        .choose(|| image.parents(group), || image.nested_parents(group))
                        .len(),
                )
            }
            Resource::UserGroups(depth) => {
                let user = image.find_user(self.query.get("username")?)?;
                Some(
                    depth
                        .choose(|| image.groups_of(user), || image.nested_groups_of(user))
                        .len(),
                )
            }
            _ => None,
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
