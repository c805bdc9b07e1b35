//! What an application holds, as rows, and back.
//!
//! The serial of a row is the account's or group's place in the holding, for ever: history and intents name accounts by
//! place. A place whose account is gone and unlinked has no row, and is never given out again.

mod diff;
mod made;
mod write;

use std::borrow::Cow;

use futures_util::TryStreamExt as _;
use serde::Deserialize;
use sqlx::Row as _;

use crate::clock::Timestamp;
use crate::model::{
    Account, AppGroup, GroupLink, Holding, Link, Membership, ObservedAccount, ObservedGroup, Pool,
    StrId,
};
use crate::store::dialect::{Connection, Pages, count, garbled, gather, of_json, statement};
use crate::store::{Snapshot, StoreError, applications, words};

pub(super) use write::replace;

#[derive(Deserialize)]
struct AccountRow<'a> {
    serial: usize,
    #[serde(borrow)]
    remote_id: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    display_name: Cow<'a, str>,
    #[serde(borrow)]
    given_name: Cow<'a, str>,
    #[serde(borrow)]
    family_name: Cow<'a, str>,
    #[serde(borrow)]
    email: Cow<'a, str>,
    #[serde(borrow)]
    directory_name: Cow<'a, str>,
    #[serde(borrow)]
    external_id: Cow<'a, str>,
    active: i64,
    present: i64,
    #[serde(borrow)]
    directory: Cow<'a, str>,
    #[serde(borrow)]
    user_id: Cow<'a, str>,
    origin: Option<&'a str>,
    off_by_us: i64,
    #[serde(borrow)]
    mail: Cow<'a, str>,
    #[serde(borrow)]
    person: Cow<'a, str>,
    tied: i64,
    unlisted: i64,
    absent_since: Option<i64>,
    absent_for: i64,
    left_at: Option<i64>,
}

const ACCOUNTS: Pages = Pages {
    next: "SELECT MIN(serial) FROM account WHERE application = $1 AND serial > $2",
    page: "SELECT CAST(GATHER(TUPLE(serial, remote_id, name, display_name, given_name, family_name,
        email, directory_name, external_id, active, present, directory, user_id, origin, off_by_us, mail, person, tied,
        unlisted, absent_since, absent_for, left_at)) AS TEXT)
        FROM account WHERE application = $1 AND serial >= $2 AND serial < $3",
};

#[derive(Deserialize)]
struct GroupRow<'a> {
    serial: usize,
    #[serde(borrow)]
    remote_id: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    description: Cow<'a, str>,
    present: i64,
    #[serde(borrow)]
    directory: Cow<'a, str>,
    #[serde(borrow)]
    group_id: Cow<'a, str>,
    origin: Option<&'a str>,
    absent_since: Option<i64>,
    absent_for: i64,
    left_at: Option<i64>,
}

const GROUPS: Pages = Pages {
    next: "SELECT MIN(serial) FROM app_group WHERE application = $1 AND serial > $2",
    page: "SELECT CAST(GATHER(TUPLE(serial, remote_id, name, description, present, directory, group_id,
        origin, absent_since, absent_for, left_at)) AS TEXT)
        FROM app_group WHERE application = $1 AND serial >= $2 AND serial < $3",
};

/// Each member as twice its place, one more if the membership is ours.
const MEMBERS: &str = "SELECT kind, grp, CAST(GATHER(target * 2 + ours) AS TEXT) FROM app_member
    WHERE application = $1 GROUP BY kind, grp";

impl Snapshot {
    /// What an application, by the id of its entry, held at its last push and what of it is ours; `None` before the first.
    /// Places without an account or group are there with `exists: false`.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn holding(&mut self, application: &str) -> Result<Option<Holding>, StoreError> {
        let answer = load(&mut self.db, application).await;
        self.done("reading what an application holds", answer)
    }
}

async fn load(db: &mut Connection, application: &str) -> sqlx::Result<Option<Holding>> {
    let places = "SELECT account_places, group_places FROM application WHERE id = $1 AND push > 0";
    let places = statement(places).bind(application);
    let Some(places) = places.fetch_optional(&mut *db).await? else {
        return Ok(None);
    };
    let mut holding = Holding {
        pool: Pool::default(),
        accounts: vec![no_account(); count(&places, 0)? as usize],
        groups: vec![no_group(); count(&places, 1)? as usize],
    };
    let Some(application) = applications::known(db, application).await? else {
        return Ok(None);
    };
    let mut again = Again::default();
    gather(
        db,
        &ACCOUNTS,
        |it| it.bind(application),
        |page| {
            let page: Vec<AccountRow<'_>> = serde_json::from_str(page).map_err(garbled)?;
            page.iter()
                .try_for_each(|row| set_account(&mut holding, &mut again, row))
        },
    )
    .await?;
    gather(
        db,
        &GROUPS,
        |it| it.bind(application),
        |page| {
            let page: Vec<GroupRow<'_>> = serde_json::from_str(page).map_err(garbled)?;
            page.iter()
                .try_for_each(|row| set_group(&mut holding, &mut again, row))
        },
    )
    .await?;
    set_members(db, application, &mut holding).await?;
    holding.pool.shrink();
    Ok(Some(holding))
}

/// A place whose account is not there.
fn no_account() -> Account {
    Account {
        seen: ObservedAccount::default(),
        link: None,
        exists: false,
    }
}

fn no_group() -> AppGroup {
    AppGroup {
        seen: ObservedGroup::default(),
        link: None,
        exists: false,
        members: Vec::new(),
        children: Vec::new(),
    }
}

/// The texts that most rows share: the name and the id of a directory. They stand once in the pool.
#[derive(Default)]
struct Again {
    directory_name: StrId,
    directory: StrId,
}

fn set_account(holding: &mut Holding, again: &mut Again, row: &AccountRow<'_>) -> sqlx::Result<()> {
    let pool = &mut holding.pool;
    let external_id = pool.add(&row.external_id);
    let remote_id = pool.add(&row.remote_id);
    let email = pool.add(&row.email);
    let seen = ObservedAccount {
        remote_id,
        name: same_or_new(pool, &row.name, remote_id),
        display_name: pool.add(&row.display_name),
        given_name: pool.add(&row.given_name),
        family_name: pool.add(&row.family_name),
        email,
        directory: same_or_last(pool, &row.directory_name, &mut again.directory_name),
        external_id,
        active: row.active != 0,
    };
    let link = match row.origin {
        None => None,
        Some(origin) => Some(Link {
            directory: same_or_last(pool, &row.directory, &mut again.directory),
            user_id: same_or_new(pool, &row.user_id, external_id),
            origin: words::origin(origin)?,
            off_by_us: row.off_by_us != 0,
            mail: same_or_new(pool, &row.mail, email),
            person: pool.add(&row.person),
            tied: row.tied != 0,
            unlisted: row.unlisted != 0,
            absent_since: row.absent_since.map(Timestamp),
            absent_for: row.absent_for,
            left_at: row.left_at.map(Timestamp),
        }),
    };
    let place = holding.accounts.get_mut(row.serial);
    *place.ok_or_else(|| no_place(row.serial))? = Account {
        seen,
        link,
        exists: row.present != 0,
    };
    Ok(())
}

fn set_group(holding: &mut Holding, again: &mut Again, row: &GroupRow<'_>) -> sqlx::Result<()> {
    let pool = &mut holding.pool;
    let remote_id = pool.add(&row.remote_id);
    let seen = ObservedGroup {
        remote_id,
        name: same_or_new(pool, &row.name, remote_id),
        description: pool.add(&row.description),
    };
    let link = match row.origin {
        None => None,
        Some(origin) => Some(GroupLink {
            directory: same_or_last(pool, &row.directory, &mut again.directory),
            group_id: pool.add(&row.group_id),
            origin: words::origin(origin)?,
            absent_since: row.absent_since.map(Timestamp),
            absent_for: row.absent_for,
            left_at: row.left_at.map(Timestamp),
        }),
    };
    let place = holding.groups.get_mut(row.serial);
    *place.ok_or_else(|| no_place(row.serial))? = AppGroup {
        seen,
        link,
        exists: row.present != 0,
        ..no_group()
    };
    Ok(())
}

async fn set_members(
    db: &mut Connection,
    application: i64,
    holding: &mut Holding,
) -> sqlx::Result<()> {
    let mut all = statement(MEMBERS).bind(application).fetch(db);
    while let Some(row) = all.try_next().await? {
        let place = count(&row, 1)? as usize;
        let group = holding.groups.get_mut(place);
        let group = group.ok_or_else(|| no_place(place))?;
        let list: Vec<u32> = of_json(row.try_get(2)?)?;
        let member = |it: u32| Membership::new(it >> 1, it & 1 == 1);
        let mut members: Vec<Membership> = list.into_iter().map(member).collect();
        if !members.is_sorted() {
            members.sort_unstable();
        }
        match row.try_get::<i64, _>(0)? {
            0 => group.members = members,
            _ => group.children = members,
        }
    }
    Ok(())
}

fn same_or_new(pool: &mut Pool, text: &str, known: StrId) -> StrId {
    if pool.get(known) == text {
        return known;
    }
    pool.add(text)
}

fn same_or_last(pool: &mut Pool, text: &str, last: &mut StrId) -> StrId {
    *last = same_or_new(pool, text, *last);
    *last
}

fn no_place(serial: usize) -> sqlx::Error {
    garbled(format!(
        "a row names place {serial}, which was never given out"
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::model::{GroupLink, Holding, Link, Membership, Origin, StrId};
    use crate::store::testing::{
        NOON, add_account, any_holding, commit, holding, places, rows_written, store,
    };
    use crate::store::{ApplicationState, Store};

    async fn stored(store: &Store, application: &str) -> Option<Holding> {
        let mut snapshot = store.snapshot().await.unwrap();
        snapshot.holding(application).await.unwrap()
    }

    async fn state(store: &Store, application: &str) -> ApplicationState {
        let mut snapshot = store.snapshot().await.unwrap();
        let state = snapshot.application(application).await.unwrap();
        state.unwrap_or_default()
    }

    #[tokio::test]
    async fn an_application_that_was_never_pushed_holds_nothing_known() {
        let (_folder, store) = store().await;
        let state = ApplicationState::default();
        store.save_application("wiki", &state).await.unwrap();
        assert!(stored(&store, "wiki").await.is_none());
    }

    #[test]
    fn any_holding_comes_back_place_by_place() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let (_folder, store) = runtime.block_on(store());
        let cases = std::cell::Cell::new(0);
        let states = (any_holding(0, 0), any_holding(3, 2), any_holding(6, 4));
        let config = ProptestConfig::with_cases(96);
        proptest!(config, |(states in states)| {
            let case = cases.replace(cases.get() + 1);
            let application = format!("application {case}");
            runtime.block_on(async {
                let mut before = None;
                for after in [&states.0, &states.1, &states.2] {
                    let state = state(&store, &application).await;
                    let commit = commit(before.as_ref(), after, &state);
                    store.commit_push(&application, commit).await.unwrap();
                    let new = stored(&store, &application).await.unwrap();
                    assert_eq!(places(&new), places(after));
                    before = Some(new);
                }
            });
        });
    }

    /// One change to a holding, whose texts come from its pool.
    type Edit = fn(&mut Holding, StrId);

    fn link(holding: &mut Holding) -> &mut Link {
        holding.accounts[1].link.as_mut().unwrap()
    }

    fn group_link(holding: &mut Holding) -> &mut GroupLink {
        holding.groups[0].link.as_mut().unwrap()
    }

    /// Every field of every account and group, alone.
    const EDITS: [(&str, Edit); 34] = [
        ("remote id", |it, text| it.accounts[1].seen.remote_id = text),
        ("name", |it, text| it.accounts[1].seen.name = text),
        ("display name", |it, text| {
            it.accounts[1].seen.display_name = text;
        }),
        ("given name", |it, text| {
            it.accounts[1].seen.given_name = text;
        }),
        ("family name", |it, text| {
            it.accounts[1].seen.family_name = text;
        }),
        ("email", |it, text| it.accounts[1].seen.email = text),
        ("directory name", |it, text| {
            it.accounts[1].seen.directory = text;
        }),
        ("external id", |it, text| {
            it.accounts[1].seen.external_id = text;
        }),
        ("active", |it, _| it.accounts[1].seen.active = false),
        ("exists", |it, _| it.accounts[1].exists = false),
        ("unlinked", |it, _| it.accounts[1].link = None),
        ("directory", |it, text| link(it).directory = text),
        ("user id", |it, text| link(it).user_id = text),
        ("origin", |it, _| link(it).origin = Origin::Adopted),
        ("off by us", |it, _| link(it).off_by_us = true),
        ("mail", |it, text| link(it).mail = text),
        ("person", |it, text| link(it).person = text),
        ("tied", |it, _| link(it).tied = true),
        ("unlisted", |it, _| link(it).unlisted = true),
        ("absent since", |it, _| link(it).absent_since = Some(NOON)),
        ("absent for", |it, _| link(it).absent_for = 7),
        ("left at", |it, _| link(it).left_at = Some(NOON)),
        ("group's remote id", |it, text| {
            it.groups[0].seen.remote_id = text;
        }),
        ("group's name", |it, text| it.groups[0].seen.name = text),
        ("description", |it, text| {
            it.groups[0].seen.description = text;
        }),
        ("group exists", |it, _| it.groups[0].exists = false),
        ("group unlinked", |it, _| it.groups[0].link = None),
        ("group's directory", |it, text| {
            group_link(it).directory = text;
        }),
        ("group id", |it, text| group_link(it).group_id = text),
        ("group's origin", |it, _| {
            group_link(it).origin = Origin::Created;
        }),
        ("group absent since", |it, _| {
            group_link(it).absent_since = Some(NOON);
        }),
        ("group absent for", |it, _| group_link(it).absent_for = 7),
        ("group left at", |it, _| group_link(it).left_at = Some(NOON)),
        ("children", |it, _| {
            it.groups[0].children = vec![Membership::new(0, false)];
        }),
    ];

    #[tokio::test]
    async fn a_change_of_any_single_field_is_written() {
        let (_folder, store) = store().await;
        let mut base = holding(&["anna", "ben"]);
        base.groups[0].link = Some(GroupLink {
            directory: base.groups[0].seen.name,
            group_id: base.groups[0].seen.name,
            origin: Origin::Adopted,
            absent_since: None,
            absent_for: 0,
            left_at: None,
        });
        for (index, (what, edit)) in EDITS.iter().enumerate() {
            let application = format!("application {index}");
            let now = ApplicationState::default();
            let first = commit(None, &base, &now);
            store.commit_push(&application, first).await.unwrap();
            let before = stored(&store, &application).await.unwrap();
            let mut after = before.clone();
            let other = after.pool.add("something else");
            edit(&mut after, other);
            assert_ne!(places(&after), places(&base), "{what}");
            let now = state(&store, &application).await;
            let next = commit(Some(&before), &after, &now);
            store.commit_push(&application, next).await.unwrap();
            let kept = stored(&store, &application).await.unwrap();
            assert_eq!(places(&kept), places(&after), "{what}");
        }
    }

    #[tokio::test]
    async fn rows_that_did_not_change_are_not_written() {
        let (_folder, store) = store().await;
        let names: Vec<String> = (0..200).map(|it| format!("user{it}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let first = holding(&names);
        let now = ApplicationState::default();
        let new = commit(None, &first, &now);
        store.commit_push("wiki", new).await.unwrap();
        let before = stored(&store, "wiki").await.unwrap();

        let written = rows_written(&store).await;
        let now = state(&store, "wiki").await;
        let same = commit(Some(&before), &before, &now);
        store.commit_push("wiki", same).await.unwrap();
        assert_eq!(
            rows_written(&store).await - written,
            1,
            "the application's row"
        );

        let mut after = before.clone();
        add_account(&mut after, "new");
        after.accounts[7].seen.active = false;
        after.groups[0].members.remove(3);
        after.groups[0].members[0] = Membership::new(0, false);
        after.groups[0].members.push(Membership::new(200, true));
        let written = rows_written(&store).await;
        let now = state(&store, "wiki").await;
        let next = commit(Some(&before), &after, &now);
        store.commit_push("wiki", next).await.unwrap();
        // Two accounts, three memberships, the application and its number of places.
        assert_eq!(rows_written(&store).await - written, 7);
        assert_eq!(
            places(&stored(&store, "wiki").await.unwrap()),
            places(&after)
        );
    }

    #[tokio::test]
    async fn a_place_is_never_given_out_twice() {
        let (_folder, store) = store().await;
        let first = holding(&["anna", "ben"]);
        let now = ApplicationState::default();
        let new = commit(None, &first, &now);
        store.commit_push("wiki", new).await.unwrap();
        let mut after = first.clone();
        after.accounts[1].exists = false;
        after.accounts[1].link = None;
        after.groups[0].members.pop();
        let now = state(&store, "wiki").await;
        let next = commit(Some(&first), &after, &now);
        store.commit_push("wiki", next).await.unwrap();
        let stored = stored(&store, "wiki").await.unwrap();
        assert_eq!(stored.accounts.len(), 2);
        assert!(!stored.accounts[1].exists);
    }

    #[tokio::test]
    async fn a_push_made_from_an_older_state_is_refused() {
        let (_folder, store) = store().await;
        let old = ApplicationState::default();
        let first = holding(&["anna"]);
        store
            .commit_push("wiki", commit(None, &first, &old))
            .await
            .unwrap();
        let second = holding(&["ben"]);
        let again = store.commit_push("wiki", commit(None, &second, &old)).await;
        let fault = again.unwrap_err();
        assert!(matches!(fault, crate::store::StoreError::Overtaken { .. }));
        assert_eq!(
            places(&stored(&store, "wiki").await.unwrap()),
            places(&first)
        );
    }
}
