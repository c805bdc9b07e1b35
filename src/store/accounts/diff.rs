//! What differs between two holdings of one application, row by row. Pure: nothing is read or written here.

use std::cmp::Ordering;

use crate::model::{
    Account, AppGroup, GroupLink, Holding, Link, Membership, ObservedAccount, ObservedGroup, StrId,
};
use crate::store::dialect::{edge, signed};

/// What differs between two holdings: places to write and places to drop.
#[derive(Default)]
pub(super) struct Differences {
    pub(super) put: Vec<u32>,
    pub(super) gone: Vec<i64>,
}

/// What differs between the members of all groups, of one kind: edges to write and edges to drop.
#[derive(Default)]
pub(super) struct MemberDifferences {
    pub(super) put_ours: Vec<i64>,
    pub(super) put_theirs: Vec<i64>,
    pub(super) gone: Vec<i64>,
}

pub(super) fn accounts_differences(before: &Holding, after: &Holding) -> Differences {
    let kept = |holding: &Holding, place: usize| {
        let account = holding.accounts.get(place);
        account.is_some_and(|it| it.exists || it.link.is_some())
    };
    let places = before.accounts.len().max(after.accounts.len());
    let same = |place: usize| {
        let (was, is) = (&before.accounts[place], &after.accounts[place]);
        same_account(before, was, after, is)
    };
    differences(places, |it| kept(before, it), |it| kept(after, it), same)
}

pub(super) fn groups_differences(before: &Holding, after: &Holding) -> Differences {
    let places = before.groups.len().max(after.groups.len());
    let same = |place: usize| {
        let (was, is) = (&before.groups[place], &after.groups[place]);
        same_group(before, was, after, is)
    };
    let kept = |holding: &Holding, place: usize| holding.groups.get(place).is_some_and(has_row);
    differences(places, |it| kept(before, it), |it| kept(after, it), same)
}

fn has_row(group: &AppGroup) -> bool {
    group.exists || group.link.is_some()
}

fn differences(
    places: usize,
    was: impl Fn(usize) -> bool,
    is: impl Fn(usize) -> bool,
    same: impl Fn(usize) -> bool,
) -> Differences {
    let mut all = Differences::default();
    for place in 0..places {
        match (was(place), is(place)) {
            (true, false) => all.gone.push(signed(place as u64)),
            (false, true) => all.put.push(place as u32),
            (true, true) if !same(place) => all.put.push(place as u32),
            _ => {}
        }
    }
    all
}

pub(super) fn members_differences(
    before: &Holding,
    after: &Holding,
    of: fn(&AppGroup) -> &[Membership],
) -> MemberDifferences {
    let mut all = MemberDifferences::default();
    for place in 0..before.groups.len().max(after.groups.len()) {
        let (was, is) = (members_at(before, place, of), members_at(after, place, of));
        if was != is {
            all.add(place as u32, was, is);
        }
    }
    all
}

fn members_at(
    holding: &Holding,
    place: usize,
    of: fn(&AppGroup) -> &[Membership],
) -> &[Membership] {
    let group = holding.groups.get(place).filter(|it| has_row(it));
    group.map_or(&[], of)
}

impl MemberDifferences {
    /// Both lists are sorted by place.
    fn add(&mut self, group: u32, was: &[Membership], is: &[Membership]) {
        let (mut was, mut is) = (was.iter().peekable(), is.iter().peekable());
        loop {
            let order = match (was.peek(), is.peek()) {
                (None, None) => return,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(was), Some(is)) => was.place().cmp(&is.place()),
            };
            let was = was.next_if(|_| order.is_le());
            let is = is.next_if(|_| order.is_ge());
            match (was, is) {
                (Some(was), None) => self.gone.push(edge(group, was.place())),
                (was, Some(is)) if was != Some(is) => self.put(group, *is),
                _ => {}
            }
        }
    }

    fn put(&mut self, group: u32, member: Membership) {
        let put = if member.ours() {
            &mut self.put_ours
        } else {
            &mut self.put_theirs
        };
        put.push(edge(group, member.place()));
    }
}

fn same_account(before: &Holding, was: &Account, after: &Holding, is: &Account) -> bool {
    let ObservedAccount {
        remote_id,
        name,
        display_name,
        given_name,
        family_name,
        email,
        directory,
        external_id,
        active,
    } = &was.seen;
    let same = |a: &StrId, b: StrId| before.text(*a) == after.text(b);
    let links = match (&was.link, &is.link) {
        (None, None) => true,
        (Some(a), Some(b)) => same_link(before, a, after, b),
        _ => false,
    };
    links
        && was.exists == is.exists
        && same(remote_id, is.seen.remote_id)
        && same(name, is.seen.name)
        && same(display_name, is.seen.display_name)
        && same(given_name, is.seen.given_name)
        && same(family_name, is.seen.family_name)
        && same(email, is.seen.email)
        && same(directory, is.seen.directory)
        && same(external_id, is.seen.external_id)
        && *active == is.seen.active
}

fn same_link(before: &Holding, was: &Link, after: &Holding, is: &Link) -> bool {
    let Link {
        directory,
        user_id,
        origin,
        off_by_us,
        mail,
        person,
        tied,
        unlisted,
        absent_since,
        absent_for,
        left_at,
    } = was;
    let same = |a: &StrId, b: StrId| before.text(*a) == after.text(b);
    same(directory, is.directory)
        && same(user_id, is.user_id)
        && same(mail, is.mail)
        && same(person, is.person)
        && *origin == is.origin
        && *off_by_us == is.off_by_us
        && *tied == is.tied
        && *unlisted == is.unlisted
        && *absent_since == is.absent_since
        && *absent_for == is.absent_for
        && *left_at == is.left_at
}

/// Members are rows of their own.
fn same_group(before: &Holding, was: &AppGroup, after: &Holding, is: &AppGroup) -> bool {
    let ObservedGroup {
        remote_id,
        name,
        description,
    } = &was.seen;
    let same = |a: &StrId, b: StrId| before.text(*a) == after.text(b);
    let links = match (&was.link, &is.link) {
        (None, None) => true,
        (Some(a), Some(b)) => same_group_link(before, a, after, b),
        _ => false,
    };
    links
        && was.exists == is.exists
        && same(remote_id, is.seen.remote_id)
        && same(name, is.seen.name)
        && same(description, is.seen.description)
}

fn same_group_link(before: &Holding, was: &GroupLink, after: &Holding, is: &GroupLink) -> bool {
    let GroupLink {
        directory,
        group_id,
        origin,
        absent_since,
        absent_for,
        left_at,
    } = was;
    before.text(*directory) == after.text(is.directory)
        && before.text(*group_id) == after.text(is.group_id)
        && *origin == is.origin
        && *absent_since == is.absent_since
        && *absent_for == is.absent_for
        && *left_at == is.left_at
}
