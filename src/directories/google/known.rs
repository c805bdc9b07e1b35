//! What is known when members are read: who was listed, what was there before, and what has moved since. Pure.

use hashbrown::{HashMap, HashSet};

use super::activity::Moved;
use super::last::Last;
use super::listed::Listed;
use crate::model::RecordKind;
use crate::wire::google::{Group, Member, MemberKind};

/// What members are held against.
#[derive(Debug)]
pub(super) struct Known<'a> {
    /// The users that were listed.
    pub people: &'a Listed,
    /// The groups that were listed.
    pub groups: &'a [Group],
    pub listed: &'a Listed,
    /// Where each group stands in the list, by id.
    pub places: HashMap<&'a str, usize>,
    pub last: Option<&'a Last<'a>>,
    /// What is known to have moved since the members were read; `None` when all are to be read.
    pub moved: Option<&'a Moved>,
}

/// The members of one group, by id.
#[derive(Debug, Default)]
pub(super) struct Members<'m> {
    pub users: Vec<&'m str>,
    pub groups: Vec<&'m str>,
    /// Members that are in no list, with what they are if that is known.
    pub strangers: Vec<(Option<RecordKind>, &'m str)>,
    /// The customer whose everybody is a member.
    pub customer: Option<&'m str>,
    /// How many users were listed, known or not; whoever is a member because everybody is does not count.
    direct_users: u64,
}

/// A membership that was there and is missing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lost<'a> {
    pub group: &'a str,
    /// The group's number in the records that are made.
    pub number: u32,
    /// What the member is; `None` where it is everybody of a customer.
    pub kind: Option<RecordKind>,
    pub member: &'a str,
}

impl<'a> Known<'a> {
    /// Whether nothing says that a group has other members than it was last seen with.
    pub(super) fn is_as_it_was(&self, group: &Group) -> bool {
        let (Some((last, at)), Some(moved)) = (self.before(&group.id), self.moved) else {
            return false;
        };
        // Who is everybody changes with the users, and no count tells it.
        let was_known = !last.records.groups[at as usize].unknown && last.customer_in(at).is_none();
        let same_count = group.direct_users == Some(last.direct_users(at));
        was_known && same_count && !moved.names(group)
    }

    /// The members that a group was last seen with.
    pub(super) fn last_members(&self, group: &str) -> Members<'a> {
        let Some((last, at)) = self.before(group) else {
            return Members::default();
        };
        Members {
            users: last.users_of(at).collect(),
            groups: last.groups_of(at).collect(),
            strangers: last.strangers_of(at).collect(),
            customer: None,
            direct_users: last.direct_users(at),
        }
    }

    /// Whom the members mean that were listed.
    pub(super) fn members<'m>(&self, listed: &'m [Member]) -> Members<'m>
    where
        'a: 'm,
    {
        let mut members = Members::default();
        for member in listed {
            if member.kind == MemberKind::Customer {
                members.users.extend(self.people.ids());
                members.customer = Some(&member.id);
                continue;
            }
            let (kind, known) = self.who(member);
            members.direct_users += u64::from(kind != Some(RecordKind::Group));
            match (kind, known) {
                (Some(RecordKind::Group), Some(id)) => members.groups.push(id),
                (_, Some(id)) => members.users.push(id),
                (kind, None) if member.id.is_empty() => {
                    members.strangers.push((kind, &member.email));
                }
                (kind, None) => members.strangers.push((kind, &member.id)),
            }
        }
        members
    }

    /// The memberships that were there and are missing now, though who was in the group is still there. Of users there are
    /// none where as many were listed as the group counts itself: nobody was left out.
    pub(super) fn lost(
        &self,
        group: &'a Group,
        number: u32,
        members: &Members<'_>,
    ) -> Vec<Lost<'a>> {
        let Some((last, at)) = self.before(&group.id) else {
            return Vec::new();
        };
        let lost = |kind, member| Lost {
            group: &group.id,
            number,
            kind,
            member,
        };
        let groups = last.groups_of(at);
        let groups = groups.filter(|it| !members.groups.contains(it) && self.listed.has(it));
        let groups = groups.map(|it| lost(Some(RecordKind::Group), it));
        if let Some(customer) = last.customer_in(at) {
            // Its users were members by that.
            let everybody = members.customer.is_none().then(|| lost(None, customer));
            return groups.chain(everybody).collect();
        }
        // As many users as the group counts itself.
        let is_counted = group.direct_users == Some(members.direct_users);
        let there: HashSet<&str> = members.users.iter().copied().collect();
        let users = last.users_of(at);
        let users = users.filter(|it| !is_counted && !there.contains(it) && self.people.has(it));
        let users = users.map(|it| lost(Some(RecordKind::User), it));
        groups.chain(users).collect()
    }

    /// Which record a member is: its kind, and its id if it is in a list.
    fn who(&self, member: &Member) -> (Option<RecordKind>, Option<&'a str>) {
        // Whoever had the id is not whoever has the address now.
        let address = |was_there: bool| if was_there { "" } else { member.email.as_str() };
        let user = || {
            let was_there = self.last.is_some_and(|it| it.has_user(&member.id));
            let found = self.people.find(&member.id, address(was_there))?;
            Some((Some(RecordKind::User), Some(found)))
        };
        let group = || {
            let was_there = self.last.is_some_and(|it| it.group(&member.id).is_some());
            let found = self.listed.find(&member.id, address(was_there))?;
            Some((Some(RecordKind::Group), Some(found)))
        };
        match member.kind {
            MemberKind::User => user().unwrap_or((Some(RecordKind::User), None)),
            MemberKind::Group => group().unwrap_or((Some(RecordKind::Group), None)),
            MemberKind::Customer | MemberKind::Other => {
                user().or_else(group).unwrap_or((None, None))
            }
        }
    }

    fn before(&self, group: &str) -> Option<(&'a Last<'a>, u32)> {
        let last = self.last?;
        Some((last, last.group(group)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{NewGroup, NewUser, Records, RecordsBuilder};

    /// Users 1 to 3 and groups g and h: 1 and 2 are in g, so is h, and a stranger.
    fn before() -> Records {
        let mut builder = RecordsBuilder::default();
        for id in ["1", "2", "3"] {
            builder.user(&NewUser {
                id,
                username: id,
                handle: id,
                ..NewUser::default()
            });
        }
        let mut group = |id| {
            builder.group(&NewGroup {
                id,
                name: id,
                handle: id,
                ..NewGroup::default()
            })
        };
        let (g, _) = (group("g").unwrap(), group("h"));
        for user in ["1", "2", "stranger"] {
            builder.member(g, Some(RecordKind::User), user);
        }
        builder.member(g, Some(RecordKind::Group), "h");
        builder.finish()
    }

    fn listed(ids: &[&str]) -> Listed {
        let mut listed = Listed::default();
        for id in ids {
            listed.add(id, &format!("{id}@x.example"), &[]);
        }
        listed
    }

    fn group(id: &str, direct_users: u64) -> Group {
        Group {
            id: id.to_owned(),
            direct_users: Some(direct_users),
            ..Group::default()
        }
    }

    fn user(id: &str) -> Member {
        Member {
            id: id.to_owned(),
            email: String::new(),
            kind: MemberKind::User,
        }
    }

    #[test]
    fn a_group_is_as_it_was_if_it_was_known_and_counts_as_many_users() {
        let records = before();
        let last = Last::of(&records);
        let moved = Moved::default();
        let nobody = Listed::default();
        let check =
            |last: Option<&Last<'_>>, moved: Option<&Moved>, group: &Group, expect: bool| {
                let known = Known {
                    people: &nobody,
                    groups: &[],
                    listed: &nobody,
                    places: HashMap::new(),
                    last,
                    moved,
                };
                assert_eq!(known.is_as_it_was(group), expect, "{group:?}");
            };
        // The stranger counts, the group in it does not.
        check(Some(&last), Some(&moved), &group("g", 3), true);
        check(Some(&last), Some(&moved), &group("g", 2), false);
        check(Some(&last), Some(&moved), &group("h", 0), true);
        check(Some(&last), Some(&moved), &group("new", 0), false);
        check(Some(&last), None, &group("g", 3), false);
        check(None, Some(&moved), &group("g", 3), false);
        let uncounted = Group {
            direct_users: None,
            ..group("g", 0)
        };
        check(Some(&last), Some(&moved), &uncounted, false);
        let mut unknown = before();
        unknown.groups[0].unknown = true;
        check(
            Some(&Last::of(&unknown)),
            Some(&moved),
            &group("g", 3),
            false,
        );
    }

    #[test]
    fn who_is_missing_is_asked_for_unless_the_group_counts_itself_so_or_they_are_gone_themselves() {
        let records = before();
        let last = Last::of(&records);
        let (people, groups) = (listed(&["1", "2", "3"]), listed(&["g", "h"]));
        let check = |people: &Listed, count: u64, members: &[Member], expect: &[&str]| {
            let known = Known {
                people,
                groups: &[],
                listed: &groups,
                places: HashMap::new(),
                last: Some(&last),
                moved: None,
            };
            let group = group("g", count);
            let lost = known.lost(&group, 0, &known.members(members));
            let lost: Vec<&str> = lost.iter().map(|it| it.member).collect();
            assert_eq!(lost, expect, "{count} {members:?}");
        };
        check(&people, 2, &[user("1")], &["h", "2"]);
        check(&people, 1, &[user("1")], &["h"]);
        check(&people, 2, &[user("1"), user("3")], &["h"]);
        check(&listed(&["1"]), 2, &[user("1")], &["h"]);
        let inner = Member {
            kind: MemberKind::Group,
            ..user("h")
        };
        check(&people, 9, &[user("1"), user("2"), inner], &[]);
        let everybody = Member {
            kind: MemberKind::Customer,
            ..user("C01")
        };
        check(&people, 9, &[everybody], &["h"]);
    }
}
