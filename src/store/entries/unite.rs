//! Two ids of one entry, made one: it was renamed, passes ran under the new id, and only then was said what it was called.
//!
//! Links say whose an account is, so nothing is united where they would contradict one another.

use crate::store::dialect::{Connection, count, statement};
use crate::store::directories;
use crate::store::entries::{EntryKind, Renamed, rename, rename_links, rename_pinned, rename_row};
use crate::store::{Slot, applications};

/// Whether two accounts, or two groups, of one application are linked to one record of both directories.
const LINKED_TWICE: [&str; 2] = [
    "SELECT COUNT(*) FROM account AS a JOIN account AS b ON a.application = b.application AND a.user_id = b.user_id
        WHERE a.directory = $1 AND b.directory = $2 AND a.origin IS NOT NULL AND b.origin IS NOT NULL",
    "SELECT COUNT(*) FROM app_group AS a JOIN app_group AS b ON a.application = b.application AND a.group_id = b.group_id
        WHERE a.directory = $1 AND b.directory = $2 AND a.origin IS NOT NULL AND b.origin IS NOT NULL",
];

/// What an application has done or is about to do.
const DONE: [&str; 4] = [
    "SELECT COUNT(*) FROM account WHERE application = $1 AND origin IS NOT NULL",
    "SELECT COUNT(*) FROM app_group WHERE application = $1 AND origin IS NOT NULL",
    "SELECT COUNT(*) FROM change WHERE application = $1",
    "SELECT COUNT(*) FROM intent WHERE application = $1",
];

/// The tables with rows of a directory, those that others point to last.
const OF_DIRECTORY: [&str; 9] = [
    "DELETE FROM user_record WHERE directory = $1",
    "DELETE FROM group_record WHERE directory = $1",
    "DELETE FROM member WHERE directory = $1",
    "DELETE FROM reference WHERE directory = $1",
    "DELETE FROM rejected_record WHERE directory = $1",
    "DELETE FROM high_water WHERE directory = $1",
    "DELETE FROM approval WHERE held_set IN (SELECT number FROM held_set WHERE directory = $1)",
    "DELETE FROM held_set WHERE directory = $1",
    "DELETE FROM directory WHERE number = $1",
];

/// The tables with rows of an application that has done nothing.
const OF_APPLICATION: [&str; 8] = [
    "DELETE FROM account WHERE application = $1",
    "DELETE FROM app_group WHERE application = $1",
    "DELETE FROM app_member WHERE application = $1",
    "DELETE FROM held WHERE application = $1",
    "DELETE FROM approval WHERE held_set IN (SELECT number FROM held_set WHERE application = $1)",
    "DELETE FROM held_set WHERE application = $1",
    "DELETE FROM refusal WHERE application = $1",
    "DELETE FROM application WHERE number = $1",
];

/// Every table that uniting writes, those that others point to first.
pub(super) const TABLES: [&str; 15] = [
    "directory",
    "application",
    "held_set",
    "approval",
    "user_record",
    "group_record",
    "member",
    "reference",
    "rejected_record",
    "high_water",
    "account",
    "app_group",
    "app_member",
    "held",
    "refusal",
];

/// Unites them if nothing speaks against it.
pub(super) async fn unite(
    db: &mut Connection,
    kind: EntryKind,
    old: &str,
    new: &str,
) -> sqlx::Result<Renamed> {
    match kind {
        EntryKind::Directory => unite_directories(db, old, new).await,
        EntryKind::Application => unite_applications(db, old, new).await,
    }
}

async fn unite_directories(db: &mut Connection, old: &str, new: &str) -> sqlx::Result<Renamed> {
    let numbers = (
        directories::known(db, old).await?,
        directories::known(db, new).await?,
    );
    let (Some(old_number), Some(new_number)) = numbers else {
        return rename(db, EntryKind::Directory, old, new).await;
    };
    for twice in LINKED_TWICE {
        let twice = statement(twice).bind(old.to_owned()).bind(new.to_owned());
        if count(&twice.fetch_one(&mut *db).await?, 0)? > 0 {
            return Ok(Renamed::BothExist);
        }
    }
    rename_links(db, old, new).await?;
    if directories::filled(db, new, Slot::Accepted)
        .await?
        .is_none()
    {
        clear(db, &OF_DIRECTORY, new_number).await?;
        rename_row(db, EntryKind::Directory, old, new).await?;
        rename_pinned(db, old, Some(new)).await?;
        return Ok(Renamed::Done);
    }
    // What it held under the old id is still what its next read is measured by.
    let marks = "INSERT INTO high_water (directory, since, user_count, membership_count)
        SELECT $2, since, user_count, membership_count FROM high_water WHERE directory = $1 ON CONFLICT DO NOTHING";
    let marks = statement(marks).bind(old_number).bind(new_number);
    marks.execute(&mut *db).await?;
    clear(db, &OF_DIRECTORY, old_number).await?;
    rename_pinned(db, old, None).await?;
    Ok(Renamed::Done)
}

async fn unite_applications(db: &mut Connection, old: &str, new: &str) -> sqlx::Result<Renamed> {
    let Some(number) = applications::known(db, new).await? else {
        return rename(db, EntryKind::Application, old, new).await;
    };
    for done in DONE {
        let done = statement(done).bind(number).fetch_one(&mut *db).await?;
        if count(&done, 0)? > 0 {
            return Ok(Renamed::BothExist);
        }
    }
    clear(db, &OF_APPLICATION, number).await?;
    rename(db, EntryKind::Application, old, new).await
}

async fn clear(db: &mut Connection, tables: &[&'static str], owner: i64) -> sqlx::Result<()> {
    for text in tables {
        statement(text).bind(owner).execute(&mut *db).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Holding;
    use crate::store::testing::{at, commit, holding, read, records, store};
    use crate::store::{ApplicationState, Store};

    async fn accept(store: &Store, directory: &str, users: &[&str], second: i64) {
        let some = records(users, &[]);
        let read = read(at(second));
        store.accept(directory, None, &some, read).await.unwrap();
    }

    /// Accounts of users of the directory `corporate` with ids like their names.
    async fn push(store: &Store, holding: &Holding, pinned: &[(&str, u64)]) {
        let state = ApplicationState {
            pinned: pinned.iter().map(|it| (it.0.to_owned(), it.1)).collect(),
            ..ApplicationState::default()
        };
        let commit = commit(None, holding, &state);
        store.commit_push("wiki", commit).await.unwrap();
    }

    async fn unite(store: &Store, kind: EntryKind) -> Renamed {
        let (old, new) = match kind {
            EntryKind::Directory => ("corporate", "main"),
            EntryKind::Application => ("wiki", "docs"),
        };
        store.unite_entries(kind, old, new).await.unwrap()
    }

    #[tokio::test]
    async fn of_two_directories_the_later_records_stay_with_the_links_and_marks_of_both() {
        let (_folder, store) = store().await;
        accept(&store, "corporate", &["anna", "ben", "carl"], 0).await;
        accept(&store, "main", &["anna", "ben"], 60).await;
        let mut wiki = holding(&["anna", "ben"]);
        let main = wiki.pool.add("main");
        wiki.accounts[1].link.as_mut().unwrap().directory = main;
        push(&store, &wiki, &[("corporate", 1), ("main", 1)]).await;
        assert_eq!(unite(&store, EntryKind::Directory).await, Renamed::Done);

        let mut snapshot = store.snapshot().await.unwrap();
        assert!(snapshot.directory("corporate").await.unwrap().is_none());
        let state = snapshot.directory("main").await.unwrap().unwrap();
        let marks: Vec<u64> = state.high_water.iter().map(|it| it.users).collect();
        assert_eq!(marks, [3, 2]);
        let stored = snapshot.records("main", Slot::Accepted).await.unwrap();
        assert_eq!(stored.unwrap().records.users.len(), 2);
        let state = snapshot.application("wiki").await.unwrap().unwrap();
        assert_eq!(state.pinned, [("main".to_owned(), 1)].into());
        let wiki = snapshot.holding("wiki").await.unwrap().unwrap();
        for account in &wiki.accounts {
            let link = account.link.as_ref().unwrap();
            assert_eq!(wiki.text(link.directory), "main");
        }
    }

    #[tokio::test]
    async fn a_new_directory_that_was_never_read_gives_way_to_the_old_records() {
        let (_folder, store) = store().await;
        accept(&store, "corporate", &["anna"], 0).await;
        let failure = Some(("unavailable", "connecting: refused"));
        store.note_attempt("main", at(60), failure).await.unwrap();
        push(
            &store,
            &holding(&["anna"]),
            &[("corporate", 1), ("main", 0)],
        )
        .await;
        assert_eq!(unite(&store, EntryKind::Directory).await, Renamed::Done);
        let mut snapshot = store.snapshot().await.unwrap();
        assert!(snapshot.directory("corporate").await.unwrap().is_none());
        let stored = snapshot.records("main", Slot::Accepted).await.unwrap();
        assert_eq!(stored.unwrap().records.users.len(), 1);
        let state = snapshot.application("wiki").await.unwrap().unwrap();
        assert_eq!(state.pinned, [("main".to_owned(), 1)].into());
    }

    #[tokio::test]
    async fn two_directories_are_left_alone_where_one_user_would_get_two_accounts() {
        let (_folder, store) = store().await;
        accept(&store, "corporate", &["anna"], 0).await;
        accept(&store, "main", &["anna"], 60).await;
        let mut wiki = holding(&["anna", "anne"]);
        let [main, anna] = ["main", "anna"].map(|it| wiki.pool.add(it));
        let link = wiki.accounts[1].link.as_mut().unwrap();
        (link.directory, link.user_id) = (main, anna);
        push(&store, &wiki, &[]).await;
        assert_eq!(
            unite(&store, EntryKind::Directory).await,
            Renamed::BothExist
        );
        let mut snapshot = store.snapshot().await.unwrap();
        assert!(snapshot.directory("corporate").await.unwrap().is_some());
        let wiki = snapshot.holding("wiki").await.unwrap().unwrap();
        let link = wiki.accounts[0].link.as_ref().unwrap();
        assert_eq!(wiki.text(link.directory), "corporate");
    }

    #[tokio::test]
    async fn an_application_is_taken_over_unless_the_new_one_has_links_of_its_own() {
        async fn check(linked: bool, expect: Renamed, account: &str) {
            let (_folder, store) = store().await;
            push(&store, &holding(&["anna"]), &[]).await;
            let mut docs = holding(&["ben"]);
            if !linked {
                docs.accounts[0].link = None;
            }
            let state = ApplicationState::default();
            let docs = commit(None, &docs, &state);
            store.commit_push("docs", docs).await.unwrap();
            assert_eq!(unite(&store, EntryKind::Application).await, expect);
            let mut snapshot = store.snapshot().await.unwrap();
            let docs = snapshot.holding("docs").await.unwrap().unwrap();
            assert_eq!(docs.account_name(0), account);
            let wiki = snapshot.application("wiki").await.unwrap();
            assert_eq!(wiki.is_some(), linked);
        }
        check(false, Renamed::Done, "anna").await;
        check(true, Renamed::BothExist, "ben").await;
    }
}
