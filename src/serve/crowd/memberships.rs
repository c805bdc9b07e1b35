//! All direct memberships in one document, which only exists in XML.

use super::Question;
use crate::serve::reply::Answer;
use crate::wire::crowd::membership::{self, pieces};

/// How many members are written between two looks at how much there is already.
const MEMBERS_AT_ONCE: usize = 256;

/// Where the writing stands.
enum At {
    Begin,
    /// Before a group.
    Group(u32),
    /// In a group, before one of its users.
    Users(u32, usize),
    /// In a group, before one of its child groups.
    Children(u32, usize),
}

impl Question<'_> {
    /// Every group with its direct users and child groups.
    pub(super) fn memberships(&self) -> Answer {
        let image = self.image.clone();
        let mut at = At::Begin;
        self.reply.made(move |out| {
            at = match at {
                At::Begin => {
                    membership::begin(out);
                    At::Group(0)
                }
                At::Group(group) if group == image.groups() => {
                    membership::end(out);
                    return false;
                }
                At::Group(group) => {
                    pieces::begin_group(image.group(group).name, out);
                    At::Users(group, 0)
                }
                At::Users(group, from) => {
                    let rest = &image.members(group)[from..];
                    for &user in rest.iter().take(MEMBERS_AT_ONCE) {
                        pieces::write_user(image.user(user).name, out);
                    }
                    if rest.len() > MEMBERS_AT_ONCE {
                        At::Users(group, from + MEMBERS_AT_ONCE)
                    } else {
                        pieces::end_users(out);
                        At::Children(group, 0)
                    }
                }
                At::Children(group, from) => {
                    let rest = &image.children(group)[from..];
                    for &child in rest.iter().take(MEMBERS_AT_ONCE) {
                        pieces::write_child(image.group(child).name, out);
                    }
                    if rest.len() > MEMBERS_AT_ONCE {
                        At::Children(group, from + MEMBERS_AT_ONCE)
                    } else {
                        pieces::end_group(out);
                        At::Group(group + 1)
                    }
                }
            };
            true
        })
    }
}
