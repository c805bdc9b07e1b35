//! Lists of users and groups, and whether somebody is in one.

use std::sync::Arc;

use super::{Question, entities};
use crate::serve::image::Image;
use crate::serve::reply::{Answer, Refusal};
use crate::serve::route::Depth;
use crate::wire::crowd::{Detail, Kind, Writer};

/// How many entities are written between two looks at how much there is already.
const ENTITIES_AT_ONCE: usize = 32;

impl Question<'_> {
    /// The users in a group; with `username`, whether that one is.
    pub(super) fn users_in_group(&self, depth: Depth) -> Result<Answer, Refusal> {
        let (image, group) = (&self.image, self.asked_group()?);
        let users = depth.choose(|| image.members(group), || image.nested_members(group));
        self.list_or_test(Kind::Users, users, "username", image.group(group).name)
    }

    /// The groups a user is in; with `groupname`, whether it is in that one.
    pub(super) fn groups_of_user(&self, depth: Depth) -> Result<Answer, Refusal> {
        let (image, user) = (&self.image, self.asked_user()?);
        let groups = depth.choose(|| image.groups_of(user), || image.nested_groups_of(user));
        self.list_or_test(Kind::Groups, groups, "groupname", image.user(user).name)
    }

    /// The groups in a group; with `child-groupname`, whether that one is.
    pub(super) fn groups_in_group(&self, depth: Depth) -> Result<Answer, Refusal> {
        let (image, group) = (&self.image, self.asked_group()?);
        let groups = depth.choose(|| image.children(group), || image.nested_children(group));
        self.list_or_test(
            Kind::Groups,
            groups,
            "child-groupname",
            image.group(group).name,
        )
    }

    /// The groups a group is in; with `parent-groupname`, whether it is in that one.
    pub(super) fn groups_above_group(&self, depth: Depth) -> Result<Answer, Refusal> {
        let (image, group) = (&self.image, self.asked_group()?);
        let groups = depth.choose(|| image.parents(group), || image.nested_parents(group));
        self.list_or_test(
            Kind::Groups,
            groups,
            "parent-groupname",
            image.group(group).name,
        )
    }

    /// The list; or, if the parameter `test` names somebody, the one in it.
    fn list_or_test(
        &self,
        kind: Kind,
        places: Vec<u32>,
        test: &str,
        of: &str,
    ) -> Result<Answer, Refusal> {
        let Some(name) = self.query.get(test) else {
            return self.list(kind, places.into_iter());
        };
        let found = find(&self.image, kind, name);
        let place = found.filter(|place| places.binary_search(place).is_ok());
        let place = place.ok_or_else(|| match test {
            "username" | "child-groupname" => Refusal::no_membership(name, of),
            _ => Refusal::no_membership(of, name),
        })?;
        let (image, detail) = (&self.image, self.list_detail(kind));
        Ok(self
            .reply
            .document(|it, out| entity(it, image, kind, detail, place, out)))
    }

    /// The part of the list that the request asks for, in the detail that it asks for.
    pub(super) fn list(
        &self,
        kind: Kind,
        places: impl ExactSizeIterator<Item = u32> + Send + 'static,
    ) -> Result<Answer, Refusal> {
        let page = self.query.page()?;
        self.begin(page, places.len());
        let mut places = places.skip(page.start).take(page.results);
        let (image, reply) = (self.image.clone(), self.reply.clone());
        let detail = self.list_detail(kind);
        let mut written = 0_usize;
        Ok(self.reply.made(move |out| {
            let writer = reply.writer();
            if written == 0 {
                writer.prologue(out);
                writer.begin(kind, out);
            }
            for _ in 0..ENTITIES_AT_ONCE {
                let Some(place) = places.next() else {
                    writer.end(kind, out);
                    return false;
                };
                if written > 0 {
                    writer.next(out);
                }
                entity(&writer, &image, kind, detail, place, out);
                written += 1;
            }
            true
        }))
    }

    fn list_detail(&self, kind: Kind) -> Detail {
        let expanded = match kind {
            Kind::Users => "user",
            Kind::Groups => "group",
        };
        if self.query.expands(expanded) {
            Detail::Fields
        } else {
            Detail::Name
        }
    }
}

/// How many users, or groups, there are.
pub(super) fn count(image: &Image, kind: Kind) -> u32 {
    match kind {
        Kind::Users => image.users(),
        Kind::Groups => image.groups(),
    }
}

/// The place of the user, or group, of that name.
pub(super) fn find(image: &Image, kind: Kind, name: &str) -> Option<u32> {
    match kind {
        Kind::Users => image.find_user(name),
        Kind::Groups => image.find_group(name),
    }
}

fn entity(
    writer: &Writer<'_>,
    image: &Arc<Image>,
    kind: Kind,
    detail: Detail,
    place: u32,
    out: &mut Vec<u8>,
) {
    match kind {
        Kind::Users => writer.user(&entities::user(image.user(place)), detail, out),
        Kind::Groups => writer.group(&entities::group(image.group(place)), detail, out),
    }
}
