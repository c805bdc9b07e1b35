//! Single users and groups.

use super::Question;
use crate::serve::image::{ServedGroup, ServedUser};
use crate::serve::reply::{Answer, Refusal};
use crate::wire::crowd::{Detail, Group, User};
use crate::wire::percent::encoded;

impl Question<'_> {
    pub(super) fn user(&self) -> Result<Answer, Refusal> {
        let user = user(self.image.user(self.asked_user()?));
        let detail = self.entity_detail();
        Ok(self.reply.document(|it, out| it.user(&user, detail, out)))
    }

    pub(super) fn group(&self) -> Result<Answer, Refusal> {
        let group = group(self.image.group(self.asked_group()?));
        let detail = self.entity_detail();
        Ok(self.reply.document(|it, out| it.group(&group, detail, out)))
    }

    /// A user's further attributes: there are none, since the set has none.
    pub(super) fn user_attributes(&self) -> Result<Answer, Refusal> {
        let name = self.image.user(self.asked_user()?).name;
        let link = format!("user/attribute?username={}", encoded(name));
        Ok(self
            .reply
            .document(|it, out| it.attributes(&link, &[], out)))
    }

    /// A group's further attributes: there are none either.
    pub(super) fn group_attributes(&self) -> Result<Answer, Refusal> {
        let name = self.image.group(self.asked_group()?).name;
        let link = format!("group/attribute?groupname={}", encoded(name));
        Ok(self
            .reply
            .document(|it, out| it.attributes(&link, &[], out)))
    }

    fn entity_detail(&self) -> Detail {
        if self.query.expands("attributes") {
            Detail::Attributes
        } else {
            Detail::Fields
        }
    }
}

/// A user as it is written.
pub(super) fn user(served: ServedUser<'_>) -> User {
    let ServedUser {
        name,
        key,
        given_name,
        family_name,
        display_name,
        email,
        active,
    } = served;
    User {
        name: name.to_owned(),
        first_name: given_name.to_owned(),
        last_name: family_name.to_owned(),
        display_name: display_name.to_owned(),
        email: email.to_owned(),
        active: Some(active),
        key: key.to_owned(),
        attributes: Vec::new(),
    }
}

/// A group as it is written. Every group that is served counts.
pub(super) fn group(served: ServedGroup<'_>) -> Group {
    let ServedGroup { name, description } = served;
    Group {
        name: name.to_owned(),
        description: description.to_owned(),
        active: Some(true),
        attributes: Vec::new(),
    }
}
