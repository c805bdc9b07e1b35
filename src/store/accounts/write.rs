//! Bringing the rows of one application from one holding to another, writing only what differs.

use crate::clock::Timestamp;
use crate::model::{Holding, Origin};
use crate::store::accounts::diff::{
    MemberDifferences, accounts_differences, groups_differences, members_differences,
};
use crate::store::dialect::{Connection, Insert, Statement, for_listed, signed, statement};
use crate::store::words;
use crate::text::fold;

const PUT_ACCOUNTS: Insert = Insert {
    into: "INSERT INTO account (application, serial, remote_id, name, key, display_name, given_name, family_name, email,
        directory_name, external_id, active, present, directory, user_id, origin, off_by_us, mail, person, tied, unlisted,
        absent_since, absent_for, left_at) VALUES",
    width: 24,
    conflict: "ON CONFLICT (application, serial) DO UPDATE SET remote_id = excluded.remote_id, name = excluded.name,
        key = excluded.key, display_name = excluded.display_name, given_name = excluded.given_name,
        family_name = excluded.family_name, email = excluded.email, directory_name = excluded.directory_name,
        external_id = excluded.external_id, active = excluded.active, present = excluded.present,
        directory = excluded.directory, user_id = excluded.user_id, origin = excluded.origin, off_by_us = excluded.off_by_us,
        mail = excluded.mail, person = excluded.person, tied = excluded.tied, unlisted = excluded.unlisted,
        absent_since = excluded.absent_since, absent_for = excluded.absent_for, left_at = excluded.left_at",
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

const PUT_MEMBERS: &str = "INSERT INTO app_member (application, kind, ours, grp, target)
    SELECT $1, $2, $3, CAST(value AS BIGINT) >> 32, CAST(value AS BIGINT) & 4294967295 FROM EACH($4) WHERE TRUE
    ON CONFLICT (application, kind, grp, target) DO UPDATE SET ours = excluded.ours";

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
            .bind(i64::from(link.is_some_and(|it| it.unlisted)))
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
    for (ours, put) in [(0, &differences.put_theirs), (1, &differences.put_ours)] {
        for_listed(db, PUT_MEMBERS, &[application, kind, ours], put).await?;
    }
    Ok(())
}

fn origin(origin: Option<Origin>) -> Option<&'static str> {
    origin.map(words::of_origin)
}

fn time(at: Option<Timestamp>) -> Option<i64> {
    at.map(|it| it.0)
}
