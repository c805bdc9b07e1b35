//! Members that groups name by username instead of by handle.
//!
//! Once such a membership is known it looks like any other, so it cannot be told what becomes of it when its user leaves or
//! is named otherwise. One that is not known yet is a reference to a user under the username's key.

use hashbrown::HashSet;

use super::{Delta, Gap, Replaced};
use crate::model::{RecordKind, Records};

/// Who bears a username after a delta.
pub(super) struct Usernames<'a> {
    /// Key and handle, sorted; empty where nobody is named by username.
    bearers: Vec<(&'a str, &'a str)>,
}

/// Looks for changes of users of which their memberships do not tell enough.
pub(super) fn check(old: &Records, delta: &Delta, replaced: &Replaced<'_>) -> Result<(), Gap> {
    if !delta.by_username {
        return Ok(());
    }
    let rejected = old.rejected.iter().chain(&delta.upsert.rejected);
    // Whoever is named by username may be rejected, and is a reference to its handle then.
    if rejected.into_iter().any(|it| it.what == RecordKind::User) {
        return Err(Gap::NamedMember);
    }
    let upsert = &delta.upsert;
    let names = upsert.users.iter();
    let names = names.map(|it| [it.key, it.id, it.handle].map(|it| upsert.text(it)));
    let mut names: Vec<[&str; 3]> = names.collect();
    names.sort_unstable();
    let mut is_member = vec![false; old.users.len()];
    for (_, user) in old.members.pairs() {
        is_member[user as usize] = true;
    }
    let members = old.users.iter().zip(is_member).filter(|it| it.1);
    for (user, _) in members {
        let now = [user.key, user.id, user.handle].map(|it| old.text(it));
        let stays = names.binary_search(&now).is_ok() || !replaced.has(RecordKind::User, now[1]);
        let from = names.partition_point(|it| it[0] < now[0]);
        let mut namesakes = names[from..].iter().take_while(|it| it[0] == now[0]);
        if !stays || namesakes.any(|it| it[1] != now[1]) {
            return Err(Gap::NamedMember);
        }
    }
    Ok(())
}

/// Looks for users under whose username another one comes, where no two bear one.
pub(super) fn check_bearers(
    old: &Records,
    delta: &Delta,
    replaced: &Replaced<'_>,
) -> Result<(), Gap> {
    let upsert = &delta.upsert;
    if !delta.one_bearer || upsert.users.is_empty() {
        return Ok(());
    }
    let names: HashSet<&str> = upsert.users.iter().map(|it| upsert.text(it.key)).collect();
    let stays = |id| !replaced.has(RecordKind::User, id);
    let mut namesakes = old.users.iter().filter(|it| {
        let name = old.text(it.key);
        !name.is_empty() && names.contains(name)
    });
    if namesakes.any(|it| stays(old.text(it.id))) {
        return Err(Gap::TwoBearers);
    }
    Ok(())
}

impl<'a> Usernames<'a> {
    pub(super) fn of(old: &'a Records, delta: &'a Delta, replaced: &Replaced<'_>) -> Self {
        let mut bearers = Vec::new();
        if delta.by_username {
            let stays = |id| !replaced.has(RecordKind::User, id);
            let kept = old.users.iter().filter(|it| stays(old.text(it.id)));
            bearers.extend(kept.map(|it| (old.text(it.key), old.text(it.handle))));
            let upsert = &delta.upsert;
            let new = upsert.users.iter();
            bearers.extend(new.map(|it| (upsert.text(it.key), upsert.text(it.handle))));
            bearers.sort_unstable();
        }
        Usernames { bearers }
    }

    /// The handles of those whom a reference means; its own handle where nobody answers to it.
    pub(super) fn each(&self, kind: Option<RecordKind>, handle: &str, mut each: impl FnMut(&str)) {
        let from = self.bearers.partition_point(|it| it.0 < handle);
        let named = self.bearers[from..].iter().take_while(|it| it.0 == handle);
        let mut named = named.filter(|_| kind == Some(RecordKind::User)).peekable();
        if named.peek().is_none() {
            each(handle);
        }
        named.for_each(|it| each(it.1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{NewGroup, NewUser, RecordsBuilder};

    /// Users as `id username handle`, and a group that names `members` by username.
    fn records(users: &[[&str; 3]], members: Option<&[&str]>) -> Records {
        let mut builder = RecordsBuilder::default();
        for [id, username, handle] in users {
            builder.user(&NewUser {
                id,
                username,
                handle,
                ..NewUser::default()
            });
        }
        let group = NewGroup {
            id: "g",
            name: "g",
            handle: "cn=g",
            ..NewGroup::default()
        };
        if let Some(members) = members {
            let group = builder.group(&group).unwrap();
            for name in members {
                let bearer = users.iter().find(|it| it[1] == *name);
                builder.member(
                    group,
                    Some(RecordKind::User),
                    bearer.map_or(name, |it| it[2]),
                );
            }
        }
        builder.finish()
    }

    fn delta(upsert: Records) -> Delta {
        let filled = upsert
            .groups
            .iter()
            .map(|it| upsert.text(it.id).to_owned())
            .collect();
        Delta {
            upsert,
            filled,
            by_username: true,
            shared_handles: true,
            ..Delta::default()
        }
    }

    fn members(records: &Records) -> (Vec<&str>, Vec<&str>) {
        let users = records.members.row(0).iter();
        let users = users.map(|it| records.text(records.users[*it as usize].id));
        let mut users: Vec<&str> = users.collect();
        users.sort_unstable();
        (
            users,
            records
                .references
                .iter()
                .map(|it| records.text(it.handle))
                .collect(),
        )
    }

    #[test]
    fn who_comes_is_a_member_where_the_name_was_named_already() {
        let old = records(&[["1", "ada", "uid=ada"]], Some(&["ada", "ben"]));
        let came = delta(records(&[["2", "ben", "uid=ben"]], None));
        assert_eq!(
            members(&old.merged(&came).unwrap()),
            (vec!["1", "2"], vec![])
        );
    }

    #[test]
    fn a_group_that_came_names_those_who_were_there() {
        let old = records(&[["1", "ada", "uid=ada"]], Some(&[]));
        let filled = delta(records(&[], Some(&["ada", "cid"])));
        assert_eq!(
            members(&old.merged(&filled).unwrap()),
            (vec!["1"], vec!["cid"])
        );
    }

    #[test]
    fn two_with_one_username_are_a_gap_where_that_cannot_be() {
        let old = records(&[["1", "ada", "ada"], ["2", "ben", "ben"]], None);
        let check = |change: Delta, expect: bool| {
            let change = Delta {
                by_username: false,
                one_bearer: true,
                ..change
            };
            assert_eq!(old.merged(&change).is_ok(), expect, "{change:?}");
            assert_eq!(old.merge(&change).is_ok(), expect, "{change:?}");
            let may = Delta {
                one_bearer: false,
                ..change
            };
            assert!(old.merge(&may).is_ok());
        };
        let now = |users: &[[&str; 3]]| delta(records(users, None));
        check(now(&[["1", "ada", "ada"]]), true);
        check(now(&[["3", "cid", "cid"]]), true);
        check(now(&[["3", "ada", "ada"]]), false);
        check(now(&[["3", "ada", "ada"], ["1", "ava", "ava"]]), true);
        let gone = vec![(RecordKind::User, "1".to_owned())];
        let instead = now(&[["3", "ada", "ada"]]);
        check(Delta { gone, ..instead }, true);
    }

    #[test]
    fn a_member_who_leaves_or_is_named_otherwise_is_a_gap() {
        let old = records(
            &[["1", "ada", "uid=ada"], ["2", "ben", "uid=ben"]],
            Some(&["ada"]),
        );
        let check = |change: &Delta, expect: bool| {
            assert_eq!(old.merged(change).is_ok(), expect, "{change:?}");
        };
        let now = |username, handle| delta(records(&[["1", username, handle]], None));
        check(&now("ada", "uid=ada"), true);
        check(&now("ava", "uid=ada"), false);
        check(&now("ada", "uid=ava"), false);
        check(&delta(records(&[["3", "ada", "uid=ada2"]], None)), false);
        let gone = |id: &str| Delta {
            gone: vec![(RecordKind::User, id.to_owned())],
            ..delta(Records::default())
        };
        check(&gone("1"), false);
        check(&gone("2"), true);
    }
}
