//! Memberships that a product gives a new account by itself.
//!
//! Nobody enters an application by its defaults, so they are owned like those that were given from here, and taken where the
//! roster does not want them. They are known from the first listing after the account was made. What somebody gives by hand
//! before that looks the same; so that listing is made at the next push.

use std::collections::BTreeSet;

use crate::model::{Holding, Membership};

/// Owns every membership of the accounts that were made here, by place, in groups that are ours. Others are not touched; nor
/// would it be plain why somebody loses one when such a group is adopted long afterwards.
pub(super) fn own(holding: &mut Holding, made: &BTreeSet<u32>) {
    if made.is_empty() {
        return;
    }
    for group in holding.groups.iter_mut().filter(|it| it.link.is_some()) {
        let members = group.members.iter_mut();
        for member in members.filter(|it| made.contains(&it.place())) {
            *member = Membership::new(member.place(), true);
        }
    }
}
