//! *guards*: a read that lost too much is suspect, and no other one is.
//!
//! What was lost is worked out a second time from what the directory holds. Directories with entries that are rejected, or of
//! which two have one name or id, are left to the unit tests. Nothing is kept aside here: the world goes on with every read.

use std::collections::BTreeSet;

use usersyncd::model::{Records, Status};
use usersyncd::reconcile::reads::{Largest, ReadRules, Verdict, judge};
use usersyncd::text::Percent;

use super::limits::share_of;
use super::source::{RawDirectory, RawUser};
use super::town::Accepted;
use super::verdict::{Broken, ensure};

const LAW: &str = "guards";

/// Judges a read under one of several limits and beside one of several larger states within the window.
pub(crate) fn guards(
    old: &Accepted,
    raw: &RawDirectory,
    new: &Records,
    how: u8,
) -> Result<(), Broken> {
    if old.raw == *raw || !is_plain(&old.raw) || !is_plain(raw) {
        return Ok(());
    }
    let shrink_limit = Percent::whole([20, 0, 50, 100][usize::from(how % 4)]);
    let more = u64::from(how / 4 % 4);
    let largest = Largest {
        users: old.raw.users.len() as u64 + more,
        memberships: memberships(&old.raw) + more,
    };
    let rules = ReadRules { shrink_limit };
    let verdict = judge(&rules, largest, Some(&old.records), new, None);
    let too_much = too_much(shrink_limit, largest, &old.raw, raw);
    ensure(
        LAW,
        (verdict != Verdict::Accept) == too_much.is_some(),
        || {
            let lines = |it: &RawDirectory| it.lines().join("\n");
            format!(
                "{verdict:?}, too much was lost of {too_much:?}\n{}\nthen\n{}",
                lines(&old.raw),
                lines(raw)
            )
        },
    )?;
    let Verdict::Suspect(loss) = verdict else {
        return Ok(());
    };
    let approved = judge(&rules, largest, Some(&old.records), new, Some(&loss));
    ensure(LAW, approved == Verdict::Accept, || {
        format!("approved, and still {approved:?}")
    })
}

/// Whether every entry can be taken and is told from every other one by its id and by its name.
fn is_plain(raw: &RawDirectory) -> bool {
    let ids: BTreeSet<&str> = raw.users.iter().map(|it| it.id.as_str()).collect();
    let names: BTreeSet<_> = raw.users.iter().map(|it| it.name.1).collect();
    let groups: BTreeSet<_> = raw.groups.iter().map(|it| it.name.1).collect();
    raw.nameless == 0
        && raw.users.iter().all(RawDirectory::is_sound)
        && ids.len() == raw.users.len()
        && names.len() == raw.users.len()
        && groups.len() == raw.groups.len()
        && !groups.contains(&None)
}

/// How many memberships there are of users and groups that are there.
fn memberships(raw: &RawDirectory) -> u64 {
    let user = |number: &&u32| raw.users.iter().any(|it| it.number == **number);
    let child = |number: &&u32| raw.groups.iter().any(|it| it.number == **number);
    let of = raw.groups.iter().map(|it| {
        it.members.iter().filter(user).count() + it.children.iter().filter(child).count()
    });
    of.sum::<usize>() as u64
}

/// The first thing of which more was lost than may be.
fn too_much(
    limit: Percent,
    largest: Largest,
    old: &RawDirectory,
    new: &RawDirectory,
) -> Option<&'static str> {
    let of_id = |user: &RawUser| new.users.iter().find(|it| it.id == user.id);
    let of_name = |user: &RawUser| new.users.iter().find(|it| it.name.1 == user.name.1);
    let count =
        |lost: &dyn Fn(&RawUser) -> bool| old.users.iter().filter(|it| lost(it)).count() as u64;
    let gone = count(&|it| of_id(it).is_none() && of_name(it).is_none());
    let fewer = largest.users.saturating_sub(new.users.len() as u64);
    let fewer_memberships = largest.memberships.saturating_sub(memberships(new));
    let in_both = count(&|it| of_name(it).is_some());
    let new_ids = count(&|it| of_name(it).is_some() && of_id(it).is_none());
    let shares = [
        ("users", gone.max(fewer), largest.users),
        ("memberships", fewer_memberships, largest.memberships),
        ("ids", new_ids, in_both),
    ];
    let share = |it: &&(_, u64, u64)| share_of(limit, it.2).is_some_and(|most| it.1 > most);
    let groups = old.groups.iter();
    let groups = groups.filter(|group| {
        let is_it = |it: &&super::source::RawGroup| it.id == group.id || it.name.1 == group.name.1;
        !new.groups.iter().any(|it| is_it(&it))
    });
    // Of those whose id is in both, how many have something and how many of these have it no longer.
    let value = |has: &dyn Fn(&RawUser) -> bool| {
        let lost = count(&|it| has(it) && of_id(it).is_some_and(|it| !has(it)));
        (lost, count(&|it| has(it) && of_id(it).is_some()))
    };
    let values = [
        ("groups", (groups.count() as u64, old.groups.len() as u64)),
        ("flags", value(&|it| it.status == Status::Inactive)),
        ("mails", value(&|it| !it.mail.0.is_empty())),
        ("names", value(&|it| it.display != 0)),
        ("numbers", value(&|it| it.person != 0)),
        ("kinds", value(&|it| it.bot)),
    ];
    let fixed = |it: &&(_, (u64, u64))| {
        let (lost, of) = it.1;
        lost > (of / 5).max(5) || (of >= 3 && lost == of)
    };
    let everybody = (new.users.is_empty() && !old.users.is_empty()).then_some("everybody");
    let share = shares.iter().find(share).map(|it| it.0);
    let fixed = values.iter().find(fixed).map(|it| it.0);
    everybody.or(share).or(fixed)
}
