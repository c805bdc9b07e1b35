//! Bringing the rows of one application from one holding to another, writing only what differs.

use crate::clock::Timestamp;
use crate::model::{
    Account, AppGroup, GroupLink, Holding, Link, Membership, ObservedAccount, ObservedGroup,
    Origin, StrId,
};
use crate::store::dialect::{Connection, Insert, Statement, edge, for_listed, signed, statement};
use crate::store::words;
use crate::text::fold;

const PUT_ACCOUNTS: Insert = Insert {
    into: "INSERT INTO account (application, serial, remote_id, name, key, display_name, given_name, family_name, email,
        directory_name, external_id, active, present, directory, user_id, origin, off_by_us, mail, person, tied, absent_since,
        absent_for, left_at) VALUES",
    width: 23,
    conflict: "ON CONFLICT (application, serial) DO UPDATE SET remote_id = excluded.remote_id, name = excluded.name,
        key = excluded.key, display_name = excluded.display_name, given_name = excluded.given_name,
        family_name = excluded.family_name, email = excluded.email, directory_name = excluded.directory_name,
        external_id = excluded.external_id, active = excluded.active, present = excluded.present,
        directory = excluded.directory, user_id = excluded.user_id, origin = excluded.origin, off_by_us = excluded.off_by_us,
        mail = excluded.mail, person = excluded.person, tied = excluded.tied, absent_since = excluded.absent_since,
        absent_for = excluded.absent_for, left_at = excluded.left_at",
};

const PUT_GROUPS: Insert = Insert {
    into: "INSERT INTO app_group (application, serial, remote_id, name, key, description, present, directory, group_id, origin,
        absent_since, absent_for, left_at) VALUES",
    width: 13,
    conflict: "ON CONFLICT (application, serial) DO UPDATE SET remote_id = excluded.remote_id, name = excluded.name,
        key = excluded.key, description = excluded.description, present = excluded.present, directory = excluded.directory,
        group_id = excluded.group_id, origin = excluded.origin, absent_since = excluded.absent_since,
        absent_for = excluded.absent_for, left_at = excluded.left_at",
};

const PUT_MEMBERS: Insert = Insert {
    into: "INSERT INTO app_member (application, kind, grp, target, ours) VALUES",
    width: 5,
    conflict: "ON CONFLICT (application, kind, grp, target) DO UPDATE SET ours = excluded.ours",
};

const DROP_ACCOUNTS: &str = "DELETE FROM account
    WHERE application = $1 AND serial IN (SELECT CAST(value AS BIGINT) FROM EACH($2))";
const DROP_GROUPS: &str = "DELETE FROM app_group
    WHERE application = $1 AND serial IN (SELECT CAST(value AS BIGINT) FROM EACH($2))";
const DROP_MEMBERS: &str =
    "DELETE FROM app_member WHERE application = $1 AND kind = $2 AND (grp, target) IN
    (SELECT CAST(value AS BIGINT) >> 32, CAST(value AS BIGINT) & 4294967295 FROM EACH($3))";

const CLEAR: [&str; 3] = [
    "DELETE FROM account WHERE application = $1",
    "DELETE FROM app_group WHERE application = $1",
    "DELETE FROM app_member WHERE application = $1",
];

/// What differs between two holdings: places to write and places to drop.
#[derive(Default)]
struct Differences {
    put: Vec<u32>,
    gone: Vec<i64>,
}

/// What differs between the members of all groups, of one kind: `(group, member)` to write, edges to drop.
#[derive(Default)]
struct MemberDifferences {
    put: Vec<(u32, Membership)>,
    gone: Vec<i64>,
}

/// Makes the rows of an application those of `after`. Without `before` they are written anew.
pub(in crate::store) async fn replace(
    db: &mut Connection,
    application: i64,
    before: Option<&Holding>,
    after: &Holding,
) -> sqlx::Result<()> {
    let nothing = Holding::default();
    let before = if let Some(before) = before {
        before
    } else {
        for text in CLEAR {
            statement(text).bind(application).execute(&mut *db).await?;
        }
        &nothing
    };
    let accounts = accounts_differences(before, after);
    for_listed(db, DROP_ACCOUNTS, &[application], &accounts.gone).await?;
    put_accounts(db, application, after, &accounts.put).await?;
    let groups = groups_differences(before, after);
    for_listed(db, DROP_GROUPS, &[application], &groups.gone).await?;
    put_groups(db, application, after, &groups.put).await?;
    let members = members_differences(before, after, |it| &it.members);
    put_members(db, application, 0, &members).await?;
    let children = members_differences(before, after, |it| &it.children);
    put_members(db, application, 1, &children).await?;
    keep_places(db, application, after).await
}

/// Places are never given out twice, so the counts only rise.
async fn keep_places(db: &mut Connection, application: i64, after: &Holding) -> sqlx::Result<()> {
    let keep = "UPDATE application SET
        account_places = CASE WHEN account_places < $2 THEN $2 ELSE account_places END,
        group_places = CASE WHEN group_places < $3 THEN $3 ELSE group_places END
        WHERE number = $1 AND (account_places < $2 OR group_places < $3)";
    let keep = statement(keep).bind(application);
    let keep = keep.bind(signed(after.accounts.len() as u64));
    keep.bind(signed(after.groups.len() as u64))
        .execute(db)
        .await?;
    Ok(())
}

fn accounts_differences(before: &Holding, after: &Holding) -> Differences {
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

fn groups_differences(before: &Holding, after: &Holding) -> Differences {
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

fn members_differences(
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
            match (was.peek(), is.peek()) {
                (None, None) => return,
                (Some(a), Some(b)) if a.place() == b.place() => {
                    if a != b {
                        self.put.push((group, **b));
                    }
                    was.next();
                    is.next();
                }
                (Some(a), Some(b)) if a.place() < b.place() => self.drop_next(group, &mut was),
                (Some(_), None) => self.drop_next(group, &mut was),
                (_, Some(_)) => self.put.extend(is.next().map(|it| (group, *it))),
            }
        }
    }

    fn drop_next<'a>(&mut self, group: u32, was: &mut impl Iterator<Item = &'a Membership>) {
        let gone = was.next().map(|it| edge(group, it.place()));
        self.gone.extend(gone);
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

async fn put_accounts(
    db: &mut Connection,
    application: i64,
    after: &Holding,
    places: &[u32],
) -> sqlx::Result<()> {
    let bind = |statement: Statement, place: &u32| {
        let account = &after.accounts[*place as usize];
        let text = |id| after.text(id);
        let (seen, link) = (&account.seen, account.link.as_ref());
        statement
            .bind(application)
            .bind(i64::from(*place))
            .bind(text(seen.remote_id))
            .bind(text(seen.name))
            .bind(fold(text(seen.name)))
            .bind(text(seen.display_name))
            .bind(text(seen.given_name))
            .bind(text(seen.family_name))
            .bind(text(seen.email))
            .bind(text(seen.directory))
            .bind(text(seen.external_id))
            .bind(i64::from(seen.active))
            .bind(i64::from(account.exists))
            .bind(link.map_or("", |it| text(it.directory)))
            .bind(link.map_or("", |it| text(it.user_id)))
            .bind(origin(link.map(|it| it.origin)))
            .bind(i64::from(link.is_some_and(|it| it.off_by_us)))
            .bind(link.map_or("", |it| text(it.mail)))
            .bind(link.map_or("", |it| text(it.person)))
            .bind(i64::from(link.is_some_and(|it| it.tied)))
            .bind(time(link.and_then(|it| it.absent_since)))
            .bind(link.map_or(0, |it| it.absent_for))
            .bind(time(link.and_then(|it| it.left_at)))
    };
    PUT_ACCOUNTS.rows(db, places, bind).await
}

async fn put_groups(
    db: &mut Connection,
    application: i64,
    after: &Holding,
    places: &[u32],
) -> sqlx::Result<()> {
    let bind = |statement: Statement, place: &u32| {
        let group = &after.groups[*place as usize];
        let text = |id| after.text(id);
        let (seen, link) = (&group.seen, group.link.as_ref());
        statement
            .bind(application)
            .bind(i64::from(*place))
            .bind(text(seen.remote_id))
            .bind(text(seen.name))
            .bind(fold(text(seen.name)))
            .bind(text(seen.description))
            .bind(i64::from(group.exists))
            .bind(link.map_or("", |it| text(it.directory)))
            .bind(link.map_or("", |it| text(it.group_id)))
            .bind(origin(link.map(|it| it.origin)))
            .bind(time(link.and_then(|it| it.absent_since)))
            .bind(link.map_or(0, |it| it.absent_for))
            .bind(time(link.and_then(|it| it.left_at)))
    };
    PUT_GROUPS.rows(db, places, bind).await
}

async fn put_members(
    db: &mut Connection,
    application: i64,
    kind: i64,
    differences: &MemberDifferences,
) -> sqlx::Result<()> {
    for_listed(db, DROP_MEMBERS, &[application, kind], &differences.gone).await?;
    let bind = |statement: Statement, (group, member): &(u32, Membership)| {
        let statement = statement.bind(application).bind(kind);
        let statement = statement.bind(i64::from(*group));
        let statement = statement.bind(i64::from(member.place()));
        statement.bind(i64::from(member.ours()))
    };
    PUT_MEMBERS.rows(db, &differences.put, bind).await
}

fn origin(origin: Option<Origin>) -> Option<&'static str> {
    origin.map(words::of_origin)
}

fn time(at: Option<Timestamp>) -> Option<i64> {
    at.map(|it| it.0)
}
