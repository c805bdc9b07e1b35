//! The guards on reads: a complete read that lost too much is kept aside until a person approves it.
//!
//! A directory that answers completely can still be wrong: a filter that no longer fits, an attribute that is no longer
//! readable, a restored backup. What such a read loses is counted here and held against limits; the counts are what a person
//! is shown and what an approval covers. Deltas are judged by the records that they lead to.

mod little;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::{Records, Status, StrId, UserRecord};
use crate::reconcile::lookup::Index;
use crate::text::Percent;

pub use little::loses_little;

/// What a directory's reads are held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadRules {
    /// The share of users, of memberships and of usernames with a new id; 100 % switches these three guards off.
    pub shrink_limit: Percent,
}

/// How much the largest accepted state within the window held. A read that was approved is the new base: nothing older counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Largest {
    /// User records.
    pub users: u64,
    /// Direct memberships of users and of groups.
    pub memberships: u64,
}

/// What becomes of a complete read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It becomes the accepted state.
    Accept,
    /// It is kept aside, and the accepted records go on being used.
    Suspect(Loss),
}

/// One thing that a read lost, and how much of it may be lost without asking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// How many were lost.
    pub lost: u64,
    /// Of how many.
    pub of: u64,
    /// How many may be lost; `None` when the guard is switched off.
    pub limit: Option<u64>,
}

/// Everything that a read lost: what a person sees before approving it. Counts only, no names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Loss {
    /// The read holds no user at all.
    pub no_user: bool,
    /// Users that are there neither by id nor by username.
    pub users: Part,
    /// Direct memberships.
    pub memberships: Part,
    /// Groups that are there neither by id nor by name.
    pub groups: Part,
    /// Users that were inactive and are no longer shown so.
    pub inactive_flags: Part,
    /// By mapped attribute, users that had a value and have none.
    pub values: BTreeMap<String, Part>,
    /// Usernames that have another id.
    pub changed_ids: Part,
}

/// Judges a complete read against the accepted state. `last` is `None` for the first read, which has nothing to lose.
/// `approved` is the loss that a person approved and that has not expired.
pub fn judge(
    rules: &ReadRules,
    largest: Largest,
    last: Option<&Records>,
    new: &Records,
    approved: Option<&Loss>,
) -> Verdict {
    let loss = Loss::between(rules.shrink_limit, largest, last, new);
    if !loss.is_too_much() || approved.is_some_and(|it| it.covers(&loss)) {
        return Verdict::Accept;
    }
    Verdict::Suspect(loss)
}

/// The accepted records with the inactive flags that a suspect read shows for ids that are known: whoever was locked out
/// stays out, however wrong the rest of the read may be. `None` when it shows none that is new.
pub fn with_inactive_flags(accepted: &Records, suspect: &Records) -> Option<Records> {
    let shown = Index::user_ids(suspect);
    let newly_inactive = |user: &UserRecord| {
        user.status != Status::Inactive
            && shown
                .find(accepted.text(user.id))
                .map(|it| &suspect.users[it as usize])
                .is_some_and(|it| it.status == Status::Inactive && !it.unknown)
    };
    let places: Vec<usize> = (0..accepted.users.len())
        .filter(|it| newly_inactive(&accepted.users[*it]))
        .collect();
    if places.is_empty() {
        return None;
    }
    let mut records = accepted.clone();
    for place in places {
        records.users[place].status = Status::Inactive;
    }
    Some(records)
}

/// Gives users whose status a read does not show the one that was last seen. One that was never seen stays unknown.
pub fn remember_statuses(last: &Records, new: &mut Records) {
    if new.users.iter().all(|it| it.status != Status::Unknown) {
        return;
    }
    let seen = Index::user_ids(last);
    let status_of = |id: &str| seen.find(id).map(|it| last.users[it as usize].status);
    for place in 0..new.users.len() {
        if new.users[place].status == Status::Unknown {
            let id = new.text(new.users[place].id);
            new.users[place].status = status_of(id).unwrap_or(Status::Unknown);
        }
    }
}

impl Part {
    /// A part of which a share may be lost.
    fn share(lost: u64, of: u64, limit: Percent) -> Part {
        let limit = limit.share(of);
        Part { lost, of, limit }
    }

    /// A part of which max(20 %, 5) may be lost, but never all of three or more.
    fn fixed(lost: u64, of: u64) -> Part {
        let most = Percent::whole(20).floor_of(of).max(5);
        let limit = Some(if of >= 3 { most.min(of - 1) } else { most });
        Part { lost, of, limit }
    }

    /// Whether more was lost than may be.
    pub fn is_too_much(&self) -> bool {
        self.limit.is_some_and(|limit| self.lost > limit)
    }
}

impl Loss {
    /// Whether it makes a read suspect.
    pub fn is_too_much(&self) -> bool {
        self.no_user || self.parts().iter().any(|it| it.1.is_too_much())
    }

    /// Whether who approved this approved a later loss too: it loses no more of anything than was shown.
    pub fn covers(&self, later: &Loss) -> bool {
        let Loss {
            no_user,
            users,
            memberships,
            groups,
            inactive_flags,
            values,
            changed_ids,
        } = later;
        let value = |name: &String| self.values.get(name).map_or(0, |it| it.lost);
        (self.no_user || !no_user)
            && users.lost <= self.users.lost
            && memberships.lost <= self.memberships.lost
            && groups.lost <= self.groups.lost
            && inactive_flags.lost <= self.inactive_flags.lost
            && changed_ids.lost <= self.changed_ids.lost
            && values.iter().all(|(name, it)| it.lost <= value(name))
    }

    fn between(limit: Percent, largest: Largest, last: Option<&Records>, new: &Records) -> Loss {
        let tally = new.tally();
        let was = last.map(Records::tally).unwrap_or_default();
        let users = largest.users.max(was.users);
        let memberships = largest.memberships.max(was.memberships);
        let lost_memberships = memberships.saturating_sub(tally.memberships);
        let mut loss = Loss {
            // An empty state that was accepted has no user to lose.
            no_user: new.users.is_empty() && last.is_none_or(|it| !it.users.is_empty()),
            users: Part::share(users.saturating_sub(tally.users), users, limit),
            memberships: Part::share(lost_memberships, memberships, limit),
            ..Loss::default()
        };
        if let Some(last) = last {
            loss.compare_users(limit, last, new);
            loss.groups = Part::fixed(lost_groups(last, new), was.groups);
        }
        loss
    }

    /// Goes through the users of both reads. Flags and values are counted over ids that are present in both.
    fn compare_users(&mut self, limit: Percent, last: &Records, new: &Records) {
        let (ids, names) = (Index::user_ids(new), Index::user_keys(new));
        let (mut gone, mut in_both, mut new_id) = (0, 0, 0);
        let (mut flags, mut flags_lost) = (0, 0);
        let mut values = Values::default();
        for (place, user) in (0u32..).zip(&last.users) {
            let same_id = ids.find(last.text(user.id));
            let same_name = names.find(last.text(user.key));
            if same_id.is_none() && same_name.is_none() {
                gone += 1;
            }
            if same_name.is_some() {
                in_both += 1;
                new_id += u64::from(same_id.is_none());
            }
            let Some(now) = same_id else { continue };
            if user.status == Status::Inactive {
                flags += 1;
                let still = new.users[now as usize].status == Status::Inactive;
                flags_lost += u64::from(!still);
            }
            values.compare((last, place), (new, now));
        }
        let lost = self.users.lost.max(gone);
        self.users = Part::share(lost, self.users.of, limit);
        self.changed_ids = Part::share(new_id, in_both, limit);
        self.inactive_flags = Part::fixed(flags_lost, flags);
        self.values = values.parts();
    }

    /// Every part with the words that follow its counts.
    fn parts(&self) -> Vec<(String, Part)> {
        let mut parts = vec![
            ("users lost".to_owned(), self.users),
            ("memberships lost".to_owned(), self.memberships),
            ("groups lost".to_owned(), self.groups),
            (
                "inactive users no longer shown so".to_owned(),
                self.inactive_flags,
            ),
        ];
        let values = self.values.iter();
        parts.extend(values.map(|(name, part)| (format!("values of {name} lost"), *part)));
        parts.push(("usernames with another id".to_owned(), self.changed_ids));
        parts
    }
}

/// For people: what is beyond its limit first, then what else was lost. Counts, never names.
impl fmt::Display for Loss {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (beyond, within): (Vec<_>, Vec<_>) =
            self.parts().into_iter().partition(|it| it.1.is_too_much());
        let mut words = Vec::new();
        if self.no_user {
            words.push("no user at all".to_owned());
        }
        for (text, Part { lost, of, limit }) in beyond {
            let limit = limit.unwrap_or_default();
            words.push(format!("{lost} of {of} {text} (at most {limit})"));
        }
        for (text, Part { lost, of, .. }) in within {
            if lost > 0 {
                words.push(format!("{lost} of {of} {text}"));
            }
        }
        if words.is_empty() {
            words.push("nothing lost".to_owned());
        }
        out.write_str(&words.join("; "))
    }
}

/// How many groups of the last records are there neither by id nor by name.
fn lost_groups(last: &Records, new: &Records) -> u64 {
    let (ids, names) = (Index::group_ids(new), Index::group_keys(new));
    let lost = last.groups.iter().filter(|it| {
        ids.find(last.text(it.id)).is_none() && names.find(last.text(it.key)).is_none()
    });
    lost.count() as u64
}

type Field = fn(&UserRecord) -> StrId;

/// The four mapped fields besides username and status, which have guards of their own.
const FIELDS: [(&str, Field); 4] = [
    ("display_name", |it| it.display_name),
    ("given_name", |it| it.given_name),
    ("family_name", |it| it.family_name),
    ("email", |it| it.email),
];

/// Per attribute, how many values there were and how many of these are gone.
#[derive(Default)]
struct Values<'a> {
    fields: [(u64, u64); FIELDS.len()],
    further: BTreeMap<&'a str, (u64, u64)>,
}

impl<'a> Values<'a> {
    /// Compares one user of the last records with the same one of the new.
    fn compare(&mut self, last: (&'a Records, u32), new: (&Records, u32)) {
        let was = &last.0.users[last.1 as usize];
        let is = &new.0.users[new.1 as usize];
        for (count, (_, field)) in self.fields.iter_mut().zip(FIELDS) {
            if !field(was).is_empty() {
                count.0 += 1;
                count.1 += u64::from(field(is).is_empty());
            }
        }
        let mut names: Vec<&str> = last.0.extra_names(last.1).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let filled = |it: &str| !it.is_empty();
            if last.0.extra_values(last.1, name).any(filled) {
                let count = self.further.entry(name).or_default();
                count.0 += 1;
                count.1 += u64::from(!new.0.extra_values(new.1, name).any(filled));
            }
        }
    }

    fn parts(self) -> BTreeMap<String, Part> {
        let fields = FIELDS.iter().map(|it| it.0).zip(self.fields);
        fields
            .chain(self.further)
            .filter(|it| it.1.0 > 0)
            .map(|(name, (of, lost))| (name.to_owned(), Part::fixed(lost, of)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{NewGroup, NewUser, RecordsBuilder};

    const DEFAULT: ReadRules = ReadRules {
        shrink_limit: Percent::whole(20),
    };

    /// Users `a0`, `a1` and so on, all in one group of as many groups as asked for.
    struct Read {
        users: u64,
        groups: u64,
        edit: fn(u64, &mut NewUser<'_>),
    }

    fn as_it_is(_: u64, _: &mut NewUser<'_>) {}

    impl Read {
        fn users(users: u64) -> Read {
            Read {
                users,
                groups: 0,
                edit: as_it_is,
            }
        }

        fn edited(users: u64, edit: fn(u64, &mut NewUser<'_>)) -> Read {
            Read {
                edit,
                ..Read::users(users)
            }
        }

        fn groups(groups: u64) -> Read {
            Read {
                groups,
                ..Read::users(1)
            }
        }

        fn records(&self) -> Records {
            let mut builder = RecordsBuilder::default();
            for number in 0..self.users {
                let name = format!("a{number}");
                let mut user = NewUser {
                    id: &name,
                    username: &name,
                    handle: &name,
                    ..NewUser::default()
                };
                (self.edit)(number, &mut user);
                builder.user(&user);
            }
            for number in 0..self.groups {
                let name = format!("g{number}");
                let group = NewGroup {
                    id: &name,
                    name: &name,
                    handle: &name,
                    ..NewGroup::default()
                };
                builder.group(&group);
            }
            builder.finish()
        }

        fn with_members(users: u64, members: u64) -> Records {
            let mut builder = RecordsBuilder::default();
            let staff = builder.group(&NewGroup {
                id: "g",
                name: "staff",
                ..NewGroup::default()
            });
            for number in 0..users {
                let name = format!("a{number}");
                builder.user(&NewUser {
                    id: &name,
                    username: &name,
                    handle: &name,
                    ..NewUser::default()
                });
                if number < members {
                    builder.member(staff.unwrap(), None, &name);
                }
            }
            builder.finish()
        }
    }

    fn loss(last: &Records, new: &Records) -> Option<Loss> {
        match judge(&DEFAULT, Largest::default(), Some(last), new, None) {
            Verdict::Accept => None,
            Verdict::Suspect(loss) => Some(loss),
        }
    }

    fn is_suspect(last: &Records, new: &Records) -> bool {
        loss(last, new).is_some()
    }

    #[test]
    fn losing_more_users_than_the_share_is_suspect() {
        fn check(before: u64, after: u64, suspect: bool) {
            let (last, new) = (Read::users(before), Read::users(after));
            assert_eq!(
                is_suspect(&last.records(), &new.records()),
                suspect,
                "{before} to {after}"
            );
        }
        check(1, 1, false);
        check(1, 0, true);
        check(2, 1, true);
        check(3, 2, false);
        check(3, 1, true);
        check(10, 6, false);
        check(10, 5, true);
        check(11, 6, false);
        check(11, 5, true);
        check(100, 80, false);
        check(100, 79, true);
        check(100, 150, false);
    }

    #[test]
    fn users_are_lost_too_when_others_come_in_their_place() {
        let last = Read::users(100).records();
        let others = |number: u64, user: &mut NewUser<'_>| {
            if number < 21 {
                (user.id, user.username) = (OTHER[number as usize], OTHER[number as usize]);
            }
        };
        let new = Read::edited(100, others).records();
        let loss = loss(&last, &new).unwrap();
        assert_eq!((loss.users.lost, loss.users.limit), (21, Some(20)));
        assert!(!loss.no_user);
    }

    const OTHER: [&str; 21] = [
        "b0", "b1", "b2", "b3", "b4", "b5", "b6", "b7", "b8", "b9", "b10", "b11", "b12", "b13",
        "b14", "b15", "b16", "b17", "b18", "b19", "b20",
    ];

    #[test]
    fn losses_add_up_against_the_largest_state_of_the_window() {
        let (last, new) = (Read::users(85).records(), Read::users(79).records());
        let judge = |users| {
            let largest = Largest {
                users,
                memberships: 0,
            };
            judge(&DEFAULT, largest, Some(&last), &new, None)
        };
        assert_eq!(judge(85), Verdict::Accept);
        assert!(matches!(judge(100), Verdict::Suspect(loss) if loss.users.lost == 21));
    }

    #[test]
    fn losing_more_memberships_than_the_share_is_suspect() {
        fn check(before: u64, after: u64, suspect: bool) {
            let (last, new) = (
                Read::with_members(200, before),
                Read::with_members(200, after),
            );
            assert_eq!(is_suspect(&last, &new), suspect, "{before} to {after}");
        }
        check(100, 80, false);
        check(100, 79, true);
        check(10, 6, false);
        check(10, 5, true);
        check(1, 0, true);
        check(0, 5, false);
    }

    #[test]
    fn a_read_without_any_user_is_suspect_even_when_shrinking_is_allowed() {
        let rules = ReadRules {
            shrink_limit: Percent::HUNDRED,
        };
        let (some, none) = (Read::users(4).records(), Read::users(0).records());
        let judge = |last: Option<&Records>, new: &Records| {
            judge(&rules, Largest::default(), last, new, None)
        };
        assert!(matches!(judge(Some(&some), &none), Verdict::Suspect(loss) if loss.no_user));
        assert!(matches!(judge(None, &none), Verdict::Suspect(loss) if loss.no_user));
        assert_eq!(
            judge(Some(&some), &Read::users(1).records()),
            Verdict::Accept
        );
        assert_eq!(
            judge(Some(&none), &none),
            Verdict::Accept,
            "the base has none"
        );
    }

    #[test]
    fn the_first_read_has_nothing_to_lose() {
        let new = Read::users(1).records();
        let verdict = judge(&DEFAULT, Largest::default(), None, &new, None);
        assert_eq!(verdict, Verdict::Accept);
    }

    #[test]
    fn losing_many_or_all_groups_is_suspect() {
        fn check(before: u64, after: u64, suspect: bool) {
            let (last, new) = (Read::groups(before), Read::groups(after));
            assert_eq!(
                is_suspect(&last.records(), &new.records()),
                suspect,
                "{before} to {after}"
            );
        }
        check(1, 0, false);
        check(2, 0, false);
        check(3, 0, true);
        check(3, 1, false);
        check(5, 0, true);
        check(6, 1, false);
        check(7, 1, true);
        check(100, 80, false);
        check(100, 79, true);
    }

    #[test]
    fn losing_many_or_all_inactive_flags_is_suspect() {
        fn inactive(below: u64) -> fn(u64, &mut NewUser<'_>) {
            match below {
                0 => as_it_is,
                1 => |number, user| user.status = status(number < 1),
                2 => |number, user| user.status = status(number < 2),
                3 => |number, user| user.status = status(number < 3),
                _ => |number, user| user.status = status(number < 7),
            }
        }
        fn status(inactive: bool) -> Status {
            if inactive {
                Status::Inactive
            } else {
                Status::Active
            }
        }
        fn check(before: u64, after: u64, suspect: bool) {
            let read = |below| Read::edited(50, inactive(below)).records();
            assert_eq!(
                is_suspect(&read(before), &read(after)),
                suspect,
                "{before} to {after}"
            );
        }
        check(2, 0, false);
        check(3, 0, true);
        check(3, 1, false);
        check(7, 2, false);
        check(7, 1, true);
        check(0, 7, false);
    }

    #[test]
    fn a_status_that_is_no_longer_shown_is_a_lost_flag() {
        let last = Read::edited(9, |number, user| {
            user.status = if number < 3 {
                Status::Inactive
            } else {
                Status::Active
            };
        });
        let new = Read::edited(9, |_, user| user.status = Status::Unknown);
        assert!(is_suspect(&last.records(), &new.records()));
    }

    #[test]
    fn losing_many_or_all_values_of_one_attribute_is_suspect() {
        fn check(attribute: &str, last: fn(u64, &mut NewUser<'_>), new: fn(u64, &mut NewUser<'_>)) {
            let read = |edit| Read::edited(40, edit).records();
            let loss = loss(&read(last), &read(new)).unwrap();
            let part = loss.values[attribute];
            assert_eq!((part.lost, part.of), (40, 40), "{attribute}");
            assert!(!is_suspect(&read(new), &read(last)), "{attribute} came");
        }
        check("email", |_, it| it.email = "x", as_it_is);
        check("display_name", |_, it| it.display_name = "x", as_it_is);
        check("given_name", |_, it| it.given_name = "x", as_it_is);
        check("family_name", |_, it| it.family_name = "x", as_it_is);
        check(
            "number",
            |_, it| it.extra = vec![("number", vec!["7", "8"])],
            |_, it| {
                it.extra = vec![("number", vec![""])];
            },
        );
    }

    #[test]
    fn values_are_counted_over_ids_that_are_in_both() {
        let last = Read::edited(100, |number, it| {
            it.email = if number >= 90 { "x" } else { "" };
        });
        assert!(!is_suspect(&last.records(), &Read::users(90).records()));
        assert!(is_suspect(&last.records(), &Read::users(100).records()));
    }

    #[test]
    fn many_usernames_with_another_id_are_suspect() {
        fn others(below: u64) -> fn(u64, &mut NewUser<'_>) {
            match below {
                20 => |number, it| {
                    it.id = if number < 20 {
                        OTHER[number as usize]
                    } else {
                        it.id
                    }
                },
                _ => |number, it| {
                    it.id = if number < 21 {
                        OTHER[number as usize]
                    } else {
                        it.id
                    }
                },
            }
        }
        let last = Read::users(100).records();
        assert!(!is_suspect(&last, &Read::edited(100, others(20)).records()));
        let loss = loss(&last, &Read::edited(100, others(21)).records()).unwrap();
        assert_eq!((loss.changed_ids.lost, loss.users.lost), (21, 0));
        let rules = ReadRules {
            shrink_limit: Percent::HUNDRED,
        };
        let new = Read::edited(100, others(21)).records();
        let verdict = judge(&rules, Largest::default(), Some(&last), &new, None);
        assert_eq!(verdict, Verdict::Accept, "the guard is switched off");
    }

    #[test]
    fn renamed_users_are_not_lost() {
        let last = Read::users(20).records();
        let new = Read::edited(20, |number, it| it.username = OTHER[number as usize]).records();
        assert!(!is_suspect(&last, &new));
    }

    #[test]
    fn an_approval_covers_later_reads_that_lose_no_more() {
        let last = Read::users(100).records();
        let approved = loss(&last, &Read::users(50).records()).unwrap();
        let judge = |users| {
            let new = Read::users(users).records();
            judge(
                &DEFAULT,
                Largest::default(),
                Some(&last),
                &new,
                Some(&approved),
            )
        };
        assert_eq!(judge(50), Verdict::Accept);
        assert_eq!(judge(60), Verdict::Accept);
        assert!(matches!(judge(49), Verdict::Suspect(_)));
        assert!(matches!(judge(0), Verdict::Suspect(_)));
    }

    #[test]
    fn an_approval_covers_each_thing_by_itself() {
        let part = |lost| Part {
            lost,
            of: 100,
            limit: Some(20),
        };
        let values = |name: &str, lost| BTreeMap::from([(name.to_owned(), part(lost))]);
        let shown = Loss {
            no_user: false,
            users: part(30),
            memberships: part(30),
            groups: part(30),
            inactive_flags: part(30),
            values: values("email", 30),
            changed_ids: part(30),
        };
        assert!(shown.covers(&shown));
        let more: [fn(&mut Loss); 7] = [
            |it| it.no_user = true,
            |it| it.users.lost += 1,
            |it| it.memberships.lost += 1,
            |it| it.groups.lost += 1,
            |it| it.inactive_flags.lost += 1,
            |it| it.changed_ids.lost += 1,
            |it| it.values.values_mut().for_each(|it| it.lost += 1),
        ];
        for more in more {
            let mut later = shown.clone();
            more(&mut later);
            assert!(!shown.covers(&later), "{later}");
            assert!(later.covers(&shown), "{later}");
        }
        let mut later = shown.clone();
        later.values = values("number", 1);
        assert!(!shown.covers(&later), "another attribute");
    }

    #[test]
    fn a_loss_is_told_in_counts_and_kept_as_json() {
        let last = Read::edited(100, |_, it| it.email = "x").records();
        let new = Read::edited(60, |number, it| {
            it.email = if number < 3 { "" } else { "x" };
        });
        let loss = loss(&last, &new.records()).unwrap();
        assert_eq!(
            loss.to_string(),
            "40 of 100 users lost (at most 20); 3 of 60 values of email lost"
        );
        let json = serde_json::to_string(&loss).unwrap();
        assert_eq!(serde_json::from_str::<Loss>(&json).unwrap(), loss);
        assert_eq!(Loss::default().to_string(), "nothing lost");
    }

    #[test]
    fn inactive_flags_of_known_ids_come_from_a_suspect_read() {
        let accepted = Read::users(9).records();
        let suspect = Read::edited(2, |number, it| {
            it.status = if number == 1 {
                Status::Inactive
            } else {
                Status::Active
            };
        });
        let records = with_inactive_flags(&accepted, &suspect.records()).unwrap();
        let inactive: Vec<&str> = records
            .users
            .iter()
            .filter(|it| it.status == Status::Inactive)
            .map(|it| records.text(it.id))
            .collect();
        assert_eq!((records.users.len(), inactive), (9, vec!["a1"]));
        assert!(with_inactive_flags(&records, &suspect.records()).is_none());
        assert!(with_inactive_flags(&accepted, &Read::users(2).records()).is_none());
    }

    #[test]
    fn a_status_that_is_not_shown_is_the_one_last_seen() {
        let last = Read::edited(1, |_, it| it.status = Status::Inactive).records();
        let mut new = Read::edited(2, |_, it| it.status = Status::Unknown).records();
        remember_statuses(&last, &mut new);
        assert_eq!(new.users[0].status, Status::Inactive);
        assert_eq!(new.users[1].status, Status::Unknown, "never seen");
    }
}
